//! Scanning JSON bytes without reading values: where a value ends, and where the plain part of a
//! string ends.

/// The end of the object or list that starts at a place, by brackets and strings alone; `None` when
/// none starts there, or it never ends.
pub(super) fn skip_value(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        let b = *bytes.get(at)?;
        at += 1;
        match b {
            b' ' | b'\n' | b'\t' | b'\r' => {}
            b'"' if depth > 0 => at = skip_string(bytes, at)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
}

/// Behind the closing quote of a string.
fn skip_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        at = found + 1;
        if bytes[found] == b'"' {
            return Some(at);
        }
        at += 1;
    }
}

/// The offset of what ends the plain prefix of a string: a quote, a backslash, a control
/// character or the end of the text. By eights: most strings are too short for anything wider to
/// pay.
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // the lowest bit set is in the lowest byte that is smaller than `n`, which is at most 128
    let below = |eight: u64, n: u8| eight.wrapping_sub(ONES * u64::from(n)) & !eight & (ONES << 7);
    let is = |eight: u64, b: u8| below(eight ^ (ONES * u64::from(b)), 1);
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let eight = u64::from_le_bytes(*eight);
        let found = below(eight, 0x20) | is(eight, b'"') | is(eight, b'\\');
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .position(|b| *b < 0x20 || matches!(b, b'"' | b'\\'))
        .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_stretch_ends_where_looking_byte_by_byte_says() {
        let all: Vec<u8> = (0..=255).collect();
        for last in 0..=255_u8 {
            for before in [
                &b"aaaaaaaaaaaaaaaaaaa"[..],
                &[0x7f; 19],
                &[0x80; 19],
                &[0xff; 19],
                &[b'!'; 19],
                &[b'#'; 19],
            ] {
                for length in 0..19 {
                    let text = [&before[..length], &[last], &all].concat();
                    let want = text
                        .iter()
                        .position(|b| *b < 0x20 || *b == b'"' || *b == b'\\')
                        .unwrap();
                    assert_eq!(plain_prefix(&text), want, "{length} {last}");
                    assert_eq!(plain_prefix(&text[..want]), want);
                }
            }
        }
    }
}
