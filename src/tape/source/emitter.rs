//! Writes a function of a program as code.
//!
//! A place is one index for both kinds of numbers of the program: the slots come first, then the
//! shared numbers. If the parameters are constants, so are all shared numbers.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::slice;

use super::code::{Argument, Code, element};
use crate::ops::expression::{Expression, Form};
use crate::ops::language::Language;
use crate::ops::{Arity, Op};
use crate::tape::program::{Layer, Place, Program, Segment, Step, is_set};

/// Whether a function returns one output or writes several.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outputs {
    One,
    Several,
}

/// Whether parameters are constants of the code or an argument.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameters {
    Constants,
    Argument,
}

/// The most results kept in local variables; more are kept in an array of the caller.
const MOST_LOCALS: usize = 1000;
/// The most terms of a sum on one line.
const MOST_TERMS: usize = 8;

pub(super) struct Emitter<'a> {
    code: Code,
    name: &'a str,
    program: &'a Program,
    shared: &'a [f64],
    parameters: Parameters,
    /// The places that loops index, as disjoint ranges: the end of each by its start.
    arrays: BTreeMap<usize, usize>,
    /// Whether results are kept in an array of the caller.
    works: bool,
    /// By place, whether its gradient leads to an argument of the function.
    leading: Vec<bool>,
    /// The results that turned out to be constants.
    known: HashMap<usize, f64>,
    temporaries: usize,
}

/// The two numbers that belong to a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Value,
    Gradient,
}

/// The parts of the gradients of numbers that are not elements of arrays.
type Parts = HashMap<usize, Vec<Expression>>;

impl<'a> Emitter<'a> {
    pub(super) fn new(
        code: Code,
        name: &'a str,
        program: &'a Program,
        shared: &'a [f64],
        parameters: Parameters,
    ) -> Self {
        let count = program.slots() + shared.len();
        let mut emitter = Self {
            code,
            name,
            program,
            shared,
            parameters,
            arrays: BTreeMap::new(),
            works: false,
            leading: vec![false; count],
            known: HashMap::new(),
            temporaries: 0,
        };
        for layer in &program.learned.layers {
            emitter.add_array(layer.inputs.clone());
            emitter.add_array(layer.outputs.clone());
            emitter.add_array(emitter.shared_places(&layer.weights));
        }
        let has_arrays = !emitter.arrays.is_empty();
        emitter.works = emitter.results() > MOST_LOCALS
            || has_arrays && emitter.code.language == Language::JavaScript;
        emitter.leading[program.input_slots()].fill(true);
        let arguments = emitter.shared_places(&program.shared_parameters());
        emitter.leading[arguments].fill(true);
        for results in emitter.segments() {
            for place in results {
                emitter.leading[place] = emitter
                    .receivers(place)
                    .into_iter()
                    .any(|x| emitter.leading[x]);
            }
        }
        emitter
    }

    pub(super) fn into_text(self) -> String {
        self.code.text
    }

    // ── places ──────────────────────────────────────────────────────────────────────────────────

    /// The places of shared numbers; empty if they are constants.
    fn shared_places(&self, range: &Range<usize>) -> Range<usize> {
        match self.parameters {
            Parameters::Constants => 0..0,
            Parameters::Argument => {
                let first = self.program.slots();
                first + range.start..first + range.end
            }
        }
    }

    /// The places of all results, in the order in which they are computed.
    fn segments(&self) -> [Range<usize>; 3] {
        let Program {
            once,
            plain,
            learned,
            ..
        } = self.program;
        let once = self.shared_places(&once.results());
        [once, plain.results(), learned.results()]
    }

    fn results(&self) -> usize {
        self.segments().iter().map(ExactSizeIterator::len).sum()
    }

    /// The segment that computes a place, and the index of its step; `None` if no step does.
    fn segment(&self, place: usize) -> Option<(&'a Segment, usize)> {
        let Program {
            once,
            plain,
            learned,
            ..
        } = self.program;
        let segments = self.segments().into_iter().zip([once, plain, learned]);
        let mut segments = segments.filter(|(results, _)| results.contains(&place));
        segments
            .next()
            .map(|(results, segment)| (segment, place - results.start))
    }

