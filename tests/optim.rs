//! The optimizers, compared with trajectories from PyTorch that `pytorch/optimizers.py` wrote.

mod common {
    pub(crate) mod close;
    pub(crate) mod golden;
    pub(crate) mod optimizers;
    pub(crate) mod panics;
}

use std::collections::BTreeMap;

use common::close::assert_close;
use common::golden;
use common::optimizers::optimizer;
use common::panics::panic_of;
use micrograd::engine::Value;
use micrograd::optim::{
    Adam, Momentum, Optimizer, RMSProp, SGD, Schedule, Settings, clip_grad_norm, clip_grad_value,
};

const START: [f64; 3] = [1.0, -0.5, 2.0];

/// The same function as in `optimizers.py`.
fn gradient(step: usize, i: usize, p: f64) -> f64 {
    let sign = if (step * (i + 1)).is_multiple_of(2) {
        1.0
    } else {
        -1.0
    };
    0.1 * (step + 1) as f64 * sign + 0.3 * p
}

/// The rows of `optimizers.csv`, grouped by setting: the parameters after each step.
fn trajectories() -> BTreeMap<String, Vec<[f64; 3]>> {
    let mut trajectories = BTreeMap::<_, Vec<_>>::new();
    for line in golden::lines(include_str!("pytorch/optimizers.csv")) {
        let mut fields = line.split(',');
        let setting = fields.next().unwrap().to_owned();
        let numbers: Vec<f64> = fields.map(|field| field.parse().unwrap()).collect();
        let trajectory = trajectories.entry(setting).or_default();
        assert_eq!(numbers[0], trajectory.len() as f64, "the step");
        trajectory.push([numbers[1], numbers[2], numbers[3]]);
    }
    trajectories
}

#[test]
fn every_setting_follows_pytorch() {
    let trajectories = trajectories();
    assert_eq!(trajectories.len(), 25);
    for (setting, trajectory) in trajectories {
        let parameters = START.map(Value::new);
        let mut optim = optimizer(&setting, parameters.to_vec());
        for (step, theirs) in trajectory.iter().enumerate() {
            for (i, p) in parameters.iter().enumerate() {
                p.borrow_mut().grad = gradient(step, i, p.data());
            }
            optim.step();
            for (p, theirs) in parameters.iter().zip(theirs) {
                let what = format!("{setting}, step {step}");
                assert_close(p.data(), *theirs, 1e-12 * theirs.abs().max(1.0), &what);
            }
        }
    }
}

/// p₃ from p₀ = 1 and three gradients.
fn third(mut optim: impl Optimizer) -> f64 {
    for gradient in [0.1, -0.2, 0.3] {
        optim.parameters()[0].borrow_mut().grad = gradient;
        optim.step();
    }
    optim.parameters()[0].data()
}

#[test]
fn the_notes_quote_the_code() {
    let without_spaces = |text: &str| text.split_whitespace().collect::<String>();
    let sources = without_spaces(concat!(
        include_str!("../src/optim/settings.rs"),
        include_str!("../src/optim/sgd.rs"),
        include_str!("../src/optim/rmsprop.rs"),
        include_str!("../src/optim/adam.rs"),
    ));
    let notes = include_str!("../notes/Optimizers.md");
    let blocks = notes.split("```").skip(1).step_by(2);
    let code: Vec<_> = blocks.filter(|block| block.contains("self.")).collect();
    assert_eq!(code.len(), 5);
    for block in code {
        let code = block.strip_prefix("text\n").unwrap();
        assert!(sources.contains(&without_spaces(code)), "{code}");
    }
}

#[test]
fn three_steps_by_hand() {
    let p = || [Value::new(1.0)];
    let adam_w = Adam::new(p(), 0.1).decoupled_weight_decay(0.01);
    let cases = [
        (third(SGD::new(p(), 0.1)), 0.98),
        (third(Momentum::new(p(), 0.1)), 0.9809),
        (third(Momentum::new(p(), 0.1).nesterov()), 0.96281),
        (third(RMSProp::new(p(), 0.01)), 0.909_181_928_247),
        (
            third(RMSProp::new(p(), 0.01).centered().momentum(0.9)),
            0.817_454_490_025,
        ),
        (third(Adam::new(p(), 0.1)), 0.902_286_253_948),
        (third(adam_w), 0.899_452_542_577),
    ];
    for (ours, theirs) in cases {
        assert!((ours - theirs).abs() < 1e-12, "{ours} instead of {theirs}");
    }
}

