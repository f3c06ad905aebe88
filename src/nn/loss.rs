//! Losses: how far the outputs of a net are from their targets, as one [`Value`].
//!
//! A loss takes outputs and the same number of targets, and returns the mean over these pairs: of
//! one row, or of a whole batch, row after row. Only the cross-entropies of several classes take a
//! single row, whose logits belong together; for a batch, take the mean over its rows.
//!
//! Outputs and targets are nodes, so a loss can be recorded on a tape whose rows include the
//! targets:
//!
//! ```
//! use micrograd::nn::{MLP, loss};
//! use micrograd::tape::Tape;
//!
//! let model = MLP::new(2, &[8, 1], &mut micrograd::rng(0));
//! let tape = Tape::trace(|[x, y, target]| {
//!     loss::mean_squared_error(&model.forward(&[x, y]), &[target])
//! });
//! let mean_loss = tape.backward(&[[0.5, -1.0, 1.0], [1.0, 0.0, -1.0]]);
//! ```
//!
//! The means are PyTorch's `reduction="mean"`; over no pairs they are NaN. A tape takes the mean
//! over its rows itself.

use std::iter;

use crate::engine::Value;

/// The mean of an expression over pairs of predictions and targets. A macro, because a closure
/// would hide the caller's line.
macro_rules! mean_over {
    ($p:ident, $t:ident in $predictions:expr, $targets:expr => $loss:expr) => {{
        assert_same_len($predictions, $targets);
        let mut losses = Vec::with_capacity($predictions.len());
        for ($p, $t) in iter::zip($predictions, $targets) {
            losses.push($loss);
        }
        match losses.len() {
            1 => losses.remove(0), // the usual loss of a row: no idle sum and division
            pairs => losses.into_iter().sum::<Value>() / pairs as f64,
        }
    }};
}

/// Mean squared error, the mean of (p - t)². PyTorch's `mse_loss`.
///
/// # Panics
///
/// If the numbers of predictions and targets differ.
#[must_use]
#[track_caller]
pub fn mean_squared_error(predictions: &[Value], targets: &[Value]) -> Value {
    mean_over!(p, t in predictions, targets => (p - t).pow(2.0))
}

/// Mean absolute error, the mean of |p - t|. PyTorch's `l1_loss`. The gradient is 0 where p = t.
///
/// # Panics
///
/// If the numbers of predictions and targets differ.
#[must_use]
#[track_caller]
pub fn mean_absolute_error(predictions: &[Value], targets: &[Value]) -> Value {
    mean_over!(p, t in predictions, targets => (p - t).abs())
}

/// Huber loss, the mean of ½ d² where d = |p - t| is at most `delta`, and of delta · (d - ½ delta)
/// beyond: an outlier pulls with a force of only delta (Huber 1964). PyTorch's `huber_loss`.
///
/// # Panics
///
/// If the numbers of predictions and targets differ, or if `delta` is not positive.
#[must_use]
#[track_caller]
pub fn huber(predictions: &[Value], targets: &[Value], delta: f64) -> Value {
    assert!(delta > 0.0, "delta must be positive, not {delta}");
    mean_over!(p, t in predictions, targets => {
        let difference = p - t;
        // ½ d² of the part within delta, and delta for each unit beyond.
        let near = difference.max(-delta).min(delta);
        &near * (difference - 0.5 * &near)
    })
}

