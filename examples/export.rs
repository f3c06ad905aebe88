//! Trains a net on the two moons and writes it as C, to `moons.c` or to the path given as argument.
//!
//! `classify.c`, next to this file, is a program that calls it:
//!
//! ```sh
//! cargo run --release --example export
//! cc -std=c99 -Wall -Werror -ffp-contract=off moons.c examples/classify.c -lm -o classify
//! echo '0 1  1 -0.5' | ./classify
//! ```

use std::process::ExitCode;
use std::{env, fs};

use micrograd::data::make_moons;
use micrograd::nn::{MLP, Module, loss};
use micrograd::optim::{Adam, Optimizer};
use micrograd::tape::{Source, Tape};

const STEPS: usize = 100;

fn main() -> ExitCode {
    let path = env::args().nth(1).unwrap_or_else(|| "moons.c".into());
    let source = match source_of(&train()) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = fs::write(&path, &source) {
        eprintln!("{path}: {error}");
        return ExitCode::FAILURE;
    }
    println!("{path}: {} lines of C", source.lines().count());
    ExitCode::SUCCESS
}

fn train() -> MLP {
    let mut rng = micrograd::rng(1);
    let rows = make_moons(100, 0.1, &mut rng);
    let model = MLP::new(2, &[16, 16, 1], &mut rng);
    let hinge = Tape::trace(|[x, y, label]| loss::hinge(&model.forward(&[x, y]), &[label]));
    let mut optim = Adam::new(model.parameters(), 0.02);
    for _ in 0..STEPS {
        optim.zero_grad();
        hinge.backward(&rows);
        optim.step();
    }
    model
}

/// C code for the score of a point, which is above 0 for the lower moon, and for its gradient.
fn source_of(model: &MLP) -> Result<String, micrograd::tape::SourceError> {
    let score = Tape::trace(|[x, y]| model.forward(&[x, y]).remove(0));
    let mut source = Source::c();
    source.add("moons", &score.freeze())?;
    Ok(source.to_string())
}
