//! The view: how a value was computed, read-only, however a node is stored.
//!
//! All tools that look at a graph build on it: the tree, the pictures, the anomaly report, the
//! recording of a tape, and tools of your own.

use std::iter;

use super::graph::{Origin, Value};
use crate::ops::{Op, UNREAD};

/// How a value was computed; returned by [`Value::operation`].
///
/// ```
/// use micrograd::engine::{Operation, Value};
///
/// let x = Value::new(2.0);
/// let product = 3.0 * &x;
/// match product.operation() {
///     Operation::Apply { op, x, y, .. } => {
///         assert_eq!((op.name(), x.data(), y.unwrap().data()), ("mul", 3.0, 2.0));
///     }
///     other => println!("a leaf, a sum, or an operation of a later version: {other:?}"),
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Operation<'graph> {
    /// A leaf, which the user made.
    Leaf,
    /// An operation of the table, of one argument or two. A parameter, such as the slope of
    /// `leaky_relu`, is the second argument.
    #[non_exhaustive]
    Apply {
        /// The operation.
        op: Op,
        /// The first argument.
        x: Argument<'graph>,
        /// The second argument, if the operation takes one.
        y: Option<Argument<'graph>>,
    },
    /// A sum of products of two nodes, and of single nodes.
    Sum(Terms<'graph>),
}

/// An argument of a recorded operation. To pass one to an operation, see
/// [`Operand`](super::Operand).
#[derive(Clone, Copy, Debug)]
pub enum Argument<'graph> {
    /// A node of the graph.
    Node(&'graph Value),
    /// A constant of the expression, such as the 2 in `2.0 * x`.
    Constant(f64),
}

/// A term of a sum.
#[derive(Clone, Copy, Debug)]
pub enum Term<'graph> {
    /// The product of a weight and an input.
    Product(&'graph Value, &'graph Value),
    /// A node by itself: a term of a plain sum, or the bias of a neuron.
    Single(&'graph Value),
}

/// The terms of a sum, from left to right: first the products, then the single nodes.
#[derive(Clone, Debug, Default)]
pub struct Terms<'graph> {
    /// The factors of the products, the same number on each side.
    weights: &'graph [Value],
    inputs: &'graph [Value],
    singles: &'graph [Value],
}

impl Value {
    /// How the value was computed, and from what.
    ///
    /// With [`topological_order`](super::topological_order) you can write tools such as this one,
    /// which counts the operations of a graph by name:
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use std::slice;
    ///
    /// use micrograd::engine::{Value, topological_order};
    ///
    /// let [x, y] = [0.5, 2.0].map(Value::new);
    /// let loss = (&x * &y).tanh() + (&x * 3.0).tanh();
    ///
    /// let mut counts = BTreeMap::new();
    /// for node in topological_order(slice::from_ref(&loss)) {
    ///     *counts.entry(node.operation().name().unwrap_or("leaf")).or_insert(0) += 1;
    /// }
    /// let counts: Vec<_> = counts.into_iter().collect();
    /// assert_eq!(counts, [("add", 1), ("leaf", 2), ("mul", 2), ("tanh", 2)]);
    /// ```
    #[inline]
    pub fn operation(&self) -> Operation<'_> {
        let unary = |op, x| Operation::Apply { op, x, y: None };
        let binary = |op, x, y| Operation::Apply { op, x, y: Some(y) };
        let Some(origin) = &*self.0.origin else {
            return Operation::Leaf;
        };
        match origin {
            Origin::Unary(op, x) => unary(*op, Argument::Node(x)),
            Origin::Binary(op, x, y) => binary(*op, Argument::Node(x), Argument::Node(y)),
            Origin::ConstantRight(op, x, y) => {
                binary(*op, Argument::Node(x), Argument::Constant(*y))
            }
            Origin::ConstantLeft(op, x, y) => {
                binary(*op, Argument::Constant(*x), Argument::Node(y))
            }
            Origin::Sum(terms) => Operation::Sum(Terms::single(terms)),
            Origin::WeightedSum(weights, inputs) => {
                Operation::Sum(Terms::weighted(weights.values(), inputs.values()))
            }
        }
    }

    /// The nodes that the value was computed from. A node that occurs twice is listed twice;
    /// constants are not listed. The order is from left to right, except that a sum of products
    /// lists its weights and single terms before its inputs.
    #[inline]
    pub fn operands(&self) -> impl Iterator<Item = &Value> {
        match self.operation() {
            Operation::Leaf => Nodes::default(),
            Operation::Apply { x, y, .. } => Nodes::of_arguments(Some(x), y),
            Operation::Sum(terms) => Nodes::of_terms(&terms),
        }
    }

    /// The [`operands`](Self::operands) to which the operation passes a gradient down: not the
    /// argument of `detach` or of a step such as `floor`, nor the arguments of a condition, nor the
    /// condition of `when` or `unless`.
    #[inline]
    pub fn receivers(&self) -> impl Iterator<Item = &Value> {
        match self.operation() {
            Operation::Leaf => Nodes::default(),
            Operation::Apply { op, x, y } => {
                let x = op.passes_to_x().then_some(x);
                let y = y.filter(|_| op.passes_to_y());
                Nodes::of_arguments(x, y)
            }
            Operation::Sum(terms) => Nodes::of_terms(&terms),
        }
    }

    /// Whether a gradient that arrives here goes no further, as at `detach`, steps and conditions.
    #[inline]
    pub(crate) fn ends_gradient(&self) -> bool {
        !self.is_leaf() && self.receivers().next().is_none()
    }
}