#[test]
fn the_learning_rate_can_change_between_steps() {
    let p = Value::new(1.0);
    let mut optim = SGD::new([p.clone()], 0.5);
    for learning_rate in [0.1, 0.01] {
        optim.set_learning_rate(learning_rate);
        assert_eq!(optim.learning_rate(), learning_rate);
        p.borrow_mut().grad = 1.0;
        optim.step();
    }
    assert!((p.data() - 0.89).abs() < 1e-15);
}

#[test]
fn zero_grad_clears_the_gradients_of_the_parameters() {
    let p = Value::new(1.0);
    let optim = Adam::new([p.clone()], 0.5);
    (&p * 3.0).backward();
    assert_eq!(p.grad(), 3.0);
    optim.zero_grad();
    assert_eq!(p.grad(), 0.0);
}

#[test]
fn invalid_settings_are_refused() {
    let nesterov =
        "Nesterov momentum needs a momentum above 0 and a dampening of 0, not 0.9 and 0.5";
    let cases: [(fn(), &str); 19] = [
        (
            || drop(Momentum::new([], 0.1).dampening(0.5).nesterov()),
            nesterov,
        ),
        (
            || drop(Momentum::new([], 0.1).nesterov().dampening(0.5)),
            nesterov,
        ),
        (
            || drop(Momentum::new([], 0.1).nesterov().momentum(0.0)),
            "not 0 and 0",
        ),
        (
            || _ = clip_grad_norm(&[], -1.0),
            "max_norm must be at least 0, not -1",
        ),
        (
            || _ = clip_grad_norm(&[], f64::NAN),
            "max_norm must be at least 0, not NaN",
        ),
        (
            || clip_grad_value(&[], -1.0),
            "limit must be at least 0, not -1",
        ),
        (
            || clip_grad_value(&[], f64::NAN),
            "limit must be at least 0, not NaN",
        ),
        (
            || drop(SGD::new([], -0.1)),
            "the learning rate must be at least 0, not -0.1",
        ),
        (
            || drop(SGD::new([], f64::NAN)),
            "the learning rate must be at least 0, not NaN",
        ),
        (
            || SGD::new([], 0.1).set_learning_rate(-1.0),
            "at least 0, not -1",
        ),
        (
            || drop(SGD::new([], 0.1).weight_decay(-1.0)),
            "the weight decay must be at least 0",
        ),
        (
            || drop(Momentum::new([], 0.1).momentum(-1.0)),
            "the momentum must be at least 0",
        ),
        (
            || drop(Momentum::new([], 0.1).dampening(f64::NAN)),
            "the dampening must be a number",
        ),
        (
            || drop(RMSProp::new([], 0.1).alpha(-1.0)),
            "alpha must be at least 0",
        ),
        (
            || drop(RMSProp::new([], 0.1).momentum(-1.0)),
            "the momentum must be at least 0",
        ),
        (
            || drop(Adam::new([], 0.1).eps(-1.0)),
            "eps must be at least 0, not -1",
        ),
        (
            || drop(Adam::new([], 0.1).betas(1.0, 0.9)),
            "beta1 must be at least 0 and less than 1",
        ),
        (
            || drop(Adam::new([], 0.1).betas(0.9, 1.0)),
            "beta2 must be at least 0 and less than 1",
        ),
        (
            || drop(Adam::new([], 0.1).decoupled_weight_decay(-1.0)),
            "the weight decay must be at least 0",
        ),
    ];
    for (make, expected) in cases {
        let (message, _) = panic_of(make);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_guard_stops_a_step_before_it_changes_anything() {
    let parameters = [1.0, 2.0].map(Value::new);
    let gradients = [0.5, 0.25];
    let mut optim = Momentum::new(parameters.clone(), 0.1).dampening(0.5);
    for (p, gradient) in parameters.iter().zip(gradients) {
        p.borrow_mut().grad = gradient;
    }
    let guard = parameters[1].borrow();
    let line = line!() + 1;
    let panic = panic_of(|| optim.step());
    assert_eq!(panic.1, line, "{}", panic.0);
    drop(guard);
    assert_eq!(parameters[0].data(), 1.0);
    // The first step applies no dampening.
    optim.step();
    assert_eq!(
        parameters.each_ref().map(Value::data),
        [1.0 - 0.05, 2.0 - 0.025]
    );
}

#[test]
fn an_infinite_parameter_stays_infinite() {
    let optimizers: [fn(Value) -> Box<dyn Optimizer>; 2] = [
        |p| Box::new(SGD::new([p], 0.1)),
        |p| Box::new(Momentum::new([p], 0.1)),
    ];
    for optimizer in optimizers {
        let p = Value::new(f64::NEG_INFINITY);
        p.borrow_mut().grad = 1.0;
        optimizer(p.clone()).step();
        assert_eq!(p.data(), f64::NEG_INFINITY);
    }
}

#[test]
fn a_guard_stops_clipping_before_it_changes_anything() {
    let parameters = [1.0, 2.0].map(Value::new);
    for p in &parameters {
        p.borrow_mut().grad = 8.0;
    }
    let guard = parameters[1].borrow();
    let line = line!() + 2;
    let panics = [
        panic_of(|| _ = clip_grad_norm(&parameters, 1.0)),
        panic_of(|| clip_grad_value(&parameters, 1.0)),
    ];
    drop(guard);
    assert_eq!(panics.map(|(_, line)| line), [line, line + 1]);
    assert_eq!(parameters.each_ref().map(Value::grad), [8.0, 8.0]);
}

#[test]
fn amsgrad_keeps_a_nan() {
    let p = Value::new(1.0);
    let mut optim = Adam::new([p.clone()], 0.1).betas(0.9, 0.0).amsgrad();
    // v overflows; then 0 · ∞ makes it NaN, and its maximum too. PyTorch's p is 1, NaN, NaN.
    for (gradient, theirs) in [(1e200, 1.0), (1.0, f64::NAN), (1.0, f64::NAN)] {
        p.borrow_mut().grad = gradient;
        optim.step();
        assert!(p.data() == theirs || p.data().is_nan() && theirs.is_nan());
    }
}

#[track_caller]
fn assert_all_close(ours: &[f64], theirs: &[f64], what: &str) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_close(*ours, *theirs, 1e-12 * theirs.abs().max(1.0), what);
    }
}

