//! Turns a graph of nodes into a program.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::program::{Layer, Place, Program, Segment, Step, index};
use crate::engine::{Argument, Operation, Term, Terms, TopologicalOrder, Value};
use crate::ops::UNREAD;

/// Records the graph below `outputs` as a program, with the parameters that it reads.
#[track_caller]
pub(super) fn record(inputs: &[Value], outputs: &[Value]) -> (Program, Vec<Value>) {
    Value::expect_distinct_leaves("input", inputs);
    let order = TopologicalOrder::of(outputs);
    let survey = Survey::of(&order, inputs, outputs);
    let layers = Layers::find(&survey);
    let mut recorder = Recorder {
        survey: &survey,
        layers: &layers,
        places: vec![None; order.nodes().len()],
        weights: Vec::new(),
        features: Vec::new(),
        parameters: Vec::new(),
        program: Program {
            constants: survey.constants.numbers.clone(),
            ..Program::default()
        },
        slots_of_shared: HashMap::new(),
    };
    recorder.place_leaves(inputs);
    recorder.record(VariesWith::Parameters);
    recorder.place_weights();
    recorder.record(VariesWith::Inputs);
    recorder.place_features();
    recorder.record(VariesWith::Both);
    recorder.place_outputs(outputs);
    (recorder.program, recorder.parameters)
}

/// The source of a number's changes: the inputs from row to row, or the parameters between replays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum VariesWith {
    Inputs,
    Parameters,
    Both,
}

impl VariesWith {
    fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Both }
    }
}

/// The facts about a graph that decide where its numbers go; lists are by position.
struct Survey<'graph> {
    order: &'graph TopologicalOrder<'graph>,
    varies_with: Vec<VariesWith>,
    /// Whether a node passes no gradient down, or receives none.
    silent: Vec<bool>,
    constants: Constants,
}

impl<'graph> Survey<'graph> {
    fn of(order: &'graph TopologicalOrder<'graph>, inputs: &[Value], outputs: &[Value]) -> Self {
        let nodes = order.nodes();
        let silent = nodes.iter().zip(order.receiving(outputs));
        let silent = silent.map(|(value, receives)| !receives || value.ends_gradient());
        let mut survey = Self {
            order,
            varies_with: vec![VariesWith::Parameters; nodes.len()],
            silent: silent.collect(),
            constants: Constants::new(),
        };
        for position in inputs.iter().filter_map(|input| order.find(input)) {
            survey.varies_with[position] = VariesWith::Inputs;
        }
        for (position, value) in nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf()) {
            if let Operation::Apply { x, y, .. } = value.operation() {
                for argument in [Some(x), y].into_iter().flatten() {
                    if let Argument::Constant(constant) = argument {
                        survey.constants.add(constant);
                    }
                }
            }
            if let Some(varies_with) = survey.of_all(value.operands()) {
                survey.varies_with[position] = varies_with;
            }
        }
        survey
    }

    /// The leaves that several values together vary with; `None` for no values.
    fn of_all<'a>(&self, values: impl IntoIterator<Item = &'a Value>) -> Option<VariesWith> {
        let values = values.into_iter();
        let varies_with = values.map(|value| self.varies_with[self.order.position(value)]);
        varies_with.reduce(VariesWith::and)
    }
}

/// The constants of a graph, each once, by their bits; two that every program has come first.
#[derive(Default)]
struct Constants {
    numbers: Vec<f64>,
    indices: BTreeMap<u64, usize>,
}

impl Constants {
    /// The second argument of operations that take only one.
    const NOTHING: u32 = 0;
    /// The factor of single terms.
    const ONE: u32 = 1;

    fn new() -> Self {
        let mut constants = Self::default();
        constants.add(UNREAD);
        constants.add(1.0);
        constants
    }

    fn add(&mut self, number: f64) {
        self.indices.entry(number.to_bits()).or_insert_with(|| {
            self.numbers.push(number);
            self.numbers.len() - 1
        });
    }

    /// The index of a constant, the same among the shared numbers as among the slots.
    fn index(&self, number: f64) -> u32 {
        index(self.indices[&number.to_bits()])
    }
}

/// Weighted sums of the same inputs, recorded as one layer.
struct WeightedSums<'graph> {
    inputs: &'graph [Value],
    /// The positions of the sums.
    sums: Vec<usize>,
    /// The weights of each sum in turn, and its bias if it has one.
    weights: Vec<&'graph Value>,
}

/// The layers of a graph.
#[derive(Default)]
struct Layers<'graph> {
    layers: Vec<WeightedSums<'graph>>,
    /// The layer of each weighted sum, by position.
    indices: HashMap<usize, usize>,
}

