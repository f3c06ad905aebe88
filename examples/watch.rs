//! Records a training run as a web page, with a slider over its steps: the decision regions, the
//! loss, and every weight with its gradient. The page is written to `watch.html` or to the path
//! given as argument.

use std::fmt::{self, Write};
use std::process::ExitCode;
use std::{env, fs};

use micrograd::data::make_moons;
use micrograd::nn::{MLP, Module, loss};
use micrograd::optim::{Adam, Optimizer};
use micrograd::tape::Tape;

const STEPS: usize = 60;
const GRID: usize = 24;
/// The ranges of the drawing.
const X: [f64; 2] = [-1.5, 2.5];
const Y: [f64; 2] = [-1.0, 1.5];

fn main() -> ExitCode {
    let path = env::args().nth(1).unwrap_or_else(|| "watch.html".into());
    let page = page().expect("a string takes any text");
    if let Err(error) = fs::write(&path, &page) {
        eprintln!("{path}: {error}");
        return ExitCode::FAILURE;
    }
    println!("{path}: {STEPS} steps, {} KB", page.len() / 1000);
    ExitCode::SUCCESS
}

/// The page, with the numbers of each step in the place where its script expects them.
fn page() -> Result<String, fmt::Error> {
    let mut rng = micrograd::rng(1);
    let rows = make_moons(100, 0.1, &mut rng);
    let model = MLP::new(2, &[8, 8, 1], &mut rng);
    let hinge = Tape::trace(|[x, y, label]| loss::hinge(&model.forward(&[x, y]), &[label]));
    let score = Tape::trace(|[x, y]| model.forward(&[x, y]).remove(0));
    let mut optim = Adam::new(model.parameters(), 0.05);

    let mut run = String::new();
    writeln!(
        run,
        "const rows = {rows:?}, grid = {GRID}, x = {X:?}, y = {Y:?};"
    )?;
    writeln!(run, "const blocks = [")?;
    for block in model.blocks() {
        writeln!(
            run,
            "{{ name: {:?}, shape: {:?} }},",
            block.name(),
            block.shape()
        )?;
    }
    writeln!(run, "];\nconst steps = [")?;
    for _ in 0..STEPS {
        optim.zero_grad();
        let mean_loss = hinge.backward(&rows);
        write!(run, "{{ loss: {mean_loss:.4}, scores: ")?;
        write_short(&score.forward(&grid()), &mut run)?;
        write!(run, ", blocks: [")?;
        for block in model.blocks() {
            let parameters = block.values().iter();
            let (values, gradients): (Vec<_>, Vec<_>) =
                parameters.map(|p| (p.data(), p.grad())).unzip();
            write!(run, "{{ values: ")?;
            write_short(&values, &mut run)?;
            write!(run, ", gradients: ")?;
            write_short(&gradients, &mut run)?;
            write!(run, " }},")?;
        }
        writeln!(run, "] }},")?;
        optim.step();
    }
    writeln!(run, "];")?;
    Ok(include_str!("watch/page.html").replace("/* the run */", &run))
}

/// The centres of the cells, row by row, from the upper left.
fn grid() -> Vec<[f64; 2]> {
    let middle =
        |[low, high]: [f64; 2], i: usize| low + (high - low) * (i as f64 + 0.5) / GRID as f64;
    let cells = (0..GRID * GRID).map(|i| {
        let (row, column) = (i / GRID, i % GRID);
        [middle(X, column), middle(Y, GRID - 1 - row)]
    });
    cells.collect()
}

/// Writes numbers with three decimals, which is enough for a colour.
fn write_short(numbers: &[f64], page: &mut String) -> fmt::Result {
    write!(page, "[")?;
    for number in numbers {
        write!(page, "{number:.3},")?;
    }
    write!(page, "]")
}
