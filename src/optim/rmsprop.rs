use super::{Common, at_least_zero};
use crate::engine::Value;

/// RMSProp: divides the gradient by a running root of its mean square (Hinton, Srivastava and
/// Swersky, lecture 6e of "Neural Networks for Machine Learning", 2012).
///
/// s ← α · s + (1 - α) · g², then p ← p - lr · g / (√s + ε).
#[derive(Clone, Debug)]
pub struct RMSProp {
    common: Common,
    alpha: f64,
    eps: f64,
    momentum: f64,
    centered: bool,
    mean_square: Vec<f64>,
    mean: Vec<f64>,
    velocity: Vec<f64>,
}

impl RMSProp {
    /// α = 0.99 and ε = 1e-8, not centered, without momentum, with the given learning rate.
    ///
    /// # Panics
    ///
    /// If a parameter is not a leaf or is there twice, or if the learning rate is negative
    /// or NaN.
    #[must_use]
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Value>, learning_rate: f64) -> Self {
        let common = Common::new(parameters, learning_rate);
        Self {
            alpha: 0.99,
            eps: 1e-8,
            momentum: 0.0,
            centered: false,
            mean_square: common.zeros(),
            mean: common.zeros(),
            velocity: common.zeros(),
            common,
        }
    }

    /// α, the part of the running mean that a step keeps. Default 0.99.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = at_least_zero("alpha", alpha);
        self
    }

    /// ε, which keeps the divisor from 0. Default 1e-8.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = at_least_zero("eps", eps);
        self
    }

    /// μ, momentum on the scaled gradients: v ← μ · v + g / (√s + ε), p ← p - lr · v. Default 0.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = at_least_zero("momentum", momentum);
        self
    }

    /// Subtracts the square of the running mean from s, so that it is a variance (Graves 2013,
    /// equation 40). Under a constant gradient the variance goes to 0 and the steps grow without
    /// bound; rounding can then make it negative, and the step NaN, as in PyTorch.
    #[must_use]
    pub fn centered(mut self) -> Self {
        self.centered = true;
        self
    }

    fn update(&mut self) {
        let new = 1.0 - self.alpha;
        for (i, p) in self.common.parameters.iter().enumerate() {
            let g = self.common.gradient(p);
            let square = &mut self.mean_square[i];
            *square = self.alpha * *square + new * g * g;
            let variance = if self.centered {
                let mean = &mut self.mean[i];
                *mean += new * (g - *mean);
                *square - *mean * *mean
            } else {
                *square
            };
            let v = &mut self.velocity[i];
            *v = self.momentum * *v + g / (variance.sqrt() + self.eps);
            p.set_data(p.data() - self.common.learning_rate * *v);
        }
    }
}

optimizer!(RMSProp);
