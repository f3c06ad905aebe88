//! Row by row, without what a relu multiplies by zero.

use super::network::{Backpropagation, Gradient, Network, TILE, TILES, cross_entropy, split};
use crate::handwritten::vector::{add, add_scaled, dot, relu, weighted_sums};
use crate::work::digits::{HIDDEN, Row};

/// Goes forward and backward with one row after the other, through the live neurons of
/// the hidden layer only.
#[derive(Debug)]
pub struct Skipping;

impl Backpropagation for Skipping {
    fn run(&mut self, network: &Network, rows: &[Row], gradient: &mut Gradient) -> f64 {
        *gradient = Gradient::ZERO;
        let share = 1.0 / rows.len() as f64;
        let mut total = 0.0;
        for row in rows {
            let (pixels, targets) = split(row);
            let mut hidden = [[0.0; TILE]; TILES];
            for (tile, hidden) in hidden.iter_mut().enumerate() {
                let (bias, weights) = (&network.first_bias[tile], &network.first[tile]);
                *hidden = relu(weighted_sums(bias, weights, pixels));
            }
            let hidden = hidden.as_flattened();
            let (live, count) = live(hidden);
            let live = &live[..count];

            let mut scores = network.second_bias;
            for &neuron in live {
                add_scaled(&mut scores, hidden[neuron], &network.second[neuron]);
            }
            let (loss, slopes) = cross_entropy(&scores, targets);
            total += loss;

            let to_scores = slopes.map(|slope| slope * share);
            add(&mut gradient.second_bias, &to_scores);
            for &neuron in live {
                add_scaled(&mut gradient.second[neuron], hidden[neuron], &to_scores);
                let to_sum = dot(&network.second[neuron], &to_scores);
                gradient.first_bias[neuron] += to_sum;
                add_scaled(&mut gradient.first[neuron], to_sum, pixels);
            }
        }
        total * share
    }
}

/// The neurons whose output is not zero, and how many they are. Which ones is not to be
/// foreseen, so there is no branch.
#[inline]
fn live(outputs: &[f64]) -> ([usize; HIDDEN], usize) {
    let mut live = [0; HIDDEN];
    let mut count = 0;
    for (neuron, &output) in outputs.iter().enumerate() {
        live[count] = neuron;
        count += usize::from(output > 0.0);
    }
    (live, count)
}
