//! The program that recording writes and replays run: a graph as flat arrays.
//!
//! Two arrays of numbers belong to a program. The *shared* numbers are the same for all rows of a
//! replay, and computed once: constants, parameters, and what depends on nothing else. The *slots*
//! hold what belongs to a row: the constants again, the inputs, what depends on inputs alone (the
//! *plain* operations), what depends on parameters too (the *learned* ones), and at last copies of
//! the shared numbers that operations of a row read.

use std::collections::HashMap;
use std::mem;
use std::ops::Range;

use super::lanes::{Number, PartialSums};
use crate::engine::Label;
use crate::ops::Op;

/// How one number is computed from others, which are given by their indices.
#[derive(Debug)]
pub(super) enum Step {
    /// op(x, y)
    Apply(Op, u32, u32),
    /// The sum of the products of these pairs.
    Dot(Range<u32>),
    /// The same, of pairs of a shared number, the weight, and a slot.
    WeightedSum(Range<u32>),
}

/// Where a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Shared(usize),
    Slot(usize),
}

/// Steps whose results lie side by side, in the order in which they are computed.
#[derive(Debug)]
pub(super) struct Segment {
    /// The index of the first result.
    pub(super) first: usize,
    pub(super) steps: Vec<Step>,
    /// The factors of the sums among the steps.
    pairs: Vec<[u32; 2]>,
}

/// A recorded graph, without the values of its parameters.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) constants: Vec<f64>,
    /// Operations on shared numbers.
    pub(super) once: Segment,
    /// Operations on slots that depend on inputs alone.
    pub(super) plain: Segment,
    /// Operations on slots that depend on inputs and parameters.
    pub(super) learned: Segment,
    /// The shared numbers of which the last slots are copies.
    pub(super) copies: Vec<u32>,
    /// The slots of the outputs.
    pub(super) outputs: Vec<u32>,
    /// Flags of results that pass no gradient down, or receive none.
    pub(super) silent: Silent,
    /// Labels of inputs and results; parameters keep their own.
    pub(super) labels: HashMap<Place, Label>,
}

/// Flags by index, of shared numbers and of slots; empty if there is nothing to flag.
#[derive(Debug, Default)]
pub(super) struct Silent {
    pub(super) shared: Vec<bool>,
    pub(super) slots: Vec<bool>,
}

impl Program {
    /// Panics if a row has not as many numbers as there are inputs.
    #[track_caller]
    pub(super) fn expect_rows(&self, rows: &[impl AsRef<[f64]>]) {
        let inputs = self.input_slots().len();
        for (i, row) in rows.iter().enumerate() {
            let numbers = row.as_ref().len();
            assert!(
                numbers == inputs,
                "row {i} has {numbers} numbers, but the tape has {inputs} inputs"
            );
        }
    }

    /// The outputs of several rows, taken apart.
    pub(super) fn by_row(&self, outputs: &[f64]) -> Vec<Vec<f64>> {
        let rows = outputs.chunks(self.outputs.len());
        rows.map(<[f64]>::to_vec).collect()
    }

    pub(super) fn slots(&self) -> usize {
        self.copy_slots().end
    }

    /// How much there is to compute for each row.
    pub(super) fn size(&self) -> usize {
        let sizes = [&self.plain, &self.learned].map(|it| it.steps.len() + it.pairs.len());
        sizes.iter().sum::<usize>().max(1)
    }

    /// The indices of the parameters among the shared numbers.
    pub(super) fn shared_parameters(&self) -> Range<usize> {
        self.constants.len()..self.once.first
    }

    pub(super) fn input_slots(&self) -> Range<usize> {
        self.constants.len()..self.plain.first
    }

    pub(super) fn copy_slots(&self) -> Range<usize> {
        let first = self.learned.results().end;
        first..first + self.copies.len()
    }

    /// Computes the slots of operations.
    #[inline(always)]
    pub(super) fn forward<N: Number>(&self, shared: &[f64], values: &mut [N]) {
        for segment in [&self.plain, &self.learned] {
            segment.forward(shared, values);
        }
    }

    /// Passes `seeds`, the gradient of the first output, down: to the shared numbers, where it is
    /// added to these sums, or if there are none to the inputs, where it stays in their slots.
    #[inline(always)]
    pub(super) fn backward<N: Number>(
        &self,
        shared: &[f64],
        values: &[N],
        gradients: &mut [N],
        seeds: N,
        sums: Option<&mut [PartialSums]>,
    ) {
        let (segments, wanted) = if sums.is_some() {
            (&[&self.learned][..], self.learned.first..self.slots())
        } else {
            (&[&self.learned, &self.plain][..], self.slots_of_inputs())
        };
        let output = self.outputs[0] as usize;
        if wanted.contains(&output) {
            gradients[output] = seeds;
        }
        let sums = sums.unwrap_or_default();
        for segment in segments {
            segment.backward(shared, values, gradients, &wanted, sums, |out| {
                !is_set(&self.silent.slots, out)
            });
        }
        if !sums.is_empty() {
            let copies = &mut gradients[self.copy_slots()];
            for (gradient, &copied) in copies.iter_mut().zip(&self.copies) {
                mem::take(gradient).add_to(&mut sums[copied as usize]);
            }
        }
    }

