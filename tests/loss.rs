//! The losses, compared with values and gradients from PyTorch that `pytorch/training.py` wrote.

mod common {
    pub(crate) mod close;
    pub(crate) mod golden;
    pub(crate) mod panics;
}

use std::iter;

use common::close::assert_close;
use common::golden;
use common::panics::panic_of;
use micrograd::engine::{Value, hessian};
use micrograd::nn::loss;
use micrograd::tape::Tape;

struct Golden {
    name: &'static str,
    setting: f64,
    predictions: Vec<f64>,
    targets: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

fn goldens() -> impl Iterator<Item = Golden> {
    golden::lines(include_str!("pytorch/losses.csv")).map(|line| {
        let [name, setting, predictions, targets, value, gradient] = golden::cells(line);
        Golden {
            name,
            setting: setting.parse().unwrap(),
            predictions: golden::numbers(predictions),
            targets: golden::numbers(targets),
            value: value.parse().unwrap(),
            gradient: golden::numbers(gradient),
        }
    })
}

impl Golden {
    fn loss(&self, predictions: &[Value], targets: &[Value]) -> Value {
        match self.name {
            "mean_squared_error" => loss::mean_squared_error(predictions, targets),
            "mean_absolute_error" => loss::mean_absolute_error(predictions, targets),
            "huber" => loss::huber(predictions, targets, self.setting),
            "binary_cross_entropy_with_logits" => {
                loss::binary_cross_entropy_with_logits(predictions, targets)
            }
            "hinge" => loss::hinge(predictions, targets),
            "cross_entropy" => loss::cross_entropy(predictions, targets, self.setting),
            name => panic!("unknown loss: {name}"),
        }
    }

    fn leaves(&self) -> [Vec<Value>; 2] {
        [&self.predictions, &self.targets].map(|numbers| values(numbers))
    }

