//! rustygrad: one `Rc<RefCell<_>>` per value, walked recursively.

use std::hint::black_box;

use rustygrad::{MLP, Value};

use crate::work::moons::{INPUTS, LAYERS, LEARNING_RATE, PENALTY, Row};
use crate::work::{
    CHAIN_FACTOR, CHAIN_START, CHAIN_TERM, Moons, README_INPUTS, Trainer, neurons_by_layer,
};

/// The README's program: g, then its gradient by a and by b.
pub fn readme_program() -> [f64; 3] {
    let [a, b] = black_box(README_INPUTS).map(Value::from);

    let mut c = &a + &b;
    let mut d = &a * &b + b.pow(3.0);
    c += &c + 1.0;
    c += 1.0 + &c + (-&a);
    d += &d * 2.0 + (&b + &a).relu();
    d += 3.0 * &d + (&b - &a).relu();
    let e = &c - &d;
    let f = e.pow(2.0);
    let mut g = &f / 2.0;
    g += 10.0 / &f;

    g.backward();
    [g.borrow().data, a.borrow().grad, b.borrow().grad]
}

/// A chain of `length` operations: its end, then the slope of that by its start.
///
/// The stack must have room for a recursion of that depth.
pub fn chain(length: usize) -> [f64; 2] {
    let start = Value::from(black_box(CHAIN_START));
    let mut x = start.clone();
    for index in 0..length {
        x = if index % 2 == 0 {
            x * CHAIN_FACTOR
        } else {
            x + CHAIN_TERM
        };
    }
    x.backward();
    [x.borrow().data, start.borrow().grad]
}

/// The network on the moons.
#[derive(Debug)]
pub struct Network {
    moons: Moons,
    model: MLP,
    parameters: Vec<Value>,
}

impl Network {
    /// A network with the task's initial parameters.
    pub fn new(moons: Moons) -> Self {
        // INPUTS and HIDDEN, in rustygrad's type.
        let model = MLP::new(2, vec![16, 16, 1]);
        let parameters = in_micrograd_order(&model.parameters());
        let mut trainer = Self {
            moons,
            model,
            parameters,
        };
        trainer.restart();
        trainer
    }

    fn hinge(&self, &[x, y, label]: &Row) -> Value {
        let score = &self.model.forward(vec![Value::from(x), Value::from(y)])[0];
        (1.0 + -label * score).relu()
    }

    fn loss(&self) -> Value {
        let rows = &self.moons.rows;
        let hinges: Value = rows.iter().map(|row| self.hinge(row)).sum();
        let squares: Value = self.parameters.iter().map(|p| p * p).sum();
        hinges / rows.len() as f64 + PENALTY * squares
    }
}

/// rustygrad lists the bias of a neuron before its weights.
fn in_micrograd_order(parameters: &[Value]) -> Vec<Value> {
    let mut ordered = parameters.to_vec();
    let mut rest = ordered.as_mut_slice();
    for length in neurons_by_layer(parameters, INPUTS, LAYERS)
        .into_iter()
        .flatten()
        .map(<[Value]>::len)
    {
        let (neuron, others) = rest.split_at_mut(length);
        neuron.rotate_left(1);
        rest = others;
    }
    ordered
}

impl Trainer for Network {
    fn restart(&mut self) {
        for (parameter, &initial) in self.parameters.iter().zip(&self.moons.initial) {
            parameter.borrow_mut().data = initial;
        }
    }

    fn step(&mut self) -> f64 {
        let loss = self.loss();
        self.model.zero_grad();
        loss.backward();
        for parameter in &self.parameters {
            let mut parameter = parameter.borrow_mut();
            parameter.data -= LEARNING_RATE * parameter.grad;
        }
        loss.borrow().data
    }

    fn parameters(&self) -> Vec<f64> {
        self.parameters.iter().map(|p| p.borrow().data).collect()
    }
}
