//! The net of the example `digits`: its data, its accuracy, and its determinism.

use micrograd_gallery::{CLASSES, EPOCHS, Training, classes, digits, logits, predictions};

#[test]
fn the_data_set_is_the_one_that_scikit_learn_ships() {
    let digits = digits();
    assert_eq!(digits.len(), 1797);
    // numpy.bincount(load_digits().target), load_digits().data.sum()
    let counts =
        (0..CLASSES).map(|class| digits.iter().filter(|digit| digit.class == class).count());
    assert!(counts.eq([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]));
    let ink: f64 = digits.iter().flat_map(|digit| digit.pixels).sum();
    assert_eq!(16.0 * ink, 561_718.0);
    assert_eq!(digits[0].pixels[..4], [0.0, 0.0, 5.0 / 16.0, 13.0 / 16.0]);
}

#[test]
fn at_least_97_percent_of_the_held_out_digits_are_read_correctly() {
    let mut training = Training::new(0);
    let mut last = training.train_epoch();
    while training.epoch() < EPOCHS {
        last = training.train_epoch();
    }
    assert_eq!((last.epoch, training.test.len()), (40, 360));
    assert!(last.accuracy >= 0.97, "{}", last.accuracy);
    let read = predictions(&training.model, &training.test);
    let actual = classes(&training.test);
    let right = read.iter().zip(actual).filter(|(a, b)| *a == b).count();
    assert_eq!(right as f64 / 360.0, last.accuracy);
}

#[test]
fn the_seed_determines_everything() {
    let outputs = |seed| {
        let mut training = Training::new(seed);
        training.train_epoch();
        logits(&training.model, &training.test)
    };
    assert_eq!(outputs(3), outputs(3));
    assert_ne!(outputs(3), outputs(4));
}
