//! Newton's method on Rosenbrock's function, next to gradient descent: a use of second derivatives.
//! (This is the plain method. Far from a minimum, where the Hessian may not be positive definite, a
//! solver takes smaller steps.)

use micrograd::engine::{Value, hessian};

const START: [f64; 2] = [-1.2, 1.0];
const STEPS: usize = 7;
const LEARNING_RATE: f64 = 0.001;

fn main() {
    println!("f(x, y) = 100 (y - x²)² + (1 - x)², least at (1, 1)");
    println!("step  gradient descent: x, y, f         Newton's method: x, y, f");
    let (mut descent, mut newton) = (START, START);
    for step in 0..=STEPS {
        println!("{step:4}  {}  {}", show(descent), show(newton));
        descent = descent_step(descent);
        newton = newton_step(newton);
    }
}

fn rosenbrock([x, y]: &[Value; 2]) -> Value {
    100.0 * (y - x.pow(2.0)).pow(2.0) + (1.0 - x).pow(2.0)
}

/// A step against the gradient: point - rate · gradient.
fn descent_step(point: [f64; 2]) -> [f64; 2] {
    let xs = point.map(Value::new);
    rosenbrock(&xs).backward();
    xs.map(|x| x.data() - LEARNING_RATE * x.grad())
}

/// A step to where the gradient would be 0 if the Hessian were constant:
/// point - Hessian⁻¹ · gradient.
fn newton_step(point: [f64; 2]) -> [f64; 2] {
    let xs = point.map(Value::new);
    let f = rosenbrock(&xs);
    f.backward();
    let rows = hessian(&f, &xs);
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| rows[i / 2][i % 2].data());
    let determinant = a * d - b * c;
    let [x, y] = &xs;
    [
        x.data() - (d * x.grad() - b * y.grad()) / determinant,
        y.data() - (a * y.grad() - c * x.grad()) / determinant,
    ]
}

fn show(point: [f64; 2]) -> String {
    let [x, y] = point;
    let f = rosenbrock(&point.map(Value::new)).data();
    format!("{x:8.4} {y:8.4} {f:12.3e}")
}
