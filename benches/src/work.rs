//! What every engine computes.

pub mod digits;
pub mod moons;

use std::slice::ChunksExact;

use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};
use micrograd::rand::Rng;

pub use digits::Digits;
pub use moons::Moons;

/// The values of `a` and `b` in the README's program.
pub const README_INPUTS: [f64; 2] = [-4.0, 2.0];
/// How many rows that program is run for in one batch.
pub const README_ROWS: usize = 1_000;

/// The value that a chain begins with.
pub const CHAIN_START: f64 = 1.0;
/// What every other operation of a chain multiplies by, the first one included.
pub const CHAIN_FACTOR: f64 = 1.000_001;
/// What the operations between them add.
pub const CHAIN_TERM: f64 = 1e-6;

/// Training steps in one episode.
pub const STEPS: usize = 20;

/// What the rows of that batch add to `a` and `b`: points of a circle of a quarter around
/// them.
pub fn readme_rows() -> Vec<[f64; 2]> {
    (0..README_ROWS)
        .map(|row| {
            let (sin, cos) = (row as f64).sin_cos();
            [0.25 * cos, 0.25 * sin]
        })
        .collect()
}

/// The rows and the net of a training, and the parameters that it starts from.
#[derive(Clone, Debug)]
pub struct Task<const NUMBERS: usize> {
    /// The full batch.
    pub rows: Vec<[f64; NUMBERS]>,
    /// Layer by layer and neuron by neuron: its weights, then its bias.
    pub initial: Vec<f64>,
    /// The rate of SGD.
    pub learning_rate: f64,
    pub(crate) inputs: usize,
    pub(crate) layers: &'static [usize],
}

impl<const NUMBERS: usize> Task<NUMBERS> {
    fn with_net(
        rows: Vec<[f64; NUMBERS]>,
        (inputs, layers): (usize, &'static [usize]),
        learning_rate: f64,
        rng: &mut impl Rng,
    ) -> Self {
        let net = MLP::new(inputs, layers, rng);
        let initial = net.parameters().iter().map(Value::data).collect();
        Self {
            rows,
            initial,
            learning_rate,
            inputs,
            layers,
        }
    }
}

/// Splits parameters in micrograd's order into the neurons of each layer.
///
/// # Panics
///
/// If there are fewer parameters than the layers have.
pub fn neurons_by_layer<P, const LAYERS: usize>(
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

/// A network in training, whatever engine computes its gradient.
pub trait Trainer {
    /// Puts the initial parameters back.
    fn restart(&mut self);

    /// Makes one full-batch step and returns the loss that it started from.
    fn step(&mut self) -> f64;

    /// The parameters in micrograd's order.
    fn parameters(&self) -> Vec<f64>;

    /// Trains from the initial parameters; returns each step's loss, then the
    /// parameters reached.
    fn episode(&mut self, steps: usize) -> Vec<f64> {
        self.restart();
        let mut outcome: Vec<f64> = (0..steps).map(|_| self.step()).collect();
        outcome.extend(self.parameters());
        outcome
    }
}

/// SGD over plain numbers, for an engine that is handed the parameters anew in
/// every step and returns the loss and its gradient.
#[derive(Debug)]
pub struct Descent<G, const NUMBERS: usize> {
    task: Task<NUMBERS>,
    parameters: Vec<f64>,
    loss_and_gradient: G,
}

impl<G, const NUMBERS: usize> Descent<G, NUMBERS>
where
    G: FnMut(&[f64], &[[f64; NUMBERS]]) -> (f64, Vec<f64>),
{
    /// Trains on `task` by what `loss_and_gradient` returns.
    pub fn new(task: Task<NUMBERS>, loss_and_gradient: G) -> Self {
        let parameters = task.initial.clone();
        Self {
            task,
            parameters,
            loss_and_gradient,
        }
    }
}

impl<G, const NUMBERS: usize> Trainer for Descent<G, NUMBERS>
where
    G: FnMut(&[f64], &[[f64; NUMBERS]]) -> (f64, Vec<f64>),
{
    fn restart(&mut self) {
        self.parameters.copy_from_slice(&self.task.initial);
    }

    fn step(&mut self) -> f64 {
        let (loss, gradient) = (self.loss_and_gradient)(&self.parameters, &self.task.rows);
        for (parameter, slope) in self.parameters.iter_mut().zip(gradient) {
            *parameter -= self.task.learning_rate * slope;
        }
        loss
    }

    fn parameters(&self) -> Vec<f64> {
        self.parameters.clone()
    }
}
