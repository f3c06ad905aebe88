//! Properties of every function: all ways to compute its derivatives agree, and these have the
//! properties that derivatives must have.

#[path = "../../tests/common/close.rs"]
mod close;
#[path = "../../tests/common/values.rs"]
mod values;

use std::iter;

use close::assert_close;

use micrograd::engine::{Value, hessian, hessian_vector_product};
use micrograd::tape::{Tape, VectorTape};
use micrograd_proofs::Function;
use num_dual::HyperDual64;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use values::each;

const INPUTS: usize = 3;
/// Beyond this, `num-dual` computes tanh as ∞ / ∞.
const LARGEST: f64 = 300.0;

/// The same cases each time.
fn config() -> Config {
    Config {
        cases: 400,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::default()
    }
}

fn point() -> impl Strategy<Value = [f64; INPUTS]> {
    [-2.0..2.0, -2.0..2.0, -2.0..2.0]
}

/// A number on which a computation may fail.
fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -2.0..2.0,
        2 => proptest::sample::select(vec![0.0, -0.0, 1e-310, 1e200, -1e200, 710.0]),
        1 => proptest::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, f64::NAN]),
    ]
}

fn leaves(point: &[f64]) -> Vec<Value> {
    point.iter().copied().map(Value::new).collect()
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// An estimate of the largest number added up in a gradient. Rounding is relative to it.
fn size(nodes: &[Value]) -> f64 {
    let sizes = nodes
        .iter()
        .map(|node| node.grad().abs() * (1.0 + node.data().abs()));
    sizes.fold(1.0, f64::max)
}

#[track_caller]
fn assert_all_close(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in iter::zip(ours, theirs) {
        assert!(theirs.is_finite(), "{theirs}");
        assert_close(*ours, *theirs, tolerance, &format!("to {tolerance:e}"));
    }
}

/// The output, and its gradient by forward-mode differentiation.
fn forward_gradient(function: &Function, point: &[f64; INPUTS]) -> (f64, Vec<f64>) {
    let along = |i: usize| {
        let mut xs = point.map(HyperDual64::from_re);
        xs[i] = xs[i].derivative1();
        function.of(&xs)
    };
    let gradient = (0..INPUTS).map(|i| along(i).eps1).collect();
    (along(0).re, gradient)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn backward_gradient_tape_and_dual_numbers_agree(function in Function::any(), point in point()) {
        let xs = leaves(&point);
        let nodes = function.nodes(&xs);
        let y = nodes.last().unwrap();
        prop_assume!(largest(&nodes) < LARGEST);
        y.backward();
        let by_backward = each(&xs, Value::grad);
        let size = size(&nodes);
        prop_assume!(size < 1e100);

        let (value, by_duals) = forward_gradient(&function, &point);
        assert_all_close(&[y.data()], &[value], 1e-10 * size.max(value.abs()));
        assert_all_close(&by_backward, &by_duals, 1e-10 * size);
        assert_all_close(&each(&y.gradient(&xs), Value::data), &by_backward, 1e-12 * size);
        let (value, by_tape) = Tape::record(&xs, y).gradient(&point);
        prop_assert_eq!(value.to_bits(), y.data().to_bits());
        assert_all_close(&by_tape, &by_backward, 1e-12 * size);
    }

    #[test]
    fn a_tape_computes_every_row_as_the_engine_does(
        function in Function::any(),
        rows in vec(point(), 1..70),
        parameter in -2.0..2.0,
    ) {
        // The last of the inputs is a parameter here.
        let [x, y, w] = [0.0, 0.0, parameter].map(Value::new);
        let tape = Tape::record(&[x.clone(), y.clone()], &function.of(&[x, y, w.clone()]));
        let rows: Vec<_> = rows.iter().map(|&[x, y, _]| [x, y]).collect();

        let (mut outputs, mut gradient, mut largest) = (Vec::new(), 0.0, 1.0_f64);
        for &[x, y] in &rows {
            let xs = [Value::new(x), Value::new(y), w.clone()];
            let nodes = function.nodes(&xs);
            w.zero_grad();
            nodes.last().unwrap().backward();
            outputs.push(nodes.last().unwrap().data());
            gradient += w.grad() / rows.len() as f64;
            largest = largest.max(size(&nodes));
        }
        prop_assert_eq!(bits(&tape.forward(&rows)), bits(&outputs));
        prop_assume!(largest < 1e100);
        w.zero_grad();
        tape.backward(&rows);
        assert_all_close(&[w.grad()], &[gradient], 1e-12 * largest);
    }

    #[test]
    fn the_gradient_is_linear_in_the_seed(
        [f, g] in [Function::any(), Function::any()],
        point in point(),
        [a, b] in [-3.0..3.0_f64, -3.0..3.0_f64],
    ) {
        let xs = leaves(&point);
        let [f_nodes, g_nodes] = [&f, &g].map(|function| function.nodes(&xs));
        let [f, g] = [f_nodes.last().unwrap(), g_nodes.last().unwrap()];
        (a * f + b * g).backward();
        let together = each(&xs, Value::grad);
        let size = size(&f_nodes).max(size(&g_nodes));
        prop_assume!(size < 1e100);

        let apart = iter::zip(f.gradient(&xs), g.gradient(&xs));
        let apart: Vec<_> = apart.map(|(f, g)| a * f.data() + b * g.data()).collect();
        assert_all_close(&together, &apart, 1e-11 * size);
    }

    #[test]
    fn the_order_of_the_inputs_changes_nothing(function in Function::any(), point in point()) {
        let xs = leaves(&point);
        let y = function.of(&xs);
        let reversed: Vec<_> = xs.iter().rev().cloned().collect();
        let reversed_point: Vec<_> = point.iter().rev().copied().collect();
        prop_assume!(y.data().is_finite());

        let mut gradient = each(&y.gradient(&reversed), Value::data);
        gradient.reverse();
        prop_assert_eq!(bits(&gradient), bits(&each(&y.gradient(&xs), Value::data)));
        let (value, mut gradient) = Tape::record(&reversed, &y).gradient(&reversed_point);
        gradient.reverse();
        let straight = Tape::record(&xs, &y).gradient(&point);
        prop_assert_eq!(value.to_bits(), straight.0.to_bits());
        prop_assert_eq!(bits(&gradient), bits(&straight.1));
    }

    #[test]
    fn names_and_the_order_in_which_nodes_are_made_change_nothing(
        function in Function::any(),
        point in point(),
    ) {
        let xs = leaves(&point);
        let nodes = function.nodes(&xs);
        let y = nodes.last().unwrap();
        y.backward();
        let gradient = each(&xs, Value::grad);
        let size = size(&nodes);
        prop_assume!(largest(&nodes) < LARGEST && size < 1e100);

        let named: Vec<_> = leaves(&point).into_iter().map(|x| x.with_name("x")).collect();
        let mirrored = function.of_mirrored(&named).with_name("y");
        mirrored.backward();
        prop_assert_eq!(mirrored.data().to_bits(), y.data().to_bits());
        assert_all_close(&each(&named, Value::grad), &gradient, 1e-12 * size);
        assert_all_close(&each(&mirrored.gradient(&named), Value::data), &gradient, 1e-12 * size);
        let (value, by_tape) = Tape::record(&named, &mirrored).gradient(&point);
        prop_assert_eq!(value.to_bits(), y.data().to_bits());
        assert_all_close(&by_tape, &gradient, 1e-12 * size);
    }

    #[test]
    fn a_tape_reports_the_anomaly_that_the_engine_finds(
        function in Function::any(),
        point in [wild(), wild(), wild()],
    ) {
        let xs = leaves(&point);
        let y = function.of(&xs);
        let tape = Tape::record(&xs, &y);
        y.backward();
        let by_engine = y.find_anomaly().map(|anomaly| anomaly.to_string());
        let by_tape = tape.find_anomaly(&[point]).map(|anomaly| anomaly.to_string());
        prop_assert!(y.data().is_finite() || by_engine.is_some());
        prop_assert_eq!(by_tape, by_engine.map(|report| format!("row 0, {report}")));
    }

    #[test]
    fn second_derivatives_are_symmetric_and_agree_with_hyper_dual_numbers(
        function in Function::any(),
        point in point(),
        vector in point(),
    ) {
        let xs = leaves(&point);
        let nodes = function.nodes(&xs);
        let y = nodes.last().unwrap();
        prop_assume!(largest(&nodes) < LARGEST);
        let rows: Vec<_> = hessian(y, &xs).iter().map(|row| each(row, Value::data)).collect();
        y.backward();
        // A second derivative is a sum of products of three intermediate numbers.
        let size = size(&nodes).powi(2).max(1.0) * largest(&nodes);
        prop_assume!(size < 1e12);

        for i in 0..INPUTS {
            for j in 0..INPUTS {
                let mut duals = point.map(HyperDual64::from_re);
                duals[i] = duals[i].derivative1();
                duals[j] = duals[j].derivative2();
                let expected = function.of(&duals).eps1eps2;
                assert_all_close(&[rows[i][j], rows[j][i]], &[expected; 2], 1e-10 * size);
            }
        }
        let product = each(&hessian_vector_product(y, &xs, &vector), Value::data);
        let expected = rows.iter().map(|row| iter::zip(row, vector).map(|(h, v)| h * v).sum());
        assert_all_close(&product, &expected.collect::<Vec<f64>>(), 1e-10 * size);

        let (_, by_tape) = VectorTape::record(&xs, &y.gradient(&xs)).jacobian(&point);
        assert_all_close(&by_tape.concat(), &rows.concat(), 1e-10 * size);
    }
}

fn largest(nodes: &[Value]) -> f64 {
    nodes
        .iter()
        .map(|node| node.data().abs())
        .fold(1.0, f64::max)
}
