//! Generated data, and the preparation of rows for training.

mod common {
    pub(crate) mod panics;
}

use common::panics::panic_of;
use micrograd::data::{StandardScaler, batches, make_moons, stratified_split, train_test_split};
use micrograd::rng;

#[test]
fn moons_without_noise_agree_with_scikit_learn() {
    // sklearn.datasets.make_moons(7, shuffle=False, noise=None), labels 0 and 1 as -1 and 1, to 15
    // digits
    let theirs = [
        [1.0, 0.0, -1.0],
        [0.0, 1.0, -1.0],
        [-1.0, 0.0, -1.0],
        [0.0, 0.5, 1.0],
        [0.5, -0.366_025_403_784_438_6, 1.0],
        [1.5, -0.366_025_403_784_438_7, 1.0],
        [2.0, 0.5, 1.0],
    ];
    let ours = make_moons(7, 0.0, &mut rng(0));
    assert_eq!(ours.len(), theirs.len());
    for theirs in theirs {
        let same = |ours: &[f64; 3]| ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-15);
        assert_eq!(ours.iter().filter(|row| same(row)).count(), 1, "{theirs:?}");
    }
}

#[test]
fn noise_is_normal_with_the_given_deviation() {
    let clean = make_moons(20_000, 0.0, &mut rng(1));
    // The shuffle draws its numbers first, so the same seed gives the same order.
    let noisy = make_moons(20_000, 0.3, &mut rng(1));
    let errors: Vec<_> = clean
        .iter()
        .zip(&noisy)
        .flat_map(|(a, b)| [b[0] - a[0], b[1] - a[1]])
        .collect();
    let moment = |power| errors.iter().map(|e| (e / 0.3).powi(power)).sum::<f64>() / 40_000.0;
    assert!(moment(1).abs() < 0.02, "{}", moment(1));
    assert!((moment(2) - 1.0).abs() < 0.03, "{}", moment(2));
    assert!(moment(3).abs() < 0.06, "{}", moment(3));
    assert!((moment(4) - 3.0).abs() < 0.2, "{}", moment(4));
}

#[test]
fn rows_are_shuffled() {
    let rows = make_moons(100, 0.0, &mut rng(2));
    let changes = rows
        .windows(2)
        .filter(|pair| pair[0][2] != pair[1][2])
        .count();
    assert!(changes > 30, "{changes}");
}

#[test]
fn a_seed_gives_the_same_bits_everywhere() {
    let rows = make_moons(100, 0.1, &mut rng(42));
    assert_eq!(rows, make_moons(100, 0.1, &mut rng(42)));
    assert_ne!(rows, make_moons(100, 0.1, &mut rng(43)));
    assert_eq!(
        rows[..2],
        [
            [1.848_245_397_170_829, 0.486_938_661_199_701_64, 1.0],
            [0.562_551_493_830_024_9, 0.970_972_427_657_844, -1.0],
        ]
    );
}

#[test]
fn tiny_sets_have_the_requested_number_of_points() {
    assert!(make_moons(0, 0.1, &mut rng(0)).is_empty());
    assert_eq!(make_moons(1, 0.0, &mut rng(0)), [[0.0, 0.5, 1.0]]);
    assert_eq!(make_moons(2, 0.0, &mut rng(0)).len(), 2);
}

