//! The order in each column, so that few lines cross.

use super::grid::{Grid, LEFT, RIGHT, positions};

/// How often all columns are sorted, by what they are joined to on the right and then on the left.
const SWEEPS: usize = 12;
/// How often, after each of these, slots that stand next to each other may change places.
const ROUNDS: usize = 8;

/// Sorts each column by the mean position of its neighbours, sweeping to the left and then to the
/// right, and then swaps adjacent slots. The first order with the fewest crossings is kept.
///
/// Every second sweep is shaken: it breaks ties the other way, to leave local minima.
pub(super) fn order(grid: &mut Grid) {
    let mut best = (crossings(grid), grid.columns.clone());
    let mut positions = self::positions(&grid.columns);
    let count = grid.columns.len();
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let is_shaken = sweep % 2 == 1;
        for column in 1..count {
            sort(grid, column, RIGHT, is_shaken, &mut positions);
        }
        for column in (0..count.saturating_sub(1)).rev() {
            sort(grid, column, LEFT, is_shaken, &mut positions);
        }
        swap(grid, is_shaken, &mut positions);
        let crossings = crossings(grid);
        if crossings < best.0 {
            best = (crossings, grid.columns.clone());
        }
    }
    grid.columns = best.1;
}

fn sort(grid: &mut Grid, column: usize, side: usize, is_shaken: bool, positions: &mut [usize]) {
    let mean = |slot: usize| {
        let ends = grid.ends(slot, side, positions);
        match grid.neighbours[side][slot].len() {
            0 => positions[slot] as f64,
            count => ends.sum::<f64>() / count as f64,
        }
    };
    let slots = grid.columns[column].iter();
    let mut means: Vec<_> = slots.map(|&slot| (mean(slot), slot)).collect();
    if is_shaken {
        means.reverse();
    }
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (position, &(_, slot)) in means.iter().enumerate() {
        grid.columns[column][position] = slot;
        positions[slot] = position;
    }
}

/// Swaps adjacent slots as long as that reduces crossings.
fn swap(grid: &mut Grid, is_shaken: bool, positions: &mut [usize]) {
    for round in 0..ROUNDS {
        let mut is_better = false;
        for column in 0..grid.columns.len() {
            for i in 1..grid.columns[column].len() {
                let [above, below] = [i - 1, i].map(|i| grid.columns[column][i]);
                let [before, after] = crossings_of(grid, above, below, positions);
                if after < before || is_shaken && round == 0 && after == before {
                    grid.columns[column].swap(i - 1, i);
                    positions.swap(above, below);
                    is_better |= after < before;
                }
            }
        }
        if !is_better {
            break;
        }
    }
}

/// How many lines of one slot cross lines of another, if it stands above it and if it stands
/// below.
fn crossings_of(grid: &Grid, one: usize, other: usize, positions: &[usize]) -> [usize; 2] {
    let mut crossings = [0; 2];
    for side in [LEFT, RIGHT] {
        let [ends, others] = [one, other].map(|slot| grid.ends(slot, side, positions));
        for end in ends {
            for other in others.clone() {
                crossings[0] += usize::from(other < end);
                crossings[1] += usize::from(other > end);
            }
        }
    }
    crossings
}

/// How many pairs of lines cross.
fn crossings(grid: &Grid) -> usize {
    let positions = positions(&grid.columns);
    let columns = grid.columns.iter();
    columns
        .map(|column| crossings_left_of(grid, column, &positions))
        .sum()
}

/// Counts the lines that end farther down although they begin farther up: for each line those
/// before it, by a tree of partial sums (Fenwick 1994).
fn crossings_left_of(grid: &Grid, column: &[usize], positions: &[usize]) -> usize {
    let mut ends = Vec::new();
    for &slot in column {
        let start = ends.len();
        ends.extend(
            grid.neighbours[LEFT][slot]
                .iter()
                .map(|&end| positions[end]),
        );
        if !grid.keeps_order[slot] {
            ends[start..].sort_unstable();
        }
    }
    let size = ends.iter().max().map_or(0, |last| last + 1);
    let mut sums = vec![0; size + 1];
    let mut crossings = 0;
    for (before, &end) in ends.iter().enumerate() {
        let mut not_below = 0; // lines before this one that end here or farther up
        let mut i = end + 1;
        while i > 0 {
            not_below += sums[i];
            i &= i - 1;
        }
        crossings += before - not_below;
        let mut i = end + 1;
        while i <= size {
            sums[i] += 1;
            i += i & i.wrapping_neg();
        }
    }
    crossings
}
