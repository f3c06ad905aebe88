//! The view of a graph, and the edges that carry no gradient.

mod common {
    pub(crate) mod panics;
}

use std::slice;

use common::panics::panic_of;
use micrograd::engine::{Argument, Op, Operation, Term, Value, topological_order};
use micrograd::nn::{Activation, Neuron};
use micrograd::tape::{Tape, VectorTape};

/// The operation as text: its name, and the number that each argument holds.
fn described(value: &Value) -> String {
    let argument = |argument| match argument {
        Argument::Node(node) => format!("{node}"),
        Argument::Constant(constant) => format!("={constant}"),
    };
    match value.operation() {
        Operation::Leaf => String::from("leaf"),
        Operation::Apply { op, x, y, .. } => {
            let arguments: Vec<_> = [Some(x), y].into_iter().flatten().map(argument).collect();
            format!("{} {}", op.name(), arguments.join(" "))
        }
        Operation::Sum(terms) => {
            let terms: Vec<_> = terms
                .map(|term| match term {
                    Term::Product(weight, input) => format!("{weight}·{input}"),
                    Term::Single(value) => format!("{value}"),
                })
                .collect();
            format!("sum {}", terms.join(" "))
        }
        other => panic!("unknown kind of operation: {other:?}"),
    }
}

#[test]
fn every_kind_of_value_says_how_it_was_computed() {
    let [x, y] = [2.0, 3.0].map(Value::new);
    let mut rng = micrograd::rng(0);
    let neuron = Neuron::new(2, Activation::Linear, &mut rng);
    for (parameter, data) in neuron.weights().iter().zip([5.0, 7.0]) {
        parameter.set_data(data);
    }
    neuron.bias().set_data(11.0);
    let inputs = [x.clone(), y.clone()];
    let cases = [
        (x.clone(), "leaf", None),
        (x.tanh(), "tanh 2", Some("tanh")),
        (x.relu(), "relu 2", Some("R")),
        (-&x, "neg 2", Some("-")),
        (&x * &y, "mul 2 3", Some("*")),
        (&x * 5.0, "mul 2 =5", Some("*")),
        (5.0 - &x, "sub =5 2", Some("-")),
        (x.leaky_relu(0.5), "leaky_relu 2 =0.5", Some("LR")),
        (x.when(x.at_most(&y)), "when 2 1", Some("when")),
        (inputs.iter().sum(), "sum 2 3", Some("+")),
        (Value::dot(&inputs, &inputs), "sum 2·2 3·3", Some("+")),
        (Value::dot(&inputs[..1], &inputs[1..]), "sum 2·3", Some("*")),
        (neuron.forward(&inputs), "sum 5·2 7·3 11", Some("+")),
    ];
    for (value, expected, label) in cases {
        assert_eq!(described(&value), expected);
        assert_eq!(value.operation().label(), label, "{expected}");
        let name = expected.split(' ').next().filter(|&name| name != "leaf");
        assert_eq!(value.operation().name(), name);
    }
}

#[test]
fn operands_are_the_nodes_from_left_to_right_and_receivers_are_those_that_get_a_gradient() {
    let [x, y, c] = [2.0, 3.0, 0.0].map(Value::new);
    let weights = [&x, &y].map(Value::clone);
    let inputs = [&y, &c].map(Value::clone);
    let cases: [(Value, &[&Value], &[&Value]); 12] = [
        (x.clone(), &[], &[]),
        (x.exp(), &[&x], &[&x]),
        (&x - &x, &[&x, &x], &[&x, &x]),
        (&x + 1.0, &[&x], &[&x]),
        (1.0 + &x, &[&x], &[&x]),
        (x.detach(), &[&x], &[]),
        (x.at_most(&y), &[&x, &y], &[]),
        (x.equals(1.0), &[&x], &[]),
        (x.when(&c), &[&x, &c], &[&x]),
        (x.unless(&c), &[&x, &c], &[&x]),
        (weights.iter().sum(), &[&x, &y], &[&x, &y]),
        (
            Value::dot(&weights, &inputs),
            &[&x, &y, &y, &c],
            &[&x, &y, &y, &c],
        ),
    ];
    for (value, operands, receivers) in cases {
        let ids = |nodes: &[&Value]| nodes.iter().map(|node| node.id()).collect::<Vec<_>>();
        let what = described(&value);
        assert_eq!(
            ids(&value.operands().collect::<Vec<_>>()),
            ids(operands),
            "{what}"
        );
        assert_eq!(
            ids(&value.receivers().collect::<Vec<_>>()),
            ids(receivers),
            "{what}"
        );
    }
}

