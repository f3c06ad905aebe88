//! Every row of the table on symbols.

use super::*;
use crate::common::close::assert_close;
use crate::ops::Arity;
use crate::ops::tests::{pairs, passed_down};

#[test]
fn symbols_compute_what_a_single_number_does() {
    for (x, y) in pairs() {
        let [x_symbol, y_symbol] = [x, y].map(|number| Symbol::from(&Value::new(number)));
        for &op in Op::ALL {
            let out = op.value(x, y);
            let [out_symbol, g] = [out, 1.5].map(|number| Symbol::from(&Value::new(number)));
            let result = Symbol::apply(op, &x_symbol, &y_symbol);
            assert_same_number(&result, out, &format!("{op:?}({x}, {y})"));
            let [dx, dy] = passed_down(op, x, y, 1.5);
            if op.passes_to_x() {
                let ours = op.symbol_vjp_x(&x_symbol, &y_symbol, &out_symbol, &g);
                assert_same_number(&ours, dx, &format!("{op:?}({x}, {y}) dx"));
            }
            if op.arity() == Arity::Binary && op.passes_to_y() {
                let ours = op.symbol_vjp_y(&x_symbol, &y_symbol, &out_symbol, &g);
                assert_same_number(&ours, dy, &format!("{op:?}({x}, {y}) dy"));
            }
        }
    }
}

/// Asserts the number of a symbol. A 0 may have lost its sign where a 0 was left out of a sum.
#[track_caller]
fn assert_same_number(symbol: &Symbol, theirs: f64, what: &str) {
    let ours = match &symbol.0 {
        Quantity::Node(node) => node.data(),
        Quantity::Constant(constant) => *constant,
    };
    assert_close(ours, theirs, 0.0, what);
}

#[test]
fn a_symbol_leaves_out_only_operations_that_change_nothing() {
    let x = Symbol::from(&Value::new(f64::INFINITY));
    let is_x = |symbol: &Symbol| match (&symbol.0, &x.0) {
        (Quantity::Node(ours), Quantity::Node(theirs)) => ours.same_node(theirs),
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
    let constant = Symbol::from(2.0).tanh() + 1.0;
    assert!(matches!(constant.0, Quantity::Constant(_)));
}
