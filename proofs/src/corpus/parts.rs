//! The size of a gradient: the sum of the absolute values of its parts. If these are added up in
//! another order, the gradient changes by rounding only, relative to this size.

use std::iter;

use micrograd::engine::Value;

use super::graph::{Built, Graph};
use super::line::Line;
use super::measurement::{TAPE_BACKWARD, TAPE_GRADIENT, TAPE_JACOBIAN};
use super::step::Step;

/// The derivatives of the nodes that a step makes, each with respect to the operands and then the
/// parameters of the step.
type Slopes = Vec<Vec<f64>>;

/// Adds the sizes to the lines of gradients whose bits may change.
pub fn add_sizes(graph: &Graph, lines: &mut [Line]) {
    let rows: Vec<_> = graph.input_rows();
    let sizes: Vec<_> = rows.iter().map(|row| sizes_for_row(graph, row)).collect();
    let of_parameters = mean(&sizes, |of_outputs| &of_outputs[0][graph.inputs..]);
    let first = &sizes[0];
    let of_inputs = first.iter().map(|of_leaves| &of_leaves[..graph.inputs]);
    let of_inputs: Vec<_> = of_inputs.collect();
    for line in lines {
        let sizes = match line.name.as_str() {
            TAPE_BACKWARD => of_parameters.clone(),
            TAPE_GRADIENT => of_inputs[0].to_vec(),
            TAPE_JACOBIAN => of_inputs.concat(),
            _ => continue,
        };
        for (number, size) in iter::zip(&mut line.numbers, sizes) {
            number.size = Some(kept_finite(size));
        }
    }
}

/// Keeps a finite size small enough to be read as finite from the two digits that are written.
fn kept_finite(size: f64) -> f64 {
    const LARGEST: f64 = 1.7e308;
    if size.is_finite() {
        size.min(LARGEST)
    } else {
        size
    }
}

fn mean(sizes: &[Vec<Vec<f64>>], of_row: impl Fn(&[Vec<f64>]) -> &[f64]) -> Vec<f64> {
    let count = sizes.len() as f64;
    let mut means = vec![0.0; of_row(&sizes[0]).len()];
    for sizes in sizes {
        for (mean, size) in iter::zip(&mut means, of_row(sizes)) {
            *mean += size / count;
        }
    }
    means
}

/// The sizes of the gradients of each output with respect to all leaves, in one row.
fn sizes_for_row(graph: &Graph, row: &[f64]) -> Vec<Vec<f64>> {
    let mut numbers = graph.leaves.clone();
    numbers[..row.len()].copy_from_slice(row);
    let Built { nodes, leaves } = graph.build_on(&numbers);
    let slopes: Vec<_> = graph
        .steps
        .iter()
        .map(|step| slopes(step, &nodes))
        .collect();
    let outputs = graph.outputs.iter();
    outputs
        .map(|&output| sizes(graph, &slopes, output, leaves.len()))
        .collect()
}

/// Differentiates a step alone, on leaves that hold the numbers of its operands.
fn slopes(step: &Step, nodes: &[Value]) -> Slopes {
    let operands = step.operands();
    let operands = operands.into_iter().map(|i| Value::new(nodes[i].data()));
    let operands: Vec<_> = operands.collect();
    let made = step.apply(&operands);
    let below: Vec<_> = operands.into_iter().chain(made.parameters).collect();
    made.outputs
        .iter()
        .map(|output| {
            below.iter().for_each(Value::zero_grad);
            output.backward();
            below.iter().map(Value::grad).collect()
        })
        .collect()
}

/// Goes from the output down, as the backward pass does.
fn sizes(graph: &Graph, slopes: &[Slopes], output: usize, leaves: usize) -> Vec<f64> {
    let mut of_nodes = vec![0.0; graph.nodes()];
    of_nodes[output] = 1.0;
    let mut of_parameters = Vec::new();
    let mut end = graph.nodes();
    for (step, slopes) in iter::zip(&graph.steps, slopes).rev() {
        let operands = step.operands();
        let first = end - step.outputs();
        let mut of_step = vec![0.0; slopes[0].len() - operands.len()];
        for (above, slopes) in iter::zip(of_nodes[first..end].to_vec(), slopes) {
            let (to_operands, to_parameters) = slopes.split_at(operands.len());
            for (&i, slope) in iter::zip(&operands, to_operands) {
                of_nodes[i] += part(above, *slope);
            }
            for (size, slope) in iter::zip(&mut of_step, to_parameters) {
                *size += part(above, *slope);
            }
        }
        // The steps come in reverse, but the parameters of each must stay in order.
        of_parameters.splice(0..0, of_step);
        end = first;
    }
    of_nodes.truncate(graph.leaves.len());
    of_nodes.extend(of_parameters);
    assert_eq!(of_nodes.len(), leaves);
    of_nodes
}

/// A factor of 0 makes the part 0: 0 · ∞ is not NaN here.
fn part(above: f64, slope: f64) -> f64 {
    if above == 0.0 || slope == 0.0 {
        0.0
    } else {
        above * slope.abs()
    }
}
