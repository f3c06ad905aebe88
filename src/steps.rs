//! The backward pass, step by step.
//!
//! [`Value::backward_steps`] goes through a backward pass, a node at a time, and describes each
//! node: the gradient that arrives, and the part that each operand receives, as the rule of the
//! table and with numbers. It neither reads nor writes the gradients of the nodes.
//!
//! ```
//! use micrograd::engine::Value;
//!
//! let [w, x, b] = [("w", 2.0), ("x", 1.5), ("b", -2.5)].map(|(name, number)| {
//!     Value::new(number).with_name(name)
//! });
//! let loss = (&w * &x + &b).tanh().with_name("L");
//! assert_eq!(
//!     loss.backward_steps().to_string(),
//!     "\
//! L = tanh(#4) = 0.4621
//!     gradient 1: the pass starts here
//!     #4 receives g · (1 - out · out) = 1 · (1 - 0.4621 · 0.4621) = 0.7864
//! #4 = #2 + b = 0.5
//!     gradient 0.7864 from L
//!     #2 receives g = 0.7864
//!     b receives g = 0.7864
//! b = -2.5
//!     gradient 0.7864 from #4
//! #2 = w · x = 3
//!     gradient 0.7864 from #4
//!     w receives g · y = 0.7864 · 1.5 = 1.18
//!     x receives g · x = 0.7864 · 2 = 1.573
//! x = 1.5
//!     gradient 1.573 from #2
//! w = 2
//!     gradient 1.18 from #2
//! "
//! );
//! ```
//!
//! In a rule, x and y are the arguments of the operation, out is its result, and g the gradient
//! that has arrived there. `a unless c` is a, or 0 where c holds; `a when c` is a where c holds,
//! else 0. A node without a name is shown by its position in topological order, such as `#4`.
//! Numbers are shown to four digits, except the constants of an expression in its formula.

use std::fmt;
use std::slice;

use crate::engine::{Argument, TopologicalOrder, Value};
use crate::text::{Names, formula, rounded, rule, short};

/// The steps of a backward pass, from the result down; returned by [`Value::backward_steps`].
/// `Display` writes them as text.
#[derive(Clone, Debug)]
pub struct Steps(Vec<Step>);

/// A node in a backward pass. Its gradient is complete, because all its users come before it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The name of the node. Without a name, it is its position in topological order, such as
    /// `#3`; a name shared with another node is followed by the position, as in `c#7`.
    pub name: String,
    /// The operation as a formula in its arguments, such as `w · x + b`; `None` for a leaf.
    pub formula: Option<String>,
    /// The number that the node holds.
    pub value: f64,
    /// The gradient that has arrived.
    pub gradient: f64,
    /// The names of the nodes it came from; one that uses the node twice is listed twice.
    pub users: Vec<String>,
    /// The parts that the operands receive.
    pub parts: Vec<Part>,
}

/// The part of a gradient that an operand receives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Part {
    /// The name of the operand.
    pub operand: String,
    /// The rule of the table: a formula in the arguments x and y, the result `out` and the
    /// upstream gradient g. A constant of the expression is shown as its number. The terms of a
    /// sum are products and have the rules of products.
    pub rule: String,
    /// The rule with numbers.
    pub numbers: String,
    /// The number that is passed down.
    pub part: f64,
    /// The gradient of the operand so far, this part included.
    pub sum: f64,
}

impl Value {
    /// The steps of a backward pass from this value, in a possible order of
    /// [`backward`](Self::backward); see the [module](crate::steps).
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) of a node of the graph is alive.
    #[must_use]
    #[track_caller]
    pub fn backward_steps(&self) -> Steps {
        let order = TopologicalOrder::of(slice::from_ref(self));
        let receiving = order.receiving(slice::from_ref(self));
        let names = Names::of(&order);
        let names: Vec<_> = order.nodes().iter().map(|node| names.get(node)).collect();
        let mut gradients = vec![0.0; names.len()];
        let mut users = vec![Vec::new(); names.len()];
        gradients[order.position(self)] = 1.0;
        let mut steps = Vec::new();
        for (position, node) in order.nodes().iter().enumerate().rev() {
            if !receiving[position] {
                continue;
            }
            let gradient = gradients[position];
            let mut parts = Vec::new();
            for edge in node.operation().edges() {
                let (Some(operand), Some(rule)) = (edge.receiver(), rule(&edge)) else {
                    continue;
                };
                let part = edge.vjp(node.data(), gradient);
                let receiver = order.position(operand);
                gradients[receiver] += part;
                users[receiver].push(names[position].clone());
                let [x, y] = [edge.x, edge.y].map(Argument::data);
                let variables = [x, y, node.data(), gradient].map(rounded);
                parts.push(Part {
                    operand: names[receiver].clone(),
                    numbers: edge.op.in_numbers(&rule, variables).full_formula(),
                    rule: rule.full_formula(),
                    part,
                    sum: gradients[receiver],
                });
            }
            steps.push(Step {
                name: names[position].clone(),
                formula: formula(node, |operand| names[order.position(operand)].clone()),
                value: node.data(),
                gradient,
                users: std::mem::take(&mut users[position]),
                parts,
            });
        }
        Steps(steps)
    }
}

impl Steps {
    /// The steps, as plain data.
    pub fn iter(&self) -> slice::Iter<'_, Step> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Steps {
    type Item = &'a Step;
    type IntoIter = slice::Iter<'a, Step>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    /// Writes the step on several lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, users, .. } = self;
        let [value, gradient] = [self.value, self.gradient].map(short);
        match &self.formula {
            Some(formula) => writeln!(f, "{name} = {formula} = {value}")?,
            None => writeln!(f, "{name} = {value}")?,
        }
        if users.is_empty() {
            writeln!(f, "    gradient {gradient}: the pass starts here")?;
        } else {
            writeln!(f, "    gradient {gradient} from {}", users.join(", "))?;
        }
        self.parts
            .iter()
            .try_for_each(|part| writeln!(f, "    {part}"))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operand,
            rule,
            numbers,
            ..
        } = self;
        let [part, sum] = [self.part, self.sum].map(short);
        let mut equal = vec![rule.as_str(), numbers, &part];
        equal.dedup();
        write!(f, "{operand} receives {}", equal.join(" = "))?;
        // -0 and 0 are the same gradient.
        if part != sum && self.part != self.sum {
            write!(f, ", and has {sum} now")?;
        }
        Ok(())
    }
}
