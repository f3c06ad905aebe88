//! Row by row, without what a relu or an inactive hinge multiplies by zero.

use super::network::{Backpropagation, Lanes, Network};
use crate::handwritten::vector::{add, add_scaled, dot, relu, through_relu, weighted_sums};
use crate::work::moons::{HIDDEN, Row};

/// Goes forward and backward with one row after the other, through the live neurons
/// of the first hidden layer only, and backward only where the hinge is active.
#[derive(Debug)]
pub struct Skipping;

impl Backpropagation for Skipping {
    fn accumulate(&mut self, network: &Network, rows: &[Row], gradient: &mut Network) -> f64 {
        let share = 1.0 / rows.len() as f64;
        let mut total = 0.0;
        for &[x, y, label] in rows {
            let hidden1 = relu(weighted_sums(&network.first_bias, &network.first, &[x, y]));
            let mut sums2 = network.second_bias;
            for input in live(&hidden1) {
                add_scaled(&mut sums2, hidden1[input], &network.second[input]);
            }
            let hidden2 = relu(sums2);
            let score = network.third_bias + dot(&network.third, &hidden2);
            let hinge = 1.0 - label * score;
            if hinge > 0.0 {
                total += hinge;
                let slope = -label * share;
                let hidden = [&hidden1, &hidden2];
                backward(network, &[x, y], hidden, slope, gradient);
            }
        }
        total * share
    }
}

fn backward(
    network: &Network,
    point: &[f64; 2],
    [hidden1, hidden2]: [&Lanes; 2],
    slope: f64,
    gradient: &mut Network,
) {
    gradient.third_bias += slope;
    add_scaled(&mut gradient.third, slope, hidden2);

    let to_sums2 = through_relu(&network.third.map(|weight| slope * weight), hidden2);
    add(&mut gradient.second_bias, &to_sums2);
    let mut to_sums1 = [0.0; HIDDEN];
    for input in live(hidden1) {
        add_scaled(&mut gradient.second[input], hidden1[input], &to_sums2);
        to_sums1[input] = dot(&network.second[input], &to_sums2);
    }

    add(&mut gradient.first_bias, &to_sums1);
    for (weights, &input) in gradient.first.iter_mut().zip(point) {
        add_scaled(weights, input, &to_sums1);
    }
}

/// The neurons whose output is not zero.
#[inline]
fn live(outputs: &Lanes) -> impl Iterator<Item = usize> {
    (0..HIDDEN).filter(|&neuron| outputs[neuron] > 0.0)
}
