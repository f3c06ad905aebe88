//! The work as loops over plain numbers, with derivatives worked out by hand.
//!
//! These loops are the yardstick: they have no graph, do not allocate in a training step, and are
//! shaped so that the compiler vectorizes them.

pub(crate) mod digits;
mod layer;
pub(crate) mod moons;

use std::hint::black_box;

use crate::work::{self, CHAIN_FACTOR, CHAIN_START, README_INPUTS};

pub(crate) fn readme_program() -> [f64; 3] {
    let [a, b] = black_box(README_INPUTS);
    let d0 = a * b + b * b * b;
    let d1 = 3.0 * d0 + (b + a).max(0.0);
    let d2 = 4.0 * d1 + (b - a).max(0.0);
    let c = 4.0 * (a + b) + 3.0 - a;
    let e = c - d2;
    let f = e * e;
    let g = f / 2.0 + 10.0 / f;

    let to_e = 2.0 * e * (0.5 - 10.0 / (f * f));
    let to_sum = if b + a > 0.0 { -4.0 * to_e } else { 0.0 };
    let to_difference = if b - a > 0.0 { -to_e } else { 0.0 };
    let to_d0 = -12.0 * to_e;
    let to_a = 3.0 * to_e + to_sum - to_difference + to_d0 * b;
    let to_b = 4.0 * to_e + to_sum + to_difference + to_d0 * (a + 3.0 * b * b);
    [g, to_a, to_b]
}

pub(crate) fn chain(length: usize) -> [f64; 2] {
    let end = work::links(black_box(CHAIN_START), length);
    let slope = (0..length.div_ceil(2)).fold(1.0, |slope, _| slope * CHAIN_FACTOR);
    [end, slope]
}
