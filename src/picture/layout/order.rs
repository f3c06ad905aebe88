//! The order in each column, so that few lines cross.

use super::grid::{Grid, LEFT, RIGHT, positions};

/// How often all columns are sorted, by what they are joined to on the right and then on the left.
const SWEEPS: usize = 12;
/// How often, after each of these, slots that stand next to each other may change places.
const ROUNDS: usize = 8;

/// Sorts each column by the mean position of what a slot is joined to in the next one, to and fro,
/// and then swaps slots. The order with the fewest crossings stays, the first one of several.
///
/// Every second sweep is shaken: where two orders are as good as each other it takes the other one,
/// which leads out of an order that nothing betters by itself.
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
    let mean = |&slot: &usize| {
        let neighbours = &grid.neighbours[side][slot];
        match neighbours.len() {
            0 => positions[slot] as f64,
            count => {
                let sum: usize = neighbours.iter().map(|&slot| positions[slot]).sum();
                sum as f64 / count as f64
            }
        }
    };
    let slots = &mut grid.columns[column];
    if is_shaken {
        slots.reverse();
    }
    slots.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    for (position, &slot) in slots.iter().enumerate() {
        positions[slot] = position;
    }
}

/// Swaps slots that follow one another as long as that makes fewer crossings.
fn swap(grid: &mut Grid, is_shaken: bool, positions: &mut [usize]) {
    let Grid {
        columns,
        neighbours,
        ..
    } = grid;
    let crossings = |above: usize, below: usize, positions: &[usize]| {
        let on_side = |side: &Vec<Vec<usize>>| {
            let pairs = side[above]
                .iter()
                .flat_map(|a| side[below].iter().map(move |b| (a, b)));
            pairs
                .filter(|(a, b)| positions[**a] > positions[**b])
                .count()
        };
        neighbours.iter().map(on_side).sum::<usize>()
    };
    for round in 0..ROUNDS {
        let mut is_better = false;
        for column in &mut *columns {
            for i in 1..column.len() {
                let [above, below] = [column[i - 1], column[i]];
                let (before, after) = (
                    crossings(above, below, positions),
                    crossings(below, above, positions),
                );
                if after < before || is_shaken && round == 0 && after == before {
                    column.swap(i - 1, i);
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

/// How many pairs of lines cross.
fn crossings(grid: &Grid) -> usize {
    let positions = positions(&grid.columns);
    let columns = grid.columns.iter();
    columns
        .map(|column| crossings_left_of(grid, column, &positions))
        .sum()
}

/// Counts the lines that end farther down although they begin farther up: for each line those before
/// it, by a tree of partial sums (Fenwick 1994).
fn crossings_left_of(grid: &Grid, column: &[usize], positions: &[usize]) -> usize {
    let mut ends = Vec::new();
    for &slot in column {
        let start = ends.len();
        ends.extend(
            grid.neighbours[LEFT][slot]
                .iter()
                .map(|&slot| positions[slot]),
        );
        ends[start..].sort_unstable();
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
