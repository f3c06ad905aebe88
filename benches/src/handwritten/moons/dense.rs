//! Layer by layer, each for the whole batch.

use std::iter::repeat;

use super::network::{Backpropagation, Lanes, Network};
use crate::handwritten::vector::{add_scaled, dot, relu, through_relu, weighted_sums};
use crate::work::moons::{HIDDEN, ROWS, Row};

/// Keeps the outputs of each layer for all rows, and the gradients before them.
#[derive(Debug)]
pub struct Dense {
    hidden1: Vec<Lanes>,
    hidden2: Vec<Lanes>,
    slopes: Vec<f64>,
    to_sums1: Vec<Lanes>,
    to_sums2: Vec<Lanes>,
}

impl Dense {
    /// Room for the full batch.
    pub fn new() -> Self {
        let lanes = || vec![[0.0; HIDDEN]; ROWS];
        Self {
            hidden1: lanes(),
            hidden2: lanes(),
            slopes: vec![0.0; ROWS],
            to_sums1: lanes(),
            to_sums2: lanes(),
        }
    }

    fn forward(&mut self, network: &Network, rows: &[Row]) {
        for (hidden, &[x, y, _]) in self.hidden1.iter_mut().zip(rows) {
            *hidden = relu(weighted_sums(&network.first_bias, &network.first, &[x, y]));
        }
        for (hidden2, hidden1) in self.hidden2.iter_mut().zip(&self.hidden1) {
            *hidden2 = relu(weighted_sums(
                &network.second_bias,
                &network.second,
                hidden1,
            ));
        }
    }

    /// The mean hinge loss; leaves its slope by each score.
    fn hinge(&mut self, network: &Network, rows: &[Row]) -> f64 {
        let share = 1.0 / rows.len() as f64;
        let mut total = 0.0;
        for ((slope, hidden), &[_, _, label]) in self.slopes.iter_mut().zip(&self.hidden2).zip(rows)
        {
            let score = network.third_bias + dot(&network.third, hidden);
            let hinge = (1.0 - label * score).max(0.0);
            total += hinge;
            *slope = if hinge > 0.0 { -label * share } else { 0.0 };
        }
        total * share
    }

    fn backward_third(&mut self, network: &Network, gradient: &mut Network) {
        let slopes = || self.slopes.iter().copied();
        gradient.third_bias += slopes().sum::<f64>();
        add_rows(&mut gradient.third, slopes(), &self.hidden2);
        let above = slopes().zip(&self.hidden2);
        for (to_sums2, (slope, hidden2)) in self.to_sums2.iter_mut().zip(above) {
            *to_sums2 = through_relu(&network.third.map(|weight| slope * weight), hidden2);
        }
    }

    fn backward_second(&mut self, network: &Network, gradient: &mut Network) {
        add_rows(&mut gradient.second_bias, repeat(1.0), &self.to_sums2);
        for (input, weights) in gradient.second.iter_mut().enumerate() {
            let inputs = self.hidden1.iter().map(|hidden1| hidden1[input]);
            add_rows(weights, inputs, &self.to_sums2);
        }
        let transposed = transpose(&network.second);
        let above = self.to_sums2.iter().zip(&self.hidden1);
        for (to_sums1, (to_sums2, hidden1)) in self.to_sums1.iter_mut().zip(above) {
            let to_hidden1 = weighted_sums(&[0.0; HIDDEN], &transposed, to_sums2);
            *to_sums1 = through_relu(&to_hidden1, hidden1);
        }
    }

    fn backward_first(&self, rows: &[Row], gradient: &mut Network) {
        add_rows(&mut gradient.first_bias, repeat(1.0), &self.to_sums1);
        for (input, weights) in gradient.first.iter_mut().enumerate() {
            add_rows(weights, rows.iter().map(|row| row[input]), &self.to_sums1);
        }
    }
}

/// Adds all `rows` to `sums`, each times its factor. The sums stay in registers
/// meanwhile.
#[inline]
fn add_rows(sums: &mut Lanes, factors: impl Iterator<Item = f64>, rows: &[Lanes]) {
    let mut total = *sums;
    for (row, factor) in rows.iter().zip(factors) {
        add_scaled(&mut total, factor, row);
    }
    *sums = total;
}

impl Default for Dense {
    fn default() -> Self {
        Self::new()
    }
}

impl Backpropagation for Dense {
    fn accumulate(&mut self, network: &Network, rows: &[Row], gradient: &mut Network) -> f64 {
        self.forward(network, rows);
        let hinge = self.hinge(network, rows);
        self.backward_third(network, gradient);
        self.backward_second(network, gradient);
        self.backward_first(rows, gradient);
        hinge
    }
}

fn transpose(matrix: &[Lanes; HIDDEN]) -> [Lanes; HIDDEN] {
    std::array::from_fn(|row| std::array::from_fn(|column| matrix[column][row]))
}
