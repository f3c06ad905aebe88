//! Every optimizer with every setting, under the names given in `tests/pytorch/optimizers.py`.

use micrograd::engine::Value;
use micrograd::optim::{Adam, Momentum, Optimizer, RMSProp, SGD};

/// The optimizer with this setting.
///
/// # Panics
///
/// If there is no such setting.
pub(crate) fn optimizer(setting: &str, p: Vec<Value>) -> Box<dyn Optimizer> {
    match setting {
        "sgd" => Box::new(SGD::new(p, 0.1)),
        "sgd weight_decay" => Box::new(SGD::new(p, 0.1).weight_decay(0.05)),
        "sgd maximize" => Box::new(SGD::new(p, 0.1).weight_decay(0.05).maximize()),
        "momentum" => Box::new(Momentum::new(p, 0.1)),
        "momentum 0.7" => Box::new(Momentum::new(p, 0.1).momentum(0.7)),
        "momentum dampening" => Box::new(Momentum::new(p, 0.1).dampening(0.3)),
        "momentum 0 dampening" => Box::new(Momentum::new(p, 0.1).momentum(0.0).dampening(0.3)),
        "momentum nesterov" => Box::new(Momentum::new(p, 0.1).nesterov()),
        "momentum weight_decay" => Box::new(Momentum::new(p, 0.1).weight_decay(0.05)),
        "momentum maximize" => Box::new(Momentum::new(p, 0.1).maximize()),
        "rmsprop" => Box::new(RMSProp::new(p, 0.01)),
        "rmsprop alpha" => Box::new(RMSProp::new(p, 0.02).alpha(0.8)),
        "rmsprop eps" => Box::new(RMSProp::new(p, 0.02).eps(0.1)),
        "rmsprop momentum" => Box::new(RMSProp::new(p, 0.01).momentum(0.9)),
        "rmsprop centered" => Box::new(RMSProp::new(p, 0.01).centered()),
        "rmsprop centered momentum weight_decay" => {
            let rmsprop = RMSProp::new(p, 0.01).centered().momentum(0.9);
            Box::new(rmsprop.weight_decay(0.05))
        }
        "rmsprop maximize" => Box::new(RMSProp::new(p, 0.01).maximize()),
        "adam" => Box::new(Adam::new(p, 0.1)),
        "adam betas" => Box::new(Adam::new(p, 0.1).betas(0.7, 0.9)),
        "adam eps" => Box::new(Adam::new(p, 0.1).eps(0.1)),
        "adam weight_decay" => Box::new(Adam::new(p, 0.1).weight_decay(0.05)),
        "adam amsgrad" => Box::new(Adam::new(p, 0.1).betas(0.7, 0.5).amsgrad()),
        "adam maximize" => Box::new(Adam::new(p, 0.1).maximize()),
        "adamw" => Box::new(Adam::new(p, 0.1).decoupled_weight_decay(0.01)),
        "adamw amsgrad" => {
            let adam = Adam::new(p, 0.1).betas(0.7, 0.5).amsgrad();
            Box::new(adam.decoupled_weight_decay(0.2))
        }
        _ => panic!("optimizers.csv has an unknown setting: {setting}"),
    }
}
