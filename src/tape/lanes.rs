//! The numbers that a replay computes with: one row, or several side by side.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};
use std::ops::{AddAssign, Mul};

use crate::ops::{
    FRAC_1_SQRT_2PI, Functions, Op, Row, UNREAD, define_number, define_rules, none, operations,
};

/// A sum over rows in parts, the same for numbers of every width.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct PartialSums([f64; 4]);

impl PartialSums {
    pub(super) fn add_up(&self) -> f64 {
        let [a, b, c, d] = self.0;
        (a + c) + (b + d)
    }
}

/// A number on which the operations and their rules run: of one row, or of one in each lane.
pub(super) trait Number:
    Copy + Default + From<f64> + AddAssign + Mul<Output = Self> + Send + 'static
{
    /// How many rows it holds.
    const LANES: usize;

    fn lanes(&self) -> &[f64];
    fn lanes_mut(&mut self) -> &mut [f64];

    fn value(op: Op, x: &Self, y: &Self) -> Self;
    fn vjp_x(op: Op, x: &Self, y: &Self, out: &Self, g: &Self) -> Self;
    fn vjp_y(op: Op, x: &Self, y: &Self, out: &Self, g: &Self) -> Self;

    /// Adds the numbers of all rows to a sum.
    fn add_to(&self, sum: &mut PartialSums);
}

/// A number for each of `N` rows. It lies in whole cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Lanes<const N: usize>([f64; N]);

/// Defines the value of every operation on lanes: its value on `f64`, in a loop that the compiler
/// turns into SIMD instructions where there are such.
macro_rules! define_values_of_lanes {
    ([] $header:tt $(
        #[doc = $doc:literal] $Op:ident $method:ident $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $vjp_x:expr $(, y: $vjp_y:expr)?;
    )*) => {
        impl<const N: usize> Lanes<N> {
            #[inline(always)]
            fn apply(op: Op, x: &Self, y: &Self) -> Self {
                let mut out = [0.0; N];
                match op.0 { $(
                    // No `array::from_fn`: outlined, it would not be compiled for AVX2.
                    Row::$Op => for lane in 0..N {
                        let $x = x.0[lane];
                        $( let $y = y.0[lane]; )?
                        $( let $parameter = y.0[lane]; )?
                        out[lane] = $value;
                    },
                )* }
                Self(out)
            }
        }
    };
}

operations!(define_values_of_lanes);
operations!(define_number {const N: usize} Lanes<N>);
operations!(define_rules lanes_vjp_x, lanes_vjp_y, {const N: usize} Lanes<N>, &Lanes<N>);

impl Number for f64 {
    const LANES: usize = 1;

    #[inline(always)]
    fn lanes(&self) -> &[f64] {
        std::slice::from_ref(self)
    }

    #[inline(always)]
    fn lanes_mut(&mut self) -> &mut [f64] {
        std::slice::from_mut(self)
    }

    #[inline(always)]
    fn add_to(&self, sum: &mut PartialSums) {
        sum.0[0] += self;
    }

    #[inline(always)]
    fn value(op: Op, x: &f64, y: &f64) -> f64 {
        op.value(*x, *y)
    }

    #[inline(always)]
    fn vjp_x(op: Op, x: &f64, y: &f64, out: &f64, g: &f64) -> f64 {
        op.vjp_x(*x, *y, *out, *g)
    }

    #[inline(always)]
    fn vjp_y(op: Op, x: &f64, y: &f64, out: &f64, g: &f64) -> f64 {
        op.vjp_y(*x, *y, *out, *g)
    }
}

impl<const N: usize> Number for Lanes<N> {
    const LANES: usize = N;

    #[inline(always)]
    fn lanes(&self) -> &[f64] {
        &self.0
    }

    #[inline(always)]
    fn lanes_mut(&mut self) -> &mut [f64] {
        &mut self.0
    }

    #[inline(always)]
    fn add_to(&self, sum: &mut PartialSums) {
        let mut width = N;
        let mut lanes = self.0;
        while width > sum.0.len() {
            width /= 2;
            for lane in 0..width {
                lanes[lane] += lanes[lane + width];
            }
        }
        for (sum, lane) in sum.0.iter_mut().zip(lanes) {
            *sum += lane;
        }
    }

    #[inline(always)]
    fn value(op: Op, x: &Self, y: &Self) -> Self {
        Self::apply(op, x, y)
    }

    #[inline(always)]
    fn vjp_x(op: Op, x: &Self, y: &Self, out: &Self, g: &Self) -> Self {
        op.lanes_vjp_x(x, y, out, g)
    }

    #[inline(always)]
    fn vjp_y(op: Op, x: &Self, y: &Self, out: &Self, g: &Self) -> Self {
        op.lanes_vjp_y(x, y, out, g)
    }
}

impl<const N: usize> Default for Lanes<N> {
    #[inline(always)]
    fn default() -> Self {
        Self([0.0; N])
    }
}

impl<const N: usize> From<f64> for Lanes<N> {
    /// The same number in every lane.
    #[inline(always)]
    fn from(number: f64) -> Self {
        Self([number; N])
    }
}

impl<const N: usize> From<&Lanes<N>> for Lanes<N> {
    #[inline(always)]
    fn from(lanes: &Lanes<N>) -> Self {
        *lanes
    }
}

impl<const N: usize> AddAssign for Lanes<N> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        for (lane, other) in self.0.iter_mut().zip(other.0) {
            *lane += other;
        }
    }
}

#[cfg(test)]
mod tests;
