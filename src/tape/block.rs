//! Runs a program for a block of rows: each step for all rows, side by side in lanes.

use std::slice::ChunksExact;
use std::{mem, slice};

use multiversion::multiversion;

use super::lanes::{Lanes, PartialSums};
use super::program::{Layer, Program, Segment, Step, is_set};

/// The slots of a block of rows, and their gradients; 0 between passes.
#[derive(Clone, Default)]
pub(super) struct Block<N> {
    pub(super) values: Vec<N>,
    pub(super) gradients: Vec<N>,
}

/// The passes over the rows in a block.
pub(super) enum Pass<'call, const N: usize> {
    /// The outputs.
    Forward,
    /// The outputs, and the gradients of shared numbers from these seeds, added to these sums.
    ToShared(Lanes<N>, &'call mut [PartialSums]),
    /// The outputs, and the gradient of the first with respect to the inputs, left in their slots.
    ToInputs,
}

impl<N: Clone + Default + From<f64>> Block<N> {
    /// Makes room for the slots, and writes the constants.
    pub(super) fn prepare(&mut self, program: &Program) {
        if self.values.is_empty() {
            self.values = vec![N::default(); program.slots()];
            self.gradients = self.values.clone();
            for (value, &constant) in self.values.iter_mut().zip(&program.constants) {
                *value = constant.into();
            }
        }
    }
}

impl<const N: usize> Block<Lanes<N>> {
    pub(super) fn first_output(&self, program: &Program) -> Lanes<N> {
        self.values[program.outputs[0] as usize]
    }
}

/// Runs the program for the rows in a block.
///
/// A replay spends its time here, so this is compiled for processors with and without AVX2.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn run<const N: usize>(
    program: &Program,
    shared: &[f64],
    block: &mut Block<Lanes<N>>,
    pass: Pass<N>,
) {
    let Block { values, gradients } = block;
    for segment in [&program.plain, &program.learned] {
        segment.forward(shared, values);
    }
    // One call for both passes: without optimization, a second one would take as much stack again.
    let (first_wanted, seeds, sums) = match pass {
        Pass::Forward => return,
        Pass::ToShared(seeds, sums) => (program.learned.first, seeds, sums),
        Pass::ToInputs => (program.input_slots().start, 1.0.into(), &mut [][..]),
    };
    let output = program.outputs[0] as usize;
    if output >= first_wanted {
        gradients[output] = seeds;
    }
    let silent = &program.silent.slots;
    for segment in [&program.learned, &program.plain] {
        if segment.first >= first_wanted {
            segment.backward(shared, values, gradients, first_wanted, sums, silent);
        }
    }
}

/// Adds up each of the sums and leaves 0 behind.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn add_up(sums: &mut [PartialSums]) -> Vec<f64> {
    sums.iter_mut().map(|sum| mem::take(sum).add_up()).collect()
}

impl Segment {
    /// Computes the results from `values`, and writes them to `values`.
    #[inline(always)]
    fn forward<const N: usize>(&self, shared: &[f64], values: &mut [Lanes<N>]) {
        let mut out = self.first;
        while let Some(step) = self.steps.get(out - self.first) {
            let (values, results) = values.split_at_mut(out);
            match step {
                &Step::Apply(op, x, y) => {
                    let [x, y] = [x, y].map(|operand| &values[operand as usize]);
                    Lanes::compute(op, x, y, &mut results[0]);
                }
                Step::Dot(range) => {
                    let mut sum = Lanes::default();
                    for &[x, y] in self.pairs(range) {
                        sum.add_product(&values[x as usize], &values[y as usize]);
                    }
                    results[0] = sum;
                }
                &Step::Row(layer) => {
                    let layer = &self.layers[layer as usize];
                    layer.forward(shared, values, results);
                    out = layer.outputs.end;
                    continue;
                }
                &Step::Copy(x) => results[0] = values[x as usize],
                &Step::Shared(x) => results[0] = shared[x as usize].into(),
            }
            out += 1;
        }
    }

