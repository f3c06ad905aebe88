//! Metrics, compared with scikit-learn, and their edge cases.

mod common {
    pub(crate) mod panics;
}

use common::panics::panic_of;
use micrograd::metrics::{ConfusionMatrix, accuracy, argmax, binary_accuracy, r2};

#[test]
fn accuracy_is_the_fraction_that_is_right() {
    assert_eq!(accuracy(&[0, 2, 1, 1], &[0, 2, 2, 1]), 0.75);
    assert!(accuracy(&[], &[]).is_nan());
    assert_eq!(
        binary_accuracy(&[0.1, -3.0, 0.0, 7.0], &[1.0, -1.0, 0.0, -1.0]),
        0.75
    );
    assert_eq!(binary_accuracy(&[f64::NAN; 2], &[1.0, -1.0]), 0.0);
}

#[test]
fn r2_agrees_with_scikit_learn() {
    // sklearn.metrics.r2_score([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    let (actual, predicted) = ([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]);
    assert!((r2(&predicted, &actual) - 0.948_608_137_044_967_9).abs() < 1e-15);
    assert_eq!(r2(&actual, &actual), 1.0);
    assert_eq!(r2(&[2.875; 4], &actual), 0.0);
    assert!(r2(&[-9.0; 4], &actual) < 0.0);
    assert_eq!(r2(&[2.0, 2.0], &[2.0, 2.0]), 1.0);
    assert_eq!(r2(&[2.0, 2.5], &[2.0, 2.0]), 0.0);
    assert_eq!(r2(&[1e-200, 3e-200], &[1e-200, 3e-200]), 1.0);
    assert_eq!(r2(&[1.0, 3.0], &[1e-200, 3e-200]), 0.0);
    assert!(r2(&[f64::NAN, 2.0], &[2.0, 2.0]).is_nan());
    assert!(r2(&[f64::NAN, 2.0], &[1.0, 2.0]).is_nan());
    assert!(r2(&[2.0], &[2.0]).is_nan() && r2(&[], &[]).is_nan());
}

#[test]
fn r2_of_equal_values_does_not_depend_on_rounding() {
    // The computed mean of the actual values is not quite 0.1.
    assert_eq!(r2(&[0.1, 0.1, 0.2], &[0.1; 3]), 0.0);
    assert_eq!(r2(&[0.1; 3], &[0.1; 3]), 1.0);
}

#[test]
fn argmax_is_the_first_of_the_greatest() {
    assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
    assert_eq!(argmax(&[f64::NEG_INFINITY]), 0);
    assert_eq!(argmax(&[1.0, f64::NAN, f64::INFINITY, f64::NAN]), 1);
}

#[test]
fn a_confusion_matrix_counts_by_actual_and_predicted_class() {
    // sklearn.metrics.confusion_matrix([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2])
    let matrix = ConfusionMatrix::new(&[0, 0, 2, 2, 0, 2], &[2, 0, 2, 2, 0, 1], 3);
    assert_eq!(matrix.rows(), [[2, 0, 0], [0, 0, 1], [1, 0, 2]]);
    let table = "     0  1  2\n  0  2  .  .\n  1  .  .  1\n  2  1  .  2";
    assert_eq!(matrix.to_string(), table);
    assert_eq!(ConfusionMatrix::new(&[], &[], 0).rows().len(), 0);
}

#[test]
fn precision_recall_and_f1_agree_with_scikit_learn() {
    // precision_recall_fscore_support(
    //     [2, 0, 2, 2, 0, 1, 2], [0, 0, 2, 2, 0, 2, 1], labels=range(4))
    let matrix = ConfusionMatrix::new(&[0, 0, 2, 2, 0, 2, 1], &[2, 0, 2, 2, 0, 1, 2], 4);
    assert_eq!(matrix.precision(), [2.0 / 3.0, 0.0, 2.0 / 3.0, 0.0]);
    assert_eq!(matrix.recall(), [1.0, 0.0, 0.5, 0.0]);
    assert_eq!(matrix.f1(), [0.8, 0.0, 4.0 / 7.0, 0.0]);
    assert!(ConfusionMatrix::new(&[], &[], 0).f1().is_empty());
}

#[test]
fn a_mistake_is_reported_with_its_numbers() {
    let cases: [(&str, &dyn Fn()); 6] = [
        ("as many predictions as actual values, not 2 and 1", &|| {
            let _ = accuracy(&[0, 1], &[0]);
        }),
        ("as many predictions as actual values, not 0 and 1", &|| {
            let _ = binary_accuracy(&[], &[0.0]);
        }),
        ("as many predictions as actual values, not 1 and 0", &|| {
            let _ = r2(&[1.0], &[]);
        }),
        ("at least one number", &|| {
            let _ = argmax(&[]);
        }),
        ("class 3 is not below 3, the number of classes", &|| {
            let _ = ConfusionMatrix::new(&[3], &[0], 3);
        }),
        ("as many predictions as actual values, not 1 and 2", &|| {
            let _ = ConfusionMatrix::new(&[0], &[0, 0], 3);
        }),
    ];
    for (expected, mistake) in cases {
        let (message, _) = panic_of(mistake);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_picture_of_a_confusion_matrix_has_actual_classes_downwards() {
    let svg = ConfusionMatrix::new(&[1, 1], &[0, 0], 2).svg(); // 1 predicted twice for an actual 0
    assert!(
        svg.contains(r#"<text x="96" y="69.3" fill="white">2</text>"#),
        "{svg}"
    );
}
