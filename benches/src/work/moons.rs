//! Two moons, told apart by an MLP with two hidden layers.

use micrograd::data::make_moons;
use micrograd::nn::MLP;

use super::{Task, draw_parameters};

pub(crate) const INPUTS: usize = 2;
pub(crate) const HIDDEN: usize = 16;
pub(crate) const LAYERS: [usize; 3] = [HIDDEN, HIDDEN, 1];
/// Points in the full batch.
pub(crate) const ROWS: usize = 100;
pub(crate) const LEARNING_RATE: f64 = 0.02;
/// The factor of the sum of squares of all parameters in the loss.
pub(crate) const PENALTY: f64 = 1e-4;

/// A point and its label, which is 1 or -1.
pub type Row = [f64; INPUTS + 1];

/// The points and the parameters that training starts from.
pub type Moons = Task<{ INPUTS + 1 }>;

impl Moons {
    /// The task with the full batch, the same each time.
    pub fn full() -> Self {
        Self::many(ROWS)
    }

    /// The task with another number of points.
    pub fn many(points: usize) -> Self {
        let mut rng = micrograd::rng(1);
        Self {
            rows: make_moons(points, 0.1, &mut rng),
            initial: draw_parameters(&MLP::new(INPUTS, &LAYERS, &mut rng)),
            inputs: INPUTS,
            layers: &LAYERS,
            learning_rate: LEARNING_RATE,
        }
    }
}
