//! The network on the digits.

use std::array;
use std::hint::black_box;

use super::layer::{Layer, add_scaled, dot, relu, through_relu, transpose, weighted_sums};
use crate::work::STEPS;
use crate::work::digits::{self, CLASSES, HIDDEN, LEARNING_RATE, PIXELS, ROWS, Row, split};

/// The number of sums kept in registers at a time.
const TILE: usize = 16;
const TILES: usize = HIDDEN / TILE;

pub(crate) struct Network {
    /// The hidden layer, tile by tile.
    first: [Layer<PIXELS, TILE>; TILES],
    second: Layer<HIDDEN, CLASSES>,
}

/// The gradient. The hidden layer's is stored neuron by neuron, so that dead ones can be skipped.
pub(crate) struct Gradient {
    first: [[f64; PIXELS]; HIDDEN],
    first_bias: [f64; HIDDEN],
    second: Layer<HIDDEN, CLASSES>,
}

const ZERO: Gradient = Gradient {
    first: [[0.0; PIXELS]; HIDDEN],
    first_bias: [0.0; HIDDEN],
    second: Layer::ZERO,
};

impl Network {
    fn read(parameters: &[f64]) -> Self {
        let mut parameters = parameters.iter().copied();
        Self {
            first: array::from_fn(|_| Layer::read(&mut parameters)),
            second: Layer::read(&mut parameters),
        }
    }

    /// The outputs of the hidden layer.
    #[inline]
    fn hidden(&self, pixels: &[f64; PIXELS]) -> [f64; HIDDEN] {
        let mut hidden = [0.0; HIDDEN];
        for (hidden, layer) in hidden.as_chunks_mut().0.iter_mut().zip(&self.first) {
            *hidden = relu(layer.forward(pixels));
        }
        hidden
    }

    /// Takes a step of SGD.
    fn descend(&mut self, gradient: &Gradient) {
        let first = gradient.first.as_chunks::<TILE>().0;
        let bias = gradient.first_bias.as_chunks::<TILE>().0;
        for ((layer, gradient), bias) in self.first.iter_mut().zip(first).zip(bias) {
            for (pixel, weights) in layer.weights.iter_mut().enumerate() {
                let slopes: [f64; TILE] = array::from_fn(|k| gradient[k][pixel]);
                add_scaled(weights, -LEARNING_RATE, &slopes);
            }
            add_scaled(&mut layer.bias, -LEARNING_RATE, bias);
        }
        let Layer { weights, bias } = &mut self.second;
        for (weights, slopes) in weights.iter_mut().zip(&gradient.second.weights) {
            add_scaled(weights, -LEARNING_RATE, slopes);
        }
        add_scaled(bias, -LEARNING_RATE, &gradient.second.bias);
    }
}

/// The outputs for one image, with the initial parameters.
pub(crate) fn forward() -> impl Fn() -> [f64; CLASSES] {
    let digits = digits::task();
    let network = Box::new(Network::read(&digits.initial));
    move || {
        let (pixels, _) = split(black_box(&digits.rows[0]));
        network.second.forward(&network.hidden(pixels))
    }
}

/// Trains by passes that take the whole batch through one layer at a time.
pub(crate) fn training() -> impl FnMut() -> Vec<f64> {
    let digits = digits::task();
    let mut run = layer_by_layer();
    let mut gradient = ZERO;
    move || {
        let mut network = Network::read(&digits.initial);
        let mut step = || {
            let loss = run(&network, &digits.rows, &mut gradient);
            network.descend(&gradient);
            loss
        };
        let mut outcome: Vec<f64> = (0..STEPS).map(|_| step()).collect();
        outcome.extend(network.first.iter().flat_map(Layer::parameters));
        outcome.extend(network.second.parameters());
        outcome
    }
}

/// The loss of a row, and its gradient with respect to the scores.
#[inline]
fn cross_entropy(scores: &[f64; CLASSES], targets: &[f64; CLASSES]) -> (f64, [f64; CLASSES]) {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers = scores.map(|score| (score - greatest).exp());
    let sum: f64 = powers.iter().sum();
    let loss = greatest + sum.ln() - dot(targets, scores);
    let share = 1.0 / sum;
    (loss, array::from_fn(|k| powers[k] * share - targets[k]))
}

/// Writes the gradient of the mean loss and returns that loss.
fn layer_by_layer() -> impl FnMut(&Network, &[Row], &mut Gradient) -> f64 {
    let mut hidden = vec![[0.0; HIDDEN]; ROWS];
    let mut to_scores = vec![[0.0; CLASSES]; ROWS];
    let mut to_sums = vec![[0.0; HIDDEN]; ROWS];
    move |network, rows, gradient| {
        let share = 1.0 / rows.len() as f64;
        let mut total = 0.0;
        for (hidden, row) in hidden.iter_mut().zip(rows) {
            *hidden = network.hidden(split(row).0);
        }
        for ((to_scores, hidden), row) in to_scores.iter_mut().zip(&hidden).zip(rows) {
            let scores = network.second.forward(hidden);
            let (loss, slopes) = cross_entropy(&scores, split(row).1);
            total += loss;
            *to_scores = slopes.map(|slope| slope * share);
        }

        gradient.second.collect(&hidden, &to_scores);
        let tiles = network.second.weights.as_chunks::<TILE>().0;
        for (tile, weights) in tiles.iter().enumerate() {
            let transposed = transpose(weights);
            let above = to_scores.iter().zip(&hidden);
            for (to_sums, (to_scores, hidden)) in to_sums.iter_mut().zip(above) {
                let to_hidden = weighted_sums(&[0.0; TILE], to_scores.iter().copied(), &transposed);
                let hidden = &hidden.as_chunks::<TILE>().0[tile];
                to_sums.as_chunks_mut().0[tile] = through_relu(&to_hidden, hidden);
            }
        }
        for k in 0..HIDDEN {
            let mut live = [(0, 0.0); ROWS];
            let mut count = 0;
            for (row, to_sums) in to_sums.iter().enumerate() {
                live[count] = (row, to_sums[k]);
                count += usize::from(to_sums[k] != 0.0); // a branch would be unpredictable
            }
            let live = &live[..count];
            gradient.first_bias[k] = live.iter().map(|(_, to_sum)| to_sum).sum();
            let tiles = gradient.first[k].as_chunks_mut::<TILE>().0;
            for (tile, gradient) in tiles.iter_mut().enumerate() {
                let mut sums = [0.0; TILE];
                for &(row, to_sum) in live {
                    let pixels = split(&rows[row]).0.as_chunks::<TILE>().0;
                    add_scaled(&mut sums, to_sum, &pixels[tile]);
                }
                *gradient = sums;
            }
        }
        total * share
    }
}
