//! One step of a graph, which makes one or more nodes from earlier ones.

use std::fmt;

use micrograd::engine::{self, Value};
use micrograd::nn::{Activation, Layer, Module};
use micrograd::rand::SeedableRng;
use micrograd::rand::rngs::Xoshiro256PlusPlus;

use super::table::Row;

/// An argument of a row.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// An earlier node, by its index.
    Node(usize),
    /// A constant.
    Constant(f64),
}

/// A step.
#[derive(Clone, Debug)]
pub enum Step {
    /// An operation of the table.
    Row(&'static Row, Vec<Argument>),
    /// A sum of nodes.
    Sum(Vec<usize>),
    /// A weighted sum: the pairs of nodes, one after the other.
    Dot(Vec<usize>),
    /// A layer, which makes a node for each of its neurons.
    Layer {
        /// The number of neurons.
        outputs: usize,
        /// One of [`ACTIVATIONS`], by its name.
        activation: String,
        /// The nodes that all neurons read.
        inputs: Vec<usize>,
        /// The weights and the bias of each neuron.
        parameters: Vec<f64>,
    },
}

/// The nodes that a step has made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The results.
    pub outputs: Vec<Value>,
    /// The parameters of a layer.
    pub parameters: Vec<Value>,
}

/// The activations of layers, by the name that a graph gives them.
pub const ACTIVATIONS: [(&str, Activation); 9] = [
    ("linear", Activation::Linear),
    ("relu", Activation::ReLU),
    ("leaky_relu", Activation::LeakyReLU(0.01)),
    ("elu", Activation::ELU(1.0)),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("softplus", Activation::Softplus),
    ("silu", Activation::SiLU),
    ("gelu", Activation::GELU),
];

impl Argument {
    fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix('=') {
            Some(number) => number.parse().ok().map(Self::Constant),
            None => word.parse().ok().map(Self::Node),
        }
    }

    /// The index, if it is a node.
    pub fn node(self) -> Option<usize> {
        match self {
            Self::Node(index) => Some(index),
            Self::Constant(_) => None,
        }
    }

    fn constant(self) -> Option<f64> {
        match self {
            Self::Node(_) => None,
            Self::Constant(number) => Some(number),
        }
    }
}

impl Step {
    /// Reads a step in the format in which it is displayed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let name = words.next()?;
        if name == "layer" {
            let outputs = words.next()?.parse().ok()?;
            let activation = words.next()?.to_string();
            let arguments = words.map(Argument::parse).collect::<Option<Vec<_>>>()?;
            return Some(Self::Layer {
                outputs,
                activation,
                inputs: arguments.iter().filter_map(|word| word.node()).collect(),
                parameters: arguments
                    .iter()
                    .filter_map(|word| word.constant())
                    .collect(),
            });
        }
        let arguments = words.map(Argument::parse).collect::<Option<Vec<_>>>()?;
        let nodes = arguments.iter().filter_map(|word| word.node());
        Some(match name {
            "sum" => Self::Sum(nodes.collect()),
            "dot" => Self::Dot(nodes.collect()),
            _ => Self::Row(Row::named(name)?, arguments),
        })
    }

    /// The row of the table that the step applies, if it is a [`Step::Row`].
    pub fn row(&self) -> Option<&'static Row> {
        match self {
            Self::Row(row, _) => Some(row),
            _ => None,
        }
    }

    /// The nodes that the step reads, in the order in which it takes them.
    pub fn operands(&self) -> Vec<usize> {
        match self {
            Self::Row(_, arguments) => arguments.iter().filter_map(|word| word.node()).collect(),
            Self::Sum(nodes) | Self::Dot(nodes) | Self::Layer { inputs: nodes, .. } => {
                nodes.clone()
            }
        }
    }

    /// The operands to which the step passes no gradient, and the operands to which it passes one.
    pub fn dead_and_live_operands(&self) -> (Vec<usize>, Vec<usize>) {
        let Self::Row(row, arguments) = self else {
            return (Vec::new(), self.operands());
        };
        let (dead, live): (Vec<_>, Vec<_>) =
            (0..arguments.len()).partition(|&i| row.passes_nothing_to(i));
        let nodes = |positions: Vec<usize>| {
            let arguments = positions.into_iter().map(|i| arguments[i]);
            arguments.filter_map(Argument::node).collect()
        };
        (nodes(dead), nodes(live))
    }

    /// The number of nodes that the step makes.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Layer { outputs, .. } => *outputs,
            _ => 1,
        }
    }

    /// Makes the nodes of the step from these operands.
    pub fn apply(&self, operands: &[Value]) -> Made {
        let mut parameters = Vec::new();
        let outputs = match self {
            Self::Row(row, arguments) => {
                let mut operands = operands.iter();
                let arguments = arguments.iter().map(|argument| match argument {
                    Argument::Constant(number) => Some(engine::Argument::Constant(*number)),
                    Argument::Node(_) => operands.next().map(engine::Argument::Node),
                });
                vec![row.apply(&arguments.flatten().collect::<Vec<_>>())]
            }
            Self::Sum(_) => vec![operands.iter().sum()],
            Self::Dot(_) => vec![weighted_sum(operands)],
            Self::Layer { .. } => {
                let layer = self.layer(operands.len());
                parameters = layer.parameters();
                layer.forward(operands)
            }
        };
        Made {
            outputs,
            parameters,
        }
    }

    fn layer(&self, inputs: usize) -> Layer {
        let Self::Layer {
            outputs,
            activation,
            parameters,
            ..
        } = self
        else {
            unreachable!("{self} is not a layer")
        };
        let known = ACTIVATIONS.iter().find(|(name, _)| name == activation);
        let (_, activation) =
            known.unwrap_or_else(|| panic!("no activation is called {activation}"));
        // The parameters that it draws are replaced below.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
        let layer = Layer::new(inputs, *outputs, *activation, &mut rng);
        let slots = layer.parameters();
        assert_eq!(slots.len(), parameters.len(), "{self}");
        for (slot, &number) in slots.iter().zip(parameters) {
            slot.set_data(number);
        }
        layer
    }
}

fn weighted_sum(pairs: &[Value]) -> Value {
    let (weights, inputs): (Vec<_>, Vec<_>) = pairs
        .chunks(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .unzip();
    Value::dot(&weights, &inputs)
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(index) => write!(f, " {index}"),
            Self::Constant(number) => write!(f, " ={number:?}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arguments: Vec<_> = self.operands().into_iter().map(Argument::Node).collect();
        match self {
            Self::Row(row, in_order) => {
                f.write_str(row.name)?;
                arguments.clone_from(in_order);
            }
            Self::Sum(_) => f.write_str("sum")?,
            Self::Dot(_) => f.write_str("dot")?,
            Self::Layer {
                outputs,
                activation,
                parameters,
                ..
            } => {
                write!(f, "layer {outputs} {activation}")?;
                arguments.extend(parameters.iter().copied().map(Argument::Constant));
            }
        }
        arguments.iter().try_for_each(|argument| argument.fmt(f))
    }
}
