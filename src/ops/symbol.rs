//! The number on which the rules run when a gradient is to be a graph again.

use super::{Op, Symbol};
use crate::engine::{Operand, Value};

impl Symbol {
    /// op(x, y), as a node. What is a number already is computed, and what changes nothing, such as
    /// a factor of 1, is left out.
    pub(super) fn apply(op: Op, x: &Self, y: &Self) -> Self {
        if let Some(simpler) = Self::simplified(op, x, y) {
            return simpler;
        }
        Self(match (&x.0, &y.0) {
            (Operand::Literal(x), Operand::Literal(y)) => Operand::Literal(op.value(*x, *y)),
            (x, y) => Operand::Node(Value::apply(op, x, y)),
        })
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

    /// What it stands for.
    pub(crate) fn number(&self) -> f64 {
        match &self.0 {
            Operand::Literal(literal) => *literal,
            Operand::Node(node) => node.data(),
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
