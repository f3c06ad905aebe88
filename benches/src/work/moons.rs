//! Two moons, classified by an MLP with two hidden layers.

use micrograd::data::make_moons;

use super::Task;

pub(crate) const INPUTS: usize = 2;
pub(crate) const HIDDEN: usize = 16;
pub(crate) const LAYERS: [usize; 3] = [HIDDEN, HIDDEN, 1];
/// Points in the full batch.
pub const ROWS: usize = 100;
pub(crate) const LEARNING_RATE: f64 = 0.02;
/// The factor of the sum of squares of all parameters in the loss.
pub(crate) const PENALTY: f64 = 1e-4;

/// A point and its label, which is 1 or -1.
pub(crate) type Row = [f64; INPUTS + 1];

/// The task with this number of points, the same each time.
pub(crate) fn task(points: usize) -> Task<{ INPUTS + 1 }> {
    let mut rng = micrograd::rng(1);
    let rows = make_moons(points, 0.1, &mut rng);
    Task::new(rows, INPUTS, &LAYERS, LEARNING_RATE, rng)
}
