//! The behaviour that the docs of `micrograd::engine` promise.

mod common {
    pub(crate) mod panics;
    pub(crate) mod small_stack;
}

use std::slice;

use common::panics::panic_of;
use common::small_stack::on_a_small_stack;
use micrograd::engine::Value;
use micrograd::tape::{Tape, VectorTape};

type Function = fn(&Value) -> Value;

/// The value and the derivative of a function of one number.
fn value_and_gradient(f: impl Fn(&Value) -> Value, x: f64) -> (f64, f64) {
    let x = Value::new(x);
    let y = f(&x);
    y.backward();
    (y.data(), x.grad())
}

#[test]
fn every_operator_takes_values_references_and_constants_on_either_side() {
    let (x, y) = (Value::new(6.0), Value::new(2.0));
    let owned = || (x.clone(), y.clone());
    macro_rules! check {
        ($operator:tt, $assign:tt, $expected:expr) => {
            let (a, b) = owned();
            for result in [
                a.clone() $operator b.clone(), a.clone() $operator &b, &a $operator b.clone(),
                &a $operator &b, a.clone() $operator 2.0, &a $operator 2.0,
                6.0 $operator b.clone(), 6.0 $operator &b,
            ] {
                assert_eq!(result.data(), $expected);
                // The gradients add up, and the totals are checked below. Each combination of nodes
                // and constants is compared with finite differences in `src/engine/tests.rs`.
                result.backward();
            }
            for assign in [
                |mut a: Value, b: Value| { a $assign b; a },
                |mut a: Value, b: Value| { a $assign &b; a },
                |mut a: Value, _: Value| { a $assign 2.0; a },
            ] {
                assert_eq!(assign(a.clone(), b.clone()).data(), $expected);
            }
        };
    }
    check!(+, +=, 8.0);
    check!(-, -=, 4.0);
    check!(*, *=, 12.0);
    check!(/, /=, 3.0);
    assert_eq!((-&x).data(), -6.0);
    assert_eq!((-x.clone()).data(), -6.0);

    // x is a node in six of the eight forms, and so is y. The four terms are for +, -, * and /.
    assert_eq!(x.grad(), 6.0 + 6.0 + 6.0 * 2.0 + 6.0 / 2.0);
    assert_eq!(y.grad(), 6.0 - 6.0 + 6.0 * 6.0 - 6.0 * 6.0 / 4.0);
}

#[test]
fn functions_of_two_arguments_take_values_references_and_constants() {
    let (x, y) = (Value::new(3.0), Value::new(4.0));
    assert_eq!(x.hypot(&y).data(), 5.0);
    assert_eq!(x.hypot(y.clone()).data(), 5.0);
    assert_eq!(x.hypot(4.0).data(), 5.0);
    assert_eq!(x.pow(&y).data(), 81.0);
    assert_eq!(x.max(&y).data(), 4.0);
    assert_eq!(x.min(2.0).data(), 2.0);
    assert_eq!(x.atan2(&y).data(), 3.0_f64.atan2(4.0));
}

#[test]
fn a_second_backward_adds_the_same_to_leaves_and_restarts_inner_gradients() {
    let x = Value::new(3.0);
    let inner = &x * &x;
    let y = &inner * 2.0;
    y.backward();
    assert_eq!((x.grad(), inner.grad(), y.grad()), (12.0, 2.0, 1.0));
    y.backward();
    assert_eq!((x.grad(), inner.grad(), y.grad()), (24.0, 2.0, 1.0));
    x.zero_grad();
    y.backward();
    assert_eq!((x.grad(), inner.grad(), y.grad()), (12.0, 2.0, 1.0));
}

#[test]
fn backward_from_an_inner_node_starts_there() {
    let x = Value::new(3.0);
    let inner = &x * &x;
    let y = &inner * 2.0;
    y.backward();
    inner.backward();
    assert_eq!((x.grad(), inner.grad()), (12.0 + 6.0, 1.0));
}

#[test]
fn backward_from_a_leaf_adds_one() {
    let x = Value::new(3.0);
    x.backward();
    x.backward();
    assert_eq!(x.grad(), 2.0);
}

#[test]
fn a_diamond_adds_up_all_paths() {
    let a = Value::new(1.0);
    let b = &a + &a;
    let c = &b + &b;
    c.backward();
    assert_eq!(a.grad(), 4.0);
}

