//! The table of operations: what each one computes, and what it passes down.
//!
//! One operation is one row. `x` and `y` are its arguments, `out` its result and `g` the gradient
//! that arrives from above, as in `notes/Gradients.md`:
//!
//! ```text
//! /// Hyperbolic tangent
//! Tanh tanh "tanh" (x) = x.tanh()
//!     => x: g * (1.0 - out * out);
//! ```
//!
//! From left to right: the variant of `Op`; the method of `Value` (an operator such as `+` has
//! none); the label in the tree; the arguments, after a `;` a constant parameter; the value, on
//! `f64`; and after `=>` what is passed down to each argument. A condition is a number, 1 or 0:
//! `x.when(c)` is x where c is not 0, and 0 elsewhere; `x.unless(c)` is the other way round.
//!
//! Everything else derives from the rows, and a new operation is a new row; the notes say what its
//! tests ask for. Three things to know when writing one:
//!
//! - The table is closed: a rule is written with operators and with functions of the table only,
//!   because rules are made for other numbers than `f64` too: for the lanes of a replay, and in the
//!   tests for one that is not even `Copy`.
//! - A rule that chooses a side drops the other one by `when` or `unless`. It must not multiply by
//!   0 or 1 instead: 0 · ∞ is NaN. If the part that it drops may have an infinite slope, the rule first
//!   puts a harmless number in the place of its argument, as those of `Pow` and `Elu` do.
//! - On `f64`, `max` and `min` are those of the standard library, which swallow NaN: use an `if`.

use std::borrow::Borrow;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, LN_2, LN_10};

use crate::engine::{Operand, Value};

mod lanes;
mod symbol;

pub(crate) use lanes::{Number, PartialSums};

/// Stands for an argument or a result that the operation at hand does not read.
pub(crate) const UNREAD: f64 = f64::NAN;

/// 1 / √(2π), the density of the normal distribution at 0.
const FRAC_1_SQRT_2PI: f64 = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;

