//! Operations and their rules as source code in other languages, and in Rust without this crate.

use super::expression::{Binding, Expression, Form, Text};
use super::{Arity, Op, Row};

/// A programming language that expressions can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    C,
    JavaScript,
}

/// How C and JavaScript compute the value of an operation: by a function of the language, given by
/// name; by an expression in the row's names; or by the body of a function.
///
/// A `$` before a name marks a call of an operation that the language lacks. In JavaScript,
/// `Math.pow` differs from IEEE 754 at 1 and -1, and there is no error function.
fn in_c_and_javascript(op: Op) -> [&'static str; 2] {
    match op.0 {
        // By operators of the language, including ?:.
        #[rustfmt::skip]
        Row::Add | Row::Sub | Row::Mul | Row::Div | Row::Neg
        | Row::AtMost | Row::Equals | Row::When | Row::Unless => [""; 2],
        Row::Recip => ["1.0 / x"; 2],
        Row::Pow => [
            "y == 0.5 ? sqrt(x) : y == -0.5 ? 1.0 / sqrt(x) : pow(x, y)",
            "y === 0.5 ? Math.sqrt(x) : y === -0.5 ? 1.0 / Math.sqrt(x) \
             : x === 1.0 || x === -1.0 && Math.abs(y) === Infinity ? 1.0 : Math.pow(x, y)",
        ],
        Row::Sqrt => ["sqrt", "Math.sqrt"],
        Row::Cbrt => ["cbrt", "Math.cbrt"],
        Row::Hypot => ["hypot", "Math.hypot"],
        Row::Exp => ["exp", "Math.exp"],
        Row::Exp2 => ["exp2", "Math.pow(2.0, x)"],
        Row::ExpM1 => ["expm1", "Math.expm1"],
        Row::Ln => ["log", "Math.log"],
        Row::Log2 => ["log2", "Math.log2"],
        Row::Log10 => ["log10", "Math.log10"],
        Row::Ln1p => ["log1p", "Math.log1p"],
        Row::Sin => ["sin", "Math.sin"],
        Row::Cos => ["cos", "Math.cos"],
        Row::Tan => ["tan", "Math.tan"],
        Row::Asin => ["asin", "Math.asin"],
        Row::Acos => ["acos", "Math.acos"],
        Row::Atan => ["atan", "Math.atan"],
        Row::Atan2 => ["atan2", "Math.atan2"],
        Row::Sinh => ["sinh", "Math.sinh"],
        Row::Cosh => ["cosh", "Math.cosh"],
        Row::Tanh => ["tanh", "Math.tanh"],
        Row::Asinh => ["asinh", "Math.asinh"],
        Row::Acosh => ["acosh", "Math.acosh"],
        Row::Atanh => ["atanh", "Math.atanh"],
        Row::Abs => ["fabs", "Math.abs"],
        Row::Max => ["x > y || x != x ? x : y"; 2],
        Row::Min => ["x < y || x != x ? x : y"; 2],
        Row::ClampMin => ["x >= lo || x != x ? x : lo"; 2],
        Row::ClampMax => ["x <= hi || x != x ? x : hi"; 2],
        Row::Detach => ["x"; 2],
        Row::Floor => ["floor", "Math.floor"],
        Row::Ceil => ["ceil", "Math.ceil"],
        Row::Round => ["round", ROUND_IN_JAVASCRIPT],
        Row::RoundTiesEven => ["rint", ROUND_TIES_EVEN_IN_JAVASCRIPT],
        Row::Trunc => ["trunc", "Math.trunc"],
        Row::Signum => ["x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x + 0.0"; 2],
        Row::Relu => ["x <= 0.0 ? 0.0 : x"; 2],
        Row::LeakyRelu => ["x > 0.0 ? x : slope * x"; 2],
        Row::Elu => [
            "x > 0.0 ? x : alpha * expm1(x)",
            "x > 0.0 ? x : alpha * Math.expm1(x)",
        ],
        Row::Sigmoid => ["1.0 / (1.0 + exp(-x))", "1.0 / (1.0 + Math.exp(-x))"],
        Row::Softplus => [
            "(x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)))",
            "(x > 0.0 ? x : 0.0) + Math.log1p(Math.exp(-Math.abs(x)))",
        ],
        Row::Silu => ["x * $sigmoid(x)"; 2],
        Row::Gelu => ["x * $normal_cdf(x)"; 2],
        Row::Erf => ["erf", ERF_IN_JAVASCRIPT],
        Row::Erfc => ["erfc", ERFC_IN_JAVASCRIPT],
        Row::NormalCdf => [
            "0.5 * erfc(-x * 0.7071067811865476)",
            "0.5 * $erfc(-x * 0.7071067811865476)",
        ],
    }
}

