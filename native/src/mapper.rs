//! What Python holds: from values of one schema to the answers of all routes from a topic, without a datum between.

use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};

use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::cursor::Cursor;
use crate::recipe::Recipe;
use crate::route::{Makes, Route};
use crate::schema::Compiler;
use crate::unread::Unread;
use crate::way::{Asked, Path, Value, Way};

/// Answers for values of one hardened record schema.
#[pyclass(frozen, module = "distinct_consumer_native")]
pub struct Mapper {
    way: Way,
    asked: usize,
    type_at: Option<usize>,
    by_type: HashMap<String, Vec<Route>>,
    otherwise: Option<Vec<Route>>,
    makes: Makes,
}

#[pymethods]
impl Mapper {
    /// `by_type`: the recipes for records whose payload, at `type_at`, is a record of that name in a union. None: for
    /// all other ones. Types that are missing are not answered here.
    ///
    /// Raises an Exception, of any type, for what is not mapped here.
    #[new]
    fn new(
        schema: &Bound<'_, PyDict>,
        meanings: &Bound<'_, PyDict>,
        by_type: HashMap<Option<String>, Vec<Recipe>>,
        type_at: Option<Path>,
        makes: Makes,
    ) -> PyResult<Self> {
        let shape = Compiler::new(meanings)?.shape(schema.as_any())?;
        let mut asked = Asked::default();
        let mut compiled = HashMap::new();
        let mut otherwise = None;
        for (name, recipes) in by_type {
            let routes = recipes
                .into_iter()
                .map(|recipe| Route::new(recipe, &mut asked))
                .collect::<PyResult<_>>()?;
            match name {
                Some(name) => drop(compiled.insert(name, routes)),
                None => otherwise = Some(routes),
            }
        }
        let type_at = type_at.map(|path| asked.number(&path));
        let (way, count) = asked.way(&shape)?;
        if count > 1_000 {
            return Err(PyValueError::new_err("the routes ask for too much"));
        }
        Ok(Self {
            way,
            asked: count,
            type_at,
            by_type: compiled,
            otherwise,
            makes,
        })
    }

    /// The answers for the value whose payload begins at `start`, of a record with this key; None where it is damaged or
    /// not plain.
    fn answers<'py>(
        &self,
        value: &Bound<'py, PyBytes>,
        start: usize,
        key: &Bound<'py, PyBytes>,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        let py = value.py();
        // Where there is no memory left for an object, the library that makes it panics.
        let answered = catch_unwind(AssertUnwindSafe(|| {
            self.plain(py, value.as_bytes(), start, key.as_bytes())
        }));
        match answered.unwrap_or(Err(Unread::DATA)) {
            Ok(answers) => Ok(Some(answers)),
            Err(unread) => match unread.raised(py) {
                // Who interrupts the process means all of it. Anything else is for Python's own way to say.
                Some(error) if !error.is_instance_of::<PyException>(py) => Err(error),
                _ => Ok(None),
            },
        }
    }
}

impl Mapper {
    fn plain<'py>(&self, py: Python<'py>, data: &[u8], start: usize, key: &[u8]) -> Result<Bound<'py, PyList>, Unread> {
        let mut cursor = Cursor::new(data.get(start..).ok_or(Unread::DATA)?);
        let mut values: Vec<Option<Value<'_>>> = vec![None; self.asked];
        self.way.walk(&mut cursor, &mut values)?;
        if cursor.left() != 0 || key.is_empty() {
            return Err(Unread::DATA);
        }
        let kind = self
            .type_at
            .and_then(|number| values.get(number).copied().flatten()?.name);
        let routes = match kind {
            Some(name) => self.by_type.get(name.bind(py).to_str()?),
            None => self.otherwise.as_ref(),
        };
        let answers = PyList::empty(py);
        for route in routes.ok_or(Unread::DATA)? {
            if let Some(answer) = route.apply(py, &values, key, &self.makes)? {
                answers.append(answer)?;
            }
        }
        Ok(answers)
    }
}
