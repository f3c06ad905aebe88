//! reverse: a tape of local derivatives, behind a `RefCell`.

use std::hint::black_box;
use std::ops::Mul;

use reverse::{Gradient, Tape, Var};

use crate::work::moons::{self, INPUTS, LAYERS, PENALTY, ROWS, Row};
use crate::work::{self, CHAIN_START, README_INPUTS, neurons_by_layer};

pub(crate) fn readme_program() -> [f64; 3] {
    let tape = Tape::new();
    let [a, b] = black_box(README_INPUTS).map(|input| tape.add_var(input));

    let mut c = a + b;
    let mut d = a * b + b.powi(3);
    c = c + (c + 1.0);
    c = c + (1.0 + c + (-a));
    d = d + (d * 2.0 + relu(b + a));
    d = d + (3.0 * d + relu(b - a));
    let e = c - d;
    let f = e.powi(2);
    // reverse gives `10.0 / f` the derivative -1 / f instead of -10 / f².
    let g = f / 2.0 + 10.0 * f.recip();

    let gradient = g.grad();
    [g.val(), gradient.wrt(&a), gradient.wrt(&b)]
}

pub(crate) fn chain(length: usize) -> [f64; 2] {
    let tape = Tape::new();
    let start = tape.add_var(black_box(CHAIN_START));
    let end = work::links(start, length);
    [end.val(), end.grad().wrt(&start)]
}

/// The tape keeps its memory from step to step.
pub(crate) fn moons() -> impl FnMut() -> Vec<f64> {
    let tape = Tape::new();
    work::descent(moons::task(ROWS), move |parameters, rows| {
        tape.clear();
        let parameters = tape.add_vars(parameters);
        let loss = loss(&parameters, rows);
        (loss.val(), loss.grad().wrt(&parameters))
    })
}

fn loss<'tape>(parameters: &[Var<'tape>], rows: &[Row]) -> Var<'tape> {
    let hinges: Var = rows.iter().map(|row| hinge(parameters, row)).sum();
    let squares: Var = parameters.iter().map(|&p| p * p).sum();
    hinges / rows.len() as f64 + PENALTY * squares
}

fn hinge<'tape>(parameters: &[Var<'tape>], &[x, y, label]: &Row) -> Var<'tape> {
    let [first, second, third] = neurons_by_layer(parameters, INPUTS, LAYERS);
    let hidden: Vec<_> = first.map(|n| relu(weighted_sum(n, &[x, y]))).collect();
    let hidden: Vec<_> = second.map(|n| relu(weighted_sum(n, &hidden))).collect();
    let score: Var = third.map(|n| weighted_sum(n, &hidden)).sum();
    relu(1.0 - label * score)
}

fn weighted_sum<'tape, X: Copy>(neuron: &[Var<'tape>], inputs: &[X]) -> Var<'tape>
where
    Var<'tape>: Mul<X, Output = Var<'tape>>,
{
    let (&bias, weights) = neuron.split_last().expect("a neuron has a bias");
    let products = weights.iter().zip(inputs).map(|(&w, &x)| w * x);
    products.fold(bias, |sum, product| sum + product)
}

/// reverse has no relu.
fn relu(x: Var) -> Var {
    if x.val() > 0.0 { x } else { x * 0.0 }
}
