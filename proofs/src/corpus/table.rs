//! The operations that a graph may use: rows of the crate's table, by the names of their methods.

use std::ops::{Add, Div, Mul, Neg, Sub};

use micrograd::engine::{Argument, Operand, Value};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name of the method.
    pub name: &'static str,
    /// How it is applied.
    pub function: Function,
}

/// How a row is applied, by the arguments that it takes.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    /// To a node.
    OfOne(fn(&Value) -> Value),
    /// To a node, and a node or a constant.
    OfTwo(fn(&Value, Operand) -> Value),
    /// To a node and a constant.
    WithParameter(fn(&Value, f64) -> Value),
    /// To two nodes, or a node and a constant on either side.
    Operator {
        /// x + y
        nodes: fn(&Value, &Value) -> Value,
        /// x + 2.0
        constant_right: fn(&Value, f64) -> Value,
        /// 2.0 + y
        constant_left: fn(f64, &Value) -> Value,
    },
}

macro_rules! table {
    (
        $(#[$doc:meta])* $TABLE:ident;
        operators: $($operator:ident)*;
        one: $($one:ident)*;
        two: $($two:ident)*;
        parameter: $($parameter:ident)*;
    ) => {
        $(#[$doc])*
        pub const $TABLE: &[Row] = &[
            $(Row {
                name: stringify!($operator),
                function: Function::Operator {
                    nodes: |x, y| x.$operator(y),
                    constant_right: |x, c| x.$operator(c),
                    constant_left: |c, y| c.$operator(y),
                },
            },)*
            $(Row { name: stringify!($one), function: Function::OfOne(|x| x.$one()) },)*
            $(Row { name: stringify!($two), function: Function::OfTwo(|x, y| x.$two(y)) },)*
            $(Row {
                name: stringify!($parameter),
                function: Function::WithParameter(|x, c| x.$parameter(c)),
            },)*
        ];
    };
}

table! {
    /// The rows that graphs are made of.
    TABLE;
    operators: add sub mul div;
    one: neg recip sqrt cbrt exp exp2 exp_m1 ln log2 log10 ln_1p sin cos tan asin acos atan sinh
        cosh tanh asinh acosh atanh abs detach relu sigmoid softplus silu gelu normal_cdf;
    two: pow hypot atan2 max min at_most equals when unless;
    parameter: leaky_relu elu;
}

table! {
    /// The other rows. If graphs used them too, the corpus would change.
    OTHERS;
    operators: ;
    one: floor ceil round round_ties_even trunc signum erf erfc;
    two: ;
    parameter: clamp_min clamp_max;
}

impl Row {
    /// The row of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLE.iter().find(|row| row.name == name)
    }

    /// The result for these arguments.
    ///
    /// # Panics
    ///
    /// If the row does not take these arguments.
    pub fn apply(&self, arguments: &[Argument]) -> Value {
        use Argument::{Constant, Node};
        match (self.function, arguments) {
            (Function::OfOne(f), [Node(x)]) => f(x),
            (Function::OfTwo(f), [Node(x), y]) => f(x, (*y).into()),
            (Function::WithParameter(f), [Node(x), Constant(c)]) => f(x, *c),
            (Function::Operator { nodes, .. }, [Node(x), Node(y)]) => nodes(x, y),
            (Function::Operator { constant_right, .. }, [Node(x), Constant(c)]) => {
                constant_right(x, *c)
            }
            (Function::Operator { constant_left, .. }, [Constant(c), Node(y)]) => {
                constant_left(*c, y)
            }
            _ => panic!("{} does not take {arguments:?}", self.name),
        }
    }

    /// Whether the row passes no gradient to this argument.
    pub fn passes_nothing_to(&self, argument: usize) -> bool {
        match self.name {
            "detach" | "at_most" | "equals" => true,
            "when" | "unless" => argument == 1,
            _ => false,
        }
    }

    /// Whether the result is 1 or 0.
    pub fn is_condition(&self) -> bool {
        matches!(self.name, "at_most" | "equals")
    }
}

/// The numbers at which operations are compared with the same operations in other languages.
pub const POINTS: [f64; 34] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    1000.0,
    -1000.0,
    1e-300,
    -1e-300,
    1e300,
    -1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    -4.3,
    -2.6,
    -2.5,
    -1.7,
    -1.5,
    -0.8,
    -0.35,
    0.3,
    0.7,
    1.25,
    1.5,
    2.3,
    2.5,
    3.7,
    4.1,
    0.499_999_999_999_999_94,
];
