//! micrograd alone, to follow its speed from change to change.

use criterion::{Criterion, criterion_group, criterion_main};
use micrograd_benches::micrograd_side::{Eager, chain, readme_program};
use micrograd_benches::work::{Moons, STEPS, Trainer};

const CHAIN_LENGTH: usize = 1_000_000;

fn engine(criterion: &mut Criterion) {
    criterion.bench_function("readme program", |bencher| bencher.iter(readme_program));

    let mut trainer = Eager::new(Moons::new());
    criterion.bench_function("moons, 20 steps", |bencher| {
        bencher.iter(|| trainer.episode(STEPS));
    });

    criterion.bench_function("chain of 10^6 operations", |bencher| {
        bencher.iter(|| chain(CHAIN_LENGTH));
    });
}

criterion_group!(benches, engine);
criterion_main!(benches);
