//! What a schema says of its values, and how one of them is read.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PyString, PyTuple};

use crate::cursor::Cursor;
use crate::instant::{state, YEARS};
use crate::unread::Unread;

/// A schema, ready to read by. Types that have a name are there once, however often they are used.
pub enum Shape {
    /// Takes no bytes.
    Null,
    /// Any byte but zero is true.
    Boolean,
    /// An int or a long.
    Long,
    /// Four bytes.
    Float,
    /// Eight bytes.
    Double,
    /// A length and so many bytes.
    Bytes,
    /// A length and so many bytes of UTF-8.
    Text,
    /// So many bytes.
    Fixed(usize),
    /// Symbols by index.
    Enum(Vec<Py<PyAny>>),
    /// Fields in their order.
    Record(Vec<Field>),
    /// Branches by index.
    Union(Vec<Branch>),
    /// Items of one shape.
    Array(Arc<Shape>),
    /// Values of one shape, by text.
    Map(Arc<Shape>),
    /// A timestamp.
    Instant(Instant),
    /// What Python makes of a plain value.
    Meaning(Meaning),
}

/// One of a record.
pub struct Field {
    /// Interned.
    pub name: Py<PyString>,
    /// What it holds.
    pub shape: Arc<Shape>,
}

/// One of a union.
pub struct Branch {
    /// What it holds.
    pub shape: Arc<Shape>,
    /// The full name that stands before a record.
    pub name: Option<Py<PyString>>,
}

/// Python's `datetime` and `UTC`, and how many microseconds a unit has.
pub struct Instant {
    /// The class.
    pub datetime: Py<PyAny>,
    /// The time zone.
    pub utc: Py<PyAny>,
    /// 1 or 1000.
    pub unit: i64,
}

impl Instant {
    /// Microseconds since 1970, of a time that Python has a `datetime` for.
    pub fn micros(&self, cursor: &mut Cursor<'_>) -> Result<i64, Unread> {
        let micros = cursor.long()?.checked_mul(self.unit).ok_or(Unread::DATA)?;
        if YEARS.contains(&micros) {
            Ok(micros)
        } else {
            Err(Unread::DATA)
        }
    }
}

/// A logical type that is left to Python: `read(value, schema, None)`.
pub struct Meaning {
    /// The plain type.
    pub plain: Arc<Shape>,
    /// What fastavro calls for it.
    pub read: Py<PyAny>,
    /// What it is handed.
    pub schema: Py<PyAny>,
}

impl Shape {
    /// The value at the cursor, which is behind it then. Calls itself as deep as the schema is, and no deeper.
    pub fn read<'py>(&self, py: Python<'py>, cursor: &mut Cursor<'_>) -> Result<Bound<'py, PyAny>, Unread> {
        Ok(match self {
            Self::Text => PyString::from_bytes(py, cursor.sized()?)?.into_any(),
            Self::Union(branches) => return read_branch(py, cursor, branches),
            Self::Null => py.None().into_bound(py),
            Self::Long => whole(py, cursor.long()?),
            Self::Boolean => PyBool::new(py, cursor.byte()? != 0).to_owned().into_any(),
            Self::Float => PyFloat::new(py, f64::from(f32::from_le_bytes(cursor.array()?))).into_any(),
            Self::Double => PyFloat::new(py, f64::from_le_bytes(cursor.array()?)).into_any(),
            Self::Bytes => PyBytes::new(py, cursor.sized()?).into_any(),
            Self::Fixed(size) => PyBytes::new(py, cursor.bytes(*size)?).into_any(),
            Self::Enum(symbols) => at(symbols, cursor.long()?)?.bind(py).clone(),
            Self::Record(fields) => read_record(py, cursor, fields)?.into_any(),
            Self::Array(item) => read_array(py, cursor, item)?.into_any(),
            Self::Map(value) => read_map(py, cursor, value)?.into_any(),
            Self::Instant(instant) => return read_instant(py, cursor, instant),
            Self::Meaning(meaning) => {
                let plain = meaning.plain.read(py, cursor)?;
                meaning
                    .read
                    .bind(py)
                    .call1((plain, meaning.schema.bind(py), py.None()))?
            }
        })
    }
}

fn whole(py: Python<'_>, number: i64) -> Bound<'_, PyAny> {
    number
        .into_pyobject(py)
        .map_or_else(|never| match never {}, Bound::into_any)
}

/// By an index of the data, which may be any number.
pub fn at<T>(all: &[T], index: i64) -> Result<&T, Unread> {
    usize::try_from(index)
        .ok()
        .and_then(|index| all.get(index))
        .ok_or(Unread::DATA)
}

fn read_record<'py>(py: Python<'py>, cursor: &mut Cursor<'_>, fields: &[Field]) -> Result<Bound<'py, PyDict>, Unread> {
    let datum = PyDict::new(py);
    for Field { name, shape } in fields {
        datum.set_item(name.bind(py), shape.read(py, cursor)?)?;
    }
    Ok(datum)
}

fn read_branch<'py>(
    py: Python<'py>,
    cursor: &mut Cursor<'_>,
    branches: &[Branch],
) -> Result<Bound<'py, PyAny>, Unread> {
    let branch = at(branches, cursor.long()?)?;
    let value = branch.shape.read(py, cursor)?;
    match &branch.name {
        None => Ok(value),
        Some(name) => Ok(PyTuple::new(py, [name.bind(py).as_any(), &value])?.into_any()),
    }
}

fn read_array<'py>(py: Python<'py>, cursor: &mut Cursor<'_>, item: &Shape) -> Result<Bound<'py, PyList>, Unread> {
    let items = PyList::empty(py);
    loop {
        let count = cursor.block()?;
        if count == 0 {
            return Ok(items);
        }
        for _ in 0..count {
            items.append(item.read(py, cursor)?)?;
        }
    }
}

fn read_map<'py>(py: Python<'py>, cursor: &mut Cursor<'_>, value: &Shape) -> Result<Bound<'py, PyDict>, Unread> {
    let entries = PyDict::new(py);
    loop {
        let count = cursor.block()?;
        if count == 0 {
            return Ok(entries);
        }
        for _ in 0..count {
            let key = PyString::from_bytes(py, cursor.sized()?)?;
            entries.set_item(key, value.read(py, cursor)?)?;
        }
    }
}

fn read_instant<'py>(py: Python<'py>, cursor: &mut Cursor<'_>, instant: &Instant) -> Result<Bound<'py, PyAny>, Unread> {
    let state = state(instant.micros(cursor)?).ok_or(Unread::DATA)?;
    // As pickle makes one, which is three times as fast as by year, month and day.
    let arguments = (PyBytes::new(py, &state), instant.utc.bind(py));
    Ok(instant.datetime.bind(py).call1(arguments)?)
}
