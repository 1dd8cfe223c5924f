//! One route for records of one type: from the values of a record to its answer, where that is plain.

use std::borrow::Cow;
use std::collections::HashSet;

use blake2b_simd::{Params, State};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::cursor::Cursor;
use crate::json::{symbol, Writer};
use crate::recipe;
use crate::shape::Shape;
use crate::time_ordered::placed;
use crate::unread::Unread;
use crate::way::{Asked, Value, Values};

const DIGEST_BYTES: usize = 16;

/// Python's classes of answers, and its JSON encoder.
#[derive(FromPyObject)]
pub struct Makes {
    /// `Matched(route, body, key, once)`.
    pub matched: Py<PyAny>,
    /// `Once(scope, at_ms, length_ms)`.
    pub once: Py<PyAny>,
    /// From a number to JSON.
    pub encode: Py<PyAny>,
}

/// Ready to be applied.
pub struct Route {
    route: Py<PyAny>,
    when: Option<When>,
    drops: Vec<(Option<When>, Py<PyAny>)>,
    item: Option<Item>,
}

struct Item {
    fields: Vec<Field>,
    required: Vec<usize>,
    any_of: Vec<usize>,
    pair: Option<Pair>,
    max_bytes: usize,
    key: Option<(usize, State)>,
    once: Option<Once>,
}

struct When {
    wanted: Vec<Test>,
    unless: Vec<Test>,
}

struct Test {
    value: usize,
    kind: Kind,
}

enum Kind {
    Absent,
    Present,
    Is(bool),
    Texts(HashSet<String>),
    Folded(HashSet<String>),
    Judge(Py<PyAny>, usize),
}

struct Field {
    name: String,
    check: Check,
    from: From,
}

enum From {
    Known {
        json: Vec<u8>,
        text: Option<String>,
    },
    Value {
        value: usize,
        optional: bool,
        known: Option<Vec<u8>>,
    },
    Parts(Vec<Part>),
    Fields(Vec<Field>),
}

enum Part {
    Text(String),
    Value { value: usize, optional: bool },
}

enum Check {
    Any,
    Text(usize),
    Timestamp,
    Number,
    Identifier,
    Object(u32),
    Judge(Py<PyAny>),
}

struct Pair {
    places: (usize, usize),
    texts: HashSet<(String, String)>,
}

struct Once {
    at: usize,
    scope: State,
    length_ms: Option<u64>,
}

/// What of a field was written.
enum Written {
    Sent,
    Absent,
}

impl Route {
    /// Of a recipe. Fails for one that says what is not known here.
    pub fn new(recipe: recipe::Recipe, asked: &mut Asked) -> PyResult<Self> {
        let mut drops = Vec::new();
        for one in recipe.drops {
            drops.push((one.when.map(|when| conditions(when, asked)).transpose()?, one.answer));
        }
        Ok(Self {
            route: recipe.route,
            when: recipe.when.map(|when| conditions(when, asked)).transpose()?,
            drops,
            item: recipe.item.map(|item| Item::new(item, asked)).transpose()?,
        })
    }

    /// The answer for a record with these values and this key. None: it is not this route's.
    pub fn apply<'py>(
        &self,
        py: Python<'py>,
        values: &Values<'_>,
        record_key: &[u8],
        makes: &Makes,
    ) -> Result<Option<Bound<'py, PyAny>>, Unread> {
        if let Some(when) = &self.when {
            if !when.holds(py, values)? {
                return Ok(None);
            }
        }
        for (when, answer) in &self.drops {
            if when.as_ref().map_or(Ok(true), |when| when.holds(py, values))? {
                return Ok(Some(answer.bind(py).clone()));
            }
        }
        let item = self.item.as_ref().ok_or(Unread::DATA)?;
        let body = item.body(py, values, makes)?;
        let (key, once) = item.claims(py, values, record_key, makes)?;
        let arguments = (self.route.bind(py), PyBytes::new(py, &body), key, once);
        Ok(Some(makes.matched.bind(py).call1(arguments)?))
    }
}

type Claims<'py> = (Option<Bound<'py, PyBytes>>, Option<Bound<'py, PyAny>>);

