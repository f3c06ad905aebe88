//! Replays, compared with the engine: the same bits forward, the same gradients backward.

mod common {
    pub(crate) mod bits;
    pub(crate) mod close;
    pub(crate) mod panics;
    pub(crate) mod small_stack;
    pub(crate) mod values;
}

use std::sync::{Arc, Barrier};
use std::{iter, slice, thread};

use common::bits::assert_same_bits;
use common::close::assert_close;
use common::panics::panic_of;
use common::small_stack::on_a_small_stack;
use common::values::each;
use micrograd::data::make_moons;
use micrograd::engine::Value;
use micrograd::nn::{Activation, Layer, MLP, Module};
use micrograd::optim::{Adam, Optimizer};
use micrograd::rand::RngExt;
use micrograd::rng;
use micrograd::tape::{
    Evaluator, Function as Frozen, Tape, VectorEvaluator, VectorFunction, VectorTape,
};

/// Batch sizes that take every path through the blocks: narrow and wide, filled and partly filled.
const BATCHES: [usize; 9] = [1, 2, 4, 7, 31, 32, 33, 64, 101];

fn leaves<const N: usize>() -> [Value; N] {
    [0.0; N].map(Value::new)
}

fn random_rows<const N: usize>(count: usize) -> Vec<[f64; N]> {
    let mut rng = rng(5);
    let mut number = || 4.0 * rng.random::<f64>() - 2.0;
    (0..count).map(|_| [0.0; N].map(|_| number())).collect()
}

/// A function of a row, written for the engine.
type Function<'a, const N: usize> = &'a dyn Fn(&[Value; N]) -> Value;

/// Asserts that the recorded function agrees with the engine for every batch size.
#[track_caller]
fn assert_replays<const N: usize>(what: &str, parameters: &[Value], function: Function<N>) {
    let inputs = leaves();
    let tape = Tape::record(&inputs, &function(&inputs));
    for count in BATCHES {
        let rows = random_rows::<N>(count);
        let outputs: Vec<_> = rows
            .iter()
            .map(|row| function(&row.map(Value::new)))
            .collect();
        let found = tape.forward(&rows);
        assert_eq!(found.len(), count);
        for (found, output) in iter::zip(found, &outputs) {
            assert_same_bits(found, output.data(), &format!("{what}, {count} rows"));
        }

        assert_same_gradients(what, &tape, parameters, &rows, &outputs);
        assert_same_input_gradient(what, &tape, rows[0], function);
    }
}

#[track_caller]
fn assert_same_gradients<const N: usize>(
    what: &str,
    tape: &Tape,
    parameters: &[Value],
    rows: &[[f64; N]],
    outputs: &[Value],
) {
    // Row by row, because the tolerance depends on the size of each contribution.
    let mut gradients = vec![0.0; parameters.len()];
    let mut sizes = vec![0.0; parameters.len()];
    for output in outputs {
        parameters.iter().for_each(Value::zero_grad);
        output.backward();
        for (i, grad) in each(parameters, Value::grad).into_iter().enumerate() {
            gradients[i] += grad / rows.len() as f64;
            sizes[i] += grad.abs() / rows.len() as f64;
        }
    }
    parameters.iter().for_each(Value::zero_grad);
    let mean = tape.backward(rows);
    let expected = outputs.iter().map(Value::data).sum::<f64>() / rows.len() as f64;
    assert_eq!(mean, expected, "{what}, {} rows", rows.len());
    for (i, parameter) in parameters.iter().enumerate() {
        let what = format!("{what}, {} rows, parameter {i}", rows.len());
        assert!(gradients[i].is_finite(), "{what}");
        assert_close(parameter.grad(), gradients[i], 1e-12 * sizes[i], &what);
    }
}

#[track_caller]
fn assert_same_input_gradient<const N: usize>(
    what: &str,
    tape: &Tape,
    row: [f64; N],
    function: Function<N>,
) {
    let inputs = row.map(Value::new);
    let output = function(&inputs);
    output.backward();
    let (value, gradient) = tape.gradient(&row);
    assert_eq!(value, output.data(), "{what}");
    for (ours, theirs) in iter::zip(gradient, each(&inputs, Value::grad)) {
        assert!(theirs.is_finite(), "{what}");
        assert_close(ours, theirs, 1e-12 * theirs.abs(), what);
    }
}

