//! The programs recorded from graphs.

use super::program::Step;
use super::*;
use crate::engine::SharedValues;
use crate::nn::MLP;

fn program(inputs: &[Value], output: &Value) -> Program {
    record::record(inputs, slice::from_ref(output)).0
}

/// The number of operations computed once, on inputs alone, and on inputs and parameters.
fn operations(program: &Program) -> [usize; 3] {
    let is_operation = |step: &&Step| !matches!(step, Step::Copy(_) | Step::Shared(_));
    [&program.once, &program.plain, &program.learned]
        .map(|segment| segment.steps.iter().filter(is_operation).count())
}

/// The number of copies in the same segments.
fn copies(program: &Program) -> [usize; 3] {
    let all = [&program.once, &program.plain, &program.learned].map(|it| it.results().len());
    let operations = operations(program);
    [0, 1, 2].map(|i| all[i] - operations[i])
}

#[test]
fn each_operation_is_computed_as_rarely_as_possible() {
    let [x, v, w] = [1.0, 2.0, 3.0].map(Value::new);
    let penalty = &v * &v + &w * &w;
    let feature = (&x * 2.0).sin();
    let loss = feature * &w + 0.5 * penalty;
    let once_for_each_call = program(slice::from_ref(&x), &loss);
    assert_eq!(operations(&once_for_each_call), [4, 2, 2]);
    assert_eq!(copies(&once_for_each_call), [0, 0, 2]); // w and the penalty, as slots
    assert_eq!(operations(&program(&[x, v, w], &loss)), [0, 8, 0]);
}

#[test]
fn nodes_that_the_output_does_not_need_are_left_out() {
    let [x, w] = [1.0, 2.0].map(Value::new);
    let product = &x * &w;
    let _unused = product.exp() + 3.0;
    let program = program(slice::from_ref(&x), &product);
    assert_eq!(operations(&program), [0, 0, 1]);
    assert_eq!(program.shared_parameters().len(), 1);
}

#[test]
fn equal_constants_are_stored_once() {
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
        assert_eq!(copies(&program), [0; 3]);
    }
}

/// The number of inputs and outputs of each layer of a program.
fn layers(program: &Program) -> Vec<[usize; 2]> {
    let layers = program.learned.layers.iter();
    layers
        .map(|layer| [layer.inputs.len(), layer.outputs.len()])
        .collect()
}

#[test]
fn a_net_is_recorded_layer_by_layer_and_nothing_is_copied() {
    let model = MLP::new(2, &[3, 4, 1], &mut crate::rng(0));
    let inputs = [1.0, 2.0, 3.0].map(Value::new); // the third is a label
    let output = model.forward(&inputs[..2]).remove(0) * &inputs[2];
    let program = program(&inputs, &output);
    assert_eq!(layers(&program), [[2, 3], [3, 4], [4, 1]]);
    assert_eq!(copies(&program), [0; 3]);
}

#[test]
fn sums_of_the_same_inputs_are_a_layer_and_those_without_a_gradient_another() {
    let inputs = [1.0, 2.0].map(Value::new);
    let weights: Vec<_> = (0..8).map(|i| Value::new(f64::from(i))).collect();
    let sums: Vec<_> = weights
        .chunks(2)
        .map(|pair| Value::dot(pair, &inputs))
        .collect();
    let [a, b, c, d] = [&sums[0], &sums[1], &sums[2], &sums[3]];
    let program = program(&inputs, &(a * b + (c * d).detach()));
    assert_eq!(layers(&program), [[2, 2], [2, 2]]);
}

#[test]
fn operands_that_are_not_contiguous_are_copied_where_they_change_least() {
    let [x, y, z] = [1.0, 2.0, 3.0].map(Value::new);
    let [v, w] = [4.0, 5.0].map(Value::new);
    let recorded = |weights: [&Value; 2], inputs: [&Value; 2]| {
        let sum = Value::dot(&weights.map(Value::clone), &inputs.map(Value::clone));
        program(&[x.clone(), y.clone(), z.clone()], &sum)
    };
    assert_eq!(copies(&recorded([&v, &w], [&x, &y])), [0, 0, 0]);
    assert_eq!(copies(&recorded([&v, &v], [&x, &y])), [2, 0, 0]);
    assert_eq!(copies(&recorded([&v, &(&v * &w)], [&x, &y])), [2, 0, 0]);
    assert_eq!(copies(&recorded([&v, &(&v * &v)], [&x, &y])), [2, 0, 0]);
    assert_eq!(copies(&recorded([&v, &w], [&y, &x])), [0, 2, 0]);
    assert_eq!(copies(&recorded([&v, &w], [&x, &(&y * &w)])), [0, 0, 3]); // including w, as a slot
}

/// The steps of a segment, as the notes list them.
fn listing(segment: &program::Segment) -> String {
    let lines = segment
        .results()
        .zip(&segment.steps)
        .map(|(out, step)| match *step {
            Step::Apply(op, x, 0) => format!("{out} = {}({x})\n", op.label()),
            Step::Apply(op, x, y) => format!("{out} = {x} {} {y}\n", op.label()),
            Step::Shared(x) => format!("{out} = shared {x}\n"),
            ref other => panic!("unexpected step in the example: {other:?}"),
        });
    lines.collect::<Vec<_>>().join("         ")
}

#[test]
fn the_example_in_the_notes_is_recorded_as_they_show() {
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
fn programs_and_replays_can_be_shared_between_threads() {
    fn assert_shared<T: Send + Sync>() {}
    assert_shared::<Program>();
    assert_shared::<Replay>();
}

#[test]
fn a_program_can_be_turned_back_into_the_graph() {
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
