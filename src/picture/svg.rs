//! A picture as SVG.

use std::fmt::{self, Write};
use std::iter;

use super::card::{Card, Kind};
use super::layout::{Layout, Level, Line, Outline, Point};
use super::sketch::Sketch;

/// The width of a character in a monospaced font of size 12, with some room to spare: no font is
/// known to be there.
const CHARACTER_WIDTH: f64 = 7.4;
const LINE_HEIGHT: f64 = 16.0;
const PADDING: f64 = 8.0;
/// Half the height of an operation.
const RADIUS: f64 = 13.0;
/// Room for numbers that change.
const LONGEST_NUMBER: &str = "grad -1.234e-10";
const LONGEST_LIST: &str = "grad -0.001234, -0.001234, -0.001234, …";
/// How far the card behind a layer's sticks out.
const OFFSET: f64 = 4.0;

/// Where a picture is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// By itself.
    Alone,
    /// On a page, whose script finds the cards and lines by their attributes and changes numbers.
    OnPage,
}

pub(super) fn write(sketch: &Sketch, place: Place, f: &mut impl Write) -> fmt::Result {
    let outlines = sketch.cards.iter().map(|card| outline(card, place));
    let outlines: Vec<_> = outlines.collect();
    let layout = Layout::of(&outlines);
    let [mut width, mut height] = layout.size;
    let caption = sketch.caption();
    if let Some(caption) = &caption {
        width = width.max(text_width(caption) + 2.0 * PADDING);
        height += LINE_HEIGHT;
    }
    let label = format!("graph of {}", sketch.cards[0].title);
    let role = match place {
        Place::Alone => "img",
        Place::OnPage => "group",
    };
    writeln!(
        f,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"monospace\" font-size=\"12\" \
         role=\"{role}\" aria-label=\"{}\">",
        Escaped(&label)
    )?;
    writeln!(f, "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>")?;
    writeln!(f, "<g fill=\"none\" stroke=\"gray\">")?;
    for line in &layout.lines {
        write_line(line, place, f)?;
    }
    writeln!(f, "</g>\n<g text-anchor=\"middle\">")?;
    let outlines = outlines.iter().zip(&layout.corners);
    for (i, (card, (outline, corner))) in sketch.cards.iter().zip(outlines).enumerate() {
        match place {
            Place::Alone => writeln!(f, "<g><title>{}</title>", Escaped(&card.title))?,
            Place::OnPage => writeln!(f, "<g data-card=\"{i}\" tabindex=\"0\" role=\"button\">")?,
        }
        write_card(card, *corner, outline.size, f)?;
        writeln!(f, "</g>")?;
    }
    writeln!(f, "</g>")?;
    if let Some(caption) = caption {
        let y = height - PADDING;
        writeln!(f, "<text x=\"{PADDING}\" y=\"{y:.1}\">{caption}</text>")?;
    }
    writeln!(f, "</svg>")
}

/// A character beyond ASCII may be twice as wide.
fn text_width(text: &str) -> f64 {
    let columns = text
        .chars()
        .map(|character| if character.is_ascii() { 1.0 } else { 2.0 });
    CHARACTER_WIDTH * columns.sum::<f64>()
}

/// The width of an operation, which stands in front of its result.
fn operation_width(card: &Card) -> f64 {
    let label = card.operation.as_deref();
    label.map_or(0.0, |label| {
        (text_width(label) + 2.0 * PADDING).max(2.0 * RADIUS)
    })
}

