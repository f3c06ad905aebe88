//! The Rust half of a comparison with PyTorch; `gallery/interop.py` is the other half, and
//! `notes/Interop.md` shows how to run both.
//!
//! `interop write DIR` saves a trained net there, with its outputs on the test set. Conversely,
//! `interop read DIR` loads the net that PyTorch saved there, and compares the outputs.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use micrograd::nn::Module;
use micrograd_gallery::{Digit, EPOCHS, Training, exit_code, logits};

/// Outputs of the same net must differ by less than this.
const TOLERANCE: f64 = 1e-12;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    exit_code(match &arguments[..] {
        [command, directory] if command == "write" => write(Path::new(directory)),
        [command, directory] if command == "read" => read(Path::new(directory)),
        _ => Err("usage: interop write|read DIR".into()),
    })
}

fn write(directory: &Path) -> Result<(), Box<dyn Error>> {
    let mut training = Training::new(0);
    while training.epoch() < EPOCHS {
        training.train_epoch();
    }
    let Training { model, test, .. } = training;
    fs::create_dir_all(directory)?;
    model.save(directory.join("micrograd.safetensors"))?;
    let pixels = test.iter().map(|digit| digit.pixels.to_vec());
    fs::write(directory.join("pixels.csv"), to_csv(pixels))?;
    fs::write(
        directory.join("micrograd.csv"),
        to_csv(logits(&model, &test)),
    )?;
    println!("wrote {model} and its outputs for {} digits", test.len());
    Ok(())
}

fn read(directory: &Path) -> Result<(), Box<dyn Error>> {
    // The same test set as in `write`, and an untrained net.
    let Training { model, test, .. } = Training::new(0);
    model.load(directory.join("pytorch.safetensors"))?;
    let theirs = from_csv(&directory.join("pytorch.csv"))?;
    let ours = logits(&model, &test);
    let difference = largest_difference(&test, &ours, &theirs)?;
    println!(
        "loaded PyTorch's net; outputs for {} digits differ by at most {difference:e}",
        test.len()
    );
    if difference < TOLERANCE {
        Ok(())
    } else {
        Err(format!("the outputs differ by more than {TOLERANCE:e}").into())
    }
}

fn largest_difference(
    digits: &[Digit],
    ours: &[Vec<f64>],
    theirs: &[Vec<f64>],
) -> Result<f64, Box<dyn Error>> {
    if theirs.len() != digits.len() || ours.iter().zip(theirs).any(|(a, b)| a.len() != b.len()) {
        return Err("pytorch.csv must have as many numbers as there are outputs".into());
    }
    let pairs = ours.iter().flatten().zip(theirs.iter().flatten());
    let differences = pairs.map(|(a, b)| (a - b).abs());
    Ok(differences.max_by(f64::total_cmp).unwrap_or(0.0)) // with NaN as the largest
}

fn to_csv(rows: impl IntoIterator<Item = Vec<f64>>) -> String {
    let line = |row: Vec<f64>| {
        let numbers: Vec<_> = row.iter().map(f64::to_string).collect();
        numbers.join(",") + "\n"
    };
    rows.into_iter().map(line).collect()
}

fn from_csv(path: &Path) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let parse = |line: &str| line.split(',').map(str::parse).collect::<Result<_, _>>();
    let rows: Result<_, _> = text.lines().map(parse).collect();
    rows.map_err(|error| format!("{}: {error}", path.display()).into())
}
