//! The work that every engine does.

pub(crate) mod digits;
pub(crate) mod moons;

use std::ops::{Add, Mul};
use std::slice::ChunksExact;

use micrograd::nn::{MLP, Module};
use micrograd::rand::Rng;

/// The values of `a` and `b` in the README's program.
pub const README_INPUTS: [f64; 2] = [-4.0, 2.0];
/// The start of a chain.
pub const CHAIN_START: f64 = 1.0;
/// The factor in the first operation of a chain and every second one after it.
pub(crate) const CHAIN_FACTOR: f64 = 1.000_001;
const CHAIN_TERM: f64 = 1e-6;

/// Training steps in one episode.
pub(crate) const STEPS: usize = 20;

/// The end of a chain of `length` operations, each on the result of the one before.
pub(crate) fn links<X>(start: X, length: usize) -> X
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

/// A training task: the full batch, and a net with its initial parameters.
#[derive(Debug)]
pub(crate) struct Task<const NUMBERS: usize> {
    pub(crate) rows: Vec<[f64; NUMBERS]>,
    pub(crate) net: MLP,
    /// Layer by layer and neuron by neuron, the weights of each before its bias.
    pub(crate) initial: Vec<f64>,
    pub(crate) learning_rate: f64,
}

impl<const NUMBERS: usize> Task<NUMBERS> {
    fn new(
        rows: Vec<[f64; NUMBERS]>,
        inputs: usize,
        layers: &[usize],
        learning_rate: f64,
        mut rng: impl Rng,
    ) -> Self {
        let net = MLP::new(inputs, layers, &mut rng);
        Self {
            rows,
            initial: net.numbers(),
            net,
            learning_rate,
        }
    }
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

/// Episodes of SGD on plain numbers, with a function that returns the loss and its gradient.
///
/// Like every training here, an episode returns the loss of each step, then the final parameters.
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