/// Binary cross-entropy of logits, the mean of -t ln p - (1 - t) ln (1 - p), where p =
/// sigmoid(logit) is the probability of the label 1 and t, in [0, 1], the target; a label of -1 is
/// not a target. PyTorch's `binary_cross_entropy_with_logits`.
///
/// It never computes p itself, whose logarithm would be lost at extreme logits: ln p =
/// -softplus(-logit).
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::nn::loss;
///
/// let logits = [1000.0, 0.0].map(Value::new); // sure, undecided
/// let targets = [0.0, 1.0].map(Value::new);
/// let loss = loss::binary_cross_entropy_with_logits(&logits, &targets);
/// assert_eq!(loss.data(), (1000.0 + f64::ln(2.0)) / 2.0);
/// ```
///
/// # Panics
///
/// If the numbers of logits and targets differ.
#[must_use]
#[track_caller]
pub fn binary_cross_entropy_with_logits(logits: &[Value], targets: &[Value]) -> Value {
    mean_over!(x, t in logits, targets => t * (-x).softplus() + (1.0 - t) * x.softplus())
}

/// Hinge loss, or maximum-margin loss: the mean of max(0, 1 - t · s) over scores s and labels t of
/// -1 or +1. A score on the right side by a margin of at least 1 adds 0 to it, and its gradient is
/// 0 even at exactly 1. PyTorch's `margin_ranking_loss` of s and 0, with a margin of 1.
///
/// # Panics
///
/// If the numbers of scores and labels differ.
#[must_use]
#[track_caller]
pub fn hinge(scores: &[Value], labels: &[Value]) -> Value {
    mean_over!(s, t in scores, labels => (1.0 - t * s).relu())
}

/// Softmax cross-entropy of one row of logits, one per class: -Σ tᵢ ln pᵢ, where p =
/// softmax(logits) and t holds the target probabilities, such as those of [`one_hot`]. PyTorch's
/// `cross_entropy` with probabilities.
///
/// `label_smoothing`, in [0, 1], is the part of t that is spread evenly over all classes (Szegedy
/// et al. 2016, section 7).
///
/// It is computed by log-sum-exp with the greatest logit factored out, so it neither overflows nor
/// loses a logarithm: ln pᵢ = zᵢ - ln Σ eᶻ, with z = logits - max(logits). A logit of -∞ makes
/// it NaN, as 0 · ∞ is; [`cross_entropy_of_class`] accepts one for an impossible class.
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::nn::loss;
///
/// let logits = [1000.0, 0.0, 0.0].map(Value::new);
/// let targets: Vec<_> = loss::one_hot(1, 3).into_iter().map(Value::new).collect();
/// let loss = loss::cross_entropy(&logits, &targets, 0.0);
/// loss.backward();
/// assert_eq!(loss.data(), 1000.0);
/// assert_eq!(logits[1].grad(), -1.0);
/// ```
///
/// # Panics
///
/// If the numbers of logits and targets differ, if there are none, or if `label_smoothing` is not
/// in [0, 1].
#[must_use]
#[track_caller]
pub fn cross_entropy(logits: &[Value], targets: &[Value], label_smoothing: f64) -> Value {
    assert_same_len(logits, targets);
    expect_part(label_smoothing);
    let log_probabilities = log_softmax(logits);
    let of_targets = -Value::dot(targets, &log_probabilities);
    smoothed(of_targets, &log_probabilities, label_smoothing)
}

/// [`cross_entropy`] of a row whose class is known: -ln p of that class.
///
/// The class is part of the expression: on a tape, it is the same for all rows.
///
/// # Panics
///
/// If there is no such class, or if `label_smoothing` is not in [0, 1].
#[must_use]
#[track_caller]
pub fn cross_entropy_of_class(logits: &[Value], class: usize, label_smoothing: f64) -> Value {
    expect_class(class, logits.len());
    expect_part(label_smoothing);
    let log_probabilities = log_softmax(logits);
    smoothed(
        -&log_probabilities[class],
        &log_probabilities,
        label_smoothing,
    )
}