/// Hands all rows to the macro `$build`: first the arguments meant for it, then the names under
/// which the rules know the result and the gradient above.
macro_rules! operations {
    ($build:ident $($arguments:tt)*) => { $build! { [$($arguments)*] (out, g)

// ── arithmetic ──────────────────────────────────────────────────────────────────────────────────

/// Sum
Add "+" (x, y) = x + y
    => x: g,
       y: g;

/// Difference
Sub "-" (x, y) = x - y
    => x: g,
       y: -g;

/// Product
Mul "*" (x, y) = x * y
    => x: g * y,
       y: g * x;

/// Quotient
Div "/" (x, y) = x / y
    => x: g / y,
       y: -(g * out) / y;

/// Negation
Neg "-" (x) = -x
    => x: -g;

/// Reciprocal, 1 / x
Recip recip "1/" (x) = 1.0 / x
    => x: -(g * out) * out;

// ── powers and roots ────────────────────────────────────────────────────────────────────────────

/// Power, x to the y
Pow pow "^" (x, y) = x.pow(y)
    // `constant` is 1 where the power does not depend on the argument; nothing is passed down then.
    => x: {
        let constant = y.equals(0.0);
        (g * (y * x.pow((y - 1.0).unless(&constant)))).unless(&constant)
    },
       y: {
        let constant = x.equals(0.0).when((-y).at_most(0.0));
        (g * (out * (x + &constant).ln())).unless(&constant)
    };

/// Square root
Sqrt sqrt "sqrt" (x) = x.sqrt()
    => x: g / (2.0 * out);

/// Cube root
Cbrt cbrt "cbrt" (x) = x.cbrt()
    => x: g / (3.0 * (out * out));

/// Length of the hypotenuse, √(x² + y²), without overflow on the way
Hypot hypot "hypot" (x, y) = x.hypot(y)
    => x: g * (x / out),
       y: g * (y / out);

// ── exponentials and logarithms ─────────────────────────────────────────────────────────────────

/// Exponential, e to the x
Exp exp "exp" (x) = x.exp()
    => x: g * out;

/// 2 to the x
Exp2 exp2 "exp2" (x) = x.exp2()
    => x: g * (out * LN_2);

/// e to the x less 1, exact near 0
ExpM1 exp_m1 "exp_m1" (x) = x.exp_m1()
    => x: g * x.exp();

/// Natural logarithm
Ln ln "ln" (x) = x.ln()
    => x: g / x;

/// Logarithm to the base 2
Log2 log2 "log2" (x) = x.log2()
    => x: g / (x * LN_2);

/// Logarithm to the base 10
Log10 log10 "log10" (x) = x.log10()
    => x: g / (x * LN_10);

/// Natural logarithm of 1 + x, exact near 0
Ln1p ln_1p "ln_1p" (x) = x.ln_1p()
    => x: g / (1.0 + x);

// ── trigonometry ────────────────────────────────────────────────────────────────────────────────

/// Sine of x radians
Sin sin "sin" (x) = x.sin()
    => x: g * x.cos();

/// Cosine of x radians
Cos cos "cos" (x) = x.cos()
    => x: -(g * x.sin());

/// Tangent of x radians
Tan tan "tan" (x) = x.tan()
    => x: g * (1.0 + out * out);

/// Arc sine, in radians
Asin asin "asin" (x) = x.asin()
    => x: g / ((1.0 - x) * (1.0 + x)).sqrt();

/// Arc cosine, in radians
Acos acos "acos" (x) = x.acos()
    => x: -(g / ((1.0 - x) * (1.0 + x)).sqrt());

/// Arc tangent, in radians
Atan atan "atan" (x) = x.atan()
    => x: g / (1.0 + x * x);

/// Angle of the point (y, x) in radians: the arc tangent of x / y in the right quadrant
Atan2 atan2 "atan2" (x, y) = x.atan2(y)
    => x: { let r = x.hypot(y); let r = &r + r.equals(0.0); g * (y / &r) / r },
       y: { let r = x.hypot(y); let r = &r + r.equals(0.0); -(g * (x / &r) / r) };

// ── hyperbolic functions ────────────────────────────────────────────────────────────────────────

/// Hyperbolic sine
Sinh sinh "sinh" (x) = x.sinh()
    => x: g * x.cosh();

/// Hyperbolic cosine
Cosh cosh "cosh" (x) = x.cosh()
    => x: g * x.sinh();

/// Hyperbolic tangent
Tanh tanh "tanh" (x) = x.tanh()
    => x: g * (1.0 - out * out);

/// Inverse hyperbolic sine
Asinh asinh "asinh" (x) = libm::asinh(x)
    => x: g / x.hypot(1.0);

/// Inverse hyperbolic cosine
Acosh acosh "acosh" (x) = libm::acosh(x)
    => x: g / ((x - 1.0) * (x + 1.0)).sqrt();

/// Inverse hyperbolic tangent
Atanh atanh "atanh" (x) = libm::atanh(x)
    => x: g / ((1.0 - x) * (1.0 + x));

// ── choices ─────────────────────────────────────────────────────────────────────────────────────

/// Absolute value
Abs abs "abs" (x) = x.abs()
    => x: g.unless(x.at_most(0.0)) - g.unless((-x).at_most(0.0));

/// The larger of the two; NaN if either is
Max max "max" (x, y) = if x > y || x.is_nan() { x } else { y }
    => x: g.unless(x.at_most(y)) + (0.5 * g).when(x.equals(y)),
       y: g.unless(y.at_most(x)) + (0.5 * g).when(x.equals(y));

/// The smaller of the two; NaN if either is
Min min "min" (x, y) = if x < y || x.is_nan() { x } else { y }
    => x: g.unless(y.at_most(x)) + (0.5 * g).when(x.equals(y)),
       y: g.unless(x.at_most(y)) + (0.5 * g).when(x.equals(y));

/// The value itself, not to be differentiated
Detach detach "detach" (x) = x
    => x: 0.0;

/// Condition: 1 if x ≤ y, else 0
AtMost at_most "<=" (x, y) = x.at_most(y)
    => x: 0.0,
       y: 0.0;

/// Condition: 1 if x = y, else 0
Equals equals "==" (x, y) = x.equals(y)
    => x: 0.0,
       y: 0.0;

/// x where the condition y holds (is not 0), else 0
When when "when" (x, y) = x.when(y)
    => x: g.when(y),
       y: 0.0;

/// x unless the condition y holds (is not 0), else 0
Unless unless "unless" (x, y) = x.unless(y)
    => x: g.unless(y),
       y: 0.0;

// ── activations ─────────────────────────────────────────────────────────────────────────────────

/// Rectified linear unit, max(0, x)
Relu relu "R" (x) = if x <= 0.0 { 0.0 } else { x }
    => x: g.unless(x.at_most(0.0));

/// Leaky rectified linear unit: x where it is positive, else slope · x
LeakyRelu leaky_relu "LR" (x; slope) = if x > 0.0 { x } else { slope * x }
    => x: g.unless(x.at_most(0.0)) + (slope * g).when(x.at_most(0.0));

/// Exponential linear unit: x where it is positive, else alpha · (eˣ - 1)
Elu elu "elu" (x; alpha) = if x > 0.0 { x } else { alpha * x.exp_m1() }
    => x: {
        let negative = x.at_most(0.0);
        g.unless(&negative) + (g * (alpha * x.when(&negative).exp())).when(&negative)
    };

/// Logistic function, 1 / (1 + e⁻ˣ)
Sigmoid sigmoid "sigmoid" (x) = x.sigmoid()
    => x: g * (out * (1.0 - out));

/// Smooth ReLU, ln(1 + eˣ)
Softplus softplus "softplus" (x) = (if x > 0.0 { x } else { 0.0 }) + (-x.abs()).exp().ln_1p()
    => x: g * x.sigmoid();

/// Sigmoid linear unit (swish), x · sigmoid(x)
Silu silu "silu" (x) = x * x.sigmoid()
    => x: { let s = x.sigmoid(); g * (&s * (1.0 + x * (1.0 - &s))) };

/// Gaussian error linear unit, x · Φ(x), with the exact Φ
Gelu gelu "gelu" (x) = x * x.normal_cdf()
    => x: g * (x.normal_cdf() + x * ((-0.5 * (x * x)).exp() * FRAC_1_SQRT_2PI));

/// Distribution function of the standard normal distribution, Φ(x) = (1 + erf(x / √2)) / 2
NormalCdf normal_cdf "Φ" (x) = x.normal_cdf()
    => x: g * ((-0.5 * (x * x)).exp() * FRAC_1_SQRT_2PI);

    } };
}

