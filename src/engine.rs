//! The engine: [`Value`], the graph that its operations record, and [`Value::backward`].
//!
//! A [`Value`] is a handle to a node. A node holds two numbers, its `data` and its `grad`, and how
//! it came to be: a leaf that the user made, or an operation and its operands. So each expression
//! records a graph, whose nodes point at what they were computed from, and never the other way
//! round: a graph has no cycles, and it is freed when its last handle goes.
//!
//! ```
//! use micrograd::engine::Value;
//!
//! let x = Value::new(3.0);
//! let y = &x * &x + 1.0;
//! y.backward();
//! assert_eq!(y.data(), 10.0);
//! assert_eq!(x.grad(), 6.0); // dy/dx = 2x
//! ```
//!
//! `backward` computes numbers. [`Value::gradient`] returns the gradient as values, which can be
//! differentiated again; [`hessian`] and [`hessian_vector_product`] are made of it.
//!
//! # Conventions
//!
//! - [`backward`](Value::backward) *adds* to the gradients of leaves and starts those of inner
//!   nodes afresh. Calling it twice adds the same to the leaves twice; [`Value::zero_grad`] on the
//!   leaves starts anew.
//! - A number in an expression is a constant: it is no node and has no gradient.
//! - `x += y` makes a new, unnamed node and binds `x` to it. Older handles keep theirs.
//! - Where a function has a kink, the gradient is 0 for `relu` and `abs`, and that of the left side
//!   for `leaky_relu` and `elu`; a tie of `max` or `min` gives half to each. The side that such an
//!   operation did not take gets nothing, even where its own slope is infinite. (What `when` and
//!   `unless` drop receives 0, and an infinite slope makes NaN of that: `notes/Gradients.md` shows the
//!   remedy.)
//! - x⁰ has the gradient 0 everywhere, 0¹ has 1, √0 has +∞. The gradient of an exponent is
//!   out · ln x: 0 where x = 0 and the exponent is at least 0, NaN where x < 0.
//! - NaN passes through every function (`relu` of NaN is NaN), except where the result does not
//!   depend on it, as in x⁰ and 1ˣ; the conditions `at_most` and `equals` do not hold for it.
//!   Outside of its domain a function is NaN (`ln` of -1). Nothing here panics because of a number.
//! - The backward pass ends at `detach` and at conditions (`at_most`, `equals`, and what `when` and
//!   `unless` take for one). Nothing is passed down there, not even a 0.
//! - Graphs may be of any depth: nothing recurses.
//!
//! # Guards
//!
//! [`Value::borrow`] and [`Value::borrow_mut`] give both numbers as a guard of a
//! [`RefCell`]. While a guard from `borrow_mut` is alive, everything that reads the node panics;
//! while any guard is alive, everything that writes it does: [`Value::set_data`],
//! [`Value::zero_grad`], the step of an optimizer, and `backward` on a graph that contains it; the
//! last two before they have changed a parameter or a leaf. [`Value::data`], [`Value::grad`] and
//! `set_data` need no guard.

use std::cell::{BorrowMutError, Cell, Ref, RefCell, RefMut};
use std::collections::HashMap;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::panic::Location;
use std::rc::Rc;

use crate::ops::{Op, UNREAD};
use crate::tree::Tree;

mod gradient;
mod operators;
mod order;
mod sum;

pub use gradient::{hessian, hessian_vector_product, jacobian};
pub(crate) use order::Order;
pub(crate) use sum::Operands;

/// A number that remembers how it was computed.
///
/// It is a counted handle: a clone is the same node. Arithmetic works on `Value`, `&Value` and
/// `f64` in any mix, and the functions are named as those of `f64`, but for `powf`, which is `pow`.
///
/// ```
/// use micrograd::engine::Value;
///
/// let x = Value::new(0.5).with_name("x");
/// let y = (2.0 * &x).tanh() / (x.pow(2.0) + 1.0);
/// y.backward();
/// println!("{}", y.tree());
/// ```
#[derive(Clone)]
pub struct Value(Rc<Node>);

/// The two numbers of a node, as [`Value::borrow`] shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ValueData {
    /// The result of the forward pass.
    pub data: f64,
    /// The derivative of the node on which `backward` was called with respect to this one: of a
    /// leaf the sum over all passes since it was 0, of an inner node that of the last pass.
    pub grad: f64,
}

