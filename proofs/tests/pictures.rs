//! Pictures of graphs as other programs read them: an XML parser, and `dot` from Graphviz, which
//! these tests need.

#[path = "../../tests/common/panics.rs"]
mod panics;
#[path = "../../tests/common/small_stack.rs"]
mod small_stack;

use std::collections::HashSet;
use std::io::Write;
use std::process::{Command, Stdio};

use micrograd::engine::Value;
use micrograd::metrics::ConfusionMatrix;
use micrograd::nn::{Activation, Layer, MLP, Module, Neuron, loss};
use micrograd::picture::Picture;
use micrograd_proofs::corpus::Corpus;
use panics::panic_of;
use roxmltree::{Document, Node};
use small_stack::on_a_small_stack;

const MILLION: usize = 1_000_000;

// ── the drawing ─────────────────────────────────────────────────────────────────────────────────

type Point = [f64; 2];

/// A picture in SVG, as an XML parser reads it.
struct Drawing {
    size: [f64; 2],
    cards: Vec<Card>,
    /// Points on each line.
    lines: Vec<Vec<Point>>,
    caption: Option<String>,
}

struct Card {
    title: String,
    texts: Vec<String>,
    /// The upper left corner and the lower right one.
    corners: [Point; 2],
    operation: Option<Ellipse>,
}

struct Ellipse {
    middle: Point,
    radii: [f64; 2],
}

impl Drawing {
    fn of(picture: &Picture) -> Self {
        Self::parse(&picture.to_string())
    }

    fn parse(svg: &str) -> Self {
        let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
        let root = document.root_element();
        assert_eq!(
            root.tag_name().namespace(),
            Some("http://www.w3.org/2000/svg")
        );
        let groups: Vec<_> = children(root, "g").collect();
        let [lines, cards] = groups.as_slice() else {
            panic!("a picture must have lines, then cards");
        };
        Self {
            size: numbers(root, ["width", "height"]),
            cards: children(*cards, "g").map(Card::of).collect(),
            lines: children(*lines, "path")
                .map(|path| points(path.attribute("d").unwrap()))
                .collect(),
            caption: children(root, "text").next().map(text),
        }
    }

    fn card(&self, text: &str) -> &Card {
        let mut cards = self.cards.iter();
        let card = cards.find(|card| card.texts.iter().any(|found| found == text));
        card.unwrap_or_else(|| panic!("no card says {text}"))
    }

    /// Everything is within the picture, no two cards overlap, texts fit their boxes, and no line
    /// runs through a card.
    fn expect_legible(&self, name: &str) {
        for (i, card) in self.cards.iter().enumerate() {
            let [[left, top], [right, bottom]] = card.outline();
            assert!(left >= 0.0 && top >= 0.0, "{name}: {}", card.title);
            assert!(
                right <= self.size[0] && bottom <= self.size[1],
                "{name}: {}",
                card.title
            );
            for text in &card.texts {
                let width = card.corners[1][0] - card.corners[0][0];
                let is_label = card.operation.is_some() && card.texts.last() == Some(text);
                assert!(
                    is_label || text.chars().count() as f64 * 7.2 < width,
                    "{name}: {text}"
                );
            }
            for other in &self.cards[..i] {
                let [a, b] = [card.outline(), other.outline()];
                let overlap = |axis: usize| a[0][axis] < b[1][axis] && b[0][axis] < a[1][axis];
                assert!(
                    !overlap(0) || !overlap(1),
                    "{name}: {} and {}",
                    card.title,
                    other.title
                );
            }
        }
        for point in self.lines.iter().flatten() {
            assert!(
                (0..2).all(|axis| (0.0..=self.size[axis]).contains(&point[axis])),
                "{name}"
            );
            let through = self.cards.iter().find(|card| card.has_inside(*point));
            assert!(
                through.is_none(),
                "{name}: a line through {}",
                through.unwrap().title
            );
        }
    }
}

