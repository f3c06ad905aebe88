//! Tapes: a graph recorded once and replayed for many rows.
//!
//! The engine builds a new graph for every row of every step. A tape is built once, from the graph
//! of *one* row: the leaves that vary from row to row are its inputs, all other leaves its
//! parameters. It replays that graph for a whole batch, several rows at a time, on plain numbers
//! in flat arrays, and adds the gradient to the same parameters. The optimizer sees no difference.
//!
//! ```
//! use micrograd::engine::Value;
//! use micrograd::optim::{Optimizer, SGD};
//! use micrograd::tape::Tape;
//!
//! let [slope, intercept] = [0.0, 0.0].map(Value::new);
//! let tape = Tape::trace(|[x, y]| (&slope * x + &intercept - y).pow(2.0)); // the loss of a row
//!
//! let rows = [[-1.0, -1.0], [0.0, 1.0], [1.0, 3.0], [2.0, 5.0]]; // y = 2x + 1
//! let mut optim = SGD::new(vec![slope.clone(), intercept.clone()], 0.2);
//! for _ in 0..200 {
//!     optim.zero_grad();
//!     tape.backward(&rows); // the mean loss, and its gradient
//!     optim.step();
//! }
//! assert!((slope.data() - 2.0).abs() < 1e-9);
//! assert!((intercept.data() - 1.0).abs() < 1e-9);
//! ```
//!
//! # Control flow
//!
//! A tape repeats the operations of the graph it was recorded from. It does not know the Rust code
//! that built the graph: an `if` on [`data`](Value::data) was decided at that time, for the
//! numbers the leaves held then, and a loop has run a fixed number of times.
//!
//! ```
//! # use micrograd::engine::Value;
//! # use micrograd::tape::Tape;
//! fn leaky(x: &Value) -> Value {
//!     if x.data() > 0.0 { x.clone() } else { 0.1 * x } // decided once
//! }
//!
//! let decided = Tape::trace(|[x]| leaky(&x)); // an input is 0 meanwhile
//! assert_eq!(decided.forward(&[[1.0], [-1.0]]), [0.1, -0.1]); // not 1
//!
//! let tape = Tape::trace(|[x]| x.leaky_relu(0.1));
//! assert_eq!(tape.forward(&[[1.0], [-1.0]]), [1.0, -0.1]);
//! ```
//!
//! To choose for every row, use an operation: `relu` and its relatives, `max`, `min`, `abs`; or
//! the conditions `at_most` and `equals` with `when` and `unless`, which keep a number or drop it:
//! `x.when(x.at_most(1.0)) + x.exp().unless(x.at_most(1.0))`. Both sides are computed: if the
//! dropped one has an infinite slope, the gradient is NaN, as with `where` in other libraries.
//! "Where your own expression gives NaN" in `notes/Gradients.md` shows the remedy.
//!
//! Constants (`2.0 * x`) are recorded with the graph; each replay reads the parameters anew.
//!
//! # Replays
//!
//! - The output of a row has the same bits as in the engine. A gradient is a sum over rows, added
//!   up in another order: it agrees to rounding.
//! - A term that does not depend on an input, such as a penalty on the parameters, is computed once
//!   per call, not once per row.
//! - Only the `grad` of parameters is written. Inputs, inner nodes and their gradients are not.
//! - A row needs memory for its results only. A large batch is cut into at most 64 parts, whose
//!   outputs or gradients are kept until they are joined. The memory that a tape keeps depends on
//!   the size of the graph alone.
//! - With the feature `rayon`, large batches are spread over the threads of the current pool. The
//!   result has the same bits for any number of threads, and without the feature.
//!
//! # Training and solving
//!
//! To train, record the loss of one row and call [`Tape::backward`] on batches. In a solver whose
//! variables are the inputs, call [`Tape::gradient`]; for least squares, record all residuals as
//! the outputs of a [`VectorTape`] and call [`jacobian`](VectorTape::jacobian), where each output
//! costs only the operations it depends on. Here are Gauss-Newton steps for a curve with one
//! parameter:
//!
//! ```
//! use micrograd::tape::VectorTape;
//!
//! let points = [(0.0, 1.0), (1.0, 1.6), (2.0, 2.7), (3.0, 4.5)]; // near to exp(t / 2)
//! let residuals = VectorTape::trace(|[rate]| points.map(|(t, y)| (&rate * t).exp() - y));
//! let mut rate = 0.1;
//! for _ in 0..10 {
//!     let (r, jacobian) = residuals.jacobian(&[rate]);
//!     let slope: f64 = jacobian.iter().zip(&r).map(|(j, r)| j[0] * r).sum();
//!     let curvature: f64 = jacobian.iter().map(|j| j[0] * j[0]).sum();
//!     rate -= slope / curvature;
//! }
//! assert!((rate - 0.5).abs() < 0.01);
//! ```
//!
//! # Threads and source code
//!
//! A tape holds its parameters, which are [`Value`]s, so it stays on its thread. [`Tape::freeze`]
//! and [`VectorTape::freeze`] make a function of plain numbers, which crosses threads and becomes
//! source code in Rust, C or JavaScript, with its gradient: see [`Function`] and [`Source`].
//!
//! `notes/Tape.md` explains how tapes work, `notes/Source.md` how they become source code.

