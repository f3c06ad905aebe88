//! The cards of a picture and the lanes between them, in columns.

use std::collections::{HashMap, HashSet};

pub(in crate::picture) type Point = [f64; 2];

/// A card as the layout sees it.
pub(in crate::picture) struct Outline<'a> {
    pub(in crate::picture) size: [f64; 2],
    /// The cards that it reads.
    pub(in crate::picture) operands: &'a [usize],
    /// Where their lines end, from top to bottom: points relative to the upper left corner.
    pub(in crate::picture) ports: Vec<Point>,
    /// Whether the lines end in the order of the operands. Otherwise they are sorted by height, so
    /// that none cross.
    pub(in crate::picture) keeps_order: bool,
}

const ROW_GAP: f64 = 14.0;
const LANE_GAP: f64 = 8.0;

/// The cards and lanes, called slots, in their columns. The cards come first.
pub(super) struct Grid {
    cards: usize,
    /// The lane for lines from a card through a column.
    pub(super) lanes: HashMap<(usize, usize), usize>,
    /// The slots of each column, from top to bottom.
    pub(super) columns: Vec<Vec<usize>>,
    /// By slot, as all that follows.
    pub(super) heights: Vec<f64>,
    /// Counted from the right.
    pub(super) column_of: Vec<usize>,
    /// For each slot, those that it is joined to: in the column to the left, and to the right.
    pub(super) neighbours: [Vec<Vec<usize>>; 2],
    joined: HashSet<(usize, usize)>,
    /// Whether lines from the left end in the order in which they were joined.
    pub(super) keeps_order: Vec<bool>,
    /// For each line to the right, a fraction that grows downwards if its end keeps an order.
    ports: Vec<Vec<f64>>,
}

/// For each slot, its position in its column.
pub(super) fn positions(columns: &[Vec<usize>]) -> Vec<usize> {
    let mut positions = vec![0; columns.iter().map(Vec::len).sum()];
    for column in columns {
        for (position, &slot) in column.iter().enumerate() {
            positions[slot] = position;
        }
    }
    positions
}

pub(super) const LEFT: usize = 0;
pub(super) const RIGHT: usize = 1;

impl Grid {
    pub(super) fn of(cards: &[Outline]) -> Self {
        let column_of = columns(cards);
        let mut grid = Self {
            cards: cards.len(),
            lanes: HashMap::new(),
            columns: Vec::new(),
            heights: cards.iter().map(|card| card.size[1]).collect(),
            column_of: column_of.clone(),
            neighbours: [LEFT, RIGHT].map(|_| vec![Vec::new(); cards.len()]),
            joined: HashSet::new(),
            keeps_order: cards.iter().map(|card| card.keeps_order).collect(),
            ports: Vec::new(),
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
        grid.place_ports();
        grid.fill_columns();
        grid
    }

    /// Joins a slot to a lane on its left, which is made if it is not there yet.
    fn join_lane(&mut self, slot: usize, key: (usize, usize)) -> usize {
        let lane = *self.lanes.entry(key).or_insert_with(|| {
            self.heights.push(0.0);
            self.keeps_order.push(false);
            self.column_of.push(key.1);
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

    /// Puts the slots into their columns in the order in which a walk from the result finds them,
    /// so that operands stand in the order of the expression at first.
    fn fill_columns(&mut self) {
        let count = self.column_of.iter().max().map_or(0, |last| last + 1);
        self.columns = vec![Vec::new(); count];
        let mut seen = vec![false; self.heights.len()];
        let mut waiting = vec![0];
        while let Some(slot) = waiting.pop() {
            if !seen[slot] {
                seen[slot] = true;
                self.columns[self.column_of[slot]].push(slot);
                waiting.extend(self.neighbours[LEFT][slot].iter().rev());
            }
        }
    }

    /// Where the lines of a slot end on one side, if the slots there stand at these positions: a
    /// whole number for a slot, with a fraction where its lines must keep an order.
    pub(super) fn ends<'a>(
        &'a self,
        slot: usize,
        side: usize,
        positions: &'a [usize],
    ) -> impl Iterator<Item = f64> + Clone + 'a {
        let neighbours = self.neighbours[side][slot].iter();
        let ports = &self.ports[slot];
        neighbours.enumerate().map(move |(i, &end)| {
            let port = if side == RIGHT { ports[i] } else { 0.0 };
            positions[end] as f64 + port
        })
    }

    /// Notes for each line to the right where it ends among others at the same slot.
    fn place_ports(&mut self) {
        self.ports = vec![Vec::new(); self.heights.len()];
        for (slot, ends) in self.neighbours[RIGHT].iter().enumerate() {
            let ports = ends.iter().map(|&end| {
                if !self.keeps_order[end] {
                    return 0.0;
                }
                let lines = &self.neighbours[LEFT][end];
                let port = lines.iter().take_while(|&&line| line != slot).count();
                port as f64 / lines.len() as f64
            });
            self.ports[slot] = ports.collect();
        }
    }

    pub(super) fn is_lane(&self, slot: usize) -> bool {
        slot >= self.cards
    }

    /// How far apart the middles of two slots must be, of which one stands above the other.
    pub(super) fn distance(&self, above: usize, below: usize) -> f64 {
        let gap = if self.is_lane(above) && self.is_lane(below) {
            LANE_GAP
        } else {
            ROW_GAP
        };
        gap + f64::midpoint(self.heights[above], self.heights[below])
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