const ROUND_IN_JAVASCRIPT: &str = "{
    const whole = Math.trunc(x);
    return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}";

const ROUND_TIES_EVEN_IN_JAVASCRIPT: &str = "{
    const whole = Math.trunc(x);
    const rest = Math.abs(x - whole);
    return rest > 0.5 || rest === 0.5 && whole % 2.0 !== 0.0 ? whole + Math.sign(x) : whole;
}";

/// The error function for |x| < 2, as `series`:
/// 2 / √π · e^(-x²) · (x + 2x³ / 3 + 4x⁵ / 15 + …). All terms have one sign.
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6.
macro_rules! series_in_javascript {
    () => {
        "    let sum = x;
    for (let term = x, n = 3.0; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2.0) {
        term *= 2.0 * x * x / n;
        sum += term;
    }
    const series = 1.1283791670955126 * Math.exp(-x * x) * sum;
"
    };
}

/// The complementary error function for |x| ≥ 2, as `tail`, by a continued fraction:
/// √π · e^(x²) · erfc(x) = 1 / (x + ½ / (x + 1 / (x + 3/2 / (x + …)))).
/// Abramowitz and Stegun, 7.1.14.
macro_rules! tail_in_javascript {
    () => {
        "    const size = Math.abs(x);
    let rest = size;
    for (let n = 60.0; n > 0.0; n -= 1.0) {
        rest = size + 0.5 * n / rest;
    }
    const tail = 0.5641895835477563 * Math.exp(-x * x) / rest;
"
    };
}

const ERF_IN_JAVASCRIPT: &str = concat!(
    "{
    if (Math.abs(x) >= 2.0) {
        return Math.sign(x) * (1.0 - $erfc(Math.abs(x)));
    }
",
    series_in_javascript!(),
    "    return series;
}"
);

const ERFC_IN_JAVASCRIPT: &str = concat!(
    "{
    if (Math.abs(x) < 2.0) {
    ",
    series_in_javascript!(),
    "        return 1.0 - series;
    }
",
    tail_in_javascript!(),
    "    return x < 0.0 ? 2.0 - tail : tail;
}"
);

/// How Rust computes the value, in the same forms: as the row does, unless the row calls functions
/// of this crate.
fn in_rust(op: Op) -> &'static str {
    match op.0 {
        Row::Pow => POW_IN_RUST,
        Row::Sigmoid => "1.0 / (1.0 + (-x).exp())",
        Row::Silu => "x * $sigmoid(x)",
        Row::Gelu => "x * $normal_cdf(x)",
        Row::NormalCdf => "0.5 * libm::erfc(-x * core::f64::consts::FRAC_1_SQRT_2)",
        _ => op.value_text(),
    }
}

const POW_IN_RUST: &str = "{
    if y == 2.0 {
        x * x
    } else if y == 1.0 {
        x
    } else if y == 3.0 {
        x * x * x
    } else if y == 0.5 {
        x.sqrt()
    } else if y == -0.5 {
        1.0 / x.sqrt()
    } else if y == -1.0 {
        1.0 / x
    } else if y == -2.0 {
        1.0 / (x * x)
    } else {
        x.powf(y)
    }
}";

/// Words that cannot be names in some edition or mode.
const RUST_KEYWORDS: &str = "Self abstract as async await become box break const continue crate do \
    dyn else enum extern false final fn for gen if impl in let loop macro match mod move mut \
    override priv pub ref return self static struct super trait true try type typeof unsafe \
    unsized use virtual where while yield f64";
const C_KEYWORDS: &str = "auto bool break case char const continue default do double else enum \
    extern false float for goto if inline int long main nullptr register restrict return short \
    signed sizeof static struct switch true typedef union unsigned void volatile while \
    INFINITY NAN float_t double_t fpclassify math_errhandling signbit \
    abs labs llabs abort atexit atof atoi atol bsearch calloc clock div exit fprintf fputc fputs free \
    fscanf getc getenv getchar gets index malloc printf putc putchar puts qsort rand realloc remove \
    rename rindex scanf sprintf sscanf srand system time \
    isalnum isalpha isblank iscntrl isdigit isfinite isgraph isgreater isgreaterequal isinf isless \
    islessequal islessgreater islower isnan isnormal isprint ispunct isspace isunordered isupper \
    isxdigit memchr memcmp memcpy memmove memset strcat strchr strcmp strcpy strlen strncat strncmp \
    strncpy strstr strtod tolower toupper";
