use std::fmt;

use crate::engine::Value;

/// The function that a neuron applies to its weighted sum.
///
/// Each is a method of [`Value`], which gives its formula.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// The weighted sum itself.
    #[default]
    Linear,
    /// [`Value::relu`]
    ReLU,
    /// [`Value::leaky_relu`] with its slope; 0.01 is usual.
    LeakyReLU(f64),
    /// [`Value::elu`] with its alpha; 1 is usual.
    ELU(f64),
    /// [`Value::sigmoid`]
    Sigmoid,
    /// [`Value::tanh`]
    Tanh,
    /// [`Value::softplus`]
    Softplus,
    /// [`Value::silu`]
    SiLU,
    /// [`Value::gelu`]
    GELU,
}

impl Activation {
    /// The activation of `x`. `Linear` returns `x`, the same node.
    #[must_use]
    #[track_caller]
    pub fn apply(self, x: Value) -> Value {
        match self {
            Self::Linear => x,
            Self::ReLU => x.relu(),
            Self::LeakyReLU(slope) => x.leaky_relu(slope),
            Self::ELU(alpha) => x.elu(alpha),
            Self::Sigmoid => x.sigmoid(),
            Self::Tanh => x.tanh(),
            Self::Softplus => x.softplus(),
            Self::SiLU => x.silu(),
            Self::GELU => x.gelu(),
        }
    }
}

impl fmt::Display for Activation {
    /// The name, with the parameter if there is one: ReLU, `LeakyReLU(0.01)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
