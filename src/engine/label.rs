//! The label of a node: its name and its source line, for people to read.

use std::panic::Location;

/// A node's name, and the source line that made it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Label {
    pub(crate) name: Option<Box<str>>,
    pub(crate) line: Line,
}

/// The source line that made a node; nothing without the feature `locations`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line(#[cfg(feature = "locations")] Option<&'static Location<'static>>);

impl Line {
    #[inline(always)]
    #[track_caller]
    pub(super) fn of_caller() -> Self {
        Self(
            #[cfg(feature = "locations")]
            Some(Location::caller()),
        )
    }

    pub(crate) fn location(self) -> Option<&'static Location<'static>> {
        #[cfg(feature = "locations")]
        let Self(location) = self;
        #[cfg(not(feature = "locations"))]
        let (Self(), location) = (self, None);
        location
    }
}

impl Label {
    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_none() && self.line.location().is_none()
    }
}
