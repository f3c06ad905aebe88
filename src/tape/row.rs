//! Runs a program for one row, and runs the steps that depend on parameters alone.

use std::collections::BinaryHeap;
use std::ops::Add;
use std::{iter, mem};

use super::program::{Program, Segment, Step, is_set};

impl Program {
    /// Computes the results that depend on parameters alone.
    pub(super) fn forward_once(&self, shared: &mut [f64]) {
        self.once.forward_row(&[], shared);
    }

    /// Passes the gradients of shared numbers down to the parameters.
    pub(super) fn backward_once(&self, shared: &[f64], gradients: &mut [f64]) {
        let first_wanted = self.shared_parameters().start;
        let silent = &self.silent.shared;
        self.once
            .backward_row(&[], shared, gradients, first_wanted, silent);
    }

    /// Computes the slots of operations.
    pub(super) fn forward_row(&self, shared: &[f64], values: &mut [f64]) {
        for segment in [&self.plain, &self.learned] {
            segment.forward_row(shared, values);
        }
    }

    /// Leaves the gradient of the first output with respect to the inputs in the input slots.
    pub(super) fn backward_row(&self, shared: &[f64], values: &[f64], gradients: &mut [f64]) {
        let first_wanted = self.input_slots().start;
        gradients[self.outputs[0] as usize] = 1.0;
        for segment in [&self.learned, &self.plain] {
            segment.backward_row(shared, values, gradients, first_wanted, &self.silent.slots);
        }
    }

    /// The same from any output, through only the steps it depends on. Other steps cost nothing,
    /// and a 0 that they would pass down cannot meet an infinite slope.
    pub(super) fn backward_from(
        &self,
        output: usize,
        shared: &[f64],
        values: &[f64],
        gradients: &mut [f64],
        waiting: &mut Waiting,
    ) {
        let first_wanted = self.input_slots().start;
        let slot = self.outputs[output] as usize;
        gradients[slot] = 1.0;
        waiting.add(slot);
        while let Some(out) = waiting.greatest() {
            let segment = match out {
                _ if out < self.plain.first => continue, // an input, where the gradient stays
                _ if out < self.learned.first => &self.plain,
                _ => &self.learned,
            };
            let g = mem::take(&mut gradients[out]);
            if !is_set(&self.silent.slots, out) {
                let step = &segment.steps[out - segment.first];
                let add = |operand: usize, part| {
                    gradients[operand] += part;
                    waiting.add(operand);
                };
                segment.pass_down(step, (out, g), shared, values, first_wanted, add);
            }
        }
    }
}

/// Most steps are operations of the table, so the loops inline these and call a function for the
/// others.
///
/// In a chain of operations, a number takes longer to go through memory than to compute. So the
/// result of the previous step stays in a register; in the backward pass, so does the gradient part
/// for the next step.
impl Segment {
    fn forward_row(&self, shared: &[f64], values: &mut [f64]) {
        let mut last = values[self.first - 1];
        for (out, step) in (self.first..).zip(&self.steps) {
            last = if let &Step::Apply(op, x, y) = step {
                let x = x as usize;
                let x = if x + 1 == out { last } else { values[x] };
                op.value(x, values[y as usize])
            } else {
                self.value(step, out, shared, values)
            };
            values[out] = last;
        }
    }

    /// The result of one step.
    #[inline(never)]
    fn value(&self, step: &Step, out: usize, shared: &[f64], values: &[f64]) -> f64 {
        match step {
            &Step::Apply(op, x, y) => op.value(values[x as usize], values[y as usize]),
            Step::Dot(range) => {
                let pairs = self.pairs(range).iter();
                pairs.fold(0.0, |sum, &[x, y]| {
                    sum + values[x as usize] * values[y as usize]
                })
            }
            &Step::Row(layer) => {
                let layer = &self.layers[layer as usize];
                let inputs = &values[layer.inputs.clone()];
                let (weights, bias) = shared[layer.weights_of(out)].split_at(inputs.len());
                let products = iter::zip(weights, inputs).map(|(weight, input)| weight * input);
                products.chain(bias.iter().copied()).fold(0.0, Add::add)
            }
            &Step::Copy(x) => values[x as usize],
            &Step::Shared(x) => shared[x as usize],
        }
    }

