//! The work that every engine does.

pub mod digits;
pub mod moons;

use std::ops::{Add, Mul};
use std::slice::ChunksExact;

use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};

pub use digits::Digits;
pub use moons::Moons;

/// The values of `a` and `b` in the README's program.
pub const README_INPUTS: [f64; 2] = [-4.0, 2.0];
/// The rows that program runs on in one batch.
pub const README_ROWS: usize = 1_000;

/// The start of a chain.
pub const CHAIN_START: f64 = 1.0;
/// The factor in the first operation of a chain and every other one.
pub const CHAIN_FACTOR: f64 = 1.000_001;
const CHAIN_TERM: f64 = 1e-6;

/// Training steps in one episode.
pub const STEPS: usize = 20;

/// The numbers that the rows of a batch add to `a` and `b`: points of a small circle.
pub fn readme_rows() -> Vec<[f64; 2]> {
    let point = |(sin, cos)| [0.25 * cos, 0.25 * sin];
    (0..README_ROWS)
        .map(|row| point((row as f64).sin_cos()))
        .collect()
}

/// The end of a chain of `length` operations, each on the result of the one before.
pub fn links<X>(start: X, length: usize) -> X
where
    X: Mul<f64, Output = X> + Add<f64, Output = X>,
{
    let mut x = start;
    for index in 0..length {
        x = if index % 2 == 0 {
            x * CHAIN_FACTOR
        } else {
            x + CHAIN_TERM
        };
    }
    x
}

/// A training: its rows, its net, and the parameters it starts from.
#[derive(Debug)]
pub struct Task<const NUMBERS: usize> {
    /// The full batch.
    pub rows: Vec<[f64; NUMBERS]>,
    /// Layer by layer and neuron by neuron: its weights, then its bias.
    pub initial: Vec<f64>,
    /// The inputs of the net.
    pub inputs: usize,
    /// The neurons in each layer.
    pub layers: &'static [usize],
    /// The rate of SGD.
    pub learning_rate: f64,
}

/// The parameters of a new net, in micrograd's order.
fn draw_parameters(net: &MLP) -> Vec<f64> {
    net.parameters().iter().map(Value::data).collect()
}

/// Splits parameters in micrograd's order into the neurons of each layer.
pub(crate) fn neurons_by_layer<P, const LAYERS: usize>(
    mut parameters: &[P],
    mut inputs: usize,
    layers: [usize; LAYERS],
) -> [ChunksExact<'_, P>; LAYERS] {
    layers.map(|outputs| {
        let (layer, rest) = parameters.split_at(outputs * (inputs + 1));
        let neurons = layer.chunks_exact(inputs + 1);
        (parameters, inputs) = (rest, outputs);
        neurons
    })
}

/// Episodes of SGD over plain numbers, by a function that returns the loss and its gradient.
///
/// As all trainings do, an episode returns the loss of each step, then the parameters reached.
pub(crate) fn descent<const NUMBERS: usize>(
    task: Task<NUMBERS>,
    mut loss_and_gradient: impl FnMut(&[f64], &[[f64; NUMBERS]]) -> (f64, Vec<f64>),
) -> impl FnMut() -> Vec<f64> {
    move || {
        let mut parameters = task.initial.clone();
        let mut step = || {
            let (loss, gradient) = loss_and_gradient(&parameters, &task.rows);
            for (parameter, slope) in parameters.iter_mut().zip(gradient) {
                *parameter -= task.learning_rate * slope;
            }
            loss
        };
        let losses: Vec<f64> = (0..STEPS).map(|_| step()).collect();
        [losses, parameters].concat()
    }
}