#[test]
fn a_node_passes_its_gradient_on_only_when_it_is_complete() {
    // A long path and a short one, in both orders of the operands.
    for swap in [false, true] {
        let x = Value::new(2.0);
        let shared = &x * 3.0;
        let long = (((&shared + 1.0) * 2.0) - 5.0) * &shared;
        let y = if swap {
            &shared * &long
        } else {
            &long * &shared
        };
        y.backward();
        // y = s²(2s - 3), s = 3x: dy/dx = 3(6s² - 6s)
        assert_eq!(x.grad(), 3.0 * (6.0 * 36.0 - 36.0));
    }
}

#[test]
fn each_use_of_an_operand_counts() {
    let cases: [(&str, Function, f64); 7] = [
        ("x * x", |x| x * x, 6.0),
        ("x / x", |x| x / x, 0.0),
        ("x - x", |x| x - x, 0.0),
        ("x^x", |x| x.pow(x), 27.0 * (3.0_f64.ln() + 1.0)),
        ("max(x, x)", |x| x.max(x), 1.0),
        ("[x, x, x] summed", |x| [x, x, x].into_iter().sum(), 3.0),
        (
            "x · x by dot",
            |x| Value::dot(slice::from_ref(x), slice::from_ref(x)),
            6.0,
        ),
    ];
    for (name, f, gradient) in cases {
        let (_, grad) = value_and_gradient(f, 3.0);
        assert!((grad - gradient).abs() < 1e-13, "{name}: {grad}");
    }
}

#[test]
fn assignment_leaves_older_handles_alone() {
    let x = Value::new(2.0).with_name("x");
    let mut y = x.clone();
    y += 1.0;
    y *= &x;
    assert_eq!((x.data(), y.data()), (2.0, 6.0));
    assert_eq!((x.name().as_deref(), y.name()), (Some("x"), None));
    assert!(!x.same_node(&y));
    y.backward();
    assert_eq!(x.grad(), 5.0);
}

#[test]
fn a_clone_is_the_same_node() {
    let x = Value::new(2.0);
    let also_x = x.clone();
    also_x.set_data(5.0);
    assert!(x.same_node(&also_x));
    assert_eq!(x.data(), 5.0);
    assert!(!x.same_node(&Value::new(5.0)));
}

#[test]
fn constants_are_not_nodes() {
    let x = Value::new(2.0);
    let y = 3.0 * &x + 1.0;
    y.backward();
    assert_eq!(x.grad(), 3.0);
    assert!(y.tree().to_string().contains("── 3\n"));
}

