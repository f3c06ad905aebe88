//! The number on which the rules run when a gradient is to be a graph again.

use super::{Op, Symbol};
use crate::engine::{Operand, Value};

impl Symbol {
    /// op(x, y), as a node. What is a number already is computed, and what changes nothing, such as
    /// a factor of 1, is left out.
    pub(super) fn apply(op: Op, x: &Self, y: &Self) -> Self {
        use Operand::{Literal, Node};
        if let Some(simpler) = Self::simplified(op, x, y) {
            return simpler;
        }
        Self(Node(match (&x.0, &y.0) {
            (Literal(x), Literal(y)) => return Self(Literal(op.value(*x, *y))),
            (Literal(x), Node(y)) => Value::literal_left(op, *x, y.clone()),
            (Node(x), y) if op.is_binary() => Value::binary(op, x.clone(), y.clone()),
            (Node(x), _) => Value::unary(op, x.clone()),
        }))
    }

    /// The argument that is the result, whatever it is: a part of 0 may be left out of a sum, but a
    /// product with 0 may be NaN.
    fn simplified(op: Op, x: &Self, y: &Self) -> Option<Self> {
        let [x_literal, y_literal] = [x, y].map(Self::literal);
        match op {
            Op::Add if x_literal == Some(0.0) => Some(y.clone()),
            Op::Mul if x_literal == Some(1.0) => Some(y.clone()),
            Op::Add | Op::Sub | Op::Unless if y_literal == Some(0.0) => Some(x.clone()),
            Op::Mul | Op::Div | Op::When if y_literal == Some(1.0) => Some(x.clone()),
            _ => None,
        }
    }

    fn literal(&self) -> Option<f64> {
        match self.0 {
            Operand::Literal(literal) => Some(literal),
            Operand::Node(_) => None,
        }
    }
}

impl From<f64> for Symbol {
    fn from(literal: f64) -> Self {
        Self(Operand::Literal(literal))
    }
}

impl From<&Value> for Symbol {
    fn from(value: &Value) -> Self {
        Self(Operand::Node(value.clone()))
    }
}

impl From<&Symbol> for Symbol {
    fn from(symbol: &Symbol) -> Self {
        symbol.clone()
    }
}
