use super::{Optimizer, Settings, at_least_zero};
use crate::engine::Value;

/// RMSProp: divides the gradient by the root of its running mean square (Hinton, Srivastava and
/// Swersky, lecture 6e of "Neural Networks for Machine Learning", 2012).
///
/// s ← α · s + (1 - α) · g², then p ← p - lr · g / (√s + ε).
#[derive(Clone, Debug)]
pub struct RMSProp {
    settings: Settings,
    alpha: f64,
    eps: f64,
    momentum: f64,
    centered: bool,
}

impl RMSProp {
    /// α = 0.99 and ε = 1e-8, not centered, without momentum, with the given learning rate.
    ///
    /// # Panics
    ///
    /// If a parameter is not a leaf or occurs twice, or if the learning rate is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Value>, learning_rate: f64) -> Self {
        Self {
            settings: Settings::new(parameters, learning_rate),
            alpha: 0.99,
            eps: 1e-8,
            momentum: 0.0,
            centered: false,
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

    /// ε, which keeps the divisor away from 0. Default 1e-8.
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
        self.momentum = at_least_zero("the momentum", momentum);
        self
    }

    /// Subtracts the square of the gradient's running mean from s, which makes it a variance
    /// (Graves 2013, equation 40). Under a constant gradient the variance goes to 0 and the steps
    /// grow without bound; rounding can then make it negative, and the step NaN, as in PyTorch.
    #[must_use]
    pub fn centered(mut self) -> Self {
        self.centered = true;
        self
    }
}

impl Optimizer for RMSProp {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn running(&self) -> Vec<Option<&'static str>> {
        vec![
            Some("square_avg"),
            self.centered.then_some("grad_avg"),
            (self.momentum != 0.0).then_some("momentum_buffer"),
        ]
    }

    fn update(&mut self) {
        let new = 1.0 - self.alpha;
        self.settings.descend(|p, g, lr, [s, m, v]| {
            *s = self.alpha * *s + new * g * g;
            let variance = if self.centered {
                *m += new * (g - *m);
                *s - *m * *m
            } else {
                *s
            };
            *v = self.momentum * *v + g / (variance.sqrt() + self.eps);
            p - lr * *v
        });
    }
}
