//! A graph as numbers and steps, and the rows on which its tape is replayed.

use std::fmt;

use micrograd::engine::Value;
use micrograd::rand::{Rng, RngExt};

use super::step::Step;

/// A graph; its last node is its output.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The numbers of the leaves.
    pub leaves: Vec<f64>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The number of leaves, from the first one, that are inputs of the tape. The other leaves and
    /// the parameters of layers are its parameters.
    pub inputs: usize,
    /// The number of rows on which the tape is replayed.
    pub rows: usize,
    /// Whether NaN and infinities are among the numbers of the rows.
    pub wild_rows: bool,
    /// The outputs of a tape with several outputs: the last node and two more.
    pub outputs: [usize; 3],
}

/// A graph as the engine has built it.
#[derive(Clone, Debug)]
pub struct Built {
    /// All nodes that steps may read, by index: first the leaves, then the results of steps.
    pub nodes: Vec<Value>,
    /// All leaves, including the parameters of layers.
    pub leaves: Vec<Value>,
}

impl Graph {
    /// Builds the graph, on the numbers that its leaves hold.
    pub fn build(&self) -> Built {
        self.build_on(&self.leaves)
    }

    /// Builds the graph on other numbers.
    pub fn build_on(&self, numbers: &[f64]) -> Built {
        self.build_with(numbers, |output| output)
    }

    /// Builds the graph with the result of each step perturbed by up to this many units in the last
    /// place, as the results in another language may be.
    pub fn perturbed(&self, units: i32, rng: &mut impl Rng) -> Built {
        self.build_with(&self.leaves, |output| {
            let units = rng.random_range(-units..=units);
            output * (1.0 + f64::from(units) * f64::EPSILON)
        })
    }

    /// Builds the graph on these numbers, with the result of each step replaced.
    fn build_with(&self, numbers: &[f64], mut replace: impl FnMut(Value) -> Value) -> Built {
        let mut leaves: Vec<_> = numbers.iter().copied().map(Value::new).collect();
        let mut nodes = leaves.clone();
        for step in &self.steps {
            let operands = step.operands();
            let operands: Vec<_> = operands.into_iter().map(|i| nodes[i].clone()).collect();
            let made = step.apply(&operands);
            nodes.extend(made.outputs.into_iter().map(&mut replace));
            leaves.extend(made.parameters);
        }
        Built { nodes, leaves }
    }

    /// The numbers of the inputs, row by row. The first row is what the leaves hold.
    pub fn input_rows(&self) -> Vec<Vec<f64>> {
        let inputs = &self.leaves[..self.inputs];
        let number = |row, input| number_of_row(row, input, inputs[input], self.wild_rows);
        (0..self.rows)
            .map(|row| (0..self.inputs).map(|input| number(row, input)).collect())
            .collect()
    }

    /// Whether some node receives a gradient and is also read by an edge that carries none.
    pub fn has_node_that_is_read_live_and_dead(&self) -> bool {
        let mut receiving = vec![false; self.nodes()];
        let mut read_dead = vec![false; self.nodes()];
        receiving[self.nodes() - 1] = true;
        let mut end = self.nodes();
        for step in self.steps.iter().rev() {
            let first = end - step.outputs();
            let (dead, live) = step.dead_and_live_operands();
            if receiving[first..end].contains(&true) {
                for i in live {
                    receiving[i] = true;
                }
            }
            for i in dead {
                read_dead[i] = true;
            }
            end = first;
        }
        receiving
            .iter()
            .zip(read_dead)
            .any(|(&live, dead)| live && dead)
    }

    /// The number of nodes that have an index.
    pub fn nodes(&self) -> usize {
        self.leaves.len() + self.steps.iter().map(Step::outputs).sum::<usize>()
    }

    /// Whether a line of the file is part of the graph, not of its results.
    pub(super) fn has_line(line: &str) -> bool {
        let word = line.split(' ').next().unwrap_or_default();
        matches!(word, "leaves" | "inputs" | "rows" | "outputs") || word.ends_with(':')
    }

    /// Reads a graph in the format in which it is displayed.
    pub(super) fn parse(lines: &[&str]) -> Option<Self> {
        let words = |name: &str| {
            let line = lines.iter().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().collect::<Vec<_>>())
        };
        let leaves = words("leaves")?.into_iter().map(|word| word.parse().ok());
        let outputs = words("outputs")?.into_iter().map(|word| word.parse().ok());
        let rows = words("rows")?;
        let mut graph = Self {
            leaves: leaves.collect::<Option<_>>()?,
            steps: Vec::new(),
            inputs: words("inputs")?.first()?.parse().ok()?,
            rows: rows.first()?.parse().ok()?,
            wild_rows: rows.contains(&"wild"),
            outputs: outputs.collect::<Option<Vec<_>>>()?.try_into().ok()?,
        };
        for (index, step) in lines.iter().filter_map(|line| line.split_once(": ")) {
            if index.parse() != Ok(graph.nodes()) {
                return None;
            }
            graph.steps.push(Step::parse(step)?);
        }
        Some(graph)
    }
}

/// Uses only sums and products, so that every system computes the same numbers.
fn number_of_row(row: usize, input: usize, leaf: f64, wild: bool) -> f64 {
    const TAME: &[f64] = &[0.0, -0.0, 1.0];
    const WILD: &[f64] = &[0.0, f64::NAN, -0.0, f64::INFINITY, 1.0, f64::NEG_INFINITY];
    if row == 0 {
        leaf
    } else if (row + 3 * input) % 5 == 2 {
        let special = if wild { WILD } else { TAME };
        special[(row / 2 + input) % special.len()]
    } else {
        let (row, input) = ((row % 16) as f64, input as f64);
        leaf * (1.0 + 0.03125 * row) + 0.125 * row * (-1.0 + input) * 0.0625
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("leaves")?;
        self.leaves
            .iter()
            .try_for_each(|leaf| write!(f, " {leaf:?}"))?;
        let mut index = self.leaves.len();
        for step in &self.steps {
            write!(f, "\n{index}: {step}")?;
            index += step.outputs();
        }
        let [last, second, third] = self.outputs;
        let wild = if self.wild_rows { " wild" } else { "" };
        writeln!(f, "\noutputs {last} {second} {third}")?;
        writeln!(f, "inputs {}", self.inputs)?;
        writeln!(f, "rows {}{wild}", self.rows)
    }
}
