//! The number type on which the rules run to make a gradient text: an expression, which is printed
//! as a formula, or as source code in `ops/language.rs`.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};
use std::rc::Rc;

use super::{
    Arity, FRAC_1_SQRT_2PI, Op, Row, UNREAD, define_number, define_rules, none, operations,
};

/// A number that is not known yet. Clones share their parts, so a common factor of a rule is the
/// same expression everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Expression(Rc<Form>);

#[derive(Debug)]
pub(crate) enum Form {
    /// A number by its name.
    Name(String),
    Constant(f64),
    /// op(x, y); with one argument, y is not read.
    Apply(Op, [Expression; 2]),
}

operations!(define_number Expression);
operations!(define_rules expression_vjp_x, expression_vjp_y, Expression, &Expression);

impl Expression {
    pub(crate) fn name(name: impl Into<String>) -> Self {
        Self(Rc::new(Form::Name(name.into())))
    }

    pub(crate) fn form(&self) -> &Form {
        &self.0
    }

    pub(crate) fn apply(op: Op, x: &Self, y: &Self) -> Self {
        Self(Rc::new(Form::Apply(op, [x.clone(), y.clone()])))
    }

    /// The same expression with less to compute and the same bits: operations on constants are
    /// carried out, and powers that need no `pow` become products, quotients and roots.
    pub(crate) fn folded(&self) -> Self {
        let (op, [x, y]) = match self.form() {
            Form::Apply(op, arguments) => (*op, arguments.each_ref().map(Self::folded)),
            Form::Name(_) | Form::Constant(_) => return self.clone(),
        };
        let is_unary = op.arity() == Arity::Unary;
        let is_nan = |side: &Self| side.constant().is_some_and(f64::is_nan);
        match (x.constant(), y.constant()) {
            _ if matches!(op, Op::AtMost | Op::Equals) && (is_nan(&x) || is_nan(&y)) => 0.0.into(),
            (Some(x), _) if is_unary => op.value(x, UNREAD).into(),
            (Some(x), Some(y)) => op.value(x, y).into(),
            (Some(1.0), None) if op == Op::Mul => y,
            (None, Some(1.0)) if matches!(op, Op::Mul | Op::Div) => x,
            (None, Some(condition)) if op.is_choice() => Self::chosen(op, x, condition),
            (None, Some(exponent)) if op == Op::Pow => Self::power(&x, exponent),
            _ => Self::apply(op, &x, &y),
        }
    }

    /// The same expression without the choices that constants decide. Nothing else is computed, so
    /// that a reader recognizes the rule.
    pub(crate) fn decided(&self) -> Self {
        let (op, [x, y]) = match self.form() {
            Form::Apply(op, arguments) => (*op, arguments.each_ref().map(Self::decided)),
            Form::Name(_) | Form::Constant(_) => return self.clone(),
        };
        if op.is_choice()
            && let Some(condition) = y.folded().constant()
        {
            return Self::chosen(op, x, condition);
        }
        Self::apply(op, &x, &y)
    }

    /// `x` or 0, as the condition of a `when` or `unless` says.
    fn chosen(op: Op, x: Self, condition: f64) -> Self {
        let is_kept = (condition != 0.0) == (op == Op::When);
        if is_kept { x } else { 0.0.into() }
    }

    fn power(x: &Self, exponent: f64) -> Self {
        let square = || Self::apply(Op::Mul, x, x);
        let root = || Self::apply(Op::Sqrt, x, &UNREAD.into());
        let inverse = |x: &Self| Self::apply(Op::Div, &1.0.into(), x);
        let is_name = matches!(x.form(), Form::Name(_)); // else it would be computed twice
        match exponent {
            1.0 => x.clone(),
            2.0 if is_name => square(),
            3.0 if is_name => Self::apply(Op::Mul, &square(), x),
            0.5 => root(),
            -0.5 => inverse(&root()),
            -1.0 => inverse(x),
            -2.0 if is_name => inverse(&square()),
            _ => Self::apply(Op::Pow, x, &exponent.into()),
        }
    }

