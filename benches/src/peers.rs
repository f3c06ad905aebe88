//! The work as a user of each other engine writes it.

pub(crate) mod echidna;
pub(crate) mod reverse;
pub(crate) mod rustygrad;
