//! A dense layer of neurons, on arrays that fit into registers.

use std::{array, iter};

/// The parameters of a layer, or their gradient. The weights are stored input by input, so that a
/// loop over the neurons reads adjacent numbers. They are aligned, so that SSE instructions may
/// read them.
#[repr(C, align(64))]
pub(super) struct Layer<const INPUTS: usize, const N: usize> {
    pub(super) weights: [[f64; N]; INPUTS],
    pub(super) bias: [f64; N],
}

impl<const INPUTS: usize, const N: usize> Layer<INPUTS, N> {
    pub(super) const ZERO: Self = Self {
        weights: [[0.0; N]; INPUTS],
        bias: [0.0; N],
    };

    /// Reads the parameters of a layer in micrograd's order.
    pub(super) fn read(parameters: &mut impl Iterator<Item = f64>) -> Self {
        let mut layer = Self::ZERO;
        for neuron in 0..N {
            for row in layer.weights.iter_mut().chain([&mut layer.bias]) {
                row[neuron] = parameters.next().expect("a parameter");
            }
        }
        layer
    }

    /// The parameters in micrograd's order.
    pub(super) fn parameters(&self) -> impl Iterator<Item = f64> {
        let rows = || self.weights.iter().chain([&self.bias]);
        (0..N).flat_map(move |neuron| rows().map(move |row| row[neuron]))
    }

    #[inline]
    pub(super) fn forward(&self, inputs: &[f64; INPUTS]) -> [f64; N] {
        weighted_sums(&self.bias, inputs.iter().copied(), &self.weights)
    }

    /// Adds the gradient for a row of inputs; `to_sums` is the upstream gradient of the outputs.
    #[inline(always)]
    pub(super) fn accumulate(&mut self, inputs: &[f64; INPUTS], to_sums: &[f64; N]) {
        add_scaled(&mut self.bias, 1.0, to_sums);
        for (weights, &input) in self.weights.iter_mut().zip(inputs) {
            add_scaled(weights, input, to_sums);
        }
    }

    /// Writes the gradient for a batch, whose rows begin with the inputs.
    #[inline]
    pub(super) fn collect<const M: usize>(&mut self, rows: &[[f64; M]], to_sums: &[[f64; N]]) {
        self.bias = weighted_sums(&[0.0; N], iter::repeat(1.0), to_sums);
        for (input, weights) in self.weights.iter_mut().enumerate() {
            let inputs = rows.iter().map(|row| row[input]);
            *weights = weighted_sums(&[0.0; N], inputs, to_sums);
        }
    }
}

/// Adds `factor` times `terms` to `sums`.
#[inline]
pub(super) fn add_scaled<const N: usize>(sums: &mut [f64; N], factor: f64, terms: &[f64; N]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += factor * term;
    }
}

/// `start` plus all rows, each times its factor. The sums stay in registers.
#[inline]
pub(super) fn weighted_sums<const N: usize>(
    start: &[f64; N],
    factors: impl IntoIterator<Item = f64>,
    rows: &[[f64; N]],
) -> [f64; N] {
    let mut sums = *start;
    for (row, factor) in rows.iter().zip(factors) {
        add_scaled(&mut sums, factor, row);
    }
    sums
}

#[inline]
pub(super) fn transpose<const M: usize, const N: usize>(matrix: &[[f64; N]; M]) -> [[f64; M]; N] {
    array::from_fn(|row| array::from_fn(|column| matrix[column][row]))
}

/// The dot product, in four partial sums that the compiler may compute side by side.
#[inline]
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut partial = [0.0; 4];
    let (left, left_rest) = left.as_chunks::<4>();
    let (right, right_rest) = right.as_chunks::<4>();
    for (left, right) in left.iter().zip(right) {
        for lane in 0..4 {
            partial[lane] += left[lane] * right[lane];
        }
    }
    let rest = left_rest.iter().zip(right_rest);
    for (sum, (left, right)) in partial.iter_mut().zip(rest) {
        *sum += left * right;
    }
    (partial[0] + partial[1]) + (partial[2] + partial[3])
}

/// The relu of each value. `f64::max` would cost more, because it handles NaN.
#[inline]
pub(super) fn relu<const N: usize>(values: [f64; N]) -> [f64; N] {
    values.map(|value| if value > 0.0 { value } else { 0.0 })
}

/// The gradient at a relu's inputs: the upstream gradient where the output is positive, else 0.
#[inline]
pub(super) fn through_relu<const N: usize>(gradient: &[f64; N], outputs: &[f64; N]) -> [f64; N] {
    array::from_fn(|k| if outputs[k] > 0.0 { gradient[k] } else { 0.0 })
}
