//! Anomalies: where a non-finite number was born.
//!
//! A NaN in the loss says that something went wrong, but not where: it has passed through every
//! operation since. [`Value::find_anomaly`] finds the first node whose number is NaN or infinite
//! although it was computed from finite numbers, and reports the computation there.
//!
//! ```
//! use micrograd::engine::Value;
//!
//! let p = Value::new(0.0).with_name("p");
//! let loss = (-&p * p.ln()).with_name("entropy");
//! assert!(loss.data().is_nan()); // 0 · ∞
//!
//! let anomaly = loss.find_anomaly().unwrap();
//! assert!(anomaly.to_string().starts_with("forward pass: `ln` gives -inf\n    x = 0.0 ← p\n"));
//! ```
//!
//! With the feature `locations`, every node remembers the source line that made it, at a cost of 8
//! bytes per node, and the report names that line. Nodes made by [`sum`](Iterator::sum) and
//! [`product`](Iterator::product) have no line, because the standard library makes the call; nor do
//! the operations of a [`gradient`](Value::gradient).
//!
//! [`Tape::find_anomaly`](crate::tape::Tape::find_anomaly) does the same for the rows of a batch.

use std::error::Error;
use std::fmt;
use std::slice;

use crate::engine::{Argument, Role, TopologicalOrder, Value};
use crate::text::printable;

/// A printable report of how a non-finite number came about; see the [module](self).
#[derive(Clone, Debug)]
pub struct Anomaly {
    pass: Pass,
    row: Option<usize>,
    node: Value,
    report: String,
}

/// When a number was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The forward pass: the number is a value.
    Forward,
    /// The backward pass: the number is a gradient.
    Backward,
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "forward pass",
            Self::Backward => "backward pass",
        })
    }
}

impl Anomaly {
    /// The pass that computed the number, which tells whether it is a value or a gradient.
    pub fn pass(&self) -> Pass {
        self.pass
    }

    /// The node whose value or gradient it is; from a tape, a copy of the recorded node.
    pub fn node(&self) -> &Value {
        &self.node
    }

    /// The index of the row; `None` unless the anomaly is from a tape.
    pub fn row(&self) -> Option<usize> {
        self.row
    }

    pub(crate) fn in_row(self, row: usize) -> Self {
        Self {
            row: Some(row),
            ..self
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}, ")?;
        }
        f.write_str(&self.report)
    }
}

impl Error for Anomaly {}

impl Value {
    /// Finds the node where a non-finite number was born: the first value in the order of
    /// computation, or else the first gradient, that is NaN or infinite although everything it was
    /// computed from is finite.
    ///
    /// Call this on the output, after the forward pass or after the backward pass from that output,
    /// and before an optimizer changes the parameters: it examines the numbers that the nodes hold.
    /// It takes as long as one or two backward passes.
    ///
    /// Gradients that reach no leaf, such as those of detached values and conditions, are ignored.
    ///
    /// ```
    /// use micrograd::anomaly::Pass;
    /// use micrograd::engine::Value;
    ///
    /// let variance = Value::new(0.0).with_name("variance");
    /// let loss = variance.sqrt() + 1.0;
    /// assert!(loss.find_anomaly().is_none());
    /// loss.backward();
    /// let anomaly = loss.find_anomaly().unwrap(); // the slope of the root is infinite at 0
    /// assert_eq!(anomaly.pass(), Pass::Backward);
    /// assert!(anomaly.node().same_node(&variance));
    /// ```
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) of a node of the graph is alive.
    #[must_use]
    #[track_caller]
    pub fn find_anomaly(&self) -> Option<Anomaly> {
        self.find_anomaly_on_the_way_to(|order| {
            let positions = 0..order.nodes().len();
            positions.filter(|&i| order.nodes()[i].is_leaf()).collect()
        })
    }

    /// The same, but ignores gradients that do not lead to the nodes at the `wanted` positions.
    #[track_caller]
    pub(crate) fn find_anomaly_on_the_way_to(
        &self,
        wanted: impl FnOnce(&TopologicalOrder) -> Vec<usize>,
    ) -> Option<Anomaly> {
        let order = TopologicalOrder::of(slice::from_ref(self));
        // Operands come first, so the operands of the first non-finite node are finite.
        for (position, node) in order.nodes().iter().enumerate() {
            if !node.data().is_finite() {
                return Some(anomaly_of_value(&order, position));
            }
        }
        // In reverse, users come first, so the gradients of the users are finite.
        let receiving = order.receiving(slice::from_ref(self));
        let nodes = order.nodes().iter().enumerate().rev();
        let suspects = nodes.filter(|&(i, node)| receiving[i] && !node.grad().is_finite());
        let suspects: Vec<_> = suspects.map(|(position, _)| position).collect();
        if suspects.is_empty() {
            return None;
        }
        let leading = order.leading_to(wanted(&order));
        let born = suspects.into_iter().find(|&position| leading[position]);
        born.map(|position| anomaly_of_gradient(&order, &receiving, position))
    }
}

fn anomaly_of_value(order: &TopologicalOrder, born: usize) -> Anomaly {
    let node = order.nodes()[born];
    let number = node.data();
    let title = match node.operation().label() {
        Some(operation) => format!("`{operation}` gives {number:?}{}", Name(node)),
        None => format!("a leaf holds {number:?}{}", Name(node)),
    };
    let mut report = Report::new(Pass::Forward, &title);
    report.operands(node);
    report.surroundings(order, born);
    report.about(node)
}

fn anomaly_of_gradient(order: &TopologicalOrder, receiving: &[bool], born: usize) -> Anomaly {
    let node = order.nodes()[born];
    let parts = parts_of_gradient(order, receiving, born);
    let report = match parts.iter().find(|part| !part.number.is_finite()) {
        Some(part) => report_of_rule(order, part),
        None => report_of_parts(order, born, &parts),
    };
    report.about(node)
}

