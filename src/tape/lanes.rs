//! The numbers of a replay: several rows side by side.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};
use std::ops::AddAssign;

use crate::ops::{
    FRAC_1_SQRT_2PI, Functions, Op, Row, UNREAD, define_number, define_rules, none, operations,
};

/// A sum over rows in parts, the same for lanes of every width.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct PartialSums([f64; PARTS]);

const PARTS: usize = 4;

impl PartialSums {
    #[inline(always)]
    pub(super) fn add_up(&self) -> f64 {
        let [a, b, c, d] = self.0;
        (a + c) + (b + d)
    }
}

/// One number for each of `N` rows. The operations and their rules run on it. It fills whole cache
/// lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Lanes<const N: usize>([f64; N]);

/// Defines the value of every operation on lanes: its value on `f64`, in a loop that the compiler
/// vectorizes where it can.
macro_rules! define_values_of_lanes {
    ([] $header:tt $(
        #[doc = $doc:literal] $Op:ident $method:ident $label:literal
            ($x:ident $(, $y:ident)? $(; $parameter:ident)?) = $value:expr
            => x: $vjp_x:expr $(, y: $vjp_y:expr)?;
    )*) => {
        impl<const N: usize> Lanes<N> {
            /// Writes op(x, y) to `out`.
            #[inline(always)]
            pub(super) fn compute(op: Op, x: &Self, y: &Self, out: &mut Self) {
                match op.0 { $(
                    // No `array::from_fn`: outlined, it would not be compiled for AVX2.
                    Row::$Op => for lane in 0..N {
                        let $x = x.0[lane];
                        $( let $y = y.0[lane]; )?
                        $( let $parameter = y.0[lane]; )?
                        out.0[lane] = $value;
                    },
                )* }
            }
        }
    };
}

operations!(define_values_of_lanes);
operations!(define_number {const N: usize} Lanes<N>);
operations!(define_rules pub(super) lanes_vjp_x, lanes_vjp_y, {const N: usize} Lanes<N>, &Lanes<N>);

impl<const N: usize> Lanes<N> {
    #[inline(always)]
    pub(super) fn lanes(&self) -> &[f64; N] {
        &self.0
    }

    #[inline(always)]
    pub(super) fn lanes_mut(&mut self) -> &mut [f64; N] {
        &mut self.0
    }

    #[inline(always)]
    fn apply(op: Op, x: &Self, y: &Self) -> Self {
        let mut out = Self::default();
        Self::compute(op, x, y, &mut out);
        out
    }

    #[inline(always)]
    pub(super) fn add_scaled(&mut self, factor: f64, other: &Self) {
        for (lane, other) in self.0.iter_mut().zip(&other.0) {
            *lane += factor * other;
        }
    }

    #[inline(always)]
    pub(super) fn add_product(&mut self, x: &Self, y: &Self) {
        for lane in 0..N {
            self.0[lane] += x.0[lane] * y.0[lane];
        }
    }

    /// Adds the numbers of all rows to a sum.
    #[inline(always)]
    pub(super) fn add_to(&self, sum: &mut PartialSums) {
        let mut total = *sum;
        for first in (0..N).step_by(PARTS) {
            for part in 0..PARTS {
                total.0[part] += self.0[first + part];
            }
        }
        *sum = total;
    }

    /// Adds the products with `M` others to `M` sums, all of which stay in registers.
    #[inline(always)]
    pub(super) fn add_products_to<const M: usize>(
        &self,
        others: &[Self],
        sums: &mut [PartialSums],
    ) {
        let mut totals = [PartialSums::default(); M];
        totals.copy_from_slice(sums);
        for first in (0..N).step_by(PARTS) {
            for (total, other) in totals.iter_mut().zip(others) {
                for part in 0..PARTS {
                    total.0[part] += self.0[first + part] * other.0[first + part];
                }
            }
        }
        sums.copy_from_slice(&totals);
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
