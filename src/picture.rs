//! Pictures of a graph: as SVG, as a page to play with, or as text for Graphviz.
//!
//! [`Value::svg`] draws a graph for a browser, a notebook or a README. [`Value::page`] makes the
//! picture a page on which every gradient explains itself. [`Value::graphviz`] writes the graph
//! for the program `dot`, as micrograd's `draw_dot` does. Each returns a [`Picture`], which prints
//! itself with the numbers that the nodes hold at that time. Call `backward` before `svg` and
//! `graphviz`; a page computes its own gradients.
//!
//! ```
//! use micrograd::engine::Value;
//!
//! let [w, x, b] = [("w", 2.0), ("x", 1.5), ("b", -2.5)].map(|(name, number)| {
//!     Value::new(number).with_name(name)
//! });
//! let loss = (&w * &x + &b).tanh().with_name("L");
//! loss.backward();
//! let picture = loss.graphviz().with_parameters(&[w, b]).to_string();
//! assert!(picture.contains(r#"[label="{ L | data 0.4621 | grad 1 }""#));
//! ```
//!
//! # Reading a picture
//!
//! Values flow from left to right, and each node is drawn once. A box shows the node's name, its
//! number and its gradient, to four digits. The operation is on the left of its result, where the
//! lines from its arguments end: the first above the second, unless they may be exchanged. Point
//! at a box to see its formula and its number in full. Nodes without a name are called by their
//! position there, as in [`steps`](crate::steps).
//!
//! | box | stands for |
//! |---|---|
//! | with a thick border | a parameter: a weight or bias of a neuron, or as you say, below |
//! | with a thin border | any other leaf: an input |
//! | dashed, with one number | a constant of an expression |
//! | rounded, behind an operation | a result; `Σ w·x + b` is a weighted sum, one node |
//! | with another one behind it | the neurons of a layer, with their parameters |
//! | `… 3 more` | operands that are left out |
//!
//! [`with_parameters`](Picture::with_parameters) names leaves to be drawn as parameters.
//!
//! # Large graphs
//!
//! A neuron is a weighted sum with a bias, as [`nn`](crate::nn) makes it, and its activation. The
//! neurons of one call of [`Layer::forward`](crate::nn::Layer::forward) are one box, named after
//! their parameters, such as `layers.0`. A layer called for several rows is one box for each row;
//! what reads the parameters directly, such as a penalty, is joined to the first of them.
//! [`expanded`](Picture::expanded) draws all neurons node by node.
//!
//! At most 200 boxes are drawn, those nearest to the result; [`max_nodes`](Picture::max_nodes)
//! sets another limit. If nodes are left out, a caption says how many are shown.
//!
//! # Pages
//!
//! A page is one file in HTML that works without a network. Click a box to see the node's number,
//! its gradient as a sum over its users, in symbols and in numbers, and the rule of its operation.
//! Its operands then have a dashed border, its users a dotted one. Click a layer to see it node by
//! node. Buttons and arrow keys step through the forward pass and the backward pass, which starts
//! at the node that the page is made of; the `grad` of the nodes does not matter.
//!
//! In a graph of at most 2000 nodes and 20,000 operands, the number of a leaf can be changed, and
//! the page computes everything anew, with the functions of the table in JavaScript. A page draws
//! up to 1000 boxes, or as many as [`max_nodes`](Picture::max_nodes) says, and twice as many for
//! all expanded layers together; a layer for which there is no room stays one box.
//!
//! With the feature `locations`, a page names the source line that made each node.
//!
//! # Notebooks
//!
//! In a notebook with the kernel evcxr, a `Value`, a `Picture` and a
//! [`ConfusionMatrix`](crate::metrics::ConfusionMatrix) show themselves when they are the last
//! expression of a cell.

mod card;
mod confusion;
mod graph;
mod graphviz;
mod layers;
mod layout;
mod notebook;
mod page;
mod sketch;
mod svg;

use std::fmt;
use std::slice;

use self::graph::{Graph, Options};
use self::sketch::Sketch;
use crate::engine::{TopologicalOrder, Value};

/// A picture of the graph below a node, to print; see the [module](crate::picture).
///
/// # Panics
///
/// Printing panics if a guard from [`borrow_mut`](Value::borrow_mut) of a node of the graph is
/// alive.
#[derive(Clone, Debug)]
#[must_use]
pub struct Picture<'a> {
    root: &'a Value,
    options: Options<'a>,
    format: Format,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Graphviz,
    Svg,
    Page,
}

impl Value {
    /// The graph below this node as text for Graphviz; `dot -Tsvg` draws it. See
    /// [`picture`](crate::picture).
    pub fn graphviz(&self) -> Picture<'_> {
        self.picture(Format::Graphviz)
    }

    /// The graph below this node as a picture in SVG. See [`picture`](crate::picture).
    ///
    /// ```no_run
    /// use micrograd::engine::Value;
    ///
    /// let x = Value::new(2.0).with_name("x");
    /// let y = (&x * &x + 1.0).with_name("y");
    /// y.backward();
    /// std::fs::write("y.svg", y.svg().to_string()).unwrap();
    /// ```
    pub fn svg(&self) -> Picture<'_> {
        self.picture(Format::Svg)
    }

    /// The graph below this node as a page in HTML, to step through and to play with. See
    /// [`picture`](crate::picture#pages).
    ///
    /// ```no_run
    /// use micrograd::engine::Value;
    ///
    /// let x = Value::new(2.0).with_name("x");
    /// let y = x.sin() * &x;
    /// std::fs::write("y.html", y.page().to_string()).unwrap();
    /// ```
    pub fn page(&self) -> Picture<'_> {
        self.picture(Format::Page).max_nodes(1000)
    }

    fn picture(&self, format: Format) -> Picture<'_> {
        Picture {
            root: self,
            options: Options {
                max_nodes: 200,
                is_expanded: false,
                parameters: &[],
            },
            format,
        }
    }
}

impl<'a> Picture<'a> {
    /// Draws neurons and layers node by node.
    pub fn expanded(mut self) -> Self {
        self.options.is_expanded = true;
        self
    }

    /// Draws at most `max_nodes` boxes, by default 200, and 1000 on a page. Boxes for operands
    /// that are left out do not count. The result is always drawn.
    pub fn max_nodes(mut self, max_nodes: usize) -> Self {
        self.options.max_nodes = max_nodes;
        self
    }

    /// Draws these leaves as parameters, with a thick border. Weights and biases of neurons in the
    /// graph need not be listed.
    pub fn with_parameters(mut self, parameters: &'a [Value]) -> Self {
        self.options.parameters = parameters;
        self
    }
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = TopologicalOrder::of(slice::from_ref(self.root));
        let mut graph = Graph::new(&order, &self.options);
        let max_nodes = self.options.max_nodes;
        let mut text = String::new(); // whatever writes to `f` must not meet the marks of the walk
        match self.format {
            Format::Graphviz => graphviz::write(&Sketch::of(&graph, max_nodes), &mut text)?,
            Format::Svg => {
                svg::write(&Sketch::of(&graph, max_nodes), svg::Place::Alone, &mut text)?;
            }
            Format::Page => page::write(&mut graph, max_nodes, &mut text)?,
        }
        drop(order);
        f.write_str(&text)
    }
}
