//! Trains a net to read handwritten digits, and saves it in a file that PyTorch can open. It needs
//! `--features safetensors`; the training itself is in `digits/training.rs`.
//!
//! The first argument is the path of the file; by default, it is in the directory for temporary
//! files. A checkpoint of the training, with the extension `checkpoint`, is kept next to it; an
//! interrupted run resumes from there when it is started again. The second argument is an epoch to
//! stop after:
//!
//! ```sh
//! cargo run --release --features safetensors --example digits target/digits.safetensors 10
//! cargo run --release --features safetensors --example digits target/digits.safetensors
//! ```

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use micrograd::metrics::{ConfusionMatrix, accuracy};
use micrograd::nn::{MLP, Module};

use training::{CLASSES, Digit, EPOCHS, SIDE, Training, classes, logits, predictions};

#[path = "digits/training.rs"]
pub mod training;

/// The maximum number of misread digits drawn.
const DRAWN: usize = 5;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let (path, last) = arguments()?;
    let checkpoint = path.with_extension("checkpoint");
    let mut training = Training::new(0);
    let (train, test) = (training.train.len(), training.test.len());
    println!(
        "{} on {train} digits, tested with {test} others",
        training.model
    );
    if checkpoint.exists() {
        training.resume(&checkpoint)?;
        println!("resumes after epoch {} of {EPOCHS}", training.epoch());
    }
    train_with_progress(&mut training, last, &checkpoint)?;
    if training.epoch() < EPOCHS {
        println!(
            "stopped; start again to resume from {}",
            checkpoint.display()
        );
        return Ok(());
    }

    let Training { model, test, .. } = training;
    let (read, actual) = (predictions(&model, &test), classes(&test));
    println!("accuracy {:.2} %", 100.0 * accuracy(&read, &actual));
    println!("\nactual digits down, predicted digits across:");
    println!("{}\n", ConfusionMatrix::new(&read, &actual, CLASSES));
    draw_misread(&test, &read);
    save_and_load(&model, &test, &path)?;
    fs::remove_file(&checkpoint)
        .map_err(|error| format!("{}: {error}", checkpoint.display()).into())
}

/// The file for the net, and the epoch after which to stop.
fn arguments() -> Result<(PathBuf, usize), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let path = arguments.next().map(PathBuf::from);
    let path = path.unwrap_or_else(|| env::temp_dir().join("digits.safetensors"));
    let Some(last) = arguments.next() else {
        return Ok((path, EPOCHS));
    };
    let last = last.to_str().and_then(|last| last.parse().ok());
    match last.filter(|last| *last <= EPOCHS) {
        Some(last) => Ok((path, last)),
        None => Err(format!("the second argument is an epoch, from 0 to {EPOCHS}").into()),
    }
}

fn train_with_progress(
    training: &mut Training,
    last: usize,
    checkpoint: &Path,
) -> Result<(), Box<dyn Error>> {
    let style = ProgressStyle::with_template("{bar:30} epoch {pos}/{len}  {msg}")?;
    let bar = ProgressBar::new(EPOCHS as u64).with_style(style);
    bar.set_position(training.epoch() as u64);
    let (start, before) = (Instant::now(), training.epoch());
    let mut message = String::new();
    while training.epoch() < last {
        let progress = training.train_epoch();
        training.save(checkpoint)?;
        let percent = 100.0 * progress.accuracy;
        message = format!("loss {:.4}  accuracy {percent:.2} %", progress.loss);
        bar.inc(1);
        bar.set_message(message.clone());
    }
    bar.finish_and_clear();
    println!(
        "{} epochs in {:.2} s: {message}",
        training.epoch() - before,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Draws the first few misread digits, side by side.
fn draw_misread(digits: &[Digit], read: &[usize]) {
    let misread: Vec<_> = digits
        .iter()
        .zip(read)
        .filter(|(digit, read)| digit.class != **read)
        .take(DRAWN)
        .collect();
    if misread.is_empty() {
        return;
    }
    let cell = |text: String| format!("{text:<20}");
    let titles = misread
        .iter()
        .map(|(digit, read)| cell(format!("{} read as {read}", digit.class)));
    println!("{}", titles.collect::<String>().trim_end());
    for row in 0..SIDE {
        let lines = misread.iter().map(|(digit, _)| {
            let pixels = &digit.pixels[row * SIDE..(row + 1) * SIDE];
            cell(
                pixels
                    .iter()
                    .map(|&pixel| [shade(pixel); 2].concat())
                    .collect(),
            )
        });
        println!("{}", lines.collect::<String>().trim_end());
    }
    println!();
}

fn shade(pixel: f64) -> &'static str {
    match pixel {
        ..0.1 => " ",
        ..0.35 => "░",
        ..0.6 => "▒",
        ..0.85 => "▓",
        _ => "█",
    }
}

fn save_and_load(model: &MLP, test: &[Digit], path: &Path) -> Result<(), Box<dyn Error>> {
    model.save(path)?;
    // The seed is different, so the weights differ until the file is loaded.
    let loaded = Training::new(1).model;
    let differed = logits(&loaded, test) != logits(model, test);
    loaded.load(path)?;
    let same = logits(&loaded, test) == logits(model, test);
    println!("saved to {} and loaded into another net:", path.display());
    println!("the outputs differed before: {differed}; they are the same now: {same}");
    Ok(())
}
