use std::{array, iter};

use super::at_least_zero;
use crate::engine::Value;

/// The part that all optimizers share: the parameters, the learning rate, weight decay, the
/// direction, and the quantities that a step leaves for the next one.
///
/// Every [`Optimizer`](super::Optimizer) has one, and moves its parameters by
/// [`descend`](Self::descend).
#[derive(Clone, Debug)]
pub struct Settings {
    parameters: Vec<Value>,
    learning_rate: f64,
    weight_decay: f64,
    maximize: bool,
    steps: usize,
    /// For each running quantity, one number per parameter; None if it is not kept.
    running: Vec<Option<Vec<f64>>>,
}

impl Settings {
    /// Settings for descent with these parameters and this learning rate, without weight decay.
    ///
    /// # Panics
    ///
    /// If a parameter is not a leaf or occurs twice, or if the learning rate is negative or NaN.
    #[must_use]
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Value>, learning_rate: f64) -> Self {
        let parameters: Vec<_> = parameters.into_iter().collect();
        Value::expect_distinct_leaves("parameter", &parameters);
        Self {
            parameters,
            learning_rate: at_least_zero("the learning rate", learning_rate),
            weight_decay: 0.0,
            maximize: false,
            steps: 0,
            running: vec![],
        }
    }

    /// The parameters that a step moves.
    pub fn parameters(&self) -> &[Value] {
        &self.parameters
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the learning rate of later steps.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    #[track_caller]
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = at_least_zero("the learning rate", learning_rate);
    }

    /// The factor of the L2 penalty.
    pub fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// Sets the factor of the L2 penalty.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN.
    #[track_caller]
    pub fn set_weight_decay(&mut self, weight_decay: f64) {
        self.weight_decay = at_least_zero("the weight decay", weight_decay);
    }

    /// Whether steps ascend the gradient.
    pub fn maximize(&self) -> bool {
        self.maximize
    }

    /// Sets whether steps ascend the gradient.
    pub fn set_maximize(&mut self, maximize: bool) {
        self.maximize = maximize;
    }

    /// The number of steps so far. A step in progress does not count yet.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Sets each parameter to `formula(p, g, lr, running)`: p is its number, g its gradient, with
    /// weight decay and direction included, lr the learning rate, and `running` its running
    /// quantities, which the formula updates. They are the ones that
    /// [`Optimizer::running`](super::Optimizer::running) names, in that order.
    ///
    /// # Panics
    ///
    /// If the formula takes more or fewer running quantities than the last
    /// [`step`](super::Optimizer::step) has prepared (before the first step, none), or if a guard
    /// of a parameter is alive.
    #[track_caller]
    pub fn descend<const N: usize>(
        &mut self,
        mut formula: impl FnMut(f64, f64, f64, &mut [f64; N]) -> f64,
    ) {
        let named = self.running.len();
        assert!(
            N == named,
            "the formula takes {N} running quantities, but the step has prepared {named}"
        );
        for (i, p) in self.parameters.iter().enumerate() {
            let mut running = array::from_fn(|quantity| match &self.running[quantity] {
                Some(numbers) => numbers[i],
                None => 0.0,
            });
            let g = self.gradient(p);
            p.set_data(formula(p.data(), g, self.learning_rate, &mut running));
            for (numbers, number) in iter::zip(&mut self.running, running) {
                if let Some(numbers) = numbers {
                    numbers[i] = number;
                }
            }
        }
        self.steps += 1;
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

    /// Makes room for the running quantities that have a name. New ones are 0.
    #[track_caller]
    pub(super) fn keep(&mut self, names: &[Option<&str>]) {
        for (i, name) in names.iter().enumerate() {
            if let Some(name) = name {
                assert!(
                    *name != "step",
                    "a running quantity cannot be called step, the name of the step count"
                );
                assert!(
                    !names[..i].contains(&Some(name)),
                    "two running quantities are called {name}"
                );
            }
        }
        let count = self.parameters.len();
        self.running.resize(names.len(), None);
        for (numbers, name) in iter::zip(&mut self.running, names) {
            match name {
                Some(_) => _ = numbers.get_or_insert_with(|| vec![0.0; count]),
                None => *numbers = None,
            }
        }
    }

    /// The numbers of a running quantity; None before the first step, or if it is not kept.
    pub(super) fn running(&self, quantity: usize) -> Option<&[f64]> {
        self.running.get(quantity)?.as_deref()
    }

    /// Resumes where another run left off.
    pub(super) fn resume(&mut self, steps: usize, running: Vec<Option<Vec<f64>>>) {
        self.steps = steps;
        self.running = running;
    }
}
