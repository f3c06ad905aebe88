//! What every engine computes.

use std::slice::ChunksExact;

use micrograd::data::make_moons;
use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};
use micrograd::rand::SeedableRng;
use micrograd::rand::rngs::Xoshiro256PlusPlus;

/// The values of `a` and `b` in the README's program.
pub const README_INPUTS: [f64; 2] = [-4.0, 2.0];

/// The value that a chain begins with.
pub const CHAIN_START: f64 = 1.0;
/// What every other operation of a chain multiplies by, the first one included.
pub const CHAIN_FACTOR: f64 = 1.000_001;
/// What the operations between them add.
pub const CHAIN_TERM: f64 = 1e-6;

/// Coordinates of a point.
pub const INPUTS: usize = 2;
/// Neurons in each of the two hidden layers.
pub const HIDDEN: usize = 16;
/// Points in the full batch.
pub const ROWS: usize = 100;
/// The learning rate of SGD.
pub const LEARNING_RATE: f64 = 0.02;
/// The factor of the sum of squares of all parameters in the loss.
pub const PENALTY: f64 = 1e-4;
/// Training steps in one episode.
pub const STEPS: usize = 20;

const NOISE: f64 = 0.1;
const SEED: u64 = 1;

/// A point and its label, which is 1 or -1.
pub type Row = [f64; 3];

/// The points and the parameters that training starts from.
#[derive(Clone, Debug)]
pub struct Moons {
    /// The full batch.
    pub rows: Vec<Row>,
    /// Layer by layer and neuron by neuron: its weights, then its bias.
    pub initial: Vec<f64>,
}

impl Moons {
    /// The same task each time: it is drawn from a fixed seed.
    pub fn new() -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(SEED);
        let rows = make_moons(ROWS, NOISE, &mut rng);
        let model = MLP::new(INPUTS, &[HIDDEN, HIDDEN, 1], &mut rng);
        let initial = model.parameters().iter().map(Value::data).collect();
        Self { rows, initial }
    }
}

impl Default for Moons {
    fn default() -> Self {
        Self::new()
    }
}

/// Splits parameters in micrograd's order into the neurons of each layer.
///
/// # Panics
///
/// If there are fewer parameters than the two hidden layers have.
pub fn neurons_by_layer<P>(parameters: &[P]) -> [ChunksExact<'_, P>; 3] {
    let (first, rest) = parameters.split_at(HIDDEN * (INPUTS + 1));
    let (second, third) = rest.split_at(HIDDEN * (HIDDEN + 1));
    [
        first.chunks_exact(INPUTS + 1),
        second.chunks_exact(HIDDEN + 1),
        third.chunks_exact(HIDDEN + 1),
    ]
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
pub struct Descent<G> {
    moons: Moons,
    parameters: Vec<f64>,
    loss_and_gradient: G,
}

impl<G: FnMut(&[f64], &[Row]) -> (f64, Vec<f64>)> Descent<G> {
    /// Trains on `moons` by what `loss_and_gradient` returns.
    pub fn new(moons: Moons, loss_and_gradient: G) -> Self {
        let parameters = moons.initial.clone();
        Self {
            moons,
            parameters,
            loss_and_gradient,
        }
    }
}

impl<G: FnMut(&[f64], &[Row]) -> (f64, Vec<f64>)> Trainer for Descent<G> {
    fn restart(&mut self) {
        self.parameters.copy_from_slice(&self.moons.initial);
    }

    fn step(&mut self) -> f64 {
        let (loss, gradient) = (self.loss_and_gradient)(&self.parameters, &self.moons.rows);
        for (parameter, slope) in self.parameters.iter_mut().zip(gradient) {
            *parameter -= LEARNING_RATE * slope;
        }
        loss
    }

    fn parameters(&self) -> Vec<f64> {
        self.parameters.clone()
    }
}
