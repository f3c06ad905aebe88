//! A corpus of bits: random graphs, with every number that the crate once computed for them.
//!
//! It guards changes that must not alter any result, such as a new layout of the graph. The file
//! is text: a graph is a list of leaves and steps, followed by lines of numbers. Every computed
//! number is written as the hexadecimal digits of its bits. The binary `corpus` of this package
//! writes the file, and a test compares it with what the crate computes now.

use std::collections::HashMap;
use std::fmt;

pub mod draw;
pub mod functions;
pub mod graph;
pub mod line;
pub mod measurement;
pub mod parts;
pub mod step;
pub mod table;

pub use graph::Graph;
pub use line::Line;

/// A graph and what was computed for it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The position in the corpus, from 0.
    pub number: usize,
    /// The graph itself.
    pub graph: Graph,
    /// The results, one line for each way to compute them.
    pub results: Vec<Line>,
}

/// The whole file.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// Values of the mathematical functions of the system on which the corpus was written.
    pub functions: Vec<Line>,
    /// The graphs with their results.
    pub entries: Vec<Entry>,
}

impl Corpus {
    /// Reads the text of a corpus.
    ///
    /// # Panics
    ///
    /// If the text is not a corpus.
    pub fn parse(text: &str) -> Self {
        let text = text.lines().filter(|line| !line.starts_with('#'));
        let text = text.collect::<Vec<_>>().join("\n");
        let mut blocks = text.split("graph ");
        let functions = blocks.next().unwrap_or_default();
        Self {
            functions: functions.lines().filter_map(Line::parse).collect(),
            entries: blocks.map(Entry::parse).collect(),
        }
    }

    /// The number of graphs that apply each row of the table, by the name of the row.
    pub fn graphs_by_row(&self) -> HashMap<&'static str, usize> {
        let mut graphs = HashMap::new();
        for row in table::TABLE {
            let having = self.entries.iter().filter(|entry| {
                let mut steps = entry.graph.steps.iter();
                steps.any(|step| step.row().is_some_and(|applied| applied.name == row.name))
            });
            graphs.insert(row.name, having.count());
        }
        graphs
    }
}

impl Entry {
    /// Computes the results of a graph, with the sizes that bound the rounding of each gradient.
    pub fn measure(number: usize, graph: Graph) -> Self {
        let mut results = measurement::measure(&graph);
        parts::add_sizes(&graph, &mut results);
        Self {
            number,
            graph,
            results,
        }
    }

    fn parse(block: &str) -> Self {
        let (number, text) = block.split_once('\n').unwrap_or((block, ""));
        let [graph, results] = [true, false].map(|of_graph| {
            text.lines()
                .filter(|line| Graph::has_line(line) == of_graph)
                .collect::<Vec<_>>()
        });
        Self {
            number: number.parse().expect("a graph has a number"),
            graph: Graph::parse(&graph).unwrap_or_else(|| panic!("graph {number} is malformed")),
            results: results.into_iter().filter_map(Line::parse).collect(),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "graph {}", self.number)?;
        write!(f, "{}", self.graph)?;
        self.results
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}
