//! Checkpoints: model, optimizer and note are restored together, or not at all.
#![cfg(feature = "safetensors")]

mod common {
    pub(crate) mod panics;
}

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use common::panics::panic_of;
use micrograd::checkpoint;
use micrograd::engine::Value;
use micrograd::nn::{Block, MLP, Module};
use micrograd::optim::{Adam, Momentum, Optimizer, RMSProp, SGD};

/// A net and an optimizer that has taken some steps.
fn trained<O: Optimizer>(
    seed: u64,
    sizes: &[usize],
    optimizer: fn(Vec<Value>) -> O,
    steps: usize,
) -> (MLP, O) {
    let model = MLP::new(2, sizes, &mut micrograd::rng(seed));
    let mut optim = optimizer(model.parameters());
    for step in 0..steps {
        for (i, parameter) in model.parameters().iter().enumerate() {
            parameter.set_grad(((i + 1) * (step + 2)) as f64 * 0.1);
        }
        optim.step();
    }
    (model, optim)
}

fn adam(parameters: Vec<Value>) -> Adam {
    Adam::new(parameters, 0.1)
}

fn rmsprop(parameters: Vec<Value>) -> RMSProp {
    RMSProp::new(parameters, 0.1)
}

type Whole = (Vec<u64>, BTreeMap<String, Vec<f64>>);

/// Everything that a checkpoint holds of a model and its optimizer, for comparison.
fn whole(model: &MLP, optim: &impl Optimizer) -> Whole {
    let bits = model.numbers().into_iter().map(f64::to_bits).collect();
    (bits, optim.state())
}

fn path(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("checkpoint");
    fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

#[test]
fn model_optimizer_and_note_are_restored() {
    let path = path("all");
    let (model, optim) = trained(1, &[3, 1], adam, 5);
    checkpoint::save(&path, &model, &optim, "epoch 5, \"loss\" 0.1").unwrap();
    let (other, mut other_optim) = trained(2, &[3, 1], adam, 2);
    let note = checkpoint::load(&path, &other, &mut other_optim).unwrap();
    assert_eq!(note, "epoch 5, \"loss\" 0.1");
    assert_eq!(other_optim.steps(), 5);
    assert_eq!(whole(&other, &other_optim), whole(&model, &optim));
}

#[test]
fn names_and_shapes_agree_with_pytorch() {
    let path = path("names");
    // The parameters are in a different order than in the blocks.
    let (model, optim) = trained(1, &[2], adam, 1);
    checkpoint::save(&path, &model, &optim, "").unwrap();
    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &str| {
        let tensor = file.tensor(name).unwrap();
        let numbers = tensor.data().chunks(8);
        let numbers = numbers.map(|number| f64::from_le_bytes(number.try_into().unwrap()));
        (tensor.shape().to_vec(), numbers.collect::<Vec<_>>())
    };
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "model.layers.0.bias",
            "model.layers.0.weight",
            "optimizer.exp_avg.layers.0.bias",
            "optimizer.exp_avg.layers.0.weight",
            "optimizer.exp_avg_sq.layers.0.bias",
            "optimizer.exp_avg_sq.layers.0.weight",
            "optimizer.step",
        ]
    );
    assert_eq!(numbers("optimizer.step"), (vec![], vec![1.0]));
    let m = &optim.state()["exp_avg"]; // neuron by neuron: two weights and a bias
    let weights = vec![m[0], m[1], m[3], m[4]];
    let of_weights = numbers("optimizer.exp_avg.layers.0.weight");
    assert_eq!(of_weights, (vec![2, 2], weights));
    let of_biases = numbers("optimizer.exp_avg.layers.0.bias");
    assert_eq!(of_biases, (vec![2], vec![m[2], m[5]]));
}

