//! The heights of cards and lanes: Brandes and Köpf 2001, "Fast and simple horizontal coordinate
//! assignment", turned by a quarter.
//!
//! Slots that are joined are put on one level, into a block, as far as lines do not cross: once with
//! neighbours on the left and once with those on the right, and from above and from below. Each of
//! these four ways is packed, and the middle of the four is taken. Lanes that follow one another are
//! on one level in all of them, so long lines are straight. Last, whatever is on one level moves
//! together towards what it is joined to, as far as there is room.

use std::collections::HashSet;
use std::mem;

use super::{Grid, LEFT, RIGHT};

/// The heights of the middles of all slots, and that of the picture.
pub(super) fn heights(grid: &Grid, margin: f64) -> (Vec<f64>, f64) {
    let conflicts = conflicts(grid);
    let mut ways = Vec::new();
    for side in [LEFT, RIGHT] {
        for downwards in [true, false] {
            let blocks = blocks(grid, side, downwards, &conflicts);
            let heights = pack(grid, downwards, &blocks);
            ways.push((heights, downwards));
        }
    }
    align(grid, &mut ways);
    let middle = |slot: usize| {
        let mut heights: Vec<_> = ways.iter().map(|(heights, _)| heights[slot]).collect();
        heights.sort_by(f64::total_cmp);
        f64::midpoint(heights[1], heights[2])
    };
    let mut heights: Vec<_> = (0..grid.heights.len()).map(middle).collect();
    settle(grid, &mut heights);
    let [top, bottom] = extent(grid, &heights);
    for height in &mut heights {
        *height += margin - top;
    }
    (heights, bottom - top + 2.0 * margin)
}

/// The upper and the lower edge of all slots.
fn extent(grid: &Grid, heights: &[f64]) -> [f64; 2] {
    let edge = |sign: f64| {
        let slots = heights.iter().zip(&grid.heights);
        slots.map(move |(middle, height)| middle + sign * height / 2.0)
    };
    let top = edge(-1.0).fold(f64::INFINITY, f64::min);
    [top, edge(1.0).fold(f64::NEG_INFINITY, f64::max)]
}

/// The neighbour with which a slot would share a level if it could: a lane the lane that goes on, a
/// card those in the middle.
fn favourites(grid: &Grid, slot: usize, side: usize, positions: &[usize]) -> Vec<usize> {
    let mut neighbours = grid.neighbours[side][slot].clone();
    if let Some(lane) = next_lane(grid, slot, side) {
        return vec![lane];
    }
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
    let positions = grid.positions();
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
                        conflicts.insert((slot, neighbour));
                    }
                }
            }
            (begun, above) = (i + 1, below);
        }
    }
    conflicts
}

/// The columns as one way goes through them: away from the neighbours' side, down or up.
fn directed(grid: &Grid, downwards: bool) -> Vec<Vec<usize>> {
    let mut columns = grid.columns.clone();
    if !downwards {
        for column in &mut columns {
            column.reverse();
        }
    }
    columns
}

/// For each slot, the first one of its block.
fn blocks(
    grid: &Grid,
    side: usize,
    downwards: bool,
    conflicts: &HashSet<(usize, usize)>,
) -> Vec<usize> {
    let count = grid.heights.len();
    let mut columns = directed(grid, downwards);
    if side == LEFT {
        columns.reverse();
    }
    let mut positions = vec![0; count];
    for column in &columns {
        for (position, &slot) in column.iter().enumerate() {
            positions[slot] = position;
        }
    }
    let mut root: Vec<_> = (0..count).collect();
    for column in &columns {
        let mut free = 0; // levels before this position would cross one that is there
        for &slot in column {
            for neighbour in favourites(grid, slot, side, &positions) {
                let line = if side == LEFT {
                    (slot, neighbour)
                } else {
                    (neighbour, slot)
                };
                let is_free = positions[neighbour] >= free;
                if root[slot] == slot && is_free && !conflicts.contains(&line) {
                    root[slot] = root[neighbour];
                    free = positions[neighbour] + 1;
                }
            }
        }
    }
    root
}

