//! The behaviour that the docs of `micrograd::anomaly` promise.

mod common {
    pub(crate) mod panics;
}

use std::slice;

use common::panics::panic_of;
use micrograd::anomaly::{Anomaly, Pass};
use micrograd::engine::Value;
use micrograd::nn::{Activation, MLP, Neuron};
use micrograd::tape::Tape;

fn leaf(name: &str, data: f64) -> Value {
    Value::new(data).with_name(name)
}

/// The report without source lines, which depend on a feature.
fn report(anomaly: &Anomaly) -> Vec<String> {
    let report = anomaly.to_string();
    let lines = report.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with("made at"))
        .map(String::from)
        .collect()
}

#[track_caller]
fn assert_reports(output: &Value, pass: Pass, expected: &[&str]) {
    let anomaly = output.find_anomaly().expect("an anomaly");
    assert_eq!(anomaly.pass(), pass);
    assert_eq!(anomaly.row(), None);
    assert_eq!(report(&anomaly), expected);
}

#[test]
fn a_finite_graph_has_no_anomaly() {
    let mut rng = micrograd::rng(0);
    let model = MLP::new(2, &[3, 1], &mut rng);
    let output = model
        .forward(&[1.0, f64::MIN_POSITIVE].map(Value::new))
        .remove(0);
    assert!(output.find_anomaly().is_none());
    output.backward();
    assert!(output.find_anomaly().is_none());
}

#[test]
fn a_value_is_reported_with_its_arguments_and_the_names_on_the_way() {
    let x = leaf("x", 0.0);
    let log = x.ln();
    let loss = ((&log * 2.0).with_name("twice") + &x).with_name("loss");
    assert_reports(
        &loss,
        Pass::Forward,
        &[
            "forward pass: `ln` gives -inf",
            "x = 0.0 ← x",
            "on the way to twice → loss",
        ],
    );
    assert!(loss.find_anomaly().unwrap().node().same_node(&log));
    // A backward pass does not change the report.
    loss.backward();
    assert_reports(
        &loss,
        Pass::Forward,
        &[
            "forward pass: `ln` gives -inf",
            "x = 0.0 ← x",
            "on the way to twice → loss",
        ],
    );
}

#[test]
fn every_kind_of_node_reports_its_operands() {
    let [big, two] = [leaf("big", 1e308), leaf("two", 2.0)];
    let mut rng = micrograd::rng(0);
    let neuron = Neuron::new(1, Activation::Linear, &mut rng);
    neuron.weights()[0].set_data(1e200);
    neuron.bias().set_data(3.0);
    let many = vec![big.clone(); 12];
    let cases: [(Value, &[&str]); 9] = [
        (leaf("p", f64::NAN), &["forward pass: a leaf holds NaN ← p"]),
        (
            big.exp(),
            &["forward pass: `exp` gives inf", "x = 1e308 ← big"],
        ),
        (
            &big * &two,
            &[
                "forward pass: `*` gives inf",
                "x = 1e308 ← big",
                "y = 2.0 ← two",
            ],
        ),
        (
            (&big * 10.0).with_name("product"),
            &[
                "forward pass: `*` gives inf ← product",
                "x = 1e308 ← big",
                "y = 10.0",
            ],
        ),
        (
            1.0 / (&two - 2.0),
            &["forward pass: `/` gives inf", "x = 1.0", "y = 0.0"],
        ),
        (
            [&big, &two, &big].into_iter().sum(),
            &[
                "forward pass: `+` gives inf",
                "term 0 = 1e308 ← big",
                "term 1 = 2.0 ← two",
                "term 2 = 1e308 ← big",
            ],
        ),
        (
            Value::dot(&[two.clone(), big.clone()], &[two.clone(), two.clone()]),
            &[
                "forward pass: `+` gives inf",
                "weight 0 = 2.0 ← two",
                "input 0 = 2.0 ← two",
                "weight 1 = 1e308 ← big",
                "input 1 = 2.0 ← two",
            ],
        ),
        (
            neuron.forward(slice::from_ref(&big)),
            &[
                "forward pass: `+` gives inf",
                "weight 0 = 1e200",
                "input 0 = 1e308 ← big",
                "bias = 3.0",
            ],
        ),
        (
            many.iter().sum(),
            &[
                "forward pass: `+` gives inf",
                "term 0 = 1e308 ← big",
                "term 1 = 1e308 ← big",
                "term 2 = 1e308 ← big",
                "term 3 = 1e308 ← big",
                "term 4 = 1e308 ← big",
                "term 5 = 1e308 ← big",
                "term 6 = 1e308 ← big",
                "term 7 = 1e308 ← big",
                "and 4 more",
            ],
        ),
    ];
    for (output, expected) in cases {
        assert_reports(&output, Pass::Forward, expected);
    }
}

