//! Expressions as formulas, and folding.

use super::*;

fn names<const N: usize>(names: [&str; N]) -> [Expression; N] {
    names.map(Expression::name)
}

#[test]
fn a_formula_has_the_parentheses_that_the_order_of_operations_needs() {
    let [x, y, z] = names(["x", "y", "z"]);
    let cases = [
        (&x - &(&y - &z), "x - (y - z)"),
        (&(&x - &y) - &z, "x - y - z"),
        (&x * &(&y * &z), "x · (y · z)"),
        (&(&x + &y) * &z, "(x + y) · z"),
        (-&(&x * &y), "-(x · y)"),
        (&-&x * &y, "-x · y"),
        (-&-&x, "-(-x)"),
        (&x * -2.0, "x · (-2)"),
        ((&x + &y).tanh(), "tanh(x + y)"),
        ((-&x).pow(&y), "(-x)^y"),
        (&x.when(x.at_most(&y)) + &z, "(x when (x ≤ y)) + z"),
        (x.equals(&y).unless(&z), "(x = y) unless z"),
        (x.at_most(&y).at_most(&z), "(x ≤ y) ≤ z"),
    ];
    for (expression, formula) in cases {
        assert_eq!(expression.formula(), formula);
    }
}

#[test]
fn a_rule_on_constants_is_not_evaluated() {
    let [x, out, g] = [0.5, 0.25, 3.0].map(Expression::from);
    let [to_x, to_y] = Op::Tanh.vjps([&x, &x, &out, &g]);
    assert_eq!(to_x.unwrap().formula(), "3 · (1 - 0.25 · 0.25)");
    let [one, y] = [1.0, 2.0].map(Expression::from);
    let [to_x, _] = Op::Mul.vjps([&x, &y, &out, &one]);
    assert_eq!(to_x.as_ref().unwrap().formula(), "2");
    assert_eq!(to_x.unwrap().full_formula(), "1 · 2");
    assert!(to_y.is_none());
}

#[test]
fn code_omits_what_a_formula_omits_only_if_no_bit_changes() {
    let [x] = names(["x"]);
    let sum = 0.0 + &x; // 0 where x is -0
    assert_eq!(sum.formula(), "x");
    assert!(matches!(sum.folded().form(), Form::Apply(Op::Add, _)));
    let product = 1.0 * &x;
    assert_eq!(product.formula(), "x");
    assert!(product.folded().is_same(&x));
}

#[test]
fn folding_computes_constants_and_shortens_powers() {
    let [x] = names(["x"]);
    let two = Expression::from(2.0);
    let cases = [
        (&two * 3.0, "6"),
        (x.pow(2.0), "x · x"),
        (x.pow(3.0), "x · x · x"),
        (x.pow(0.5), "sqrt(x)"),
        (x.pow(-1.0), "1 / x"),
        (x.pow(2.5), "x^2.5"),
        ((&x + 1.0).pow(2.0), "(x + 1)^2"),
        (x.when(f64::NAN), "x"),
        (x.unless(f64::NAN), "0"),
        (x.at_most(f64::NAN), "0"),
    ];
    for (expression, folded) in cases {
        assert_eq!(expression.folded().formula(), folded);
    }
}

#[test]
fn a_rule_on_a_constant_shows_no_choice_that_the_constant_decides() {
    let rules = |op: Op, constants| {
        let rules = op.rules(constants);
        rules.map(|rule| rule.map(|rule| rule.formula()))
    };
    let [to_x, _] = rules(Op::Pow, [None, Some(2.0)]);
    assert_eq!(to_x.unwrap(), "g · (2 · x^(2 - 1))");
    let [to_x, _] = rules(Op::Pow, [None, Some(0.0)]);
    assert_eq!(to_x.unwrap(), "0");
    let [to_x, _] = rules(Op::Relu, [None, None]);
    assert_eq!(to_x.unwrap(), "g unless (x ≤ 0)");
}

#[test]
fn the_largest_common_operation_is_found() {
    let [x, y] = names(["x", "y"]);
    let root = (&x * &y).sqrt();
    let parts = [&root + &x, &root * &y];
    assert!(Expression::common(&parts).unwrap().is_same(&root));
    assert!(Expression::common(&parts[..1]).is_none());
}
