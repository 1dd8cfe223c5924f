//! JSON of values where they lie, byte for byte what `consumer/endpoints/fields.py` makes of them.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::cursor::Cursor;
use crate::instant::state;
use crate::shape::{at, Field, Shape};
use crate::unread::Unread;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes into a body that grows.
pub struct Writer<'py> {
    /// The interpreter.
    pub py: Python<'py>,
    /// What has been written.
    pub body: Vec<u8>,
    /// Python's encoder: how a double is written is for it to say.
    pub encode: Bound<'py, PyAny>,
}

impl Writer<'_> {
    /// A comma, unless it would stand first.
    pub fn separate(&mut self) {
        if !matches!(self.body.last(), Some(b'{' | b'[') | None) {
            self.body.push(b',');
        }
    }

    /// Text in quotes.
    pub fn text(&mut self, text: &str) {
        self.body.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(plain) = rest
            .iter()
            .position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')
        {
            let (before, from) = rest.split_at(plain);
            self.body.extend_from_slice(before);
            if let Some((&byte, after)) = from.split_first() {
                self.escaped(byte);
                rest = after;
            }
        }
        self.body.extend_from_slice(rest);
        self.body.push(b'"');
    }

    fn escaped(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            _ => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                self.body.extend_from_slice(b"\\u00");
                self.body.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
                return;
            }
        };
        self.body.extend_from_slice(&[b'\\', short]);
    }

    /// A value that may hold so many levels of containers, itself counted. Says no to what has no JSON form.
    pub fn value(&mut self, shape: &Shape, cursor: &mut Cursor<'_>, levels: u32) -> Result<(), Unread> {
        match shape {
            Shape::Null => self.body.extend_from_slice(b"null"),
            Shape::Boolean => self
                .body
                .extend_from_slice(if cursor.byte()? == 0 { b"false" } else { b"true" }),
            Shape::Long => self.whole(cursor.long()?),
            Shape::Float => self.double(f64::from(f32::from_le_bytes(cursor.array()?)))?,
            Shape::Double => self.double(f64::from_le_bytes(cursor.array()?))?,
            Shape::Text => self.text(cursor.text()?),
            Shape::Enum(symbols) => self.text(symbol(self.py, symbols, cursor)?.to_str()?),
            Shape::Instant(instant) => self.instant(instant.micros(cursor)?)?,
            Shape::Union(branches) => return self.value(&at(branches, cursor.long()?)?.shape, cursor, levels),
            Shape::Record(fields) => self.record(fields, cursor, inner(levels)?)?,
            Shape::Array(item) => self.array(item, cursor, inner(levels)?)?,
            Shape::Map(value) => self.map(value, cursor, inner(levels)?)?,
            Shape::Bytes | Shape::Fixed(_) | Shape::Meaning(_) => return Err(Unread::DATA),
        }
        Ok(())
    }

    fn whole(&mut self, number: i64) {
        let mut digits = [0_u8; 20];
        let mut left = number.unsigned_abs();
        let mut size = 0_usize;
        for place in digits.iter_mut().rev() {
            *place = b'0'.wrapping_add((left % 10).to_le_bytes()[0]);
            left /= 10;
            size = size.saturating_add(1);
            if left == 0 {
                break;
            }
        }
        if number < 0 {
            self.body.push(b'-');
        }
        let from = digits.len().saturating_sub(size);
        self.body.extend_from_slice(digits.get(from..).unwrap_or_default());
    }

    fn double(&mut self, number: f64) -> Result<(), Unread> {
        if !number.is_finite() {
            return Err(Unread::DATA);
        }
        let written = self.encode.call1((number,))?;
        let written = written.cast::<PyBytes>().map_err(|_| Unread::DATA)?;
        self.body.extend_from_slice(written.as_bytes());
        Ok(())
    }

    /// ISO 8601 with Z; microseconds where there are any.
    fn instant(&mut self, micros: i64) -> Result<(), Unread> {
        let [high, low, month, day, hour, minute, second, parts @ ..] = state(micros).ok_or(Unread::DATA)?;
        let year = u32::from(u16::from_be_bytes([high, low]));
        let [m1, m2, m3] = parts;
        self.body.push(b'"');
        self.digits(year, 4);
        for (before, part) in [(b'-', month), (b'-', day), (b'T', hour), (b':', minute), (b':', second)] {
            self.body.push(before);
            self.digits(u32::from(part), 2);
        }
        let micros = u32::from_be_bytes([0, m1, m2, m3]);
        if micros != 0 {
            self.body.push(b'.');
            self.digits(micros, 6);
        }
        self.body.extend_from_slice(b"Z\"");
        Ok(())
    }

    fn digits(&mut self, number: u32, count: u32) {
        for place in (0..count).rev() {
            let above = number.checked_div(10_u32.saturating_pow(place)).unwrap_or_default();
            self.body.push(b'0'.wrapping_add((above % 10).to_le_bytes()[0]));
        }
    }

    fn record(&mut self, fields: &[Field], cursor: &mut Cursor<'_>, levels: u32) -> Result<(), Unread> {
        self.body.push(b'{');
        for Field { name, shape } in fields {
            self.separate();
            self.text(name.bind(self.py).to_str()?);
            self.body.push(b':');
            self.value(shape, cursor, levels)?;
        }
        self.body.push(b'}');
        Ok(())
    }

    fn array(&mut self, item: &Shape, cursor: &mut Cursor<'_>, levels: u32) -> Result<(), Unread> {
        self.body.push(b'[');
        loop {
            let count = cursor.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                self.separate();
                self.value(item, cursor, levels)?;
            }
        }
        self.body.push(b']');
        Ok(())
    }

    /// Says no to a key that comes twice: of those Python keeps the last value, in the first one's place.
    fn map(&mut self, value: &Shape, cursor: &mut Cursor<'_>, levels: u32) -> Result<(), Unread> {
        let mut seen = HashSet::new();
        self.body.push(b'{');
        loop {
            let count = cursor.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                self.separate();
                let key = cursor.text()?;
                if !seen.insert(key) {
                    return Err(Unread::DATA);
                }
                self.text(key);
                self.body.push(b':');
                self.value(value, cursor, levels)?;
            }
        }
        self.body.push(b'}');
        Ok(())
    }
}

fn inner(levels: u32) -> Result<u32, Unread> {
    levels.checked_sub(1).ok_or(Unread::DATA)
}

/// The text of an enum's value.
pub fn symbol<'a, 'py>(
    py: Python<'py>,
    symbols: &'a [Py<PyAny>],
    cursor: &mut Cursor<'_>,
) -> Result<&'a Bound<'py, PyString>, Unread> {
    at(symbols, cursor.long()?)?
        .bind(py)
        .cast::<PyString>()
        .map_err(|_| Unread::DATA)
}
