//! A hardened schema, as the consumer hands it in, made into a shape.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::shape::{Branch, Field, Instant, Meaning, Shape};

/// The consumer takes schemas of 200 levels at most; more of them would need a larger stack than threads may have.
const MOST_LEVELS: u32 = 200;

/// Makes shapes; keeps those with a name, which may unfold to billions.
pub struct Compiler<'a, 'py> {
    meanings: &'a Bound<'py, PyDict>,
    intern: Bound<'py, PyAny>,
    datetime: Bound<'py, PyAny>,
    utc: Bound<'py, PyAny>,
    named: HashMap<String, Arc<Shape>>,
}

impl<'a, 'py> Compiler<'a, 'py> {
    /// `meanings`: fastavro's readers of logical types, by `type-logicalType`.
    pub fn new(meanings: &'a Bound<'py, PyDict>) -> PyResult<Self> {
        let py = meanings.py();
        let datetime = py.import("datetime")?;
        Ok(Self {
            meanings,
            intern: py.import("sys")?.getattr("intern")?,
            utc: datetime.getattr("timezone")?.getattr("utc")?,
            datetime: datetime.getattr("datetime")?,
            named: HashMap::new(),
        })
    }

    /// The shape of a schema. Raises anything for what is none, and for what is not read here.
    pub fn shape(&mut self, schema: &Bound<'py, PyAny>) -> PyResult<Arc<Shape>> {
        self.nested(schema, 0)
    }

    fn nested(&mut self, schema: &Bound<'py, PyAny>, level: u32) -> PyResult<Arc<Shape>> {
        if level > MOST_LEVELS {
            return Err(PyValueError::new_err("the schema is nested too deep"));
        }
        let Ok(schema) = schema.cast::<PyDict>() else {
            return plain(schema.extract()?, None).map(Arc::new);
        };
        let kind: String = needed(schema, "type")?.extract()?;
        if !matches!(kind.as_str(), "record" | "enum" | "fixed") {
            // Any other may say a name too, and it means nothing.
            return self.defined(schema, &kind, level).map(Arc::new);
        }
        let name: String = needed(schema, "name")?.extract()?;
        if let Some(known) = self.named.get(&name) {
            return Ok(Arc::clone(known));
        }
        let shape = Arc::new(self.defined(schema, &kind, level)?);
        self.named.insert(name, Arc::clone(&shape));
        Ok(shape)
    }

    fn defined(&mut self, schema: &Bound<'py, PyDict>, kind: &str, level: u32) -> PyResult<Shape> {
        let inner = level.saturating_add(1);
        match kind {
            "record" => self.record(schema, inner),
            "union" => self.union(schema, inner),
            "array" => Ok(Shape::Array(self.nested(&needed(schema, "items")?, inner)?)),
            "map" => Ok(Shape::Map(self.nested(&needed(schema, "values")?, inner)?)),
            "enum" => {
                let symbols = needed(schema, "symbols")?;
                let in_order = (0..symbols.len()?).map(|index| Ok(symbols.get_item(index)?.unbind()));
                Ok(Shape::Enum(in_order.collect::<PyResult<_>>()?))
            }
            kind => self.with_meaning(schema, kind),
        }
    }

    fn record(&mut self, schema: &Bound<'py, PyDict>, level: u32) -> PyResult<Shape> {
        let mut fields = Vec::new();
        for field in needed(schema, "fields")?.cast::<PyList>()? {
            let field = field.cast::<PyDict>()?;
            let name = self.intern.call1((needed(field, "name")?,))?.cast_into::<PyString>()?;
            let shape = self.nested(&needed(field, "type")?, level)?;
            fields.push(Field {
                name: name.unbind(),
                shape,
            });
        }
        Ok(Shape::Record(fields))
    }

    /// A hardened union has its branches by index, among other keys.
    fn union(&mut self, schema: &Bound<'py, PyDict>, level: u32) -> PyResult<Shape> {
        let mut branches = Vec::new();
        while let Some(branch) = schema.get_item(branches.len())? {
            branches.push(Branch {
                shape: self.nested(&branch, level)?,
                name: record_name(&branch)?,
            });
        }
        Ok(Shape::Union(branches))
    }

    /// A primitive or fixed, and its logical type where fastavro knows one.
    fn with_meaning(&self, schema: &Bound<'py, PyDict>, kind: &str) -> PyResult<Shape> {
        let plain = plain(kind, Some(schema))?;
        let Some(logical) = schema.get_item("logicalType")? else {
            return Ok(plain);
        };
        let meaning = format!("{kind}-{}", logical.extract::<&str>()?);
        let unit = match meaning.as_str() {
            "long-timestamp-micros" => 1,
            "long-timestamp-millis" => 1_000,
            _ => {
                let Some(read) = self.meanings.get_item(meaning)? else {
                    return Ok(plain);
                };
                let schema = schema.clone().into_any().unbind();
                return Ok(Shape::Meaning(Meaning {
                    plain: Arc::new(plain),
                    read: read.unbind(),
                    schema,
                }));
            }
        };
        let (datetime, utc) = (self.datetime.clone().unbind(), self.utc.clone().unbind());
        Ok(Shape::Instant(Instant { datetime, utc, unit }))
    }
}

fn plain(kind: &str, schema: Option<&Bound<'_, PyDict>>) -> PyResult<Shape> {
    Ok(match (kind, schema) {
        ("null", _) => Shape::Null,
        ("boolean", _) => Shape::Boolean,
        ("int" | "long", _) => Shape::Long,
        ("float", _) => Shape::Float,
        ("double", _) => Shape::Double,
        ("bytes", _) => Shape::Bytes,
        ("string", _) => Shape::Text,
        ("fixed", Some(schema)) => Shape::Fixed(needed(schema, "size")?.extract()?),
        _ => return Err(PyValueError::new_err("the schema has a type that is not read here")),
    })
}

fn record_name(schema: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyString>>> {
    let Ok(schema) = schema.cast::<PyDict>() else {
        return Ok(None);
    };
    if !needed(schema, "type")?.eq("record")? {
        return Ok(None);
    }
    Ok(Some(needed(schema, "name")?.cast_into::<PyString>()?.unbind()))
}

fn needed<'py>(schema: &Bound<'py, PyDict>, key: &str) -> PyResult<Bound<'py, PyAny>> {
    schema
        .get_item(key)?
        .ok_or_else(|| PyValueError::new_err("the schema is not a hardened one"))
}
