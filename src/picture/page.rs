//! A picture as a page in HTML to play with: the graph's numbers and rules as data, beside a
//! script.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use super::card::Card;
use super::graph::{Expanded, Graph, Item};
use super::sketch::Sketch;
use super::svg::{self, Escaped, Place};
use crate::engine::{Argument, Op, Operation, Term, Value};
use crate::ops::expression::Expression;
use crate::ops::language::{Language, operations_in_javascript};
use crate::text::rule;

/// The page of a graph with at most this many nodes and operands holds all of them, and computes
/// them anew when a leaf is changed.
const MOST_LIVE_NODES: usize = 2000;
const MOST_LIVE_OPERANDS: usize = 20_000;

/// The most outputs of a layer and terms of a sum on the page of a larger graph.
const MOST_LISTED: usize = 50;

const STYLE: &str = include_str!("page/page.css");
const BODY: &str = include_str!("page/page.html");
const SCRIPT: &str = include_str!("page/page.js");

pub(super) fn write(graph: &mut Graph, max_nodes: usize, page: &mut String) -> fmt::Result {
    let nodes = graph.order.nodes();
    let operands = nodes.iter().map(|node| node.operands().size_hint().0);
    let is_live = nodes.len() <= MOST_LIVE_NODES && operands.sum::<usize>() <= MOST_LIVE_OPERANDS;
    let most_listed = if is_live { usize::MAX } else { MOST_LISTED };
    let views = views(graph, max_nodes);
    let positions: Vec<_> = if is_live {
        (0..nodes.len()).collect()
    } else {
        let cards = views.iter().flat_map(|view| &view.sketch.cards);
        let positions: BTreeSet<_> = cards
            .flat_map(|card| listed(graph, card, most_listed))
            .collect();
        positions.into_iter().collect()
    };
    let title = views[0].sketch.cards[0].title.as_str();

    writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
    )?;
    *page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    writeln!(page, "<title>{}</title>", Escaped(title))?;
    writeln!(page, "<style>\n{STYLE}</style>\n</head>\n<body>\n{BODY}")?;
    for (i, view) in views.iter().enumerate() {
        writeln!(page, "<template id=\"view-{i}\">")?;
        svg::write(&view.sketch, Place::OnPage, page)?;
        writeln!(page, "</template>")?;
    }
    writeln!(page, "<script>\n\"use strict\";")?;
    write_operations(graph, &positions, page)?;
    write_nodes(graph, &positions, most_listed, page)?;
    write_views(graph, &views, most_listed, page)?;
    writeln!(
        page,
        "const isLive = {is_live}, nodeCount = {};",
        nodes.len()
    )?;
    writeln!(page, "{SCRIPT}</script>\n</body>\n</html>")
}

/// The positions of the nodes that a click on a card tells of: its own, or so many outputs.
fn listed(graph: &Graph, card: &Card, most: usize) -> Vec<usize> {
    match card.item {
        Some(Item::Node(position)) => vec![position],
        Some(Item::Layer(layer)) => graph
            .layer(layer)
            .outputs
            .iter()
            .copied()
            .take(most)
            .collect(),
        Some(Item::Constant(..)) | None => vec![],
    }
}

/// A picture of the graph with some layer expanded.
struct View {
    expanded: Expanded,
    sketch: Sketch,
}

impl View {
    fn of(graph: &Graph, max_nodes: usize) -> Self {
        let mut sketch = Sketch::of(graph, max_nodes);
        // The script calls every node by a name, so each card has one.
        for card in &mut sketch.cards {
            if let (Some(Item::Node(position)), None) = (card.item, &card.name) {
                card.name = Some(graph.names.get(graph.node(position)));
            }
        }
        Self {
            expanded: graph.expanded(),
            sketch,
        }
    }
}

/// The first picture of the page, and those that follow a click on a layer, as long as they are
/// not abridged and do not need more boxes than twice the most of one picture.
fn views(graph: &mut Graph, max_nodes: usize) -> Vec<View> {
    let mut views = vec![View::of(graph, max_nodes)];
    if views[0].sketch.caption().is_some() {
        return views; // with more boxes it would still be abridged
    }
    let cards = views[0].sketch.cards.iter();
    let mut layers: Vec<_> = cards
        .filter_map(|card| match card.item {
            Some(Item::Layer(layer)) => Some(Expanded::One(layer)),
            _ => None,
        })
        .collect();
    if layers.len() > 1 {
        layers.push(Expanded::All);
    }
    let first = graph.expanded();
    let mut room = 2 * max_nodes;
    for expanded in layers {
        graph.expand(expanded);
        let view = View::of(graph, max_nodes);
        let cards = view.sketch.cards.len();
        if view.sketch.caption().is_none() && cards <= room {
            room -= cards;
            views.push(view);
        }
    }
    graph.expand(first);
    views
}

/// The table of the operations that the nodes need: functions, and formulas to read.
fn write_operations(graph: &Graph, positions: &[usize], page: &mut String) -> fmt::Result {
    let is_used = |op: &&Op| {
        let mut nodes = positions.iter().map(|&position| graph.node(position));
        // Products in sums have the rules of `*`, and single terms those of `+`.
        matches!(**op, Op::Mul | Op::Add) || nodes.any(|node| is_result_of(node, **op))
    };
    let used: Vec<_> = Op::ALL.iter().filter(is_used).copied().collect();
    let [helpers, operations] = operations_in_javascript(&used);
    writeln!(page, "{helpers}const operations = {operations};")?;
    writeln!(page, "const formulas = {{")?;
    for op in used {
        let parameters = op.parameters().iter().map(|name| string(name));
        let gradients = op.gradient_formulas();
        let gradients = gradients.map(|rule| rule.map_or("null".into(), |rule| string(&rule)));
        writeln!(
            page,
            "    {}: {{ parameters: [{}], value: {}, gradients: [{}] }},",
            op.name(),
            parameters.collect::<Vec<_>>().join(", "),
            string(&op.formula()),
            gradients.join(", ")
        )?;
    }
    writeln!(page, "}};")
}

