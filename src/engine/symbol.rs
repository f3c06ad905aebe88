//! The number type on which the rules run to make a gradient a graph again.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};

use super::functions::{Operand, Quantity};
use super::graph::Value;
use super::view::Argument;
use crate::ops::{FRAC_1_SQRT_2PI, Op, Row, UNREAD, define_number, define_rules, none, operations};

/// A node or a constant.
#[derive(Clone, Debug)]
pub(super) struct Symbol(pub(super) Quantity);

operations!(define_number Symbol);
operations!(define_rules pub(super) symbol_vjp_x, symbol_vjp_y, Symbol, &Symbol);

impl Symbol {
    /// op(x, y), as a node. Constants are computed at once, and operations that change nothing,
    /// such as a factor of 1, are left out.
    fn apply(op: Op, x: &Self, y: &Self) -> Self {
        if let Some(simpler) = Self::simplified(op, x, y) {
            return simpler;
        }
        Self(match (&x.0, &y.0) {
            (Quantity::Constant(x), Quantity::Constant(y)) => Quantity::Constant(op.value(*x, *y)),
            (x, y) => Quantity::Node(Value::apply(op, x, y)),
        })
    }

    /// The argument that is the result, whatever its value: a term of 0 may be left out of a sum,
    /// but a product with 0 may be NaN.
    fn simplified(op: Op, x: &Self, y: &Self) -> Option<Self> {
        let [x_constant, y_constant] = [x, y].map(Self::constant);
        match op {
            Op::Add if x_constant == Some(0.0) => Some(y.clone()),
            Op::Mul if x_constant == Some(1.0) => Some(y.clone()),
            Op::Add | Op::Sub | Op::Unless if y_constant == Some(0.0) => Some(x.clone()),
            Op::Mul | Op::Div | Op::When if y_constant == Some(1.0) => Some(x.clone()),
            _ => None,
        }
    }

    fn constant(&self) -> Option<f64> {
        match self.0 {
            Quantity::Constant(constant) => Some(constant),
            Quantity::Node(_) => None,
        }
    }
}

impl From<f64> for Symbol {
    fn from(constant: f64) -> Self {
        Self(Quantity::Constant(constant))
    }
}

impl From<&Value> for Symbol {
    fn from(value: &Value) -> Self {
        Self(Quantity::Node(value.clone()))
    }
}

impl From<Argument<'_>> for Symbol {
    fn from(argument: Argument) -> Self {
        Self(Operand::from(argument).0)
    }
}

impl From<&Symbol> for Symbol {
    fn from(symbol: &Symbol) -> Self {
        symbol.clone()
    }
}

#[cfg(test)]
mod tests;