impl Item {
    fn new(recipe: recipe::Item, asked: &mut Asked) -> PyResult<Self> {
        let fields = fields(recipe.fields, asked)?;
        let place = |name: &String| {
            fields
                .iter()
                .position(|field| field.name == *name)
                .ok_or_else(|| PyValueError::new_err("a field that is required is not mapped"))
        };
        let required = recipe.required.iter().map(place).collect::<PyResult<_>>()?;
        let any_of: Vec<usize> = recipe.any_of.iter().filter_map(|name| place(name).ok()).collect();
        if any_of.is_empty() && !recipe.any_of.is_empty() {
            return Err(PyValueError::new_err(
                "none of the fields is mapped of which one must be there",
            ));
        }
        let pair = match recipe.pair {
            None => None,
            Some(pair) => Some(Pair {
                places: (place(&pair.names.0)?, place(&pair.names.1)?),
                texts: pair.texts.into_iter().collect(),
            }),
        };
        Ok(Self {
            required,
            any_of,
            pair,
            max_bytes: recipe.max_bytes,
            key: recipe
                .key
                .map(|key| (asked.number(&key.path), hash(&key.person, &key.before))),
            once: recipe.once.map(|once| Once {
                at: asked.number(&once.at),
                scope: hash(&once.person, &once.before),
                length_ms: once.length_ms,
            }),
            fields,
        })
    }

    fn claims<'py>(
        &self,
        py: Python<'py>,
        values: &Values<'_>,
        record_key: &[u8],
        makes: &Makes,
    ) -> Result<Claims<'py>, Unread> {
        let key = match &self.key {
            None => None,
            Some((value, state)) => {
                let text = text(py, at(values, *value).ok_or(Unread::DATA)?)?;
                if text.is_empty() {
                    return Err(Unread::DATA);
                }
                Some(key_digest(py, state, text.as_bytes()))
            }
        };
        let once = match &self.once {
            None => None,
            Some(once) => Some(once.claim(py, values, record_key, makes)?),
        };
        Ok((key, once))
    }

    fn body(&self, py: Python<'_>, values: &Values<'_>, makes: &Makes) -> Result<Vec<u8>, Unread> {
        let encode = makes.encode.bind(py).clone();
        let mut writer = Writer {
            py,
            body: Vec::with_capacity(512),
            encode,
        };
        let mut sent = vec![false; self.fields.len()];
        writer.body.push(b'{');
        for (field, sent) in self.fields.iter().zip(&mut sent) {
            *sent = matches!(field.write(&mut writer, values, u32::MAX)?, Written::Sent);
        }
        writer.body.push(b'}');
        let is_sent = |place: &usize| sent.get(*place).copied().unwrap_or_default();
        if !self.required.iter().all(is_sent) || !(self.any_of.is_empty() || self.any_of.iter().any(is_sent)) {
            return Err(Unread::DATA);
        }
        if let Some(pair) = &self.pair {
            let (first, second) = pair.places;
            let both = (self.lower(py, first, values)?, self.lower(py, second, values)?);
            if !pair.texts.contains(&both) {
                return Err(Unread::DATA);
            }
        }
        if writer.body.len() > self.max_bytes {
            return Err(Unread::DATA);
        }
        Ok(writer.body)
    }

    fn lower(&self, py: Python<'_>, place: usize, values: &Values<'_>) -> Result<String, Unread> {
        let text = match self.fields.get(place).map(|field| &field.from) {
            Some(From::Known { text: Some(text), .. }) => Cow::Borrowed(text.as_str()),
            Some(From::Value { value, .. }) => text(py, at(values, *value).ok_or(Unread::DATA)?)?,
            Some(From::Parts(parts)) => Cow::Owned(joined(py, parts, values)?),
            _ => return Err(Unread::DATA),
        };
        ascii(&text).map(str::to_ascii_lowercase)
    }
}

impl Once {
    fn claim<'py>(
        &self,
        py: Python<'py>,
        values: &Values<'_>,
        record_key: &[u8],
        makes: &Makes,
    ) -> Result<Bound<'py, PyAny>, Unread> {
        let Value { shape, bytes, .. } = at(values, self.at).ok_or(Unread::DATA)?;
        let mut cursor = Cursor::new(bytes);
        let at_ms = match shape {
            Shape::Instant(instant) => instant.micros(&mut cursor)?.div_euclid(1_000),
            Shape::Long => cursor.long()?,
            _ => return Err(Unread::DATA),
        };
        let scope = digest(py, &self.scope, record_key);
        Ok(makes.once.bind(py).call1((scope, at_ms, self.length_ms))?)
    }
}

impl When {
    fn holds(&self, py: Python<'_>, values: &Values<'_>) -> Result<bool, Unread> {
        Ok(all(py, &self.wanted, values)? && (self.unless.is_empty() || !all(py, &self.unless, values)?))
    }
}

