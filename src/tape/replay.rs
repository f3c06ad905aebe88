//! Runs a program for many rows: block by block, and part by part on several threads.

use std::mem;
use std::ops::Range;

use multiversion::multiversion;
#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::lanes::{Lanes, Number, PartialSums};
use super::program::Program;

/// Rows in a wide block: so many that what a step takes besides its arithmetic counts for little.
const WIDE: usize = 32;
/// Rows in a narrow block.
const NARROW: usize = 4;
/// A program of more slots than this runs in narrow blocks: wide ones would not fit into a cache.
const WIDE_SLOTS: usize = 4096;

/// Into how many parts a batch is cut at most, whatever the number of threads.
const PARTS: usize = 64;
/// How many numbers a part computes at least: fewer are not worth a thread.
const PART_SIZE: usize = 1 << 18;

/// A batch: its rows by their index. It is a trait object so that a replay is compiled once, and
/// not for each type of row.
pub(super) type Rows<'rows> = dyn Fn(usize) -> &'rows [f64] + Sync + 'rows;

/// What all rows of one replay have in common.
#[derive(Clone, Copy)]
pub(super) struct Replay<'call, 'rows> {
    pub(super) program: &'call Program,
    pub(super) shared: &'call [f64],
    pub(super) rows: &'call Rows<'rows>,
}

/// The slots of as many rows as `N` has lanes, and their gradients, which are 0 between passes.
#[derive(Default)]
pub(super) struct Block<N> {
    values: Vec<N>,
    gradients: Vec<N>,
}

/// The blocks of one thread, by their width.
#[derive(Default)]
pub(super) struct Blocks {
    wide: Block<Lanes<WIDE>>,
    narrow: Block<Lanes<NARROW>>,
    single: Block<f64>,
}

/// Sums over rows.
struct Sums {
    /// Of the output.
    output: f64,
    /// Of the gradients of the shared numbers.
    gradients: Vec<f64>,
}

impl Replay<'_, '_> {
    /// The outputs of the first `count` rows, row by row.
    pub(super) fn forward(&self, blocks: &mut Blocks, count: usize) -> Vec<f64> {
        let parts = self.map_parts(blocks, count, |blocks, part| {
            let mut outputs = Vec::with_capacity(part.len() * self.program.outputs.len());
            let [wide, narrow, single] = self.cut(part);
            self.forward_in(&mut blocks.wide, wide, &mut outputs);
            self.forward_in(&mut blocks.narrow, narrow, &mut outputs);
            self.forward_in(&mut blocks.single, single, &mut outputs);
            outputs
        });
        parts.concat()
    }

    fn forward_in<N: Number>(
        &self,
        block: &mut Block<N>,
        rows: Range<usize>,
        outputs: &mut Vec<f64>,
    ) {
        if rows.is_empty() {
            return;
        }
        block.prepare(self);
        for first in rows.step_by(N::LANES) {
            block.load(self, first);
            run(self, block, None);
            for lane in 0..N::LANES {
                let slots = self.program.outputs.iter();
                outputs.extend(slots.map(|&slot| block.values[slot as usize].lanes()[lane]));
            }
        }
    }

    /// The mean of the output over the first `count` rows, of which there is at least one, and its
    /// gradient with respect to the shared numbers.
    pub(super) fn backward(&self, blocks: &mut Blocks, count: usize) -> (f64, Vec<f64>) {
        let seed = 1.0 / count as f64;
        let parts = self.map_parts(blocks, count, |blocks, part| {
            let mut output = 0.0;
            let mut gradients = vec![PartialSums::default(); self.shared.len()];
            let [wide, narrow, single] = self.cut(part);
            output = self.backward_in(&mut blocks.wide, wide, seed, output, &mut gradients);
            output = self.backward_in(&mut blocks.narrow, narrow, seed, output, &mut gradients);
            output = self.backward_in(&mut blocks.single, single, seed, output, &mut gradients);
            let gradients = gradients.iter().map(PartialSums::add_up).collect();
            Sums { output, gradients }
        });
        let Sums {
            output,
            mut gradients,
        } = parts.into_iter().reduce(Sums::add).expect("a row");
        self.program.backward_once(self.shared, &mut gradients);
        (output / count as f64, gradients)
    }

    /// Adds the outputs of the rows to `sum` and returns that, and adds what `seed` times their
    /// gradient passes down to shared numbers.
    fn backward_in<N: Number>(
        &self,
        block: &mut Block<N>,
        rows: Range<usize>,
        seed: f64,
        mut sum: f64,
        gradients: &mut [PartialSums],
    ) -> f64 {
        if rows.is_empty() {
            return sum;
        }
        block.prepare(self);
        for first in rows.step_by(N::LANES) {
            block.load(self, first);
            run(self, block, Some((seed, &mut *gradients)));
            for output in block.values[self.program.outputs[0] as usize].lanes() {
                sum += output;
            }
        }
        sum
    }

