//! All parts of a training loop together, with the same results from the engine and from a tape.

use std::iter;

use micrograd::data::{StandardScaler, batches, make_moons, train_test_split};
use micrograd::engine::Value;
use micrograd::metrics::{accuracy, argmax};
use micrograd::nn::{Activation, Init, MLP, Module, loss};
use micrograd::optim::{Adam, Optimizer, Schedule, clip_grad_norm, clip_grad_value};
use micrograd::rand::rngs::Xoshiro256PlusPlus;
use micrograd::tape::{Tape, VectorTape};

const L1: f64 = 1e-4;
const L2: f64 = 1e-3;

/// Two standardized coordinates, and the probabilities of two classes.
type Row = [f64; 4];

fn rows(rng: &mut Xoshiro256PlusPlus) -> (Vec<Row>, Vec<Row>) {
    let points = make_moons(120, 0.1, rng);
    let (train, test) = train_test_split(points, 0.25, rng);
    let coordinates: Vec<_> = train.iter().map(|&[x, y, _]| [x, y]).collect();
    let scaler = StandardScaler::fit(&coordinates);
    let row = |[x, y, label]: [f64; 3]| {
        let scaled = scaler.transform(&[x, y]);
        let classes = loss::one_hot(usize::from(label > 0.0), 2);
        [scaled[0], scaled[1], classes[0], classes[1]]
    };
    let rows = |points: Vec<_>| points.into_iter().map(row).collect();
    (rows(train), rows(test))
}

fn loss_of_row(model: &MLP, row: &[Value; 4]) -> Value {
    let logits = model.forward(&row[..2]);
    loss::cross_entropy(&logits, &row[2..], 0.05)
}

fn penalty(parameters: &[Value]) -> Value {
    L1 * loss::l1_penalty(parameters) + L2 * loss::l2_penalty(parameters)
}

/// Adds the gradient of the mean loss over a batch to the gradients of the parameters.
type Backward<'a> = dyn Fn(&[&Row]) + 'a;

fn eagerly(model: &MLP, batch: &[&Row]) {
    let losses = batch
        .iter()
        .map(|row| loss_of_row(model, &row.map(Value::new)));
    let mean = losses.sum::<Value>() / batch.len() as f64;
    (mean + penalty(&model.parameters())).backward();
}

fn train(model: &MLP, rows: &[Row], mut rng: Xoshiro256PlusPlus, backward: &Backward) {
    let parameters = model.parameters();
    let (from, to, steps) = (0.05, 0.001, 6 * 5);
    let schedule = Schedule::Linear { from, to, steps }.after_warm_up(3);
    let mut optim = Adam::new(parameters.clone(), 0.0);
    let mut step = 0;
    for _ in 0..6 {
        for batch in batches(rows, 20, &mut rng) {
            optim.set_learning_rate(schedule.at(step));
            optim.zero_grad();
            backward(&batch);
            clip_grad_value(&parameters, 0.5);
            clip_grad_norm(&parameters, 1.0);
            optim.step();
            step += 1;
        }
    }
}

#[test]
fn the_engine_and_a_tape_train_the_same_net() {
    let mut rng = micrograd::rng(3);
    let (train_rows, test_rows) = rows(&mut rng);
    let layers = [(8, Activation::Tanh), (2, Activation::Linear)];
    let nets = [0, 1].map(|_| {
        let mut rng = micrograd::rng(4);
        let model = MLP::with_activations(2, &layers, &mut rng);
        model.init(Init::XavierNormal, &mut rng);
        model
    });
    let [by_engine, by_tape] = &nets;

    train(by_engine, &train_rows, rng.clone(), &|batch| {
        eagerly(by_engine, batch);
    });
    let row = [0.0; 4].map(Value::new);
    let loss = loss_of_row(by_tape, &row) + penalty(&by_tape.parameters());
    let tape = Tape::record(&row, &loss);
    train(by_tape, &train_rows, rng, &|batch| {
        tape.backward(batch);
    });

    for (a, b) in iter::zip(by_engine.parameters(), by_tape.parameters()) {
        assert!((a.data() - b.data()).abs() < 1e-9, "{a} and {b}");
    }
    let logits = VectorTape::record(&row, &by_tape.forward(&row[..2])).forward(&test_rows);
    let read: Vec<_> = logits.iter().map(|logits| argmax(logits)).collect();
    let actual: Vec<_> = test_rows.iter().map(|row| argmax(&row[2..])).collect();
    assert!(
        accuracy(&read, &actual) >= 0.8,
        "{}",
        accuracy(&read, &actual)
    );
}
