//! The work as source code that micrograd writes.

use std::hint::black_box;

use micrograd::engine::Value;
use micrograd::nn::MLP;
use micrograd::tape::{Source, Tape, VectorTape};

use super::program::program;
use super::training::net;
use crate::emitted;
use crate::work::digits::{CLASSES, PIXELS, Row};
use crate::work::{Digits, README_INPUTS};

/// The README's program, as `emitted/readme.rs` has it.
///
/// # Panics
///
/// If micrograd takes `readme` for no name.
pub fn readme_source() -> String {
    let tape = Tape::trace(|[a, b]| program(&a, &b));
    let mut source = Source::rust();
    source.add("readme", &tape.freeze()).expect("a name");
    source.to_string()
}

/// The net of the digits, as `emitted/digits.rs` has it.
///
/// # Panics
///
/// If micrograd takes `digits` for no name.
pub fn digits_source() -> String {
    let mut source = Source::rust();
    source
        .add_vector("digits", &outputs(&net(&Digits::new())).freeze())
        .expect("a name");
    source.to_string()
}

fn outputs(net: &MLP) -> VectorTape {
    VectorTape::trace(|pixels: [Value; PIXELS]| net.forward(&pixels))
}

/// The README's program by that source: g, then its gradient by a and by b.
pub fn readme_program_by_source() -> [f64; 3] {
    let mut gradient = [0.0; 2];
    let g = emitted::readme::readme_gradient(&black_box(README_INPUTS), &mut gradient);
    [g, gradient[0], gradient[1]]
}

/// The outputs of the net of the digits for one image, by that source.
///
/// # Panics
///
/// Never: an image has pixels.
pub fn digits_by_source(row: &Row) -> impl FnMut() -> [f64; CLASSES] + use<> {
    let pixels: [f64; PIXELS] = row[..PIXELS].try_into().expect("pixels");
    move || {
        let mut outputs = [0.0; CLASSES];
        emitted::digits::digits(black_box(&pixels), &mut outputs);
        outputs
    }
}

/// The same by a frozen tape.
pub fn digits_by_evaluator(row: &Row) -> impl FnMut() -> Vec<f64> + use<> {
    let pixels = row[..PIXELS].to_vec();
    let mut evaluator = outputs(&net(&Digits::new())).freeze().evaluator();
    move || evaluator.forward(black_box(&[&pixels])).swap_remove(0)
}
