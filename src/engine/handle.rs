//! The other methods of a handle: they write the numbers of its node, name it and identify it.

use std::cell::{Ref, RefMut};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use super::graph::{Value, ValueData};
use super::label::Label;

impl Value {
    /// Sets the node's number, as an optimizer does for a parameter.
    ///
    /// Do so before the forward pass: values already computed from the node do not change, and
    /// `backward` on them would mix the new number with the old results.
    ///
    /// # Panics
    ///
    /// If a guard of this node is alive.
    #[inline]
    #[track_caller]
    pub fn set_data(&self, data: f64) {
        self.0.numbers.borrow_mut().data = data;
    }

    #[inline]
    #[track_caller]
    pub(crate) fn add_grad(&self, grad: f64) {
        self.0.numbers.borrow_mut().grad += grad;
    }

    /// Sets the node's gradient, as clipping does for a parameter.
    ///
    /// # Panics
    ///
    /// If a guard of this node is alive.
    #[inline]
    #[track_caller]
    pub fn set_grad(&self, grad: f64) {
        self.0.numbers.borrow_mut().grad = grad;
    }

    /// Sets the node's gradient to 0.
    ///
    /// # Panics
    ///
    /// If a guard of this node is alive.
    #[inline]
    #[track_caller]
    pub fn zero_grad(&self) {
        self.0.numbers.borrow_mut().grad = 0.0;
    }

    /// Both numbers, to read.
    ///
    /// # Panics
    ///
    /// If a guard from [`borrow_mut`](Self::borrow_mut) is alive.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, ValueData> {
        self.0.numbers.borrow()
    }

    /// Both numbers, to read and write.
    ///
    /// # Panics
    ///
    /// If another guard of this node is alive.
    #[track_caller]
    pub fn borrow_mut(&self) -> RefMut<'_, ValueData> {
        self.0.numbers.borrow_mut()
    }

    /// Whether the value is a leaf: made by the user, not computed.
    #[inline]
    pub fn is_leaf(&self) -> bool {
        self.0.origin.is_none()
    }

    /// Whether both are handles to the same node.
    pub fn same_node(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The node's identity, as a key for a map or a set.
    pub fn id(&self) -> NodeId {
        NodeId(Rc::as_ptr(&self.0).cast())
    }

    /// The same node, named. The name is shown wherever the graph is.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        self.set_name(name);
        self
    }

    /// The node's name, if it was given one.
    pub fn name(&self) -> Option<String> {
        self.label().name.map(String::from)
    }

    pub(crate) fn set_name(&self, name: impl Into<String>) {
        let name = Some(name.into().into_boxed_str());
        let label = self.0.label.take();
        self.0.label.set(Label { name, ..label });
    }

    pub(crate) fn label(&self) -> Label {
        let label = self.0.label.take();
        self.0.label.set(label.clone());
        label
    }

    pub(crate) fn set_label(&self, label: Label) {
        self.0.label.set(label);
    }

    /// Panics if the numbers of any of these parameters cannot be written, before any is written.
    #[track_caller]
    pub(crate) fn expect_writable(parameters: &[Self]) {
        for (i, parameter) in parameters.iter().enumerate() {
            assert!(parameter.is_writable(), "a guard of parameter {i} is alive");
        }
    }

    /// Whether no guard is alive.
    pub(crate) fn is_writable(&self) -> bool {
        self.0.numbers.try_borrow_mut().is_ok()
    }

    /// Panics if one of these is not a leaf, or occurs twice.
    #[track_caller]
    pub(crate) fn expect_distinct_leaves(role: &str, leaves: &[Self]) {
        let mut indices = HashMap::with_capacity(leaves.len());
        for (i, leaf) in leaves.iter().enumerate() {
            assert!(
                leaf.is_leaf(),
                "{role} {i} is not a leaf: it was computed from other values"
            );
            if let Some(first) = indices.insert(leaf.id(), i) {
                panic!("{role} {i} is the same leaf as {role} {first}");
            }
        }
    }
}

/// The identity of a node: no other node has it while a handle to this one is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(*const ());

impl Default for Value {
    /// A leaf of 0.
    #[track_caller]
    fn default() -> Self {
        Self::new(0.0)
    }
}

impl From<f64> for Value {
    #[track_caller]
    fn from(data: f64) -> Self {
        Self::new(data)
    }
}

impl From<&Value> for Value {
    /// Another handle to the same node.
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

impl fmt::Debug for Value {
    /// Both numbers, with the formatter's precision. Does not panic where a guard hides them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(numbers) = self.0.numbers.try_borrow() else {
            return write!(f, "Value(<borrowed>)");
        };
        let ValueData { data, grad } = *numbers;
        match f.precision() {
            Some(digits) => write!(f, "Value(data={data:.digits$}, grad={grad:.digits$})"),
            None => write!(f, "Value(data={data}, grad={grad})"),
        }
    }
}

impl fmt::Display for Value {
    /// The number, with the formatter's precision and width.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.data(), f)
    }
}