    /// Passes the gradients of the results down to the operands from `first_wanted` on, and leaves
    /// 0 behind.
    fn backward_row(
        &self,
        shared: &[f64],
        values: &[f64],
        gradients: &mut [f64],
        first_wanted: usize,
        silent: &[bool],
    ) {
        let mut of_next = 0.0;
        let results = &values[self.results()];
        for ((out, step), &result) in self.results().zip(&self.steps).zip(results).rev() {
            let g = mem::take(&mut gradients[out]) + mem::take(&mut of_next);
            if is_set(silent, out) {
                continue;
            }
            if let &Step::Apply(op, x, y) = step {
                let (x, y) = (x as usize, y as usize);
                // An input is never the next step: the order of its parts is the same in any slot.
                let is_next = |operand: usize| operand + 1 == out && out > self.first;
                if x >= first_wanted {
                    let part = op.vjp_x(values[x], values[y], result, g);
                    if is_next(x) {
                        of_next = part;
                    } else {
                        gradients[x] += part;
                    }
                }
                if y >= first_wanted {
                    let of_y = &mut gradients[y];
                    if op.passes_to_y() {
                        let part = op.vjp_y(values[x], values[y], result, g);
                        if is_next(y) {
                            of_next += part;
                        } else {
                            *of_y += part;
                        }
                    }
                }
            } else {
                let add = |operand: usize, part| gradients[operand] += part;
                self.pass_down(step, (out, g), shared, values, first_wanted, add);
            }
        }
    }

    /// Passes the gradient g of one result down: calls `add` with the part of each wanted operand.
    #[inline(never)]
    fn pass_down(
        &self,
        step: &Step,
        (out, g): (usize, f64),
        shared: &[f64],
        values: &[f64],
        first_wanted: usize,
        mut add: impl FnMut(usize, f64),
    ) {
        let mut add_if_wanted = |operand: usize, part: f64| {
            if operand >= first_wanted {
                add(operand, part);
            }
        };
        match step {
            &Step::Apply(op, x, y) => {
                let (x, y) = (x as usize, y as usize);
                if x >= first_wanted {
                    add_if_wanted(x, op.vjp_x(values[x], values[y], values[out], g));
                }
                if y >= first_wanted && op.passes_to_y() {
                    add_if_wanted(y, op.vjp_y(values[x], values[y], values[out], g));
                }
            }
            Step::Dot(range) => {
                for &[x, y] in self.pairs(range) {
                    let (x, y) = (x as usize, y as usize);
                    if x == y {
                        // A square, as in a penalty on the size of the parameters.
                        add_if_wanted(x, 2.0 * (g * values[x]));
                    } else {
                        add_if_wanted(x, g * values[y]);
                        add_if_wanted(y, g * values[x]);
                    }
                }
            }
            &Step::Row(layer) => {
                let layer = &self.layers[layer as usize];
                for (input, weight) in layer.inputs.clone().zip(&shared[layer.weights_of(out)]) {
                    add_if_wanted(input, weight * g);
                }
            }
            &Step::Copy(x) => add_if_wanted(x as usize, g),
            Step::Shared(_) => {} // the gradients of shared numbers are not computed here
        }
    }
}

/// The slots that have received a part of a gradient and not yet passed it down. The greatest goes
/// first: all its users have greater slots, so its gradient is complete.
#[derive(Clone, Default)]
pub(super) struct Waiting {
    heap: BinaryHeap<usize>,
    /// Whether each slot is in the heap.
    is_in: Vec<bool>,
}

impl Waiting {
    /// Makes room for the slots of a program.
    pub(super) fn prepare(&mut self, slots: usize) {
        self.is_in.resize(slots, false);
    }

    fn add(&mut self, slot: usize) {
        if !mem::replace(&mut self.is_in[slot], true) {
            self.heap.push(slot);
        }
    }

    #[inline]
    fn greatest(&mut self) -> Option<usize> {
        let slot = self.heap.pop()?;
        self.is_in[slot] = false;
        Some(slot)
    }
}
