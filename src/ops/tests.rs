//! Walks over every row of the table.

use std::iter;
use std::rc::Rc;

use super::*;
use crate::tape::Tape;

#[derive(Clone, Copy, PartialEq)]
enum Arguments {
    X,
    XAndY,
    XAndParameter,
}

macro_rules! list_operations {
    ([] ($out:ident, $g:ident) $(
        #[doc = $doc:literal] $Op:ident $($method:ident)? $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $dx:expr $(, y: $dy:expr)?;
    )*) => {
        const OPERATIONS: &[(Op, Arguments)] = &[
            $( (Op::$Op, list_operations!($x $(, $y)? $(; $parameter)?)), )*
        ];

        /// The heading of the operation's paragraph in the notes.
        fn heading(op: Op) -> String {
            match op {
                $( Op::$Op => {
                    let method: &[&str] = &[$(stringify!($method))?];
                    method.first().map_or(stringify!($Op).to_lowercase(), |name| (*name).into())
                } )*
            }
        }

        /// What the operation passes down, as the row has it.
        fn rules(op: Op) -> Vec<&'static str> {
            match op { $( Op::$Op => vec![stringify!($dx) $(, stringify!($dy))?], )* }
        }
    };
    ($x:ident) => { Arguments::X };
    ($x:ident, $y:ident) => { Arguments::XAndY };
    ($x:ident; $parameter:ident) => { Arguments::XAndParameter };
}

operations!(list_operations);

mod pytorch;

const XS: [f64; 11] = [-4.3, -2.6, -1.7, -0.8, -0.35, 0.3, 0.7, 1.25, 2.3, 3.7, 4.1];
const YS: [f64; 9] = [-2.0, -1.4, -0.6, -0.5, 0.45, 0.5, 1.3, 2.0, 3.0];

/// Those whose domain has no negative numbers.
const OF_POSITIVES: [Op; 5] = [Op::Sqrt, Op::Ln, Op::Log2, Op::Log10, Op::Acosh];

/// Every operation at every point at which it has a finite value.
fn points() -> impl Iterator<Item = (Op, Arguments, f64, f64)> {
    OPERATIONS.iter().flat_map(|&(op, arguments)| {
        let ys = if arguments == Arguments::X {
            &YS[..1]
        } else {
            &YS[..]
        };
        XS.iter()
            .flat_map(move |&x| ys.iter().map(move |&y| (op, arguments, x, y)))
            .filter(|&(op, _, x, y)| op.value(x, y).is_finite())
    })
}

/// Those that have a kink or a jump where one of the arguments is 0, or an infinite slope.
const NOT_SMOOTH_AT_0: [Op; 8] = [
    Op::Sqrt,
    Op::Cbrt,
    Op::Abs,
    Op::When,
    Op::Unless,
    Op::Relu,
    Op::LeakyRelu,
    Op::Elu,
];

/// Every other operation where one of the arguments is 0, if it has a finite value there. The rule of
/// the power makes an exception of the exponent 0.
fn points_at_0() -> impl Iterator<Item = (Op, Arguments, f64, f64)> {
    let smooth = OPERATIONS
        .iter()
        .filter(|(op, _)| !NOT_SMOOTH_AT_0.contains(op));
    smooth.flat_map(|&(op, arguments)| {
        let x_is_0 = YS.iter().map(|&y| (0.0, y));
        let y_is_0 = XS.iter().map(|&x| (x, 0.0));
        x_is_0
            .chain(y_is_0)
            .map(move |(x, y)| (op, arguments, x, y))
            .filter(|&(op, _, x, y)| op.value(x, y).is_finite() && (op, y) != (Op::Pow, 0.0))
    })
}

fn central_difference(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let step = 1e-5 * x.abs();
    (f(x + step) - f(x - step)) / (2.0 * step)
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64, what: &str) {
    let tolerance = 2e-7 * theirs.abs().max(1.0);
    let close = (ours - theirs).abs() <= tolerance || ours.is_nan() && theirs.is_nan();
    assert!(close, "{what}: {ours} instead of {theirs}");
}

