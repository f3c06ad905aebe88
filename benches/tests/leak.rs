//! Whether a graph gives back all the heap that it took.
//!
//! In a file of its own, because the allocator counts for all tests of a process.

use std::alloc::System;

use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_graph_gives_back_all_that_it_took() {
    // The test harness may allocate meanwhile, but not each time.
    let gives_back_all = |_| {
        let region = Region::new(COUNTING);
        train_once();
        let change = region.change();
        assert!(change.bytes_allocated > 0);
        change.bytes_allocated == change.bytes_deallocated
    };
    assert!((0..10).any(gives_back_all));
}

/// Makes nodes of every kind, some of them shared, and drops them.
fn train_once() {
    let mut rng = micrograd::rng(0);
    let model = MLP::new(2, &[4, 1], &mut rng);
    let x = Value::new(1.5).with_name("x");
    let y = (2.0 / &x - &x * &x).tanh().max(0.5) + 1.0;
    let out = model.forward(&[x.clone(), y.clone()]).remove(0);
    let terms = [out.clone(), y.clone(), out * &y];
    let sum: Value = terms.iter().sum();
    let loss = Value::dot(&[sum.clone(), x], &[y, sum]);
    loss.backward();
    model.zero_grad();
}
