//! Random functions, computed with several kinds of numbers.
//!
//! The tests of this crate compare the derivatives that result from the engine's backward pass, the
//! gradient as a graph, the tape, and the hyper-dual numbers of the crate `num-dual`, which
//! differentiate in forward mode.

use micrograd::engine::Value;
use num_dual::{DualNum, HyperDual64};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

pub mod checkpoints;
pub mod corpus;

/// A number with the functions that are used here.
pub trait Number: Clone {
    /// f(x)
    #[must_use]
    fn unary(&self, function: Unary) -> Self;
    /// f(x, y)
    #[must_use]
    fn binary(&self, function: Binary, y: &Self) -> Self;
    /// f(x, c), for a constant c
    #[must_use]
    fn with_constant(&self, function: Constant, c: f64) -> Self;
    /// The sum of the products of two lists.
    #[must_use]
    fn dot(xs: &[Self], ys: &[Self]) -> Self;
}

macro_rules! functions {
    ($($Name:ident($($function:tt)*)),*) => {
        /// A smooth function of one argument, defined for all of them.
        #[expect(missing_docs, reason = "each is named after the method")]
        #[derive(Clone, Copy, Debug)]
        pub enum Unary { $($Name),* }

        const UNARY: &[Unary] = &[$(Unary::$Name),*];

        fn unary_of_value(x: &Value, function: Unary) -> Value {
            match function { $( Unary::$Name => (functions!(x $($function)*)), )* }
        }

        fn unary_of_dual(x: &HyperDual64, function: Unary) -> HyperDual64 {
            match function { $( Unary::$Name => (functions!(x $($function)*)), )* }
        }
    };
    ($x:ident $method:ident) => { $x.$method() };
    ($x:ident $method:ident of $($inner:tt)*) => { functions!(@ $x $method, $($inner)*) };
    (@ $x:ident $method:ident, square plus one) => { ($x * $x + 1.0).$method() };
    (@ $x:ident $method:ident, tanh) => { $x.tanh().$method() };
    (@ $x:ident $method:ident, half sin) => { ($x.sin() * 0.5).$method() };
}

functions!(
    Sin(sin),
    Cos(cos),
    Atan(atan),
    Tanh(tanh),
    Asinh(asinh),
    Exp(exp of tanh),
    Exp2(exp2 of tanh),
    ExpM1(exp_m1 of tanh),
    Sinh(sinh of tanh),
    Cosh(cosh of tanh),
    Tan(tan of tanh),
    Asin(asin of half sin),
    Acos(acos of half sin),
    Atanh(atanh of half sin),
    Ln1p(ln_1p of half sin),
    Sqrt(sqrt of square plus one),
    Cbrt(cbrt of square plus one),
    Ln(ln of square plus one),
    Log2(log2 of square plus one),
    Log10(log10 of square plus one),
    Recip(recip of square plus one)
);

/// A function of two arguments.
#[expect(missing_docs, reason = "each is named after the operator or method")]
#[derive(Clone, Copy, Debug)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    /// x / (y² + 1)
    Div,
    /// (x² + 1) to the power of tanh(y)
    Pow,
    Max,
    Min,
}

const BINARY: &[Binary] = &[
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::Div,
    Binary::Pow,
    Binary::Max,
    Binary::Min,
];

/// A function of an argument and a constant.
#[expect(missing_docs, reason = "each is named after the operator")]
#[derive(Clone, Copy, Debug)]
pub enum Constant {
    Add,
    Mul,
    /// c - x
    SubFrom,
    /// c / (x² + 1)
    DivBy,
    Square,
    Cube,
    Relu,
}

const CONSTANT: &[Constant] = &[
    Constant::Add,
    Constant::Mul,
    Constant::SubFrom,
    Constant::DivBy,
    Constant::Square,
    Constant::Cube,
    Constant::Relu,
];

impl Number for Value {
    fn unary(&self, function: Unary) -> Self {
        unary_of_value(self, function)
    }

    fn binary(&self, function: Binary, y: &Self) -> Self {
        match function {
            Binary::Add => self + y,
            Binary::Sub => self - y,
            Binary::Mul => self * y,
            Binary::Div => self / (y * y + 1.0),
            Binary::Pow => (self * self + 1.0).pow(y.tanh()),
            Binary::Max => self.max(y),
            Binary::Min => self.min(y),
        }
    }

    fn with_constant(&self, function: Constant, c: f64) -> Self {
        match function {
            Constant::Add => self + c,
            Constant::Mul => c * self,
            Constant::SubFrom => c - self,
            Constant::DivBy => c / (self * self + 1.0),
            Constant::Square => self.pow(2.0),
            Constant::Cube => self.pow(3.0),
            Constant::Relu => self.relu(),
        }
    }

    fn dot(xs: &[Self], ys: &[Self]) -> Self {
        Value::dot(xs, ys)
    }
}

impl Number for HyperDual64 {
    fn unary(&self, function: Unary) -> Self {
        unary_of_dual(self, function)
    }

    fn binary(&self, function: Binary, y: &Self) -> Self {
        let x = *self;
        match function {
            Binary::Add => x + y,
            Binary::Sub => x - y,
            Binary::Mul => x * y,
            Binary::Div => x / (y * y + 1.0),
            Binary::Pow => (x * x + 1.0).powd(y.tanh()),
            Binary::Max => {
                if x.re > y.re {
                    x
                } else {
                    *y
                }
            }
            Binary::Min => {
                if x.re < y.re {
                    x
                } else {
                    *y
                }
            }
        }
    }

