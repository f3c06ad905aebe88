//! Gradients as graphs: compared with `backward`, and differentiated again.

mod common {
    pub(crate) mod close;
    pub(crate) mod panics;
    pub(crate) mod values;
}

use std::{iter, slice};

use common::close::assert_close;
use common::panics::panic_of;
use common::values::each;
use micrograd::engine::{Value, hessian, hessian_vector_product, jacobian};
use micrograd::nn::{Activation, MLP, Module};
use micrograd::tape::{Tape, VectorTape};

#[track_caller]
fn assert_agrees(ours: f64, theirs: f64) {
    assert!(theirs.is_finite());
    assert_close(ours, theirs, 1e-12 * theirs.abs().max(1.0), "a derivative");
}

#[test]
fn a_net_has_the_gradient_that_backward_computes() {
    let mut rng = micrograd::rng(3);
    let layers = [
        (4, Activation::Tanh),
        (4, Activation::LeakyReLU(0.1)),
        (3, Activation::GELU),
        (1, Activation::Linear),
    ];
    let model = MLP::with_activations(2, &layers, &mut rng);
    let inputs = [0.3, -0.7].map(Value::new);
    let loss = (model.forward(&inputs).remove(0) - 2.0).pow(2.0);
    let mut variables = model.parameters();
    variables.extend(inputs);

    let gradient = loss.gradient(&variables);
    assert!(variables.iter().all(|variable| variable.grad() == 0.0));
    loss.backward();
    for (derivative, variable) in iter::zip(gradient, variables) {
        assert_agrees(derivative.data(), variable.grad());
    }
}

#[test]
fn a_power_with_exponent_0_is_a_constant_whatever_the_upstream_gradient() {
    for number in [
        2.0,
        -2.0,
        0.0,
        -0.0,
        5e-324,
        1e-160,
        f64::INFINITY,
        f64::NAN,
    ] {
        let [x, zero] = [number, 0.0].map(Value::new);
        for power in [x.pow(&zero), x.pow(0.0)] {
            let y = power * f64::INFINITY;
            y.backward();
            assert_eq!(x.grad(), 0.0, "{number}");
            let slope = y.derivative(&x);
            assert_eq!(slope.data(), 0.0, "{number}");
            assert_eq!(slope.derivative(&x).data(), 0.0, "{number}");
            let tape = Tape::record(slice::from_ref(&x), &y);
            assert_eq!(tape.gradient(&[number]).1, [0.0], "{number}");
        }
    }
}

#[test]
fn derivatives_can_be_differentiated_any_number_of_times() {
    let x = Value::new(0.7);
    let mut y = x.sin();
    let cycle = [0.7_f64.cos(), -0.7_f64.sin(), -0.7_f64.cos(), 0.7_f64.sin()];
    for expected in cycle.into_iter().cycle().take(8) {
        y = y.derivative(&x);
        assert_agrees(y.data(), expected);
    }
}

#[test]
fn factors_of_one_and_terms_of_zero_leave_no_nodes() {
    let [x, y] = [3.0, 4.0].map(Value::new);
    assert_eq!(
        (&x + &y).derivative(&x).tree().to_string(),
        "data = 1.000, grad = 0.000"
    );
    assert_eq!(
        (2.0 * &x + 5.0).derivative(&x).tree().to_string(),
        "data = 2.000, grad = 0.000"
    );
    let slope = (&x * (&y + 1.0)).derivative(&x);
    assert_eq!(slope.tree().to_string().lines().count(), 4); // a node of its own, +, y, 1
}

#[test]
fn a_derivative_is_a_value_of_its_own() {
    let [x, y] = [3.0, 4.0].map(|data| Value::new(data).with_name("original"));
    let product = &x * &y;
    let names = ["dx", "dy", "dx again"];
    let gradient = product.gradient(&[x.clone(), y.clone(), x.clone()]);
    assert_eq!(each(&gradient, Value::data), [4.0, 3.0, 4.0]);
    let gradient: Vec<_> = iter::zip(gradient, names)
        .map(|(slope, name)| slope.with_name(name))
        .collect();
    assert!(
        [&x, &y]
            .iter()
            .all(|leaf| leaf.name().as_deref() == Some("original"))
    );
    assert!(iter::zip(&gradient, names).all(|(slope, name)| slope.name().as_deref() == Some(name)));
}

#[test]
fn inner_nodes_the_value_itself_and_unrelated_leaves_have_derivatives() {
    let [x, stranger] = [3.0, 1.0].map(Value::new);
    let inner = &x * 2.0;
    let y = inner.pow(2.0) + &x;
    let gradient = y.gradient(&[inner, y.clone(), stranger, x]);
    assert_eq!(each(&gradient, Value::data), [12.0, 1.0, 0.0, 25.0]);
}

