//! Optimizers, which move parameters against their gradients, and the learning-rate schedules and
//! gradient clipping that go with them.
//!
//! All follow PyTorch in formulas, order of operations and defaults, except that the learning rate
//! has no default and [`Momentum`] starts with a momentum of 0.9. Settings are chained after the
//! constructor. `notes/Optimizers.md` explains the equations.
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

use std::collections::BTreeMap;

use crate::engine::Value;

/// Moves parameters against their gradients.
///
/// A training step is `zero_grad`, a forward and a backward pass, and `step`.
///
/// An optimizer of your own holds [`Settings`], names its running quantities, and gives the
/// formula of its step; everything else follows, including its state in checkpoints. This is Lion
/// (Chen et al. 2023, algorithm 2):
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::optim::{Optimizer, Settings};
///
/// struct Lion {
///     settings: Settings,
/// }
///
/// impl Optimizer for Lion {
///     fn settings(&self) -> &Settings {
///         &self.settings
///     }
///
///     fn settings_mut(&mut self) -> &mut Settings {
///         &mut self.settings
///     }
///
///     fn running(&self) -> Vec<Option<&'static str>> {
///         vec![Some("exp_avg")]
///     }
///
///     fn update(&mut self) {
///         self.settings.descend(|p, g, lr, [m]| {
///             let direction = (0.9 * *m + 0.1 * g).signum();
///             *m = 0.99 * *m + 0.01 * g;
///             p - lr * direction
///         });
///     }
/// }
///
/// let x = Value::new(1.0);
/// let settings = Settings::new([x.clone()], 0.25);
/// let mut optim = Lion { settings }.weight_decay(0.1);
/// (&x * 8.0).backward();
/// optim.step();
/// assert_eq!(x.data(), 0.75);
/// assert_eq!(optim.state()["exp_avg"], [0.01 * (8.0 + 0.1)]);
/// ```
pub trait Optimizer {
    /// The settings that all optimizers share.
    fn settings(&self) -> &Settings;

    /// The settings that all optimizers share, mutable.
    fn settings_mut(&mut self) -> &mut Settings;

    /// The names, other than `step`, of the quantities that a step leaves for the next one, with
    /// one number per parameter, in the order in which the formula takes them. They start at 0. A
    /// quantity that these settings do not use is `None`, and 0 in each step.
    ///
    /// The built-in optimizers use PyTorch's names.
    fn running(&self) -> Vec<Option<&'static str>>;

    /// Moves the parameters, by one call of [`Settings::descend`]. To take a step, call
    /// [`step`](Self::step).
    fn update(&mut self);

    /// Moves each parameter by its gradient.
    ///
    /// # Panics
    ///
    /// If a guard of a parameter is alive, or if two running quantities share a name or one is
    /// called `step`; nothing is changed in that case. If [`update`](Self::update) does not call
    /// [`Settings::descend`] exactly once.
    #[track_caller]
    fn step(&mut self) {
        Value::expect_writable(self.parameters());
        let names = self.running();
        self.settings_mut().keep(&names);
        let before = self.steps();
        self.update();
        let steps = self.steps() - before;
        assert!(
            steps == 1,
            "an update calls Settings::descend once, not {steps} times"
        );
    }

    /// The parameters that a step moves.
    fn parameters(&self) -> &[Value] {
        self.settings().parameters()
    }

    /// The number of steps so far.
    fn steps(&self) -> usize {
        self.settings().steps()
    }

    /// The learning rate.
    fn learning_rate(&self) -> f64 {
        self.settings().learning_rate()
    }

