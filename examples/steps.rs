//! Prints the backward pass of the neuron in Karpathy's lecture step by step: for every gradient,
//! the rule that gives it, and the numbers.

use micrograd::engine::Value;

fn main() {
    let leaf = |name: &str, number: f64| Value::new(number).with_name(name);
    let [x1, x2] = [leaf("x1", 2.0), leaf("x2", 0.0)];
    let [w1, w2] = [leaf("w1", -3.0), leaf("w2", 1.0)];
    let b = leaf("b", 6.881_373_587_019_543);

    let x1w1 = (&x1 * &w1).with_name("x1w1");
    let x2w2 = (&x2 * &w2).with_name("x2w2");
    let sum = (x1w1 + x2w2).with_name("sum");
    let n = (sum + b).with_name("n");
    let o = n.tanh().with_name("o");

    println!(
        "In a rule, x and y are the arguments of the operation, out is its result, and g the\n\
         gradient that has arrived there.\n"
    );
    print!("{}", o.backward_steps());
}
