//! A graph as a picture sees it: nodes, constants and layers, and which of them lie nearest to the
//! result.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::layers::{Layer, Layers, Weights, sum};
use crate::engine::{Argument, NodeId, Terms, TopologicalOrder, Value};
use crate::text::Names;

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
    /// As the user says.
    parameters: HashSet<NodeId>,
    layers: Layers,
    expanded: Expanded,
    /// The positions of parameters that the expanded layer shares with others.
    revealed: HashSet<usize>,
}

impl<'order, 'graph> Graph<'order, 'graph> {
    pub(super) fn new(order: &'order TopologicalOrder<'graph>, options: &Options) -> Self {
        Self {
            order,
            names: Names::of(order),
            parameters: options.parameters.iter().map(Value::id).collect(),
            layers: Layers::of(order),
            expanded: if options.is_expanded {
                Expanded::All
            } else {
                Expanded::None
            },
            revealed: HashSet::new(),
        }
    }

    pub(super) fn expanded(&self) -> Expanded {
        self.expanded
    }

    pub(super) fn expand(&mut self, expanded: Expanded) {
        self.expanded = expanded;
        self.revealed.clear();
        if let Expanded::One(layer) = expanded {
            let lists = self.weights_of(layer);
            self.revealed = lists.flat_map(|list| &list.inside).copied().collect();
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
        self.layers.is_parameter(self.order.position(node)) || self.parameters.contains(&node.id())
    }

    /// The items that are shown, those nearest to the result first. An operand is farther away
    /// than what reads it by 1, and by another eighth for each operand before it, so that neither
    /// a long chain nor a wide sum takes all the room.
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
        let layer = layer.filter(|_| !self.revealed.contains(&position));
        layer.map_or(Item::Node(position), Item::Layer)
    }

    /// The arguments of the node at this position, from left to right.
    fn arguments(&self, position: usize) -> impl Iterator<Item = Argument<'graph>> {
        let edges = self.node(position).operation().edges();
        edges.map(|edge| edge.argument())
    }

    /// The weighted sums of a layer.
    pub(super) fn sums(&self, layer: usize) -> impl Iterator<Item = Terms<'graph>> {
        let sums = self.layer(layer).sums.iter();
        sums.filter_map(|&position| sum(self.node(position)))
    }

    fn weights_of(&self, layer: usize) -> impl Iterator<Item = &Weights> {
        self.sums(layer).map(|terms| self.layers.weights_of(&terms))
    }

    /// The operands of an item, from left to right; those of sums and layers once each.
    pub(super) fn operands(&self, item: Item) -> Vec<Item> {
        let mut seen = HashSet::new();
        match item {
            Item::Node(position) => {
                let arguments = self.arguments(position).enumerate();
                let items = arguments.map(|(i, argument)| match argument {
                    Argument::Node(node) => self.item(self.order.position(node)),
                    Argument::Constant(_) => Item::Constant(position, i),
                });
                let is_sum = sum(self.node(position)).is_some();
                items.filter(|&item| !is_sum || seen.insert(item)).collect()
            }
            Item::Layer(layer) => {
                let inputs = self
                    .sums(layer)
                    .take(1)
                    .flat_map(|terms| terms.factors()[1]);
                let inputs = inputs.map(|input| self.order.position(input));
                let weights = self.weights_of(layer).flat_map(|list| &list.outside);
                let items = inputs
                    .chain(weights.copied())
                    .map(|position| self.item(position));
                items.filter(|&item| seen.insert(item)).collect()
            }
            Item::Constant(..) => vec![],
        }
    }

    /// Marks the nodes that an item stands for, by their positions.
    pub(super) fn mark(&self, item: Item, marks: &mut [bool]) {
        match item {
            Item::Node(position) => marks[position] = true,
            Item::Layer(layer) => {
                let Layer { sums, outputs } = self.layer(layer);
                for &position in sums.iter().chain(outputs) {
                    marks[position] = true;
                }
                for &weight in self.weights_of(layer).flat_map(|list| &list.inside) {
                    marks[weight] = true;
                }
            }
            Item::Constant(..) => {}
        }
    }
}