use std::cell::Cell;
use std::fmt;
use std::slice;
use std::sync::Arc;

use crate::anomaly::Anomaly;
use crate::engine::Value;

mod block;
mod function;
mod graph;
mod lanes;
mod program;
mod record;
mod replay;
mod row;
mod source;

pub use function::{Evaluator, Function, VectorEvaluator, VectorFunction};

pub use source::{Source, SourceError};

use function::{Frozen, debug};
use program::Program;
use replay::{Blocks, Replay};

/// The recorded graph of one output: a function of a row.
///
/// ```
/// use micrograd::tape::Tape;
///
/// let tape = Tape::trace(|[x, y]| x * y.exp());
/// assert_eq!(tape.forward(&[[3.0, 0.0], [4.0, 0.0]]), [3.0, 4.0]);
/// assert_eq!(tape.gradient(&[3.0, 0.0]), (3.0, vec![1.0, 3.0]));
/// ```
pub struct Tape {
    recording: Recording,
}

/// The recorded graph of several outputs, such as those of a net: a function from a row to several
/// numbers. To train, record the loss on a [`Tape`].
///
/// ```
/// use micrograd::tape::VectorTape;
///
/// let tape = VectorTape::trace(|[r, angle]| [&r * angle.cos(), &r * angle.sin()]);
/// assert_eq!(tape.forward(&[[2.0, 0.0], [3.0, 0.0]]), [[2.0, 0.0], [3.0, 0.0]]);
/// assert_eq!(tape.jacobian(&[2.0, 0.0]).1, [[1.0, 0.0], [0.0, 2.0]]);
/// ```
pub struct VectorTape {
    recording: Recording,
}

impl Tape {
    /// Records the output that `function` computes from new inputs, which hold 0 at that time.
    /// Their number must be known: `|[x, y]|`, or `|x: [_; 2]|`.
    ///
    /// ```
    /// use micrograd::engine::Value;
    /// use micrograd::tape::Tape;
    ///
    /// let w = Value::new(2.0);
    /// let tape = Tape::trace(|[x, y]| (&w * x - y).pow(2.0));
    /// assert_eq!((tape.inputs(), tape.parameters().len()), (2, 1));
    /// assert_eq!(tape.forward(&[[1.0, 5.0], [3.0, 5.0]]), [9.0, 1.0]);
    /// ```
    ///
    /// # Panics
    ///
    /// If the graph has more than 2³² nodes or operands of sums.
    #[must_use]
    #[track_caller]
    pub fn trace<const INPUTS: usize>(function: impl FnOnce([Value; INPUTS]) -> Value) -> Self {
        let inputs = [0.0; INPUTS].map(Value::new);
        Self::record(&inputs, &function(inputs.clone()))
    }

    /// [`trace`](Self::trace) with a number of inputs known only at run time.
    ///
    /// # Panics
    ///
    /// If the graph has more than 2³² nodes or operands of sums.
    #[must_use]
    #[track_caller]
    pub fn trace_slice(inputs: usize, function: impl FnOnce(&[Value]) -> Value) -> Self {
        let inputs: Vec<_> = (0..inputs).map(|_| Value::new(0.0)).collect();
        Self::record(&inputs, &function(&inputs))
    }