#[test]
fn every_derivative_agrees_with_a_finite_difference() {
    // That of detach is not meant to.
    for (op, arguments, x, y) in points().filter(|&(op, ..)| op != Op::Detach) {
        let what = format!("{op:?}({x}, {y})");
        let at_x = |x| op.value(x, y);
        let at_y = |y| op.value(x, y);
        let (x_node, y_node) = (Value::new(x), Value::new(y));

        if arguments == Arguments::X {
            Value::unary(op, x_node.clone()).backward();
        } else {
            Value::binary(op, x_node.clone(), Operand::Literal(y)).backward();
        }
        assert_close(x_node.grad(), central_difference(at_x, x), &what);
        if arguments == Arguments::XAndY {
            Value::literal_left(op, x, y_node.clone()).backward();
            assert_close(y_node.grad(), central_difference(at_y, y), &what);

            Value::binary(op, x_node.clone(), y_node.clone().into()).backward();
            assert_close(x_node.grad(), 2.0 * central_difference(at_x, x), &what);
            assert_close(y_node.grad(), 2.0 * central_difference(at_y, y), &what);
        }
    }
}

#[test]
fn every_operation_is_checked_at_points_of_both_signs() {
    for &(op, _) in OPERATIONS {
        let xs: Vec<f64> = points()
            .filter_map(|(other, _, x, _)| (other == op).then_some(x))
            .collect();
        let negative = xs.iter().filter(|&&x| x < 0.0).count();
        let positive = xs.iter().filter(|&&x| x > 0.0).count();
        assert!(negative + positive >= 3, "{op:?}");
        assert!(positive > 0, "{op:?}");
        assert_eq!(negative == 0, OF_POSITIVES.contains(&op), "{op:?}");
    }
}

#[test]
fn every_operation_has_its_paragraph_in_the_notes() {
    let notes = include_str!("../../notes/Gradients.md");
    for &(op, _) in OPERATIONS {
        let heading = format!("\n### {}\n\n", heading(op));
        let paragraph = notes.split_once(&heading).map(|(_, rest)| rest);
        assert!(
            paragraph
                .is_some_and(|text| text.starts_with(|c: char| c != '#' && !c.is_whitespace())),
            "notes/Gradients.md has no paragraph below '### {}'",
            self::heading(op)
        );
    }
}

#[test]
fn the_notes_quote_every_rule_as_it_is() {
    let squeezed = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '`', "");
    let notes = include_str!("../../notes/Gradients.md");
    for &(op, _) in OPERATIONS {
        let (_, rest) = notes
            .split_once(&format!("\n### {}\n", heading(op)))
            .unwrap_or_else(|| panic!("there is no paragraph on {op:?}"));
        let paragraph = rest.split("\n##").next().unwrap();
        for rule in rules(op) {
            assert!(
                squeezed(paragraph).contains(&squeezed(rule)),
                "the paragraph on {op:?} does not say {rule}"
            );
        }
    }
}

/// A number that is neither `Copy` nor `f64`: a value and its derivative. The rules, applied to it,
/// give second derivatives. It has all functions of the table, so it also shows that the table is
/// closed.
#[derive(Clone)]
pub(crate) struct Dual(Rc<[f64; 2]>);

impl Dual {
    fn new(value: f64, derivative: f64) -> Self {
        Self(Rc::new([value, derivative]))
    }

    fn value(&self) -> f64 {
        self.0[0]
    }

    fn derivative(&self) -> f64 {
        self.0[1]
    }

    /// By the rules on `f64`. A part that does not vary takes no part, whatever its slope.
    fn apply(op: Op, x: &Self, y: &Self) -> Self {
        let part = |derivative: f64, slope: &dyn Fn() -> f64| {
            if derivative == 0.0 {
                0.0
            } else {
                derivative * slope()
            }
        };
        let out = op.value(x.value(), y.value());
        let along_x = part(x.derivative(), &|| op.dx(x.value(), y.value(), out, 1.0));
        let along_y = part(y.derivative(), &|| op.dy(x.value(), y.value(), out, 1.0));
        Self::new(out, along_x + along_y)
    }
}

impl From<f64> for Dual {
    fn from(value: f64) -> Self {
        Self::new(value, 0.0)
    }
}

impl From<&Dual> for Dual {
    fn from(dual: &Dual) -> Self {
        dual.clone()
    }
}

