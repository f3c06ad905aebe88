//! The table of operations. One operation is one row:
//!
//! ```text
//! /// Hyperbolic tangent
//! Tanh tanh "tanh" (x) = x.tanh()
//!     => x: g * (1.0 - out * out);
//! ```
//!
//! From left to right:
//!
//! - `Tanh`: the variant of [`Row`](super::Row).
//! - `tanh`: the method of `Value`. (`+ - * /` and negation are operators instead.)
//! - `"tanh"`: the label in a drawing.
//! - `(x)`: the arguments. In `(x; slope)`, `slope` is a constant parameter.
//! - `x.tanh()`: the value, on `f64`.
//! - After `=>`, for each argument, its rule: the part of the gradient that is passed down to it.
//!
//! In a rule, `x` and `y` are the arguments, `out` is the result and `g` the upstream gradient, the
//! one that has arrived at `out`, as in `notes/Gradients.md`.
//!
//! Everything else derives from the rows. To add an operation, add its row here, its C and
//! JavaScript to `language.rs` (the compiler asks for them) and its paragraph to the notes; tests
//! report anything else that is missing. Four rules for rows:
//!
//! - The table is closed: a rule is written with operators and with functions of the table only,
//!   because rules also run on numbers other than `f64`, some of which are not even `Copy`.
//! - A rule that passes nothing to an argument is `none`. The backward pass does not go there,
//!   which differs from going there with 0: further down, 0 might meet an infinite slope, and
//!   0 · ∞ is NaN. (If only one of two arguments gets a gradient, it is x.)
//! - A rule that chooses a side drops the other one by `when` or `unless`. A condition is a number,
//!   1 or 0: `x.when(c)` is x where c is not 0, and 0 elsewhere; `x.unless(c)` is the reverse.
//!   Multiplying by 0 or 1 instead would again make NaN of 0 · ∞. If the dropped part may itself
//!   have an infinite slope, replace the argument of that part by a harmless number first, as the
//!   rules of `Pow` and `Elu` do; otherwise second derivatives are NaN.
//! - In a value, `x.max(y)` would be that of `f64`, which ignores NaN: write an `if` instead.

/// Hands all rows to the macro `$build`: first the arguments meant for it, then the names under
/// which the rules know the result and the upstream gradient.
macro_rules! operations {
    ($build:ident $($arguments:tt)*) => { $build! { [$($arguments)*] (out, g)

// ── arithmetic ──────────────────────────────────────────────────────────────────────────────────

/// Sum
Add add "+" (x, y) = x + y
    => x: g,
       y: g;

/// Difference
Sub sub "-" (x, y) = x - y
    => x: g,
       y: -g;

/// Product
Mul mul "*" (x, y) = x * y
    => x: g * y,
       y: g * x;

/// Quotient
Div div "/" (x, y) = x / y
    => x: g / y,
       y: -(g * out) / y;

/// Negation
Neg neg "-" (x) = -x
    => x: -g;

/// Reciprocal, 1 / x
Recip recip "1/" (x) = 1.0 / x
    => x: -(g * out) * out;

// ── powers and roots ────────────────────────────────────────────────────────────────────────────

/// Power, x to the y
Pow pow "^" (x, y) = x.pow(y)
    // `constant` is 1 where the power does not depend on the argument; then 0 is passed down.
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

/// eˣ - 1, accurate near x = 0
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

/// Natural logarithm of 1 + x, accurate near x = 0
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

/// Angle of the point with abscissa y and ordinate x, in radians, like `f64::atan2`
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

/// x, but at least lo
ClampMin clamp_min "clamp_min" (x; lo) = if x >= lo || x.is_nan() { x } else { lo }
    => x: g.when(lo.at_most(x));

/// x, but at most hi
ClampMax clamp_max "clamp_max" (x; hi) = if x <= hi || x.is_nan() { x } else { hi }
    => x: g.when(x.at_most(hi));

/// The same number as a new node, through which no gradient passes, like PyTorch's `detach`
Detach detach "detach" (x) = x
    => x: none;

// ── steps ───────────────────────────────────────────────────────────────────────────────────────

/// The greatest integer that is at most x
Floor floor "floor" (x) = x.floor()
    => x: none;

/// The least integer that is at least x
Ceil ceil "ceil" (x) = x.ceil()
    => x: none;

/// The nearest integer; halfway cases are rounded away from 0
Round round "round" (x) = x.round()
    => x: none;

/// The nearest integer; halfway cases are rounded to the even one, like PyTorch's `round`
RoundTiesEven round_ties_even "round_even" (x) = x.round_ties_even()
    => x: none;

/// The integer part
Trunc trunc "trunc" (x) = x.trunc()
    => x: none;

/// The sign, -1 or 1; 0 at 0 and -0, like PyTorch's `sign`
Signum signum "sign" (x) = if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { x + 0.0 }
    => x: none;

// ── conditions ──────────────────────────────────────────────────────────────────────────────────

/// Condition: 1 if x ≤ y, else 0
AtMost at_most "<=" (x, y) = x.at_most(y)
    => x: none,
       y: none;

/// Condition: 1 if x = y, else 0
Equals equals "==" (x, y) = x.equals(y)
    => x: none,
       y: none;

/// x where the condition y holds (is not 0), else 0
When when "when" (x, y) = x.when(y)
    => x: g.when(y),
       y: none;

/// x unless the condition y holds (is not 0), else 0
Unless unless "unless" (x, y) = x.unless(y)
    => x: g.unless(y),
       y: none;

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

/// Error function, 2 / √π times the integral of e^(-t²) from 0 to x
Erf erf "erf" (x) = libm::erf(x)
    => x: g * ((-(x * x)).exp() * FRAC_2_SQRT_PI);

/// Complementary error function, 1 - erf(x), accurate where that is small
Erfc erfc "erfc" (x) = libm::erfc(x)
    => x: -(g * ((-(x * x)).exp() * FRAC_2_SQRT_PI));

/// Distribution function of the standard normal distribution, Φ(x) = (1 + erf(x / √2)) / 2
NormalCdf normal_cdf "Φ" (x) = x.normal_cdf()
    => x: g * ((-0.5 * (x * x)).exp() * FRAC_1_SQRT_2PI);

    } };
}

pub(crate) use operations;
