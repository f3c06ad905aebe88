//! The vertical positions of cards and lanes: Brandes and Köpf 2001, "Fast and simple horizontal
//! coordinate assignment", turned by a quarter.
//!
//! Slots that are joined form a block on one level, unless their lines cross: once with the
//! neighbours on the left, once with those on the right, each from above and from below. The four
//! results are packed, and a slot gets the mean of the middle two. A long line is straight unless
//! it crosses another long one. Last, each level moves towards its neighbours, as far as there is
//! room.

use std::collections::HashSet;

use super::grid::{Grid, LEFT, RIGHT, positions};

/// The vertical middle of each slot, and the height of the picture.
pub(super) fn middles(grid: &Grid, margin: f64) -> (Vec<f64>, f64) {
    let conflicts = conflicts(grid);
    let mut ways = Vec::new();
    for side in [LEFT, RIGHT] {
        for downwards in [true, false] {
            let blocks = blocks(grid, side, downwards, &conflicts);
            let middles = pack(grid, downwards, &blocks);
            ways.push((middles, downwards));
        }
    }
    align(grid, &mut ways);
    let mean = |slot: usize| {
        let mut four: Vec<_> = ways.iter().map(|(middles, _)| middles[slot]).collect();
        four.sort_by(f64::total_cmp);
        f64::midpoint(four[1], four[2])
    };
    let mut middles: Vec<_> = (0..grid.heights.len()).map(mean).collect();
    settle(grid, &mut middles);
    let [top, bottom] = extent(grid, &middles);
    for middle in &mut middles {
        *middle += margin - top;
    }
    (middles, bottom - top + 2.0 * margin)
}

/// The upper and the lower edge of all slots.
fn extent(grid: &Grid, middles: &[f64]) -> [f64; 2] {
    let edge = |sign: f64| {
        let slots = middles.iter().zip(&grid.heights);
        slots.map(move |(middle, height)| middle + sign * height / 2.0)
    };
    let top = edge(-1.0).fold(f64::INFINITY, f64::min);
    [top, edge(1.0).fold(f64::NEG_INFINITY, f64::max)]
}

/// The neighbours with which a slot would share a level, the first one if it can: for a lane the
/// lane that goes on, else the one or two in the middle.
fn favourites(grid: &Grid, slot: usize, side: usize, positions: &[usize]) -> Vec<usize> {
    if let Some(lane) = next_lane(grid, slot, side) {
        return vec![lane];
    }
    let mut neighbours = grid.neighbours[side][slot].clone();
    neighbours.sort_by_key(|&slot| positions[slot]);
    match neighbours.len() {
        0 => vec![],
        count => neighbours[(count - 1) / 2..=count / 2].to_vec(),
    }
}

/// The lane that goes on where a lane ends.
fn next_lane(grid: &Grid, slot: usize, side: usize) -> Option<usize> {
    let mut neighbours = grid.neighbours[side][slot].iter().copied();
    neighbours.find(|&next| grid.is_lane(slot) && grid.is_lane(next))
}

/// The lines, from right to left, that cross one between two lanes: they must not be level.
fn conflicts(grid: &Grid) -> HashSet<(usize, usize)> {
    let positions = positions(&grid.columns);
    let mut conflicts = HashSet::new();
    for pair in grid.columns.windows(2) {
        let [column, left] = pair else { continue };
        let mut begun = 0;
        let mut above = 0; // the end of the last line between lanes
        for (i, &slot) in column.iter().enumerate() {
            let lane = next_lane(grid, slot, LEFT);
            if lane.is_none() && i + 1 < column.len() {
                continue;
            }
            let below = lane.map_or(left.len(), |lane| positions[lane]);
            for &slot in &column[begun..=i] {
                for &neighbour in &grid.neighbours[LEFT][slot] {
                    let crosses = !(above..=below).contains(&positions[neighbour]);
                    if crosses && next_lane(grid, slot, LEFT) != Some(neighbour) {
                        conflicts.extend([(slot, neighbour), (neighbour, slot)]);
                    }
                }
            }
            (begun, above) = (i + 1, below);
        }
    }
    conflicts
}