impl Card {
    fn of(group: Node) -> Self {
        let front = children(group, "rect").last().unwrap();
        let [x, y, width, height] = numbers(front, ["x", "y", "width", "height"]);
        let ellipse = children(group, "ellipse").next();
        Self {
            title: children(group, "title").next().map(text).unwrap(),
            texts: children(group, "text").map(text).collect(),
            corners: [[x, y], [x + width, y + height]],
            operation: ellipse.map(|ellipse| Ellipse {
                middle: numbers(ellipse, ["cx", "cy"]),
                radii: numbers(ellipse, ["rx", "ry"]),
            }),
        }
    }

    /// The box together with the operation.
    fn outline(&self) -> [Point; 2] {
        let [mut start, mut end] = self.corners;
        if let Some(Ellipse { middle, radii }) = &self.operation {
            for axis in 0..2 {
                // The ellipse touches the box, up to rounding.
                start[axis] = start[axis].min(middle[axis] - radii[axis] + 0.2);
                end[axis] = end[axis].max(middle[axis] + radii[axis] - 0.2);
            }
        }
        [start, end]
    }

    fn has_inside(&self, point: Point) -> bool {
        const EDGE: f64 = 1.0;
        let [start, end] = self.corners;
        let in_box =
            (0..2).all(|axis| start[axis] + EDGE < point[axis] && point[axis] < end[axis] - EDGE);
        let in_ellipse = self
            .operation
            .as_ref()
            .is_some_and(|Ellipse { middle, radii }| {
                let parts = (0..2).map(|axis| (point[axis] - middle[axis]) / (radii[axis] - EDGE));
                parts.map(|part| part * part).sum::<f64>() < 1.0
            });
        in_box || in_ellipse
    }
}

fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children()
        .filter(move |child| child.has_tag_name(("http://www.w3.org/2000/svg", name)))
}

fn text(node: Node) -> String {
    node.text().unwrap_or_default().into()
}

fn numbers<const N: usize>(node: Node, names: [&str; N]) -> [f64; N] {
    names.map(|name| node.attribute(name).unwrap().parse().unwrap())
}

/// Points on a path of horizontal lines and curves.
fn points(path: &str) -> Vec<Point> {
    let mut points = Vec::new();
    let mut at = [0.0; 2];
    let commands: Vec<_> = path
        .match_indices(char::is_alphabetic)
        .map(|(i, _)| i)
        .collect();
    for (n, &start) in commands.iter().enumerate() {
        let end = commands.get(n + 1).copied().unwrap_or(path.len());
        let numbers: Vec<f64> = path[start + 1..end]
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        let curve = match (&path[start..=start], numbers.as_slice()) {
            ("M", &[x, y]) => [[x, y]; 4],
            ("H", &[x]) => [at, at, [x, at[1]], [x, at[1]]],
            ("C", &[a, b, c, d, x, y]) => [at, [a, b], [c, d], [x, y]],
            other => panic!("{other:?} is not expected in a path"),
        };
        for step in 0..=40 {
            let t = f64::from(step) / 40.0;
            let s = 1.0 - t;
            let weights = [s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t];
            points.push([0, 1].map(|axis| (0..4).map(|i| weights[i] * curve[i][axis]).sum()));
        }
        at = curve[3];
    }
    points
}

