//! Texts about nodes for several tools: names, formulas and short numbers.

use std::collections::HashMap;

use crate::engine::{Argument, Edge, Operation, Side, Term, TopologicalOrder, Value};
use crate::ops::expression::{Expression, number_text};

/// The names that the tools use for nodes: a node's own name, followed by its position if another
/// node has the same name; or the position alone.
pub(crate) struct Names<'order, 'graph> {
    order: &'order TopologicalOrder<'graph>,
    /// For each name, the number of nodes that have it.
    counts: HashMap<String, usize>,
}

impl<'order, 'graph> Names<'order, 'graph> {
    pub(crate) fn of(order: &'order TopologicalOrder<'graph>) -> Self {
        let mut counts = HashMap::new();
        for name in order.nodes().iter().filter_map(|node| node.name()) {
            *counts.entry(name).or_insert(0) += 1;
        }
        Self { order, counts }
    }

    pub(crate) fn get(&self, node: &Value) -> String {
        let position = self.order.position(node);
        match node.name() {
            None => format!("#{position}"),
            Some(name) if self.counts[&name] > 1 => format!("{}#{position}", printable(&name)),
            Some(name) => printable(&name),
        }
    }
}

/// The most terms of a sum that are shown.
const MOST_TERMS: usize = 6;

/// The operation of a node as a formula in the names of its operands; `None` for a leaf.
pub(crate) fn formula(node: &Value, name: impl Fn(&Value) -> String) -> Option<String> {
    let argument = |argument: Argument| match argument {
        Argument::Node(operand) => Expression::name(name(operand)),
        Argument::Constant(number) => number.into(),
    };
    match node.operation() {
        Operation::Leaf => None,
        Operation::Apply { op, x, y } => {
            let x = argument(x);
            let y = y.map_or(x.clone(), argument);
            Some(Expression::apply(op, &x, &y).formula())
        }
        Operation::Sum(terms) => {
            let count = terms.len();
            let shown = terms.take(MOST_TERMS).map(|term| match term {
                Term::Product(w, x) => format!("{} · {}", name(w), name(x)),
                Term::Single(x) => name(x),
            });
            let mut shown: Vec<_> = shown.collect();
            if count > MOST_TERMS {
                shown.push(format!("… ({count} terms)"));
            }
            Some(shown.join(" + "))
        }
    }
}

/// The rule by which an argument gets its part of the gradient, in the names of the table; none if
/// it gets no part. The constants of the expression are in their places, with four digits, and the
/// choices that they decide are made.
pub(crate) fn rule(edge: &Edge) -> Option<Expression> {
    edge.receiver()?;
    let constants = [edge.x, edge.y].map(|argument| match argument {
        Argument::Node(_) => None,
        Argument::Constant(constant) => Some(rounded(constant)),
    });
    let [to_x, to_y] = edge.op.rules(constants);
    match edge.side() {
        Side::X => to_x,
        Side::Y => to_y,
    }
}

/// A number with four digits, as text.
pub(crate) fn short(number: f64) -> String {
    number_text(rounded(number))
}

pub(crate) fn rounded(number: f64) -> f64 {
    match format!("{number:.3e}").parse::<f64>() {
        Ok(rounded) if rounded.is_finite() => rounded,
        _ => number,
    }
}

/// The name with escapes for control characters, because a line break would tear the tree, and for
/// U+FFFE and U+FFFF, which XML does not allow.
pub(crate) fn printable(name: &str) -> String {
    let mut printable = String::new();
    for character in name.chars() {
        if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}