impl<'graph> Layers<'graph> {
    fn find(survey: &Survey<'graph>) -> Self {
        let mut found = Self::default();
        let mut layers_by_key = HashMap::new();
        for (position, value) in survey.order.nodes().iter().enumerate() {
            let Operation::Sum(terms) = value.operation() else {
                continue;
            };
            let Some([weights, inputs]) = weights_and_inputs(survey, &terms) else {
                continue;
            };
            let bias = terms.singles();
            let positions: Vec<_> = inputs.iter().map(|x| survey.order.position(x)).collect();
            let key = (positions, bias.len(), survey.silent[position]);
            let layer = *layers_by_key.entry(key).or_insert_with(|| {
                found.layers.push(WeightedSums {
                    inputs,
                    sums: Vec::new(),
                    weights: Vec::new(),
                });
                found.layers.len() - 1
            });
            found.indices.insert(position, layer);
            let layer = &mut found.layers[layer];
            layer.sums.push(position);
            layer.weights.extend(weights.iter().chain(bias));
        }
        found
    }
}

/// The factors of a sum if only one side, the weights, varies with parameters alone.
fn weights_and_inputs<'graph>(
    survey: &Survey,
    terms: &Terms<'graph>,
) -> Option<[&'graph [Value]; 2]> {
    let are_shared = |values| survey.of_all(values) == Some(VariesWith::Parameters);
    let [left, right] = terms.factors();
    let factors = match [left, right].map(are_shared) {
        [true, false] => [left, right],
        [false, true] => [right, left],
        _ => return None,
    };
    (terms.singles().is_empty() || are_shared(terms.singles())).then_some(factors)
}

impl Place {
    fn next(self) -> Self {
        match self {
            Self::Shared(index) => Self::Shared(index + 1),
            Self::Slot(index) => Self::Slot(index + 1),
        }
    }
}

struct Recorder<'graph> {
    survey: &'graph Survey<'graph>,
    layers: &'graph Layers<'graph>,
    /// By position.
    places: Vec<Option<Place>>,
    /// By layer.
    weights: Vec<Range<usize>>,
    /// By layer, the places of inputs that vary with no parameter.
    features: Vec<Option<Range<usize>>>,
    parameters: Vec<Value>,
    program: Program,
    /// The slot that repeats a shared number, by the index of that number.
    slots_of_shared: HashMap<usize, usize>,
}

