//! Times micrograd against other scalar autograd engines and hand-written loops.
//!
//! `work` defines the tasks; [`micrograd_side`], `peers`, `handwritten` and the generated
//! [`emitted`] do them; [`contests`] checks that they agree and times them side by side.

mod contest;
pub mod contests;
pub mod emitted;
mod handwritten;
pub mod micrograd_side;
mod peers;
mod work;
