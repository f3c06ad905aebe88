//! The handwritten digits, and a net that learns them. The examples in `gallery` use it, too.

use micrograd::data::{batches, train_test_split};
use micrograd::engine::Value;
use micrograd::metrics::argmax;
use micrograd::nn::{Init, MLP, Module, loss};
use micrograd::optim::{Adam, Optimizer, Schedule};
use micrograd::rand::rngs::Xoshiro256PlusPlus;
use micrograd::tape::{Tape, VectorTape};

/// The pixels of an image.
pub const PIXELS: usize = 64;
/// The digits.
pub const CLASSES: usize = 10;
/// The side of an image.
pub const SIDE: usize = 8;

const BATCH: usize = 32;
const LABEL_SMOOTHING: f64 = 0.1;

/// A handwritten digit.
#[derive(Clone, Debug)]
pub struct Digit {
    /// From 0, white, to 1, black; row by row.
    pub pixels: [f64; PIXELS],
    /// Which digit it is.
    pub class: usize,
}

impl Digit {
    /// The row of a tape: the pixels, and the probabilities of the classes.
    fn row(&self) -> Vec<f64> {
        [&self.pixels[..], &loss::one_hot(self.class, CLASSES)].concat()
    }
}

/// All 1,797 images of `examples/data/digits.txt`.
///
/// # Panics
///
/// If that is not the file that its README describes.
#[must_use]
pub fn digits() -> Vec<Digit> {
    let lines = include_str!("../data/digits.txt").lines();
    let digits = lines.enumerate().map(|(i, line)| {
        parse(line).unwrap_or_else(|| panic!("digits.txt:{}: no image and digit: {line}", i + 1))
    });
    digits.collect()
}

fn parse(line: &str) -> Option<Digit> {
    let (image, class) = line.split_once(' ')?;
    let pixels: Option<Vec<_>> = image.chars().map(|pixel| pixel.to_digit(17)).collect();
    let pixels: [u32; PIXELS] = pixels?.try_into().ok()?;
    Some(Digit {
        pixels: pixels.map(|pixel| f64::from(pixel) / 16.0),
        class: class.parse().ok().filter(|&class| class < CLASSES)?,
    })
}

/// How far the training has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// How many epochs are done.
    pub epoch: usize,
    /// The mean loss over the last one.
    pub loss: f64,
    /// The part of the test set that is read right.
    pub accuracy: f64,
}

/// A net that learns the digits.
#[derive(Debug)]
pub struct Training {
    /// The net.
    pub model: MLP,
    /// The images to learn from.
    pub train: Vec<Digit>,
    /// The fifth that is held out.
    pub test: Vec<Digit>,
    rng: Xoshiro256PlusPlus,
}

impl Training {
    /// Draws the weights and takes the images apart, both as the seed decides.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = micrograd::rng(seed);
        let (train, test) = train_test_split(digits(), 0.2, &mut rng);
        let model = MLP::new(PIXELS, &[32, CLASSES], &mut rng);
        model.init(Init::HeNormal, &mut rng);
        Self {
            model,
            train,
            test,
            rng,
        }
    }

    /// Trains for so many epochs, and reports after each.
    pub fn run(&mut self, epochs: usize, mut report: impl FnMut(Progress)) {
        let row: Vec<_> = (0..PIXELS + CLASSES).map(|_| Value::new(0.0)).collect();
        let (pixels, targets) = row.split_at(PIXELS);
        let logits = self.model.forward(pixels);
        let loss = loss::cross_entropy(&logits, targets, LABEL_SMOOTHING);
        let tape = Tape::record(&row, &loss);

        let rows: Vec<_> = self.train.iter().map(Digit::row).collect();
        let steps = epochs * rows.len().div_ceil(BATCH);
        let (from, to) = (0.01, 0.0);
        let schedule = Schedule::Cosine { from, to, steps }.after_warm_up(20);
        let mut optim = Adam::new(self.model.parameters(), 0.0);
        let mut step = 0;
        for epoch in 1..=epochs {
            let mut sum = 0.0;
            for batch in batches(&rows, BATCH, &mut self.rng) {
                optim.set_learning_rate(schedule.at(step));
                optim.zero_grad();
                sum += tape.backward(&batch) * batch.len() as f64;
                optim.step();
                step += 1;
            }
            report(Progress {
                epoch,
                loss: sum / rows.len() as f64,
                accuracy: accuracy(&self.model, &self.test),
            });
        }
    }
}

/// The logits of each image.
#[must_use]
pub fn logits(model: &MLP, digits: &[Digit]) -> Vec<Vec<f64>> {
    let pixels = [0.0; PIXELS].map(Value::new);
    let tape = VectorTape::record(&pixels, &model.forward(&pixels));
    let rows: Vec<_> = digits.iter().map(|digit| digit.pixels).collect();
    tape.forward(&rows)
}

/// The digit that the net reads in each image.
#[must_use]
pub fn predictions(model: &MLP, digits: &[Digit]) -> Vec<usize> {
    logits(model, digits)
        .iter()
        .map(|logits| argmax(logits))
        .collect()
}

/// The digits that are there.
#[must_use]
pub fn classes(digits: &[Digit]) -> Vec<usize> {
    digits.iter().map(|digit| digit.class).collect()
}

fn accuracy(model: &MLP, digits: &[Digit]) -> f64 {
    micrograd::metrics::accuracy(&predictions(model, digits), &classes(digits))
}