#[test]
fn the_operands_of_a_neuron_are_its_weights_its_bias_and_its_inputs() {
    let mut rng = micrograd::rng(0);
    let neuron = Neuron::new(2, Activation::Linear, &mut rng);
    let inputs = [1.0, 2.0].map(Value::new);
    let sum = neuron.forward(&inputs);
    let expected = neuron
        .weights()
        .iter()
        .chain([neuron.bias()])
        .chain(&inputs);
    let expected: Vec<_> = expected.map(Value::id).collect();
    assert_eq!(sum.operands().map(Value::id).collect::<Vec<_>>(), expected);
    assert_eq!(sum.receivers().map(Value::id).collect::<Vec<_>>(), expected);
}

#[test]
fn operations_are_equal_if_they_are_the_same_row() {
    let x = Value::new(1.0);
    let op = |value: &Value| match value.operation() {
        Operation::Apply { op, .. } => op,
        other => panic!("{other:?}"),
    };
    assert_eq!(op(&x.tanh()), op(&(&x + 1.0).tanh()));
    assert_ne!(op(&x.tanh()), op(&x.sinh()));
    assert!(Op::ALL.contains(&op(&x.tanh())));
    assert_eq!(format!("{:?}", op(&x.tanh())), "tanh");
}

#[test]
fn an_id_identifies_the_node_and_not_the_handle() {
    let x = Value::new(1.0);
    assert_eq!(x.id(), x.clone().id());
    assert_ne!(x.id(), Value::new(1.0).id());
}

#[test]
fn the_order_lists_every_node_once_after_its_operands_from_left_to_right() {
    let [x, y] = [2.0, 3.0].map(Value::new);
    let product = &x * &y;
    let square = &product * &product;
    let sum = Value::dot(&[square.clone(), x.clone()], &[y.clone(), product.clone()]);
    let _unrelated = sum.exp();
    let order = topological_order(&[sum.clone(), product.clone(), sum.clone()]);
    let expected = [&x, &y, &product, &square, &sum];
    assert_eq!(order.len(), expected.len());
    for (ours, expected) in order.iter().zip(expected) {
        assert!(ours.same_node(expected));
    }
    assert!(topological_order(&[]).is_empty());
}

#[test]
fn listing_nodes_leaves_no_mark_on_them() {
    let x = Value::new(2.0);
    let y = (&x * &x).tanh() * &x;
    let order = topological_order(slice::from_ref(&y));
    let guard = x.borrow_mut(); // the order reads no number
    let again = topological_order(slice::from_ref(&y));
    drop(guard);
    assert_eq!(order.len(), again.len());

    y.backward();
    let slope = x.grad();
    let second = y.gradient(slice::from_ref(&x))[0].gradient(slice::from_ref(&x));
    let tape = Tape::record(slice::from_ref(&x), &y);
    assert_eq!(tape.gradient(&[2.0]), (y.data(), vec![slope]));
    assert!(second[0].data().is_finite() && y.find_anomaly().is_none());
    y.backward();
    assert_eq!(x.grad(), 2.0 * slope);
    for (ours, theirs) in order.iter().zip(&again) {
        assert!(ours.same_node(theirs));
    }
    drop((x, y));
    assert_eq!(order[0].data(), 2.0);
}

#[test]
fn a_condition_is_recorded_as_it_was_written() {
    let x = Value::new(2.0).with_name("x");
    let expected = "\
when data = 2.000, grad = 0.000
├── data = 2.000, grad = 0.000 ← x
└── data = 2.000, grad = 0.000 ← x";
    assert_eq!(x.when(&x).tree().to_string(), expected);
}

/// A function of x and c = x² that reads c on a live edge and on a dead one. Its derivative at
/// x = 3 is given in two parts: the gradient that reaches x directly, and the one that reaches c.
struct LiveAndDead {
    name: &'static str,
    function: fn(&Value, &Value) -> Value,
    to_x: f64,
    to_c: f64,
}

const LIVE_AND_DEAD: [LiveAndDead; 7] = [
    LiveAndDead {
        name: "detach",
        function: |x, c| c.detach() * x + c,
        to_x: 9.0,
        to_c: 1.0,
    },
    LiveAndDead {
        name: "at_most",
        function: |x, c| c.at_most(100.0) * x + c,
        to_x: 1.0,
        to_c: 1.0,
    },
    LiveAndDead {
        name: "equals",
        function: |x, c| c + c.equals(c) * x,
        to_x: 1.0,
        to_c: 1.0,
    },
    LiveAndDead {
        name: "when",
        function: |x, c| x.when(c) * c,
        to_x: 9.0,
        to_c: 3.0,
    },
    LiveAndDead {
        name: "when of itself",
        function: |x, c| c.when(c) + x,
        to_x: 1.0,
        to_c: 1.0,
    },
    LiveAndDead {
        name: "unless",
        function: |x, c| c * 2.0 - x.unless(c),
        to_x: 0.0,
        to_c: 2.0,
    },
    LiveAndDead {
        name: "an infinite slope below the dead edge",
        function: |x, c| x.unless((c - 9.0).sqrt()) * 5.0 + c,
        to_x: 5.0,
        to_c: 1.0,
    },
];

