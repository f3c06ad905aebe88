//! Images of random pixels, classified by an MLP with one wide hidden layer. They are as much work
//! as real images of handwritten digits.

use micrograd::rand::{Rng, RngExt};

use super::Task;

pub(crate) const PIXELS: usize = 64;
pub(crate) const HIDDEN: usize = 32;
pub(crate) const CLASSES: usize = 10;
/// Images in the full batch.
pub(crate) const ROWS: usize = 64;
pub(crate) const LEARNING_RATE: f64 = 0.05;

/// The brightest pixel value, before it is scaled to 1.
const WHITE: u8 = 16;

/// The pixels of an image, then 1 for its class and 0 for the others.
pub(crate) type Row = [f64; PIXELS + CLASSES];

/// The same task each time.
pub(crate) fn task() -> Task<{ PIXELS + CLASSES }> {
    let mut rng = micrograd::rng(1);
    let rows = (0..ROWS).map(|_| image(&mut rng)).collect();
    Task::new(rows, PIXELS, &[HIDDEN, CLASSES], LEARNING_RATE, rng)
}

fn image(rng: &mut impl Rng) -> Row {
    let mut row = [0.0; PIXELS + CLASSES];
    for pixel in &mut row[..PIXELS] {
        *pixel = f64::from(rng.random_range(0..=WHITE)) / f64::from(WHITE);
    }
    row[PIXELS + rng.random_range(0..CLASSES)] = 1.0;
    row
}

/// The pixels of a row and its targets.
#[inline]
pub(crate) fn split(row: &Row) -> (&[f64; PIXELS], &[f64; CLASSES]) {
    let (pixels, targets) = row.split_first_chunk().expect("a row has pixels");
    (pixels, targets.try_into().expect("the rest are targets"))
}
