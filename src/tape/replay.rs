//! Runs a program for many rows: block by block, and part by part on several threads.

use std::mem;
use std::ops::Range;

use multiversion::multiversion;
#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::program::Program;
use crate::ops::{Lanes, Number, PartialSums};

/// Rows in a wide block: so many that what a step takes besides its arithmetic does not count.
const WIDE: usize = 32;
/// Rows in a narrow block: one register of AVX-512.
const NARROW: usize = 4;
/// A program of more slots than this gets narrow blocks only: wide ones would not fit the cache.
const WIDE_SLOTS: usize = 4096;

/// Into how many parts a batch is cut at most, whatever the number of threads.
const PARTS: usize = 64;
/// How many numbers a part computes at least; fewer are not worth a thread.
const PART_SIZE: usize = 1 << 18;

/// The slots of one block of rows, and their gradients.
#[derive(Debug, Default)]
pub(super) struct Block<N> {
    values: Vec<N>,
    gradients: Vec<N>,
}

/// The blocks of one thread, by their width; made when they are first used.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    wide: Block<Lanes<WIDE>>,
    narrow: Block<Lanes<NARROW>>,
    single: Block<f64>,
}

/// A batch: each row by its index. Behind a pointer, so that all that follows is compiled once and
/// not for each type of rows.
pub(super) type Row<'rows> = dyn Fn(usize) -> &'rows [f64] + Sync + 'rows;

/// A program and the shared numbers of one call.
#[derive(Clone, Copy)]
pub(super) struct Replay<'call> {
    pub(super) program: &'call Program,
    pub(super) shared: &'call [f64],
    pub(super) row: &'call Row<'call>,
}

/// Sums over rows: that of the output, and those of the gradients of the shared numbers.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) output: f64,
    pub(super) gradients: Vec<f64>,
}

/// Computes all slots but those of constants, inputs and copies.
#[inline(always)]
pub(super) fn forward<N: Number>(program: &Program, shared: &[f64], values: &mut [N]) {
    for segment in [&program.plain, &program.learned] {
        segment.forward(shared, values);
    }
}

/// Adds what the gradients of the outputs pass down to shared numbers to `sums`.
#[inline(always)]
pub(super) fn backward_to_shared<N: Number>(
    program: &Program,
    shared: &[f64],
    values: &[N],
    gradients: &mut [N],
    sums: &mut [PartialSums],
) {
    let wanted = program.learned_slots();
    program
        .learned
        .backward(shared, values, gradients, &wanted, sums);
    for (gradient, &copied) in gradients[program.copy_slots()]
        .iter_mut()
        .zip(&program.copies)
    {
        mem::take(gradient).add_to(&mut sums[copied as usize]);
    }
}

/// A kind of number, with passes that are compiled for it.
trait Width: Number {
    fn forward(program: &Program, shared: &[f64], values: &mut [Self]);
    fn backward_to_shared(
        program: &Program,
        shared: &[f64],
        values: &[Self],
        gradients: &mut [Self],
        sums: &mut [PartialSums],
    );
}

impl Width for f64 {
    fn forward(program: &Program, shared: &[f64], values: &mut [f64]) {
        forward(program, shared, values);
    }

