//! Functions as source code.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::{self, Write};
use std::ops::Range;
use std::slice;

use super::function::{Frozen, Function, VectorFunction};
use super::program::{Layer, Place, Program, Segment, Step, is_set};
use crate::ops::expression::{Expression, Form};
use crate::ops::language::{Language, Writer};
use crate::ops::{Arity, Op};

/// A module of functions, as source code that needs neither this crate nor any other.
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
/// For each function there is one of its own for the value, and one that also writes the gradient
/// with respect to the inputs; of several outputs the Jacobian, row by row. They allocate nothing,
/// do not recurse and keep no state.
#[derive(Debug)]
pub struct Source {
    language: Language,
    /// Whether the functions of `std` come from the crate `libm`.
    without_std: bool,
    writer: Writer,
    names: Vec<String>,
    /// The functions added so far.
    text: String,
}

/// Why a function cannot be added to a [`Source`]: its name is none in the language, or is taken.
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
    /// A module in Rust. It computes the value with the bits of the tape. Error functions and the
    /// inverse hyperbolic functions are those of the crate `libm`.
    #[must_use]
    pub fn rust() -> Self {
        Self::new(Language::Rust)
    }

    /// A module in Rust without the standard library: all functions are those of the crate `libm`.
    /// Their last digit may differ from the tape's.
    #[must_use]
    pub fn rust_no_std() -> Self {
        Self {
            without_std: true,
            ..Self::rust()
        }
    }

    /// A file in C99, which needs `math.h` alone.
    ///
    /// Compile it with `-ffp-contract=off`, or products and sums may be rounded once where the tape
    /// rounds twice.
    #[must_use]
    pub fn c() -> Self {
        Self::new(Language::C)
    }

    /// An ES module in JavaScript.
    ///
    /// Functions with layers take a `Float64Array` to work in as their last argument; its length is
    /// exported beside them.
    #[must_use]
    pub fn javascript() -> Self {
        Self::new(Language::JavaScript)
    }

    /// The operations of the table themselves, as an ES module: `operations`, an object that has for
    /// each name the `value`, a function of x and y, and the `gradients`, of x and of y: functions of
    /// x, y, the result and the upstream gradient, or null where nothing is passed down.
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
        let mut writer = Writer::new(Language::JavaScript);
        let [x, y, out, g] = ["x", "y", "out", "g"].map(Expression::name);
        let mut operations = String::new();
        for &op in Op::ALL {
            let value = writer.write(&Expression::apply(op, &x, &y));
            let gradients = op.vjps([&x, &y, &out, &g]).map(|vjp| {
                let vjp = vjp.map(|vjp| writer.write(&vjp));
                vjp.map_or("null".into(), |vjp| format!("(x, y, out, g) => {vjp}"))
            });
            operations += &format!(
                "    {}: {{\n        value: (x, y) => {value},\n        gradients: [{}],\n    }},\n",
                op.name(),
                gradients.join(", ")
            );
        }
        let helpers = writer.helpers();
        format!("{helpers}export const operations = {{\n{operations}}};\n")
    }

    fn new(language: Language) -> Self {
        Self {
            language,
            without_std: false,
            writer: Writer::new(language),
            names: Vec::new(),
            text: String::new(),
        }
    }

    /// Adds a function of this name, and `name_gradient`.
    ///
    /// # Errors
    ///
    /// If the name is not an identifier of the language, or is taken already.
    pub fn add(&mut self, name: &str, function: &Function) -> Result<(), SourceError> {
        self.add_frozen(name, &function.0, false)
    }

    /// Adds a function of several outputs of this name, and `name_jacobian`.
    ///
    /// # Errors
    ///
    /// If the name is not an identifier of the language, or is taken already.
    pub fn add_vector(&mut self, name: &str, function: &VectorFunction) -> Result<(), SourceError> {
        self.add_frozen(name, &function.0, true)
    }

    fn add_frozen(
        &mut self,
        name: &str,
        frozen: &Frozen,
        is_vector: bool,
    ) -> Result<(), SourceError> {
        self.check(name)?;
        let Frozen { program, shared } = frozen;
        let mut emitter = Emitter::new(self.language, &mut self.writer, name, program, shared);
        emitter.constants();
        emitter.value(is_vector);
        emitter.derivatives(is_vector);
        self.text.push_str(&emitter.text);
        self.names.push(name.to_owned());
        Ok(())
    }

    fn check(&self, name: &str) -> Result<(), SourceError> {
        let mut letters = name.chars();
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_identifier = letters.next().is_some_and(is_letter)
            && letters.all(|c| is_letter(c) || c.is_ascii_digit())
            && name != "_";
        let reserved = ["x", "work", "gradient", "jacobian", "outputs", "main"];
        let message = if !is_identifier || self.language.reserves(name) {
            format!(
                "`{}` is no identifier in {:?}",
                name.escape_debug(),
                self.language
            )
        } else if name.starts_with("op_") || reserved.contains(&name) {
            format!("`{name}` is used by the source itself")
        } else if let Some(other) = self.names.iter().find(|other| {
            let suffixes = ["", "_gradient", "_jacobian", "_work"];
            suffixes.iter().any(|suffix| {
                *name == format!("{other}{suffix}") || **other == format!("{name}{suffix}")
            })
        }) {
            format!("`{name}` is taken by the function `{other}`")
        } else {
            return Ok(());
        };
        Err(SourceError { message })
    }
}

