//! Checks that micrograd, its peers and hand-written loops compute the same, then
//! times them beside each other.

use std::process::ExitCode;

use micrograd_benches::contest::Disagreement;
use micrograd_benches::contests::{
    chain, chain_with_rustygrad, digits_forward, digits_step, moons_step, program_by_rows,
    readme_program, recordings,
};
use micrograd_benches::work::STEPS;

const ROUNDS: usize = 15;
const LENGTH: usize = 1_000_000;

fn main() -> ExitCode {
    match compare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(disagreement) => {
            eprintln!("the engines disagree. {disagreement}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> Result<(), Disagreement> {
    let mut contests = vec![
        readme_program(),
        program_by_rows(),
        moons_step(STEPS),
        digits_step(STEPS),
        digits_forward(),
        chain(LENGTH),
    ];
    contests.extend(recordings(LENGTH));
    for contest in &mut contests {
        contest.check()?;
    }
    for contest in &mut contests {
        println!("{}", contest.time(ROUNDS));
    }

    // At last, and checked when timed, for rustygrad gets a thread here, which slows
    // the allocator for everyone from then on.
    let mut deep = chain_with_rustygrad(100_000);
    let ranking = deep.time(ROUNDS);
    deep.check()?;
    println!("{ranking}");
    Ok(())
}
