//! A picture as text for Graphviz.

use std::fmt::{self, Write};

use super::card::Kind;
use super::sketch::Sketch;

pub(super) fn write(sketch: &Sketch, f: &mut impl Write) -> fmt::Result {
    writeln!(f, "digraph {{")?;
    writeln!(f, "    rankdir=LR")?;
    if let Some(caption) = sketch.caption() {
        writeln!(f, "    label=\"{caption}\"")?;
    }
    for (i, card) in sketch.cards.iter().enumerate() {
        let style = match card.kind {
            Kind::Parameter => "shape=record, style=bold",
            Kind::Input => "shape=record",
            Kind::Result => "shape=Mrecord",
            Kind::Constant => "shape=box, style=\"dashed, rounded\"",
            Kind::Layer => "shape=record, style=filled, fillcolor=gray92",
            Kind::Rest => "shape=plaintext",
        };
        let title = escaped(&card.title, SPECIAL);
        write!(f, "    {i} [label=")?;
        let name = card.name.iter().map(|name| escaped(name, SPECIAL_IN_FIELD));
        let fields: Vec<_> = name.chain(card.lines.iter().cloned()).collect();
        match fields.as_slice() {
            [field] => write!(f, "\"{field}\"")?,
            fields => write!(f, "\"{{ {} }}\"", fields.join(" | "))?,
        }
        writeln!(f, ", {style}, tooltip=\"{title}\"]")?;
        // Operands are read by the operation, if there is one.
        let reader = match &card.operation {
            Some(label) => {
                let label = escaped(label, SPECIAL);
                let order = if card.is_ordered { ", ordering=in" } else { "" };
                writeln!(
                    f,
                    "    op{i} [label=\"{label}\", tooltip=\"{title}\"{order}]"
                )?;
                writeln!(f, "    op{i} -> {i}")?;
                format!("op{i}")
            }
            None => i.to_string(),
        };
        for operand in &card.operands {
            writeln!(f, "    {operand} -> {reader}")?;
        }
    }
    writeln!(f, "}}")
}

/// The characters that Graphviz would not take as they are, between quotation marks and in a field
/// of a record.
const SPECIAL: &str = "\"\\";
const SPECIAL_IN_FIELD: &str = "\"\\{}|<>";

fn escaped(text: &str, special: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if special.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped.replace('&', "&amp;")
}
