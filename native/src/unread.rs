//! Why a value was not read.

use pyo3::PyErr;

/// The value is not one to read here: damaged, unusual, or Python raised. Two words at most, as it comes with each
/// object that is read.
pub struct Unread(Option<Box<PyErr>>);

impl Unread {
    /// The data is not as it should be.
    pub const DATA: Self = Self(None);

    /// What Python raised, if it did.
    pub fn raised(self) -> Option<PyErr> {
        self.0.map(|error| *error)
    }
}

impl From<PyErr> for Unread {
    fn from(error: PyErr) -> Self {
        Self(Some(Box::new(error)))
    }
}
