//! The nodes of a graph in topological order, numbered.

use super::{Origin, Value};

/// All nodes below some values, each after its operands, and these from left to right.
///
/// While it lives, each node knows its position: no map from nodes to positions is needed.
pub(crate) struct Order<'graph> {
    nodes: Vec<&'graph Value>,
}

/// A step of the walk.
enum Visit<'graph> {
    /// Look at a node, which may have been seen before.
    Enter(&'graph Value),
    /// All operands of this node have been left.
    Leave(&'graph Value),
}

/// The mark of a node whose operands are being visited.
const ENTERED: usize = usize::MAX;

impl<'graph> Order<'graph> {
    pub(crate) fn of(values: &'graph [Value]) -> Self {
        let mut order = Self { nodes: Vec::new() };
        let mut visits: Vec<_> = values.iter().rev().map(Visit::Enter).collect();
        while let Some(visit) = visits.pop() {
            match visit {
                Visit::Enter(value) => {
                    if value.0.pending.get() == 0 {
                        value.0.pending.set(ENTERED);
                        visits.push(Visit::Leave(value));
                        let operands = visits.len();
                        value
                            .origin()
                            .for_each_operand(|operand| visits.push(Visit::Enter(operand)));
                        visits[operands..].reverse();
                    }
                }
                Visit::Leave(value) => {
                    order.nodes.push(value);
                    value.0.pending.set(order.nodes.len());
                }
            }
        }
        order
    }

    pub(crate) fn nodes(&self) -> &[&'graph Value] {
        &self.nodes
    }

    /// Of each node, by position, whether a backward pass from one of these `outputs` arrives there: not if
    /// only such operations read it as pass nothing down.
    pub(crate) fn receiving(&self, outputs: &[Value]) -> Vec<bool> {
        let mut receiving = vec![false; self.nodes.len()];
        for output in outputs {
            receiving[self.position(output)] = true;
        }
        for (position, value) in self.nodes.iter().enumerate().rev() {
            if receiving[position] && !matches!(value.origin(), Origin::Cut(_)) {
                let origin = value.origin();
                origin.for_each_operand(|operand| receiving[self.position(operand)] = true);
            }
        }
        receiving
    }

    /// Where the node is among [`nodes`](Self::nodes), if it is one of them.
    pub(crate) fn find(&self, value: &Value) -> Option<usize> {
        let position = value.0.pending.get().checked_sub(1)?;
        self.nodes[position].same_node(value).then_some(position)
    }

    /// Where a node is that is among them.
    pub(crate) fn position(&self, value: &Value) -> usize {
        let position = value.0.pending.get() - 1;
        debug_assert!(self.nodes[position].same_node(value));
        position
    }
}

impl Drop for Order<'_> {
    fn drop(&mut self) {
        for value in &self.nodes {
            value.0.pending.set(0);
        }
    }
}

impl Origin {
    /// Calls `visit` with each operand that is a node, from left to right.
    #[inline]
    pub(crate) fn for_each_operand<'graph>(&'graph self, visit: impl FnMut(&'graph Value)) {
        match self {
            Self::Leaf => {}
            Self::Unary(_, x) | Self::LiteralRight(_, x, _) | Self::LiteralLeft(_, _, x) => {
                [x].into_iter().for_each(visit);
            }
            Self::Binary(_, x, y) => [x, y].into_iter().for_each(visit),
            Self::Cut(operation) => operation.for_each_operand(visit),
            Self::Sum(terms) => terms.iter().for_each(visit),
            Self::WeightedSum(weights, inputs) => {
                weights
                    .values()
                    .iter()
                    .chain(inputs.values())
                    .for_each(visit);
            }
        }
    }
}
