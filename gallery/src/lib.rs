//! What several examples need: the net that learns the handwritten digits, and a way to end.

use std::fmt::Display;
use std::process::ExitCode;

#[path = "../../examples/digits/training.rs"]
mod training;

pub use training::*;

/// How an example ends: in success, or with the error and a code that says so.
pub fn exit_code(result: Result<(), impl Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
