//! Checks of the engine's gradients against finite differences, for functions and operations of
//! your own.

use std::error::Error;
use std::fmt;

use crate::engine::Value;
use crate::text::short;

/// Compares the gradient of a function at a point with central differences, within the tolerances
/// of PyTorch's `gradcheck`; for others, see [`GradCheck`].
///
/// Returns the kinks at which the derivative and the difference disagree. The check there is only
/// that the derivative lies between the slopes on both sides. A kink at which they agree, such as
/// that of |x| at 0, is not listed.
///
/// ```
/// use micrograd::gradcheck::gradcheck;
///
/// let kinks = gradcheck(|x| (&x[0] * &x[1]).tanh() + x[1].relu(), &[0.5, -2.0])?;
/// assert!(kinks.is_empty());
///
/// let kinks = gradcheck(|x| x[0].sin() + x[1].relu(), &[0.5, 0.0])?;
/// assert_eq!(kinks[0].to_string(), "a kink at [0.5, 0], along input 1");
/// # Ok::<(), micrograd::gradcheck::Mismatch>(())
/// ```
///
/// # Errors
///
/// If the two do not agree, or the difference is not finite. The error says which derivative, at
/// which point, and by how much.
pub fn gradcheck(
    function: impl Fn(&[Value]) -> Value,
    point: &[f64],
) -> Result<Vec<Kink>, Mismatch> {
    GradCheck::default().check(function, point)
}

/// How a gradient is compared with central differences, (f(x + eps) - f(x - eps)) / 2 eps. The
/// divisor is the distance between the two points as rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradCheck {
    /// The distance of the two points of a difference from the point between them. Default 1e-6.
    pub eps: f64,
    /// The absolute tolerance: by how much a derivative may differ. Default 1e-5.
    pub atol: f64,
    /// The relative tolerance, added to it: a fraction of the difference. Default 1e-3.
    pub rtol: f64,
}

impl Default for GradCheck {
    fn default() -> Self {
        Self {
            eps: 1e-6,
            atol: 1e-5,
            rtol: 1e-3,
        }
    }
}

/// A place where the slope of the function jumps by more than rounding of its result explains.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Kink {
    /// The input along which it jumps.
    pub input: usize,
    /// A point near it.
    pub point: Vec<f64>,
}

impl fmt::Display for Kink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = Point(&self.point);
        write!(f, "a kink at {point}, along input {}", self.input)
    }
}

/// A derivative that disagrees with finite differences.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mismatch {
    /// The input with respect to which it is taken.
    pub input: usize,
    /// The point at which it is taken.
    pub point: Vec<f64>,
    /// The derivative.
    pub derivative: f64,
    /// The finite difference.
    pub difference: f64,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            input,
            point,
            derivative,
            difference,
        } = self;
        write!(
            f,
            "the derivative with respect to input {input} at {} is {derivative}, but by finite \
             differences {difference}",
            Point(point),
        )?;
        let apart = (derivative - difference).abs();
        if apart.is_finite() {
            write!(f, ": they are {} apart", short(apart))?;
        }
        Ok(())
    }
}

impl Error for Mismatch {}

/// The coordinates in brackets, each as short as it can be.
struct Point<'a>(&'a [f64]);

impl fmt::Display for Point<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let coordinates: Vec<_> = self.0.iter().map(f64::to_string).collect();
        write!(f, "[{}]", coordinates.join(", "))
    }
}