impl fmt::Display for Source {
    /// The source code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.language {
            Language::C => "#include <math.h>\n\n",
            Language::Rust | Language::JavaScript => "",
        })?;
        let code = self.writer.helpers() + &self.text;
        if self.without_std {
            f.write_str(&functions_of_libm(&code))?;
        }
        writeln!(f, "{}", code.trim_end())
    }
}

/// The methods of `f64` that `core` lacks, and what they are called in `libm`.
const LIBM: [(&str, &str); 27] = [
    ("acos", "acos"),
    ("asin", "asin"),
    ("atan", "atan"),
    ("atan2", "atan2"),
    ("cbrt", "cbrt"),
    ("ceil", "ceil"),
    ("cos", "cos"),
    ("cosh", "cosh"),
    ("exp", "exp"),
    ("exp2", "exp2"),
    ("exp_m1", "expm1"),
    ("floor", "floor"),
    ("hypot", "hypot"),
    ("ln", "log"),
    ("ln_1p", "log1p"),
    ("log10", "log10"),
    ("log2", "log2"),
    ("powf", "pow"),
    ("round", "round"),
    ("round_ties_even", "rint"),
    ("sin", "sin"),
    ("sinh", "sinh"),
    ("sqrt", "sqrt"),
    ("tan", "tan"),
    ("tanh", "tanh"),
    ("trunc", "trunc"),
    ("abs", "fabs"),
];

/// A trait with those of these methods that the code calls.
fn functions_of_libm(code: &str) -> String {
    let called = LIBM
        .iter()
        .filter(|(method, _)| code.contains(&format!(".{method}(")));
    let [mut declarations, mut definitions] = [String::new(), String::new()];
    for (method, function) in called {
        let (y, x_and_y) = match *method {
            "atan2" | "hypot" | "powf" => (", y: Self", "self, y"),
            _ => ("", "self"),
        };
        declarations += &format!("    fn {method}(self{y}) -> Self;\n");
        definitions += &format!(
            "    fn {method}(self{y}) -> Self {{\n        libm::{function}({x_and_y})\n    }}\n"
        );
    }
    if declarations.is_empty() {
        return String::new();
    }
    format!(
        "#[allow(dead_code)] // where there is `std`, its methods go first\n\
         trait Functions {{\n{declarations}}}\n\nimpl Functions for f64 {{\n{definitions}}}\n\n"
    )
}

/// More numbers than this are kept in an array of the caller.
const MOST_LOCALS: usize = 1000;
/// The most terms of a sum on one line.
const MOST_TERMS: usize = 8;

/// Writes one function.
struct Emitter<'a> {
    language: Language,
    writer: &'a mut Writer,
    name: &'a str,
    program: &'a Program,
    shared: &'a [f64],
    /// Slots that are indexed in loops, as ranges that do not overlap, by their start.
    arrays: BTreeMap<usize, usize>,
    /// Results that turned out to be constants, by slot.
    known: HashMap<usize, f64>,
    /// By slot, whether a gradient that arrives there reaches an input.
    leading: Vec<bool>,
    /// Whether results are kept in the caller's array.
    works: bool,
    indent: usize,
    temporaries: usize,
    text: String,
    /// Where the body of the last function starts in the text.
    body: usize,
}

