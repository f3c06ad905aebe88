//! An evaluator of a frozen tape allocates its results, and nothing else.

use std::alloc::System;
use std::hint::black_box;

use micrograd::nn::MLP;
use micrograd::tape::{Tape, VectorTape};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often `work` allocates after a first run.
fn allocations<T>(mut work: impl FnMut() -> T) -> usize {
    drop(work());
    let region = Region::new(HEAP);
    let result = black_box(work());
    let change = region.change();
    drop(result);
    change.allocations + change.reallocations
}

#[test]
fn an_evaluator_allocates_only_its_results() {
    let model = MLP::new(3, &[8, 2], &mut micrograd::rng(0));
    let tape = Tape::trace(|[x, y, z]| model.forward(&[x, y, z]).remove(0));
    let vectors = VectorTape::trace(|[x, y, z]| model.forward(&[x, y, z]));
    let mut evaluator = tape.freeze().evaluator();
    let mut vector_evaluator = vectors.freeze().evaluator();
    let rows: Vec<_> = (0..101).map(|i| [0.1 * f64::from(i), 0.5, -1.0]).collect();
    let row = rows[7];
    // One for each list, inner lists included.
    assert_eq!(allocations(|| evaluator.forward(&rows)), 1);
    assert_eq!(allocations(|| evaluator.gradient(&row)), 1);
    assert_eq!(allocations(|| evaluator.gradients(&rows)), 1 + 101);
    assert_eq!(allocations(|| vector_evaluator.jacobian(&row)), 2 + 2);
}