    /// Records the graph below `output`, in time and memory proportional to its size. The `inputs`
    /// are leaves, in the order of a row; their numbers do not matter, and the output need not
    /// depend on them. All other leaves are parameters, whose numbers each replay reads.
    ///
    /// # Panics
    ///
    /// If an input is not a leaf or is listed twice, or if the graph has more than 2³² nodes or
    /// operands of sums.
    #[must_use]
    #[track_caller]
    pub fn record(inputs: &[Value], output: &Value) -> Self {
        Self {
            recording: Recording::new(inputs, slice::from_ref(output)),
        }
    }

    /// The number of inputs, which is the length of a row.
    pub fn inputs(&self) -> usize {
        self.recording.program.input_slots().len()
    }

    /// The parameters: the leaves below the output that are not inputs.
    pub fn parameters(&self) -> &[Value] {
        &self.recording.parameters
    }

    /// Freezes the tape, with its parameters as they are now, into a function of plain numbers.
    ///
    /// # Panics
    ///
    /// If a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn freeze(&self) -> Function {
        Function(self.recording.freeze())
    }

    /// The output of a tape without inputs.
    ///
    /// ```
    /// use micrograd::engine::Value;
    /// use micrograd::tape::Tape;
    ///
    /// let w = Value::new(3.0);
    /// let tape = Tape::trace(|[]| w.pow(2.0));
    /// assert_eq!(tape.value(), 9.0);
    /// assert_eq!(tape.backward_value(), 9.0);
    /// assert_eq!(w.grad(), 6.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If the tape has inputs or a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn value(&self) -> f64 {
        self.recording.expect_no_inputs();
        self.forward(&[[]])[0]
    }

    /// The output of a tape without inputs. Its gradient is *added* to the parameters.
    ///
    /// # Panics
    ///
    /// If the tape has inputs or a guard of a parameter is alive; no gradient changes then.
    #[track_caller]
    pub fn backward_value(&self) -> f64 {
        self.recording.expect_no_inputs();
        self.backward(&[[]])
    }

    /// The output for each row.
    ///
    /// # Panics
    ///
    /// If a row has the wrong length or a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn forward(&self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<f64> {
        self.recording.forward(rows)
    }

    /// The mean of the output over the rows. Its gradient is *added* to the `grad` of each
    /// parameter, as [`Value::backward`] on the mean would do.
    ///
    /// The mean over no rows is NaN and adds nothing.
    ///
    /// # Panics
    ///
    /// If a row has the wrong length or a guard of a parameter is alive; no gradient changes then.
    #[track_caller]
    pub fn backward(&self, rows: &[impl AsRef<[f64]> + Sync]) -> f64 {
        if rows.is_empty() {
            return f64::NAN;
        }
        let tape = &self.recording;
        let (mean, gradients) = tape.replay(Access::Write, rows, |replay, blocks| {
            replay.backward(blocks, rows.len())
        });
        tape.add_to_parameters(&gradients);
        mean
    }

    /// The output at one row, and its gradient with respect to the inputs, for a solver whose
    /// variables they are. Parameter gradients are not computed.
    ///
    /// # Panics
    ///
    /// If the row has the wrong length or a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn gradient(&self, row: &[f64]) -> (f64, Vec<f64>) {
        self.recording
            .replay(Access::Read, &[row], |replay, blocks| {
                replay.gradient(blocks)
            })
    }

    /// [`gradient`](Self::gradient) at each row, several rows at a time.
    ///
    /// ```
    /// use micrograd::tape::Tape;
    ///
    /// let tape = Tape::trace(|[x]| x.pow(2.0));
    /// let gradients = tape.gradients(&[[1.0], [3.0]]);
    /// assert_eq!(gradients, [(1.0, vec![2.0]), (9.0, vec![6.0])]);
    /// ```
    ///
    /// # Panics
    ///
    /// If a row has the wrong length or a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn gradients(&self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<(f64, Vec<f64>)> {
        self.recording.replay(Access::Read, rows, |replay, blocks| {
            replay.gradients(blocks, rows.len())
        })
    }

    /// Finds where a non-finite number is born, as [`Value::find_anomaly`] does, in the first row
    /// with such a value, or else with such a gradient. Each row is examined alone, with the
    /// parameters as they are now.
    ///
    /// The gradients are those that [`backward`](Self::backward) adds to the parameters, or, for a
    /// tape without parameters, those that [`gradient`](Self::gradient) returns.
    ///
    /// The engine computes each row, twice if all is well: as slow as training without a tape.
    ///
    /// ```
    /// use micrograd::engine::Value;
    /// use micrograd::tape::Tape;
    ///
    /// let w = Value::new(2.0);
    /// let tape = Tape::trace(|[x]| (&w * x).ln());
    /// let anomaly = tape.find_anomaly(&[[1.0], [3.0], [-1.0]]).unwrap();
    /// assert_eq!(anomaly.row(), Some(2));
    /// assert!(anomaly.to_string().starts_with("row 2, forward pass: `ln` gives NaN\n    x = -2.0"));
    /// ```
    ///
    /// # Panics
    ///
    /// If a row has the wrong length or a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn find_anomaly(&self, rows: &[impl AsRef<[f64]>]) -> Option<Anomaly> {
        self.recording.program.expect_rows(rows);
        for look_at_gradients in [false, true] {
            for (i, row) in rows.iter().enumerate() {
                let (outputs, variables) = self.recording.graph(row.as_ref());
                let output = &outputs[0];
                if look_at_gradients {
                    output.backward();
                }
                let anomaly = output.find_anomaly_on_the_way_to(|order| {
                    variables.iter().filter_map(|x| order.find(x)).collect()
                });
                if let Some(anomaly) = anomaly {
                    return Some(anomaly.in_row(i));
                }
            }
        }
        None
    }
}

