//! Neurons and layers, found in a graph by their shape.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::engine::{Argument, Op, Operation, Terms, TopologicalOrder, Value};

/// The layers of a graph: the neurons that share one list of inputs. A neuron is a weighted sum of
/// leaves as weights with a bias, and the activation that follows.
///
/// With each layer as one node the graph stays acyclic: each of its sums reads all of its inputs,
/// so a cycle of layers would be a cycle of nodes.
pub(super) struct Layers {
    all: Vec<Layer>,
    /// By the position of a node: its layer, if it is a sum or an output of one, or a parameter
    /// that is shown inside.
    layer: Vec<Option<usize>>,
    /// By the position of a node: whether it is a weight or bias of a neuron.
    is_parameter: Vec<bool>,
    /// For each list of weights, by its address.
    lists: HashMap<*const Value, Weights>,
}

/// A layer, by the positions of its nodes.
pub(super) struct Layer {
    /// The sums, in ascending order.
    pub(super) sums: Vec<usize>,
    /// For each sum, the output: itself, or what the activation makes of it.
    pub(super) outputs: Vec<usize>,
}

/// The weights and the bias of a neuron, by their positions.
#[derive(Default)]
pub(super) struct Weights {
    /// Shown as a part of the layer.
    pub(super) inside: Vec<usize>,
    pub(super) outside: Vec<usize>,
}

impl Layers {
    pub(super) fn of(order: &TopologicalOrder) -> Self {
        let count = order.nodes().len();
        let mut layers = Self {
            all: Vec::new(),
            layer: vec![None; count],
            is_parameter: vec![false; count],
            lists: HashMap::new(),
        };
        let users = layers.find_sums(order);
        for layer in 0..layers.all.len() {
            layers.find_outputs(order, layer, &users);
        }
        layers.find_parameters(order);
        layers
    }

    /// Finds the sums of all layers, and the users of each node.
    fn find_sums(&mut self, order: &TopologicalOrder) -> Vec<Users> {
        let mut users = vec![Users::None; order.nodes().len()];
        let mut by_inputs = HashMap::new();
        for (position, node) in order.nodes().iter().enumerate() {
            let Some(terms) = self.neuron(node) else {
                for operand in node.operands() {
                    users[order.position(operand)].add(position);
                }
                continue;
            };
            // The lists of a layer are long, and shared: each is looked at once.
            let [factors, inputs] = terms.factors();
            let list = self.lists.get_mut(&factors.as_ptr()).expect("a neuron");
            if list.outside.is_empty() {
                list.outside = weights(&terms)
                    .map(|weight| order.position(weight))
                    .collect();
            }
            let layer = *by_inputs.entry(inputs.as_ptr()).or_insert_with(|| {
                for input in inputs {
                    users[order.position(input)] = Users::Several;
                }
                self.all.push(Layer {
                    sums: Vec::new(),
                    outputs: Vec::new(),
                });
                self.all.len() - 1
            });
            self.all[layer].sums.push(position);
            self.layer[position] = Some(layer);
        }
        users
    }

