//! Neural nets: [`Neuron`], [`Layer`] and [`MLP`], the trait [`Module`] that they share, and the
//! losses to train them with, in [`loss`].
//!
//! ```
//! use micrograd::engine::Value;
//! use micrograd::nn::{MLP, Module};
//!
//! let mut rng = micrograd::rng(0);
//! let model = MLP::new(2, &[16, 16, 1], &mut rng);
//! assert_eq!(model.to_string(), "MLP 2-16-16-1 (ReLU, ReLU, Linear)");
//! assert_eq!(model.parameters().len(), 337);
//!
//! let score = model.forward(&[Value::new(0.5), Value::new(-1.0)]).remove(0);
//! score.backward();
//! ```

mod activation;
mod block;
mod init;
mod layer;
pub mod loss;
mod mlp;
mod module;
mod neuron;
#[cfg(feature = "safetensors")]
pub(crate) mod state;

pub use activation::Activation;
pub use block::Block;
pub use init::Init;
pub use layer::Layer;
pub use mlp::MLP;
pub use module::Module;
pub use neuron::Neuron;
#[cfg(feature = "safetensors")]
pub use state::StateError;
