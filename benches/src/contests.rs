//! The contests: which contenders do which piece of work.

use micrograd::engine::Value;

use crate::contest::Contest;
use crate::contest::Role::{Engine, Loops, Other, Tape, Threaded};
use crate::peers::{echidna, reverse, rustygrad};
use crate::work::{self, CHAIN_START, README_INPUTS, README_ROWS, STEPS};
use crate::{handwritten, micrograd_side as ours};

/// Checks that all contenders compute the same, then times them and prints the tables.
///
/// # Panics
///
/// If two contenders disagree.
pub fn compare() {
    const LENGTH: usize = 1_000_000;
    let mut contests = vec![
        readme_program(),
        program_by_rows(),
        moons_step(),
        digits_step(),
        digits_forward(),
        chain(LENGTH),
    ];
    contests.extend(recordings(LENGTH));
    contests.iter_mut().for_each(Contest::check);
    for contest in &mut contests {
        contest.time();
        contest.print();
    }

    // Last, and checked when timed: the thread for rustygrad slows down the allocator.
    let mut deep = chain_with_rustygrad(100_000);
    deep.time();
    deep.check();
    deep.print();
}

fn readme_program() -> Contest {
    let replayed = echidna::readme_program_replayed();
    let by_source = ours::readme_program_by_source;
    Contest::new("README program", "program", 1)
        .with(Loops, "hand-written", handwritten::readme_program)
        .with(Engine, "micrograd", ours::readme_program)
        .with(Tape, "micrograd tape", ours::readme_program_on_tape())
        .with(Other, "micrograd, as source code", by_source)
        .with(Other, "echidna bytecode replay", replayed)
        .with(Other, "echidna tape", echidna::readme_program_on_tape)
        .with(Other, "reverse", reverse::readme_program)
        .with(Other, "rustygrad", rustygrad::readme_program)
}

fn program_by_rows() -> Contest {
    let title = format!("README program at {README_ROWS} rows");
    Contest::new(title, "row", README_ROWS)
        .with(Loops, "hand-written", handwritten::program_by_rows())
        .with(Engine, "micrograd", ours::program_by_rows())
        .with(Tape, "micrograd tape", ours::program_by_rows_on_tape())
}

fn moons_step() -> Contest {
    use handwritten::moons::{dense, row_by_row, training};
    let title = "Moons step: MLP 2-16-16-1, full batch of 100, hinge loss + L2, SGD";
    let [by_rows, skipping] = [row_by_row::<false>, row_by_row::<true>].map(training);
    Contest::new(title, "step", STEPS)
        .with(
            Loops,
            "hand-written, dense over the batch",
            training(dense()),
        )
        .with(Loops, "hand-written, row by row", by_rows)
        .with(Loops, "hand-written, skipping dead ReLUs", skipping)
        .with(Engine, "micrograd", ours::moons())
        .with(Tape, "micrograd tape", ours::moons_on_tape())
        .with(Other, "echidna bytecode replay", echidna::moons_replayed())
        .with(Other, "echidna tape", echidna::moons_on_tape())
        .with(Other, "reverse", reverse::moons())
        .with(Other, "rustygrad", rustygrad::moons())
}

fn digits_step() -> Contest {
    use handwritten::digits::{dense, row_by_row, training};
    let title = "Digits step: MLP 64-32-10, full batch of 64, cross-entropy, SGD";
    Contest::new(title, "step", STEPS)
        .with(Loops, "hand-written, layer by layer", training(dense()))
        .with(Loops, "hand-written, row by row", training(row_by_row))
        .with(Engine, "micrograd", ours::digits())
        .with(Tape, "micrograd tape", ours::digits_on_tape())
}

fn digits_forward() -> Contest {
    Contest::new("Digits forward: MLP 64-32-10, one image", "image", 1)
        .with(Loops, "hand-written", handwritten::digits::forward())
        .with(Tape, "micrograd evaluator", ours::digits_by_evaluator())
        .with(Other, "micrograd, as source code", ours::digits_by_source())
}

fn chain(length: usize) -> Contest {
    let title = format!("Chain of {length} dependent operations");
    let replayed = echidna::chain_replayed(length);
    let on_echidna_tape = move || echidna::chain_on_tape(length);
    Contest::new(title, "operation", length)
        .with(Loops, "hand-written", move || handwritten::chain(length))
        .with(Engine, "micrograd", ours::chain(length))
        .with(Tape, "micrograd tape", ours::chain_on_tape(length))
        .with(Other, "echidna bytecode replay", replayed)
        .with(Other, "echidna tape", on_echidna_tape)
        .with(Other, "reverse", move || reverse::chain(length))
}

fn chain_with_rustygrad(length: usize) -> Contest {
    chain(length).with(Threaded, "rustygrad", move || rustygrad::chain(length))
}

fn recordings(length: usize) -> [Contest; 3] {
    let readme = Contest::new("Recording the README program", "graph", 1);
    let moons = Contest::new("Recording the loss of one row of the moons", "graph", 1);
    let title = format!("Recording a chain of {length} operations");
    let chain = Contest::new(title, "operation", length);
    let (row, loss) = ours::moons_loss_of_a_row();
    let links = move |[start]: &[Value; 1]| work::links(start.clone(), length);
    [
        recording(readme, README_INPUTS, |[a, b]| ours::program(a, b)),
        recording(moons, row, loss),
        recording(chain, [CHAIN_START], links),
    ]
}

/// Recording a graph, beside building and using it once.
fn recording<const N: usize>(
    contest: Contest,
    inputs: [f64; N],
    build: impl Fn(&[Value; N]) -> Value + Clone + 'static,
) -> Contest {
    let record = ours::recording(inputs, build.clone());
    contest
        .with(
            Engine,
            "micrograd, one pass",
            ours::eager_pass(inputs, build),
        )
        .with(Tape, "micrograd tape, recording", move || {
            (record(), inputs)
        })
}

#[test]
fn the_program_computes_what_the_readme_says() {
    let (g, [a, b]) = ours::readme_program();
    let results = [g, a, b].map(|x| format!("{x:.4}"));
    assert_eq!(results, ["24.7041", "138.8338", "645.5773"]);
}

#[test]
fn all_contenders_agree() {
    let programs = [
        readme_program(),
        program_by_rows(),
        chain_with_rustygrad(1_001),
    ];
    let nets = [moons_step(), digits_step(), digits_forward()];
    for mut contest in programs.into_iter().chain(nets).chain(recordings(1_001)) {
        contest.check();
    }
}