    fn backward_to_shared(
        program: &Program,
        shared: &[f64],
        values: &[f64],
        gradients: &mut [f64],
        sums: &mut [PartialSums],
    ) {
        backward_to_shared(program, shared, values, gradients, sums);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2"))]
fn forward_lanes<const N: usize>(program: &Program, shared: &[f64], values: &mut [Lanes<N>]) {
    forward(program, shared, values);
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2"))]
fn backward_lanes<const N: usize>(
    program: &Program,
    shared: &[f64],
    values: &[Lanes<N>],
    gradients: &mut [Lanes<N>],
    sums: &mut [PartialSums],
) {
    backward_to_shared(program, shared, values, gradients, sums);
}

impl<const N: usize> Width for Lanes<N> {
    fn forward(program: &Program, shared: &[f64], values: &mut [Self]) {
        forward_lanes(program, shared, values);
    }

    fn backward_to_shared(
        program: &Program,
        shared: &[f64],
        values: &[Self],
        gradients: &mut [Self],
        sums: &mut [PartialSums],
    ) {
        backward_lanes(program, shared, values, gradients, sums);
    }
}

impl<N: Width> Block<N> {
    /// Makes the slots if need be, and puts in them what all rows share.
    fn prepare(&mut self, replay: &Replay) {
        let Replay {
            program, shared, ..
        } = *replay;
        if self.values.is_empty() {
            self.values = vec![N::default(); program.slots()];
            for (value, &constant) in self.values.iter_mut().zip(&program.constants) {
                *value = N::from(constant);
            }
        }
        let copies = &mut self.values[program.copy_slots()];
        for (value, &copied) in copies.iter_mut().zip(&program.copies) {
            *value = N::from(shared[copied as usize]);
        }
    }

    fn prepare_gradients(&mut self) {
        if self.gradients.is_empty() {
            self.gradients = vec![N::default(); self.values.len()];
        }
    }

    /// Computes the slots for as many rows as there are lanes.
    fn forward(&mut self, replay: &Replay, first_row: usize) {
        let inputs = &mut self.values[replay.program.input_slots()];
        for lane in 0..N::LANES {
            let row = (replay.row)(first_row + lane);
            for (input, &number) in inputs.iter_mut().zip(row) {
                input.lanes_mut()[lane] = number;
            }
        }
        N::forward(replay.program, replay.shared, &mut self.values);
    }

    /// The output of each row.
    fn output(&self, slot: u32) -> &[f64] {
        self.values[slot as usize].lanes()
    }
}

impl Replay<'_> {
    /// How many rows are one part of a batch.
    fn rows_per_part(&self, rows: usize) -> usize {
        rows.div_ceil(PARTS)
            .max(PART_SIZE / self.program.size())
            .next_multiple_of(WIDE)
    }

    /// Cuts a part into rows for wide blocks, for narrow ones, and for one at a time.
    fn cut(&self, rows: Range<usize>) -> [Range<usize>; 3] {
        let in_blocks_of = |lanes: usize, start: usize| rows.end - (rows.end - start) % lanes;
        let narrow = if self.program.slots() <= WIDE_SLOTS {
            in_blocks_of(WIDE, rows.start)
        } else {
            rows.start
        };
        let single = in_blocks_of(NARROW, narrow);
        [rows.start..narrow, narrow..single, single..rows.end]
    }

    /// The outputs of so many rows, row by row.
    pub(super) fn forward(&self, blocks: &mut Blocks, rows: usize) -> Vec<f64> {
        let parts = self.map_parts(blocks, rows, |blocks, rows| {
            let mut outputs = Vec::with_capacity(rows.len() * self.program.outputs.len());
            let [wide, narrow, single] = self.cut(rows);
            self.forward_blocks(&mut blocks.wide, wide, &mut outputs);
            self.forward_blocks(&mut blocks.narrow, narrow, &mut outputs);
            self.forward_blocks(&mut blocks.single, single, &mut outputs);
            outputs
        });
        parts.concat()
    }

    fn forward_blocks<N: Width>(
        &self,
        block: &mut Block<N>,
        rows: Range<usize>,
        outputs: &mut Vec<f64>,
    ) {
        if rows.is_empty() {
            return;
        }
        block.prepare(self);
        for first_row in rows.step_by(N::LANES) {
            block.forward(self, first_row);
            for lane in 0..N::LANES {
                let slots = self.program.outputs.iter();
                outputs.extend(slots.map(|&slot| block.output(slot)[lane]));
            }
        }
    }

    /// The sum of the outputs over so many rows, and the gradient of `seed` times that with respect
    /// to the shared numbers.
    pub(super) fn backward(&self, blocks: &mut Blocks, rows: usize, seed: f64) -> Sums {
        let parts = self.map_parts(blocks, rows, |blocks, rows| {
            let mut sums = PartSums {
                output: 0.0,
                gradients: vec![PartialSums::default(); self.shared.len()],
            };
            let [wide, narrow, single] = self.cut(rows);
            self.backward_blocks(&mut blocks.wide, wide, seed, &mut sums);
            self.backward_blocks(&mut blocks.narrow, narrow, seed, &mut sums);
            self.backward_blocks(&mut blocks.single, single, seed, &mut sums);
            sums.add_up()
        });
        parts.into_iter().reduce(Sums::add).expect("a row")
    }

    fn backward_blocks<N: Width>(
        &self,
        block: &mut Block<N>,
        rows: Range<usize>,
        seed: f64,
        sums: &mut PartSums,
    ) {
        if rows.is_empty() {
            return;
        }
        block.prepare(self);
        block.prepare_gradients();
        let output = self.program.outputs[0];
        let wanted = self.program.learned_slots();
        for first_row in rows.step_by(N::LANES) {
            block.forward(self, first_row);
            for number in block.output(output) {
                sums.output += number;
            }
            if wanted.contains(&(output as usize)) {
                block.gradients[output as usize] += N::from(seed);
            }
            N::backward_to_shared(
                self.program,
                self.shared,
                &block.values,
                &mut block.gradients,
                &mut sums.gradients,
            );
        }
    }

    /// The outputs at the first row.
    pub(super) fn outputs<'blocks>(
        &self,
        blocks: &'blocks mut Blocks,
    ) -> impl Iterator<Item = f64> + 'blocks
    where
        Self: 'blocks,
    {
        let block = &mut blocks.single;
        block.prepare(self);
        block.forward(self, 0);
        let values = &block.values;
        self.program
            .outputs
            .iter()
            .map(|&slot| values[slot as usize])
    }

    /// The gradient of an output with respect to the inputs, after a forward pass.
    pub(super) fn gradient(&self, blocks: &mut Blocks, output: usize) -> Vec<f64> {
        let Self {
            program, shared, ..
        } = *self;
        blocks.single.prepare_gradients();
        let Block { values, gradients } = &mut blocks.single;
        let wanted = program.varying_slots();
        let output = program.outputs[output] as usize;
        if wanted.contains(&output) {
            gradients[output] = 1.0;
        }
        for segment in [&program.learned, &program.plain] {
            segment.backward(shared, values, gradients, &wanted, &mut []);
        }
        let inputs = gradients[program.input_slots()].iter_mut();
        inputs.map(mem::take).collect()
    }

    /// What `work` makes of each part of so many rows.
    fn map_parts<T: Send>(
        &self,
        blocks: &mut Blocks,
        rows: usize,
        work: impl Fn(&mut Blocks, Range<usize>) -> T + Sync,
    ) -> Vec<T> {
        let size = self.rows_per_part(rows);
        let part = |index: usize| index * size..rows.min((index + 1) * size);
        let parts = 0..rows.div_ceil(size);
        #[cfg(feature = "rayon")]
        if parts.len() > 1 {
            return parts
                .into_par_iter()
                .map_init(Blocks::default, |blocks, index| work(blocks, part(index)))
                .collect();
        }
        parts.map(|index| work(blocks, part(index))).collect()
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

/// The sums over the rows of one part.
struct PartSums {
    output: f64,
    gradients: Vec<PartialSums>,
}

impl PartSums {
    fn add_up(self) -> Sums {
        let gradients = self.gradients.iter();
        Sums {
            output: self.output,
            gradients: gradients.map(PartialSums::add_up).collect(),
        }
    }
}
