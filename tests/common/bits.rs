//! Bitwise comparison of numbers.

/// Asserts that two numbers have the same bits; all NaNs count as equal.
#[track_caller]
pub(crate) fn assert_same_bits(ours: f64, theirs: f64, what: &str) {
    let same = ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan();
    assert!(same, "{what}: {ours:?} instead of {theirs:?}");
}