impl GradCheck {
    /// Compares the gradient of the function at the point: see [`gradcheck`].
    ///
    /// # Errors
    ///
    /// If a derivative and the difference do not agree.
    ///
    /// # Panics
    ///
    /// If `eps` is not positive, or if a tolerance is negative or NaN.
    #[track_caller]
    pub fn check(
        &self,
        function: impl Fn(&[Value]) -> Value,
        point: &[f64],
    ) -> Result<Vec<Kink>, Mismatch> {
        let Self { eps, atol, rtol } = *self;
        assert!(eps > 0.0, "eps must be positive, not {eps}");
        assert!(
            atol >= 0.0 && rtol >= 0.0,
            "the tolerances must be at least 0, not {atol} and {rtol}"
        );
        let leaves = |point: &[f64]| point.iter().copied().map(Value::new).collect::<Vec<_>>();
        let xs = leaves(point);
        let gradient = function(&xs).gradient(&xs);
        let mut kinks = Vec::new();
        for (input, derivative) in gradient.iter().map(Value::data).enumerate() {
            let at = |steps: f64| {
                let mut point = point.to_vec();
                point[input] += steps * eps;
                Sample {
                    x: point[input],
                    y: function(&leaves(&point)).data(),
                }
            };
            let difference = slope(&at(-1.0), &at(1.0));
            let tolerance = atol + rtol * difference.abs();
            if difference.is_finite() && (derivative - difference).abs() <= tolerance {
                continue;
            }
            let point = point.to_vec();
            let samples = [-1.0, -0.5, 0.0, 0.5, 1.0].map(at);
            if kink_explains(derivative, &samples, tolerance) {
                kinks.push(Kink { input, point });
            } else {
                return Err(Mismatch {
                    input,
                    point,
                    derivative,
                    difference,
                });
            }
        }
        Ok(kinks)
    }
}

/// A sample of the function along one of its inputs.
struct Sample {
    x: f64,
    y: f64,
}

fn slope(from: &Sample, to: &Sample) -> f64 {
    (to.y - from.y) / (to.x - from.x)
}

/// Whether the function has a kink among the samples, and the derivative is one that it can have
/// there.
fn kink_explains(derivative: f64, samples: &[Sample; 5], tolerance: f64) -> bool {
    let slopes = [0, 1, 2, 3].map(|i| slope(&samples[i], &samples[i + 1]));
    let least = slopes.into_iter().fold(f64::INFINITY, f64::min);
    let greatest = slopes.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let largest = samples
        .iter()
        .fold(0.0, |y: f64, sample| y.max(sample.y.abs()));
    // The error that rounding may cause in the four slopes.
    let noise = 16.0 * f64::EPSILON * largest / (samples[4].x - samples[0].x);
    (least - tolerance..=greatest + tolerance).contains(&derivative)
        && is_kink(slopes, tolerance.max(noise))
}

/// Whether the slopes of neighbouring pieces of a function belong to a kink. In a smooth function
/// they change from piece to piece; at a kink they change at one place, which lies in one piece or
/// between two, and so not at both ends.
fn is_kink(slopes: [f64; 4], least_change: f64) -> bool {
    let changes = [0, 1, 2].map(|i| (slopes[i + 1] - slopes[i]).abs());
    let total: f64 = changes.iter().sum();
    total > least_change && changes[0].min(changes[2]) < 0.1 * total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_that_change_in_one_place_only_are_a_kink() {
        let kinks = [
            [0.0, 0.0, 1.0, 1.0],  // between two pieces
            [0.0, 0.3, 1.0, 1.0],  // in a piece
            [-0.5, 1.0, 1.0, 1.0], // in the first one
            [7.0, 7.0, 7.0, 6.99],
        ];
        let smooth = [
            [1.0, 2.0, 3.0, 4.0],
            [1.0, 1.01, 1.02, 1.03],
            [4.0, 2.0, 1.0, 0.5],
            [4.0, 1.0, 1.0, 4.0], // at an inflection
            [5.0, 5.0, 5.0, 5.0],
            [5.0, 5.0, 5.0005, 5.0], // rounding
        ];
        for slopes in kinks {
            assert!(is_kink(slopes, 2e-3), "{slopes:?}");
        }
        for slopes in smooth {
            assert!(!is_kink(slopes, 2e-3), "{slopes:?}");
        }
    }
}
