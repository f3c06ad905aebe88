//! Generated data sets.

use micrograd::data::make_moons;
use micrograd::rand::SeedableRng;
use micrograd::rand::rngs::Xoshiro256PlusPlus;

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

#[test]
fn moons_without_noise_are_those_of_scikit_learn() {
    // sklearn.datasets.make_moons(7, shuffle=False, noise=None), labels 0 and 1 as -1 and 1, to 15 digits
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
    // The shuffle comes first, so that the same seed gives the same order.
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
fn tiny_sets_have_the_points_that_they_can_have() {
    assert!(make_moons(0, 0.1, &mut rng(0)).is_empty());
    assert_eq!(make_moons(1, 0.0, &mut rng(0)), [[0.0, 0.5, 1.0]]);
    assert_eq!(make_moons(2, 0.0, &mut rng(0)).len(), 2);
}
