//! The network on the digits.

mod dense;
mod forward;
mod network;
mod skipping;

pub use dense::Dense;
pub use forward::forward;
pub use network::{Backpropagation, Gradient, Network, Training};
pub use skipping::Skipping;
