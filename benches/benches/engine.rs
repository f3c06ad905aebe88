//! Times micrograd alone, to track its speed from one change to the next.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use micrograd_benches::micrograd_side as ours;

const LENGTH: usize = 1_000_000;

fn all(criterion: &mut Criterion) {
    let moons = || ours::moons(ours::MOONS);
    let (row, loss) = moons().row_and_loss();
    let chain = || ours::chain(LENGTH);
    let (inputs, start) = (ours::README_INPUTS, [ours::CHAIN_START]);
    follow(criterion, "readme", ours::eager_pass(inputs, ours::program));
    follow(criterion, "moons", moons().on_the_engine());
    follow(criterion, "digits", ours::digits().on_the_engine());
    follow(criterion, "chain", ours::eager_pass(start, chain()));
    follow(
        criterion,
        "tape: readme",
        ours::replay(inputs, ours::program),
    );
    follow(criterion, "tape: moons", moons().on_a_tape());
    follow(criterion, "tape: digits", ours::digits().on_a_tape());
    follow(criterion, "tape: chain", ours::replay(start, chain()));
    follow(criterion, "recording: moons", ours::recording(row, loss));
}

fn follow<T>(criterion: &mut Criterion, name: &str, mut work: impl FnMut() -> T) {
    criterion.bench_function(name, |bencher| bencher.iter(|| black_box(work())));
}

criterion_group!(benches, all);
criterion_main!(benches);
