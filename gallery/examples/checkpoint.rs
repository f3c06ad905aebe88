//! The Rust half of a training run that moves to PyTorch and back midway; `gallery/checkpoint.py`
//! is the other half, and `notes/Interop.md` shows how to run both.
//!
//! `checkpoint write DIR` trains a net with each of several optimizers, saves a checkpoint, takes
//! one more step, and saves the resulting net. `checkpoint read DIR` loads the checkpoints that
//! PyTorch saved there, takes a step, and compares the net with PyTorch's after the same step.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use micrograd::checkpoint;
use micrograd::engine::Value;
use micrograd::nn::{MLP, Module, loss};
use micrograd::optim::{Adam, Momentum, Optimizer, RMSProp, SGD};
use micrograd::tape::Tape;
use micrograd_gallery::{CLASSES, Digit, PIXELS, digits, exit_code};

/// The size of the batch, which is the first digits of the data set in every step.
const BATCH: usize = 32;
/// The number of steps before a checkpoint.
const STEPS: usize = 20;
/// The largest difference allowed between parameters after the same step.
const TOLERANCE: f64 = 1e-12;

type NewOptimizer = fn(Vec<Value>) -> Box<dyn Optimizer>;

/// The optimizers, with the same names and settings as in `checkpoint.py`.
const OPTIMIZERS: [(&str, NewOptimizer); 5] = [
    ("sgd", |p| Box::new(SGD::new(p, 0.1).weight_decay(1e-3))),
    ("momentum", |p| Box::new(Momentum::new(p, 0.05).nesterov())),
    ("rmsprop", |p| {
        Box::new(RMSProp::new(p, 0.001).centered().momentum(0.9))
    }),
    ("adam", |p| Box::new(Adam::new(p, 0.01).amsgrad())),
    ("adamw", |p| {
        Box::new(Adam::new(p, 0.01).decoupled_weight_decay(0.01))
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    exit_code(match &arguments[..] {
        [command, directory] if command == "write" => write(Path::new(directory)),
        [command, directory] if command == "read" => read(Path::new(directory)),
        _ => Err("usage: checkpoint write|read DIR".into()),
    })
}

/// A net, its optimizer, and the loss to minimise.
struct Training {
    model: MLP,
    optim: Box<dyn Optimizer>,
    tape: Tape,
    batch: Vec<Vec<f64>>,
}

impl Training {
    fn new(seed: u64, optimizer: NewOptimizer) -> Self {
        let model = MLP::new(PIXELS, &[32, CLASSES], &mut micrograd::rng(seed));
        let tape = Tape::trace_slice(PIXELS + CLASSES, |row| {
            let (pixels, targets) = row.split_at(PIXELS);
            loss::cross_entropy(&model.forward(pixels), targets, 0.0)
        });
        Self {
            optim: optimizer(model.parameters()),
            tape,
            model,
            batch: digits().iter().take(BATCH).map(Digit::row).collect(),
        }
    }

    fn step(&mut self) {
        self.optim.zero_grad();
        self.tape.backward(&self.batch);
        self.optim.step();
    }
}

fn write(directory: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(directory)?;
    for (name, optimizer) in OPTIMIZERS {
        let mut training = Training::new(0, optimizer);
        for _ in 0..STEPS {
            training.step();
        }
        let path = directory.join(format!("{name}.safetensors"));
        checkpoint::save(path, &training.model, &*training.optim, "by micrograd")?;
        training.step();
        let path = directory.join(format!("{name}-next.safetensors"));
        training.model.save(path)?;
    }
    println!("wrote {} checkpoints", OPTIMIZERS.len());
    Ok(())
}

fn read(directory: &Path) -> Result<(), Box<dyn Error>> {
    for (name, optimizer) in OPTIMIZERS {
        // The seed is not that of `write`, so the weights differ until the checkpoint is loaded.
        let mut training = Training::new(1, optimizer);
        let path = directory.join(format!("{name}-pytorch.safetensors"));
        let note = checkpoint::load(path, &training.model, &mut *training.optim)?;
        training.step();
        let theirs = Training::new(1, optimizer).model;
        theirs.load(directory.join(format!("{name}-pytorch-next.safetensors")))?;
        let difference = largest_difference(&training.model, &theirs);
        let steps = training.optim.steps();
        println!("{name} ({note}): step {steps} differs by at most {difference:e}");
        if difference > TOLERANCE {
            return Err(format!("{name} differs by more than {TOLERANCE:e}").into());
        }
    }
    Ok(())
}

fn largest_difference(ours: &MLP, theirs: &MLP) -> f64 {
    let (ours, theirs) = (ours.numbers(), theirs.numbers());
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    differences.max_by(f64::total_cmp).unwrap_or(0.0)
}
