//! Trains a net on the two moons with Adam, and draws its decision regions.
//!
//! The points are generated, or read from a CSV file: `moons_adam points.csv` expects rows of
//! `x,y,label`, with the label -1 or 0 for the upper moon and 1 for the lower one.

use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;

use micrograd::data::make_moons;
use micrograd::engine::Value;
use micrograd::nn::loss::l2_penalty;
use micrograd::nn::{MLP, Module};
use micrograd::optim::{Adam, Optimizer};

const STEPS: usize = 100;
const LEARNING_RATE: f64 = 0.1;
const L2: f64 = 1e-4;
const GRID: usize = 30;

fn main() -> ExitCode {
    let mut rng = micrograd::rng(1);
    let rows = match env::args_os().nth(1) {
        None => Ok(make_moons(100, 0.1, &mut rng)),
        Some(path) => read_rows(Path::new(&path)),
    };
    match rows {
        Ok(rows) => {
            let model = MLP::new(2, &[16, 16, 1], &mut rng);
            println!("{model}, {} parameters", model.parameters().len());
            train(&model, &rows);
            draw(&model, &rows);
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn train(model: &MLP, rows: &[[f64; 3]]) {
    let mut optim = Adam::new(model.parameters(), LEARNING_RATE);
    for step in 1..=STEPS {
        let scores: Vec<_> = rows.iter().map(|&[x, y, _]| score(model, x, y)).collect();
        let loss = loss(model, &scores, rows);
        optim.zero_grad();
        loss.backward();
        optim.step();
        println!(
            "step {step:3}  loss {:.6}  accuracy {:5.1} %",
            loss.data(),
            accuracy(&scores, rows)
        );
    }
}

/// The score of a point, positive for the lower moon.
fn score(model: &MLP, x: f64, y: f64) -> Value {
    model.forward(&[Value::new(x), Value::new(y)]).remove(0)
}

/// The mean hinge loss, max(0, 1 - label · score), and a penalty on large parameters.
fn loss(model: &MLP, scores: &[Value], rows: &[[f64; 3]]) -> Value {
    let losses = scores
        .iter()
        .zip(rows)
        .map(|(score, [_, _, label])| (1.0 - *label * score).relu());
    losses.sum::<Value>() / rows.len() as f64 + L2 * l2_penalty(&model.parameters())
}

/// The percentage of scores on the right side of 0.
fn accuracy(scores: &[Value], rows: &[[f64; 3]]) -> f64 {
    let right = scores
        .iter()
        .zip(rows)
        .filter(|(score, [_, _, label])| (score.data() > 0.0) == (*label > 0.0))
        .count();
    100.0 * right as f64 / rows.len() as f64
}

/// Draws the sign of the score over the region of the points: rows from high y to low y, x from
/// left to right.
fn draw(model: &MLP, rows: &[[f64; 3]]) {
    let xs = grid(rows.iter().map(|row| row[0]));
    let ys = grid(rows.iter().map(|row| row[1]));
    for &y in ys.iter().rev() {
        let line: Vec<_> = xs
            .iter()
            .map(|&x| {
                if score(model, x, y).data() > 0.0 {
                    "■"
                } else {
                    "□"
                }
            })
            .collect();
        println!("{}", line.join(" "));
    }
}

/// Evenly spaced coordinates that cover all of `coordinates` and a margin around them.
fn grid(coordinates: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    const MARGIN: f64 = 0.5;
    let low = coordinates.clone().fold(f64::INFINITY, f64::min) - MARGIN;
    let high = coordinates.fold(f64::NEG_INFINITY, f64::max) + MARGIN;
    (0..GRID)
        .map(|i| low + (high - low) * i as f64 / (GRID - 1) as f64)
        .collect()
}

/// Reads rows of `x,y,label`. Blank lines and lines with these names are skipped.
fn read_rows(path: &Path) -> Result<Vec<[f64; 3]>, String> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let row = line
            .map_err(|error| error.to_string())
            .and_then(|line| parse_row(&line))
            .map_err(|problem| format!("{}:{number}: {problem}", path.display()))?;
        rows.extend(row);
    }
    if rows.is_empty() {
        return Err(format!("{}: there is no row in it", path.display()));
    }
    Ok(rows)
}

/// The row on a line; `None` if the line is blank or names the columns.
fn parse_row(line: &str) -> Result<Option<[f64; 3]>, String> {
    let fields: Vec<_> = line.split(',').map(str::trim).collect();
    let &[x, y, label] = fields.as_slice() else {
        return match line.trim() {
            "" => Ok(None),
            _ => Err(format!(
                "expected 3 columns, x,y,label, found {}",
                fields.len()
            )),
        };
    };
    if fields == ["x", "y", "label"] {
        return Ok(None);
    }
    let label = match parse_number(label)? {
        -1.0 | 0.0 => -1.0,
        1.0 => 1.0,
        _ => return Err(format!("expected the label -1, 0 or 1, found '{label}'")),
    };
    Ok(Some([parse_number(x)?, parse_number(y)?, label]))
}

fn parse_number(field: &str) -> Result<f64, String> {
    field
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| format!("expected a finite number, found '{field}'"))
}
