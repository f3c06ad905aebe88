//! Comparison of numbers within a tolerance.

/// Whether two numbers are at most `tolerance` apart. With a finite tolerance, an infinity is close
/// only to itself, and NaN only to NaN.
pub(crate) fn is_close(ours: f64, theirs: f64, tolerance: f64) -> bool {
    ours == theirs
        || ours.is_nan() && theirs.is_nan()
        || theirs.is_finite() && (ours - theirs).abs() <= tolerance
}

/// Asserts that two numbers are close.
#[track_caller]
pub(crate) fn assert_close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    let close = is_close(ours, theirs, tolerance);
    assert!(close, "{what}: {ours:?} instead of {theirs:?}");
}