    fn with_constant(&self, function: Constant, c: f64) -> Self {
        let x = *self;
        match function {
            Constant::Add => x + c,
            Constant::Mul => x * c,
            Constant::SubFrom => -x + c,
            Constant::DivBy => (x * x + 1.0).recip() * c,
            Constant::Square => x.powi(2),
            Constant::Cube => x.powi(3),
            Constant::Relu => {
                if x.re > 0.0 {
                    x
                } else {
                    Self::from_re(0.0)
                }
            }
        }
    }

    fn dot(xs: &[Self], ys: &[Self]) -> Self {
        let products = xs.iter().zip(ys).map(|(x, y)| x * y);
        products
            .reduce(|sum, product| sum + product)
            .unwrap_or(Self::from_re(0.0))
    }
}

/// How a node is made from earlier ones.
#[derive(Clone, Debug)]
pub enum Step {
    /// From one.
    Unary(Unary, Index),
    /// From two.
    Binary(Binary, Index, Index),
    /// From one and a constant.
    Constant(Constant, Index, f64),
    /// From two lists of the same length.
    Dot(Vec<[Index; 2]>),
}

/// A random function, as a list of steps. The last step gives the output.
#[derive(Clone, Debug)]
pub struct Function {
    steps: Vec<Step>,
}

impl Function {
    /// Any function of 5 to 60 steps.
    pub fn any() -> impl Strategy<Value = Self> {
        let index = any::<Index>;
        let step = prop_oneof![
            3 => (proptest::sample::select(UNARY), index()).prop_map(|(f, x)| Step::Unary(f, x)),
            4 => (proptest::sample::select(BINARY), index(), index())
                .prop_map(|(f, x, y)| Step::Binary(f, x, y)),
            3 => (proptest::sample::select(CONSTANT), index(), -2.0..2.0)
                .prop_map(|(f, x, c)| Step::Constant(f, x, c)),
            1 => vec([index(), index()], 1..6).prop_map(Step::Dot),
        ];
        vec(step, 5..=60).prop_map(|steps| Self { steps })
    }

    /// All nodes, first `xs` and last the output.
    pub fn nodes<N: Number>(&self, xs: &[N]) -> Vec<N> {
        let mut nodes = xs.to_vec();
        for step in &self.steps {
            let operands = step.operands(nodes.len());
            let operands: Vec<_> = operands.into_iter().map(|i| nodes[i].clone()).collect();
            nodes.push(step.of(&operands));
        }
        nodes
    }

    /// The output.
    ///
    /// # Panics
    ///
    /// If `xs` is empty.
    pub fn of<N: Number>(&self, xs: &[N]) -> N {
        self.nodes(xs).pop().expect("a function has steps")
    }

    /// The output, with its nodes made in another order. Only the nodes that it needs are made,
    /// each when it is needed, and commutative operations take their operands in reverse.
    ///
    /// # Panics
    ///
    /// If `xs` is empty.
    pub fn of_mirrored<N: Number>(&self, xs: &[N]) -> N {
        let mut nodes: Vec<Option<N>> = xs.iter().cloned().map(Some).collect();
        nodes.resize(xs.len() + self.steps.len(), None);
        let mut needed = vec![nodes.len() - 1];
        while let Some(&i) = needed.last() {
            if nodes[i].is_none() {
                let step = &self.steps[i - xs.len()];
                let operands = step.operands(i);
                let missing: Vec<_> = operands
                    .iter()
                    .copied()
                    .filter(|&o| nodes[o].is_none())
                    .collect();
                if !missing.is_empty() {
                    needed.extend(missing);
                    continue;
                }
                let operands: Vec<_> = operands
                    .into_iter()
                    .filter_map(|o| nodes[o].clone())
                    .collect();
                nodes[i] = Some(step.of_mirrored(&operands));
            }
            needed.pop();
        }
        nodes.pop().flatten().expect("a function has steps")
    }
}

impl Step {
    /// The indices of the operands among `count` nodes.
    fn operands(&self, count: usize) -> Vec<usize> {
        // Functions read a recent node first, so that the graph gets deep.
        let first = count.saturating_sub(12);
        let recent = |x: &Index| first + x.index(count - first);
        match self {
            Self::Unary(_, x) | Self::Constant(_, x, _) => vec![recent(x)],
            Self::Binary(_, x, y) => vec![recent(x), y.index(count)],
            Self::Dot(pairs) => pairs.iter().flatten().map(|x| x.index(count)).collect(),
        }
    }

    fn of<N: Number>(&self, operands: &[N]) -> N {
        match self {
            Self::Unary(function, _) => operands[0].unary(*function),
            Self::Binary(function, ..) => operands[0].binary(*function, &operands[1]),
            Self::Constant(function, _, c) => operands[0].with_constant(*function, *c),
            Self::Dot(_) => {
                let side = |i| {
                    operands
                        .iter()
                        .skip(i)
                        .step_by(2)
                        .cloned()
                        .collect::<Vec<_>>()
                };
                N::dot(&side(0), &side(1))
            }
        }
    }

    fn of_mirrored<N: Number>(&self, operands: &[N]) -> N {
        let mut operands = operands.to_vec();
        match self {
            Self::Binary(Binary::Add | Binary::Mul | Binary::Max | Binary::Min, ..)
            | Self::Dot(_) => {
                for pair in operands.chunks_mut(2) {
                    pair.reverse();
                }
            }
            _ => {}
        }
        self.of(&operands)
    }
}
