//! A scalar reverse-mode autograd engine, with neural nets, optimizers and a tree printer on top.

#![deny(missing_docs)]

pub mod data;
pub mod engine;
pub mod nn;
mod ops;
pub mod optim;
pub mod tree;

pub use rand;
