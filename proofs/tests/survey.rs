//! A survey of every public function: none panics because of a number or a length, except where its
//! `# Panics` section says so.
//!
//! Each function is listed with the attempts that try it. A search of the sources finds functions
//! that are not listed.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{self, AssertUnwindSafe, Location};
use std::path::Path;
use std::slice;

use micrograd::data::{StandardScaler, batches, make_moons, stratified_split, train_test_split};
use micrograd::engine::{
    Argument, Operation, Term, Value, hessian, hessian_vector_product, jacobian, topological_order,
};
use micrograd::gradcheck::{GradCheck, gradcheck};
use micrograd::metrics::{ConfusionMatrix, accuracy, argmax, binary_accuracy, r2};
use micrograd::nn::{Activation, Block, Init, Layer, MLP, Module, Neuron, loss};
use micrograd::optim::{
    Adam, Momentum, Optimizer, RMSProp, SGD, Schedule, Settings, clip_grad_norm, clip_grad_value,
};
use micrograd::tape::{Source, Tape, VectorTape};
use micrograd::{checkpoint, epoch_rng, rng};

const NUMBERS: [f64; 12] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    5e-324,
    -1e-310,
    f64::MIN_POSITIVE,
    1.0,
    -2.5,
    f64::MAX,
    f64::MIN,
];

const LENGTHS: [usize; 3] = [0, 1, 1_000_000];

fn leaves(count: usize) -> Vec<Value> {
    NUMBERS
        .iter()
        .cycle()
        .take(count)
        .copied()
        .map(Value::new)
        .collect()
}

fn pairs() -> impl Iterator<Item = (f64, f64)> {
    NUMBERS.into_iter().flat_map(|x| NUMBERS.map(|y| (x, y)))
}

/// The numbers that are allowed for settings such as a learning rate.
fn at_least_zero() -> impl Iterator<Item = f64> {
    NUMBERS.into_iter().filter(|&number| number >= 0.0)
}

/// Does everything that can be done with a result.
fn use_up(output: &Value) {
    output.backward();
    let _ = (output.data(), output.grad(), output.tree().to_string());
    let _ = format!("{output} {output:?}");
    let _ = (output.svg().to_string(), output.graphviz().to_string());
    if let Some(anomaly) = output.find_anomaly() {
        let _ = (anomaly.pass(), anomaly.node().data(), anomaly.row());
        let _ = anomaly.to_string();
    }
}

/// The attempts and their outcome.
#[derive(Default)]
struct Survey {
    /// Whether the attempts are made, or only listed.
    makes_attempts: bool,
    /// The functions that are tried, each with the line of this file that lists it.
    listed: BTreeMap<String, u32>,
    panicked: Vec<String>,
}

impl Survey {
    fn of_everything(makes_attempts: bool) -> Self {
        let mut survey = Self {
            makes_attempts,
            ..Self::default()
        };
        operations(&mut survey);
        values(&mut survey);
        views(&mut survey);
        derivatives(&mut survey);
        nets(&mut survey);
        modules(&mut survey);
        optimizers(&mut survey);
        schedules_and_clipping(&mut survey);
        losses(&mut survey);
        tapes(&mut survey);
        sources(&mut survey);
        metrics(&mut survey);
        data(&mut survey);
        survey
    }

    /// Makes an attempt that tries these functions.
    #[track_caller]
    fn cover(&mut self, functions: &str, attempt: impl FnOnce()) {
        let line = Location::caller().line();
        let names = functions.split_whitespace();
        self.listed
            .extend(names.map(|name| (name.to_string(), line)));
        if self.makes_attempts && panic::catch_unwind(AssertUnwindSafe(attempt)).is_err() {
            self.panicked.push(format!("line {line}: {functions}"));
        }
    }

    /// The place in this file where a function should be listed: next to others of its kind.
    fn place_for(&self, function: &Function, functions: &[Function]) -> String {
        let place = match function.arguments {
            Some(Arguments::X) => "add its name to `unary! { … }`",
            Some(Arguments::XAndY) => "add its name to `binary! { … }`",
            Some(Arguments::XAndParameter) => "add its name to `with_parameter! { … }`",
            None => "try it, and add its name, in a `survey.cover(…)`",
        };
        let line_of = |is_alike: &dyn Fn(&Function) -> bool| {
            let mut alike = functions.iter().filter(|other| is_alike(other));
            alike.find_map(|other| self.listed.get(&other.name))
        };
        let line = line_of(&|other| other.kind() == function.kind())
            .or_else(|| line_of(&|other| other.file == function.file));
        let line = line.map_or_else(String::new, |line| format!(", as at line {line}"));
        format!("{place} in proofs/tests/survey.rs{line}")
    }
}

/// A public function in the sources.
struct Function {
    /// `Type::name`, or the name alone if the function belongs to no type.
    name: String,
    file: String,
    /// The arguments, if this is a row of the table.
    arguments: Option<Arguments>,
}

