//! Layer by layer, each for the whole batch.

use super::network::{Backpropagation, Gradient, Network, TILE, TILES, cross_entropy, split};
use crate::handwritten::vector::{add, add_scaled, relu, through_relu, weighted_sums};
use crate::work::digits::{CLASSES, HIDDEN, ROWS, Row};

/// Keeps the outputs of the hidden layer for all rows, and the gradients before both
/// layers.
#[derive(Debug)]
pub struct Dense {
    hidden: [Vec<[f64; TILE]>; TILES],
    to_scores: Vec<[f64; CLASSES]>,
    to_sums: [Vec<[f64; TILE]>; TILES],
}

impl Dense {
    /// Room for the full batch.
    pub fn new() -> Self {
        let tiles = || [(); TILES].map(|()| vec![[0.0; TILE]; ROWS]);
        Self {
            hidden: tiles(),
            to_scores: vec![[0.0; CLASSES]; ROWS],
            to_sums: tiles(),
        }
    }

    fn forward(&mut self, network: &Network, rows: &[Row]) {
        let weights = network.first_bias.iter().zip(&network.first);
        for (hidden, (bias, weights)) in self.hidden.iter_mut().zip(weights) {
            for (hidden, row) in hidden.iter_mut().zip(rows) {
                *hidden = relu(weighted_sums(bias, weights, split(row).0));
            }
        }
    }

    /// The mean loss; leaves its gradient by each score.
    fn loss(&mut self, network: &Network, rows: &[Row]) -> f64 {
        let share = 1.0 / rows.len() as f64;
        let mut total = 0.0;
        let (weights, _) = network.second.as_chunks::<TILE>();
        for (k, (to_scores, row)) in self.to_scores.iter_mut().zip(rows).enumerate() {
            let mut scores = network.second_bias;
            for (hidden, weights) in self.hidden.iter().zip(weights) {
                scores = weighted_sums(&scores, weights, &hidden[k]);
            }
            let (loss, slopes) = cross_entropy(&scores, split(row).1);
            total += loss;
            *to_scores = slopes.map(|slope| slope * share);
        }
        total * share
    }

    fn backward_second(&mut self, network: &Network, gradient: &mut Gradient) {
        gradient.second_bias = [0.0; CLASSES];
        for to_scores in &self.to_scores {
            add(&mut gradient.second_bias, to_scores);
        }
        for (neuron, gradient) in gradient.second.iter_mut().enumerate() {
            let hidden = &self.hidden[neuron / TILE];
            let outputs = hidden.iter().map(|hidden| hidden[neuron % TILE]);
            let mut total = [0.0; CLASSES];
            for (to_scores, output) in self.to_scores.iter().zip(outputs) {
                add_scaled(&mut total, output, to_scores);
            }
            *gradient = total;
        }
        for tile in 0..TILES {
            let weights = transposed_tile(&network.second, tile);
            let above = self.to_scores.iter().zip(&self.hidden[tile]);
            for (to_sums, (to_scores, hidden)) in self.to_sums[tile].iter_mut().zip(above) {
                let to_hidden = weighted_sums(&[0.0; TILE], &weights, to_scores);
                *to_sums = through_relu(&to_hidden, hidden);
            }
        }
    }

    fn backward_first(&self, rows: &[Row], gradient: &mut Gradient) {
        for neuron in 0..HIDDEN {
            let (live, count) = self.live(neuron);
            let live = &live[..count];
            gradient.first_bias[neuron] = live.iter().map(|(_, to_sum)| to_sum).sum();
            let (tiles, _) = gradient.first[neuron].as_chunks_mut::<TILE>();
            for (tile, gradient) in tiles.iter_mut().enumerate() {
                let mut total = [0.0; TILE];
                for &(row, to_sum) in live {
                    let (pixels, _) = split(&rows[row]).0.as_chunks::<TILE>();
                    add_scaled(&mut total, to_sum, &pixels[tile]);
                }
                *gradient = total;
            }
        }
    }

    /// The rows that the gradient of a neuron comes from, and how many they are. Which
    /// ones is not to be foreseen, so there is no branch.
    fn live(&self, neuron: usize) -> ([(usize, f64); ROWS], usize) {
        let mut live = [(0, 0.0); ROWS];
        let mut count = 0;
        for (row, to_sums) in self.to_sums[neuron / TILE].iter().enumerate() {
            let to_sum = to_sums[neuron % TILE];
            live[count] = (row, to_sum);
            count += usize::from(to_sum != 0.0);
        }
        (live, count)
    }
}

impl Default for Dense {
    fn default() -> Self {
        Self::new()
    }
}

impl Backpropagation for Dense {
    fn run(&mut self, network: &Network, rows: &[Row], gradient: &mut Gradient) -> f64 {
        self.forward(network, rows);
        let loss = self.loss(network, rows);
        self.backward_second(network, gradient);
        self.backward_first(rows, gradient);
        loss
    }
}

fn transposed_tile(matrix: &[[f64; CLASSES]; HIDDEN], tile: usize) -> [[f64; TILE]; CLASSES] {
    std::array::from_fn(|class| std::array::from_fn(|k| matrix[tile * TILE + k][class]))
}
