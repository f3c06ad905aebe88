//! Pages of graphs in a browser. These tests need Chromium, `node`, and the packages that `npm ci`
//! installs in `proofs/browser`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, slice};

use micrograd::engine::{Op, Value, topological_order};
use micrograd::nn::{MLP, loss};
use micrograd_proofs::corpus::Corpus;
use micrograd_proofs::corpus::table::{Function, OTHERS, POINTS, TABLE};

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// The output of the script, if it succeeds.
fn run_script(mode: &str, directory: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/pages.mjs");
    let output = Command::new("node")
        .arg(script)
        .arg(mode)
        .arg(directory)
        .output()
        .expect("node is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{errors}\n(needs `npm ci` in proofs/browser, and chromium)"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A text as a JSON string.
fn json(text: &str) -> String {
    let escaped = text.chars().map(|character| match character {
        '"' | '\\' => format!("\\{character}"),
        _ if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        _ => character.into(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// A number as a JSON string that `Number` in JavaScript reads.
fn literal(number: f64) -> String {
    if number.is_infinite() {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("\"{sign}Infinity\"");
    }
    format!("\"{number:?}\"")
}

// ── numbers ─────────────────────────────────────────────────────────────────────────────────────

/// A page and rows of numbers for its leaves. Each row comes with the numbers expected of all nodes
/// and how far these may be off: first values, then gradients.
struct Job {
    name: String,
    page: String,
    rows: Vec<Vec<f64>>,
    /// `None` where the number is not compared.
    expected: Vec<Vec<Option<Expected>>>,
}

struct Expected {
    number: f64,
    tolerance: f64,
}

/// The values of all nodes, then their gradients.
fn numbers(root: &Value) -> Vec<f64> {
    let nodes = topological_order(slice::from_ref(root));
    nodes.iter().for_each(Value::zero_grad);
    root.backward();
    let values = nodes.iter().map(Value::data);
    values.chain(nodes.iter().map(Value::grad)).collect()
}

fn page_of(root: &Value) -> String {
    root.page().max_nodes(1).to_string()
}

/// Asserts that the pages compute the expected numbers.
fn assert_pages_agree(directory: &Path, jobs: &[Job]) {
    let mut list = Vec::new();
    for Job {
        name, page, rows, ..
    } in jobs
    {
        fs::write(directory.join(name), page).unwrap();
        let rows = rows.iter().map(|row| {
            let row: Vec<_> = row.iter().copied().map(literal).collect();
            format!("[{}]", row.join(", "))
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        list.push(format!(
            "{{ \"name\": {}, \"rows\": [{rows}] }}",
            json(name)
        ));
    }
    fs::write(
        directory.join("jobs.json"),
        format!("[{}]", list.join(",\n")),
    )
    .unwrap();
    let printed = run_script("numbers", directory);
    let mut lines = printed.lines();
    for job in jobs {
        for (row, expected) in job.rows.iter().zip(&job.expected) {
            let line = lines.next().expect("a line for each row");
            let found: Vec<f64> = line
                .split(' ')
                .map(|number| number.parse().unwrap())
                .collect();
            assert_eq!(found.len(), expected.len(), "{}", job.name);
            for (i, (&ours, expected)) in found.iter().zip(expected).enumerate() {
                let Some(Expected {
                    number: theirs,
                    tolerance,
                }) = expected
                else {
                    continue;
                };
                let is_near = ours == *theirs
                    || ours.is_nan() && theirs.is_nan()
                    || (ours - theirs).abs() <= *tolerance;
                assert!(
                    is_near,
                    "{} at {row:?}, number {i}: {ours:?}, not {theirs:?}",
                    job.name
                );
            }
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn every_operation_on_a_page_agrees_to_a_relative_1e_12() {
    let jobs = TABLE.iter().chain(OTHERS).map(|row| {
        let of = |leaves: &[Value]| match row.function {
            Function::OfOne(function) => function(&leaves[0]),
            Function::OfTwo(function) => function(&leaves[0], (&leaves[1]).into()),
            Function::Operator { nodes, .. } => nodes(&leaves[0], &leaves[1]),
            Function::WithParameter(function) => function(&leaves[0], 0.3),
        };
        let is_binary = matches!(row.function, Function::OfTwo(_) | Function::Operator { .. });
        let rows: Vec<_> = if is_binary {
            let pairs = POINTS.iter().flat_map(|&x| POINTS.map(|y| vec![x, y]));
            pairs.collect()
        } else {
            POINTS.iter().map(|&x| vec![x]).collect()
        };
        let root_at = |row: &[f64]| of(&row.iter().copied().map(Value::new).collect::<Vec<_>>());
        let expected = rows.iter().map(|row| {
            let numbers = numbers(&root_at(row)).into_iter();
            let expected = numbers.map(|number| {
                let tolerance = 1e-12 * number.abs();
                Some(Expected { number, tolerance })
            });
            expected.collect()
        });
        Job {
            name: format!("{}.html", row.name),
            page: page_of(&root_at(&[0.5, 2.0])),
            expected: expected.collect(),
            rows,
        }
    });
    let jobs: Vec<_> = jobs.collect();
    for op in Op::ALL {
        assert!(
            jobs.iter()
                .any(|job| job.name == format!("{}.html", op.name())),
            "{}",
            op.name()
        );
    }
    assert_pages_agree(&directory("operations"), &jobs);
}

/// The values of these nodes, then their gradients after a backward pass from the root.
fn numbers_of(nodes: &[Value], root: usize) -> Vec<f64> {
    nodes[root].backward();
    let values = nodes.iter().map(Value::data);
    values.chain(nodes.iter().map(Value::grad)).collect()
}

#[test]
fn random_graphs_on_a_page_are_as_close_as_perturbed_ones() {
    let corpus = Corpus::parse(include_str!("corpus.txt"));
    let mut rng = micrograd::rng(0);
    let (mut compared, mut near_jumps) = (0, 0);
    let jobs = corpus.entries.iter().map(|entry| {
        let graph = &entry.graph;
        let nodes = graph.build().nodes;
        let root = graph.outputs[0];
        let numbers = numbers_of(&nodes, root);
        let runs = [(); 4].map(|()| numbers_of(&graph.perturbed(4, &mut rng).nodes, root));
        let order = topological_order(slice::from_ref(&nodes[root]));
        let indices: HashMap<_, _> = nodes.iter().map(Value::id).zip(0..).collect();
        let expected = [0, nodes.len()].into_iter().flat_map(|start| {
            let indices = order.iter().map(|node| indices.get(&node.id()));
            indices
                .map(move |index| index.map(|index| start + index))
                .collect::<Vec<_>>()
        });
        let expected = expected.map(|index| {
            let index = index?; // a parameter of a layer
            let number: f64 = numbers[index];
            let far = runs.iter().map(|run| (run[index] - number).abs());
            let far = far.fold(
                0.0,
                |far: f64, next| if next.is_nan() { next } else { far.max(next) },
            );
            // NaN and infinities that come and go count as a jump, too.
            if number.is_finite() && (far.is_nan() || far > 1e-6 * (1.0 + number.abs())) {
                near_jumps += 1;
                return None;
            }
            compared += 1;
            let tolerance = 8.0 * far + 1e-12 * number.abs().max(1e-3);
            Some(Expected { number, tolerance })
        });
        Job {
            name: format!("graph_{}.html", entry.number),
            page: page_of(&nodes[root]),
            rows: vec![vec![]],
            expected: vec![expected.collect()],
        }
    });
    let jobs: Vec<_> = jobs.collect();
    assert!(
        compared > 10_000 && near_jumps < compared / 20,
        "{compared}, {near_jumps}"
    );
    assert_pages_agree(&directory("graphs"), &jobs);
}

// ── a reader ────────────────────────────────────────────────────────────────────────────────────

/// Makes a leaf from a name and a number.
type Leaf<'a> = &'a dyn Fn(&str, f64) -> Value;

/// A page that is clicked and stepped through, and a leaf to change.
struct Played {
    name: &'static str,
    graph: fn(Leaf) -> Value,
    leaf: &'static str,
    number: f64,
    /// Cards to click, and a text that the page then shows.
    texts: &'static [(&'static str, &'static str)],
}

const PLAYED: [Played; 3] = [
    Played {
        name: "neuron.html",
        graph: neuron,
        leaf: "w1",
        number: -2.5,
        texts: &[
            ("n", "n = #6 + b"),
            ("n", "= (-6) + 6.881"),
            ("n", "do/dn = do/do · ∂o/∂n"),
            ("n", "g · (1 - out · out) = 1 · (1 - 0.7071 · 0.7071) = 0.5"),
            ("w1", "g · x = 0.5 · 2 = 1"),
            ("o", "The backward pass starts here."),
        ],
    },
    Played {
        name: "program.html",
        graph: program,
        leaf: "b",
        number: 0.25,
        texts: &[
            ("a", "dg/da = 138.8"),
            ("e", "e = c - d"),
            ("f", "f = e^2"),
            ("f", "dg/df = 0.4958"),
            ("e", "g · (2 · x^(2 - 1)) = "),
        ],
    },
    Played {
        name: "net.html",
        graph: net,
        leaf: "x",
        number: 2.0,
        texts: &[
            ("label", "A leaf: a number that was not computed."),
            ("x", "dloss/dx = "),
        ],
    },
];

fn neuron(leaf: Leaf) -> Value {
    let [x1, x2] = [leaf("x1", 2.0), leaf("x2", 0.0)];
    let [w1, w2] = [leaf("w1", -3.0), leaf("w2", 1.0)];
    let b = leaf("b", 6.881_373_587_019_543);
    let n = (&x1 * &w1 + &x2 * &w2 + b).with_name("n");
    n.tanh().with_name("o")
}

fn program(leaf: Leaf) -> Value {
    let [a, b] = [leaf("a", -4.0), leaf("b", 2.0)];
    let mut c = &a + &b;
    let mut d = &a * &b + b.pow(3.0);
    c += &c + 1.0;
    c += 1.0 + &c + (-&a);
    d += &d * 2.0 + (&b + &a).relu();
    d += 3.0 * &d + (&b - &a).relu();
    let [c, d] = [c.with_name("c"), d.with_name("d")];
    let e = (&c - &d).with_name("e");
    let f = e.pow(2.0).with_name("f");
    (&f / 2.0 + 10.0 / &f).with_name("g")
}

fn net(leaf: Leaf) -> Value {
    let model = MLP::new(2, &[4, 1], &mut micrograd::rng(1)).with_names();
    let scores = model.forward(&[leaf("x", 0.5), leaf("y", -0.25)]);
    loss::hinge(&scores, &[leaf("label", 1.0)]).with_name("loss")
}

/// The value and the gradient of each node, in JSON.
fn nodes_in_json(root: &Value) -> String {
    let numbers = numbers(root);
    let (values, gradients) = numbers.split_at(numbers.len() / 2);
    let nodes = values
        .iter()
        .zip(gradients)
        .map(|(value, gradient)| format!("{{ \"value\": {value:?}, \"gradient\": {gradient:?} }}"));
    format!("[{}]", nodes.collect::<Vec<_>>().join(", "))
}

const NAMES: [&str; 6] = [
    "</script><script>globalThis.harm = 1</script>",
    "<img src=x onerror='globalThis.harm = 1'>",
    "\" + (globalThis.harm = 1) + \"",
    "</template><!-- ${globalThis.harm = 1} `\\",
    "שלום 🦀 \u{2028} \u{0}",
    "]]>",
];

#[test]
fn a_reader_clicks_steps_and_changes_numbers() {
    let directory = directory("play");
    let write = |name: &str, text: String| fs::write(directory.join(name), text).unwrap();
    let leaf = |name: &str, number: f64| Value::new(number).with_name(name);

    let pages = PLAYED.map(|played| {
        let Played {
            name,
            graph,
            number,
            ..
        } = played;
        let root = graph(&leaf);
        write(name, root.page().to_string());
        let changed =
            graph(&|name, before| leaf(name, if name == played.leaf { number } else { before }));
        let texts = played
            .texts
            .iter()
            .map(|(card, text)| format!("[{}, {}]", json(card), json(text)));
        format!(
            "{{ \"name\": {}, \"leaf\": {}, \"number\": \"{number:?}\", \"texts\": [{}], \
             \"nodes\": {}, \"changed\": {} }}",
            json(name),
            json(played.leaf),
            texts.collect::<Vec<_>>().join(", "),
            nodes_in_json(&root),
            nodes_in_json(&changed),
        )
    });
    write("pages.json", format!("[{}]", pages.join(",\n")));

    let named = NAMES.map(|name| leaf(name, 1.5));
    let sum: Value = named.iter().sum();
    write(
        "names.html",
        sum.with_name(NAMES[0].to_owned() + "!").page().to_string(),
    );
    let shown = NAMES.map(|name| json(&name.replace('\u{0}', "\\u{0}")));
    let last = json(&(NAMES[0].to_owned() + "!"));
    write("names.json", format!("[{}, {last}]", shown.join(", ")));

    let x = leaf("x", 1.0);
    let large = (0..1_000_000).fold(x, |y, _| y.sin());
    write("large.html", large.page().to_string());

    let watch = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "-p",
            "micrograd",
            "--example",
            "watch",
            "--",
        ])
        .arg(directory.join("watch.html"))
        .output()
        .unwrap();
    assert!(
        watch.status.success(),
        "{}",
        String::from_utf8_lossy(&watch.stderr)
    );

    run_script("play", &directory);
}

#[test]
fn pages_are_small() {
    let leaf = |name: &str, number: f64| Value::new(number).with_name(name);
    assert!(program(&leaf).page().to_string().len() < 300_000);
    let chain = (0..1998).fold(leaf("x", 0.5), |y, _| y.sin());
    let model = MLP::new(10, &[40, 35, 1], &mut micrograd::rng(0)).with_names();
    let inputs: Vec<_> = (0..10).map(|i| Value::new(f64::from(i))).collect();
    let net = model.forward(&inputs).remove(0);
    for root in [chain, net] {
        let nodes = topological_order(slice::from_ref(&root)).len();
        assert!((1990..=2100).contains(&nodes), "{nodes}");
        let page = root.page().max_nodes(2000).to_string();
        assert!(page.len() < 2_000_000, "{nodes} nodes: {}", page.len());
    }
}
