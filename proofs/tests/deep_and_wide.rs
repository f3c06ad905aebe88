//! Graphs as deep and as wide as they come, on a stack of 256 KiB: nothing recurses, and all memory
//! is freed.
//!
//! This is a single test, because the allocator counts for the whole process.

#[path = "../../tests/common/panics.rs"]
mod panics;
#[path = "../../tests/common/small_stack.rs"]
mod small_stack;

use std::alloc::System;
use std::slice;

use micrograd::engine::Value;
use micrograd::tape::Tape;
use panics::panic_of;
use small_stack::on_a_small_stack;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MILLION: usize = 1_000_000;

/// A function of one leaf, and its derivative at 1.
struct Shape {
    name: &'static str,
    function: fn(&Value) -> Value,
    derivative: f64,
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "a chain",
        function: |x| (0..MILLION / 2).fold(x.clone(), |y, _| (y * 1.0) - x) + x,
        derivative: 2.0 - MILLION as f64 / 2.0,
    },
    Shape {
        name: "a chain of sums",
        function: |x| {
            (0..MILLION / 4).fold(x.clone(), |y, _| {
                let sum = [y].into_iter().sum();
                Value::dot(&[sum], slice::from_ref(x))
            })
        },
        derivative: MILLION as f64 / 4.0 + 1.0,
    },
    Shape {
        name: "a node with a million users",
        function: |x| {
            (1..=MILLION)
                .map(|i| x * i as f64)
                .reduce(|sum, y| sum + y)
                .unwrap()
        },
        derivative: (MILLION * (MILLION + 1) / 2) as f64,
    },
    Shape {
        name: "a sum of a million operands",
        function: |x| (0..MILLION).map(|_| -x).sum(),
        derivative: -(MILLION as f64),
    },
    Shape {
        name: "a weighted sum of a million operands",
        function: |x| {
            let leaves = [0.5, 1.5].map(Value::new);
            let weights: Vec<_> = leaves.iter().cycle().take(MILLION).cloned().collect();
            Value::dot(&weights, &vec![x.clone(); MILLION])
        },
        derivative: MILLION as f64,
    },
];

/// Makes every kind of walk over a graph.
fn walk(shape: &Shape) {
    let Shape {
        name,
        function,
        derivative,
    } = shape;
    let x = Value::new(1.0).with_name("x");
    let y = function(&x);
    y.backward();
    assert_eq!(x.grad(), *derivative, "{name}");
    assert!(y.find_anomaly().is_none(), "{name}");
    let gradient = y.gradient(slice::from_ref(&x));
    assert_eq!(gradient[0].data(), *derivative, "{name}");
    let tree = y.tree().to_string();
    assert!(
        tree.contains("← x") && tree.lines().count() < 1100,
        "{name}"
    );

    let of_input = Tape::record(slice::from_ref(&x), &y);
    let of_parameter = Tape::record(&[], &y);
    assert_eq!(of_input.forward(&[[1.0]]), [y.data()], "{name}");
    assert_eq!(
        of_input.gradient(&[1.0]),
        (y.data(), vec![*derivative]),
        "{name}"
    );
    x.zero_grad();
    of_parameter.backward(&[[]]);
    assert_eq!(x.grad(), *derivative, "{name}");
    assert!(of_input.find_anomaly(&[[1.0]]).is_none(), "{name}");

    x.borrow_mut().grad = f64::INFINITY;
    let report = y.find_anomaly().unwrap().to_string();
    assert!(report.starts_with("backward pass: a gradient is inf, though"));
    let report = of_input.find_anomaly(&[[f64::NAN]]).unwrap().to_string();
    assert!(report.starts_with("row 0, forward pass: a leaf holds NaN"));
    let guard = x.borrow();
    let (message, _) = panic_of(|| y.backward());
    assert!(message.contains("a guard"), "{name}: {message}");
    drop(guard);
}

fn keep_many_graphs() {
    let x = Value::new(1.0);
    let graphs: Vec<_> = (0..10_000)
        .map(|_| (0..100).fold(x.clone(), |y, _| (y + &x).tanh()))
        .collect();
    for graph in &graphs {
        graph.backward();
    }
    let first = x.grad() / 10_000.0;
    x.zero_grad();
    graphs[5_000].backward();
    assert!((x.grad() - first).abs() < 1e-10 * first);
    let total: Value = graphs.iter().sum();
    drop(graphs);
    let gradient = total.gradient(slice::from_ref(&x))[0].data();
    assert!((gradient / 10_000.0 - first).abs() < 1e-10 * first);
}

#[test]
fn deep_and_wide_graphs_need_no_stack_and_free_all_memory() {
    on_a_small_stack(|| ()); // the first thread keeps what it allocates
    let region = Region::new(COUNTING);
    on_a_small_stack(|| SHAPES.iter().for_each(walk));
    on_a_small_stack(keep_many_graphs);
    let change = region.change();
    assert!(change.bytes_allocated > 100 * MILLION);
    // Allocations of the test harness are counted, too.
    let kept = change.bytes_allocated.abs_diff(change.bytes_deallocated);
    assert!(kept < 4096, "{kept} bytes");
}
