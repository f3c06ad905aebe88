//! Code that several examples share: the net that learns handwritten digits, and an exit code.

use std::fmt::Display;
use std::process::ExitCode;

#[path = "../../examples/digits/training.rs"]
mod training;

pub use training::*;

/// The exit code of an example. An error is printed, and the code is that of a failure.
pub fn exit_code(result: Result<(), impl Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
