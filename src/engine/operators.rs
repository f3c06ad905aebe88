//! `+ - * /` and `-` for every mix of `Value`, `&Value` and `f64`.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::functions::Operand;
use super::graph::Value;
use crate::ops::Op;

macro_rules! operator {
    ($Trait:ident $method:ident, $AssignTrait:ident $assign_method:ident) => {
        operator!($Trait $method: Value, Value);
        operator!($Trait $method: Value, &Value);
        operator!($Trait $method: Value, f64);
        operator!($Trait $method: &Value, Value);
        operator!($Trait $method: &Value, &Value);
        operator!($Trait $method: &Value, f64);

        impl $Trait<Value> for f64 {
            type Output = Value;

            #[inline]
            #[track_caller]
            fn $method(self, y: Value) -> Value {
                Value::constant_left(Op::$Trait, self, y)
            }
        }

        impl $Trait<&Value> for f64 {
            type Output = Value;

            #[inline]
            #[track_caller]
            fn $method(self, y: &Value) -> Value {
                Value::constant_left(Op::$Trait, self, y.clone())
            }
        }

        impl<Y: Into<Operand>> $AssignTrait<Y> for Value {
            /// Binds the left side to a new node; other handles to the old one keep it.
            #[inline]
            #[track_caller]
            fn $assign_method(&mut self, y: Y) {
                *self = Value::binary(Op::$Trait, self.clone(), y.into());
            }
        }
    };
    ($Trait:ident $method:ident: $X:ty, $Y:ty) => {
        impl $Trait<$Y> for $X {
            type Output = Value;

            #[inline]
            #[track_caller]
            fn $method(self, y: $Y) -> Value {
                Value::binary(Op::$Trait, self.into(), y.into())
            }
        }
    };
}

operator!(Add add, AddAssign add_assign);
operator!(Sub sub, SubAssign sub_assign);
operator!(Mul mul, MulAssign mul_assign);
operator!(Div div, DivAssign div_assign);

impl Neg for Value {
    type Output = Value;

    #[inline]
    #[track_caller]
    fn neg(self) -> Value {
        Value::unary(Op::Neg, self)
    }
}

impl Neg for &Value {
    type Output = Value;

    #[inline]
    #[track_caller]
    fn neg(self) -> Value {
        -self.clone()
    }
}