/// What is passed down to slots that are no elements of arrays, until they are complete.
type Parts = HashMap<usize, Vec<Expression>>;

impl<'a> Emitter<'a> {
    fn new(
        language: Language,
        writer: &'a mut Writer,
        name: &'a str,
        program: &'a Program,
        shared: &'a [f64],
    ) -> Self {
        let mut emitter = Self {
            language,
            writer,
            name,
            program,
            shared,
            arrays: BTreeMap::new(),
            known: HashMap::new(),
            leading: vec![false; program.slots()],
            works: false,
            indent: 0,
            temporaries: 0,
            text: String::new(),
            body: 0,
        };
        for layer in &program.learned.layers {
            for range in [&layer.inputs, &layer.outputs] {
                emitter.add_array(range);
            }
        }
        emitter.leading[program.input_slots()].fill(true);
        for slot in program.plain.first..program.slots() {
            emitter.leading[slot] = emitter.receivers(slot).any(|x| emitter.leading[x]);
        }
        let has_arrays = !emitter.arrays.is_empty();
        let results = program.slots() - program.plain.first;
        emitter.works = results > MOST_LOCALS || (has_arrays && language == Language::JavaScript);
        emitter
    }

    /// Makes the slots of the range one array, with others that overlap.
    fn add_array(&mut self, range: &Range<usize>) {
        let mut range = range.start.max(self.program.plain.first)..range.end;
        if range.is_empty() {
            return;
        }
        self.arrays.retain(|&start, &mut end| {
            let overlaps = start < range.end && range.start < end;
            if overlaps {
                range = range.start.min(start)..range.end.max(end);
            }
            !overlaps
        });
        self.arrays.insert(range.start, range.end);
    }

    /// The array that an element belongs to, by its first slot.
    fn array(&self, slot: usize) -> Option<usize> {
        let (&start, &end) = self.arrays.range(..=slot).next_back()?;
        (slot < end).then_some(start)
    }

