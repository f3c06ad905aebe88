//! How many bytes of heap one scalar operation takes, its constants included.
//!
//! The allocator that counts is in this test alone: it would slow the benchmarks.

use std::alloc::System;

use micrograd::engine::Value;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const OPERATIONS: usize = 1_000_000;
const MOST_BYTES_PER_OPERATION: f64 = if cfg!(feature = "locations") {
    96.0
} else {
    88.0
};

#[test]
fn an_operation_takes_few_bytes() {
    let start = Value::new(1.0);
    let region = Region::new(COUNTING);
    let graph = half_of_it_with_literals(&start);
    let change = region.change();
    drop(graph);

    let bytes = change.bytes_allocated - change.bytes_deallocated;
    let per_operation = bytes as f64 / OPERATIONS as f64;
    println!("{per_operation:.1} bytes of heap per scalar operation");
    // What the test harness allocates meanwhile is counted, too.
    assert!(per_operation < MOST_BYTES_PER_OPERATION + 0.01);
}

/// A graph of `OPERATIONS` nodes; every other one has a literal operand.
fn half_of_it_with_literals(start: &Value) -> Value {
    (0..OPERATIONS).fold(start.clone(), |x, index| {
        if index % 2 == 0 { x * 0.5 } else { x + start }
    })
}