#[test]
fn an_epoch_has_every_row_once_in_an_order_that_the_seed_decides() {
    let rows: Vec<_> = (0..10).map(|i| [f64::from(i)]).collect();
    let epoch = |seed| -> Vec<Vec<f64>> {
        let batches = batches(&rows, 4, &mut rng(seed));
        assert_eq!(batches.len(), 3);
        batches
            .map(|batch| batch.into_iter().map(|row| row[0]).collect())
            .collect()
    };
    assert_eq!(epoch(1).iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    assert_eq!(epoch(1), epoch(1));
    assert_ne!(epoch(1), epoch(2));
    let mut seen = epoch(1).concat();
    assert!(!seen.is_sorted());
    seen.sort_by(f64::total_cmp);
    assert_eq!(seen, rows.concat());

    assert_eq!(
        batches(&rows, 100, &mut rng(1))
            .map(|batch| batch.len())
            .collect::<Vec<_>>(),
        [10]
    );
    assert_eq!(batches(&rows[..0], 3, &mut rng(1)).count(), 0);
    let (message, _) = panic_of(|| drop(batches(&rows, 0, &mut rng(1))));
    assert!(message.contains("at least one row"), "{message}");
}

#[test]
fn a_split_puts_every_row_on_one_side() {
    let split =
        |count: u32, part, seed| train_test_split((0..count).collect(), part, &mut rng(seed));
    // Rounded as in scikit-learn: train_test_split(range(11), test_size=0.3) has a test set of 4.
    let (train, test) = split(11, 0.3, 5);
    assert_eq!((train.len(), test.len()), (7, 4));
    let mut all = [&train[..], &test].concat();
    assert!(!all.is_sorted());
    all.sort_unstable();
    assert!(all.into_iter().eq(0..11));
    assert_eq!(split(11, 0.3, 5), (train, test));
    assert_ne!(split(11, 0.3, 6), split(11, 0.3, 5));
    assert_eq!((split(3, 0.0, 0).1.len(), split(3, 1.0, 0).0.len()), (0, 0));
    assert_eq!(split(0, 0.5, 0), (vec![], vec![]));
    let (message, _) = panic_of(|| drop(split(3, 1.5, 0)));
    assert!(message.contains("in [0, 1], not 1.5"), "{message}");
}

#[test]
fn a_stratified_split_gives_each_class_its_share() {
    let split = |sizes: &[usize], part, seed| {
        let rows = sizes.iter().enumerate();
        let rows = rows.flat_map(|(class, &size)| (0..size).map(move |i| (class, i)));
        stratified_split(rows.collect(), |&(class, _)| class, part, &mut rng(seed))
    };
    let counts = |rows: &[(usize, usize)], classes| -> Vec<usize> {
        let of = |class| rows.iter().filter(|row| row.0 == class).count();
        (0..classes).map(of).collect()
    };
    // A part of 0.3 of 20 rows is 6 rows; the shares of the classes are 4.2, 1.2 and 0.6.
    let (train, test) = split(&[14, 4, 2], 0.3, 5);
    assert_eq!(counts(&test, 3), [4, 1, 1]);
    assert_eq!(counts(&train, 3), [10, 3, 1]);
    let mut all = [&train[..], &test].concat();
    assert!(!train.is_sorted() && !test.is_sorted());
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 20);
    assert_eq!(split(&[14, 4, 2], 0.3, 5), (train, test));
    assert_ne!(split(&[14, 4, 2], 0.3, 6), split(&[14, 4, 2], 0.3, 5));

    for sizes in [&[7, 7, 7][..], &[1, 1, 1, 1], &[100, 1], &[5], &[]] {
        for part in [0.0, 0.1, 0.5, 1.0] {
            let all: usize = sizes.iter().sum();
            let (train, test) = split(sizes, part, 1);
            assert_eq!(test.len() as f64, (part * all as f64).ceil());
            assert_eq!(train.len() + test.len(), all);
            for (size, count) in sizes.iter().zip(counts(&test, sizes.len())) {
                let share = *size as f64 * test.len() as f64 / all as f64;
                assert!((count as f64 - share).abs() < 1.0, "{count} of {size}");
            }
        }
    }
    let (message, _) = panic_of(|| drop(split(&[3], f64::NAN, 0)));
    assert!(message.contains("in [0, 1], not NaN"), "{message}");
}

#[test]
fn a_scaler_agrees_with_scikit_learn() {
    // StandardScaler().fit([[0, 0, 7], [0, 4, 7], [1, 1, 7], [1, 1, 7]])
    let rows = [
        [0.0, 0.0, 7.0],
        [0.0, 4.0, 7.0],
        [1.0, 1.0, 7.0],
        [1.0, 1.0, 7.0],
    ];
    let scaler = StandardScaler::fit(&rows);
    assert_eq!(scaler.mean(), [0.5, 1.5, 7.0]);
    assert_eq!(scaler.scale(), [0.5, 1.5, 1.0]);
    assert_eq!(scaler.transform(&[2.0, 3.0, 8.0]), [3.0, 1.0, 1.0]);
    assert_eq!(scaler.inverse_transform(&[3.0, 1.0, 1.0]), [2.0, 3.0, 8.0]);
    // The computed mean is not quite 0.1, but the deviation that rounding leaves is ignored. A real
    // deviation counts even if it is tiny, unless its square underflows.
    assert_eq!(StandardScaler::fit(&[[0.1]; 3]).scale(), [1.0]);
    assert_eq!(StandardScaler::fit(&vec![[0.1]; 100_000]).scale(), [1.0]);
    assert_eq!(StandardScaler::fit(&[[1e-200], [3e-200]]).scale(), [1.0]); // underflows
    assert_eq!(StandardScaler::fit(&[[1e-100], [3e-100]]).scale(), [1e-100]);
    assert!(StandardScaler::fit(&[[f64::NAN], [1.0]]).scale()[0].is_nan());
    let none = StandardScaler::fit(&[[0.0; 2]; 0]);
    assert_eq!(none.transform(&[]), [0.0; 0]);
    let (message, _) = panic_of(|| drop(scaler.transform(&[1.0])));
    assert!(
        message.contains("the row has length 1, not 3, the number of columns"),
        "{message}"
    );
    let (message, _) = panic_of(|| drop(StandardScaler::new(&[1.0], &[])));
    assert!(
        message.contains("as many means as scales, not 1 and 0"),
        "{message}"
    );
    let (message, _) = panic_of(|| drop(StandardScaler::fit(&[vec![1.0], vec![]])));
    assert!(message.contains("row 1 has length 0, not 1"), "{message}");
}

#[test]
fn each_epoch_of_each_seed_has_an_order_of_its_own() {
    let rows: Vec<_> = (0..50).collect();
    let order = |seed, epoch| {
        let mut rng = micrograd::epoch_rng(seed, epoch);
        let batches = batches(&rows, 50, &mut rng);
        batches.flatten().copied().collect::<Vec<_>>()
    };
    let mut orders = Vec::new();
    for seed in 0..5 {
        for epoch in 0..5 {
            assert_eq!(order(seed, epoch), order(seed, epoch));
            assert!(!orders.contains(&order(seed, epoch)), "{seed}, {epoch}");
            orders.push(order(seed, epoch));
        }
    }
}
