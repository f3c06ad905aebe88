//! The crate computes the same bits as when the corpus was written.

use std::collections::BTreeSet;
use std::iter;

use micrograd::engine::Op;
use micrograd_proofs::corpus::functions::functions;
use micrograd_proofs::corpus::measurement::measure;
use micrograd_proofs::corpus::step::Step;
use micrograd_proofs::corpus::table::TABLE;
use micrograd_proofs::corpus::{Corpus, Entry, Line};

fn corpus() -> Corpus {
    Corpus::parse(include_str!("corpus.txt"))
}

/// Without this check, a change of the system would look like a change of the crate.
fn assert_functions_round_as_they_did(corpus: &Corpus) {
    let now = functions();
    assert_eq!(now.len(), corpus.functions.len());
    for (once, now) in iter::zip(&corpus.functions, &now) {
        if let Some(difference) = once.difference(now) {
            panic!(
                "this system's functions round differently from those of the system on which the \
                 corpus was written: {difference}"
            );
        }
    }
}

fn differences(entry: &Entry) -> Vec<String> {
    let now = measure(&entry.graph);
    let number = entry.number;
    let mut differences = Vec::new();
    if now.len() != entry.results.len() {
        let count = entry.results.len();
        differences.push(format!(
            "graph {number}: {} lines instead of {count}",
            now.len()
        ));
    }
    for (once, now) in iter::zip(&entry.results, &now) {
        let difference = once.difference(now);
        differences.extend(difference.map(|text| format!("graph {number}: {text}")));
    }
    differences
}

#[test]
fn outputs_and_gradients_keep_their_bits() {
    let corpus = corpus();
    assert_functions_round_as_they_did(&corpus);
    let differences: Vec<_> = corpus.entries.iter().flat_map(differences).collect();
    let shown = differences[..differences.len().min(20)].join("\n");
    assert!(
        differences.is_empty(),
        "{} lines differ, the first of them:\n{shown}",
        differences.len()
    );
}

#[test]
fn the_corpus_reads_back_as_it_is_written() {
    let written = include_str!("corpus.txt");
    let graphs = &written[written.find("graph 0\n").expect("a first graph")..];
    let again: String = corpus().entries.iter().map(Entry::to_string).collect();
    for (number, (once, again)) in iter::zip(graphs.lines(), again.lines()).enumerate() {
        assert_eq!(once, again, "line {number}, counted from the first graph");
    }
    assert_eq!(graphs.len(), again.len());
}

#[test]
fn every_row_of_the_table_occurs_in_many_graphs() {
    let graphs = corpus().graphs_by_row();
    for row in TABLE {
        assert!(
            Op::ALL.iter().any(|op| op.name() == row.name),
            "{} is not an operation",
            row.name
        );
        let count = graphs[row.name];
        assert!(count >= 15, "{} occurs in only {count} graphs", row.name);
    }
}

fn assert_many(corpus: &Corpus, what: &str, least: usize, holds: impl Fn(&Entry) -> bool) {
    let entries = corpus.entries.iter();
    let count = entries.filter(|entry| holds(entry)).count();
    println!("{count} graphs {what}");
    assert!(count >= least, "only {count} graphs {what}, not {least}");
}

fn has_number(entry: &Entry, is_meant: impl Fn(f64) -> bool) -> bool {
    entry.results.iter().flat_map(Line::values).any(is_meant)
}

fn has_step(entry: &Entry, is_meant: impl Fn(&Step) -> bool) -> bool {
    entry.graph.steps.iter().any(is_meant)
}

#[test]
fn the_corpus_holds_what_a_change_may_break() {
    let corpus = corpus();
    assert_eq!(corpus.entries.len(), 500);
    assert_many(&corpus, "are finite", 167, |entry| {
        !has_number(entry, |number| !number.is_finite())
    });
    assert_many(&corpus, "have NaN", 100, |entry| {
        has_number(entry, f64::is_nan)
    });
    assert_many(&corpus, "have infinities", 50, |entry| {
        has_number(entry, f64::is_infinite)
    });
    assert_many(&corpus, "have -0", 50, |entry| {
        has_number(entry, |number| number == 0.0 && number.is_sign_negative())
    });
    assert_many(
        &corpus,
        "have tape gradients that are finite and not 0",
        250,
        |entry| {
            let by_tape = entry
                .results
                .iter()
                .filter(|line| line.name == "tape.backward");
            let mut gradients = by_tape.flat_map(Line::values);
            gradients.any(|number| number.is_finite() && number != 0.0)
        },
    );
}

#[test]
fn the_corpus_holds_graphs_of_all_shapes() {
    let corpus = corpus();
    assert_many(&corpus, "have dead edges", 250, |entry| {
        has_step(entry, |step| !step.dead_and_live_operands().0.is_empty())
    });
    assert_many(
        &corpus,
        "have nodes that are read by live and dead edges",
        200,
        |entry| entry.graph.has_node_that_is_read_live_and_dead(),
    );
    assert_many(&corpus, "have layers", 150, |entry| {
        has_step(entry, |step| matches!(step, Step::Layer { .. }))
    });
    assert_many(&corpus, "have weighted sums", 200, |entry| {
        has_step(entry, |step| matches!(step, Step::Dot(_)))
    });
    assert_many(&corpus, "have shared nodes", 450, |entry| {
        let mut read = entry.graph.steps.iter().flat_map(Step::operands);
        let mut seen = BTreeSet::new();
        read.any(|node| !seen.insert(node))
    });
    assert_many(
        &corpus,
        "have a step that reads a node twice",
        200,
        |entry| {
            has_step(entry, |step| {
                let operands = step.operands();
                operands.iter().collect::<BTreeSet<_>>().len() < operands.len()
            })
        },
    );
    assert_many(&corpus, "have parameters and inputs", 250, |entry| {
        (1..entry.graph.leaves.len()).contains(&entry.graph.inputs)
    });
}