/// The columns, read downwards or upwards.
fn directed(grid: &Grid, downwards: bool) -> Vec<Vec<usize>> {
    let mut columns = grid.columns.clone();
    if !downwards {
        for column in &mut columns {
            column.reverse();
        }
    }
    columns
}

/// For each slot, the first one of its block: it joins the block of a neighbour on this side,
/// unless that line would cross one on which slots above it, or below if it goes upwards, joined
/// theirs.
fn blocks(
    grid: &Grid,
    side: usize,
    downwards: bool,
    conflicts: &HashSet<(usize, usize)>,
) -> Vec<usize> {
    let mut columns = directed(grid, downwards);
    if side == LEFT {
        columns.reverse();
    }
    let positions = positions(&columns);
    let mut first: Vec<_> = (0..positions.len()).collect();
    for column in &columns {
        let mut free = 0; // the neighbours from this position on can be reached without a crossing
        for &slot in column {
            let neighbour = favourites(grid, slot, side, &positions)
                .into_iter()
                .find(|&it| positions[it] >= free && !conflicts.contains(&(slot, it)));
            if let Some(neighbour) = neighbour {
                first[slot] = first[neighbour];
                free = positions[neighbour] + 1;
            }
        }
    }
    first
}

/// The middles of all slots if the blocks are packed against the first one of each column, and
/// then moved back towards the next ones as far as there is room.
fn pack(grid: &Grid, downwards: bool, root: &[usize]) -> Vec<f64> {
    let count = root.len();
    let mut next = vec![Vec::new(); count];
    let mut pending = vec![0; count];
    for column in directed(grid, downwards) {
        for pair in column.windows(2) {
            next[root[pair[0]]].push((root[pair[1]], grid.distance(pair[0], pair[1])));
            pending[root[pair[1]]] += 1;
        }
    }
    let mut order: Vec<_> = (0..count)
        .filter(|&slot| root[slot] == slot && pending[slot] == 0)
        .collect();
    let mut place = vec![0.0_f64; count];
    let mut i = 0;
    while i < order.len() {
        let block = order[i];
        for &(following, distance) in &next[block] {
            place[following] = place[following].max(place[block] + distance);
            pending[following] -= 1;
            if pending[following] == 0 {
                order.push(following);
            }
        }
        i += 1;
    }
    for &block in order.iter().rev() {
        let limits = next[block]
            .iter()
            .map(|&(following, distance)| place[following] - distance);
        let limit = limits.fold(f64::INFINITY, f64::min);
        if limit.is_finite() {
            place[block] = place[block].max(limit);
        }
    }
    let sign = if downwards { 1.0 } else { -1.0 };
    root.iter().map(|&root| sign * place[root]).collect()
}

/// Aligns the four results with the least high one: by their upper edges if they were packed
/// downwards, else by their lower edges.
fn align(grid: &Grid, ways: &mut [(Vec<f64>, bool)]) {
    let extents: Vec<_> = ways
        .iter()
        .map(|(middles, _)| extent(grid, middles))
        .collect();
    let height = |[top, bottom]: &[f64; 2]| bottom - top;
    let lowest = extents
        .iter()
        .min_by(|a, b| height(a).total_cmp(&height(b)));
    let [top, bottom] = lowest.copied().unwrap_or_default();
    for ((middles, downwards), extent) in ways.iter_mut().zip(&extents) {
        let shift = if *downwards {
            top - extent[0]
        } else {
            bottom - extent[1]
        };
        for middle in middles {
            *middle += shift;
        }
    }
}

/// How often everything moves towards what it is joined to.
const ROUNDS: usize = 24;
/// How many levels move at once, at most.
const MOST_MOVED: usize = 6;