#[test]
fn nets_of_every_activation_replay() {
    let activations = [
        Activation::Linear,
        Activation::ReLU,
        Activation::LeakyReLU(0.1),
        Activation::ELU(0.7),
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Softplus,
        Activation::SiLU,
        Activation::GELU,
    ];
    for activation in activations {
        let layers = [(5, activation), (3, activation), (1, Activation::Linear)];
        let model = MLP::with_activations(2, &layers, &mut rng(5));
        let parameters = model.parameters();
        assert_replays(
            &activation.to_string(),
            &parameters,
            &|[x, y]: &[Value; 2]| model.forward(&[x.clone(), y.clone()]).remove(0),
        );
    }
}

#[test]
fn every_kind_of_sum_replays() {
    let w: [Value; 3] = [0.5, -1.5, 2.0].map(Value::new);
    let cases: [(&str, Function<3>); 9] = [
        ("weights · inputs", &|x| Value::dot(&w, x)),
        ("inputs · weights", &|x| Value::dot(x, &w)),
        ("inputs · inputs", &|x| Value::dot(x, x)),
        ("weights · weights", &|x| Value::dot(&w, &w) * &x[0]),
        ("weights that vary", &|x| {
            let weights = [&w[0] * &x[0], w[1].clone(), x[2].clone()];
            Value::dot(&weights, &[x[1].clone(), w[2].clone(), w[0].clone()])
        }),
        ("an input that does not vary", &|x| {
            Value::dot(&w, &[x[0].clone(), w[0].clone(), x[0].clone()])
        }),
        ("a sum of inputs", &|x| x.iter().sum::<Value>() * &w[0]),
        ("a sum of both", &|x| x.iter().chain(&w).sum()),
        ("a sum of parameters", &|x| w.iter().sum::<Value>() * &x[1]),
    ];
    for (what, function) in cases {
        assert_replays(what, &w, function);
    }
}

#[test]
fn layers_of_every_width_replay() {
    for inputs in 1..=9 {
        for outputs in [1, 2, 5] {
            let mut rng = rng(inputs as u64);
            let layer = Layer::new(inputs, outputs, Activation::Tanh, &mut rng);
            let then = Layer::new(outputs, 1, Activation::Linear, &mut rng);
            let parameters = [layer.parameters(), then.parameters()].concat();
            assert_replays(
                &format!("{inputs} inputs, {outputs} outputs"),
                &parameters,
                &|x: &[Value; 9]| then.forward(&layer.forward(&x[..inputs])).remove(0),
            );
        }
    }
}

#[test]
fn layers_replay_whether_or_not_their_operands_are_contiguous() {
    let [mut first, mut second] = [rng(1), rng(2)];
    let narrow = Layer::new(3, 2, Activation::Tanh, &mut first);
    let square = Layer::new(2, 2, Activation::Sigmoid, &mut second);
    let parameters = [narrow.parameters(), square.parameters()].concat();
    let p = &parameters;
    let both = |layer: &Layer, inputs: &[Value]| layer.forward(inputs).iter().sum::<Value>();
    let cases: [(&str, Function<3>); 8] = [
        ("in another order", &|[x, y, z]| {
            both(&narrow, &[z.clone(), x.clone(), y.clone()])
        }),
        ("one input twice", &|[x, y, _]| {
            both(&narrow, &[x.clone(), y.clone(), x.clone()])
        }),
        ("features", &|[x, y, z]| {
            both(&narrow, &[x * y, z.sin(), x.clone()])
        }),
        ("a parameter among the inputs", &|[x, y, _]| {
            both(&narrow, &[x.clone(), p[0].clone(), y * &p[1]])
        }),
        ("the same layer again and again", &|[x, y, _]| {
            let once = square.forward(&[x.clone(), y.clone()]);
            let twice = square.forward(&once);
            both(&square, &twice) + both(&square, &[y.clone(), x.clone()])
        }),
        ("computed weights", &|[x, y, _]| {
            let weights = [&p[0] * &p[1], p[2].exp()];
            Value::dot(&weights, &[x.clone(), y.clone()]) + Value::dot(&weights, &[y * x, x + y])
        }),
        ("weights of two layers", &|[x, y, z]| {
            let inputs = [x.clone(), y.clone(), z.clone()];
            let across = Value::dot(&[p[0].clone(), p[9].clone(), p[3].clone()], &inputs);
            across * both(&narrow, &inputs)
        }),
        ("a layer without a gradient", &|[x, y, z]| {
            let inputs = [x.clone(), y.clone(), z.clone()];
            let [gate, value] = [0, 1].map(|i| Value::dot(&p[3 * i..3 * i + 3], &inputs));
            gate.sigmoid().detach() * value + both(&narrow, &inputs)
        }),
    ];
    for (what, function) in cases {
        assert_replays(what, &parameters, function);
    }
}