#[test]
fn schedules_agree_with_pytorch() {
    let lines: Vec<_> = golden::lines(include_str!("pytorch/schedules.csv")).collect();
    assert_eq!(lines.len(), 5);
    for line in lines {
        let (name, rates) = line.split_once(',').unwrap();
        let (from, to) = (0.4, 0.1);
        let schedule = match name {
            "step" => Schedule::Step {
                rate: from,
                factor: 0.5,
                every: 4,
            },
            "exponential" => Schedule::Exponential {
                rate: from,
                factor: 0.9,
            },
            "cosine" => Schedule::Cosine {
                from,
                to: 0.01,
                steps: 19,
            },
            "linear" => Schedule::Linear {
                from,
                to,
                steps: 10,
            },
            "polynomial" => Schedule::Polynomial {
                from,
                to: 0.0,
                steps: 12,
                power: 2.0,
            },
            _ => panic!("unknown schedule: {name}"),
        };
        let ours: Vec<_> = (0..20).map(|step| schedule.at(step)).collect();
        assert_all_close(&ours, &golden::numbers(rates), name);
    }
}

#[test]
fn schedules_hold_their_final_rate_and_warm_up_linearly() {
    let (from, to, steps) = (1.0, 0.25, 4);
    for schedule in [
        Schedule::Cosine { from, to, steps },
        Schedule::Linear { from, to, steps },
        Schedule::Polynomial {
            from,
            to,
            steps,
            power: 3.0,
        },
    ] {
        assert_eq!(
            (schedule.at(0), schedule.at(4), schedule.at(usize::MAX)),
            (from, to, to)
        );
    }
    assert_eq!(Schedule::Constant(0.3).at(7), 0.3);
    let schedule = Schedule::Linear { from, to, steps }.after_warm_up(3);
    let rates: Vec<_> = (0..8).map(|step| schedule.at(step)).collect();
    assert_eq!(rates, [0.25, 0.5, 0.75, 1.0, 0.8125, 0.625, 0.4375, 0.25]);
    // A count of 0 is not divided by.
    assert_eq!(Schedule::Linear { from, to, steps: 0 }.at(0), to);
    assert_eq!(
        Schedule::Step {
            rate: 1.0,
            factor: 0.5,
            every: 0
        }
        .at(2),
        0.25
    );
    assert_eq!(Schedule::Constant(0.3).after_warm_up(0).at(0), 0.3);
}

