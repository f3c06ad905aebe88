//! Images of random pixels to be told apart by an MLP with one wide hidden layer: as
//! much work as real images of handwritten digits.

use micrograd::rand::{Rng, RngExt};

use super::Task;

/// Pixels of an image.
pub const PIXELS: usize = 64;
/// Neurons in the hidden layer.
pub const HIDDEN: usize = 32;
/// Kinds of images: one output for each.
pub const CLASSES: usize = 10;
/// Neurons in each layer.
pub const LAYERS: [usize; 2] = [HIDDEN, CLASSES];
/// Images in the full batch.
pub const ROWS: usize = 64;
/// The learning rate of SGD.
pub const LEARNING_RATE: f64 = 0.05;

/// The brightest pixel, before it is scaled to 1.
const WHITE: u8 = 16;
const SEED: u64 = 1;

/// The pixels of an image, then 1 for its class and 0 for the others.
pub type Row = [f64; PIXELS + CLASSES];

/// The images and the parameters that training starts from.
pub type Digits = Task<{ PIXELS + CLASSES }>;

impl Digits {
    /// The same task each time: it is drawn from a fixed seed.
    pub fn new() -> Self {
        let mut rng = micrograd::rng(SEED);
        let rows = (0..ROWS).map(|_| image(&mut rng)).collect();
        Self::with_net(rows, (PIXELS, &LAYERS), LEARNING_RATE, &mut rng)
    }
}

impl Default for Digits {
    fn default() -> Self {
        Self::new()
    }
}

fn image(rng: &mut impl Rng) -> Row {
    let mut row = [0.0; PIXELS + CLASSES];
    for pixel in &mut row[..PIXELS] {
        *pixel = f64::from(rng.random_range(0..=WHITE)) / f64::from(WHITE);
    }
    row[PIXELS + rng.random_range(0..CLASSES)] = 1.0;
    row
}
