//! Compiles and runs generated source code, and collects its results.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use micrograd::tape::{Function, Source, VectorFunction};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    RustNoStd,
    C,
    JavaScript,
}

pub(crate) const LANGUAGES: [Language; 4] = [
    Language::Rust,
    Language::RustNoStd,
    Language::C,
    Language::JavaScript,
];

/// A function and the rows at which it is computed.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) function: Kind,
    pub(crate) rows: Vec<Vec<f64>>,
    /// The operation of the table that it consists of, and its parameter.
    pub(crate) operation: Option<(&'static str, Option<f64>)>,
}

pub(crate) enum Kind {
    One(Function),
    Several(VectorFunction, usize),
    /// With parameters as an argument: their numbers, and the gradient with respect to them at the
    /// only row.
    WithParameters(Function, Vec<f64>, Vec<f64>),
}

impl Case {
    /// For each row, the numbers that the functions of the source return and write, in order.
    pub(crate) fn expected(&self) -> Vec<Vec<f64>> {
        let of_row = |row: &Vec<f64>| match &self.function {
            Kind::One(function) => {
                let (value, gradient) = function.gradient(row);
                [vec![value, value], gradient].concat()
            }
            Kind::Several(function, _) => {
                let (values, jacobian) = function.jacobian(row);
                [values.clone(), values, jacobian.concat()].concat()
            }
            Kind::WithParameters(function, _, to_parameters) => {
                let (value, gradient) = function.gradient(row);
                [vec![value, value], gradient, to_parameters.clone()].concat()
            }
        };
        self.rows.iter().map(of_row).collect()
    }

    /// How many numbers of a row are values. They come before the derivatives.
    pub(crate) fn values(&self) -> usize {
        match self.function {
            Kind::One(_) | Kind::WithParameters(..) => 2,
            Kind::Several(_, outputs) => 2 * outputs,
        }
    }
}

/// Computes all cases with source code in this language: for each case its rows, as in `expected`.
pub(crate) fn computed_in(language: Language, cases: &[Case], test: &str) -> Vec<Vec<Vec<f64>>> {
    let mut source = match language {
        Language::Rust => Source::rust(),
        Language::RustNoStd => Source::rust_no_std(),
        Language::C => Source::c(),
        Language::JavaScript => Source::javascript(),
    };
    for case in cases {
        let added = match &case.function {
            Kind::One(function) => source.add(&case.name, function),
            Kind::Several(function, _) => source.add_vector(&case.name, function),
            Kind::WithParameters(function, ..) => source.add_with_parameters(&case.name, function),
        };
        added.unwrap();
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{language:?}"));
    fs::create_dir_all(&directory).unwrap();
    let source = source.to_string();
    let output = match language {
        Language::Rust => run_rust(&directory, "", &source, &driver(language, &source, cases)),
        Language::RustNoStd => {
            let driver = driver(language, &source, cases);
            run_rust(&directory, "#![no_std]\n\n", &source, &driver)
        }
        Language::C => run_c(&directory, &source, &driver(language, &source, cases)),
        Language::JavaScript => {
            run_javascript(&directory, &source, &driver(language, &source, cases))
        }
    };
    let mut numbers = output
        .lines()
        .map(|line| f64::from_bits(u64::from_str_radix(line, 16).unwrap()));
    let mut of_row = |count: usize| numbers.by_ref().take(count).collect::<Vec<_>>();
    let results = cases
        .iter()
        .map(|case| {
            let expected = case.expected();
            expected.iter().map(|row| of_row(row.len())).collect()
        })
        .collect();
    assert_eq!(numbers.next(), None);
    results
}

/// The part of a program that prints the bits of all results.
fn driver(language: Language, source: &str, cases: &[Case]) -> String {
    let calls = cases.iter().map(|case| Call::new(language, source, case));
    match language {
        Language::Rust | Language::RustNoStd => calls.map(|call| call.in_rust()).collect(),
        Language::C => calls.map(|call| call.in_c()).collect(),
        Language::JavaScript => calls.map(|call| call.in_javascript()).collect(),
    }
}

/// The calls of a case's functions at each of its rows, on one line.
struct Call<'a> {
    case: &'a Case,
    name: &'a str,
    inputs: usize,
    /// The bits of the rows.
    rows: String,
    /// The bits of the parameters, if they are an argument.
    parameters: String,
    /// The declaration of a work array, if the function needs one.
    declared: String,
    /// The work array as the last argument of a call.
    work: &'static str,
}