/// The part of a gradient that an operation passes down to one of its arguments.
struct Part {
    /// The position of the operation.
    operation: usize,
    role: Role,
    number: f64,
}

/// The parts passed down to a node, from the last operation to the first.
fn parts_of_gradient(order: &TopologicalOrder, receiving: &[bool], position: usize) -> Vec<Part> {
    let node = order.nodes()[position];
    let mut parts = Vec::new();
    let users = order.nodes().iter().enumerate().skip(position + 1).rev();
    for (operation, user) in users.filter(|&(operation, _)| receiving[operation]) {
        for edge in user.operation().edges() {
            if edge.receiver().is_some_and(|it| it.same_node(node)) {
                parts.push(Part {
                    operation,
                    role: edge.role,
                    number: edge.vjp(user.data(), user.grad()),
                });
            }
        }
    }
    parts
}

/// The report if the rule of an operation passed down a non-finite number.
fn report_of_rule(order: &TopologicalOrder, part: &Part) -> Report {
    let operation = order.nodes()[part.operation];
    let title = format!(
        "`{}` passes {:?} down to {}",
        operation.operation().label().unwrap_or_default(),
        part.number,
        part.role,
    );
    let mut report = Report::new(Pass::Backward, &title);
    report.operands(operation);
    report.line(format_args!(
        "out = {:?}{}",
        operation.data(),
        Name(operation)
    ));
    report.line(format_args!("g = {:?}", operation.grad()));
    report.surroundings(order, part.operation);
    report
}

/// The report if every part that was passed down is finite.
fn report_of_parts(order: &TopologicalOrder, position: usize, parts: &[Part]) -> Report {
    let node = order.nodes()[position];
    let sum: f64 = parts.iter().map(|part| part.number).sum();
    let title = if sum.is_finite() {
        let grad = node.grad();
        format!("a gradient is {grad:?}, though a pass adds only {sum:?} to it")
    } else {
        format!("{} parts of a gradient add up to {sum:?}", parts.len())
    };
    let mut report = Report::new(Pass::Backward, &format!("{title}{}", Name(node)));
    report.surroundings(order, position);
    report
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X => f.write_str("x"),
            Self::Y => f.write_str("y"),
            Self::Term(i) => write!(f, "term {i}"),
            Self::Weight(i) => write!(f, "weight {i}"),
            Self::Input(i) => write!(f, "input {i}"),
            Self::Bias => f.write_str("bias"),
        }
    }
}

/// The positions of the nodes on a path from one node to the output, each an operand of the next.
/// For the backward pass, the path takes only edges that carry a gradient.
fn way_to_output(order: &TopologicalOrder, start: usize, pass: Pass) -> Vec<usize> {
    let nodes = order.nodes();
    let mut reached_from = vec![None; nodes.len()];
    for (position, node) in nodes.iter().enumerate().skip(start + 1) {
        let operands: Box<dyn Iterator<Item = &Value>> = match pass {
            Pass::Forward => Box::new(node.operands()),
            Pass::Backward => Box::new(node.receivers()),
        };
        reached_from[position] = operands
            .map(|operand| order.position(operand))
            .find(|&operand| operand == start || reached_from[operand].is_some());
    }
    let mut way = vec![nodes.len() - 1];
    while let Some(&Some(previous)) = way.last().map(|&last| &reached_from[last]) {
        way.push(previous);
    }
    way.reverse();
    way
}

/// The lines of a report.
struct Report {
    pass: Pass,
    text: String,
}

impl Report {
    /// The most operands or names listed.
    const MOST: usize = 8;

    fn new(pass: Pass, title: &str) -> Self {
        let text = format!("{pass}: {title}");
        Self { pass, text }
    }

    fn line(&mut self, text: impl fmt::Display) {
        self.text.push_str("\n    ");
        self.text.push_str(&text.to_string());
    }

    fn operands(&mut self, operation: &Value) {
        let mut edges = operation.operation().edges();
        for edge in edges.by_ref().take(Self::MOST) {
            let role = edge.role;
            match edge.argument() {
                Argument::Node(node) => {
                    self.line(format_args!("{role} = {:?}{}", node.data(), Name(node)));
                }
                Argument::Constant(constant) => self.line(format_args!("{role} = {constant:?}")),
            }
        }
        let others = edges.count();
        if others > 0 {
            self.line(format_args!("and {others} more"));
        }
    }

    /// The names on the way to the output, and the source line.
    fn surroundings(&mut self, order: &TopologicalOrder, position: usize) {
        let way = way_to_output(order, position, self.pass)
            .into_iter()
            .skip(1);
        let mut names: Vec<_> = way
            .filter_map(|position| order.nodes()[position].name())
            .map(|name| printable(&name))
            .collect();
        if names.len() > Self::MOST {
            // Keep the last name, which is nearest to the output.
            names.splice(Self::MOST - 1..names.len() - 1, [String::from("…")]);
        }
        if !names.is_empty() {
            self.line(format_args!("on the way to {}", names.join(" → ")));
        }
        if let Some(location) = order.nodes()[position].label().line.location() {
            self.line(format_args!("made at {location}"));
        }
    }

    fn about(self, node: &Value) -> Anomaly {
        Anomaly {
            pass: self.pass,
            row: None,
            node: node.clone(),
            report: self.text,
        }
    }
}

/// The name of a node, after an arrow as in the tree, or nothing for a node without a name.
struct Name<'a>(&'a Value);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            Some(name) => write!(f, " ← {}", printable(&name)),
            None => Ok(()),
        }
    }
}