impl VectorTape {
    /// Records the outputs that `function` computes from new inputs, which hold 0 at that time.
    ///
    /// # Panics
    ///
    /// If there is no output, or if the graph has more than 2³² nodes or operands of sums.
    #[must_use]
    #[track_caller]
    pub fn trace<const INPUTS: usize, Outputs: AsRef<[Value]>>(
        function: impl FnOnce([Value; INPUTS]) -> Outputs,
    ) -> Self {
        let inputs = [0.0; INPUTS].map(Value::new);
        Self::record(&inputs, function(inputs.clone()).as_ref())
    }

    /// [`trace`](Self::trace) with a number of inputs known only at run time.
    ///
    /// # Panics
    ///
    /// If there is no output, or if the graph has more than 2³² nodes or operands of sums.
    #[must_use]
    #[track_caller]
    pub fn trace_slice<Outputs: AsRef<[Value]>>(
        inputs: usize,
        function: impl FnOnce(&[Value]) -> Outputs,
    ) -> Self {
        let inputs: Vec<_> = (0..inputs).map(|_| Value::new(0.0)).collect();
        Self::record(&inputs, function(&inputs).as_ref())
    }

    /// Records the graph below all `outputs`, as [`Tape::record`] does for one.
    ///
    /// # Panics
    ///
    /// If there is no output, if an input is not a leaf or is listed twice, or if the graph has
    /// more than 2³² nodes or operands of sums.
    #[must_use]
    #[track_caller]
    pub fn record(inputs: &[Value], outputs: &[Value]) -> Self {
        assert!(!outputs.is_empty(), "a tape needs at least one output");
        Self {
            recording: Recording::new(inputs, outputs),
        }
    }

    /// The number of inputs, which is the length of a row.
    pub fn inputs(&self) -> usize {
        self.recording.program.input_slots().len()
    }

    /// The parameters: the leaves below the outputs that are not inputs.
    pub fn parameters(&self) -> &[Value] {
        &self.recording.parameters
    }

