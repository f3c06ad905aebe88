//! Source code in three languages computes what the tape does.
//!
//! It is compiled and run here, so these tests need cargo, a C compiler `cc`, and `node`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, iter};

use micrograd::engine::{Operation, Value, topological_order};
use micrograd::nn::MLP;
use micrograd::rand::{Rng, RngExt};
use micrograd::tape::{Function, Source, Tape, VectorFunction, VectorTape};
use micrograd_proofs::corpus::Corpus;
use micrograd_proofs::corpus::graph::{Built, Graph};
use micrograd_proofs::corpus::table::{self, TABLE};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Rust,
    RustNoStd,
    C,
    JavaScript,
}

const LANGUAGES: [Language; 4] = [
    Language::Rust,
    Language::RustNoStd,
    Language::C,
    Language::JavaScript,
];

/// A function, to be computed at some rows.
struct Case {
    name: String,
    function: Kind,
    rows: Vec<Vec<f64>>,
    /// The operation of the table that it consists of, and its parameter.
    operation: Option<(&'static str, Option<f64>)>,
}

enum Kind {
    One(Function),
    Several(VectorFunction, usize),
    /// With its parameters as an argument, and the gradient with respect to them at the only row.
    WithParameters(Function, Vec<f64>, Vec<f64>),
}

impl Case {
    /// What the functions of the source return and write, one after the other, for each row.
    fn expected(&self) -> Vec<Vec<f64>> {
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

    /// How many of the numbers are values, and not derivatives.
    fn values(&self) -> usize {
        match self.function {
            Kind::One(_) | Kind::WithParameters(..) => 2,
            Kind::Several(_, outputs) => 2 * outputs,
        }
    }
}

// ── compiling and running ───────────────────────────────────────────────────────────────────────

/// Computes all cases by source code of this language: for each its rows, as `expected` has them.
fn computed_in(language: Language, cases: &[Case], test: &str) -> Vec<Vec<Vec<f64>>> {
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
    cases
        .iter()
        .map(|case| calls(language, source, case))
        .collect()
}

/// Calls the functions of a case at each of its rows, on one line.
fn calls(language: Language, source: &str, case: &Case) -> String {
    let name = &case.name;
    let inputs = case.rows[0].len();
    let [open, close] = if language == Language::C {
        ['{', '}']
    } else {
        ['[', ']']
    };
    let suffix = if language == Language::JavaScript {
        "n"
    } else {
        ""
    };
    let list = |row: &Vec<f64>| {
        let bits = row.iter().map(|x| format!("{:#018x}{suffix}", x.to_bits()));
        format!("{open}{}{close}", bits.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<_> = case.rows.iter().map(list).collect();
    let rows = format!("{open}{}{close}", rows.join(", "));
    // A long function is given an array to work in.
    let length = format!("{name}_work");
    let [declared, work] = match language {
        _ if !source.contains(&format!("{length} ="))
            && !source.to_lowercase().contains(&format!("{length}:")) =>
        {
            ["", ""].map(String::from)
        }
        Language::Rust | Language::RustNoStd => [
            format!("let mut work = [0.0; {}];", length.to_uppercase()),
            ", &mut work".into(),
        ],
        Language::C => [format!("double work[{length}];"), ", work".into()],
        Language::JavaScript => [
            format!("const work = new Float64Array(source.{length});"),
            ", work".into(),
        ],
    };
    match (language, &case.function) {
        (Language::Rust | Language::RustNoStd, Kind::One(_)) => format!(
            "for bits in {rows} {{ let x = bits.map(f64::from_bits); {declared} \
             let mut gradient = [0.0; {inputs}]; \
             put(&[{name}(&x{work}), {name}_gradient(&x, &mut gradient{work})]); put(&gradient); }}\n"
        ),
        (Language::Rust | Language::RustNoStd, Kind::WithParameters(_, parameters, _)) => {
            let (count, parameters) = (parameters.len(), list(parameters));
            format!(
                "for bits in {rows} {{ let x = bits.map(f64::from_bits); {declared} \
                 let p: [u64; {count}] = {parameters}; let p = p.map(f64::from_bits); \
                 let mut gradient = [0.0; {inputs}]; let mut parameter_gradient = [0.0; {count}]; \
                 put(&[{name}(&x, &p{work}), \
                 {name}_gradient(&x, &p, &mut gradient, &mut parameter_gradient{work})]); \
                 put(&gradient); put(&parameter_gradient); }}\n"
            )
        }
        (Language::Rust | Language::RustNoStd, Kind::Several(_, outputs)) => format!(
            "for bits in {rows} {{ let x = bits.map(f64::from_bits); {declared} \
             let mut outputs = [0.0; {outputs}]; \
             let mut jacobian = [[0.0; {inputs}]; {outputs}]; \
             {name}(&x, &mut outputs{work}); put(&outputs); \
             {name}_jacobian(&x, &mut outputs, &mut jacobian{work}); put(&outputs); \
             put(jacobian.as_flattened()); }}\n"
        ),
        (Language::C, kind) => {
            let calls = match kind {
                Kind::One(_) => format!(
                    "double gradient[{inputs}]; put({name}(x{work})); \
                     put({name}_gradient(x, gradient{work})); \
                     for (int i = 0; i < {inputs}; i++) put(gradient[i]);"
                ),
                Kind::Several(_, outputs) => format!(
                    "double outputs[{outputs}], jacobian[{outputs}][{inputs}]; \
                     {name}(x, outputs{work}); for (int i = 0; i < {outputs}; i++) put(outputs[i]); \
                     {name}_jacobian(x, outputs, jacobian{work}); \
                     for (int i = 0; i < {outputs}; i++) put(outputs[i]); \
                     for (int i = 0; i < {outputs}; i++) \
                     for (int j = 0; j < {inputs}; j++) put(jacobian[i][j]);"
                ),
                Kind::WithParameters(_, parameters, _) => {
                    let count = parameters.len().max(1);
                    let all = parameters.len();
                    let parameters = list(parameters).replace("{}", "{0}");
                    format!(
                        "static const uint64_t q[{count}] = {parameters}; double p[{count}]; \
                         memcpy(p, q, sizeof p); \
                         double gradient[{inputs}], parameter_gradient[{count}]; \
                         put({name}(x, p{work})); \
                         put({name}_gradient(x, p, gradient, parameter_gradient{work})); \
                         for (int i = 0; i < {inputs}; i++) put(gradient[i]); \
                         for (int i = 0; i < {all}; i++) put(parameter_gradient[i]);"
                    )
                }
            };
            let count = case.rows.len();
            format!(
                "{{ static const uint64_t rows[{count}][{inputs}] = {rows}; \
                 for (int row = 0; row < {count}; row++) {{ \
                 double x[{inputs}]; memcpy(x, rows[row], sizeof x); {declared} {calls} }} }}\n"
            )
        }
        (Language::JavaScript, kind) => {
            let calls = match kind {
                Kind::One(_) => format!(
                    "const gradient = new Float64Array({inputs}); \
                     put(source.{name}(x{work})); put(source.{name}_gradient(x, gradient{work})); \
                     gradient.forEach(put);"
                ),
                Kind::Several(_, outputs) => format!(
                    "const outputs = new Float64Array({outputs}); \
                     const jacobian = Array.from(outputs, () => new Float64Array({inputs})); \
                     source.{name}(x, outputs{work}); outputs.forEach(put); \
                     source.{name}_jacobian(x, outputs, jacobian{work}); outputs.forEach(put); \
                     jacobian.forEach(row => row.forEach(put));"
                ),
                Kind::WithParameters(_, parameters, _) => format!(
                    "const p = from({}); const gradient = new Float64Array({inputs}); \
                     const parameter_gradient = new Float64Array(p.length); \
                     put(source.{name}(x, p{work})); \
                     put(source.{name}_gradient(x, p, gradient, parameter_gradient{work})); \
                     gradient.forEach(put); parameter_gradient.forEach(put);",
                    list(parameters)
                ),
            };
            format!("for (const bits of {rows}) {{ const x = from(bits); {declared} {calls} }}\n")
        }
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
    // Some functions, for a single one would take long to compile.
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
    let calls: String = (0..count)
        .map(|i| format!("    part_{i}(&mut text);\n"))
        .collect();
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
            "-O1",
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

/// What a command prints. It must succeed.
fn run(command: &mut Command) -> String {
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

// ── the operations ──────────────────────────────────────────────────────────────────────────────

const POINTS: [f64; 34] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    1000.0,
    -1000.0,
    1e-300,
    -1e-300,
    1e300,
    -1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    -4.3,
    -2.6,
    -2.5,
    -1.7,
    -1.5,
    -0.8,
    -0.35,
    0.3,
    0.7,
    1.25,
    1.5,
    2.3,
    2.5,
    3.7,
    4.1,
    0.499_999_999_999_999_94,
];

/// Every operation of the table, at all pairs of points.
fn operations() -> Vec<Case> {
    let pairs = || {
        POINTS
            .iter()
            .flat_map(|&x| POINTS.iter().map(move |&y| vec![x, y]))
    };
    let singles: Vec<_> = POINTS.iter().map(|&x| vec![x]).collect();
    let mut cases = Vec::new();
    for row in TABLE {
        let name = format!("of_{}", row.name);
        match row.function {
            table::Function::OfOne(function) => cases.push(Case {
                name,
                function: Kind::One(Tape::trace(|[x]| function(&x)).freeze()),
                rows: singles.clone(),
                operation: Some((row.name, None)),
            }),
            table::Function::OfTwo(function) => cases.push(Case {
                name,
                function: Kind::One(Tape::trace(|[x, y]| function(&x, (&y).into())).freeze()),
                rows: pairs().collect(),
                operation: Some((row.name, None)),
            }),
            table::Function::Operator { nodes, .. } => cases.push(Case {
                name,
                function: Kind::One(Tape::trace(|[x, y]| nodes(&x, &y)).freeze()),
                rows: pairs().collect(),
                operation: Some((row.name, None)),
            }),
            table::Function::WithParameter(function) => {
                cases.extend(POINTS.iter().enumerate().map(|(i, &parameter)| Case {
                    name: format!("{name}_{i}"),
                    function: Kind::One(Tape::trace(|[x]| function(&x, parameter)).freeze()),
                    rows: singles.clone(),
                    operation: Some((row.name, Some(parameter))),
                }));
            }
        }
    }
    let exponents = POINTS.iter().enumerate();
    cases.extend(exponents.map(|(i, &exponent)| Case {
        name: format!("to_the_{i}"),
        function: Kind::One(Tape::trace(|[x]| x.pow(exponent)).freeze()),
        rows: singles.clone(),
        operation: None,
    }));
    cases
}

/// Whether both are NaN, or the same infinity or zero, or as near to each other as this.
fn agree(ours: f64, theirs: f64, tolerance: f64) -> bool {
    ours.to_bits() == theirs.to_bits()
        || (ours.is_nan() && theirs.is_nan())
        || (ours.is_finite()
            && theirs.is_finite()
            && (ours != 0.0 || theirs != 0.0)
            && (ours - theirs).abs() <= tolerance)
}

#[track_caller]
fn assert_operations_agree(language: Language, cases: &[Case], test: &str) {
    let computed = computed_in(language, cases, test);
    let mut wrong = Vec::new();
    for (case, computed) in iter::zip(cases, &computed) {
        for ((row, ours), theirs) in case.rows.iter().zip(computed).zip(case.expected()) {
            for (i, (&ours, theirs)) in iter::zip(ours, theirs).enumerate() {
                let is_value = i < case.values();
                let tolerance = match language {
                    Language::Rust if is_value => 0.0,
                    _ if is_value => 1e-12 * theirs.abs(),
                    // A derivative such as 1 - out² is as exact as its terms.
                    _ => 1e-12 * theirs.abs().max(1e-2),
                };
                if !agree(ours, theirs, tolerance) {
                    let name = &case.name;
                    wrong.push(format!(
                        "{name}({row:?}), number {i}: {ours:?}, not {theirs:?}"
                    ));
                }
            }
        }
    }
    let shown = wrong[..wrong.len().min(40)].join("\n");
    assert!(
        wrong.is_empty(),
        "{language:?}: {} differ\n{shown}",
        wrong.len()
    );
}

#[test]
fn operations_agree_in_every_language() {
    let cases = operations();
    for language in LANGUAGES {
        assert_operations_agree(language, &cases, "operations");
    }
}

#[test]
fn the_table_in_javascript_computes_what_the_table_does() {
    let cases = operations();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("table");
    fs::create_dir_all(&directory).unwrap();
    fs::write(
        directory.join("table.mjs"),
        Source::operations_in_javascript(),
    )
    .unwrap();
    let mut script = "import { operations } from './table.mjs';\n\n\
        const lines = [];\nconst bits = new BigUint64Array(1);\n\
        const number = new Float64Array(bits.buffer);\n\
        function put(name, bits_of_row, inputs) {\n    \
            const [x, y] = new Float64Array(new BigUint64Array(bits_of_row).buffer);\n    \
            const out = operations[name].value(x, y);\n    \
            const gradients = operations[name].gradients.slice(0, inputs);\n    \
            for (const result of [out, ...gradients.map(vjp => vjp ? vjp(x, y, out, 1.0) : 0.0)]) {\n        \
                number[0] = result;\n        lines.push(bits[0].toString(16));\n    }\n}\n\n"
        .to_owned();
    let mut expected = Vec::new();
    for case in &cases {
        let Some((name, parameter)) = case.operation else {
            continue; // a power by a constant
        };
        for (numbers, theirs) in iter::zip(&case.rows, case.expected()) {
            let inputs = numbers.len();
            let numbers = numbers.iter().chain(&parameter);
            let bits: Vec<_> = numbers.map(|x| format!("{:#x}n", x.to_bits())).collect();
            writeln!(script, "put('{}', [{}], {inputs});", name, bits.join(", ")).unwrap();
            expected.extend(
                theirs[1..]
                    .iter()
                    .map(|&number| (name, bits.join(", "), number)),
            );
        }
    }
    script.push_str("console.log(lines.join('\\n'));\n");
    let main = directory.join("main.mjs");
    fs::write(&main, script).unwrap();
    let output = run(Command::new("node").arg(main));
    assert_eq!(output.lines().count(), expected.len());
    for (line, (name, bits, theirs)) in iter::zip(output.lines(), expected) {
        let ours = f64::from_bits(u64::from_str_radix(line, 16).unwrap());
        let tolerance = 1e-12 * theirs.abs().max(1e-2);
        assert!(
            agree(ours, theirs, tolerance) || ours == theirs, // a gradient is a sum, so not -0
            "{name} of {bits}: {ours:?}, not {theirs:?}"
        );
    }
}

// ── random graphs ───────────────────────────────────────────────────────────────────────────────

fn corpus() -> Corpus {
    Corpus::parse(include_str!("corpus.txt"))
}

/// The graphs of the corpus that have inputs, as functions of these: of one output, and of three.
fn graphs(corpus: &Corpus) -> Vec<[Case; 3]> {
    let with_inputs = corpus.entries.iter().filter(|entry| entry.graph.inputs > 0);
    let cases = with_inputs.map(|entry| {
        let Built { nodes, leaves } = entry.graph.build();
        let inputs = &leaves[..entry.graph.inputs];
        let outputs = entry.graph.outputs.map(|i| nodes[i].clone());
        let row = entry.graph.input_rows().swap_remove(0);
        let tape = Tape::record(inputs, &outputs[0]);
        tape.parameters().iter().for_each(Value::zero_grad);
        tape.backward(&[&row]);
        let [numbers, gradient] = [Value::data, Value::grad]
            .map(|number| tape.parameters().iter().map(number).collect::<Vec<_>>());
        let several = VectorTape::record(inputs, &outputs).freeze();
        [
            ("one", Kind::One(tape.freeze())),
            ("three", Kind::Several(several, 3)),
            (
                "with_parameters",
                Kind::WithParameters(tape.freeze(), numbers, gradient),
            ),
        ]
        .map(|(of, function)| Case {
            name: format!("{of}_{}", entry.number),
            function,
            rows: vec![row.clone()],
            operation: None,
        })
    });
    cases.collect()
}

/// The results of one graph: those of one output, of three, and of one with its parameters.
type Results = [Vec<f64>; 3];

fn computed_graphs(language: Language, graphs: Vec<[Case; 3]>) -> Vec<Results> {
    let cases: Vec<_> = graphs.into_iter().flatten().collect();
    let mut results = computed_in(language, &cases, "graphs").into_iter();
    let mut next = move || Some(results.next()?.swap_remove(0));
    iter::from_fn(|| Some([next()?, next()?, next()?])).collect()
}

#[test]
fn rust_has_the_bits_of_the_tape_and_its_gradients_to_rounding() {
    let corpus = corpus();
    let computed = computed_graphs(Language::Rust, graphs(&corpus));
    let with_inputs = corpus.entries.iter().filter(|entry| entry.graph.inputs > 0);
    let mut compared = 0;
    for (entry, [one, three, _]) in iter::zip(with_inputs, &computed) {
        let line = |name: &str| entry.results.iter().find(|line| line.name == name).unwrap();
        let results = [
            ("tape.value", &one[..1]),
            ("tape.value", &one[1..2]),
            ("tape.gradient", &one[2..]),
            ("tape.vector", &three[..3]),
            ("tape.vector", &three[3..6]),
            ("tape.jacobian", &three[6..]),
        ];
        for (name, ours) in results {
            let numbers = &line(name).numbers;
            assert_eq!(numbers.len(), ours.len());
            for (i, (theirs, &ours)) in iter::zip(numbers, ours).enumerate() {
                let (number, value) = (entry.number, theirs.value);
                assert!(
                    theirs.is_met_by(ours),
                    "graph {number}, {name}, number {i}: {ours:?}, not {value:?}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 5000, "{compared}");
}

/// The operations of the table that the graphs consist of, with the numbers that they are applied
/// to.
fn steps_of_graphs(corpus: &Corpus) -> Vec<Case> {
    let mut rows: BTreeMap<(&str, Option<u64>), Vec<Vec<f64>>> = BTreeMap::new();
    for entry in &corpus.entries {
        for node in topological_order(&entry.graph.build().nodes) {
            if let Operation::Apply { op, x, y, .. } = node.operation() {
                let parametric = TABLE.iter().any(|row| {
                    row.name == op.name()
                        && matches!(row.function, table::Function::WithParameter(_))
                });
                let (parameter, row) = match y {
                    Some(y) if parametric => (Some(y.data().to_bits()), vec![x.data()]),
                    Some(y) => (None, vec![x.data(), y.data()]),
                    None => (None, vec![x.data()]),
                };
                rows.entry((op.name(), parameter)).or_default().push(row);
            }
        }
    }
    let cases = rows.into_iter().enumerate();
    let cases = cases.map(|(i, ((name, parameter), rows))| {
        let row = TABLE.iter().find(|row| row.name == name).unwrap();
        let function = match row.function {
            table::Function::OfOne(function) => Tape::trace(|[x]| function(&x)),
            table::Function::OfTwo(function) => Tape::trace(|[x, y]| function(&x, (&y).into())),
            table::Function::Operator { nodes, .. } => Tape::trace(|[x, y]| nodes(&x, &y)),
            table::Function::WithParameter(function) => {
                let parameter = f64::from_bits(parameter.unwrap());
                Tape::trace(|[x]| function(&x, parameter))
            }
        };
        Case {
            name: format!("step_{i}_{name}"),
            function: Kind::One(function.freeze()),
            rows,
            operation: None,
        }
    });
    cases.collect()
}

#[test]
fn each_step_of_random_graphs_agrees_in_every_language() {
    let cases = steps_of_graphs(&corpus());
    assert!(cases.iter().map(|case| case.rows.len()).sum::<usize>() > 5000);
    for language in LANGUAGES {
        assert_operations_agree(language, &cases, "steps");
    }
}

/// The outputs and gradients of a graph in which every result is off by up to 4 units in the last
/// place, as those of another language may be.
fn perturbed(graph: &Graph, rng: &mut impl Rng) -> Results {
    let mut leaves: Vec<_> = graph.leaves.iter().copied().map(Value::new).collect();
    let mut nodes = leaves.clone();
    for step in &graph.steps {
        let operands = step.operands();
        let operands: Vec<_> = operands.into_iter().map(|i| nodes[i].clone()).collect();
        let made = step.apply(&operands);
        let outputs = made.outputs.into_iter().map(|output| {
            let units = rng.random_range(-4..=4);
            output * (1.0 + f64::from(units) * f64::EPSILON)
        });
        nodes.extend(outputs);
        leaves.extend(made.parameters);
    }
    let inputs = &leaves[..graph.inputs];
    let outputs = graph.outputs.map(|i| nodes[i].clone());
    let tape = Tape::record(inputs, &outputs[0]);
    let to_parameters = outputs[0].gradient(tape.parameters());
    let gradient = |output: &Value| {
        let gradient = output.gradient(inputs);
        gradient.iter().map(Value::data).collect::<Vec<_>>()
    };
    let values = outputs.each_ref().map(Value::data);
    let of_one = [vec![values[0]; 2], gradient(&outputs[0])].concat();
    let to_parameters: Vec<_> = to_parameters.iter().map(Value::data).collect();
    [
        of_one.clone(),
        [
            values.to_vec(),
            values.to_vec(),
            outputs.iter().flat_map(gradient).collect(),
        ]
        .concat(),
        [of_one, to_parameters].concat(),
    ]
}

#[test]
fn random_graphs_agree_in_every_language() {
    const RUNS: usize = 6;
    let corpus = corpus();
    let with_inputs = || corpus.entries.iter().filter(|entry| entry.graph.inputs > 0);
    let mut rng = micrograd::rng(0);
    let perturbed: Vec<Vec<Results>> = with_inputs()
        .map(|entry| {
            (0..RUNS)
                .map(|_| perturbed(&entry.graph, &mut rng))
                .collect()
        })
        .collect();
    let graphs = || graphs(&corpus);
    let expected: Vec<_> = graphs()
        .iter()
        .map(|cases| cases.each_ref().map(|case| case.expected().swap_remove(0)))
        .collect();
    for language in [Language::Rust, Language::C, Language::JavaScript] {
        let computed = computed_graphs(language, graphs());
        let (mut compared, mut near_jumps) = (0, 0);
        for (g, (entry, computed)) in with_inputs().zip(computed).enumerate() {
            for (kind, ours) in computed.iter().enumerate() {
                for (i, &ours) in ours.iter().enumerate() {
                    let theirs = expected[g][kind][i];
                    let others = perturbed[g].iter().map(|results| results[kind][i]);
                    let far = others.map(|other| {
                        if agree(other, theirs, 0.0) {
                            0.0
                        } else {
                            (other - theirs).abs()
                        }
                    });
                    let far = far.fold(
                        0.0,
                        |far: f64, other| if other <= far { far } else { other },
                    );
                    // NaN and infinities that come and go count as a jump, too.
                    if !(far <= 1e-6 * (1.0 + theirs.abs())) {
                        near_jumps += 1;
                        continue;
                    }
                    compared += 1;
                    let tolerance = 8.0 * far + 1e-12 * theirs.abs().max(1e-3);
                    assert!(
                        agree(ours, theirs, tolerance) || (ours - theirs).abs() <= tolerance,
                        "{language:?}, graph {}, results {kind}, number {i}: {ours:?}, not {theirs:?}; \
                         perturbed {far:e} away",
                        entry.number
                    );
                }
            }
        }
        assert!(compared > 4000, "{compared}");
        assert!(
            near_jumps * 5 < compared,
            "{near_jumps} near jumps, {compared} compared"
        );
    }
}

#[test]
fn long_functions_work_in_an_array_of_the_caller() {
    let model = MLP::new(2, &[600, 3], &mut micrograd::rng(0));
    let net = VectorTape::trace(|[x, y]| model.forward(&[x, y]));
    let chain = Tape::trace(|[x, y]| {
        (0..1500).fold(x, |x, i| if i % 2 == 0 { x * &y } else { (x + 0.01).sin() })
    });
    let cases = [
        ("chain", Kind::One(chain.freeze())),
        ("net", Kind::Several(net.freeze(), 3)),
    ];
    let cases = cases.map(|(name, function)| Case {
        name: name.into(),
        function,
        rows: vec![vec![0.5, 1.25], vec![-1.5, 0.75]],
        operation: None,
    });
    for language in LANGUAGES {
        let computed = computed_in(language, &cases, "long");
        for (case, computed) in iter::zip(&cases, &computed) {
            for (ours, theirs) in iter::zip(computed, case.expected()) {
                for (i, (&ours, theirs)) in iter::zip(ours, theirs).enumerate() {
                    let is_exact = language == Language::Rust && i < case.values();
                    let tolerance = if is_exact {
                        0.0
                    } else {
                        1e-11 * theirs.abs().max(1e-3)
                    };
                    assert!(
                        agree(ours, theirs, tolerance),
                        "{language:?}, {}, number {i}: {ours:?}, not {theirs:?}",
                        case.name
                    );
                }
            }
        }
    }
}
