//! A net and an optimizer for a checkpoint.

use micrograd::nn::{MLP, Module};
use micrograd::optim::{Adam, Optimizer};

/// The pair for this seed. The optimizer has taken `seed` steps.
#[must_use]
pub fn pair(seed: u32) -> (MLP, Adam) {
    let model = MLP::new(2, &[30, 1], &mut micrograd::rng(seed.into()));
    let mut optim = Adam::new(model.parameters(), 0.1);
    for _ in 0..seed {
        for (i, parameter) in model.parameters().iter().enumerate() {
            parameter.set_grad(0.1 * i as f64);
        }
        optim.step();
    }
    (model, optim)
}