impl Recorder<'_> {
    /// Gives places to the leaves. Among the parameters, the weights of layers come first, so that
    /// they lie side by side.
    fn place_leaves(&mut self, inputs: &[Value]) {
        let order = self.survey.order;
        let constants = self.program.constants.len();
        for (i, input) in inputs.iter().enumerate() {
            if let Some(position) = order.find(input) {
                let slot = Place::Slot(constants + i);
                self.places[position] = Some(slot);
                self.label(slot, input);
            }
        }
        let weights = self.layers.layers.iter().flat_map(|layer| &layer.weights);
        for &value in weights.chain(order.nodes()) {
            let place = &mut self.places[order.position(value)];
            if value.is_leaf() && place.is_none() {
                *place = Some(Place::Shared(constants + self.parameters.len()));
                self.parameters.push(value.clone());
            }
        }
        self.program.once.first = constants + self.parameters.len();
        self.program.plain.first = constants + inputs.len();
    }

    fn place_weights(&mut self) {
        for layer in &self.layers.layers {
            let weights = self.side_by_side(layer.weights.iter().copied(), VariesWith::Parameters);
            self.weights.push(weights);
        }
    }

    fn place_features(&mut self) {
        for layer in &self.layers.layers {
            let are_features = self.survey.of_all(layer.inputs) == Some(VariesWith::Inputs);
            let features =
                are_features.then(|| self.side_by_side(layer.inputs, VariesWith::Inputs));
            self.features.push(features);
        }
        self.program.learned.first = self.program.plain.results().end;
    }

    fn place_outputs(&mut self, outputs: &[Value]) {
        for output in outputs {
            let slot = self.argument(Argument::Node(output), VariesWith::Both);
            self.program.outputs.push(slot);
        }
    }

    /// The range where these values lie side by side: their own, or that of copies.
    fn side_by_side<'a>(
        &mut self,
        values: impl IntoIterator<Item = &'a Value>,
        varies_with: VariesWith,
    ) -> Range<usize> {
        let places: Vec<_> = values.into_iter().map(|value| self.place(value)).collect();
        // A range never spans parameters and results, which are two arrays in source code.
        let first_result = self.program.once.first;
        let are_side_by_side = places
            .windows(2)
            .all(|pair| pair[1] == pair[0].next() && pair[1] != Place::Shared(first_result));
        if are_side_by_side {
            let (Place::Shared(first) | Place::Slot(first)) = places[0];
            return first..first + places.len();
        }
        let segment = self.segment(varies_with);
        let first = segment.results().end;
        for place in places {
            segment.push(match place {
                Place::Shared(shared) if varies_with != VariesWith::Parameters => {
                    Step::Shared(index(shared))
                }
                Place::Shared(number) | Place::Slot(number) => Step::Copy(index(number)),
            });
        }
        first..segment.results().end
    }

    /// Records the operations that vary with these leaves.
    fn record(&mut self, varies_with: VariesWith) {
        for (position, value) in self.survey.order.nodes().iter().enumerate() {
            if self.survey.varies_with[position] != varies_with || self.places[position].is_some() {
                continue;
            }
            let step = match value.operation() {
                Operation::Leaf => unreachable!("leaves have places"),
                Operation::Apply { op, x, y } => {
                    let x = self.argument(x, varies_with);
                    let y = y.map_or(Constants::NOTHING, |y| self.argument(y, varies_with));
                    Step::Apply(op, x, y)
                }
                Operation::Sum(terms) => match self.layers.indices.get(&position) {
                    Some(&layer) => {
                        self.record_layer(layer);
                        continue;
                    }
                    None => self.dot(terms, varies_with),
                },
            };
            self.push(step, position, varies_with);
        }
    }

    fn record_layer(&mut self, layer: usize) {
        let weights = self.weights[layer].clone();
        let features = self.features[layer].take();
        let layer = &self.layers.layers[layer];
        let inputs = features.unwrap_or_else(|| self.side_by_side(layer.inputs, VariesWith::Both));
        let learned = &mut self.program.learned;
        let first = learned.results().end;
        learned.layers.push(Layer {
            inputs,
            row: weights.len() / layer.sums.len(),
            weights,
            outputs: first..first + layer.sums.len(),
        });
        let recorded = index(learned.layers.len() - 1);
        for &position in &layer.sums {
            self.push(Step::Row(recorded), position, VariesWith::Both);
        }
    }

    /// A sum of products. A single term is multiplied by the constant 1.
    fn dot(&mut self, terms: Terms, varies_with: VariesWith) -> Step {
        let mut factor = |value| self.argument(Argument::Node(value), varies_with);
        let pairs = terms.map(|term| match term {
            Term::Product(x, y) => [factor(x), factor(y)],
            Term::Single(x) => [factor(x), Constants::ONE],
        });
        let pairs: Vec<_> = pairs.collect();
        Step::Dot(self.segment(varies_with).push_pairs(pairs))
    }

    /// Adds the step that computes a node, and gives the node its place.
    fn push(&mut self, step: Step, position: usize, varies_with: VariesWith) {
        let result = self.segment(varies_with).push(step);
        let place = match varies_with {
            VariesWith::Parameters => Place::Shared(result),
            VariesWith::Inputs | VariesWith::Both => Place::Slot(result),
        };
        if self.survey.silent[position] {
            self.program.silent.set(place, true);
        }
        self.places[position] = Some(place);
        self.label(place, self.survey.order.nodes()[position]);
    }

    /// Keeps the name and source line of a node.
    fn label(&mut self, place: Place, value: &Value) {
        let label = value.label();
        if !label.is_empty() {
            self.program.labels.set(place, label);
        }
    }

    fn segment(&mut self, varies_with: VariesWith) -> &mut Segment {
        match varies_with {
            VariesWith::Parameters => &mut self.program.once,
            VariesWith::Inputs => &mut self.program.plain,
            VariesWith::Both => &mut self.program.learned,
        }
    }

    fn place(&self, value: &Value) -> Place {
        self.places[self.survey.order.position(value)].expect("operands come first")
    }

    /// The index of an argument among the numbers that the steps of a segment read.
    #[inline]
    fn argument(&mut self, argument: Argument, varies_with: VariesWith) -> u32 {
        match argument {
            Argument::Constant(constant) => self.survey.constants.index(constant),
            Argument::Node(value) => match self.place(value) {
                Place::Shared(shared) if varies_with != VariesWith::Parameters => {
                    let learned = &mut self.program.learned;
                    let slot = self.slots_of_shared.entry(shared);
                    index(*slot.or_insert_with(|| learned.push(Step::Shared(index(shared)))))
                }
                Place::Shared(number) | Place::Slot(number) => index(number),
            },
        }
    }
}
