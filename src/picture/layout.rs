//! Where the cards of a picture stand, and where the lines between them run.
//!
//! Sugiyama's method (Sugiyama, Tagawa and Toda 1981) for an acyclic graph: the cards stand in
//! columns, each one column to the left of the leftmost card that reads it. A line to a column
//! farther on passes each column between in a lane of its own, where no card stands, and bends
//! only in the gaps between columns. All lines from one card share their lanes. Then the cards and
//! lanes of each column are ordered, and moved up and down.

mod grid;
mod middles;
mod order;

use self::grid::{Grid, LEFT};
pub(super) use self::grid::{Outline, Point};
use self::middles::middles;
use self::order::order;

pub(super) struct Layout {
    pub(super) size: [f64; 2],
    /// The upper left corner of each card.
    pub(super) corners: Vec<Point>,
    pub(super) lines: Vec<Line>,
}

/// A line from a card: to one that reads it, or, before that, through the columns that lines of
/// the card pass together.
pub(super) struct Line {
    pub(super) from: usize,
    pub(super) to: Option<usize>,
    /// The levels on which it passes the columns, from left to right.
    pub(super) levels: Vec<Level>,
}

/// A level part of a line.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
}

const MARGIN: f64 = 10.0;
const COLUMN_GAP: f64 = 36.0;
const MOST_EXTRA_GAP: f64 = 100.0;

impl Layout {
    /// The layout of cards, of which the first one is read by none.
    pub(super) fn of(cards: &[Outline]) -> Self {
        let mut grid = Grid::of(cards);
        order(&mut grid);
        let (middles, height) = middles(&grid, MARGIN);
        let columns = &grid.column_of;
        let (spans, width) = spans(cards, &grid);

        let corner = |card: usize| {
            let ([left, right], [width, height]) = (spans[columns[card]], cards[card].size);
            [
                f64::midpoint(left, right - width),
                middles[card] - height / 2.0,
            ]
        };
        let corners: Vec<_> = (0..cards.len()).map(corner).collect();
        // The level on which lines from a card pass a column, or leave that of the card.
        let level = |card: usize, column: usize| {
            let [left, right] = spans[column];
            let lane = grid.lanes.get(&(card, column));
            match lane {
                Some(&lane) => Level {
                    left,
                    right,
                    y: middles[lane],
                },
                None => Level {
                    left: corners[card][0] + cards[card].size[0],
                    right,
                    y: middles[card],
                },
            }
        };
        let together = |from: usize| {
            let passed = (0..=columns[from]).rev().take_while(|&column| {
                column == columns[from] || grid.lanes.contains_key(&(from, column))
            });
            let levels = passed.map(|column| level(from, column)).collect();
            Line {
                from,
                to: None,
                levels,
            }
        };
        let mut lines: Vec<_> = (1..cards.len()).map(together).collect();
        for (reader, card) in cards.iter().enumerate() {
            let column = columns[reader];
            let operands = card.operands.iter();
            let mut starts: Vec<_> = operands
                .map(|&operand| (operand, level(operand, column + 1)))
                .collect();
            if !card.keeps_order {
                starts.sort_by(|(_, a), (_, b)| a.y.total_cmp(&b.y));
            }
            let [left, _] = spans[column];
            let [x, y] = corners[reader];
            for ((from, start), port) in starts.into_iter().zip(&card.ports) {
                let start = Level {
                    left: start.right,
                    ..start
                };
                let end = Level {
                    left,
                    right: x + port[0],
                    y: y + port[1],
                };
                lines.push(Line {
                    from,
                    to: Some(reader),
                    levels: vec![start, end],
                });
            }
        }
        Self {
            size: [width, height],
            corners,
            lines,
        }
    }
}

/// From where to where each column goes, and the width of the picture. A gap is wider if many
/// lines bend in it.
fn spans(cards: &[Outline], grid: &Grid) -> (Vec<[f64; 2]>, f64) {
    let mut widths = vec![0.0_f64; grid.columns.len()];
    for (card, &column) in cards.iter().zip(&grid.column_of) {
        widths[column] = widths[column].max(card.size[0]);
    }
    let mut spans = vec![[0.0; 2]; widths.len()];
    let mut left = MARGIN;
    for (column, (span, width)) in spans.iter_mut().zip(widths).enumerate().rev() {
        *span = [left, left + width];
        left += width;
        if let Some(next) = column.checked_sub(1) {
            let slots = grid.columns[next].iter();
            left += gap(slots.map(|&slot| grid.neighbours[LEFT][slot].len()).sum());
        }
    }
    (spans, left + MARGIN)
}

/// The width of a gap in which so many lines bend.
fn gap(lines: usize) -> f64 {
    COLUMN_GAP + (lines.saturating_sub(10) as f64).min(MOST_EXTRA_GAP)
}
