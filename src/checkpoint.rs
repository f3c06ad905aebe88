//! Training that can be interrupted: model, optimizer and a note in one file, with the feature
//! `safetensors`.
//!
//! A run that is saved, loaded in another process and continued gives the same bits as an
//! uninterrupted one, if its random numbers are the same: shuffle each epoch with a generator of
//! its own, [`epoch_rng`](crate::epoch_rng).
//!
//! ```
//! use micrograd::checkpoint;
//! use micrograd::data::{batches, make_moons};
//! use micrograd::engine::Value;
//! use micrograd::nn::{MLP, Module, StateError, loss};
//! use micrograd::optim::{Adam, Optimizer};
//!
//! /// Trains until so many epochs are done, and saves after each.
//! fn train(path: &std::path::Path, epochs: u64) -> Result<MLP, StateError> {
//!     let mut rng = micrograd::rng(0);
//!     let rows = make_moons(20, 0.1, &mut rng);
//!     let model = MLP::new(2, &[4, 1], &mut rng);
//!     let mut optim = Adam::new(model.parameters(), 0.01);
//!     let mut epoch = 0;
//!     if path.exists() {
//!         let note = checkpoint::load(path, &model, &mut optim)?;
//!         epoch = note.parse().expect("the number that was saved");
//!     }
//!     while epoch < epochs {
//!         for batch in batches(&rows, 5, &mut micrograd::epoch_rng(0, epoch)) {
//!             optim.zero_grad();
//!             let losses = batch.iter().map(|&&[x, y, label]| {
//!                 let score = model.forward(&[x, y].map(Value::new));
//!                 loss::hinge(&score, &[Value::new(label)])
//!             });
//!             losses.sum::<Value>().backward();
//!             optim.step();
//!         }
//!         epoch += 1;
//!         checkpoint::save(path, &model, &optim, &epoch.to_string())?;
//!     }
//!     Ok(model)
//! }
//!
//! let [broken, whole] = ["broken.safetensors", "whole.safetensors"]
//!     .map(|name| std::env::temp_dir().join(name));
//! train(&broken, 1)?;
//! let continued = train(&broken, 3)?; // does the second epoch and the third
//! assert_eq!(continued.numbers(), train(&whole, 3)?.numbers());
//! # for path in [broken, whole] {
//! #     std::fs::remove_file(path).unwrap();
//! # }
//! # Ok::<(), StateError>(())
//! ```
//!
//! The file holds the parameters as `model.layers.0.weight`, and the optimizer's numbers for them
//! as `optimizer.exp_avg.layers.0.weight`, in the same shape; `optimizer.step` is the number of
//! steps. The names are PyTorch's: `gallery/checkpoint.py` resumes from such a file there.
//! Settings, such as the learning rate, are not in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use crate::engine::Value;
use crate::nn::state::{self, StateError, Tensor};
use crate::nn::{Block, Module};
use crate::optim::{self, Optimizer};

/// The key of the note in the metadata of the file.
const NOTE: &str = "note";
/// The quantity of a state that is one number, not one for each parameter.
const STEP: &str = "step";
/// The most bytes of a note. Each takes at most six in the header, so it fits into any file.
const LONGEST_NOTE: usize = 150_000;

/// Saves the parameters of the model, the [`state`](Optimizer::state) of the optimizer and a note:
/// a line of your own, such as the epoch.
///
/// An interrupted save leaves the old file intact; a completed one replaces it and keeps its
/// permissions. If the process is killed, a file `.tmp…` may remain beside it.
///
/// # Errors
///
/// If the file cannot be written, if two blocks have the same name, if the optimizer moves a
/// parameter that the model lacks, or only some of a block, if a number is not finite, or if the
/// note is longer than 150,000 bytes. The old file stays intact.
///
/// # Panics
///
/// If a guard from [`borrow_mut`](Value::borrow_mut) of a parameter is alive.
#[track_caller]
pub fn save(
    path: impl AsRef<Path>,
    model: &(impl Module + ?Sized),
    optimizer: &(impl Optimizer + ?Sized),
    note: &str,
) -> Result<(), StateError> {
    let path = path.as_ref();
    let bytes = bytes_of(model, optimizer, note);
    let saved = bytes.and_then(|bytes| state::replace_file(path, &bytes));
    saved.map_err(|error| error.in_file(path))
}

#[track_caller]
fn bytes_of(
    model: &(impl Module + ?Sized),
    optimizer: &(impl Optimizer + ?Sized),
    note: &str,
) -> Result<Vec<u8>, StateError> {
    if note.len() > LONGEST_NOTE {
        return Err(StateError::new(format_args!(
            "the note has {} bytes, more than {LONGEST_NOTE}",
            note.len()
        )));
    }
    let tensors = Layout::new(model, optimizer)?.tensors(&optimizer.state())?;
    state::bytes_of(&tensors, [(NOTE.into(), note.into())].into())
}

