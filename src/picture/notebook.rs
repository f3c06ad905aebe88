//! Display in notebooks: the kernel evcxr reads marked blocks from the standard output, one for
//! each MIME type.

use std::fmt;

use super::svg::Escaped;
use super::{Format, Picture};
use crate::engine::Value;
use crate::metrics::ConfusionMatrix;

const SVG: &str = "image/svg+xml";
const HTML: &str = "text/html";
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
    /// Shows the picture in a notebook, as SVG, as a page or as text for Graphviz. The kernel
    /// evcxr calls it for the last expression of a cell.
    pub fn evcxr_display(&self) {
        match self.format {
            Format::Graphviz => show(TEXT, self),
            Format::Svg => {
                show(SVG, self);
                show(TEXT, &self.root.tree());
            }
            Format::Page => {
                let page = self.to_string();
                show(HTML, &Frame(&page));
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

/// A page within the notebook's own.
struct Frame<'a>(&'a str);

impl fmt::Display for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = Escaped(self.0);
        write!(
            f,
            "<iframe srcdoc=\"{page}\" width=\"100%\" height=\"600\"></iframe>"
        )
    }
}

fn show(mime_type: &str, content: &impl fmt::Display) {
    println!("EVCXR_BEGIN_CONTENT {mime_type}\n{content}\nEVCXR_END_CONTENT");
}
