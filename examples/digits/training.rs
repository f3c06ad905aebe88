//! The handwritten digits, and a net that learns them. The examples in `gallery` use them too.

use std::path::Path;

use micrograd::checkpoint;
use micrograd::data::{batches, train_test_split};
use micrograd::metrics::argmax;
use micrograd::nn::{Init, MLP, Module, StateError, loss};
use micrograd::optim::{Adam, Optimizer, Schedule};
use micrograd::tape::{Tape, VectorTape};

/// The number of pixels of an image.
pub const PIXELS: usize = 64;
/// The number of digits.
pub const CLASSES: usize = 10;
/// The side of an image, in pixels.
pub const SIDE: usize = 8;

/// The number of epochs in a complete training run.
pub const EPOCHS: usize = 40;

const BATCH: usize = 32;
const LABEL_SMOOTHING: f64 = 0.1;

/// A handwritten digit.
#[derive(Clone, Debug)]
pub struct Digit {
    /// From 0 (white) to 1 (black), row by row.
    pub pixels: [f64; PIXELS],
    /// The digit in the image.
    pub class: usize,
}

impl Digit {
    /// The row for the tape: the pixels, and the probabilities of the classes.
    #[must_use]
    pub fn row(&self) -> Vec<f64> {
        [&self.pixels[..], &loss::one_hot(self.class, CLASSES)].concat()
    }
}

/// All 1,797 images of `examples/data/digits.txt`.
///
/// # Panics
///
/// If the file is not as its README describes it.
#[must_use]
pub fn digits() -> Vec<Digit> {
    let lines = include_str!("../data/digits.txt").lines();
    let digits = lines.enumerate().map(|(i, line)| {
        parse(line).unwrap_or_else(|| panic!("digits.txt:{}: expected image, digit: {line}", i + 1))
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

/// The progress of a training run.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The number of epochs done.
    pub epoch: usize,
    /// The mean loss over the last epoch.
    pub loss: f64,
    /// The fraction of the test set that is read correctly.
    pub accuracy: f64,
}

/// A training run of a net that learns the digits.
#[derive(Debug)]
pub struct Training {
    /// The net.
    pub model: MLP,
    /// The training set.
    pub train: Vec<Digit>,
    /// The test set: the fifth of the images that is held out.
    pub test: Vec<Digit>,
    optim: Adam,
    /// The loss of a row, which holds the pixels and the probabilities of the classes.
    tape: Tape,
    seed: u64,
}

impl Training {
    /// Draws the weights and splits the images at random; the seed determines both.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = micrograd::rng(seed);
        let (train, test) = train_test_split(digits(), 0.2, &mut rng);
        let model = MLP::new(PIXELS, &[32, CLASSES], &mut rng);
        model.init(Init::HeNormal, &mut rng);

        let tape = Tape::trace_slice(PIXELS + CLASSES, |row| {
            let (pixels, targets) = row.split_at(PIXELS);
            loss::cross_entropy(&model.forward(pixels), targets, LABEL_SMOOTHING)
        });
        Self {
            optim: Adam::new(model.parameters(), 0.0),
            tape,
            model,
            train,
            test,
            seed,
        }
    }

    /// The number of epochs done.
    #[must_use]
    pub fn epoch(&self) -> usize {
        self.optim.steps() / self.steps_of_epoch()
    }

    fn steps_of_epoch(&self) -> usize {
        self.train.len().div_ceil(BATCH)
    }

    /// Trains for one more epoch.
    pub fn train_epoch(&mut self) -> Progress {
        let rows: Vec<_> = self.train.iter().map(Digit::row).collect();
        let (from, to, steps) = (0.01, 0.0, EPOCHS * self.steps_of_epoch());
        let schedule = Schedule::Cosine { from, to, steps }.after_warm_up(20);
        let mut rng = micrograd::epoch_rng(self.seed, self.epoch() as u64);
        let mut sum = 0.0;
        for batch in batches(&rows, BATCH, &mut rng) {
            self.optim
                .set_learning_rate(schedule.at(self.optim.steps()));
            self.optim.zero_grad();
            sum += self.tape.backward(&batch) * batch.len() as f64;
            self.optim.step();
        }
        Progress {
            epoch: self.epoch(),
            loss: sum / rows.len() as f64,
            accuracy: accuracy(&self.model, &self.test),
        }
    }

    /// Saves everything that another process needs to resume the training.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, checkpoint: &Path) -> Result<(), StateError> {
        let note = format!("epoch {} of {EPOCHS}, seed {}", self.epoch(), self.seed);
        checkpoint::save(checkpoint, &self.model, &self.optim, &note)
    }

    /// Resumes from the checkpoint of a training run with the same seed.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or does not fit the net and its optimizer. In that case, the
    /// training is unchanged.
    pub fn resume(&mut self, checkpoint: &Path) -> Result<(), StateError> {
        checkpoint::load(checkpoint, &self.model, &mut self.optim).map(drop)
    }
}

/// The logits of each image.
#[must_use]
pub fn logits(model: &MLP, digits: &[Digit]) -> Vec<Vec<f64>> {
    let tape = VectorTape::trace_slice(PIXELS, |pixels| model.forward(pixels));
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

/// The actual digit in each image.
#[must_use]
pub fn classes(digits: &[Digit]) -> Vec<usize> {
    digits.iter().map(|digit| digit.class).collect()
}

fn accuracy(model: &MLP, digits: &[Digit]) -> f64 {
    micrograd::metrics::accuracy(&predictions(model, digits), &classes(digits))
}