/// Restores model and optimizer from a file saved from such a pair, and returns the note.
///
/// # Errors
///
/// If the file cannot be read, or is not a safetensors file; or if it does not fit the model and
/// the optimizer, for instance because it was saved from others, or holds non-finite numbers. The
/// message lists all misfits. Neither model nor optimizer is changed in that case.
///
/// # Panics
///
/// If a guard of a parameter is alive. Nothing is changed in that case.
#[track_caller]
pub fn load(
    path: impl AsRef<Path>,
    model: &(impl Module + ?Sized),
    optimizer: &mut (impl Optimizer + ?Sized),
) -> Result<String, StateError> {
    let path = path.as_ref();
    load_whole(path, model, optimizer).map_err(|error| error.in_file(path))
}

#[track_caller]
fn load_whole(
    path: &Path,
    model: &(impl Module + ?Sized),
    optimizer: &mut (impl Optimizer + ?Sized),
) -> Result<String, StateError> {
    let layout = Layout::new(model, optimizer)?;
    let mut state = optimizer.state();
    let mut tensors = layout.tensors(&state)?;
    let bytes = state::read(path, &tensors)?;
    let mut filled = state::fill(&mut tensors, &bytes, "model and optimizer")?;
    layout.take_state(&tensors, &mut state);
    let misfit = optim::not_a_count(state[STEP][0]);
    filled
        .misfits
        .extend(misfit.map(|misfit| format!("optimizer.{misfit}")));
    let mut metadata = filled.expect_fit()?;

    for block in &layout.blocks {
        block.expect_writable();
    }
    optimizer.set_state(&state);
    state::set_parameters(&layout.blocks, &tensors);
    Ok(metadata.remove(NOTE).unwrap_or_default())
}

/// How the parameters of an optimizer lie in the blocks of a model.
struct Layout {
    blocks: Vec<Block>,
    /// For each block, the places of its parameters among those of the optimizer; None if the
    /// optimizer moves none of them.
    moved: Vec<Option<Vec<usize>>>,
}

type State = BTreeMap<String, Vec<f64>>;

impl Layout {
    fn new(
        model: &(impl Module + ?Sized),
        optimizer: &(impl Optimizer + ?Sized),
    ) -> Result<Self, StateError> {
        let blocks = model.blocks();
        let parameters = optimizer.parameters();
        let places = parameters.iter().map(Value::id).zip(0..);
        let places: HashMap<_, usize> = places.collect();
        let mut missed: BTreeSet<_> = (0..parameters.len()).collect();
        let mut moved = Vec::new();
        for block in &blocks {
            let place = |value: &Value| places.get(&value.id()).copied();
            let of_block: Vec<_> = block.values().iter().filter_map(place).collect();
            if !of_block.is_empty() && of_block.len() < block.values().len() {
                return Err(StateError::new(format_args!(
                    "the optimizer moves {} of the {} parameters of {}",
                    of_block.len(),
                    block.values().len(),
                    block.name()
                )));
            }
            for place in &of_block {
                missed.remove(place);
            }
            moved.push((!of_block.is_empty()).then_some(of_block));
        }
        match missed.first() {
            Some(place) => Err(StateError::new(format_args!(
                "parameter {place} of the optimizer is not in the model"
            ))),
            None => Ok(Self { blocks, moved }),
        }
    }

    /// The parameters of the model, followed by the state of the optimizer.
    #[track_caller]
    fn tensors(&self, state: &State) -> Result<Vec<Tensor>, StateError> {
        let mut tensors = state::tensors_of(&self.blocks)?;
        for tensor in &mut tensors {
            tensor.name = format!("model.{}", tensor.name);
        }
        for (quantity, numbers) in state {
            if quantity == STEP {
                tensors.push(Tensor {
                    name: format!("optimizer.{quantity}"),
                    shape: vec![],
                    numbers: numbers.clone(),
                });
                continue;
            }
            for (block, places) in self.moved_blocks() {
                tensors.push(Tensor {
                    name: format!("optimizer.{quantity}.{}", block.name()),
                    shape: block.shape().to_vec(),
                    numbers: places.iter().map(|&place| numbers[place]).collect(),
                });
            }
        }
        Ok(tensors)
    }

    /// Reads a state from tensors in the order of [`tensors`](Self::tensors).
    fn take_state(&self, tensors: &[Tensor], state: &mut State) {
        let mut tensors = tensors[self.blocks.len()..].iter();
        for (quantity, numbers) in state {
            if quantity == STEP {
                numbers.clone_from(&tensors.next().expect("as made").numbers);
                continue;
            }
            for ((_, places), tensor) in self.moved_blocks().zip(&mut tensors) {
                for (&place, &number) in places.iter().zip(&tensor.numbers) {
                    numbers[place] = number;
                }
            }
        }
    }

    /// The blocks that the optimizer moves, each with the places of its parameters.
    fn moved_blocks(&self) -> impl Iterator<Item = (&Block, &[usize])> {
        let pairs = self.blocks.iter().zip(&self.moved);
        pairs.filter_map(|(block, places)| Some((block, places.as_deref()?)))
    }
}
