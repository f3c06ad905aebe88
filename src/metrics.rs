//! Metrics: how good predictions are, as plain numbers.
//!
//! Predictions come first, as in the losses, then the actual values; scikit-learn has the reverse
//! order.
//!
//! ```
//! use micrograd::metrics::{ConfusionMatrix, accuracy, argmax};
//!
//! let outputs = [[0.1, 2.0], [3.0, 1.0], [0.0, 1.0]];
//! let predicted: Vec<_> = outputs.iter().map(|row| argmax(row)).collect();
//! let actual = [1, 0, 0];
//! assert_eq!(accuracy(&predicted, &actual), 2.0 / 3.0);
//! println!("{}", ConfusionMatrix::new(&predicted, &actual, 2));
//! ```

use std::fmt;
use std::iter;

/// The fraction of the classes that were predicted correctly, in [0, 1]; NaN for empty input.
///
/// # Panics
///
/// If the numbers of predictions and actual classes differ.
#[must_use]
#[track_caller]
pub fn accuracy(predicted: &[usize], actual: &[usize]) -> f64 {
    assert_same_len(predicted.len(), actual.len());
    fraction(iter::zip(predicted, actual).map(|(p, a)| p == a))
}

/// The fraction of the scores that have the sign of their label, in [0, 1]; NaN for empty input.
///
/// A score or a label is positive for one class, and 0 or negative for the other. So labels may be
/// 1 and 0, or 1 and -1; scores may be logits, but not probabilities. A score of NaN counts as
/// wrong.
///
/// # Panics
///
/// If the numbers of scores and labels differ.
#[must_use]
#[track_caller]
pub fn binary_accuracy(scores: &[f64], labels: &[f64]) -> f64 {
    assert_same_len(scores.len(), labels.len());
    let right = |(&score, &label): (&f64, &f64)| !score.is_nan() && (score > 0.0) == (label > 0.0);
    fraction(iter::zip(scores, labels).map(right))
}

/// R², the coefficient of determination: 1 - Σ (a - p)² / Σ (a - mean)². It is 1 for exact
/// predictions, 0 for predictions no better than the mean of the actual values, and may be
/// negative.
///
/// As in scikit-learn, it is 1 or 0 where all actual values are equal, depending on whether the
/// predictions are exact, and NaN for fewer than two values.
///
/// ```
/// use micrograd::metrics::r2;
///
/// let (predicted, actual) = ([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]);
/// assert_eq!(r2(&predicted, &actual), 0.5);
/// ```
///
/// # Panics
///
/// If the numbers of predictions and actual values differ.
#[must_use]
#[track_caller]
pub fn r2(predicted: &[f64], actual: &[f64]) -> f64 {
    assert_same_len(predicted.len(), actual.len());
    if actual.len() < 2 {
        return f64::NAN;
    }
    let mean = actual.iter().sum::<f64>() / actual.len() as f64;
    let residual: f64 = iter::zip(predicted, actual)
        .map(|(p, a)| (a - p).powi(2))
        .sum();
    let total: f64 = actual.iter().map(|a| (a - mean).powi(2)).sum();
    let constant = actual.iter().all(|a| *a == actual[0]);
    if (constant || total == 0.0) && !residual.is_nan() {
        f64::from(residual == 0.0)
    } else {
        1.0 - residual / total
    }
}

/// The index of the greatest number, the first one on a tie: the class that logits predict. NaN
/// counts as the greatest, as in PyTorch.
///
/// # Panics
///
/// If there are no numbers.
#[must_use]
#[track_caller]
pub fn argmax(numbers: &[f64]) -> usize {
    assert!(!numbers.is_empty(), "argmax needs at least one number");
    let mut greatest = 0;
    for (i, &number) in numbers.iter().enumerate() {
        let current = numbers[greatest];
        if number > current || number.is_nan() && !current.is_nan() {
            greatest = i;
        }
    }
    greatest
}

/// How often each class was predicted for each actual class. It prints as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// By the actual class, then by the predicted one.
    counts: Vec<Vec<usize>>,
}

