//! Numbers of several values.

use micrograd::engine::Value;

/// One number of each value: its `Value::data`, or its `Value::grad`.
pub(crate) fn each(values: &[Value], number: fn(&Value) -> f64) -> Vec<f64> {
    values.iter().map(number).collect()
}