/// The logarithms of the softmax probabilities, computed without overflow.
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::nn::loss::log_softmax;
///
/// let logits = [0.0, 0.0, -800.0].map(Value::new);
/// let probabilities: Vec<_> = log_softmax(&logits).iter().map(Value::exp).collect();
/// assert_eq!(probabilities[0].data(), 0.5);
/// ```
///
/// # Panics
///
/// If there are no logits.
#[must_use]
#[track_caller]
pub fn log_softmax(logits: &[Value]) -> Vec<Value> {
    let [first, others @ ..] = logits else {
        panic!("softmax needs at least one logit");
    };
    // A number subtracted from all logits does not change the result, so it takes no part in the
    // gradient.
    let mut greatest = first.clone();
    for logit in others {
        greatest = greatest.max(logit);
    }
    let greatest = greatest.detach();
    let mut shifted = Vec::with_capacity(logits.len());
    let mut powers = Vec::with_capacity(logits.len());
    for logit in logits {
        let difference = logit - &greatest;
        powers.push(difference.exp());
        shifted.push(difference);
    }
    let log_sum = powers.into_iter().sum::<Value>().ln();
    let mut log_probabilities = Vec::with_capacity(logits.len());
    for difference in shifted {
        log_probabilities.push(difference - &log_sum);
    }
    log_probabilities
}

/// The probabilities of the classes, eˣ / Σ eˣ, computed as the exponentials of [`log_softmax`],
/// without overflow. For a loss, use [`cross_entropy`], which is exact where a probability is 0.
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::nn::loss::softmax;
///
/// let probabilities = softmax(&[1000.0, 1000.0].map(Value::new));
/// assert_eq!(probabilities[0].data(), 0.5);
/// ```
///
/// # Panics
///
/// If there are no logits.
#[must_use]
#[track_caller]
pub fn softmax(logits: &[Value]) -> Vec<Value> {
    let mut probabilities = log_softmax(logits);
    for probability in &mut probabilities {
        *probability = probability.exp();
    }
    probabilities
}

/// 1 for a class and 0 for all others: a target for [`cross_entropy`].
///
/// ```
/// assert_eq!(micrograd::nn::loss::one_hot(1, 3), [0.0, 1.0, 0.0]);
/// ```
///
/// # Panics
///
/// If there is no such class.
#[must_use]
#[track_caller]
pub fn one_hot(class: usize, classes: usize) -> Vec<f64> {
    expect_class(class, classes);
    let mut row = vec![0.0; classes];
    row[class] = 1.0;
    row
}

/// L1 penalty, Σ |p|. Added to a loss with a small factor, it draws parameters to 0.
#[must_use]
#[track_caller]
pub fn l1_penalty(parameters: &[Value]) -> Value {
    let mut sizes = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        sizes.push(parameter.abs());
    }
    sizes.into_iter().sum()
}

/// L2 penalty, Σ p². Added to a loss with a small factor, it draws parameters towards 0. Its
/// gradient is 2p, so half the factor does what `weight_decay` of [`SGD`](crate::optim::SGD) does.
#[must_use]
#[track_caller]
pub fn l2_penalty(parameters: &[Value]) -> Value {
    Value::dot(parameters, parameters)
}

/// Weights the mean over all classes by `smoothing`, and the targets by the rest.
#[track_caller]
fn smoothed(of_targets: Value, log_probabilities: &[Value], smoothing: f64) -> Value {
    if smoothing == 0.0 {
        return of_targets;
    }
    let of_all = -log_probabilities.iter().sum::<Value>() / log_probabilities.len() as f64;
    (1.0 - smoothing) * of_targets + smoothing * of_all
}

#[track_caller]
fn assert_same_len(predictions: &[Value], targets: &[Value]) {
    assert!(
        predictions.len() == targets.len(),
        "a loss needs as many targets as predictions, not {} and {}",
        targets.len(),
        predictions.len()
    );
}

#[track_caller]
fn expect_class(class: usize, classes: usize) {
    assert!(
        class < classes,
        "class {class} is not below {classes}, the number of classes"
    );
}

#[track_caller]
fn expect_part(label_smoothing: f64) {
    assert!(
        (0.0..=1.0).contains(&label_smoothing),
        "label smoothing must be in [0, 1], not {label_smoothing}"
    );
}
