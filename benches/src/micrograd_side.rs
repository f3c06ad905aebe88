//! The work as a user of micrograd writes it.

use std::hint::black_box;

use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};
use micrograd::optim::{Optimizer, SGD};
use micrograd::rand::SeedableRng;
use micrograd::rand::rngs::Xoshiro256PlusPlus;

use crate::work::{
    CHAIN_FACTOR, CHAIN_START, CHAIN_TERM, HIDDEN, INPUTS, LEARNING_RATE, Moons, PENALTY,
    README_INPUTS, Row, Trainer,
};

/// The README's program: g, then its gradient by a and by b.
pub fn readme_program() -> [f64; 3] {
    let [a, b] = black_box(README_INPUTS);
    let a = Value::new(a).with_name("a");
    let b = Value::new(b).with_name("b");

    let mut c = (&a + &b).with_name("c");
    let mut d = (&a * &b + &b.pow(3.0)).with_name("c");
    c += &c + 1.0;
    c += 1.0 + &c + (-&a);
    d += &d * 2.0 + (&b + &a).relu();
    d += 3.0 * &d + (&b - &a).relu();
    let e = (&c - &d).with_name("e");
    let f = e.pow(2.0).with_name("f");
    let mut g = (&f / 2.0).with_name("g");
    g += 10.0 / &f;

    g.backward();
    [g.data(), a.grad(), b.grad()]
}

/// A chain of `length` operations: its end, then the slope of that by its start.
pub fn chain(length: usize) -> [f64; 2] {
    let start = Value::new(black_box(CHAIN_START));
    let mut x = start.clone();
    for index in 0..length {
        x = if index % 2 == 0 {
            x * CHAIN_FACTOR
        } else {
            x + CHAIN_TERM
        };
    }
    x.backward();
    [x.data(), start.grad()]
}

/// The network on the moons, its graph built anew in every step.
#[derive(Debug)]
pub struct Eager {
    moons: Moons,
    model: MLP,
    parameters: Vec<Value>,
    optimizer: SGD,
}

impl Eager {
    /// A network with the task's initial parameters.
    pub fn new(moons: Moons) -> Self {
        // `restart` replaces what is drawn here.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
        let model = MLP::new(INPUTS, &[HIDDEN, HIDDEN, 1], &mut rng);
        let parameters = model.parameters();
        let optimizer = SGD::new(model.parameters(), LEARNING_RATE);
        let mut trainer = Self {
            moons,
            model,
            parameters,
            optimizer,
        };
        trainer.restart();
        trainer
    }

    fn hinge(&self, &[x, y, label]: &Row) -> Value {
        let score = &self.model.forward(&[Value::new(x), Value::new(y)])[0];
        (1.0 - label * score).relu()
    }

    fn loss(&self) -> Value {
        let rows = &self.moons.rows;
        let hinges: Value = rows.iter().map(|row| self.hinge(row)).sum();
        let squares = Value::dot(&self.parameters, &self.parameters);
        hinges / rows.len() as f64 + PENALTY * squares
    }
}

impl Trainer for Eager {
    fn restart(&mut self) {
        for (parameter, &initial) in self.parameters.iter().zip(&self.moons.initial) {
            parameter.set_data(initial);
        }
    }

    fn step(&mut self) -> f64 {
        let loss = self.loss();
        self.optimizer.zero_grad();
        loss.backward();
        self.optimizer.step();
        loss.data()
    }

    fn parameters(&self) -> Vec<f64> {
        self.parameters.iter().map(Value::data).collect()
    }
}
