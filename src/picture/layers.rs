//! Neurons and layers, found in a graph by their shape.

use std::collections::HashMap;

use crate::engine::{Op, Operation, Terms, TopologicalOrder, Value};

/// The layers of a graph: neurons that read the same list of inputs. A neuron is a weighted sum of
/// leaves as weights with a bias, and the activation that follows.
///
/// With each layer as one node a graph is still without circles: a path from an output of a layer
/// back to its inputs would be one from the inputs to themselves.
pub(super) struct Layers {
    all: Vec<Layer>,
    /// By the position of a node: the layer of which it is a sum or an output.
    layer: Vec<Option<usize>>,
    /// By the position of a node: whether it is a weight or bias that only layers read.
    is_inside: Vec<bool>,
}

/// Positions of nodes.
#[derive(Default)]
pub(super) struct Layer {
    /// The sums, in ascending order.
    pub(super) sums: Vec<usize>,
    /// For each sum, the output: itself, or what the activation makes of it.
    pub(super) outputs: Vec<usize>,
}

impl Layers {
    pub(super) fn of(order: &TopologicalOrder) -> Self {
        let mut found = Self {
            all: Vec::new(),
            layer: vec![None; order.nodes().len()],
            is_inside: vec![false; order.nodes().len()],
        };
        let mut by_inputs = HashMap::new();
        let mut uses = vec![0_usize; order.nodes().len()];
        let mut uses_as_weight = uses.clone();
        for (position, node) in order.nodes().iter().enumerate() {
            for operand in node.operands() {
                uses[order.position(operand)] += 1;
            }
            let Some(terms) = neuron(node) else {
                continue;
            };
            for weight in weights(&terms) {
                uses_as_weight[order.position(weight)] += 1;
            }
            let [_, inputs] = terms.factors();
            let layer = *by_inputs.entry(inputs.as_ptr()).or_insert_with(|| {
                found.all.push(Layer::default());
                found.all.len() - 1
            });
            found.all[layer].sums.push(position);
            found.all[layer].outputs.push(position);
            found.layer[position] = Some(layer);
        }
        for (position, node) in order.nodes().iter().enumerate() {
            let as_weight = uses_as_weight[position];
            found.is_inside[position] = as_weight > 0 && as_weight == uses[position];
            if let Some(sum) = activated(node).map(|sum| order.position(sum)) {
                if uses[sum] == 1 {
                    found.set_output(sum, position);
                }
            }
        }
        found
    }

    /// Makes this the output in the place of a sum, if that is one of a layer.
    fn set_output(&mut self, sum: usize, output: usize) {
        let Some(layer) = self.layer[sum] else {
            return;
        };
        let Layer { sums, outputs } = &mut self.all[layer];
        if let Ok(neuron) = sums.binary_search(&sum) {
            outputs[neuron] = output;
            self.layer[output] = Some(layer);
        }
    }

    pub(super) fn get(&self, layer: usize) -> &Layer {
        &self.all[layer]
    }

    /// The layer of which the node at this position is a sum or an output.
    pub(super) fn find(&self, position: usize) -> Option<usize> {
        self.layer[position]
    }

    /// Whether the node at this position is a weight or bias that only layers read.
    pub(super) fn is_inside(&self, position: usize) -> bool {
        self.is_inside[position]
    }
}

/// The sum of a neuron.
pub(super) fn neuron(node: &Value) -> Option<Terms<'_>> {
    let Operation::Sum(terms) = node.operation() else {
        return None;
    };
    let [factors, _] = terms.factors();
    let has_bias = !factors.is_empty() && !terms.singles().is_empty();
    (has_bias && weights(&terms).all(Value::is_leaf)).then_some(terms)
}

/// The weights, then the bias.
pub(super) fn weights<'graph>(
    terms: &Terms<'graph>,
) -> impl Iterator<Item = &'graph Value> + use<'graph> {
    let [weights, _] = terms.factors();
    weights.iter().chain(terms.singles())
}

/// The argument of an activation.
fn activated(node: &Value) -> Option<&Value> {
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
        Operation::Apply { op, x, .. } if activations.contains(&op) => x.node(),
        _ => None,
    }
}