impl Function {
    /// The type, or the file if the function belongs to no type, and the arguments of a row.
    /// Functions of the same kind are listed next to each other.
    fn kind(&self) -> (&str, Option<Arguments>) {
        let owner = self.name.split_once("::").map(|(owner, _)| owner);
        (owner.unwrap_or(&self.file), self.arguments)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Arguments {
    X,
    XAndY,
    XAndParameter,
}

fn public_functions() -> Vec<Function> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut functions = Vec::new();
    let mut directories = vec![root.join("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let file = path.strip_prefix(&root).unwrap().to_str().unwrap();
            functions_of(&fs::read_to_string(&path).unwrap(), |name, arguments| {
                functions.push(Function {
                    name,
                    file: file.replace('\\', "/"),
                    arguments,
                });
            });
        }
    }
    functions
}

/// Calls `found` for each public function of a source file.
fn functions_of(source: &str, mut found: impl FnMut(String, Option<Arguments>)) {
    let mut owner: Option<&str> = None;
    let mut in_trait = false;
    for line in source.lines() {
        let code = line.trim_start();
        if line.starts_with('}') {
            (owner, in_trait) = (None, false);
        } else if code.starts_with("impl") || code.starts_with("pub trait ") {
            owner = Some(type_of(code));
            in_trait = code.starts_with("pub trait ");
        } else if let Some((method, arguments)) = row_of(line) {
            found(format!("Value::{method}"), Some(arguments));
        } else if let Some(name) = function_of(code, in_trait) {
            found(
                match owner {
                    Some(owner) => format!("{owner}::{name}"),
                    None => name.to_string(),
                },
                None,
            );
        }
    }
}

/// The type of `impl<T> Trait for Type<T> {`, or the trait of `pub trait Trait: Other {`.
fn type_of(code: &str) -> &str {
    let header = code.split(" for ").last().unwrap();
    let header = header.strip_prefix("pub trait ").unwrap_or(header);
    let header = match header.strip_prefix("impl<") {
        Some(generic) => generic.split_once("> ").map_or(generic, |(_, rest)| rest),
        None => header.strip_prefix("impl ").unwrap_or(header),
    };
    let name = header.split(['<', ':', ' ', '{']).next().unwrap();
    name.trim_start_matches('$')
}

fn function_of(code: &str, in_trait: bool) -> Option<&str> {
    let rest = code
        .strip_prefix("pub fn ")
        .or_else(|| code.strip_prefix("pub const fn "))
        .or_else(|| code.strip_prefix("fn ").filter(|_| in_trait))?;
    let name = rest.split(['(', '<']).next()?;
    (!name.starts_with('$')).then_some(name)
}

/// The method and the arguments of a row of the table: `Pow pow "^" (x, y) = …`.
fn row_of(line: &str) -> Option<(&str, Arguments)> {
    let mut words = line.splitn(3, ' ');
    let (variant, method, rest) = (words.next()?, words.next()?, words.next()?);
    if !variant.starts_with(char::is_uppercase) || !rest.starts_with('"') {
        return None;
    }
    let arguments = rest.rsplit_once(") = ")?.0.rsplit_once('(')?.1;
    Some((
        method,
        match arguments {
            "x" => Arguments::X,
            "x, y" => Arguments::XAndY,
            _ => Arguments::XAndParameter,
        },
    ))
}

#[test]
fn every_public_function_is_surveyed() {
    let survey = Survey::of_everything(false);
    let functions = public_functions();
    let mut mistakes = Vec::new();
    for function in &functions {
        let Function { name, file, .. } = function;
        if !survey.listed.contains_key(name) {
            let place = survey.place_for(function, &functions);
            mistakes.push(format!("{file}: `{name}` is not surveyed: {place}"));
        }
    }
    for (name, line) in &survey.listed {
        if functions.iter().all(|function| function.name != *name) {
            mistakes.push(format!(
                "proofs/tests/survey.rs:{line}: there is no `{name}`: remove the name"
            ));
        }
    }
    assert!(mistakes.is_empty(), "\n{}", mistakes.join("\n"));
}

#[test]
fn no_public_function_panics_because_of_a_number_or_a_length() {
    let survey = Survey::of_everything(true);
    assert!(survey.panicked.is_empty(), "{:?}", survey.panicked);
}

fn operations(survey: &mut Survey) {
    macro_rules! unary {
        ($($method:ident)*) => { $(
            survey.cover(concat!("Value::", stringify!($method)), || {
                for x in NUMBERS.map(Value::new) {
                    use_up(&x.$method());
                    use_up(&x.$method().gradient(slice::from_ref(&x))[0]);
                }
            });
        )* };
    }
    macro_rules! binary {
        ($($method:ident)*) => { $(
            survey.cover(concat!("Value::", stringify!($method)), || {
                for (x, y) in pairs() {
                    let (x_node, y_node) = (Value::new(x), Value::new(y));
                    use_up(&x_node.$method(&y_node));
                    use_up(&x_node.$method(y));
                    for slope in x_node.$method(&y_node).gradient(&[x_node, y_node]) {
                        use_up(&slope);
                    }
                }
            });
        )* };
    }
    macro_rules! with_parameter {
        ($($method:ident)*) => { $(
            survey.cover(concat!("Value::", stringify!($method)), || {
                for (x, parameter) in pairs() {
                    let x = Value::new(x);
                    use_up(&x.$method(parameter));
                    use_up(&x.$method(parameter).gradient(slice::from_ref(&x))[0]);
                }
            });
        )* };
    }
    unary! {
        recip sqrt cbrt exp exp2 exp_m1 ln log2 log10 ln_1p sin cos tan asin acos atan sinh cosh tanh
        asinh acosh atanh abs detach relu sigmoid softplus silu gelu normal_cdf
        erf erfc floor ceil round round_ties_even trunc signum
    }
    binary! { pow hypot atan2 max min at_most equals when unless }
    with_parameter! { leaky_relu elu clamp_min clamp_max }
    survey.cover(
        "Value::add Value::sub Value::mul Value::div Value::neg",
        || {
            for (x, y) in pairs() {
                let (x_node, y_node) = (Value::new(x), Value::new(y));
                for result in [
                    &x_node + &y_node,
                    &x_node - &y_node,
                    &x_node * &y_node,
                    &x_node / &y_node,
                    x / &y_node,
                    &x_node / y,
                    -&x_node,
                ] {
                    use_up(&result);
                }
            }
        },
    );
}

fn values(survey: &mut Survey) {
    survey.cover(
        "Value::new Value::with_name Value::name Value::data Value::grad Value::set_data \
         Value::zero_grad Value::borrow Value::borrow_mut",
        || {
            for (data, grad) in pairs() {
                let x = Value::new(data).with_name("").with_name("\n\u{0}");
                x.borrow_mut().grad = grad;
                assert_eq!(x.borrow().grad.to_bits(), grad.to_bits());
                x.set_data(grad);
                assert_eq!(x.data().to_bits(), grad.to_bits());
                x.zero_grad();
                assert_eq!((x.grad(), x.name().as_deref()), (0.0, Some("\n\u{0}")));
            }
        },
    );
    survey.cover("Value::same_node Value::tree Value::backward", || {
        for x in NUMBERS.map(Value::new) {
            assert!(x.same_node(&x.clone()) && !x.same_node(&Value::default()));
            use_up(&x);
        }
    });
    survey.cover(
        "Value::set_grad Value::powi Value::log Value::clamp",
        || {
            for (x, y) in pairs() {
                if x <= y {
                    for leaf in leaves(12) {
                        use_up(&leaf.clamp(x, y));
                    }
                }
                let (x, y) = (Value::new(x), Value::new(y));
                for n in [i32::MIN, -1, 0, 1, 2, i32::MAX] {
                    use_up(&x.powi(n));
                }
                use_up(&x.log(&y));
                use_up(&x.log(y.data()));
                x.set_grad(y.data());
                assert_eq!(x.grad().to_bits(), y.data().to_bits());
            }
        },
    );
    survey.cover("Value::dot", || {
        for count in LENGTHS {
            let (xs, ys) = (leaves(count), vec![Value::new(1.0); count]);
            use_up(&Value::dot(&xs, &ys));
            use_up(&xs.iter().sum());
            use_up(&ys.into_iter().product());
        }
    });
    survey.cover(
        "Value::find_anomaly Anomaly::pass Anomaly::node Anomaly::row Value::backward_steps \
         Steps::iter",
        || {
            for count in LENGTHS {
                let sum: Value = leaves(count).iter().sum();
                sum.backward();
                assert_eq!(sum.find_anomaly().is_some(), count > 0);
                let steps = sum.backward_steps();
                assert!(steps.iter().count() > 0 && !steps.to_string().is_empty());
            }
        },
    );
    survey.cover(
        "Value::svg Value::page Value::graphviz Picture::expanded Picture::max_nodes Picture::with_parameters \
         Value::evcxr_display Picture::evcxr_display",
        || {
            for count in LENGTHS {
                let leaves = leaves(count);
                let sum: Value = leaves.iter().sum();
                for picture in [sum.svg(), sum.page(), sum.graphviz()] {
                    for max_nodes in [0, 1, 1000] {
                        let picture = picture.clone().expanded().with_parameters(&leaves);
                        assert!(!picture.max_nodes(max_nodes).to_string().is_empty());
                    }
                    picture.evcxr_display();
                }
                sum.evcxr_display();
            }
        },
    );
}

fn views(survey: &mut Survey) {
    survey.cover(
        "Value::operation Value::operands Value::receivers Value::id Value::is_leaf topological_order",
        || {
            assert!(topological_order(&[]).is_empty());
            for count in LENGTHS {
                let xs = leaves(count);
                let outputs = [
                    xs.iter().sum(),
                    Value::dot(&xs, &xs),
                    Value::new(f64::NAN).when(xs.iter().cloned().product::<Value>()),
                ];
                for output in &outputs {
                    assert!(output.receivers().count() <= output.operands().count());
                    let _ = format!("{:?} {:?}", output.operation().name(), output.id());
                    assert_eq!(output.is_leaf(), output.operation().name().is_none());
                }
                assert!(topological_order(&outputs).len() >= count);
            }
        },
    );
    survey.cover(
        "Operation::name Operation::label Op::name Op::label Op::formula Op::gradient_formulas \
         Argument::node Argument::data Term::data",
        || {
            for (x, y) in pairs() {
                let (x, y) = (Value::new(x), Value::new(y));
                let sum = Value::dot(slice::from_ref(&x), slice::from_ref(&y));
                for value in [&x + &y, 2.0 * &x, sum, x.leaky_relu(0.5), x] {
                    let _ = (value.operation().name(), value.operation().label());
                    match value.operation() {
                        Operation::Apply { op, x, y, .. } => {
                            let _ = (op.name(), op.label(), x.node(), x.data());
                            let _ = (op.formula(), op.gradient_formulas());
                            let _ = y.map(Argument::data);
                        }
                        Operation::Sum(terms) => assert!(terms.map(Term::data).count() > 0),
                        _ => {}
                    }
                }
            }
        },
    );
}

fn derivatives(survey: &mut Survey) {
    let square = |xs: &[Value]| xs.iter().map(|x| x * x).sum::<Value>();
    survey.cover(
        "Value::gradient Value::derivative hessian_vector_product",
        || {
            for count in LENGTHS {
                let xs = leaves(count);
                let y = square(&xs);
                let _ = (
                    y.derivative(&y).data(),
                    y.derivative(&Value::new(1.0)).data(),
                );
                assert_eq!(y.gradient(&xs).len(), count);
                // This takes so many walks that a million leaves would be slow.
                let xs = &xs[..count.min(100_000)];
                let vector: Vec<_> = NUMBERS.iter().cycle().take(xs.len()).copied().collect();
                assert_eq!(
                    hessian_vector_product(&square(xs), xs, &vector).len(),
                    xs.len()
                );
            }
        },
    );
    survey.cover("jacobian hessian", || {
        // A gradient for each leaf: a million of them would take a million times a million steps.
        for count in [0, 1, 100] {
            let xs = leaves(count);
            assert_eq!(hessian(&square(&xs), &xs).len(), count);
            assert_eq!(jacobian(&xs, &xs).len(), count);
        }
    });
    survey.cover("gradcheck GradCheck::check", || {
        for count in [0, 1, 100] {
            assert!(gradcheck(square, &vec![0.5; count]).is_ok());
        }
        for x in NUMBERS {
            for function in [Value::ln, Value::sqrt, Value::relu, Value::exp] {
                let _ = gradcheck(|xs| function(&xs[0]), &[x]).map_err(|error| error.to_string());
            }
        }
        for (eps, atol) in pairs().filter(|&(eps, atol)| eps > 0.0 && atol >= 0.0) {
            let check = GradCheck {
                eps,
                atol,
                ..GradCheck::default()
            };
            let _ = check.check(square, &[1.0, 2.0]);
        }
    });
}

fn nets(survey: &mut Survey) {
    let activations = [
        Activation::Linear,
        Activation::ReLU,
        Activation::LeakyReLU(f64::NAN),
        Activation::ELU(f64::INFINITY),
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Softplus,
        Activation::SiLU,
        Activation::GELU,
    ];
    survey.cover("Activation::apply", || {
        for activation in activations {
            for x in NUMBERS.map(Value::new) {
                use_up(&activation.apply(x));
            }
        }
    });
    survey.cover(
        "Neuron::new Neuron::inputs Neuron::activation Neuron::weights Neuron::bias \
         Neuron::with_names Neuron::forward",
        || {
            for count in LENGTHS {
                let neuron = Neuron::new(count, Activation::Tanh, &mut rng(0)).with_names();
                assert_eq!((neuron.inputs(), neuron.weights().len()), (count, count));
                use_up(&neuron.forward(&leaves(count)));
                let _ = (
                    neuron.activation(),
                    neuron.bias().data(),
                    neuron.to_string(),
                );
            }
        },
    );
    survey.cover(
        "Layer::new Layer::init Layer::inputs Layer::neurons Layer::activation \
         Layer::with_names Layer::forward",
        || {
            for (inputs, outputs) in [(0, 1), (1, 1), (1_000_000, 1), (1, 100_000)] {
                let layer = Layer::new(inputs, outputs, Activation::ReLU, &mut rng(0)).with_names();
                layer.init(Init::HeNormal, &mut rng(0));
                assert_eq!((layer.inputs(), layer.neurons().len()), (inputs, outputs));
                use_up(&layer.forward(&leaves(inputs))[0]);
                let _ = (layer.activation(), layer.to_string());
            }
        },
    );
    survey.cover(
        "MLP::new MLP::with_activations MLP::init MLP::inputs MLP::layers MLP::with_names \
         MLP::forward",
        || {
            for (inputs, outputs) in [
                (0, &[1][..]),
                (1, &[1]),
                (1_000_000, &[1, 1]),
                (1, &[1; 1_000]),
            ] {
                let model = MLP::new(inputs, outputs, &mut rng(0)).with_names();
                model.init(Init::XavierUniform, &mut rng(0));
                assert_eq!(
                    (model.inputs(), model.layers().len()),
                    (inputs, outputs.len())
                );
                use_up(&model.forward(&leaves(inputs))[0]);
                let _ = model.to_string();
            }
            let _ = MLP::with_activations(0, &[(1, Activation::GELU)], &mut rng(0));
        },
    );
}

fn modules(survey: &mut Survey) {
    survey.cover(
        "Neuron::from_weights Layer::from_weights MLP::from_layers Module::numbers \
         Module::set_numbers",
        || {
            for count in LENGTHS {
                let weights: Vec<_> = NUMBERS.iter().cycle().take(count).copied().collect();
                let neuron = Neuron::from_weights(&weights, f64::NAN, Activation::Tanh);
                neuron.set_numbers(&vec![1.0; count + 1]);
                assert_eq!(neuron.numbers(), vec![1.0; count + 1]);
                let layer = Layer::from_weights(&[&weights], &[f64::NAN], Activation::Tanh);
                use_up(&MLP::from_layers(vec![layer]).forward(&leaves(count))[0]);
            }
        },
    );
    survey.cover(
        "Module::save Module::load Module::to_bytes Module::load_bytes",
        || {
            for count in LENGTHS {
                let neuron = Neuron::new(count, Activation::Tanh, &mut rng(0));
                let bytes = neuron.to_bytes().unwrap();
                neuron.load_bytes(&bytes).unwrap();
                assert!(neuron.load_bytes(&bytes[..bytes.len() / 2]).is_err());
                assert!(neuron.load_bytes(&[]).is_err());
                assert!(neuron.save("").is_err() && neuron.load("").is_err());
                for number in NUMBERS {
                    let mut bytes = bytes.clone();
                    let last = bytes.len() - 8;
                    bytes[last..].copy_from_slice(&number.to_le_bytes());
                    assert_eq!(neuron.load_bytes(&bytes).is_ok(), number.is_finite());
                    neuron.bias().set_data(number);
                    assert_eq!(neuron.to_bytes().is_ok(), number.is_finite());
                }
            }
        },
    );
    survey.cover("save load", || {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("survey");
        for count in LENGTHS {
            let neuron = Neuron::new(count, Activation::Tanh, &mut rng(0));
            let mut optim = Momentum::new(neuron.parameters(), 0.1);
            for number in [0.5, f64::NAN] {
                checkpoint::save(&path, &neuron, &optim, "note").unwrap();
                assert_eq!(
                    checkpoint::load(&path, &neuron, &mut optim).unwrap(),
                    "note"
                );
                neuron.bias().set_grad(number);
                optim.step();
            }
            assert!(checkpoint::save(&path, &neuron, &optim, "note").is_err());
            assert!(checkpoint::save("", &neuron, &optim, "note").is_err());
            assert!(checkpoint::load("", &neuron, &mut optim).is_err());
        }
    });
    survey.cover(
        "Module::blocks Module::parameters Module::zero_grad Block::new Block::within \
         Block::name Block::shape Block::values",
        || {
            for count in LENGTHS {
                let neuron = Neuron::new(count, Activation::Tanh, &mut rng(0));
                neuron.zero_grad();
                assert_eq!(neuron.parameters().len(), count + 1);
                let numbers: usize = neuron
                    .blocks()
                    .iter()
                    .map(|block| block.values().len())
                    .sum();
                assert_eq!(numbers, count + 1);
                let block = Block::new("", &[count], leaves(count)).within("");
                let _ = (block.name(), block.shape(), format!("{:?}", block.shape()));
            }
        },
    );
}

fn optimizers(survey: &mut Survey) {
    survey.cover(
        "Optimizer::parameters Optimizer::step Optimizer::learning_rate \
         Optimizer::set_learning_rate Optimizer::zero_grad Optimizer::weight_decay \
         Optimizer::maximize Optimizer::settings Optimizer::settings_mut Optimizer::running \
         Optimizer::update Optimizer::steps Optimizer::state Optimizer::set_state \
         Settings::parameters Settings::learning_rate Settings::steps Settings::descend",
        || {
            for count in LENGTHS {
                let parameters = leaves(count);
                let mut all: [Box<dyn Optimizer>; 4] = [
                    Box::new(
                        SGD::new(parameters.clone(), 0.1)
                            .weight_decay(0.1)
                            .maximize(),
                    ),
                    Box::new(Momentum::new(parameters.clone(), 0.1).nesterov()),
                    Box::new(
                        RMSProp::new(parameters.clone(), 0.1)
                            .centered()
                            .momentum(0.5),
                    ),
                    Box::new(Adam::new(parameters.clone(), 0.1).amsgrad()),
                ];
                for (i, optim) in all.iter_mut().enumerate() {
                    for parameter in optim.parameters() {
                        parameter.borrow_mut().grad = NUMBERS[i];
                    }
                    for _ in 0..2 {
                        optim.step();
                    }
                    optim.set_learning_rate(f64::INFINITY);
                    optim.step();
                    assert_eq!(optim.learning_rate(), f64::INFINITY);
                    optim.set_state(&optim.state());
                    assert_eq!(optim.steps(), 3);
                    optim.zero_grad();
                }
            }
        },
    );
    survey.cover(
        "Settings::new Settings::set_learning_rate Settings::weight_decay \
         Settings::set_weight_decay Settings::maximize Settings::set_maximize",
        || {
            for number in at_least_zero() {
                let mut settings = Settings::new(leaves(12), number);
                settings.set_learning_rate(number);
                settings.set_weight_decay(number);
                settings.set_maximize(true);
                assert!(settings.weight_decay() == number && settings.maximize());
                settings.descend(|p, g, lr, []| p - lr * g);
            }
        },
    );
    survey.cover(
        "SGD::new Momentum::new Momentum::momentum Momentum::dampening Momentum::nesterov",
        || {
            for number in at_least_zero() {
                SGD::new(leaves(12), number).weight_decay(number).step();
                Momentum::new(leaves(12), number)
                    .momentum(number)
                    .dampening(number)
                    .step();
                Momentum::new(leaves(12), number).nesterov().step();
            }
        },
    );
    survey.cover(
        "RMSProp::new RMSProp::alpha RMSProp::eps RMSProp::momentum RMSProp::centered",
        || {
            for number in at_least_zero() {
                let optim = RMSProp::new(leaves(12), number).alpha(number).eps(number);
                optim.momentum(number).centered().step();
            }
        },
    );
    survey.cover(
        "Adam::new Adam::betas Adam::eps Adam::decoupled_weight_decay Adam::amsgrad",
        || {
            for number in at_least_zero() {
                let optim = Adam::new(leaves(12), number)
                    .eps(number)
                    .decoupled_weight_decay(number);
                let beta = if number < 1.0 { number } else { 0.5 };
                optim.betas(beta, beta).amsgrad().step();
            }
        },
    );
}

fn schedules_and_clipping(survey: &mut Survey) {
    survey.cover("Schedule::at Schedule::after_warm_up", || {
        for (from, to) in pairs() {
            for steps in [0, 1, 1_000_000, usize::MAX] {
                for schedule in [
                    Schedule::Constant(from),
                    Schedule::Step {
                        rate: from,
                        factor: to,
                        every: steps,
                    },
                    Schedule::Exponential {
                        rate: from,
                        factor: to,
                    },
                    Schedule::Cosine { from, to, steps },
                    Schedule::Linear { from, to, steps },
                    Schedule::Polynomial {
                        from,
                        to,
                        steps,
                        power: from,
                    },
                ] {
                    let schedule = schedule.after_warm_up(steps);
                    for step in [0, 1, 1_000_000, usize::MAX] {
                        let _ = schedule.at(step);
                    }
                }
            }
        }
    });
    survey.cover("clip_grad_norm clip_grad_value", || {
        for limit in at_least_zero() {
            for count in [0, 1, 12] {
                let parameters = leaves(count);
                for (i, parameter) in parameters.iter().enumerate() {
                    parameter.borrow_mut().grad = NUMBERS[i];
                }
                clip_grad_value(&parameters, limit);
                let _ = clip_grad_norm(&parameters, limit);
            }
        }
        let _ = clip_grad_norm(&leaves(1_000_000), 1.0);
    });
}

fn sources(survey: &mut Survey) {
    survey.cover(
        "Source::rust Source::rust_no_std Source::c Source::javascript \
         Source::operations_in_javascript Source::add Source::add_with_parameters \
         Source::add_vector",
        || {
            assert!(!Source::operations_in_javascript().is_empty());
            for mut source in [
                Source::rust(),
                Source::rust_no_std(),
                Source::c(),
                Source::javascript(),
            ] {
                for name in ["", "2", "a b", "if", "x", "op_f", "\u{e9}"] {
                    let tape = Tape::trace(|[x]| x);
                    assert!(source.add(name, &tape.freeze()).is_err(), "{name}");
                }
                for count in LENGTHS.map(|length| length.min(10_000)) {
                    let dot = Tape::trace_slice(count, |inputs| Value::dot(inputs, inputs) + 1.0);
                    let name = format!("dot_{count}");
                    source.add(&name, &dot.freeze()).unwrap();
                    let name = format!("parameters_{count}");
                    source.add_with_parameters(&name, &dot.freeze()).unwrap();
                    let sum = VectorTape::trace_slice(count, |inputs| [inputs.iter().sum()]);
                    source
                        .add_vector(&format!("sum_{count}"), &sum.freeze())
                        .unwrap();
                }
                for (i, x) in NUMBERS.into_iter().enumerate() {
                    let tape = Tape::trace(|[y]| x * y.pow(x) + x.max(0.0).min(x));
                    source.add(&format!("number_{i}"), &tape.freeze()).unwrap();
                }
                assert!(!format!("{source} {source:?}").is_empty());
            }
        },
    );
}

fn tapes(survey: &mut Survey) {
    survey.cover(
        "Tape::record Tape::forward Tape::backward Tape::gradient VectorTape::record \
         VectorTape::forward VectorTape::jacobian",
        || {
            for count in LENGTHS {
                let inputs = leaves(count);
                let output = Value::dot(&inputs, &inputs) + 1.0;
                let tape = Tape::record(&inputs, &output);
                let row: Vec<_> = NUMBERS.iter().cycle().take(count).copied().collect();
                assert_eq!(tape.gradient(&row).1.len(), count);
                let _ = (
                    tape.forward(&[&row]),
                    tape.backward(&[&row]),
                    format!("{tape:?}"),
                );
                let _ = (tape.forward(&[[0.0; 0]; 0]), tape.backward(&[[0.0; 0]; 0]));
                let vectors = VectorTape::record(&inputs, &[output.clone(), output]);
                assert_eq!(vectors.jacobian(&row).1.len(), 2);
                assert_eq!(vectors.forward(&[&row, &row]).len(), 2);
                let _ = format!("{vectors:?}");
            }
            let [x, w] = [0.0, 0.5].map(Value::new);
            let tape = Tape::record(slice::from_ref(&x), &(w * &x).tanh());
            for count in LENGTHS {
                let rows: Vec<_> = NUMBERS.iter().cycle().take(count).map(|&x| [x]).collect();
                assert_eq!(tape.forward(&rows).len(), count);
                assert!(tape.backward(&rows).is_nan());
            }
        },
    );
    survey.cover(
        "Tape::trace Tape::trace_slice Tape::inputs Tape::parameters Tape::freeze Tape::value \
         Tape::backward_value Tape::gradients VectorTape::trace VectorTape::trace_slice \
         VectorTape::inputs VectorTape::parameters VectorTape::freeze VectorTape::values \
         Function::evaluator Function::forward Function::gradient Function::gradients \
         Evaluator::forward Evaluator::gradient Evaluator::gradients VectorFunction::evaluator \
         VectorFunction::forward VectorFunction::jacobian VectorEvaluator::forward \
         VectorEvaluator::jacobian",
        || {
            for count in LENGTHS {
                let tape = Tape::trace_slice(count, |inputs| Value::dot(inputs, inputs) + 1.0);
                let row: Vec<_> = NUMBERS.iter().cycle().take(count).copied().collect();
                assert_eq!(tape.inputs(), count);
                let _ = tape.parameters();
                let function = tape.freeze();
                let mut evaluator = function.evaluator();
                let rows = [&row[..], &row];
                assert_eq!(tape.gradients(&rows).len(), 2);
                assert_eq!(function.gradients(&rows).len(), 2);
                assert_eq!(evaluator.gradients(&rows).len(), 2);
                let _ = (function.forward(&rows), evaluator.forward(&rows));
                let _ = (function.gradient(&row), evaluator.gradient(&row));
                let _ = format!("{function:?} {evaluator:?}");
                let vectors = VectorTape::trace_slice(count, |inputs| [inputs.iter().sum()]);
                assert_eq!(vectors.inputs(), count);
                let _ = vectors.parameters();
                let function = vectors.freeze();
                let mut evaluator = function.evaluator();
                let _ = (function.forward(&rows), evaluator.forward(&rows));
                let _ = (function.jacobian(&row), evaluator.jacobian(&row));
                let _ = format!("{function:?} {evaluator:?}");
            }
            for x in NUMBERS.map(Value::new) {
                let tape = Tape::trace(|[]| x.exp());
                let _ = (tape.value(), tape.backward_value());
                let _ = VectorTape::trace(|[]| [x.exp(), x]).values();
            }
        },
    );
    survey.cover("Tape::find_anomaly", || {
        for count in [0, 1, 1_000] {
            let inputs = leaves(count);
            let tape = Tape::record(&inputs, &(inputs.iter().sum::<Value>() + 1.0));
            let rows: Vec<_> = NUMBERS.iter().map(|&number| vec![number; count]).collect();
            assert_eq!(tape.find_anomaly(&rows).is_some(), count > 0);
        }
    });
}

fn losses(survey: &mut Survey) {
    let of_pairs = [
        loss::mean_squared_error,
        loss::mean_absolute_error,
        loss::binary_cross_entropy_with_logits,
        loss::hinge,
    ];
    survey.cover(
        "mean_squared_error mean_absolute_error huber binary_cross_entropy_with_logits \
         hinge",
        || {
            for (p, t) in pairs() {
                for loss in of_pairs {
                    use_up(&loss(&[Value::new(p)], &[Value::new(t)]));
                }
            }
            for delta in at_least_zero().filter(|&delta| delta > 0.0) {
                use_up(&loss::huber(&leaves(12), &leaves(12), delta));
            }
            for count in LENGTHS {
                let (p, t) = (leaves(count), vec![Value::new(1.0); count]);
                use_up(&loss::mean_squared_error(&p, &t));
                use_up(&loss::huber(&p, &t, 1.0));
            }
        },
    );
    survey.cover(
        "cross_entropy cross_entropy_of_class log_softmax softmax one_hot l1_penalty l2_penalty",
        || {
            for (x, y) in pairs() {
                let logits = [x, y].map(Value::new);
                use_up(&loss::cross_entropy(&logits, &leaves(2), 0.1));
                use_up(&loss::cross_entropy_of_class(&logits, 1, 1.0));
            }
            for count in LENGTHS.into_iter().filter(|&count| count > 0) {
                let logits = leaves(count);
                let targets: Vec<_> = loss::one_hot(0, count)
                    .into_iter()
                    .map(Value::new)
                    .collect();
                use_up(&loss::cross_entropy(&logits, &targets, 0.0));
                assert_eq!(loss::log_softmax(&logits).len(), count);
                assert_eq!(loss::softmax(&logits).len(), count);
            }
            for count in LENGTHS {
                use_up(&loss::l1_penalty(&leaves(count)));
                use_up(&loss::l2_penalty(&leaves(count)));
            }
        },
    );
}

fn metrics(survey: &mut Survey) {
    survey.cover("accuracy binary_accuracy r2 argmax", || {
        for count in LENGTHS {
            let numbers: Vec<_> = NUMBERS.iter().cycle().take(count).copied().collect();
            let _ = (
                accuracy(&vec![3; count], &vec![4; count]),
                r2(&numbers, &numbers),
            );
            let _ = binary_accuracy(&numbers, &numbers);
            if count > 0 {
                assert_eq!(argmax(&numbers), 0); // NaN
            }
        }
        for (x, y) in pairs() {
            let _ = (
                r2(&[x, y], &[y, x]),
                binary_accuracy(&[x], &[y]),
                argmax(&[x, y]),
            );
        }
    });
    let functions = "ConfusionMatrix::new ConfusionMatrix::rows ConfusionMatrix::precision \
         ConfusionMatrix::recall ConfusionMatrix::f1 ConfusionMatrix::svg \
         ConfusionMatrix::evcxr_display";
    survey.cover(functions, || {
        for count in LENGTHS {
            let matrix = ConfusionMatrix::new(&vec![0; count], &vec![1; count], 2);
            assert_eq!((matrix.rows()[1][0], matrix.rows().len()), (count, 2));
            assert_eq!(matrix.precision()[1], 0.0);
            let _ = (matrix.recall(), matrix.f1(), matrix.to_string());
        }
        let empty = ConfusionMatrix::new(&[], &[], 0);
        let _ = (empty.to_string(), empty.svg());
        empty.evcxr_display();
    });
}

fn data(survey: &mut Survey) {
    survey.cover("make_moons rng epoch_rng", || {
        for count in LENGTHS {
            let epoch = count as u64;
            assert_eq!(
                make_moons(count, 0.1, &mut epoch_rng(0, epoch)).len(),
                count
            );
        }
        for noise in NUMBERS {
            let _ = make_moons(3, noise, &mut rng(0));
        }
    });
    survey.cover("train_test_split stratified_split batches", || {
        for count in LENGTHS {
            let rows: Vec<_> = (0..count).collect();
            for size in [7, usize::MAX] {
                let batches = batches(&rows, size, &mut rng(0));
                assert_eq!(batches.map(|batch| batch.len()).sum::<usize>(), count);
            }
            for fraction in NUMBERS
                .into_iter()
                .filter(|fraction| (0.0..=1.0).contains(fraction))
            {
                let (train, test) = train_test_split(rows.clone(), fraction, &mut rng(0));
                assert_eq!(train.len() + test.len(), count);
                let of_class = |row: &usize| row % 3;
                let (train, test) = stratified_split(train, of_class, fraction, &mut rng(0));
                assert!(train.len() + test.len() <= count);
            }
        }
    });
    survey.cover(
        "StandardScaler::new StandardScaler::fit StandardScaler::mean StandardScaler::scale \
         StandardScaler::transform StandardScaler::inverse_transform",
        || {
            for (x, y) in pairs() {
                let scaler = StandardScaler::new(&[x], &[y]);
                let _ = scaler.inverse_transform(&scaler.transform(&[x]));
                let scaler = StandardScaler::fit(&[[x], [y]]);
                let _ = (scaler.mean(), scaler.scale());
                let _ = scaler.inverse_transform(&scaler.transform(&[x]));
            }
            for count in LENGTHS {
                let row = vec![0.5; count];
                assert_eq!(
                    StandardScaler::fit(&[&row, &row]).transform(&row).len(),
                    count
                );
                let _ = StandardScaler::fit(&vec![[0.5]; count]);
            }
        },
    );
}
