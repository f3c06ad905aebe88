//! The engine: [`Value`], the graph that its operations record, and [`Value::backward`].
//!
//! A [`Value`] is a handle to a node. A node holds two numbers, its `data` and its `grad`, and how
//! it was computed: a leaf was not; any other node is the result of an operation on operands. So
//! each expression records a graph, in which a node points to its operands and never the other way
//! round: a graph has no cycles, and it is freed when its last handle is dropped.
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
//! differentiated again; [`hessian`] and [`hessian_vector_product`] are built on it.
//!
//! # Looking at a graph
//!
//! A graph can be inspected, but not changed. [`Value::operation`] says how a value was computed,
//! [`Value::operands`] from which nodes, and [`topological_order`] lists all nodes below a value;
//! their pages show how to count operations and how to measure the depth of a graph.
//!
//! # Conventions
//!
//! - [`backward`](Value::backward) *adds* to the gradients of leaves and starts those of inner
//!   nodes at 0. Calling it twice adds the same to the leaves twice; [`Value::zero_grad`] on the
//!   leaves starts over.
//! - A number in an expression is a constant: it is not a node and has no gradient.
//! - `x += y` makes a new, unnamed node and binds `x` to it. Older handles keep the old node.
//! - At a kink, the gradient is 0 for `relu` and `abs`, and the slope on the left for `leaky_relu`
//!   and `elu`; a clamp passes the gradient at its bounds; a tie of `max` or `min` gives half to
//!   each argument. The side that such an operation did not take gets nothing, even where its own
//!   slope is infinite. (A value that `when` or `unless` drops receives 0, which an infinite slope
//!   turns into NaN: `notes/Gradients.md` shows the remedy.)
//! - x⁰ has the gradient 0 everywhere, 0¹ has 1, √0 has +∞. The gradient of an exponent is
//!   out · ln x: 0 where x = 0 and the exponent is at least 0, NaN where x < 0.
//! - NaN passes through every function (`relu` of NaN is NaN), except where the result does not
//!   depend on it, as in x⁰ and 1ˣ; the conditions `at_most` and `equals` do not hold for it.
//!   Outside its domain a function is NaN (`ln` of -1). No operation panics because of a number,
//!   except a `clamp` whose bounds are out of order or NaN.
//! - The backward pass ends at `detach`, at steps such as `floor`, and at conditions (`at_most`,
//!   `equals`, and the second argument of `when` and `unless`). Nothing is passed down there, not
//!   even a 0. A node that receives no gradient is not touched: it keeps its `grad`.
//! - A graph may have any depth: nothing recurses.
//!
//! # Guards
//!
//! [`Value::borrow`] and [`Value::borrow_mut`] return both numbers as a guard of a
//! [`RefCell`](std::cell::RefCell). While a guard from `borrow_mut` is alive, everything that reads
//! the numbers of the node panics. While any guard is alive, everything that writes them panics:
//! [`Value::set_data`], [`Value::set_grad`], [`Value::zero_grad`], the step of an optimizer, and a
//! `backward` that passes the node a gradient. The last two panic before they change a parameter or
//! a leaf. (`backward` also reads the condition of `when` and `unless`.) [`Value::data`],
//! [`Value::grad`] and `set_data` need no guard.

// The page of `Value` begins with the methods of these two.
mod graph;

mod backward;

mod functions;
mod gradient;
mod handle;
mod label;
mod operators;
mod order;
mod sum;
mod symbol;
mod view;

pub use crate::ops::Op;
pub use functions::Operand;
pub use gradient::{hessian, hessian_vector_product, jacobian};
pub use graph::{Value, ValueData};
pub use handle::NodeId;
pub use order::topological_order;
pub use view::{Argument, Operation, Term, Terms};

pub(crate) use functions::Quantity;
pub(crate) use graph::SharedValues;
pub(crate) use label::Label;
pub(crate) use order::TopologicalOrder;
pub(crate) use view::{Edge, Role, Side};

#[cfg(test)]
pub(crate) mod tests;
