//! The contests: which contenders do which piece of work.

use crate::contest::{Contender, Contest, Role};
use crate::handwritten::{self, Dense, PerRow, Skipping, Training};
use crate::micrograd_side;
use crate::peers::{echidna, reverse, rustygrad};
use crate::work::{Moons, Trainer};

use Role::{HandWritten, Micrograd, Peer};

/// The program of the README: build, backward, read, free.
pub fn readme_program() -> Contest {
    Contest::new(
        "README program",
        ("program", 1),
        vec![
            Contender::new(HandWritten, "hand-written", handwritten::readme_program),
            Contender::new(Micrograd, "micrograd", micrograd_side::readme_program),
            Contender::new(
                Peer,
                "echidna bytecode replay",
                echidna::readme_program_replayed(),
            ),
            Contender::new(Peer, "echidna tape", echidna::readme_program_on_tape),
            Contender::new(Peer, "reverse", reverse::readme_program),
            Contender::new(Peer, "rustygrad", rustygrad::readme_program),
        ],
    )
}

/// Episodes of `steps` training steps on the moons.
pub fn moons_step(steps: usize) -> Contest {
    let moons = Moons::new();
    let dense = Training::new(moons.clone(), Dense::new());
    let per_row = Training::new(moons.clone(), PerRow);
    let skipping = Training::new(moons.clone(), Skipping);
    let eager = micrograd_side::Eager::new(moons.clone());
    let replayed = echidna::network_replayed(moons.clone());
    let on_tape = echidna::network_on_tape(moons.clone());
    Contest::new(
        "Moons step: MLP 2-16-16-1, full batch of 100, hinge loss + L2, SGD",
        ("step", steps),
        vec![
            episodes(
                HandWritten,
                "hand-written, dense over the batch",
                dense,
                steps,
            ),
            episodes(HandWritten, "hand-written, row by row", per_row, steps),
            episodes(
                HandWritten,
                "hand-written, skipping dead ReLUs",
                skipping,
                steps,
            ),
            episodes(Micrograd, "micrograd", eager, steps),
            episodes(Peer, "echidna bytecode replay", replayed, steps),
            episodes(Peer, "echidna tape", on_tape, steps),
            episodes(Peer, "reverse", reverse::network(moons.clone()), steps),
            episodes(Peer, "rustygrad", rustygrad::Network::new(moons), steps),
        ],
    )
}

fn episodes(
    role: Role,
    name: &'static str,
    mut trainer: impl Trainer + 'static,
    steps: usize,
) -> Contender {
    Contender::new(role, name, move || trainer.episode(steps))
}

/// A chain of `length` dependent operations, without rustygrad.
pub fn chain(length: usize) -> Contest {
    chain_of(length, Vec::new())
}

/// A chain of `length` dependent operations, with rustygrad on a deep stack.
pub fn chain_with_rustygrad(length: usize) -> Contest {
    let run = move || rustygrad::chain(length);
    chain_of(
        length,
        vec![Contender::on_deep_stack(Peer, "rustygrad", run)],
    )
}

fn chain_of(length: usize, others: Vec<Contender>) -> Contest {
    let by_hand = move || handwritten::chain(length);
    let eager = move || micrograd_side::chain(length);
    let replayed = echidna::chain_replayed(length);
    let on_tape = move || echidna::chain_on_tape(length);
    let mut contenders = vec![
        Contender::new(HandWritten, "hand-written", by_hand),
        Contender::new(Micrograd, "micrograd", eager),
        Contender::new(Peer, "echidna bytecode replay", replayed),
        Contender::new(Peer, "echidna tape", on_tape),
        Contender::new(Peer, "reverse", move || reverse::chain(length)),
    ];
    contenders.extend(others);
    let title = format!("Chain of {length} dependent operations");
    Contest::new(title, ("operation", length), contenders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Disagreement;

    #[test]
    fn the_program_computes_what_the_readme_says() {
        let results = micrograd_side::readme_program().map(|x| format!("{x:.4}"));
        assert_eq!(results, ["24.7041", "138.8338", "645.5773"]);
    }

    #[test]
    fn everyone_agrees_on_the_program() -> Result<(), Disagreement> {
        readme_program().check()
    }

    #[test]
    fn everyone_agrees_on_the_moons() -> Result<(), Disagreement> {
        moons_step(3).check()
    }

    #[test]
    fn everyone_agrees_on_a_chain() -> Result<(), Disagreement> {
        chain_with_rustygrad(1_001).check()
    }
}
