//! Every row of the table, on `f64` and on a number that is not `Copy`.

use std::iter;
use std::rc::Rc;

use super::*;

/// The text of the rules, as it is in the rows.
macro_rules! list_rules {
    ([] ($out:ident, $g:ident) $(
        #[doc = $doc:literal] $Op:ident $method:ident $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $vjp_x:expr $(, y: $vjp_y:expr)?;
    )*) => {
        fn rules(op: Op) -> Vec<&'static str> {
            match op.0 { $( Row::$Op => vec![stringify!($vjp_x) $(, stringify!($vjp_y))?], )* }
        }
    };
}

operations!(list_rules);

pub(crate) const XS: [f64; 11] = [-4.3, -2.6, -1.7, -0.8, -0.35, 0.3, 0.7, 1.25, 2.3, 3.7, 4.1];
pub(crate) const YS: [f64; 9] = [-2.0, -1.4, -0.6, -0.5, 0.45, 0.5, 1.3, 2.0, 3.0];

/// Operations whose domain has no negative numbers.
const OF_POSITIVES: [Op; 5] = [Op::Sqrt, Op::Ln, Op::Log2, Op::Log10, Op::Acosh];

/// Every operation at every point where its value is finite.
pub(crate) fn points() -> impl Iterator<Item = (Op, f64, f64)> {
    Op::ALL.iter().flat_map(|&op| {
        let ys = if op.arity() == Arity::Unary {
            &YS[..1]
        } else {
            &YS[..]
        };
        XS.iter()
            .flat_map(move |&x| ys.iter().map(move |&y| (op, x, y)))
            .filter(|&(op, x, y)| op.value(x, y).is_finite())
    })
}

/// Operations that have a kink, a jump or an infinite slope where one of the arguments is 0.
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

/// Every other operation where one of the arguments is 0, if its value is finite there. The
/// exponent 0 is left out, because the rule of the power makes an exception of it.
fn points_at_0() -> impl Iterator<Item = (Op, f64, f64)> {
    let smooth = Op::ALL.iter().filter(|op| !NOT_SMOOTH_AT_0.contains(op));
    smooth.flat_map(|&op| {
        let x_is_0 = YS.iter().map(|&y| (0.0, y));
        let y_is_0 = XS.iter().map(|&x| (x, 0.0));
        x_is_0
            .chain(y_is_0)
            .map(move |(x, y)| (op, x, y))
            .filter(|&(op, x, y)| op.value(x, y).is_finite() && (op, y) != (Op::Pow, 0.0))
    })
}

/// The vector-Jacobian products passed down to x and to y; 0 where nothing is passed down.
pub(crate) fn passed_down(op: Op, x: f64, y: f64, g: f64) -> [f64; 2] {
    let out = op.value(x, y);
    let to_x = op.passes_to_x().then(|| op.vjp_x(x, y, out, g));
    let has_y = op.arity() == Arity::Binary;
    let to_y = (has_y && op.passes_to_y()).then(|| op.vjp_y(x, y, out, g));
    [to_x, to_y].map(Option::unwrap_or_default)
}

pub(crate) fn central_difference(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let step = 1e-5 * x.abs();
    (f(x + step) - f(x - step)) / (2.0 * step)
}

#[test]
fn every_operation_is_checked_at_points_of_both_signs() {
    for &op in Op::ALL {
        let xs: Vec<f64> = points()
            .filter_map(|(other, x, _)| (other == op).then_some(x))
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
    for &op in Op::ALL {
        let heading = format!("\n### {}\n\n", op.name());
        let paragraph = notes.split_once(&heading).map(|(_, rest)| rest);
        assert!(
            paragraph
                .is_some_and(|text| text.starts_with(|c: char| c != '#' && !c.is_whitespace())),
            "notes/Gradients.md has no paragraph below '### {}'",
            op.name()
        );
    }
}

#[test]
fn the_notes_quote_every_rule_as_it_is() {
    let squeezed = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '`', "");
    let notes = include_str!("../../notes/Gradients.md");
    for &op in Op::ALL {
        let (_, rest) = notes
            .split_once(&format!("\n### {}\n", op.name()))
            .unwrap_or_else(|| panic!("there is no paragraph on {op:?}"));
        let paragraph = rest.split("\n##").next().unwrap();
        for (argument, rule) in iter::zip(["x", "y"], rules(op)) {
            let rule = format!("{argument}: {rule}");
            assert!(
                squeezed(paragraph).contains(&squeezed(&rule)),
                "the paragraph on {op:?} does not say {rule}"
            );
        }
    }
}

