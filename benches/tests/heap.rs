//! How much heap a graph and a tape take.
//!
//! The counting allocator is in this test only, because it would slow down the benchmarks. It
//! counts all threads together, so the tests take turns.

use std::alloc::System;
use std::sync::{Mutex, MutexGuard};

use micrograd::engine::Value;
use micrograd::nn::{MLP, Module};
use micrograd_benches::micrograd_side::moons;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

static TURN: Mutex<()> = Mutex::new(());

const OPERATIONS: usize = 1_000_000;
/// The storage of constants is included.
const BYTES_PER_OPERATION: f64 = if cfg!(feature = "locations") {
    96.0
} else {
    88.0
};

/// The sizes of two batches, each of which is cut into 64 parts, the most that there can be.
const ROWS: [usize; 2] = [64 * 672, 64 * 1024];

#[test]
fn an_operation_takes_few_bytes() {
    let _turn = turn();
    let start = Value::new(1.0);
    let link = |x, index| if index % 2 == 0 { x * 0.5 } else { x + &start };
    let (graph, change) = counted(|| (0..OPERATIONS).fold(start.clone(), link));
    drop(graph);

    let bytes = change.bytes_allocated - change.bytes_deallocated;
    let per_operation = bytes as f64 / OPERATIONS as f64;
    println!("{per_operation:.1} bytes of heap per scalar operation");
    // The test harness may allocate at the same time.
    assert!(per_operation < BYTES_PER_OPERATION + 0.01);
}

#[test]
fn a_graph_frees_all_that_it_allocated() {
    let _turn = turn();
    // The test harness may allocate at the same time, but not in every attempt.
    let gives_back_all = |_| {
        let ((), change) = counted(train_once);
        assert!(change.bytes_allocated > 0);
        change.bytes_allocated == change.bytes_deallocated
    };
    assert!((0..10).any(gives_back_all));
}

#[test]
fn a_replay_allocates_nothing_per_row_and_keeps_nothing() {
    let _turn = turn();
    let takes_the_same = |_| {
        let [few, many] = on_one_thread(|| {
            let [few, many] = ROWS.map(moons);
            let tape = many.tape();
            few.replay(&tape); // allocates what later replays reuse
            [few, many].map(|training| counted(|| training.replay(&tape)).1)
        });
        println!("{} bytes of heap in a replay", many.bytes_allocated);
        few.bytes_allocated == many.bytes_allocated
            && many.bytes_allocated == many.bytes_deallocated
    };
    assert!((0..10).any(takes_the_same));
}

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().expect("no test has failed")
}

fn counted<T>(work: impl FnOnce() -> T) -> (T, Stats) {
    let region = Region::new(COUNTING);
    let result = work();
    (result, region.change())
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

/// With several threads, the share of work that each takes would vary.
fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    #[cfg(feature = "rayon")]
    let work = || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
        pool.build().expect("a thread").install(work)
    };
    work()
}