operations!(define_number Dual);
operations!(define_rules dual_dx, dual_dy, Dual, &Dual);

#[test]
fn the_rules_give_second_derivatives_on_a_number_that_is_not_copy() {
    for (op, arguments, x, y) in points().chain(points_at_0()) {
        // 1 for the argument that varies, 0 for the other.
        for (along_x, along_y) in [(1.0, 0.0), (0.0, 1.0)] {
            if along_y == 1.0 && arguments != Arguments::XAndY {
                continue;
            }
            let (dual_x, dual_y) = (Dual::new(x, along_x), Dual::new(y, along_y));
            let out = Dual::apply(op, &dual_x, &dual_y);
            let g = Dual::from(1.5);
            let along = |rule: &dyn Fn(f64, f64, f64) -> f64| {
                let at = |t: f64| {
                    let (x, y) = (x + (t - 1.0) * along_x, y + (t - 1.0) * along_y);
                    rule(x, y, op.value(x, y))
                };
                central_difference(at, 1.0)
            };

            let what = format!("{op:?}({x}, {y}) along ({along_x}, {along_y})");
            let theirs = along(&|x, y, out| op.dx(x, y, out, 1.5));
            let ours = op.dual_dx(&dual_x, &dual_y, &out, &g);
            assert_close_or_undefined(&ours, theirs, &what);
            if arguments == Arguments::XAndY {
                let theirs = along(&|x, y, out| op.dy(x, y, out, 1.5));
                let ours = op.dual_dy(&dual_x, &dual_y, &out, &g);
                assert_close_or_undefined(&ours, theirs, &what);
            }
        }
    }
}

/// Along an exponent, a negative base has a value at integers only, and so no derivative.
#[track_caller]
fn assert_close_or_undefined(ours: &Dual, theirs: f64, what: &str) {
    if theirs.is_nan() {
        return;
    }
    let tolerance = 1e-5 * theirs.abs().max(1.0);
    let difference = (ours.derivative() - theirs).abs();
    assert!(
        difference <= tolerance,
        "{what}: {} instead of {theirs}",
        ours.derivative()
    );
}

/// Numbers at which an operation may do something else than nearby.
const EDGES: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    3.0,
    1000.0,
    -1000.0,
    -1e-310,
    1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Every pair of these numbers, in lanes.
fn pairs_in_lanes<const N: usize>() -> Vec<[Lanes<N>; 2]> {
    let numbers: Vec<f64> = EDGES.into_iter().chain(XS).chain(YS).collect();
    let pairs: Vec<_> = numbers
        .iter()
        .flat_map(|&x| numbers.iter().map(move |&y| [x, y]))
        .collect();
    pairs
        .chunks(N)
        .map(|pairs| {
            [0, 1].map(|side| {
                let mut lanes = Lanes::default();
                for (lane, pair) in lanes.lanes_mut().iter_mut().zip(pairs) {
                    *lane = pair[side];
                }
                lanes
            })
        })
        .collect()
}

/// Asserts the same bits in every lane; any NaN is like any other.
#[track_caller]
fn assert_same<const N: usize>(lanes: &Lanes<N>, of_lane: impl Fn(usize) -> f64, what: &str) {
    for (lane, &ours) in lanes.lanes().iter().enumerate() {
        let theirs = of_lane(lane);
        assert!(
            ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan(),
            "{what}, lane {lane}: {ours} instead of {theirs}"
        );
    }
}

fn lanes_compute_what_a_single_number_does<const N: usize>() {
    let g = Lanes::<N>::from(1.5);
    for [x, y] in pairs_in_lanes::<N>() {
        let at = |lane: usize| (x.lanes()[lane], y.lanes()[lane]);
        for &(op, arguments) in OPERATIONS {
            let out = Lanes::value(op, &x, &y);
            let value = |lane| {
                let (x, y) = at(lane);
                op.value(x, y)
            };
            assert_same(&out, value, &format!("{op:?}"));
            let dx = |lane| op.dx(at(lane).0, at(lane).1, value(lane), 1.5);
            assert_same(&Lanes::dx(op, &x, &y, &out, &g), dx, &format!("{op:?} dx"));
            if arguments == Arguments::XAndY {
                let dy = |lane| op.dy(at(lane).0, at(lane).1, value(lane), 1.5);
                assert_same(&Lanes::dy(op, &x, &y, &out, &g), dy, &format!("{op:?} dy"));
            }
        }
    }
}

