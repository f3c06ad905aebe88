//! rustygrad: one `Rc<RefCell<_>>` per value, walked recursively.

use std::hint::black_box;

use rustygrad::{MLP, Value};

use crate::work::moons::{self, HIDDEN, INPUTS, LEARNING_RATE, PENALTY, ROWS, Row};
use crate::work::{README_INPUTS, STEPS};

pub(crate) fn readme_program() -> [f64; 3] {
    let [a, b] = black_box(README_INPUTS).map(Value::from);

    let mut c = &a + &b;
    let mut d = &a * &b + b.pow(3.0);
    c += &c + 1.0;
    c += 1.0 + &c + (-&a);
    d += &d * 2.0 + (&b + &a).relu();
    d += 3.0 * &d + (&b - &a).relu();
    let e = &c - &d;
    let f = e.pow(2.0);
    let mut g = &f / 2.0;
    g += 10.0 / &f;

    g.backward();
    [g.borrow().data, a.borrow().grad, b.borrow().grad]
}

pub(crate) fn moons() -> impl FnMut() -> Vec<f64> {
    let moons = moons::task(ROWS);
    // INPUTS and HIDDEN, in rustygrad's type.
    let net = MLP::new(2, vec![16, 16, 1]);
    let parameters = in_micrograd_order(net.parameters());
    move || {
        for (parameter, &initial) in parameters.iter().zip(&moons.initial) {
            parameter.borrow_mut().data = initial;
        }
        let step = |_| {
            let loss = loss(&net, &parameters, &moons.rows);
            net.zero_grad();
            loss.backward();
            for parameter in &parameters {
                let mut parameter = parameter.borrow_mut();
                parameter.data -= LEARNING_RATE * parameter.grad;
            }
            loss.borrow().data
        };
        let mut outcome: Vec<f64> = (0..STEPS).map(step).collect();
        outcome.extend(parameters.iter().map(|p| p.borrow().data));
        outcome
    }
}

fn loss(net: &MLP, parameters: &[Value], rows: &[Row]) -> Value {
    let hinge = |&[x, y, label]: &Row| {
        let score = &net.forward(vec![Value::from(x), Value::from(y)])[0];
        (1.0 + -label * score).relu()
    };
    let hinges: Value = rows.iter().map(hinge).sum();
    let squares: Value = parameters.iter().map(|p| p * p).sum();
    hinges / rows.len() as f64 + PENALTY * squares
}

/// rustygrad lists the bias of a neuron before its weights.
fn in_micrograd_order(mut parameters: Vec<Value>) -> Vec<Value> {
    let (first, others) = parameters.split_at_mut(HIDDEN * (INPUTS + 1));
    let first = first.chunks_exact_mut(INPUTS + 1);
    for neuron in first.chain(others.chunks_exact_mut(HIDDEN + 1)) {
        neuron.rotate_left(1);
    }
    parameters
}
