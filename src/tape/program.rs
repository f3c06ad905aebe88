//! What recording writes and replays run: a graph as flat arrays.
//!
//! Two arrays of numbers belong to it. The *shared* ones are the same for all rows, and computed
//! once for each call: the constants, then the parameters, then what depends on nothing else. The
//! *slots* hold what is computed for each row: the constants again, the inputs, what depends on
//! inputs alone, what depends on parameters too, and at last copies of those shared numbers that
//! the operations of a row read.

use std::mem;
use std::ops::Range;

use crate::ops::{Number, Op, PartialSums};

/// How one number is computed from others, which are given by their indices.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// op(x, y)
    Apply(Op, u32, u32),
    /// The sum of the products of these pairs.
    Dot(Range<u32>),
    /// The sum of the products of these pairs, of a shared number (the weight) and a slot.
    WeightedSum(Range<u32>),
}

/// Steps whose results lie side by side, in the order in which they are computed.
#[derive(Debug, Default)]
pub(super) struct Segment {
    /// The index of the first result.
    pub(super) first: usize,
    pub(super) steps: Vec<Step>,
    /// What the sums among the steps multiply.
    pub(super) pairs: Vec<[u32; 2]>,
}

impl Segment {
    pub(super) fn starting_at(first: usize) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    /// The indices of the results.
    pub(super) fn results(&self) -> Range<usize> {
        self.first..self.first + self.steps.len()
    }

    /// Keeps the pairs of a sum, and returns where.
    pub(super) fn add_pairs(&mut self, pairs: Vec<[u32; 2]>) -> Range<u32> {
        let index = |length: usize| u32::try_from(length).expect("a tape has room for 2^32 pairs");
        let start = index(self.pairs.len());
        self.pairs.extend(pairs);
        start..index(self.pairs.len())
    }

    /// Computes the results, among the `values` of which the operands are a part too.
    #[inline(always)]
    pub(super) fn forward<N: Number>(&self, shared: &[f64], values: &mut [N]) {
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

    /// Passes the gradients of the results down to the operands, and leaves 0 behind.
    ///
    /// Only those among the `wanted` receive something. The gradients of weights are added to
    /// `sums`, if it has an entry for them.
    #[inline(always)]
    pub(super) fn backward<N: Number>(
        &self,
        shared: &[f64],
        values: &[N],
        gradients: &mut [N],
        wanted: &Range<usize>,
        sums: &mut [PartialSums],
    ) {
        for (out, step) in self.results().zip(&self.steps).rev() {
            match step {
                &Step::Apply(op, x, y) => {
                    let (x, y) = (x as usize, y as usize);
                    let g = mem::take(&mut gradients[out]);
                    if wanted.contains(&x) {
                        gradients[x] += N::dx(op, &values[x], &values[y], &values[out], &g);
                    }
                    if wanted.contains(&y) {
                        gradients[y] += N::dy(op, &values[x], &values[y], &values[out], &g);
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
                        if let Some(sums) = sums.get_mut(weight) {
                            (g * values[x]).add_to(sums);
                        }
                        if wanted.contains(&x) {
                            gradients[x] += g * N::from(shared[weight]);
                        }
                    }
                }
            }
        }
    }

    fn pairs(&self, range: &Range<u32>) -> &[[u32; 2]] {
        &self.pairs[range.start as usize..range.end as usize]
    }
}

/// A recorded graph, without the values of its parameters.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) constants: Vec<f64>,
    /// What depends on parameters alone, on shared numbers.
    pub(super) once: Segment,
    /// What depends on inputs alone, on slots.
    pub(super) plain: Segment,
    /// What depends on inputs and parameters, on slots.
    pub(super) learned: Segment,
    /// The shared numbers of which the last slots are copies.
    pub(super) copies: Vec<u32>,
    /// The slots of the outputs.
    pub(super) outputs: Vec<u32>,
}

impl Program {
    pub(super) fn slots(&self) -> usize {
        self.copy_slots().end
    }

    /// How much there is to compute for each row.
    pub(super) fn size(&self) -> usize {
        let segments = [&self.plain, &self.learned];
        let sizes = segments.map(|segment| segment.steps.len() + segment.pairs.len());
        sizes.into_iter().sum::<usize>().max(1)
    }

    /// Which shared numbers are parameters.
    pub(super) fn shared_parameters(&self) -> Range<usize> {
        self.constants.len()..self.once.first
    }

    /// The slots of the inputs.
    pub(super) fn input_slots(&self) -> Range<usize> {
        self.constants.len()..self.plain.first
    }

    /// The slots of copies.
    pub(super) fn copy_slots(&self) -> Range<usize> {
        let first = self.learned.results().end;
        first..first + self.copies.len()
    }

    /// The slots that depend on an input.
    pub(super) fn varying_slots(&self) -> Range<usize> {
        self.constants.len()..self.copy_slots().start
    }

    /// The slots that depend on a parameter.
    pub(super) fn learned_slots(&self) -> Range<usize> {
        self.learned.first..self.slots()
    }
}