#[test]
fn a_node_with_a_live_and_a_dead_edge_receives_what_the_live_one_passes() {
    for LiveAndDead {
        name,
        function,
        to_x,
        to_c,
    } in LIVE_AND_DEAD
    {
        let slope = to_x + to_c * 6.0;
        let of = |x: &Value| function(x, &(x * x));
        let x = Value::new(3.0);
        let c = &x * &x;
        let y = function(&x, &c);
        y.backward();
        assert_eq!((x.grad(), c.grad()), (slope, to_c), "{name}");
        let gradient = y.gradient(&[x.clone(), c.clone()]);
        assert_eq!(gradient[0].data(), slope, "{name}, gradient");
        assert_eq!(gradient[1].data(), to_c, "{name}, gradient");

        let by_input = Tape::record(slice::from_ref(&x), &y);
        assert_eq!(by_input.gradient(&[3.0]), (y.data(), vec![slope]), "{name}");
        let outputs = [y.clone(), &c * 2.0, of(&x).exp()];
        let jacobian = VectorTape::record(slice::from_ref(&x), &outputs)
            .jacobian(&[3.0])
            .1;
        assert_eq!(jacobian[..2], [[slope], [12.0]], "{name}, jacobian");
        x.zero_grad();
        Tape::record(&[], &y).backward(&[[]]);
        assert_eq!(x.grad(), slope, "{name}, parameter");

        // In blocks of rows: x = 3 again, as the sum of an input and a parameter.
        let [input, parameter] = [1.0, 2.0].map(Value::new);
        let tape = Tape::record(slice::from_ref(&input), &of(&(&input + &parameter)));
        tape.backward(&[[1.0]; 37]);
        let difference = parameter.grad() - slope;
        assert!(
            difference.abs() < 1e-12,
            "{name}, rows: {}",
            parameter.grad()
        );
    }
}

#[test]
fn a_node_that_is_dead_for_one_output_of_a_tape_is_live_for_another() {
    let x = Value::new(0.0);
    let root = x.sqrt(); // has an infinite slope
    let outputs = [
        (&x * 2.0).unless(&root),
        &x * 3.0 + root.at_most(&x),
        &x * 4.0 + root.detach(),
        root,
    ];
    let tape = VectorTape::record(slice::from_ref(&x), &outputs);
    let jacobian = tape.jacobian(&[0.0]).1;
    assert_eq!(jacobian, [[2.0], [3.0], [4.0], [f64::INFINITY]]);
}

#[test]
fn a_node_with_dead_edges_alone_is_not_touched() {
    type OfXAndC = fn(&Value, &Value) -> Value;
    let cases: [(&str, OfXAndC); 6] = [
        ("detach", |x, c| c.detach() * x),
        ("at_most", |x, c| c.at_most(100.0) + x),
        ("equals", |x, c| x + c.equals(x)),
        ("when", |x, c| x.when(c)),
        ("unless", |x, c| x.unless(c - 5.0) + x),
        ("far below", |x, c| x.when((c * 2.0).exp())),
    ];
    for (name, function) in cases {
        let [x, leaf] = [3.0, 5.0].map(Value::new);
        let inner = &leaf * 1.0;
        leaf.borrow_mut().grad = f64::NAN;
        inner.borrow_mut().grad = 7.0;
        let y = function(&x, &inner);
        let guards = [leaf.borrow(), inner.borrow()];
        y.backward();
        drop(guards);
        assert!(x.grad() > 0.0, "{name}");
        assert_eq!(inner.grad(), 7.0, "{name}");
        assert!(leaf.grad().is_nan(), "{name}");
        assert!(y.find_anomaly().is_none(), "{name}");
        assert_eq!(y.gradient(&[leaf])[0].data(), 0.0, "{name}");
    }
}

#[test]
fn a_mutable_guard_stops_backward_only_where_a_rule_reads_the_number() {
    let [x, c] = [3.0, 5.0].map(Value::new);
    let y = c.detach() * &x + c.at_most(&x);
    let guard = c.borrow_mut();
    y.backward();
    drop(guard);
    assert_eq!(x.grad(), 5.0);

    // The rule of `when` reads its condition. If that fails, nothing has changed.
    x.zero_grad();
    let y = &x + (&x * 2.0).when(&c);
    let guard = c.borrow_mut();
    let (message, line) = panic_of(|| y.backward());
    assert_eq!(line, line!() - 1);
    assert!(
        message.contains("a guard of one of them is alive"),
        "{message}"
    );
    drop(guard);
    assert_eq!(x.grad(), 0.0);
    y.backward();
    assert_eq!(x.grad(), 3.0);
}
