use super::{Optimizer, Settings, at_least_zero};
use crate::engine::Value;

/// Stochastic gradient descent: p ← p - lr · g.
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::optim::{Optimizer, SGD};
///
/// let p = Value::new(1.0);
/// let mut optim = SGD::new([p.clone()], 0.1);
/// (2.0 * &p).backward();
/// optim.step();
/// assert_eq!(p.data(), 0.8);
/// ```
#[derive(Clone, Debug)]
pub struct SGD {
    settings: Settings,
}

impl SGD {
    /// Plain gradient descent with the given learning rate.
    ///
    /// # Panics
    ///
    /// If a parameter is not a leaf or occurs twice, or if the learning rate is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Value>, learning_rate: f64) -> Self {
        Self {
            settings: Settings::new(parameters, learning_rate),
        }
    }
}

impl Optimizer for SGD {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn running(&self) -> Vec<Option<&'static str>> {
        vec![]
    }

    fn update(&mut self) {
        self.settings.descend(|p, g, lr, []| p - lr * g);
    }
}

/// Gradient descent with momentum: v ← μ · v + (1 - τ) · g, then p ← p - lr · v (Polyak 1964).
///
/// At the first step v is g, as in PyTorch. Without momentum, that is, with μ = 0, v is always g.
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::optim::{Momentum, Optimizer};
///
/// let p = Value::new(1.0);
/// let mut optim = Momentum::new([p.clone()], 0.1).momentum(0.5);
/// for _ in 0..2 {
///     optim.zero_grad();
///     (2.0 * &p).backward();
///     optim.step();
/// }
/// assert_eq!(p.data(), 1.0 - 0.1 * 2.0 - 0.1 * 3.0); // the velocity is 2, then 3
/// ```
#[derive(Clone, Debug)]
pub struct Momentum {
    settings: Settings,
    /// μ
    mu: f64,
    dampening: f64,
    nesterov: bool,
}

impl Momentum {
    /// Momentum of 0.9 with the given learning rate.
    ///
    /// # Panics
    ///
    /// If a parameter is not a leaf or occurs twice, or if the learning rate is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Value>, learning_rate: f64) -> Self {
        Self {
            settings: Settings::new(parameters, learning_rate),
            mu: 0.9,
            dampening: 0.0,
            nesterov: false,
        }
    }

    /// μ, the part of the velocity that a step keeps. Default 0.9.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN, or if it is 0 with Nesterov momentum.
    #[must_use]
    #[track_caller]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.mu = at_least_zero("the momentum", momentum);
        self.expect_possible_nesterov();
        self
    }

    /// τ, the part of the gradient that does not enter the velocity. Default 0.
    ///
    /// # Panics
    ///
    /// If it is NaN, or not 0 with Nesterov momentum.
    #[must_use]
    #[track_caller]
    pub fn dampening(mut self, dampening: f64) -> Self {
        assert!(
            !dampening.is_nan(),
            "the dampening must be a number, not NaN"
        );
        self.dampening = dampening;
        self.expect_possible_nesterov();
        self
    }

    /// Nesterov momentum: steps by g + μ · v, which looks ahead (Sutskever et al. 2013, in
    /// PyTorch's form).
    ///
    /// # Panics
    ///
    /// If the dampening is not 0, or if the momentum is 0.
    #[must_use]
    #[track_caller]
    pub fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self.expect_possible_nesterov();
        self
    }

    #[track_caller]
    fn expect_possible_nesterov(&self) {
        assert!(
            !self.nesterov || self.mu > 0.0 && self.dampening == 0.0,
            "Nesterov momentum needs a momentum above 0 and a dampening of 0, not {} and {}",
            self.mu,
            self.dampening
        );
    }
}

impl Optimizer for Momentum {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn running(&self) -> Vec<Option<&'static str>> {
        vec![(self.mu != 0.0).then_some("momentum_buffer")]
    }

    fn update(&mut self) {
        let first = self.steps() == 0;
        self.settings.descend(|p, g, lr, [v]| {
            *v = if first || self.mu == 0.0 {
                g
            } else {
                self.mu * *v + (1.0 - self.dampening) * g
            };
            let direction = if self.nesterov { g + self.mu * *v } else { *v };
            p - lr * direction
        });
    }
}