impl ConfusionMatrix {
    /// Counts the predictions.
    ///
    /// # Panics
    ///
    /// If the numbers of predictions and actual classes differ, or if a class is not below
    /// `classes`.
    #[must_use]
    #[track_caller]
    pub fn new(predicted: &[usize], actual: &[usize], classes: usize) -> Self {
        assert_same_len(predicted.len(), actual.len());
        let mut counts = vec![vec![0; classes]; classes];
        for (&predicted, &actual) in iter::zip(predicted, actual) {
            for class in [predicted, actual] {
                assert!(
                    class < classes,
                    "class {class} is not below {classes}, the number of classes"
                );
            }
            counts[actual][predicted] += 1;
        }
        Self { counts }
    }

    /// The counts: a row for each actual class, with a column for each predicted one, as in
    /// scikit-learn.
    pub fn rows(&self) -> &[Vec<usize>] {
        &self.counts
    }

    /// For each class, the fraction of its predictions that are right. As in scikit-learn, it is 0
    /// for a class that was never predicted.
    ///
    /// ```
    /// use micrograd::metrics::ConfusionMatrix;
    ///
    /// let matrix = ConfusionMatrix::new(&[0, 0, 1, 1], &[0, 0, 1, 0], 2);
    /// assert_eq!(matrix.precision(), [1.0, 0.5]);
    /// assert_eq!(matrix.recall(), [2.0 / 3.0, 1.0]);
    /// assert_eq!(matrix.f1(), [0.8, 2.0 / 3.0]);
    /// ```
    #[must_use]
    pub fn precision(&self) -> Vec<f64> {
        self.of_each_class(|class| ratio(self.right(class), self.predicted(class)))
    }

    /// For each class, the fraction of its actual members that were found. As in scikit-learn, it
    /// is 0 for a class without members.
    #[must_use]
    pub fn recall(&self) -> Vec<f64> {
        self.of_each_class(|class| ratio(self.right(class), self.actual(class)))
    }

    /// For each class, the harmonic mean of [`precision`](Self::precision) and
    /// [`recall`](Self::recall). As in scikit-learn, it is 0 for a class that neither occurs nor
    /// was predicted.
    #[must_use]
    pub fn f1(&self) -> Vec<f64> {
        self.of_each_class(|class| {
            let all = self.predicted(class) + self.actual(class);
            ratio(2 * self.right(class), all)
        })
    }

    fn of_each_class(&self, metric: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..self.counts.len()).map(metric).collect()
    }

    fn right(&self, class: usize) -> usize {
        self.counts[class][class]
    }

    fn predicted(&self, class: usize) -> usize {
        self.counts.iter().map(|row| row[class]).sum()
    }

    fn actual(&self, class: usize) -> usize {
        self.counts[class].iter().sum()
    }
}

impl fmt::Display for ConfusionMatrix {
    /// Actual classes in rows, predicted ones in columns; a dot stands for 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.counts.iter().flatten().max().copied().unwrap_or(0);
        let width = largest.max(self.counts.len()).to_string().len().max(2) + 1;
        write!(f, "{:width$}", "")?;
        for class in 0..self.counts.len() {
            write!(f, "{class:width$}")?;
        }
        for (class, counts) in self.counts.iter().enumerate() {
            write!(f, "\n{class:width$}")?;
            for &count in counts {
                if count == 0 {
                    write!(f, "{:>width$}", ".")?;
                } else {
                    write!(f, "{count:width$}")?;
                }
            }
        }
        Ok(())
    }
}

/// A fraction; 0 if `all` is 0.
fn ratio(part: usize, all: usize) -> f64 {
    if all == 0 {
        0.0
    } else {
        part as f64 / all as f64
    }
}

/// How many of these are true, as a fraction of all.
fn fraction(hits: impl ExactSizeIterator<Item = bool>) -> f64 {
    let all = hits.len() as f64;
    hits.filter(|&hit| hit).count() as f64 / all
}

#[track_caller]
fn assert_same_len(predicted: usize, actual: usize) {
    assert!(
        predicted == actual,
        "a metric needs as many predictions as actual values, not {predicted} and {actual}"
    );
}
