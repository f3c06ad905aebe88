//! echidna: functions generic over the number type, run on a tape of local derivatives
//! ("tape") or recorded once and evaluated at new inputs ("bytecode replay").

use std::hint::black_box;

use echidna::{BytecodeTape, Reverse64, Scalar, record, vjp};

use crate::work::moons::{self, INPUTS, LAYERS, PENALTY, ROWS, Row};
use crate::work::{self, CHAIN_START, README_INPUTS, neurons_by_layer};

pub(crate) fn readme_program_on_tape() -> (f64, Vec<f64>) {
    on_tape(program, &black_box(README_INPUTS))
}

pub(crate) fn readme_program_replayed() -> impl FnMut() -> (f64, Vec<f64>) {
    let mut run = replay(record(program, &README_INPUTS));
    move || run(&black_box(README_INPUTS))
}

pub(crate) fn chain_on_tape(length: usize) -> (f64, Vec<f64>) {
    on_tape(|x| work::links(x[0], length), &[black_box(CHAIN_START)])
}

pub(crate) fn chain_replayed(length: usize) -> impl FnMut() -> (f64, Vec<f64>) {
    let mut run = replay(record(|x| work::links(x[0], length), &[CHAIN_START]));
    move || run(&[black_box(CHAIN_START)])
}

/// The loss is put on a new tape in every step.
pub(crate) fn moons_on_tape() -> impl FnMut() -> Vec<f64> {
    work::descent(moons::task(ROWS), |parameters, rows| {
        on_tape(|parameters| loss(parameters, rows), parameters)
    })
}

/// The loss of the batch is recorded once.
pub(crate) fn moons_replayed() -> impl FnMut() -> Vec<f64> {
    let moons = moons::task(ROWS);
    let recorded = record(|parameters| loss(parameters, &moons.rows), &moons.initial);
    let mut run = replay(recorded);
    work::descent(moons, move |parameters, _| run(parameters))
}

/// The value and the gradient of `function` at `inputs`.
fn on_tape(function: impl FnOnce(&[Reverse64]) -> Reverse64, inputs: &[f64]) -> (f64, Vec<f64>) {
    let (values, gradient) = vjp(|inputs| vec![function(inputs)], inputs, &[1.0]);
    (values[0], gradient)
}

/// Computes the value and the gradient of the recorded function at any inputs.
fn replay((mut tape, _): (BytecodeTape<f64>, f64)) -> impl FnMut(&[f64]) -> (f64, Vec<f64>) {
    let mut adjoints = Vec::new();
    move |inputs| {
        let gradient = tape.gradient_with_buf(inputs, &mut adjoints);
        (tape.output_value(), gradient)
    }
}

fn program<T: Scalar<Float = f64>>(inputs: &[T]) -> T {
    let [a, b] = [inputs[0], inputs[1]];
    let number = T::from_f;

    let mut c = a + b;
    let mut d = a * b + b.powi(3);
    c = c + (c + number(1.0));
    c = c + (number(1.0) + c + (-a));
    d = d + (d * number(2.0) + relu(b + a));
    d = d + (number(3.0) * d + relu(b - a));
    let e = c - d;
    let f = e.powi(2);
    f / number(2.0) + number(10.0) / f
}

fn loss<T: Scalar<Float = f64>>(parameters: &[T], rows: &[Row]) -> T {
    let hinges = rows.iter().map(|row| hinge(parameters, row));
    let squares = parameters.iter().map(|&p| p * p);
    sum(hinges) / T::from_f(rows.len() as f64) + T::from_f(PENALTY) * sum(squares)
}

fn hinge<T: Scalar<Float = f64>>(parameters: &[T], row: &Row) -> T {
    let [x, y, label] = row.map(T::from_f);
    let [first, second, third] = neurons_by_layer(parameters, INPUTS, LAYERS);
    let hidden: Vec<T> = first.map(|n| relu(weighted_sum(n, &[x, y]))).collect();
    let hidden: Vec<T> = second.map(|n| relu(weighted_sum(n, &hidden))).collect();
    let score = sum(third.map(|n| weighted_sum(n, &hidden)));
    relu(T::one() - label * score)
}

fn weighted_sum<T: Scalar<Float = f64>>(neuron: &[T], inputs: &[T]) -> T {
    let (&bias, weights) = neuron.split_last().expect("a neuron has a bias");
    bias + sum(weights.iter().zip(inputs).map(|(&w, &x)| w * x))
}

fn sum<T: Scalar<Float = f64>>(terms: impl Iterator<Item = T>) -> T {
    terms.reduce(|sum, term| sum + term).unwrap_or(T::zero())
}

/// The zero comes first, because at a tie echidna's gradient goes to the first argument, and the
/// slope of relu at 0 must be 0.
fn relu<T: Scalar<Float = f64>>(x: T) -> T {
    T::zero().max(x)
}
