use super::{Optimizer, Settings, at_least_zero, part};
use crate::engine::Value;

/// Adam: momentum divided by the root of a running mean square, both corrected for their start at 0
/// (Kingma and Ba 2015, algorithm 1).
///
/// m ← β₁ · m + (1 - β₁) · g and v ← β₂ · v + (1 - β₂) · g², then
/// p ← p - lr · m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ).
///
/// ```
/// use micrograd::optim::Adam;
/// # let parameters: Vec<micrograd::engine::Value> = vec![];
/// let adam_w = Adam::new(parameters, 0.001).decoupled_weight_decay(0.01);
/// ```
#[derive(Clone, Debug)]
pub struct Adam {
    settings: Settings,
    beta1: f64,
    beta2: f64,
    eps: f64,
    decoupled_weight_decay: f64,
    amsgrad: bool,
}

impl Adam {
    /// β₁ = 0.9, β₂ = 0.999 and ε = 1e-8, with the given learning rate.
    ///
    /// # Panics
    ///
    /// If a parameter is not a leaf or occurs twice, or if the learning rate is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Value>, learning_rate: f64) -> Self {
        Self {
            settings: Settings::new(parameters, learning_rate),
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            decoupled_weight_decay: 0.0,
            amsgrad: false,
        }
    }

    /// β₁ and β₂, the parts of the running means that a step keeps. Default 0.9 and 0.999.
    ///
    /// # Panics
    ///
    /// If either is negative, 1 or more, or NaN.
    #[must_use]
    #[track_caller]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.beta1 = part("beta1", beta1);
        self.beta2 = part("beta2", beta2);
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

    /// AdamW: shrinks each parameter by lr · `weight_decay` of itself before the step,
    /// independently of the gradient (Loshchilov and Hutter 2019, algorithm 2). Default 0;
    /// PyTorch's AdamW uses 0.01.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn decoupled_weight_decay(mut self, weight_decay: f64) -> Self {
        self.decoupled_weight_decay = at_least_zero("the weight decay", weight_decay);
        self
    }

    /// AMSGrad: divides by the largest v so far (Reddi, Kale and Kumar 2018, algorithm 2).
    #[must_use]
    pub fn amsgrad(mut self) -> Self {
        self.amsgrad = true;
        self
    }
}

impl Optimizer for Adam {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn running(&self) -> Vec<Option<&'static str>> {
        vec![
            Some("exp_avg"),
            Some("exp_avg_sq"),
            self.amsgrad.then_some("max_exp_avg_sq"),
        ]
    }

    fn update(&mut self) {
        let t = i32::try_from(self.steps() + 1).unwrap_or(i32::MAX);
        let m_correction = 1.0 - self.beta1.powi(t);
        let v_correction = (1.0 - self.beta2.powi(t)).sqrt();
        self.settings.descend(|p, g, lr, [m, v, max]| {
            *m += (1.0 - self.beta1) * (g - *m);
            *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            let v = if self.amsgrad {
                // A NaN stays, which `f64::max` would swallow.
                *max = if *max > *v { *max } else { *v };
                *max
            } else {
                *v
            };
            let step_size = lr / m_correction;
            let divisor = v.sqrt() / v_correction + self.eps;
            p * (1.0 - lr * self.decoupled_weight_decay) - step_size * *m / divisor
        });
    }
}
