//! Fits a damped oscillation to noisy data: nonlinear least squares, by two solvers.
//!
//! L-BFGS, from the crate `argmin`, needs the gradient of the mean squared error: a `Tape`. The
//! crate `levenberg-marquardt` needs all residuals and their Jacobian: a `VectorTape`.

use std::process::ExitCode;

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use micrograd::engine::Value;
use micrograd::rand::RngExt;
use micrograd::tape::{Tape, VectorTape};
use micrograd_gallery::exit_code;
use nalgebra::storage::Owned;
use nalgebra::{Dyn, OMatrix, OVector, U4, Vector4};

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

/// The errors of the curve at all points.
fn residuals(parameters: &[Value], points: &[[f64; 2]]) -> Vec<Value> {
    let points = points.iter();
    points
        .map(|&[t, y]| oscillation(parameters, t) - y)
        .collect()
}

/// The mean of the squared errors, as a tape whose inputs are the parameters of the curve.
struct MeanSquare(Tape);

impl MeanSquare {
    fn new(points: &[[f64; 2]]) -> Self {
        Self(Tape::trace_slice(4, |parameters| {
            let residuals = residuals(parameters, points);
            Value::dot(&residuals, &residuals) / points.len() as f64
        }))
    }
}

impl CostFunction for MeanSquare {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.0.forward(&[parameters])[0])
    }
}

impl Gradient for MeanSquare {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.0.gradient(parameters).1)
    }
}

/// All errors, as a tape whose inputs are the parameters of the curve; and the current parameters.
struct Residuals {
    tape: VectorTape,
    parameters: Vector4<f64>,
}

impl LeastSquaresProblem<f64, Dyn, U4> for Residuals {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, U4>;
    type ParameterStorage = Owned<f64, U4>;

    fn set_params(&mut self, parameters: &Vector4<f64>) {
        self.parameters = *parameters;
    }

    fn params(&self) -> Vector4<f64> {
        self.parameters
    }

    fn residuals(&self) -> Option<OVector<f64, Dyn>> {
        let residuals = self.tape.forward(&[self.parameters.as_slice()]).remove(0);
        Some(OVector::<f64, Dyn>::from_vec(residuals))
    }

    fn jacobian(&self) -> Option<OMatrix<f64, Dyn, U4>> {
        let (_, rows) = self.tape.jacobian(self.parameters.as_slice());
        let numbers = rows.iter().flatten().copied();
        Some(OMatrix::<f64, Dyn, U4>::from_row_iterator(
            rows.len(),
            numbers,
        ))
    }
}

fn fit() -> Result<(), Error> {
    let points = noisy_points();
    let by_gradient = by_gradient(&points)?;
    let by_jacobian = by_jacobian(&points);
    println!(
        "{:10} {:>8} {:>8} {:>10} {:>8}",
        "", "start", "L-BFGS", "Levenberg", "true"
    );
    for (i, name) in NAMES.iter().enumerate() {
        let (start, truth) = (START[i], TRUE[i]);
        let (by_gradient, by_jacobian) = (by_gradient[i], by_jacobian[i]);
        println!("{name:10} {start:8.4} {by_gradient:8.4} {by_jacobian:10.4} {truth:8.4}");
    }
    Ok(())
}

/// The fit by L-BFGS.
fn by_gradient(points: &[[f64; 2]]) -> Result<Vec<f64>, Error> {
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), 7).with_tolerance_grad(1e-9)?;
    let result = Executor::new(MeanSquare::new(points), solver)
        .configure(|state| state.param(START.to_vec()).max_iters(200))
        .run()?;
    let state = result.state();
    println!(
        "L-BFGS: {} iterations, mean squared error {:.6}",
        state.get_iter(),
        state.get_best_cost()
    );
    let best = state.get_best_param();
    best.cloned()
        .ok_or_else(|| Error::msg("L-BFGS found nothing"))
}

/// The fit by the Levenberg-Marquardt method.
fn by_jacobian(points: &[[f64; 2]]) -> Vector4<f64> {
    let problem = Residuals {
        tape: VectorTape::trace_slice(4, |parameters| residuals(parameters, points)),
        parameters: Vector4::from(START),
    };
    let (problem, report) = LevenbergMarquardt::new().minimize(problem);
    println!(
        "Levenberg-Marquardt: {} evaluations, mean squared error {:.6}",
        report.number_of_evaluations,
        2.0 * report.objective_function / points.len() as f64
    );
    problem.parameters
}

/// Points of the true curve, with errors from -`NOISE` to `NOISE`.
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