#[test]
fn shared_nodes_constants_and_both_orders_replay() {
    let [a, b] = [1.5, -0.5].map(Value::new);
    let parameters = [a.clone(), b.clone()];
    let cases: [(&str, Function<2>); 7] = [
        ("shared nodes", &|[x, y]| {
            let both = (x * y + &a).tanh();
            &both * &both + &both / (y * y + 1.0)
        }),
        ("constants on both sides", &|[x, y]| {
            2.0 / (x * x + 3.0) - (1.0 - y) * &b
        }),
        ("a power of two nodes", &|[x, y]| {
            (x * x + 1.0).pow(&a) * y.exp().pow(2.5)
        }),
        ("a choice", &|[x, y]| {
            x.max(y) + x.min(&a).abs() + y.when(x.at_most(&b))
        }),
        ("inputs alone before parameters", &|[x, y]| {
            (x * y).sin() * &a + x.hypot(y)
        }),
        ("parameters alone before inputs", &|[x, _]| {
            (&a * &b).exp() * x + (&a - &b)
        }),
        ("an angle", &|[x, y]| {
            x.atan2(y) * a.atan2(&b) + x.atan2(2.0)
        }),
    ];
    for (what, function) in cases {
        assert_replays(what, &parameters, function);
    }
}

#[test]
fn an_output_may_be_any_node() {
    let p = Value::new(3.0);
    let [x, unused] = leaves();
    let inputs = [x.clone(), unused];
    let rows = [[1.0, 10.0], [2.0, 20.0], [6.0, 30.0]];

    let tape = Tape::record(&inputs, &x);
    assert_eq!(tape.forward(&rows), [1.0, 2.0, 6.0]);
    assert_eq!(tape.gradient(&rows[2]), (6.0, vec![1.0, 0.0]));
    assert_eq!(tape.gradient(&rows[2]), (6.0, vec![1.0, 0.0]));
    assert_eq!(tape.backward(&rows), 3.0);
    assert_eq!(x.grad(), 0.0);

    let tape = Tape::record(&inputs, &p);
    assert_eq!(tape.forward(&rows), [3.0, 3.0, 3.0]);
    assert_eq!(tape.gradient(&rows[0]), (3.0, vec![0.0, 0.0]));
    assert_eq!(tape.backward(&rows), 3.0);
    assert_eq!(p.grad(), 1.0);

    p.zero_grad();
    let tape = Tape::record(&inputs, &(&p * &p));
    assert_eq!(tape.forward(&rows), [9.0, 9.0, 9.0]);
    assert_eq!(tape.backward(&rows), 9.0);
    assert!((p.grad() - 6.0).abs() < 1e-15);

    p.zero_grad();
    let tape = Tape::record(&[], &(&p * 2.0));
    assert_eq!(tape.backward(&[[0.0; 0]]), 6.0);
    assert_eq!(p.grad(), 2.0);
}

#[test]
fn gradients_are_added_to_parameters_and_to_nothing_else() {
    let [x, w] = [7.0, 3.0].map(Value::new);
    let inner = &x * &w;
    let loss = inner.pow(2.0);
    loss.backward();
    let before = [&x, &inner, &loss].map(|value| *value.borrow());

    let tape = Tape::record(slice::from_ref(&x), &loss);
    w.zero_grad();
    let rows = [[1.0], [2.0], [-1.0]];
    assert_eq!(tape.backward(&rows), 18.0);
    assert_eq!(w.grad(), 12.0);
    assert_eq!(tape.backward(&rows), 18.0);
    assert_eq!(w.grad(), 24.0);
    let _ = (tape.forward(&rows), tape.gradient(&rows[0]));
    assert_eq!(w.grad(), 24.0);
    assert_eq!([&x, &inner, &loss].map(|value| *value.borrow()), before);
}

#[test]
fn parameters_are_read_at_each_replay() {
    let [x, w] = [1.0, 2.0].map(Value::new);
    let tape = Tape::record(slice::from_ref(&x), &(&x * &w + w.exp()));
    w.set_data(0.0);
    x.set_data(100.0);
    assert_eq!(tape.forward(&[[5.0]]), [1.0]);
    w.set_data(3.0);
    assert_eq!(tape.gradient(&[5.0]), (15.0 + 3.0_f64.exp(), vec![3.0]));
}