/// The SVG that `dot` makes from a text for Graphviz.
fn drawn_by_dot(graphviz: &str) -> String {
    let mut dot = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`dot` from Graphviz is installed");
    dot.stdin
        .take()
        .unwrap()
        .write_all(graphviz.as_bytes())
        .unwrap();
    let output = dot.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !errors.contains("syntax"),
        "{errors}\n{graphviz}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// All texts that `dot` draws.
fn texts_by_dot(graphviz: &str) -> Vec<String> {
    let svg = drawn_by_dot(graphviz);
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let document = Document::parse_with_options(&svg, options).unwrap();
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    texts.map(text).collect()
}

// ── graphs of every kind ────────────────────────────────────────────────────────────────────────

fn leaf(name: &str) -> Value {
    Value::new(1.5).with_name(name)
}

/// A graph of many levels in which a few nodes have users far away.
fn ladder(levels: usize) -> Value {
    let mut nodes = vec![leaf("x"), leaf("y")];
    for i in 0..levels {
        let (near, far) = (&nodes[nodes.len() - 1], &nodes[i * 7 % nodes.len()]);
        nodes.push(if i % 3 == 0 {
            (near - far).tanh()
        } else {
            near * far
        });
    }
    nodes.pop().unwrap()
}

fn graphs() -> Vec<(String, Value)> {
    let mut rng = micrograd::rng(5);
    let mut graphs = vec![("a leaf".into(), leaf("x"))];
    for (i, layers) in [&[1][..], &[4, 1], &[3, 3, 2]].into_iter().enumerate() {
        let model = MLP::new(2, layers, &mut rng).with_names();
        let output = model.forward(&[leaf("x"), leaf("y")]);
        let plain: Value = output.iter().sum();
        graphs.push((
            format!("net {i}"),
            &plain + loss::l2_penalty(&model.parameters()),
        ));
        graphs.push((format!("net {i} without penalty"), plain));
    }
    graphs.extend([1, 10, 60, 150].map(|levels| (format!("ladder {levels}"), ladder(levels))));
    let corpus = Corpus::parse(include_str!("corpus.txt"));
    for entry in &corpus.entries {
        let built = entry.graph.build();
        graphs.push((
            format!("graph {}", entry.number),
            built.nodes.last().unwrap().clone(),
        ));
        let all = built.nodes.iter().sum();
        graphs.push((format!("all nodes of graph {}", entry.number), all));
    }
    graphs
}

#[test]
fn in_every_picture_boxes_and_lines_keep_out_of_each_others_way() {
    let mut abridged = 0;
    for (name, root) in graphs() {
        for picture in [root.svg(), root.svg().expanded(), root.svg().max_nodes(12)] {
            let drawing = Drawing::of(&picture);
            drawing.expect_legible(&name);
            abridged += usize::from(drawing.caption.is_some());
        }
    }
    assert!(abridged > 100);
}

/// The cards that each card reads, in the order in which the lines arrive from top to bottom, and
/// the height at which each line begins to bend.
fn operands_by_lines(drawing: &Drawing) -> Vec<Vec<(usize, f64)>> {
    let near = |a: f64, b: f64| (a - b).abs() < 0.3;
    // First comes a trunk for each card but the result: the part that its lines share.
    let (trunks, branches) = drawing.lines.split_at(drawing.cards.len() - 1);
    let mut operands = vec![Vec::new(); drawing.cards.len()];
    for branch in branches {
        let (start, end) = (branch[0], branch[branch.len() - 1]);
        let from = trunks.iter().position(|trunk| {
            let mut points = trunk.iter();
            points.any(|point| near(point[0], start[0]) && near(point[1], start[1]))
        });
        let to = drawing.cards.iter().position(|card| {
            let [[left, top], [_, bottom]] = card.outline();
            (left - 0.3..card.corners[0][0] + 0.3).contains(&end[0])
                && (top..bottom).contains(&end[1])
        });
        operands[to.unwrap()].push((end[1], (from.unwrap() + 1, start[1])));
    }
    let sorted = operands.into_iter().map(|mut lines| {
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        lines.into_iter().map(|(_, from)| from).collect()
    });
    sorted.collect()
}

#[test]
fn each_line_leads_from_an_operand_to_the_box_that_reads_it() {
    for (name, root) in graphs() {
        let graphviz = root.graphviz().expanded().to_string();
        let drawing = Drawing::of(&root.svg().expanded());
        for (i, lines) in operands_by_lines(&drawing).into_iter().enumerate() {
            let (mut drawn, starts): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
            let end = format!(" -> op{i}");
            let lines = graphviz.lines().filter_map(|line| line.strip_suffix(&end));
            let mut operands: Vec<usize> = lines.map(|from| from.trim().parse().unwrap()).collect();
            let start = format!("    op{i} [");
            let is_ordered = |line: &str| line.starts_with(&start) && line.contains("ordering=in");
            if !graphviz.lines().any(is_ordered) {
                assert!(starts.is_sorted(), "{name}: lines to card {i} cross");
                operands.sort_unstable();
                drawn.sort_unstable();
            }
            assert_eq!(drawn, operands, "{name}: card {i}");
        }
    }
}

#[test]
fn dot_draws_the_same_boxes() {
    for (name, root) in graphs().into_iter().step_by(20) {
        let mut texts: Vec<_> = Drawing::of(&root.svg().max_nodes(40))
            .cards
            .into_iter()
            .flat_map(|card| card.texts)
            .collect();
        let mut by_dot = texts_by_dot(&root.graphviz().max_nodes(40).to_string());
        by_dot.retain(|text| !text.ends_with("nodes are shown"));
        texts.sort();
        by_dot.sort();
        assert_eq!(by_dot, texts, "{name}");
    }
}

#[test]
fn layers_and_neurons_collapse_into_boxes() {
    for activation in [
        Activation::Linear,
        Activation::ReLU,
        Activation::LeakyReLU(0.1),
        Activation::ELU(1.0),
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Softplus,
        Activation::SiLU,
        Activation::GELU,
    ] {
        let mut rng = micrograd::rng(0);
        let inputs = [leaf("x"), leaf("y")];
        let neuron = Neuron::new(2, activation, &mut rng).forward(&inputs);
        let drawing = Drawing::of(&neuron.svg());
        assert_eq!(drawing.cards.len(), 3, "{activation}");
        let title = &drawing.card("neuron").title;
        assert!(
            title.starts_with("neuron: 1 neuron, 2 inputs, 3 parameters;"),
            "{title}"
        );

        let layers = [(16, activation), (1, Activation::Linear)];
        let net = MLP::with_activations(2, &layers, &mut rng).with_names();
        let drawing = Drawing::of(&net.forward(&inputs)[0].svg());
        assert_eq!(drawing.cards.len(), 4, "{activation}");
        let title = "layers.0: 16 neurons, 2 inputs, 48 parameters";
        assert!(drawing.card("layers.0").title.starts_with(title));
        assert!(drawing.card("layers.0").texts[1].starts_with("16 neurons"));
        assert!(drawing.caption.is_none());
    }
}

// ── bad input ───────────────────────────────────────────────────────────────────────────────────

fn bad_names() -> Vec<String> {
    let mut names: Vec<_> = [
        "",
        " ",
        "</text>",
        "</svg><script>alert(1)</script>",
        "<!-- ]]> & &amp; &lt; \" ' \\ \\N \\n",
        "{a|b}<port>",
        "→ 🦀👩‍👩‍👧 e\u{301} 漢字",
        "שלום عالم \u{202e}left\u{202c}",
        "a\nb\tc\0d\u{1b}[31m\u{7f}\u{85}",
        "\u{fffe}\u{ffff}\u{feff}\u{200b}",
        "\u{10ffff}",
    ]
    .map(String::from)
    .into();
    names.push("n".repeat(10_000));
    names.push("漢".repeat(10_000));
    names
}

/// The name, with control characters and characters that XML cannot hold escaped.
fn shown(name: &str) -> String {
    let is_escaped = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    name.chars()
        .map(|c| {
            if is_escaped(c) {
                c.escape_default().to_string()
            } else {
                c.into()
            }
        })
        .collect()
}

#[test]
fn any_name_is_shown_and_breaks_nothing() {
    for name in bad_names() {
        let [x, y] = [leaf(&name), leaf("y")];
        let output = &x * &y + 1.0;
        let drawing = Drawing::of(&output.svg());
        drawing.expect_legible(&name);
        let mut title = format!("{} = 1.5", shown(&name));
        if title.chars().count() > 1000 {
            title = title.chars().take(1000).chain(['…']).collect();
        }
        assert!(
            drawing.cards.iter().any(|card| card.title == title),
            "{title}"
        );
        assert!(drawing.size[0] < 1000.0, "{}", drawing.size[0]);

        // `dot` drops some spaces.
        let without_spaces = |text: &str| text.replace(char::is_whitespace, "");
        let texts = texts_by_dot(&output.graphviz().to_string());
        let start: String = shown(&name).chars().take(24).collect();
        let start = without_spaces(&start);
        let is_there = |text: &String| without_spaces(text).starts_with(&start);
        assert!(texts.iter().any(is_there), "{start}: {texts:?}");
    }
}

#[test]
fn nodes_with_the_same_name_are_told_apart() {
    let a = leaf("a");
    let c = (&a + 1.0).with_name("c");
    let output = (&c * &a).with_name("c");
    let drawing = Drawing::of(&output.svg());
    let titles: HashSet<_> = drawing
        .cards
        .iter()
        .map(|card| card.title.as_str())
        .collect();
    for title in ["c#1 = a + 1 = 2.5", "c#2 = c#1 · a = 3.75"] {
        assert!(titles.contains(title), "{titles:?}");
    }
}

#[test]
fn any_number_is_shown_in_a_few_digits() {
    for (number, text) in [
        (f64::NAN, "data NaN"),
        (f64::INFINITY, "data inf"),
        (f64::NEG_INFINITY, "data -inf"),
        (-0.0, "data -0"),
        (1e300, "data 1e300"),
        (-1.234_56e-300, "data -1.235e-300"),
        (5e-324, "data 5e-324"),
        (-f64::MAX, "data -1.7976931348623157e308"), // rounded up, it would be infinite
        (123_456.0, "data 123500"),
    ] {
        let x = Value::new(number);
        x.set_grad(number);
        let output = &x * number;
        let drawing = Drawing::of(&output.svg());
        drawing.expect_legible(text);
        let card = drawing.card(text);
        assert!(card.texts.iter().any(|line| line.starts_with("grad ")));
        drawing.card(text.strip_prefix("data ").unwrap());
        drawn_by_dot(&output.graphviz().to_string());
    }
}

#[test]
fn a_live_guard_causes_the_documented_panic() {
    let x = leaf("x");
    let output = x.tanh();
    let guard = x.borrow_mut();
    let (message, _) = panic_of(|| drop(output.svg().to_string()));
    assert!(message.contains("already mutably borrowed"), "{message}");
    drop(guard);
    Drawing::of(&output.svg());
}

#[test]
fn a_million_nodes_make_an_abridged_picture() {
    on_a_small_stack(|| {
        let x = leaf("x");
        let rows = MLP::new(2, &[16, 1], &mut micrograd::rng(0)).with_names();
        let wide = Layer::new(1000, 1000, Activation::Tanh, &mut micrograd::rng(0)).with_names();
        let inputs: Vec<_> = (0..1000).map(|i| Value::new(f64::from(i))).collect();
        for (name, root, at_most) in [
            (
                "a chain",
                (0..MILLION).fold(x.clone(), |y, _| y.tanh()),
                201,
            ),
            (
                "a chain that reads x",
                (0..MILLION).fold(x.clone(), |y, _| y + &x),
                202,
            ),
            ("a sum", (0..MILLION).map(|_| -&x).sum(), 201),
            (
                "a batch",
                (0..MILLION / 35)
                    .map(|i| rows.forward(&[Value::new(i as f64), x.clone()]).remove(0))
                    .sum(),
                400,
            ),
            ("a wide layer", wide.forward(&inputs).into_iter().sum(), 202),
        ] {
            let drawing = Drawing::of(&root.svg());
            drawing.expect_legible(name);
            assert!(
                (100..=at_most).contains(&drawing.cards.len()),
                "{name}: {}",
                drawing.cards.len()
            );
            let caption = drawing.caption.unwrap();
            assert!(caption.contains("nodes are shown"), "{name}: {caption}");
            let graphviz = root.graphviz().to_string();
            assert!(
                graphviz.contains(&caption) && graphviz.len() < 200_000,
                "{name}"
            );
        }
    });
}

#[test]
fn confusion_matrices_are_pictures_too() {
    for classes in [0, 1, 2, 30] {
        let actual: Vec<_> = (0..classes)
            .flat_map(|class| vec![class; class + 1])
            .collect();
        let predicted: Vec<_> = actual.iter().map(|class| class * class % classes).collect();
        let matrix = ConfusionMatrix::new(&predicted, &actual, classes);
        let svg = matrix.svg();
        let document = Document::parse(&svg).unwrap();
        let texts: Vec<_> = children(document.root_element(), "text")
            .map(text)
            .collect();
        let counts = matrix.rows().iter().flatten().filter(|count| **count > 0);
        assert_eq!(texts.len(), counts.count() + 2 * classes + 2);
        assert!(texts.contains(&"predicted".into()) && texts.contains(&"actual".into()));
    }
}
