//! The functions of values, made from the rows of the table.

use super::graph::{Origin, Value};
use super::label::Label;
use super::view::Argument;
use crate::ops::{Arity, Op, UNREAD, operations};

/// An argument to pass to an operation: a node, or a number that is a constant of the expression.
/// For the arguments of a recorded operation, see [`Argument`].
///
/// Functions of two arguments take anything that converts into it as the second: `x.max(&y)`,
/// `x.max(y)`, `x.max(0.5)`. The first is a node: 2ˣ is `Value::new(2.0).pow(&x)`.
#[derive(Clone, Debug)]
pub struct Operand(pub(super) Quantity);

/// A node or a constant: the parts of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Quantity {
    /// A node, which gets a gradient.
    Node(Value),
    /// A constant, which gets none.
    Constant(f64),
}

impl Value {
    #[inline(always)]
    #[track_caller]
    pub(crate) fn unary(op: Op, x: Self) -> Self {
        let data = op.value(x.data(), UNREAD);
        Self::record(data, Origin::Unary(op, x))
    }

    #[inline(always)]
    #[track_caller]
    pub(crate) fn binary(op: Op, x: Self, y: Operand) -> Self {
        match y.0 {
            Quantity::Node(y) => {
                let data = op.value(x.data(), y.data());
                Self::record(data, Origin::Binary(op, x, y))
            }
            Quantity::Constant(y) => {
                let data = op.value(x.data(), y);
                Self::record(data, Origin::ConstantRight(op, x, y))
            }
        }
    }

    #[inline(always)]
    #[track_caller]
    pub(crate) fn constant_left(op: Op, x: f64, y: Self) -> Self {
        let data = op.value(x, y.data());
        Self::record(data, Origin::ConstantLeft(op, x, y))
    }

    /// op(x, y), where at least one is a node; with one argument, `y` is not read. It has no source
    /// line: the user did not write it.
    pub(crate) fn apply(op: Op, x: &Quantity, y: &Quantity) -> Self {
        let value = match (x, y) {
            (Quantity::Node(x), _) if op.arity() == Arity::Unary => Self::unary(op, x.clone()),
            (Quantity::Node(x), y) => Self::binary(op, x.clone(), Operand(y.clone())),
            (Quantity::Constant(x), Quantity::Node(y)) => Self::constant_left(op, *x, y.clone()),
            (Quantity::Constant(_), Quantity::Constant(_)) => {
                unreachable!("a constant alone is no node")
            }
        };
        value.set_label(Label::default());
        value
    }
}

/// Functions of `f64` that are composed of the table's.
impl Value {
    /// Power with an integer exponent: [`pow`](Self::pow).
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// assert_eq!(Value::new(2.0).powi(-2).data(), 0.25);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn powi(&self, n: i32) -> Value {
        self.pow(f64::from(n))
    }

    /// x, but at least `lo` and at most `hi`: [`clamp_min`](Self::clamp_min) and
    /// [`clamp_max`](Self::clamp_max). The gradient passes at the bounds.
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// let x = Value::new(1.5);
    /// assert_eq!(x.clamp(-1.0, 1.0).data(), 1.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If `lo` is greater than `hi`, or either is NaN.
    #[must_use]
    #[track_caller]
    pub fn clamp(&self, lo: f64, hi: f64) -> Value {
        assert!(lo <= hi, "a clamp needs bounds in order, not {lo} and {hi}");
        self.clamp_min(lo).clamp_max(hi)
    }

    /// Logarithm to any base: ln x / ln base, as `f64` computes it. [`log2`](Self::log2) and
    /// [`log10`](Self::log10) are more accurate.
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// assert_eq!(Value::new(8.0).log(2.0).data(), 8.0_f64.log(2.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log(&self, base: impl Into<Operand>) -> Value {
        match base.into().0 {
            Quantity::Node(base) => self.ln() / base.ln(),
            Quantity::Constant(base) => self.ln() / base.ln(),
        }
    }
}

impl From<Value> for Operand {
    fn from(value: Value) -> Self {
        Self(Quantity::Node(value))
    }
}

impl From<&Value> for Operand {
    fn from(value: &Value) -> Self {
        value.clone().into()
    }
}

impl From<f64> for Operand {
    fn from(constant: f64) -> Self {
        Self(Quantity::Constant(constant))
    }
}

impl From<Argument<'_>> for Operand {
    fn from(argument: Argument) -> Self {
        match argument {
            Argument::Node(value) => value.into(),
            Argument::Constant(constant) => constant.into(),
        }
    }
}

/// Defines the methods of `Value` for the rows that are not operators.
macro_rules! define_methods {
    ([] ($out:ident, $g:ident) $(
        #[doc = $doc:literal] $Op:ident $method:ident $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $vjp_x:expr $(, y: $vjp_y:expr)?;
    )*) => {
        /// The functions of the table, `src/ops/table.rs`; x is the value itself. See
        /// `notes/Gradients.md` for the gradient of each; the
        /// [conventions](crate::engine#conventions) hold at kinks, ties, powers of 0 and NaN.
        impl Value { $(
            define_methods! { $Op $method ($x $(, $y)? $(; $parameter)?) #[doc = concat!($doc, ".")] }
        )* }
    };
    (Add $($row:tt)*) => {};
    (Sub $($row:tt)*) => {};
    (Mul $($row:tt)*) => {};
    (Div $($row:tt)*) => {};
    (Neg $($row:tt)*) => {};
    ($Op:ident $method:ident ($x:ident) #[$doc:meta]) => {
        #[$doc]
        #[must_use]
        #[track_caller]
        pub fn $method(&self) -> Value {
            Value::unary(Op::$Op, self.clone())
        }
    };
    ($Op:ident $method:ident ($x:ident, $y:ident) #[$doc:meta]) => {
        #[$doc]
        #[must_use]
        #[track_caller]
        pub fn $method(&self, $y: impl Into<Operand>) -> Value {
            Value::binary(Op::$Op, self.clone(), $y.into())
        }
    };
    ($Op:ident $method:ident ($x:ident; $parameter:ident) #[$doc:meta]) => {
        #[$doc]
        #[must_use]
        #[track_caller]
        pub fn $method(&self, $parameter: f64) -> Value {
            Value::binary(Op::$Op, self.clone(), $parameter.into())
        }
    };
}

operations!(define_methods);
