//! What it takes to record a graph, beside what it takes to build and use it once.

use std::hint::black_box;

use micrograd::engine::Value;
use micrograd::nn::Module;
use micrograd::tape::Tape;

use super::program::{links, program};
use super::training::{hinge_and_penalty, net};
use crate::work::{CHAIN_START, Moons, README_INPUTS};

/// A graph of some inputs, that is built, walked and dropped, or recorded.
#[derive(Debug)]
pub struct Recording<B, const INPUTS: usize> {
    inputs: [f64; INPUTS],
    build: B,
}

/// The graph of the README's program.
pub fn readme_recording() -> Recording<impl Fn(&[Value; 2]) -> Value + Clone, 2> {
    Recording {
        inputs: README_INPUTS,
        build: |[a, b]: &[Value; 2]| program(a, b),
    }
}

/// The graph of the loss of one row of the moons.
pub fn moons_recording() -> Recording<impl Fn(&[Value; 3]) -> Value + Clone, 3> {
    let moons = Moons::new();
    let net = net(&moons);
    let parameters = net.parameters();
    Recording {
        inputs: moons.rows[0],
        build: move |row: &[Value; 3]| hinge_and_penalty(&net, &parameters, row),
    }
}

/// The graph of a chain of `length` operations.
pub fn chain_recording(length: usize) -> Recording<impl Fn(&[Value; 1]) -> Value + Clone, 1> {
    Recording {
        inputs: [CHAIN_START],
        build: move |[start]: &[Value; 1]| links(start, length),
    }
}

impl<B: Fn(&[Value; INPUTS]) -> Value + Clone, const INPUTS: usize> Recording<B, INPUTS> {
    /// Builds the graph, walks it backward and drops it: the output, then its gradient by
    /// the inputs.
    pub fn eager_pass(&self) -> impl FnMut() -> Vec<f64> + use<B, INPUTS> {
        let (inputs, build) = (self.inputs, self.build.clone());
        move || {
            let leaves = black_box(inputs).map(Value::new);
            let output = build(&leaves);
            output.backward();
            let gradient = leaves.iter().map(Value::grad);
            [output.data()].into_iter().chain(gradient).collect()
        }
    }

    /// Records the graph, which is there already.
    pub fn record(&self) -> impl FnMut() -> Tape + use<B, INPUTS> {
        let leaves = self.inputs.map(Value::new);
        let output = (self.build)(&leaves);
        move || Tape::record(black_box(&leaves), &output)
    }

    /// What a tape of the graph computes: the output, then its gradient by the inputs.
    pub fn replay(&self) -> impl FnMut(Tape) -> Vec<f64> + use<B, INPUTS> {
        let inputs = self.inputs;
        move |tape| {
            let (output, gradient) = tape.gradient(&inputs);
            [output].into_iter().chain(gradient).collect()
        }
    }
}