    /// Whether both are the same expression when written out.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self.form(), other.form()) {
            (Form::Name(this), Form::Name(other)) => this == other,
            (Form::Constant(this), Form::Constant(other)) => this.to_bits() == other.to_bits(),
            (Form::Apply(op, these), Form::Apply(other, others)) => {
                op == other && (0..2).all(|side| these[side].is_same(&others[side]))
            }
            _ => false,
        }
    }

    /// The largest operation that occurs more than once, if there is one.
    pub(crate) fn common(expressions: &[Self]) -> Option<Self> {
        let mut operations = Vec::new();
        for expression in expressions {
            expression.operations(&mut operations);
        }
        let occurs_again = |i: usize| {
            let mut others = operations[i + 1..].iter();
            others.any(|other| other.is_same(&operations[i]))
        };
        let common = (0..operations.len()).find(|&i| occurs_again(i))?;
        Some(operations.swap_remove(common))
    }

    /// Adds all operations of the expression, each before its operands. Comparisons are left out:
    /// they are conditions.
    fn operations(&self, found: &mut Vec<Self>) {
        if let Form::Apply(op, arguments) = self.form() {
            if !matches!(*op, Op::AtMost | Op::Equals) {
                found.push(self.clone());
            }
            let read = if op.arity() == Arity::Unary { 1 } else { 2 };
            arguments[..read]
                .iter()
                .for_each(|argument| argument.operations(found));
        }
    }

    /// The expression with every occurrence of `part` replaced by `other`.
    pub(crate) fn with(&self, part: &Self, other: &Self) -> Self {
        if self.is_same(part) {
            return other.clone();
        }
        match self.form() {
            Form::Apply(op, [x, y]) => Self::apply(*op, &x.with(part, other), &y.with(part, other)),
            Form::Name(_) | Form::Constant(_) => self.clone(),
        }
    }

    pub(crate) fn constant(&self) -> Option<f64> {
        match self.form() {
            Form::Constant(constant) => Some(*constant),
            Form::Name(_) | Form::Apply(..) => None,
        }
    }
}

impl From<f64> for Expression {
    fn from(constant: f64) -> Self {
        Self(Rc::new(Form::Constant(constant)))
    }
}

impl From<&Expression> for Expression {
    fn from(expression: &Expression) -> Self {
        expression.clone()
    }
}

impl Op {
    fn is_choice(self) -> bool {
        matches!(self, Self::When | Self::Unless)
    }

    /// The rules, with expressions for their variables: for each argument, the part that is passed
    /// down to it, if any.
    pub(crate) fn vjps(self, [x, y, out, g]: [&Expression; 4]) -> [Option<Expression>; 2] {
        let has_y = self.arity() == Arity::Binary;
        let to_x = || self.expression_vjp_x(x, y, out, g);
        let to_y = || self.expression_vjp_y(x, y, out, g);
        [
            self.passes_to_x().then(to_x),
            (has_y && self.passes_to_y()).then(to_y),
        ]
    }

    /// The arguments, under the names that the row gives them.
    fn arguments(self) -> [Expression; 2] {
        let names = self.parameters();
        [0, 1].map(|i| Expression::name(*names.get(i).unwrap_or(&"")))
    }

    /// The value as a formula of its arguments: `tanh(x)`, `x · y`.
    ///
    /// ```
    /// use micrograd::engine::Op;
    ///
    /// let formulas: Vec<_> = Op::ALL[..4].iter().map(|op| op.formula()).collect();
    /// assert_eq!(formulas, ["x + y", "x - y", "x · y", "x / y"]);
    /// ```
    #[must_use]
    pub fn formula(self) -> String {
        let [x, y] = self.arguments();
        Expression::apply(self, &x, &y).formula()
    }

    /// The part of the gradient that is passed down to each argument: a formula of the arguments,
    /// the result `out` and the upstream gradient `g`. `None` where nothing is passed down.
    ///
    /// ```
    /// use micrograd::engine::{Operation, Value};
    ///
    /// let y = Value::new(0.5).tanh();
    /// let Operation::Apply { op, .. } = y.operation() else {
    ///     panic!("tanh is an operation of the table");
    /// };
    /// assert_eq!(op.gradient_formulas(), [Some("g · (1 - out · out)".into()), None]);
    /// ```
    #[must_use]
    pub fn gradient_formulas(self) -> [Option<String>; 2] {
        let rules = self.rules([None, None]);
        rules.map(|rule| rule.as_ref().map(Expression::formula))
    }

    /// The rules in the names of the row, but with these constants for its arguments, and without
    /// the choices that they decide.
    pub(crate) fn rules(self, constants: [Option<f64>; 2]) -> [Option<Expression>; 2] {
        let [x, y] = self.arguments();
        let [x, y] = [(x, constants[0]), (y, constants[1])]
            .map(|(name, constant)| constant.map_or(name, Expression::from));
        let [out, g] = ["out", "g"].map(Expression::name);
        let vjps = self.vjps([&x, &y, &out, &g]);
        vjps.map(|vjp| vjp.as_ref().map(Expression::decided))
    }

    /// A rule with numbers for its names.
    pub(crate) fn in_numbers(self, rule: &Expression, [x, y, out, g]: [f64; 4]) -> Expression {
        let [x_name, y_name] = self.arguments();
        let [out_name, g_name] = ["out", "g"].map(Expression::name);
        [(x_name, x), (y_name, y), (out_name, out), (g_name, g)]
            .into_iter()
            .fold(rule.clone(), |rule, (name, number)| {
                rule.with(&name, &number.into())
            })
    }
}

/// How tightly an expression binds. An operand that binds less tightly than its place requires
/// needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Binding {
    Choice,
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
    Atom,
}

/// A text, and how tightly it binds.
pub(crate) struct Text(pub(crate) String, pub(crate) Binding);

