use std::fmt;

use rand::Rng;

use super::neuron::expect_inputs;
use super::{Activation, Block, Init, Layer, Module};
use crate::engine::Value;

/// A multi-layer perceptron: layers, one after another.
///
/// A clone shares its parameters; [`numbers`](Module::numbers) takes a snapshot.
#[derive(Clone, Debug)]
pub struct MLP {
    layers: Vec<Layer>,
}

impl MLP {
    /// A net with `inputs` inputs and layers of the given sizes, with ReLU in the hidden layers and
    /// linear at the end.
    ///
    /// # Panics
    ///
    /// If there is no layer, or if one has no neurons.
    #[must_use]
    #[track_caller]
    pub fn new(inputs: usize, outputs: &[usize], rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut layers: Vec<_> = outputs
            .iter()
            .map(|&outputs| (outputs, Activation::ReLU))
            .collect();
        if let Some((_, activation)) = layers.last_mut() {
            *activation = Activation::Linear;
        }
        Self::with_activations(inputs, &layers, rng)
    }

    /// A net with `inputs` inputs and layers of the given sizes and activations.
    ///
    /// ```
    /// use micrograd::nn::{Activation, MLP};
    ///
    /// let mut rng = micrograd::rng(0);
    /// let layers = [(8, Activation::Tanh), (1, Activation::Sigmoid)];
    /// let model = MLP::with_activations(2, &layers, &mut rng);
    /// assert_eq!(model.to_string(), "MLP 2-8-1 (Tanh, Sigmoid)");
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no layer, or if one has no neurons.
    #[must_use]
    #[track_caller]
    pub fn with_activations(
        inputs: usize,
        layers: &[(usize, Activation)],
        rng: &mut (impl Rng + ?Sized),
    ) -> Self {
        let mut layer_inputs = inputs;
        let mut net = Vec::with_capacity(layers.len());
        for (i, &(outputs, activation)) in layers.iter().enumerate() {
            assert!(outputs > 0, "layer {i} needs at least one neuron");
            net.push(Layer::new(layer_inputs, outputs, activation, rng));
            layer_inputs = outputs;
        }
        Self::from_layers(net)
    }

    /// A net of the given layers, such as layers with given weights.
    ///
    /// ```
    /// use micrograd::nn::{Activation, Layer, MLP};
    ///
    /// let hidden = Layer::from_weights(&[[1.0, 2.0], [3.0, 4.0]], &[0.0, 0.0], Activation::ReLU);
    /// let output = Layer::from_weights(&[[1.0, -1.0]], &[0.5], Activation::Linear);
    /// let model = MLP::from_layers(vec![hidden, output]);
    /// assert_eq!(model.to_string(), "MLP 2-2-1 (ReLU, Linear)");
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no layer, or if the number of inputs of one differs from the number of neurons
    /// of the layer before.
    #[must_use]
    #[track_caller]
    pub fn from_layers(layers: Vec<Layer>) -> Self {
        assert!(!layers.is_empty(), "a net needs at least one layer");
        for (i, pair) in layers.windows(2).enumerate() {
            let (outputs, inputs) = (pair[0].neurons().len(), pair[1].inputs());
            assert!(
                inputs == outputs,
                "layer {} takes inputs of length {inputs}, \
                 but the outputs of layer {i} have length {outputs}",
                i + 1
            );
        }
        Self { layers }
    }

    /// Draws all weights anew and sets the biases to 0.
    ///
    /// ```
    /// # use micrograd::nn::{Init, MLP};
    /// # let mut rng = micrograd::rng(0);
    /// let model = MLP::new(2, &[16, 16, 1], &mut rng);
    /// model.init(Init::HeNormal, &mut rng);
    /// ```
    ///
    /// # Panics
    ///
    /// If a guard of a parameter is alive.
    #[track_caller]
    pub fn init(&self, init: Init, rng: &mut (impl Rng + ?Sized)) {
        for layer in &self.layers {
            layer.init(init, rng);
        }
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs()
    }

    /// The layers, from input to output.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Names the parameters after their block and their place in it, to tell them apart in a tree
    /// and in reports: `layers.0.weight[3, 1]` is the weight of neuron 3 for input 1 in the first
    /// layer.
    #[must_use]
    pub fn with_names(self) -> Self {
        self.blocks().iter().for_each(Block::name_values);
        self
    }

    /// The outputs of the last layer.
    ///
    /// # Panics
    ///
    /// If the number of inputs differs from the net's.
    #[must_use]
    #[track_caller]
    pub fn forward(&self, inputs: &[Value]) -> Vec<Value> {
        expect_inputs("net", self.inputs(), inputs);
        let mut values = inputs.to_vec();
        for layer in &self.layers {
            values = layer.forward_owned(values);
        }
        values
    }
}

impl Module for MLP {
    /// The blocks of the layers, named `layers.0.weight`, `layers.0.bias` and so on.
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let module = format!("layers.{i}");
            blocks.extend(
                layer
                    .blocks()
                    .into_iter()
                    .map(|block| block.within(&module)),
            );
        }
        blocks
    }

    /// Layer by layer, neuron by neuron: its weights, then its bias.
    fn parameters(&self) -> Vec<Value> {
        self.layers.iter().flat_map(Module::parameters).collect()
    }
}

impl fmt::Display for MLP {
    /// The sizes, then the activation of each layer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MLP {}", self.inputs())?;
        for layer in &self.layers {
            write!(f, "-{}", layer.neurons().len())?;
        }
        for (i, layer) in self.layers.iter().enumerate() {
            let separator = if i == 0 { " (" } else { ", " };
            write!(f, "{separator}{}", layer.activation())?;
        }
        write!(f, ")")
    }
}
