//! Where the cards of a picture stand, and where the lines between them run.
//!
//! The cards stand in columns, each one column to the left of the leftmost card that reads it. A line
//! to a column farther on goes through each column between in a lane of its own, where no card
//! stands, and bends only in the gaps between columns. All lines from one card share their lanes.
//! The order in a column and the heights are those of Sugiyama's method (Sugiyama, Tagawa and Toda
//! 1981), by the crate `rust-sugiyama`.

use std::collections::HashMap;
use std::iter;

use rust_sugiyama::configure::Config;

pub(super) type Point = [f64; 2];

/// A card as the layout sees it.
pub(super) struct Outline<'a> {
    pub(super) size: [f64; 2],
    /// The cards that it reads.
    pub(super) operands: &'a [usize],
    /// Where their lines end, from top to bottom: points relative to the upper left corner.
    pub(super) ports: Vec<Point>,
    /// Whether the first line must end at the first port. Else each ends where it crosses no other.
    pub(super) keeps_order: bool,
}

pub(super) struct Layout {
    pub(super) size: [f64; 2],
    /// The upper left corner of each card.
    pub(super) corners: Vec<Point>,
    /// From a card to one that reads it, each line as the levels on which it passes the columns.
    pub(super) lines: Vec<Vec<Level>>,
}

/// A level part of a line.
pub(super) struct Level {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
}

const MARGIN: f64 = 10.0;
const COLUMN_GAP: f64 = 36.0;
const ROW_GAP: f64 = 14.0;
const LANE_HEIGHT: f64 = 2.0;

impl Layout {
    /// The layout of cards, of which the first one is read by none.
    pub(super) fn of(cards: &[Outline]) -> Self {
        let columns = Columns::of(cards);
        let lanes = Lanes::of(cards, &columns);
        let (heights, height) = lanes.heights(cards);
        let corner = |card: usize| {
            let [width, height] = cards[card].size;
            let column = columns.column[card];
            let indent = (columns.width[column] - width) / 2.0;
            [columns.left[column] + indent, heights[card] - height / 2.0]
        };
        let corners: Vec<_> = (0..cards.len()).map(corner).collect();

        let route = |reader: usize, operand: usize| {
            let column = columns.column[operand];
            let start = Level {
                left: corners[operand][0] + cards[operand].size[0],
                right: columns.right(column),
                y: heights[operand],
            };
            let passed = columns.column[reader] + 1..column;
            let lanes = passed.rev().map(|column| Level {
                left: columns.left[column],
                right: columns.right(column),
                y: heights[lanes.lane[&(operand, column)]],
            });
            iter::once(start).chain(lanes).collect::<Vec<_>>()
        };
        let mut lines = Vec::new();
        for (reader, card) in cards.iter().enumerate() {
            let operands = card.operands.iter();
            let mut routes: Vec<_> = operands.map(|&operand| route(reader, operand)).collect();
            if !card.keeps_order {
                routes.sort_by(|a, b| a[a.len() - 1].y.total_cmp(&b[b.len() - 1].y));
            }
            for (mut line, port) in routes.into_iter().zip(&card.ports) {
                line.push(Level {
                    left: columns.left[columns.column[reader]],
                    right: corners[reader][0] + port[0],
                    y: corners[reader][1] + port[1],
                });
                lines.push(line);
            }
        }
        Self {
            size: [columns.right(0) + MARGIN, height],
            corners,
            lines,
        }
    }
}

/// The columns, numbered from right to left.
struct Columns {
    /// For each card, its column.
    column: Vec<usize>,
    left: Vec<f64>,
    width: Vec<f64>,
}

impl Columns {
    fn of(cards: &[Outline]) -> Self {
        let mut readers = vec![0; cards.len()];
        let operands = cards.iter().flat_map(|card| card.operands);
        operands.for_each(|&operand| readers[operand] += 1);
        let mut column = vec![0; cards.len()];
        let mut ready = vec![0];
        while let Some(card) = ready.pop() {
            for &operand in cards[card].operands {
                column[operand] = column[operand].max(column[card] + 1);
                readers[operand] -= 1;
                if readers[operand] == 0 {
                    ready.push(operand);
                }
            }
        }
        let count = column.iter().max().map_or(0, |last| last + 1);
        let mut width = vec![0.0_f64; count];
        for (card, &column) in cards.iter().zip(&column) {
            width[column] = width[column].max(card.size[0]);
        }
        let mut left = vec![0.0; count];
        let mut x = MARGIN;
        for column in (0..count).rev() {
            left[column] = x;
            x += width[column] + COLUMN_GAP;
        }
        Self {
            column,
            left,
            width,
        }
    }

    fn right(&self, column: usize) -> f64 {
        self.left[column] + self.width[column]
    }
}

/// What stands in the columns: first the cards, then the lanes of lines that pass by.
struct Lanes {
    /// The place of the lane for lines from a card through a column.
    lane: HashMap<(usize, usize), usize>,
    /// From column to column, each from the reader to what it reads.
    edges: Vec<(u32, u32)>,
}

impl Lanes {
    fn of(cards: &[Outline], columns: &Columns) -> Self {
        let mut lane = HashMap::new();
        let mut edges = Vec::new();
        for (reader, card) in cards.iter().enumerate() {
            for &operand in card.operands {
                let mut from = reader;
                for column in columns.column[reader] + 1..columns.column[operand] {
                    let place = cards.len() + lane.len();
                    let to = *lane.entry((operand, column)).or_insert(place);
                    edges.push((index(from), index(to)));
                    from = to;
                }
                edges.push((index(from), index(operand)));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        Self { lane, edges }
    }

    /// The heights of the middles of cards and lanes, and that of the picture.
    fn heights(&self, cards: &[Outline]) -> (Vec<f64>, f64) {
        let lanes = self.lane.values().map(|_| LANE_HEIGHT);
        let extents: Vec<_> = cards.iter().map(|card| card.size[1]).chain(lanes).collect();
        let vertices: Vec<_> = extents
            .iter()
            .enumerate()
            .map(|(i, &extent)| (index(i), (extent, 1.0)))
            .collect();
        let config = Config {
            vertex_spacing: ROW_GAP,
            dummy_vertices: false, // the lanes are there already
            ..Config::default()
        };
        let parts = rust_sugiyama::from_vertices_and_edges(&vertices, &self.edges, &config);
        let mut middles = vec![0.0; extents.len()];
        for (place, (x, _)) in parts.into_iter().flat_map(|(part, ..)| part) {
            middles[place] = -x; // its x grows to the right, ours upwards
        }
        let edges = |sign: f64| {
            let edges = middles.iter().zip(&extents);
            edges.map(move |(middle, extent)| middle + sign * extent / 2.0)
        };
        let top = edges(-1.0).fold(f64::INFINITY, f64::min) - MARGIN;
        let bottom = edges(1.0).fold(f64::NEG_INFINITY, f64::max) + MARGIN;
        for middle in &mut middles {
            *middle -= top;
        }
        (middles, bottom - top)
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a picture has fewer boxes than 2^32")
}
