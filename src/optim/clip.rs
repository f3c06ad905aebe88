use crate::engine::Value;

/// Scales all gradients down so that their Euclidean norm, taken over all of them together, is at
/// most `max_norm`. Returns the norm before clipping, as PyTorch's `clip_grad_norm_` does (Pascanu,
/// Mikolov and Bengio 2013, algorithm 1).
///
/// The factor is max_norm / (norm + 10⁻⁶), as in PyTorch, so a greater norm ends up slightly below
/// `max_norm`. A norm that is not finite makes all gradients NaN or 0.
///
/// ```
/// use micrograd::engine::Value;
/// use micrograd::optim::clip_grad_norm;
///
/// let [x, y] = [3.0, 4.0].map(Value::new);
/// (&x * &x + &y * &y).backward(); // 6 and 8
/// assert_eq!(clip_grad_norm(&[x.clone(), y], 5.0), 10.0);
/// assert!((x.grad() - 3.0).abs() < 1e-5);
/// ```
///
/// # Panics
///
/// If `max_norm` is negative or NaN, or if a guard of a parameter is alive. No gradient is changed
/// in that case.
#[track_caller]
pub fn clip_grad_norm(parameters: &[Value], max_norm: f64) -> f64 {
    let max_norm = super::at_least_zero("max_norm", max_norm);
    Value::expect_writable(parameters);
    let mut squares = 0.0;
    for parameter in parameters {
        squares += parameter.grad() * parameter.grad();
    }
    let norm = f64::sqrt(squares);
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 || factor.is_nan() {
        for parameter in parameters {
            parameter.borrow_mut().grad *= factor;
        }
    }
    norm
}

/// Clamps each gradient to the range from `-limit` to `limit`, as PyTorch's `clip_grad_value_`
/// does. NaN stays NaN.
///
/// # Panics
///
/// If `limit` is negative or NaN, or if a guard of a parameter is alive. No gradient is changed in
/// that case.
#[track_caller]
pub fn clip_grad_value(parameters: &[Value], limit: f64) {
    let limit = super::at_least_zero("limit", limit);
    Value::expect_writable(parameters);
    for parameter in parameters {
        let mut numbers = parameter.borrow_mut();
        numbers.grad = numbers.grad.clamp(-limit, limit);
    }
}
