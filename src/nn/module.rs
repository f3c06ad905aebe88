use std::collections::HashSet;
#[cfg(feature = "safetensors")]
use std::path::Path;

use super::block::Block;
#[cfg(feature = "safetensors")]
use super::state::{self, StateError};
use crate::engine::Value;

/// Something with parameters that can be trained: a neuron, a layer, a net, or a type of your own.
///
/// A module of your own returns its blocks; the rest follows.
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::nn::{Block, Module};
///
/// struct Line { slope: Value, intercept: Value }
///
/// impl Module for Line {
///     fn blocks(&self) -> Vec<Block> {
///         vec![
///             Block::new("slope", &[], vec![self.slope.clone()]),
///             Block::new("intercept", &[], vec![self.intercept.clone()]),
///         ]
///     }
/// }
///
/// let line = Line { slope: Value::new(2.0), intercept: Value::new(1.0) };
/// assert_eq!(line.parameters().len(), 2);
/// ```
pub trait Module {
    /// The parameters by name and shape, like the entries of PyTorch's `state_dict`.
    fn blocks(&self) -> Vec<Block>;

    /// Every parameter once. The default order is that of the blocks; the modules of this crate go
    /// neuron by neuron, as in Karpathy's micrograd. To save or load parameters, use the blocks.
    fn parameters(&self) -> Vec<Value> {
        let mut seen = HashSet::new();
        let mut parameters: Vec<_> = self
            .blocks()
            .into_iter()
            .flat_map(|block| block.values)
            .collect();
        parameters.retain(|parameter| seen.insert(parameter.id()));
        parameters
    }

    /// A snapshot: the number of every parameter, in the order of [`parameters`](Self::parameters).
    /// A clone of a module shares its parameters, so it changes with them; a snapshot does not.
    ///
    /// Early stopping keeps the numbers of the best epoch:
    ///
    /// ```
    /// use micrograd::nn::{MLP, Module};
    ///
    /// let model = MLP::new(2, &[4, 1], &mut micrograd::rng(0));
    /// let validation_losses = [0.5, 0.2, 0.3, 0.4]; // would come from the model
    /// let mut best = (f64::INFINITY, model.numbers());
    /// for loss in validation_losses {
    ///     model.parameters()[0].set_data(loss); // stands for a step of training
    ///     if loss < best.0 {
    ///         best = (loss, model.numbers());
    ///     }
    /// }
    /// model.set_numbers(&best.1);
    /// assert_eq!(model.parameters()[0].data(), 0.2);
    /// ```
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Value::borrow_mut) of a parameter is alive.
    #[must_use]
    #[track_caller]
    fn numbers(&self) -> Vec<f64> {
        let parameters = self.parameters();
        let mut numbers = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            numbers.push(parameter.data());
        }
        numbers
    }

    /// Sets the parameters to the numbers of a snapshot.
    ///
    /// # Panics
    ///
    /// If the length of `numbers` differs from the number of parameters, or if a guard of a
    /// parameter is alive. No parameter is changed in that case.
    #[track_caller]
    fn set_numbers(&self, numbers: &[f64]) {
        let parameters = self.parameters();
        assert!(
            numbers.len() == parameters.len(),
            "the numbers have length {}, not {}, the number of parameters",
            numbers.len(),
            parameters.len()
        );
        Value::expect_writable(&parameters);
        for (parameter, &number) in parameters.iter().zip(numbers) {
            parameter.set_data(number);
        }
    }

    /// Sets the gradient of every parameter to 0.
    ///
    /// # Panics
    ///
    /// If a guard of a parameter is alive.
    #[track_caller]
    fn zero_grad(&self) {
        for parameter in self.parameters() {
            parameter.zero_grad();
        }
    }

    /// Saves the parameters in a safetensors file, as PyTorch's `state_dict`: one float64 tensor
    /// for each block. To save the optimizer too, see [`checkpoint`](crate::checkpoint). An
    /// interrupted save leaves the old file intact; a completed one replaces it and keeps its
    /// permissions.
    ///
    /// ```
    /// use micrograd::nn::{MLP, Module};
    ///
    /// let mut rng = micrograd::rng(0);
    /// let [model, other] = [0, 1].map(|_| MLP::new(2, &[16, 1], &mut rng));
    /// let path = std::env::temp_dir().join("model.safetensors");
    /// model.save(&path)?;
    /// other.load(&path)?; // has the parameters of `model` now
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), micrograd::nn::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be written, if two blocks have the same name, or if a parameter is not
    /// finite: `load` would refuse it. The old file stays intact.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Value::borrow_mut) of a parameter is alive.
    #[cfg(feature = "safetensors")]
    #[track_caller]
    fn save(&self, path: impl AsRef<Path>) -> Result<(), StateError>
    where
        Self: Sized,
    {
        state::save(&self.blocks(), path.as_ref())
    }

    /// Sets the parameters to the numbers of a safetensors file, of type float64 or float32.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is not a safetensors file; if a block is missing, has another
    /// shape, or holds numbers of another type or non-finite values; if the file has tensors that
    /// the module lacks; or if two blocks of the module have the same name. The message lists all
    /// misfits, and no parameter is changed.
    ///
    /// # Panics
    ///
    /// If a guard of a parameter is alive. No parameter is changed in that case.
    #[cfg(feature = "safetensors")]
    #[track_caller]
    fn load(&self, path: impl AsRef<Path>) -> Result<(), StateError>
    where
        Self: Sized,
    {
        state::load(&self.blocks(), path.as_ref())
    }

    /// The bytes that [`save`](Self::save) writes.
    ///
    /// # Errors
    ///
    /// If two blocks have the same name, or if a parameter is not finite.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Value::borrow_mut) of a parameter is alive.
    #[cfg(feature = "safetensors")]
    #[track_caller]
    fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        state::to_bytes(&self.blocks())
    }

    /// [`load`](Self::load) from memory.
    ///
    /// # Errors
    ///
    /// The same as for `load`.
    ///
    /// # Panics
    ///
    /// If a guard of a parameter is alive. No parameter is changed in that case.
    #[cfg(feature = "safetensors")]
    #[track_caller]
    fn load_bytes(&self, bytes: &[u8]) -> Result<(), StateError> {
        state::load_bytes(&self.blocks(), bytes)
    }
}