impl<'a> Call<'a> {
    fn new(language: Language, source: &str, case: &'a Case) -> Self {
        let (open, close, suffix) = match language {
            Language::Rust | Language::RustNoStd => ('[', ']', ""),
            Language::C => ('{', '}', ""),
            Language::JavaScript => ('[', ']', "n"),
        };
        let list = |row: &[f64]| {
            let bits = row.iter().map(|x| format!("{:#018x}{suffix}", x.to_bits()));
            format!("{open}{}{close}", bits.collect::<Vec<_>>().join(", "))
        };
        let rows: Vec<_> = case.rows.iter().map(|row| list(row)).collect();
        let parameters = match &case.function {
            Kind::WithParameters(_, parameters, _) => list(parameters),
            Kind::One(_) | Kind::Several(..) => String::new(),
        };
        let length = format!("{}_work", case.name);
        let works = source.to_lowercase().contains(&format!("{length}: "))
            || source.contains(&format!("{length} = "));
        let (declared, work) = match language {
            _ if !works => (String::new(), ""),
            Language::Rust | Language::RustNoStd => {
                let length = length.to_uppercase();
                (format!("let mut work = [0.0; {length}];"), ", &mut work")
            }
            Language::C => (format!("double work[{length}];"), ", work"),
            Language::JavaScript => (
                format!("const work = new Float64Array(source.{length});"),
                ", work",
            ),
        };
        Self {
            case,
            name: &case.name,
            inputs: case.rows[0].len(),
            rows: format!("{open}{}{close}", rows.join(", ")),
            parameters,
            declared,
            work,
        }
    }

    fn in_rust(&self) -> String {
        let Self {
            case,
            name,
            inputs,
            rows,
            parameters,
            declared,
            work,
        } = self;
        let calls = match &case.function {
            Kind::One(_) => format!(
                "let mut gradient = [0.0; {inputs}]; \
                 put(&[{name}(&x{work}), {name}_gradient(&x, &mut gradient{work})]); \
                 put(&gradient);"
            ),
            Kind::WithParameters(_, numbers, _) => {
                let count = numbers.len();
                format!(
                    "let p: [u64; {count}] = {parameters}; let p = p.map(f64::from_bits); \
                     let mut gradient = [0.0; {inputs}]; \
                     let mut parameter_gradient = [0.0; {count}]; \
                     put(&[{name}(&x, &p{work}), \
                     {name}_gradient(&x, &p, &mut gradient, &mut parameter_gradient{work})]); \
                     put(&gradient); put(&parameter_gradient);"
                )
            }
            Kind::Several(_, outputs) => format!(
                "let mut outputs = [0.0; {outputs}]; \
                 let mut jacobian = [[0.0; {inputs}]; {outputs}]; \
                 {name}(&x, &mut outputs{work}); put(&outputs); \
                 {name}_jacobian(&x, &mut outputs, &mut jacobian{work}); put(&outputs); \
                 put(jacobian.as_flattened());"
            ),
        };
        format!("for bits in {rows} {{ let x = bits.map(f64::from_bits); {declared} {calls} }}\n")
    }

    fn in_c(&self) -> String {
        let Self {
            case,
            name,
            inputs,
            rows,
            parameters,
            declared,
            work,
        } = self;
        let calls = match &case.function {
            Kind::One(_) => format!(
                "double gradient[{inputs}]; put({name}(x{work})); \
                 put({name}_gradient(x, gradient{work})); \
                 for (int i = 0; i < {inputs}; i++) put(gradient[i]);"
            ),
            Kind::WithParameters(_, numbers, _) => {
                // C has no empty arrays.
                let (count, length) = (numbers.len(), numbers.len().max(1));
                let parameters = if count == 0 { "{0}" } else { parameters };
                format!(
                    "static const uint64_t q[{length}] = {parameters}; double p[{length}]; \
                     memcpy(p, q, sizeof p); \
                     double gradient[{inputs}], parameter_gradient[{length}]; \
                     put({name}(x, p{work})); \
                     put({name}_gradient(x, p, gradient, parameter_gradient{work})); \
                     for (int i = 0; i < {inputs}; i++) put(gradient[i]); \
                     for (int i = 0; i < {count}; i++) put(parameter_gradient[i]);"
                )
            }
            Kind::Several(_, outputs) => format!(
                "double outputs[{outputs}], jacobian[{outputs}][{inputs}]; \
                 {name}(x, outputs{work}); for (int i = 0; i < {outputs}; i++) put(outputs[i]); \
                 {name}_jacobian(x, outputs, jacobian{work}); \
                 for (int i = 0; i < {outputs}; i++) put(outputs[i]); \
                 for (int i = 0; i < {outputs}; i++) \
                 for (int j = 0; j < {inputs}; j++) put(jacobian[i][j]);"
            ),
        };
        let count = case.rows.len();
        format!(
            "{{ static const uint64_t rows[{count}][{inputs}] = {rows}; \
             for (int row = 0; row < {count}; row++) {{ \
             double x[{inputs}]; memcpy(x, rows[row], sizeof x); {declared} {calls} }} }}\n"
        )
    }

