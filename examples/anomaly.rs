//! A training run that goes wrong, and an anomaly report that finds the culprit.
//!
//! A net learns the two moons by cross-entropy, written as in the textbook: with the logarithm of a
//! probability. After some 45 steps, one probability is so near 1 that it is rounded to 1.
//!
//! With `--features locations`, the report also names the source line.

use micrograd::data::make_moons;
use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};
use micrograd::optim::{Momentum, Optimizer};
use micrograd::tape::Tape;

const STEPS: usize = 100;

fn main() {
    println!("The loss with the logarithm of a probability:");
    train(textbook_loss);
    println!("\nThe same loss with softplus, without a probability:");
    train(stable_loss);
}

/// The cross-entropy of a score (the log-odds) and a label of -1 or +1.
type Loss = fn(&Value, &Value) -> Value;

/// -t ln p - (1 - t) ln (1 - p), with the probability p of the label +1, and t = 1 for that label
fn textbook_loss(score: &Value, label: &Value) -> Value {
    let t = ((label + 1.0) / 2.0).with_name("t");
    let p = score.sigmoid().with_name("p");
    let q = (1.0 - &p).with_name("1 - p");
    (-&t * p.ln() - (1.0 - &t) * q.ln()).with_name("loss")
}

/// ln(1 + e⁻ˢ), with the score s for the label +1 and -s for the other
fn stable_loss(score: &Value, label: &Value) -> Value {
    (-label * score).softplus().with_name("loss")
}

fn train(loss: Loss) {
    let mut rng = micrograd::rng(1);
    let rows = make_moons(100, 0.1, &mut rng);
    let model = MLP::new(2, &[16, 16, 1], &mut rng);

    let tape = Tape::trace(|[x, y, label]| {
        let point = [x.with_name("x"), y.with_name("y")];
        loss(&model.forward(&point)[0], &label.with_name("label"))
    });

    let mut optim = Momentum::new(model.parameters(), 2.0);
    for step in 1..=STEPS {
        optim.zero_grad();
        let mean_loss = tape.backward(&rows);
        if step % 20 == 0 || !mean_loss.is_finite() {
            println!("step {step:3}  loss {mean_loss:.6}");
        }
        if !mean_loss.is_finite() {
            // The parameters have not changed since this pass.
            match tape.find_anomaly(&rows) {
                Some(anomaly) => println!("{anomaly}"),
                None => println!("every row is finite, but their sum is not"),
            }
            return;
        }
        optim.step();
    }
}
