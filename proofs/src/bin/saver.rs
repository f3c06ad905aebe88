//! Saves two checkpoints in turn at the path given as its argument until it is killed, for the
//! tests in `checkpoints.rs`.

use std::env;

use micrograd::checkpoint;
use micrograd_proofs::checkpoints::pair;

fn main() {
    let path = env::args().nth(1).expect("a path");
    let pairs = [1, 2].map(pair);
    for (i, (model, optim)) in pairs.iter().enumerate().cycle() {
        checkpoint::save(&path, model, optim, &i.to_string()).unwrap();
    }
}
