//! The backward pass, step by step.

mod common {
    pub(crate) mod close;
}

use common::close::assert_close;
use micrograd::engine::{Value, topological_order};
use micrograd::nn::{MLP, loss};
use micrograd::steps::Step;

/// The gradient in the only step with this name; `None` if there is no such step.
fn gradient_of<'a>(steps: impl IntoIterator<Item = &'a Step>, name: &str) -> Option<f64> {
    let mut steps = steps.into_iter().filter(|step| step.name == name);
    let step = steps.next()?;
    assert!(steps.next().is_none(), "two steps are named {name}");
    Some(step.gradient)
}

#[test]
fn the_gradients_agree_with_backward_and_no_grad_is_touched() {
    let model = MLP::new(2, &[4, 3], &mut micrograd::rng(3));
    let inputs = [0.5, -1.5].map(Value::new);
    let output = loss::cross_entropy_of_class(&model.forward(&inputs), 1, 0.0);
    let steps = output.backward_steps();
    let order = topological_order(std::slice::from_ref(&output));
    assert!(order.iter().all(|node| node.grad() == 0.0));
    output.backward();
    let mut compared = 0;
    for (position, node) in order.iter().enumerate() {
        let Some(gradient) = gradient_of(&steps, &format!("#{position}")) else {
            continue;
        };
        assert_close(gradient, node.grad(), 1e-12, &format!("node {position}"));
        compared += 1;
    }
    assert!(compared > 30 && compared == steps.iter().count());
}

#[test]
fn each_step_comes_after_its_users_and_the_parts_add_up() {
    let [x, y] = ["x", "y"].map(|name| Value::new(1.5).with_name(name));
    let output = (&x * &y).sin() * &x + (&x * &x);
    let steps = output.backward_steps();
    let steps: Vec<_> = steps.iter().collect();
    for (i, step) in steps.iter().enumerate() {
        let parts = steps.iter().flat_map(|user| user.parts.iter());
        let parts: Vec<_> = parts.filter(|part| part.operand == step.name).collect();
        assert_eq!(parts.len(), step.users.len());
        for user in &step.users {
            assert!(steps[..i].iter().any(|before| before.name == *user));
        }
        if let Some(last) = parts.last() {
            assert_eq!(last.sum.to_bits(), step.gradient.to_bits());
            let sum: f64 = parts.iter().map(|part| part.part).sum();
            assert_close(sum, step.gradient, 1e-15, &step.name);
        }
    }
    assert_eq!(steps[0].gradient, 1.0);
}

#[test]
fn the_notes_show_the_steps_as_they_are_printed() {
    let leaf = |name: &str, number: f64| Value::new(number).with_name(name);
    let [w, x, b] = [leaf("w", 2.0), leaf("x", 1.5), leaf("b", -2.5)];
    let wx = (&w * &x).with_name("wx");
    let n = (&wx + &b).with_name("n");
    let loss = n.tanh().with_name("L");
    let told = format!("```text\n{}```\n", loss.backward_steps());
    assert!(
        include_str!("../notes/Gradients.md").contains(&told),
        "{told}"
    );
}

#[test]
fn a_weighted_sum_is_shown_as_its_products() {
    let leaf = |name: &str, number: f64| Value::new(number).with_name(name);
    let weights = [leaf("w1", 2.0), leaf("w2", -1.0)];
    let inputs = [leaf("x1", 3.0), leaf("x2", 0.5)];
    let sum = Value::dot(&weights, &inputs).with_name("n");
    let text = "\
n = w1 · x1 + w2 · x2 = 5.5
    gradient 1: the pass starts here
    w1 receives g · y = 1 · 3 = 3
    x1 receives g · x = 1 · 2 = 2
    w2 receives g · y = 1 · 0.5 = 0.5
    x2 receives g · x = 1 · (-1) = -1
";
    let told = sum.backward_steps().to_string();
    assert!(told.starts_with(text), "{told}");
}

#[test]
fn a_node_that_is_used_twice_shows_the_sum_so_far() {
    let x = Value::new(3.0).with_name("x");
    let square = (&x * &x).with_name("y");
    let expected = "\
y = x · x = 9
    gradient 1: the pass starts here
    x receives g · y = 1 · 3 = 3
    x receives g · x = 1 · 3 = 3, and has 6 now
x = 3
    gradient 6 from y, y
";
    assert_eq!(square.backward_steps().to_string(), expected);
}

#[test]
fn names_are_unique_and_printable() {
    let c = Value::new(1.0).with_name("c");
    let again = (&c * 2.0).with_name("c");
    let output = (&again + &c).with_name("two\nlines");
    let names: Vec<_> = output
        .backward_steps()
        .iter()
        .map(|step| step.name.clone())
        .collect();
    assert_eq!(names, ["two\\nlines", "c#1", "c#0"]);
}

#[test]
fn nodes_that_receive_nothing_are_left_out() {
    let x = Value::new(2.0).with_name("x");
    let output = x.detach() * 3.0 + x.at_most(1.0);
    let steps = output.backward_steps();
    assert_eq!(gradient_of(&steps, "x"), None);
    let leaf = Value::new(f64::NAN).backward_steps();
    let text = "#0 = NaN\n    gradient 1: the pass starts here\n";
    assert_eq!(leaf.to_string(), text);
}
