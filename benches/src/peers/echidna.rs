//! echidna: functions over any kind of number, run on a tape of local derivatives
//! ("tape") or recorded once and evaluated at new inputs ("bytecode replay").

use std::hint::black_box;

use echidna::{BytecodeTape, Reverse64, Scalar, record, vjp};

use crate::work::moons::{INPUTS, LAYERS, PENALTY, Row};
use crate::work::{
    CHAIN_FACTOR, CHAIN_START, CHAIN_TERM, Descent, Moons, README_INPUTS, Trainer, neurons_by_layer,
};

/// The README's program on the tape: g, then its gradient by a and by b.
pub fn readme_program_on_tape() -> [f64; 3] {
    let (g, gradient) = on_tape(program, &black_box(README_INPUTS));
    [g, gradient[0], gradient[1]]
}

/// The README's program, replayed: g, then its gradient by a and by b.
pub fn readme_program_replayed() -> impl FnMut() -> [f64; 3] {
    let mut run = replay(record(program, &README_INPUTS));
    move || {
        let (g, gradient) = run(&black_box(README_INPUTS));
        [g, gradient[0], gradient[1]]
    }
}

/// A chain of `length` operations on the tape: its end, then the slope of that by
/// its start.
pub fn chain_on_tape(length: usize) -> [f64; 2] {
    let (end, gradient) = on_tape(|x| links(x[0], length), &[black_box(CHAIN_START)]);
    [end, gradient[0]]
}

/// A chain of `length` operations, replayed: its end, then the slope of that by its
/// start.
pub fn chain_replayed(length: usize) -> impl FnMut() -> [f64; 2] {
    let mut run = replay(record(|x| links(x[0], length), &[CHAIN_START]));
    move || {
        let (end, gradient) = run(&[black_box(CHAIN_START)]);
        [end, gradient[0]]
    }
}

/// The network on the moons, its loss put on the tape anew in every step.
pub fn network_on_tape(moons: Moons) -> impl Trainer {
    Descent::new(moons, |parameters, rows| {
        on_tape(|parameters| loss(parameters, rows), parameters)
    })
}

/// The network on the moons, the loss of the batch recorded once.
pub fn network_replayed(moons: Moons) -> impl Trainer {
    let recorded = record(|parameters| loss(parameters, &moons.rows), &moons.initial);
    let mut run = replay(recorded);
    Descent::new(moons, move |parameters, _| run(parameters))
}

/// The value and the gradient of `function` at `inputs`.
fn on_tape(function: impl FnOnce(&[Reverse64]) -> Reverse64, inputs: &[f64]) -> (f64, Vec<f64>) {
    let (values, gradient) = vjp(|inputs| vec![function(inputs)], inputs, &[1.0]);
    (values[0], gradient)
}

/// What computes the value and the gradient of the recorded function at any inputs.
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

fn links<T: Scalar<Float = f64>>(start: T, length: usize) -> T {
    (0..length).fold(start, |x, index| {
        if index % 2 == 0 {
            x * T::from_f(CHAIN_FACTOR)
        } else {
            x + T::from_f(CHAIN_TERM)
        }
    })
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

/// The zero comes first: at a tie echidna's gradient goes to the first of the two,
/// and the slope of relu at 0 is to be 0.
fn relu<T: Scalar<Float = f64>>(x: T) -> T {
    T::zero().max(x)
}
