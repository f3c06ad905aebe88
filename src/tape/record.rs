//! Turns a graph of nodes into a program.

use std::collections::HashMap;
use std::iter;

use super::program::{Place, Program, Segment, Silent, Step, index};
use crate::engine::{Argument, NodeId, Operation, Term, Terms, TopologicalOrder, Value};
use crate::ops::UNREAD;

/// Records the graph below `outputs`: a program, and the parameters that it reads.
#[track_caller]
pub(super) fn record(inputs: &[Value], outputs: &[Value]) -> (Program, Vec<Value>) {
    let inputs = Inputs::new(inputs);
    let order = TopologicalOrder::of(outputs);
    let survey = Survey::of(&order, &inputs);
    let mut recorder = Recorder::new(&order, &inputs, &survey);
    let receiving = order.receiving(outputs);
    let nodes = iter::zip(order.nodes(), iter::zip(&survey.varies_with, receiving));
    for (value, (&varies_with, receives)) in nodes {
        recorder.record(value, varies_with, receives);
    }
    recorder.finish(outputs)
}

/// The leaves that vary by row.
struct Inputs {
    /// By node.
    indices: HashMap<NodeId, usize>,
}

impl Inputs {
    #[track_caller]
    fn new(inputs: &[Value]) -> Self {
        Self {
            indices: Value::indices_of_leaves("input", inputs),
        }
    }

    fn index(&self, leaf: &Value) -> Option<usize> {
        self.indices.get(&leaf.id()).copied()
    }
}

/// The source of a number's changes: the rows of a batch, or the parameters between two replays.
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

/// Facts about a graph that are needed to give its numbers places.
struct Survey {
    /// By position.
    varies_with: Vec<VariesWith>,
    constants: Constants,
    parameters: usize,
    /// Operations that vary with inputs alone.
    plain: usize,
}

impl Survey {
    fn of(order: &TopologicalOrder, inputs: &Inputs) -> Self {
        let mut survey = Self {
            varies_with: Vec::with_capacity(order.nodes().len()),
            constants: Constants::new(),
            parameters: 0,
            plain: 0,
        };
        for value in order.nodes() {
            let varies_with = match value.operation() {
                Operation::Leaf if inputs.index(value).is_some() => VariesWith::Inputs,
                Operation::Leaf => {
                    survey.parameters += 1;
                    VariesWith::Parameters
                }
                operation => {
                    survey.constants.add_those_of(&operation);
                    let varies_with = survey.of_operands(order, value);
                    survey.plain += usize::from(varies_with == VariesWith::Inputs);
                    varies_with
                }
            };
            survey.varies_with.push(varies_with);
        }
        survey
    }

    fn of_operands(&self, order: &TopologicalOrder, value: &Value) -> VariesWith {
        let operands = value.operands();
        let together = operands.fold(None, |others: Option<VariesWith>, operand| {
            let this = self.varies_with[order.position(operand)];
            Some(others.map_or(this, |others| others.and(this)))
        });
        together.expect("an operation has an operand")
    }
}

/// The constants of a graph, each once, by their bits; before them two that every program has.
struct Constants {
    numbers: Vec<f64>,
    indices: HashMap<u64, usize>,
}

impl Constants {
    /// The second argument of operations that have one.
    const NOTHING: Place = Place::Shared(0);
    /// The factor of terms that have none.
    const ONE: Place = Place::Shared(1);

    fn new() -> Self {
        let mut constants = Self {
            numbers: Vec::new(),
            indices: HashMap::new(),
        };
        constants.add(UNREAD);
        constants.add(1.0);
        constants
    }

    fn add_those_of(&mut self, operation: &Operation) {
        if let Operation::Apply { x, y, .. } = *operation {
            for argument in [Some(x), y].into_iter().flatten() {
                if let Argument::Constant(constant) = argument {
                    self.add(constant);
                }
            }
        }
    }

    fn add(&mut self, number: f64) {
        self.indices.entry(number.to_bits()).or_insert_with(|| {
            self.numbers.push(number);
            self.numbers.len() - 1
        });
    }

    /// Constants are the first of the shared numbers.
    fn place(&self, number: f64) -> Place {
        Place::Shared(self.indices[&number.to_bits()])
    }
}

impl Place {
    fn is_shared(self) -> bool {
        matches!(self, Self::Shared(_))
    }

    fn index(self) -> u32 {
        match self {
            Self::Shared(place) | Self::Slot(place) => index(place),
        }
    }
}

struct Recorder<'graph> {
    order: &'graph TopologicalOrder<'graph>,
    inputs: &'graph Inputs,
    constants: &'graph Constants,
    /// The places of the nodes recorded so far, by position.
    places: Vec<Place>,
    parameters: Vec<Value>,
    program: Program,
    /// The slot of each copy, by the index of the shared number.
    copies: HashMap<usize, usize>,
    first_copy: usize,
}

impl<'graph> Recorder<'graph> {
    fn new(
        order: &'graph TopologicalOrder<'graph>,
        inputs: &'graph Inputs,
        survey: &'graph Survey,
    ) -> Self {
        let constants = &survey.constants;
        let first_operation = constants.numbers.len() + survey.parameters;
        let first_plain = constants.numbers.len() + inputs.indices.len();
        let first_learned = first_plain + survey.plain;
        let learned = survey
            .varies_with
            .iter()
            .filter(|&&with| with == VariesWith::Both);
        Self {
            order,
            inputs,
            constants,
            places: Vec::with_capacity(order.nodes().len()),
            parameters: Vec::with_capacity(survey.parameters),
            program: Program {
                constants: constants.numbers.clone(),
                once: Segment::starting_at(first_operation),
                plain: Segment::starting_at(first_plain),
                learned: Segment::starting_at(first_learned),
                copies: Vec::new(),
                outputs: Vec::new(),
                silent: Silent::default(),
                labels: HashMap::new(),
            },
            copies: HashMap::new(),
            first_copy: first_learned + learned.count(),
        }
    }

