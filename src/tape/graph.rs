//! Turns a program back into a graph, to look at.

use super::program::{Place, Program, Segment, Step};
use crate::engine::{Quantity, SharedValues, Value};
use crate::ops::UNREAD;

impl Program {
    /// The outputs at one row, as a graph of new nodes with the recorded names and lines; and its
    /// variables: the new leaves for the parameters or, without parameters, for the inputs.
    #[track_caller]
    pub(super) fn graph(&self, parameters: &[Value], row: &[f64]) -> (Vec<Value>, Vec<Value>) {
        let mut variables = Vec::with_capacity(parameters.len());
        let mut shared = self.constants_among(self.once.results().end);
        for (place, parameter) in self.shared_parameters().zip(parameters) {
            let leaf = Value::new(parameter.data());
            leaf.set_label(parameter.label());
            shared[place] = Quantity::Node(leaf.clone());
            variables.push(leaf);
        }
        self.rebuild(&self.once, Place::Shared, &[], &mut shared);

        let mut slots = self.constants_among(self.slots());
        for (place, &number) in self.input_slots().zip(row) {
            let leaf = self.labelled(Place::Slot(place), Value::new(number));
            slots[place] = Quantity::Node(leaf.clone());
            if parameters.is_empty() {
                variables.push(leaf);
            }
        }
        for segment in [&self.plain, &self.learned] {
            self.rebuild(segment, Place::Slot, &shared, &mut slots);
        }
        let outputs = self.outputs.iter().map(|&slot| node(&slots[slot as usize]));
        (outputs.cloned().collect(), variables)
    }

    /// The constants, and room for the numbers that follow them.
    fn constants_among(&self, count: usize) -> Vec<Quantity> {
        let constants = self.constants.iter().copied().map(Quantity::Constant);
        let mut operands: Vec<_> = constants.collect();
        operands.resize(count, Quantity::Constant(UNREAD));
        operands
    }

    fn rebuild(
        &self,
        segment: &Segment,
        place: fn(usize) -> Place,
        shared: &[Quantity],
        operands: &mut [Quantity],
    ) {
        let mut layer_inputs = SharedValues::new(Vec::new());
        for (out, step) in segment.results().zip(&segment.steps) {
            let labelled = |value| Quantity::Node(self.labelled(place(out), value));
            operands[out] = match step {
                &Step::Apply(op, x, y) => {
                    let [x, y] = [x, y].map(|operand| &operands[operand as usize]);
                    labelled(Value::apply(op, x, y))
                }
                Step::Dot(range) => labelled(sum(segment.pairs(range), operands)),
                &Step::Row(layer) => {
                    let layer = &segment.layers[layer as usize];
                    if out == layer.outputs.start {
                        let inputs = &operands[layer.inputs.clone()];
                        layer_inputs = SharedValues::new(nodes(inputs));
                    }
                    let weights = SharedValues::new(nodes(&shared[layer.weights_of(out)]));
                    labelled(Value::weighted_sum(&weights, &layer_inputs))
                }
                &Step::Copy(x) => operands[x as usize].clone(),
                &Step::Shared(x) => shared[x as usize].clone(),
            };
        }
    }

    fn labelled(&self, place: Place, value: Value) -> Value {
        value.set_label(self.labels.get(place));
        value
    }
}

/// A sum of products of pairs. A constant factor is 1, and its pair a single term.
fn sum(pairs: &[[u32; 2]], operands: &[Quantity]) -> Value {
    let (mut weights, mut inputs, mut terms) = (Vec::new(), Vec::new(), Vec::new());
    for &[x, y] in pairs {
        let x = node(&operands[x as usize]).clone();
        match &operands[y as usize] {
            Quantity::Node(y) => {
                weights.push(x);
                inputs.push(y.clone());
            }
            Quantity::Constant(_) => terms.push(x),
        }
    }
    if inputs.is_empty() {
        return terms.into_iter().sum();
    }
    weights.extend(terms); // at most one, the bias
    Value::weighted_sum(&SharedValues::new(weights), &SharedValues::new(inputs))
}

fn nodes(operands: &[Quantity]) -> Vec<Value> {
    operands.iter().map(node).cloned().collect()
}

fn node(operand: &Quantity) -> &Value {
    match operand {
        Quantity::Node(value) => value,
        Quantity::Constant(_) => unreachable!("only operations of the table take constants"),
    }
}
