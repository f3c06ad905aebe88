//! Fits a damped oscillation to noisy data: nonlinear least squares, by the L-BFGS of the crate
//! `argmin`, driven by the gradient of a tape.

use std::process::ExitCode;

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use micrograd::engine::Value;
use micrograd::rand::RngExt;
use micrograd::tape::Tape;
use micrograd_gallery::exit_code;

const NAMES: [&str; 4] = ["amplitude", "damping", "frequency", "phase"];
const TRUE: [f64; 4] = [2.0, 0.3, 4.0, 0.5];
const START: [f64; 4] = [1.0, 0.1, 3.7, 0.0];
const POINTS: usize = 200;
const NOISE: f64 = 0.02;

fn main() -> ExitCode {
    exit_code(fit())
}

/// amplitude · e^(-damping · t) · cos(frequency · t + phase)
fn oscillation(parameters: &[Value], t: f64) -> Value {
    let [amplitude, damping, frequency, phase] = parameters else {
        panic!("four parameters, not {}", parameters.len());
    };
    amplitude * (-damping * t).exp() * (frequency * t + phase).cos()
}

/// The mean of the squared errors, as a tape whose inputs are the parameters of the curve.
struct LeastSquares(Tape);

impl LeastSquares {
    fn new(points: &[[f64; 2]]) -> Self {
        Self(Tape::trace(|parameters: [Value; 4]| {
            let errors = points
                .iter()
                .map(|&[t, y]| (oscillation(&parameters, t) - y).pow(2.0));
            errors.sum::<Value>() / points.len() as f64
        }))
    }
}

impl CostFunction for LeastSquares {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.0.forward(&[parameters])[0])
    }
}

impl Gradient for LeastSquares {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.0.gradient(parameters).1)
    }
}

fn fit() -> Result<(), Error> {
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), 7).with_tolerance_grad(1e-9)?;
    let result = Executor::new(LeastSquares::new(&noisy_points()), solver)
        .configure(|state| state.param(START.to_vec()).max_iters(200))
        .run()?;
    let state = result.state();
    println!(
        "{} iterations, mean squared error {:.6}",
        state.get_iter(),
        state.get_best_cost()
    );
    println!("{:10} {:>8} {:>8} {:>8}", "", "start", "fit", "true");
    let fitted = state.get_best_param().into_iter().flatten();
    for (((name, start), fitted), truth) in NAMES.iter().zip(START).zip(fitted).zip(TRUE) {
        println!("{name:10} {start:8.4} {fitted:8.4} {truth:8.4}");
    }
    Ok(())
}

/// Points of the true curve, with errors of up to `NOISE` in each direction.
fn noisy_points() -> Vec<[f64; 2]> {
    let mut rng = micrograd::rng(0);
    let parameters = TRUE.map(Value::new);
    let point = |i: usize| {
        let t = 6.0 * i as f64 / POINTS as f64;
        let error = NOISE * (2.0 * rng.random::<f64>() - 1.0);
        [t, oscillation(&parameters, t).data() + error]
    };
    (0..POINTS).map(point).collect()
}