#[test]
fn recording_leaves_the_graph_as_it_was() {
    let [x, w] = [1.0, 2.0].map(Value::new);
    let shared = &x * &w;
    let loss = Value::dot(&[shared.clone(), w.clone()], &[shared.clone(), x.clone()]);
    loss.backward();
    let expected = [w.grad(), shared.grad()];
    let _tape = Tape::record(slice::from_ref(&x), &loss);
    assert_eq!([w.grad(), shared.grad()], expected);
    w.zero_grad();
    loss.backward();
    assert_eq!([w.grad(), shared.grad()], expected);
}

/// Trains a fresh net for 30 steps; `backward` computes the loss and its gradient.
fn train(backward: impl Fn() -> f64, model: &MLP) -> (Vec<f64>, Vec<f64>) {
    let mut optim = Adam::new(model.parameters(), 0.1);
    let losses = (0..30).map(|_| {
        optim.zero_grad();
        let loss = backward();
        optim.step();
        loss
    });
    let losses = losses.collect();
    let parameters = model.parameters().iter().map(Value::data).collect();
    (losses, parameters)
}

#[test]
fn an_optimizer_takes_the_same_steps_with_a_tape_as_with_the_engine() {
    let rows = make_moons(100, 0.1, &mut rng(5));
    let hinge = |model: &MLP, [x, y, label]: &[Value; 3]| {
        let score = model.forward(&[x.clone(), y.clone()]).remove(0);
        (1.0 - label * score).relu()
    };
    let penalty = |model: &MLP| {
        let parameters = model.parameters();
        1e-4 * Value::dot(&parameters, &parameters)
    };

    let model = MLP::new(2, &[16, 16, 1], &mut rng(5));
    let inputs = leaves();
    let tape = Tape::record(&inputs, &(hinge(&model, &inputs) + penalty(&model)));
    let (losses, parameters) = train(|| tape.backward(&rows), &model);

    let model = MLP::new(2, &[16, 16, 1], &mut rng(5));
    let in_the_engine = || {
        let hinges = rows.iter().map(|row| hinge(&model, &row.map(Value::new)));
        let loss = hinges.sum::<Value>() / rows.len() as f64 + penalty(&model);
        loss.backward();
        loss.data()
    };
    let (expected_losses, expected_parameters) = train(in_the_engine, &model);

    assert!(losses[29] < 0.2 * losses[0]);
    let expected = expected_losses.iter().chain(&expected_parameters);
    for (ours, theirs) in losses.iter().chain(&parameters).zip(expected) {
        assert!((ours - theirs).abs() < 1e-9, "{ours} instead of {theirs}");
    }
}

#[test]
fn several_outputs_have_a_jacobian() {
    let w: [Value; 2] = [2.0, -3.0].map(Value::new);
    let [x, y] = leaves();
    let outputs = [
        &x * &y,
        (&x + &w[0]).tanh(),
        Value::dot(&w, &[y.clone(), x.clone()]),
        w[1].clone(),
    ];
    let tape = VectorTape::record(&[x, y], &outputs);

    let rows = random_rows::<2>(37);
    let found = tape.forward(&rows);
    assert_eq!(found.len(), 37);
    for (&[x, y], found) in iter::zip(&rows, &found) {
        assert_eq!(*found, [x * y, (x + 2.0).tanh(), 2.0 * y + -3.0 * x, -3.0]);
    }

    let [x, y] = rows[0];
    let slope = 1.0 - (x + 2.0).tanh().powi(2);
    let (values, jacobian) = tape.jacobian(&rows[0]);
    assert_eq!(values, found[0]);
    assert_eq!(jacobian[0], [y, x]);
    assert!((jacobian[1][0] - slope).abs() < 1e-15 && jacobian[1][1] == 0.0);
    assert_eq!(jacobian[2], [-3.0, 2.0]);
    assert_eq!(jacobian[3], [0.0, 0.0]);
}

#[test]
fn nodes_that_only_other_outputs_need_do_not_affect_a_gradient() {
    let [x, y] = leaves();
    let root = x.sqrt();
    let through_root = &root * &y;
    let tape = VectorTape::record(&[x.clone(), y], &[through_root, 2.0 * &x, root]);
    let (_, jacobian) = tape.jacobian(&[0.0, 3.0]);
    assert_eq!(
        jacobian,
        [[f64::INFINITY, 0.0], [2.0, 0.0], [f64::INFINITY, 0.0]]
    );
    // The first Jacobian leaves nothing behind for the next one.
    assert_eq!(
        tape.jacobian(&[4.0, 3.0]).1,
        [[0.75, 2.0], [2.0, 0.0], [0.25, 0.0]]
    );
}

