//! Source code that micrograd has written. `cargo run -p micrograd-benches --bin emit` writes it
//! anew, and a test keeps it as micrograd writes it now.

#[allow(clippy::all, clippy::pedantic, reason = "it is compared as it is written")]
#[rustfmt::skip]
pub mod digits;
#[allow(clippy::all, clippy::pedantic, reason = "it is compared as it is written")]
#[rustfmt::skip]
pub mod readme;