fn all(py: Python<'_>, tests: &[Test], values: &Values<'_>) -> Result<bool, Unread> {
    for test in tests {
        if !test.passes(py, values)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Test {
    fn passes(&self, py: Python<'_>, values: &Values<'_>) -> Result<bool, Unread> {
        let Some(value) = at(values, self.value) else {
            return Ok(matches!(self.kind, Kind::Absent));
        };
        let is_text = matches!(value.shape, Shape::Text | Shape::Enum(_));
        Ok(match &self.kind {
            Kind::Absent => false,
            Kind::Present => true,
            Kind::Is(wanted) => {
                matches!(value.shape, Shape::Boolean) && (Cursor::new(value.bytes).byte()? != 0) == *wanted
            }
            _ if !is_text => false,
            Kind::Texts(texts) => texts.contains(&*text(py, value)?),
            Kind::Folded(texts) => texts.contains(&ascii(&text(py, value)?)?.to_ascii_lowercase()),
            Kind::Judge(judge, longest) => {
                let text = text(py, value)?;
                let end = text.char_indices().nth(*longest).map_or(text.len(), |(place, _)| place);
                judge
                    .bind(py)
                    .call1((text.get(..end).unwrap_or_default(),))?
                    .is_truthy()?
            }
        })
    }
}

impl Field {
    fn write(&self, writer: &mut Writer<'_>, values: &Values<'_>, levels: u32) -> Result<Written, Unread> {
        let before = writer.body.len();
        writer.separate();
        writer.text(&self.name);
        writer.body.push(b':');
        let written = self.write_value(writer, values, levels)?;
        if matches!(written, Written::Absent) {
            writer.body.truncate(before);
        }
        Ok(written)
    }

    fn write_value(&self, writer: &mut Writer<'_>, values: &Values<'_>, levels: u32) -> Result<Written, Unread> {
        match &self.from {
            From::Known { json, .. } => writer.body.extend_from_slice(json),
            From::Value { value, optional, known } => match (at(values, *value), known) {
                (Some(value), _) => return self.check.write(writer, value, levels),
                (None, Some(json)) => writer.body.extend_from_slice(json),
                (None, None) if *optional => return Ok(Written::Absent),
                (None, None) => return Err(Unread::DATA),
            },
            From::Parts(parts) => return self.check.text(writer, &joined(writer.py, parts, values)?),
            From::Fields(fields) => {
                let levels = match self.check {
                    Check::Object(levels) => levels,
                    _ => levels,
                };
                let inner = levels.checked_sub(1).ok_or(Unread::DATA)?;
                writer.body.push(b'{');
                let from = writer.body.len();
                for field in fields {
                    field.write(writer, values, inner)?;
                }
                if writer.body.len() == from {
                    return Ok(Written::Absent);
                }
                writer.body.push(b'}');
            }
        }
        Ok(Written::Sent)
    }
}

impl Check {
    /// A value that is there. `levels`: of containers, where it lies in an object.
    fn write(&self, writer: &mut Writer<'_>, value: Value<'_>, levels: u32) -> Result<Written, Unread> {
        let shape = value.shape;
        let is_text = matches!(shape, Shape::Text | Shape::Enum(_));
        let levels = match self {
            Self::Any => levels,
            Self::Text(_) | Self::Judge(_) | Self::Identifier if is_text => {
                return self.text(writer, &text(writer.py, value)?);
            }
            Self::Timestamp if matches!(shape, Shape::Instant(_)) => 1,
            Self::Identifier if matches!(shape, Shape::Long) => 1,
            Self::Number if matches!(shape, Shape::Long | Shape::Float | Shape::Double) => 1,
            Self::Object(levels) if matches!(shape, Shape::Record(_) | Shape::Map(_)) => {
                let from = writer.body.len();
                writer.value(shape, &mut Cursor::new(value.bytes), *levels)?;
                let is_empty = writer.body.get(from..) == Some(b"{}");
                return Ok(if is_empty { Written::Absent } else { Written::Sent });
            }
            _ => return Err(Unread::DATA),
        };
        writer.value(shape, &mut Cursor::new(value.bytes), levels)?;
        Ok(Written::Sent)
    }

    /// A text that is there.
    fn text(&self, writer: &mut Writer<'_>, text: &str) -> Result<Written, Unread> {
        match self {
            Self::Any => {}
            Self::Text(most) => {
                if *most != 0 && text.len() > *most && text.chars().count() > *most {
                    return Err(Unread::DATA);
                }
                if is_blank(text)? {
                    return Ok(Written::Absent);
                }
            }
            Self::Identifier => {
                if is_blank(text)? {
                    return Ok(Written::Absent);
                }
            }
            Self::Judge(judge) => {
                if !judge.bind(writer.py).call1((text,))?.is_none() {
                    return Err(Unread::DATA);
                }
            }
            Self::Timestamp | Self::Number | Self::Object(_) => return Err(Unread::DATA),
        }
        writer.text(text);
        Ok(Written::Sent)
    }
}

/// Empty, or white. Says no where only Python knows: which characters beyond ASCII are white.
fn is_blank(text: &str) -> Result<bool, Unread> {
    if text
        .chars()
        .any(|one| !is_white(one) && (one.is_ascii() || one.is_alphanumeric()))
    {
        return Ok(false);
    }
    if text.is_ascii() {
        Ok(true)
    } else {
        Err(Unread::DATA)
    }
}

/// To Python, of ASCII.
fn is_white(one: char) -> bool {
    matches!(one, '\t'..='\r' | '\x1c'..='\x1f' | ' ')
}

/// What lower case makes of it is plain for ASCII alone.
fn ascii(text: &str) -> Result<&str, Unread> {
    if text.is_ascii() {
        Ok(text)
    } else {
        Err(Unread::DATA)
    }
}

fn at<'a>(values: &Values<'a>, number: usize) -> Option<Value<'a>> {
    values.get(number).copied().flatten()
}

