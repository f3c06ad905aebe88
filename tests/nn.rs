//! Neurons, layers and nets: shapes, orders, initial weights and training.

mod common {
    pub(crate) mod panics;
    pub(crate) mod values;
}

use common::panics::panic_of;
use common::values::each;
use micrograd::data::make_moons;
use micrograd::engine::Value;
use micrograd::nn::{Activation, Block, Init, Layer, MLP, Module, Neuron};
use micrograd::optim::{Optimizer, SGD};
use micrograd::rng;

fn values<const N: usize>(data: [f64; N]) -> Vec<Value> {
    data.map(Value::new).into()
}

#[test]
fn a_neuron_is_the_activation_of_its_weighted_sum() {
    let neuron = Neuron::new(3, Activation::Tanh, &mut rng(7));
    neuron.bias().set_data(0.25);
    let x = values([1.0, -2.0, 0.5]);
    let w = neuron.weights();
    let by_hand = (&w[0] * &x[0] + &w[1] * &x[1] + &w[2] * &x[2] + neuron.bias()).tanh();
    let out = neuron.forward(&x);
    assert_eq!(out.data(), by_hand.data());

    by_hand.backward();
    let expected: Vec<_> = neuron
        .parameters()
        .iter()
        .chain(&x)
        .map(Value::grad)
        .collect();
    neuron.zero_grad();
    x.iter().for_each(Value::zero_grad);
    out.backward();
    let ours: Vec<_> = neuron
        .parameters()
        .iter()
        .chain(&x)
        .map(Value::grad)
        .collect();
    assert_eq!(ours, expected);
}

#[test]
fn a_net_has_the_gradients_of_the_same_net_without_shared_inputs() {
    let model = MLP::with_activations(
        2,
        &[
            (4, Activation::ReLU),
            (3, Activation::SiLU),
            (2, Activation::Linear),
        ],
        &mut rng(7),
    );
    let rows = make_moons(10, 0.1, &mut rng(7));
    let parameters = model.parameters();

    let by_hand = |x: Vec<Value>| {
        model.layers().iter().fold(x, |x, layer| {
            let neurons = layer.neurons().iter();
            neurons
                .map(|neuron| {
                    let products = neuron.weights().iter().zip(&x).map(|(w, x)| w * x);
                    let sum = products.reduce(|sum, product| sum + product).unwrap();
                    neuron.activation().apply(sum + neuron.bias())
                })
                .collect()
        })
    };
    let gradients = |forward: &dyn Fn(Vec<Value>) -> Vec<Value>| {
        model.zero_grad();
        let outs = rows.iter().flat_map(|&[x, y, _]| forward(values([x, y])));
        let loss: Value = outs.map(|out| out.pow(2.0)).sum();
        loss.backward();
        parameters.iter().map(Value::grad).collect::<Vec<_>>()
    };
    let expected = gradients(&by_hand);
    for (ours, theirs) in gradients(&|x| model.forward(&x)).iter().zip(&expected) {
        assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0));
    }
    assert!(expected.iter().any(|gradient| *gradient != 0.0));
}

#[test]
fn every_activation_is_the_function_of_its_name() {
    let x = Value::new(-0.7);
    let cases = [
        (Activation::Linear, x.clone()),
        (Activation::ReLU, x.relu()),
        (Activation::LeakyReLU(0.2), x.leaky_relu(0.2)),
        (Activation::ELU(1.5), x.elu(1.5)),
        (Activation::Sigmoid, x.sigmoid()),
        (Activation::Tanh, x.tanh()),
        (Activation::Softplus, x.softplus()),
        (Activation::SiLU, x.silu()),
        (Activation::GELU, x.gelu()),
    ];
    for (activation, expected) in cases {
        assert_eq!(
            activation.apply(x.clone()).data(),
            expected.data(),
            "{activation}"
        );
    }
    assert!(Activation::Linear.apply(x.clone()).same_node(&x));
}