    #[track_caller]
    fn assert_agrees(&self, value: f64, gradient: &[f64]) {
        let what = format!("{} {} of {:?}", self.name, self.setting, self.predictions);
        let tolerance = |theirs: f64| 1e-12 * theirs.abs().max(1.0);
        assert_close(value, self.value, tolerance(self.value), &what);
        assert_eq!(gradient.len(), self.gradient.len());
        for (&ours, &theirs) in iter::zip(gradient, &self.gradient) {
            let what = format!("gradient of {what}");
            assert_close(ours, theirs, tolerance(theirs), &what);
        }
    }
}

fn values(numbers: &[f64]) -> Vec<Value> {
    numbers.iter().copied().map(Value::new).collect()
}

#[test]
fn losses_agree_with_pytorch() {
    let mut names = Vec::new();
    for golden in goldens() {
        let [predictions, targets] = golden.leaves();
        let loss = golden.loss(&predictions, &targets);
        loss.backward();
        let gradient: Vec<_> = predictions.iter().map(Value::grad).collect();
        golden.assert_agrees(loss.data(), &gradient);
        names.push(golden.name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 6);
}

#[test]
fn losses_agree_with_pytorch_on_a_tape_whose_rows_include_the_targets() {
    for golden in goldens() {
        // The tape is recorded at other numbers.
        let [predictions, targets] = [0, 1].map(|_| values(&vec![0.5; golden.targets.len()]));
        let loss = golden.loss(&predictions, &targets);
        let inputs = [&predictions[..], &targets].concat();
        let tape = Tape::record(&inputs, &loss);
        let row = [&golden.predictions[..], &golden.targets].concat();
        let (value, gradient) = tape.gradient(&row);
        golden.assert_agrees(value, &gradient[..golden.predictions.len()]);
    }
}

#[test]
fn hubers_second_derivative_is_1_below_delta_and_0_beyond() {
    for (prediction, second) in [(0.0, 1.0), (-0.5, 1.0), (3.0, 0.0)] {
        let p = [Value::new(prediction)];
        let loss = loss::huber(&p, &[Value::new(0.0)], 1.0);
        assert_eq!(hessian(&loss, &p)[0][0].data(), second);
    }
}

#[test]
fn the_loss_of_a_class_equals_that_of_its_one_hot_row() {
    for (class, smoothing) in [(0, 0.0), (2, 0.1), (1, 1.0)] {
        let logits = [1.5, -700.0, 800.0].map(Value::new);
        let by_row = loss::cross_entropy(&logits, &values(&loss::one_hot(class, 3)), smoothing);
        let by_class = loss::cross_entropy_of_class(&logits, class, smoothing);
        assert_close(
            by_class.data(),
            by_row.data(),
            1e-12 * by_row.data().abs().max(1.0),
            "value",
        );
        let gradients = [by_row, by_class].map(|loss| loss.gradient(&logits));
        for (row, class) in iter::zip(&gradients[0], &gradients[1]) {
            assert_close(
                class.data(),
                row.data(),
                1e-12 * row.data().abs().max(1.0),
                "gradient",
            );
        }
    }
}

#[test]
fn log_softmax_handles_any_logits_and_its_probabilities_add_up_to_1() {
    for logits in [[1e308, -1e308, 0.0], [-1e308; 3], [700.0, 710.0, 720.0]] {
        let probabilities = loss::log_softmax(&values(&logits));
        let sum: f64 = probabilities.iter().map(|p| p.data().exp()).sum();
        assert_close(sum, 1.0, 1e-12, "sum");
    }
}

#[test]
fn confident_predictions_keep_a_precise_gradient() {
    // Here the probability itself would be rounded to 1, and its logarithm to 0.
    let logit = Value::new(40.0);
    let loss =
        loss::binary_cross_entropy_with_logits(std::slice::from_ref(&logit), &[Value::new(1.0)]);
    loss.backward();
    let probability = (-40.0_f64).exp();
    assert!((loss.data() / probability - 1.0).abs() < 1e-12);
    assert!((logit.grad() / -probability - 1.0).abs() < 1e-12);
}

#[test]
fn penalties_are_sums_over_the_parameters() {
    let parameters = [3.0, -4.0, 0.0].map(Value::new);
    loss::l2_penalty(&parameters).backward();
    assert_eq!(loss::l2_penalty(&parameters).data(), 25.0);
    assert_eq!(parameters.each_ref().map(Value::grad), [6.0, -8.0, 0.0]);
    parameters.iter().for_each(Value::zero_grad);
    loss::l1_penalty(&parameters).backward();
    assert_eq!(loss::l1_penalty(&parameters).data(), 7.0);
    assert_eq!(parameters.each_ref().map(Value::grad), [1.0, -1.0, 0.0]);
    assert_eq!(
        loss::l1_penalty(&[]).data() + loss::l2_penalty(&[]).data(),
        0.0
    );
}

#[test]
fn a_mean_over_nothing_is_nan() {
    for loss in [loss::mean_squared_error, loss::hinge] {
        assert!(loss(&[], &[]).data().is_nan());
    }
}

macro_rules! expect_panic {
    ($expected:literal, $mistake:expr) => {
        let (message, line) = panic_of(|| drop($mistake));
        assert!(message.contains($expected), "{message}");
        // A long call may begin on the line below.
        assert!(
            (line!()..line!() + 4).contains(&line),
            "{message} at line {line}"
        );
    };
}

#[test]
fn a_mistake_is_reported_at_the_callers_line() {
    let xs = [1.0, 2.0].map(Value::new);
    expect_panic!(
        "as many targets as predictions, not 1 and 2",
        loss::mean_squared_error(&xs, &xs[..1])
    );
    expect_panic!(
        "as many targets as predictions, not 0 and 2",
        loss::cross_entropy(&xs, &[], 0.0)
    );
    expect_panic!(
        "as many targets as predictions, not 2 and 1",
        loss::hinge(&xs[..1], &xs)
    );
    expect_panic!("delta must be positive, not 0", loss::huber(&xs, &xs, 0.0));
    expect_panic!("in [0, 1], not -0.1", loss::cross_entropy(&xs, &xs, -0.1));
    expect_panic!(
        "in [0, 1], not NaN",
        loss::cross_entropy_of_class(&xs, 0, f64::NAN)
    );
    expect_panic!(
        "class 2 is not below 2, the number of classes",
        loss::cross_entropy_of_class(&xs, 2, 0.0)
    );
    expect_panic!("at least one logit", loss::cross_entropy(&[], &[], 0.0));
    expect_panic!(
        "class 3 is not below 3, the number of classes",
        loss::one_hot(3, 3)
    );
}

#[test]
fn softmax_gives_probabilities_and_their_slopes_for_any_logits() {
    for logits in [
        [0.5, -1.0, 2.0],
        [1000.0, 999.0, -1000.0],
        [-1e6, -1e6, 0.0],
    ] {
        let logits = values(&logits);
        let probabilities = loss::softmax(&logits);
        let sum: f64 = probabilities.iter().map(Value::data).sum();
        assert_close(sum, 1.0, 1e-15, "sum");
        // ∂pᵢ/∂xⱼ = pᵢ (δᵢⱼ - pⱼ)
        for (i, p) in probabilities.iter().enumerate() {
            for (j, slope) in p.gradient(&logits).iter().enumerate() {
                let expected = p.data() * (f64::from(i == j) - probabilities[j].data());
                assert_close(slope.data(), expected, 1e-15, "slope");
            }
        }
    }
    // exp(-1), exp(0), exp(1) over their sum; `torch.softmax` gives the same
    let theirs = [
        0.090_030_573_170_380_46,
        0.244_728_471_054_797_67,
        0.665_240_955_774_821_8,
    ];
    for (ours, theirs) in iter::zip(loss::softmax(&values(&[-1.0, 0.0, 1.0])), theirs) {
        assert_close(ours.data(), theirs, 1e-15, "softmax");
    }
    let line = line!() + 1;
    assert_eq!(panic_of(|| drop(loss::softmax(&[]))).1, line);
}