    fn record(&mut self, value: &Value, varies_with: VariesWith, receives: bool) {
        let place = match self.step(value, varies_with) {
            None => self.place_of_leaf(value),
            Some(step) => {
                let result = self.segment(varies_with).push(step);
                if !receives || value.ends_gradient() {
                    self.silence(varies_with, result);
                }
                match varies_with {
                    VariesWith::Parameters => Place::Shared(result),
                    VariesWith::Inputs | VariesWith::Both => Place::Slot(result),
                }
            }
        };
        self.places.push(place);
        self.label(place, value);
    }

    /// Keeps the name and the line, but not those of a parameter.
    fn label(&mut self, place: Place, value: &Value) {
        let is_parameter = value.is_leaf() && place.is_shared();
        if !is_parameter {
            let label = value.label();
            if !label.is_empty() {
                self.program.labels.insert(place, label);
            }
        }
    }

    fn place_of_leaf(&mut self, leaf: &Value) -> Place {
        let constants = self.program.constants.len();
        if let Some(input) = self.inputs.index(leaf) {
            Place::Slot(constants + input)
        } else {
            self.parameters.push(leaf.clone());
            Place::Shared(constants + self.parameters.len() - 1)
        }
    }

    fn segment(&mut self, varies_with: VariesWith) -> &mut Segment {
        match varies_with {
            VariesWith::Parameters => &mut self.program.once,
            VariesWith::Inputs => &mut self.program.plain,
            VariesWith::Both => &mut self.program.learned,
        }
    }

    fn silence(&mut self, varies_with: VariesWith, result: usize) {
        let flags = match varies_with {
            VariesWith::Parameters => &mut self.program.silent.shared,
            VariesWith::Inputs | VariesWith::Both => &mut self.program.silent.slots,
        };
        if flags.len() <= result {
            flags.resize(result + 1, false);
        }
        flags[result] = true;
    }

    /// The step that computes a value; a leaf has none.
    fn step(&mut self, value: &Value, varies_with: VariesWith) -> Option<Step> {
        match value.operation() {
            Operation::Leaf => None,
            Operation::Apply { op, x, y } => {
                let x = self.place_of_argument(x);
                let y = y.map_or(Constants::NOTHING, |y| self.place_of_argument(y));
                let [x, y] = [x, y].map(|place| self.operand(place, varies_with));
                Some(Step::Apply(op, x, y))
            }
            Operation::Sum(terms) => Some(self.sum(terms, varies_with)),
        }
    }

    #[inline]
    fn place_of_argument(&self, argument: Argument) -> Place {
        match argument {
            Argument::Node(value) => self.place(value),
            Argument::Constant(constant) => self.constants.place(constant),
        }
    }

    /// A sum of products; a single term is multiplied by the constant 1.
    fn sum(&mut self, terms: Terms, varies_with: VariesWith) -> Step {
        let mut pairs: Vec<[Place; 2]> = terms
            .map(|term| match term {
                Term::Product(weight, input) => [self.place(weight), self.place(input)],
                Term::Single(value) => [self.place(value), Constants::ONE],
            })
            .collect();
        let is_plain = pairs.iter().all(|&[_, factor]| factor == Constants::ONE);
        let all_shared = |side: usize| pairs.iter().all(|pair| pair[side].is_shared());
        let [left, right] = [all_shared(0), all_shared(1)];
        if is_plain || left == right {
            return self.dot(pairs, varies_with);
        }
        if right {
            for pair in &mut pairs {
                pair.swap(0, 1);
            }
        }
        let pairs = pairs.into_iter();
        let pairs: Vec<_> = pairs
            .map(|[weight, input]| [weight.index(), self.operand(input, varies_with)])
            .collect();
        Step::WeightedSum(self.segment(varies_with).push_pairs(pairs))
    }

    fn dot(&mut self, pairs: Vec<[Place; 2]>, varies_with: VariesWith) -> Step {
        let pairs = pairs.into_iter();
        let pairs: Vec<_> = pairs
            .map(|pair| pair.map(|place| self.operand(place, varies_with)))
            .collect();
        Step::Dot(self.segment(varies_with).push_pairs(pairs))
    }

    fn place(&self, value: &Value) -> Place {
        self.places[self.order.position(value)]
    }

    /// The index of an operand among the numbers that the steps of a segment read.
    fn operand(&mut self, place: Place, varies_with: VariesWith) -> u32 {
        match place {
            Place::Shared(shared) if varies_with != VariesWith::Parameters => {
                index(self.slot_of(shared))
            }
            _ => place.index(),
        }
    }

    /// The slot that has the same number as a shared one.
    fn slot_of(&mut self, shared: usize) -> usize {
        if shared < self.program.constants.len() {
            return shared;
        }
        *self.copies.entry(shared).or_insert_with(|| {
            self.program.copies.push(index(shared));
            self.first_copy + self.program.copies.len() - 1
        })
    }

    fn finish(mut self, outputs: &[Value]) -> (Program, Vec<Value>) {
        for output in outputs {
            let slot = match self.place(output) {
                Place::Shared(shared) => self.slot_of(shared),
                Place::Slot(slot) => slot,
            };
            self.program.outputs.push(index(slot));
        }
        (self.program, self.parameters)
    }
}
