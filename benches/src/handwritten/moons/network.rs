//! The network of the moons task and its training, without the backward pass.

use crate::work::moons::{HIDDEN, INPUTS, LAYERS, LEARNING_RATE, PENALTY, Row};
use crate::work::{Moons, Trainer, neurons_by_layer};

/// One number for each neuron of a hidden layer.
pub(super) type Lanes = [f64; HIDDEN];

/// The parameters, or the gradient of each.
///
/// The weights of a layer lie input by input, so that a loop over its neurons reads
/// neighbours, and all arrays are aligned, so that SSE instructions may take them from
/// memory.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Network {
    /// Weights of the first hidden layer.
    pub first: [Lanes; INPUTS],
    /// Its biases.
    pub first_bias: Lanes,
    /// Weights of the second hidden layer.
    pub second: [Lanes; HIDDEN],
    /// Its biases.
    pub second_bias: Lanes,
    /// Weights of the one output.
    pub third: Lanes,
    /// Its bias.
    pub third_bias: f64,
}

impl Network {
    const ZERO: Self = Self {
        first: [[0.0; HIDDEN]; INPUTS],
        first_bias: [0.0; HIDDEN],
        second: [[0.0; HIDDEN]; HIDDEN],
        second_bias: [0.0; HIDDEN],
        third: [0.0; HIDDEN],
        third_bias: 0.0,
    };

    fn from_parameters(parameters: &[f64]) -> Self {
        let mut network = Self::ZERO;
        let [first, second, mut third] = neurons_by_layer(parameters, INPUTS, LAYERS);
        for (k, neuron) in first.enumerate() {
            network.first_bias[k] = put_column(&mut network.first, k, neuron);
        }
        for (k, neuron) in second.enumerate() {
            network.second_bias[k] = put_column(&mut network.second, k, neuron);
        }
        let output = third.next().expect("the network has an output");
        network.third.copy_from_slice(&output[..HIDDEN]);
        network.third_bias = output[HIDDEN];
        network
    }

    fn to_parameters(&self) -> Vec<f64> {
        let first = (0..HIDDEN).flat_map(|k| column(&self.first, &self.first_bias, k));
        let second = (0..HIDDEN).flat_map(|k| column(&self.second, &self.second_bias, k));
        let third = self.third.into_iter().chain([self.third_bias]);
        first.chain(second).chain(third).collect()
    }

    fn blocks(&self) -> [&[f64]; 6] {
        [
            self.first.as_flattened(),
            &self.first_bias,
            self.second.as_flattened(),
            &self.second_bias,
            &self.third,
            std::slice::from_ref(&self.third_bias),
        ]
    }

    fn blocks_mut(&mut self) -> [&mut [f64]; 6] {
        [
            self.first.as_flattened_mut(),
            &mut self.first_bias,
            self.second.as_flattened_mut(),
            &mut self.second_bias,
            &mut self.third,
            std::slice::from_mut(&mut self.third_bias),
        ]
    }
}

/// Writes the weights of neuron `k` and returns its bias.
fn put_column(weights: &mut [Lanes], k: usize, neuron: &[f64]) -> f64 {
    let (&bias, inputs) = neuron.split_last().expect("a neuron has a bias");
    for (row, &weight) in weights.iter_mut().zip(inputs) {
        row[k] = weight;
    }
    bias
}

/// The weights of neuron `k`, then its bias.
fn column(weights: &[Lanes], biases: &Lanes, k: usize) -> impl Iterator<Item = f64> {
    weights.iter().map(move |row| row[k]).chain([biases[k]])
}

/// A way through the batch, forward and backward.
pub trait Backpropagation {
    /// Adds the gradient of the mean hinge loss over `rows` to `gradient` and
    /// returns that loss.
    fn accumulate(&mut self, network: &Network, rows: &[Row], gradient: &mut Network) -> f64;
}

/// Training by one of the ways through the batch.
#[derive(Debug)]
pub struct Training<B> {
    moons: Moons,
    network: Network,
    gradient: Network,
    backpropagation: B,
}

impl<B: Backpropagation> Training<B> {
    /// A network with the task's initial parameters.
    pub fn new(moons: Moons, backpropagation: B) -> Self {
        let network = Network::from_parameters(&moons.initial);
        Self {
            moons,
            network,
            gradient: Network::ZERO,
            backpropagation,
        }
    }
}

impl<B: Backpropagation> Trainer for Training<B> {
    fn restart(&mut self) {
        self.network = Network::from_parameters(&self.moons.initial);
    }

    fn step(&mut self) -> f64 {
        let rows = &self.moons.rows;
        let hinge = self
            .backpropagation
            .accumulate(&self.network, rows, &mut self.gradient);
        let squares: f64 = self.network.blocks().into_iter().map(sum_of_squares).sum();
        descend(&mut self.network, &mut self.gradient);
        hinge + PENALTY * squares
    }

    fn parameters(&self) -> Vec<f64> {
        self.network.to_parameters()
    }
}

/// Makes the step of SGD, with the gradient of the penalty, and zeroes the gradient.
fn descend(network: &mut Network, gradient: &mut Network) {
    let blocks = network.blocks_mut().into_iter().zip(gradient.blocks_mut());
    for (parameters, gradient) in blocks {
        for (parameter, slope) in parameters.iter_mut().zip(gradient) {
            *parameter -= LEARNING_RATE * (*slope + 2.0 * PENALTY * *parameter);
            *slope = 0.0;
        }
    }
}

/// With eight partial sums, which may be added side by side.
fn sum_of_squares(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut partial = [0.0; 8];
    for chunk in chunks {
        for (sum, value) in partial.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    partial.iter().sum::<f64>() + rest.iter().map(|value| value * value).sum::<f64>()
}