/// The functions of `math.h` and `complex.h`, as compilers know them.
const C_FUNCTIONS: &str = "acos acosh asin asinh atan atan2 atanh cabs cacos cacosh carg casin \
    casinh catan catanh cbrt ccos ccosh ceil cexp cimag clog conj copysign cos cosh cpow cproj \
    creal csin csinh csqrt ctan ctanh erf erfc exp exp10 exp2 expm1 fabs fdim floor fma fmax fmin \
    fmod frexp gamma hypot ilogb j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb \
    lrint lround modf nan nearbyint nextafter nexttoward pow pow10 remainder remquo rint round \
    roundeven scalb scalbln scalbn significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn";
const JAVASCRIPT_KEYWORDS: &str = "arguments await break case catch class const continue debugger \
    default delete do else enum eval export extends false finally for function if implements \
    import in instanceof interface let new null package private protected public return static \
    super switch this throw true try typeof undefined var void while with yield Infinity Math NaN";

impl Language {
    /// Whether a name means something else in the language.
    pub(crate) fn reserves(self, name: &str) -> bool {
        let is_among = |words: &str| words.split_whitespace().any(|word| word == name);
        match self {
            Self::Rust => is_among(RUST_KEYWORDS),
            Self::JavaScript => is_among(JAVASCRIPT_KEYWORDS),
            Self::C => {
                // Functions of `math.h` exist for three types.
                let name_of_double = name.strip_suffix(['f', 'l']).unwrap_or(name);
                let mut functions = C_FUNCTIONS.split_whitespace();
                is_among(C_KEYWORDS)
                    || functions.any(|function| function == name || function == name_of_double)
                    || ["FP_", "MATH_", "HUGE_VAL"]
                        .iter()
                        .any(|prefix| name.starts_with(prefix))
            }
        }
    }

    fn number(self, number: f64) -> Text {
        let names = match self {
            Self::Rust => ["f64::NAN", "f64::INFINITY", "-f64::INFINITY"],
            Self::C => ["NAN", "INFINITY", "-INFINITY"],
            Self::JavaScript => ["NaN", "Infinity", "-Infinity"],
        };
        let [nan, infinity, negative_infinity] = names;
        let text = match number {
            _ if number.is_nan() => nan.into(),
            f64::INFINITY => infinity.into(),
            f64::NEG_INFINITY => negative_infinity.into(),
            _ => format!("{number:?}"),
        };
        Text::number(number, text)
    }

