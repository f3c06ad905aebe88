//! The contents of pictures, checked in their text for Graphviz, and the output in a notebook.

use std::env;
use std::process::Command;

use micrograd::engine::Value;
use micrograd::metrics::ConfusionMatrix;
use micrograd::nn::{MLP, Module, loss};

fn leaf(name: &str, number: f64) -> Value {
    Value::new(number).with_name(name)
}

/// How often `part` occurs in `text`.
fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_graph_is_written_as_records_and_ellipses() {
    let [x, w] = [leaf("x", 3.0), leaf("w", -2.0)];
    let y = (&w - 0.123_456 * &x).with_name("y");
    y.backward();
    let picture = y.graphviz().with_parameters(&[w]).to_string();
    let expected = r##"digraph {
    rankdir=LR
    0 [label="{ y | data -2.37 | grad 1 }", shape=Mrecord, tooltip="y = w - #2 = -2.370368"]
    op0 [label="-", tooltip="y = w - #2 = -2.370368", ordering=in]
    op0 -> 0
    1 -> op0
    2 -> op0
    1 [label="{ w | data -2 | grad 1 }", shape=record, style=bold, tooltip="w = -2"]
    2 [label="{ data 0.3704 | grad -1 }", shape=Mrecord, tooltip="#2 = 0.123456 · x = 0.370368"]
    op2 [label="*", tooltip="#2 = 0.123456 · x = 0.370368"]
    op2 -> 2
    3 -> op2
    4 -> op2
    3 [label="0.1235", shape=box, style="dashed, rounded", tooltip="the constant 0.123456"]
    4 [label="{ x | data 3 | grad -0.1235 }", shape=record, tooltip="x = 3"]
}
"##;
    assert_eq!(picture, expected);
}

#[test]
fn a_shared_node_is_one_box_with_a_line_to_each_user() {
    let x = leaf("x", 2.0);
    let square = &x * &x;
    let picture = (&square + square.tanh()).graphviz().to_string();
    assert_eq!(count(&picture, "{ x |"), 1);
    assert_eq!(count(&picture, " -> op"), 5);
}

#[test]
fn a_layer_is_one_box_unless_it_is_expanded() {
    let model = MLP::new(2, &[16, 1], &mut micrograd::rng(0)).with_names();
    let score = model.forward(&[leaf("x", 0.5), leaf("y", -1.0)]).remove(0);
    let collapsed = score.graphviz().to_string();
    for text in [
        "{ layers.0 | 16 neurons, relu | data ",
        "{ layers.1 | 1 neuron | data ",
        "layers.0: 16 neurons, 2 inputs, 48 parameters",
    ] {
        assert!(collapsed.contains(text), "{text}: {collapsed}");
    }
    assert_eq!(count(&collapsed, " -> "), 3);

    let expanded = score.graphviz().expanded().to_string();
    assert_eq!(count(&expanded, "label=\"Σ w·x + b\""), 17);
    assert_eq!(count(&expanded, "label=\"R\""), 16);
    assert_eq!(count(&expanded, "style=bold"), 65); // the parameters
    assert!(!expanded.contains("neurons"));
}

#[test]
fn a_parameter_is_part_of_its_layers_box_unless_that_would_make_a_cycle() {
    let model = MLP::new(2, &[3], &mut micrograd::rng(0)).with_names();
    let bias = model.layers()[0].neurons()[1].bias();
    let [x, y] = [leaf("x", 0.5), leaf("y", -1.0)];

    let outputs = model.forward(&[x.clone(), y.clone()]);
    let penalized = outputs.iter().sum::<Value>() + loss::l2_penalty(&model.parameters());
    let picture = penalized.graphviz().to_string();
    assert!(!picture.contains("{ layers.0.bias[1] |"), "{picture}");
    assert!(!picture.contains("style=bold"));
    // One line leads to the sum of the outputs, another to the penalty.
    let (box_of_layer, _) = picture.split_once(" [label=\"{ layers.0 |").unwrap();
    let box_of_layer = box_of_layer.rsplit(' ').next().unwrap();
    assert_eq!(count(&picture, &format!("    {box_of_layer} -> op")), 2);

    let outputs = model.forward(&[x, y * bias]);
    let picture = outputs.iter().sum::<Value>().graphviz().to_string();
    assert_eq!(count(&picture, "{ layers.0.bias[1] |"), 1);
    assert_eq!(count(&picture, "style=bold"), 1);
}