/// What an operation takes: a node, or a number that is a constant of the expression.
///
/// Functions of two arguments accept anything that converts into it as the second: `x.max(&y)`,
/// `x.max(y)`, `x.max(0.5)`. The first is a node: for 2ˣ with a base of 2, `Value::new(2.0).pow(&x)`.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A node, which gets a gradient.
    Node(Value),
    /// A constant, which gets none.
    Literal(f64),
}

struct Node {
    numbers: RefCell<ValueData>,
    /// During `backward`: how many of those that read this node have not yet passed it their part
    /// of its gradient. While an `Order` lives: the node's position in it, plus 1. Else 0.
    pending: Cell<usize>,
    /// Freed by `Node::drop`, which leaves nothing behind for the compiler to drop: without its
    /// second look a node costs 5 % less.
    origin: ManuallyDrop<Origin>,
    name: Cell<Option<Box<str>>>,
    line: Cell<Line>,
}

/// The source line that made a node; nothing without the feature `locations`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line(#[cfg(feature = "locations")] Option<&'static Location<'static>>);

impl Line {
    #[inline(always)]
    #[track_caller]
    fn of_caller() -> Self {
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

/// How a node came to be.
#[derive(Default)]
pub(crate) enum Origin {
    /// Made by the user; what `backward` adds to.
    #[default]
    Leaf,
    /// op(x)
    Unary(Op, Value),
    /// op(x, y), of two nodes
    Binary(Op, Value, Value),
    /// op(x, 2.0)
    LiteralRight(Op, Value, f64),
    /// op(2.0, y)
    LiteralLeft(Op, f64, Value),
    /// x₀ + x₁ + …
    Sum(Box<[Value]>),
    /// w₀x₀ + w₁x₁ + …; if there is one weight more than inputs, it is added at the end.
    WeightedSum(Rc<Operands>, Rc<Operands>),
    /// An operation that passes nothing down, such as a condition: the backward pass ends here. (If
    /// it went on with 0, an infinite slope below would make that NaN.)
    Cut(Box<Origin>),
}

impl Origin {
    /// How an operation is recorded.
    #[inline(always)]
    fn of(op: Op, origin: Self) -> Self {
        if op.passes_nothing() {
            Self::Cut(Box::new(origin))
        } else {
            origin
        }
    }

    /// The operation, whether or not it passes something down.
    pub(crate) fn operation(&self) -> &Self {
        match self {
            Self::Cut(operation) => operation,
            origin => origin,
        }
    }
}

impl Value {
    /// A new leaf.
    #[must_use]
    #[track_caller]
    pub fn new(data: f64) -> Self {
        Self::record(data, Origin::Leaf)
    }

    #[inline(always)]
    #[track_caller]
    pub(crate) fn record(data: f64, origin: Origin) -> Self {
        Self::record_at(Line::of_caller(), data, origin)
    }

    #[inline(always)]
    fn record_at(line: Line, data: f64, origin: Origin) -> Self {
        Self(Rc::new(Node {
            numbers: RefCell::new(ValueData { data, grad: 0.0 }),
            pending: Cell::new(0),
            origin: ManuallyDrop::new(origin),
            name: Cell::new(None),
            line: Cell::new(line),
        }))
    }

    #[inline(always)]
    #[track_caller]
    pub(crate) fn unary(op: Op, x: Self) -> Self {
        let data = op.value(x.data(), UNREAD);
        Self::record(data, Origin::of(op, Origin::Unary(op, x)))
    }

    #[inline(always)]
    #[track_caller]
    pub(crate) fn binary(op: Op, x: Self, y: Operand) -> Self {
        match y {
            Operand::Node(y) => {
                let y = if op.passes_nothing_to_y() { y.cut() } else { y };
                let data = op.value(x.data(), y.data());
                Self::record(data, Origin::of(op, Origin::Binary(op, x, y)))
            }
            Operand::Literal(y) => {
                let data = op.value(x.data(), y);
                Self::record(data, Origin::of(op, Origin::LiteralRight(op, x, y)))
            }
        }
    }

    #[inline(always)]
    #[track_caller]
    pub(crate) fn literal_left(op: Op, x: f64, y: Self) -> Self {
        let y = if op.passes_nothing_to_y() { y.cut() } else { y };
        let data = op.value(x, y.data());
        Self::record(data, Origin::of(op, Origin::LiteralLeft(op, x, y)))
    }

    /// op(x, y), of which one at least is a node; with one argument, `y` is not read. No line of the user
    /// made it.
    pub(crate) fn apply(op: Op, x: &Operand, y: &Operand) -> Self {
        let value = match (x, y) {
            (Operand::Node(x), _) if !op.is_binary() => Self::unary(op, x.clone()),
            (Operand::Node(x), y) => Self::binary(op, x.clone(), y.clone()),
            (Operand::Literal(x), Operand::Node(y)) => Self::literal_left(op, *x, y.clone()),
            (Operand::Literal(_), Operand::Literal(_)) => {
                unreachable!("a literal alone is no node")
            }
        };
        value.set_line(Line::default());
        value
    }

    /// The value, as one that passes nothing down.
    #[track_caller]
    fn cut(self) -> Self {
        match self.origin() {
            Origin::Cut(_) => self,
            _ => self.detach(),
        }
    }

    /// The same node, named. The tree shows the name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        self.set_name(name);
        self
    }

    pub(crate) fn set_name(&self, name: impl Into<String>) {
        self.0.name.set(Some(name.into().into_boxed_str()));
    }

    /// The node's name, if it was given one.
    pub fn name(&self) -> Option<String> {
        let name = self.0.name.take();
        let copy = name.as_deref().map(String::from);
        self.0.name.set(name);
        copy
    }

    pub(crate) fn line(&self) -> Line {
        self.0.line.get()
    }

    pub(crate) fn set_line(&self, line: Line) {
        self.0.line.set(line);
    }

    /// The number that the node holds.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) is alive.
    #[inline]
    #[track_caller]
    pub fn data(&self) -> f64 {
        self.0.numbers.borrow().data
    }

    /// The gradient: of a leaf the sum over all backward passes since it was 0, of an inner node
    /// that of the last pass.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) is alive.
    #[inline]
    #[track_caller]
    pub fn grad(&self) -> f64 {
        self.0.numbers.borrow().grad
    }

    /// Gives the node another number, as an optimizer does with a parameter.
    ///
    /// Do so before the forward pass: what was already computed from the node keeps its value, and
    /// `backward` on that would take the new number together with the old results.
    ///
    /// # Panics
    ///
    /// If a guard of this node is alive.
    #[inline]
    #[track_caller]
    pub fn set_data(&self, data: f64) {
        self.0.numbers.borrow_mut().data = data;
    }

    /// Sets the node's gradient to 0.
    ///
    /// # Panics
    ///
    /// If a guard of this node is alive.
    #[inline]
    #[track_caller]
    pub fn zero_grad(&self) {
        self.0.numbers.borrow_mut().grad = 0.0;
    }

    /// Both numbers, to read.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) is alive.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, ValueData> {
        self.0.numbers.borrow()
    }

