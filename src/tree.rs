//! The tree printer: a graph as text, one line for each node.
//!
//! ```
//! use micrograd::engine::Value;
//!
//! let a = Value::new(2.0).with_name("a");
//! let b = &a * 3.0 + &a;
//! b.backward();
//! assert_eq!(b.tree().to_string(), "\
//! + data = 8.000, grad = 1.000
//! ├── * data = 6.000, grad = 1.000
//! │   ├── data = 2.000, grad = 4.000 ← a
//! │   └── 3
//! └── data = 2.000, grad = 4.000 ← a");
//! ```
//!
//! A line shows the operation, both numbers with three decimals, and the name. A constant is shown
//! as its number alone. A weighted sum is shown as the products and sums that it stands for.
//!
//! A node with several users is shown in full once. After that, an inner node is one line that ends
//! in ` ↑`, without its operands. The tree ends at a depth of 64 and after 1000 lines, plus a few
//! to finish what was begun; a line `…` stands for each part left out.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::rc::Rc;

use ptree::{PrintConfig, Style, TreeItem};

use crate::engine::{Argument, NodeId, Op, Operation, Term, Terms, Value, ValueData};
use crate::text::printable;

const MAX_DEPTH: usize = 64;
const MAX_LINES: usize = 1000;

/// The graph below a node, to print; returned by [`Value::tree`].
#[derive(Debug)]
pub struct Tree<'a> {
    root: &'a Value,
}

impl Value {
    /// The graph below this node, to print: see [`tree`](crate::tree).
    #[must_use]
    pub fn tree(&self) -> Tree<'_> {
        Tree { root: self }
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = Item {
            content: Content::Node(self.root),
            depth: 0,
            below: Cell::default(),
            printed: Rc::default(),
        };
        // These options replace a user's configuration of `ptree`.
        let config = PrintConfig {
            indent: 4,
            ..PrintConfig::default()
        };
        let mut text = Vec::new();
        ptree::write_tree_with(&root, &mut text, &config).map_err(|_| fmt::Error)?;
        f.write_str(String::from_utf8_lossy(&text).trim_end_matches('\n'))
    }
}

/// A line of the tree, and what comes below it.
#[derive(Clone)]
struct Item<'a> {
    content: Content<'a>,
    depth: usize,
    /// Decided when the line is written, which `ptree` does before it asks for the children.
    below: Cell<Below>,
    printed: Rc<RefCell<Printed>>,
}

#[derive(Clone)]
enum Content<'a> {
    Node(&'a Value),
    Constant(f64),
    /// A product inside a sum: the weight, the input and the gradient.
    Product(&'a Value, &'a Value, f64),
    /// The first few terms of a sum.
    Partial(Rc<Sum<'a>>, usize),
    Ellipsis,
}

/// The lines below a line.
#[derive(Clone, Copy, Default)]
enum Below {
    #[default]
    Nothing,
    Ellipsis,
    Operands,
}

/// The lines and nodes shown so far.
#[derive(Default)]
struct Printed {
    lines: usize,
    nodes: HashSet<NodeId>,
}

/// A sum as the additions and multiplications that it stands for. Each part has the gradient of the
/// whole.
struct Sum<'a> {
    terms: Vec<Term<'a>>,
    /// The sum of the first n + 1 terms, for each n.
    partial: Vec<f64>,
    grad: f64,
}

impl<'a> Sum<'a> {
    fn new(terms: Terms<'a>, grad: f64) -> Rc<Self> {
        let partial = terms.clone().scan(0.0, |sum, term| {
            *sum += term.data();
            Some(*sum)
        });
        Rc::new(Self {
            partial: partial.collect(),
            terms: terms.collect(),
            grad,
        })
    }

    fn term(&self, n: usize) -> Content<'a> {
        match self.terms[n] {
            Term::Product(weight, input) => Content::Product(weight, input, self.grad),
            Term::Single(value) => Content::Node(value),
        }
    }

    /// Splits the sum of the first `count` terms into the sum of all but the last, and the last.
    fn operands(self: &Rc<Self>, count: usize) -> Vec<Content<'a>> {
        match count {
            0 => vec![],
            1 => vec![self.term(0)],
            2 => vec![self.term(0), self.term(1)],
            _ => vec![
                Content::Partial(Rc::clone(self), count - 1),
                self.term(count - 1),
            ],
        }
    }
}

