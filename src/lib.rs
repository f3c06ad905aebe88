//! A scalar reverse-mode autograd engine, with neural nets, optimizers and a tree printer on top.
//!
//! An expression of [`Value`](engine::Value)s computes its number and records how. `backward` walks
//! this record from the result to the leaves and gives each leaf the derivative of the result.
//!
//! ```
//! use micrograd::engine::Value;
//!
//! let a = Value::new(-4.0).with_name("a");
//! let b = Value::new(2.0).with_name("b");
//! let c = (&a * &b).tanh() + a.pow(2.0);
//! c.backward();
//! println!("{}", c.tree());
//! # assert!((a.grad() - (-8.0)).abs() < 1e-5);
//! ```
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | differentiate an expression | [`Value`](engine::Value), and the conventions in [`engine`] |
//! | get a Jacobian, a Hessian, a gradient of a gradient | [`jacobian`](engine::jacobian), [`hessian`](engine::hessian), [`Value::gradient`](engine::Value::gradient) |
//! | look at a graph | [`tree`], [`picture`]; with tools of your own, [`engine::Operation`] |
//! | follow a backward pass, number by number | [`steps`]; in a browser, [`picture`] |
//! | build a net and a loss | [`nn`], [`nn::loss`] |
//! | train it | [`optim`]; [`data`] for batches and splits, [`metrics`] to evaluate it |
//! | train it nearly as fast as plain loops do | [`tape`] |
//! | export a function as source code in Rust, C or JavaScript | [`tape::Source`] |
//! | pause and resume training, exchange a net with PyTorch | `checkpoint`, `nn::Module::save` |
//! | check a gradient, find where a NaN was born | [`gradcheck`], [`anomaly`] |
//!
//! # Threads
//!
//! A [`Value`](engine::Value) and all that holds one, such as a net, an optimizer or a
//! [`Tape`](tape::Tape), stay on the thread that made them. A tape freezes into a
//! [`Function`](tape::Function) of plain numbers, which threads share.
//!
//! # Features
//!
//! All are off by default.
//!
//! | feature | adds |
//! |---|---|
//! | `safetensors` | `checkpoint`; `save`, `load`, `to_bytes` and `load_bytes` of [`nn::Module`] |
//! | `rayon` | a [`tape`] replays large batches on several threads |
//! | `locations` | every node remembers the source line that made it, which [`anomaly`] reports |
//!
//! # Randomness
//!
//! Functions that need random numbers take an `Rng` from the crate [`rand`] 0.10, which is
//! re-exported without OS entropy; [`rng`] makes one from a seed. For a seed from the system, add
//! `rand` with its default features.
//!
//! # Reading the source
//!
//! Begin with `src/ops/table.rs`, where each operation is one row: its value and the gradients it
//! passes down. Then read the first half of `src/engine/graph.rs`, a node and how it was computed,
//! and `src/engine/backward.rs`, the backward pass. The notes beside the source explain both and
//! derive every rule.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]

// First, so that the page of `Value` begins with its methods.
pub mod engine;

pub mod anomaly;
#[cfg(feature = "safetensors")]
pub mod checkpoint;
pub mod data;
pub mod gradcheck;
pub mod metrics;
pub mod nn;
mod ops;
pub mod optim;
pub mod picture;
pub mod steps;
pub mod tape;
mod text;
pub mod tree;

pub use rand;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

/// A random number generator with this seed: xoshiro256++, which gives the same numbers on every
/// platform.
///
/// ```
/// use micrograd::nn::MLP;
///
/// let [model, same] = [0, 0].map(|seed| MLP::new(2, &[16, 1], &mut micrograd::rng(seed)));
/// let weight = |model: &MLP| model.layers()[0].neurons()[0].weights()[0].data();
/// assert_eq!(weight(&model), weight(&same));
/// ```
#[must_use]
pub fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// A random number generator for shuffling in one epoch of a run with this seed. A resumed run
/// draws the same numbers as an uninterrupted one.
///
/// ```
/// use micrograd::data::batches;
///
/// let rows: Vec<_> = (0..100).collect();
/// for epoch in 0..3 {
///     for batch in batches(&rows, 10, &mut micrograd::epoch_rng(42, epoch)) {
///         assert_eq!(batch.len(), 10);
///     }
/// }
/// ```
#[must_use]
pub fn epoch_rng(seed: u64, epoch: u64) -> Xoshiro256PlusPlus {
    // From a drawn number: the plain seeds 0 and 1 would share all epochs but one.
    rng(rng(seed).next_u64().wrapping_add(epoch))
}

/// Helpers that the unit tests share with the tests in `tests`.
#[cfg(test)]
#[path = "../tests/common"]
mod common {
    pub(crate) mod bits;
    pub(crate) mod close;
    pub(crate) mod golden;
}

/// The programs in these texts are tests.
#[cfg(doctest)]
mod texts {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../notes/Gradients.md")]
    mod gradients {}
    #[doc = include_str!("../notes/Optimizers.md")]
    mod optimizers {}
    #[doc = include_str!("../notes/Tape.md")]
    mod tape {}
    #[doc = include_str!("../notes/Source.md")]
    mod source {}
    #[cfg(feature = "safetensors")]
    #[doc = include_str!("../notes/Interop.md")]
    mod interop {}
}
