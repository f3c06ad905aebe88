//! The operations: the table, `ops/table.rs`, and what its rows expand to on `f64`.
//!
//! A row is written once and serves every kind of number. The macros here expand all rows: to
//! [`Op`] with its names and values, and to the rules for one kind of number, of which `f64` is the
//! first. Higher modules use the same macros for their own: nodes in `engine/symbol.rs`, several
//! rows side by side in `tape/lanes.rs`.

use std::borrow::Borrow;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, LN_2, LN_10};
use std::fmt;

pub(crate) mod expression;
pub(crate) mod language;
mod table;

pub(crate) use table::operations;

/// Stands for an argument or a result that an operation does not read.
pub(crate) const UNREAD: f64 = f64::NAN;

/// 1 / √(2π), the density of the normal distribution at 0.
pub(crate) const FRAC_1_SQRT_2PI: f64 = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;

/// The arguments that an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arity {
    /// One argument.
    Unary,
    /// Two arguments.
    Binary,
    /// One argument, and a constant in place of the second.
    Parametric,
}

/// The rule for an argument to which nothing is passed down.
#[expect(non_camel_case_types, reason = "the table reads it as a value")]
pub(crate) struct none;

/// The result of a rule on `f64`: a number, or `none`.
trait Passed {
    const SOMETHING: bool;
}

impl Passed for f64 {
    const SOMETHING: bool = true;
}

impl Passed for none {
    const SOMETHING: bool = false;
}

/// Whether a rule passes something down. Its type says so; it is not called.
#[inline(always)]
fn passes_something<R: Passed>(_rule: impl FnOnce() -> R) -> bool {
    R::SOMETHING
}

/// The functions that the rows use and `f64` lacks, or has under another name. Rules pass numbers
/// and references alike, hence `Borrow`.
pub(crate) trait Functions {
    fn pow(self, y: impl Borrow<f64>) -> f64;
    fn at_most(self, y: impl Borrow<f64>) -> f64;
    fn equals(self, y: impl Borrow<f64>) -> f64;
    fn when(self, condition: impl Borrow<f64>) -> f64;
    fn unless(self, condition: impl Borrow<f64>) -> f64;
    fn sigmoid(self) -> f64;
    fn normal_cdf(self) -> f64;
}

impl Functions for f64 {
    /// `powf`, except that exponents which need no logarithm are computed without one, as in
    /// PyTorch. So the powers ±½ of -0 and -∞ follow `sqrt`.
    #[expect(
        clippy::float_cmp,
        reason = "only the exact exponents have a shorter way"
    )]
    fn pow(self, y: impl Borrow<f64>) -> f64 {
        let y = *y.borrow();
        if y == 2.0 {
            self * self
        } else if y == 1.0 {
            self
        } else if y == 3.0 {
            self * self * self
        } else if y == 0.5 {
            self.sqrt()
        } else if y == -0.5 {
            1.0 / self.sqrt()
        } else if y == -1.0 {
            1.0 / self
        } else if y == -2.0 {
            1.0 / (self * self)
        } else {
            self.powf(y)
        }
    }

    fn at_most(self, y: impl Borrow<f64>) -> f64 {
        f64::from(self <= *y.borrow())
    }

    fn equals(self, y: impl Borrow<f64>) -> f64 {
        f64::from(self == *y.borrow())
    }

    fn when(self, condition: impl Borrow<f64>) -> f64 {
        if *condition.borrow() == 0.0 {
            0.0
        } else {
            self
        }
    }

    fn unless(self, condition: impl Borrow<f64>) -> f64 {
        if *condition.borrow() == 0.0 {
            self
        } else {
            0.0
        }
    }

    fn sigmoid(self) -> f64 {
        1.0 / (1.0 + (-self).exp())
    }

    /// Computed by erfc, because 1 + erf loses all digits in the left tail.
    fn normal_cdf(self) -> f64 {
        0.5 * libm::erfc(-self * FRAC_1_SQRT_2)
    }
}

// ── what the rows expand to ─────────────────────────────────────────────────────────────────────

