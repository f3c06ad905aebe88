//! Gradients that are graphs again, and what is made of them.

use std::collections::HashSet;
use std::{iter, mem, slice};

use super::{Operand, Order, Origin, Value};
use crate::ops::{Op, Symbol, UNREAD};

impl Value {
    /// The gradient with respect to `xs`, as new values: they are computed by operations, so they
    /// can be differentiated again, shown as a tree, and recorded on a tape.
    ///
    /// It is what [`backward`](Self::backward) computes, and no `grad` is read or written. The time
    /// that it takes is proportional to the size of the graph, whatever the number of `xs`. These
    /// may be leaves or inner nodes; with respect to what this value does not depend on, the gradient
    /// is a leaf of 0.
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// let x = Value::new(2.0);
    /// let y = x.pow(3.0);
    /// let [dy] = &y.gradient(std::slice::from_ref(&x))[..] else { unreachable!() };
    /// assert_eq!(dy.data(), 12.0); // 3x²
    /// let [ddy] = &dy.gradient(&[x])[..] else { unreachable!() };
    /// assert_eq!(ddy.data(), 12.0); // 6x
    /// ```
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) of a node of the graph is alive.
    #[must_use]
    #[track_caller]
    pub fn gradient(&self, xs: &[Value]) -> Vec<Value> {
        let order = Order::of(slice::from_ref(self));
        let wanted = leading_to(&order, xs);
        // What has been passed down to each node, by position.
        let mut parts: Vec<Vec<Symbol>> = vec![Vec::new(); order.nodes().len()];
        let mut gradients: Vec<Option<Symbol>> = vec![None; order.nodes().len()];
        parts[order.position(self)].push(Symbol::from(1.0));
        for (position, value) in order.nodes().iter().enumerate().rev() {
            if !wanted[position] {
                continue;
            }
            let Some(g) = sum(mem::take(&mut parts[position])) else {
                continue;
            };
            let mut receive = |x: &Value, part: &dyn Fn() -> Symbol| {
                let position = order.position(x);
                if wanted[position] {
                    parts[position].push(part());
                }
            };
            value.pass_down_symbols(&g, &mut receive);
            gradients[position] = Some(g);
        }
        let mut returned = HashSet::new();
        let gradient_of = |x: &Value| {
            order
                .find(x)
                .and_then(|position| gradients[position].clone())
        };
        let mut slopes = Vec::with_capacity(xs.len());
        for x in xs {
            slopes.push(match gradient_of(x).map(|gradient| gradient.0) {
                None => Value::new(0.0),
                Some(Operand::Literal(literal)) => Value::new(literal),
                Some(Operand::Node(node)) => {
                    let is_new = order.find(&node).is_none() && returned.insert(node.address());
                    // A node of its own, for the caller may give it a name.
                    if is_new { node } else { iter::once(node).sum() }
                }
            });
        }
        slopes
    }

    /// Hands to `receive` what the rule of this node passes down to each operand.
    pub(crate) fn pass_down_symbols(
        &self,
        g: &Symbol,
        receive: &mut dyn FnMut(&Value, &dyn Fn() -> Symbol),
    ) {
        let out = Symbol::from(self);
        let mut apply = |op: Op, x: Operand, y: Operand| {
            let [x_symbol, y_symbol] = [x.clone(), y.clone()].map(Symbol);
            if let Operand::Node(x) = &x {
                receive(x, &|| op.symbol_dx(&x_symbol, &y_symbol, &out, g));
            }
            if let Operand::Node(y) = &y {
                receive(y, &|| op.symbol_dy(&x_symbol, &y_symbol, &out, g));
            }
        };
        match self.origin() {
            Origin::Leaf | Origin::Cut(_) => {}
            Origin::Unary(op, x) => apply(*op, x.into(), UNREAD.into()),
            Origin::Binary(op, x, y) => apply(*op, x.into(), y.into()),
            Origin::LiteralRight(op, x, y) => apply(*op, x.into(), (*y).into()),
            Origin::LiteralLeft(op, x, y) => apply(*op, (*x).into(), y.into()),
            Origin::Sum(terms) => {
                for x in terms {
                    receive(x, &|| g.clone());
                }
            }
            Origin::WeightedSum(weights, inputs) => {
                for (w, x) in iter::zip(weights.values(), inputs.values()) {
                    apply(Op::Mul, w.into(), x.into());
                }
                if let Some(bias) = weights.values().get(inputs.values().len()) {
                    receive(bias, &|| g.clone());
                }
            }
        }
    }
}

/// The Jacobian of `ys` with respect to `xs`: for each y its [gradient](Value::gradient).
///
/// It costs one gradient for each y.
///
/// ```
/// use micrograd::engine::{Value, jacobian};
///
/// let [r, angle] = [2.0, 0.0].map(Value::new);
/// let point = [&r * angle.cos(), &r * angle.sin()];
/// let rows = jacobian(&point, &[r, angle]);
/// let numbers: Vec<_> = rows.iter().flatten().map(Value::data).collect();
/// assert_eq!(numbers, [1.0, 0.0, 0.0, 2.0]);
/// ```
///
/// # Panics
///
/// If a guard from [`borrow_mut`](Value::borrow_mut) of a node of a graph is alive.
#[must_use]
#[track_caller]
pub fn jacobian(ys: &[Value], xs: &[Value]) -> Vec<Vec<Value>> {
    let mut rows = Vec::with_capacity(ys.len());
    for y in ys {
        rows.push(y.gradient(xs));
    }
    rows
}

