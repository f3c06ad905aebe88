//! Every row of the table on nodes: values, and gradients by `backward`.

use super::graph::Value;
use crate::common::bits::assert_same_bits;
use crate::common::close::assert_close;
use crate::ops::tests::{central_difference, pairs, passed_down, points};
use crate::ops::{Arity, Op};

mod pytorch;

/// The operation on one node or two, as its arity requires; a parameter is a constant.
pub(crate) fn apply_to_nodes(op: Op, x: &Value, y: &Value) -> Value {
    match op.arity() {
        Arity::Unary => Value::unary(op, x.clone()),
        Arity::Binary => Value::binary(op, x.clone(), y.into()),
        Arity::Parametric => Value::binary(op, x.clone(), y.data().into()),
    }
}

#[test]
fn every_derivative_agrees_with_a_finite_difference() {
    // The derivative of `detach` is not meant to agree.
    for (op, x, y) in points().filter(|&(op, ..)| op != Op::Detach) {
        let assert_agrees = |ours: f64, theirs: f64| {
            let what = format!("{op:?}({x}, {y})");
            assert_close(ours, theirs, 2e-7 * theirs.abs().max(1.0), &what);
        };
        let along_x = central_difference(|x| op.value(x, y), x);
        let along_y = central_difference(|y| op.value(x, y), y);
        let (x_node, y_node) = (Value::new(x), Value::new(y));

        if op.arity() == Arity::Unary {
            Value::unary(op, x_node.clone()).backward();
        } else {
            Value::binary(op, x_node.clone(), y.into()).backward();
        }
        assert_agrees(x_node.grad(), along_x);
        if op.arity() == Arity::Binary {
            Value::constant_left(op, x, y_node.clone()).backward();
            assert_agrees(y_node.grad(), along_y);

            Value::binary(op, x_node.clone(), y_node.clone().into()).backward();
            assert_agrees(x_node.grad(), 2.0 * along_x);
            assert_agrees(y_node.grad(), 2.0 * along_y);
        }
    }
}

#[test]
fn values_compute_what_a_single_number_does() {
    for (x, y) in pairs() {
        for &op in Op::ALL {
            let what = format!("{op:?}({x}, {y})");
            let out = op.value(x, y);
            let [dx, dy] = passed_down(op, x, y, 1.0);
            let [x_node, y_node] = [x, y].map(Value::new);
            let ours = apply_to_nodes(op, &x_node, &y_node);
            ours.backward();
            assert_same_bits(ours.data(), out, &what);
            assert_close(x_node.grad(), dx, 0.0, &format!("{what} dx"));
            if op.arity() == Arity::Binary {
                assert_close(y_node.grad(), dy, 0.0, &format!("{what} dy"));
                let [x_node, y_node] = [x, y].map(Value::new);
                Value::binary(op, x_node.clone(), y.into()).backward();
                Value::constant_left(op, x, y_node.clone()).backward();
                assert_close(x_node.grad(), dx, 0.0, &format!("{what} dx, y a constant"));
                assert_close(y_node.grad(), dy, 0.0, &format!("{what} dy, x a constant"));
            }
        }
    }
}