#[test]
fn blocks_are_named_and_shaped_as_in_a_state_dict() {
    let model = MLP::new(2, &[3, 1], &mut rng(7));
    let blocks = model.blocks();
    let shapes: Vec<_> = blocks.iter().map(|b| (b.name(), b.shape())).collect();
    assert_eq!(
        shapes,
        [
            ("layers.0.weight", &[3, 2][..]),
            ("layers.0.bias", &[3]),
            ("layers.1.weight", &[1, 3]),
            ("layers.1.bias", &[1]),
        ]
    );
    // Row-major: the weights of the second neuron follow those of the first.
    let second = &model.layers()[0].neurons()[1];
    assert!(blocks[0].values()[2].same_node(&second.weights()[0]));
    assert!(blocks[1].values()[1].same_node(second.bias()));
    assert_eq!(blocks.iter().map(|b| b.values().len()).sum::<usize>(), 13);
}

#[test]
fn parameters_come_neuron_by_neuron_weights_first() {
    let model = MLP::new(2, &[2, 1], &mut rng(7));
    let mut expected = Vec::new();
    for layer in model.layers() {
        for neuron in layer.neurons() {
            expected.extend(neuron.weights().to_vec());
            expected.push(neuron.bias().clone());
        }
    }
    let parameters = model.parameters();
    assert_eq!(parameters.len(), 9);
    assert!(
        parameters
            .iter()
            .zip(&expected)
            .all(|(a, b)| a.same_node(b))
    );
}

#[test]
fn a_user_defined_module_lists_a_tied_parameter_once() {
    struct Tied(Value);

    impl Module for Tied {
        fn blocks(&self) -> Vec<Block> {
            let block = |name| Block::new(name, &[1], vec![self.0.clone()]);
            vec![block("encoder"), block("decoder").within("output")]
        }
    }

    let module = Tied(Value::new(2.0));
    assert_eq!(module.parameters().len(), 1);
    assert_eq!(module.blocks()[1].name(), "output.decoder");
    module.0.backward();
    module.zero_grad();
    assert_eq!(module.0.grad(), 0.0);
}