/// The text of a value that is one.
fn text<'a>(py: Python<'_>, value: Value<'a>) -> Result<Cow<'a, str>, Unread> {
    let mut cursor = Cursor::new(value.bytes);
    match value.shape {
        Shape::Text => Ok(Cow::Borrowed(cursor.text()?)),
        Shape::Enum(symbols) => Ok(Cow::Owned(symbol(py, symbols, &mut cursor)?.to_str()?.to_owned())),
        _ => Err(Unread::DATA),
    }
}

fn joined(py: Python<'_>, parts: &[Part], values: &Values<'_>) -> Result<String, Unread> {
    let mut whole = String::new();
    for part in parts {
        match part {
            Part::Text(text) => whole.push_str(text),
            Part::Value { value, optional } => match at(values, *value) {
                Some(value) => whole.push_str(&text(py, value)?),
                None if *optional => {}
                None => return Err(Unread::DATA),
            },
        }
    }
    Ok(whole)
}

fn hash(person: &[u8], before: &[u8]) -> State {
    let mut state = Params::new().hash_length(DIGEST_BYTES).personal(person).to_state();
    state.update(before);
    state
}

fn digest<'py>(py: Python<'py>, state: &State, last: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, state.clone().update(last).finalize().as_bytes())
}

/// Of an id that tells when it was made, it begins with that time.
fn key_digest<'py>(py: Python<'py>, state: &State, id: &[u8]) -> Bound<'py, PyBytes> {
    let Some(time) = placed(id) else {
        return digest(py, state, id);
    };
    let found = state.clone().update(id).finalize();
    let mut whole = time.to_vec();
    whole.extend_from_slice(found.as_bytes().get(time.len()..).unwrap_or_default());
    PyBytes::new(py, &whole)
}

fn conditions(when: recipe::When, asked: &mut Asked) -> PyResult<When> {
    Ok(When {
        wanted: tests(when.wanted, asked)?,
        unless: tests(when.unless, asked)?,
    })
}

fn tests(all: Vec<recipe::Test>, asked: &mut Asked) -> PyResult<Vec<Test>> {
    let test = |one: recipe::Test| {
        let texts = || one.texts.iter().cloned().collect();
        let kind = match (one.kind.as_str(), one.judge) {
            ("absent", _) => Kind::Absent,
            ("present", _) => Kind::Present,
            ("true", _) => Kind::Is(true),
            ("false", _) => Kind::Is(false),
            ("texts", _) => Kind::Texts(texts()),
            ("folded", _) => Kind::Folded(texts()),
            ("judge", Some(judge)) => Kind::Judge(judge, one.longest),
            _ => return Err(PyValueError::new_err("a test that is not known here")),
        };
        Ok(Test {
            value: asked.number(&one.path),
            kind,
        })
    };
    all.into_iter().map(test).collect()
}

fn fields(all: Vec<recipe::Field>, asked: &mut Asked) -> PyResult<Vec<Field>> {
    all.into_iter().map(|one| field(one, asked)).collect()
}

fn field(one: recipe::Field, asked: &mut Asked) -> PyResult<Field> {
    let limit = usize::try_from(one.limit)?;
    let check = match (one.check.as_str(), one.judge) {
        ("any", _) => Check::Any,
        ("text", _) => Check::Text(limit),
        ("timestamp", _) => Check::Timestamp,
        ("number", _) => Check::Number,
        ("identifier", _) => Check::Identifier,
        ("object", _) => Check::Object(one.limit),
        ("judge", Some(judge)) => Check::Judge(judge),
        _ => return Err(PyValueError::new_err("a check that is not known here")),
    };
    let from = match (one.path, one.known, one.fields) {
        (Some(path), known, _) => From::Value {
            value: asked.number(&path),
            optional: one.optional,
            known,
        },
        (None, Some(json), _) => From::Known { json, text: one.text },
        (None, None, Some(inner)) => From::Fields(fields(inner, asked)?),
        (None, None, None) => From::Parts(
            one.parts
                .into_iter()
                .map(|part| match part.path {
                    None => Part::Text(part.text),
                    Some(path) => Part::Value {
                        value: asked.number(&path),
                        optional: part.optional,
                    },
                })
                .collect(),
        ),
    };
    Ok(Field {
        name: one.name,
        check,
        from,
    })
}
