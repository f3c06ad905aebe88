//! The training of the nets.

use std::rc::Rc;

use micrograd::engine::Value;
use micrograd::nn::{MLP, Module, loss};
use micrograd::optim::{Optimizer, SGD};
use micrograd::tape::Tape;

use crate::work::digits::{self, CLASSES, PIXELS};
use crate::work::moons::{self, PENALTY};
use crate::work::{STEPS, Task};

/// A task and its loss: the mean loss of all rows, plus a penalty for some tasks.
#[derive(Debug)]
pub struct Training<const N: usize> {
    task: Task<N>,
    parameters: Vec<Value>,
    loss_of_row: fn(&MLP, &[Value; N]) -> Value,
    /// The factor of the sum of squares of all parameters.
    penalty: Option<f64>,
}

/// The training on this number of moons points.
pub fn moons(points: usize) -> Training<3> {
    let hinge = |net: &MLP, [x, y, label]: &[Value; 3]| {
        let score = &net.forward(&[x.clone(), y.clone()])[0];
        (1.0 - label * score).relu()
    };
    Training::new(moons::task(points), hinge, Some(PENALTY))
}

/// The training on the digits.
pub fn digits() -> Training<{ PIXELS + CLASSES }> {
    let cross_entropy = |net: &MLP, row: &[Value; PIXELS + CLASSES]| {
        let (pixels, targets) = row.split_at(PIXELS);
        loss::cross_entropy(&net.forward(pixels), targets, 0.0)
    };
    Training::new(digits::task(), cross_entropy, None)
}

/// The mean loss over a batch of moons, and its gradient, by a tape on this number of threads.
///
/// Nodes cannot leave their thread, so each run records its own tape.
#[cfg(feature = "rayon")]
pub(crate) fn moons_on_threads(threads: usize, rows: usize) -> impl FnMut() -> (f64, Vec<f64>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool.build().expect("threads");
    let rows = moons::task(rows).rows;
    move || {
        pool.install(|| {
            let training = moons(1);
            let loss = training.tape().backward(&rows);
            (loss, training.parameters.iter().map(Value::grad).collect())
        })
    }
}

impl<const N: usize> Training<N> {
    fn new(
        task: Task<N>,
        loss_of_row: fn(&MLP, &[Value; N]) -> Value,
        penalty: Option<f64>,
    ) -> Self {
        Self {
            parameters: task.net.parameters(),
            task,
            loss_of_row,
            penalty,
        }
    }

    fn penalized(&self, loss: Value) -> Value {
        match self.penalty {
            Some(factor) => loss + factor * loss::l2_penalty(&self.parameters),
            None => loss,
        }
    }

    fn loss(&self, row: &[Value; N]) -> Value {
        self.penalized((self.loss_of_row)(&self.task.net, row))
    }

    /// The first row, and the function that builds the graph of its loss.
    pub fn row_and_loss(self) -> ([f64; N], impl Fn(&[Value; N]) -> Value + Clone) {
        let this = Rc::new(self);
        (this.task.rows[0], move |row| this.loss(row))
    }

    /// The loss of one row on a tape.
    pub fn tape(&self) -> Tape {
        Tape::trace(|row| self.loss(&row))
    }

    /// The mean loss over all rows, by a replay that adds its gradient to the parameters.
    pub fn replay(&self, tape: &Tape) -> f64 {
        tape.backward(&self.task.rows)
    }

    /// Episodes of training on a tape.
    pub fn on_a_tape(self) -> impl FnMut() -> Vec<f64> {
        let tape = self.tape();
        self.episodes(move |this| this.replay(&tape))
    }

    /// Episodes of training on a graph that is rebuilt in every step.
    pub fn on_the_engine(self) -> impl FnMut() -> Vec<f64> {
        self.episodes(|this| {
            let loss_of = |row: &[f64; N]| (this.loss_of_row)(&this.task.net, &row.map(Value::new));
            let losses: Value = this.task.rows.iter().map(loss_of).sum();
            let loss = this.penalized(losses / this.task.rows.len() as f64);
            loss.backward();
            loss.data()
        })
    }

    /// Episodes of SGD. `backward` returns the loss and adds its gradient to the parameters.
    fn episodes(self, backward: impl Fn(&Self) -> f64) -> impl FnMut() -> Vec<f64> {
        let mut optimizer = SGD::new(self.parameters.clone(), self.task.learning_rate);
        move || {
            for (parameter, &initial) in self.parameters.iter().zip(&self.task.initial) {
                parameter.set_data(initial);
            }
            let mut step = || {
                optimizer.zero_grad();
                let loss = backward(&self);
                optimizer.step();
                loss
            };
            let mut outcome: Vec<f64> = (0..STEPS).map(|_| step()).collect();
            outcome.extend(self.parameters.iter().map(Value::data));
            outcome
        }
    }
}
