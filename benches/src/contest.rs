//! Compares the contenders for one piece of work: whether they agree, and how long each takes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use micrograd::tape::Tape;

/// Results may differ by this much, or by this part of the expected number if it exceeds 1.
const TOLERANCE: f64 = 1e-9;

const ROUNDS: usize = 15;
/// Each round repeats the run for about this long, so that the clock is exact enough.
const ROUND_TIME: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Loops,
    Engine,
    Tape,
    Other,
}

/// Times are compared with the fastest contender of each of these roles.
const YARDSTICKS: [(Role, &str); 3] = [
    (Role::Loops, "hand-written"),
    (Role::Engine, "micrograd"),
    (Role::Tape, "tape"),
];

/// The result of a run, to be compared as a list of numbers. The conversion is not timed, but a
/// training lists its own result, once per episode.
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
    /// Makes the given number of runs; returns the time taken and the last outcome.
    repeat: Box<dyn FnMut(u32) -> (Duration, Vec<f64>)>,
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
        let repeat = Box::new(move |runs| {
            let start = Instant::now();
            for _ in 1..runs {
                black_box(run());
            }
            let last = black_box(run());
            (start.elapsed(), last.numbers())
        });
        self.contenders.push(Contender { role, name, repeat });
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

    /// Times all contenders in interleaved rounds and prints their medians as a Markdown table.
    pub(crate) fn compare(&mut self) {
        let times = self.time();
        let fastest = |role| {
            let peers = self.contenders.iter().zip(&times);
            let peers = peers.filter(|(contender, _)| contender.role == role);
            peers.map(|(_, &time)| time).reduce(f64::min)
        };
        let yardsticks = YARDSTICKS.map(|(role, name)| Some((name, fastest(role)?)));
        let yardsticks = yardsticks.iter().flatten();

        println!("{}\n", self.title);
        let names = yardsticks.clone().map(|(name, _)| format!("× {name}"));
        print_row("", &format!("time per {}", self.unit), names);
        print_row("---", "---:", yardsticks.clone().map(|_| "---:".to_owned()));
        for (contender, &time) in self.contenders.iter().zip(&times) {
            let ratios = yardsticks.clone().map(|(_, yardstick)| time / yardstick);
            print_row(contender.name, &with_unit(time), ratios.map(three_digits));
        }
        println!();
    }

    /// The median time of each contender, in seconds per unit.
    fn time(&mut self) -> Vec<f64> {
        let contenders = &mut self.contenders;
        let runs: Vec<u32> = contenders.iter_mut().map(runs_per_round).collect();
        let mut times = vec![[0.0; ROUNDS]; runs.len()];
        for round in 0..ROUNDS {
            for ((contender, &runs), times) in contenders.iter_mut().zip(&runs).zip(&mut times) {
                times[round] = (contender.repeat)(runs).0.as_secs_f64() / f64::from(runs);
            }
        }
        let median = |times: &mut [f64; ROUNDS]| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2] / self.units_per_run as f64
        };
        times.iter_mut().map(median).collect()
    }
}

fn runs_per_round(contender: &mut Contender) -> u32 {
    let mut runs = 1;
    while (contender.repeat)(runs).0 < ROUND_TIME {
        runs *= 2;
    }
    runs
}

/// The index of the first number that differs, is NaN, or is in only one of the two lists.
fn first_difference(expected: &[f64], found: &[f64]) -> Option<usize> {
    let agree = |(x, y): (&f64, &f64)| (x - y).abs() <= TOLERANCE * x.abs().max(1.0);
    let agreeing = expected.iter().zip(found).take_while(|&pair| agree(pair));
    let agreeing = agreeing.count();
    (agreeing < expected.len().max(found.len())).then_some(agreeing)
}

fn print_row(name: &str, time: &str, ratios: impl Iterator<Item = String>) {
    print!("| {name:34} | {time:>18} |");
    ratios.for_each(|ratio| print!(" {ratio:>14} |"));
    println!();
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
fn results_may_differ_by_rounding_alone() {
    let difference = |found: &[f64]| first_difference(&[1.0, 2e6], found);
    assert_eq!(difference(&[1.0 + 9e-10, 2e6 + 9e-4]), None);
    assert_eq!(difference(&[1.0 + 2e-9, 2e6]), Some(0));
    assert_eq!(difference(&[1.0, f64::NAN]), Some(1));
    assert_eq!(difference(&[1.0]), Some(1));
    assert_eq!(difference(&[1.0, 2e6, 3.0]), Some(2));
}
