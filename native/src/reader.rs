//! What Python holds: a reader for one schema.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::cursor::Cursor;
use crate::schema::Compiler;
use crate::shape::Shape;
use crate::unread::Unread;

/// Reads values of one hardened record schema.
#[pyclass(frozen, module = "distinct_consumer_native")]
pub struct Reader {
    shape: Arc<Shape>,
    otherwise: Py<PyAny>,
}

#[pymethods]
impl Reader {
    /// `meanings`: fastavro's readers of logical types. `otherwise(value, start)` gives what is not read here, or raises.
    ///
    /// Raises an Exception, of any type, where the schema is not one to read here.
    #[new]
    fn new(schema: &Bound<'_, PyDict>, meanings: &Bound<'_, PyDict>, otherwise: Py<PyAny>) -> PyResult<Self> {
        let shape = Compiler::new(meanings)?.shape(schema.as_any())?;
        match *shape {
            Shape::Record(_) => Ok(Self { shape, otherwise }),
            _ => Err(PyValueError::new_err("not the schema of a record")),
        }
    }

    /// The datum at `start`, and where it ended.
    fn read<'py>(&self, value: &Bound<'py, PyBytes>, start: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        // Where there is no memory left for an object, the library that makes it panics.
        let read = catch_unwind(AssertUnwindSafe(|| self.datum(value.as_bytes(), start, py)));
        match read.unwrap_or(Err(Unread::DATA)) {
            Ok(read) => read.into_pyobject(py).map(Bound::into_any),
            Err(unread) => match unread.raised(py) {
                // Who interrupts the process means all of it. Anything else is for the other reader to say.
                Some(error) if !error.is_instance_of::<PyException>(py) => Err(error),
                _ => self.otherwise.bind(py).call1((value, start)),
            },
        }
    }
}

impl Reader {
    fn datum<'py>(&self, data: &[u8], start: usize, py: Python<'py>) -> Result<(Bound<'py, PyAny>, usize), Unread> {
        let mut cursor = Cursor::new(data.get(start..).ok_or(Unread::DATA)?);
        let datum = self.shape.read(py, &mut cursor)?;
        Ok((datum, data.len().saturating_sub(cursor.left())))
    }
}