    /// Computes the first row alone, for `output` and `gradient`.
    pub(super) fn forward_row(&self, blocks: &mut Blocks) {
        let block = &mut blocks.single;
        block.prepare(self);
        block.load(self, 0);
        self.program.forward(self.shared, &mut block.values);
    }

    pub(super) fn output(&self, blocks: &Blocks, output: usize) -> f64 {
        blocks.single.values[self.program.outputs[output] as usize]
    }

    /// The gradient of an output with respect to the inputs.
    pub(super) fn gradient(&self, blocks: &mut Blocks, output: usize) -> Vec<f64> {
        let Block { values, gradients } = &mut blocks.single;
        let Self {
            program, shared, ..
        } = *self;
        program.backward_to_inputs(shared, values, gradients, output);
        let inputs = gradients[program.input_slots()].iter_mut();
        inputs.map(mem::take).collect()
    }

    /// Cuts rows into those for wide blocks, for narrow ones, and for one at a time.
    fn cut(&self, rows: Range<usize>) -> [Range<usize>; 3] {
        let end_of_blocks = |start: usize, lanes: usize| rows.end - (rows.end - start) % lanes;
        let narrow = if self.program.slots() <= WIDE_SLOTS {
            end_of_blocks(rows.start, WIDE)
        } else {
            rows.start
        };
        let single = end_of_blocks(narrow, NARROW);
        [rows.start..narrow, narrow..single, single..rows.end]
    }

    /// What `work` makes of each part of the first `count` rows. The cuts do not depend on the
    /// number of threads, so neither do the sums.
    fn map_parts<T: Send>(
        &self,
        blocks: &mut Blocks,
        count: usize,
        work: impl Fn(&mut Blocks, Range<usize>) -> T + Sync,
    ) -> Vec<T> {
        let rows_per_part = count
            .div_ceil(PARTS)
            .max(PART_SIZE / self.program.size())
            .max(1)
            .next_multiple_of(WIDE);
        let parts = 0..count.div_ceil(rows_per_part);
        let rows = |part: usize| part * rows_per_part..count.min((part + 1) * rows_per_part);
        #[cfg(feature = "rayon")]
        if parts.len() > 1 {
            return parts
                .into_par_iter()
                .map_init(Blocks::default, |blocks, part| work(blocks, rows(part)))
                .collect();
        }
        parts.map(|part| work(blocks, rows(part))).collect()
    }
}

/// Runs the program for the rows in a block: forward, and with a seed backward too, which adds what
/// is passed down to shared numbers.
///
/// This is where the time goes, so it is compiled for processors with and without AVX2.
#[multiversion(targets("x86_64+avx2"))]
fn run<N: Number>(
    replay: &Replay,
    block: &mut Block<N>,
    backward: Option<(f64, &mut [PartialSums])>,
) {
    let Replay {
        program, shared, ..
    } = *replay;
    program.forward(shared, &mut block.values);
    if let Some((seed, sums)) = backward {
        program.backward_to_shared(shared, &block.values, &mut block.gradients, seed, sums);
    }
}

impl<N: Number> Block<N> {
    /// Writes what all rows share to the slots.
    fn prepare(&mut self, replay: &Replay) {
        let Replay {
            program, shared, ..
        } = *replay;
        if self.values.is_empty() {
            self.values = vec![N::default(); program.slots()];
            self.gradients = vec![N::default(); program.slots()];
            for (value, &constant) in self.values.iter_mut().zip(&program.constants) {
                *value = N::from(constant);
            }
        }
        let copies = &mut self.values[program.copy_slots()];
        for (value, &copied) in copies.iter_mut().zip(&program.copies) {
            *value = N::from(shared[copied as usize]);
        }
    }

    /// Writes as many rows as there are lanes to the slots of the inputs.
    fn load(&mut self, replay: &Replay, first: usize) {
        let inputs = &mut self.values[replay.program.input_slots()];
        for lane in 0..N::LANES {
            let row = (replay.rows)(first + lane);
            for (input, &number) in inputs.iter_mut().zip(row) {
                input.lanes_mut()[lane] = number;
            }
        }
    }
}

impl Sums {
    fn add(mut self, other: Self) -> Self {
        self.output += other.output;
        for (sum, other) in self.gradients.iter_mut().zip(other.gradients) {
            *sum += other;
        }
        self
    }
}
