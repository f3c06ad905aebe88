//! Display in notebooks: the kernel evcxr reads marked blocks from the standard output, one for each
//! MIME type.

use std::fmt::Display;

use super::{Format, Picture};
use crate::engine::Value;
use crate::metrics::ConfusionMatrix;

const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain";

impl Value {
    /// Shows the graph below this node in a notebook, as a picture and as a tree. The kernel evcxr
    /// calls it for the last expression of a cell.
    pub fn evcxr_display(&self) {
        show(SVG, &self.svg());
        show(TEXT, &self.tree());
    }
}

impl Picture<'_> {
    /// Shows the picture in a notebook, as SVG and as a tree, or as text for Graphviz. The kernel
    /// evcxr calls it for the last expression of a cell.
    pub fn evcxr_display(&self) {
        match self.format {
            Format::Graphviz => show(TEXT, self),
            Format::Svg | Format::Page => {
                show(SVG, self);
                show(TEXT, &self.root.tree());
            }
        }
    }
}

impl ConfusionMatrix {
    /// Shows the matrix in a notebook, as a picture and as a table. The kernel evcxr calls it for
    /// the last expression of a cell.
    pub fn evcxr_display(&self) {
        show(SVG, &self.svg());
        show(TEXT, self);
    }
}

fn show(mime_type: &str, content: &impl Display) {
    println!("EVCXR_BEGIN_CONTENT {mime_type}\n{content}\nEVCXR_END_CONTENT");
}
