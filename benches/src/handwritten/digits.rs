//! The network on the digits.

mod dense;
mod network;
mod skipping;

pub use dense::Dense;
pub use network::{Backpropagation, Gradient, Network, Training};
pub use skipping::Skipping;
