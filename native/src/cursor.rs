//! Avro's binary encoding: a place in bytes that moves on with what is taken.

use crate::unread::Unread;

const MOST_VARINT_BYTES: u32 = 10;

/// What is left of a value. Whatever it gives has been there: nothing is made as long as the data merely says.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// At the beginning of these bytes.
    pub fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The bytes from here to where another one, which began here, is now.
    pub fn up_to(&self, later: &Self) -> &'a [u8] {
        let size = self.left().saturating_sub(later.left());
        self.rest.get(..size).unwrap_or_default()
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, Unread> {
        let (&byte, rest) = self.rest.split_first().ok_or(Unread::DATA)?;
        self.rest = rest;
        Ok(byte)
    }

    /// The next `size` bytes.
    pub fn bytes(&mut self, size: usize) -> Result<&'a [u8], Unread> {
        let (taken, rest) = self.rest.split_at_checked(size).ok_or(Unread::DATA)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next bytes, as many as there are in an array.
    pub fn array<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], Unread> {
        let (&taken, rest) = self.rest.split_first_chunk().ok_or(Unread::DATA)?;
        self.rest = rest;
        Ok(taken)
    }

    /// An int, a long, an index or a count. Not one that goes on beyond 64 bits.
    pub fn long(&mut self) -> Result<i64, Unread> {
        let first = u64::from(self.byte()?);
        let mut zigzag = first & 0x7f;
        if first > 0x7f {
            for index in 1..MOST_VARINT_BYTES {
                let byte = self.byte()?;
                let shift = index.wrapping_mul(7);
                let bits = u64::from(byte & 0x7f);
                let placed = bits.wrapping_shl(shift);
                if placed.wrapping_shr(shift) != bits {
                    return Err(Unread::DATA);
                }
                zigzag |= placed;
                if byte < 0x80 {
                    return Ok(signed(zigzag));
                }
            }
            return Err(Unread::DATA);
        }
        Ok(signed(zigzag))
    }

    /// What stands behind its length: bytes, or a string's.
    pub fn sized(&mut self) -> Result<&'a [u8], Unread> {
        let size = usize::try_from(self.long()?).map_err(|_| Unread::DATA)?;
        self.bytes(size)
    }

    /// A string.
    pub fn text(&mut self) -> Result<&'a str, Unread> {
        std::str::from_utf8(self.sized()?).map_err(|_| Unread::DATA)
    }

    /// How many items the next block has; none at the end. A block may say its size in bytes too, which is passed over.
    ///
    /// An item takes a byte at least, a map's its key and an array's by the guards: more of them than bytes are left is
    /// what no data can keep.
    pub fn block(&mut self) -> Result<usize, Unread> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        match usize::try_from(count.unsigned_abs()) {
            Ok(items) if items <= self.left() => Ok(items),
            _ => Err(Unread::DATA),
        }
    }
}

/// Avro writes small numbers of either sign in few bytes: 0, -1, 1, -2 …
fn signed(zigzag: u64) -> i64 {
    let negative = (zigzag & 1).wrapping_neg(); // all bits, or none
    i64::from_ne_bytes(((zigzag >> 1) ^ negative).to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    fn long(bytes: &[u8]) -> Option<(i64, usize)> {
        let mut cursor = Cursor::new(bytes);
        let number = cursor.long().ok()?;
        Some((number, cursor.left()))
    }

    #[test]
    fn numbers_are_read_up_to_64_bits_and_no_further() {
        assert_eq!(long(&[0x7f, 9]), Some((-64, 1)));
        assert_eq!(long(&[0x80, 0x01]), Some((64, 0)));
        assert_eq!(long(&[0x82, 0x80, 0x00]), Some((1, 0)));
        let mut most = [0xff; 10];
        most[9] = 1;
        assert_eq!(long(&most), Some((i64::MIN, 0)));
        most[0] = 0xfe;
        assert_eq!(long(&most), Some((i64::MAX, 0)));
        most[9] = 2;
        assert_eq!(long(&most), None);
        most[9] = 0x80;
        assert_eq!(long(&most), None);
        assert_eq!(long(&[0x80]), None);
        assert_eq!(long(&[]), None);
    }

    #[test]
    fn a_block_of_more_items_than_bytes_are_left_is_refused() {
        assert_eq!(Cursor::new(&[4, 0, 0]).block().ok(), Some(2));
        assert_eq!(Cursor::new(&[4, 0]).block().ok(), None);
        assert_eq!(Cursor::new(&[3, 0, 0, 0]).block().ok(), Some(2));
        let mut least = [0xff; 11];
        least[9] = 1;
        least[10] = 0;
        assert_eq!(Cursor::new(&least).block().ok(), None);
    }

    #[test]
    fn a_size_is_not_negative_and_not_beyond_the_end() {
        assert_eq!(Cursor::new(&[4, b'a', b'b']).sized().ok(), Some(&b"ab"[..]));
        assert_eq!(Cursor::new(&[6, b'a', b'b']).sized().ok(), None);
        assert_eq!(Cursor::new(&[1, b'a']).sized().ok(), None);
    }
}
