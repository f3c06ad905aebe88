//! Draws the graphs of a corpus.

use micrograd::engine::Value;
use micrograd::rand::RngExt;
use micrograd::rand::rngs::Xoshiro256PlusPlus;

use super::graph::Graph;
use super::line::Line;
use super::step::{ACTIVATIONS, Argument, Step};
use super::table::{Function, Row, TABLE};

/// Numbers of rows that make whole blocks, parts of blocks, and single rows.
const ROWS: [usize; 9] = [1, 2, 3, 4, 5, 31, 33, 37, 70];
/// The largest absolute value in a tame graph, so that the sums of its gradients mean something.
const LARGEST_TAME: f64 = 30.0;
/// Attempts to draw a step. One that fits is found long before the last attempt, or not at all.
const ATTEMPTS: usize = 1000;
/// The rows that pass no gradient to at least one argument.
const DEAD: [&str; 5] = ["detach", "at_most", "equals", "when", "unless"];
const LEAVES: [f64; 6] = [0.0, -0.0, 1.0, -1.0, 1e-310, 1e200];
const CONSTANTS: [f64; 9] = [0.0, -0.0, 1.0, 2.0, 3.0, 0.5, -1.0, -0.5, -2.0];
const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// The kind of numbers that a graph meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temper {
    /// Only ordinary numbers, in all rows.
    Tame,
    /// Zeros, ties, kinks, and very small and large ones; the values are finite in the first row.
    Rough,
    /// Also NaN and infinities.
    Wild,
}

impl Temper {
    /// The temper of the graph with this number, so that each gets its share of a corpus.
    pub fn of_number(number: usize) -> Self {
        match number % 5 {
            0 | 1 => Self::Tame,
            2 => Self::Rough,
            _ => Self::Wild,
        }
    }

    /// Whether the results are informative. A tame graph needs finite results and gradients that
    /// are mostly not 0, a rough one some gradient that is finite and not 0, and a wild one some
    /// gradient that is not NaN.
    pub fn is_shown_by(self, results: &[Line]) -> bool {
        let backward = results.iter().find(|line| line.name == "backward");
        let gradients: Vec<_> = backward.into_iter().flat_map(Line::values).collect();
        let telling = gradients.iter().filter(|g| g.is_finite() && **g != 0.0);
        match self {
            Self::Tame => {
                let mut all = results.iter().flat_map(Line::values);
                2 * telling.count() > gradients.len() && all.all(f64::is_finite)
            }
            Self::Rough => telling.count() > 0,
            Self::Wild => gradients.iter().any(|g| !g.is_nan()),
        }
    }
}

/// Draws a graph.
pub fn draw(temper: Temper, rng: &mut Xoshiro256PlusPlus) -> Graph {
    let steps = 6 + draw_small(23, rng);
    let mut draft = Draft::new(temper, rng);
    for _ in 0..steps {
        draft.add_step();
    }
    draft.finish()
}

/// A number below `end`; small ones are more frequent.
fn draw_small(end: usize, rng: &mut Xoshiro256PlusPlus) -> usize {
    rng.random_range(0..end).min(rng.random_range(0..end))
}

/// A graph under construction.
struct Draft<'a> {
    temper: Temper,
    rng: &'a mut Xoshiro256PlusPlus,
    graph: Graph,
    /// The nodes so far, for each row that decides whether a step fits.
    rows: Vec<Vec<Value>>,
    unread: Vec<usize>,
    conditions: Vec<usize>,
}

impl<'a> Draft<'a> {
    fn new(temper: Temper, rng: &'a mut Xoshiro256PlusPlus) -> Self {
        let count = rng.random_range(2..=6);
        let mut draft = Self {
            temper,
            graph: Graph {
                leaves: Vec::new(),
                steps: Vec::new(),
                inputs: rng.random_range(0..=count),
                rows: ROWS[draw_small(ROWS.len(), rng)],
                wild_rows: temper != Temper::Tame && rng.random_bool(0.5),
                outputs: [0; 3],
            },
            rng,
            rows: Vec::new(),
            unread: (0..count).collect(),
            conditions: Vec::new(),
        };
        for _ in 0..count {
            let leaf = draft.leaf();
            draft.graph.leaves.push(leaf);
        }
        draft.start_rows();
        draft
    }

    fn start_rows(&mut self) {
        let mut rows = self.graph.input_rows();
        if self.temper != Temper::Tame {
            rows.truncate(1);
        }
        for row in &mut rows {
            row.extend(&self.graph.leaves[row.len()..]);
        }
        let nodes = |row: Vec<f64>| row.into_iter().map(Value::new).collect();
        self.rows = rows.into_iter().map(nodes).collect();
    }

