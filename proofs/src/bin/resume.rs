//! Trains a small net from one epoch to another, for the tests in `checkpoints.rs`.
//!
//! `resume SETTING eager|tape FROM TO PATH` resumes from the checkpoint at PATH, unless FROM is 0.
//! It then saves a checkpoint there and prints the bits of all parameters.

use std::env;

use micrograd::checkpoint;
use micrograd::data::{batches, make_moons};
use micrograd::engine::Value;
use micrograd::nn::{Activation, MLP, Module};
use micrograd::tape::Tape;

#[path = "../../../tests/common/optimizers.rs"]
mod optimizers;

const SEED: u64 = 7;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [setting, mode, from, to, path] = &arguments[..] else {
        panic!("usage: resume SETTING eager|tape FROM TO PATH");
    };
    let mut rng = micrograd::rng(SEED);
    let rows = make_moons(20, 0.1, &mut rng);
    let layers = [(3, Activation::Tanh), (1, Activation::Tanh)];
    let model = MLP::with_activations(2, &layers, &mut rng);
    let mut optim = optimizers::optimizer(setting, model.parameters());
    if from != "0" {
        let note = checkpoint::load(path, &model, &mut *optim).unwrap();
        assert_eq!(note, *from);
    }

    let row = [0.0; 3].map(Value::new);
    let tape = Tape::record(&row, &loss(&model, &row));
    for epoch in from.parse().unwrap()..to.parse().unwrap() {
        for batch in batches(&rows, 5, &mut micrograd::epoch_rng(SEED, epoch)) {
            optim.zero_grad();
            if mode == "tape" {
                tape.backward(&batch);
            } else {
                let losses = batch.iter().map(|row| loss(&model, &row.map(Value::new)));
                losses.sum::<Value>().backward();
            }
            optim.step();
        }
    }
    checkpoint::save(path, &model, &*optim, to).unwrap();
    for number in model.numbers() {
        println!("{:016x}", number.to_bits());
    }
}

/// The loss is bounded, so that even an optimizer that maximizes it stays finite.
fn loss(model: &MLP, [x, y, label]: &[Value; 3]) -> Value {
    let score = model.forward(&[x.clone(), y.clone()]).remove(0);
    (score - label).pow(2.0)
}
