//! Lines of code: everything that differs between languages, except expressions.

use std::collections::HashSet;
use std::mem;

use crate::ops::expression::Expression;
use crate::ops::language::Language;

/// Code that is being written.
pub(super) struct Code {
    pub(super) language: Language,
    pub(super) text: String,
    indent: usize,
    /// The lines of the function being written, each with the name that it exists for, if any.
    body: Vec<(String, Option<String>)>,
    is_in_function: bool,
}

/// An array that is an argument of a function: its name and its lengths. A function reads some
/// arrays and writes others.
pub(super) type Argument<'a> = (&'a str, &'a [usize]);

impl Code {
    pub(super) fn new(language: Language) -> Self {
        Self {
            language,
            text: String::new(),
            indent: 0,
            body: Vec::new(),
            is_in_function: false,
        }
    }

    pub(super) fn line(&mut self, line: &str) {
        self.push(line, None);
    }

    /// Writes a line; one that exists for a name is removed if nothing reads the name.
    fn push(&mut self, line: &str, name: Option<&str>) {
        let indent = if line.is_empty() { 0 } else { self.indent };
        let line = "    ".repeat(indent) + line + "\n";
        if self.is_in_function {
            self.body.push((line, name.map(str::to_owned)));
        } else {
            self.text += &line;
        }
    }

    pub(super) fn open(&mut self, line: &str) {
        self.line(format!("{line} {{").trim_start());
        self.indent += 1;
    }

    pub(super) fn close(&mut self) {
        self.indent -= 1;
        self.line("}");
    }

    pub(super) fn open_loop(&mut self, variable: char, count: usize) {
        let i = variable;
        self.open(&match self.language {
            Language::Rust => format!("for {i} in 0..{count}"),
            Language::C => format!("for (int {i} = 0; {i} < {count}; {i}++)"),
            Language::JavaScript => format!("for (let {i} = 0; {i} < {count}; {i}++)"),
        });
    }

    /// Assigns a number to a place. An array that nothing reads is not written.
    pub(super) fn assign(
        &mut self,
        (place, array): (&str, Option<&str>),
        number: &Expression,
        comment: &str,
    ) {
        let number = self.language.write(number);
        self.push(&format!("{place} = {number};{comment}"), array);
    }

    /// Adds a number at a place. An array that nothing reads is not written.
    pub(super) fn add(&mut self, (place, array): (&str, Option<&str>), number: &Expression) {
        let number = self.language.write(number);
        self.push(&format!("{place} += {number};"), array);
    }

    /// Declares a name, unless nothing reads it.
    pub(super) fn declare(&mut self, name: &str, number: &Expression, comment: &str) {
        let number = self.language.write(number);
        let declared = match self.language {
            // With two literals, Rust could not infer the type.
            Language::Rust if number.starts_with("if ") => format!("let {name}: f64"),
            Language::Rust => format!("let {name}"),
            Language::C => format!("const double {name}"),
            Language::JavaScript => format!("const {name}"),
        };
        self.push(&format!("{declared} = {number};{comment}"), Some(name));
    }

    pub(super) fn declare_array(&mut self, name: &str, length: usize) {
        let line = match self.language {
            Language::Rust => format!("let mut {name} = [0.0_f64; {length}];"),
            Language::C => format!("double {name}[{length}] = {{0.0}};"),
            Language::JavaScript => unreachable!("arrays are the caller's"),
        };
        self.push(&line, Some(name));
    }

    /// A reference to a row of a matrix.
    pub(super) fn declare_row(&mut self, name: &str, matrix: &str, row: usize) {
        self.line(&match self.language {
            Language::Rust => format!("let {name} = &mut {matrix}[{row}];"),
            Language::C => format!("double *{name} = {matrix}[{row}];"),
            Language::JavaScript => format!("const {name} = {matrix}[{row}];"),
        });
    }

    pub(super) fn fill_with_0(&mut self, base: &str, first: usize, length: usize) {
        if length > 0 {
            self.open_loop('i', length);
            self.line(&format!("{} = 0.0;", element(base, first, "i")));
            self.close();
        }
    }

    /// A constant list of the module.
    pub(super) fn constant_list(&mut self, name: &str, numbers: &[f64]) {
        let list = self.list(numbers);
        self.constant(name, &[numbers.len()], &list);
    }

    /// A constant list of lists.
    pub(super) fn constant_matrix(&mut self, name: &str, rows: &[Vec<f64>]) {
        let lists: Vec<_> = rows.iter().map(|row| self.list(row)).collect();
        let [open, close] = self.brackets();
        let lists = format!("{open}\n    {},\n{close}", lists.join(",\n    "));
        self.constant(name, &[rows.len(), rows[0].len()], &lists);
    }