/// The nodes among two arguments, or those of a sum.
#[derive(Default)]
struct Nodes<'graph> {
    arguments: [Option<&'graph Value>; 2],
    lists: [&'graph [Value]; 3],
}

impl<'graph> Nodes<'graph> {
    #[inline]
    fn of_arguments(x: Option<Argument<'graph>>, y: Option<Argument<'graph>>) -> Self {
        Self {
            arguments: [x, y].map(|argument| argument.and_then(Argument::node)),
            lists: [&[]; 3],
        }
    }

    #[inline]
    fn of_terms(terms: &Terms<'graph>) -> Self {
        Self {
            arguments: [None; 2],
            lists: [terms.weights, terms.singles, terms.inputs],
        }
    }
}

impl<'graph> Iterator for Nodes<'graph> {
    type Item = &'graph Value;

    #[inline]
    fn next(&mut self) -> Option<&'graph Value> {
        if let Some(argument) = self.arguments.iter_mut().find_map(Option::take) {
            return Some(argument);
        }
        let list = self.lists.iter_mut().find(|list| !list.is_empty())?;
        let (first, others) = list.split_first()?;
        *list = others;
        Some(first)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let arguments = self.arguments.iter().flatten().count();
        let nodes = arguments + self.lists.iter().map(|list| list.len()).sum::<usize>();
        (nodes, Some(nodes))
    }

    /// Faster than one by one: every walk over a graph is this loop.
    #[inline]
    fn fold<B, F: FnMut(B, &'graph Value) -> B>(self, init: B, mut visit: F) -> B {
        let [x, y] = self.arguments;
        let mut result = init;
        if let Some(x) = x {
            result = visit(result, x);
        }
        if let Some(y) = y {
            result = visit(result, y);
        }
        for list in self.lists {
            result = list.iter().fold(result, &mut visit);
        }
        result
    }
}

impl<'graph> Operation<'graph> {
    /// The operation's name, `tanh` or `sum`; a leaf has none.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Leaf => None,
            Self::Apply { op, .. } => Some(op.name()),
            Self::Sum(_) => Some("sum"),
        }
    }

    /// The operation's label in drawings, `R` for `relu`; a leaf has none. A sum of one product has
    /// the label of a product.
    pub fn label(&self) -> Option<&'static str> {
        match self {
            Self::Leaf => None,
            Self::Apply { op, .. } => Some(op.label()),
            Self::Sum(terms) if terms.weights.len() == 1 && terms.singles.is_empty() => {
                Some(Op::Mul.label())
            }
            Self::Sum(_) => Some(Op::Add.label()),
        }
    }

    /// The arguments with their rules, from left to right, sums taken apart.
    pub(crate) fn edges(self) -> impl Iterator<Item = Edge<'graph>> {
        let (arguments, terms) = match self {
            Self::Leaf => (None, Terms::default()),
            Self::Apply { op, x, y } => (Some(Edge::of_arguments(op, x, y)), Terms::default()),
            Self::Sum(terms) => (None, terms),
        };
        let is_weighted = !terms.weights.is_empty();
        let of_terms = terms
            .enumerate()
            .map(move |(i, term)| Edge::of_term(i, term, is_weighted));
        arguments.into_iter().chain(of_terms).flatten().flatten()
    }
}

impl<'graph> Argument<'graph> {
    /// The node, if it is one.
    pub fn node(self) -> Option<&'graph Value> {
        match self {
            Self::Node(node) => Some(node),
            Self::Constant(_) => None,
        }
    }

    /// The number: the constant, or the data of the node.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Value::borrow_mut) of the node is alive.
    #[track_caller]
    pub fn data(self) -> f64 {
        match self {
            Self::Node(node) => node.data(),
            Self::Constant(constant) => constant,
        }
    }
}

impl Term<'_> {
    /// The number that is added.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Value::borrow_mut) of a node of the term is alive.
    #[inline]
    #[track_caller]
    pub fn data(self) -> f64 {
        match self {
            Self::Product(weight, input) => weight.data() * input.data(),
            Self::Single(value) => value.data(),
        }
    }
}