impl<'a> Content<'a> {
    fn operands(&self) -> Vec<Content<'a>> {
        match self {
            Self::Constant(_) | Self::Ellipsis => vec![],
            Self::Product(w, x, _) => vec![Self::Node(w), Self::Node(x)],
            Self::Partial(sum, count) => sum.operands(*count),
            Self::Node(value) => match value.operation() {
                Operation::Leaf => vec![],
                Operation::Apply { x, y, .. } => {
                    [Some(x), y].into_iter().flatten().map(Self::of).collect()
                }
                Operation::Sum(terms) => {
                    let operands = Sum::new(terms.clone(), value.grad()).operands(terms.len());
                    match operands.as_slice() {
                        // A sum of one product is shown as that product.
                        [product @ Self::Product(..)] => product.operands(),
                        _ => operands,
                    }
                }
            },
        }
    }

    fn of(argument: Argument<'a>) -> Self {
        match argument {
            Argument::Node(value) => Self::Node(value),
            Argument::Constant(constant) => Self::Constant(constant),
        }
    }
}

impl Item<'_> {
    /// Writes the line of a node, with an arrow at its end for an inner node that was shown before.
    fn write_node(&self, f: &mut impl io::Write, value: &Value) -> io::Result<()> {
        let ValueData { data, grad } = *value.borrow();
        let label = value.operation().label();
        if let Some(label) = label {
            write!(f, "{label} ")?;
        }
        write_numbers(f, data, grad)?;
        if let Some(name) = value.name() {
            write!(f, " ← {}", printable(&name))?;
        }
        if label.is_none() {
            return Ok(());
        }
        if self.printed.borrow().nodes.contains(&value.id()) {
            return write!(f, " ↑");
        }
        if self.announce_operands() {
            self.printed.borrow_mut().nodes.insert(value.id());
        }
        Ok(())
    }

    /// Decides whether the operands are shown, which the limits may forbid.
    fn announce_operands(&self) -> bool {
        let fits = self.depth + 1 < MAX_DEPTH && self.printed.borrow().lines < MAX_LINES;
        self.below.set(if fits {
            Below::Operands
        } else {
            Below::Ellipsis
        });
        fits
    }
}

fn write_numbers(f: &mut impl io::Write, data: f64, grad: f64) -> io::Result<()> {
    let [data, grad] = [data, grad].map(|number| format!("{number:.3}"));
    write!(
        f,
        "data = {}, grad = {}",
        without_sign_of_0(&data),
        without_sign_of_0(&grad)
    )
}

/// The number without a sign if it was rounded to 0.
fn without_sign_of_0(number: &str) -> &str {
    if number == "-0.000" { "0.000" } else { number }
}

impl TreeItem for Item<'_> {
    type Child = Self;

    fn write_self<W: io::Write>(&self, f: &mut W, _: &Style) -> io::Result<()> {
        self.printed.borrow_mut().lines += 1;
        match &self.content {
            Content::Node(value) => self.write_node(f, value),
            Content::Constant(number) => write!(f, "{number}"),
            Content::Ellipsis => write!(f, "…"),
            Content::Product(w, x, grad) => {
                self.announce_operands();
                write!(f, "{} ", Op::Mul.label())?;
                write_numbers(f, w.data() * x.data(), *grad)
            }
            Content::Partial(sum, count) => {
                self.announce_operands();
                write!(f, "{} ", Op::Add.label())?;
                write_numbers(f, sum.partial[count - 1], sum.grad)
            }
        }
    }

    fn children(&self) -> Cow<'_, [Self]> {
        let below = match self.below.get() {
            Below::Nothing => vec![],
            Below::Ellipsis => vec![Content::Ellipsis],
            Below::Operands => self.content.operands(),
        };
        below
            .into_iter()
            .map(|content| Item {
                content,
                depth: self.depth + 1,
                below: Cell::default(),
                printed: Rc::clone(&self.printed),
            })
            .collect()
    }
}
