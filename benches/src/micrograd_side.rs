//! The work as a user of micrograd would write it: on a graph that is rebuilt each time, on a tape
//! that is recorded once and replayed, or as generated source code.

mod training;

use std::array;
use std::hint::black_box;

use micrograd::engine::Value;
use micrograd::tape::{Source, Tape, VectorTape};

use crate::emitted;
use crate::work;
use crate::work::digits::{self, CLASSES, PIXELS, split};

pub use crate::work::moons::ROWS as MOONS;
pub use crate::work::{CHAIN_START, README_INPUTS};
#[cfg(feature = "rayon")]
pub(crate) use training::moons_on_threads;
pub use training::{Training, digits, moons};

/// Builds a graph, runs the backward pass and drops the graph.
pub fn eager_pass<const N: usize>(
    inputs: [f64; N],
    build: impl Fn(&[Value; N]) -> Value,
) -> impl Fn() -> (f64, [f64; N]) {
    move || {
        let leaves = black_box(inputs).map(Value::new);
        let output = build(&leaves);
        output.backward();
        (output.data(), array::from_fn(|k| leaves[k].grad()))
    }
}

/// Records a graph that has already been built.
pub fn recording<const N: usize>(
    inputs: [f64; N],
    build: impl Fn(&[Value; N]) -> Value,
) -> impl Fn() -> Tape {
    let leaves = inputs.map(Value::new);
    let output = build(&leaves);
    move || Tape::record(black_box(&leaves), &output)
}

/// Replays a graph that was recorded once.
pub fn replay<const N: usize>(
    inputs: [f64; N],
    build: impl Fn(&[Value; N]) -> Value,
) -> impl Fn() -> (f64, Vec<f64>) {
    let tape = recording(inputs, build)();
    move || tape.gradient(&black_box(inputs))
}

/// The README's program as source code.
pub fn readme_program_by_source() -> (f64, [f64; 2]) {
    let mut gradient = [0.0; 2];
    let g = emitted::readme::readme_gradient(&black_box(README_INPUTS), &mut gradient);
    (g, gradient)
}

/// The README's program on a graph.
pub fn program([a, b]: &[Value; 2]) -> Value {
    let a = &a.clone().with_name("a");
    let b = &b.clone().with_name("b");
    let mut c = (a + b).with_name("c");
    let mut d = (a * b + &b.pow(3.0)).with_name("c");
    c += &c + 1.0;
    c += 1.0 + &c + (-a);
    d += &d * 2.0 + (b + a).relu();
    d += 3.0 * &d + (b - a).relu();
    let e = (&c - &d).with_name("e");
    let f = e.pow(2.0).with_name("f");
    let mut g = (&f / 2.0).with_name("g");
    g += 10.0 / &f;
    g
}

/// A chain of `length` operations on a graph.
pub fn chain(length: usize) -> impl Fn(&[Value; 1]) -> Value + Clone {
    move |[start]| work::links(start.clone(), length)
}

/// The source code in `emitted`, by file.
///
/// # Panics
///
/// If micrograd refuses a name.
pub fn sources() -> [(&'static str, String); 2] {
    let [mut readme, mut digits] = [Source::rust(), Source::rust()];
    let program = Tape::trace(|inputs| program(&inputs)).freeze();
    readme.add("readme", &program).expect("a name");
    digits
        .add_vector("digits", &digits_outputs().freeze())
        .expect("a name");
    [
        ("readme.rs", readme.to_string()),
        ("digits.rs", digits.to_string()),
    ]
}

fn digits_outputs() -> VectorTape {
    let net = digits::task().net;
    VectorTape::trace(|pixels: [Value; PIXELS]| net.forward(&pixels))
}

/// The outputs of the digits net for one image, computed by generated source code.
pub fn digits_by_source() -> impl Fn() -> [f64; CLASSES] {
    let pixels = *split(&digits::task().rows[0]).0;
    move || {
        let mut outputs = [0.0; CLASSES];
        emitted::digits::digits(black_box(&pixels), &mut outputs);
        outputs
    }
}

/// The same outputs, computed by the evaluator of a frozen tape.
pub fn digits_by_evaluator() -> impl FnMut() -> Vec<f64> {
    let pixels = *split(&digits::task().rows[0]).0;
    let mut evaluator = digits_outputs().freeze().evaluator();
    move || evaluator.forward(black_box(&[&pixels])).swap_remove(0)
}
