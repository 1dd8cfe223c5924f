//! Which values of a record are asked for, and where they lie: found in one pass over its bytes.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::cursor::Cursor;
use crate::shape::{at, Branch, Field, Shape};
use crate::unread::Unread;

/// Types that have a name are there once, and ways through them are not: a small schema could have billions.
const MOST_STEPS: usize = 100_000;

/// Names of fields, from the outside in.
pub type Path = Vec<String>;

/// A value where it lies: its type, its bytes, and the name that a union gave it, which records alone get.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    /// Of the branch, where it lies in a union.
    pub shape: &'a Shape,
    /// As many as it takes.
    pub bytes: &'a [u8],
    /// Of the branch.
    pub name: Option<&'a Py<PyString>>,
}

/// The values that were asked for, by their numbers. None: absent, or null.
pub type Values<'a> = [Option<Value<'a>>];

/// Numbers the paths that are asked for, each once.
#[derive(Default)]
pub struct Asked {
    numbers: HashMap<Path, usize>,
    root: Node,
}

#[derive(Default)]
struct Node {
    number: Option<usize>,
    inside: HashMap<String, Node>,
}

impl Asked {
    /// The number of the value at a path.
    pub fn number(&mut self, path: &Path) -> usize {
        let next = self.numbers.len();
        let number = *self.numbers.entry(path.clone()).or_insert(next);
        let mut node = &mut self.root;
        for step in path {
            node = node.inside.entry(step.clone()).or_default();
        }
        node.number = Some(number);
        number
    }

    /// The way through records of this shape. Fails where a path leads into a map: what is there, the data says.
    pub fn way(&self, shape: &Shape) -> PyResult<(Way, usize)> {
        let Shape::Record(fields) = shape else {
            return Err(PyValueError::new_err("not the schema of a record"));
        };
        let mut left = MOST_STEPS;
        Python::attach(|py| Ok((way(py, fields, &self.root, &mut left)?, self.numbers.len())))
    }
}

/// The way through one kind of record: what to do with each of its fields, in their order.
pub struct Way(Vec<Step>);

struct Step {
    shape: Arc<Shape>,
    number: Option<usize>,
    /// By branch; of what is no union, one.
    inside: Vec<Option<Way>>,
}

fn way(py: Python<'_>, fields: &[Field], node: &Node, left: &mut usize) -> PyResult<Way> {
    *left = left
        .checked_sub(fields.len())
        .ok_or_else(|| PyValueError::new_err("the schema has too many ways"))?;
    let mut steps = Vec::with_capacity(fields.len());
    for Field { name, shape } in fields {
        let wanted = node.inside.get(name.bind(py).to_str()?);
        let inside = match (wanted, &**shape) {
            (None, _) => Vec::new(),
            (Some(node), Shape::Union(branches)) => branches
                .iter()
                .map(|branch| below(py, &branch.shape, node, left))
                .collect::<PyResult<_>>()?,
            (Some(node), shape) => vec![below(py, shape, node, left)?],
        };
        let number = wanted.and_then(|node| node.number);
        steps.push(Step {
            shape: Arc::clone(shape),
            number,
            inside,
        });
    }
    Ok(Way(steps))
}

fn below(py: Python<'_>, shape: &Shape, node: &Node, left: &mut usize) -> PyResult<Option<Way>> {
    match shape {
        _ if node.inside.is_empty() => Ok(None),
        Shape::Record(fields) => way(py, fields, node, left).map(Some),
        Shape::Map(_) => Err(PyValueError::new_err("a path leads into a map")),
        _ => Ok(None),
    }
}

impl Way {
    /// Goes over a record, checks all of it as reading would, and notes where the values lie.
    pub fn walk<'a>(&'a self, cursor: &mut Cursor<'a>, values: &mut Values<'a>) -> Result<(), Unread> {
        for Step { shape, number, inside } in &self.0 {
            if number.is_none() && inside.is_empty() {
                skip(shape, cursor)?;
                continue;
            }
            let (shape, name, branch) = match &**shape {
                Shape::Union(branches) => {
                    let index = cursor.long()?;
                    let Branch { shape, name } = at(branches, index)?;
                    (&**shape, name.as_ref(), usize::try_from(index).unwrap_or(usize::MAX))
                }
                shape => (shape, None, 0),
            };
            let from = *cursor;
            match inside.get(branch) {
                Some(Some(way)) => way.walk(cursor, values)?,
                _ => skip(shape, cursor)?,
            }
            let Some(number) = *number else { continue };
            if let (Some(place), false) = (values.get_mut(number), matches!(shape, Shape::Null)) {
                *place = Some(Value {
                    shape,
                    bytes: from.up_to(cursor),
                    name,
                });
            }
        }
        Ok(())
    }
}

/// Passes over a value. Says no where reading it would, and to what Python would have to look at.
pub fn skip(shape: &Shape, cursor: &mut Cursor<'_>) -> Result<(), Unread> {
    match shape {
        Shape::Null => {}
        Shape::Boolean => drop(cursor.byte()?),
        Shape::Long => drop(cursor.long()?),
        Shape::Float => drop(cursor.bytes(4)?),
        Shape::Double => drop(cursor.bytes(8)?),
        Shape::Bytes => drop(cursor.sized()?),
        Shape::Text => drop(cursor.text()?),
        Shape::Fixed(size) => drop(cursor.bytes(*size)?),
        Shape::Enum(symbols) => drop(at(symbols, cursor.long()?)?),
        Shape::Record(fields) => {
            for field in fields {
                skip(&field.shape, cursor)?;
            }
        }
        Shape::Union(branches) => return skip(&at(branches, cursor.long()?)?.shape, cursor),
        Shape::Array(item) => loop {
            let count = cursor.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                skip(item, cursor)?;
            }
        },
        Shape::Map(value) => loop {
            let count = cursor.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                cursor.text()?;
                skip(value, cursor)?;
            }
        },
        Shape::Instant(instant) => drop(instant.micros(cursor)?),
        Shape::Meaning(_) => return Err(Unread::DATA),
    }
    Ok(())
}
