use std::collections::HashSet;

use crate::engine::Value;

/// Something with parameters that can be trained: a neuron, a layer, a net, or a type of yours.
///
/// A module of one's own names its blocks; the rest follows.
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
    /// The parameters by name and shape, as the entries of PyTorch's `state_dict`.
    fn blocks(&self) -> Vec<Block>;

    /// Every parameter once. By default in the order of the blocks; those of the crate go neuron by
    /// neuron, as micrograd does. To save or load parameters, go by the blocks.
    fn parameters(&self) -> Vec<Value> {
        let mut seen = HashSet::new();
        let mut parameters: Vec<_> = self
            .blocks()
            .into_iter()
            .flat_map(|block| block.values)
            .collect();
        parameters.retain(|parameter| seen.insert(parameter.address()));
        parameters
    }

    /// Sets the gradient of every parameter to 0.
    #[track_caller]
    fn zero_grad(&self) {
        for parameter in self.parameters() {
            parameter.zero_grad();
        }
    }
}

/// Parameters that belong together under one name: an entry of PyTorch's `state_dict`.
#[derive(Clone, Debug)]
pub struct Block {
    name: String,
    shape: Vec<usize>,
    values: Vec<Value>,
}

impl Block {
    /// A block of the given shape, its values in row-major order. A scalar has the shape `[]`.
    ///
    /// # Panics
    ///
    /// If the shape does not hold as many values as there are.
    #[must_use]
    #[track_caller]
    pub fn new(name: impl Into<String>, shape: &[usize], values: Vec<Value>) -> Self {
        let size = shape
            .iter()
            .try_fold(1_usize, |size, &n| size.checked_mul(n));
        assert!(
            size == Some(values.len()),
            "the shape {shape:?} does not hold {} values",
            values.len()
        );
        Self {
            name: name.into(),
            shape: shape.to_vec(),
            values,
        }
    }

    /// The block as a part of a larger module: `weight` within `layers.0` is `layers.0.weight`.
    #[must_use]
    pub fn within(mut self, module: &str) -> Self {
        self.name = format!("{module}.{}", self.name);
        self
    }

    /// The name, such as `layers.0.weight`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape, such as `[out, in]`.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The parameters, in row-major order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}
