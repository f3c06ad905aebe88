//! Contenders for one piece of work: whether they agree, and how long they take.

mod ranking;

use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use ranking::Entry;

pub use ranking::Ranking;

/// Results may differ by this much, relative where they are greater than one.
const TOLERANCE: f64 = 1e-9;

/// What a contender is repeated for in each round, so that the clock is exact enough.
const ROUND_TIME: Duration = Duration::from_millis(20);

/// A contender that takes longer than this for one run sits out most rounds.
const SLOW: Duration = Duration::from_millis(200);
/// Rounds of which a slow contender takes part in one.
const SLOW_EVERY: usize = 5;

/// Room for a recursion that is 100,000 operations deep.
const DEEP_STACK: usize = 1 << 28;

/// What the times of the others are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The fastest of these is the yardstick.
    HandWritten,
    /// The engine that this crate is about.
    Micrograd,
    /// The tape of that engine.
    Tape,
    /// Source code that a tape has become.
    Source,
    /// Any other engine.
    Peer,
}

/// One way to do a piece of work.
pub struct Contender {
    name: &'static str,
    role: Role,
    has_own_thread: bool,
    /// Runs the work so many times; returns the time taken and the last outcome.
    repeat: Box<dyn FnMut(u32) -> (Duration, Vec<f64>)>,
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contender({})", self.name)
    }
}

impl Contender {
    /// A contender that does the work once whenever it is called.
    pub fn new<T: AsRef<[f64]>>(
        role: Role,
        name: &'static str,
        run: impl FnMut() -> T + 'static,
    ) -> Self {
        Self::maker(role, name, run, |made| made.as_ref().to_vec())
    }

    /// A contender that makes something. The outcome is what that computes, which is not
    /// timed.
    pub fn maker<T>(
        role: Role,
        name: &'static str,
        mut make: impl FnMut() -> T + 'static,
        mut compute: impl FnMut(T) -> Vec<f64> + 'static,
    ) -> Self {
        let repeat = move |runs| {
            let (time, made) = repeat(runs, &mut make);
            (time, compute(made))
        };
        Self {
            name,
            role,
            has_own_thread: false,
            repeat: Box::new(repeat),
        }
    }

    /// A contender that recurses deeply. It runs in a thread of its own, whose start
    /// and end are not timed.
    ///
    /// # Panics
    ///
    /// When it runs, if no thread with such a stack can be had.
    pub fn on_deep_stack<T: AsRef<[f64]>>(
        role: Role,
        name: &'static str,
        mut run: impl FnMut() -> T + Send + 'static,
    ) -> Self {
        let repeat = move |runs| {
            on_deep_stack(|| {
                let (time, outcome) = repeat(runs, &mut run);
                (time, outcome.as_ref().to_vec())
            })
        };
        Self {
            name,
            role,
            has_own_thread: true,
            repeat: Box::new(repeat),
        }
    }

    fn outcome(&mut self) -> Vec<f64> {
        (self.repeat)(1).1
    }

    fn time(&mut self, runs: u32) -> Duration {
        (self.repeat)(runs).0
    }
}

fn repeat<T>(runs: u32, mut run: impl FnMut() -> T) -> (Duration, T) {
    let start = Instant::now();
    for _ in 1..runs {
        black_box(run());
    }
    let last = black_box(run());
    (start.elapsed(), last)
}

fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(DEEP_STACK);
        let thread = builder.spawn_scoped(scope, work).expect("a deep stack");
        thread.join().expect("a contender does not panic")
    })
}

/// A piece of work and those who do it.
#[derive(Debug)]
pub struct Contest {
    title: String,
    unit: &'static str,
    units_per_run: usize,
    contenders: Vec<Contender>,
}

