//! How much memory a tape takes: what depends on its graph, and nothing for the rows.
//!
//! The allocator that counts is in this test alone: it would slow the benchmarks.

use std::alloc::System;

use micrograd_benches::micrograd_side::record_moons;
use micrograd_benches::work::Moons;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Both are cut into as many parts as there can be, 64.
const ROWS: [usize; 2] = [64 * 672, 64 * 1024];

#[test]
fn a_replay_takes_no_memory_for_the_rows_and_keeps_none() {
    let [few, many] = on_one_thread(|| {
        let moons = Moons::many(ROWS[1]);
        let (tape, _) = record_moons(&moons);
        tape.backward(&moons.rows[..101]); // makes what is kept for the next ones
        ROWS.map(|rows| {
            let region = Region::new(COUNTING);
            tape.backward(&moons.rows[..rows]);
            region.change()
        })
    });
    println!("{} bytes of heap in a replay", many.bytes_allocated);
    assert_eq!(few.bytes_allocated, many.bytes_allocated);
    assert_eq!(many.bytes_allocated, many.bytes_deallocated);
}

/// Several would each take their part of the work, now more and now less.
#[cfg(feature = "rayon")]
fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.build().expect("a thread").install(work)
}

#[cfg(not(feature = "rayon"))]
fn on_one_thread<T>(work: impl FnOnce() -> T) -> T {
    work()
}
