//! Times the tape of the moons on a large batch with one thread and with two.

use std::time::Instant;

use micrograd::engine::Value;
use micrograd_benches::median;
use micrograd_benches::micrograd_side::record_moons;
use micrograd_benches::work::Moons;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

const ROWS: usize = 100_000;
/// Replays in a round.
const REPLAYS: u32 = 10;
const ROUNDS: usize = 15;

fn main() -> Result<(), ThreadPoolBuildError> {
    let moons = Moons::many(ROWS);
    let [one, two] = [1, 2].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build());
    let pools = [one?, two?];

    let [expected, found] = [&pools[0], &pools[1]].map(|pool| gradient(pool, &moons));
    assert_eq!(expected, found, "the bits depend on the number of threads");

    let mut times = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (times, pool) in times.iter_mut().zip(&pools) {
            times.push(time(pool, &moons));
        }
    }
    let seconds = times.map(|times| median(&times));
    println!("Tape of the moons, {ROWS} rows\n");
    for (threads, seconds) in (1..).zip(seconds) {
        let (time, rate) = (seconds * 1e3, ROWS as f64 / seconds / 1e6);
        println!("threads {threads}: {time:.2} ms, {rate:.2} million rows per second");
    }
    println!("ratio {:.2}", seconds[0] / seconds[1]);
    Ok(())
}

/// The bits of the mean loss and its gradient.
fn gradient(pool: &ThreadPool, moons: &Moons) -> Vec<u64> {
    pool.install(|| {
        let (tape, parameters) = record_moons(moons);
        let loss = tape.backward(&moons.rows);
        let numbers = [loss].into_iter().chain(parameters.iter().map(Value::grad));
        numbers.map(f64::to_bits).collect()
    })
}

/// The seconds that a replay takes when several follow each other, as in training. Nodes stay
/// in their thread, so each round has a tape of its own, which a first replay warms up.
fn time(pool: &ThreadPool, moons: &Moons) -> f64 {
    pool.install(|| {
        let (tape, _) = record_moons(moons);
        tape.backward(&moons.rows);
        let start = Instant::now();
        for _ in 0..REPLAYS {
            tape.backward(&moons.rows);
        }
        start.elapsed().as_secs_f64() / f64::from(REPLAYS)
    })
}