    /// Freezes the tape, with its parameters as they are now, into a function of plain numbers.
    ///
    /// # Panics
    ///
    /// If a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn freeze(&self) -> VectorFunction {
        VectorFunction(self.recording.freeze())
    }

    /// The outputs of a tape without inputs.
    ///
    /// # Panics
    ///
    /// If the tape has inputs or a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn values(&self) -> Vec<f64> {
        self.recording.expect_no_inputs();
        self.recording.forward(&[[]])
    }

    /// The outputs for each row.
    ///
    /// # Panics
    ///
    /// If a row has the wrong length or a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn forward(&self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<Vec<f64>> {
        let outputs = self.recording.forward(rows);
        self.recording.program.by_row(&outputs)
    }

    /// The outputs at one row, and the Jacobian there: for each output, its gradient with respect
    /// to the inputs. This takes one forward pass and, for each output, a backward pass over the
    /// operations it depends on.
    ///
    /// # Panics
    ///
    /// If the row has the wrong length or a parameter is [mutably borrowed](Value::borrow_mut).
    #[must_use]
    #[track_caller]
    pub fn jacobian(&self, row: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        self.recording
            .replay(Access::Read, &[row], |replay, blocks| {
                replay.jacobian(blocks)
            })
    }
}

/// The contents of both kinds of tapes.
struct Recording {
    program: Arc<Program>,
    parameters: Vec<Value>,
    /// Kept from one replay for the next.
    scratch: Cell<Option<Box<Scratch>>>,
}

/// The arrays that a replay writes: the shared numbers and the blocks.
type Scratch = (Vec<f64>, Blocks);

/// How a call uses the parameters. `Write` panics at any guard, before anything is computed.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

impl Recording {
    #[track_caller]
    fn new(inputs: &[Value], outputs: &[Value]) -> Self {
        let (program, parameters) = record::record(inputs, outputs);
        Self {
            program: Arc::new(program),
            parameters,
            scratch: Cell::default(),
        }
    }

    #[track_caller]
    fn expect_no_inputs(&self) {
        let inputs = self.program.input_slots().len();
        assert!(
            inputs == 0,
            "a tape with inputs needs a row; the number of inputs is {inputs}"
        );
    }

    #[track_caller]
    fn freeze(&self) -> Frozen {
        let mut shared = Vec::new();
        self.compute_shared(Access::Read, &mut shared);
        Frozen::new(Arc::clone(&self.program), shared)
    }

    #[track_caller]
    fn forward(&self, rows: &[impl AsRef<[f64]> + Sync]) -> Vec<f64> {
        self.replay(Access::Read, rows, |replay, blocks| {
            replay.forward(blocks, rows.len())
        })
    }

    /// Computes the shared numbers from the parameters as they are now, then does the `work`.
    #[track_caller]
    fn replay<T>(
        &self,
        access: Access,
        rows: &[impl AsRef<[f64]> + Sync],
        work: impl FnOnce(&Replay, &mut Blocks) -> T,
    ) -> T {
        self.program.expect_rows(rows);
        let mut scratch = self.scratch.take().unwrap_or_default();
        let (shared, blocks) = &mut *scratch;
        self.compute_shared(access, shared);
        let replay = Replay {
            program: &self.program,
            shared,
            rows: &|i| rows[i].as_ref(),
        };
        let result = work(&replay, blocks);
        self.scratch.set(Some(scratch));
        result
    }

    #[track_caller]
    fn compute_shared(&self, access: Access, shared: &mut Vec<f64>) {
        if shared.is_empty() {
            shared.extend(&self.program.constants);
            shared.resize(self.program.once.results().end, 0.0);
        }
        let numbers = &mut shared[self.program.shared_parameters()];
        for (number, parameter) in numbers.iter_mut().zip(&self.parameters) {
            *number = match access {
                Access::Read => parameter.data(),
                Access::Write => parameter.borrow_mut().data,
            };
        }
        self.program.forward_once(shared);
    }

    #[track_caller]
    fn graph(&self, row: &[f64]) -> (Vec<Value>, Vec<Value>) {
        self.program.graph(&self.parameters, row)
    }

    fn add_to_parameters(&self, gradients: &[f64]) {
        let gradients = &gradients[self.program.shared_parameters()];
        for (parameter, &gradient) in self.parameters.iter().zip(gradients) {
            parameter.add_grad(gradient);
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = self.program.input_slots().len();
        let parameters = self.parameters.len();
        let outputs = self.program.outputs.len();
        write!(
            f,
            "(inputs={inputs}, parameters={parameters}, outputs={outputs})"
        )
    }
}

debug! {
    Tape(self) self.recording;
    VectorTape(self) self.recording;
}

#[cfg(test)]
mod tests;
