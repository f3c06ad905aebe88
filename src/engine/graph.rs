//! The graph: nodes and the handles to them.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use super::label::{Label, Line};
use crate::ops::Op;

/// A number that remembers how it was computed.
///
/// It is a reference-counted handle: a clone is the same node. Arithmetic works on `Value`,
/// `&Value` and `f64` in any mix. The functions have the names of `f64`'s, except that `powf` is
/// `pow`; as in PyTorch, `signum` is 0 at 0, and `max` and `min` pass NaN on.
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
pub struct Value(pub(super) Rc<Node>);

/// The two numbers of a node, as [`Value::borrow`] shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ValueData {
    /// The result of the forward pass.
    pub data: f64,
    /// The derivative of the node on which `backward` was called with respect to this one: for a
    /// leaf, the sum over all passes since it was 0; for an inner node, the result of the last
    /// pass.
    pub grad: f64,
}

pub(super) struct Node {
    pub(super) numbers: RefCell<ValueData>,
    /// During `backward`: the number of users of this node that have not yet passed it their part
    /// of its gradient. While a `TopologicalOrder` lives: the node's position in it, plus 1.
    /// Else 0.
    pub(super) pending: Cell<usize>,
    /// How the node was computed; `None` for a leaf, to which `backward` adds. Freed by
    /// `Node::drop`, which leaves nothing for the compiler to drop: without that second check a
    /// node costs 5 % less.
    pub(super) origin: ManuallyDrop<Option<Origin>>,
    pub(super) label: Cell<Label>,
}

/// How a node was computed.
pub(super) enum Origin {
    /// op(x)
    Unary(Op, Value),
    /// op(x, y), of two nodes
    Binary(Op, Value, Value),
    /// op(x, 2.0)
    ConstantRight(Op, Value, f64),
    /// op(2.0, y)
    ConstantLeft(Op, f64, Value),
    /// x₀ + x₁ + …
    Sum(Box<[Value]>),
    /// w₀x₀ + w₁x₁ + …, of weights and inputs.
    WeightedSum(Rc<SharedValues>, Rc<SharedValues>),
}

/// A list of operands that weighted sums share, as the neurons of a layer share their inputs.
pub(crate) struct SharedValues {
    pub(super) values: Vec<Value>,
    /// During `backward`: their data, and the gradients that the sums have passed down so far.
    pub(super) numbers: RefCell<Vec<ValueData>>,
    /// During `backward`: the number of sums that have not yet passed theirs down.
    pub(super) pending: Cell<usize>,
}

impl SharedValues {
    pub(crate) fn new(values: Vec<Value>) -> Rc<Self> {
        Rc::new(Self {
            values,
            numbers: RefCell::default(),
            pending: Cell::new(0),
        })
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }
}

impl Value {
    /// A new leaf.
    #[must_use]
    #[track_caller]
    pub fn new(data: f64) -> Self {
        Self::record_at(Line::of_caller(), data, None)
    }

    #[inline(always)]
    #[track_caller]
    pub(super) fn record(data: f64, origin: Origin) -> Self {
        Self::record_at(Line::of_caller(), data, Some(origin))
    }

    #[inline(always)]
    pub(super) fn record_at(line: Line, data: f64, origin: Option<Origin>) -> Self {
        Self(Rc::new(Node {
            numbers: RefCell::new(ValueData { data, grad: 0.0 }),
            pending: Cell::new(0),
            origin: ManuallyDrop::new(origin),
            label: Cell::new(Label { name: None, line }),
        }))
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

    /// The gradient: for a leaf, the sum over all backward passes since it was 0; for an inner
    /// node, the result of the last pass.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) is alive.
    #[inline]
    #[track_caller]
    pub fn grad(&self) -> f64 {
        self.0.numbers.borrow().grad
    }
}

impl Drop for Node {
    /// Frees the nodes that only this one reaches. Dropping a field would recurse as deep as the
    /// graph, so the operands are taken out of each node before it is dropped.
    fn drop(&mut self) {
        if self.origin.is_none() {
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
    /// Releases the operands. If some have no other owner, returns one and pushes the rest onto
    /// `waiting`, so that a chain needs no stack.
    #[inline]
    fn release_operands(&mut self, waiting: &mut Vec<Value>) -> Option<Value> {
        match self.origin.take()? {
            Origin::Unary(_, x)
            | Origin::ConstantRight(_, x, _)
            | Origin::ConstantLeft(_, _, x) => x.if_unshared(),
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
                        let values = list.values.into_iter();
                        waiting.extend(values.filter_map(Value::if_unshared));
                    }
                }
                waiting.pop()
            }
        }
    }
}

impl Value {
    /// The handle, if it is the last one to its node.
    #[inline]
    fn if_unshared(self) -> Option<Self> {
        (Rc::strong_count(&self.0) == 1).then_some(self)
    }
}

impl fmt::Debug for SharedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.values).finish()
    }
}