#[test]
fn an_empty_batch_has_no_outputs_and_adds_nothing() {
    let [x, w] = [1.0, 2.0].map(Value::new);
    let rows: [[f64; 1]; 0] = [];
    let tape = Tape::record(slice::from_ref(&x), &(&x * &w));
    assert!(tape.forward(&rows).is_empty());
    assert!(tape.backward(&rows).is_nan());
    assert_eq!(w.grad(), 0.0);
    assert!(
        VectorTape::record(slice::from_ref(&x), slice::from_ref(&x))
            .forward(&rows)
            .is_empty()
    );
}

#[test]
fn rows_may_have_any_type_that_converts_to_a_slice() {
    let [x, y] = leaves();
    let tape = Tape::record(&[x.clone(), y.clone()], &(x - y));
    assert_eq!(tape.forward(&[vec![5.0, 3.0]]), [2.0]);
    assert_eq!(tape.forward(&[&[5.0, 4.0][..]]), [1.0]);
    assert_eq!(tape.forward(&[Box::from([5.0, 5.0]) as Box<[f64]>]), [0.0]);
}

#[test]
fn a_row_of_the_wrong_length_panics_where_it_is_given() {
    let [x, y] = leaves();
    let inputs = [x.clone(), y.clone()];
    let tape = Tape::record(&inputs, &(&x * &y));
    let vector_tape = VectorTape::record(&inputs, &[x, y]);
    let rows = [vec![1.0, 2.0], vec![1.0, 2.0, 3.0]];
    let message = "row 1 has length 3, not 2, the number of inputs".to_string();
    let line = line!() + 2;
    let panics = [
        panic_of(|| drop(tape.forward(&rows))),
        panic_of(|| _ = tape.backward(&rows)),
        panic_of(|| drop(vector_tape.forward(&rows))),
    ];
    for (i, panic) in (0..).zip(panics) {
        assert_eq!(panic, (message.clone(), line + i));
    }
    let message = "row 0 has length 1, not 2, the number of inputs".to_string();
    let line = line!() + 2;
    let panics = [
        panic_of(|| drop(tape.gradient(&[1.0]))),
        panic_of(|| drop(vector_tape.jacobian(&[1.0]))),
    ];
    for (i, panic) in (0..).zip(panics) {
        assert_eq!(panic, (message.clone(), line + i));
    }
}

#[test]
fn bad_inputs_and_missing_outputs_panic_where_they_are_given() {
    let [x, y] = leaves();
    let sum = &x + &y;
    let inner = [x.clone(), sum.clone()];
    let twice = [x.clone(), y, x.clone()];
    let line = line!() + 2;
    let panics = [
        panic_of(|| drop(Tape::record(&inner, &sum))),
        panic_of(|| drop(Tape::record(&twice, &sum))),
        panic_of(|| drop(VectorTape::record(&[x], &[]))),
    ];
    let messages = [
        "input 1 is not a leaf: it was computed from other values",
        "input 2 is the same leaf as input 0",
        "a tape needs at least one output",
    ];
    for (i, (panic, message)) in (0..).zip(iter::zip(panics, messages)) {
        assert_eq!(panic, (message.to_string(), line + i));
    }
}

#[test]
fn a_guard_of_a_parameter_panics_before_anything_changes() {
    let [x, v, w] = [1.0, 2.0, 3.0].map(Value::new);
    let tape = Tape::record(slice::from_ref(&x), &(&x * &v * &w));
    let guard = w.borrow();
    let expected = line!() + 1;
    let (message, line) = panic_of(|| _ = tape.backward(&[[1.0]]));
    assert!(message.contains("already borrowed") && line == expected);
    assert_eq!(tape.forward(&[[1.0]]), [6.0]);
    drop(guard);
    assert_eq!(v.grad(), 0.0);

    let guard = w.borrow_mut();
    let expected = line!() + 1;
    let (_, line) = panic_of(|| drop(tape.forward(&[[1.0]])));
    assert_eq!(line, expected);
    drop(guard);
    assert_eq!(tape.backward(&[[1.0]]), 6.0);
    assert_eq!(v.grad(), 3.0);
}

