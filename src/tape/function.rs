//! Functions of plain numbers, which can cross threads.

use std::fmt;
use std::sync::Arc;

use super::program::Program;
use super::replay::{Blocks, Replay, Rows};

/// A tape frozen with its parameter values: a function of plain numbers. It is `Send` and `Sync`,
/// and a clone shares the program.
///
/// It gives the same bits as the tape. Its methods allocate scratch space in each call; an
/// [`evaluator`](Self::evaluator), one for each thread, keeps that space.
///
/// ```
/// use std::thread;
///
/// use micrograd::engine::Value;
/// use micrograd::tape::Tape;
///
/// let w = Value::new(2.0);
/// let square = Tape::trace(|[x]| (&w * x).pow(2.0)).freeze();
/// w.set_data(100.0); // no longer matters
/// thread::scope(|scope| {
///     for x in [1.0, 2.0, 3.0] {
///         let mut evaluator = square.evaluator();
///         scope.spawn(move || {
///             assert_eq!(evaluator.gradient(&[x]), (4.0 * x * x, vec![8.0 * x]));
///         });
///     }
/// });
/// ```
#[derive(Clone)]
pub struct Function(pub(super) Frozen);

/// A frozen tape of several outputs: see [`Function`].
///
/// ```
/// use micrograd::nn::MLP;
/// use micrograd::tape::VectorTape;
///
/// let model = MLP::new(2, &[8, 3], &mut micrograd::rng(0));
/// let tape = VectorTape::trace(|[x, y]| model.forward(&[x, y]));
/// let function = tape.freeze();
/// let rows = [[0.5, -1.0], [2.0, 0.0]];
/// assert_eq!(function.forward(&rows), tape.forward(&rows));
/// ```
#[derive(Clone)]
pub struct VectorFunction(pub(super) Frozen);

/// Evaluates a [`Function`] repeatedly on one thread. It allocates only its results, and for a
/// batch that is cut into parts, those of each part.
#[derive(Clone)]
pub struct Evaluator(Running);

/// Evaluates a [`VectorFunction`] repeatedly on one thread. It allocates only its results, and for
/// a batch that is cut into parts, those of each part.
#[derive(Clone)]
pub struct VectorEvaluator(Running);

impl Function {
    /// An evaluator for use by one thread.
    #[must_use]
    pub fn evaluator(&self) -> Evaluator {
        Evaluator(self.0.run())
    }

    /// The output for each row.
    ///
    /// # Panics
    ///
    /// If the length of a row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn forward(&self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<f64> {
        self.evaluator().forward(rows)
    }

    /// The output at one row, and its gradient with respect to the inputs.
    ///
    /// # Panics
    ///
    /// If the length of the row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn gradient(&self, row: &[f64]) -> (f64, Vec<f64>) {
        self.evaluator().gradient(row)
    }

    /// [`gradient`](Self::gradient) at each row, several rows at a time.
    ///
    /// # Panics
    ///
    /// If the length of a row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn gradients(&self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<(f64, Vec<f64>)> {
        self.evaluator().gradients(rows)
    }
}

impl VectorFunction {
    /// An evaluator for use by one thread.
    #[must_use]
    pub fn evaluator(&self) -> VectorEvaluator {
        VectorEvaluator(self.0.run())
    }

    /// The outputs for each row.
    ///
    /// # Panics
    ///
    /// If the length of a row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn forward(&self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<Vec<f64>> {
        self.evaluator().forward(rows)
    }

    /// The outputs at one row and, for each, its gradient with respect to the inputs.
    ///
    /// # Panics
    ///
    /// If the length of the row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn jacobian(&self, row: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        self.evaluator().jacobian(row)
    }
}

impl Evaluator {
    /// See [`Function::forward`].
    ///
    /// # Panics
    ///
    /// If the length of a row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn forward(&mut self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<f64> {
        self.0.forward(rows)
    }

    /// See [`Function::gradient`].
    ///
    /// # Panics
    ///
    /// If the length of the row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn gradient(&mut self, row: &[f64]) -> (f64, Vec<f64>) {
        self.0.frozen.program.expect_rows(&[row]);
        let rows = |_| row;
        let (replay, blocks) = self.0.replay(&rows);
        replay.gradient(blocks)
    }

    /// See [`Function::gradients`].
    ///
    /// # Panics
    ///
    /// If the length of a row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn gradients(&mut self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<(f64, Vec<f64>)> {
        self.0.frozen.program.expect_rows(rows);
        let row = |i: usize| rows[i].as_ref();
        let (replay, blocks) = self.0.replay(&row);
        replay.gradients(blocks, rows.len())
    }
}

impl VectorEvaluator {
    /// See [`VectorFunction::forward`].
    ///
    /// # Panics
    ///
    /// If the length of a row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn forward(&mut self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<Vec<f64>> {
        let outputs = self.0.forward(rows);
        self.0.frozen.program.by_row(&outputs)
    }

    /// See [`VectorFunction::jacobian`].
    ///
    /// # Panics
    ///
    /// If the length of the row differs from the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn jacobian(&mut self, row: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        self.0.frozen.program.expect_rows(&[row]);
        let rows = |_| row;
        let (replay, blocks) = self.0.replay(&rows);
        replay.jacobian(blocks)
    }
}

/// A program, with all numbers that its parameters determine.
#[derive(Clone)]
pub(super) struct Frozen {
    pub(super) program: Arc<Program>,
    pub(super) shared: Arc<[f64]>,
}

impl Frozen {
    pub(super) fn new(program: Arc<Program>, shared: Vec<f64>) -> Self {
        Self {
            program,
            shared: shared.into(),
        }
    }

    fn run(&self) -> Running {
        Running {
            frozen: self.clone(),
            blocks: Blocks::default(),
        }
    }
}

/// A program with the arrays that a replay writes.
#[derive(Clone)]
struct Running {
    frozen: Frozen,
    blocks: Blocks,
}

impl Running {
    #[track_caller]
    fn forward(&mut self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<f64> {
        self.frozen.program.expect_rows(rows);
        let row = |i: usize| rows[i].as_ref();
        let (replay, blocks) = self.replay(&row);
        replay.forward(blocks, rows.len())
    }

    fn replay<'call, 'rows>(
        &'call mut self,
        rows: &'call Rows<'rows>,
    ) -> (Replay<'call, 'rows>, &'call mut Blocks) {
        let replay = Replay {
            program: &self.frozen.program,
            shared: &self.frozen.shared,
            rows,
        };
        (replay, &mut self.blocks)
    }
}

impl fmt::Debug for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = self.program.input_slots().len();
        let outputs = self.program.outputs.len();
        write!(f, "(inputs={inputs}, outputs={outputs})")
    }
}

/// Shows the type of a tape or a function, and its counts.
macro_rules! debug {
    ($($Type:ident($self:ident) $frozen:expr;)*) => { $(
        impl fmt::Debug for $Type {
            fn fmt(&$self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{:?}", stringify!($Type), $frozen)
            }
        }
    )* };
}

pub(super) use debug;

debug! {
    Function(self) self.0;
    VectorFunction(self) self.0;
    Evaluator(self) self.0.frozen;
    VectorEvaluator(self) self.0.frozen;
}