    /// Both numbers, to read and write.
    ///
    /// # Panics
    ///
    /// If another guard of this node is alive.
    #[track_caller]
    pub fn borrow_mut(&self) -> RefMut<'_, ValueData> {
        self.0.numbers.borrow_mut()
    }

    /// Whether both are handles to the same node.
    pub fn same_node(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The graph below this node, to print: see [`tree`](crate::tree).
    #[must_use]
    pub fn tree(&self) -> Tree<'_> {
        Tree::new(self)
    }

    /// Where the node is, to recognise it again; see [`same_node`](Self::same_node).
    pub(crate) fn address(&self) -> *const () {
        Rc::as_ptr(&self.0).cast()
    }

    /// The index of each by its address. Panics if one is not a leaf, or is there twice.
    #[track_caller]
    pub(crate) fn indices_of_leaves(role: &str, leaves: &[Self]) -> HashMap<*const (), usize> {
        let mut indices = HashMap::with_capacity(leaves.len());
        for (i, leaf) in leaves.iter().enumerate() {
            assert!(
                leaf.is_leaf(),
                "{role} {i} is not a leaf: it was computed from other values"
            );
            if let Some(first) = indices.insert(leaf.address(), i) {
                panic!("{role} {i} is the same leaf as {role} {first}");
            }
        }
        indices
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The backward pass: computes the derivative of this node with respect to every node that it
    /// was computed from, and adds it to the `grad` of the leaves among them.
    ///
    /// This node receives 1. Gradients of inner nodes are started afresh.
    ///
    /// A node may pass its gradient down when it is complete, that is after all that read the node
    /// have passed down theirs: in topological order, from the result to the leaves. The order
    /// need not be written down. It is enough to know of each node how many readers it has: count
    /// them on a first walk, count them off on the second, and go on with a node when none is left.
    /// Each edge is walked twice: O(nodes + edges).
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// let a = Value::new(1.0);
    /// let b = &a + &a;
    /// let c = &b + &b;
    /// c.backward();
    /// assert_eq!(a.grad(), 4.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If a guard of a node of the graph is alive. No gradient has been changed then, but those of
    /// inner nodes.
    #[track_caller]
    pub fn backward(&self) {
        // One stack serves both walks.
        let mut stack = Vec::with_capacity(32);
        if count_readers(self, &mut stack).is_err() {
            forget_readers(self);
            panic!("backward writes every node of the graph, and a guard of one of them is alive");
        }
        self.add_grad(1.0);
        let mut complete = stack; // empty again
        complete.push(self);
        while let Some(value) = complete.pop() {
            value.pass_down(&mut complete);
        }
    }

    /// Applies the rule of the operation that made this node: each operand receives its part of
    /// the gradient, and joins `complete` if it was the last one that it waited for.
    #[inline]
    fn pass_down<'graph>(&'graph self, complete: &mut Vec<&'graph Value>) {
        let ValueData { data: out, grad: g } = *self.0.numbers.borrow();
        match self.origin() {
            Origin::Leaf | Origin::Cut(_) => {}
            Origin::Unary(op, x) => x.receive(op.dx(x.data(), UNREAD, out, g), complete),
            Origin::Binary(op, x, y) => {
                let (x_data, y_data) = (x.data(), y.data());
                x.receive(op.dx(x_data, y_data, out, g), complete);
                y.receive(op.dy(x_data, y_data, out, g), complete);
            }
            Origin::LiteralRight(op, x, y) => x.receive(op.dx(x.data(), *y, out, g), complete),
            Origin::LiteralLeft(op, x, y) => y.receive(op.dy(*x, y.data(), out, g), complete),
            Origin::Sum(terms) => {
                for x in terms {
                    x.receive(g, complete);
                }
            }
            Origin::WeightedSum(weights, inputs) => {
                sum::pass_down(weights, inputs, out, g, complete);
            }
        }
    }

    /// Adds a part of this node's gradient.
    #[inline]
    fn receive<'graph>(&'graph self, grad: f64, complete: &mut Vec<&'graph Value>) {
        self.add_grad(grad);
        if !self.is_leaf() {
            let pending = self.0.pending.get() - 1;
            self.0.pending.set(pending);
            if pending == 0 {
                complete.push(self);
            }
        }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn add_grad(&self, grad: f64) {
        self.0.numbers.borrow_mut().grad += grad;
    }

    /// Counts one more reader of this node. The first one sets the gradient to 0 and leaves the
    /// node `to_walk`. Returns the node's data.
    #[inline]
    fn count_reader<'graph>(
        &'graph self,
        to_walk: &mut Vec<&'graph Value>,
    ) -> Result<f64, BorrowMutError> {
        let mut numbers = self.0.numbers.try_borrow_mut()?;
        if !self.is_leaf() {
            let pending = self.0.pending.get();
            if pending == 0 {
                numbers.grad = 0.0;
                to_walk.push(self);
            }
            self.0.pending.set(pending + 1);
        }
        Ok(numbers.data)
    }

    #[inline]
    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self.origin(), Origin::Leaf)
    }
}

