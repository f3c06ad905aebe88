//! The cards of a picture, and the texts on them.

use super::graph::{Graph, Item};
use super::layers::{Layer, neuron, weights};
use crate::engine::{Op, Operation, Terms, Value};
use crate::ops::expression::number_text;
use crate::steps::{formula, short};
use crate::tree::printable;

/// A card stands for a node, a constant or a layer.
pub(super) struct Card {
    /// None for what is left out.
    pub(super) item: Option<Item>,
    pub(super) kind: Kind,
    /// The label of the operation, if there is one.
    pub(super) operation: Option<String>,
    pub(super) name: Option<String>,
    pub(super) lines: Vec<String>,
    /// More about it, for whoever points at the card.
    pub(super) title: String,
    /// The cards that it reads, from left to right; one that it reads twice is there twice.
    pub(super) operands: Vec<usize>,
    /// Whether another order of the operands would be another result.
    pub(super) is_ordered: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Parameter,
    Input,
    Constant,
    Result,
    Layer,
    /// Stands for operands that are left out.
    Rest,
}

/// The most outputs of a layer whose numbers are shown.
const MOST_NUMBERS: usize = 3;

/// The most characters of a name and of a title. Graphviz reads texts of up to 16 KiB.
const LONGEST_NAME: usize = 24;
const LONGEST_TITLE: usize = 1000;

impl Card {
    fn new(kind: Kind, lines: impl Into<Vec<String>>, title: &str) -> Self {
        Self {
            item: None,
            kind,
            operation: None,
            name: None,
            lines: lines.into(),
            title: abridged(title, LONGEST_TITLE),
            operands: Vec::new(),
            is_ordered: false,
        }
    }

    fn with_name(self, name: &str) -> Self {
        Self {
            name: Some(abridged(&printable(name), LONGEST_NAME)),
            ..self
        }
    }

    pub(super) fn of_node(node: &Value, graph: &Graph) -> Self {
        let operation = node.operation();
        let kind = match operation {
            Operation::Leaf if graph.is_parameter(node) => Kind::Parameter,
            Operation::Leaf => Kind::Input,
            _ => Kind::Result,
        };
        let label = match &operation {
            Operation::Sum(terms) => Some(label_of_sum(terms)),
            other => other.label(),
        };
        let lines = [
            format!("data {}", short(node.data())),
            format!("grad {}", short(node.grad())),
        ];
        let (name, number) = (graph.names.get(node), number_text(node.data()));
        let title = match formula(node, |operand| graph.names.get(operand)) {
            Some(formula) => format!("{name} = {formula} = {number}"),
            None => format!("{name} = {number}"),
        };
        let card = Self {
            operation: label.map(String::from),
            is_ordered: is_ordered(&operation),
            ..Self::new(kind, lines, &title)
        };
        match node.name() {
            Some(name) => card.with_name(&name),
            None => card,
        }
    }

    pub(super) fn of_constant(number: f64) -> Self {
        let title = format!("the constant {}", number_text(number));
        Self::new(Kind::Constant, [short(number)], &title)
    }

    pub(super) fn of_layer(layer: &Layer, graph: &Graph) -> Self {
        let outputs: Vec<_> = layer.outputs.iter().map(|&i| graph.node(i)).collect();
        let sums = layer.sums.iter().map(|&i| graph.node(i));
        let sums: Vec<_> = sums.filter_map(neuron).collect();

        let neurons = counted(outputs.len(), "neuron");
        let activations = outputs.iter().map(|output| match output.operation() {
            Operation::Apply { op, .. } => Some(op.name()),
            _ => None,
        });
        let activation = activations.reduce(|a, b| a.filter(|_| a == b)).flatten();
        let about = match activation {
            Some(activation) => format!("{neurons}, {activation}"),
            None => neurons.clone(),
        };
        let list = |number: fn(&Value) -> f64| {
            let numbers = outputs.iter().map(|output| short(number(output)));
            let mut numbers: Vec<_> = numbers.take(MOST_NUMBERS).collect();
            if numbers.len() < outputs.len() {
                numbers.push("…".into());
            }
            numbers.join(", ")
        };
        let (data, grad) = (list(Value::data), list(Value::grad));

        let first = weights(&sums[0]).next().and_then(Value::name);
        let name = match first.as_deref().and_then(block) {
            Some(block) => block,
            None if outputs.len() == 1 => "neuron",
            None => "layer",
        };
        let inputs = counted(sums[0].factors()[1].len(), "input");
        let parameters = counted(sums.iter().flat_map(weights).count(), "parameter");
        let title = format!("{}: {neurons}, {inputs}, {parameters}", printable(name));
        let lines = [about, format!("data {data}"), format!("grad {grad}")];
        Self::new(Kind::Layer, lines, &title).with_name(name)
    }

    /// Stands for operands that are left out.
    pub(super) fn of_rest(count: usize) -> Self {
        let title = format!("{} left out", counted(count, "operand"));
        Self::new(Kind::Rest, [format!("… {count} more")], &title)
    }
}

/// Whether the order of the arguments matters.
fn is_ordered(operation: &Operation) -> bool {
    let symmetric = [Op::Add, Op::Mul, Op::Max, Op::Min, Op::Hypot, Op::Equals];
    matches!(operation, Operation::Apply { op, y: Some(_), .. } if !symmetric.contains(op))
}

fn label_of_sum(terms: &Terms) -> &'static str {
    let [weights, _] = terms.factors();
    match (weights.len(), terms.singles().len()) {
        (0, _) => "Σ x",
        (1, 0) => Op::Mul.label(),
        (_, 0) => "Σ w·x",
        _ => "Σ w·x + b",
    }
}

/// The block of a parameter that was named by its module: `layers.0` of `layers.0.weight[3, 1]`.
fn block(name: &str) -> Option<&str> {
    let (module, _) = name.split_once(".weight[")?;
    Some(module)
}

fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

fn abridged(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}
