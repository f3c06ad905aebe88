//! The output of the tree printer, line by line.

mod common {
    pub(crate) mod small_stack;
}

use std::slice;

use common::small_stack::on_a_small_stack;
use micrograd::engine::Value;
use micrograd::nn::{Activation, Neuron};

fn lines(value: &Value) -> Vec<String> {
    value.tree().to_string().lines().map(Into::into).collect()
}

#[test]
fn a_neuron_is_shown_as_the_products_and_sums_that_it_stands_for() {
    let mut rng = micrograd::rng(0);
    let neuron = Neuron::new(2, Activation::ReLU, &mut rng).with_names();
    for (weight, data) in neuron.weights().iter().zip([-0.211, -0.096]) {
        weight.set_data(data);
    }
    let inputs = [
        Value::new(-2.0).with_name("input 0"),
        Value::new(1.0).with_name("input 1"),
    ];
    let out = neuron.forward(&inputs);
    let before = "\
R data = 0.326, grad = 0.000
└── + data = 0.326, grad = 0.000
    ├── + data = 0.326, grad = 0.000
    │   ├── * data = 0.422, grad = 0.000
    │   │   ├── data = -0.211, grad = 0.000 ← weight 0
    │   │   └── data = -2.000, grad = 0.000 ← input 0
    │   └── * data = -0.096, grad = 0.000
    │       ├── data = -0.096, grad = 0.000 ← weight 1
    │       └── data = 1.000, grad = 0.000 ← input 1
    └── data = 0.000, grad = 0.000 ← bias";
    assert_eq!(out.tree().to_string(), before);

    out.backward();
    let after = "\
R data = 0.326, grad = 1.000
└── + data = 0.326, grad = 1.000
    ├── + data = 0.326, grad = 1.000
    │   ├── * data = 0.422, grad = 1.000
    │   │   ├── data = -0.211, grad = -2.000 ← weight 0
    │   │   └── data = -2.000, grad = -0.211 ← input 0
    │   └── * data = -0.096, grad = 1.000
    │       ├── data = -0.096, grad = 1.000 ← weight 1
    │       └── data = 1.000, grad = -0.096 ← input 1
    └── data = 0.000, grad = 1.000 ← bias";
    assert_eq!(out.tree().to_string(), after);
}

#[test]
fn an_inner_node_that_was_shown_before_is_a_line_with_an_arrow() {
    let x = Value::new(2.0).with_name("x");
    let square = (&x * &x).with_name("square");
    let y = &square + &square * 0.5;
    let expected = "\
+ data = 6.000, grad = 0.000
├── * data = 4.000, grad = 0.000 ← square
│   ├── data = 2.000, grad = 0.000 ← x
│   └── data = 2.000, grad = 0.000 ← x
└── * data = 2.000, grad = 0.000
    ├── * data = 4.000, grad = 0.000 ← square ↑
    └── 0.5";
    assert_eq!(y.tree().to_string(), expected);
}

#[test]
fn sums_and_weighted_sums_of_few_terms_have_no_empty_levels() {
    let x = Value::new(2.0);
    let leaf = "data = 2.000, grad = 0.000";
    let of_one: Value = [&x].into_iter().sum();
    assert_eq!(lines(&of_one)[1..], [format!("└── {leaf}")]);

    let product = Value::dot(slice::from_ref(&x), slice::from_ref(&x));
    assert_eq!(
        lines(&product),
        [
            "* data = 4.000, grad = 0.000".into(),
            format!("├── {leaf}"),
            format!("└── {leaf}")
        ]
    );

    let empty = Value::dot(&[], &[]);
    assert_eq!(lines(&empty), ["data = 0.000, grad = 0.000"]);
}

#[test]
fn a_number_that_is_rounded_to_0_has_no_sign() {
    let x = Value::new(-0.0);
    x.set_grad(-0.0004);
    assert_eq!(x.tree().to_string(), "data = 0.000, grad = 0.000");
    let sum = Value::dot(&[x.clone(), x.clone()], &[Value::new(1.0), Value::new(1.0)]);
    assert!(!sum.tree().to_string().contains("-0.000"));
    x.set_data(-0.0006);
    assert_eq!(x.tree().to_string(), "data = -0.001, grad = 0.000");
}

#[test]
fn a_name_cannot_break_the_tree() {
    let x = Value::new(2.0).with_name("a\nb\u{1b}[31m·\n");
    let expected = "data = 2.000, grad = 0.000 ← a\\nb\\u{1b}[31m·\\n";
    assert_eq!(x.tree().to_string(), expected);
}

#[test]
fn constants_stay_on_their_side_and_print_in_full() {
    let x = Value::new(2.0);
    let leaf = "data = 2.000, grad = 0.000";
    let left = lines(&(0.0625 - &x));
    assert_eq!(left[1..], ["├── 0.0625".into(), format!("└── {leaf}")]);
    let right = lines(&(&x / 1e-7));
    assert_eq!(right[1..], [format!("├── {leaf}"), "└── 0.0000001".into()]);
}

#[test]
fn the_tree_of_the_readme_program_is_short() {
    let a = Value::new(-4.).with_name("a");
    let b = Value::new(2.).with_name("b");
    let mut c = &a + &b;
    let mut d = &a * &b + &b.pow(3.);
    c += &c + 1.;
    c += 1. + &c + (-&a);
    d += &d * 2. + (&b + &a).relu();
    d += 3. * &d + (&b - &a).relu();
    let f = (&c - &d).pow(2.);
    let g = &f / 2. + 10. / &f;
    assert_eq!(lines(&g).len(), 48);
}

#[test]
fn a_deep_tree_ends_in_an_ellipsis() {
    let mut x = Value::new(1.0);
    for _ in 0..100 {
        x = &x + &x;
    }
    let lines = lines(&x);
    // There are 64 levels, and each but the first has a twin. Below the last level, both are cut.
    assert_eq!(lines.len(), 64 + 63 + 2);
    assert!(lines[64].ends_with("└── …"));
    assert!(lines[66].ends_with("└── …"));
    let twins = &lines[67..];
    assert!(twins.iter().all(|line| line.ends_with(", grad = 0.000 ↑")));
    assert!(twins[61].starts_with("└── + data = "));
}

#[test]
fn a_wide_tree_ends_in_an_ellipsis() {
    fn binary_tree(depth: usize) -> Value {
        match depth {
            0 => Value::new(1.0),
            _ => binary_tree(depth - 1) + binary_tree(depth - 1),
        }
    }
    let lines = lines(&binary_tree(12));
    assert!((1000..1100).contains(&lines.len()), "{}", lines.len());
    assert!(lines.last().unwrap().ends_with('…'));
}

#[test]
fn a_sum_of_a_million_terms_shows_its_last_ones_on_a_small_stack() {
    let work = || {
        let terms: Vec<_> = (0..1_000_000).map(|_| Value::new(1.0)).collect();
        let sum: Value = terms.iter().sum();
        let lines = lines(&sum);
        assert_eq!(lines[0], "+ data = 1000000.000, grad = 0.000");
        assert_eq!(lines[1], "├── + data = 999999.000, grad = 0.000");
        assert_eq!(lines.len(), 64 + 63 + 1);
    };
    on_a_small_stack(work);
}