/// Counts, for every inner node below `root`, those that read it, and sets its gradient to 0.
fn count_readers<'graph>(
    root: &'graph Value,
    to_walk: &mut Vec<&'graph Value>,
) -> Result<(), BorrowMutError> {
    root.count_reader(to_walk)?;
    while let Some(value) = to_walk.pop() {
        match value.origin() {
            Origin::Leaf | Origin::Cut(_) => {}
            Origin::Unary(_, x) | Origin::LiteralRight(_, x, _) | Origin::LiteralLeft(_, _, x) => {
                x.count_reader(to_walk)?;
            }
            Origin::Binary(_, x, y) => {
                x.count_reader(to_walk)?;
                y.count_reader(to_walk)?;
            }
            Origin::Sum(terms) => {
                for x in terms {
                    x.count_reader(to_walk)?;
                }
            }
            Origin::WeightedSum(weights, inputs) => {
                weights.count_reader(to_walk)?;
                inputs.count_reader(to_walk)?;
            }
        }
    }
    // No node reads the root.
    root.0.pending.set(0);
    Ok(())
}

/// Takes back what `count_readers` counted before it failed.
fn forget_readers(root: &Value) {
    let mut to_reset = vec![root];
    while let Some(value) = to_reset.pop() {
        if value.0.pending.replace(0) == 0 {
            continue;
        }
        match value.origin() {
            Origin::Leaf | Origin::Cut(_) => {}
            Origin::Unary(_, x) | Origin::LiteralRight(_, x, _) | Origin::LiteralLeft(_, _, x) => {
                to_reset.push(x);
            }
            Origin::Binary(_, x, y) => to_reset.extend([x, y]),
            Origin::Sum(terms) => to_reset.extend(terms),
            Origin::WeightedSum(weights, inputs) => {
                weights.forget(&mut to_reset);
                inputs.forget(&mut to_reset);
            }
        }
    }
}