impl Contest {
    /// A contest whose times are given per `unit`, of which one run does
    /// `units_per_run`.
    pub fn new(
        title: impl Into<String>,
        (unit, units_per_run): (&'static str, usize),
        contenders: Vec<Contender>,
    ) -> Self {
        Self {
            title: title.into(),
            unit,
            units_per_run,
            contenders,
        }
    }

    /// Runs everyone once.
    ///
    /// # Errors
    ///
    /// If a result differs from that of the first contender.
    pub fn check(&mut self) -> Result<(), Disagreement> {
        let Some((first, others)) = self.contenders.split_first_mut() else {
            return Ok(());
        };
        let expected = first.outcome();
        for other in others {
            let found = other.outcome();
            if let Some(index) = first_difference(&expected, &found) {
                return Err(Disagreement {
                    contest: self.title.clone(),
                    index,
                    expected: (first.name, expected.get(index).copied()),
                    found: (other.name, found.get(index).copied()),
                });
            }
        }
        Ok(())
    }

    /// Times everyone in interleaved rounds and takes the medians.
    ///
    /// Contenders with a thread of their own come after all others, for an allocator
    /// may take locks once a process has had more than one thread.
    pub fn time(&mut self, rounds: usize) -> Ranking {
        let (threaded, others): (Vec<_>, Vec<_>) =
            self.contenders.iter_mut().partition(|c| c.has_own_thread);
        let mut entries = interleave(others, rounds);
        entries.extend(interleave(threaded, rounds));
        for entry in &mut entries {
            entry.seconds /= self.units_per_run as f64;
        }
        Ranking::new(&self.title, self.unit, entries)
    }
}

/// Times the runs of all `contenders` in turn.
fn interleave(contenders: Vec<&mut Contender>, rounds: usize) -> Vec<Entry> {
    let mut timings: Vec<Timing> = contenders.into_iter().map(Timing::new).collect();
    for round in 0..rounds {
        for timing in &mut timings {
            timing.take_part_in(round);
        }
    }
    timings.iter().map(Timing::entry).collect()
}

/// The rounds of one contender.
struct Timing<'contender> {
    contender: &'contender mut Contender,
    runs_per_round: u32,
    is_slow: bool,
    seconds_per_run: Vec<f64>,
}

impl<'contender> Timing<'contender> {
    /// Finds out how many runs fill a round.
    fn new(contender: &'contender mut Contender) -> Self {
        let mut runs_per_round = 1;
        let mut taken = contender.time(runs_per_round);
        while taken < ROUND_TIME {
            runs_per_round *= 2;
            taken = contender.time(runs_per_round);
        }
        Self {
            contender,
            runs_per_round,
            is_slow: taken > SLOW,
            seconds_per_run: Vec::new(),
        }
    }

    fn take_part_in(&mut self, round: usize) {
        if self.is_slow && !round.is_multiple_of(SLOW_EVERY) {
            return;
        }
        let taken = self.contender.time(self.runs_per_round);
        self.seconds_per_run
            .push(taken.as_secs_f64() / f64::from(self.runs_per_round));
    }

    fn entry(&self) -> Entry {
        Entry {
            name: self.contender.name,
            role: self.contender.role,
            seconds: median(&self.seconds_per_run),
        }
    }
}

/// The middle one of the times.
///
/// # Panics
///
/// If there is none.
pub fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The index of the first number that only one of the two has, or that differs.
fn first_difference(expected: &[f64], found: &[f64]) -> Option<usize> {
    let length = expected.len().max(found.len());
    (0..length).find(|&index| match (expected.get(index), found.get(index)) {
        (Some(&expected), Some(&found)) => !agree(expected, found),
        _ => true,
    })
}

/// False also if one of them is NaN.
fn agree(expected: f64, found: f64) -> bool {
    (expected - found).abs() <= TOLERANCE * expected.abs().max(1.0)
}

/// Two contenders that do not compute the same.
#[derive(Debug)]
pub struct Disagreement {
    contest: String,
    index: usize,
    expected: (&'static str, Option<f64>),
    found: (&'static str, Option<f64>),
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |result: Option<f64>| result.map_or("nothing".into(), |x| x.to_string());
        let (reference, expected) = self.expected;
        let (name, found) = self.found;
        write!(
            f,
            "{}: {name} computes {} as result {}, but {reference} computes {}",
            self.contest,
            number(found),
            self.index,
            number(expected),
        )
    }
}

impl Error for Disagreement {}

#[cfg(test)]
mod tests {
    use super::*;

    fn disagreement(found: &'static [f64]) -> Option<String> {
        let contenders = vec![
            Contender::new(Role::HandWritten, "one", || [1.0, 2e6]),
            Contender::new(Role::Peer, "other", move || found),
        ];
        let mut contest = Contest::new("Work", ("piece", 1), contenders);
        contest.check().err().map(|error| error.to_string())
    }

    #[test]
    fn a_difference_in_rounding_is_no_disagreement() {
        assert_eq!(disagreement(&[1.0 + 9e-10, 2e6 + 9e-4]), None);
    }

    #[test]
    fn a_wrong_a_missing_and_no_number_are_disagreements() {
        let cases: [(&[f64], &str); 3] = [
            (
                &[1.0 + 2e-9, 2e6],
                "1.000000002 as result 0, but one computes 1",
            ),
            (&[1.0], "nothing as result 1, but one computes 2000000"),
            (&[f64::NAN, 2e6], "NaN as result 0, but one computes 1"),
        ];
        for (found, end) in cases {
            let message = format!("Work: other computes {end}");
            assert_eq!(disagreement(found), Some(message));
        }
    }
}