#[test]
fn a_long_list_is_cut() {
    let big = Value::new(1e308);
    let lines = |terms: usize| {
        let sum: Value = vec![big.clone(); terms].iter().sum();
        report(&sum.find_anomaly().unwrap())
    };
    assert_eq!(lines(8).len(), 1 + 8);
    assert_eq!(lines(8)[8], "term 7 = 1e308");
    assert_eq!(lines(9)[9], "and 1 more");

    let way = |names: usize| {
        let chain = (0..names).fold(big.exp(), |x, i| (-x).with_name(i.to_string()));
        report(&chain.find_anomaly().unwrap())[2].clone()
    };
    assert_eq!(way(8), "on the way to 0 → 1 → 2 → 3 → 4 → 5 → 6 → 7");
    assert_eq!(way(9), "on the way to 0 → 1 → 2 → 3 → 4 → 5 → 6 → … → 8");
    assert_eq!(way(90), "on the way to 0 → 1 → 2 → 3 → 4 → 5 → 6 → … → 89");
}

#[test]
fn the_first_in_the_order_of_computation_is_reported() {
    let x = leaf("x", -1.0);
    let [first, second] = [x.sqrt(), x.ln()];
    let loss = &first + &second;
    assert!(loss.find_anomaly().unwrap().node().same_node(&first));
    let loss = &second + &first;
    assert!(loss.find_anomaly().unwrap().node().same_node(&second));
}

#[test]
fn a_gradient_is_reported_with_the_rule_that_passed_it_down() {
    let variance = leaf("variance", 0.0);
    let deviation = variance.sqrt().with_name("deviation");
    let loss = (&deviation * 3.0 + variance.relu()).with_name("loss");
    loss.backward();
    assert_reports(
        &loss,
        Pass::Backward,
        &[
            "backward pass: `sqrt` passes inf down to x",
            "x = 0.0 ← variance",
            "out = 0.0 ← deviation",
            "g = 3.0",
            "on the way to loss",
        ],
    );

    // A second argument, which is an inner node.
    let [x, y] = [leaf("x", 1e-10), leaf("y", 1e-310)];
    let inner = (&y * 2.0).with_name("inner");
    let loss = &x / &inner;
    loss.backward();
    let anomaly = loss.find_anomaly().unwrap();
    assert!(anomaly.node().same_node(&inner));
    assert_eq!(
        report(&anomaly)[0],
        "backward pass: `/` passes -inf down to y"
    );

    // A second argument after a constant.
    let loss = 1.0 / leaf("y", 1e-200);
    loss.backward();
    assert_eq!(
        report(&loss.find_anomaly().unwrap())[0],
        "backward pass: `/` passes -inf down to y"
    );
    // An operand that occurs twice is reported at the right position.
    let [w, big] = [leaf("w", 0.0), leaf("big", 1e300)];
    let loss = Value::dot(&[w.clone(), w], &[Value::new(0.0), big]) * 1e300;
    loss.backward();
    assert_eq!(
        report(&loss.find_anomaly().unwrap())[0],
        "backward pass: `+` passes inf down to weight 1"
    );
}

#[test]
fn a_gradient_of_finite_parts_is_reported_as_their_sum() {
    let x = leaf("x", 0.1);
    let loss = &x * 1e308 + &x * 1e308;
    loss.backward();
    assert_reports(
        &loss,
        Pass::Backward,
        &["backward pass: 2 parts of a gradient add up to inf ← x"],
    );
}

#[test]
fn a_gradient_that_earlier_passes_added_to_is_reported_as_such() {
    let x = leaf("x", 1.0);
    x.borrow_mut().grad = f64::NAN;
    let loss = &x * 2.0;
    loss.backward();
    assert_reports(
        &loss,
        Pass::Backward,
        &["backward pass: a gradient is NaN, though a pass adds only 2.0 to it ← x"],
    );
    let y = leaf("y", 1.0);
    let loss = &y * 1e308;
    loss.backward();
    loss.backward();
    assert_reports(
        &loss,
        Pass::Backward,
        &["backward pass: a gradient is inf, though a pass adds only 1e308 to it ← y"],
    );
}

#[test]
fn an_infinite_gradient_that_goes_no_further_is_not_reported() {
    let x = leaf("x", 0.0);
    // The detached value receives an infinite gradient, but passes none down.
    let loss = x.detach().sqrt() + &x;
    loss.backward();
    assert!(loss.find_anomaly().is_none());
}