    fn step(&self, slot: usize) -> Option<&'a Step> {
        let program = self.program;
        [&program.learned, &program.plain]
            .into_iter()
            .find(|segment| segment.results().contains(&slot))
            .map(|segment| &segment.steps[slot - segment.first])
    }

    // ── lines ───────────────────────────────────────────────────────────────────────────────────

    fn line(&mut self, line: &str) {
        let indent = if line.is_empty() { 0 } else { self.indent };
        let indent = "    ".repeat(indent);
        writeln!(self.text, "{indent}{line}").expect("a string takes any text");
    }

    fn open(&mut self, line: &str) {
        self.line(format!("{line} {{").trim_start());
        self.indent += 1;
    }

    fn close(&mut self) {
        self.indent -= 1;
        self.line("}");
    }

    fn open_loop(&mut self, variable: char, count: usize) {
        let i = variable;
        self.open(&match self.language {
            Language::Rust => format!("for {i} in 0..{count}"),
            Language::C => format!("for (int {i} = 0; {i} < {count}; {i}++)"),
            Language::JavaScript => format!("for (let {i} = 0; {i} < {count}; {i}++)"),
        });
    }

    fn declare(&mut self, name: &str, value: &str, comment: &str) {
        let declared = match self.language {
            Language::Rust if value.starts_with("if ") => format!("let {name}: f64"),
            Language::Rust => format!("let {name}"),
            Language::C => format!("const double {name}"),
            Language::JavaScript => format!("const {name}"),
        };
        self.line(&format!("{declared} = {value};{comment}"));
    }

    fn declare_array(&mut self, name: &str, length: usize) {
        self.line(&match self.language {
            Language::Rust => format!("let mut {name} = [0.0_f64; {length}];"),
            Language::C => format!("double {name}[{length}] = {{0.0}};"),
            Language::JavaScript => unreachable!("arrays are the caller's"),
        });
    }

    fn fill_with_0(&mut self, base: &str, first: usize, length: usize) {
        self.open_loop('i', length);
        let element = element(base, first, 'i');
        self.line(&format!("{element} = 0.0;"));
        self.close();
    }

    /// The name of a node, as a comment.
    fn comment(&self, slot: usize) -> String {
        let label = self.program.labels.get(Place::Slot(slot));
        label.name.map_or(String::new(), |name| {
            let escaped: String = name
                .chars()
                .map(|c| match c {
                    ' ' | '_' | '-' | '+' | '.' | ',' | ':' | '(' | ')' => c.to_string(),
                    _ if c.is_ascii_alphanumeric() => c.to_string(),
                    _ => format!("\\u{{{:x}}}", u32::from(c)),
                })
                .collect();
            format!(" // {escaped}")
        })
    }

    // ── names of numbers ────────────────────────────────────────────────────────────────────────

    /// Where the slots from this one on are: an array, and the index there. `letter` is v for
    /// values, g for gradients.
    fn base(&self, letter: char, slot: usize) -> (String, usize) {
        let program = self.program;
        if slot < program.plain.first {
            let inputs = if letter == 'v' { "x" } else { "gradient" };
            return (inputs.into(), slot - program.input_slots().start);
        }
        if self.works {
            let results = program.slots() - program.plain.first;
            let first = if letter == 'v' { 0 } else { results };
            return ("work".into(), first + slot - program.plain.first);
        }
        let start = self.array(slot).unwrap_or(slot);
        (format!("{letter}{start}"), slot - start)
    }

    fn home(&self, letter: char, slot: usize) -> String {
        let (base, index) = self.base(letter, slot);
        let is_scalar =
            !self.works && slot >= self.program.plain.first && self.array(slot).is_none();
        if is_scalar {
            base
        } else {
            format!("{base}[{index}]")
        }
    }

    /// The number in a slot. A copy that is no element of an array is the number itself.
    fn number(&self, slot: usize) -> Expression {
        if slot < self.program.constants.len() {
            return self.program.constants[slot].into();
        }
        if let Some(&known) = self.known.get(&slot) {
            return known.into();
        }
        match self.step(slot) {
            Some(&Step::Copy(x)) if self.array(slot).is_none() => self.number(x as usize),
            Some(&Step::Shared(x)) if self.array(slot).is_none() => self.shared[x as usize].into(),
            _ => Expression::name(self.home('v', slot)),
        }
    }

    /// The weights of a layer, by its first output.
    fn weights(&self, layer: &Layer) -> String {
        self.constant_name("weights", layer.outputs.start)
    }

    fn constant_name(&self, what: &str, number: usize) -> String {
        let name = format!("{}_{what}_{number}", self.name);
        match self.language {
            Language::Rust => name.to_uppercase(),
            Language::C | Language::JavaScript => name,
        }
    }

    // ── constants ───────────────────────────────────────────────────────────────────────────────

    /// The weights and biases of layers. Weights are stored by input, so that the inner loop, over
    /// the outputs, has them side by side.
    fn constants(&mut self) {
        let program = self.program;
        for layer in &program.learned.layers {
            let (inputs, outputs) = (layer.inputs.len(), layer.outputs.len());
            let weight = |i: usize, o: usize| self.shared[layer.weights.start + o * layer.row + i];
            let rows: Vec<Vec<f64>> = (0..layer.row)
                .map(|i| (0..outputs).map(|o| weight(i, o)).collect())
                .collect();
            let name = self.weights(layer);
            let (weights, bias) = rows.split_at(inputs);
            let weights: Vec<_> = weights.iter().map(|row| self.list(row)).collect();
            let [open, close] = self.brackets();
            let weights = format!("{open}\n    {},\n{close}", weights.join(",\n    "));
            self.constant(&name, &[inputs, outputs], &weights);
            if let [bias] = bias {
                let name = self.constant_name("bias", layer.outputs.start);
                let bias = self.list(bias);
                self.constant(&name, &[outputs], &bias);
            }
        }
        if self.works {
            let results = program.slots() - program.plain.first;
            let name = self.constant_name("work", 0);
            let name = name.trim_end_matches("_0");
            let length = 2 * results;
            self.line(&match self.language {
                Language::Rust => format!("pub const {name}: usize = {length};\n"),
                Language::C => format!("enum {{ {name} = {length} }};\n"),
                Language::JavaScript => format!("export const {name} = {length};\n"),
            });
        }
    }

    fn constant(&mut self, name: &str, lengths: &[usize], value: &str) {
        let declaration = match self.language {
            Language::Rust => {
                let array = |of: String, length: &usize| format!("[{of}; {length}]");
                let array = lengths.iter().rev().fold("f64".to_owned(), array);
                format!("const {name}: {array}")
            }
            Language::C => {
                let lengths: String = lengths.iter().map(|n| format!("[{n}]")).collect();
                format!("static const double {name}{lengths}")
            }
            Language::JavaScript => format!("const {name}"),
        };
        self.line(&format!("{declaration} = {value};\n"));
    }

    fn brackets(&self) -> [char; 2] {
        match self.language {
            Language::Rust | Language::JavaScript => ['[', ']'],
            Language::C => ['{', '}'],
        }
    }

    fn list(&mut self, numbers: &[f64]) -> String {
        let [open, close] = self.brackets();
        let numbers = numbers
            .iter()
            .map(|&number| self.writer.write(&number.into()));
        let numbers: Vec<_> = numbers.collect();
        format!("{open}{}{close}", numbers.join(", "))
    }

    // ── functions ───────────────────────────────────────────────────────────────────────────────

    /// The first line of a function, with these arguments that it writes to.
    fn open_function(&mut self, suffix: &str, written: &[(&str, &[usize])], returns: bool) {
        let inputs = self.program.input_slots().len();
        let name = format!("{}{suffix}", self.name);
        let work = [2 * (self.program.slots() - self.program.plain.first)];
        let mut written = written.to_vec();
        if self.works {
            written.push(("work", &work));
        }
        let line = match self.language {
            Language::Rust => {
                let mut arguments = vec![format!("x: &[f64; {inputs}]")];
                for (name, lengths) in written {
                    let array = |of: String, length: &usize| format!("[{of}; {length}]");
                    let array = lengths.iter().rev().fold("f64".to_owned(), array);
                    arguments.push(format!("{name}: &mut {array}"));
                }
                let result = if returns { " -> f64" } else { "" };
                format!("pub fn {name}({}){result}", arguments.join(", "))
            }
            Language::C => {
                let mut arguments = vec![format!("const double x[{}]", inputs.max(1))];
                for (name, lengths) in written {
                    let lengths: String =
                        lengths.iter().map(|&n| format!("[{}]", n.max(1))).collect();
                    arguments.push(format!("double {name}{lengths}"));
                }
                let result = if returns { "double" } else { "void" };
                format!("{result} {name}({})", arguments.join(", "))
            }
            Language::JavaScript => {
                let mut arguments = vec!["x"];
                arguments.extend(written.iter().map(|(name, _)| *name));
                format!("export function {name}({})", arguments.join(", "))
            }
        };
        self.open(&line);
        self.body = self.text.len();
        self.temporaries = 0;
    }

    fn close_function(&mut self, result: Option<String>) {
        if let Some(result) = result {
            self.line(&match self.language {
                Language::Rust => result,
                Language::C | Language::JavaScript => format!("return {result};"),
            });
        }
        self.close();
        self.line("");
        if !self.text[self.body..].contains("x[") {
            // Compilers warn of an argument that is not read.
            match self.language {
                Language::Rust => self.text.insert_str(self.body, "    let _ = x;\n"),
                Language::C => self.text.insert_str(self.body, "    (void)x;\n"),
                Language::JavaScript => {}
            }
        }
    }

    fn output(&mut self, i: usize) -> String {
        let output = self.number(self.program.outputs[i] as usize);
        self.writer.write(&output)
    }

    fn write_outputs(&mut self) {
        for i in 0..self.program.outputs.len() {
            let output = self.output(i);
            self.line(&format!("outputs[{i}] = {output};"));
        }
    }

    fn value(&mut self, is_vector: bool) {
        let outputs = [self.program.outputs.len()];
        if is_vector {
            self.open_function("", &[("outputs", &outputs)], false);
            self.forward();
            self.write_outputs();
            self.close_function(None);
        } else {
            self.open_function("", &[], true);
            self.forward();
            let output = self.output(0);
            self.close_function(Some(output));
        }
    }

    fn derivatives(&mut self, is_vector: bool) {
        let inputs = self.program.input_slots().len();
        let outputs = self.program.outputs.len();
        if !is_vector {
            self.open_function("_gradient", &[("gradient", &[inputs])], true);
            self.forward();
            self.backward(0);
            let output = self.output(0);
            self.close_function(Some(output));
            return;
        }
        let written: [(&str, &[usize]); 2] =
            [("outputs", &[outputs]), ("jacobian", &[outputs, inputs])];
        self.open_function("_jacobian", &written, false);
        self.forward();
        self.write_outputs();
        for i in 0..outputs {
            self.open("");
            self.line(&match self.language {
                Language::Rust => format!("let gradient = &mut jacobian[{i}];"),
                Language::C => format!("double *gradient = jacobian[{i}];"),
                Language::JavaScript => format!("const gradient = jacobian[{i}];"),
            });
            self.backward(i);
            self.close();
        }
        self.close_function(None);
    }

    // ── forward ─────────────────────────────────────────────────────────────────────────────────

    fn forward(&mut self) {
        self.declare_arrays('v', |_| true);
        for segment in [&self.program.plain, &self.program.learned] {
            let mut out = segment.first;
            while let Some(step) = segment.steps.get(out - segment.first) {
                match step {
                    &Step::Apply(op, x, y) => {
                        let [x, y] = [x, y].map(|operand| self.number(operand as usize));
                        self.set('v', out, &Expression::apply(op, &x, &y).folded());
                    }
                    Step::Dot(range) => self.sum(out, segment.pairs(range)),
                    &Step::Row(layer) => {
                        let layer = &segment.layers[layer as usize];
                        self.layer(layer);
                        out = layer.outputs.end;
                        continue;
                    }
                    _ if self.array(out).is_none() => {} // the number itself is read
                    &Step::Copy(x) => self.set('v', out, &self.number(x as usize)),
                    &Step::Shared(x) => self.set('v', out, &self.shared[x as usize].into()),
                }
                out += 1;
            }
        }
    }

    /// Declares the arrays of values or gradients, those of the caller excepted.
    fn declare_arrays(&mut self, letter: char, is_used: impl Fn(&Range<usize>) -> bool) {
        let arrays: Vec<_> = self
            .arrays
            .iter()
            .map(|(&start, &end)| start..end)
            .collect();
        for array in arrays.into_iter().filter(is_used) {
            let (base, first) = self.base(letter, array.start);
            if !self.works {
                self.declare_array(&base, array.len());
            } else if letter == 'g' {
                self.fill_with_0(&base, first, array.len());
            }
        }
    }

    /// Writes a number to the place of a slot, as its value or as its gradient.
    fn set(&mut self, letter: char, slot: usize, number: &Expression) {
        if let (Some(constant), None) = (number.constant(), self.array(slot)) {
            self.known.insert(slot, constant);
            return;
        }
        let number = self.writer.write(number);
        let home = self.home(letter, slot);
        let comment = if letter == 'v' {
            self.comment(slot)
        } else {
            String::new()
        };
        if self.works || self.array(slot).is_some() {
            self.line(&format!("{home} = {number};{comment}"));
        } else {
            self.declare(&home, &number, &comment);
        }
    }

    /// A sum of products, from left to right; a long one on several lines.
    fn sum(&mut self, out: usize, pairs: &[[u32; 2]]) {
        let mut sum = Expression::from(0.0);
        for (i, &[x, y]) in pairs.iter().enumerate() {
            if i > 0 && i % MOST_TERMS == 0 {
                sum = self.temporary(&sum);
            }
            let [x, y] = [x, y].map(|operand| self.number(operand as usize));
            let term = Expression::apply(Op::Mul, &x, &y).folded();
            sum = Expression::apply(Op::Add, &sum, &term).folded();
        }
        self.set('v', out, &sum);
    }

    fn temporary(&mut self, number: &Expression) -> Expression {
        self.temporaries += 1;
        let name = format!("t{}", self.temporaries);
        let number = self.writer.write(number);
        self.declare(&name, &number, "");
        Expression::name(name)
    }

    fn layer(&mut self, layer: &Layer) {
        let (outputs, first) = self.base('v', layer.outputs.start);
        let output = element(&outputs, first, 'o');
        if self.works {
            self.fill_with_0(&outputs, first, layer.outputs.len());
        }
        let weights = self.weights(layer);
        for inputs in self.inputs(layer) {
            let (base, first) = self.base('v', inputs.start);
            let input = element(&base, first, 'i');
            let weight = element(&weights, inputs.start - layer.inputs.start, 'i');
            self.open_loop('i', inputs.len());
            self.open_loop('o', layer.outputs.len());
            self.line(&format!("{output} += {weight}[o] * {input};"));
            self.close();
            self.close();
        }
        if layer.row > layer.inputs.len() {
            let bias = self.constant_name("bias", layer.outputs.start);
            self.open_loop('o', layer.outputs.len());
            self.line(&format!("{output} += {bias}[o];"));
            self.close();
        }
    }

    /// The inputs of a layer, in two parts if they are partly those of the function.
    fn inputs(&self, layer: &Layer) -> Vec<Range<usize>> {
        let first_result = self.program.plain.first;
        let Range { start, end } = layer.inputs;
        let parts = [start..end.min(first_result), start.max(first_result)..end];
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }

    // ── backward ────────────────────────────────────────────────────────────────────────────────

    /// Writes the gradient of one output.
    fn backward(&mut self, output: usize) {
        let inputs = self.program.input_slots();
        if !inputs.is_empty() {
            self.fill_with_0("gradient", 0, inputs.len());
        }
        let output = self.program.outputs[output] as usize;
        let reached = self.reached_from(output);
        self.declare_arrays('g', |array| reached[array.clone()].contains(&true));
        let mut parts = Parts::new();
        self.add(output, &1.0.into(), &mut parts);
        let mut end = self.program.slots();
        while end > self.program.plain.first {
            let last = end - 1;
            let Some(step) = self.step(last) else { break };
            end = match step {
                &Step::Row(layer) => self.program.learned.layers[layer as usize].outputs.start,
                _ => last,
            };
            if !reached[end..=last].contains(&true) {
                continue;
            }
            match step {
                &Step::Row(layer) => {
                    let layer = &self.program.learned.layers[layer as usize];
                    self.pass_down_layer(layer, &reached, &mut parts);
                }
                _ => self.pass_down(step, last, &mut parts),
            }
        }
    }

    /// By slot, whether a gradient of this output arrives there on its way to an input.
    fn reached_from(&self, output: usize) -> Vec<bool> {
        let mut reached = vec![false; self.program.slots()];
        reached[output] = self.leading[output];
        for slot in (self.program.plain.first..=output).rev() {
            if reached[slot] {
                for operand in self.receivers(slot) {
                    reached[operand] |= self.leading[operand];
                }
            }
        }
        reached
    }

    /// The slots to which a result passes a gradient down.
    fn receivers(&self, slot: usize) -> impl Iterator<Item = usize> + use<'a> {
        let is_silent = is_set(&self.program.silent.slots, slot);
        let step = self.step(slot).filter(|_| !is_silent);
        let (layer, operands): (Range<usize>, &[u32]) = match step {
            Some(Step::Dot(range)) => (0..0, self.segment(slot).pairs(range).as_flattened()),
            Some(&Step::Row(layer)) => {
                let layer = &self.program.learned.layers[layer as usize];
                (layer.inputs.clone(), &[])
            }
            _ => (0..0, &[]),
        };
        let arguments = match step {
            Some(&Step::Apply(op, x, y)) => {
                let has_y = op.arity() == Arity::Binary && op.passes_to_y();
                [op.passes_to_x().then_some(x), has_y.then_some(y)]
            }
            Some(&Step::Copy(x)) => [Some(x), None],
            _ => [None, None],
        };
        let operands = arguments
            .into_iter()
            .flatten()
            .chain(operands.iter().copied());
        layer.chain(operands.map(|operand| operand as usize))
    }

    fn segment(&self, slot: usize) -> &'a Segment {
        if slot < self.program.learned.first {
            &self.program.plain
        } else {
            &self.program.learned
        }
    }

    /// Adds a part of the gradient of a slot: at once if it is an element of an array, else when
    /// all parts are known.
    fn add(&mut self, slot: usize, part: &Expression, parts: &mut Parts) {
        if !self.leading[slot] {
            return;
        }
        if slot < self.program.plain.first || self.array(slot).is_some() {
            let home = self.home('g', slot);
            let part = self.writer.write(part);
            self.line(&format!("{home} += {part};"));
        } else {
            parts.entry(slot).or_default().push(part.clone());
        }
    }

    /// The gradient of a slot, to which all parts have been added.
    fn upstream(&mut self, slot: usize, parts: &mut Parts) -> Expression {
        let Some(parts) = parts.remove(&slot) else {
            return Expression::name(self.home('g', slot));
        };
        let sum = parts
            .into_iter()
            .reduce(|sum, part| Expression::apply(Op::Add, &sum, &part));
        let sum = sum.expect("a part");
        if let Form::Apply(..) = sum.form() {
            self.set('g', slot, &sum);
            Expression::name(self.home('g', slot))
        } else {
            sum
        }
    }

    fn pass_down(&mut self, step: &Step, out: usize, parts: &mut Parts) {
        let g = self.upstream(out, parts);
        let product = |x: &Expression, y: &Expression| Expression::apply(Op::Mul, x, y).folded();
        let mut passed = Vec::new();
        match step {
            &Step::Apply(op, x, y) => {
                let [x_number, y_number] = [x, y].map(|operand| self.number(operand as usize));
                let vjps = op.vjps([&x_number, &y_number, &self.number(out), &g]);
                passed.extend([x, y].into_iter().zip(vjps));
            }
            Step::Dot(range) => {
                for &[x, y] in self.segment(out).pairs(range) {
                    let [x_number, y_number] = [x, y].map(|operand| self.number(operand as usize));
                    passed.push((x, Some(product(&g, &y_number))));
                    passed.push((y, Some(product(&g, &x_number))));
                }
            }
            &Step::Copy(x) => passed.push((x, Some(g))),
            Step::Shared(_) | Step::Row(_) => {}
        }
        let passed = passed.into_iter();
        let mut passed: Vec<_> = passed
            .filter(|&(slot, _)| self.leading[slot as usize])
            .filter_map(|(slot, part)| Some((slot as usize, part?.folded())))
            .collect();
        if let Step::Apply(..) = step {
            self.compute_common_factors(&mut passed);
        }
        for (slot, part) in passed {
            self.add(slot, &part, parts);
        }
    }

    /// Gives a name to what occurs more than once.
    fn compute_common_factors(&mut self, passed: &mut [(usize, Expression)]) {
        loop {
            let parts: Vec<_> = passed.iter().map(|(_, part)| part.clone()).collect();
            let Some(mut common) = Expression::common(&parts) else {
                return;
            };
            while let Some(within) = Expression::common(slice::from_ref(&common)) {
                common = within;
            }
            let name = self.temporary(&common);
            for (_, part) in passed.iter_mut() {
                *part = part.with(&common, &name);
            }
        }
    }

    fn pass_down_layer(&mut self, layer: &Layer, reached: &[bool], parts: &mut Parts) {
        let outputs = layer.outputs.clone();
        let weights = self.weights(layer);
        let (base, first) = self.base('g', outputs.start);
        let all = reached[outputs.clone()]
            .iter()
            .all(|&is_reached| is_reached);
        for inputs in self.inputs(layer) {
            let (inputs_base, inputs_first) = self.base('g', inputs.start);
            let input = element(&inputs_base, inputs_first, 'i');
            let weight = element(&weights, inputs.start - layer.inputs.start, 'i');
            self.open_loop('i', inputs.len());
            if all {
                self.open_loop('o', outputs.len());
                let g = element(&base, first, 'o');
                self.line(&format!("{input} += {weight}[o] * {g};"));
                self.close();
            } else {
                for output in outputs.clone().filter(|&output| reached[output]) {
                    let o = output - outputs.start;
                    let g = self.home('g', output);
                    self.line(&format!("{input} += {weight}[{o}] * {g};"));
                }
            }
            self.close();
        }
        debug_assert!(
            outputs
                .into_iter()
                .all(|output| !parts.contains_key(&output))
        );
    }
}

fn element(base: &str, first: usize, variable: char) -> String {
    match first {
        0 => format!("{base}[{variable}]"),
        _ => format!("{base}[{first} + {variable}]"),
    }
}
