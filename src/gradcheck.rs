//! The engine's gradients against finite differences, for functions and operations of one's own.

use std::error::Error;
use std::fmt;

use crate::engine::Value;

/// Compares the gradient of a function at a point with central differences, with the tolerances
/// that PyTorch's `gradcheck` has; for others see [`GradCheck`].
///
/// Returns where the function has a kink so near that differences say nothing.
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
/// If the two do not agree: which derivative, at which point, and by how much.
pub fn gradcheck(
    function: impl Fn(&[Value]) -> Value,
    point: &[f64],
) -> Result<Vec<Kink>, Mismatch> {
    GradCheck::default().check(function, point)
}

/// How a gradient is compared with central differences, (f(x + eps) - f(x - eps)) / 2 eps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradCheck {
    /// How far the two points of a difference are from the point between them. Default 1e-6.
    pub eps: f64,
    /// By how much a derivative may differ, to begin with. Default 1e-5.
    pub atol: f64,
    /// By what part of the difference it may differ in addition. Default 1e-3.
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

/// A place where the slope of the function jumps.
#[derive(Clone, Debug, PartialEq)]
pub struct Kink {
    /// The input along which it does.
    pub input: usize,
    /// A point near to it.
    pub point: Vec<f64>,
}

impl fmt::Display for Kink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = Point(&self.point);
        write!(f, "a kink at {point}, along input {}", self.input)
    }
}

/// A derivative that is not what differences say.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The input with respect to which it is taken.
    pub input: usize,
    /// The point at which it is taken.
    pub point: Vec<f64>,
    /// The derivative.
    pub derivative: f64,
    /// What differences say.
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
             differences {difference}: they are {:e} apart",
            Point(point),
            (derivative - difference).abs()
        )
    }
}

impl Error for Mismatch {}

/// The coordinates in brackets, as short as numbers are.
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
    pub fn check(
        &self,
        function: impl Fn(&[Value]) -> Value,
        point: &[f64],
    ) -> Result<Vec<Kink>, Mismatch> {
        let xs: Vec<_> = point.iter().copied().map(Value::new).collect();
        let gradient = function(&xs).gradient(&xs);
        let mut kinks = Vec::new();
        for (input, derivative) in gradient.iter().map(Value::data).enumerate() {
            let at = |steps: f64| {
                let xs = xs.iter().enumerate().map(|(i, x)| {
                    let step = if i == input { steps * self.eps } else { 0.0 };
                    Value::new(x.data() + step)
                });
                function(&xs.collect::<Vec<_>>()).data()
            };
            let slope = |from: f64, to: f64| (at(to) - at(from)) / ((to - from) * self.eps);
            let difference = slope(-1.0, 1.0);
            let tolerance = self.atol + self.rtol * difference.abs();
            if (derivative - difference).abs() <= tolerance {
                continue;
            }
            let point = point.to_vec();
            let slopes = [(-1.0, -0.5), (-0.5, 0.0), (0.0, 0.5), (0.5, 1.0)];
            if jump(slopes.map(|(from, to)| slope(from, to)), tolerance) {
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

/// Whether the slopes of neighbouring pieces of a function belong to a kink. The slopes of a smooth
/// function change from piece to piece; at a kink they change at one place, which lies in one piece
/// or between two, and nowhere else.
fn jump(slopes: [f64; 4], tolerance: f64) -> bool {
    let changes = [0, 1, 2].map(|i| (slopes[i + 1] - slopes[i]).abs());
    let total: f64 = changes.iter().sum();
    let least = changes.into_iter().fold(f64::INFINITY, f64::min);
    total > tolerance && least < 0.1 * total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_that_change_at_one_place_only_are_a_kink() {
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
            [5.0, 5.0, 5.0, 5.0],
            [5.0, 5.0, 5.0005, 5.0], // rounding
        ];
        for slopes in kinks {
            assert!(jump(slopes, 2e-3), "{slopes:?}");
        }
        for slopes in smooth {
            assert!(!jump(slopes, 2e-3), "{slopes:?}");
        }
    }
}