#[test]
fn nodes_that_no_gradient_reaches_are_not_reported() {
    let x = leaf("x", 0.0);
    let inner = &x * 1.0;
    let root = inner.sqrt();
    root.backward();
    assert!(root.find_anomaly().is_some());
    // These gradients belong to another output.
    assert!((root.detach() + 1.0).find_anomaly().is_none());
    let loss = root.detach() + &x;
    loss.backward();
    let report = report(&loss.find_anomaly().unwrap());
    assert!(report[0].contains("a pass adds only 1.0"), "{report:?}");
    x.zero_grad();
    loss.backward();
    assert!(loss.find_anomaly().is_none());
}

#[test]
fn a_backward_report_names_the_path_of_the_gradient() {
    let x = leaf("x", 0.0);
    let root = x.sqrt().with_name("root");
    let target = root.detach().with_name("target");
    let loss = (target * 2.0 + &root).with_name("loss");
    loss.backward();
    let backward = report(&loss.find_anomaly().unwrap());
    assert_eq!(backward[0], "backward pass: `sqrt` passes inf down to x");
    assert_eq!(backward.last().unwrap(), "on the way to loss");
    // Values, unlike gradients, do pass through a detached node.
    let log = x.ln().detach().with_name("log") + 1.0;
    let forward = report(&log.with_name("sum").find_anomaly().unwrap());
    assert_eq!(forward.last().unwrap(), "on the way to log → sum");
}

#[test]
fn a_guard_is_a_callers_mistake() {
    let x = leaf("x", 1.0);
    let loss = &x * 2.0;
    let guard = x.borrow_mut();
    let (message, line) = panic_of(|| drop(loss.find_anomaly()));
    assert_eq!(line, line!() - 1);
    drop(guard);
    assert!(message.contains("borrowed"), "{message}");
    loss.backward(); // the graph is as it was
    assert_eq!(x.grad(), 2.0);
}

/// ln(w · x + b) · s with the penalty w², for rows of x and s.
fn recorded() -> (Tape, [Value; 2]) {
    let [x, s] = [leaf("x", 1.0), leaf("s", 1.0)];
    let [w, b] = [leaf("w", 2.0), leaf("b", 1.0)];
    let score = Value::dot(&[w.clone(), b.clone()], &[x.clone(), Value::new(1.0)]);
    let log = score.with_name("score").ln().with_name("log");
    let loss = (log * &s + w.pow(2.0)).with_name("loss");
    (Tape::record(&[x, s], &loss), [w, b])
}

#[test]
fn a_tape_names_the_row_and_says_the_same() {
    let (tape, [w, b]) = recorded();
    let rows = [[0.0, 1.0], [3.0, 1.0], [-0.5, 2.0], [-0.5, 3.0]];
    let anomaly = tape.find_anomaly(&rows).unwrap();
    assert_eq!((anomaly.row(), anomaly.pass()), (Some(2), Pass::Forward));
    assert_eq!(
        report(&anomaly),
        [
            "row 2, forward pass: `ln` gives -inf ← log",
            "x = 0.0 ← score",
            "on the way to loss",
        ]
    );
    assert!(tape.find_anomaly(&rows[..2]).is_none());
    assert!(tape.find_anomaly(&rows[..0]).is_none());

    // The search reads the parameters as they are now, and leaves their gradients alone.
    assert_eq!((w.grad(), b.grad()), (0.0, 0.0));
    b.set_data(2.0);
    assert!(tape.find_anomaly(&rows).is_none());
    w.set_data(f64::INFINITY);
    let anomaly = tape.find_anomaly(&rows).unwrap();
    assert_eq!(
        report(&anomaly)[0],
        "row 0, forward pass: a leaf holds inf ← w"
    );
}

#[test]
fn a_tape_looks_at_all_values_before_the_gradients() {
    let [x, w] = [leaf("x", 0.0), leaf("w", 1.0)];
    let tape = Tape::record(slice::from_ref(&x), &(&w * &x).sqrt());
    let anomaly = tape.find_anomaly(&[[4.0], [0.0], [9.0]]).unwrap();
    assert_eq!((anomaly.row(), anomaly.pass()), (Some(1), Pass::Backward));
    let anomaly = tape.find_anomaly(&[[4.0], [0.0], [-9.0]]).unwrap();
    assert_eq!((anomaly.row(), anomaly.pass()), (Some(2), Pass::Forward));
}

