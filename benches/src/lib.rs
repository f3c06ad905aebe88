//! micrograd timed beside other scalar autograd engines and hand-written loops.
//!
//! `work` says what is computed; [`micrograd_side`], `peers`, `handwritten` and the generated
//! [`emitted`] compute it; [`contests`] checks that they agree and times them side by side.

mod contest;
pub mod contests;
pub mod emitted;
mod handwritten;
pub mod micrograd_side;
mod peers;
mod work;
