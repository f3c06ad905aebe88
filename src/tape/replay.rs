//! Runs a program for many rows: in blocks, and in parts on several threads.

use std::mem;
use std::ops::Range;

#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::block::{self, Block, Pass};
use super::lanes::{Lanes, PartialSums};
use super::program::Program;
use super::row::Waiting;

/// Rows in a wide block: enough to make the overhead of a step small beside its arithmetic.
const WIDE: usize = 32;
/// Rows in a narrow block.
const NARROW: usize = 4;
/// The most rows that narrow blocks compute faster than one partly filled wide block.
const MOST_IN_NARROW: usize = 2 * NARROW;
/// A program of more slots runs in narrow blocks alone: wide ones would not fit into a cache.
const WIDE_SLOTS: usize = 4096;

/// The most parts of a batch, whatever the number of threads.
const PARTS: usize = 64;
/// The fewest numbers that a part computes: fewer are not worth a thread.
const PART_SIZE: usize = 1 << 18;

/// A batch: its rows by index. It is a trait object, so that a replay is compiled once and not for
/// each type of row.
pub(super) type Rows<'rows> = dyn Fn(usize) -> &'rows [f64] + Sync + 'rows;

/// Everything that the rows of one replay have in common.
#[derive(Clone, Copy)]
pub(super) struct Replay<'call, 'rows> {
    pub(super) program: &'call Program,
    pub(super) shared: &'call [f64],
    pub(super) rows: &'call Rows<'rows>,
}

/// The blocks of one thread, by their width.
#[derive(Clone, Default)]
pub(super) struct Blocks {
    wide: Block<Lanes<WIDE>>,
    narrow: Block<Lanes<NARROW>>,
    single: Block<f64>,
    waiting: Waiting,
    /// The gradients of the shared numbers; 0 between passes.
    sums: Vec<PartialSums>,
}