/// Defines `Op` from the rows: its names, its values, and which arguments get a gradient.
macro_rules! define_op {
    ([] ($out:ident, $g:ident) $(
        #[doc = $doc:literal] $Op:ident $method:ident $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $vjp_x:expr $(, y: $vjp_y:expr)?;
    )*) => {
        /// The rows of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Row { $( #[doc = $doc] $Op, )* }

        #[expect(non_upper_case_globals, reason = "each is named as its row")]
        impl Op {
            $( #[doc = $doc] pub(crate) const $Op: Self = Self(Row::$Op); )*

            /// All operations, in the order of the table.
            pub const ALL: &'static [Self] = &[ $( Self::$Op, )* ];

            /// The name of the method, such as `tanh`, or of an operator's trait method, such as
            /// `add`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self.0 { $( Row::$Op => stringify!($method), )* }
            }

            /// The label in drawings of a graph: `+` for a sum, `R` for `relu`.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self.0 { $( Row::$Op => $label, )* }
            }

            /// The names of the arguments.
            pub(crate) fn parameters(self) -> &'static [&'static str] {
                match self.0 { $(
                    Row::$Op => &[
                        stringify!($x) $(, stringify!($y))? $(, stringify!($parameter))?
                    ],
                )* }
            }

            /// The row's expression for the value, as Rust text.
            pub(crate) fn value_text(self) -> &'static str {
                match self.0 { $( Row::$Op => stringify!($value), )* }
            }

            pub(crate) fn arity(self) -> Arity {
                match self.0 { $(
                    Row::$Op => define_op! { @arity $x $(, $y)? $(; $parameter)? },
                )* }
            }

            /// Whether the first argument gets a gradient.
            #[inline(always)]
            #[expect(unused_variables, reason = "few rules read every variable")]
            pub(crate) fn passes_to_x(self) -> bool {
                let (x, y, $out, $g) = (UNREAD, UNREAD, UNREAD, UNREAD);
                match self.0 { $(
                    Row::$Op => {
                        let $x = x;
                        $( let $y = y; )?
                        $( let $parameter = y; )?
                        passes_something(|| $vjp_x)
                    }
                )* }
            }

            /// Whether the second argument, if there is one, gets a gradient.
            #[inline(always)]
            #[expect(unused_variables, reason = "few rules read every variable")]
            pub(crate) fn passes_to_y(self) -> bool {
                let (x, y, $out, $g) = (UNREAD, UNREAD, UNREAD, UNREAD);
                match self.0 {
                    $( $(
                        Row::$Op => {
                            let $x = x;
                            let $y = y;
                            passes_something(|| $vjp_y)
                        }
                    )? )*
                    _ => true,
                }
            }

            /// The result for the arguments `x` and `y`; with one argument, `y` is not read.
            #[inline(always)]
            pub(crate) fn value(self, x: f64, y: f64) -> f64 {
                match self.0 { $(
                    Row::$Op => {
                        let $x = x;
                        $( let $y = y; )?
                        $( let $parameter = y; )?
                        $value
                    }
                )* }
            }
        }
    };
    (@arity $x:ident) => { Arity::Unary };
    (@arity $x:ident, $y:ident) => { Arity::Binary };
    (@arity $x:ident; $parameter:ident) => { Arity::Parametric };
}

/// Expands the rules for one kind of number, `$N`, as two methods of `Op`. Each returns a
/// vector-Jacobian product: the part of the gradient that is passed down to an argument. The rules
/// see their variables as `$Var`: the number itself if it is `Copy`, else a reference to it.
macro_rules! define_rules {
    ([$visibility:vis $vjp_x_of:ident, $vjp_y_of:ident, $({$($generics:tt)*})? $N:ty, $Var:ty] ($out:ident, $g:ident) $(
        #[doc = $doc:literal] $Op:ident $method:ident $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $vjp_x:expr $(, y: $vjp_y:expr)?;
    )*) => {
        impl Op {
            /// The part of the gradient for the first argument.
            #[inline(always)]
            #[expect(unused_variables, reason = "few rules read every variable")]
            $visibility fn $vjp_x_of $(<$($generics)*>)? (
                self, x: $Var, y: $Var, $out: $Var, $g: $Var,
            ) -> $N {
                match self.0 { $(
                    Row::$Op => {
                        let $x = x;
                        $( let $y = y; )?
                        $( let $parameter = y; )?
                        <$N>::from($vjp_x)
                    }
                )* }
            }

            /// The part of the gradient for the second argument.
            #[inline(always)]
            #[expect(unused_variables, reason = "few rules read every variable")]
            $visibility fn $vjp_y_of $(<$($generics)*>)? (
                self, x: $Var, y: $Var, $out: $Var, $g: $Var,
            ) -> $N {
                match self.0 {
                    $( $(
                        Row::$Op => {
                            let $x = x;
                            let $y = y;
                            <$N>::from($vjp_y)
                        }
                    )? )*
                    _ => unreachable!("{self:?} has one argument"),
                }
            }
        }

        impl $(<$($generics)*>)? From<none> for $N {
            /// Never called: no walk follows an edge that carries no gradient.
            fn from(_: none) -> Self {
                unreachable!("nothing is passed down to this argument")
            }
        }
    };
}

