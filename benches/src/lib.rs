//! micrograd timed beside other scalar autograd engines and hand-written loops.
//!
//! [`work`] says what is computed, the same for everyone. [`micrograd_side`],
//! [`peers`] and [`handwritten`] compute it, and source code that is [`emitted`]. [`contests`] puts them side by side,
//! and [`contest`] checks that they agree before it times them.
//!
//! `cargo run --release -p micrograd-benches --bin peers` prints the comparison, the
//! binary `threads`, with the feature `rayon`, what a second thread brings to a tape,
//! `cargo bench -p micrograd-benches` follows micrograd alone, and the test `heap`
//! counts the bytes that one operation takes.

pub mod contest;
pub mod contests;
pub mod emitted;
pub mod handwritten;
pub mod micrograd_side;
pub mod peers;
pub mod work;
