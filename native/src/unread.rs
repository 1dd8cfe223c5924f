//! Why a value was not read.

use pyo3::{PyErr, Python};

/// The value is not one to read here: damaged, unusual, or Python raised. As small as can be, for it may come with each
/// object that is read, and made without memory.
pub struct Unread(());

impl Unread {
    /// The data is not as it should be.
    pub const DATA: Self = Self(());

    /// What Python raised, if it did: to be asked for once, at the end.
    pub fn raised(self, py: Python<'_>) -> Option<PyErr> {
        PyErr::take(py)
    }
}

impl From<PyErr> for Unread {
    /// Gives the exception back to Python, which keeps it until it is asked for.
    fn from(error: PyErr) -> Self {
        Python::attach(|py| error.restore(py));
        Self(())
    }
}
