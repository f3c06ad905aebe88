//! A graph as a picture sees it: nodes, constants and layers, and which of them lie nearest to the
//! result.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::layers::{Layer, Layers, neuron, weights};
use crate::engine::{Argument, NodeId, TopologicalOrder, Value};
use crate::steps::Names;

/// The reader's choices.
#[derive(Clone, Debug)]
pub(super) struct Options<'a> {
    pub(super) max_nodes: usize,
    pub(super) is_expanded: bool,
    pub(super) parameters: &'a [Value],
}

/// A part of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Item {
    /// The node at this position.
    Node(usize),
    /// One of the layers.
    Layer(usize),
    /// Argument 0 or 1 of the node at this position.
    Constant(usize, usize),
}

/// Which layers are drawn node by node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expanded {
    None,
    One(usize),
    All,
}

/// The graph, with what a picture needs to know of its nodes.
pub(super) struct Graph<'order, 'graph> {
    pub(super) order: &'order TopologicalOrder<'graph>,
    pub(super) names: Names<'order, 'graph>,
    parameters: HashSet<NodeId>,
    layers: Layers,
    pub(super) expanded: Expanded,
}

impl<'order, 'graph> Graph<'order, 'graph> {
    pub(super) fn new(order: &'order TopologicalOrder<'graph>, options: &Options) -> Self {
        let neurons = order.nodes().iter().filter_map(|node| neuron(node));
        let of_neurons = neurons.flat_map(|terms| weights(&terms));
        let parameters = options.parameters.iter().chain(of_neurons);
        Self {
            order,
            names: Names::of(order),
            parameters: parameters.map(Value::id).collect(),
            layers: Layers::of(order),
            expanded: if options.is_expanded {
                Expanded::All
            } else {
                Expanded::None
            },
        }
    }

    pub(super) fn node(&self, position: usize) -> &'graph Value {
        self.order.nodes()[position]
    }

    pub(super) fn layer(&self, layer: usize) -> &Layer {
        self.layers.get(layer)
    }

    /// Argument `i` of the node at this position, a constant.
    pub(super) fn constant(&self, position: usize, i: usize) -> f64 {
        self.arguments(position)
            .nth(i)
            .map_or(f64::NAN, Argument::data)
    }

    pub(super) fn is_parameter(&self, node: &Value) -> bool {
        self.parameters.contains(&node.id())
    }

    /// The items that are shown, those nearest to the result first. An operand is farther away than
    /// what reads it by 1, and by another eighth for each operand before it, so that neither a long
    /// chain nor a wide sum takes all the room.
    pub(super) fn nearest(&self, max_nodes: usize) -> Vec<Item> {
        let root = self.item(self.order.nodes().len() - 1);
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut waiting = BinaryHeap::from([Reverse((0, root))]);
        while items.len() < max_nodes.max(1) {
            let Some(Reverse((distance, item))) = waiting.pop() else {
                break;
            };
            if seen.insert(item) {
                items.push(item);
                let operands = self.operands(item).into_iter().zip(distance + 8..);
                waiting.extend(operands.map(|(operand, distance)| Reverse((distance, operand))));
            }
        }
        items
    }

    /// The item that stands for the node at this position.
    fn item(&self, position: usize) -> Item {
        let is_collapsed = |layer: &usize| match self.expanded {
            Expanded::None => true,
            Expanded::One(expanded) => *layer != expanded,
            Expanded::All => false,
        };
        let layer = self.layers.find(position).filter(is_collapsed);
        layer.map_or(Item::Node(position), Item::Layer)
    }

    /// The arguments of the node at this position, from left to right.
    fn arguments(&self, position: usize) -> impl Iterator<Item = Argument<'graph>> {
        let edges = self.node(position).operation().edges();
        edges.map(|edge| edge.argument())
    }

    /// The positions of the operands of a layer's sums.
    fn read_by_sums(&self, layer: usize) -> impl Iterator<Item = usize> {
        let sums = self.layer(layer).sums.iter();
        let operands = sums.flat_map(|&sum| self.node(sum).operands());
        operands.map(|node| self.order.position(node))
    }

    /// The operands of an item, from left to right.
    pub(super) fn operands(&self, item: Item) -> Vec<Item> {
        match item {
            Item::Node(position) => {
                let arguments = self.arguments(position).enumerate();
                let items = arguments.map(|(i, argument)| match argument {
                    Argument::Node(node) => self.item(self.order.position(node)),
                    Argument::Constant(_) => Item::Constant(position, i),
                });
                items.collect()
            }
            Item::Layer(layer) => {
                let read = self.read_by_sums(layer);
                let outside = read.filter(|&position| !self.layers.is_inside(position));
                let mut seen = HashSet::new();
                let items = outside.map(|position| self.item(position));
                items.filter(|&item| seen.insert(item)).collect()
            }
            Item::Constant(..) => vec![],
        }
    }

    /// The positions of the nodes that the item stands for.
    pub(super) fn nodes_of(&self, item: Item) -> Vec<usize> {
        match item {
            Item::Node(position) => vec![position],
            Item::Layer(layer) => {
                let read = self.read_by_sums(layer);
                let inside = read.filter(|&position| self.layers.is_inside(position));
                let Layer { sums, outputs } = self.layer(layer);
                inside.chain(sums.iter().chain(outputs).copied()).collect()
            }
            Item::Constant(..) => vec![],
        }
    }
}