fn is_result_of(node: &Value, op: Op) -> bool {
    matches!(node.operation(), Operation::Apply { op: other, .. } if other == op)
}

/// The nodes by their positions, each with its name, how it was computed, its number and its
/// gradient.
fn write_nodes(
    graph: &Graph,
    positions: &[usize],
    most_listed: usize,
    page: &mut String,
) -> fmt::Result {
    let gradients = gradients(graph);
    writeln!(page, "const nodes = new Map([")?;
    for &position in positions {
        let node = graph.node(position);
        let at = |node: &Value| graph.order.position(node);
        let operand = |argument: Argument| match argument {
            Argument::Node(node) => at(node).to_string(),
            Argument::Constant(constant) => format!("{{ constant: {} }}", literal(constant)),
        };
        let origin = match node.operation() {
            Operation::Leaf if graph.is_parameter(node) => "isParameter: true, ".into(),
            Operation::Leaf => String::new(),
            Operation::Apply { op, x, y } => {
                let arguments = [Some(x), y].into_iter().flatten().map(operand);
                let arguments = arguments.collect::<Vec<_>>().join(", ");
                let rules = rules_with_constants(node);
                format!(
                    "operation: \"{}\", operands: [{arguments}], {rules}",
                    op.name()
                )
            }
            Operation::Sum(terms) => {
                let count = terms.len();
                let terms = terms.take(most_listed).map(|term| match term {
                    Term::Product(weight, input) => format!("[{}, {}]", at(weight), at(input)),
                    Term::Single(value) => format!("[{}]", at(value)),
                });
                let terms = terms.collect::<Vec<_>>().join(", ");
                format!("terms: [{terms}], count: {count}, ")
            }
        };
        let line = node.label().line.location();
        let line = line.map_or(String::new(), |line| {
            format!("line: {}, ", string(&line.to_string()))
        });
        writeln!(
            page,
            "    [{position}, {{ name: {}, {origin}{line}value: {}, gradient: {} }}],",
            string(&graph.names.get(node)),
            literal(node.data()),
            gradients[position].map_or("null".into(), literal)
        )?;
    }
    writeln!(page, "]);")
}

/// The rules of an operation on a constant. Other operations follow the table.
fn rules_with_constants(node: &Value) -> String {
    let edges: Vec<_> = node.operation().edges().collect();
    if edges.iter().all(|edge| edge.argument().node().is_some()) {
        return String::new();
    }
    let rules = edges
        .iter()
        .map(|edge| rule(edge).map_or("null".into(), |rule| string(&rule.full_formula())));
    format!("rules: [{}], ", rules.collect::<Vec<_>>().join(", "))
}

/// The derivative of the result with respect to each node; none where no gradient arrives.
fn gradients(graph: &Graph) -> Vec<Option<f64>> {
    let nodes = graph.order.nodes();
    let mut gradients = vec![None; nodes.len()];
    gradients[nodes.len() - 1] = Some(1.0);
    for (position, node) in nodes.iter().enumerate().rev() {
        let Some(gradient) = gradients[position] else {
            continue;
        };
        for edge in node.operation().edges() {
            if let Some(operand) = edge.receiver() {
                let part = edge.vjp(node.data(), gradient);
                *gradients[graph.order.position(operand)].get_or_insert(0.0) += part;
            }
        }
    }
    gradients
}

/// For each view, the items that its cards stand for.
fn write_views(
    graph: &Graph,
    views: &[View],
    most_listed: usize,
    page: &mut String,
) -> fmt::Result {
    writeln!(page, "const views = [")?;
    for view in views {
        let expanded = match view.expanded {
            Expanded::None => "null".into(),
            Expanded::One(layer) => layer.to_string(),
            Expanded::All => "\"all\"".into(),
        };
        writeln!(page, "    {{ expanded: {expanded}, cards: [")?;
        for card in &view.sketch.cards {
            let item = match card.item {
                Some(Item::Node(position)) => format!("node: {position}"),
                Some(Item::Layer(layer)) => {
                    let outputs = listed(graph, card, most_listed);
                    let name = string(card.name.as_deref().unwrap_or_default());
                    format!("layer: {layer}, name: {name}, outputs: {outputs:?}")
                }
                Some(Item::Constant(position, side)) => {
                    format!("constant: {}", literal(graph.constant(position, side)))
                }
                None => "isRest: true".into(),
            };
            let (title, operands) = (string(&card.title), &card.operands);
            writeln!(
                page,
                "        {{ {item}, title: {title}, operands: {operands:?} }},"
            )?;
        }
        writeln!(page, "    ] }},")?;
    }
    writeln!(page, "];")
}

/// A number in JavaScript.
fn literal(number: f64) -> String {
    Language::JavaScript.write(&Expression::from(number))
}

/// A text in JavaScript that ends no element of HTML.
fn string(text: &str) -> String {
    let escaped = text.chars().map(|character| match character {
        '"' | '\\' => format!("\\{character}"),
        '<' | '>' | '&' => format!("\\u{:04x}", u32::from(character)),
        _ if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        _ => character.into(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
