//! The source code that is timed is what micrograd writes.

use micrograd_benches::micrograd_side::{digits_source, readme_source};

const ADVICE: &str = "to write it anew: cargo run -p micrograd-benches --bin emit";

#[test]
fn the_committed_source_is_what_micrograd_writes_now() {
    assert!(
        readme_source() == include_str!("../src/emitted/readme.rs"),
        "{ADVICE}"
    );
    assert!(
        digits_source() == include_str!("../src/emitted/digits.rs"),
        "{ADVICE}"
    );
}