#[test]
fn an_activation_is_part_of_a_layer_if_all_neurons_have_it() {
    let model = MLP::new(2, &[2], &mut micrograd::rng(0)).with_names();
    let inputs = [leaf("x", 0.5), leaf("y", -1.0)];
    let picture_of = |functions: [fn(&Value) -> Value; 2]| {
        let outputs = model.forward(&inputs);
        let outputs = [0, 1].map(|i| functions[i](&outputs[i]));
        (&outputs[0] - &outputs[1]).graphviz().to_string()
    };
    assert!(picture_of([Value::tanh; 2]).contains("| 2 neurons, tanh |"));
    assert!(picture_of([|x| x.elu(0.5); 2]).contains("| 2 neurons, elu(0.5) |"));
    for functions in [
        [Value::tanh, Value::softplus],
        [|x: &Value| x.elu(0.5), |x: &Value| x.elu(1.0)],
        [Value::tanh, Value::clone],
    ] {
        let picture = picture_of(functions);
        assert!(picture.contains("| 2 neurons |"), "{picture}");
        assert!(picture.contains("[label=\"tanh\"") || picture.contains("[label=\"elu\""));
    }
}

#[test]
fn names_of_a_layers_outputs_are_shown() {
    let model = MLP::new(2, &[2], &mut micrograd::rng(0)).with_names();
    let outputs = model.forward(&[leaf("x", 0.5), leaf("y", -1.0)]);
    let mean = outputs[0].clone().with_name("mean");
    let picture = (&mean - &outputs[1]).graphviz().to_string();
    assert!(
        picture.contains("{ layers.0 | 2 neurons | mean, #"),
        "{picture}"
    );
    assert!(picture.contains("; outputs mean, #"), "{picture}");
}

#[test]
fn sums_say_how_their_terms_are_made() {
    let [x, y, z] = [leaf("x", 1.0), leaf("y", 2.0), leaf("z", 3.0)];
    let plain: Value = [&x, &y, &z].into_iter().sum();
    let weighted = Value::dot(&[x.clone(), y.clone()], &[y.clone(), z.clone()]);
    let product = Value::dot(&[x], &[y]);
    for (sum, label) in [(plain, "Σ x"), (weighted, "Σ w·x"), (product, "*")] {
        let picture = sum.graphviz().to_string();
        assert!(
            picture.contains(&format!("op0 [label=\"{label}\"")),
            "{picture}"
        );
    }
}

#[test]
fn an_abridged_picture_says_what_it_leaves_out() {
    let x = leaf("x", 1.0);
    let mut y = x.clone();
    for _ in 0..100 {
        y = y.sin();
    }
    let wide: Value = (0..50).map(|i| &x * f64::from(i)).sum();
    let root = &y + &wide;
    let whole = root.graphviz().max_nodes(1000).to_string();
    assert!(!whole.contains("are shown") && !whole.contains(" more\""));

    let picture = root.graphviz().max_nodes(40).to_string();
    assert!(picture.contains(" of 153 nodes are shown"), "{picture}");
    assert_eq!(
        count(&picture, "shape=") - count(&picture, "shape=plaintext"),
        40
    );
    // Neither the chain nor the sum takes all the room.
    assert!(count(&picture, "label=\"sin\"") > 3 && count(&picture, "label=\"*\"") > 3);
    assert!(
        picture.contains(" more\", shape=plaintext, tooltip=\""),
        "{picture}"
    );

    let least = root.graphviz().max_nodes(0).to_string();
    assert_eq!(count(&least, "shape=Mrecord"), 1);
    assert!(least.contains("… 2 more") && least.contains("1 of 153 nodes are shown"));
}