#[test]
fn layers_that_are_not_trained_have_no_state() {
    let path = path("frozen");
    let last_layer = |model: &MLP| {
        let parameters = model.layers()[1].parameters();
        Momentum::new(parameters, 0.1)
    };
    let [model, other] = [1, 2].map(|seed| MLP::new(2, &[3, 1], &mut micrograd::rng(seed)));
    let mut optim = last_layer(&model);
    for parameter in model.parameters() {
        parameter.set_grad(0.5);
    }
    optim.step();
    checkpoint::save(&path, &model, &optim, "").unwrap();
    let mut other_optim = last_layer(&other);
    checkpoint::load(&path, &other, &mut other_optim).unwrap();
    assert_eq!(whole(&other, &other_optim), whole(&model, &optim));
    // An optimizer of all layers needs more state than the file has.
    let mut all = Momentum::new(other.parameters(), 0.1);
    let error = checkpoint::load(&path, &other, &mut all).unwrap_err();
    let error = error.to_string();
    assert!(
        error.ends_with(
            "\n    optimizer.momentum_buffer.layers.0.weight [3, 2] is missing\
             \n    optimizer.momentum_buffer.layers.0.bias [3] is missing"
        ),
        "{error}"
    );
}

/// Asserts that the file does not load and that nothing changes. Returns the message without the
/// path.
#[track_caller]
fn refused<O: Optimizer>(path: &PathBuf, model: &MLP, optim: &mut O) -> String {
    let before = whole(model, optim);
    let error = checkpoint::load(path, model, optim)
        .unwrap_err()
        .to_string();
    assert_eq!(whole(model, optim), before);
    let message = error.strip_prefix(&format!("{}: ", path.display()));
    message.unwrap_or_else(|| panic!("{error}")).to_string()
}

#[test]
fn a_file_of_another_model_or_optimizer_is_refused_with_all_misfits() {
    let path = path("other");
    let (model, optim) = trained(1, &[1], adam, 5);
    checkpoint::save(&path, &model, &optim, "").unwrap();

    let (model, mut optim) = trained(2, &[2], rmsprop, 3);
    assert_eq!(
        refused(&path, &model, &mut optim),
        "the file does not fit the model and optimizer:
    model.layers.0.weight has the shape [1, 2], not [2, 2]
    model.layers.0.bias has the shape [1], not [2]
    optimizer.square_avg.layers.0.weight [2, 2] is missing
    optimizer.square_avg.layers.0.bias [2] is missing
    optimizer.exp_avg.layers.0.bias is only in the file
    optimizer.exp_avg.layers.0.weight is only in the file
    optimizer.exp_avg_sq.layers.0.bias is only in the file
    optimizer.exp_avg_sq.layers.0.weight is only in the file"
    );
}

#[test]
fn momentum_does_not_resume_from_plain_descent() {
    let path = path("plain");
    let (model, optim) = trained(1, &[1], |p| SGD::new(p, 0.1), 5);
    checkpoint::save(&path, &model, &optim, "").unwrap();
    let (model, mut optim) = trained(1, &[1], |p| Momentum::new(p, 0.1), 0);
    let message = refused(&path, &model, &mut optim);
    assert!(
        message.contains("momentum_buffer.layers.0.weight [1, 2] is missing"),
        "{message}"
    );
}

#[test]
fn every_truncated_file_is_refused() {
    let path = path("truncated");
    let (model, optim) = trained(1, &[1], adam, 5);
    checkpoint::save(&path, &model, &optim, "note").unwrap();
    let bytes = fs::read(&path).unwrap();
    let (model, mut optim) = trained(2, &[1], adam, 3);
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let message = refused(&path, &model, &mut optim);
        assert!(message.starts_with("not a safetensors file: "), "{message}");
    }
}

