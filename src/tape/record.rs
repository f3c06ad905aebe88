//! Turns a graph of nodes into a program.

use std::collections::HashMap;
use std::iter;

use super::program::{Label, Place, Program, Segment, Silent, Step, index};
use crate::engine::{Order, Origin, Value};
use crate::ops::UNREAD;

/// Records the graph below `outputs`: a program, and the parameters that it reads.
#[track_caller]
pub(super) fn record(inputs: &[Value], outputs: &[Value]) -> (Program, Vec<Value>) {
    let inputs = Inputs::new(inputs);
    let order = Order::of(outputs);
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
    /// By address.
    indices: HashMap<*const (), usize>,
}

impl Inputs {
    #[track_caller]
    fn new(inputs: &[Value]) -> Self {
        Self {
            indices: Value::indices_of_leaves("input", inputs),
        }
    }

    fn index(&self, leaf: &Value) -> Option<usize> {
        self.indices.get(&leaf.address()).copied()
    }
}

/// What makes a number change: the rows of a batch, or what happens between two replays.
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

/// What has to be known of a graph before its numbers can be given places.
struct Survey {
    /// By position.
    varies_with: Vec<VariesWith>,
    constants: Constants,
    parameters: usize,
    /// Operations that vary with inputs alone.
    plain: usize,
}

impl Survey {
    fn of(order: &Order, inputs: &Inputs) -> Self {
        let mut survey = Self {
            varies_with: Vec::with_capacity(order.nodes().len()),
            constants: Constants::new(),
            parameters: 0,
            plain: 0,
        };
        for value in order.nodes() {
            let varies_with = match value.origin() {
                Origin::Leaf if inputs.index(value).is_some() => VariesWith::Inputs,
                Origin::Leaf => {
                    survey.parameters += 1;
                    VariesWith::Parameters
                }
                origin => {
                    if let Origin::LiteralRight(_, _, literal)
                    | Origin::LiteralLeft(_, literal, _) = origin.operation()
                    {
                        survey.constants.add(*literal);
                    }
                    let varies_with = survey.of_operands(order, origin);
                    survey.plain += usize::from(varies_with == VariesWith::Inputs);
                    varies_with
                }
            };
            survey.varies_with.push(varies_with);
        }
        survey
    }

    fn of_operands(&self, order: &Order, origin: &Origin) -> VariesWith {
        let mut together: Option<VariesWith> = None;
        origin.for_each_operand(|operand| {
            let this = self.varies_with[order.position(operand)];
            together = Some(together.map_or(this, |others| others.and(this)));
        });
        together.expect("an operation has an operand")
    }
}

/// The literals of a graph, each once, by their bits; before them two that every program has.
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
    order: &'graph Order<'graph>,
    inputs: &'graph Inputs,
    constants: &'graph Constants,
    /// Of the nodes that have been recorded, by position.
    places: Vec<Place>,
    parameters: Vec<Value>,
    program: Program,
    /// The slot of each copy, by the index of the shared number.
    copies: HashMap<usize, usize>,
    first_copy: usize,
}

impl<'graph> Recorder<'graph> {
    fn new(order: &'graph Order<'graph>, inputs: &'graph Inputs, survey: &'graph Survey) -> Self {
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
        let place = match value.origin() {
            Origin::Leaf => self.place_of_leaf(value),
            origin => {
                let step = self.step(origin, varies_with);
                let result = self.segment(varies_with).push(step);
                if !receives || matches!(origin, Origin::Cut(_)) {
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
        let label = Label {
            name: value.name(),
            line: value.line(),
        };
        let is_parameter = value.is_leaf() && place.is_shared();
        if !is_parameter && (label.name.is_some() || label.line.location().is_some()) {
            self.program.labels.insert(place, label);
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

    fn step(&mut self, origin: &Origin, varies_with: VariesWith) -> Step {
        let literal = |number: f64| self.constants.place(number);
        let (op, x, y) = match origin {
            Origin::Leaf => unreachable!("a leaf is not computed"),
            Origin::Cut(operation) => return self.step(operation, varies_with),
            Origin::Unary(op, x) => (*op, self.place(x), Constants::NOTHING),
            Origin::Binary(op, x, y) => (*op, self.place(x), self.place(y)),
            Origin::LiteralRight(op, x, y) => (*op, self.place(x), literal(*y)),
            Origin::LiteralLeft(op, x, y) => (*op, literal(*x), self.place(y)),
            Origin::Sum(terms) => {
                let pairs = terms.iter().map(|term| [self.place(term), Constants::ONE]);
                return self.dot(pairs.collect(), varies_with);
            }
            Origin::WeightedSum(weights, inputs) => {
                // A bias is the weight of a constant 1.
                let inputs = inputs.values().iter().map(|input| self.place(input));
                let weights = weights.values().iter().map(|weight| self.place(weight));
                let pairs = weights
                    .zip(inputs.chain([Constants::ONE]))
                    .map(<[Place; 2]>::from);
                return self.weighted_sum(pairs.collect(), varies_with);
            }
        };
        Step::Apply(
            op,
            self.operand(x, varies_with),
            self.operand(y, varies_with),
        )
    }

    fn weighted_sum(&mut self, mut pairs: Vec<[Place; 2]>, varies_with: VariesWith) -> Step {
        let all_shared = |side: usize| pairs.iter().all(|pair| pair[side].is_shared());
        let [left, right] = [all_shared(0), all_shared(1)];
        if left == right {
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