    fn step(&self, place: usize) -> Option<&'a Step> {
        let (segment, index) = self.segment(place)?;
        Some(&segment.steps[index])
    }

    fn layer(&self, index: u32) -> &'a Layer {
        &self.program.learned.layers[index as usize]
    }

    /// The place of an operand of a step.
    fn operand(&self, of: usize, operand: u32) -> usize {
        let is_shared = of >= self.program.slots();
        operand as usize + if is_shared { self.program.slots() } else { 0 }
    }

    fn is_silent(&self, place: usize) -> bool {
        let silent = &self.program.silent;
        match place.checked_sub(self.program.slots()) {
            None => is_set(&silent.slots, place),
            Some(shared) => is_set(&silent.shared, shared),
        }
    }

    /// Makes the places of the range one array, together with arrays that overlap it. Arguments are
    /// already in arrays.
    fn add_array(&mut self, range: Range<usize>) {
        let [once, plain, _] = self.segments();
        let is_shared = range.start >= self.program.slots();
        let results = if is_shared { once } else { plain };
        let mut range = range.start.max(results.start)..range.end;
        if range.is_empty() {
            return;
        }
        self.arrays.retain(|&start, &mut end| {
            let overlaps = start < range.end && range.start < end;
            if overlaps {
                range = range.start.min(start)..range.end.max(end);
            }
            !overlaps
        });
        self.arrays.insert(range.start, range.end);
    }

    /// The first place of the array that contains this place.
    fn array(&self, place: usize) -> Option<usize> {
        let (&start, &end) = self.arrays.range(..=place).next_back()?;
        (place < end).then_some(start)
    }

    // ── names ───────────────────────────────────────────────────────────────────────────────────

    /// The name of the array that contains this place, and the index in it. A number that is not in
    /// an array has only a name.
    fn base(&self, kind: Kind, place: usize) -> (String, usize) {
        let program = self.program;
        let name = |value: &str, gradient: &str| match kind {
            Kind::Value => value.to_owned(),
            Kind::Gradient => gradient.to_owned(),
        };
        let [once, plain, learned] = self.segments();
        if place < plain.start {
            return (name("x", "gradient"), place - program.input_slots().start);
        }
        let is_shared = place >= program.slots();
        if is_shared && place < once.start {
            let first = self.shared_places(&program.shared_parameters()).start;
            return (name("parameters", "parameter_gradient"), place - first);
        }
        if self.works {
            let index = if is_shared {
                learned.end - plain.start + place - once.start
            } else {
                place - plain.start
            };
            let first = match kind {
                Kind::Value => 0,
                Kind::Gradient => self.results(),
            };
            return ("work".to_owned(), first + index);
        }
        let start = self.array(place).unwrap_or(place);
        let (letter, number) = match start.checked_sub(program.slots()) {
            None => (name("v", "g"), start),
            Some(shared) => (name("s", "h"), shared),
        };
        (format!("{letter}{number}"), place - start)
    }

    fn home(&self, kind: Kind, place: usize) -> String {
        let (base, index) = self.base(kind, place);
        let is_alone = !self.works && self.step(place).is_some() && self.array(place).is_none();
        if is_alone {
            base
        } else {
            format!("{base}[{index}]")
        }
    }

    /// The local array that contains this place.
    fn local_array(&self, kind: Kind, place: usize) -> Option<String> {
        let is_local = !self.works && self.array(place).is_some();
        is_local.then(|| self.base(kind, place).0)
    }

    /// The number at a place. A copy outside of arrays is the number that it copies.
    fn number(&self, place: usize) -> Expression {
        let constants = &self.program.constants;
        let shared = place.checked_sub(self.program.slots());
        if let Some(&constant) = constants.get(shared.unwrap_or(place)) {
            return constant.into();
        }
        if let Some(&known) = self.known.get(&place) {
            return known.into();
        }
        match (self.step(place), shared) {
            (_, Some(shared)) if self.parameters == Parameters::Constants => {
                self.shared[shared].into()
            }
            (Some(&(Step::Copy(_) | Step::Shared(_))), _) if self.array(place).is_none() => {
                self.number(self.copied(place))
            }
            _ => Expression::name(self.home(Kind::Value, place)),
        }
    }

    /// The place of the number that this place copies, or the place itself if it is no copy.
    fn copied(&self, place: usize) -> usize {
        match self.step(place) {
            Some(&Step::Copy(x)) => self.operand(place, x),
            Some(&Step::Shared(x)) => self.program.slots() + x as usize,
            _ => place,
        }
    }

    /// The name of a node as a comment, with escapes so that no compiler reads it as anything else.
    fn comment(&self, place: usize) -> String {
        let label = self
            .program
            .labels
            .get(match place.checked_sub(self.program.slots()) {
                None => Place::Slot(place),
                Some(shared) => Place::Shared(shared),
            });
        let escaped = |c: char| match c {
            _ if c.is_ascii_alphanumeric() || " _-+.,:()".contains(c) => c.to_string(),
            _ => format!("\\u{{{:x}}}", u32::from(c)),
        };
        let name = label
            .name
            .map(|name| name.chars().map(escaped).collect::<String>());
        name.map_or(String::new(), |name| format!(" // {name}"))
    }

    /// The name of a constant that belongs to a layer.
    fn constant_name(&self, what: &str, layer: &Layer) -> String {
        let name = format!("{}_{what}_{}", self.name, layer.outputs.start);
        match self.code.language {
            Language::Rust => name.to_uppercase(),
            Language::C | Language::JavaScript => name,
        }
    }

    /// The weight of the input i for the output o, where i counts from `first_input`.
    fn weight(&self, layer: &Layer, first_input: usize, o: &str) -> String {
        match self.parameters {
            Parameters::Constants => {
                let weights = self.constant_name("weights", layer);
                let weights = element(&weights, first_input - layer.inputs.start, "i");
                format!("{weights}[{o}]")
            }
            Parameters::Argument => self.weight_among_all(Kind::Value, layer, first_input, o),
        }
    }

    /// The same weight, or its gradient, if the parameters are an argument.
    fn weight_among_all(&self, kind: Kind, layer: &Layer, first_input: usize, o: &str) -> String {
        let (base, first) = self.base(kind, self.shared_places(&layer.weights).start);
        let first = first + first_input - layer.inputs.start;
        element(&base, first, &format!("{} * {o} + i", layer.row))
    }

    /// The bias of the output o, or its gradient, if the parameters are an argument.
    fn bias_among_all(&self, kind: Kind, layer: &Layer, o: &str) -> String {
        let (base, first) = self.base(kind, self.shared_places(&layer.weights).start);
        element(
            &base,
            first + layer.inputs.len(),
            &format!("{} * {o}", layer.row),
        )
    }

    // ── constants ───────────────────────────────────────────────────────────────────────────────

    /// Writes the weights and biases of layers, unless they are an argument, and the length of the
    /// work array. Weights are stored by input, so that they lie side by side for the inner loop
    /// over the outputs.
    pub(super) fn write_constants(&mut self) {
        if self.parameters == Parameters::Constants {
            for layer in &self.program.learned.layers {
                let weight =
                    |i: usize, o: usize| self.shared[layer.weights.start + o * layer.row + i];
                let outputs = 0..layer.outputs.len();
                let rows = (0..layer.row).map(|i| outputs.clone().map(|o| weight(i, o)).collect());
                let rows: Vec<Vec<f64>> = rows.collect();
                let (weights, bias) = rows.split_at(layer.inputs.len());
                let name = self.constant_name("weights", layer);
                self.code.constant_matrix(&name, weights);
                if let [bias] = bias {
                    let name = self.constant_name("bias", layer);
                    self.code.constant_list(&name, bias);
                }
            }
        }
        if self.works {
            let name = format!("{}_work", self.name);
            let length = 2 * self.results();
            match self.code.language {
                Language::Rust => self.code.length(&name.to_uppercase(), length),
                Language::C | Language::JavaScript => self.code.length(&name, length),
            }
        }
    }

    // ── functions ───────────────────────────────────────────────────────────────────────────────

    pub(super) fn write_value(&mut self, outputs: Outputs) {
        let count = [self.program.outputs.len()];
        match outputs {
            Outputs::One => self.write_function("", &[], true, Self::forward),
            Outputs::Several => {
                self.write_function("", &[("outputs", &count)], false, |emitter| {
                    emitter.forward();
                    emitter.write_outputs();
                });
            }
        }
    }

    pub(super) fn write_derivatives(&mut self, outputs: Outputs) {
        let inputs = [self.program.input_slots().len()];
        let parameters = [self.program.shared_parameters().len()];
        let count = self.program.outputs.len();
        if outputs == Outputs::One {
            let mut written: Vec<Argument> = vec![("gradient", &inputs)];
            if self.parameters == Parameters::Argument {
                written.push(("parameter_gradient", &parameters));
            }
            self.write_function("_gradient", &written, true, |emitter| {
                emitter.forward();
                emitter.backward(0);
            });
            return;
        }
        let matrix = [count, inputs[0]];
        let written: [Argument; 2] = [("outputs", &[count]), ("jacobian", &matrix)];
        self.write_function("_jacobian", &written, false, |emitter| {
            emitter.forward();
            emitter.write_outputs();
            for output in (0..count).filter(|_| inputs[0] > 0) {
                emitter.code.open("");
                emitter.code.declare_row("gradient", "jacobian", output);
                emitter.backward(output);
                emitter.code.close();
            }
        });
    }

    fn write_function(
        &mut self,
        suffix: &str,
        written: &[Argument],
        returns: bool,
        body: impl FnOnce(&mut Self),
    ) {
        let inputs = [self.program.input_slots().len()];
        let parameters = [self.program.shared_parameters().len()];
        let work = [2 * self.results()];
        let mut read: Vec<Argument> = vec![("x", &inputs)];
        if self.parameters == Parameters::Argument {
            read.push(("parameters", &parameters));
        }
        let mut written = written.to_vec();
        if self.works {
            written.push(("work", &work));
        }
        self.temporaries = 0;
        let name = format!("{}{suffix}", self.name);
        self.code.open_function(&name, &read, &written, returns);
        body(self);
        let output = returns.then(|| self.number(self.program.outputs[0] as usize));
        self.code
            .close_function(&[read, written].concat(), output.as_ref());
    }

    fn write_outputs(&mut self) {
        for (i, &slot) in self.program.outputs.iter().enumerate() {
            let output = self.number(slot as usize);
            let place = format!("outputs[{i}]");
            self.code.assign((&place, None), &output, "");
        }
    }

    // ── forward ─────────────────────────────────────────────────────────────────────────────────

    fn forward(&mut self) {
        self.declare_arrays(Kind::Value, |_| true);
        for results in self.segments() {
            let mut out = results.start;
            while out < results.end {
                let Some((segment, index)) = self.segment(out) else {
                    break;
                };
                match &segment.steps[index] {
                    &Step::Apply(op, x, y) => {
                        let [x, y] = [x, y].map(|x| self.number(self.operand(out, x)));
                        self.set(Kind::Value, out, &Expression::apply(op, &x, &y).folded());
                    }
                    Step::Dot(range) => self.sum(out, segment.pairs(range)),
                    &Step::Row(layer) => {
                        let layer = self.layer(layer);
                        self.forward_layer(layer);
                        out = layer.outputs.end;
                        continue;
                    }
                    Step::Copy(_) | Step::Shared(_) if self.array(out).is_none() => {}
                    Step::Copy(_) | Step::Shared(_) => {
                        self.set(Kind::Value, out, &self.number(self.copied(out)));
                    }
                }
                out += 1;
            }
        }
    }

    /// Declares the arrays of values or gradients. In the caller's array, fills gradients with 0;
    /// values are written before they are read, and sums of layers are cleared by their layer.
    fn declare_arrays(&mut self, kind: Kind, is_used: impl Fn(Range<usize>) -> bool) {
        let arrays: Vec<_> = self
            .arrays
            .iter()
            .map(|(&start, &end)| start..end)
            .collect();
        for array in arrays.into_iter().filter(|array| is_used(array.clone())) {
            let (base, first) = self.base(kind, array.start);
            if !self.works {
                self.code.declare_array(&base, array.len());
            } else if kind == Kind::Gradient {
                self.code.fill_with_0(&base, first, array.len());
            }
        }
    }

    /// Writes a number to its place. A constant is instead written where it is read.
    fn set(&mut self, kind: Kind, place: usize, number: &Expression) {
        let is_element = self.array(place).is_some();
        if let (Some(constant), Kind::Value, false) = (number.constant(), kind, is_element) {
            self.known.insert(place, constant);
            return;
        }
        let home = self.home(kind, place);
        let comment = match kind {
            Kind::Value => self.comment(place),
            Kind::Gradient => String::new(),
        };
        if self.works || is_element {
            let array = self.local_array(kind, place);
            self.code
                .assign((&home, array.as_deref()), number, &comment);
        } else {
            self.code.declare(&home, number, &comment);
        }
    }

    /// Writes a sum of products, from left to right; a long one takes several lines.
    fn sum(&mut self, out: usize, pairs: &[[u32; 2]]) {
        let mut sum = Expression::from(0.0);
        for (i, &pair) in pairs.iter().enumerate() {
            if i > 0 && i % MOST_TERMS == 0 {
                sum = self.temporary(&sum);
            }
            let [x, y] = pair.map(|x| self.number(self.operand(out, x)));
            let term = Expression::apply(Op::Mul, &x, &y).folded();
            sum = Expression::apply(Op::Add, &sum, &term).folded();
        }
        self.set(Kind::Value, out, &sum);
    }

    /// Declares a name for a number and returns it; a constant is returned unchanged.
    fn temporary(&mut self, number: &Expression) -> Expression {
        if number.constant().is_some() {
            return number.clone();
        }
        self.temporaries += 1;
        let name = format!("t{}", self.temporaries);
        self.code.declare(&name, number, "");
        Expression::name(name)
    }

    fn forward_layer(&mut self, layer: &Layer) {
        let (outputs, first) = self.base(Kind::Value, layer.outputs.start);
        let output = element(&outputs, first, "o");
        if self.works {
            self.code.fill_with_0(&outputs, first, layer.outputs.len());
        }
        for inputs in self.inputs(layer) {
            let (base, first) = self.base(Kind::Value, inputs.start);
            let input = element(&base, first, "i");
            let weight = self.weight(layer, inputs.start, "o");
            self.code.open_loop('i', inputs.len());
            self.code.open_loop('o', layer.outputs.len());
            self.code.line(&format!("{output} += {weight} * {input};"));
            self.code.close();
            self.code.close();
        }
        if layer.row > layer.inputs.len() {
            let bias = match self.parameters {
                Parameters::Constants => self.constant_name("bias", layer) + "[o]",
                Parameters::Argument => self.bias_among_all(Kind::Value, layer, "o"),
            };
            self.code.open_loop('o', layer.outputs.len());
            self.code.line(&format!("{output} += {bias};"));
            self.code.close();
        }
    }

    /// The inputs of a layer, split into inputs of the function and results, without empty parts.
    fn inputs(&self, layer: &Layer) -> Vec<Range<usize>> {
        let first_result = self.program.plain.first;
        let Range { start, end } = layer.inputs;
        let parts = [start..end.min(first_result), start.max(first_result)..end];
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }

    // ── backward ────────────────────────────────────────────────────────────────────────────────

    /// Writes the gradient of one output.
    fn backward(&mut self, output: usize) {
        let program = self.program;
        self.code
            .fill_with_0("gradient", 0, program.input_slots().len());
        if self.parameters == Parameters::Argument {
            let count = program.shared_parameters().len();
            self.code.fill_with_0("parameter_gradient", 0, count);
        }
        let output = program.outputs[output] as usize;
        let reached = self.reached_from(output);
        self.declare_arrays(Kind::Gradient, |array| reached[array].contains(&true));
        let mut parts = Parts::new();
        self.add(output, &1.0.into(), &mut parts);
        for results in self.segments().into_iter().rev() {
            let mut end = results.end;
            while end > results.start {
                let last = end - 1;
                let Some(step) = self.step(last) else {
                    break;
                };
                end = match step {
                    &Step::Row(layer) => self.layer(layer).outputs.start,
                    _ => last,
                };
                if !reached[end..=last].contains(&true) {
                    continue;
                }
                match step {
                    &Step::Row(layer) => self.pass_down_layer(self.layer(layer), &reached),
                    _ => self.pass_down(step, last, &mut parts),
                }
            }
        }
    }

    /// By place, whether a gradient of this output arrives there on its way to an argument.
    fn reached_from(&self, output: usize) -> Vec<bool> {
        let mut reached = vec![false; self.leading.len()];
        reached[output] = self.leading[output];
        for results in self.segments().into_iter().rev() {
            for place in results.rev() {
                if reached[place] {
                    for operand in self.receivers(place) {
                        reached[operand] |= self.leading[operand];
                    }
                }
            }
        }
        reached
    }

    /// The places that a result passes a gradient down to.
    fn receivers(&self, place: usize) -> Vec<usize> {
        let found = self.segment(place).filter(|_| !self.is_silent(place));
        let Some((segment, index)) = found else {
            return Vec::new();
        };
        let places = |operands: &[u32]| {
            let places = operands.iter().map(|&x| self.operand(place, x));
            places.collect()
        };
        match &segment.steps[index] {
            &Step::Apply(op, x, y) => {
                let passes_to_y = op.arity() == Arity::Binary && op.passes_to_y();
                match (op.passes_to_x(), passes_to_y) {
                    (true, true) => places(&[x, y]),
                    (true, false) => places(&[x]),
                    _ => Vec::new(), // if one argument gets a gradient, then x does
                }
            }
            Step::Dot(range) => places(segment.pairs(range).as_flattened()),
            &Step::Row(layer) => {
                let layer = self.layer(layer);
                let weights = self.shared_places(&layer.weights_of(place));
                layer.inputs.clone().chain(weights).collect()
            }
            Step::Copy(_) | Step::Shared(_) => vec![self.copied(place)],
        }
    }

    /// Adds a part of a gradient: at once for an element of an array; otherwise the part waits
    /// until all parts are known.
    fn add(&mut self, place: usize, part: &Expression, parts: &mut Parts) {
        if !self.leading[place] {
            return;
        }
        if self.step(place).is_none() || self.array(place).is_some() {
            let home = self.home(Kind::Gradient, place);
            let array = self.local_array(Kind::Gradient, place);
            self.code.add((&home, array.as_deref()), part);
        } else {
            parts.entry(place).or_default().push(part.clone());
        }
    }

    /// The gradient of a result whose parts are all known.
    fn upstream(&mut self, place: usize, parts: &mut Parts) -> Expression {
        let mut sum: Option<Expression> = None;
        for (i, part) in parts.remove(&place).into_iter().flatten().enumerate() {
            sum = Some(match sum {
                None => part,
                Some(sum) if i % MOST_TERMS == 0 => {
                    Expression::apply(Op::Add, &self.temporary(&sum), &part)
                }
                Some(sum) => Expression::apply(Op::Add, &sum, &part),
            });
        }
        match sum {
            Some(sum) if !matches!(sum.form(), Form::Apply(..)) => return sum,
            Some(sum) => self.set(Kind::Gradient, place, &sum),
            None => {} // an element of an array
        }
        Expression::name(self.home(Kind::Gradient, place))
    }

    fn pass_down(&mut self, step: &Step, out: usize, parts: &mut Parts) {
        let g = self.upstream(out, parts);
        let product = |x: &Expression, y: &Expression| Expression::apply(Op::Mul, x, y).folded();
        let mut passed = Vec::new();
        match step {
            &Step::Apply(op, x, y) => {
                let places = [x, y].map(|x| self.operand(out, x));
                let [x, y] = places.map(|x| self.number(x));
                let vjps = op.vjps([&x, &y, &self.number(out), &g]);
                let wanted = places.into_iter().zip(vjps);
                let wanted = wanted.filter(|&(place, _)| self.leading[place]);
                passed.extend(wanted.filter_map(|(place, part)| Some((place, part?.folded()))));
                self.compute_common_factors(&mut passed);
            }
            Step::Dot(range) => {
                if let Some((segment, _)) = self.segment(out) {
                    for &pair in segment.pairs(range) {
                        let [x, y] = pair.map(|x| self.operand(out, x));
                        passed.push((x, product(&g, &self.number(y))));
                        passed.push((y, product(&g, &self.number(x))));
                    }
                }
            }
            Step::Copy(_) | Step::Shared(_) => passed.push((self.copied(out), g)),
            Step::Row(_) => unreachable!("layers are passed as a whole"),
        }
        for (place, part) in passed {
            self.add(place, &part, parts);
        }
    }

    /// Gives a name to each subexpression that occurs more than once.
    fn compute_common_factors(&mut self, passed: &mut [(usize, Expression)]) {
        loop {
            let parts: Vec<_> = passed.iter().map(|(_, part)| part.clone()).collect();
            let Some(mut common) = Expression::common(&parts) else {
                return;
            };
            while let Some(within) = Expression::common(slice::from_ref(&common)) {
                common = within;
            }
            let name = self.temporary(&common);
            for (_, part) in passed.iter_mut() {
                *part = part.with(&common, &name);
            }
        }
    }

    /// Passes the gradients of a layer down. Rows that no gradient reaches are left out, because 0
    /// times an infinite weight would be NaN.
    fn pass_down_layer(&mut self, layer: &Layer, reached: &[bool]) {
        let outputs = layer.outputs.clone();
        let are_all_reached = !reached[outputs.clone()].contains(&false);
        let rows: Vec<String> = if are_all_reached {
            vec!["o".into()]
        } else {
            let rows = outputs.clone().filter(|&output| reached[output]);
            rows.map(|output| (output - outputs.start).to_string())
                .collect()
        };
        let (base, first) = self.base(Kind::Gradient, outputs.start);
        let inputs = self.inputs(layer).into_iter();
        for inputs in inputs.filter(|inputs| reached[inputs.clone()].contains(&true)) {
            let (inputs_base, inputs_first) = self.base(Kind::Gradient, inputs.start);
            let to_input = element(&inputs_base, inputs_first, "i");
            self.code.open_loop('i', inputs.len());
            self.for_each_row(&rows, outputs.len(), |emitter, o| {
                let weight = emitter.weight(layer, inputs.start, o);
                let g = element(&base, first, o);
                emitter.code.line(&format!("{to_input} += {weight} * {g};"));
            });
            self.code.close();
        }
        // No weight is reached if the weights are constants, or results that lead to no parameter.
        if reached[self.shared_places(&layer.weights)].contains(&true) {
            self.for_each_row(&rows, outputs.len(), |emitter, o| {
                emitter.pass_down_to_weights(layer, o, &element(&base, first, o));
            });
        }
    }

    /// Writes lines for all rows in a loop, or for each of some rows.
    fn for_each_row(&mut self, rows: &[String], count: usize, write: impl Fn(&mut Self, &str)) {
        let is_loop = rows == ["o"];
        if is_loop {
            self.code.open_loop('o', count);
        }
        for row in rows {
            write(self, row);
        }
        if is_loop {
            self.code.close();
        }
    }

    fn pass_down_to_weights(&mut self, layer: &Layer, o: &str, g: &str) {
        for inputs in self.inputs(layer) {
            let (base, first) = self.base(Kind::Value, inputs.start);
            let input = element(&base, first, "i");
            let to_weight = self.weight_among_all(Kind::Gradient, layer, inputs.start, o);
            self.code.open_loop('i', inputs.len());
            self.code.line(&format!("{to_weight} += {g} * {input};"));
            self.code.close();
        }
        if layer.row > layer.inputs.len() {
            let to_bias = self.bias_among_all(Kind::Gradient, layer, o);
            self.code.line(&format!("{to_bias} += {g};"));
        }
    }
}
