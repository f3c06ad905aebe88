//! What becomes of a graph, as a program.

use super::*;
use crate::engine::SharedValues;

fn program(inputs: &[Value], output: &Value) -> Program {
    record::record(inputs, slice::from_ref(output)).0
}

/// How many operations are computed once, on inputs alone, and on both.
fn operations(program: &Program) -> [usize; 3] {
    [&program.once, &program.plain, &program.learned].map(|segment| segment.results().len())
}

#[test]
fn each_operation_is_computed_as_seldom_as_it_can_be() {
    let [x, v, w] = [1.0, 2.0, 3.0].map(Value::new);
    let penalty = &v * &v + &w * &w;
    let feature = (&x * 2.0).sin();
    let loss = feature * &w + 0.5 * penalty;
    assert_eq!(operations(&program(slice::from_ref(&x), &loss)), [4, 2, 2]);
    assert_eq!(operations(&program(&[x, v, w], &loss)), [0, 8, 0]);
}

#[test]
fn what_the_output_does_not_need_is_left_out() {
    let [x, w] = [1.0, 2.0].map(Value::new);
    let product = &x * &w;
    let _unused = product.exp() + 3.0;
    let program = program(slice::from_ref(&x), &product);
    assert_eq!(operations(&program), [0, 0, 1]);
    assert_eq!(program.shared_parameters().len(), 1);
}

#[test]
fn equal_constants_are_one() {
    let x = Value::new(1.0);
    let own = |output: Value| program(slice::from_ref(&x), &output).constants.len();
    let none = own(x.exp());
    assert_eq!(own(2.0 * (&x + 2.0) / 2.0), none + 1);
    assert_eq!(own((0.0 + &x) * -0.0), none + 2);
    assert_eq!(own(1.0 + &x), none);
}

#[test]
fn a_neuron_is_one_step_whose_weights_need_no_slots() {
    let inputs = [1.0, 2.0, 3.0].map(Value::new);
    let weights = [4.0, 5.0, 6.0].map(Value::new);
    let sum = Value::dot(&weights, &inputs);
    let swapped = Value::dot(&inputs, &weights);
    for output in [sum, swapped] {
        let program = program(&inputs, &output);
        assert_eq!(operations(&program), [0, 0, 1]);
    }
}

/// The steps of a segment as the notes write them.
fn listing(segment: &program::Segment) -> String {
    let lines = segment.operations().map(|(out, op, x, y)| match y {
        0 => format!("{out} = {}({x})\n", op.label()),
        _ => format!("{out} = {x} {} {y}\n", op.label()),
    });
    lines.collect::<Vec<_>>().join("         ")
}

#[test]
fn the_example_of_the_notes_is_recorded_as_they_say() {
    let [w, b] = [2.0, 1.0].map(Value::new);
    let [x, y] = [0.0, 0.0].map(Value::new);
    let error = (&w * &x + &b).tanh() - &y;
    let loss = error.pow(2.0) + 0.1 * w.pow(2.0);
    let program = program(&[x, y], &loss);
    let notes = include_str!("../../notes/Tape.md");
    for (name, segment) in [
        ("once     ", &program.once),
        ("learned  ", &program.learned),
    ] {
        let listing = format!("{name}{}", listing(segment));
        assert!(notes.contains(&listing), "the notes lack:\n{listing}");
    }
}

#[test]
fn threads_can_share_what_replays_share() {
    fn assert_shared<T: Send + Sync>() {}
    assert_shared::<Program>();
    assert_shared::<Replay>();
}

#[test]
fn a_program_becomes_the_graph_again() {
    let [x, y] = ["x", "y"].map(|name| Value::new(0.5).with_name(name));
    let [v, w] = ["v", "w"].map(|name| Value::new(1.5).with_name(name));
    let weights = [v.clone(), w.clone(), &v * &w];
    let inputs = [x.clone(), y.clone(), &x * &y];
    let bias = Value::new(2.0);
    let sums = [
        Value::dot(&weights, &inputs),
        Value::dot(&inputs, &weights),
        Value::dot(&inputs, &inputs),
        Value::dot(&weights, &weights),
        Value::dot(&[x.clone(), w.clone()], &[v.clone(), y.clone()]),
        Value::weighted_sum(
            &SharedValues::new(vec![v.clone(), w.clone(), bias.clone()]),
            &SharedValues::new(vec![x.clone(), y.clone()]),
        ),
        Value::weighted_sum(
            &SharedValues::new(vec![x.clone(), y.clone()]),
            &SharedValues::new(vec![v.clone()]),
        ),
        inputs.iter().sum(),
        weights.iter().sum(),
        [&x, &v].into_iter().sum(),
    ];
    let others = [
        2.0 / &x,
        &w / 2.0,
        x.max(&w).with_name("larger"),
        x.leaky_relu(0.5).detach(),
        y.when(x.at_most(&y)) - &v,
        2.0 - v.sigmoid(),
    ];
    let outputs = [&sums[..], &others].concat();
    let leaves = [x, y, v, w, bias];
    let tape = VectorTape::record(&leaves, &outputs);
    let row: Vec<_> = leaves.iter().map(Value::data).collect();
    let (graph, _) = tape.recording.graph(&row);
    for (ours, theirs) in graph.iter().zip(&outputs) {
        assert_eq!(ours.tree().to_string(), theirs.tree().to_string());
    }
    let tape = VectorTape::record(&leaves[..2], &outputs);
    for (ours, theirs) in tape.recording.graph(&row[..2]).0.iter().zip(&outputs) {
        assert_eq!(ours.data().to_bits(), theirs.data().to_bits());
        assert_eq!(ours.name(), theirs.name());
    }
}
