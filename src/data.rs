//! Generated data sets: from the same seed the same points, on every platform.

use std::f64::consts::{PI, TAU};

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// Two interleaving half circles, as scikit-learn's `make_moons` makes them.
///
/// Each row is x, y and the label: -1 on the upper moon, (cos t, sin t), and +1 on the lower one,
/// (1 - cos t, ½ - sin t), for evenly spaced t from 0 to π. Half of the `n` points, rounded down,
/// lie on the upper moon. Both coordinates get normal noise with the standard deviation `noise`,
/// and the rows are shuffled.
///
/// ```
/// use micrograd::data::make_moons;
/// use micrograd::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
/// let rows = make_moons(100, 0.1, &mut rng);
/// assert_eq!(rows.iter().filter(|[_, _, label]| *label > 0.0).count(), 50);
/// ```
#[must_use]
pub fn make_moons(n: usize, noise: f64, rng: &mut (impl Rng + ?Sized)) -> Vec<[f64; 3]> {
    let upper = half_circle(n / 2).map(|(cos, sin)| [cos, sin, -1.0]);
    let lower = half_circle(n - n / 2).map(|(cos, sin)| [1.0 - cos, 0.5 - sin, 1.0]);
    let mut rows: Vec<_> = upper.chain(lower).collect();
    rows.shuffle(rng);
    for [x, y, _] in &mut rows {
        *x += noise * standard_normal(rng);
        *y += noise * standard_normal(rng);
    }
    rows
}

/// `n` points from (1, 0) to (-1, 0).
fn half_circle(n: usize) -> impl Iterator<Item = (f64, f64)> {
    let last = n.saturating_sub(1).max(1) as f64;
    (0..n).map(move |i| {
        let angle = PI * (i as f64 / last);
        (libm::cos(angle), libm::sin(angle))
    })
}

/// A sample of the standard normal distribution, by Box and Muller 1958.
///
/// By `libm`, as all data here: the functions of the standard library are those of the system, and
/// differ in their last bits from one to the next.
pub(crate) fn standard_normal(rng: &mut (impl Rng + ?Sized)) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - rng.random::<f64>())).sqrt();
    radius * libm::cos(TAU * rng.random::<f64>())
}
