//! Draws what nets have learned as SVG files, in the directory given as argument or in
//! `target/pictures`.
//!
//! Shapes and brightness tell everything apart, so the pictures can be read without colours.

use std::env;
use std::error::Error;
use std::f64::consts::PI;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use micrograd::data::{batches, make_moons};
use micrograd::engine::Value;
use micrograd::metrics::{ConfusionMatrix, r2};
use micrograd::nn::{Activation, MLP, Module, loss};
use micrograd::optim::{Adam, Momentum, Optimizer, RMSProp, SGD};
use micrograd::rand::RngExt;
use micrograd::rng;
use micrograd::tape::Tape;
use micrograd_gallery::{CLASSES, EPOCHS, Training, classes, exit_code, predictions};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

type Fallible<T = ()> = Result<T, Box<dyn Error>>;
type Draw = fn(&Area) -> Fallible;
type NewOptimizer = fn(Vec<Value>) -> Box<dyn Optimizer>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

const SIZE: (u32, u32) = (640, 480);
const LIGHT: RGBColor = RGBColor(215, 215, 215);
const DARK: RGBColor = RGBColor(20, 60, 140);

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Fallible {
    let directory = env::args_os()
        .nth(1)
        .map_or_else(|| "target/pictures".into(), PathBuf::from);
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let charts: [(&str, Draw); 3] = [
        ("moons.svg", moons),
        ("sine.svg", sine),
        ("losses.svg", losses),
    ];
    for (name, draw) in charts {
        let path = directory.join(name);
        picture(&path, draw).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    let path = directory.join("confusion.svg");
    fs::write(&path, confusion()).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

fn picture(path: &Path, draw: Draw) -> Fallible {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    draw(&area)?;
    area.present()?;
    Ok(())
}

/// Axes with a title.
fn axes<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    [x, y]: [Range<f64>; 2],
    [x_label, y_label]: [&str; 2],
) -> Fallible<Chart<'a, 'b>> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .margin_right(30)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(x, y)?;
    // Rounding hides the errors in the last digits.
    let tick = |number: &f64| ((number * 1e6).round() / 1e6).to_string();
    chart
        .configure_mesh()
        .disable_mesh()
        .x_desc(x_label)
        .y_desc(y_label)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .axis_desc_style(("sans-serif", 16))
        .label_style(("sans-serif", 14))
        .draw()?;
    Ok(chart)
}

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>, position: SeriesLabelPosition) -> Fallible {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK)
        .label_font(("sans-serif", 14))
        .draw()?;
    Ok(())
}