/// Every pair of edges, and a few ordinary ones.
fn pairs() -> impl Iterator<Item = (f64, f64)> {
    let edges = EDGES
        .iter()
        .flat_map(|&x| EDGES.iter().map(move |&y| (x, y)));
    edges.chain(iter::zip(XS, YS))
}

#[test]
fn symbols_compute_what_a_single_number_does() {
    for (x, y) in pairs() {
        let [x_symbol, y_symbol] = [x, y].map(|number| Symbol::from(&Value::new(number)));
        for &(op, arguments) in OPERATIONS {
            let out = op.value(x, y);
            let [out_symbol, g] = [out, 1.5].map(|number| Symbol::from(&Value::new(number)));
            let result = Symbol::apply(op, &x_symbol, &y_symbol);
            assert_same_number(&result, out, &format!("{op:?}({x}, {y})"));
            let dx = op.symbol_dx(&x_symbol, &y_symbol, &out_symbol, &g);
            assert_same_number(&dx, op.dx(x, y, out, 1.5), &format!("{op:?}({x}, {y}) dx"));
            if arguments == Arguments::XAndY {
                let dy = op.symbol_dy(&x_symbol, &y_symbol, &out_symbol, &g);
                assert_same_number(&dy, op.dy(x, y, out, 1.5), &format!("{op:?}({x}, {y}) dy"));
            }
        }
    }
}

/// What a symbol stands for; 0 may have lost its sign where a 0 was left out of a sum.
#[track_caller]
fn assert_same_number(symbol: &Symbol, theirs: f64, what: &str) {
    assert_equal(symbol.number(), theirs, what);
}

/// Any NaN is like any other.
#[track_caller]
fn assert_same_bits(ours: f64, theirs: f64, what: &str) {
    let same = ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan();
    assert!(same, "{what}: {ours:?} instead of {theirs:?}");
}

/// Any NaN is like any other, and -0 like 0, to which it was added.
#[track_caller]
fn assert_equal(ours: f64, theirs: f64, what: &str) {
    let equal = ours == theirs || ours.is_nan() && theirs.is_nan();
    assert!(equal, "{what}: {ours} instead of {theirs}");
}

/// The operation on two nodes, or on what it takes instead.
fn apply_to_nodes(op: Op, arguments: Arguments, x: &Value, y: &Value) -> Value {
    match arguments {
        Arguments::X => Value::unary(op, x.clone()),
        Arguments::XAndY => Value::binary(op, x.clone(), y.clone().into()),
        Arguments::XAndParameter => Value::binary(op, x.clone(), y.data().into()),
    }
}

#[test]
fn values_compute_what_a_single_number_does() {
    for (x, y) in pairs() {
        for &(op, arguments) in OPERATIONS {
            let what = format!("{op:?}({x}, {y})");
            let out = op.value(x, y);
            let dx = op.dx(x, y, out, 1.0);
            let [x_node, y_node] = [x, y].map(Value::new);
            let ours = apply_to_nodes(op, arguments, &x_node, &y_node);
            ours.backward();
            assert_same_bits(ours.data(), out, &what);
            assert_equal(x_node.grad(), dx, &format!("{what} dx"));
            if arguments == Arguments::XAndY {
                let dy = op.dy(x, y, out, 1.0);
                assert_equal(y_node.grad(), dy, &format!("{what} dy"));
                let [x_node, y_node] = [x, y].map(Value::new);
                Value::binary(op, x_node.clone(), y.into()).backward();
                Value::literal_left(op, x, y_node.clone()).backward();
                assert_equal(x_node.grad(), dx, &format!("{what} dx, y a literal"));
                assert_equal(y_node.grad(), dy, &format!("{what} dy, x a literal"));
            }
        }
    }
}