#[test]
fn weights_start_with_the_distribution_of_their_init_and_biases_at_zero() {
    let (inputs, outputs) = (50, 100);
    let layer = Layer::new(inputs, outputs, Activation::ReLU, &mut rng(7));
    let uniform = |bound: f64| (Some(bound), bound * bound / 3.0);
    let normal = |variance: f64| (None, variance);
    let cases = [
        (Init::Uniform, uniform(1.0 / 50_f64.sqrt())),
        (Init::XavierUniform, uniform((6.0 / 150_f64).sqrt())),
        (Init::XavierNormal, normal(2.0 / 150.0)),
        (Init::HeUniform, uniform((6.0 / 50_f64).sqrt())),
        (Init::HeNormal, normal(2.0 / 50.0)),
    ];
    for (init, (bound, variance)) in cases {
        layer.neurons()[0].bias().set_data(1.0);
        layer.init(init, &mut rng(7));
        let weights = each(layer.blocks()[0].values(), Value::data);
        let moment = |power| {
            let powers = weights.iter().map(|w| (w / variance.sqrt()).powi(power));
            powers.sum::<f64>() / weights.len() as f64
        };
        // The fourth standardized moment of the uniform or of the normal distribution.
        let kurtosis = match bound {
            Some(bound) => {
                assert!(weights.iter().all(|w| w.abs() <= bound), "{init:?}");
                1.8
            }
            None => 3.0,
        };
        assert!(moment(1).abs() < 0.05, "{init:?}: {}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.05, "{init:?}: {}", moment(2));
        assert!(
            (moment(4) - kurtosis).abs() < 0.3,
            "{init:?}: {}",
            moment(4)
        );
        assert!(
            each(layer.blocks()[1].values(), Value::data)
                .iter()
                .all(|b| *b == 0.0)
        );
    }
    // A new layer is initialised by `Init::Uniform`, with the same draws.
    let fresh = Layer::new(inputs, outputs, Activation::ReLU, &mut rng(7));
    layer.init(Init::Uniform, &mut rng(7));
    assert_eq!(
        each(&fresh.parameters(), Value::data),
        each(&layer.parameters(), Value::data)
    );
}

#[test]
fn a_seed_gives_the_same_net_everywhere() {
    let model = MLP::new(2, &[2, 1], &mut rng(7));
    let weights = each(&model.parameters(), Value::data);
    assert_eq!(
        weights,
        each(&MLP::new(2, &[2, 1], &mut rng(7)).parameters(), Value::data,)
    );
    assert_eq!(
        weights[..2],
        [-0.628_815_301_099_994_6, -0.463_698_205_526_585_8]
    );
}

#[test]
fn nets_display_their_shape() {
    let neuron = Neuron::new(3, Activation::LeakyReLU(0.01), &mut rng(7));
    assert_eq!(neuron.to_string(), "Neuron 3 (LeakyReLU(0.01))");
    let layer = Layer::new(3, 4, Activation::GELU, &mut rng(7));
    assert_eq!(layer.to_string(), "Layer 3-4 (GELU)");
    let model = MLP::new(2, &[16, 16, 1], &mut rng(7));
    assert_eq!(model.to_string(), "MLP 2-16-16-1 (ReLU, ReLU, Linear)");
}

#[test]
fn names_tell_the_parameters_apart() {
    let names = |module: &dyn Module| -> Vec<_> {
        module.parameters().iter().filter_map(Value::name).collect()
    };
    let neuron = Neuron::new(2, Activation::ReLU, &mut rng(7)).with_names();
    assert_eq!(names(&neuron), ["weight 0", "weight 1", "bias"]);
    let layer = Layer::new(1, 2, Activation::ReLU, &mut rng(7)).with_names();
    let expected = ["weight[0, 0]", "bias[0]", "weight[1, 0]", "bias[1]"];
    assert_eq!(names(&layer), expected);
    let model = MLP::new(2, &[1, 2], &mut rng(7)).with_names();
    let expected = [
        "layers.0.weight[0, 0]",
        "layers.0.weight[0, 1]",
        "layers.0.bias[0]",
        "layers.1.weight[0, 0]",
        "layers.1.bias[0]",
        "layers.1.weight[1, 0]",
        "layers.1.bias[1]",
    ];
    assert_eq!(names(&model), expected);
    let layer = Layer::new(3, 2, Activation::ReLU, &mut rng(7)).with_names();
    assert_eq!(
        names(&layer)[4..7],
        ["weight[1, 0]", "weight[1, 1]", "weight[1, 2]"]
    );
}

#[test]
fn a_wrong_number_of_inputs_is_reported_at_the_callers_line() {
    let model = MLP::new(2, &[3], &mut rng(7));
    let layer = &model.layers()[0];
    let neuron = &layer.neurons()[0];
    let (one, three) = (values([1.0]), values([1.0, 2.0, 3.0]));
    let line = line!();
    let panics = [
        panic_of(|| drop(model.forward(&three))),
        panic_of(|| drop(layer.forward(&one))),
        panic_of(|| drop(neuron.forward(&[]))),
    ];
    let expected = [
        ("this net takes inputs of length 2, not 3", line + 2),
        ("this layer takes inputs of length 2, not 1", line + 3),
        ("this neuron takes inputs of length 2, not 0", line + 4),
    ];
    for ((message, line), expected) in panics.iter().zip(expected) {
        assert!(message.contains(expected.0), "{message}");
        assert_eq!(*line, expected.1, "{message}");
    }
}

#[test]
#[should_panic(expected = "the shape [2, 3] does not fit values of length 1")]
fn a_block_refuses_a_wrong_shape() {
    let _ = Block::new("weight", &[2, 3], values([1.0]));
}

#[test]
fn a_clone_shares_its_parameters() {
    let model = MLP::new(2, &[1], &mut rng(7));
    let clone = model.clone();
    clone.parameters()[0].set_data(5.0);
    assert_eq!(model.parameters()[0].data(), 5.0);
}

#[test]
#[should_panic(expected = "a net needs at least one layer")]
fn a_net_refuses_to_have_no_layers() {
    let _ = MLP::new(2, &[], &mut rng(7));
}

#[test]
#[should_panic(expected = "layer 1 needs at least one neuron")]
fn a_layer_refuses_to_have_no_neurons() {
    let _ = MLP::new(2, &[3, 0], &mut rng(7));
}

#[test]
#[should_panic(expected = "does not fit values of length 0")]
fn a_block_refuses_a_shape_that_is_too_large_to_count() {
    let _ = Block::new("weight", &[1 << (usize::BITS - 1), 2], vec![]);
}

#[test]
fn a_net_learns_xor() {
    let model = MLP::with_activations(
        2,
        &[(8, Activation::Tanh), (1, Activation::Linear)],
        &mut rng(7),
    );
    let rows = [
        [0.0, 0.0, 0.0],
        [0.0, 1.0, 1.0],
        [1.0, 0.0, 1.0],
        [1.0, 1.0, 0.0],
    ];
    let loss = || {
        let errors =
            rows.map(|[x, y, xor]| (model.forward(&values([x, y])).remove(0) - xor).pow(2.0));
        errors.into_iter().sum::<Value>()
    };
    let mut optim = SGD::new(model.parameters(), 0.1);
    for _ in 0..2000 {
        optim.zero_grad();
        loss().backward();
        optim.step();
    }
    assert!(loss().data() < 1e-3, "{}", loss());
}

#[test]
fn a_net_built_from_weights_computes_with_them() {
    let hidden = Layer::from_weights(&[[1.0, 2.0], [-1.0, 0.5]], &[0.5, 1.0], Activation::ReLU);
    let output = Layer::from_weights(&[vec![3.0, -2.0]], &[0.25], Activation::Tanh);
    assert_eq!(hidden.numbers(), [1.0, 2.0, 0.5, -1.0, 0.5, 1.0]);
    let model = MLP::from_layers(vec![hidden, output]);
    assert_eq!((model.inputs(), model.layers().len()), (2, 2));
    let out = model.forward(&values([0.5, -1.0])).remove(0);
    assert_eq!(out.data(), (0.0_f64 * 3.0 - 2.0 * 0.0 + 0.25).tanh());
    let names: Vec<_> = model
        .blocks()
        .iter()
        .map(|b| b.name().to_string())
        .collect();
    let theirs = [
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.weight",
        "layers.1.bias",
    ];
    assert_eq!(names, theirs);
    let neuron = Neuron::from_weights(&[2.0], -1.0, Activation::Linear);
    assert_eq!(neuron.forward(&values([3.0])).data(), 5.0);
}

#[test]
fn weights_that_do_not_fit_are_refused_at_the_callers_line() {
    let layer = |inputs: usize, outputs: usize| {
        Layer::from_weights(
            &vec![vec![0.0; inputs]; outputs],
            &vec![0.0; outputs],
            Activation::Tanh,
        )
    };
    let no_rows: [[f64; 2]; 0] = [];
    let ragged = [vec![1.0, 2.0], vec![3.0]];
    let line = line!();
    let panics = [
        panic_of(|| drop(Layer::from_weights(&no_rows, &[], Activation::Tanh))),
        panic_of(|| drop(Layer::from_weights(&ragged, &[0.0; 2], Activation::Tanh))),
        panic_of(|| drop(Layer::from_weights(&[[1.0]], &[0.0; 2], Activation::Tanh))),
        panic_of(|| drop(MLP::from_layers(vec![layer(2, 3), layer(4, 1)]))),
        panic_of(|| drop(MLP::from_layers(vec![]))),
    ];
    let expected = [
        "a layer needs at least one neuron",
        "the weights of neuron 1 have length 1, but those of neuron 0 have length 2",
        "the biases have length 2, not 1, the number of neurons",
        "layer 1 takes inputs of length 4, but the outputs of layer 0 have length 3",
        "a net needs at least one layer",
    ];
    for (i, ((message, at), expected)) in panics.iter().zip(expected).enumerate() {
        assert!(message.contains(expected), "{message}");
        assert_eq!(*at as usize, line as usize + 2 + i, "{message}");
    }
}

#[test]
fn a_snapshot_does_not_change_and_restores_the_numbers() {
    let model = MLP::new(2, &[3, 1], &mut rng(7));
    let shared = model.clone();
    let snapshot = model.numbers();
    assert_eq!(snapshot, each(&model.parameters(), Value::data));
    for parameter in model.parameters() {
        parameter.set_data(f64::NAN);
    }
    assert!(shared.numbers().iter().all(|number| number.is_nan()));
    model.set_numbers(&snapshot);
    assert_eq!(shared.numbers(), snapshot);
}

#[test]
fn a_snapshot_that_does_not_fit_changes_nothing() {
    let model = MLP::new(2, &[3, 1], &mut rng(7));
    let before = model.numbers();
    let line = line!() + 1;
    let (message, at) = panic_of(|| model.set_numbers(&[]));
    assert!(
        message.contains("the numbers have length 0, not 13, the number of parameters"),
        "{message}"
    );
    assert_eq!(at, line);
    let last = model.parameters().pop().unwrap();
    let guard = last.borrow();
    let line = line!() + 1;
    assert_eq!(panic_of(|| model.set_numbers(&[1.0; 13])).1, line);
    drop(guard);
    assert_eq!(model.numbers(), before);
}
