//! The nets in training.

use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};
use micrograd::optim::{Optimizer, SGD};
use micrograd::tape::Tape;

use crate::work::digits::{self, CLASSES, Digits, PIXELS};
use crate::work::moons::{self, Moons, PENALTY};
use crate::work::{STEPS, Task};

/// Trains the net on the moons, its graph built anew in every step.
pub fn moons() -> impl FnMut() -> Vec<f64> {
    let moons = Moons::full();
    let net = net(&moons);
    let parameters = net.parameters();
    training(moons, net.parameters(), move |rows| {
        let hinge = |row: &moons::Row| hinge(&net, &row.map(Value::new));
        let hinges: Value = rows.iter().map(hinge).sum();
        backward(&(hinges / rows.len() as f64 + penalty(&parameters)))
    })
}

/// Trains the net on the moons, the loss of one row recorded once.
pub fn moons_on_tape() -> impl FnMut() -> Vec<f64> {
    let moons = Moons::full();
    let (tape, parameters) = record_moons(&moons);
    training(moons, parameters, move |rows| tape.backward(rows))
}

/// A tape of the loss of one row of the moons, and the parameters it reads.
pub fn record_moons(moons: &Moons) -> (Tape, Vec<Value>) {
    let net = net(moons);
    let parameters = net.parameters();
    let tape = Tape::trace(|row| hinge(&net, &row) + penalty(&parameters));
    (tape, parameters)
}

/// A row of the moons, and the function that builds the graph of its loss.
pub fn moons_loss_of_a_row() -> (moons::Row, impl Fn(&[Value; 3]) -> Value + Clone) {
    let moons = Moons::full();
    let net = net(&moons);
    let parameters = net.parameters();
    let loss = move |row: &[Value; 3]| hinge(&net, row) + penalty(&parameters);
    (moons.rows[0], loss)
}

/// Trains the net on the digits, its graph built anew in every step.
pub fn digits() -> impl FnMut() -> Vec<f64> {
    let digits = Digits::full();
    let net = net(&digits);
    training(digits, net.parameters(), move |rows| {
        let loss = |row: &digits::Row| cross_entropy(&net, &row.map(Value::new));
        let losses: Value = rows.iter().map(loss).sum();
        backward(&(losses / rows.len() as f64))
    })
}

/// Trains the net on the digits, the loss of one row recorded once.
pub fn digits_on_tape() -> impl FnMut() -> Vec<f64> {
    let digits = Digits::full();
    let net = net(&digits);
    let tape = Tape::trace(|row: [Value; PIXELS + CLASSES]| cross_entropy(&net, &row));
    training(digits, net.parameters(), move |rows| tape.backward(rows))
}

/// Episodes of SGD by a function that adds the gradient of the loss to the parameters.
fn training<const NUMBERS: usize>(
    task: Task<NUMBERS>,
    parameters: Vec<Value>,
    backward: impl Fn(&[[f64; NUMBERS]]) -> f64,
) -> impl FnMut() -> Vec<f64> {
    let mut optimizer = SGD::new(parameters.clone(), task.learning_rate);
    move || {
        set(&parameters, &task.initial);
        let mut step = || {
            optimizer.zero_grad();
            let loss = backward(&task.rows);
            optimizer.step();
            loss
        };
        let mut outcome: Vec<f64> = (0..STEPS).map(|_| step()).collect();
        outcome.extend(parameters.iter().map(Value::data));
        outcome
    }
}

fn backward(loss: &Value) -> f64 {
    loss.backward();
    loss.data()
}

/// The net of a task, with its initial parameters.
pub(super) fn net<const NUMBERS: usize>(task: &Task<NUMBERS>) -> MLP {
    let net = MLP::new(task.inputs, task.layers, &mut micrograd::rng(0));
    set(&net.parameters(), &task.initial);
    net
}

fn set(parameters: &[Value], numbers: &[f64]) {
    for (parameter, &number) in parameters.iter().zip(numbers) {
        parameter.set_data(number);
    }
}

fn hinge(net: &MLP, [x, y, label]: &[Value; 3]) -> Value {
    let score = &net.forward(&[x.clone(), y.clone()])[0];
    (1.0 - label * score).relu()
}

fn penalty(parameters: &[Value]) -> Value {
    PENALTY * Value::dot(parameters, parameters)
}

/// By the logarithm of a sum of exponentials, less the greatest score, so that none overflows.
fn cross_entropy(net: &MLP, row: &[Value]) -> Value {
    let (pixels, targets) = row.split_at(PIXELS);
    let scores = net.forward(pixels);
    let greatest = scores[1..]
        .iter()
        .fold(scores[0].clone(), |greatest, score| greatest.max(score));
    let powers: Value = scores.iter().map(|score| (score - &greatest).exp()).sum();
    greatest + powers.ln() - Value::dot(targets, &scores)
}
