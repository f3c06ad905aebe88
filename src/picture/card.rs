//! The cards of a picture, and the texts on them.

use super::graph::{Graph, Item};
use super::layers::weights;
use crate::engine::{Op, Operation, Terms, Value};
use crate::ops::expression::number_text;
use crate::text::{formula, printable, short};

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

/// The most outputs of a layer whose numbers are shown, and that are named in its title.
const MOST_NUMBERS: usize = 3;
const MOST_OUTPUTS: usize = 16;

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

    pub(super) fn of_layer(layer: usize, graph: &Graph) -> Self {
        let outputs = graph.layer(layer).outputs.iter();
        let outputs: Vec<_> = outputs.map(|&i| graph.node(i)).collect();
        let sums: Vec<_> = graph.sums(layer).collect();
        let list = |text_of: &dyn Fn(&Value) -> String, most: usize| {
            let mut texts: Vec<_> = outputs
                .iter()
                .map(|output| text_of(output))
                .take(most)
                .collect();
            if texts.len() < outputs.len() {
                texts.push("…".into());
            }
            texts.join(", ")
        };

        let neurons = counted(outputs.len(), "neuron");
        let mut lines = vec![match outputs[0].operation() {
            Operation::Apply { op, y: None, .. } => format!("{neurons}, {}", op.name()),
            Operation::Apply { op, y: Some(y), .. } => {
                format!("{neurons}, {}({})", op.name(), short(y.data()))
            }
            _ => neurons.clone(),
        }];
        let name_of = |output: &Value| graph.names.get(output);
        if outputs.iter().any(|output| output.name().is_some()) {
            lines.push(abridged(&list(&name_of, MOST_NUMBERS), LONGEST_NAME));
        }
        lines.push(format!(
            "data {}",
            list(&|output| short(output.data()), MOST_NUMBERS)
        ));
        lines.push(format!(
            "grad {}",
            list(&|output| short(output.grad()), MOST_NUMBERS)
        ));

        let first = weights(&sums[0]).next().and_then(Value::name);
        let name = match first.as_deref().and_then(module_of) {
            Some(module) if !module.is_empty() => module,
            None if outputs.len() == 1 => "neuron",
            _ => "layer",
        };
        let inputs = counted(sums[0].factors()[1].len(), "input");
        let parameters = counted(sums.iter().flat_map(weights).count(), "parameter");
        let title = format!(
            "{}: {neurons}, {inputs}, {parameters}; outputs {}",
            printable(name),
            list(&name_of, MOST_OUTPUTS)
        );
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

/// The module of a parameter that was named by it: `layers.0` of `layers.0.weight[3, 1]`, and
/// nothing of `weight[3, 1]`.
fn module_of(parameter: &str) -> Option<&str> {
    let (name, _) = parameter.split_once('[')?;
    let module = name.strip_suffix("weight")?;
    if module.is_empty() {
        return Some(module);
    }
    module.strip_suffix('.')
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
