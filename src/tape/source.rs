//! Functions as source code.

use std::error::Error;
use std::fmt;

use super::function::{Frozen, Function, VectorFunction};
use crate::ops::Op;
use crate::ops::language::{Language, operations_in_javascript};

mod code;
mod emitter;

use code::Code;
use emitter::{Emitter, Outputs, Parameters};

/// A self-contained module of functions, as source code.
///
/// ```
/// use micrograd::tape::{Source, Tape};
///
/// let tape = Tape::trace(|[x, y]| x.pow(2.0) * y.exp());
/// let mut source = Source::c();
/// source.add("area", &tape.freeze())?;
/// let text = source.to_string();
/// assert!(text.contains("double area(const double x[2]) {"));
/// assert!(text.contains("double area_gradient(const double x[2], double gradient[2]) {"));
/// # Ok::<(), micrograd::tape::SourceError>(())
/// ```
///
/// Each function is written twice: `name` returns the value, and `name_gradient` returns it and
/// overwrites `gradient` with the gradient with respect to the inputs. With several outputs, `name`
/// overwrites `outputs`, and `name_jacobian` overwrites `jacobian` as well, with one row for each
/// output. None of them
/// allocates, recurses or keeps state. A function of more than 1000 results takes a work array as
/// its last argument. The constant `name_work` beside it (in Rust, `NAME_WORK`) gives the length;
/// the array need not be cleared.
#[derive(Debug)]
pub struct Source {
    language: Language,
    /// Whether the crate `libm` replaces the functions of `std`.
    without_std: bool,
    names: Vec<String>,
    /// The functions added so far.
    text: String,
}

/// The reason why a function cannot be added to a [`Source`]: the language does not allow its name,
/// or the name is taken.
#[derive(Debug)]
pub struct SourceError {
    message: String,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SourceError {}

impl Source {
    /// A module in Rust, which computes the value with the same bits as the tape. It takes the
    /// error functions and the inverse hyperbolic functions from the crate `libm`.
    #[must_use]
    pub fn rust() -> Self {
        Self::new(Language::Rust)
    }

    /// A module in Rust without the standard library, which takes all functions from the crate
    /// `libm`. Their last digit may differ from the tape's.
    #[must_use]
    pub fn rust_no_std() -> Self {
        Self {
            without_std: true,
            ..Self::rust()
        }
    }

    /// A file in C99, which needs only `math.h`.
    ///
    /// Compile it with `-ffp-contract=off`; otherwise the compiler may fuse a product and a sum and
    /// round once where the tape rounds twice.
    #[must_use]
    pub fn c() -> Self {
        Self::new(Language::C)
    }

    /// An ES module in JavaScript.
    ///
    /// Functions with layers always take a work array, such as a `Float64Array`.
    #[must_use]
    pub fn javascript() -> Self {
        Self::new(Language::JavaScript)
    }

    /// The operations of the table themselves, as an ES module. It exports an object `operations`
    /// that has, for each name, the `value`, a function of x and y, and the `gradients` of x and of
    /// y: functions of x, y, the result and the upstream gradient, or null where nothing is passed
    /// down.
    ///
    /// ```
    /// use micrograd::tape::Source;
    ///
    /// let module = Source::operations_in_javascript();
    /// let tanh = "tanh: {
    ///         value: (x, y) => Math.tanh(x),
    ///         gradients: [(x, y, out, g) => g * (1.0 - out * out), null],
    ///     },";
    /// assert!(module.contains(tanh));
    /// ```
    #[must_use]
    pub fn operations_in_javascript() -> String {
        let [helpers, operations] = operations_in_javascript(Op::ALL);
        format!("{helpers}export const operations = {operations};\n")
    }

    fn new(language: Language) -> Self {
        Self {
            language,
            without_std: false,
            names: Vec::new(),
            text: String::new(),
        }
    }

    /// Adds a function with this name, and `name_gradient`.
    ///
    /// # Errors
    ///
    /// If the language does not allow the name, or if the source already uses it, ignoring case.
    pub fn add(&mut self, name: &str, function: &Function) -> Result<(), SourceError> {
        self.write(name, &function.0, Outputs::One, Parameters::Constants)
    }

    /// [`add`](Self::add) with the parameters as an argument, in the order of
    /// [`Tape::parameters`](super::Tape::parameters), and with the gradient with respect to them.
    ///
    /// ```
    /// use micrograd::engine::Value;
    /// use micrograd::tape::{Source, Tape};
    ///
    /// let [slope, intercept] = [0.5, 1.0].map(Value::new);
    /// let line = Tape::trace(|[x]| &slope * x + &intercept);
    /// let mut source = Source::javascript();
    /// source.add_with_parameters("line", &line.freeze())?;
    /// let text = source.to_string();
    /// assert!(text.contains("function line(x, parameters) {"));
    /// assert!(text.contains(
    ///     "function line_gradient(x, parameters, gradient, parameter_gradient) {"
    /// ));
    /// # Ok::<(), micrograd::tape::SourceError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the language does not allow the name, or if the source already uses it, ignoring case.
    pub fn add_with_parameters(
        &mut self,
        name: &str,
        function: &Function,
    ) -> Result<(), SourceError> {
        self.write(name, &function.0, Outputs::One, Parameters::Argument)
    }