// ── what the rows expand to ─────────────────────────────────────────────────────────────────────

/// The functions that the rows use and `f64` lacks, or has under another name. Rules pass numbers
/// and references alike, hence `Borrow`.
trait Functions {
    fn pow(self, y: impl Borrow<f64>) -> f64;
    fn at_most(self, y: impl Borrow<f64>) -> f64;
    fn equals(self, y: impl Borrow<f64>) -> f64;
    fn when(self, condition: impl Borrow<f64>) -> f64;
    fn unless(self, condition: impl Borrow<f64>) -> f64;
    fn sigmoid(self) -> f64;
    fn normal_cdf(self) -> f64;
}

impl Functions for f64 {
    /// `powf`, except that the exponents which need no logarithm are computed without one, as in
    /// PyTorch. So ±½ at -0 and -∞ are what `sqrt` makes of them.
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

    /// By erfc, because 1 + erf loses all digits in the left tail.
    fn normal_cdf(self) -> f64 {
        0.5 * libm::erfc(-self * FRAC_1_SQRT_2)
    }
}

/// Defines `Op` from the rows: its variants, labels and values.
macro_rules! define_op {
    ([] ($out:ident, $g:ident) $(
        #[doc = $doc:literal] $Op:ident $($method:ident)? $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $dx:expr $(, y: $dy:expr)?;
    )*) => {
        /// An operation of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Op { $( #[doc = $doc] $Op, )* }

        impl Op {
            /// How the tree shows the operation.
            pub(crate) fn label(self) -> &'static str {
                match self { $( Op::$Op => $label, )* }
            }

            /// Whether there is a second argument, or a parameter in its place.
            pub(crate) fn is_binary(self) -> bool {
                match self { $(
                    Op::$Op => {
                        let second: &[&str] = &[$(stringify!($y))? $(stringify!($parameter))?];
                        !second.is_empty()
                    }
                )* }
            }

            /// Whether the rules pass nothing down, whatever arrives.
            #[inline(always)]
            pub(crate) fn passes_nothing(self) -> bool {
                match self { $(
                    Op::$Op => stringify!($dx) == "0.0" $( && stringify!($dy) == "0.0" )?,
                )* }
            }

            /// Whether something is passed down, but never to the second argument.
            #[inline(always)]
            pub(crate) fn passes_nothing_to_y(self) -> bool {
                match self { $(
                    Op::$Op => {
                        let to_y: &[&str] = &[$(stringify!($dy))?];
                        matches!(to_y, ["0.0"]) && !self.passes_nothing()
                    }
                )* }
            }

            /// The result on the arguments `x` and `y`; with one argument, `y` is not read.
            #[inline(always)]
            pub(crate) fn value(self, x: f64, y: f64) -> f64 {
                match self { $(
                    Op::$Op => {
                        let $x = x;
                        $( let $y = y; )?
                        $( let $parameter = y; )?
                        $value
                    }
                )* }
            }
        }
    };
}