impl Drop for Node {
    /// Frees what only this node could reach. Dropping a field would recurse as deep as the graph,
    /// so the operands are taken out of each node before it goes.
    fn drop(&mut self) {
        if let Origin::Leaf = *self.origin {
            return;
        }
        let mut waiting = Vec::new();
        let mut next = self.release_operands(&mut waiting);
        while let Some(mut value) = next {
            next = Rc::get_mut(&mut value.0)
                .and_then(|node| node.release_operands(&mut waiting))
                .or_else(|| waiting.pop());
        }
    }
}

impl Node {
    /// Gives up the operands. Of those that nothing else holds it returns one, and leaves the
    /// others `waiting`; so a chain needs no stack.
    #[inline]
    fn release_operands(&mut self, waiting: &mut Vec<Value>) -> Option<Value> {
        match ManuallyDrop::into_inner(mem::take(&mut self.origin)) {
            Origin::Leaf => None,
            Origin::Cut(operation) => release_operands_of_cut(operation, waiting),
            Origin::Unary(_, x) | Origin::LiteralRight(_, x, _) | Origin::LiteralLeft(_, _, x) => {
                x.if_unshared()
            }
            Origin::Binary(_, x, y) => {
                let (x, y) = (x.if_unshared(), y.if_unshared());
                if x.is_some() {
                    waiting.extend(y);
                    x
                } else {
                    y
                }
            }
            Origin::Sum(terms) => {
                waiting.extend(terms.into_iter().filter_map(Value::if_unshared));
                waiting.pop()
            }
            Origin::WeightedSum(weights, inputs) => {
                for list in [weights, inputs] {
                    if let Some(list) = Rc::into_inner(list) {
                        let values = list.into_values().into_iter();
                        waiting.extend(values.filter_map(Value::if_unshared));
                    }
                }
                waiting.pop()
            }
        }
    }
}

/// The same, for an operation in a box.
#[cold]
fn release_operands_of_cut(operation: Box<Origin>, waiting: &mut Vec<Value>) -> Option<Value> {
    let mut operands = Vec::new();
    operation.for_each_operand(|x| operands.push(x.clone()));
    drop(operation);
    waiting.extend(operands.into_iter().filter_map(Value::if_unshared));
    waiting.pop()
}

impl Value {
    /// The handle, if it is the last one of its node.
    #[inline]
    fn if_unshared(self) -> Option<Self> {
        (Rc::strong_count(&self.0) == 1).then_some(self)
    }
}

impl Default for Value {
    /// A leaf of 0.
    #[track_caller]
    fn default() -> Self {
        Self::new(0.0)
    }
}

impl From<f64> for Value {
    #[track_caller]
    fn from(data: f64) -> Self {
        Self::new(data)
    }
}

impl From<&Value> for Value {
    /// Another handle to the same node.
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

impl From<Value> for Operand {
    fn from(value: Value) -> Self {
        Self::Node(value)
    }
}

impl From<&Value> for Operand {
    fn from(value: &Value) -> Self {
        Self::Node(value.clone())
    }
}

impl From<f64> for Operand {
    fn from(literal: f64) -> Self {
        Self::Literal(literal)
    }
}

impl fmt::Debug for Value {
    /// Both numbers. Does not panic where a guard hides them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.numbers.try_borrow() {
            Ok(numbers) => {
                let ValueData { data, grad } = *numbers;
                write!(f, "Value(data={data}, grad={grad})")
            }
            Err(_) => write!(f, "Value(<borrowed>)"),
        }
    }
}

impl fmt::Display for Value {
    /// The number, with the formatter's precision and width.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.data(), f)
    }
}
