//! Optimizers: they move parameters against their gradients. Learning-rate schedules and gradient
//! clipping, which go with them.
//!
//! All follow PyTorch: its formulas, order of operations and defaults, except that the learning
//! rate has none and that of momentum is 0.9. The settings are chained after the constructor.
//! `notes/Optimizers.md` explains the equations.
//!
//! ```
//! use micrograd::engine::Value;
//! use micrograd::optim::{Adam, Optimizer};
//!
//! let x = Value::new(0.0);
//! let mut optim = Adam::new([x.clone()], 0.1).betas(0.8, 0.99);
//! for _ in 0..200 {
//!     optim.zero_grad();
//!     (&x - 3.0).pow(2.0).backward();
//!     optim.step();
//! }
//! assert!((x.data() - 3.0).abs() < 1e-3);
//! ```

use crate::engine::Value;

/// Steps parameters against their gradients.
///
/// A training step is `zero_grad`, a forward and a backward pass, `step`.
pub trait Optimizer {
    /// The parameters that a step moves.
    fn parameters(&self) -> &[Value];

    /// Moves each parameter by its gradient.
    ///
    /// # Panics
    ///
    /// If a guard of a parameter is alive. Nothing has been changed then.
    fn step(&mut self);

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate of the steps to come, for a schedule.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    fn set_learning_rate(&mut self, learning_rate: f64);

    /// Sets the gradient of every parameter to 0.
    ///
    /// # Panics
    ///
    /// If a guard of a parameter is alive.
    #[track_caller]
    fn zero_grad(&self) {
        for parameter in self.parameters() {
            parameter.zero_grad();
        }
    }
}

/// What all optimizers hold.
#[derive(Clone, Debug)]
struct Common {
    parameters: Vec<Value>,
    learning_rate: f64,
    weight_decay: f64,
    maximize: bool,
}

impl Common {
    #[track_caller]
    fn new(parameters: impl IntoIterator<Item = Value>, learning_rate: f64) -> Self {
        let parameters: Vec<_> = parameters.into_iter().collect();
        Value::indices_of_leaves("parameter", &parameters);
        Self {
            parameters,
            learning_rate: at_least_zero("learning rate", learning_rate),
            weight_decay: 0.0,
            maximize: false,
        }
    }

    /// A running quantity for each parameter, 0 at first.
    fn zeros(&self) -> Vec<f64> {
        vec![0.0; self.parameters.len()]
    }

    /// The direction to descend against, weight decay included.
    fn gradient(&self, parameter: &Value) -> f64 {
        let gradient = parameter.grad();
        let gradient = if self.maximize { -gradient } else { gradient };
        if self.weight_decay == 0.0 {
            gradient // 0 · ∞ would be NaN
        } else {
            gradient + self.weight_decay * parameter.data()
        }
    }
}

/// Panics if not all parameters can be written, before one is.
#[track_caller]
fn expect_writable(parameters: &[Value]) {
    for parameter in parameters {
        drop(parameter.borrow_mut());
    }
}

/// The setting, if it can be one; NaN cannot.
#[track_caller]
fn at_least_zero(name: &str, setting: f64) -> f64 {
    assert!(
        setting >= 0.0,
        "the {name} must be at least 0, not {setting}"
    );
    setting
}

/// The part of a running mean that a step keeps, if it can be one.
#[track_caller]
fn part(name: &str, setting: f64) -> f64 {
    assert!(
        (0.0..1.0).contains(&setting),
        "{name} must be at least 0 and less than 1, not {setting}"
    );
    setting
}

/// Gives an optimizer with a field `common` and a method `update` the settings and the trait that
/// all optimizers share.
macro_rules! optimizer {
    ($Optimizer:ident) => {
        impl $Optimizer {
            /// L2 penalty: adds `weight_decay` · parameter to each gradient. Default 0.
            ///
            /// # Panics
            ///
            /// If it is negative or NaN.
            #[must_use]
            #[track_caller]
            pub fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.common.weight_decay =
                    $crate::optim::at_least_zero("weight decay", weight_decay);
                self
            }

            /// Ascends the gradient instead of descending it.
            #[must_use]
            pub fn maximize(mut self) -> Self {
                self.common.maximize = true;
                self
            }
        }

        impl $crate::optim::Optimizer for $Optimizer {
            fn parameters(&self) -> &[$crate::engine::Value] {
                &self.common.parameters
            }

            #[track_caller]
            fn step(&mut self) {
                $crate::optim::expect_writable(&self.common.parameters);
                self.update();
            }

            fn learning_rate(&self) -> f64 {
                self.common.learning_rate
            }

            #[track_caller]
            fn set_learning_rate(&mut self, learning_rate: f64) {
                self.common.learning_rate =
                    $crate::optim::at_least_zero("learning rate", learning_rate);
            }
        }
    };
}

mod adam;
mod clip;
mod rmsprop;
mod schedule;
mod sgd;

pub use adam::Adam;
pub use clip::{clip_grad_norm, clip_grad_value};
pub use rmsprop::RMSProp;
pub use schedule::Schedule;
pub use sgd::{Momentum, SGD};
