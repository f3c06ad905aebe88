//! The numbers of several values.

use micrograd::engine::Value;

/// One number for each value: its `Value::data` or its `Value::grad`.
pub(crate) fn each(values: &[Value], number: fn(&Value) -> f64) -> Vec<f64> {
    values.iter().map(number).collect()
}
