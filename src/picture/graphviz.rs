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
        let title = Escaped(&card.title);
        write!(f, "    {i} [label=")?;
        let name = card.name.iter().map(|name| Field(name).to_string());
        let fields: Vec<_> = name.chain(card.lines.iter().cloned()).collect();
        match fields.as_slice() {
            [field] => write!(f, "\"{field}\"")?,
            fields => write!(f, "\"{{ {} }}\"", fields.join(" | "))?,
        }
        writeln!(f, ", {style}, tooltip=\"{title}\"]")?;
        // Operands are read by the operation, if there is one.
        let reader = match &card.operation {
            Some(label) => {
                let label = Escaped(label);
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

/// A text between quotation marks.
struct Escaped<'a>(&'a str);

/// A text in a field of a record.
struct Field<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|character| escape(character, "", f))
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|character| escape(character, "{}|<>", f))
    }
}

fn escape(character: char, special: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match character {
        '&' => f.write_str("&amp;"),
        '"' | '\\' => write!(f, "\\{character}"),
        _ if special.contains(character) => write!(f, "\\{character}"),
        _ => f.write_char(character),
    }
}