impl<'graph> Terms<'graph> {
    pub(super) fn single(singles: &'graph [Value]) -> Self {
        Self {
            singles,
            ..Self::default()
        }
    }

    /// The factors of the products, the same number on each side.
    pub(crate) fn factors(&self) -> [&'graph [Value]; 2] {
        [self.weights, self.inputs]
    }

    /// The terms that are not products.
    pub(crate) fn singles(&self) -> &'graph [Value] {
        self.singles
    }

    /// The products of weights and inputs. A weight beyond the last input, a bias, is a term by
    /// itself.
    pub(super) fn weighted(weights: &'graph [Value], inputs: &'graph [Value]) -> Self {
        let (weights, singles) = weights.split_at(inputs.len());
        Self {
            weights,
            inputs,
            singles,
        }
    }
}

impl<'graph> Iterator for Terms<'graph> {
    type Item = Term<'graph>;

    #[inline]
    fn next(&mut self) -> Option<Term<'graph>> {
        if let ([weight, weights @ ..], [input, inputs @ ..]) = (self.weights, self.inputs) {
            (self.weights, self.inputs) = (weights, inputs);
            return Some(Term::Product(weight, input));
        }
        let (single, singles) = self.singles.split_first()?;
        self.singles = singles;
        Some(Term::Single(single))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let terms = self.weights.len() + self.singles.len();
        (terms, Some(terms))
    }

    /// Faster than term by term: the forward pass of a neuron is this loop.
    #[inline]
    fn fold<B, F: FnMut(B, Term<'graph>) -> B>(self, init: B, mut add: F) -> B {
        let products = iter::zip(self.weights, self.inputs);
        let sum = products.fold(init, |sum, (w, x)| add(sum, Term::Product(w, x)));
        self.singles
            .iter()
            .fold(sum, |sum, x| add(sum, Term::Single(x)))
    }
}

impl ExactSizeIterator for Terms<'_> {}

/// An argument of an operation, and the rule by which it gets its part of the gradient. In a sum,
/// the rules are those of `*` and `+`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge<'graph> {
    pub(crate) role: Role,
    pub(crate) op: Op,
    pub(crate) x: Argument<'graph>,
    pub(crate) y: Argument<'graph>,
}

/// The part that an argument plays in its operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    X,
    Y,
    Term(usize),
    Weight(usize),
    Input(usize),
    Bias,
}

/// Which argument of the rule's operation.
pub(crate) enum Side {
    X,
    Y,
}

impl<'graph> Edge<'graph> {
    fn of_arguments(op: Op, x: Argument<'graph>, y: Option<Argument<'graph>>) -> [Option<Self>; 2] {
        let edge = |role| Self {
            role,
            op,
            x,
            y: y.unwrap_or(Argument::Constant(UNREAD)),
        };
        [Some(edge(Role::X)), y.map(|_| edge(Role::Y))]
    }

    fn of_term(i: usize, term: Term<'graph>, is_weighted: bool) -> [Option<Self>; 2] {
        let edge = |role, op, x, y| Some(Self { role, op, x, y });
        match term {
            Term::Product(weight, input) => {
                let [x, y] = [weight, input].map(Argument::Node);
                [
                    edge(Role::Weight(i), Op::Mul, x, y),
                    edge(Role::Input(i), Op::Mul, x, y),
                ]
            }
            Term::Single(value) => {
                let role = if is_weighted {
                    Role::Bias
                } else {
                    Role::Term(i)
                };
                let nothing = Argument::Constant(UNREAD);
                [edge(role, Op::Add, Argument::Node(value), nothing), None]
            }
        }
    }

    pub(crate) fn side(&self) -> Side {
        match self.role {
            Role::X | Role::Term(_) | Role::Weight(_) | Role::Bias => Side::X,
            Role::Y | Role::Input(_) => Side::Y,
        }
    }

    pub(crate) fn argument(&self) -> Argument<'graph> {
        match self.side() {
            Side::X => self.x,
            Side::Y => self.y,
        }
    }

    /// The argument, if it is a node that gets a part of the gradient.
    pub(crate) fn receiver(&self) -> Option<&'graph Value> {
        let passes = match self.side() {
            Side::X => self.op.passes_to_x(),
            Side::Y => self.op.passes_to_y(),
        };
        self.argument().node().filter(|_| passes)
    }

    /// The part of the gradient, if `out` is the operation's result and `g` the upstream gradient.
    pub(crate) fn vjp(&self, out: f64, g: f64) -> f64 {
        let [x, y] = [self.x, self.y].map(Argument::data);
        match self.side() {
            Side::X => self.op.vjp_x(x, y, out, g),
            Side::Y => self.op.vjp_y(x, y, out, g),
        }
    }
}