#[test]
fn a_chain_of_a_million_operations_replays_on_a_small_stack() {
    let run = || {
        let [x, w] = [1.0, 1.0].map(Value::new);
        let chain = (0..1_000_000).fold(&x * &w, |y, i| if i % 2 == 0 { y + 1e-6 } else { -y });
        let tape = Tape::record(&[x], &chain);
        drop(chain);
        assert_eq!(tape.gradient(&[1.0]).1, [1.0]);
        tape.backward(&[[1.0], [3.0]]);
        assert_eq!(w.grad(), 2.0);
    };
    on_a_small_stack(run);
}

#[test]
fn a_large_graph_replays_in_narrow_blocks() {
    let [x, w] = [1.0, 0.5].map(Value::new);
    let chain = (0..5_000).fold(&x * &w, |y, _| y + &w * 1e-3);
    let tape = Tape::record(&[x], &chain);
    let rows = random_rows::<1>(50);
    let expected: Vec<_> = rows.iter().map(|[x]| tape.gradient(&[*x]).0).collect();
    assert_eq!(tape.forward(&rows), expected);
    let mean = rows.iter().flatten().sum::<f64>() / 50.0;
    tape.backward(&rows);
    assert!(
        (w.grad() - (mean + 5.0)).abs() < 1e-11,
        "{} {mean}",
        w.grad()
    );
}

#[test]
fn a_batch_of_many_parts_gives_the_same_results() {
    let rows = random_rows::<1>(300_000);
    let [x, w] = [1.0, 3.0].map(Value::new);
    let tape = Tape::record(slice::from_ref(&x), &(&x * &w).relu());
    let expected: Vec<_> = rows.iter().map(|[x]| (3.0 * x).max(0.0)).collect();
    assert_eq!(tape.forward(&rows), expected);

    let mean = tape.backward(&rows);
    let sum: f64 = expected.iter().sum();
    assert!((mean - sum / 3e5).abs() < 1e-12);
    assert!((w.grad() - sum / 9e5).abs() < 1e-12);
}

#[cfg(feature = "rayon")]
#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let on_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let rows = random_rows::<2>(50_000);
            let model = MLP::new(2, &[16, 1], &mut rng(5));
            let inputs: [Value; 2] = leaves();
            let tape = Tape::record(&inputs, &model.forward(&inputs)[0].tanh());
            let mut numbers = vec![tape.backward(&rows)];
            numbers.extend(each(&model.parameters(), Value::grad));
            numbers.extend(tape.forward(&rows));
            numbers.into_iter().map(f64::to_bits).collect::<Vec<_>>()
        })
    };
    let one = on_threads(1);
    assert_eq!(on_threads(2), one);
    assert_eq!(on_threads(5), one);
}

#[test]
fn a_tape_displays_its_sizes() {
    let [x, y, w] = leaves();
    let tape = Tape::record(&[x.clone(), y], &(&x * &w));
    assert_eq!(
        format!("{tape:?}"),
        "Tape(inputs=2, parameters=1, outputs=1)"
    );
}

/// A loss with inputs, parameters, constants, sums, and a value that needs no input.
fn mixed(w: &[Value; 2]) -> impl FnOnce([Value; 2]) -> Value {
    let w = w.clone();
    move |[x, y]| {
        let inner = (Value::dot(&w, &[x.clone(), y.clone()]) + 0.5).tanh();
        inner * &x / (&y * &y + 1.0) + w[0].exp() * Value::dot(&w, &w)
    }
}

#[test]
fn a_trace_makes_the_inputs_that_a_recording_is_given() {
    let w = [0.5, -1.5].map(Value::new);
    let inputs: [Value; 2] = leaves();
    let recorded = Tape::record(&inputs, &mixed(&w)(inputs.clone()));
    let traced = Tape::trace(mixed(&w));
    let of_slice = Tape::trace_slice(2, |inputs| {
        let [x, y] = inputs else { panic!("two inputs") };
        mixed(&w)([x.clone(), y.clone()])
    });
    let rows = random_rows::<2>(37);
    for tape in [&traced, &of_slice] {
        assert_eq!(tape.forward(&rows), recorded.forward(&rows));
        assert_eq!(tape.inputs(), 2);
        assert_eq!(tape.parameters().len(), 2);
        for (ours, theirs) in iter::zip(tape.parameters(), recorded.parameters()) {
            assert!(ours.same_node(theirs));
        }
    }

    let vector = VectorTape::trace(|[x, y]| [&x * &y, x]);
    assert_eq!(vector.forward(&[[2.0, 3.0]]), [[6.0, 2.0]]);
    assert_eq!((vector.inputs(), vector.parameters().len()), (2, 0));
    let of_slice = VectorTape::trace_slice(3, <[Value]>::to_vec);
    assert_eq!(of_slice.forward(&[[1.0, 2.0, 3.0]]), [[1.0, 2.0, 3.0]]);
}

