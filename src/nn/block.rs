use crate::engine::Value;

/// Parameters that belong together under one name: an entry of PyTorch's `state_dict`.
#[derive(Clone, Debug)]
pub struct Block {
    name: String,
    shape: Vec<usize>,
    pub(super) values: Vec<Value>,
}

impl Block {
    /// A block of the given shape, its values in row-major order. A scalar has the shape `[]`.
    ///
    /// # Panics
    ///
    /// If the shape does not fit the number of values.
    #[must_use]
    #[track_caller]
    pub fn new(name: impl Into<String>, shape: &[usize], values: Vec<Value>) -> Self {
        let size = shape
            .iter()
            .try_fold(1_usize, |size, &n| size.checked_mul(n));
        assert!(
            size == Some(values.len()),
            "the shape {shape:?} does not fit values of length {}",
            values.len()
        );
        Self {
            name: name.into(),
            shape: shape.to_vec(),
            values,
        }
    }

    /// The block as part of a larger module: `weight` within `layers.0` is `layers.0.weight`.
    #[must_use]
    pub fn within(mut self, module: &str) -> Self {
        self.name = format!("{module}.{}", self.name);
        self
    }

    /// Names the parameters after their places.
    pub(super) fn name_values(&self) {
        for (i, value) in self.values.iter().enumerate() {
            value.set_name(place(&self.name, &self.shape, i));
        }
    }

    /// Panics if a parameter cannot be written.
    #[cfg(feature = "safetensors")]
    #[track_caller]
    pub(crate) fn expect_writable(&self) {
        for (i, value) in self.values.iter().enumerate() {
            assert!(
                value.is_writable(),
                "a guard of {} is alive",
                place(&self.name, &self.shape, i)
            );
        }
    }

    /// The name, such as `layers.0.weight`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape, such as `[out, in]`.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The parameters, in row-major order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// The place of a number in an array: `layers.0.weight[3, 1]`.
pub(super) fn place(name: &str, shape: &[usize], i: usize) -> String {
    let mut rest = i;
    let mut indices = shape.to_vec();
    for index in indices.iter_mut().rev() {
        (rest, *index) = (rest / *index, rest % *index);
    }
    format!("{name}{indices:?}")
}
