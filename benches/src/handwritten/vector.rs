//! What a layer of neurons computes, on arrays that fit into registers.

/// Adds `factor` times `terms` to `sums`.
#[inline]
pub(super) fn add_scaled<const N: usize>(sums: &mut [f64; N], factor: f64, terms: &[f64; N]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += factor * term;
    }
}

/// Adds `terms` to `sums`.
#[inline]
pub(super) fn add<const N: usize>(sums: &mut [f64; N], terms: &[f64; N]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}

/// The sum of products. The four partial sums may be added side by side, which the
/// compiler may not decide by itself.
#[inline]
pub(super) fn dot<const N: usize>(left: &[f64; N], right: &[f64; N]) -> f64 {
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

/// The biases plus the weighted inputs; `weights` holds one row for each input.
#[inline]
pub(super) fn weighted_sums<const N: usize, const INPUTS: usize>(
    biases: &[f64; N],
    weights: &[[f64; N]; INPUTS],
    inputs: &[f64; INPUTS],
) -> [f64; N] {
    let mut sums = *biases;
    for (weights, &input) in weights.iter().zip(inputs) {
        add_scaled(&mut sums, input, weights);
    }
    sums
}

/// relu of each value. A comparison, for `f64::max` costs more to be exact on NaN.
#[inline]
pub(super) fn relu<const N: usize>(values: [f64; N]) -> [f64; N] {
    values.map(|value| if value > 0.0 { value } else { 0.0 })
}

/// The gradient before a relu: what came from above where the output is positive.
#[inline]
pub(super) fn through_relu<const N: usize>(gradient: &[f64; N], outputs: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|k| if outputs[k] > 0.0 { gradient[k] } else { 0.0 })
}
