//! The network of the digits task and its training, without the way through the batch.

use std::array;

use crate::handwritten::vector::dot;
use crate::work::digits::{CLASSES, HIDDEN, LAYERS, LEARNING_RATE, PIXELS, Row};
use crate::work::{Digits, Trainer, neurons_by_layer};

/// How many sums are kept in registers at a time.
pub(super) const TILE: usize = 16;
/// Tiles of the hidden layer.
pub(super) const TILES: usize = HIDDEN / TILE;

/// The parameters.
///
/// The weights of a layer lie input by input, so that a loop over its neurons reads
/// neighbours; those of the hidden layer lie tile by tile besides.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Network {
    /// Weights of the hidden layer.
    pub first: [[[f64; TILE]; PIXELS]; TILES],
    /// Its biases.
    pub first_bias: [[f64; TILE]; TILES],
    /// Weights of the outputs.
    pub second: [[f64; CLASSES]; HIDDEN],
    /// Their biases.
    pub second_bias: [f64; CLASSES],
}

/// The gradient of the loss by each parameter.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Gradient {
    /// By the weights of the hidden layer, neuron by neuron: those that are dead for a
    /// row can be left out then.
    pub first: [[f64; PIXELS]; HIDDEN],
    /// By its biases.
    pub first_bias: [f64; HIDDEN],
    /// By the weights of the outputs.
    pub second: [[f64; CLASSES]; HIDDEN],
    /// By their biases.
    pub second_bias: [f64; CLASSES],
}

impl Network {
    const ZERO: Self = Self {
        first: [[[0.0; TILE]; PIXELS]; TILES],
        first_bias: [[0.0; TILE]; TILES],
        second: [[0.0; CLASSES]; HIDDEN],
        second_bias: [0.0; CLASSES],
    };

    pub(super) fn from_parameters(parameters: &[f64]) -> Self {
        let mut network = Self::ZERO;
        let [first, second] = neurons_by_layer(parameters, PIXELS, LAYERS);
        for (neuron, parameters) in first.enumerate() {
            let (tile, lane) = (neuron / TILE, neuron % TILE);
            for (weights, &weight) in network.first[tile].iter_mut().zip(parameters) {
                weights[lane] = weight;
            }
            network.first_bias[tile][lane] = parameters[PIXELS];
        }
        for (class, parameters) in second.enumerate() {
            for (weights, &weight) in network.second.iter_mut().zip(parameters) {
                weights[class] = weight;
            }
            network.second_bias[class] = parameters[HIDDEN];
        }
        network
    }

    fn to_parameters(&self) -> Vec<f64> {
        let first = (0..HIDDEN).flat_map(|neuron| {
            let (tile, lane) = (neuron / TILE, neuron % TILE);
            let weights = self.first[tile].iter().map(move |weights| weights[lane]);
            weights.chain([self.first_bias[tile][lane]])
        });
        let second = (0..CLASSES).flat_map(|class| {
            let weights = self.second.iter().map(move |weights| weights[class]);
            weights.chain([self.second_bias[class]])
        });
        first.chain(second).collect()
    }

    /// Makes the step of SGD.
    fn descend(&mut self, gradient: &Gradient) {
        let (tiles, _) = gradient.first.as_chunks::<TILE>();
        for (weights, gradient) in self.first.iter_mut().zip(tiles) {
            for (pixel, weights) in weights.iter_mut().enumerate() {
                descend(
                    weights,
                    &array::from_fn::<_, TILE, _>(|k| gradient[k][pixel]),
                );
            }
        }
        descend(self.first_bias.as_flattened_mut(), &gradient.first_bias);
        let second = self.second.as_flattened_mut();
        descend(second, gradient.second.as_flattened());
        descend(&mut self.second_bias, &gradient.second_bias);
    }
}

fn descend(parameters: &mut [f64], gradient: &[f64]) {
    for (parameter, slope) in parameters.iter_mut().zip(gradient) {
        *parameter -= LEARNING_RATE * slope;
    }
}

impl Gradient {
    /// No gradient yet.
    pub const ZERO: Self = Self {
        first: [[0.0; PIXELS]; HIDDEN],
        first_bias: [0.0; HIDDEN],
        second: [[0.0; CLASSES]; HIDDEN],
        second_bias: [0.0; CLASSES],
    };
}

/// The pixels of a row and its targets.
///
/// # Panics
///
/// Never: a row has as many numbers.
#[inline]
pub(super) fn split(row: &Row) -> (&[f64; PIXELS], &[f64; CLASSES]) {
    let (pixels, targets) = row.split_first_chunk().expect("a row has pixels");
    (pixels, targets.try_into().expect("the rest are targets"))
}

/// The loss of a row, and its gradient by the scores.
#[inline]
pub(super) fn cross_entropy(
    scores: &[f64; CLASSES],
    targets: &[f64; CLASSES],
) -> (f64, [f64; CLASSES]) {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers = scores.map(|score| (score - greatest).exp());
    let sum: f64 = powers.iter().sum();
    let loss = greatest + sum.ln() - dot(targets, scores);
    let share = 1.0 / sum;
    (loss, array::from_fn(|k| powers[k] * share - targets[k]))
}

/// A way through the batch, forward and backward.
pub trait Backpropagation {
    /// Writes the gradient of the mean loss over `rows` to `gradient` and returns that
    /// loss.
    fn run(&mut self, network: &Network, rows: &[Row], gradient: &mut Gradient) -> f64;
}

/// Training by one of the ways through the batch.
#[derive(Debug)]
pub struct Training<B> {
    digits: Digits,
    network: Network,
    gradient: Gradient,
    backpropagation: B,
}

impl<B: Backpropagation> Training<B> {
    /// A network with the task's initial parameters.
    pub fn new(digits: Digits, backpropagation: B) -> Self {
        let network = Network::from_parameters(&digits.initial);
        Self {
            digits,
            network,
            gradient: Gradient::ZERO,
            backpropagation,
        }
    }
}

impl<B: Backpropagation> Trainer for Training<B> {
    fn restart(&mut self) {
        self.network = Network::from_parameters(&self.digits.initial);
    }

    fn step(&mut self) -> f64 {
        let rows = &self.digits.rows;
        let loss = self
            .backpropagation
            .run(&self.network, rows, &mut self.gradient);
        self.network.descend(&self.gradient);
        loss
    }

    fn parameters(&self) -> Vec<f64> {
        self.network.to_parameters()
    }
}
