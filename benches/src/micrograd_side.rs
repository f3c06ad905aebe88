//! The work as a user of micrograd writes it: with a graph that is built anew each time
//! ("eager"), or recorded once and replayed ("tape").

mod program;
mod recording;
mod source;
mod training;

pub use program::{
    chain, chain_on_tape, program_by_rows, program_by_rows_on_tape, readme_program,
    readme_program_on_tape,
};
pub use recording::{Recording, chain_recording, moons_recording, readme_recording};
pub use source::{
    digits_by_evaluator, digits_by_source, digits_source, readme_program_by_source, readme_source,
};
pub use training::{MoonsTape, digits, digits_on_tape, moons, moons_on_tape};