/// A number that is neither `Copy` nor `f64`: a value and its derivative. Applied to it, the rules
/// give second derivatives. It has only the functions of the table, so it also shows that the table
/// is closed.
#[derive(Clone)]
struct Dual(Rc<[f64; 2]>);

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

    /// Applies the rules on `f64`. An argument that does not vary contributes nothing, whatever its
    /// slope.
    fn apply(op: Op, x: &Self, y: &Self) -> Self {
        let slopes = passed_down(op, x.value(), y.value(), 1.0);
        let parts =
            iter::zip([x, y], slopes).map(|(argument, slope)| match argument.derivative() {
                0.0 => 0.0,
                derivative => derivative * slope,
            });
        Self::new(op.value(x.value(), y.value()), parts.sum())
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
operations!(define_rules dual_vjp_x, dual_vjp_y, Dual, &Dual);

#[test]
fn the_rules_give_second_derivatives_on_a_number_that_is_not_copy() {
    for (op, x, y) in points().chain(points_at_0()) {
        // 1 for the argument that varies, 0 for the other.
        for (along_x, along_y) in [(1.0, 0.0), (0.0, 1.0)] {
            if along_y == 1.0 && op.arity() != Arity::Binary {
                continue;
            }
            let (dual_x, dual_y) = (Dual::new(x, along_x), Dual::new(y, along_y));
            let out = Dual::apply(op, &dual_x, &dual_y);
            let g = Dual::from(1.5);
            let along = |side: usize| {
                let at = |t: f64| {
                    let (x, y) = (x + (t - 1.0) * along_x, y + (t - 1.0) * along_y);
                    passed_down(op, x, y, 1.5)[side]
                };
                central_difference(at, 1.0)
            };

            let what = format!("{op:?}({x}, {y}) along ({along_x}, {along_y})");
            if op.passes_to_x() {
                let ours = op.dual_vjp_x(&dual_x, &dual_y, &out, &g);
                assert_close_or_undefined(&ours, along(0), &what);
            }
            if op.arity() == Arity::Binary && op.passes_to_y() {
                let ours = op.dual_vjp_y(&dual_x, &dual_y, &out, &g);
                assert_close_or_undefined(&ours, along(1), &what);
            }
        }
    }
}

/// Asserts that the derivative is close to `theirs`, unless that is NaN: along an exponent, a
/// negative base has a value at integers only, and so no derivative.
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

/// Numbers at which an operation may behave differently than nearby.
pub(crate) const EDGES: [f64; 14] = [
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

/// Every pair of edges, and a few ordinary pairs.
pub(crate) fn pairs() -> impl Iterator<Item = (f64, f64)> {
    let edges = EDGES
        .iter()
        .flat_map(|&x| EDGES.iter().map(move |&y| (x, y)));
    edges.chain(iter::zip(XS, YS))
}

#[test]
fn nan_passes_through_every_operation_but_the_conditions() {
    const NAN: f64 = f64::NAN;
    for &op in Op::ALL {
        let of_nan = match op {
            Op::AtMost | Op::Equals => continue,
            Op::When | Op::Unless => vec![op.value(NAN, f64::from(op == Op::When))],
            _ if op.arity() == Arity::Binary => vec![op.value(NAN, 2.5), op.value(2.5, NAN)],
            _ => vec![op.value(NAN, 2.5)],
        };
        assert!(of_nan.iter().all(|value| value.is_nan()), "{op:?}");
    }
    // An argument's NaN does not matter where the result does not depend on the argument.
    assert_eq!((NAN.pow(0.0), 1.0.pow(NAN)), (1.0, 1.0));
}

#[test]
fn values_and_rules_keep_their_precision_far_from_zero_and_near_it() {
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
        ("recip'", Op::Recip.vjp_x(1e-160, 0.0, 1e160, 1e-300), -1e20),
    ];
    for (what, ours, theirs) in exact {
        assert!(
            (ours / theirs - 1.0).abs() < 4e-15,
            "{what}: {ours} instead of {theirs}"
        );
    }
}

#[test]
fn the_error_functions_are_exact_from_subnormal_numbers_to_their_tails() {
    // mpmath with 60 digits
    let erf = |x| Op::Erf.value(x, UNREAD);
    let erfc = |x| Op::Erfc.value(x, UNREAD);
    let exact = [
        (erf(1e-300), 1.128_379_167_095_512_6e-300),
        (erf(1e-8), 1.128_379_167_095_512_6e-8),
        (erf(0.5), 0.520_499_877_813_046_5),
        (erf(-0.5), -0.520_499_877_813_046_5),
        (erfc(6.0), 2.151_973_671_249_891_3e-17),
        (erfc(10.0), 2.088_487_583_762_545e-45),
        (erfc(26.5), 2.210_907_664_263_734_3e-307),
        (slope(Op::Erf, 5.0, UNREAD).0, 1.567_086_653_101_733_6e-11),
        (slope(Op::Erf, 26.5, UNREAD).0, 1.172_614_183_000_784e-305),
        (slope(Op::Erfc, 26.5, UNREAD).0, -1.172_614_183_000_784e-305),
    ];
    for (ours, theirs) in exact {
        assert!((ours / theirs - 1.0).abs() < 1e-12, "{ours:e}, {theirs:e}");
    }
    // Subnormal results are off by at most one unit in the last place.
    for (ours, theirs) in [
        (erf(1e-310), 1.128_379_167_095_5e-310),
        (erfc(27.0), 5.237_05e-319),
        (erfc(27.2), 1e-323),
    ] {
        assert!((ours - theirs).abs() <= 5e-324, "{ours:e}, {theirs:e}");
    }
}

/// The local derivatives with respect to x and y.
fn slope(op: Op, x: f64, y: f64) -> (f64, f64) {
    passed_down(op, x, y, 1.0).into()
}

#[test]
fn nothing_is_passed_down_exactly_where_the_row_says_none() {
    let with_none = [
        Op::Detach,
        Op::Floor,
        Op::Ceil,
        Op::Round,
        Op::RoundTiesEven,
        Op::Trunc,
        Op::Signum,
        Op::AtMost,
        Op::Equals,
        Op::When,
        Op::Unless,
    ];
    for &op in Op::ALL {
        let rules = rules(op);
        let passes = [op.passes_to_x(), op.passes_to_y()];
        for (rule, passes) in iter::zip(&rules, passes) {
            assert_eq!(passes, *rule != "none", "{op:?}: {rule}");
        }
        assert_eq!(rules.contains(&"none"), with_none.contains(&op), "{op:?}");
        assert_eq!(rules.len() == 2, op.arity() == Arity::Binary, "{op:?}");
    }
}

#[test]
fn operations_that_pass_a_gradient_down_pass_one_to_x() {
    // The backward pass relies on this: if nothing is passed to x, it does not ask about y.
    for &op in Op::ALL {
        let only_y = !op.passes_to_x() && op.arity() == Arity::Binary && op.passes_to_y();
        assert!(!only_y, "{op:?}");
    }
}

#[test]
fn no_rule_is_a_constant_instead_of_none() {
    for &op in Op::ALL {
        for rule in rules(op) {
            let number = rule.trim_matches(['(', ')']).parse::<f64>();
            assert!(number.is_err(), "{op:?}: {rule} instead of none");
        }
    }
}

#[test]
fn all_operations_are_listed_once_with_a_name_and_a_label() {
    for (i, &op) in Op::ALL.iter().enumerate() {
        assert!(!op.name().is_empty() && !op.label().is_empty());
        for other in &Op::ALL[..i] {
            assert_ne!(op.name(), other.name());
            assert_ne!(op, *other);
        }
    }
    let names = [Op::Add, Op::Neg, Op::LeakyRelu, Op::Relu].map(Op::name);
    assert_eq!(names, ["add", "neg", "leaky_relu", "relu"]);
    assert_eq!([Op::Add, Op::Relu].map(Op::label), ["+", "R"]);
}

#[test]
fn a_dropped_side_does_not_become_nan_when_a_rule_is_differentiated() {
    let second = |op: Op, x: Dual, y: Dual, rule: fn(Op, &Dual, &Dual, &Dual, &Dual) -> Dual| {
        let out = Dual::apply(op, &x, &y);
        rule(op, &x, &y, &out, &Dual::from(1.0)).derivative()
    };
    let (varies, fixed) = (|at| Dual::new(at, 1.0), |at| Dual::new(at, 0.0));
    assert_eq!(
        second(Op::Elu, varies(1000.0), fixed(1.0), Op::dual_vjp_x),
        0.0
    );
    assert_eq!(
        second(Op::Pow, varies(0.0), fixed(0.0), Op::dual_vjp_x),
        0.0
    );
    assert_eq!(
        second(Op::Pow, varies(0.0), fixed(2.0), Op::dual_vjp_y),
        0.0
    );
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
        assert_eq!(op.vjp_x(x, y, op.value(x, y), infinity), 0.0, "{op:?}");
    }
    for (op, sign) in [(Op::Abs, -1.0), (Op::LeakyRelu, 1.0), (Op::Elu, 1.0)] {
        // Only the side that was taken, not ∞ plus 0 · ∞.
        assert_eq!(
            op.vjp_x(sign, 1.0, op.value(sign, 1.0), infinity),
            sign * infinity,
            "{op:?}"
        );
    }
    for (op, x, y) in [(Op::Max, 2.0, 1.0), (Op::Min, 1.0, 2.0)] {
        assert_eq!(op.vjp_y(x, y, op.value(x, y), infinity), 0.0, "{op:?}");
    }
}
