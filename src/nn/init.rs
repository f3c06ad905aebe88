use rand::{Rng, RngExt};

use crate::data::standard_normal;

/// How the weights of a layer are drawn, by its number of inputs (fan-in) and outputs (fan-out).
///
/// Biases always start at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Init {
    /// Uniform in ±1 / √fan-in, as PyTorch's `Linear` does.
    #[default]
    Uniform,
    /// Uniform in ±√(6 / (fan-in + fan-out)), for tanh and sigmoid; also called Glorot uniform
    /// (Glorot and Bengio 2010, equation 16). PyTorch's `xavier_uniform_` with a gain of 1.
    XavierUniform,
    /// Normal with variance 2 / (fan-in + fan-out); also called Glorot normal (Glorot and Bengio
    /// 2010, equation 12). PyTorch's `xavier_normal_` with a gain of 1.
    XavierNormal,
    /// Uniform in ±√(6 / fan-in), which has the variance of `HeNormal`; also called Kaiming
    /// uniform. PyTorch's `kaiming_uniform_` for ReLU.
    HeUniform,
    /// Normal with variance 2 / fan-in, for ReLU; also called Kaiming normal (He et al. 2015,
    /// equation 10). PyTorch's `kaiming_normal_` for ReLU.
    HeNormal,
}

impl Init {
    /// Draws one weight.
    pub(super) fn draw(self, fan_in: usize, fan_out: usize, rng: &mut (impl Rng + ?Sized)) -> f64 {
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        let mut uniform = |bound: f64| bound * (2.0 * rng.random::<f64>() - 1.0);
        match self {
            Self::Uniform => uniform(1.0 / fan_in.sqrt()),
            Self::XavierUniform => uniform((6.0 / (fan_in + fan_out)).sqrt()),
            Self::XavierNormal => (2.0 / (fan_in + fan_out)).sqrt() * standard_normal(rng),
            Self::HeUniform => uniform((6.0 / fan_in).sqrt()),
            Self::HeNormal => (2.0 / fan_in).sqrt() * standard_normal(rng),
        }
    }
}
