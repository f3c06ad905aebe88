//! Comparison with numbers from PyTorch and mpmath that `tests/pytorch/operations.py` wrote.

use std::iter;

use super::*;
use crate::common::close::is_close;
use crate::common::golden;
use crate::engine::Quantity;
use crate::ops::UNREAD;

const BY_PYTORCH: &str = include_str!("../../../tests/pytorch/operations.csv");
const EXACT: &str = include_str!("../../../tests/pytorch/exact.csv");
const GRAPHS: &str = include_str!("../../../tests/pytorch/graphs.csv");

/// A deliberate difference from PyTorch.
struct Difference {
    op: Op,
    at: fn(f64, f64) -> bool,
    because: &'static str,
}

const DIFFERENCES: [Difference; 8] = [
    Difference {
        op: Op::Acosh,
        at: |x, _| x == -1.0,
        because: "the slope of the NaN is infinite, with the sign of (x - 1)(x + 1) = -0",
    },
    Difference {
        op: Op::Signum,
        at: |x, _| x.is_nan(),
        because: "NaN passes through",
    },
    Difference {
        op: Op::ClampMin,
        at: |x, lo| x == lo,
        because: "at its bound x is the result, and its slope is 1",
    },
    Difference {
        op: Op::ClampMax,
        at: |x, hi| x == hi,
        because: "at its bound x is the result, and its slope is 1",
    },
    Difference {
        op: Op::Softplus,
        at: |x, _| x > 20.0,
        because: "above 20, PyTorch replaces softplus(x) by x, which is off by up to 2e-9",
    },
    Difference {
        op: Op::Pow,
        at: |x, y| (x == f64::NEG_INFINITY || x == 0.0) && y == 0.5,
        because: "an exponent of 1/2 is a square root; in PyTorch, only a constant exponent is",
    },
    Difference {
        op: Op::Atan2,
        at: |x, y| x.hypot(y) != 0.0 && x * x + y * y == 0.0,
        because: "the squares of the arguments underflow, so PyTorch takes it for the origin",
    },
    Difference {
        op: Op::LeakyRelu,
        at: |x, _| x.is_nan(),
        because: "NaN is on neither side",
    },
];

/// A line of `operations.csv` or `exact.csv`: an operation at a point, its value and its gradient.
struct Golden {
    op: Op,
    x: f64,
    y: f64,
    theirs: Numbers,
}

/// A value, and its derivatives with respect to the arguments that vary.
type Numbers = [Option<f64>; 3];

fn goldens(csv: &'static str) -> impl Iterator<Item = Golden> {
    golden::lines(csv).map(|line| {
        let mut cells = line.split(',');
        let op = operation(cells.next().unwrap());
        let [x, y, value, dx, dy] = std::array::from_fn(|_| {
            let cell = cells.next().unwrap();
            (!cell.is_empty()).then(|| number(cell))
        });
        Golden {
            op,
            x: x.unwrap(),
            y: y.unwrap_or(UNREAD),
            theirs: [value, dx, dy],
        }
    })
}

fn operation(name: &str) -> Op {
    let named = Op::ALL.iter().find(|op| op.name() == name);
    *named.unwrap_or_else(|| panic!("no operation is called {name}"))
}

fn number(cell: &str) -> f64 {
    golden::numbers(cell)[0]
}

impl Golden {
    fn ours(&self) -> Numbers {
        let [x, y] = [self.x, self.y].map(Value::new);
        let out = apply_to_nodes(self.op, &x, &y);
        out.backward();
        let has_y = self.op.arity() == Arity::Binary;
        [Some(out.data()), Some(x.grad()), has_y.then(|| y.grad())]
    }

    fn agrees(&self, tolerance: impl Fn(f64) -> f64) -> bool {
        iter::zip(self.ours(), self.theirs).all(|(ours, theirs)| match (ours, theirs) {
            (Some(ours), Some(theirs)) => is_close(ours, theirs, tolerance(theirs)),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        })
    }

    #[track_caller]
    fn assert_agrees(&self, tolerance: impl Fn(f64) -> f64) {
        let Self {
            op, x, y, theirs, ..
        } = self;
        let ours = self.ours();
        assert!(
            self.agrees(tolerance),
            "{op:?}({x:e}, {y:e}): {ours:?} instead of {theirs:?}"
        );
    }
}

