//! Contenders for one piece of work: whether they agree, and how long each takes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use micrograd::tape::Tape;

/// Results may differ by this much, relative to those greater than one.
const TOLERANCE: f64 = 1e-9;

const ROUNDS: usize = 15;
/// Runs are repeated for this long in each round, so that the clock is exact enough.
const ROUND_TIME: Duration = Duration::from_millis(20);
/// A contender whose run takes longer than this sits out most rounds.
const SLOW: Duration = Duration::from_millis(200);
/// A slow contender takes part in one of this many rounds.
const SLOW_EVERY: usize = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Loops,
    Engine,
    Tape,
    Other,
    /// Starts threads, so it is timed after all others: an allocator may take locks once a
    /// process has had more than one thread.
    Threaded,
}

/// Times are compared with the fastest contender of each of these roles.
const YARDSTICKS: [(Role, &str); 3] = [
    (Role::Loops, "hand-written"),
    (Role::Engine, "micrograd"),
    (Role::Tape, "tape"),
];

/// The result of a run, to be compared as a list of numbers. The conversion is not timed.
pub(crate) trait Outcome: 'static {
    fn numbers(self) -> Vec<f64>;
}

impl Outcome for Vec<f64> {
    fn numbers(self) -> Vec<f64> {
        self
    }
}

impl<const N: usize> Outcome for [f64; N] {
    fn numbers(self) -> Vec<f64> {
        self.to_vec()
    }
}

/// A value and its gradient.
impl<G: AsRef<[f64]> + 'static> Outcome for (f64, G) {
    fn numbers(self) -> Vec<f64> {
        [&[self.0], self.1.as_ref()].concat()
    }
}

/// A tape, which is replayed at these inputs.
impl<const N: usize> Outcome for (Tape, [f64; N]) {
    fn numbers(self) -> Vec<f64> {
        self.0.gradient(&self.1).numbers()
    }
}

struct Contender {
    role: Role,
    name: &'static str,
    /// Makes that many runs; returns the time taken and the last outcome.
    repeat: Box<dyn FnMut(u32) -> (Duration, Vec<f64>)>,
    runs_per_round: u32,
    is_slow: bool,
    seconds_per_run: Vec<f64>,
}

impl Contender {
    fn prepare(&mut self) {
        let mut taken = (self.repeat)(1).0;
        while taken < ROUND_TIME {
            self.runs_per_round *= 2;
            taken = (self.repeat)(self.runs_per_round).0;
        }
        self.is_slow = taken > SLOW;
    }

    fn take_part_in(&mut self, round: usize) {
        if !self.is_slow || round.is_multiple_of(SLOW_EVERY) {
            let taken = (self.repeat)(self.runs_per_round).0;
            let seconds = taken.as_secs_f64() / f64::from(self.runs_per_round);
            self.seconds_per_run.push(seconds);
        }
    }
}

/// Several ways to do a piece of work.
pub(crate) struct Contest {
    title: String,
    unit: &'static str,
    units_per_run: usize,
    contenders: Vec<Contender>,
}

impl Contest {
    /// A contest whose times are given per `unit`.
    pub(crate) fn new(title: impl Into<String>, unit: &'static str, units_per_run: usize) -> Self {
        Self {
            title: title.into(),
            unit,
            units_per_run,
            contenders: Vec::new(),
        }
    }

    pub(crate) fn with<T: Outcome>(
        mut self,
        role: Role,
        name: &'static str,
        mut run: impl FnMut() -> T + 'static,
    ) -> Self {
        let repeat = move |runs| {
            let start = Instant::now();
            for _ in 1..runs {
                black_box(run());
            }
            let last = black_box(run());
            (start.elapsed(), last.numbers())
        };
        self.contenders.push(Contender {
            role,
            name,
            repeat: Box::new(repeat),
            runs_per_round: 1,
            is_slow: false,
            seconds_per_run: Vec::new(),
        });
        self
    }

    /// Runs all contenders once and panics if a result differs from the first one's.
    pub(crate) fn check(&mut self) {
        let (first, others) = self.contenders.split_first_mut().expect("a contender");
        let expected = (first.repeat)(1).1;
        for other in others {
            let found = (other.repeat)(1).1;
            if let Some(index) = first_difference(&expected, &found) {
                let (expected, found) = (expected.get(index), found.get(index));
                panic!(
                    "{}: result {index} is {found:?} by {}, but {expected:?} by {}",
                    self.title, other.name, first.name
                );
            }
        }
    }

    /// Times all contenders in interleaved rounds.
    pub(crate) fn time(&mut self) {
        let is_timed_with = |_: &Contender, next: &Contender| next.role != Role::Threaded;
        for group in self.contenders.chunk_by_mut(is_timed_with) {
            group.iter_mut().for_each(Contender::prepare);
            for round in 0..ROUNDS {
                for contender in &mut *group {
                    contender.take_part_in(round);
                }
            }
        }
    }

    /// Prints the medians and their ratios as a Markdown table.
    pub(crate) fn print(&self) {
        let times = self.contenders.iter().map(|contender| {
            let seconds = median(&contender.seconds_per_run) / self.units_per_run as f64;
            (contender, seconds)
        });
        let times: Vec<_> = times.collect();
        let yardsticks = YARDSTICKS.iter().filter_map(|&(role, name)| {
            let peers = times.iter().filter(|(contender, _)| contender.role == role);
            Some((name, peers.map(|&(_, seconds)| seconds).reduce(f64::min)?))
        });
        let yardsticks: Vec<_> = yardsticks.collect();

        println!("{}\n", self.title);
        print!("| {:34} | {:>18} |", "", format!("time per {}", self.unit));
        for (name, _) in &yardsticks {
            print!(" {:>14} |", format!("× {name}"));
        }
        println!("\n|---|---:|{}", "---:|".repeat(yardsticks.len()));
        for (contender, seconds) in times {
            print!("| {:34} | {:>18} |", contender.name, with_unit(seconds));
            for (_, yardstick) in &yardsticks {
                print!(" {:>14} |", three_digits(seconds / yardstick));
            }
            println!();
        }
        println!();
    }
}

/// The index of the first number that only one of the two has, that differs, or that is NaN.
fn first_difference(expected: &[f64], found: &[f64]) -> Option<usize> {
    let agree = |x: f64, y: f64| (x - y).abs() <= TOLERANCE * x.abs().max(1.0);
    let agreeing = expected
        .iter()
        .zip(found)
        .take_while(|&(&x, &y)| agree(x, y))
        .count();
    (agreeing < expected.len().max(found.len())).then_some(agreeing)
}

/// The upper median.
///
/// # Panics
///
/// If there are no times.
pub fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn with_unit(seconds: f64) -> String {
    match seconds {
        ..1e-6 => three_digits(seconds * 1e9) + " ns",
        1e-6..1e-3 => three_digits(seconds * 1e6) + " µs",
        _ => three_digits(seconds * 1e3) + " ms",
    }
}

fn three_digits(number: f64) -> String {
    let decimals = match number {
        ..1.0 => 3,
        1.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

#[test]
fn only_a_difference_in_rounding_is_no_disagreement() {
    let difference = |found: &[f64]| first_difference(&[1.0, 2e6], found);
    assert_eq!(difference(&[1.0 + 9e-10, 2e6 + 9e-4]), None);
    assert_eq!(difference(&[1.0 + 2e-9, 2e6]), Some(0));
    assert_eq!(difference(&[1.0, f64::NAN]), Some(1));
    assert_eq!(difference(&[1.0]), Some(1));
    assert_eq!(difference(&[1.0, 2e6, 3.0]), Some(2));
}