    fn constant(&mut self, name: &str, lengths: &[usize], value: &str) {
        let declared = match self.language {
            Language::Rust => format!("const {name}: {}", rust_array(lengths)),
            Language::C => format!("static const double {name}{}", c_lengths(lengths)),
            Language::JavaScript => format!("const {name}"),
        };
        self.line(&format!("{declared} = {value};\n"));
    }

    fn list(&mut self, numbers: &[f64]) -> String {
        let [open, close] = self.brackets();
        let numbers = numbers
            .iter()
            .map(|&number| self.language.write(&number.into()));
        let numbers: Vec<_> = numbers.collect();
        format!("{open}{}{close}", numbers.join(", "))
    }

    fn brackets(&self) -> [char; 2] {
        match self.language {
            Language::Rust | Language::JavaScript => ['[', ']'],
            Language::C => ['{', '}'],
        }
    }

    /// A number of elements, as a public constant for the caller.
    pub(super) fn length(&mut self, name: &str, length: usize) {
        self.line(&match self.language {
            Language::Rust => format!("pub const {name}: usize = {length};\n"),
            Language::C => format!("enum {{ {name} = {length} }};\n"),
            Language::JavaScript => format!("export const {name} = {length};\n"),
        });
    }

    pub(super) fn open_function(
        &mut self,
        name: &str,
        read: &[Argument],
        written: &[Argument],
        returns: bool,
    ) {
        let mut arguments = Vec::new();
        for (is_written, list) in [(false, read), (true, written)] {
            for (argument, lengths) in list {
                arguments.push(match self.language {
                    Language::Rust => {
                        let mutable = if is_written { "mut " } else { "" };
                        format!("{argument}: &{mutable}{}", rust_array(lengths))
                    }
                    Language::C => {
                        let constant = if is_written { "" } else { "const " };
                        format!("{constant}double {argument}{}", c_lengths(lengths))
                    }
                    Language::JavaScript => (*argument).to_owned(),
                });
            }
        }
        let arguments = arguments.join(", ");
        self.open(&match (self.language, returns) {
            (Language::Rust, true) => format!("pub fn {name}({arguments}) -> f64"),
            (Language::Rust, false) => format!("pub fn {name}({arguments})"),
            (Language::C, true) => format!("double {name}({arguments})"),
            (Language::C, false) => format!("void {name}({arguments})"),
            (Language::JavaScript, _) => format!("export function {name}({arguments})"),
        });
        self.is_in_function = true;
    }

    pub(super) fn close_function(&mut self, arguments: &[Argument], result: Option<&Expression>) {
        if let Some(result) = result {
            let result = self.language.write(result);
            self.line(&match self.language {
                Language::Rust => result,
                Language::C | Language::JavaScript => format!("return {result};"),
            });
        }
        let mut read = HashSet::new();
        let mut lines = Vec::new();
        for (line, name) in mem::take(&mut self.body).into_iter().rev() {
            if name.is_none_or(|name| read.contains(&name)) {
                let (code, _comment) = line.split_once("//").unwrap_or((&line, ""));
                let words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                read.extend(words.map(str::to_owned));
                lines.push(line);
            }
        }
        self.is_in_function = false;
        // Compilers warn of unused arguments.
        for (argument, _) in arguments.iter().filter(|(name, _)| !read.contains(*name)) {
            match self.language {
                Language::Rust => self.line(&format!("let _ = {argument};")),
                Language::C => self.line(&format!("(void){argument};")),
                Language::JavaScript => {}
            }
        }
        self.text.extend(lines.into_iter().rev());
        self.close();
        self.line("");
    }
}

fn rust_array(lengths: &[usize]) -> String {
    let lengths = lengths.iter().rev();
    lengths.fold("f64".into(), |array, length| format!("[{array}; {length}]"))
}

/// The lengths of a C array. C has no empty arrays, so an empty one gets one element.
fn c_lengths(lengths: &[usize]) -> String {
    let lengths = lengths.iter();
    lengths.fold(String::new(), |array, &length| {
        format!("{array}[{}]", length.max(1))
    })
}

/// An element of an array, with its index counted from `first`.
pub(super) fn element(base: &str, first: usize, index: &str) -> String {
    match first {
        0 => format!("{base}[{index}]"),
        _ => format!("{base}[{first} + {index}]"),
    }
}
