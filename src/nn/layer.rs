use std::fmt;

use rand::Rng;

use super::neuron::expect_inputs;
use super::{Activation, Block, Init, Module, Neuron};
use crate::engine::{SharedValues, Value};

/// A fully connected layer: neurons that read the same inputs. A clone shares its parameters;
/// [`numbers`](Module::numbers) takes a snapshot.
///
/// ```
/// use micrograd::nn::{Activation, Layer, Module};
///
/// let mut rng = micrograd::rng(0);
/// let layer = Layer::new(3, 4, Activation::ReLU, &mut rng);
/// assert_eq!(layer.to_string(), "Layer 3-4 (ReLU)");
/// assert_eq!(layer.blocks()[0].shape(), [4, 3]);
/// ```
#[derive(Clone, Debug)]
pub struct Layer {
    /// At least one.
    neurons: Vec<Neuron>,
}

impl Layer {
    /// A layer of `outputs` neurons with `inputs` inputs each.
    ///
    /// # Panics
    ///
    /// If there are no outputs.
    #[must_use]
    #[track_caller]
    pub fn new(
        inputs: usize,
        outputs: usize,
        activation: Activation,
        rng: &mut (impl Rng + ?Sized),
    ) -> Self {
        assert!(outputs > 0, "a layer needs at least one neuron");
        let mut neurons = Vec::with_capacity(outputs);
        for _ in 0..outputs {
            neurons.push(Neuron::new(inputs, activation, rng));
        }
        Self { neurons }
    }

    /// A layer with the given weights, one row per neuron, and biases, as in PyTorch's `Linear`.
    ///
    /// ```
    /// use micrograd::engine::Value;
    /// use micrograd::nn::{Activation, Layer};
    ///
    /// let weights = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    /// let layer = Layer::from_weights(&weights, &[0.0, 0.0, 0.5], Activation::Linear);
    /// assert_eq!(layer.to_string(), "Layer 2-3 (Linear)");
    /// assert_eq!(layer.forward(&[1.0, -1.0].map(Value::new))[2].data(), -0.5);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are no neurons, if the rows differ in length, or if the numbers of biases and
    /// neurons differ.
    #[must_use]
    #[track_caller]
    pub fn from_weights(
        weights: &[impl AsRef<[f64]>],
        biases: &[f64],
        activation: Activation,
    ) -> Self {
        assert!(!weights.is_empty(), "a layer needs at least one neuron");
        assert!(
            biases.len() == weights.len(),
            "the biases have length {}, not {}, the number of neurons",
            biases.len(),
            weights.len()
        );
        let inputs = weights[0].as_ref().len();
        let mut neurons = Vec::with_capacity(weights.len());
        for (i, (weights, &bias)) in weights.iter().zip(biases).enumerate() {
            let weights = weights.as_ref();
            assert!(
                weights.len() == inputs,
                "the weights of neuron {i} have length {}, \
                 but those of neuron 0 have length {inputs}",
                weights.len()
            );
            neurons.push(Neuron::from_weights(weights, bias, activation));
        }
        Self { neurons }
    }

    /// Draws all weights anew and sets the biases to 0.
    ///
    /// # Panics
    ///
    /// If a guard of a parameter is alive.
    #[track_caller]
    pub fn init(&self, init: Init, rng: &mut (impl Rng + ?Sized)) {
        for neuron in &self.neurons {
            neuron.init(init, self.neurons.len(), rng);
        }
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.neurons[0].inputs()
    }

    /// The neurons, one for each output.
    pub fn neurons(&self) -> &[Neuron] {
        &self.neurons
    }

    /// The function that each neuron applies.
    pub fn activation(&self) -> Activation {
        self.neurons[0].activation()
    }

    /// Names the parameters after their block and their place in it, to tell them apart in a tree
    /// and in reports: `weight[3, 1]` is the weight of neuron 3 for input 1, `bias[3]` its bias.
    #[must_use]
    pub fn with_names(self) -> Self {
        self.blocks().iter().for_each(Block::name_values);
        self
    }

    /// The outputs of the neurons.
    ///
    /// # Panics
    ///
    /// If the number of inputs differs from the layer's.
    #[must_use]
    #[track_caller]
    pub fn forward(&self, inputs: &[Value]) -> Vec<Value> {
        expect_inputs("layer", self.inputs(), inputs);
        self.forward_owned(inputs.to_vec())
    }

    #[track_caller]
    pub(super) fn forward_owned(&self, inputs: Vec<Value>) -> Vec<Value> {
        let inputs = SharedValues::new(inputs);
        let mut outputs = Vec::with_capacity(self.neurons.len());
        // Not an iterator: a closure would hide the caller's line.
        for neuron in &self.neurons {
            outputs.push(neuron.forward_shared(&inputs));
        }
        outputs
    }
}

impl Module for Layer {
    /// `weight`, of shape `[out, in]`, and `bias`, of shape `[out]`.
    fn blocks(&self) -> Vec<Block> {
        let weights = self.neurons.iter().flat_map(Neuron::weights);
        let biases = self.neurons.iter().map(Neuron::bias);
        let outputs = self.neurons.len();
        vec![
            Block::new(
                "weight",
                &[outputs, self.inputs()],
                weights.cloned().collect(),
            ),
            Block::new("bias", &[outputs], biases.cloned().collect()),
        ]
    }

    /// Neuron by neuron: its weights, then its bias.
    fn parameters(&self) -> Vec<Value> {
        self.neurons.iter().flat_map(Module::parameters).collect()
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (inputs, outputs) = (self.inputs(), self.neurons.len());
        write!(f, "Layer {inputs}-{outputs} ({})", self.activation())
    }
}
