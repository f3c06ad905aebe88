//! Trains the net of `moons_adam` with a tape: on 100 points, and on 100,000.
//!
//! With `--features rayon`, the large batch is spread over the cores.

use std::time::Instant;

use micrograd::data::make_moons;
use micrograd::nn::loss::l2_penalty;
use micrograd::nn::{MLP, Module};
use micrograd::optim::{Adam, Optimizer};
use micrograd::tape::Tape;

const STEPS: usize = 100;
const LEARNING_RATE: f64 = 0.1;
const L2: f64 = 1e-4;
const GRID: usize = 30;

fn main() {
    for points in [100, 100_000] {
        let mut rng = micrograd::rng(1);
        let rows = make_moons(points, 0.1, &mut rng);
        let model = MLP::new(2, &[16, 16, 1], &mut rng);
        println!("{model} on {points} points");
        train(&model, &rows);
        draw(&model);
        println!();
    }
}

fn train(model: &MLP, rows: &[[f64; 3]]) {
    let tape = Tape::trace(|[x, y, label]| {
        let score = model.forward(&[x, y]).remove(0);
        (1.0 - label * score).relu() + L2 * l2_penalty(&model.parameters())
    });

    let mut optim = Adam::new(model.parameters(), LEARNING_RATE);
    let start = Instant::now();
    for step in 1..=STEPS {
        optim.zero_grad();
        let mean_loss = tape.backward(rows);
        optim.step();
        if step == 1 || step % 20 == 0 {
            println!("step {step:3}  loss {mean_loss:.6}");
        }
    }
    let rows_per_second = (STEPS * rows.len()) as f64 / start.elapsed().as_secs_f64();
    println!("{:.1} million rows per second", rows_per_second / 1e6);
}

/// Draws the sign of the score around the moons. One replay computes all points.
fn draw(model: &MLP) {
    let score = Tape::trace(|[x, y]| model.forward(&[x, y]).remove(0));
    let coordinate =
        |i: usize, low: f64, high: f64| low + (high - low) * i as f64 / (GRID - 1) as f64;
    let points: Vec<[f64; 2]> = (0..GRID * GRID)
        .map(|i| {
            let (row, column) = (i / GRID, i % GRID);
            [coordinate(column, -1.5, 2.5), coordinate(row, 1.5, -1.0)]
        })
        .collect();
    let signs: Vec<_> = score
        .forward(&points)
        .iter()
        .map(|&score| if score > 0.0 { "■" } else { "□" })
        .collect();
    for line in signs.chunks(GRID) {
        println!("{}", line.join(" "));
    }
}
