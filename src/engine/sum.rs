//! Sums: one node for any number of terms, weighted or not.
//!
//! If each product and addition were a node, the sum of a neuron with 16 inputs would be 32 nodes.
//! Here it is one. The neurons of a layer also share the list of their inputs, and a neuron shares
//! its list of weights between the rows of a batch.

use std::iter::{Product, Sum};
use std::rc::Rc;

use super::graph::{Origin, SharedValues, Value};
use super::label::Line;
use super::view::Terms;
use crate::ops::Op;

impl Value {
    /// The weighted sum w₀x₀ + w₁x₁ + …, as one node. It is added up from left to right; an
    /// empty sum is a leaf of 0.
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
    /// If the numbers of weights and inputs differ.
    #[must_use]
    #[track_caller]
    pub fn dot(weights: &[Value], inputs: &[Value]) -> Value {
        assert!(
            weights.len() == inputs.len(),
            "a weighted sum needs as many weights as inputs, not {} and {}",
            weights.len(),
            inputs.len()
        );
        if weights.is_empty() {
            return Self::new(0.0);
        }
        Self::weighted_sum(
            &SharedValues::new(weights.to_vec()),
            &SharedValues::new(inputs.to_vec()),
        )
    }

    /// [`dot`](Self::dot) of shared lists; a weight without an input is added at the end.
    #[track_caller]
    pub(crate) fn weighted_sum(weights: &Rc<SharedValues>, inputs: &Rc<SharedValues>) -> Value {
        let data = total(Terms::weighted(weights.values(), inputs.values()));
        Self::record(
            data,
            Origin::WeightedSum(Rc::clone(weights), Rc::clone(inputs)),
        )
    }
}

/// The terms added up from left to right, starting with 0.
#[track_caller]
fn total(terms: Terms) -> f64 {
    terms.fold(0.0, |sum, term| sum + term.data())
}

impl Sum for Value {
    /// The sum as one node, added up from left to right; a leaf of 0 if there are no terms.
    fn sum<I: Iterator<Item = Value>>(terms: I) -> Value {
        let terms: Box<[Value]> = terms.collect();
        if terms.is_empty() {
            return Value::new(0.0);
        }
        let data = total(Terms::single(&terms));
        // The caller's line is in the standard library.
        Value::record_at(Line::default(), data, Some(Origin::Sum(terms)))
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
                let product = Origin::Binary(Op::Mul, x, y);
                Value::record_at(Line::default(), data, Some(product))
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