/// The Hessian of `y`: the derivative of each derivative with respect to each of `xs`.
///
/// It costs one gradient, and a gradient of that for each x. To multiply the Hessian by a vector,
/// [`hessian_vector_product`] is enough. It is [`jacobian`]`(&y.gradient(xs), xs)`; who needs the gradient
/// too, as Newton's method does, should take it apart so.
///
/// ```
/// use micrograd::engine::{Value, hessian};
///
/// let [x, y] = [2.0, 3.0].map(Value::new);
/// let z = x.pow(2.0) * &y;
/// let rows = hessian(&z, &[x, y]);
/// let numbers: Vec<_> = rows.iter().flatten().map(Value::data).collect();
/// assert_eq!(numbers, [6.0, 4.0, 4.0, 0.0]); // 2y, 2x, 2x, 0
/// ```
///
/// # Panics
///
/// If a guard from [`borrow_mut`](Value::borrow_mut) of a node of the graph is alive.
#[must_use]
#[track_caller]
pub fn hessian(y: &Value, xs: &[Value]) -> Vec<Vec<Value>> {
    jacobian(&y.gradient(xs), xs)
}

/// The product of the Hessian of `y` and a vector, without the Hessian: the gradient of the slope of
/// `y` along the vector.
///
/// It costs a gradient and a gradient of that, whatever the number of `xs`: Pearlmutter 1994, "Fast
/// exact multiplication by the Hessian".
///
/// ```
/// use micrograd::engine::{Value, hessian_vector_product};
///
/// let [x, y] = [2.0, 3.0].map(Value::new);
/// let z = x.pow(2.0) * &y;
/// let product = hessian_vector_product(&z, &[x, y], &[1.0, 10.0]);
/// let numbers: Vec<_> = product.iter().map(Value::data).collect();
/// assert_eq!(numbers, [46.0, 4.0]); // 6 · 1 + 4 · 10, 4 · 1 + 0 · 10
/// ```
///
/// # Panics
///
/// If the vector has not as many numbers as there are `xs`, or if a guard from
/// [`borrow_mut`](Value::borrow_mut) of a node of the graph is alive.
#[must_use]
#[track_caller]
pub fn hessian_vector_product(y: &Value, xs: &[Value], vector: &[f64]) -> Vec<Value> {
    assert_eq!(
        vector.len(),
        xs.len(),
        "a vector of {} numbers does not fit {} variables",
        vector.len(),
        xs.len()
    );
    let gradient = y.gradient(xs);
    let parts = iter::zip(&gradient, vector).map(|(slope, &number)| slope * number);
    parts.sum::<Value>().gradient(xs)
}

/// Of each node, by position, whether one of `xs` is below it or is it itself.
fn leading_to(order: &Order, xs: &[Value]) -> Vec<bool> {
    let mut leading = vec![false; order.nodes().len()];
    for position in xs.iter().filter_map(|x| order.find(x)) {
        leading[position] = true;
    }
    for (position, value) in order.nodes().iter().enumerate() {
        if let Origin::Cut(_) = value.origin() {
            continue;
        }
        value.origin().for_each_operand(|operand| {
            leading[position] |= leading[order.position(operand)];
        });
    }
    leading
}

/// The sum of what has been passed down, if anything has.
fn sum(parts: Vec<Symbol>) -> Option<Symbol> {
    let mut literals = None;
    let mut nodes = Vec::new();
    for part in parts {
        match part.0 {
            Operand::Literal(literal) => literals = Some(literals.unwrap_or(0.0) + literal),
            Operand::Node(node) => nodes.push(node),
        }
    }
    let nodes = match nodes.len() {
        0 | 1 => nodes.pop(),
        _ => Some(nodes.into_iter().sum()),
    };
    let terms = [nodes.map(Operand::Node), literals.map(Operand::Literal)];
    terms
        .into_iter()
        .flatten()
        .map(Symbol)
        .reduce(|sum, term| sum + term)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's function of many variables, and those.
    fn rosenbrock(count: usize) -> (Value, Vec<Value>) {
        let xs: Vec<_> = (0..count).map(|i| Value::new(0.1 * i as f64)).collect();
        let terms = xs
            .windows(2)
            .map(|pair| 100.0 * (&pair[1] - pair[0].pow(2.0)).pow(2.0) + (1.0 - &pair[0]).pow(2.0));
        (terms.sum(), xs)
    }

    fn nodes(values: &[Value]) -> usize {
        Order::of(values).nodes().len()
    }

    #[test]
    fn derivatives_cost_a_small_multiple_of_the_function_whatever_the_number_of_variables() {
        for count in [10, 1_000] {
            let (y, xs) = rosenbrock(count);
            let size = nodes(slice::from_ref(&y));
            let gradient = nodes(&y.gradient(&xs));
            let product = nodes(&hessian_vector_product(&y, &xs, &vec![1.5; count]));
            assert!(gradient <= 3 * size, "{gradient} nodes, {size} below");
            assert!(product <= 10 * size, "{product} nodes, {size} below");
        }
    }
}