    /// Sets the learning rate of later steps, for a schedule.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    #[track_caller]
    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.settings_mut().set_learning_rate(learning_rate);
    }

    /// L2 penalty: adds `weight_decay` · parameter to each gradient. Default 0.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    #[must_use]
    #[track_caller]
    fn weight_decay(mut self, weight_decay: f64) -> Self
    where
        Self: Sized,
    {
        self.settings_mut().set_weight_decay(weight_decay);
        self
    }

    /// Ascends the gradient instead of descending it.
    #[must_use]
    fn maximize(mut self) -> Self
    where
        Self: Sized,
    {
        self.settings_mut().set_maximize(true);
        self
    }

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

    /// The numbers that a step leaves for the next one, under PyTorch's names: `step`, the number
    /// of steps so far, and the running quantities, with one number per parameter. Settings are
    /// not included.
    ///
    /// | optimizer | running quantities |
    /// |---|---|
    /// | [`SGD`] | |
    /// | [`Momentum`] | `momentum_buffer` |
    /// | [`RMSProp`] | `square_avg`; `grad_avg` if centered, `momentum_buffer` if momentum > 0 |
    /// | [`Adam`] | `exp_avg`, `exp_avg_sq`; `max_exp_avg_sq` if AMSGrad |
    ///
    /// PyTorch's SGD keeps no `step`.
    fn state(&self) -> BTreeMap<String, Vec<f64>> {
        let settings = self.settings();
        let mut state = BTreeMap::from([(String::from("step"), vec![self.steps() as f64])]);
        for (quantity, name) in self.running().into_iter().enumerate() {
            if let Some(name) = name {
                let numbers = match settings.running(quantity) {
                    Some(numbers) => numbers.to_vec(),
                    None => vec![0.0; self.parameters().len()],
                };
                state.insert(name.into(), numbers);
            }
        }
        state
    }

    /// Resumes from a [`state`](Self::state) of the same kind of optimizer for the same number of
    /// parameters.
    ///
    /// # Panics
    ///
    /// If a block is missing, has another length or an unknown name, or if `step` is not a number
    /// of steps. The state is not changed in that case.
    #[track_caller]
    fn set_state(&mut self, state: &BTreeMap<String, Vec<f64>>) {
        let misfits = misfits(&self.state(), state);
        assert!(
            misfits.is_empty(),
            "the state does not fit the optimizer: {}",
            misfits.join("; ")
        );
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of steps, or it would not fit"
        )]
        let steps = state["step"][0] as usize;
        let numbers = |name: Option<&str>| name.map(|name| state[name].clone());
        let running = self.running().into_iter().map(numbers).collect();
        self.settings_mut().resume(steps, running);
    }
}

/// The reasons why a state cannot replace the present one.
fn misfits(
    present: &BTreeMap<String, Vec<f64>>,
    state: &BTreeMap<String, Vec<f64>>,
) -> Vec<String> {
    let mut misfits = Vec::new();
    for (name, numbers) in present {
        match state.get(name) {
            None => misfits.push(format!("{name} is missing")),
            Some(new) if new.len() != numbers.len() => misfits.push(format!(
                "{name} has length {}, not {}",
                new.len(),
                numbers.len()
            )),
            Some(new) if name == "step" => misfits.extend(not_a_count(new[0])),
            Some(_) => {}
        }
    }
    let unknown = state.keys().filter(|name| !present.contains_key(*name));
    misfits.extend(unknown.map(|name| format!("{name} is not in the optimizer")));
    misfits
}

/// The reason why this cannot be a number of steps, if it cannot.
pub(crate) fn not_a_count(steps: f64) -> Option<String> {
    let can_be = steps >= 0.0 && steps.fract() == 0.0 && steps <= 2_f64.powi(53);
    (!can_be).then(|| format!("step is {steps}, which is not a step count"))
}

/// The setting, if it is valid; NaN is not.
#[track_caller]
fn at_least_zero(name: &str, setting: f64) -> f64 {
    assert!(setting >= 0.0, "{name} must be at least 0, not {setting}");
    setting
}

/// The part of a running mean that a step keeps, if it is valid.
#[track_caller]
fn part(name: &str, setting: f64) -> f64 {
    assert!(
        (0.0..1.0).contains(&setting),
        "{name} must be at least 0 and less than 1, not {setting}"
    );
    setting
}

mod adam;
mod clip;
mod rmsprop;
mod schedule;
mod settings;
mod sgd;

pub use adam::Adam;
pub use clip::{clip_grad_norm, clip_grad_value};
pub use rmsprop::RMSProp;
pub use schedule::Schedule;
pub use settings::Settings;
pub use sgd::{Momentum, SGD};
