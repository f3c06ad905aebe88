//! The README's program and the chain.

use std::hint::black_box;

use micrograd::engine::Value;
use micrograd::tape::Tape;

use crate::work::{CHAIN_FACTOR, CHAIN_START, CHAIN_TERM, README_INPUTS, readme_rows};

/// The README's program: g, then its gradient by a and by b.
pub fn readme_program() -> [f64; 3] {
    let [a, b] = black_box(README_INPUTS);
    let a = Value::new(a).with_name("a");
    let b = Value::new(b).with_name("b");
    let g = program(&a, &b);
    g.backward();
    [g.data(), a.grad(), b.grad()]
}

/// The README's program on a tape: g, then its gradient by a and by b.
pub fn readme_program_on_tape() -> impl FnMut() -> [f64; 3] {
    let [a, b] = README_INPUTS.map(Value::new);
    let tape = Tape::record(&[a.clone(), b.clone()], &program(&a, &b));
    move || {
        let (g, gradient) = tape.gradient(&black_box(README_INPUTS));
        [g, gradient[0], gradient[1]]
    }
}

/// The README's program for many rows, each added to a and b: the mean of g, then its
/// gradient by a and by b.
pub fn program_by_rows() -> impl FnMut() -> [f64; 3] {
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
pub fn program_by_rows_on_tape() -> impl FnMut() -> [f64; 3] {
    let [a, b] = README_INPUTS.map(Value::new);
    let [x, y] = [0.0, 0.0].map(Value::new);
    let g = program(&(&a + &x), &(&b + &y));
    let tape = Tape::record(&[x, y], &g);
    let rows = readme_rows();
    move || {
        a.zero_grad();
        b.zero_grad();
        let mean = tape.backward(black_box(&rows));
        [mean, a.grad(), b.grad()]
    }
}

/// A chain of `length` operations: its end, then the slope of that by its start.
pub fn chain(length: usize) -> [f64; 2] {
    let start = Value::new(black_box(CHAIN_START));
    let end = links(&start, length);
    end.backward();
    [end.data(), start.grad()]
}

/// A chain of `length` operations on a tape: its end, then the slope of that by its
/// start.
pub fn chain_on_tape(length: usize) -> impl FnMut() -> [f64; 2] {
    let start = Value::new(CHAIN_START);
    let end = links(&start, length);
    let tape = Tape::record(&[start], &end);
    move || {
        let (end, gradient) = tape.gradient(&[black_box(CHAIN_START)]);
        [end, gradient[0]]
    }
}

pub(super) fn program(a: &Value, b: &Value) -> Value {
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

pub(super) fn links(start: &Value, length: usize) -> Value {
    let mut x = start.clone();
    for index in 0..length {
        x = if index % 2 == 0 {
            x * CHAIN_FACTOR
        } else {
            x + CHAIN_TERM
        };
    }
    x
}