#[test]
fn clipping_agrees_with_pytorch() {
    let lines: Vec<_> = golden::lines(include_str!("pytorch/clipping.csv")).collect();
    assert_eq!(lines.len(), 18);
    for line in lines {
        let [gradient, limit, norm, by_norm, by_value] = golden::cells(line);
        let limit = limit.parse().unwrap();
        let parameters: Vec<_> = golden::numbers(gradient)
            .iter()
            .map(|_| Value::new(0.0))
            .collect();
        let restart = || {
            for (parameter, number) in parameters.iter().zip(golden::numbers(gradient)) {
                parameter.borrow_mut().grad = number;
            }
        };
        let grads = || parameters.iter().map(Value::grad).collect::<Vec<_>>();
        restart();
        assert_all_close(
            &[clip_grad_norm(&parameters, limit)],
            &golden::numbers(norm),
            line,
        );
        assert_all_close(&grads(), &golden::numbers(by_norm), line);
        restart();
        clip_grad_value(&parameters, limit);
        assert_all_close(&grads(), &golden::numbers(by_value), line);
    }
}

#[test]
fn parameters_must_be_leaves_and_listed_once() {
    let [x, y] = [1.0, 2.0].map(Value::new);
    let twice = || [x.clone(), y.clone(), x.clone()];
    let computed = || [x.clone(), &x * &y];
    let here = line!();
    let panics = [
        panic_of(|| drop(SGD::new(twice(), 0.1))),
        panic_of(|| drop(Adam::new(computed(), 0.1))),
    ];
    let expected = [
        ("parameter 2 is the same leaf as parameter 0", here + 2),
        (
            "parameter 1 is not a leaf: it was computed from other values",
            here + 3,
        ),
    ];
    for ((message, line), expected) in panics.iter().zip(expected) {
        assert_eq!((&message[..], *line), expected);
    }
}

/// Takes step number `step`, with gradients that depend on that number.
fn take_step(optim: &mut dyn Optimizer, step: usize) {
    for (i, p) in optim.parameters().iter().enumerate() {
        p.set_grad(gradient(step, i, p.data()));
    }
    optim.step();
}

#[test]
fn a_state_continues_in_another_optimizer_with_the_same_bits() {
    for setting in trajectories().keys() {
        let [parameters, others] = [(); 2].map(|()| START.map(Value::new));
        let mut optim = optimizer(setting, parameters.to_vec());
        let mut other = optimizer(setting, others.to_vec());
        take_step(&mut *other, 8); // `set_state` overwrites its effect
        for step in 0..12 {
            if step == 5 {
                other.set_state(&optim.state());
                assert_eq!(other.steps(), 5);
                for (ours, theirs) in others.iter().zip(&parameters) {
                    ours.set_data(theirs.data());
                }
            }
            take_step(&mut *optim, step);
            if step >= 5 {
                take_step(&mut *other, step);
                let bits = |ps: &[Value; 3]| ps.each_ref().map(|p| p.data().to_bits());
                assert_eq!(bits(&others), bits(&parameters), "{setting}, step {step}");
                assert_eq!(other.state(), optim.state(), "{setting}, step {step}");
            }
        }
    }
}

