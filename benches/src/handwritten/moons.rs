//! The network on the moons.

use super::layer::{Layer, add_scaled, dot, relu, through_relu, transpose, weighted_sums};
use crate::work::STEPS;
use crate::work::moons::{self, HIDDEN, INPUTS, LEARNING_RATE, PENALTY, ROWS, Row};

/// The parameters, or their gradient.
pub(crate) struct Network {
    first: Layer<INPUTS, HIDDEN>,
    second: Layer<HIDDEN, HIDDEN>,
    third: Layer<HIDDEN, 1>,
}

const ZERO: Network = Network {
    first: Layer::ZERO,
    second: Layer::ZERO,
    third: Layer::ZERO,
};

/// Trains with `run`, which writes the gradient of the mean hinge loss and returns that loss.
pub(crate) fn training(
    mut run: impl FnMut(&Network, &[Row], &mut Network) -> f64,
) -> impl FnMut() -> Vec<f64> {
    let moons = moons::task(ROWS);
    let mut gradient = ZERO;
    move || {
        let mut parameters = moons.initial.iter().copied();
        let mut network = Network {
            first: Layer::read(&mut parameters),
            second: Layer::read(&mut parameters),
            third: Layer::read(&mut parameters),
        };
        let mut step = || {
            let hinge = run(&network, &moons.rows, &mut gradient);
            let squares = descend(&mut network.first, &gradient.first)
                + descend(&mut network.second, &gradient.second)
                + descend(&mut network.third, &gradient.third);
            hinge + PENALTY * squares
        };
        let mut outcome: Vec<f64> = (0..STEPS).map(|_| step()).collect();
        outcome.extend(network.first.parameters());
        outcome.extend(network.second.parameters());
        outcome.extend(network.third.parameters());
        outcome
    }
}

/// Takes a step of SGD, penalty included; returns the sum of squares before the step.
fn descend<const M: usize, const N: usize>(layer: &mut Layer<M, N>, gradient: &Layer<M, N>) -> f64 {
    let Layer { weights, bias } = layer;
    let step = |parameters: &mut [f64], gradient: &[f64]| {
        let squares = dot(parameters, parameters);
        for (parameter, slope) in parameters.iter_mut().zip(gradient) {
            *parameter -= LEARNING_RATE * (slope + 2.0 * PENALTY * *parameter);
        }
        squares
    };
    step(weights.as_flattened_mut(), gradient.weights.as_flattened()) + step(bias, &gradient.bias)
}

/// Goes forward and backward one row at a time. It skips the dead neurons of the first hidden
/// layer, and goes backward only where the hinge is active.
pub(crate) fn row_by_row(network: &Network, rows: &[Row], gradient: &mut Network) -> f64 {
    *gradient = ZERO;
    let share = 1.0 / rows.len() as f64;
    let mut total = 0.0;
    for &[x, y, label] in rows {
        let hidden1 = relu(network.first.forward(&[x, y]));
        let mut sums2 = network.second.bias;
        for k in live(&hidden1) {
            add_scaled(&mut sums2, hidden1[k], &network.second.weights[k]);
        }
        let hidden2 = relu(sums2);
        let margin = margin(network, &hidden2, label);
        total += margin.max(0.0);
        if margin > 0.0 {
            let slope = slope(margin, label, share);
            backward(network, &[x, y], [&hidden1, &hidden2], slope, gradient);
        }
    }
    total * share
}

fn backward(
    network: &Network,
    point: &[f64; INPUTS],
    [hidden1, hidden2]: [&[f64; HIDDEN]; 2],
    slope: f64,
    gradient: &mut Network,
) {
    gradient.third.accumulate(hidden2, &[slope]);
    let to_sums2 = through_relu(&to_hidden2(network, slope), hidden2);
    add_scaled(&mut gradient.second.bias, 1.0, &to_sums2);
    let mut to_sums1 = [0.0; HIDDEN];
    for k in live(hidden1) {
        add_scaled(&mut gradient.second.weights[k], hidden1[k], &to_sums2);
        to_sums1[k] = dot(&network.second.weights[k], &to_sums2);
    }
    gradient.first.accumulate(point, &to_sums1);
}

/// The neurons whose output relu has not set to 0.
#[inline]
fn live(outputs: &[f64; HIDDEN]) -> impl Iterator<Item = usize> {
    (0..HIDDEN).filter(|&k| outputs[k] > 0.0)
}

/// Takes the whole batch through one layer at a time.
pub(crate) fn layer_by_layer() -> impl FnMut(&Network, &[Row], &mut Network) -> f64 {
    let [mut hidden1, mut hidden2, mut to_sums1, mut to_sums2] =
        [(); 4].map(|()| vec![[0.0; HIDDEN]; ROWS]);
    let mut slopes = vec![0.0; ROWS];
    move |network, rows, gradient| {
        let share = 1.0 / rows.len() as f64;
        for (hidden1, &[x, y, _]) in hidden1.iter_mut().zip(rows) {
            *hidden1 = relu(network.first.forward(&[x, y]));
        }
        for (hidden2, hidden1) in hidden2.iter_mut().zip(&hidden1) {
            *hidden2 = relu(network.second.forward(hidden1));
        }
        let mut total = 0.0;
        for ((to_score, hidden2), &[_, _, label]) in slopes.iter_mut().zip(&hidden2).zip(rows) {
            let margin = margin(network, hidden2, label);
            total += margin.max(0.0);
            *to_score = slope(margin, label, share);
        }

        gradient.third.bias = [slopes.iter().sum()];
        gradient.third.weights =
            weighted_sums(&[0.0; HIDDEN], slopes.iter().copied(), &hidden2).map(|sum| [sum]);
        for ((to_sums2, &slope), hidden2) in to_sums2.iter_mut().zip(&slopes).zip(&hidden2) {
            *to_sums2 = through_relu(&to_hidden2(network, slope), hidden2);
        }
        gradient.second.collect(&hidden1, &to_sums2);
        let transposed = transpose(&network.second.weights);
        for ((to_sums1, to_sums2), hidden1) in to_sums1.iter_mut().zip(&to_sums2).zip(&hidden1) {
            let to_hidden1 = weighted_sums(&[0.0; HIDDEN], to_sums2.iter().copied(), &transposed);
            *to_sums1 = through_relu(&to_hidden1, hidden1);
        }
        gradient.first.collect(rows, &to_sums1);
        total * share
    }
}

/// The hinge loss of a row before the relu.
#[inline]
fn margin(network: &Network, hidden2: &[f64; HIDDEN], label: f64) -> f64 {
    let score = network.third.bias[0] + dot(network.third.weights.as_flattened(), hidden2);
    1.0 - label * score
}

/// The slope of the mean hinge loss with respect to the score of a row.
#[inline]
fn slope(margin: f64, label: f64, share: f64) -> f64 {
    if margin > 0.0 { -label * share } else { 0.0 }
}

#[inline]
fn to_hidden2(network: &Network, slope: f64) -> [f64; HIDDEN] {
    network.third.weights.map(|[weight]| slope * weight)
}
