//! Numbers that agree to the bit.

/// Asserts that two numbers have the same bits; any NaN is like any other.
#[track_caller]
pub(crate) fn assert_same_bits(ours: f64, theirs: f64, what: &str) {
    let same = ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan();
    assert!(same, "{what}: {ours:?} instead of {theirs:?}");
}
