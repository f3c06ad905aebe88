//! The work as a user of each of the other engines would write it.

pub(crate) mod echidna;
pub(crate) mod reverse;
pub(crate) mod rustygrad;
