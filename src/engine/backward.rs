//! The backward pass.
//!
//! A node may pass its gradient down once it is complete, that is, after all its users have passed
//! theirs: in topological order, from the result to the leaves. The order need not be stored. The
//! number of users of each node is enough: a first walk counts them, a second one counts them down
//! and visits a node when none is left.
//!
//! Both walks follow only the edges that carry a gradient. `shared.rs` has the part of weighted
//! sums, which may be skipped at first: "Weighted sums" in `notes/Gradients.md` explains it.

mod shared;

use super::graph::{Origin, SharedValues, Value, ValueData};
use crate::ops::UNREAD;

impl Value {
    /// The backward pass: computes the derivative of this node with respect to every node that it
    /// was computed from, and adds it to the `grad` of the leaves among them.
    ///
    /// This node receives 1. Gradients of inner nodes start at 0. Nodes that no gradient reaches,
    /// such as those below a [`detach`](Self::detach), keep their `grad`.
    ///
    /// The time is proportional to the number of nodes and edges of the graph.
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
    /// If a guard of a node that receives a gradient is alive, or a guard from
    /// [`borrow_mut`](Self::borrow_mut) of the condition of a `when` or `unless`. By then, only
    /// gradients of inner nodes have changed.
    #[track_caller]
    pub fn backward(&self) {
        let mut stack = Vec::with_capacity(32); // serves both walks
        if count_users(self, &mut stack).is_none() {
            forget_users(self);
            panic!(
                "backward reads and writes nodes of the graph, and a guard of one of them is alive"
            );
        }
        self.add_grad(1.0);
        let mut complete = stack;
        complete.push(self);
        while let Some(value) = complete.pop() {
            value.pass_down(&mut complete);
        }
    }

    /// Applies the rule of the operation that made this node: each operand receives its part of
    /// the gradient.
    #[inline]
    fn pass_down<'graph>(&'graph self, complete: &mut Vec<&'graph Value>) {
        let ValueData { data: out, grad: g } = *self.0.numbers.borrow();
        let Some(origin) = &*self.0.origin else {
            return;
        };
        match origin {
            Origin::Unary(op, x) => {
                if op.passes_to_x() {
                    x.receive(op.vjp_x(x.data(), UNREAD, out, g), complete);
                }
            }
            Origin::Binary(op, x, y) => {
                if op.passes_to_x() {
                    let (x_data, y_data) = (x.data(), y.data());
                    x.receive(op.vjp_x(x_data, y_data, out, g), complete);
                    if op.passes_to_y() {
                        y.receive(op.vjp_y(x_data, y_data, out, g), complete);
                    }
                }
            }
            Origin::ConstantRight(op, x, y) => {
                if op.passes_to_x() {
                    x.receive(op.vjp_x(x.data(), *y, out, g), complete);
                }
            }
            Origin::ConstantLeft(op, x, y) => {
                if op.passes_to_y() {
                    y.receive(op.vjp_y(*x, y.data(), out, g), complete);
                }
            }
            Origin::Sum(terms) => terms.iter().for_each(|x| x.receive(g, complete)),
            Origin::WeightedSum(weights, inputs) => {
                SharedValues::pass_down([weights, inputs], out, g, complete);
            }
        }
    }

    /// Adds a part of this node's gradient. After the last part the node is complete.
    #[inline]
    fn receive<'graph>(&'graph self, part: f64, complete: &mut Vec<&'graph Value>) {
        self.add_grad(part);
        if !self.is_leaf() {
            let pending = self.0.pending.get() - 1;
            self.0.pending.set(pending);
            if pending == 0 {
                complete.push(self);
            }
        }
    }
}

/// Counts the users of every inner node that receives a gradient, and sets its gradient to 0.
/// Returns `None` if a guard would stop the second walk.
#[inline]
fn count_users<'graph>(root: &'graph Value, to_walk: &mut Vec<&'graph Value>) -> Option<()> {
    root.count_user(to_walk)?; // not a user, but a start for the walk
    while let Some(value) = to_walk.pop() {
        let Some(origin) = &*value.0.origin else {
            continue;
        };
        match origin {
            Origin::Unary(op, x) | Origin::ConstantRight(op, x, _) => {
                if op.passes_to_x() {
                    x.count_user(to_walk)?;
                }
            }
            Origin::Binary(op, x, y) => {
                if op.passes_to_y() {
                    // Then also to x: no row passes something to y alone.
                    x.count_user(to_walk)?;
                    y.count_user(to_walk)?;
                } else if op.passes_to_x() {
                    x.count_user(to_walk)?;
                    y.0.numbers.try_borrow().ok()?; // the rule for x reads it
                }
            }
            Origin::ConstantLeft(op, _, y) => {
                if op.passes_to_y() {
                    y.count_user(to_walk)?;
                }
            }
            Origin::Sum(terms) => {
                for x in terms {
                    x.count_user(to_walk)?;
                }
            }
            Origin::WeightedSum(weights, inputs) => {
                weights.count_sum(to_walk)?;
                inputs.count_sum(to_walk)?;
            }
        }
    }
    root.0.pending.set(0); // nothing in its own graph uses the root
    Some(())
}

/// Resets the counts of a first walk that met a guard.
#[cold]
fn forget_users(root: &Value) {
    let mut to_reset = vec![root];
    while let Some(value) = to_reset.pop() {
        if value.0.pending.replace(0) != 0 {
            if let Some(Origin::WeightedSum(weights, inputs)) = &*value.0.origin {
                weights.pending.set(0);
                inputs.pending.set(0);
            }
            to_reset.extend(value.receivers());
        }
    }
}

impl Value {
    /// Counts one more user of this node. The first one sets the gradient to 0 and pushes the node
    /// onto `to_walk`. Returns the node's data, which shared lists copy, or `None` if a guard of
    /// the node is alive.
    #[inline]
    fn count_user<'graph>(&'graph self, to_walk: &mut Vec<&'graph Value>) -> Option<f64> {
        let mut numbers = self.0.numbers.try_borrow_mut().ok()?;
        if !self.is_leaf() {
            let pending = self.0.pending.get();
            if pending == 0 {
                numbers.grad = 0.0;
                to_walk.push(self);
            }
            self.0.pending.set(pending + 1);
        }
        Some(numbers.data)
    }
}
