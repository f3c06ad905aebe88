//! The contests: which contenders do which piece of work.

use micrograd::engine::Value;

use crate::contest::Contest;
use crate::contest::Role::{Engine, Loops, Other, Tape};
use crate::peers::{echidna, reverse, rustygrad};
use crate::work::{CHAIN_START, README_INPUTS, STEPS, moons};
use crate::{handwritten, micrograd_side as ours};

/// Checks that all contenders compute the same, then times them and prints the tables.
///
/// # Panics
///
/// If two contenders disagree.
pub fn compare() {
    run(&mut all(1_000_000));
}

/// Times the tape of the moons on a large batch, on one thread and on two.
///
/// # Panics
///
/// If the results differ.
#[cfg(feature = "rayon")]
pub fn compare_threads() {
    const ROWS: usize = 100_000;
    let title = format!("Tape of the moons, {ROWS} rows");
    let contest = Contest::new(title, "row", ROWS)
        .with(Tape, "one thread", ours::moons_on_threads(1, ROWS))
        .with(Other, "two threads", ours::moons_on_threads(2, ROWS));
    run(&mut [contest]);
}

fn run(contests: &mut [Contest]) {
    contests.iter_mut().for_each(Contest::check);
    contests.iter_mut().for_each(Contest::compare);
}

/// All contests, with chains of `length` operations.
fn all(length: usize) -> Vec<Contest> {
    let contests = vec![
        readme_program(),
        moons_step(),
        digits_step(),
        digits_forward(),
        chain(length),
    ];
    contests.into_iter().chain(recordings(length)).collect()
}

fn readme_program() -> Contest {
    let engine = ours::eager_pass(README_INPUTS, ours::program);
    let tape = ours::replay(README_INPUTS, ours::program);
    let replayed = echidna::readme_program_replayed();
    let by_source = ours::readme_program_by_source;
    Contest::new("README program", "program", 1)
        .with(Loops, "hand-written", handwritten::readme_program)
        .with(Engine, "micrograd", engine)
        .with(Tape, "micrograd tape", tape)
        .with(Other, "micrograd, as source code", by_source)
        .with(Other, "echidna bytecode replay", replayed)
        .with(Other, "echidna tape", echidna::readme_program_on_tape)
        .with(Other, "reverse", reverse::readme_program)
        .with(Other, "rustygrad", rustygrad::readme_program)
}

fn moons_step() -> Contest {
    use handwritten::moons::{layer_by_layer, row_by_row, training};
    let title = "Moons step: MLP 2-16-16-1, full batch of 100, hinge loss + L2, SGD";
    let [engine, tape] = [(); 2].map(|()| ours::moons(moons::ROWS));
    let by_layers = training(layer_by_layer());
    Contest::new(title, "step", STEPS)
        .with(Loops, "hand-written, layer by layer", by_layers)
        .with(Loops, "hand-written, live ReLUs only", training(row_by_row))
        .with(Engine, "micrograd", engine.on_the_engine())
        .with(Tape, "micrograd tape", tape.on_a_tape())
        .with(Other, "echidna bytecode replay", echidna::moons_replayed())
        .with(Other, "echidna tape", echidna::moons_on_tape())
        .with(Other, "reverse", reverse::moons())
        .with(Other, "rustygrad", rustygrad::moons())
}

fn digits_step() -> Contest {
    let title = "Digits step: MLP 64-32-10, full batch of 64, cross-entropy, SGD";
    let [engine, tape] = [(); 2].map(|()| ours::digits());
    Contest::new(title, "step", STEPS)
        .with(Loops, "hand-written", handwritten::digits::training())
        .with(Engine, "micrograd", engine.on_the_engine())
        .with(Tape, "micrograd tape", tape.on_a_tape())
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
    let engine = ours::eager_pass([CHAIN_START], ours::chain(length));
    let tape = ours::replay([CHAIN_START], ours::chain(length));
    Contest::new(title, "operation", length)
        .with(Loops, "hand-written", move || handwritten::chain(length))
        .with(Engine, "micrograd", engine)
        .with(Tape, "micrograd tape", tape)
        .with(Other, "echidna bytecode replay", replayed)
        .with(Other, "echidna tape", on_echidna_tape)
        .with(Other, "reverse", move || reverse::chain(length))
}

/// Recording a graph, compared with building and using it once.
fn recordings(length: usize) -> [Contest; 3] {
    let readme = Contest::new("Recording the README program", "graph", 1);
    let moons = Contest::new("Recording the loss of one row of the moons", "graph", 1);
    let title = format!("Recording a chain of {length} operations");
    let chain = Contest::new(title, "operation", length);
    let (row, loss) = ours::moons(1).row_and_loss();
    [
        recording(readme, README_INPUTS, ours::program),
        recording(moons, row, loss),
        recording(chain, [CHAIN_START], ours::chain(length)),
    ]
}

fn recording<const N: usize>(
    contest: Contest,
    inputs: [f64; N],
    build: impl Fn(&[Value; N]) -> Value + Clone + 'static,
) -> Contest {
    let record = ours::recording(inputs, build.clone());
    let one_pass = ours::eager_pass(inputs, build);
    let recording = move || (record(), inputs);
    contest.with(Engine, "micrograd, one pass", one_pass).with(
        Tape,
        "micrograd tape, recording",
        recording,
    )
}

#[test]
fn the_program_computes_what_the_readme_says() {
    let (g, [a, b]) = ours::eager_pass(README_INPUTS, ours::program)();
    let results = [g, a, b].map(|x| format!("{x:.4}"));
    assert_eq!(results, ["24.7041", "138.8338", "645.5773"]);
}

#[test]
fn all_contenders_agree() {
    all(1_001).iter_mut().for_each(Contest::check);
}
