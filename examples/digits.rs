//! Trains a net to read handwritten digits, and saves it in a file that PyTorch opens. It needs
//! `--features safetensors`; the training itself is in `digits/training.rs`.
//!
//! The file goes to the path that is given as argument, else to the directory for temporary files.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use micrograd::metrics::{ConfusionMatrix, accuracy};
use micrograd::nn::{MLP, Module};

use training::{CLASSES, Digit, SIDE, Training, classes, logits, predictions};

#[path = "digits/training.rs"]
pub mod training;

const EPOCHS: usize = 40;
/// So many misread digits are drawn.
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
    let mut training = Training::new(0);
    let (train, test) = (training.train.len(), training.test.len());
    println!(
        "{} on {train} digits, tested with {test} others",
        training.model
    );
    train_with_progress(&mut training)?;

    let Training { model, test, .. } = training;
    let (read, actual) = (predictions(&model, &test), classes(&test));
    println!("accuracy {:.2} %", 100.0 * accuracy(&read, &actual));
    println!("\nactual digits downwards, read ones to the right:");
    println!("{}\n", ConfusionMatrix::new(&read, &actual, CLASSES));
    draw_misread(&test, &read);
    save_and_load(&model, &test)
}

fn train_with_progress(training: &mut Training) -> Result<(), Box<dyn Error>> {
    let style = ProgressStyle::with_template("{bar:30} epoch {pos}/{len}  {msg}")?;
    let bar = ProgressBar::new(EPOCHS as u64).with_style(style);
    let start = Instant::now();
    let mut last = String::new();
    training.run(EPOCHS, |progress| {
        let percent = 100.0 * progress.accuracy;
        last = format!("loss {:.4}  accuracy {percent:.2} %", progress.loss);
        bar.inc(1);
        bar.set_message(last.clone());
    });
    bar.finish_and_clear();
    println!(
        "{EPOCHS} epochs in {:.2} s: {last}",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Draws the first few, side by side.
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

fn save_and_load(model: &MLP, test: &[Digit]) -> Result<(), Box<dyn Error>> {
    let path = env::args_os()
        .nth(1)
        .map_or_else(|| env::temp_dir().join("digits.safetensors"), PathBuf::from);
    model.save(&path)?;
    // With other weights until it is loaded.
    let loaded = Training::new(1).model;
    let differed = logits(&loaded, test) != logits(model, test);
    loaded.load(&path)?;
    let same = logits(&loaded, test) == logits(model, test);
    println!("saved to {} and loaded into another net:", path.display());
    println!("the outputs differed before: {differed}; they are the same now: {same}");
    Ok(())
}
