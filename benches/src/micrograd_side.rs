//! The work as a user of micrograd writes it: with a graph built anew each time ("eager"),
//! recorded once and replayed ("tape"), or written as source code.

mod training;

use std::array;
use std::hint::black_box;

use micrograd::engine::Value;
use micrograd::tape::{Source, Tape, VectorTape};

use crate::emitted;
use crate::work::digits::{CLASSES, Digits, PIXELS, split};
use crate::work::{self, CHAIN_START, README_INPUTS, readme_rows};
use training::net;

pub use training::{
    digits, digits_on_tape, moons, moons_loss_of_a_row, moons_on_tape, record_moons,
};

/// Builds a graph, walks it backward and drops it.
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

/// Records a graph that is there already.
pub fn recording<const N: usize>(
    inputs: [f64; N],
    build: impl Fn(&[Value; N]) -> Value,
) -> impl Fn() -> Tape {
    let leaves = inputs.map(Value::new);
    let output = build(&leaves);
    move || Tape::record(black_box(&leaves), &output)
}

/// Replays a graph that was recorded once.
fn replay<const N: usize>(
    inputs: [f64; N],
    build: impl Fn(&[Value; N]) -> Value,
) -> impl Fn() -> (f64, Vec<f64>) {
    let tape = recording(inputs, build)();
    move || tape.gradient(&black_box(inputs))
}

/// The README's program: g, then its gradient by a and by b.
pub fn readme_program() -> (f64, [f64; 2]) {
    let [a, b] = black_box(README_INPUTS);
    let a = Value::new(a).with_name("a");
    let b = Value::new(b).with_name("b");
    let g = program(&a, &b);
    g.backward();
    (g.data(), [a.grad(), b.grad()])
}

/// The README's program on a tape.
pub fn readme_program_on_tape() -> impl Fn() -> (f64, Vec<f64>) {
    replay(README_INPUTS, |[a, b]| program(a, b))
}

/// The README's program as source code.
pub fn readme_program_by_source() -> (f64, [f64; 2]) {
    let mut gradient = [0.0; 2];
    let g = emitted::readme::readme_gradient(&black_box(README_INPUTS), &mut gradient);
    (g, gradient)
}

/// The README's program for many rows, each added to a and b: the mean of g, then its
/// gradient by a and by b.
pub fn program_by_rows() -> impl Fn() -> [f64; 3] {
    let [a, b] = README_INPUTS.map(Value::new);
    let rows = readme_rows();
    move || {
        a.zero_grad();
        b.zero_grad();
        let mut mean = 0.0;
        for &[x, y] in black_box(&rows) {
            let share = program(&(&a + x), &(&b + y)) / rows.len() as f64;
            share.backward();
            mean += share.data();
        }
        [mean, a.grad(), b.grad()]
    }
}

/// The same on a tape.
pub fn program_by_rows_on_tape() -> impl Fn() -> [f64; 3] {
    let [a, b] = README_INPUTS.map(Value::new);
    let tape = Tape::trace(|[x, y]| program(&(&a + &x), &(&b + &y)));
    let rows = readme_rows();
    move || {
        a.zero_grad();
        b.zero_grad();
        let mean = tape.backward(black_box(&rows));
        [mean, a.grad(), b.grad()]
    }
}

/// The end of a chain of `length` operations, and its slope by the start.
pub fn chain(length: usize) -> impl Fn() -> (f64, [f64; 1]) {
    eager_pass([CHAIN_START], move |[start]| {
        work::links(start.clone(), length)
    })
}

/// The same on a tape.
pub fn chain_on_tape(length: usize) -> impl Fn() -> (f64, Vec<f64>) {
    replay([CHAIN_START], move |[start]| {
        work::links(start.clone(), length)
    })
}

pub(crate) fn program(a: &Value, b: &Value) -> Value {
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

/// The source code in `emitted`, by file.
///
/// # Panics
///
/// If micrograd refuses a name.
pub fn sources() -> [(&'static str, String); 2] {
    let [mut readme, mut digits] = [Source::rust(), Source::rust()];
    let program = Tape::trace(|[a, b]| program(&a, &b)).freeze();
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
    let net = net(&Digits::full());
    VectorTape::trace(|pixels: [Value; PIXELS]| net.forward(&pixels))
}

/// The outputs of the net of the digits for one image, by source code.
pub fn digits_by_source() -> impl Fn() -> [f64; CLASSES] {
    let pixels = *split(&Digits::full().rows[0]).0;
    move || {
        let mut outputs = [0.0; CLASSES];
        emitted::digits::digits(black_box(&pixels), &mut outputs);
        outputs
    }
}

/// The same by a frozen tape.
pub fn digits_by_evaluator() -> impl FnMut() -> Vec<f64> {
    let pixels = *split(&Digits::full().rows[0]).0;
    let mut evaluator = digits_outputs().freeze().evaluator();
    move || evaluator.forward(black_box(&[&pixels])).swap_remove(0)
}
