//! Row by row, everything computed.

use super::network::{Backpropagation, Lanes, Network};
use crate::handwritten::vector::{add, add_scaled, dot, relu, through_relu, weighted_sums};
use crate::work::moons::{HIDDEN, Row};

/// Goes forward and backward with one row after the other.
#[derive(Debug)]
pub struct PerRow;

impl Backpropagation for PerRow {
    fn accumulate(&mut self, network: &Network, rows: &[Row], gradient: &mut Network) -> f64 {
        let share = 1.0 / rows.len() as f64;
        let mut total = 0.0;
        for &[x, y, label] in rows {
            let hidden1 = relu(weighted_sums(&network.first_bias, &network.first, &[x, y]));
            let hidden2 = relu(weighted_sums(
                &network.second_bias,
                &network.second,
                &hidden1,
            ));
            let score = network.third_bias + dot(&network.third, &hidden2);
            let hinge = (1.0 - label * score).max(0.0);
            total += hinge;
            let slope = if hinge > 0.0 { -label * share } else { 0.0 };
            backward(network, &[x, y], &hidden1, &hidden2, slope, gradient);
        }
        total * share
    }
}

fn backward(
    network: &Network,
    point: &[f64; 2],
    hidden1: &Lanes,
    hidden2: &Lanes,
    slope: f64,
    gradient: &mut Network,
) {
    gradient.third_bias += slope;
    add_scaled(&mut gradient.third, slope, hidden2);

    let to_sums2 = through_relu(&network.third.map(|weight| slope * weight), hidden2);
    add(&mut gradient.second_bias, &to_sums2);
    let mut to_hidden1 = [0.0; HIDDEN];
    for input in 0..HIDDEN {
        add_scaled(&mut gradient.second[input], hidden1[input], &to_sums2);
        to_hidden1[input] = dot(&network.second[input], &to_sums2);
    }

    let to_sums1 = through_relu(&to_hidden1, hidden1);
    add(&mut gradient.first_bias, &to_sums1);
    for (weights, &input) in gradient.first.iter_mut().zip(point) {
        add_scaled(weights, input, &to_sums1);
    }
}
