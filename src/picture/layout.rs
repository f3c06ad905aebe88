//! Where the cards of a picture stand, and where the lines between them run.
//!
//! Sugiyama's method (Sugiyama, Tagawa and Toda 1981) for a graph without circles: the cards stand in
//! columns, each one column to the left of the leftmost card that reads it. A line to a column
//! farther on passes each column between in a lane of its own, where no card stands, and bends only
//! in the gaps between columns. All lines from one card share their lanes. Then the cards and lanes
//! of each column are ordered, and moved up and down.

mod heights;
mod order;

use std::collections::{HashMap, HashSet};

use self::heights::heights;
use self::order::order;

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
    pub(super) lines: Vec<Line>,
}

/// A line from a card: to one that reads it, or, before that, through the columns that lines of the
/// card pass together.
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
const ROW_GAP: f64 = 14.0;
const LANE_GAP: f64 = 8.0;

impl Layout {
    /// The layout of cards, of which the first one is read by none.
    pub(super) fn of(cards: &[Outline]) -> Self {
        let columns = columns(cards);
        let mut grid = Grid::of(cards, &columns);
        order(&mut grid);
        let (heights, height) = heights(&grid, MARGIN);
        let (spans, width) = spans(cards, &columns);

        let corner = |card: usize| {
            let ([left, right], [width, height]) = (spans[columns[card]], cards[card].size);
            [
                f64::midpoint(left, right - width),
                heights[card] - height / 2.0,
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
                    y: heights[lane],
                },
                None => Level {
                    left: corners[card][0] + cards[card].size[0],
                    right,
                    y: heights[card],
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

/// The column of each card, counted from the right.
fn columns(cards: &[Outline]) -> Vec<usize> {
    let mut readers = vec![0; cards.len()];
    for &operand in cards.iter().flat_map(|card| card.operands) {
        readers[operand] += 1;
    }
    let mut columns = vec![0; cards.len()];
    let mut ready = vec![0];
    while let Some(card) = ready.pop() {
        for &operand in cards[card].operands {
            columns[operand] = columns[operand].max(columns[card] + 1);
            readers[operand] -= 1;
            if readers[operand] == 0 {
                ready.push(operand);
            }
        }
    }
    columns
}

/// From where to where each column goes, and the width of the picture.
fn spans(cards: &[Outline], columns: &[usize]) -> (Vec<[f64; 2]>, f64) {
    let count = columns.iter().max().map_or(0, |last| last + 1);
    let mut spans = vec![[0.0_f64; 2]; count];
    for (card, &column) in cards.iter().zip(columns) {
        let [_, width] = &mut spans[column];
        *width = width.max(card.size[0]);
    }
    let mut x = MARGIN;
    for span in spans.iter_mut().rev() {
        *span = [x, x + span[1]];
        x = span[1] + COLUMN_GAP;
    }
    (spans, x - COLUMN_GAP + MARGIN)
}

/// The cards and lanes, called slots, in their columns. The cards come first.
struct Grid {
    cards: usize,
    /// The lane for lines from a card through a column.
    lanes: HashMap<(usize, usize), usize>,
    /// The slots of each column, from top to bottom.
    columns: Vec<Vec<usize>>,
    heights: Vec<f64>,
    /// For each slot, those that it is joined to: in the column to the left, and to the right.
    neighbours: [Vec<Vec<usize>>; 2],
    joined: HashSet<(usize, usize)>,
}

const LEFT: usize = 0;
const RIGHT: usize = 1;

impl Grid {
    fn of(cards: &[Outline], column_of: &[usize]) -> Self {
        let mut grid = Self {
            cards: cards.len(),
            lanes: HashMap::new(),
            columns: Vec::new(),
            heights: cards.iter().map(|card| card.size[1]).collect(),
            neighbours: [LEFT, RIGHT].map(|_| vec![Vec::new(); cards.len()]),
            joined: HashSet::new(),
        };
        for (reader, card) in cards.iter().enumerate() {
            for &operand in card.operands {
                let mut slot = reader;
                for column in column_of[reader] + 1..column_of[operand] {
                    slot = grid.join_lane(slot, (operand, column));
                }
                grid.join(slot, operand);
            }
        }
        grid.fill_columns(column_of);
        grid
    }

    /// Joins a slot to a lane on its left, which is made if it is not there yet.
    fn join_lane(&mut self, slot: usize, key: (usize, usize)) -> usize {
        let lane = *self.lanes.entry(key).or_insert_with(|| {
            self.heights.push(0.0);
            self.neighbours
                .iter_mut()
                .for_each(|side| side.push(Vec::new()));
            self.heights.len() - 1
        });
        self.join(slot, lane);
        lane
    }

    /// Joins a slot to one on its left, once.
    fn join(&mut self, slot: usize, left: usize) {
        if self.joined.insert((slot, left)) {
            self.neighbours[LEFT][slot].push(left);
            self.neighbours[RIGHT][left].push(slot);
        }
    }

    /// Puts the slots into their columns in the order in which a walk from the result finds them, so
    /// that operands stand in the order of the expression at first.
    fn fill_columns(&mut self, column_of: &[usize]) {
        let mut column_of = column_of.to_vec();
        column_of.resize(self.heights.len(), 0);
        for (&(_, column), &lane) in &self.lanes {
            column_of[lane] = column;
        }
        let count = column_of.iter().max().map_or(0, |last| last + 1);
        self.columns = vec![Vec::new(); count];
        let mut seen = vec![false; self.heights.len()];
        let mut waiting = vec![0];
        while let Some(slot) = waiting.pop() {
            if !seen[slot] {
                seen[slot] = true;
                self.columns[column_of[slot]].push(slot);
                waiting.extend(self.neighbours[LEFT][slot].iter().rev());
            }
        }
    }

    fn is_lane(&self, slot: usize) -> bool {
        slot >= self.cards
    }

    /// For each slot, where it stands in its column.
    fn positions(&self) -> Vec<usize> {
        let mut positions = vec![0; self.heights.len()];
        for column in &self.columns {
            for (position, &slot) in column.iter().enumerate() {
                positions[slot] = position;
            }
        }
        positions
    }

    /// How far apart the middles of two slots must be, of which one stands above the other.
    fn distance(&self, above: usize, below: usize) -> f64 {
        let gap = if self.is_lane(above) && self.is_lane(below) {
            LANE_GAP
        } else {
            ROW_GAP
        };
        gap + f64::midpoint(self.heights[above], self.heights[below])
    }
}
