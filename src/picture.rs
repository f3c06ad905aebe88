//! Pictures of a graph: as SVG, as a page to play with, or as text for Graphviz.
//!
//! [`Value::svg`] draws a graph for a browser, a notebook or a page of notes; [`Value::page`] makes
//! the picture a page on which every gradient explains itself; [`Value::graphviz`] writes what
//! micrograd's `draw_dot` draws, for the program `dot`. Each returns a [`Picture`], which prints
//! itself:
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
//! A graph is drawn from left to right, each node once. A box shows the node's name, its number and
//! its gradient, with four digits. The label of an operation stands in front of its result, where
//! the lines from its arguments end: that of the first argument above that of the second, unless
//! they may be exchanged.
//!
//! | box | stands for |
//! |---|---|
//! | with a thick border | a parameter: a weight or bias of a neuron, or as you say, below |
//! | with a thin border | any other leaf: an input |
//! | dashed, with one number | a constant of an expression |
//! | rounded, behind an operation | a result; `Σ w·x + b` is a weighted sum, one node |
//! | with another one behind it | the neurons of a layer, with the parameters that only they read |
//! | `… 3 more` | operands that are left out |
//!
//! [`with_parameters`](Picture::with_parameters) names leaves to be drawn as parameters.
//!
//! # Large graphs
//!
//! The neurons that read the same inputs are one box, called after their parameters, such as
//! `layers.0`; [`expanded`](Picture::expanded) draws them node by node. A neuron is a weighted sum
//! of leaves as weights with a bias, and its activation. At most 200 boxes are drawn, those nearest
//! to the result, or as many as [`max_nodes`](Picture::max_nodes) says. Below an abridged picture
//! stands how many nodes it shows.
//!
//! # Pages
//!
//! A page is one file in HTML that works without a network. Click a box, and it tells the number of
//! the node, its gradient as a sum over its users, in symbols and in numbers, and the rule of its
//! operation. Click a layer, and it is drawn node by node. Buttons and arrow keys step through the
//! forward pass and the backward pass. The gradients are those of a pass from the node that the page
//! is made of; the `grad` of the nodes does not matter.
//!
//! In a graph of at most 2000 nodes, the number of a leaf can be changed, and the page computes
//! everything anew, with the functions of the table in JavaScript. A page draws up to 1000 boxes, or
//! as many as [`max_nodes`](Picture::max_nodes) says; a layer that would need more stays one box.
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
    /// The graph below this node as text for Graphviz, such as `dot -Tsvg` draws: see
    /// [`picture`](crate::picture).
    pub fn graphviz(&self) -> Picture<'_> {
        self.picture(Format::Graphviz)
    }

    /// The graph below this node as a picture: see [`picture`](crate::picture).
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// let x = Value::new(2.0).with_name("x");
    /// let y = (&x * &x + 1.0).with_name("y");
    /// y.backward();
    /// let svg = y.svg().to_string();
    /// # if false {
    /// std::fs::write("y.svg", svg).unwrap();
    /// # }
    /// ```
    pub fn svg(&self) -> Picture<'_> {
        self.picture(Format::Svg)
    }

    /// The graph below this node as a page in HTML, to step through and to play with: see
    /// [`picture`](crate::picture#pages).
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// let x = Value::new(2.0).with_name("x");
    /// let page = (x.sin() * &x).page().to_string();
    /// # if false {
    /// std::fs::write("page.html", page).unwrap();
    /// # }
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
    /// The picture with all neurons and layers drawn node by node.
    pub fn expanded(mut self) -> Self {
        self.options.is_expanded = true;
        self
    }

    /// The picture with at most so many boxes, not counted those that say that something is left
    /// out. The box of the result is always there.
    pub fn max_nodes(mut self, max_nodes: usize) -> Self {
        self.options.max_nodes = max_nodes;
        self
    }

    /// The picture with these leaves drawn as parameters. The weights and biases of neurons are
    /// drawn so in any case.
    pub fn with_parameters(mut self, parameters: &'a [Value]) -> Self {
        self.options.parameters = parameters;
        self
    }
}

impl fmt::Display for Picture<'_> {
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Value::borrow_mut) of a node that is drawn is alive.
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
