//! micrograd alone, to follow its speed from change to change.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use micrograd_benches::micrograd_side as micrograd;
use micrograd_benches::work::{Digits, Moons, STEPS, Trainer};

const CHAIN_LENGTH: usize = 1_000_000;

fn engine(criterion: &mut Criterion) {
    follow(criterion, "readme program", micrograd::readme_program);

    let mut moons = micrograd::moons(Moons::new());
    follow(criterion, "moons, 20 steps", || moons.episode(STEPS));

    let mut digits = micrograd::digits(Digits::new());
    follow(criterion, "digits, 20 steps", || digits.episode(STEPS));

    follow(criterion, "chain of 10^6 operations", || {
        micrograd::chain(CHAIN_LENGTH)
    });
}

fn tape(criterion: &mut Criterion) {
    let program = micrograd::readme_program_on_tape();
    follow(criterion, "tape: readme program", program);

    let by_rows = micrograd::program_by_rows_on_tape();
    follow(criterion, "tape: readme program, 1000 rows", by_rows);

    let mut moons = micrograd::moons_on_tape(Moons::new());
    follow(criterion, "tape: moons, 20 steps", || moons.episode(STEPS));

    let mut digits = micrograd::digits_on_tape(Digits::new());
    follow(criterion, "tape: digits, 20 steps", || {
        digits.episode(STEPS)
    });

    let chain = micrograd::chain_on_tape(CHAIN_LENGTH);
    follow(criterion, "tape: chain of 10^6 operations", chain);

    let record = micrograd::moons_recording().record();
    follow(criterion, "tape: recording of a row of the moons", record);
}

fn follow<T>(criterion: &mut Criterion, name: &str, mut work: impl FnMut() -> T) {
    criterion.bench_function(name, |bencher| bencher.iter(|| black_box(work())));
}

criterion_group!(benches, engine, tape);
criterion_main!(benches);