/// The net of `moons_adam`: its decision regions and the points that it learned from.
fn moons(area: &Area) -> Fallible {
    let mut rng = rng(1);
    let points = make_moons(100, 0.1, &mut rng);
    let model = MLP::new(2, &[16, 16, 1], &mut rng);
    let tape = Tape::trace(|[x, y, label]| {
        let hinge = loss::hinge(&model.forward(&[x, y]), &[label]);
        hinge + 1e-4 * loss::l2_penalty(&model.parameters())
    });
    let mut optim = Adam::new(model.parameters(), 0.1);
    for _ in 0..100 {
        optim.zero_grad();
        tape.backward(&points);
        optim.step();
    }

    let mut chart = axes(
        area,
        "Two moons: decision regions",
        [-1.5..2.5, -1.0..1.5],
        ["x", "y"],
    )?;
    let score = Tape::trace(|[x, y]| model.forward(&[x, y]).remove(0));
    let [step_x, step_y] = [4.0 / 200.0, 2.5 / 125.0];
    for row in 0..125 {
        let bottom = -1.0 + step_y * f64::from(row);
        let cells: Vec<_> = (0..200)
            .map(|column| {
                [
                    -1.5 + step_x * (f64::from(column) + 0.5),
                    bottom + 0.5 * step_y,
                ]
            })
            .collect();
        let dark: Vec<_> = score
            .forward(&cells)
            .iter()
            .map(|&score| score > 0.0)
            .collect();
        // Neighbouring cells of one kind form one rectangle.
        let mut start = 0;
        for run in dark.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            if run[0] {
                let corner = |cell: usize, y: f64| (-1.5 + step_x * cell as f64, y);
                // It extends into the row above, so that no gap shows between the two.
                let corners = [corner(start, bottom), corner(end, bottom + 1.5 * step_y)];
                chart.draw_series([Rectangle::new(corners, LIGHT.filled())])?;
            }
            start = end;
        }
    }
    let of = |label: f64| {
        let points = points.iter().filter(move |point| point[2] == label);
        points.map(|point| (point[0], point[1]))
    };
    chart
        .draw_series(of(-1.0).map(|point| Circle::new(point, 4, BLACK.filled())))?
        .label("upper moon (-1)")
        .legend(|(x, y)| Circle::new((x + 10, y), 4, BLACK.filled()));
    let cross = DARK.stroke_width(2);
    chart
        .draw_series(of(1.0).map(|point| Cross::new(point, 4, cross)))?
        .label("lower moon (+1)")
        .legend(move |(x, y)| Cross::new((x + 10, y), 4, cross));
    chart
        .draw_series(std::iter::empty::<Circle<(f64, f64), i32>>())?
        .label("read as +1")
        .legend(|(x, y)| Rectangle::new([(x + 2, y - 5), (x + 18, y + 5)], LIGHT.filled()));
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// A noisy sine, and the net fitted to it.
fn sine(area: &Area) -> Fallible {
    let mut rng = rng(1);
    let mut noise = || 0.15 * (0..12).map(|_| rng.random::<f64>() - 0.5).sum::<f64>();
    let points: Vec<[f64; 2]> = (0..80)
        .map(|i| {
            let x = -PI + 2.0 * PI * f64::from(i) / 79.0;
            [x, x.sin() + noise()]
        })
        .collect();
    let layers = [(16, Activation::Tanh), (1, Activation::Linear)];
    let model = MLP::with_activations(1, &layers, &mut rng);
    let tape = Tape::trace(|[x, y]| loss::mean_squared_error(&model.forward(&[x]), &[y]));
    let mut optim = Adam::new(model.parameters(), 0.02);
    for _ in 0..300 {
        for batch in batches(&points, 16, &mut rng) {
            optim.zero_grad();
            tape.backward(&batch);
            optim.step();
        }
    }

    let fit = Tape::trace(|[x]| model.forward(&[x]).remove(0));
    let [xs, ys]: [Vec<f64>; 2] = [0, 1].map(|i| points.iter().map(|point| point[i]).collect());
    let rows: Vec<_> = xs.iter().map(|&x| [x]).collect();
    let title = format!(
        "A net fitted to a noisy sine, R² = {:.3}",
        r2(&fit.forward(&rows), &ys)
    );
    let mut chart = axes(area, &title, [-3.3..3.3, -1.6..1.6], ["x", "y"])?;
    chart
        .draw_series(points.iter().map(|&[x, y]| Circle::new((x, y), 3, BLACK)))?
        .label("data")
        .legend(|(x, y)| Circle::new((x + 10, y), 3, BLACK));
    let line: Vec<_> = (0..=200)
        .map(|i| [-PI + PI * f64::from(i) / 100.0])
        .collect();
    let truth = line.iter().map(|&[x]| (x, x.sin()));
    let thin = BLACK.stroke_width(1);
    chart
        .draw_series(DashedLineSeries::new(truth, 6, 4, thin))?
        .label("sin x")
        .legend(move |(x, y)| DashedPathElement::new([(x, y), (x + 20, y)], 6, 4, thin));
    let fitted = line.iter().zip(fit.forward(&line)).map(|(&[x], y)| (x, y));
    let thick = DARK.stroke_width(3);
    chart
        .draw_series(LineSeries::new(fitted, thick))?
        .label("fit")
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], thick));
    legend(&mut chart, SeriesLabelPosition::UpperLeft)
}

/// The loss on the moons with four optimizers.
fn losses(area: &Area) -> Fallible {
    let steps = 100;
    let title = "Two moons: loss by optimizer and learning rate";
    let ranges = [0.0..f64::from(steps), 0.0..1.05];
    let mut chart = axes(area, title, ranges, ["step", "mean hinge loss"])?;
    let optimizers: [(&str, NewOptimizer); 4] = [
        ("SGD, 0.1", |p| Box::new(SGD::new(p, 0.1))),
        ("Momentum, 0.1", |p| Box::new(Momentum::new(p, 0.1))),
        ("RMSProp, 0.01", |p| Box::new(RMSProp::new(p, 0.01))),
        ("Adam, 0.02", |p| Box::new(Adam::new(p, 0.02))),
    ];
    for (i, (name, optimizer)) in optimizers.into_iter().enumerate() {
        let mut rng = rng(1);
        let rows = make_moons(100, 0.1, &mut rng);
        let model = MLP::new(2, &[16, 16, 1], &mut rng);
        let tape = Tape::trace(|[x, y, label]| loss::hinge(&model.forward(&[x, y]), &[label]));
        let mut optim = optimizer(model.parameters());
        let curve: Vec<_> = (0..=steps)
            .map(|step| {
                optim.zero_grad();
                let mean = tape.backward(&rows);
                optim.step();
                (f64::from(step), mean)
            })
            .collect();
        // The lines go from solid to dotted.
        let (dash, gap) = [(1000, 0), (14, 5), (6, 5), (2, 4)][i];
        let style =
            [BLACK, DARK, RGBColor(170, 60, 20), RGBColor(110, 110, 110)][i].stroke_width(2);
        chart
            .draw_series(DashedLineSeries::new(curve, dash, gap, style))?
            .label(name)
            .legend(move |(x, y)| DashedPathElement::new([(x, y), (x + 20, y)], dash, gap, style));
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// The confusion matrix of the trained net on the test digits.
fn confusion() -> String {
    let mut training = Training::new(0);
    while training.epoch() < EPOCHS {
        training.train_epoch();
    }
    let read = predictions(&training.model, &training.test);
    ConfusionMatrix::new(&read, &classes(&training.test), CLASSES).svg()
}
