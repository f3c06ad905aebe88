//! Runs a program for many rows: block by block, and part by part on several threads.

use std::mem;
use std::ops::Range;

use multiversion::multiversion;
#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::lanes::{Lanes, Number, PartialSums};
use super::program::Program;
use super::row::Waiting;

/// Rows in a wide block: so many that what a step takes besides its arithmetic counts for little.
const WIDE: usize = 32;
/// Rows in a narrow block.
const NARROW: usize = 4;
/// The most rows for which narrow blocks are faster than a wide one that they do not fill.
const MOST_IN_NARROW: usize = 2 * NARROW;
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
#[derive(Clone, Default)]
pub(super) struct Block<N> {
    values: Vec<N>,
    gradients: Vec<N>,
}

/// The blocks of one thread, by their width.
#[derive(Clone, Default)]
pub(super) struct Blocks {
    wide: Block<Lanes<WIDE>>,
    narrow: Block<Lanes<NARROW>>,
    single: Block<f64>,
    waiting: Waiting,
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
        self.concat_parts(blocks, count, |blocks, part| {
            let mut outputs = Vec::with_capacity(part.len() * self.program.outputs.len());
            let [wide, narrow] = self.cut(part);
            self.forward_in(&mut blocks.wide, wide, &mut outputs);
            self.forward_in(&mut blocks.narrow, narrow, &mut outputs);
            outputs
        })
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
        for rows in chunks(rows, N::LANES) {
            block.load(self, &rows);
            run(self, block, Pass::Forward);
            for lane in 0..rows.len() {
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
            let [wide, narrow] = self.cut(part);
            output = self.backward_in(&mut blocks.wide, wide, seed, output, &mut gradients);
            output = self.backward_in(&mut blocks.narrow, narrow, seed, output, &mut gradients);
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
        for rows in chunks(rows, N::LANES) {
            block.load(self, &rows);
            let last = rows.len() - 1;
            let mut seeds = N::from(seed / (N::LANES - last) as f64);
            seeds.lanes_mut()[..last].fill(seed);
            run(self, block, Pass::ToShared(seeds, &mut *gradients));
            let outputs = block.values[self.program.outputs[0] as usize];
            for output in &outputs.lanes()[..rows.len()] {
                sum += output;
            }
        }
        sum
    }

    /// The output at each of the first `count` rows, and its gradient with respect to the inputs.
    pub(super) fn gradients(&self, blocks: &mut Blocks, count: usize) -> Vec<(f64, Vec<f64>)> {
        self.concat_parts(blocks, count, |blocks, part| {
            let mut gradients = Vec::with_capacity(part.len());
            let [wide, narrow] = self.cut(part);
            self.gradients_in(&mut blocks.wide, wide, &mut gradients);
            self.gradients_in(&mut blocks.narrow, narrow, &mut gradients);
            gradients
        })
    }

    fn gradients_in<N: Number>(
        &self,
        block: &mut Block<N>,
        rows: Range<usize>,
        results: &mut Vec<(f64, Vec<f64>)>,
    ) {
        if rows.is_empty() {
            return;
        }
        block.prepare(self);
        for rows in chunks(rows, N::LANES) {
            block.load(self, &rows);
            run(self, block, Pass::ToInputs);
            let output = block.values[self.program.outputs[0] as usize];
            let gradients = &mut block.gradients[self.program.input_slots()];
            results.extend((0..rows.len()).map(|lane| {
                let gradient = gradients.iter().map(|numbers| numbers.lanes()[lane]);
                (output.lanes()[lane], gradient.collect())
            }));
            gradients.fill(N::default());
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
        block.prepare(self);
        block.load(self, &(0..1));
        self.program.forward_row(self.shared, &mut block.values);
        block
    }

    /// Cuts rows into those for wide blocks, and the rest for narrow ones. The last block of each
    /// may be filled in part: many rows too many for narrow blocks take less time in a wide one.
    fn cut(&self, rows: Range<usize>) -> [Range<usize>; 2] {
        let rest = rows.len() % WIDE;
        let narrow = if self.program.slots() > WIDE_SLOTS {
            rows.len()
        } else if rest > MOST_IN_NARROW {
            0
        } else {
            rest
        };
        let end = rows.end - narrow;
        [rows.start..end, end..rows.end]
    }

    /// The results of `work` for each part of the first `count` rows, one after the other.
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

    /// What `work` makes of each part of the first `count` rows. The cuts do not depend on the
    /// number of threads, so neither do the sums.
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

/// The rows of each block of this width; those of the last may be fewer.
fn chunks(rows: Range<usize>, width: usize) -> impl Iterator<Item = Range<usize>> {
    let end = rows.end;
    rows.step_by(width)
        .map(move |first| first..end.min(first + width))
}

/// The numbers, with 0 left in their places.
fn take(numbers: &mut [f64]) -> Vec<f64> {
    numbers.iter_mut().map(mem::take).collect()
}

/// The passes over the rows in a block.
enum Pass<'call, N> {
    /// The outputs.
    Forward,
    /// And what these seeds pass down to shared numbers, which is added to these sums.
    ToShared(N, &'call mut [PartialSums]),
    /// And the gradient of the first output with respect to the inputs.
    ToInputs,
}

/// Runs the program for the rows in a block.
///
/// This is where the time goes, so it is compiled for processors with and without AVX2.
#[multiversion(targets("x86_64+avx2"))]
fn run<N: Number>(replay: &Replay, block: &mut Block<N>, pass: Pass<N>) {
    let Replay {
        program, shared, ..
    } = *replay;
    let Block { values, gradients } = block;
    program.forward(shared, values);
    // One call for both ways: without optimisation, a second one would need as much stack again.
    let (seeds, sums) = match pass {
        Pass::Forward => return,
        Pass::ToShared(seeds, sums) => (seeds, Some(sums)),
        Pass::ToInputs => (N::from(1.0), None),
    };
    program.backward(shared, values, gradients, seeds, sums);
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

    /// Writes rows to the slots of the inputs. The last one is repeated in lanes that are left over:
    /// any other numbers there might be infinite, or slow.
    fn load(&mut self, replay: &Replay, rows: &Range<usize>) {
        let inputs = &mut self.values[replay.program.input_slots()];
        for lane in 0..N::LANES {
            let row = (replay.rows)((rows.start + lane).min(rows.end - 1));
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
