//! What Python hands in: routes as values, and nothing of theirs decided here. See `consumer/topology/recipe.py`.

use pyo3::prelude::*;

use crate::way::Path;

/// A route for records of one type.
#[derive(FromPyObject)]
pub struct Recipe {
    /// What its answers name.
    pub route: Py<PyAny>,
    /// Which records are its own.
    pub when: Option<When>,
    /// Which of them are not to be sent.
    pub drops: Vec<Drops>,
    /// What it makes of the rest. None: that is for Python.
    pub item: Option<Item>,
}

/// What is sent of a record, and its claims.
#[derive(FromPyObject)]
pub struct Item {
    /// In the order in which they are sent.
    pub fields: Vec<Field>,
    /// The names without which there is no item.
    pub required: Vec<String>,
    /// The names of which there must be one.
    pub any_of: Vec<String>,
    /// Two fields whose texts, in lower case, must be a pair of these.
    pub pair: Option<Pair>,
    /// The most that an item may have.
    pub max_bytes: usize,
    /// The event's id. None: it takes no key.
    pub key: Option<Digest>,
    /// Its place in a window.
    pub once: Option<Once>,
}

/// Conditions: all of `where`, and not all of `unless`.
#[derive(FromPyObject)]
pub struct When {
    /// All of these.
    pub wanted: Vec<Test>,
    /// Not all of these, if there are any.
    pub unless: Vec<Test>,
}

/// An answer for records that are dropped.
#[derive(FromPyObject)]
pub struct Drops {
    /// Which they are. None: all.
    pub when: Option<When>,
    /// What they get.
    pub answer: Py<PyAny>,
}

/// One test of one value.
#[derive(FromPyObject)]
pub struct Test {
    /// Where it lies.
    pub path: Path,
    /// absent, present, true, false, texts, folded, judge.
    pub kind: String,
    /// For texts and folded (in lower case).
    pub texts: Vec<String>,
    /// For judge: is asked for a text.
    pub judge: Option<Py<PyAny>>,
    /// For judge: so many characters of it.
    pub longest: usize,
}

/// One field of an item, or of an object in it.
#[derive(FromPyObject)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// text, timestamp, number, identifier, object, judge; any: as what lies in an object.
    pub check: String,
    /// The most characters of a text (0: any number), the levels of an object.
    pub limit: u32,
    /// For judge: is asked for a text, and says None where it may go.
    pub judge: Option<Py<PyAny>>,
    /// Where its value lies. None: it is made of what follows.
    pub path: Option<Path>,
    /// Whether it may be absent.
    pub optional: bool,
    /// The JSON that takes the place of a value that is absent, or that is always sent.
    pub known: Option<Vec<u8>>,
    /// What `known` says, where that is a text.
    pub text: Option<String>,
    /// The parts of a template.
    pub parts: Vec<Part>,
    /// The fields of an object.
    pub fields: Option<Vec<Field>>,
}

/// A literal text, or a value that must be one.
#[derive(FromPyObject)]
pub struct Part {
    /// The literal text.
    pub text: String,
    /// Where the value lies.
    pub path: Option<Path>,
    /// Nothing stands for it where it is absent.
    pub optional: bool,
}

/// See `Item`.
#[derive(FromPyObject)]
pub struct Pair {
    /// The two fields' names.
    pub names: (String, String),
    /// What they may say.
    pub texts: Vec<(String, String)>,
}

/// A digest of a text.
#[derive(FromPyObject)]
pub struct Digest {
    /// Where the text lies.
    pub path: Path,
    /// What tells digests of one use from those of another.
    pub person: Vec<u8>,
    /// What stands before the text.
    pub before: Vec<u8>,
}

/// A claim on a window of the record's key.
#[derive(FromPyObject)]
pub struct Once {
    /// Where its time lies.
    pub at: Path,
    /// As a `Digest`'s.
    pub person: Vec<u8>,
    /// As a `Digest`'s.
    pub before: Vec<u8>,
    /// How long the window is. None: for ever.
    pub length_ms: Option<u64>,
}