/// Defines the value of every operation on lanes: that on `f64`, in a loop that the compiler turns
/// into SIMD instructions where there are such.
macro_rules! define_values_of_lanes {
    ([] $header:tt $(
        #[doc = $doc:literal] $Op:ident $($method:ident)? $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $dx:expr $(, y: $dy:expr)?;
    )*) => {
        impl<const N: usize> Lanes<N> {
            #[inline(always)]
            fn apply(op: Op, x: &Self, y: &Self) -> Self {
                match op { $(
                    Op::$Op => Self(std::array::from_fn(|lane| {
                        let $x = x.0[lane];
                        $( let $y = y.0[lane]; )?
                        $( let $parameter = y.0[lane]; )?
                        $value
                    })),
                )* }
            }
        }
    };
}

/// Expands the rules for one kind of number, `$N`, as two methods of `Op`. The rules see their
/// variables as `$Var`: the number itself if it is `Copy`, else a reference to it.
macro_rules! define_rules {
    ([$dx_of:ident, $dy_of:ident, $({$($generics:tt)*})? $N:ty, $Var:ty] ($out:ident, $g:ident) $(
        #[doc = $doc:literal] $Op:ident $($method:ident)? $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $dx:expr $(, y: $dy:expr)?;
    )*) => {
        impl Op {
            /// What the operation passes down to its first argument.
            #[inline(always)]
            #[expect(unused_variables, reason = "few rules read every variable")]
            pub(crate) fn $dx_of $(<$($generics)*>)? (
                self, x: $Var, y: $Var, $out: $Var, $g: $Var,
            ) -> $N {
                match self { $(
                    Op::$Op => {
                        let $x = x;
                        $( let $y = y; )?
                        $( let $parameter = y; )?
                        <$N>::from($dx)
                    }
                )* }
            }

            /// What the operation passes down to its second argument.
            #[inline(always)]
            #[expect(unused_variables, reason = "few rules read every variable")]
            pub(crate) fn $dy_of $(<$($generics)*>)? (
                self, x: $Var, y: $Var, $out: $Var, $g: $Var,
            ) -> $N {
                match self {
                    $( $(
                        Op::$Op => {
                            let $x = x;
                            let $y = y;
                            <$N>::from($dy)
                        }
                    )? )*
                    _ => unreachable!("{self:?} has one argument"),
                }
            }
        }
    };
}

