//! The network on the moons.

mod dense;
mod network;
mod per_row;
mod skipping;

pub use dense::Dense;
pub use network::{Backpropagation, Network, Training};
pub use per_row::PerRow;
pub use skipping::Skipping;
