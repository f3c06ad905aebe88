//! The mathematical functions of the system, whose last bits differ between systems.

use std::hint::black_box;

use super::line::Line;

/// The points for functions of one argument. A function is NaN outside its domain.
const POINTS: [f64; 6] = [-1.7, 0.1, 0.5, 0.9, 2.3, 11.0];

/// A line for each function: its values at a few points.
pub fn functions() -> Vec<Line> {
    macro_rules! lines {
        ($($function:ident)*; $($of_two:ident)*) => { vec![
            $(Line::new(stringify!($function), POINTS.map(|x| black_box(x).$function())),)*
            $(Line::new(
                stringify!($of_two),
                POINTS.map(|x| black_box(x + 2.0).$of_two(black_box(2.7 - x))),
            ),)*
        ] };
    }
    lines! {
        exp ln sin cos tan tanh sinh cosh asin acos atan exp2 exp_m1 ln_1p log2 log10 cbrt;
        atan2 powf hypot
    }
}