/// The heights of all slots if the blocks are packed against the first one of each column, and then
/// moved back towards the next ones as far as there is room.
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

/// Moves the four ways to the lowest one: those that were packed downwards by their upper edges, the
/// others by their lower ones.
fn align(grid: &Grid, ways: &mut [(Vec<f64>, bool)]) {
    let extents: Vec<_> = ways
        .iter()
        .map(|(heights, _)| extent(grid, heights))
        .collect();
    let height = |[top, bottom]: &[f64; 2]| bottom - top;
    let lowest = extents
        .iter()
        .min_by(|a, b| height(a).total_cmp(&height(b)));
    let [top, bottom] = lowest.copied().unwrap_or_default();
    for ((heights, downwards), extent) in ways.iter_mut().zip(&extents) {
        let shift = if *downwards {
            top - extent[0]
        } else {
            bottom - extent[1]
        };
        for height in heights {
            *height += shift;
        }
    }
}

/// How often everything moves towards what it is joined to.
const ROUNDS: usize = 24;
/// How many levels move at once, at most.
const MOST_MOVED: usize = 6;

/// Moves the slots that are joined on one level, together, towards the mean height of what they are
/// joined to. If others are in the way, those are moved along, if together they still pull that way.
fn settle(grid: &Grid, heights: &mut [f64]) {
    let levels = levels(grid, heights);
    let mut level_of = vec![0; heights.len()];
    for (level, slots) in levels.iter().enumerate() {
        for &slot in slots {
            level_of[slot] = level;
        }
    }
    let mut beside = vec![[None; 2]; heights.len()]; // the slots above and below
    for pair in grid.columns.iter().flat_map(|column| column.windows(2)) {
        beside[pair[0]][1] = Some(pair[1]);
        beside[pair[1]][0] = Some(pair[0]);
    }
    for _ in 0..ROUNDS {
        for level in 0..levels.len() {
            let mut group = vec![level];
            while group.len() <= MOST_MOVED {
                let slots = || group.iter().flat_map(|&level| &levels[level]).copied();
                let is_outside = |slot: usize| !group.contains(&level_of[slot]);

                let (mut pull, mut count) = (0.0, 0);
                for slot in slots() {
                    let neighbours = grid.neighbours.iter().flat_map(|side| &side[slot]);
                    for &neighbour in neighbours.filter(|&&neighbour| is_outside(neighbour)) {
                        pull += heights[neighbour] - heights[slot];
                        count += 1;
                    }
                }
                let step = pull / f64::from(count);
                if count == 0 || is_level(step) {
                    break;
                }
                let downwards = step > 0.0;
                let ways = slots().filter_map(|slot| {
                    let next = beside[slot][usize::from(downwards)]?;
                    let apart = (heights[next] - heights[slot]).abs();
                    is_outside(next).then(|| (apart - grid.distance(slot, next), next))
                });
                let nearest = ways.min_by(|a, b| a.0.total_cmp(&b.0));
                match nearest {
                    Some((room, next)) if is_level(room) => {
                        group.push(level_of[next]);
                    }
                    _ => {
                        let room = nearest.map_or(f64::INFINITY, |(room, _)| room);
                        let step = step.clamp(-room, room);
                        slots().for_each(|slot| heights[slot] += step);
                        break;
                    }
                }
            }
        }
    }
}

/// The slots that are joined on one level.
fn levels(grid: &Grid, heights: &[f64]) -> Vec<Vec<usize>> {
    let mut is_seen = vec![false; heights.len()];
    let mut levels = Vec::new();
    for first in 0..heights.len() {
        let mut level = Vec::new();
        let mut waiting = vec![first];
        while let Some(slot) = waiting.pop() {
            if mem::replace(&mut is_seen[slot], true) {
                continue;
            }
            level.push(slot);
            let neighbours = grid.neighbours.iter().flat_map(|side| &side[slot]).copied();
            waiting.extend(neighbours.filter(|&next| is_level(heights[next] - heights[slot])));
        }
        levels.push(level);
    }
    levels
}

/// Whether a line with this difference of heights looks level.
fn is_level(difference: f64) -> bool {
    difference.abs() < 0.05
}
