//! The text of generated source code. The crate `proofs` compiles and runs it.

use micrograd::engine::{Op, Value};
use micrograd::nn::{Activation, Layer};
use micrograd::tape::{Function, Source, Tape, VectorTape};

fn function() -> Function {
    Tape::trace(|[x, y]| (&x * -2.0).tanh() + y.pow(3.0)).freeze()
}

#[test]
fn a_function_in_c_has_a_line_for_each_step() {
    let mut source = Source::c();
    source.add("f", &function()).unwrap();
    let expected = "\
#include <math.h>

double f(const double x[2]) {
    const double v6 = x[0] * (-2.0);
    const double v7 = tanh(v6);
    const double v8 = x[1] * x[1] * x[1];
    const double v9 = v7 + v8;
    return v9;
}

double f_gradient(const double x[2], double gradient[2]) {
    const double v6 = x[0] * (-2.0);
    const double v7 = tanh(v6);
    const double v8 = x[1] * x[1] * x[1];
    const double v9 = v7 + v8;
    for (int i = 0; i < 2; i++) {
        gradient[i] = 0.0;
    }
    gradient[1] += 3.0 * (x[1] * x[1]);
    const double g6 = 1.0 - v7 * v7;
    gradient[0] += g6 * (-2.0);
    return v9;
}
";
    assert_eq!(source.to_string(), expected);
}

#[test]
fn the_notes_show_the_generated_source() {
    let w = Value::new(2.0);
    let tape = Tape::trace(|[x, y]| (&w * x).tanh() * y);
    let mut source = Source::c();
    source.add("f", &tape.freeze()).unwrap();
    let listing = format!("```c\n{source}```\n");
    assert!(
        include_str!("../notes/Source.md").contains(&listing),
        "{listing}"
    );
}

#[test]
fn a_layer_is_a_loop_over_constants_stored_by_input() {
    let layer = Layer::from_weights(
        &[&[1.0, 2.0], &[3.0, 4.0], &[5.0, 6.0]],
        &[0.25, 0.5, 0.75],
        Activation::Linear,
    );
    let outputs = VectorTape::trace(|[x, y]| layer.forward(&[x, y]));
    let mut source = Source::rust();
    source.add_vector("layer", &outputs.freeze()).unwrap();
    let expected = "\
const LAYER_WEIGHTS_4: [[f64; 3]; 2] = [
    [1.0, 3.0, 5.0],
    [2.0, 4.0, 6.0],
];

const LAYER_BIAS_4: [f64; 3] = [0.25, 0.5, 0.75];

pub fn layer(x: &[f64; 2], outputs: &mut [f64; 3]) {
    let mut v4 = [0.0_f64; 3];
    for i in 0..2 {
        for o in 0..3 {
            v4[o] += LAYER_WEIGHTS_4[i][o] * x[i];
        }
    }
    for o in 0..3 {
        v4[o] += LAYER_BIAS_4[o];
    }
    outputs[0] = v4[0];
    outputs[1] = v4[1];
    outputs[2] = v4[2];
}
";
    let text = source.to_string();
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn names_are_comments_that_end_with_their_line() {
    let name = "é */ ??/ \u{202e}\n\\";
    let tape = Tape::trace(|[x]| (x + 1.0).with_name(name).exp());
    for mut source in [Source::rust(), Source::c(), Source::javascript()] {
        source.add("f", &tape.freeze()).unwrap();
        let text = source.to_string();
        let comments: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once("//"))
            .collect();
        assert_eq!(comments.len(), 2, "{text}");
        for (_, comment) in comments {
            let escaped = r"\u{e9} \u{2a}\u{2f} \u{3f}\u{3f}\u{2f} \u{202e}\u{a}\u{5c}";
            assert_eq!(comment.trim(), escaped);
        }
    }
}

#[test]
fn an_invalid_name_is_an_error_and_changes_nothing() {
    let cases = [
        ("2d", "`2d` cannot be the name of a function in C"),
        ("double", "`double` cannot be the name of a function in C"),
        ("erf", "`erf` cannot be the name of a function in C"),
        ("sinf", "`sinf` cannot be the name of a function in C"),
        ("main", "`main` cannot be the name of a function in C"),
        ("a\n", r"`a\n` cannot be the name of a function in C"),
        ("work", "`work` is used by the source itself"),
        ("op_relu", "`op_relu` is used by the source itself"),
        ("f", "`f` is taken by the function `f`"),
        ("f_gradient", "`f_gradient` is taken by the function `f`"),
    ];
    let mut source = Source::c();
    source.add("f", &function()).unwrap();
    let before = source.to_string();
    for (name, message) in cases {
        let error = source.add(name, &function()).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(source.to_string(), before);
    }
    source.add("f2", &function()).unwrap();
    let mut rust = Source::rust();
    rust.add("erf", &function()).unwrap();
    assert!(rust.add("match", &function()).is_err());
}

#[test]
fn each_helper_that_is_called_is_written_once_and_no_other() {
    let relus = Tape::trace(|[x, y]| x.relu() + y.relu());
    let mut source = Source::javascript();
    source.add("relus", &relus.freeze()).unwrap();
    source.add("again", &relus.freeze()).unwrap();
    let text = source.to_string();
    assert_eq!(text.matches("function op_").count(), 1, "{text}");
    assert!(text.starts_with("function op_relu(x) {\n    return x <= 0.0 ? 0.0 : x;\n}\n\n"));
}

#[test]
fn parameters_are_constants_or_an_argument() {
    let w = Value::new(1.5);
    let tape = Tape::trace(|[x]| (&w * &w) * x);
    let mut source = Source::rust();
    source.add("constant", &tape.freeze()).unwrap();
    source
        .add_with_parameters("argument", &tape.freeze())
        .unwrap();
    let text = source.to_string();
    assert!(text.contains("let v4 = 2.25 * x[0];"), "{text}");
    let argument = "\
pub fn argument(x: &[f64; 1], parameters: &[f64; 1]) -> f64 {
    let s3 = parameters[0] * parameters[0];
";
    assert!(text.contains(argument), "{text}");
}

#[test]
fn formulas_name_the_arguments_as_the_table_does() {
    let formulas: Vec<_> = Op::ALL
        .iter()
        .filter(|op| ["leaky_relu", "clamp_min", "pow"].contains(&op.name()))
        .map(|op| (op.formula(), op.gradient_formulas()[0].clone().unwrap()))
        .collect();
    let expected = [
        ("x^y", "g · (y · x^(y - 1 unless (y = 0))) unless (y = 0)"),
        ("clamp_min(x, lo)", "g when (lo ≤ x)"),
        (
            "leaky_relu(x, slope)",
            "(g unless (x ≤ 0)) + (slope · g when (x ≤ 0))",
        ),
    ];
    assert_eq!(
        formulas,
        expected.map(|(value, vjp)| (value.into(), vjp.into()))
    );
}