#[test]
fn a_tape_looks_at_the_gradients_that_it_computes() {
    let x = leaf("x", 0.0);
    let of_input = Tape::record(slice::from_ref(&x), &x.sqrt());
    let anomaly = of_input.find_anomaly(&[[0.0]]).unwrap();
    assert_eq!(anomaly.pass(), Pass::Backward);
    // If there are parameters, the gradients of inputs are not computed.
    let of_parameter = Tape::record(slice::from_ref(&x), &(x.sqrt() * leaf("w", 1.0)));
    assert!(of_parameter.find_anomaly(&[[0.0]]).is_none());
}

#[cfg(feature = "locations")]
#[test]
fn the_report_names_the_source_line() {
    use micrograd::nn::loss;

    let x = Value::new(0.0);
    let log = x.ln();
    let here = |anomaly: &Anomaly, line: u32| {
        let expected = format!("made at {}:{line}:", file!());
        assert!(anomaly.to_string().contains(&expected), "{anomaly}");
    };
    here(&(&log + 1.0).find_anomaly().unwrap(), line!() - 5);
    let tape = Tape::record(slice::from_ref(&x), &log);
    here(&tape.find_anomaly(&[[0.0]]).unwrap(), line!() - 7);
    let overflow = 1e308 * (&x + 1.0) * 10.0;
    here(&overflow.find_anomaly().unwrap(), line!() - 1);
    let negative = -x.cos() - 1e308;
    let mut assigned = negative.clone();
    assigned -= 1e308;
    here(&assigned.find_anomaly().unwrap(), line!() - 1);
    let root = x.sqrt();
    root.backward();
    here(&root.find_anomaly().unwrap(), line!() - 2);
    let nan = Value::from(f64::NAN);
    here(&nan.find_anomaly().unwrap(), line!() - 1);
    let mut rng = micrograd::rng(0);
    let model = MLP::new(1, &[2, 1], &mut rng);
    model.layers()[0].neurons()[0].weights()[0].set_data(1e308);
    let output = model.forward(&[Value::new(1e308)]).remove(0);
    here(&output.find_anomaly().unwrap(), line!() - 1);
    let weight = &model.layers()[0].neurons()[0].weights()[0];
    weight.set_data(f64::NAN);
    here(&weight.find_anomaly().unwrap(), line!() - 6);

    let [far, near] = [[1e308], [-1e308]].map(|number| number.map(Value::new));
    let first = line!() + 2;
    let losses = [
        loss::mean_squared_error(&far, &near),
        loss::mean_absolute_error(&far, &near),
        loss::huber(&far, &near, 1.0),
        loss::binary_cross_entropy_with_logits(&far, &near),
        loss::hinge(&far, &near),
    ];
    for (loss, line) in losses.iter().zip(first..) {
        here(&loss.find_anomaly().unwrap(), line);
    }
    let constant = (&x * f64::INFINITY).gradient(slice::from_ref(&x)).remove(0);
    here(&constant.find_anomaly().unwrap(), line!() - 1);

    // The standard library calls `sum` and `product`, and no line of the user's made this slope.
    let numbers = [1e308, 1e308].map(Value::new);
    let (sum, product): (Value, Value) = (numbers.iter().sum(), numbers.iter().product());
    let slope = x.sqrt().gradient(slice::from_ref(&x)).remove(0);
    for made_elsewhere in [sum, product, slope] {
        let report = made_elsewhere.find_anomaly().unwrap().to_string();
        assert!(!report.contains("made at"), "{report}");
    }
}

#[test]
fn a_gradient_that_reaches_no_leaf_is_not_reported() {
    // The slope of relu is a graph: 1.unless(x ≤ 0), which passes nothing down.
    let x = leaf("x", -1.0);
    let slope = x.relu().derivative(&x);
    let loss = slope.sqrt() + &x;
    loss.backward();
    assert_eq!((slope.grad(), x.grad()), (f64::INFINITY, 1.0));
    assert!(loss.find_anomaly().is_none());
}

#[test]
fn a_tape_does_not_look_at_gradients_of_nodes_that_depend_on_inputs_alone() {
    let [x, w] = [leaf("x", 1.0), leaf("w", 1.0)];
    let feature = (&x * 3.0).sqrt();
    let tape = Tape::record(slice::from_ref(&x), &(&w + &feature));
    assert!(tape.find_anomaly(&[[0.0]]).is_none());
    let by_input = Tape::record(slice::from_ref(&x), &feature);
    let report = by_input.find_anomaly(&[[0.0]]).unwrap();
    assert_eq!(report.pass(), Pass::Backward);
    // With a parameter below the root as well, the same slope is part of its gradient.
    let tape = Tape::record(slice::from_ref(&x), &(&w * &x).sqrt());
    assert!(tape.find_anomaly(&[[0.0]]).is_some());
}
