//! The contests: which contenders do which piece of work.

use micrograd::engine::Value;

use crate::contest::{Contender, Contest, Role};
use crate::handwritten;
use crate::micrograd_side::{self, Recording};
use crate::peers::{echidna, reverse, rustygrad};
use crate::work::{Digits, Moons, README_ROWS, Trainer};

use Role::{HandWritten, Micrograd, Peer, Tape};

/// The program of the README: build, backward, read, free.
pub fn readme_program() -> Contest {
    let on_tape = micrograd_side::readme_program_on_tape();
    let replayed = echidna::readme_program_replayed();
    Contest::new(
        "README program",
        ("program", 1),
        vec![
            Contender::new(HandWritten, "hand-written", handwritten::readme_program),
            Contender::new(Micrograd, "micrograd", micrograd_side::readme_program),
            Contender::new(Tape, "micrograd tape", on_tape),
            Contender::new(
                Role::Source,
                "micrograd, as source code",
                micrograd_side::readme_program_by_source,
            ),
            Contender::new(Peer, "echidna bytecode replay", replayed),
            Contender::new(Peer, "echidna tape", echidna::readme_program_on_tape),
            Contender::new(Peer, "reverse", reverse::readme_program),
            Contender::new(Peer, "rustygrad", rustygrad::readme_program),
        ],
    )
}

/// The program of the README for many rows.
pub fn program_by_rows() -> Contest {
    let by_hand = handwritten::program_by_rows();
    let eager = micrograd_side::program_by_rows();
    let on_tape = micrograd_side::program_by_rows_on_tape();
    Contest::new(
        format!("README program at {README_ROWS} rows"),
        ("row", README_ROWS),
        vec![
            Contender::new(HandWritten, "hand-written", by_hand),
            Contender::new(Micrograd, "micrograd", eager),
            Contender::new(Tape, "micrograd tape", on_tape),
        ],
    )
}

/// Episodes of `steps` training steps on the moons.
pub fn moons_step(steps: usize) -> Contest {
    use handwritten::moons::{Dense, PerRow, Skipping, Training};
    let moons = Moons::new();
    let dense = Training::new(moons.clone(), Dense::new());
    let per_row = Training::new(moons.clone(), PerRow);
    let skipping = Training::new(moons.clone(), Skipping);
    let eager = micrograd_side::moons(moons.clone());
    let on_tape = micrograd_side::moons_on_tape(moons.clone());
    let replayed = echidna::network_replayed(moons.clone());
    let on_echidna_tape = echidna::network_on_tape(moons.clone());
    let reverse = reverse::network(moons.clone());
    let rustygrad = rustygrad::Network::new(moons);
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
            episodes(Tape, "micrograd tape", on_tape, steps),
            episodes(Peer, "echidna bytecode replay", replayed, steps),
            episodes(Peer, "echidna tape", on_echidna_tape, steps),
            episodes(Peer, "reverse", reverse, steps),
            episodes(Peer, "rustygrad", rustygrad, steps),
        ],
    )
}

/// Episodes of `steps` training steps on the digits.
pub fn digits_step(steps: usize) -> Contest {
    use handwritten::digits::{Dense, Skipping, Training};
    let digits = Digits::new();
    let dense = Training::new(digits.clone(), Dense::new());
    let skipping = Training::new(digits.clone(), Skipping);
    let eager = micrograd_side::digits(digits.clone());
    let on_tape = micrograd_side::digits_on_tape(digits);
    Contest::new(
        "Digits step: MLP 64-32-10, full batch of 64, cross-entropy, SGD",
        ("step", steps),
        vec![
            episodes(HandWritten, "hand-written, layer by layer", dense, steps),
            episodes(HandWritten, "hand-written, row by row", skipping, steps),
            episodes(Micrograd, "micrograd", eager, steps),
            episodes(Tape, "micrograd tape", on_tape, steps),
        ],
    )
}

/// The outputs of the net of the digits for one image.
pub fn digits_forward() -> Contest {
    let row = Digits::new().rows[0];
    Contest::new(
        "Digits forward: MLP 64-32-10, one image",
        ("image", 1),
        vec![
            Contender::new(
                HandWritten,
                "hand-written",
                handwritten::digits::forward(&row),
            ),
            Contender::new(
                Tape,
                "micrograd evaluator",
                micrograd_side::digits_by_evaluator(&row),
            ),
            Contender::new(
                Role::Source,
                "micrograd, as source code",
                micrograd_side::digits_by_source(&row),
            ),
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
    let on_tape = micrograd_side::chain_on_tape(length);
    let replayed = echidna::chain_replayed(length);
    let on_echidna_tape = move || echidna::chain_on_tape(length);
    let mut contenders = vec![
        Contender::new(HandWritten, "hand-written", by_hand),
        Contender::new(Micrograd, "micrograd", eager),
        Contender::new(Tape, "micrograd tape", on_tape),
        Contender::new(Peer, "echidna bytecode replay", replayed),
        Contender::new(Peer, "echidna tape", on_echidna_tape),
        Contender::new(Peer, "reverse", move || reverse::chain(length)),
    ];
    contenders.extend(others);
    let title = format!("Chain of {length} dependent operations");
    Contest::new(title, ("operation", length), contenders)
}

/// Recordings of the README's program, of the loss of one row of the moons, and of a
/// chain of `length` operations.
pub fn recordings(length: usize) -> [Contest; 3] {
    [
        recording(
            "Recording the README program",
            ("graph", 1),
            &micrograd_side::readme_recording(),
        ),
        recording(
            "Recording the loss of one row of the moons",
            ("graph", 1),
            &micrograd_side::moons_recording(),
        ),
        recording(
            &format!("Recording a chain of {length} operations"),
            ("operation", length),
            &micrograd_side::chain_recording(length),
        ),
    ]
}

fn recording<B, const INPUTS: usize>(
    title: &str,
    unit: (&'static str, usize),
    graph: &Recording<B, INPUTS>,
) -> Contest
where
    B: Fn(&[Value; INPUTS]) -> Value + Clone + 'static,
{
    Contest::new(
        title,
        unit,
        vec![
            Contender::new(Micrograd, "micrograd, one pass", graph.eager_pass()),
            Contender::maker(
                Tape,
                "micrograd tape, recording",
                graph.record(),
                graph.replay(),
            ),
        ],
    )
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
    fn everyone_agrees_on_the_digits() -> Result<(), Disagreement> {
        digits_step(3).check()
    }

    #[test]
    fn everyone_agrees_on_the_outputs_for_an_image() -> Result<(), Disagreement> {
        digits_forward().check()
    }

    #[test]
    fn everyone_agrees_on_the_program_by_rows() -> Result<(), Disagreement> {
        program_by_rows().check()
    }

    #[test]
    fn a_recording_computes_what_it_was_made_from() -> Result<(), Disagreement> {
        recordings(1_001).iter_mut().try_for_each(Contest::check)
    }

    #[test]
    fn everyone_agrees_on_a_chain() -> Result<(), Disagreement> {
        chain_with_rustygrad(1_001).check()
    }
}