#[test]
fn invalid_numbers_are_refused() {
    let path = path("numbers");
    let (model, optim) = trained(1, &[1], adam, 5);
    checkpoint::save(&path, &model, &optim, "note").unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 8; // `optimizer.step`, because the tensors are sorted by name
    let (model, mut optim) = trained(2, &[1], adam, 3);
    for (steps, misfit) in [
        (1.5, "optimizer.step is 1.5, which is not a step count"),
        (-1.0, "optimizer.step is -1, which is not a step count"),
        (f64::INFINITY, "optimizer.step[] is inf"),
    ] {
        bytes[last..].copy_from_slice(&f64::to_le_bytes(steps));
        bytes[last - 8..last].copy_from_slice(&f64::NAN.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let message = refused(&path, &model, &mut optim);
        let both = [
            "\n    optimizer.exp_avg_sq.layers.0.weight[0, 1] is NaN",
            misfit,
        ];
        assert!(both.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn a_checkpoint_that_could_not_be_loaded_is_not_saved() {
    let path = path("unsaved");
    let (model, optim) = trained(1, &[1], adam, 5);
    checkpoint::save(&path, &model, &optim, "good").unwrap();
    let refused = |model: &MLP, optim: &Adam, note: &str, expected: &str| {
        let error = checkpoint::save(&path, model, optim, note).unwrap_err();
        assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
        let (model, mut optim) = trained(2, &[1], adam, 0);
        assert_eq!(checkpoint::load(&path, &model, &mut optim).unwrap(), "good");
    };
    let long = "x".repeat(2 << 20);
    let too_large = "the note has 2097152 bytes, more than 150000";
    refused(&model, &optim, &long, too_large);

    let (diverged, optim) = trained(1, &[1], adam, 1);
    diverged.parameters()[1].set_grad(f64::INFINITY);
    let mut optim = optim;
    optim.step();
    diverged.parameters()[1].set_data(0.0);
    let infinite = "optimizer.exp_avg.layers.0.weight[0, 1] is inf";
    refused(&diverged, &optim, "", infinite);

    let two_blocks = model.parameters();
    let some = Adam::new(two_blocks[1..].to_vec(), 0.1);
    let part = "the optimizer moves 1 of the 2 parameters of layers.0.weight";
    refused(&model, &some, "", part);
    let others = Adam::new([two_blocks, vec![Value::new(0.0)]].concat(), 0.1);
    let foreign = "parameter 3 of the optimizer is not in the model";
    refused(&model, &others, "", foreign);
}

#[test]
fn an_error_keeps_its_cause() {
    let (model, mut optim) = trained(1, &[1], adam, 0);
    let missing = checkpoint::load(path("missing"), &model, &mut optim).unwrap_err();
    let cause = missing.source().unwrap().downcast_ref::<std::io::Error>();
    assert_eq!(cause.unwrap().kind(), std::io::ErrorKind::NotFound);
    let broken = model.load_bytes(b"broken").unwrap_err();
    let cause = broken.source().unwrap();
    assert!(cause.is::<safetensors::SafeTensorError>());
    let file = model.to_bytes().unwrap();
    let misfit = MLP::new(3, &[1], &mut micrograd::rng(0)).load_bytes(&file);
    assert!(misfit.unwrap_err().source().is_none());
}

#[test]
fn a_guard_is_a_callers_mistake_and_changes_nothing() {
    let path = path("guard");
    let (model, optim) = trained(1, &[1], adam, 5);
    checkpoint::save(&path, &model, &optim, "").unwrap();
    let (model, mut optim) = trained(2, &[1], adam, 3);
    let before = whole(&model, &optim);
    let parameters = model.parameters();
    let guard = parameters[2].borrow();
    let line = line!() + 1;
    let panic = panic_of(|| drop(checkpoint::load(&path, &model, &mut optim)));
    drop(guard);
    assert_eq!(panic.1, line, "{}", panic.0);
    assert_eq!(whole(&model, &optim), before);
    let guard = parameters[2].borrow_mut();
    let line = line!() + 1;
    let panic = panic_of(|| drop(checkpoint::save(&path, &model, &optim, "")));
    drop(guard);
    assert_eq!(panic.1, line, "{}", panic.0);
}

/// A module whose one parameter is in two blocks.
struct Tied(Value);

impl Module for Tied {
    fn blocks(&self) -> Vec<Block> {
        ["in", "out"]
            .map(|name| Block::new(name, &[], vec![self.0.clone()]))
            .to_vec()
    }
}

#[test]
fn a_parameter_may_be_in_two_blocks_and_an_optimizer_behind_dyn() {
    let path = path("tied");
    let pair = |number| {
        let model = Tied(Value::new(number));
        let optim = Momentum::new(model.parameters(), 0.1);
        let optim: Box<dyn Optimizer> = Box::new(optim);
        (model, optim)
    };
    let (model, mut optim) = pair(1.0);
    model.0.set_grad(2.0);
    optim.step();
    checkpoint::save(&path, &model, &*optim, "").unwrap();
    let (other, mut other_optim) = pair(3.0);
    checkpoint::load(&path, &other, &mut *other_optim).unwrap();
    assert_eq!(other.0.data(), model.0.data());
    assert_eq!(other_optim.state(), optim.state());
}
