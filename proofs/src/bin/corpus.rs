//! Writes the corpus of bits to standard output: see `micrograd_proofs::corpus`.

use std::env::consts::{ARCH, OS};
use std::io::{self, Write};

use micrograd::rand::SeedableRng;
use micrograd::rand::rngs::Xoshiro256PlusPlus;
use micrograd_proofs::corpus::draw::{Temper, draw};
use micrograd_proofs::corpus::functions::functions;
use micrograd_proofs::corpus::measurement::measure;
use micrograd_proofs::corpus::{Entry, Graph};

const HEADER: &str = "\
# Random graphs, and the bits of all that micrograd computed for them.
# Written by: cargo run --release -p micrograd-proofs --bin corpus > proofs/tests/corpus.txt
#
# The first lines are the system's own functions at a few points. The rest are graphs: `7: add 2 =0.5`
# says that node 7 is the sum of node 2 and a constant. A computed number is written as its bits, with
# 0 and NaN by name. The number after ~ is the sum of the absolute values of its parts.
#";

const GRAPHS: usize = 500;
const SEED: u64 = 20;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{HEADER}\n# On: {ARCH}, {OS}{}", c_library())?;
    for line in functions() {
        writeln!(out, "{line}")?;
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(SEED);
    for number in 0..GRAPHS {
        let graph = telling_graph(Temper::of_number(number), &mut rng);
        write!(out, "{}", Entry::measure(number, graph))?;
    }
    Ok(())
}

fn telling_graph(temper: Temper, rng: &mut Xoshiro256PlusPlus) -> Graph {
    loop {
        let graph = draw(temper, rng);
        if temper.is_shown_by(&measure(&graph)) {
            return graph;
        }
    }
}

fn c_library() -> &'static str {
    if cfg!(target_env = "gnu") {
        ", GNU C library"
    } else if cfg!(target_env = "musl") {
        ", musl"
    } else if cfg!(target_env = "msvc") {
        ", Microsoft's C library"
    } else {
        ""
    }
}
