//! Gradients that are graphs again, and the derivatives built on them.

use std::collections::HashSet;
use std::{iter, mem, slice};

use super::functions::Quantity;
use super::graph::Value;
use super::order::TopologicalOrder;
use super::symbol::Symbol;
use super::view::{Edge, Side};

impl Value {
    /// The derivative with respect to `x`, as a new value: the [`gradient`](Self::gradient) with
    /// respect to a single value.
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// let x = Value::new(2.0);
    /// let y = x.pow(3.0);
    /// let dy = y.derivative(&x);
    /// assert_eq!(dy.data(), 12.0); // 3x²
    /// assert_eq!(dy.derivative(&x).data(), 12.0); // 6x
    /// ```
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) of a node of the graph is alive.
    #[must_use]
    #[track_caller]
    pub fn derivative(&self, x: &Value) -> Value {
        self.gradient(slice::from_ref(x)).remove(0)
    }

    /// The gradient with respect to `xs`, as new values: they are computed by operations, so they
    /// can be differentiated again, shown as a tree, and recorded on a tape.
    ///
    /// It is the gradient that [`backward`](Self::backward) computes, but no `grad` is read or
    /// written. The time is proportional to the size of the graph, whatever the number of `xs`. The
    /// `xs` may be leaves or inner nodes; for one that this value does not depend on, the gradient
    /// is a leaf of 0.
    ///
    /// ```
    /// use micrograd::engine::Value;
    ///
    /// let [x, y] = [2.0, 3.0].map(Value::new);
    /// let z = x.pow(2.0) * &y;
    /// let gradient = z.gradient(&[x.clone(), y]);
    /// assert_eq!(gradient[0].data(), 12.0); // 2xy
    /// assert_eq!(gradient[1].data(), 4.0); // x²
    /// assert_eq!(gradient[1].derivative(&x).data(), 4.0); // 2x
    /// ```
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) of a node of the graph is alive.
    #[must_use]
    #[track_caller]
    pub fn gradient(&self, xs: &[Value]) -> Vec<Value> {
        let order = TopologicalOrder::of(slice::from_ref(self));
        let wanted = order.leading_to(xs.iter().filter_map(|x| order.find(x)));
        // The parts passed down to each node, by position.
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
            let out = Symbol::from(*value);
            value.operation().edges().for_each(|edge| {
                let receiver = edge.receiver().map(|x| order.position(x));
                if let Some(x) = receiver.filter(|&x| wanted[x]) {
                    parts[x].push(edge.symbolic_vjp(&out, &g));
                }
            });
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
                Some(Quantity::Constant(constant)) => Value::new(constant),
                Some(Quantity::Node(node)) => {
                    let is_new = order.find(&node).is_none() && returned.insert(node.id());
                    // A node of its own, because the caller may name it.
                    if is_new { node } else { iter::once(node).sum() }
                }
            });
        }
        slopes
    }
}

impl Edge<'_> {
    /// The part of the gradient, as a graph.
    fn symbolic_vjp(&self, out: &Symbol, g: &Symbol) -> Symbol {
        let [x, y] = [self.x, self.y].map(Symbol::from);
        match self.side() {
            Side::X => self.op.symbol_vjp_x(&x, &y, out, g),
            Side::Y => self.op.symbol_vjp_y(&x, &y, out, g),
        }
    }
}

/// The Jacobian of `ys` with respect to `xs`: for each y, its [gradient](Value::gradient).
///
/// It costs one gradient per y.
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

/// The Hessian of `y`: its second derivatives with respect to each pair of `xs`.
///
/// It costs one gradient, and one gradient of that per x. To multiply the Hessian by a vector,
/// [`hessian_vector_product`] is enough. It is [`jacobian`]`(&y.gradient(xs), xs)`; if you also
/// need the gradient, as Newton's method does, make the two calls yourself.
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

/// The product of the Hessian of `y` and a vector, without forming the Hessian: the gradient of the
/// directional derivative of `y` along the vector.
///
/// It costs a gradient and a gradient of that, whatever the number of `xs` (Pearlmutter 1994, "Fast
/// exact multiplication by the Hessian").
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
/// If the length of the vector differs from the number of `xs`, or if a guard from
/// [`borrow_mut`](Value::borrow_mut) of a node of the graph is alive.
#[must_use]
#[track_caller]
pub fn hessian_vector_product(y: &Value, xs: &[Value], vector: &[f64]) -> Vec<Value> {
    assert!(
        vector.len() == xs.len(),
        "the vector has length {}, not {}, the number of variables",
        vector.len(),
        xs.len()
    );
    let gradient = y.gradient(xs);
    let parts = iter::zip(&gradient, vector).map(|(slope, &number)| slope * number);
    parts.sum::<Value>().gradient(xs)
}

/// The sum of the parts that were passed down, if there are any.
fn sum(parts: Vec<Symbol>) -> Option<Symbol> {
    let mut constants = None;
    let mut nodes = Vec::new();
    for part in parts {
        match part.0 {
            Quantity::Constant(constant) => constants = Some(constants.unwrap_or(0.0) + constant),
            Quantity::Node(node) => nodes.push(node),
        }
    }
    let nodes = match nodes.len() {
        0 | 1 => nodes.pop(),
        _ => Some(nodes.into_iter().sum()),
    };
    let terms = [nodes.map(Quantity::Node), constants.map(Quantity::Constant)];
    terms
        .into_iter()
        .flatten()
        .map(Symbol)
        .reduce(|sum, term| sum + term)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's function of many variables, and the variables.
    fn rosenbrock(count: usize) -> (Value, Vec<Value>) {
        let xs: Vec<_> = (0..count).map(|i| Value::new(0.1 * i as f64)).collect();
        let terms = xs
            .windows(2)
            .map(|pair| 100.0 * (&pair[1] - pair[0].pow(2.0)).pow(2.0) + (1.0 - &pair[0]).pow(2.0));
        (terms.sum(), xs)
    }

    fn nodes(values: &[Value]) -> usize {
        TopologicalOrder::of(values).nodes().len()
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
