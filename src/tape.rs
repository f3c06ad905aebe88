//! Recorded graphs, replayed for many rows.

use std::cell::Cell;
use std::fmt;

use crate::engine::Value;

mod program;
mod record;
mod replay;

use program::Program;
use record::{Recording, record};
use replay::{Blocks, Replay};

/// A recorded graph with one output.
pub struct Tape {
    recorded: Recorded,
}

/// A recorded graph with several outputs.
pub struct VectorTape {
    recorded: Recorded,
}

struct Recorded {
    program: Program,
    parameters: Vec<Value>,
    /// What a replay writes, kept for the next one.
    scratch: Cell<Box<Scratch>>,
}

#[derive(Default)]
struct Scratch {
    shared: Vec<f64>,
    blocks: Blocks,
}

impl Tape {
    /// Records.
    #[must_use]
    #[track_caller]
    pub fn record(inputs: &[Value], output: &Value) -> Self {
        Self {
            recorded: Recorded::new(inputs, std::slice::from_ref(output)),
        }
    }

    /// The output for each row.
    #[must_use]
    #[track_caller]
    pub fn forward<R: AsRef<[f64]> + Sync>(&self, rows: &[R]) -> Vec<f64> {
        self.recorded.forward(rows)
    }

    /// The mean.
    #[track_caller]
    pub fn backward<R: AsRef<[f64]> + Sync>(&self, rows: &[R]) -> f64 {
        self.recorded.expect_rows(rows);
        if rows.is_empty() {
            return f64::NAN;
        }
        let Recorded {
            program,
            parameters,
            scratch,
        } = &self.recorded;
        let mut scratch_ = scratch.take();
        self.recorded.compute_shared(&mut scratch_.shared);
        let replay = Replay {
            program,
            shared: &scratch_.shared,
            row: &|i| rows[i].as_ref(),
        };
        let seed = 1.0 / rows.len() as f64;
        let mut sums = replay.backward(&mut scratch_.blocks, rows.len(), seed);
        let wanted = program.constants.len()..scratch_.shared.len();
        program
            .once
            .backward(&[], &scratch_.shared, &mut sums.gradients, &wanted, &mut []);
        for (parameter, gradient) in parameters
            .iter()
            .zip(&sums.gradients[program.shared_parameters()])
        {
            parameter.add_grad(*gradient);
        }
        scratch.set(scratch_);
        sums.output / rows.len() as f64
    }

    /// The output at a row, and its gradient with respect to the inputs.
    #[must_use]
    #[track_caller]
    pub fn gradient(&self, row: &[f64]) -> (f64, Vec<f64>) {
        self.recorded.expect_rows(&[row]);
        let mut scratch = self.recorded.scratch.take();
        self.recorded.compute_shared(&mut scratch.shared);
        let replay = Replay {
            program: &self.recorded.program,
            shared: &scratch.shared,
            row: &|_| row,
        };
        let output = replay.outputs(&mut scratch.blocks).next().unwrap();
        let gradient = replay.gradient(&mut scratch.blocks, 0);
        self.recorded.scratch.set(scratch);
        (output, gradient)
    }
}

impl VectorTape {
    /// Records.
    #[must_use]
    #[track_caller]
    pub fn record(inputs: &[Value], outputs: &[Value]) -> Self {
        Self {
            recorded: Recorded::new(inputs, outputs),
        }
    }
}

impl Recorded {
    #[track_caller]
    fn new(inputs: &[Value], outputs: &[Value]) -> Self {
        let Recording {
            program,
            parameters,
        } = record(inputs, outputs);
        Self {
            program,
            parameters,
            scratch: Cell::default(),
        }
    }

    #[track_caller]
    fn expect_rows(&self, rows: &[impl AsRef<[f64]>]) {
        let inputs = self.program.input_slots().len();
        for (i, row) in rows.iter().enumerate() {
            let numbers = row.as_ref().len();
            assert!(
                numbers == inputs,
                "row {i} has {numbers} numbers, but the tape has {inputs} inputs"
            );
        }
    }

    #[track_caller]
    fn compute_shared(&self, shared: &mut Vec<f64>) {
        shared.clear();
        shared.extend(&self.program.constants);
        shared.resize(self.program.once.results().end, 0.0);
        let numbers = &mut shared[self.program.shared_parameters()];
        for (number, parameter) in numbers.iter_mut().zip(&self.parameters) {
            *number = parameter.borrow_mut().data;
        }
        self.program.once.forward(&[], shared);
    }

    #[track_caller]
    fn forward<R: AsRef<[f64]> + Sync>(&self, rows: &[R]) -> Vec<f64> {
        self.expect_rows(rows);
        let mut scratch = self.scratch.take();
        self.compute_shared(&mut scratch.shared);
        let replay = Replay {
            program: &self.program,
            shared: &scratch.shared,
            row: &|i| rows[i].as_ref(),
        };
        let outputs = replay.forward(&mut scratch.blocks, rows.len());
        self.scratch.set(scratch);
        outputs
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape")
    }
}
impl fmt::Debug for VectorTape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape")
    }
}
