use std::f64::consts::PI;

/// A learning rate as a pure function of the step, [`at`](Self::at).
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::optim::{Optimizer, SGD, Schedule};
///
/// let x = Value::new(0.0);
/// let mut optim = SGD::new([x.clone()], 0.0);
/// let schedule = Schedule::Cosine { from: 0.4, to: 0.0, steps: 50 }.after_warm_up(5);
/// for step in 0..55 {
///     optim.set_learning_rate(schedule.at(step));
///     optim.zero_grad();
///     (&x - 3.0).pow(2.0).backward();
///     optim.step();
/// }
/// assert!((x.data() - 3.0).abs() < 1e-6);
/// ```
///
/// Steps count from 0. `Cosine`, `Linear` and `Polynomial` are `from` at step 0, reach `to` at step
/// `steps`, and stay there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// rate · factor^⌊step / every⌋: a staircase. PyTorch's `StepLR`.
    Step {
        /// The rate at the first step.
        rate: f64,
        /// The factor from one stair to the next.
        factor: f64,
        /// The number of steps on a stair; 0 counts as 1.
        every: usize,
    },
    /// rate · factor^step. PyTorch's `ExponentialLR`.
    Exponential {
        /// The rate at the first step.
        rate: f64,
        /// The factor from one step to the next.
        factor: f64,
    },
    /// to + (from - to) · (1 + cos(π · step / steps)) / 2: Loshchilov and Hutter 2017, equation 5.
    /// PyTorch's `CosineAnnealingLR`, up to its `T_max`.
    Cosine {
        /// The initial rate.
        from: f64,
        /// The final rate.
        to: f64,
        /// The step at which the final rate is reached.
        steps: usize,
    },
    /// to + (from - to) · (1 - step / steps). PyTorch's `LinearLR`.
    Linear {
        /// The initial rate.
        from: f64,
        /// The final rate.
        to: f64,
        /// The step at which the final rate is reached.
        steps: usize,
    },
    /// to + (from - to) · (1 - step / steps)^power. With `to` = 0, PyTorch's `PolynomialLR`.
    Polynomial {
        /// The initial rate.
        from: f64,
        /// The final rate.
        to: f64,
        /// The step at which the final rate is reached.
        steps: usize,
        /// 1 is linear; the greater the power, the sooner the rate is small.
        power: f64,
    },
    /// Grows linearly to the first rate of another schedule, which then follows; made by
    /// [`after_warm_up`](Self::after_warm_up).
    WarmUp {
        /// The number of steps before the other schedule begins.
        steps: usize,
        /// The schedule that follows.
        then: Box<Schedule>,
    },
}

impl Schedule {
    /// The learning rate of a step.
    #[must_use]
    pub fn at(&self, step: usize) -> f64 {
        match *self {
            Self::Constant(rate) => rate,
            Self::Step {
                rate,
                factor,
                every,
            } => rate * libm::pow(factor, (step / every.max(1)) as f64),
            Self::Exponential { rate, factor } => rate * libm::pow(factor, step as f64),
            Self::Cosine { from, to, steps } => {
                let left = 0.5 * (1.0 + libm::cos(PI * progress(step, steps)));
                to + (from - to) * left
            }
            Self::Linear { from, to, steps } => to + (from - to) * (1.0 - progress(step, steps)),
            Self::Polynomial {
                from,
                to,
                steps,
                power,
            } => to + (from - to) * libm::pow(1.0 - progress(step, steps), power),
            Self::WarmUp { steps, ref then } if step >= steps => then.at(step - steps),
            Self::WarmUp { steps, ref then } => {
                then.at(0) * (step + 1) as f64 / (steps as f64 + 1.0)
            }
        }
    }

    /// This schedule after `steps` steps in which the rate grows linearly: it is 1 / (steps + 1) of
    /// the first rate, then 2 / (steps + 1), and so on.
    #[must_use]
    pub fn after_warm_up(self, steps: usize) -> Self {
        Self::WarmUp {
            steps,
            then: Box::new(self),
        }
    }
}

/// The fraction of the steps completed, in [0, 1].
fn progress(step: usize, steps: usize) -> f64 {
    if step >= steps {
        1.0
    } else {
        step as f64 / steps as f64
    }
}
