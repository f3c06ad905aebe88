//! Draws graphs as SVG files, and one as an HTML page, in the directory given as argument or in
//! `target/pictures`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use micrograd::engine::Value;
use micrograd::nn::{MLP, loss};
use micrograd_gallery::exit_code;

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), String> {
    let directory = env::args_os()
        .nth(1)
        .map_or_else(|| "target/pictures".into(), PathBuf::from);
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let (neuron, parameters) = neuron();
    let page = neuron.page().with_parameters(&parameters);
    let svg = neuron.svg().with_parameters(&parameters);
    for (name, text) in [
        ("neuron.html", page.to_string()),
        ("graph_neuron.svg", svg.to_string()),
        ("graph_sum.svg", sum()),
        ("graph_program.svg", program()),
        ("graph_net.svg", net().svg().to_string()),
        ("graph_net_expanded.svg", net().svg().expanded().to_string()),
        ("graph_softmax.svg", softmax()),
    ] {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn leaf(name: &str, number: f64) -> Value {
    Value::new(number).with_name(name)
}

/// L = tanh(w · x + b)
fn sum() -> String {
    let [w, x, b] = [("w", 2.0), ("x", 1.5), ("b", -2.5)].map(|(name, x)| leaf(name, x));
    let wx = (&w * &x).with_name("wx");
    let n = (&wx + &b).with_name("n");
    let loss = n.tanh().with_name("L");
    loss.backward();
    loss.svg().with_parameters(&[w, b]).to_string()
}

/// The neuron from Karpathy's lecture, and its parameters.
fn neuron() -> (Value, [Value; 3]) {
    let [x1, x2] = [leaf("x1", 2.0), leaf("x2", 0.0)];
    let [w1, w2] = [leaf("w1", -3.0), leaf("w2", 1.0)];
    let b = leaf("b", 6.881_373_587_019_543);

    let x1w1 = (&x1 * &w1).with_name("x1w1");
    let x2w2 = (&x2 * &w2).with_name("x2w2");
    let sum = (x1w1 + x2w2).with_name("sum");
    let n = (sum + &b).with_name("n");
    let o = n.tanh().with_name("o");
    o.backward();
    (o, [w1, w2, b])
}

/// The introductory program of micrograd and rustygrad.
fn program() -> String {
    let [a, b] = [leaf("a", -4.0), leaf("b", 2.0)];
    let mut c = (&a + &b).with_name("c");
    let mut d = (&a * &b + b.pow(3.0)).with_name("d");
    c += &c + 1.0;
    c += 1.0 + &c + (-&a);
    d += &d * 2.0 + (&b + &a).relu();
    d += 3.0 * &d + (&b - &a).relu();
    let e = (&c - &d).with_name("e");
    let f = e.pow(2.0).with_name("f");
    let mut g = &f / 2.0;
    g += 10.0 / &f;
    let g = g.with_name("g");
    g.backward();
    g.svg().to_string()
}

/// The hinge loss of a small net on one point of the moons.
fn net() -> Value {
    let model = MLP::new(2, &[4, 1], &mut micrograd::rng(1)).with_names();
    let scores = model.forward(&[leaf("x", 0.5), leaf("y", -0.25)]);
    let loss = loss::hinge(&scores, &[leaf("label", 1.0)]).with_name("loss");
    loss.backward();
    loss
}

/// Softmax cross-entropy.
fn softmax() -> String {
    let logits = [("z0", 2.0), ("z1", 1.0), ("z2", -1.0)].map(|(name, z)| leaf(name, z));
    let targets = [("t0", 0.0), ("t1", 1.0), ("t2", 0.0)].map(|(name, t)| leaf(name, t));
    let loss = loss::cross_entropy(&logits, &targets, 0.0).with_name("loss");
    loss.backward();
    loss.svg().to_string()
}