    fn leaf(&mut self) -> f64 {
        let tie = self.graph.leaves.last().copied();
        match (self.temper, tie, self.rng.random_range(0..100)) {
            (Temper::Rough | Temper::Wild, Some(tie), 0..15) => tie,
            (Temper::Wild, _, 0..25) => self.one_of(&NOT_FINITE),
            (Temper::Rough | Temper::Wild, _, 0..50) => self.one_of(&LEAVES),
            _ => self.number(),
        }
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.random_range(0..choices.len())]
    }

    /// A short decimal from -2 to 2.
    fn number(&mut self) -> f64 {
        f64::from(self.rng.random_range(-2000..=2000)) / 1000.0
    }

    fn constant(&mut self) -> f64 {
        match (self.temper, self.rng.random_range(0..100)) {
            (Temper::Wild, 0..12) => self.one_of(&NOT_FINITE),
            (_, 0..60) => self.one_of(&CONSTANTS),
            _ => self.number(),
        }
    }

    /// Picks late nodes more often than early ones, so that the graph gets deep.
    fn node(&mut self) -> usize {
        let count = self.graph.nodes();
        let back = draw_small(count, self.rng);
        count - 1 - back.min(draw_small(count, self.rng))
    }

    fn nodes(&mut self, count: usize) -> Vec<usize> {
        (0..count).map(|_| self.node()).collect()
    }

    /// An operand next to `other`, now and then the same node.
    fn node_beside(&mut self, other: usize) -> usize {
        if self.rng.random_bool(0.12) {
            other
        } else {
            self.node()
        }
    }

    fn condition(&mut self) -> usize {
        let count = self.conditions.len();
        if count > 0 && self.rng.random_bool(0.6) {
            self.conditions[self.rng.random_range(0..count)]
        } else {
            self.node()
        }
    }

    fn step(&mut self) -> Step {
        match self.rng.random_range(0..100) {
            0..6 => {
                let count = self.rng.random_range(1..=5);
                Step::Sum(self.nodes(count))
            }
            6..15 => self.dot(),
            15..20 => self.layer(),
            20..32 => {
                let name = self.one_of(&DEAD);
                self.row(Row::named(name).expect("it is in the table"))
            }
            _ => {
                let index = self.rng.random_range(0..TABLE.len());
                self.row(&TABLE[index])
            }
        }
    }

    fn dot(&mut self) -> Step {
        let mut pairs = Vec::new();
        for _ in 0..self.rng.random_range(1..=4) {
            let weight = self.node();
            pairs.extend([weight, self.node_beside(weight)]);
        }
        Step::Dot(pairs)
    }

    fn layer(&mut self) -> Step {
        let [inputs, outputs] = [3, 3].map(|most| self.rng.random_range(1..=most));
        let mut parameters = Vec::new();
        for _ in 0..(inputs + 1) * outputs {
            let special = self.temper != Temper::Tame && self.rng.random_bool(0.1);
            parameters.push(if special { self.leaf() } else { self.number() });
        }
        let (activation, _) = self.one_of(&ACTIVATIONS);
        Step::Layer {
            outputs,
            activation: activation.to_string(),
            inputs: self.nodes(inputs),
            parameters,
        }
    }

    fn row(&mut self, row: &'static Row) -> Step {
        use Argument::{Constant, Node};
        let x = self.node();
        let arguments = match (row.function, self.rng.random_range(0..100)) {
            (Function::OfOne(_), _) => vec![Node(x)],
            (Function::WithParameter(_), _)
            | (Function::OfTwo(_) | Function::Operator { .. }, 0..20) => {
                vec![Node(x), Constant(self.constant())]
            }
            (Function::Operator { .. }, 20..40) => vec![Constant(self.constant()), Node(x)],
            (Function::OfTwo(_), _) if row.passes_nothing_to(1) && !row.is_condition() => {
                vec![Node(x), Node(self.condition())]
            }
            _ => vec![Node(x), Node(self.node_beside(x))],
        };
        Step::Row(row, arguments)
    }

    fn add_step(&mut self) {
        for _ in 0..ATTEMPTS {
            let step = self.step();
            let made = self.made(&step);
            if self.fits(&made) {
                self.push(step, made);
                return;
            }
        }
    }

    /// The results of a step in each row.
    fn made(&self, step: &Step) -> Vec<Vec<Value>> {
        let made = |nodes: &Vec<Value>| {
            let operands = step.operands().into_iter().map(|i| nodes[i].clone());
            step.apply(&operands.collect::<Vec<_>>()).outputs
        };
        self.rows.iter().map(made).collect()
    }

    fn fits(&mut self, made: &[Vec<Value>]) -> bool {
        let mut data = made.iter().flatten().map(Value::data);
        match self.temper {
            Temper::Tame => data.all(|number| number.abs() <= LARGEST_TAME),
            Temper::Rough => data.all(f64::is_finite),
            // NaN spreads to everything computed from it.
            Temper::Wild => !data.any(f64::is_nan) || self.rng.random_bool(0.3),
        }
    }

    fn push(&mut self, step: Step, made: Vec<Vec<Value>>) {
        let operands = step.operands();
        self.unread.retain(|node| !operands.contains(node));
        let first = self.graph.nodes();
        let new = first..first + step.outputs();
        self.unread.extend(new.clone());
        if step.row().is_some_and(Row::is_condition) {
            self.conditions.extend(new);
        }
        for (nodes, made) in self.rows.iter_mut().zip(made) {
            nodes.extend(made);
        }
        self.graph.steps.push(step);
    }

    fn push_row(&mut self, name: &str, arguments: Vec<Argument>) {
        let step = Step::Row(Row::named(name).expect("it is in the table"), arguments);
        let made = self.made(&step);
        self.push(step, made);
    }

    /// Adds up the nodes that have no users, so that the output depends on all nodes.
    fn finish(mut self) -> Graph {
        if self.unread.len() > 1 {
            let sum = Step::Sum(self.unread.clone());
            let made = self.made(&sum);
            self.push(sum, made);
            if self.rng.random_bool(0.4) {
                let last = Argument::Node(self.graph.nodes() - 1);
                self.push_row("mul", vec![last, Argument::Constant(0.1)]);
                let last = Argument::Node(self.graph.nodes() - 1);
                self.push_row("tanh", vec![last]);
            }
        }
        self.graph.outputs = [self.graph.nodes() - 1, self.node(), self.node()];
        self.graph
    }
}