#[test]
fn tapes_compute_what_a_single_number_does() {
    let rows: Vec<_> = pairs().map(|(x, y)| [x, y]).collect();
    for &(op, arguments) in OPERATIONS {
        // The parameter of an operation is recorded, so it is the same in all rows.
        let rows_of = |parameter: f64| -> Vec<[f64; 2]> {
            let same = rows
                .iter()
                .filter(|row| row[1].to_bits() == parameter.to_bits());
            same.copied().collect()
        };
        if arguments == Arguments::XAndParameter {
            for parameter in EDGES.into_iter().chain(YS) {
                a_tape_computes_what_a_single_number_does(op, arguments, &rows_of(parameter));
            }
        } else {
            a_tape_computes_what_a_single_number_does(op, arguments, &rows);
        }
    }
}

/// With both arguments as inputs, and with both as parameters.
fn a_tape_computes_what_a_single_number_does(op: Op, arguments: Arguments, rows: &[[f64; 2]]) {
    let [x_node, y_node] = rows[0].map(Value::new);
    let output = apply_to_nodes(op, arguments, &x_node, &y_node);
    let of_inputs = Tape::record(&[x_node.clone(), y_node.clone()], &output);
    let of_parameters = Tape::record(&[], &output);
    for (&[x, y], out) in iter::zip(rows, of_inputs.forward(rows)) {
        let what = format!("{op:?}({x}, {y}) on a tape");
        let theirs = op.value(x, y);
        assert_same_bits(out, theirs, &what);
        let mut gradient = vec![op.dx(x, y, theirs, 1.0), 0.0];
        if arguments == Arguments::XAndY {
            gradient[1] = op.dy(x, y, theirs, 1.0);
        }

        let (out, by_tape) = of_inputs.gradient(&[x, y]);
        assert_same_bits(out, theirs, &what);
        for node in [&x_node, &y_node] {
            node.zero_grad();
        }
        x_node.set_data(x);
        y_node.set_data(y);
        assert_equal(of_parameters.backward(&[[]]), theirs, &what);
        let to_parameters = [x_node.grad(), y_node.grad()];
        for (i, theirs) in gradient.into_iter().enumerate() {
            assert_equal(by_tape[i], theirs, &format!("{what}, input {i}"));
            assert_equal(to_parameters[i], theirs, &format!("{what}, parameter {i}"));
        }
    }
}

#[test]
fn a_rule_that_is_a_number_is_0_as_the_table_recognises_it() {
    for &(op, _) in OPERATIONS {
        for rule in rules(op) {
            let number = rule.trim_matches(['(', ')']).parse::<f64>();
            assert!(number.is_err() || rule == "0.0", "{op:?}: {rule}");
        }
    }
}

#[test]
fn a_symbol_leaves_out_what_changes_nothing_and_nothing_else() {
    let x = Symbol::from(&Value::new(f64::INFINITY));
    let is_x = |symbol: &Symbol| match (&symbol.0, &x.0) {
        (Operand::Node(ours), Operand::Node(theirs)) => ours.same_node(theirs),
        _ => false,
    };
    for kept in [
        &x + 0.0,
        0.0 + &x,
        &x - 0.0,
        &x * 1.0,
        1.0 * &x,
        &x / 1.0,
        x.unless(0.0),
        x.when(1.0),
    ] {
        assert!(is_x(&kept));
    }
    for changed in [
        0.0 - &x,
        1.0 / &x,
        &x * 0.0,
        0.0 * &x,
        x.when(0.0),
        x.unless(1.0),
        x.pow(1.0),
    ] {
        assert!(!is_x(&changed));
    }
    assert_same_number(&(&x * 0.0), f64::NAN, "∞ · 0");
    let literal = Symbol::from(2.0).tanh() + 1.0;
    assert!(matches!(literal.0, Operand::Literal(_)));
}

#[test]
fn lanes_of_every_width_compute_what_a_single_number_does() {
    lanes_compute_what_a_single_number_does::<4>();
    lanes_compute_what_a_single_number_does::<32>();
}

#[test]
fn nan_passes_through_every_operation_but_the_conditions() {
    const NAN: f64 = f64::NAN;
    for &(op, arguments) in OPERATIONS {
        let of_nan = match op {
            Op::AtMost | Op::Equals => continue,
            Op::When | Op::Unless => vec![op.value(NAN, f64::from(op == Op::When))],
            _ if arguments == Arguments::XAndY => vec![op.value(NAN, 2.5), op.value(2.5, NAN)],
            _ => vec![op.value(NAN, 2.5)],
        };
        assert!(of_nan.iter().all(|value| value.is_nan()), "{op:?}");
    }
    // What does not depend on an argument does not depend on its being NaN.
    assert_eq!((NAN.pow(0.0), 1.0.pow(NAN)), (1.0, 1.0));
}

