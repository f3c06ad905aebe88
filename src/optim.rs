//! Optimizers: they move parameters against their gradients.
//!
//! All follow PyTorch: its formulas, defaults and order of operations. The settings are chained
//! behind the constructor. `notes/Optimizers.md` explains the equations.
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
    fn step(&mut self);

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate of the steps to come, for a schedule.
    fn set_learning_rate(&mut self, learning_rate: f64);

    /// Sets the gradient of every parameter to 0.
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
    fn new(parameters: impl IntoIterator<Item = Value>, learning_rate: f64) -> Self {
        Self {
            parameters: parameters.into_iter().collect(),
            learning_rate,
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
        gradient + self.weight_decay * parameter.data()
    }
}

/// Gives an optimizer with a field `common` and a method `update` the settings and the trait that
/// all optimizers share.
macro_rules! optimizer {
    ($Optimizer:ident) => {
        impl $Optimizer {
            /// L2 penalty: adds `weight_decay` · parameter to each gradient. Default 0.
            #[must_use]
            pub fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.common.weight_decay = weight_decay;
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

            fn step(&mut self) {
                self.update();
            }

            fn learning_rate(&self) -> f64 {
                self.common.learning_rate
            }

            fn set_learning_rate(&mut self, learning_rate: f64) {
                self.common.learning_rate = learning_rate;
            }
        }
    };
}

mod adam;
mod rmsprop;
mod sgd;

pub use adam::Adam;
pub use rmsprop::RMSProp;
pub use sgd::{Momentum, SGD};
