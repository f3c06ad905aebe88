//! The outputs for one image.

use std::hint::black_box;

use super::network::{Network, TILE, split};
use crate::work::Digits;
use crate::work::digits::{CLASSES, Row};

/// Computes the outputs for an image, by the initial parameters.
pub fn forward(row: &Row) -> impl FnMut() -> [f64; CLASSES] + use<> {
    let network = Box::new(Network::from_parameters(&Digits::new().initial));
    let pixels = *split(row).0;
    move || {
        let pixels = black_box(&pixels);
        let mut scores = network.second_bias;
        for (tile, (weights, bias)) in network.first.iter().zip(&network.first_bias).enumerate() {
            let mut hidden = *bias;
            for (pixel, weights) in pixels.iter().zip(weights) {
                for (sum, weight) in hidden.iter_mut().zip(weights) {
                    *sum += weight * pixel;
                }
            }
            let rows = &network.second[tile * TILE..(tile + 1) * TILE];
            for (hidden, weights) in hidden.iter().zip(rows) {
                let active = hidden.max(0.0);
                for (score, weight) in scores.iter_mut().zip(weights) {
                    *score += weight * active;
                }
            }
        }
        scores
    }
}