#[test]
fn a_tape_without_inputs_needs_no_row() {
    let w = Value::new(3.0);
    let tape = Tape::trace(|[]| w.pow(2.0));
    w.set_data(4.0);
    assert_eq!((tape.value(), tape.backward_value()), (16.0, 16.0));
    assert_eq!(w.grad(), 8.0);
    assert_eq!(
        VectorTape::trace(|[]| [w.exp(), w.clone()]).values()[1],
        4.0
    );
    let tape = Tape::trace(|[x]| x);
    let (message, line) = panic_of(|| _ = tape.value());
    assert_eq!(line, line!() - 1);
    assert_eq!(
        message,
        "a tape with inputs needs a row; the number of inputs is 1"
    );
}

#[test]
fn gradients_of_many_rows_agree_with_those_of_each_row() {
    let w = [0.5, -1.5].map(Value::new);
    let tape = Tape::trace(mixed(&w));
    for count in BATCHES {
        let rows = random_rows::<2>(count);
        let gradients = tape.gradients(&rows);
        assert_eq!(gradients.len(), count);
        for (row, (output, gradient)) in iter::zip(&rows, &gradients) {
            let (expected, by_row) = tape.gradient(row);
            assert_same_bits(*output, expected, "output");
            for (ours, theirs) in iter::zip(gradient, by_row) {
                assert_close(*ours, theirs, 1e-14 * theirs.abs().max(1.0), "gradient");
            }
        }
        // The first call left nothing behind.
        assert_eq!(tape.gradients(&rows), gradients);
    }
    assert_eq!(w.each_ref().map(Value::grad), [0.0; 2]);
}

#[test]
fn a_partly_filled_block_ignores_its_unused_lanes() {
    // The root has an infinite slope at 0, so a spurious row of zeros would show, as would a
    // missing row.
    let w = Value::new(2.0);
    let tape = Tape::trace(|[x]| (&w * x).sqrt());
    for count in 1..70_u32 {
        let rows: Vec<_> = (1..=count).map(|i| [f64::from(i)]).collect();
        w.zero_grad();
        let mean = tape.backward(&rows);
        let roots = rows.iter().map(|[x]| (2.0 * x).sqrt());
        assert_eq!(mean, roots.sum::<f64>() / f64::from(count));
        let slopes = rows.iter().map(|[x]| x / (2.0 * (2.0 * x).sqrt()));
        let slope = slopes.sum::<f64>() / f64::from(count);
        assert_close(w.grad(), slope, 1e-14 * slope, &format!("{count} rows"));
    }
}

/// Several outputs: those of a small net, a choice that drops an infinite slope, a parameter, and
/// an input.
fn several() -> VectorTape {
    let model = MLP::with_activations(
        3,
        &[(4, Activation::Tanh), (3, Activation::Linear)],
        &mut rng(7),
    );
    VectorTape::trace(|[x, y, z]| {
        let mut outputs = model.forward(&[x.clone(), y.clone(), z.clone()]);
        outputs.push(x.sqrt().when(x.at_most(0.5)) * &y);
        outputs.push(model.parameters()[0].clone());
        outputs.push(z);
        outputs
    })
}

#[test]
fn a_jacobian_has_the_gradient_of_each_output() {
    let tape = several();
    for row in random_rows::<3>(20) {
        let row = row.map(f64::abs);
        let (values, jacobian) = tape.jacobian(&row);
        assert_eq!(values, tape.forward(&[row])[0]);
        let inputs = row.map(Value::new);
        let model = MLP::with_activations(
            3,
            &[(4, Activation::Tanh), (3, Activation::Linear)],
            &mut rng(7),
        );
        for (output, gradient) in iter::zip(model.forward(&inputs), &jacobian) {
            inputs.iter().for_each(Value::zero_grad);
            output.backward();
            for (ours, theirs) in iter::zip(gradient, each(&inputs, Value::grad)) {
                assert_close(*ours, theirs, 1e-14, "jacobian");
            }
        }
        assert_eq!(jacobian[4..], [[0.0; 3], [0.0, 0.0, 1.0]]);
        assert_eq!(tape.jacobian(&row), (values, jacobian));
    }
}