/// Gives a number `$N`, which has a function `apply(op, &x, &y)`, all that rules may use: the
/// operators in every mix with references and `f64`, and the functions of the table.
macro_rules! define_number {
    ([$({$($generics:tt)*})? $N:ty] $header:tt $(
        #[doc = $doc:literal] $Op:ident $($method:ident)? $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $dx:expr $(, y: $dy:expr)?;
    )*) => {
        define_number! { @operators {$($($generics)*)?} $N, Add add, Sub sub, Mul mul, Div div }

        #[expect(dead_code, reason = "a rule may use any function of the table; few are used yet")]
        impl $(<$($generics)*>)? $N { $(
            define_number! { @function $Op [$($method)?] ($x $(, $y)? $(; $parameter)?) }
        )* }
    };
    (@function $Op:ident [] $arguments:tt) => {};
    (@function $Op:ident [$method:ident] ($x:ident)) => {
        #[inline(always)]
        fn $method(&self) -> Self {
            Self::apply(Op::$Op, self, &UNREAD.into())
        }
    };
    (@function $Op:ident [$method:ident] ($x:ident $separator:tt $y:ident)) => {
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

/// Defines the methods of `Value`, for the rows that name one.
macro_rules! define_methods {
    ([] ($out:ident, $g:ident) $(
        #[doc = $doc:literal] $Op:ident $($method:ident)? $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $dx:expr $(, y: $dy:expr)?;
    )*) => {
        /// The functions of the table, `src/ops.rs`; x is the value itself. There and in `notes/Gradients.md` stands what
        /// each passes down; the [conventions](crate::engine#conventions) hold at kinks, ties,
        /// powers of 0 and NaN.
        impl Value { $(
            define_methods! {
                $Op [$($method)?] ($x $(, $y)? $(; $parameter)?)
                #[doc = concat!($doc, ".")]
            }
        )* }
    };
    ($Op:ident [] $($rest:tt)*) => {};
    ($Op:ident [$method:ident] ($x:ident) #[$doc:meta]) => {
        #[$doc]
        #[must_use]
        #[track_caller]
        pub fn $method(&self) -> Value {
            Value::unary(Op::$Op, self.clone())
        }
    };
    ($Op:ident [$method:ident] ($x:ident, $y:ident) #[$doc:meta]) => {
        #[$doc]
        #[must_use]
        #[track_caller]
        pub fn $method(&self, $y: impl Into<Operand>) -> Value {
            Value::binary(Op::$Op, self.clone(), $y.into())
        }
    };
    ($Op:ident [$method:ident] ($x:ident; $parameter:ident) #[$doc:meta]) => {
        #[$doc]
        #[must_use]
        #[track_caller]
        pub fn $method(&self, $parameter: f64) -> Value {
            Value::binary(Op::$Op, self.clone(), Operand::Literal($parameter))
        }
    };
}

operations!(define_op);
operations!(define_rules dx, dy, f64, f64);
operations!(define_methods);

/// A number for each of `N` rows. It lies in whole cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Lanes<const N: usize>([f64; N]);

operations!(define_values_of_lanes);
operations!(define_number {const N: usize} Lanes<N>);
operations!(define_rules lanes_dx, lanes_dy, {const N: usize} Lanes<N>, &Lanes<N>);

/// A node or a number, for derivatives that are graphs.
#[derive(Clone, Debug)]
pub(crate) struct Symbol(pub(crate) Operand);

operations!(define_number Symbol);
operations!(define_rules symbol_dx, symbol_dy, Symbol, &Symbol);

#[cfg(test)]
mod tests;