/// The results wanted of many rows, and the place for them.
enum Work<'call> {
    /// The outputs.
    Forward(&'call mut Vec<f64>),
    /// The sum of the output, and of its gradients with respect to shared numbers times a seed.
    Backward(f64, &'call mut f64, &'call mut [PartialSums]),
    /// The output, and its gradient with respect to the inputs.
    Gradients(&'call mut Vec<(f64, Vec<f64>)>),
}

impl Replay<'_, '_> {
    /// The outputs of the first `count` rows, row by row.
    pub(super) fn forward(&self, blocks: &mut Blocks, count: usize) -> Vec<f64> {
        self.concat_parts(blocks, count, |blocks, part| {
            let mut outputs = Vec::with_capacity(part.len() * self.program.outputs.len());
            self.run(blocks, part, &mut Work::Forward(&mut outputs));
            outputs
        })
    }

    /// The mean of the output over the first `count` rows, at least one, and its gradient with
    /// respect to the shared numbers.
    pub(super) fn backward(&self, blocks: &mut Blocks, count: usize) -> (f64, Vec<f64>) {
        let seed = 1.0 / count as f64;
        let parts = self.map_parts(blocks, count, |blocks, part| {
            let mut output = 0.0;
            let mut sums = mem::take(&mut blocks.sums);
            sums.resize(self.shared.len(), PartialSums::default());
            let work = &mut Work::Backward(seed, &mut output, &mut sums);
            self.run(blocks, part, work);
            let gradients = block::add_up(&mut sums);
            blocks.sums = sums;
            (output, gradients)
        });
        let mut parts = parts.into_iter();
        let (mut output, mut gradients) = parts.next().expect("a row");
        for (other_output, other_gradients) in parts {
            output += other_output;
            for (sum, other) in gradients.iter_mut().zip(other_gradients) {
                *sum += other;
            }
        }
        self.program.backward_once(self.shared, &mut gradients);
        (output / count as f64, gradients)
    }

    /// The output at each of the first `count` rows, and its gradient with respect to the inputs.
    pub(super) fn gradients(&self, blocks: &mut Blocks, count: usize) -> Vec<(f64, Vec<f64>)> {
        self.concat_parts(blocks, count, |blocks, part| {
            let mut gradients = Vec::with_capacity(part.len());
            self.run(blocks, part, &mut Work::Gradients(&mut gradients));
            gradients
        })
    }

    /// Does the work for these rows: most in wide blocks, the rest in narrow ones or, if there are
    /// many, in one more wide block. The last block of each width may be filled in part.
    fn run(&self, blocks: &mut Blocks, rows: Range<usize>, work: &mut Work) {
        let rest = rows.len() % WIDE;
        let narrow = if self.program.slots() > WIDE_SLOTS {
            rows.len()
        } else if rest > MOST_IN_NARROW {
            0
        } else {
            rest
        };
        let end = rows.end - narrow;
        self.run_in(&mut blocks.wide, rows.start..end, work);
        self.run_in(&mut blocks.narrow, end..rows.end, work);
    }

    fn run_in<const N: usize>(
        &self,
        block: &mut Block<Lanes<N>>,
        rows: Range<usize>,
        work: &mut Work,
    ) {
        if rows.is_empty() {
            return;
        }
        let program = self.program;
        block.prepare(program);
        for first in rows.clone().step_by(N) {
            let rows = first..rows.end.min(first + N);
            self.load(block, &rows);
            match work {
                Work::Forward(outputs) => {
                    block::run(program, self.shared, block, Pass::Forward);
                    for lane in 0..rows.len() {
                        let slots = program.outputs.iter();
                        outputs
                            .extend(slots.map(|&slot| block.values[slot as usize].lanes()[lane]));
                    }
                }
                Work::Backward(seed, sum, gradients) => {
                    let last = rows.len() - 1;
                    let mut seeds = Lanes::from(*seed / (N - last) as f64);
                    seeds.lanes_mut()[..last].fill(*seed);
                    block::run(
                        program,
                        self.shared,
                        block,
                        Pass::ToShared(seeds, gradients),
                    );
                    for output in &block.first_output(program).lanes()[..rows.len()] {
                        **sum += output;
                    }
                }
                Work::Gradients(results) => {
                    block::run(program, self.shared, block, Pass::ToInputs);
                    let output = block.first_output(program);
                    let gradients = &mut block.gradients[program.input_slots()];
                    results.extend((0..rows.len()).map(|lane| {
                        let gradient = gradients.iter().map(|numbers| numbers.lanes()[lane]);
                        (output.lanes()[lane], gradient.collect())
                    }));
                    gradients.fill(Lanes::default());
                }
            }
        }
    }

    /// Writes rows to the slots of the inputs. The last row is repeated in unused lanes, because
    /// other numbers there might be infinite, or slow.
    fn load<const N: usize>(&self, block: &mut Block<Lanes<N>>, rows: &Range<usize>) {
        let inputs = &mut block.values[self.program.input_slots()];
        for lane in 0..N {
            let row = (self.rows)((rows.start + lane).min(rows.end - 1));
            for (input, &number) in inputs.iter_mut().zip(row) {
                input.lanes_mut()[lane] = number;
            }
        }
    }

    /// The output at the first row, and its gradient with respect to the inputs.
    pub(super) fn gradient(&self, blocks: &mut Blocks) -> (f64, Vec<f64>) {
        let Block { values, gradients } = self.forward_row(&mut blocks.single);
        let program = self.program;
        program.backward_row(self.shared, values, gradients);
        let output = values[program.outputs[0] as usize];
        (output, take(&mut gradients[program.input_slots()]))
    }

    /// The outputs at the first row, and the gradient of each with respect to the inputs.
    pub(super) fn jacobian(&self, blocks: &mut Blocks) -> (Vec<f64>, Vec<Vec<f64>>) {
        let Block { values, gradients } = self.forward_row(&mut blocks.single);
        let waiting = &mut blocks.waiting;
        let program = self.program;
        waiting.prepare(program.slots());
        let outputs = program.outputs.iter().enumerate().map(|(i, &slot)| {
            program.backward_from(i, self.shared, values, gradients, waiting);
            let gradient = take(&mut gradients[program.input_slots()]);
            (values[slot as usize], gradient)
        });
        outputs.unzip()
    }

    /// Computes the first row alone.
    fn forward_row<'block>(&self, block: &'block mut Block<f64>) -> &'block mut Block<f64> {
        block.prepare(self.program);
        block.values[self.program.input_slots()].copy_from_slice((self.rows)(0));
        self.program.forward_row(self.shared, &mut block.values);
        block
    }

    /// The results of `work` for the parts of the first `count` rows, concatenated.
    fn concat_parts<T: Clone + Send>(
        &self,
        blocks: &mut Blocks,
        count: usize,
        work: impl Fn(&mut Blocks, Range<usize>) -> Vec<T> + Sync,
    ) -> Vec<T> {
        if count <= self.rows_per_part(count) {
            return work(blocks, 0..count); // no list of parts
        }
        self.map_parts(blocks, count, work).concat()
    }

    /// The results of `work` for the parts of the first `count` rows. Neither the cuts nor the sums
    /// depend on the number of threads.
    fn map_parts<T: Send>(
        &self,
        blocks: &mut Blocks,
        count: usize,
        work: impl Fn(&mut Blocks, Range<usize>) -> T + Sync,
    ) -> Vec<T> {
        let rows_per_part = self.rows_per_part(count);
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

    fn rows_per_part(&self, count: usize) -> usize {
        count
            .div_ceil(PARTS)
            .max(PART_SIZE / self.program.size())
            .max(1)
            .next_multiple_of(WIDE)
    }
}

/// Takes the numbers and leaves 0 in their places.
fn take(numbers: &mut [f64]) -> Vec<f64> {
    numbers.iter_mut().map(mem::take).collect()
}