#[test]
fn pictures_of_the_same_graph_are_the_same() {
    let x = leaf("x", 0.5);
    // Some of its lines cross many columns.
    let y = (0..30).fold(x.clone(), |y, i| if i % 3 == 0 { y.tanh() } else { y * &x });
    assert_eq!(y.svg().to_string(), y.svg().to_string());
    assert_eq!(y.page().to_string(), y.page().to_string());
}

/// Runs the test with this name in a process of its own, and returns its standard output.
fn output_of_test(name: &str) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("SHOW_IN_NOTEBOOK", "1")
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn values_pictures_and_confusion_matrices_are_displayed_in_a_notebook() {
    let name = "values_pictures_and_confusion_matrices_are_displayed_in_a_notebook";
    let y = leaf("x", 2.0).tanh().with_name("y");
    let matrix = ConfusionMatrix::new(&[0, 1, 1], &[0, 1, 0], 2);
    if env::var_os("SHOW_IN_NOTEBOOK").is_some() {
        println!();
        y.evcxr_display();
        y.svg().expanded().evcxr_display();
        y.page().evcxr_display();
        y.graphviz().evcxr_display();
        matrix.evcxr_display();
        return;
    }
    // The kernel reads each content from a line that names its type to a line that ends it.
    let output = output_of_test(name);
    let mut lines = output.lines();
    let mut contents = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(mime_type) = line.strip_prefix("EVCXR_BEGIN_CONTENT ") {
            let content: Vec<_> = lines
                .by_ref()
                .take_while(|line| *line != "EVCXR_END_CONTENT")
                .collect();
            contents.push((mime_type, content.join("\n")));
        }
    }
    let (svg, tree) = (y.svg().to_string(), y.tree().to_string());
    let escaped = [
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
    ];
    let page = escaped
        .iter()
        .fold(y.page().to_string(), |page, (character, escape)| {
            page.replace(*character, escape)
        });
    let frame = format!("<iframe srcdoc=\"{page}\" width=\"100%\" height=\"600\"></iframe>");
    let expected = [
        ("image/svg+xml", svg.clone()),
        ("text/plain", tree.clone()),
        ("image/svg+xml", svg),
        ("text/plain", tree.clone()),
        ("text/html", frame),
        ("text/plain", tree),
        ("text/plain", y.graphviz().to_string()),
        ("image/svg+xml", matrix.svg()),
        ("text/plain", matrix.to_string()),
    ];
    assert_eq!(contents.len(), expected.len());
    for ((mime_type, content), (expected_type, expected)) in contents.iter().zip(&expected) {
        assert_eq!(mime_type, expected_type);
        assert_eq!(content.trim_end(), expected.trim_end());
    }
}

#[test]
fn a_box_for_omitted_nodes_takes_their_place() {
    let [b, v] = [leaf("b", 1.0), leaf("v", 2.0)];
    let picture = ((v.tanh() - &b) * &b).graphviz().max_nodes(3).to_string();
    assert!(
        picture.contains("    3 -> op1\n    2 -> op1\n"),
        "{picture}"
    );
}

#[test]
fn the_confusion_matrix_has_predictions_from_left_to_right() {
    let svg = ConfusionMatrix::new(&[1, 1], &[0, 0], 2).svg();
    let cell = r#"<text x="96" y="69.3" fill="white">2</text>"#; // top right
    assert!(svg.contains(cell), "{svg}");
}

#[test]
fn an_abridged_picture_has_as_many_nodes_as_it_may() {
    let x = leaf("x", 1.0);
    let root = (0..30).fold(x.clone(), |y, i| if i % 3 == 0 { y.tanh() } else { y * &x });
    let picture = root.graphviz().max_nodes(10).to_string();
    assert_eq!(
        count(&picture, "shape=") - count(&picture, "shape=plaintext"),
        10,
        "{picture}"
    );
}

#[cfg(feature = "locations")]
#[test]
fn a_page_names_the_line_that_made_a_node() {
    let (line, y) = (line!(), leaf("x", 2.0).tanh());
    let page = y.page().to_string();
    let place = format!("line: \"{}:{line}:", file!());
    assert!(page.contains(&place), "{place}");
}