#[test]
fn kinks_ties_powers_and_nan_follow_the_conventions() {
    const NAN: f64 = f64::NAN;
    const INFINITY: f64 = f64::INFINITY;
    type Case = (&'static str, Function, f64, f64, f64);
    let cases: [Case; 42] = [
        // expression, x, its value, its gradient
        ("relu", Value::relu, 0.0, 0.0, 0.0),
        ("relu", Value::relu, -0.0, 0.0, 0.0),
        ("relu", Value::relu, -2.0, 0.0, 0.0),
        ("relu", Value::relu, 2.0, 2.0, 1.0),
        ("relu · ∞", |x| x.relu() * INFINITY, -1.0, NAN, 0.0),
        ("leaky_relu", |x| x.leaky_relu(0.1), 0.0, 0.0, 0.1),
        ("leaky_relu", |x| x.leaky_relu(0.5), -2.0, -1.0, 0.5),
        ("elu", |x| x.elu(2.0), 0.0, 0.0, 2.0),
        ("elu", |x| x.elu(2.0), 1000.0, 1000.0, 1.0),
        ("abs", Value::abs, 0.0, 0.0, 0.0),
        ("abs", Value::abs, -3.0, 3.0, -1.0),
        ("max with a tie", |x| x.max(1.0), 1.0, 1.0, 0.5),
        ("min with a tie", |x| x.min(1.0), 1.0, 1.0, 0.5),
        (
            "max, not taken",
            |x| x.max(2.0) * INFINITY,
            1.0,
            INFINITY,
            0.0,
        ),
        ("max of NaN", |x| x.max(NAN), 1.0, NAN, 1.0),
        ("min of NaN", |x| Value::new(NAN).min(x), 1.0, NAN, 1.0),
        ("x^0", |x| x.pow(0.0), 0.0, 1.0, 0.0),
        ("x^0", |x| x.pow(0.0), -3.0, 1.0, 0.0),
        ("x^0", |x| x.pow(0.0), INFINITY, 1.0, 0.0),
        ("x^1", |x| x.pow(1.0), 0.0, 0.0, 1.0),
        ("x^2", |x| x.pow(2.0), 0.0, 0.0, 0.0),
        ("x^2", |x| x.pow(2.0), -3.0, 9.0, -6.0),
        ("x^3", |x| x.pow(3.0), -2.0, -8.0, 12.0),
        ("x^-1", |x| x.pow(-1.0), -2.0, -0.5, -0.25),
        ("x^½", |x| x.pow(0.5), 0.0, 0.0, INFINITY),
        ("x^½", |x| x.pow(0.5), -1.0, NAN, NAN),
        ("sqrt", Value::sqrt, 0.0, 0.0, INFINITY),
        ("0^x", |x| Value::new(0.0).pow(x), 2.0, 0.0, 0.0),
        ("0^x", |x| Value::new(0.0).pow(x), 0.0, 1.0, 0.0),
        ("0^x", |x| Value::new(0.0).pow(x), -1.0, INFINITY, -INFINITY),
        ("(-2)^x", |x| Value::new(-2.0).pow(x), 2.0, 4.0, NAN),
        ("ln", Value::ln, -1.0, NAN, -1.0),
        ("ln", Value::ln, 0.0, -INFINITY, INFINITY),
        ("asin", Value::asin, 2.0, NAN, NAN),
        ("tanh", Value::tanh, 1000.0, 1.0, 0.0),
        ("tanh", Value::tanh, -1000.0, -1.0, 0.0),
        ("sigmoid", Value::sigmoid, 1000.0, 1.0, 0.0),
        ("sigmoid", Value::sigmoid, -1000.0, 0.0, 0.0),
        ("softplus", Value::softplus, 1000.0, 1000.0, 1.0),
        ("softplus", Value::softplus, -1000.0, 0.0, 0.0),
        ("silu", Value::silu, -1000.0, 0.0, 0.0),
        ("1 / x", |x| 1.0 / x, 0.0, INFINITY, -INFINITY),
    ];
    let same = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan();
    for (name, f, x, value, gradient) in cases {
        let ours = value_and_gradient(f, x);
        assert!(
            same(ours.0, value) && same(ours.1, gradient),
            "{name} at {x}: {ours:?} instead of {:?}",
            (value, gradient)
        );
    }
}

#[test]
fn gelu_keeps_its_precision_in_the_tail() {
    // mpmath, 50 digits: -6 · erfc(6 / √2) / 2
    let (value, _) = value_and_gradient(Value::gelu, -6.0);
    assert!(
        (value / -5.919_525_870_226_189e-9 - 1.0).abs() < 1e-12,
        "{value}"
    );
}

#[test]
fn sums_and_products_have_gradients_and_are_neutral_when_empty() {
    let xs = [2.0, 3.0, 4.0].map(Value::new);
    let sum: Value = xs.iter().sum();
    let product: Value = xs.iter().cloned().product();
    (&sum + &product).backward();
    assert_eq!((sum.data(), product.data()), (9.0, 24.0));
    assert_eq!(xs.each_ref().map(Value::grad), [13.0, 9.0, 7.0]);

    assert_eq!(Vec::<Value>::new().into_iter().sum::<Value>().data(), 0.0);
    assert_eq!([].iter().product::<Value>().data(), 1.0);
    assert_eq!(Value::dot(&[], &[]).data(), 0.0);
    for empty in [[].iter().sum::<Value>(), Value::dot(&[], &[])] {
        empty.backward();
        empty.backward();
        assert_eq!(empty.grad(), 2.0, "a leaf accumulates");
    }
}

#[test]
fn a_zero_factor_receives_the_product_of_the_others() {
    let xs = [0.0, 3.0, 4.0].map(Value::new);
    xs.iter().product::<Value>().backward();
    assert_eq!(xs.each_ref().map(Value::grad), [12.0, 0.0, 0.0]);
}

#[test]
fn a_weighted_sum_has_the_gradients_of_its_products() {
    let weights = [2.0, -3.0, 0.5].map(Value::new);
    let inputs = [1.5, 4.0, -1.0].map(Value::new);
    let dot = Value::dot(&weights, &inputs);
    (&dot * &dot).backward();
    assert_eq!(dot.data(), 2.0 * 1.5 - 3.0 * 4.0 - 0.5);
    for (w, x) in weights.iter().zip(&inputs) {
        assert_eq!(w.grad(), 2.0 * dot.data() * x.data());
        assert_eq!(x.grad(), 2.0 * dot.data() * w.data());
    }
}

#[test]
fn operands_of_a_weighted_sum_wait_for_all_of_their_users() {
    let x = Value::new(2.0);
    let squares = [&x * &x, &x * 3.0];
    let dot = Value::dot(&squares, &squares);
    (&dot + &squares[0]).backward();
    // x⁴ + 9x² + x²
    assert_eq!(x.grad(), 4.0 * 8.0 + 20.0 * 2.0);
}

#[test]
fn a_weighted_sum_with_upstream_gradient_0_passes_down_nan_only_where_an_operand_is_infinite() {
    for (operand, expected) in [(3.0, 0.0), (f64::INFINITY, f64::NAN)] {
        let (w, x) = (Value::new(operand), Value::new(1.0));
        let dot = Value::dot(slice::from_ref(&w), slice::from_ref(&x));
        (dot * 0.0).backward();
        assert_eq!(x.grad().is_nan(), expected.is_nan());
        assert_eq!(w.grad(), 0.0);
    }
}

#[test]
fn a_weighted_sum_reads_what_its_operands_hold_at_the_backward_pass() {
    let (w, x) = (Value::new(2.0), Value::new(3.0));
    let dot = Value::dot(slice::from_ref(&w), slice::from_ref(&x));
    x.set_data(5.0);
    dot.backward();
    assert_eq!(w.grad(), 5.0);
}

#[test]
fn guards_do_not_prevent_reading() {
    let (a, b) = (Value::new(2.0), Value::new(3.0));
    let guard = a.borrow();
    let sum = &a + &b;
    assert_eq!(guard.data + b.data(), sum.data());
    assert_eq!(sum.tree().to_string().lines().count(), 3);
    drop(guard);

    a.borrow_mut().data = 7.0;
    b.borrow_mut().grad = 1.5;
    assert_eq!((a.data(), b.grad()), (7.0, 1.5));
}

#[test]
fn a_guard_stops_a_backward_pass_before_it_changes_a_leaf() {
    let (a, b) = (Value::new(2.0), Value::new(3.0));
    let inner = &b * &b;
    // The guarded node comes last, after the lists and inner nodes have been counted.
    let y = Value::dot(&[inner.clone(), &inner * 2.0], &[b.clone(), a.clone()]) + &inner;
    let guard = a.borrow();
    let expected_line = line!() + 1;
    let (message, line) = panic_of(|| y.backward());
    assert!(
        message.contains("a guard of one of them is alive"),
        "{message}"
    );
    assert_eq!(line, expected_line);
    drop(guard);
    assert_eq!((a.grad(), b.grad()), (0.0, 0.0));

    // y = b²·b + 2b²·a + b²
    y.backward();
    assert_eq!(a.grad(), 2.0 * 9.0);
    assert_eq!(b.grad(), 3.0 * 9.0 + 4.0 * 3.0 * 2.0 + 2.0 * 3.0);
}

#[test]
fn debug_does_not_panic_under_a_guard() {
    let x = Value::new(2.0);
    let guard = x.borrow_mut();
    assert_eq!(format!("{x:?}"), "Value(<borrowed>)");
    drop(guard);
}

#[test]
fn reading_under_a_mutable_guard_is_reported_at_the_callers_line() {
    let x = Value::new(2.0);
    let guard = x.borrow_mut();
    let line = line!();
    let lines = [
        panic_of(|| assert!(x.data() > 0.0)).1,
        panic_of(|| drop(&x + 1.0)).1,
        panic_of(|| drop(x.tanh())).1,
        panic_of(|| x.set_data(1.0)).1,
        panic_of(|| x.zero_grad()).1,
    ];
    drop(guard);
    assert_eq!(lines, [line + 2, line + 3, line + 4, line + 5, line + 6]);
}

#[test]
fn terms_are_added_from_left_to_right() {
    let terms = [1e16, 1.0, -1e16, 1.0].map(Value::new);
    let ones = [1.0; 4].map(Value::new);
    assert_eq!(terms.iter().sum::<Value>().data(), 1.0);
    assert_eq!(Value::dot(&terms, &ones).data(), 1.0);
}

#[test]
fn a_mistake_is_reported_at_the_callers_line() {
    let xs = [1.0, 2.0, 3.0].map(Value::new);
    let expected_line = line!() + 1;
    let (message, line) = panic_of(|| drop(Value::dot(&xs, &xs[..2])));
    assert!(
        message.contains("as many weights as inputs, not 3 and 2"),
        "{message}"
    );
    assert_eq!(line, expected_line);
}

#[test]
fn values_convert_print_and_default() {
    let x = Value::from(2.5);
    assert_eq!(format!("{x:?}"), "Value(data=2.5, grad=0)");
    assert_eq!(format!("{:?}", Value::new(2.0)), "Value(data=2, grad=0)");
    assert_eq!(format!("{x:.2?}"), "Value(data=2.50, grad=0.00)");
    assert_eq!(format!("{x}, {x:.3}, {x:>6}"), "2.5, 2.500,    2.5");
    assert_eq!(Value::default().data(), 0.0);
    assert_eq!(x.name(), None);
    let named = x.with_name("x").with_name(String::from("renamed"));
    assert_eq!(named.name().as_deref(), Some("renamed"));
}

#[test]
fn a_chain_of_a_million_operations_needs_no_stack() {
    on_a_small_stack(|| {
        let x = Value::new(1.0);
        let mut y = x.clone();
        for _ in 0..500_000 {
            y = (y + 1.0) - &x;
        }
        y.backward();
        assert_eq!(x.grad(), 1.0 - 500_000.0);
        assert!(
            y.tree()
                .to_string()
                .ends_with("data = 1.000, grad = -499999.000")
        );
    });
}

#[test]
fn a_chain_of_weighted_sums_needs_no_stack() {
    on_a_small_stack(|| {
        let x = Value::new(1.0);
        let mut y = x.clone();
        for _ in 0..100_000 {
            y = Value::dot(&[y], &[Value::new(1.0)]);
            y = [y].into_iter().sum();
        }
        y.backward();
        assert_eq!(x.grad(), 1.0);
    });
}

type OfXAndRoot = fn(&Value, Value) -> Value;

#[test]
fn no_gradient_reaches_a_detached_value_or_a_condition() {
    let cases: [(&str, OfXAndRoot); 6] = [
        ("detach", |x, root| root.detach() + 2.0 * x),
        ("at_most", |x, root| root.at_most(x) + 2.0 * x),
        ("equals", |x, root| root.equals(1.0) + 2.0 * x),
        ("when", |x, root| (2.0 * x).when(root + 1.0)),
        ("unless", |x, root| (2.0 * x).unless(root)),
        ("a condition below", |x, root| {
            (2.0 * x).when(root.at_most(1.0))
        }),
    ];
    // The root has an infinite slope at 0.
    for (what, function) in cases {
        let x = Value::new(0.0);
        let y = function(&x, x.sqrt());
        y.backward();
        assert_eq!(x.grad(), 2.0, "{what}");
        let gradient = y.gradient(slice::from_ref(&x));
        assert_eq!(gradient[0].data(), 2.0, "{what}");

        let w = Value::new(0.0);
        let tape = Tape::record(slice::from_ref(&x), &y);
        assert_eq!(tape.gradient(&[0.0]), (y.data(), vec![2.0]), "{what}");
        let by_parameter = function(&w, w.sqrt()) + &x;
        let tape = Tape::record(slice::from_ref(&x), &by_parameter);
        tape.backward(&[[0.0], [1.0]]);
        assert_eq!(w.grad(), 2.0, "{what}");
        w.zero_grad();
        let of_both = function(&(&w + &x), (&w + &x).sqrt());
        let tape = Tape::record(slice::from_ref(&x), &of_both);
        tape.backward(&[[0.0]; 40]);
        assert!((w.grad() - 2.0).abs() < 1e-12, "{what}: {}", w.grad());
        let tape = VectorTape::record(slice::from_ref(&x), &[of_both, &x * 3.0]);
        assert_eq!(tape.jacobian(&[0.0]).1, [[2.0], [3.0]], "{what}");
    }
}

#[test]
fn a_detached_value_is_recomputed_for_every_row_of_a_tape() {
    let x = Value::new(1.0);
    let tape = Tape::record(slice::from_ref(&x), &(x.exp().detach() * &x));
    assert_eq!(
        tape.gradient(&[2.0]),
        (2.0 * 2.0_f64.exp(), vec![2.0_f64.exp()])
    );
    assert_eq!(x.detach().data(), 1.0);
    assert!(
        x.detach()
            .tree()
            .to_string()
            .starts_with("detach data = 1.000")
    );
}

#[test]
fn a_chain_of_detached_values_is_freed_without_recursion() {
    on_a_small_stack(|| drop((0..1_000_000).fold(Value::new(1.0), |x, _| x.detach())));
}

#[test]
fn integer_powers_and_logarithms_to_any_base_agree_with_f64() {
    for number in [0.3, 1.0, 2.5, 7.0] {
        for n in [-3, -2, -1, 0, 1, 2, 3, 7] {
            let (value, slope) = value_and_gradient(|x| x.powi(n), number);
            assert!((value / number.powi(n) - 1.0).abs() < 1e-15, "{number}^{n}");
            let expected = f64::from(n) * number.powi(n - 1);
            assert!(
                (slope - expected).abs() <= 1e-14 * expected.abs(),
                "{number}^{n}"
            );
        }
        for base in [0.5, 2.0, 10.0] {
            let (value, slope) = value_and_gradient(|x| x.log(base), number);
            assert_eq!(value, number.log(base));
            assert!((slope * number * base.ln() - 1.0).abs() < 1e-15);
            let (value, slope) = value_and_gradient(|b| Value::new(number).log(b), base);
            assert_eq!(value, number.log(base));
            let expected = -number.ln() / (base * base.ln() * base.ln());
            assert!(
                (slope - expected).abs() <= 1e-14 * expected.abs(),
                "{slope}"
            );
        }
    }
    assert_eq!(value_and_gradient(|x| x.powi(3), -2.0), (-8.0, 12.0));
}

#[test]
fn a_clamp_passes_the_gradient_at_and_between_its_bounds() {
    for (number, value, slope) in [
        (-2.0, -1.0, 0.0),
        (-1.0, -1.0, 1.0),
        (0.5, 0.5, 1.0),
        (2.0, 2.0, 1.0),
        (3.0, 2.0, 0.0),
        (f64::INFINITY, 2.0, 0.0),
        (f64::NEG_INFINITY, -1.0, 0.0),
    ] {
        assert_eq!(
            value_and_gradient(|x| x.clamp(-1.0, 2.0), number),
            (value, slope)
        );
    }
    assert!(Value::new(f64::NAN).clamp(-1.0, 2.0).data().is_nan());
    assert_eq!(value_and_gradient(|x| x.clamp(1.0, 1.0), 1.0), (1.0, 1.0));
    // The dropped side may have an infinite slope.
    assert_eq!(
        value_and_gradient(|x| x.clamp_max(1.0).sqrt(), 4.0),
        (1.0, 0.0)
    );
    assert_eq!(
        value_and_gradient(|x| x.sqrt().clamp_min(-1.0), 0.0).1,
        f64::INFINITY
    );
}

#[test]
fn bounds_out_of_order_are_refused_at_the_callers_line() {
    let x = Value::new(0.0);
    for (lo, hi) in [(1.0, -1.0), (f64::NAN, 1.0), (0.0, f64::NAN)] {
        let line = line!() + 1;
        let (message, at) = panic_of(|| drop(x.clamp(lo, hi)));
        assert_eq!(
            message,
            format!("a clamp needs bounds in order, not {lo} and {hi}")
        );
        assert_eq!(at, line);
    }
}

#[test]
fn step_functions_agree_with_f64_and_pass_no_gradient() {
    type Pair = (Function, fn(f64) -> f64);
    let steps: [Pair; 6] = [
        (Value::floor, f64::floor),
        (Value::ceil, f64::ceil),
        (Value::round, f64::round),
        (Value::round_ties_even, f64::round_ties_even),
        (Value::trunc, f64::trunc),
        (Value::signum, |x| if x == 0.0 { 0.0 } else { x.signum() }),
    ];
    for number in [
        -2.5,
        -1.5,
        -0.5,
        -0.3,
        0.0,
        0.5,
        1.0,
        2.5,
        1e300,
        f64::INFINITY,
    ] {
        for (step, of_f64) in steps {
            assert_eq!(value_and_gradient(step, number), (of_f64(number), 0.0));
            // Not even a 0 is passed down: the slope of the root would turn it into NaN.
            let (_, slope) = value_and_gradient(|x| step(&x.sqrt()) + x, number);
            assert_eq!(slope, 1.0);
        }
    }
    let signs = [0.0, -0.0].map(|zero| Value::new(zero).signum().data().to_bits());
    assert_eq!(signs, [0, 0]);
}

#[test]
fn backward_adds_to_a_gradient_that_was_set() {
    let x = Value::new(3.0);
    x.set_grad(5.0);
    (&x * 2.0).backward();
    assert_eq!((x.data(), x.grad()), (3.0, 7.0));
    let guard = x.borrow();
    let line = line!() + 1;
    assert_eq!(panic_of(|| x.set_grad(1.0)).1, line);
    drop(guard);
}