    /// Adds a function of several outputs with this name, and `name_jacobian`.
    ///
    /// # Errors
    ///
    /// If the language does not allow the name, or if the source already uses it, ignoring case.
    pub fn add_vector(&mut self, name: &str, function: &VectorFunction) -> Result<(), SourceError> {
        self.write(name, &function.0, Outputs::Several, Parameters::Constants)
    }

    fn write(
        &mut self,
        name: &str,
        function: &Frozen,
        outputs: Outputs,
        parameters: Parameters,
    ) -> Result<(), SourceError> {
        self.check(name)?;
        let code = Code::new(self.language);
        let Frozen { program, shared } = function;
        let mut emitter = Emitter::new(code, name, program, shared, parameters);
        emitter.write_constants();
        emitter.write_value(outputs);
        emitter.write_derivatives(outputs);
        self.text.push_str(&emitter.into_text());
        self.names.push(name.to_owned());
        Ok(())
    }

    fn check(&self, name: &str) -> Result<(), SourceError> {
        let mut letters = name.chars();
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_identifier = letters.next().is_some_and(is_letter)
            && letters.all(|c| is_letter(c) || c.is_ascii_digit())
            && name != "_";
        let arguments = [
            "x",
            "parameters",
            "outputs",
            "gradient",
            "parameter_gradient",
            "jacobian",
            "work",
        ];
        let message = if !is_identifier || self.language.reserves(name) {
            format!(
                "`{}` cannot be the name of a function in {:?}",
                name.escape_debug(),
                self.language
            )
        } else if name.starts_with("op_") || arguments.contains(&name) {
            format!("`{name}` is used by the source itself")
        } else if let Some(other) = self
            .names
            .iter()
            .find(|other| belongs_to(name, other) || belongs_to(other, name))
        {
            format!("`{name}` is taken by the function `{other}`")
        } else {
            return Ok(());
        };
        Err(SourceError { message })
    }
}

/// Whether a name is the name of a function or of something written with the function.
fn belongs_to(name: &str, function: &str) -> bool {
    let [name, function] = [name, function].map(str::to_ascii_lowercase);
    name.strip_prefix(&function).is_some_and(|rest| {
        let suffixes = ["", "_gradient", "_jacobian", "_work"];
        suffixes.contains(&rest) || rest.starts_with("_weights_") || rest.starts_with("_bias_")
    })
}

impl fmt::Display for Source {
    /// Writes the source code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.language {
            Language::C => "#include <math.h>\n\n",
            Language::Rust | Language::JavaScript => "",
        })?;
        let code = self.language.helpers(&self.text) + &self.text;
        if self.without_std {
            f.write_str(&functions_of_libm(&code))?;
        }
        writeln!(f, "{}", code.trim_end())
    }
}

/// The methods of `f64` that `core` lacks.
const METHODS: [&str; 27] = [
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "exp_m1",
    "floor",
    "hypot",
    "ln",
    "ln_1p",
    "log10",
    "log2",
    "powf",
    "round",
    "round_ties_even",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
];

/// A trait with the methods of `METHODS` that the code calls.
fn functions_of_libm(code: &str) -> String {
    let (mut declarations, mut definitions) = (Vec::new(), Vec::new());
    let is_called = |method: &&str| code.contains(&format!(".{method}("));
    for method in METHODS.into_iter().filter(is_called) {
        let function = match method {
            "abs" => "fabs",
            "exp_m1" => "expm1",
            "ln" => "log",
            "ln_1p" => "log1p",
            "powf" => "pow",
            "round_ties_even" => "rint",
            same => same,
        };
        let (y, x_and_y) = match method {
            "atan2" | "hypot" | "powf" => (", y: Self", "self, y"),
            _ => ("", "self"),
        };
        let declaration = format!("    fn {method}(self{y}) -> Self");
        definitions.push(format!(
            "{declaration} {{\n        libm::{function}({x_and_y})\n    }}\n"
        ));
        declarations.push(declaration + ";\n");
    }
    if declarations.is_empty() {
        return String::new();
    }
    let [declarations, definitions] = [declarations, definitions].map(|lines| lines.concat());
    format!(
        "#[allow(dead_code)] // where there is `std`, its methods go first\n\
         trait Functions {{\n{declarations}}}\n\nimpl Functions for f64 {{\n{definitions}}}\n\n"
    )
}