#[test]
fn values_and_rules_keep_their_digits_far_out_and_near_zero() {
    let exact = [
        ("exp_m1", Op::ExpM1.value(1e-10, 0.0), 1.000_000_000_05e-10),
        ("ln_1p", Op::Ln1p.value(1e-10, 0.0), 9.999_999_999_5e-11),
        (
            "exp_m1'",
            slope(Op::ExpM1, -40.0, 0.0).0,
            4.248_354_255_291_589e-18,
        ),
        ("asinh'", slope(Op::Asinh, 1e200, 0.0).0, 1e-200),
        (
            "asin'",
            slope(Op::Asin, 1.0 - 2e-16, 0.0).0,
            4.745_313_281_212_578e7,
        ),
        ("atan2' x", slope(Op::Atan2, 1e-200, 1e-200).0, 5e199),
        ("atan2' y", slope(Op::Atan2, 1e-200, 1e-200).1, -5e199),
        ("hypot' x", slope(Op::Hypot, 3e200, 4e200).0, 0.6),
        ("div' y", slope(Op::Div, 1e200, 1e200).1, -1e-200),
        ("recip'", Op::Recip.dx(1e-160, 0.0, 1e160, 1e-300), -1e20),
    ];
    for (what, ours, theirs) in exact {
        assert!(
            (ours / theirs - 1.0).abs() < 4e-15,
            "{what}: {ours} instead of {theirs}"
        );
    }
}

/// The local derivatives.
fn slope(op: Op, x: f64, y: f64) -> (f64, f64) {
    let out = op.value(x, y);
    let has_y = OPERATIONS.contains(&(op, Arguments::XAndY));
    (
        op.dx(x, y, out, 1.0),
        if has_y { op.dy(x, y, out, 1.0) } else { 0.0 },
    )
}

#[test]
fn what_a_rule_drops_does_not_come_back_as_nan_when_it_is_differentiated() {
    let second = |op: Op, x: Dual, y: Dual, rule: fn(Op, &Dual, &Dual, &Dual, &Dual) -> Dual| {
        let out = Dual::apply(op, &x, &y);
        rule(op, &x, &y, &out, &Dual::from(1.0)).derivative()
    };
    let (varies, fixed) = (|at| Dual::new(at, 1.0), |at| Dual::new(at, 0.0));
    assert_eq!(
        second(Op::Elu, varies(1000.0), fixed(1.0), Op::dual_dx),
        0.0
    );
    assert_eq!(second(Op::Pow, varies(0.0), fixed(0.0), Op::dual_dx), 0.0);
    assert_eq!(second(Op::Pow, varies(0.0), fixed(2.0), Op::dual_dy), 0.0);
}

#[test]
fn a_side_that_was_not_taken_is_dropped_and_not_multiplied_by_zero() {
    let infinity = f64::INFINITY;
    let not_taken = [
        (Op::Relu, -1.0, 0.0),
        (Op::Max, 1.0, 2.0),
        (Op::Min, 2.0, 1.0),
        (Op::When, 1.0, 0.0),
        (Op::Unless, 1.0, 1.0),
    ];
    for (op, x, y) in not_taken {
        assert_eq!(op.dx(x, y, op.value(x, y), infinity), 0.0, "{op:?}");
    }
    for (op, sign) in [(Op::Abs, -1.0), (Op::LeakyRelu, 1.0), (Op::Elu, 1.0)] {
        // The other side alone, not ∞ plus 0 · ∞.
        assert_eq!(
            op.dx(sign, 1.0, op.value(sign, 1.0), infinity),
            sign * infinity,
            "{op:?}"
        );
    }
    for (op, x, y) in [(Op::Max, 2.0, 1.0), (Op::Min, 1.0, 2.0)] {
        assert_eq!(op.dy(x, y, op.value(x, y), infinity), 0.0, "{op:?}");
    }
}