#[test]
fn a_side_that_was_not_taken_is_not_multiplied_by_zero() {
    let x = Value::new(0.0);
    for not_taken in [(&x - 1.0).relu(), x.max(1.0), x.min(-1.0), x.unless(1.0)] {
        let infinite = not_taken.pow(1.0) * f64::MAX * 2.0;
        assert_eq!(infinite.derivative(&x).data(), 0.0);
    }
}

#[test]
fn a_tape_of_a_derivative_chooses_anew_for_every_row() {
    let x = Value::new(1.0);
    let y = x.relu() * x.abs() + x.max(2.0).pow(2.0);
    let tape = Tape::record(slice::from_ref(&x), &y.derivative(&x));
    // 2x for 0 < x < 2, and 4x beyond; at the tie, half of the slope of max.
    assert_eq!(
        tape.forward(&[[-1.0], [0.0], [1.0], [2.0], [3.0]]),
        [0.0, 0.0, 2.0, 6.0, 12.0]
    );

    let [x, y] = [1.0, 2.0].map(Value::new);
    let variables = [x.clone(), y.clone()];
    let gradient = (&x * &y).tanh().gradient(&variables);
    let tape = VectorTape::record(&variables, &gradient);
    let hessian_at = |x: f64, y: f64| {
        let [x, y] = [x, y].map(Value::new);
        let rows = hessian(&(&x * &y).tanh(), &[x, y]);
        rows.iter()
            .map(|row| each(row, Value::data))
            .collect::<Vec<_>>()
    };
    let (_, by_tape) = tape.jacobian(&[0.3, -0.4]);
    for (ours, theirs) in iter::zip(by_tape.concat(), hessian_at(0.3, -0.4).concat()) {
        assert_agrees(ours, theirs);
    }
}

#[test]
fn the_hessian_of_rosenbrocks_function_matches_the_formula() {
    let [x, y] = [-1.2, 1.0].map(Value::new);
    let f = 100.0 * (&y - x.pow(2.0)).pow(2.0) + (1.0 - &x).pow(2.0);
    let xs = [x, y];
    let rows = hessian(&f, &xs);
    let expected = [1200.0 * 1.44 - 400.0 * 1.0 + 2.0, 480.0, 480.0, 200.0];
    for (ours, theirs) in iter::zip(rows.iter().flatten(), expected) {
        assert_agrees(ours.data(), theirs);
    }
    let product = hessian_vector_product(&f, &xs, &[2.0, -1.0]);
    assert_agrees(product[0].data(), 2.0 * expected[0] - expected[1]);
    assert_agrees(product[1].data(), 2.0 * expected[2] - expected[3]);
    assert_eq!(each(&xs, Value::data), [-1.2, 1.0]);
}

#[test]
fn the_jacobian_has_a_row_for_each_output() {
    let [x, y] = [2.0, 3.0].map(Value::new);
    let ys = [&x * &y, x.exp(), Value::new(7.0)];
    let rows = jacobian(&ys, &[x, y]);
    let rows: Vec<_> = rows.iter().map(|row| each(row, Value::data)).collect();
    assert_eq!(rows, [[3.0, 2.0], [2.0_f64.exp(), 0.0], [0.0, 0.0]]);
}

#[test]
fn a_vector_of_the_wrong_length_panics_where_it_is_given() {
    let x = Value::new(1.0);
    let y = x.exp();
    let expected = line!() + 1;
    let (message, line) = panic_of(|| drop(hessian_vector_product(&y, &[x], &[1.0, 2.0])));
    assert!(
        message.contains("the vector has length 2, not 1, the number of variables"),
        "{message}"
    );
    assert_eq!(line, expected);
}

#[test]
fn a_derivative_is_the_gradient_with_respect_to_one_value() {
    let [x, y, z] = [2.0, 3.0, 5.0].map(Value::new);
    let product = &x * &y;
    let output = &product * &product;
    assert_eq!(output.derivative(&x).data(), 2.0 * 6.0 * 3.0);
    assert_eq!(output.derivative(&product).data(), 12.0);
    assert_eq!(output.derivative(&x).derivative(&y).data(), 4.0 * 2.0 * 3.0);
    assert_eq!(output.derivative(&z).data(), 0.0);
    assert_eq!(x.derivative(&x).data(), 1.0);
    assert_eq!((x.grad(), y.grad()), (0.0, 0.0));
}