impl Text {
    pub(crate) fn atom(text: impl Into<String>) -> Self {
        Self(text.into(), Binding::Atom)
    }

    /// The text, in parentheses if it binds less tightly than this.
    pub(crate) fn at_least(self, binding: Binding) -> String {
        if self.1 < binding {
            format!("({})", self.0)
        } else {
            self.0
        }
    }

    /// Two operands around a sign. Operations of equal binding are read from left to right.
    /// Rounding depends on the order, so one on the right gets parentheses.
    pub(crate) fn infix(x: Self, sign: &str, y: Self, binding: Binding) -> Self {
        let tighter = match binding {
            Binding::Choice | Binding::Comparison => Binding::Sum,
            Binding::Sum => Binding::Product,
            Binding::Product => Binding::Sign,
            Binding::Sign | Binding::Power | Binding::Atom => Binding::Atom,
        };
        // `x ≤ y ≤ z` would be read as a chain.
        let first = if binding <= Binding::Comparison {
            tighter
        } else {
            binding
        };
        let (x, y) = (x.at_least(first), y.at_least(tighter));
        Self(format!("{x} {sign} {y}"), binding)
    }

    pub(crate) fn negated(x: Self) -> Self {
        Self(format!("-{}", x.at_least(Binding::Power)), Binding::Sign)
    }

    /// A number; a negative one gets parentheses in any operation.
    pub(crate) fn number(number: f64, text: String) -> Self {
        let is_negative = number.is_sign_negative() && !number.is_nan();
        let binding = if is_negative {
            Binding::Choice
        } else {
            Binding::Atom
        };
        Self(text, binding)
    }
}

/// Constants of the rules that have a name.
const NAMED: [(f64, &str); 4] = [
    (LN_2, "ln(2)"),
    (LN_10, "ln(10)"),
    (FRAC_2_SQRT_PI, "(2 / √π)"),
    (FRAC_1_SQRT_2PI, "(1 / √(2π))"),
];

/// A number in a formula, with an exponent where it would be long without one.
pub(crate) fn number_text(number: f64) -> String {
    let mut text = format!("{number:?}");
    if text.ends_with(".0") {
        text.truncate(text.len() - 2);
    }
    text
}

impl Expression {
    /// The expression as a formula. Terms of 0 and factors of 1 are left out, which a computation
    /// must not do: 0 + x is 0 where x is -0.
    pub(crate) fn formula(&self) -> String {
        self.in_formula(true).0
    }

    /// The same with all terms and factors, as in a computation by hand.
    pub(crate) fn full_formula(&self) -> String {
        self.in_formula(false).0
    }

    fn in_formula(&self, leaves_out: bool) -> Text {
        let (op, [x, y]) = match self.form() {
            Form::Name(name) => return Text::atom(name),
            Form::Constant(number) => {
                let named = NAMED.iter().find(|(named, _)| named == number);
                return match named {
                    Some((_, name)) => Text::atom(*name),
                    None => Text::number(*number, number_text(*number)),
                };
            }
            Form::Apply(op, arguments) => (*op, arguments),
        };
        let is_left_out = |side: &Self, number| leaves_out && side.constant() == Some(number);
        let [x_text, y_text] = [x, y].map(|side| side.in_formula(leaves_out));
        match op {
            Op::Add if is_left_out(x, 0.0) => y_text,
            Op::Mul if is_left_out(x, 1.0) => y_text,
            Op::Add | Op::Sub if is_left_out(y, 0.0) => x_text,
            Op::Mul | Op::Div if is_left_out(y, 1.0) => x_text,
            _ => Self::apply_in_formula(op, x_text, y_text),
        }
    }

    fn apply_in_formula(op: Op, x: Text, y: Text) -> Text {
        match op {
            Op::Add => Text::infix(x, "+", y, Binding::Sum),
            Op::Sub => Text::infix(x, "-", y, Binding::Sum),
            Op::Mul => Text::infix(x, "·", y, Binding::Product),
            Op::Div => Text::infix(x, "/", y, Binding::Product),
            Op::Neg => Text::negated(x),
            Op::Recip => Text::infix(Text::atom("1"), "/", x, Binding::Product),
            Op::Pow => {
                let [x, y] = [x, y].map(|side| side.at_least(Binding::Atom));
                Text(format!("{x}^{y}"), Binding::Power)
            }
            Op::AtMost => Text::infix(x, "≤", y, Binding::Comparison),
            Op::Equals => Text::infix(x, "=", y, Binding::Comparison),
            Op::When => Text::infix(x, "when", y, Binding::Choice),
            Op::Unless => Text::infix(x, "unless", y, Binding::Choice),
            _ if op.arity() == Arity::Unary => Text::atom(format!("{}({})", op.name(), x.0)),
            _ => Text::atom(format!("{}({}, {})", op.name(), x.0, y.0)),
        }
    }
}

#[cfg(test)]
mod tests;
