//! The lists of operands that weighted sums share, in the backward pass.
//!
//! Such a list takes part in both walks as a node does. It is traversed once, not once per sum: it
//! collects the gradients of its values, and passes them on when all sums that use it have
//! reported.

use std::iter;

use crate::engine::graph::{SharedValues, Value, ValueData};
use crate::ops::{Op, UNREAD};

impl SharedValues {
    /// Counts one more sum that uses this list; the first one visits its values. Returns `None` if
    /// a guard of one of them is alive.
    #[inline]
    pub(super) fn count_sum<'graph>(&'graph self, to_walk: &mut Vec<&'graph Value>) -> Option<()> {
        let pending = self.pending.get();
        self.pending.set(pending + 1);
        if pending == 0 {
            let mut numbers = self.numbers.borrow_mut();
            numbers.clear();
            numbers.reserve_exact(self.values.len());
            for value in &self.values {
                let data = value.count_user(to_walk)?;
                numbers.push(ValueData { data, grad: 0.0 });
            }
        }
        Some(())
    }

    /// The rule of a weighted sum: the rule of `*` for each product.
    #[inline]
    pub(super) fn pass_down<'graph>(
        [weights, inputs]: [&'graph Self; 2],
        out: f64,
        g: f64,
        complete: &mut Vec<&'graph Value>,
    ) {
        // If g is 0, there is nothing to pass down, unless an operand is infinite: 0 · ∞ is NaN.
        // But a finite sum has finite operands (the ones it was computed from). With ReLU, g is 0
        // in half of the neurons or more.
        if g != 0.0 || !out.is_finite() {
            weights.receive(inputs, g);
            inputs.receive(weights, g);
        }
        weights.report(complete);
        inputs.report(complete);
    }

    /// Adds the parts of a sum's gradient: by the rule of `*` where `others` has a factor, else as
    /// for a single term.
    #[inline]
    fn receive(&self, others: &Self, g: f64) {
        let mut numbers = self.numbers.borrow_mut();
        let others = others.numbers.borrow();
        for (x, y) in iter::zip(numbers.iter_mut(), others.iter()) {
            x.grad += Op::Mul.vjp_x(x.data, y.data, UNREAD, g);
        }
        for x in numbers.iter_mut().skip(others.len()) {
            x.grad += g;
        }
    }

    /// Counts down one sum; after the last one, the values receive the gradients collected for
    /// them.
    #[inline]
    fn report<'graph>(&'graph self, complete: &mut Vec<&'graph Value>) {
        let pending = self.pending.get() - 1;
        self.pending.set(pending);
        if pending == 0 {
            for (value, numbers) in iter::zip(&self.values, self.numbers.borrow().iter()) {
                value.receive(numbers.grad, complete);
            }
        }
    }
}
