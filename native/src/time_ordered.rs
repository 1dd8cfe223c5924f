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

#[cfg(test)]
mod tests {
    use super::placed;

    #[test]
    fn an_id_of_version_7_tells_its_time_and_no_other_one_does() {
        let id = b"019ab12c-4d5e-7abc-9def-0123456789ab";
        let at_ms = 0x019a_b12c_4d5e_u64;
        let expected = (at_ms >> 14 & 0xfff) << 36 | at_ms >> 26 << 14 | at_ms & 0x3fff;
        let told = placed(id).map(|bytes| bytes.iter().fold(0_u64, |whole, &byte| whole << 8 | u64::from(byte)));
        assert_eq!(told, Some(expected));
        assert_eq!(placed(&id.to_ascii_uppercase()), placed(id));
        assert_eq!(placed(b"019ab12c-4d5e-4abc-9def-0123456789ab"), None);
        assert_eq!(placed(b"019ab12c-4d5e-7abc-9def-0123456789a"), None);
        for place in 0..id.len() {
            let near: Vec<u8> = id
                .iter()
                .enumerate()
                .map(|(at, &byte)| if at == place { b'+' } else { byte })
                .collect();
            assert_eq!(placed(&near), None);
        }
    }
}
