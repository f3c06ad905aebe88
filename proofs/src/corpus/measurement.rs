//! Everything that the crate computes for a graph.

use micrograd::anomaly::Pass;
use micrograd::engine::Value;
use micrograd::tape::{Tape, VectorTape};

use super::graph::{Built, Graph};
use super::line::Line;

/// The gradients that a tape adds to its parameters.
pub(super) const TAPE_BACKWARD: &str = "tape.backward";
/// The gradient that a tape returns for one row.
pub(super) const TAPE_GRADIENT: &str = "tape.gradient";
/// The Jacobian that a tape of several outputs returns for one row.
pub(super) const TAPE_JACOBIAN: &str = "tape.jacobian";

/// The most rows on which a tape of several outputs is measured: one block and one more row.
const ROWS_OF_VECTORS: usize = 5;

/// The results of the crate as it is now, one line for each way to compute them.
pub fn measure(graph: &Graph) -> Vec<Line> {
    let built = graph.build();
    let outputs = graph.outputs.map(|i| built.nodes[i].clone());
    let mut lines = by_engine(&built.leaves, &outputs);
    lines.extend(by_tape(graph, &built, &outputs[0]));
    lines.extend(by_vector_tape(graph, &built, &outputs));
    lines
}

fn by_engine(leaves: &[Value], outputs: &[Value; 3]) -> Vec<Line> {
    let [last, ..] = outputs;
    last.backward();
    vec![
        Line::new("data", outputs.iter().map(Value::data)),
        Line::new("backward", leaves.iter().map(Value::grad)),
        Line::new("gradient", last.gradient(leaves).iter().map(Value::data)),
    ]
}

fn by_tape(graph: &Graph, built: &Built, last: &Value) -> Vec<Line> {
    let rows = graph.input_rows();
    let (inputs, parameters) = built.leaves.split_at(graph.inputs);
    parameters.iter().for_each(Value::zero_grad);
    let tape = Tape::record(inputs, last);
    let mean = tape.backward(&rows);
    let (value, gradient) = tape.gradient(&rows[0]);
    vec![
        Line::new("tape.forward", tape.forward(&rows)),
        Line::new("tape.mean", [mean]),
        Line::new(TAPE_BACKWARD, parameters.iter().map(Value::grad)),
        Line::new("tape.value", [value]),
        Line::new(TAPE_GRADIENT, gradient),
        anomaly(&tape, &rows),
    ]
}

/// The only number in the line is the row, and the name of the line says which pass.
fn anomaly(tape: &Tape, rows: &[Vec<f64>]) -> Line {
    let Some(anomaly) = tape.find_anomaly(rows) else {
        return Line::new("anomaly.none", []);
    };
    let name = match anomaly.pass() {
        Pass::Forward => "anomaly.forward",
        Pass::Backward => "anomaly.backward",
    };
    Line::new(name, anomaly.row().map(|row| row as f64))
}

fn by_vector_tape(graph: &Graph, built: &Built, outputs: &[Value]) -> Vec<Line> {
    let rows = graph.input_rows();
    let tape = VectorTape::record(&built.leaves[..graph.inputs], outputs);
    let (values, jacobian) = tape.jacobian(&rows[0]);
    let some_rows = &rows[..rows.len().min(ROWS_OF_VECTORS)];
    vec![
        Line::new("tape.vectors", tape.forward(some_rows).concat()),
        Line::new("tape.vector", values),
        Line::new(TAPE_JACOBIAN, jacobian.concat()),
    ]
}
