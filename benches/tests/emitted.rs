//! The source code that is timed is up to date with what micrograd generates.

#[test]
fn the_committed_source_is_what_micrograd_writes_now() {
    let committed = [
        include_str!("../src/emitted/readme.rs"),
        include_str!("../src/emitted/digits.rs"),
    ];
    let sources = micrograd_benches::micrograd_side::sources().map(|(_, source)| source);
    assert!(
        sources == committed,
        "to regenerate it: cargo run -p micrograd-benches --bin emit"
    );
}