    /// Passes the gradients of the results down to the operands from `first_wanted` on, and leaves
    /// 0 behind. The gradients of shared numbers are added to `sums`, unless `sums` is empty.
    #[inline(always)]
    fn backward<const N: usize>(
        &self,
        shared: &[f64],
        values: &[Lanes<N>],
        gradients: &mut [Lanes<N>],
        first_wanted: usize,
        sums: &mut [PartialSums],
        silent: &[bool],
    ) {
        let mut end = self.results().end;
        while end > self.first {
            let step = &self.steps[end - 1 - self.first];
            let out = match step {
                &Step::Row(layer) => self.layers[layer as usize].outputs.start,
                _ => end - 1,
            };
            let (gradients, results) = gradients[..end].split_at_mut(out);
            end = out;
            if is_set(silent, out) {
                results.fill(Lanes::default());
                continue;
            }
            let g = &results[0];
            match step {
                &Step::Apply(op, x, y) => {
                    let (x, y) = (x as usize, y as usize);
                    if x >= first_wanted {
                        gradients[x] += op.lanes_vjp_x(&values[x], &values[y], &values[out], g);
                    }
                    if y >= first_wanted && op.passes_to_y() {
                        gradients[y] += op.lanes_vjp_y(&values[x], &values[y], &values[out], g);
                    }
                }
                Step::Dot(range) => {
                    for &[x, y] in self.pairs(range) {
                        let (x, y) = (x as usize, y as usize);
                        if x == y && x >= first_wanted {
                            gradients[x].add_scaled(2.0, &(*g * values[x]));
                            continue;
                        }
                        if x >= first_wanted {
                            gradients[x].add_product(g, &values[y]);
                        }
                        if y >= first_wanted {
                            gradients[y].add_product(g, &values[x]);
                        }
                    }
                }
                &Step::Row(layer) => {
                    let layer = &self.layers[layer as usize];
                    layer.backward(shared, values, gradients, results, first_wanted, sums);
                    results.fill(Lanes::default());
                }
                &Step::Copy(x) => {
                    if x as usize >= first_wanted {
                        gradients[x as usize] += *g;
                    }
                }
                &Step::Shared(x) => {
                    if let Some(sum) = sums.get_mut(x as usize) {
                        g.add_to(sum);
                    }
                }
            }
            results[0] = Lanes::default();
        }
    }
}

/// The number of weights whose gradients are added up at a time; registers hold no more.
const TILE: usize = 4;

impl Layer {
    #[inline(always)]
    fn forward<const N: usize>(
        &self,
        shared: &[f64],
        values: &[Lanes<N>],
        outputs: &mut [Lanes<N>],
    ) {
        let inputs = &values[self.inputs.clone()];
        for (output, weights) in outputs.iter_mut().zip(self.rows(shared)) {
            let mut sum = Lanes::default();
            let tiles = inputs.chunks_exact(TILE);
            let rest = tiles.remainder();
            for (inputs, weights) in tiles.zip(weights.chunks_exact(TILE)) {
                for i in 0..TILE {
                    sum.add_scaled(weights[i], &inputs[i]);
                }
            }
            for (input, &weight) in rest.iter().zip(&weights[inputs.len() - rest.len()..]) {
                sum.add_scaled(weight, input);
            }
            if let Some(&bias) = weights.get(inputs.len()) {
                sum += bias.into();
            }
            *output = sum;
        }
    }

    #[inline(always)]
    fn backward<const N: usize>(
        &self,
        shared: &[f64],
        values: &[Lanes<N>],
        gradients: &mut [Lanes<N>],
        of_outputs: &[Lanes<N>],
        first_wanted: usize,
        sums: &mut [PartialSums],
    ) {
        if !sums.is_empty() {
            let inputs = &values[self.inputs.clone()];
            let sums = sums[self.weights.clone()].chunks_exact_mut(self.row);
            for (g, sums) in of_outputs.iter().zip(sums) {
                add_to_weights(g, inputs, sums);
            }
        }
        let rows = self.rows(shared);
        for input in self.inputs.start.max(first_wanted)..self.inputs.end {
            let mut sum = gradients[input];
            for (g, weights) in of_outputs.iter().rev().zip(rows.clone().rev()) {
                sum.add_scaled(weights[input - self.inputs.start], g);
            }
            gradients[input] = sum;
        }
    }

    /// The weights of each output.
    #[inline(always)]
    fn rows<'shared>(&self, shared: &'shared [f64]) -> ChunksExact<'shared, f64> {
        shared[self.weights.clone()].chunks_exact(self.row)
    }
}

/// Adds the gradients of the weights of one output; the last weight may be a bias.
#[inline(always)]
fn add_to_weights<const N: usize>(g: &Lanes<N>, inputs: &[Lanes<N>], sums: &mut [PartialSums]) {
    let (of_products, of_bias) = sums.split_at_mut(inputs.len());
    let tiled = inputs.len() - inputs.len() % TILE;
    let (inputs, others) = inputs.split_at(tiled);
    let (sums, of_others) = of_products.split_at_mut(tiled);
    for (inputs, sums) in inputs.chunks_exact(TILE).zip(sums.chunks_exact_mut(TILE)) {
        g.add_products_to::<TILE>(inputs, sums);
    }
    for (input, sum) in others.iter().zip(of_others) {
        g.add_products_to::<1>(slice::from_ref(input), slice::from_mut(sum));
    }
    if let [sum] = of_bias {
        g.add_to(sum);
    }
}
