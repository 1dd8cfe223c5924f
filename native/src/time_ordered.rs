//! Ids that tell when they were made: UUIDs of version 7 (RFC 9562), as text.

const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The six bytes that the digest of such an id begins with: its milliseconds, of which the bits 14 to 25 come first, as
/// `consumer/topology/digests.py` says. None for any other text.
pub fn placed(id: &[u8]) -> Option<[u8; 6]> {
    if id.len() != 36
        || id.get(14) != Some(&b'7')
        || !matches!(id.get(19), Some(b'8' | b'9' | b'a' | b'b' | b'A' | b'B'))
    {
        return None;
    }
    let mut at_ms = 0_u64;
    for (place, &byte) in id.iter().enumerate() {
        if HYPHENS.contains(&place) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = char::from(byte).to_digit(16)?;
        if place < 13 {
            at_ms = at_ms << 4 | u64::from(digit);
        }
    }
    let (first, middle, last) = (at_ms >> 14 & 0xfff, at_ms >> 26, at_ms & 0x3fff);
    let [_, _, placed @ ..] = (first << 36 | middle << 14 | last).to_be_bytes();
    Some(placed)
}
