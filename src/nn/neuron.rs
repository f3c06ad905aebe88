use std::fmt;
use std::rc::Rc;

use rand::Rng;

use super::{Activation, Block, Init, Module};
use crate::engine::{SharedValues, Value};

/// A neuron: activation(w₀x₀ + w₁x₁ + … + bias). A clone shares its parameters;
/// [`numbers`](Module::numbers) takes a snapshot.
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::nn::{Activation, Neuron};
///
/// let mut rng = micrograd::rng(0);
/// let neuron = Neuron::new(2, Activation::Tanh, &mut rng);
/// let out = neuron.forward(&[Value::new(-2.0), Value::new(1.0)]);
/// assert!(out.data().abs() < 1.0);
/// ```
#[derive(Clone, Debug)]
pub struct Neuron {
    /// The weights, then the bias.
    parameters: Rc<SharedValues>,
    activation: Activation,
}

impl Neuron {
    /// A neuron with `inputs` inputs, weights uniform in ±1 / √inputs, and a bias of 0.
    #[must_use]
    #[track_caller]
    pub fn new(inputs: usize, activation: Activation, rng: &mut (impl Rng + ?Sized)) -> Self {
        let neuron = Self::from_weights(&vec![0.0; inputs], 0.0, activation);
        neuron.init(Init::default(), 1, rng);
        neuron
    }

    /// A neuron with the given weights and bias.
    ///
    /// ```
    /// use micrograd::engine::Value;
    /// use micrograd::nn::{Activation, Neuron};
    ///
    /// let neuron = Neuron::from_weights(&[2.0, -1.0], 0.5, Activation::ReLU);
    /// assert_eq!(neuron.forward(&[3.0, 1.0].map(Value::new)).data(), 5.5);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn from_weights(weights: &[f64], bias: f64, activation: Activation) -> Self {
        let mut parameters = Vec::with_capacity(weights.len() + 1);
        // Not an iterator: a closure would hide the caller's line.
        for &weight in weights {
            parameters.push(Value::new(weight));
        }
        parameters.push(Value::new(bias));
        Self {
            parameters: SharedValues::new(parameters),
            activation,
        }
    }

    /// Draws the weights anew, as in a layer of `fan_out` neurons, and sets the bias to 0.
    #[track_caller]
    pub(super) fn init(&self, init: Init, fan_out: usize, rng: &mut (impl Rng + ?Sized)) {
        for weight in self.weights() {
            weight.set_data(init.draw(self.inputs(), fan_out, rng));
        }
        self.bias().set_data(0.0);
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.parameters.values().len() - 1
    }

    /// The function applied to the weighted sum.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The weights, one for each input.
    pub fn weights(&self) -> &[Value] {
        &self.parameters.values()[..self.inputs()]
    }

    /// The bias.
    pub fn bias(&self) -> &Value {
        &self.parameters.values()[self.inputs()]
    }

    /// Names the parameters `weight 0`, `weight 1`, … and `bias`, to tell them apart in a tree.
    #[must_use]
    pub fn with_names(self) -> Self {
        for (i, weight) in self.weights().iter().enumerate() {
            weight.set_name(format!("weight {i}"));
        }
        self.bias().set_name("bias");
        self
    }

    /// The neuron's output.
    ///
    /// # Panics
    ///
    /// If the number of inputs differs from the neuron's.
    #[must_use]
    #[track_caller]
    pub fn forward(&self, inputs: &[Value]) -> Value {
        expect_inputs("neuron", self.inputs(), inputs);
        self.forward_shared(&SharedValues::new(inputs.to_vec()))
    }

    /// The output for inputs that the neurons of a layer share.
    #[inline]
    #[track_caller]
    pub(super) fn forward_shared(&self, inputs: &Rc<SharedValues>) -> Value {
        self.activation
            .apply(Value::weighted_sum(&self.parameters, inputs))
    }
}

/// Panics at the caller's line if the number of inputs is wrong.
#[inline]
#[track_caller]
pub(super) fn expect_inputs(module: &str, expected: usize, inputs: &[Value]) {
    let found = inputs.len();
    assert!(
        found == expected,
        "this {module} takes inputs of length {expected}, not {found}"
    );
}

impl Module for Neuron {
    /// `weight`, of shape `[in]`, and `bias`, a scalar.
    fn blocks(&self) -> Vec<Block> {
        vec![
            Block::new("weight", &[self.inputs()], self.weights().to_vec()),
            Block::new("bias", &[], vec![self.bias().clone()]),
        ]
    }
}

impl fmt::Display for Neuron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Neuron {} ({})", self.inputs(), self.activation)
    }
}
