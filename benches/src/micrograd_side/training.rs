//! The nets in training.

use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};
use micrograd::optim::{Optimizer, SGD};
use micrograd::tape::Tape;

use crate::work::digits::{self, CLASSES, PIXELS};
use crate::work::moons::{self, PENALTY};
use crate::work::{Digits, Moons, Task, Trainer};

/// A net in training by whatever adds the gradient of the loss to its parameters.
struct Training<B, const NUMBERS: usize> {
    task: Task<NUMBERS>,
    parameters: Vec<Value>,
    optimizer: SGD,
    backward: B,
}

/// The net on the moons, its graph built anew in every step.
pub fn moons(moons: Moons) -> impl Trainer {
    let net = net(&moons);
    let parameters = net.parameters();
    Training::new(moons, &net.clone(), move |rows| {
        backward(&moons_loss(&net, &parameters, rows))
    })
}

/// The net on the moons, the loss of one row recorded once.
pub fn moons_on_tape(moons: Moons) -> impl Trainer {
    let MoonsTape { net, tape } = MoonsTape::new(&moons);
    Training::new(moons, &net, move |rows| tape.backward(rows))
}

/// The net on the digits, its graph built anew in every step.
pub fn digits(digits: Digits) -> impl Trainer {
    let net = net(&digits);
    Training::new(digits, &net.clone(), move |rows| {
        backward(&digits_loss(&net, rows))
    })
}

/// The net on the digits, the loss of one row recorded once.
pub fn digits_on_tape(digits: Digits) -> impl Trainer {
    let net = net(&digits);
    let tape = record(|row| cross_entropy(&net, row));
    Training::new(digits, &net, move |rows| tape.backward(rows))
}

/// The net on the moons with its initial parameters, the loss of one row recorded.
#[derive(Debug)]
pub struct MoonsTape {
    net: MLP,
    tape: Tape,
}

impl MoonsTape {
    /// Records that loss.
    pub fn new(moons: &Moons) -> Self {
        let net = net(moons);
        let parameters = net.parameters();
        let tape = record(|row| hinge_and_penalty(&net, &parameters, row));
        Self { net, tape }
    }

    /// The mean loss; its gradient is added to the parameters.
    pub fn backward(&self, rows: &[moons::Row]) -> f64 {
        self.tape.backward(rows)
    }

    /// The gradient by each parameter.
    pub fn gradient(&self) -> Vec<f64> {
        self.net.parameters().iter().map(Value::grad).collect()
    }
}

/// The net of a task, with its initial parameters.
pub(super) fn net<const NUMBERS: usize>(task: &Task<NUMBERS>) -> MLP {
    // What is drawn here is replaced.
    let mut rng = micrograd::rng(0);
    let net = MLP::new(task.inputs, task.layers, &mut rng);
    set(&net.parameters(), &task.initial);
    net
}

fn set(parameters: &[Value], numbers: &[f64]) {
    for (parameter, &number) in parameters.iter().zip(numbers) {
        parameter.set_data(number);
    }
}

fn record<const NUMBERS: usize>(loss: impl FnOnce(&[Value; NUMBERS]) -> Value) -> Tape {
    let row = [0.0; NUMBERS].map(Value::new);
    Tape::record(&row, &loss(&row))
}

fn backward(loss: &Value) -> f64 {
    loss.backward();
    loss.data()
}

fn moons_loss(net: &MLP, parameters: &[Value], rows: &[moons::Row]) -> Value {
    let hinges: Value = rows
        .iter()
        .map(|row| hinge(net, &row.map(Value::new)))
        .sum();
    hinges / rows.len() as f64 + penalty(parameters)
}

pub(super) fn hinge_and_penalty(net: &MLP, parameters: &[Value], row: &[Value; 3]) -> Value {
    hinge(net, row) + penalty(parameters)
}

fn hinge(net: &MLP, [x, y, label]: &[Value; 3]) -> Value {
    let score = &net.forward(&[x.clone(), y.clone()])[0];
    (1.0 - label * score).relu()
}

fn penalty(parameters: &[Value]) -> Value {
    PENALTY * Value::dot(parameters, parameters)
}

fn digits_loss(net: &MLP, rows: &[digits::Row]) -> Value {
    let losses: Value = rows
        .iter()
        .map(|row| cross_entropy(net, &row.map(Value::new)))
        .sum();
    losses / rows.len() as f64
}

/// By the logarithm of the sum of exponentials. The greatest score is taken out of it,
/// so that none of them overflows.
fn cross_entropy(net: &MLP, row: &[Value; PIXELS + CLASSES]) -> Value {
    let (pixels, targets) = row.split_at(PIXELS);
    let scores = net.forward(pixels);
    let greatest = scores[1..]
        .iter()
        .fold(scores[0].clone(), |greatest, score| greatest.max(score));
    let powers: Value = scores.iter().map(|score| (score - &greatest).exp()).sum();
    greatest + powers.ln() - Value::dot(targets, &scores)
}

impl<B: Fn(&[[f64; NUMBERS]]) -> f64, const NUMBERS: usize> Training<B, NUMBERS> {
    fn new(task: Task<NUMBERS>, net: &MLP, backward: B) -> Self {
        let optimizer = SGD::new(net.parameters(), task.learning_rate);
        Self {
            task,
            parameters: net.parameters(),
            optimizer,
            backward,
        }
    }
}

impl<B: Fn(&[[f64; NUMBERS]]) -> f64, const NUMBERS: usize> Trainer for Training<B, NUMBERS> {
    fn restart(&mut self) {
        set(&self.parameters, &self.task.initial);
    }

    fn step(&mut self) -> f64 {
        self.optimizer.zero_grad();
        let loss = (self.backward)(&self.task.rows);
        self.optimizer.step();
        loss
    }

    fn parameters(&self) -> Vec<f64> {
        self.parameters.iter().map(Value::data).collect()
    }
}
