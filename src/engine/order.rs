//! The topological order of a graph.

use super::graph::Value;

/// All nodes below some values, in topological order: each after its operands, which come in the
/// order of [`Value::operands`].
///
/// The list is a plain vector of handles: it does not change when the graph grows. With
/// [`Value::operation`] and [`Value::operands`] you can write tools such as this one, which
/// measures the depth of a graph:
///
/// ```
/// use std::collections::HashMap;
/// use std::slice;
///
/// use micrograd::engine::{Value, topological_order};
///
/// fn depth(root: &Value) -> usize {
///     let mut depths = HashMap::new();
///     for node in topological_order(slice::from_ref(root)) {
///         let depth = node.operands().map(|operand| depths[&operand.id()] + 1).max();
///         depths.insert(node.id(), depth.unwrap_or(0));
///     }
///     depths[&root.id()]
/// }
///
/// let x = Value::new(3.0);
/// assert_eq!(depth(&(&x * &x + 1.0)), 2);
/// ```
#[must_use]
pub fn topological_order(values: &[Value]) -> Vec<Value> {
    let order = TopologicalOrder::of(values);
    order.nodes().iter().map(|&node| node.clone()).collect()
}

/// The same for the walks of this crate. While it lives, each node holds its position, so that no
/// map from nodes to positions is needed. It must not outlive the call that makes it: another walk
/// would mistake the positions for its own marks.
pub(crate) struct TopologicalOrder<'graph> {
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

impl<'graph> TopologicalOrder<'graph> {
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
                        let enter = |operand| visits.push(Visit::Enter(operand));
                        value.operands().for_each(enter);
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

    /// For each node, by position, whether a backward pass from `outputs` reaches it.
    pub(crate) fn receiving(&self, outputs: &[Value]) -> Vec<bool> {
        let mut receiving = vec![false; self.nodes.len()];
        for output in outputs {
            receiving[self.position(output)] = true;
        }
        for (position, value) in self.nodes.iter().enumerate().rev() {
            if receiving[position] {
                value
                    .receivers()
                    .for_each(|operand| receiving[self.position(operand)] = true);
            }
        }
        receiving
    }

    /// For each node, by position, whether it is one of the nodes at these positions, or a gradient
    /// that arrives there reaches one of them.
    pub(crate) fn leading_to(&self, positions: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut leading = vec![false; self.nodes.len()];
        for position in positions {
            leading[position] = true;
        }
        for (position, value) in self.nodes.iter().enumerate() {
            let receivers = value.receivers();
            receivers.for_each(|x| leading[position] |= leading[self.position(x)]);
        }
        leading
    }

    /// The position of a node in [`nodes`](Self::nodes), if it is there.
    pub(crate) fn find(&self, value: &Value) -> Option<usize> {
        let position = value.0.pending.get().checked_sub(1)?;
        self.nodes[position].same_node(value).then_some(position)
    }

    /// The position of a node that is known to be there.
    pub(crate) fn position(&self, value: &Value) -> usize {
        let position = value.0.pending.get() - 1;
        debug_assert!(self.nodes[position].same_node(value));
        position
    }
}

impl Drop for TopologicalOrder<'_> {
    fn drop(&mut self) {
        for value in &self.nodes {
            value.0.pending.set(0);
        }
    }
}
