//! What a layer of neurons computes, on arrays that fit into registers.

use crate::work::HIDDEN;

/// One number for each neuron of a hidden layer.
pub(super) type Lanes = [f64; HIDDEN];

/// Adds `factor` times `terms` to `sums`.
#[inline]
pub(super) fn add_scaled(sums: &mut Lanes, factor: f64, terms: &Lanes) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += factor * term;
    }
}

/// Adds `terms` to `sums`.
#[inline]
pub(super) fn add(sums: &mut Lanes, terms: &Lanes) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}

/// The sum of products. The four partial sums may be added side by side, which the
/// compiler may not decide by itself.
#[inline]
pub(super) fn dot(left: &Lanes, right: &Lanes) -> f64 {
    let mut partial = [0.0; 4];
    let (left, _) = left.as_chunks::<4>();
    let (right, _) = right.as_chunks::<4>();
    for (left, right) in left.iter().zip(right) {
        for lane in 0..4 {
            partial[lane] += left[lane] * right[lane];
        }
    }
    (partial[0] + partial[1]) + (partial[2] + partial[3])
}

/// The biases plus the weighted inputs; `weights` holds one row for each input.
#[inline]
pub(super) fn weighted_sums<const INPUTS: usize>(
    biases: &Lanes,
    weights: &[Lanes; INPUTS],
    inputs: &[f64; INPUTS],
) -> Lanes {
    let mut sums = *biases;
    for (weights, &input) in weights.iter().zip(inputs) {
        add_scaled(&mut sums, input, weights);
    }
    sums
}

/// relu of each value. A comparison, for `f64::max` costs more to be exact on NaN.
#[inline]
pub(super) fn relu(values: Lanes) -> Lanes {
    values.map(|value| if value > 0.0 { value } else { 0.0 })
}

/// The gradient before a relu: what came from above where the output is positive.
#[inline]
pub(super) fn through_relu(gradient: &Lanes, outputs: &Lanes) -> Lanes {
    std::array::from_fn(|k| if outputs[k] > 0.0 { gradient[k] } else { 0.0 })
}