#[test]
fn a_frozen_function_gives_the_bits_of_the_tape_and_keeps_its_parameters() {
    let w = [0.5, -1.5].map(Value::new);
    let tape = Tape::trace(mixed(&w));
    let function = tape.freeze();
    let mut evaluator = function.evaluator();
    let vector_tape = several();
    let vector_function = vector_tape.freeze();
    let mut vector_evaluator = vector_function.evaluator();
    for count in BATCHES {
        let rows = random_rows::<2>(count);
        let expected = (tape.forward(&rows), tape.gradients(&rows));
        assert_eq!(
            (function.forward(&rows), function.gradients(&rows)),
            expected
        );
        assert_eq!(
            (evaluator.forward(&rows), evaluator.gradients(&rows)),
            expected
        );
        assert_eq!(function.gradient(&rows[0]), tape.gradient(&rows[0]));
        assert_eq!(evaluator.gradient(&rows[0]), tape.gradient(&rows[0]));

        let rows = random_rows::<3>(count)
            .into_iter()
            .map(|row| row.map(f64::abs));
        let rows: Vec<_> = rows.collect();
        assert_eq!(vector_function.forward(&rows), vector_tape.forward(&rows));
        assert_eq!(vector_evaluator.forward(&rows), vector_tape.forward(&rows));
        let expected = vector_tape.jacobian(&rows[0]);
        assert_eq!(vector_function.jacobian(&rows[0]), expected);
        assert_eq!(vector_evaluator.jacobian(&rows[0]), expected);
    }
    let row = [0.3, 0.4];
    let before = function.gradient(&row);
    w[0].set_data(7.0);
    assert_ne!(tape.gradient(&row), before);
    assert_eq!(function.gradient(&row), before);
    let (message, line) = panic_of(|| _ = evaluator.gradient(&[1.0]));
    assert_eq!(message, "row 0 has length 1, not 2, the number of inputs");
    assert_eq!(line, line!() - 2);
}

#[test]
fn eight_threads_use_one_function_at_once() {
    fn assert_crosses_threads<T: Clone + Send + Sync + 'static>() {}
    assert_crosses_threads::<Frozen>();
    assert_crosses_threads::<VectorFunction>();
    assert_crosses_threads::<Evaluator>();
    assert_crosses_threads::<VectorEvaluator>();

    let tape = Tape::trace(mixed(&[0.5, -1.5].map(Value::new)));
    let rows = random_rows::<2>(101);
    let expected: Vec<_> = rows.iter().map(|row| tape.gradient(row)).collect();
    let outputs = tape.forward(&rows);
    let function = Arc::new(tape.freeze());
    let start = Arc::new(Barrier::new(8));
    let threads = (0..8).map(|_| {
        let (function, start) = (Arc::clone(&function), Arc::clone(&start));
        let (rows, expected, outputs) = (rows.clone(), expected.clone(), outputs.clone());
        thread::spawn(move || {
            let mut evaluator = function.evaluator();
            start.wait();
            for _ in 0..50 {
                for (row, expected) in iter::zip(&rows, &expected) {
                    assert_eq!(evaluator.gradient(row), *expected);
                }
                assert_eq!(function.forward(&rows), outputs);
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
}

#[test]
fn residuals_that_share_a_list_each_have_their_own_gradient() {
    let neurons = Layer::new(4, 5_000, Activation::Linear, &mut rng(3));
    let tape = VectorTape::trace_slice(4, |inputs| neurons.forward(inputs));
    let (_, jacobian) = tape.jacobian(&[0.5, -1.0, 2.0, 3.0]);
    assert_eq!(jacobian.len(), 5_000);
    for (gradient, neuron) in iter::zip(&jacobian, neurons.neurons()) {
        assert_eq!(*gradient, each(neuron.weights(), Value::data));
    }
    // An infinite weight affects only its own residual.
    neurons.neurons()[7].weights()[2].set_data(f64::INFINITY);
    let (_, with_infinity) = tape.jacobian(&[0.5, -1.0, 2.0, 3.0]);
    for (i, (ours, before)) in iter::zip(&with_infinity, &jacobian).enumerate() {
        assert_eq!(ours == before, i != 7);
    }
}