    /// How the language computes the value of an operation.
    fn value(self, op: Op) -> &'static str {
        let [c, javascript] = in_c_and_javascript(op);
        match self {
            Self::Rust => in_rust(op),
            Self::C => c,
            Self::JavaScript => javascript,
        }
    }

    /// The function of the language that computes an operation, if there is one.
    fn function(self, op: Op) -> Option<&'static str> {
        let value = self.value(op);
        if self == Self::Rust {
            let method = value.strip_prefix("x.")?;
            return method.strip_suffix("()").or(method.strip_suffix("(y)"));
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.';
        (value.len() > 1 && value.chars().all(is_name)).then_some(value)
    }

    /// An expression as text.
    pub(crate) fn write(self, expression: &Expression) -> String {
        self.text(expression).0
    }

    fn text(self, expression: &Expression) -> Text {
        match expression.form() {
            Form::Name(name) => Text::atom(name),
            Form::Constant(number) => self.number(*number),
            Form::Apply(op, [x, y]) => self.apply(*op, x, y),
        }
    }

    fn apply(self, op: Op, x: &Expression, y: &Expression) -> Text {
        let infix = |sign, binding| Text::infix(self.text(x), sign, self.text(y), binding);
        match op {
            Op::Add => infix("+", Binding::Sum),
            Op::Sub => infix("-", Binding::Sum),
            Op::Mul => infix("*", Binding::Product),
            Op::Div => infix("/", Binding::Product),
            Op::Neg => Text::negated(self.text(x)),
            Op::When => self.choice(y, x, &0.0.into()),
            Op::Unless => self.choice(y, &0.0.into(), x),
            Op::AtMost | Op::Equals => {
                let condition = Expression::apply(op, x, y);
                self.choice(&condition, &1.0.into(), &0.0.into())
            }
            _ => self.call(op, x, y),
        }
    }

    fn choice(self, condition: &Expression, yes: &Expression, no: &Expression) -> Text {
        let condition = self.condition(condition);
        let [yes, no] = [yes, no].map(|side| self.text(side));
        Text(
            match self {
                Self::Rust => format!("if {condition} {{ {} }} else {{ {} }}", yes.0, no.0),
                Self::C | Self::JavaScript => {
                    let [yes, no] = [yes, no].map(|side| side.at_least(Binding::Comparison));
                    format!("{condition} ? {yes} : {no}")
                }
            },
            Binding::Choice,
        )
    }

    /// The test that a number is not 0, in the language.
    fn condition(self, condition: &Expression) -> String {
        let equals = match self {
            Self::Rust | Self::C => "==",
            Self::JavaScript => "===",
        };
        let (x, sign, y) = match condition.form() {
            Form::Apply(Op::AtMost, [x, y]) => (self.text(x), "<=", self.text(y)),
            Form::Apply(Op::Equals, [x, y]) => (self.text(x), equals, self.text(y)),
            _ => (self.text(condition), "!=", self.number(0.0)),
        };
        Text::infix(x, sign, y, Binding::Comparison).0
    }

    fn call(self, op: Op, x: &Expression, y: &Expression) -> Text {
        let is_binary = op.arity() != Arity::Unary;
        let y = is_binary.then(|| self.text(y).0);
        let function = self.function(op);
        Text::atom(match (function, self) {
            (Some(method), Self::Rust) => {
                let x = match x.constant() {
                    // Rust must know the type of a literal before it looks up a method.
                    Some(x) if x.is_finite() => Text::number(x, format!("{x:?}_f64")),
                    _ => self.text(x),
                };
                let x = x.at_least(Binding::Atom);
                format!("{x}.{method}({})", y.unwrap_or_default())
            }
            (function, _) => {
                let function = function.map_or(format!("op_{}", op.name()), str::to_owned);
                let arguments: Vec<_> = [Some(self.text(x).0), y].into_iter().flatten().collect();
                format!("{function}({})", arguments.join(", "))
            }
        })
    }

    /// The functions that the code calls and the language lacks, each after the ones that it calls
    /// itself.
    pub(crate) fn helpers(self, code: &str) -> String {
        let code = code.lines().map(|line| line.split("//").next());
        let code: String = code.flatten().flat_map(|code| [code, "\n"]).collect();
        let mut helpers = Vec::new();
        self.add_helpers(&code, "op_", &mut helpers);
        helpers.into_iter().map(|(_, helper)| helper).collect()
    }

    fn add_helpers(self, code: &str, prefix: &str, helpers: &mut Vec<(Op, String)>) {
        for &op in Op::ALL {
            let is_new = helpers.iter().all(|&(other, _)| other != op);
            if is_new && code.contains(&format!("{prefix}{}(", op.name())) {
                self.add_helpers(self.value(op), "$", helpers);
                helpers.push((op, self.helper(op)));
            }
        }
    }

    fn helper(self, op: Op) -> String {
        let name = op.name();
        let parameters = op.parameters().iter().map(|parameter| match self {
            Self::Rust => format!("{parameter}: f64"),
            Self::C => format!("double {parameter}"),
            Self::JavaScript => (*parameter).to_owned(),
        });
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        let value = self.value(op).replace('$', "op_");
        let block = match self {
            _ if value.starts_with('{') => value,
            Self::Rust => format!("{{\n    {value}\n}}"),
            Self::C | Self::JavaScript => format!("{{\n    return {value};\n}}"),
        };
        match self {
            Self::Rust => format!("fn op_{name}({parameters}) -> f64 {block}\n\n"),
            Self::C => format!("static double op_{name}({parameters}) {block}\n\n"),
            Self::JavaScript => format!("function op_{name}({parameters}) {block}\n\n"),
        }
    }
}

/// Operations as a JavaScript object, by name, preceded by the functions that it calls.
pub(crate) fn operations_in_javascript(ops: &[Op]) -> [String; 2] {
    let language = Language::JavaScript;
    let [x, y, out, g] = ["x", "y", "out", "g"].map(Expression::name);
    let mut operations = String::from("{\n");
    for &op in ops {
        let value = language.write(&Expression::apply(op, &x, &y));
        let gradients = op.vjps([&x, &y, &out, &g]).map(|vjp| {
            let vjp = vjp.map(|vjp| language.write(&vjp));
            vjp.map_or("null".into(), |vjp| format!("(x, y, out, g) => {vjp}"))
        });
        let (name, gradients) = (op.name(), gradients.join(", "));
        operations.extend([
            format!("    {name}: {{\n"),
            format!("        value: (x, y) => {value},\n"),
            format!("        gradients: [{gradients}],\n    }},\n"),
        ]);
    }
    operations += "}";
    [language.helpers(&operations), operations]
}