fn outline(card: &Card, place: Place) -> Outline<'_> {
    let texts = card.name.iter().chain(&card.lines);
    let widths = texts.map(|text| text_width(text));
    let room = match (place, card.kind) {
        (Place::Alone, _) | (_, Kind::Constant | Kind::Rest) => 0.0,
        (Place::OnPage, Kind::Layer) => text_width(LONGEST_LIST),
        (Place::OnPage, _) => text_width(LONGEST_NUMBER),
    };
    let width = widths.fold(room, f64::max) + 2.0 * PADDING + operation_width(card);
    let lines = card.lines.len() + usize::from(card.name.is_some());
    let height = lines as f64 * LINE_HEIGHT + PADDING;
    let count = card.operands.len();
    let ports = (0..count).map(|i| {
        let place = 2.0 * (i + 1) as f64 / (count + 1) as f64 - 1.0; // from -1 to 1
        let (reach, depth) = match card.operation {
            Some(_) => {
                let radius = operation_width(card) / 2.0;
                (RADIUS, radius - radius * (1.0 - place * place).sqrt())
            }
            None => (height / 2.0, 0.0),
        };
        [depth, height / 2.0 + reach * place]
    });
    Outline {
        size: [width, height],
        operands: &card.operands,
        ports: ports.collect(),
        keeps_order: card.is_ordered,
    }
}

/// A line that bends between its levels.
fn write_line(line: &Line, place: Place, f: &mut impl Write) -> fmt::Result {
    let Line { from, to, levels } = line;
    write!(f, "<path")?;
    if place == Place::OnPage {
        write!(f, " data-from=\"{from}\"")?;
        if let Some(to) = to {
            write!(f, " data-to=\"{to}\"")?;
        }
    }
    let Level { left, right, y } = levels[0];
    write!(f, " d=\"M{left:.1} {y:.1}H{right:.1}")?;
    for (from, to) in iter::zip(levels, &levels[1..]) {
        let (middle, Level { left, right, y }) = (f64::midpoint(from.right, to.left), to);
        if (from.y - y).abs() > 0.05 {
            write!(
                f,
                "C{middle:.1} {:.1} {middle:.1} {y:.1} {left:.1} {y:.1}",
                from.y
            )?;
        }
        write!(f, "H{right:.1}")?;
    }
    writeln!(f, "\"/>")
}

fn write_card(
    card: &Card,
    [left, top]: Point,
    [width, height]: [f64; 2],
    f: &mut impl Write,
) -> fmt::Result {
    let ahead = operation_width(card);
    let [left, width] = [left + ahead, width - ahead];
    let size = format!("width=\"{width:.1}\" height=\"{height:.1}\" fill=\"white\"");
    if card.kind == Kind::Layer {
        let (x, y) = (left + OFFSET, top - OFFSET);
        writeln!(
            f,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" {size} stroke=\"black\"/>"
        )?;
    }
    let style = match card.kind {
        Kind::Parameter => " stroke=\"black\" stroke-width=\"2.5\"",
        Kind::Constant => " stroke=\"black\" stroke-dasharray=\"2 2\" rx=\"8\"",
        Kind::Result => " stroke=\"black\" rx=\"6\"",
        Kind::Input | Kind::Layer => " stroke=\"black\"",
        Kind::Rest => "",
    };
    writeln!(f, "<rect x=\"{left:.1}\" y=\"{top:.1}\" {size}{style}/>")?;

    let names = card.name.iter().map(|name| (name, " font-weight=\"bold\""));
    let lines = card.lines.iter().map(|line| (line, ""));
    let x = left + width / 2.0;
    for (i, (text, weight)) in names.chain(lines).enumerate() {
        let y = top + LINE_HEIGHT * (i + 1) as f64;
        writeln!(
            f,
            "<text x=\"{x:.1}\" y=\"{y:.1}\"{weight}>{}</text>",
            Escaped(text)
        )?;
    }
    if let Some(label) = &card.operation {
        let (x, y) = (left - ahead / 2.0, top + height / 2.0);
        writeln!(
            f,
            "<ellipse cx=\"{x:.1}\" cy=\"{y:.1}\" rx=\"{:.1}\" ry=\"{RADIUS}\" fill=\"#eee\" \
             stroke=\"black\"/>",
            ahead / 2.0
        )?;
        let y = y + LINE_HEIGHT / 4.0;
        writeln!(
            f,
            "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            Escaped(label)
        )?;
    }
    Ok(())
}

/// A text of an element or an attribute.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            _ => f.write_char(character),
        })
    }
}