/// Moves each level towards the mean height of its neighbours, several times.
fn settle(grid: &Grid, middles: &mut [f64]) {
    let levels = Levels::of(grid, middles);
    for _ in 0..ROUNDS {
        for level in 0..levels.slots.len() {
            levels.settle(level, middles);
        }
    }
}

/// The slots that are joined on one level: they move together.
struct Levels<'a> {
    grid: &'a Grid,
    slots: Vec<Vec<usize>>,
    level_of: Vec<usize>,
    /// For each slot, the one above and the one below.
    beside: Vec<[Option<usize>; 2]>,
}

impl<'a> Levels<'a> {
    fn of(grid: &'a Grid, middles: &[f64]) -> Self {
        let mut slots = Vec::new();
        let mut level_of = vec![None; middles.len()];
        for first in 0..middles.len() {
            let mut level = Vec::new();
            let mut waiting = vec![first];
            while let Some(slot) = waiting.pop() {
                if level_of[slot].is_none() {
                    level_of[slot] = Some(slots.len());
                    level.push(slot);
                    let neighbours = grid.neighbours.iter().flat_map(|side| &side[slot]);
                    let level = neighbours.filter(|&&next| is_level(middles[next] - middles[slot]));
                    waiting.extend(level);
                }
            }
            if !level.is_empty() {
                slots.push(level);
            }
        }
        let mut beside = vec![[None; 2]; middles.len()];
        for pair in grid.columns.iter().flat_map(|column| column.windows(2)) {
            beside[pair[0]][1] = Some(pair[1]);
            beside[pair[1]][0] = Some(pair[0]);
        }
        Self {
            grid,
            slots,
            level_of: level_of.into_iter().flatten().collect(),
            beside,
        }
    }

    /// Moves a level as far as it is pulled and has room. A level that it touches moves along, if
    /// the pull on both together has the same direction.
    fn settle(&self, level: usize, middles: &mut [f64]) {
        let mut group = vec![level];
        while group.len() <= MOST_MOVED {
            let pull = self.pull(&group, middles);
            if is_level(pull) {
                return;
            }
            match self.obstacle(&group, pull > 0.0, middles) {
                Some((room, level)) if is_level(room) => group.push(level),
                obstacle => {
                    let room = obstacle.map_or(f64::INFINITY, |(room, _)| room);
                    let step = pull.clamp(-room, room);
                    self.slots(&group).for_each(|slot| middles[slot] += step);
                    return;
                }
            }
        }
    }

    fn slots(&self, group: &[usize]) -> impl Iterator<Item = usize> {
        group.iter().flat_map(|&level| &self.slots[level]).copied()
    }

    /// How far the neighbours of a group are below it, on average; 0 if it has none.
    fn pull(&self, group: &[usize], middles: &[f64]) -> f64 {
        let (mut sum, mut count) = (0.0, 0);
        for slot in self.slots(group) {
            for &neighbour in self.grid.neighbours.iter().flat_map(|side| &side[slot]) {
                if !group.contains(&self.level_of[neighbour]) {
                    sum += middles[neighbour] - middles[slot];
                    count += 1;
                }
            }
        }
        sum / f64::from(count.max(1))
    }

    /// The level that is next to a group, above or below, and the room up to there.
    fn obstacle(&self, group: &[usize], below: bool, middles: &[f64]) -> Option<(f64, usize)> {
        let obstacles = self.slots(group).filter_map(|slot| {
            let next = self.beside[slot][usize::from(below)]?;
            let level = self.level_of[next];
            let room = (middles[next] - middles[slot]).abs() - self.grid.distance(slot, next);
            (!group.contains(&level)).then_some((room, level))
        });
        obstacles.min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// Whether a line with this difference of middles looks level.
fn is_level(difference: f64) -> bool {
    difference.abs() < 0.05
}
