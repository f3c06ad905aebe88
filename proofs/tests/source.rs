//! Source code in three languages computes what the tape does.
//!
//! It is compiled and run here, so these tests need cargo, a C compiler `cc`, and `node`.

mod emitted;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{fs, iter, slice};

use emitted::{Case, Kind, LANGUAGES, Language, computed_in, run};
use micrograd::engine::{Op, Operation, Value, topological_order};
use micrograd::nn::MLP;
use micrograd::rand::{Rng, RngExt};
use micrograd::tape::{Source, Tape, VectorTape};
use micrograd_proofs::corpus::graph::{Built, Graph};
use micrograd_proofs::corpus::table::{self, OTHERS, POINTS, TABLE};
use micrograd_proofs::corpus::{Corpus, Entry};

// ── the operations ──────────────────────────────────────────────────────────────────────────────

/// Every operation of the table, at all pairs of points.
fn operations() -> Vec<Case> {
    let pairs = || {
        POINTS
            .iter()
            .flat_map(|&x| POINTS.iter().map(move |&y| vec![x, y]))
    };
    let singles: Vec<_> = POINTS.iter().map(|&x| vec![x]).collect();
    let mut cases = Vec::new();
    for row in TABLE.iter().chain(OTHERS) {
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
    for op in Op::ALL {
        let is_of = |case: &Case| case.operation.is_some_and(|(name, _)| name == op.name());
        assert!(cases.iter().any(is_of), "{}", op.name());
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

/// Whether both are NaN, the same infinity or the same zero, or finite and this close.
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
                    // A derivative such as 1 - out² is only as exact as its terms.
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
            continue; // a power with a constant exponent
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

/// The graphs of the corpus that have inputs, each as three functions: with one output, with three
/// outputs, and with one output and the parameters as an argument.
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

/// The results of the three functions of one graph.
type Results = [Vec<f64>; 3];

fn computed_graphs(language: Language, graphs: Vec<[Case; 3]>) -> Vec<Results> {
    let cases: Vec<_> = graphs.into_iter().flatten().collect();
    let mut results = computed_in(language, &cases, "graphs").into_iter();
    let mut next = move || Some(results.next()?.swap_remove(0));
    iter::from_fn(|| Some([next()?, next()?, next()?])).collect()
}

/// Asserts that values have the bits of the tape, and that gradients agree to rounding.
fn assert_has_the_bits_of_the_tape(entry: &Entry, [one, three, _]: &Results) {
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
        }
    }
}

/// The operations of the table that the graphs consist of, with the numbers to which they are
/// applied.
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

/// The outputs and gradients of a graph in which every result is perturbed by up to 4 units in the
/// last place, as the results in another language may be.
fn perturbed(graph: &Graph, rng: &mut impl Rng) -> Results {
    let Built { nodes, leaves } = graph.perturbed(4, rng);
    let inputs = &leaves[..graph.inputs];
    let outputs = graph.outputs.map(|i| nodes[i].clone());
    let tape = Tape::record(inputs, &outputs[0]);
    let values = outputs.each_ref().map(Value::data);
    let mut to_parameters = Vec::new();
    let mut jacobian = Vec::new();
    for (i, output) in outputs.iter().enumerate() {
        leaves.iter().for_each(Value::zero_grad);
        output.backward();
        jacobian.push(inputs.iter().map(Value::grad).collect::<Vec<_>>());
        if i == 0 {
            to_parameters.extend(tape.parameters().iter().map(Value::grad));
        }
    }
    let of_one = [vec![values[0]; 2], jacobian[0].clone()].concat();
    let of_three = [values.to_vec(), values.to_vec(), jacobian.concat()].concat();
    [of_one.clone(), of_three, [of_one, to_parameters].concat()]
}

#[test]
fn random_graphs_agree_in_rust() {
    assert_graphs_agree(Language::Rust);
}

#[test]
fn random_graphs_agree_in_c() {
    assert_graphs_agree(Language::C);
}

#[test]
fn random_graphs_agree_in_javascript() {
    assert_graphs_agree(Language::JavaScript);
}

/// Asserts that the source of each graph is about as close to the tape as the perturbed graph.
fn assert_graphs_agree(language: Language) {
    const RUNS: usize = 4;
    let corpus = corpus();
    let mut rng = micrograd::rng(0);
    let graphs = graphs(&corpus);
    let expected: Vec<_> = graphs
        .iter()
        .map(|cases| cases.each_ref().map(|case| case.expected().swap_remove(0)))
        .collect();
    let computed = computed_graphs(language, graphs);
    let entries = corpus.entries.iter().filter(|entry| entry.graph.inputs > 0);
    let (mut compared, mut near_jumps) = (0, 0);
    for ((entry, expected), computed) in entries.zip(expected).zip(computed) {
        if language == Language::Rust {
            assert_has_the_bits_of_the_tape(entry, &computed);
        }
        let perturbed: Vec<_> = (0..RUNS)
            .map(|_| perturbed(&entry.graph, &mut rng))
            .collect();
        for (kind, ours) in computed.iter().enumerate() {
            for (i, &ours) in ours.iter().enumerate() {
                let theirs = expected[kind][i];
                let far = farthest(perturbed.iter().map(|results| results[kind][i]), theirs);
                // NaN and infinities that come and go count as a jump, too.
                if far.is_nan() || far > 1e-6 * (1.0 + theirs.abs()) {
                    near_jumps += 1;
                    continue;
                }
                compared += 1;
                let tolerance = 8.0 * far + 1e-12 * theirs.abs().max(1e-3);
                assert!(
                    agree(ours, theirs, tolerance) || (ours - theirs).abs() <= tolerance,
                    "{language:?}, graph {}, results {kind}, number {i}: {ours:?}, not {theirs:?}; \
                     perturbed results are up to {far:e} away",
                    entry.number
                );
            }
        }
    }
    assert!(compared > 5000, "{compared}");
    assert!(
        near_jumps * 5 < compared,
        "{near_jumps} near jumps, {compared} compared"
    );
}

/// The distance of the farthest of these numbers; NaN if it is undefined.
fn farthest(numbers: impl Iterator<Item = f64>, from: f64) -> f64 {
    let distances = numbers.map(|number| {
        if agree(number, from, 0.0) {
            0.0
        } else {
            (number - from).abs()
        }
    });
    distances.fold(
        0.0,
        |far: f64, other| if other <= far { far } else { other },
    )
}

#[test]
fn long_functions_work_in_the_callers_array() {
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

/// The program that `examples/export.rs` says how to compile.
#[test]
fn the_moons_program_in_c_classifies_points_as_the_tape_does() {
    let model = MLP::new(2, &[16, 16, 1], &mut micrograd::rng(3));
    let score = Tape::trace(|[x, y]| model.forward(&[x, y]).remove(0)).freeze();
    let mut source = Source::c();
    source.add("moons", &score).unwrap();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moons");
    fs::create_dir_all(&directory).unwrap();
    let [moons, program, points] =
        ["moons.c", "classify", "points.txt"].map(|name| directory.join(name));
    fs::write(&moons, source.to_string()).unwrap();
    let classify = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/classify.c");
    run(Command::new("cc")
        .args(["-std=c99", "-Wall", "-Werror", "-ffp-contract=off", "-o"])
        .args([&program, &moons, &classify])
        .arg("-lm"));
    let mut rng = micrograd::rng(4);
    let rows: Vec<[f64; 2]> = (0..200)
        .map(|_| [0, 1].map(|_| rng.random_range(-2.0..2.0)))
        .collect();
    let lines: Vec<_> = rows.iter().map(|[x, y]| format!("{x:?} {y:?}\n")).collect();
    fs::write(&points, lines.concat()).unwrap();
    let output = run(Command::new(program).stdin(fs::File::open(points).unwrap()));
    let expected: Vec<_> = score
        .forward(&rows)
        .iter()
        .map(|&score| if score > 0.0 { "lower" } else { "upper" })
        .collect();
    assert!(expected.contains(&"lower") && expected.contains(&"upper"));
    assert_eq!(output.lines().collect::<Vec<_>>(), expected);
}

/// Graphs that the corpus lacks, with parts that are dropped, constant or without a gradient.
#[test]
fn omitted_parts_leave_no_trace() {
    let [w, mask] = [1.5, 0.0].map(Value::new);
    let tapes = [
        Tape::trace(|[x]| Value::dot(&[w.detach()], &[x])),
        Tape::trace(|[x]| Value::dot(&[w.floor(), w.clone()], &[x.sin(), x.cos()])),
        Tape::trace(|[x]| x.relu().when(0.0) + x),
        Tape::trace(|[x]| x.relu().when(&mask) + x),
        Tape::trace(|[x]| x.sin().pow(0.0).softplus()),
        Tape::trace(|[x]| (0..9).map(|_| x.when(0.0)).sum::<Value>().sin()),
        Tape::trace(|[x]| {
            let s = x.sin();
            (0..40).map(|i| (&s * f64::from(i)).cos()).sum()
        }),
        Tape::trace(|[x]| {
            let m = x.sin().when(0.0);
            Value::dot(slice::from_ref(&w), slice::from_ref(&m)) * m.cos()
        }),
        Tape::trace(|[_x]| w.exp() * 2.0),
    ];
    let mut cases = Vec::new();
    for (i, tape) in tapes.iter().enumerate() {
        let row = vec![0.75];
        tape.parameters().iter().for_each(Value::zero_grad);
        tape.backward(&[&row]);
        let [numbers, gradient] = [Value::data, Value::grad]
            .map(|number| tape.parameters().iter().map(number).collect::<Vec<_>>());
        for (of, function) in [
            ("one", Kind::One(tape.freeze())),
            (
                "with_parameters",
                Kind::WithParameters(tape.freeze(), numbers, gradient),
            ),
        ] {
            cases.push(Case {
                name: format!("{of}_{i}"),
                function,
                rows: vec![row.clone()],
                operation: None,
            });
        }
    }
    let of_parameters = VectorTape::trace(|[_x]| [&w * 2.0, w.sin()]);
    cases.push(Case {
        name: "of_parameters".into(),
        function: Kind::Several(of_parameters.freeze(), 2),
        rows: vec![vec![0.5]],
        operation: None,
    });
    for language in LANGUAGES {
        let computed = computed_in(language, &cases, "left_out");
        for (case, computed) in iter::zip(&cases, computed) {
            for (ours, theirs) in iter::zip(&computed[0], &case.expected()[0]) {
                assert!(
                    (ours - theirs).abs() <= 1e-13 * theirs.abs().max(1.0),
                    "{language:?}, {}: {ours:?}, not {theirs:?}",
                    case.name
                );
            }
        }
    }
}