    fn in_javascript(&self) -> String {
        let Self {
            case,
            name,
            inputs,
            rows,
            parameters,
            declared,
            work,
        } = self;
        let calls = match &case.function {
            Kind::One(_) => format!(
                "const gradient = new Float64Array({inputs}); \
                 put(source.{name}(x{work})); put(source.{name}_gradient(x, gradient{work})); \
                 gradient.forEach(put);"
            ),
            Kind::WithParameters(..) => format!(
                "const p = from({parameters}); const gradient = new Float64Array({inputs}); \
                 const parameter_gradient = new Float64Array(p.length); \
                 put(source.{name}(x, p{work})); \
                 put(source.{name}_gradient(x, p, gradient, parameter_gradient{work})); \
                 gradient.forEach(put); parameter_gradient.forEach(put);"
            ),
            Kind::Several(_, outputs) => format!(
                "const outputs = new Float64Array({outputs}); \
                 const jacobian = Array.from(outputs, () => new Float64Array({inputs})); \
                 source.{name}(x, outputs{work}); outputs.forEach(put); \
                 source.{name}_jacobian(x, outputs, jacobian{work}); outputs.forEach(put); \
                 jacobian.forEach(row => row.forEach(put));"
            ),
        };
        format!("for (const bits of {rows}) {{ const x = from(bits); {declared} {calls} }}\n")
    }
}

fn run_rust(directory: &Path, attributes: &str, source: &str, driver: &str) -> String {
    let manifest = "[package]\nname = \"emitted\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                    [dependencies]\nlibm = \"0.2\"\n\n[profile.dev]\nopt-level = 0\ndebug = false\n\n[workspace]\n";
    fs::create_dir_all(directory.join("src")).unwrap();
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    fs::write(directory.join("src/emitted.rs"), source).unwrap();
    let lib = format!("{attributes}pub mod emitted;\n");
    fs::write(directory.join("src/lib.rs"), lib).unwrap();
    // Several functions, because a single one would take long to compile.
    let lines: Vec<_> = driver.lines().collect();
    let parts = lines.chunks(20);
    let mut main = "use emitted::emitted::*;\nuse std::fmt::Write;\n\n".to_owned();
    let count = parts.len();
    for (i, part) in parts.enumerate() {
        write!(
            main,
            "fn part_{i}(text: &mut String) {{\n    \
             let mut put = |numbers: &[f64]| for number in numbers {{ \
             writeln!(text, \"{{:016x}}\", number.to_bits()).unwrap() }};\n{}\n}}\n\n",
            part.join("\n")
        )
        .unwrap();
    }
    let calls: Vec<_> = (0..count)
        .map(|i| format!("    part_{i}(&mut text);\n"))
        .collect();
    let calls = calls.concat();
    write!(
        main,
        "fn main() {{\n    let mut text = String::new();\n{calls}    print!(\"{{text}}\");\n}}\n"
    )
    .unwrap();
    fs::write(directory.join("src/main.rs"), main).unwrap();
    let cargo = env::var_os("CARGO").expect("cargo runs the tests");
    run(Command::new(cargo)
        .args(["run", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .env("RUSTFLAGS", "-D warnings")
        .current_dir(directory))
}

fn run_c(directory: &Path, source: &str, driver: &str) -> String {
    let put = "#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n\n\
               static void put(double number) {\n    uint64_t bits;\n    \
               memcpy(&bits, &number, sizeof bits);\n    \
               printf(\"%016llx\\n\", (unsigned long long)bits);\n}\n\n";
    let file = directory.join("emitted.c");
    fs::write(
        &file,
        format!("{source}\n{put}int main(void) {{\n{driver}    return 0;\n}}\n"),
    )
    .unwrap();
    let program = directory.join("emitted");
    run(Command::new("cc")
        .args([
            "-std=c99",
            "-Wall",
            "-Werror",
            "-pedantic",
            "-ffp-contract=off",
            "-O0",
            "-o",
        ])
        .args([&program, &file])
        .arg("-lm"));
    run(&mut Command::new(program))
}

fn run_javascript(directory: &Path, source: &str, driver: &str) -> String {
    let head = "import * as source from './emitted.mjs';\n\n\
                const bits = new BigUint64Array(1);\nconst number = new Float64Array(bits.buffer);\n\
                const lines = [];\n\
                function put(x) { number[0] = x; lines.push(bits[0].toString(16)); }\n\
                function from(list) { return new Float64Array(new BigUint64Array(list).buffer); }\n\n";
    fs::write(directory.join("emitted.mjs"), source).unwrap();
    let main: PathBuf = directory.join("main.mjs");
    fs::write(
        &main,
        format!("{head}{driver}console.log(lines.join('\\n'));\n"),
    )
    .unwrap();
    run(Command::new("node").arg(main))
}

/// The output of a command, which must succeed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
