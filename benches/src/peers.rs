//! The work as a user of each other engine writes it.

pub mod echidna;
pub mod reverse;
pub mod rustygrad;