#[test]
fn a_state_uses_the_names_of_pytorch() {
    let names = |setting: &str| {
        let optim = optimizer(setting, START.map(Value::new).to_vec());
        let names: Vec<_> = optim.state().into_keys().collect();
        names.join(" ")
    };
    for (setting, expected) in [
        ("sgd", "step"),
        ("momentum", "momentum_buffer step"),
        ("momentum 0 dampening", "step"),
        ("rmsprop", "square_avg step"),
        ("rmsprop momentum", "momentum_buffer square_avg step"),
        ("rmsprop centered", "grad_avg square_avg step"),
        ("adam", "exp_avg exp_avg_sq step"),
        ("adam amsgrad", "exp_avg exp_avg_sq max_exp_avg_sq step"),
    ] {
        assert_eq!(names(setting), expected, "{setting}");
    }
}

#[test]
fn the_state_of_another_optimizer_is_refused_and_changes_nothing() {
    let parameters = || START.map(Value::new);
    let mut optim = RMSProp::new(parameters(), 0.1).momentum(0.5);
    take_step(&mut optim, 0);
    let before = optim.state();
    let of_adam = Adam::new(parameters(), 0.1).state();
    let of_two = RMSProp::new([0.0, 1.0].map(Value::new), 0.1)
        .momentum(0.5)
        .state();
    let with_step = |steps: Vec<f64>| {
        let mut state = before.clone();
        state.insert("step".into(), steps);
        state
    };
    let cases = [
        (
            of_adam,
            "momentum_buffer is missing; square_avg is missing; \
             exp_avg is not in the optimizer; exp_avg_sq is not in the optimizer",
        ),
        (
            of_two,
            "momentum_buffer has length 2, not 3; square_avg has length 2, not 3",
        ),
        (
            with_step(vec![0.5]),
            "step is 0.5, which is not a step count",
        ),
        (
            with_step(vec![-1.0]),
            "step is -1, which is not a step count",
        ),
        (
            with_step(vec![f64::NAN]),
            "step is NaN, which is not a step count",
        ),
        (with_step(vec![]), "step has length 0, not 1"),
    ];
    for (state, misfits) in cases {
        let line = line!() + 1;
        let panic = panic_of(|| optim.set_state(&state));
        let expected = format!("the state does not fit the optimizer: {misfits}");
        assert_eq!(panic, (expected, line));
        assert_eq!(optim.state(), before);
    }
}

/// An optimizer that breaks the contract of the trait.
struct Wrong {
    settings: Settings,
    names: &'static [&'static str],
    update: fn(&mut Settings),
}

impl Optimizer for Wrong {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn running(&self) -> Vec<Option<&'static str>> {
        self.names.iter().copied().map(Some).collect()
    }

    fn update(&mut self) {
        (self.update)(&mut self.settings);
    }
}

/// A state under such names would lose a quantity, or the number of steps.
#[test]
fn running_quantities_have_names_of_their_own() {
    let cases: [(&[&str], &str); 2] = [
        (&["mean", "mean"], "two running quantities are called mean"),
        (&["step"], "cannot be called step"),
    ];
    for (names, expected) in cases {
        let x = Value::new(1.0);
        let mut optim = Wrong {
            settings: Settings::new([x.clone()], 0.1),
            names,
            update: |settings| settings.descend(|_, _, _, []| 5.0),
        };
        let (message, line) = panic_of(|| optim.step());
        assert!(message.contains(expected), "{message}");
        assert_eq!((line, x.data()), (line!() - 2, 1.0));
    }
}

#[test]
fn an_optimizer_that_bypasses_its_settings_panics() {
    let panic_with = |update: fn(&mut Settings)| {
        let mut optim = Wrong {
            settings: Settings::new([Value::new(1.0)], 0.1),
            names: &["mean"],
            update,
        };
        panic_of(|| optim.step()).0
    };
    // This update would ignore the weight decay and the direction.
    let by_itself = panic_with(|settings| {
        let lr = settings.learning_rate();
        for p in settings.parameters() {
            p.set_data(p.data() - lr * p.grad());
        }
    });
    assert_eq!(
        by_itself,
        "an update calls Settings::descend once, not 0 times"
    );
    let without_mean = panic_with(|settings| settings.descend(|p, g, lr, []| p - lr * g));
    assert_eq!(
        without_mean,
        "the formula takes 0 running quantities, but the step has prepared 1"
    );
}
