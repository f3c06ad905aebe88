//! Two moons to be told apart by an MLP with two hidden layers.

use micrograd::data::make_moons;

use super::Task;

/// Coordinates of a point.
pub const INPUTS: usize = 2;
/// Neurons in each of the two hidden layers.
pub const HIDDEN: usize = 16;
/// Neurons in each layer.
pub const LAYERS: [usize; 3] = [HIDDEN, HIDDEN, 1];
/// Points in the full batch.
pub const ROWS: usize = 100;
/// The learning rate of SGD.
pub const LEARNING_RATE: f64 = 0.02;
/// The factor of the sum of squares of all parameters in the loss.
pub const PENALTY: f64 = 1e-4;

const NOISE: f64 = 0.1;
const SEED: u64 = 1;

/// A point and its label, which is 1 or -1.
pub type Row = [f64; INPUTS + 1];

/// The points and the parameters that training starts from.
pub type Moons = Task<{ INPUTS + 1 }>;

impl Moons {
    /// The same task each time: it is drawn from a fixed seed.
    pub fn new() -> Self {
        Self::many(ROWS)
    }

    /// The same with another number of points.
    pub fn many(points: usize) -> Self {
        let mut rng = micrograd::rng(SEED);
        let rows = make_moons(points, NOISE, &mut rng);
        Self::with_net(rows, (INPUTS, &LAYERS), LEARNING_RATE, &mut rng)
    }
}

impl Default for Moons {
    fn default() -> Self {
        Self::new()
    }
}