/// Gives a number `$N` that has a function `apply(op, &x, &y)` everything that rules may use: the
/// operators in every mix with references and `f64`, and the functions of the table.
macro_rules! define_number {
    ([$({$($generics:tt)*})? $N:ty] $header:tt $(
        #[doc = $doc:literal] $Op:ident $method:ident $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $vjp_x:expr $(, y: $vjp_y:expr)?;
    )*) => {
        define_number! { @operators {$($($generics)*)?} $N, Add add, Sub sub, Mul mul, Div div }

        #[expect(dead_code, reason = "a rule may use any function of the table; few are used yet")]
        impl $(<$($generics)*>)? $N { $(
            define_number! { @function $Op $method ($x $(, $y)? $(; $parameter)?) }
        )* }
    };
    (@function $Op:ident $method:ident ($x:ident)) => {
        #[inline(always)]
        fn $method(&self) -> Self {
            Self::apply(Op::$Op, self, &UNREAD.into())
        }
    };
    (@function $Op:ident $method:ident ($x:ident $separator:tt $y:ident)) => {
        #[inline(always)]
        fn $method(&self, $y: impl Into<Self>) -> Self {
            Self::apply(Op::$Op, self, &$y.into())
        }
    };
    (@operators $generics:tt $N:ty, $($Trait:ident $method:ident),*) => {
        $(
            define_number! { @operator $generics $N, $Trait $method: $N, $N }
            define_number! { @operator $generics $N, $Trait $method: $N, &$N }
            define_number! { @operator $generics $N, $Trait $method: $N, f64 }
            define_number! { @operator $generics $N, $Trait $method: &$N, $N }
            define_number! { @operator $generics $N, $Trait $method: &$N, &$N }
            define_number! { @operator $generics $N, $Trait $method: &$N, f64 }
            define_number! { @operator $generics $N, $Trait $method: f64, $N }
            define_number! { @operator $generics $N, $Trait $method: f64, &$N }
        )*
        define_number! { @negation $generics $N, $N }
        define_number! { @negation $generics $N, &$N }
    };
    (@operator {$($generics:tt)*} $N:ty, $Trait:ident $method:ident: $X:ty, $Y:ty) => {
        impl<$($generics)*> std::ops::$Trait<$Y> for $X {
            type Output = $N;

            #[inline(always)]
            fn $method(self, y: $Y) -> $N {
                <$N>::apply(Op::$Trait, &self.into(), &y.into())
            }
        }
    };
    (@negation {$($generics:tt)*} $N:ty, $X:ty) => {
        impl<$($generics)*> std::ops::Neg for $X {
            type Output = $N;

            #[inline(always)]
            fn neg(self) -> $N {
                <$N>::apply(Op::Neg, &self.into(), &UNREAD.into())
            }
        }
    };
}

/// A built-in operation, such as `tanh` or `+`; [`Op::ALL`] lists them. Its name is unique. Its
/// label is not: `-` is the label of a difference and of a negation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Op(pub(crate) Row);

operations!(define_op);
operations!(define_rules pub(crate) vjp_x, vjp_y, f64, f64);

impl fmt::Debug for Op {
    /// The name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

pub(crate) use {define_number, define_rules};

#[cfg(test)]
pub(crate) mod tests;