    /// The inputs, and all results that depend on one.
    pub(super) fn slots_of_inputs(&self) -> Range<usize> {
        self.constants.len()..self.copy_slots().start
    }
}

impl Segment {
    pub(super) fn starting_at(first: usize) -> Self {
        Self {
            first,
            steps: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// The indices of the results.
    pub(super) fn results(&self) -> Range<usize> {
        self.first..self.first + self.steps.len()
    }

    /// Adds a step and returns the index of its result.
    pub(super) fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.results().end - 1
    }

    /// Keeps the pairs of a sum, and returns where.
    pub(super) fn push_pairs(&mut self, pairs: impl IntoIterator<Item = [u32; 2]>) -> Range<u32> {
        let start = index(self.pairs.len());
        self.pairs.extend(pairs);
        start..index(self.pairs.len())
    }

    pub(super) fn pairs(&self, range: &Range<u32>) -> &[[u32; 2]] {
        &self.pairs[range.start as usize..range.end as usize]
    }

    /// Computes the results, from `values` and to `values`.
    #[inline(always)]
    fn forward<N: Number>(&self, shared: &[f64], values: &mut [N]) {
        for (out, step) in self.results().zip(&self.steps) {
            values[out] = match step {
                &Step::Apply(op, x, y) => N::value(op, &values[x as usize], &values[y as usize]),
                Step::Dot(range) => {
                    let mut sum = N::default();
                    for &[x, y] in self.pairs(range) {
                        sum += values[x as usize] * values[y as usize];
                    }
                    sum
                }
                Step::WeightedSum(range) => {
                    let mut sum = N::default();
                    for &[weight, x] in self.pairs(range) {
                        sum += N::from(shared[weight as usize]) * values[x as usize];
                    }
                    sum
                }
            };
        }
    }

    /// Passes the gradients of the results down to those of the operands that are `wanted`, and
    /// leaves 0 behind. The gradients of weights are added to `sums`, if they have a place there.
    #[inline(always)]
    fn backward<N: Number>(
        &self,
        shared: &[f64],
        values: &[N],
        gradients: &mut [N],
        wanted: &Range<usize>,
        sums: &mut [PartialSums],
        takes_part: impl Fn(usize) -> bool,
    ) {
        for (out, step) in self.results().zip(&self.steps).rev() {
            if !takes_part(out) {
                mem::take(&mut gradients[out]);
                continue;
            }
            match step {
                &Step::Apply(op, x, y) => {
                    let (x, y) = (x as usize, y as usize);
                    let g = mem::take(&mut gradients[out]);
                    if wanted.contains(&x) {
                        let part = N::vjp_x(op, &values[x], &values[y], &values[out], &g);
                        gradients[x] += part;
                    }
                    if wanted.contains(&y) && op.passes_to_y() {
                        let part = N::vjp_y(op, &values[x], &values[y], &values[out], &g);
                        gradients[y] += part;
                    }
                }
                Step::Dot(range) => {
                    let g = mem::take(&mut gradients[out]);
                    for &[x, y] in self.pairs(range) {
                        let (x, y) = (x as usize, y as usize);
                        if wanted.contains(&x) {
                            gradients[x] += g * values[y];
                        }
                        if wanted.contains(&y) {
                            gradients[y] += g * values[x];
                        }
                    }
                }
                Step::WeightedSum(range) => {
                    let g = mem::take(&mut gradients[out]);
                    for &[weight, x] in self.pairs(range) {
                        let (weight, x) = (weight as usize, x as usize);
                        if let Some(sum) = sums.get_mut(weight) {
                            (g * values[x]).add_to(sum);
                        }
                        if wanted.contains(&x) {
                            gradients[x] += g * N::from(shared[weight]);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
impl Segment {
    /// The steps that are no sums: the index of the result, the operation, those of the operands.
    pub(super) fn operations(&self) -> impl Iterator<Item = (usize, Op, u32, u32)> {
        let steps = self.results().zip(&self.steps);
        steps.filter_map(|(out, step)| match *step {
            Step::Apply(op, x, y) => Some((out, op, x, y)),
            Step::Dot(_) | Step::WeightedSum(_) => None,
        })
    }
}

/// Whether there is such a flag, and it is set.
#[inline(always)]
pub(super) fn is_set(flags: &[bool], index: usize) -> bool {
    flags.get(index).is_some_and(|&flag| flag)
}

/// A position as steps hold it.
pub(super) fn index(position: usize) -> u32 {
    u32::try_from(position).expect("a tape has room for 2^32 numbers")
}
