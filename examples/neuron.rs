//! One neuron as a tree, before and after the backward pass.

use micrograd::engine::Value;
use micrograd::nn::{Activation, Neuron};

fn main() {
    let mut rng = micrograd::rng(3);
    let neuron = Neuron::new(2, Activation::ReLU, &mut rng).with_names();
    let inputs = [
        Value::new(-2.0).with_name("input 0"),
        Value::new(1.0).with_name("input 1"),
    ];
    let out = neuron.forward(&inputs);

    println!("Forward pass:\n{}\n", out.tree());
    out.backward();
    println!("Backward pass:\n{}", out.tree());
}
