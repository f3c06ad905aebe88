//! Gradient checking: the gradients that pass, the mistakes that are found, and the messages.

mod common {
    pub(crate) mod panics;
}

use common::panics::panic_of;
use micrograd::engine::Value;
use micrograd::gradcheck::{GradCheck, gradcheck};

#[test]
fn correct_gradients_pass() {
    let function = |point: &[Value]| {
        let [x, y, z] = point else { unreachable!() };
        (x * y).tanh() / (z.exp() + 1.0) + x.pow(3.0) * z.sin()
            - Value::dot(&point[..2], &point[1..])
    };
    for point in [[0.3, -1.2, 2.0], [-2.0, 0.0, 0.5], [10.0, 0.1, -3.0]] {
        assert_eq!(gradcheck(function, &point), Ok(Vec::new()));
    }
    assert_eq!(gradcheck(|_| Value::new(3.0), &[]), Ok(Vec::new()));
}

/// x² with a derivative that is half as large as it should be.
fn wrong_square(x: &Value) -> Value {
    x * x.data()
}

#[test]
fn a_wrong_gradient_is_found_and_named() {
    let function = |x: &[Value]| x[0].sin() + wrong_square(&x[1]);
    let mismatch = gradcheck(function, &[0.5, 3.0]).unwrap_err();
    assert_eq!((mismatch.input, mismatch.derivative), (1, 3.0));
    assert!((mismatch.difference - 6.0).abs() < 1e-6);
    let message = mismatch.to_string();
    let start =
        "the derivative with respect to input 1 at [0.5, 3] is 3, but by finite differences ";
    assert!(
        message.starts_with(start) && message.contains("they are "),
        "{message}"
    );
}

#[test]
fn a_kink_near_the_point_is_not_a_mistake() {
    for x in [0.0, 3e-7, -8e-7] {
        let kinks = gradcheck(|x| x[0].relu() + x[0].pow(2.0), &[x]).unwrap();
        assert_eq!(kinks.len(), 1, "{x}");
        assert_eq!((kinks[0].input, &kinks[0].point[..]), (0, &[x][..]));
    }
    assert_eq!(gradcheck(|x| x[0].abs(), &[2e-6]), Ok(Vec::new()));
}

#[test]
fn a_wrong_gradient_of_a_curved_function_is_not_taken_for_a_kink() {
    let steep = |x: &[Value]| (x[0].exp() * 1e4) + wrong_square(&x[0]) * 1e6;
    assert!(gradcheck(steep, &[2.0]).is_err());
    assert!(gradcheck(|x| wrong_square(&x[0]), &[1.0]).is_err());
}

#[test]
fn at_a_kink_the_derivative_must_lie_between_the_slopes() {
    // |x| with a chosen derivative at 0.
    let with = |slope: f64| move |x: &[Value]| x[0].abs() + slope * (&x[0] - x[0].data());
    for slope in [-1.0, -0.3, 1.0] {
        assert_eq!(gradcheck(with(slope), &[0.0]).unwrap().len(), 1, "{slope}");
    }
    // A derivative of 0 equals the central difference.
    assert_eq!(gradcheck(with(0.0), &[0.0]), Ok(vec![]));
    for slope in [-5.0, -1.1, 1.1, f64::NAN] {
        assert!(gradcheck(with(slope), &[0.0]).is_err(), "{slope}");
    }
}

#[test]
fn rounding_is_not_taken_for_a_kink() {
    for i in 0..200 {
        let x = 0.1 + 0.01 * f64::from(i);
        let wrong = gradcheck(|x| x[0].detach().exp() + 1e7, &[x]);
        assert!(wrong.is_err(), "{x}: {wrong:?}");
        assert_eq!(gradcheck(|x| x[0].exp() + 1e5, &[x]), Ok(vec![]), "{x}");
        // Here the differences are nothing but noise.
        let noise = gradcheck(|x| x[0].exp() + 1e10, &[x]);
        assert!(noise.is_err() || noise == Ok(vec![]), "{x}: {noise:?}");
    }
}

#[test]
fn the_step_is_measured_between_the_rounded_points() {
    for x in [1e8, -3e9] {
        assert_eq!(gradcheck(|x| 2.0 * &x[0], &[x]), Ok(vec![]));
    }
}

#[test]
fn non_finite_numbers_do_not_pass() {
    assert!(gradcheck(|x| x[0].detach().ln() + 1e3 * &x[0], &[1e-6]).is_err());
    assert!(gradcheck(|x| x[0].exp(), &[709.782_712_893_383_9]).is_err());
    assert!(gradcheck(|x| x[0].ln(), &[-1.0]).is_err());
    assert!(gradcheck(|x| x[0].sqrt(), &[0.0]).is_err());
}

#[test]
fn tolerances_can_be_chosen() {
    let nearly = |x: &[Value]| x[0].pow(2.0) + 1e-4 * x[0].data() * Value::new(1.0);
    assert_eq!(gradcheck(nearly, &[1.0]), Ok(Vec::new()));
    let strict = GradCheck {
        rtol: 1e-6,
        ..GradCheck::default()
    };
    assert!(strict.check(nearly, &[1.0]).is_err());
}

/// With such settings every gradient would be wrong, or right.
#[test]
fn settings_that_cannot_compare_are_the_callers_mistake() {
    let settings = |eps, atol, rtol| GradCheck { eps, atol, rtol };
    let cases = [
        (settings(0.0, 1e-5, 1e-3), "eps must be positive, not 0"),
        (
            settings(f64::NAN, 1e-5, 1e-3),
            "eps must be positive, not NaN",
        ),
        (
            settings(1e-6, f64::NAN, 1e-3),
            "at least 0, not NaN and 0.001",
        ),
        (settings(1e-6, 1e-5, -1.0), "at least 0, not 0.00001 and -1"),
    ];
    for (check, expected) in cases {
        let (message, line) = panic_of(|| drop(check.check(|x| x[0].sin(), &[1.0])));
        assert!(message.contains(expected), "{message}");
        assert_eq!(line, line!() - 2);
    }
}

#[test]
fn the_tolerance_grows_with_the_derivative() {
    // The derivative is `scale` instead of `scale * (1.0 + part)`.
    let off_by = |scale: f64, part: f64| {
        move |x: &[Value]| scale * &x[0] + scale * part * (x[0].detach() - 0.5)
    };
    assert!(gradcheck(off_by(1e3, 5e-4), &[0.5]).is_ok());
    assert!(gradcheck(off_by(1e-3, 0.1), &[0.5]).is_err());
    assert!(gradcheck(off_by(1e3, 2e-3), &[0.5]).is_err());
    assert!(gradcheck(off_by(1e-5, 0.1), &[0.5]).is_ok());
}

#[test]
fn other_leaves_are_left_alone() {
    let w = Value::new(2.0);
    gradcheck(|x| &w * &x[0], &[1.0]).unwrap();
    assert_eq!(w.grad(), 0.0);
}