    /// The sum of a neuron; its list of weights is known from then on.
    fn neuron<'graph>(&mut self, node: &'graph Value) -> Option<Terms<'graph>> {
        let terms = sum(node)?;
        let [factors, _] = terms.factors();
        if factors.is_empty() || terms.singles().is_empty() {
            return None;
        }
        match self.lists.entry(factors.as_ptr()) {
            Entry::Occupied(_) => Some(terms),
            Entry::Vacant(list) => {
                let is_neuron = weights(&terms).all(Value::is_leaf);
                is_neuron.then(|| list.insert(Weights::default()))?;
                Some(terms)
            }
        }
    }

    /// Finds the outputs of a layer: they are what an activation makes of the sums, if it is the
    /// same for all of them and no sum has a name of its own.
    fn find_outputs(&mut self, order: &TopologicalOrder, layer: usize, users: &[Users]) {
        let sums = &self.all[layer].sums;
        let activations = sums.iter().map(|&sum| match users[sum] {
            Users::One(user) if order.nodes()[sum].name().is_none() => {
                activation(order.nodes()[user]).map(|activation| (user, activation))
            }
            _ => None,
        });
        let activated: Option<Vec<_>> = activations.collect();
        self.all[layer].outputs = match activated {
            Some(list) if list.iter().all(|(_, activation)| *activation == list[0].1) => {
                list.into_iter().map(|(output, _)| output).collect()
            }
            _ => sums.clone(),
        };
        for &output in &self.all[layer].outputs {
            self.layer[output] = Some(layer);
        }
    }

    /// Finds the parameters that are shown inside of their layers: all but those that lead to the
    /// inputs of a layer in some other way, so that no cycle of layers comes about.
    fn find_parameters(&mut self, order: &TopologicalOrder) {
        let mut leads_to_layer = vec![false; order.nodes().len()];
        let mut is_seen = vec![false; self.all.len()];
        for (position, node) in order.nodes().iter().enumerate().rev() {
            if let (Some(layer), Some(terms)) = (self.layer[position], self.neuron(node)) {
                if !is_seen[layer] {
                    is_seen[layer] = true;
                    for input in terms.factors()[1] {
                        leads_to_layer[order.position(input)] = true;
                    }
                }
            } else if leads_to_layer[position] {
                for operand in node.operands() {
                    leads_to_layer[order.position(operand)] = true;
                }
            }
        }
        for (layer, Layer { sums, .. }) in self.all.iter().enumerate() {
            for terms in sums.iter().filter_map(|&i| sum(order.nodes()[i])) {
                let list = self.lists.get_mut(&terms.factors()[0].as_ptr());
                let list = list.expect("a neuron");
                if !list.inside.is_empty() {
                    continue; // in another layer, too
                }
                let (outside, inside) = list
                    .outside
                    .iter()
                    .partition(|&&weight| leads_to_layer[weight]);
                *list = Weights { inside, outside };
                for &weight in list.inside.iter().chain(&list.outside) {
                    self.is_parameter[weight] = true;
                }
                for &weight in &list.inside {
                    self.layer[weight].get_or_insert(layer);
                }
            }
        }
    }

    pub(super) fn get(&self, layer: usize) -> &Layer {
        &self.all[layer]
    }

    /// The layer of which the node at this position is a part.
    pub(super) fn find(&self, position: usize) -> Option<usize> {
        self.layer[position]
    }

    /// Whether the node at this position is a weight or bias of a neuron.
    pub(super) fn is_parameter(&self, position: usize) -> bool {
        self.is_parameter[position]
    }

    /// The weights and the bias of a neuron.
    pub(super) fn weights_of(&self, terms: &Terms) -> &Weights {
        &self.lists[&terms.factors()[0].as_ptr()]
    }
}

/// The nodes that read a node.
#[derive(Clone, Copy)]
enum Users {
    None,
    One(usize),
    Several,
}

impl Users {
    fn add(&mut self, user: usize) {
        *self = match self {
            Self::None => Self::One(user),
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

/// The terms of a node that is a sum.
pub(super) fn sum(node: &Value) -> Option<Terms<'_>> {
    match node.operation() {
        Operation::Sum(terms) => Some(terms),
        _ => None,
    }
}

/// The weights, then the bias.
pub(super) fn weights<'graph>(
    terms: &Terms<'graph>,
) -> impl Iterator<Item = &'graph Value> + use<'graph> {
    let [weights, _] = terms.factors();
    weights.iter().chain(terms.singles())
}

/// The activation that computes a node, with the bits of its parameter.
fn activation(node: &Value) -> Option<(Op, Option<u64>)> {
    let activations = [
        Op::Relu,
        Op::LeakyRelu,
        Op::Elu,
        Op::Sigmoid,
        Op::Tanh,
        Op::Softplus,
        Op::Silu,
        Op::Gelu,
    ];
    match node.operation() {
        Operation::Apply { op, y, .. } if activations.contains(&op) => {
            Some((op, y.map(Argument::data).map(f64::to_bits)))
        }
        _ => None,
    }
}
