//! Sums: one node for any number of terms, weighted or not.
//!
//! The sum of a neuron of 16 inputs would be 32 nodes, were each product and addition one. It is
//! one here. The neurons of a layer go further and share the list of their inputs, and so does a
//! neuron its list of weights between the rows of a batch. Such a shared list is walked through
//! once, not once for each sum: it collects the gradients of its values as a node does, and passes
//! them on when all sums that read it have reported.

use std::cell::{BorrowMutError, Cell, RefCell};
use std::fmt;
use std::iter::{self, Product, Sum};
use std::rc::Rc;

use super::{Line, Origin, Value, ValueData};
use crate::ops::{Op, UNREAD};

/// A list of nodes that weighted sums share.
pub(crate) struct Operands {
    values: Vec<Value>,
    /// During `backward`: their data, and the gradients that the sums have passed down so far.
    numbers: RefCell<Vec<ValueData>>,
    /// During `backward`: how many sums have not yet passed down theirs.
    pending: Cell<usize>,
}

impl Operands {
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

    pub(super) fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// Counts one more sum that reads this list; the first one visits its values.
    #[inline]
    pub(super) fn count_reader<'graph>(
        &'graph self,
        to_walk: &mut Vec<&'graph Value>,
    ) -> Result<(), BorrowMutError> {
        let pending = self.pending.get();
        self.pending.set(pending + 1);
        if pending == 0 {
            let mut numbers = self.numbers.borrow_mut();
            numbers.clear();
            numbers.reserve_exact(self.values.len());
            for value in &self.values {
                let data = value.count_reader(to_walk)?;
                numbers.push(ValueData { data, grad: 0.0 });
            }
        }
        Ok(())
    }

    /// Takes back the count; if there was one, the values are `to_reset` too.
    pub(super) fn forget<'graph>(&'graph self, to_reset: &mut Vec<&'graph Value>) {
        if self.pending.replace(0) != 0 {
            to_reset.extend(&self.values);
        }
    }

    /// Adds what a sum of products with `factors` passes down.
    #[inline]
    fn receive(&self, factors: &Self, g: f64) {
        let mut numbers = self.numbers.borrow_mut();
        for (x, y) in iter::zip(numbers.iter_mut(), factors.numbers.borrow().iter()) {
            x.grad += Op::Mul.dx(x.data, y.data, UNREAD, g);
        }
    }

    /// Counts off one sum; after the last one, the values receive what was collected for them.
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

impl fmt::Debug for Operands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.values).finish()
    }
}

impl Value {
    /// The weighted sum w₀x₀ + w₁x₁ + …, as one node. It is added up from left to right; if there is
    /// nothing to add, it is a leaf of 0.
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// let weights = [1.0, 2.0].map(Value::new);
    /// let inputs = [3.0, 4.0].map(Value::new);
    /// let y = Value::dot(&weights, &inputs);
    /// y.backward();
    /// assert_eq!(y.data(), 11.0);
    /// assert_eq!(weights[1].grad(), 4.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are not as many weights as inputs.
    #[must_use]
    #[track_caller]
    pub fn dot(weights: &[Value], inputs: &[Value]) -> Value {
        assert_eq!(
            weights.len(),
            inputs.len(),
            "a weighted sum needs as many weights as inputs: {} weights, {} inputs",
            weights.len(),
            inputs.len()
        );
        if weights.is_empty() {
            return Self::new(0.0);
        }
        Self::weighted_sum(
            &Operands::new(weights.to_vec()),
            &Operands::new(inputs.to_vec()),
        )
    }

    /// [`dot`](Self::dot) of shared lists; a weight without an input is added at the end.
    #[track_caller]
    pub(crate) fn weighted_sum(weights: &Rc<Operands>, inputs: &Rc<Operands>) -> Value {
        let mut data = 0.0;
        for (w, x) in iter::zip(&weights.values, &inputs.values) {
            data += w.data() * x.data();
        }
        if let Some(bias) = weights.values.get(inputs.values.len()) {
            data += bias.data();
        }
        Self::record(
            data,
            Origin::WeightedSum(Rc::clone(weights), Rc::clone(inputs)),
        )
    }
}

/// The rule of a weighted sum: that of `*` for each pair.
#[inline]
pub(super) fn pass_down<'graph>(
    weights: &'graph Operands,
    inputs: &'graph Operands,
    out: f64,
    g: f64,
    complete: &mut Vec<&'graph Value>,
) {
    // If g is 0 there is nothing to pass down, unless an operand is infinite: 0 · ∞ is NaN. But a
    // finite sum has finite operands (those that it was computed from). With ReLU, that is every
    // second neuron or more.
    if g != 0.0 || !out.is_finite() {
        weights.receive(inputs, g);
        inputs.receive(weights, g);
        if let Some(bias) = weights.numbers.borrow_mut().get_mut(inputs.values.len()) {
            bias.grad += g;
        }
    }
    weights.report(complete);
    inputs.report(complete);
}

impl Sum for Value {
    /// The sum as one node, added up from left to right; a leaf of 0 if there are no terms.
    fn sum<I: Iterator<Item = Value>>(terms: I) -> Value {
        let terms: Box<[Value]> = terms.collect();
        let mut data = 0.0;
        for x in &terms {
            data += x.data();
        }
        if terms.is_empty() {
            Value::new(data)
        } else {
            // The caller's line is one of the standard library.
            Value::record_at(Line::default(), data, Origin::Sum(terms))
        }
    }
}

impl<'a> Sum<&'a Value> for Value {
    /// The sum as one node, added up from left to right; a leaf of 0 if there are no terms.
    fn sum<I: Iterator<Item = &'a Value>>(terms: I) -> Value {
        terms.cloned().sum()
    }
}

impl Product for Value {
    /// The product, from left to right; a leaf of 1 if there are no factors.
    fn product<I: Iterator<Item = Value>>(factors: I) -> Value {
        factors
            .reduce(|x, y| {
                let data = x.data() * y.data();
                Value::record_at(Line::default(), data, Origin::Binary(Op::Mul, x, y))
            })
            .unwrap_or_else(|| Value::new(1.0))
    }
}

impl<'a> Product<&'a Value> for Value {
    /// The product, from left to right; a leaf of 1 if there are no factors.
    fn product<I: Iterator<Item = &'a Value>>(factors: I) -> Value {
        factors.cloned().product()
    }
}
