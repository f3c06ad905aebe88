//! Serves predictions from worker threads: trains a net on one thread, freezes it into a function
//! of plain numbers, and evaluates it in one worker per processor.

use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Instant;

use micrograd::data::make_moons;
use micrograd::nn::{MLP, Module, loss};
use micrograd::optim::{Adam, Optimizer};
use micrograd::tape::{Function, Tape};

const STEPS: usize = 100;
const REQUESTS: usize = 1_000;
/// The number of rows in a request.
const ROWS: usize = 100;

type Rows = Vec<[f64; 3]>;

fn main() {
    let score = train();
    let mut rng = micrograd::rng(2);
    let requests: Vec<Rows> = (0..REQUESTS)
        .map(|_| make_moons(ROWS, 0.1, &mut rng))
        .collect();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let start = Instant::now();
    let right = serve(&score, requests, workers);
    let rows = REQUESTS * ROWS;
    println!(
        "{workers} workers answered {REQUESTS} requests, {:.1} million rows per second",
        rows as f64 / start.elapsed().as_secs_f64() / 1e6
    );
    println!("right: {:.1} %", 100.0 * right as f64 / rows as f64);
}

/// The score of a point, above 0 for the lower moon.
fn train() -> Function {
    let mut rng = micrograd::rng(1);
    let rows = make_moons(100, 0.1, &mut rng);
    let model = MLP::new(2, &[16, 16, 1], &mut rng);
    let hinge = Tape::trace(|[x, y, label]| loss::hinge(&model.forward(&[x, y]), &[label]));
    let mut optim = Adam::new(model.parameters(), 0.02);
    for _ in 0..STEPS {
        optim.zero_grad();
        hinge.backward(&rows);
        optim.step();
    }
    Tape::trace(|[x, y]| model.forward(&[x, y]).remove(0)).freeze()
}

/// Answers the requests in several threads. Returns the number of rows classified correctly.
fn serve(score: &Function, requests: Vec<Rows>, workers: usize) -> usize {
    let (sender, receiver) = mpsc::channel();
    let queue = Mutex::new(receiver);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| work(score, &queue)))
            .collect();
        for request in requests {
            sender.send(request).expect("the queue is open");
        }
        drop(sender); // the workers end when the queue is empty
        let counts = workers.into_iter().map(thread::ScopedJoinHandle::join);
        counts.map(|right| right.expect("no worker panics")).sum()
    })
}

/// Answers requests until there are no more.
fn work(score: &Function, queue: &Mutex<mpsc::Receiver<Rows>>) -> usize {
    let mut evaluator = score.evaluator(); // for this thread alone
    let mut right = 0;
    loop {
        let request = queue.lock().ok().and_then(|queue| queue.recv().ok());
        let Some(rows) = request else {
            return right;
        };
        let points: Vec<_> = rows.iter().map(|&[x, y, _]| [x, y]).collect();
        let scores = evaluator.forward(&points);
        let pairs = scores.iter().zip(&rows);
        right += pairs.filter(|(score, row)| **score * row[2] > 0.0).count();
    }
}