#[test]
fn every_operation_agrees_with_pytorch_but_for_the_listed_differences() {
    let mut differing = Vec::new();
    for golden in goldens(BY_PYTORCH) {
        let tolerance = |theirs: f64| 1e-12 * theirs.abs().max(1.0);
        let listed = DIFFERENCES
            .iter()
            .find(|it| it.op == golden.op && (it.at)(golden.x, golden.y));
        match listed {
            Some(difference) if !golden.agrees(tolerance) => differing.push(difference.op),
            _ => golden.assert_agrees(tolerance),
        }
    }
    for Difference { op, because, .. } in DIFFERENCES {
        assert!(differing.contains(&op), "{op:?} does not differ: {because}");
    }
}

/// The gradients of tanh and sigmoid are computed from the result. In the tails, they are only as
/// precise as the result allows: the absolute error is about 10⁻¹⁶, as in PyTorch.
const ABSOLUTELY_EXACT: [Op; 2] = [Op::Tanh, Op::Sigmoid];

#[test]
fn every_smooth_operation_is_exact_to_twelve_digits_where_it_is_well_conditioned() {
    for golden in goldens(EXACT) {
        let least = if ABSOLUTELY_EXACT.contains(&golden.op) {
            1.0
        } else {
            0.0
        };
        golden.assert_agrees(|theirs| 1e-12 * theirs.abs().max(least));
    }
}

#[test]
fn every_operation_has_numbers_to_compare_with() {
    for &op in Op::ALL {
        let count = goldens(BY_PYTORCH)
            .chain(goldens(EXACT))
            .filter(|golden| golden.op == op)
            .count();
        assert!(
            count >= 40,
            "{op:?} is compared at only {count} points; tests/pytorch/operations.py makes them"
        );
    }
}

#[test]
fn random_graphs_agree_with_pytorch() {
    let mut graphs = 0;
    for line in golden::lines(GRAPHS) {
        let [
            leaves,
            steps,
            value,
            gradient,
            largest_value,
            largest_gradient,
        ] = golden::cells(line);
        let leaves: Vec<_> = golden::numbers(leaves)
            .into_iter()
            .map(Value::new)
            .collect();
        let mut nodes = leaves.clone();
        for step in steps.split(';') {
            nodes.push(apply(step, &nodes));
        }
        let out = &nodes[nodes.len() - 1];
        out.backward();

        let tolerance = 1e-10 * number(largest_value);
        let theirs = number(value);
        assert!(
            is_close(out.data(), theirs, tolerance),
            "{out} instead of {theirs}: {line}"
        );
        let tolerance = 1e-10 * number(largest_gradient);
        let gradient = golden::numbers(gradient);
        assert_eq!(gradient.len(), leaves.len());
        for (leaf, theirs) in iter::zip(&leaves, gradient) {
            assert!(
                is_close(leaf.grad(), theirs, tolerance),
                "gradient {} instead of {theirs}: {line}",
                leaf.grad()
            );
        }
        graphs += 1;
    }
    assert_eq!(graphs, 200);
}

/// Applies a step of a graph: an operation, with operands as indices, or as constants after `=`.
fn apply(step: &str, nodes: &[Value]) -> Value {
    let (name, operands) = step.split_once(' ').unwrap();
    let operands: Vec<Quantity> = operands
        .split(' ')
        .map(|operand| match operand.strip_prefix('=') {
            Some(constant) => Quantity::Constant(number(constant)),
            None => Quantity::Node(nodes[operand.parse::<usize>().unwrap()].clone()),
        })
        .collect();
    let operand_nodes = || {
        operands.iter().map(|operand| match operand {
            Quantity::Node(node) => node.clone(),
            Quantity::Constant(_) => panic!("a constant in {step}"),
        })
    };
    match (name, &operands[..]) {
        ("sum", _) => operand_nodes().sum(),
        ("dot", _) => {
            let nodes: Vec<_> = operand_nodes().collect();
            let side = |i| nodes.iter().skip(i).step_by(2).cloned().collect::<Vec<_>>();
            Value::dot(&side(0), &side(1))
        }
        (name, [x]) => Value::apply(operation(name), x, x),
        (name, [x, y]) => Value::apply(operation(name), x, y),
        _ => panic!("unknown step: {step}"),
    }
}
