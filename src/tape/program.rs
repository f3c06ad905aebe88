//! The program that recording writes and replays run: a graph as flat arrays.
//!
//! A program has two arrays of numbers. The *shared* numbers are the same for all rows of a replay
//! and are computed once: constants, parameters, and results that depend on nothing else. The
//! *slots* belong to a row: the constants again, the inputs, results that depend on inputs alone
//! (the *plain* operations), and results that depend on parameters too (the *learned* ones).

use std::ops::Range;

use crate::engine::Label;
use crate::ops::Op;

/// The computation of one number from others, which are given by their indices.
#[derive(Debug)]
pub(super) enum Step {
    /// op(x, y)
    Apply(Op, u32, u32),
    /// The sum of the products of these pairs.
    Dot(Range<u32>),
    /// One of the weighted sums of this layer; they follow one another.
    Row(u32),
    /// A copy of a number, to lie beside others.
    Copy(u32),
    /// A shared number, as a slot.
    Shared(u32),
}

/// Weighted sums of the same inputs: a matrix times a vector.
#[derive(Debug)]
pub(super) struct Layer {
    /// Slots, side by side.
    pub(super) inputs: Range<usize>,
    /// Shared numbers, side by side: the weights and bias of each output in turn.
    pub(super) weights: Range<usize>,
    /// The number of weights of an output: one for each input, and perhaps a bias.
    pub(super) row: usize,
    pub(super) outputs: Range<usize>,
}

/// The place of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Shared(usize),
    Slot(usize),
}

/// Steps whose results lie side by side, in the order of computation.
#[derive(Debug, Default)]
pub(super) struct Segment {
    /// The index of the first result.
    pub(super) first: usize,
    pub(super) steps: Vec<Step>,
    /// The factors of the sums among the steps.
    pairs: Vec<[u32; 2]>,
    pub(super) layers: Vec<Layer>,
}

/// A recorded graph, without the values of its parameters.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) constants: Vec<f64>,
    /// Operations on shared numbers.
    pub(super) once: Segment,
    /// Operations on slots that depend on inputs alone.
    pub(super) plain: Segment,
    /// Operations on slots that depend on inputs and parameters.
    pub(super) learned: Segment,
    /// The slots of the outputs.
    pub(super) outputs: Vec<u32>,
    /// Flags of the results that pass no gradient down, or receive none.
    pub(super) silent: ByPlace<bool>,
    /// The labels of inputs and results; parameters keep their own.
    pub(super) labels: ByPlace<Label>,
}

/// Facts about shared numbers and slots, by index; beyond the end of a list they are the default.
#[derive(Debug, Default)]
pub(super) struct ByPlace<T> {
    pub(super) shared: Vec<T>,
    pub(super) slots: Vec<T>,
}

impl<T: Clone + Default> ByPlace<T> {
    pub(super) fn set(&mut self, place: Place, fact: T) {
        let (facts, index) = match place {
            Place::Shared(index) => (&mut self.shared, index),
            Place::Slot(index) => (&mut self.slots, index),
        };
        if facts.len() <= index {
            facts.resize(index + 1, T::default());
        }
        facts[index] = fact;
    }

    pub(super) fn get(&self, place: Place) -> T {
        let fact = match place {
            Place::Shared(index) => self.shared.get(index),
            Place::Slot(index) => self.slots.get(index),
        };
        fact.cloned().unwrap_or_default()
    }
}

impl Program {
    /// Panics if the length of a row differs from the number of inputs.
    #[track_caller]
    pub(super) fn expect_rows(&self, rows: &[impl AsRef<[f64]>]) {
        let inputs = self.input_slots().len();
        for (i, row) in rows.iter().enumerate() {
            let numbers = row.as_ref().len();
            assert!(
                numbers == inputs,
                "row {i} has length {numbers}, not {inputs}, the number of inputs"
            );
        }
    }

    /// Splits the outputs of several rows by row.
    pub(super) fn by_row(&self, outputs: &[f64]) -> Vec<Vec<f64>> {
        let rows = outputs.chunks(self.outputs.len());
        rows.map(<[f64]>::to_vec).collect()
    }

    pub(super) fn slots(&self) -> usize {
        self.learned.results().end
    }

    /// The work for each row, in operations; at least 1.
    pub(super) fn size(&self) -> usize {
        let operations = self.plain.size() + self.learned.size();
        (operations + self.outputs.len()).max(1)
    }

    /// The indices of the parameters among the shared numbers.
    pub(super) fn shared_parameters(&self) -> Range<usize> {
        self.constants.len()..self.once.first
    }

    pub(super) fn input_slots(&self) -> Range<usize> {
        self.constants.len()..self.plain.first
    }
}

impl Segment {
    /// The indices of the results.
    pub(super) fn results(&self) -> Range<usize> {
        self.first..self.first + self.steps.len()
    }

    /// Adds a step and returns the index of its result.
    pub(super) fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.results().end - 1
    }

    /// Keeps the pairs of a sum and returns their range.
    pub(super) fn push_pairs(&mut self, pairs: impl IntoIterator<Item = [u32; 2]>) -> Range<u32> {
        let start = index(self.pairs.len());
        self.pairs.extend(pairs);
        start..index(self.pairs.len())
    }

    pub(super) fn pairs(&self, range: &Range<u32>) -> &[[u32; 2]] {
        &self.pairs[range.start as usize..range.end as usize]
    }

    fn size(&self) -> usize {
        let weights = self.layers.iter().map(|layer| layer.weights.len());
        self.steps.len() + self.pairs.len() + weights.sum::<usize>()
    }
}

impl Layer {
    /// The weights of one of the outputs, among the shared numbers.
    #[inline(always)]
    pub(super) fn weights_of(&self, output: usize) -> Range<usize> {
        let first = self.weights.start + (output - self.outputs.start) * self.row;
        first..first + self.row
    }
}

/// Whether a flag is set; one beyond the end of the list is not.
#[inline(always)]
pub(super) fn is_set(flags: &[bool], index: usize) -> bool {
    flags.get(index).is_some_and(|&flag| flag)
}

/// A position in the type that steps hold.
pub(super) fn index(position: usize) -> u32 {
    u32::try_from(position).expect("a tape has room for 2^32 numbers")
}
