//! micrograd alone, to follow its speed from change to change.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use micrograd_benches::micrograd_side as micrograd;

const LENGTH: usize = 1_000_000;

fn engine(criterion: &mut Criterion) {
    follow(criterion, "readme program", micrograd::readme_program);
    follow(criterion, "moons, 20 steps", micrograd::moons());
    follow(criterion, "digits, 20 steps", micrograd::digits());
    follow(
        criterion,
        "chain of 10^6 operations",
        micrograd::chain(LENGTH),
    );
}

fn tape(criterion: &mut Criterion) {
    let program = micrograd::readme_program_on_tape();
    follow(criterion, "tape: readme program", program);
    let by_rows = micrograd::program_by_rows_on_tape();
    follow(criterion, "tape: readme program, 1000 rows", by_rows);
    follow(
        criterion,
        "tape: moons, 20 steps",
        micrograd::moons_on_tape(),
    );
    follow(
        criterion,
        "tape: digits, 20 steps",
        micrograd::digits_on_tape(),
    );
    let chain = micrograd::chain_on_tape(LENGTH);
    follow(criterion, "tape: chain of 10^6 operations", chain);
    let (row, loss) = micrograd::moons_loss_of_a_row();
    let record = micrograd::recording(row, loss);
    follow(criterion, "tape: recording of a row of the moons", record);
}

fn follow<T>(criterion: &mut Criterion, name: &str, mut work: impl FnMut() -> T) {
    criterion.bench_function(name, |bencher| bencher.iter(|| black_box(work())));
}

criterion_group!(benches, engine, tape);
criterion_main!(benches);
