//! Plain scalars as kubectl reads them: YAML 1.1 through go-yaml and then JSON.
//!
//! `yes`, `on`, `n` are booleans, `0777` and `0b11` are numbers, `1_000` is a thousand, `12:30` is
//! a string, dates are strings. Everything else is a string. Cost: O(length), no allocation unless
//! underscores have to go.

use crate::tree::node::Value;

/// Why a plain scalar has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANumber;

/// Resolves a plain (unquoted, untagged) scalar. Infinity and not-a-number have no JSON value: an
/// error, as in kubectl.
///
/// # Errors
/// For `.inf` and `.nan` in any of their spellings.
pub fn resolve(text: &str) -> Result<Value, NotANumber> {
    if is_word(text) {
        return Ok(Value::String(text.into()));
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "y" => return Ok(Value::Letter('y')),
        "Y" => return Ok(Value::Letter('Y')),
        "n" => return Ok(Value::Letter('n')),
        "N" => return Ok(Value::Letter('N')),
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            return Ok(Value::Bool(true));
        }
        "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            return Ok(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" => return Err(NotANumber),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(NotANumber);
    }
    let number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    Ok(number
        .then(|| numeric(text))
        .flatten()
        .unwrap_or_else(|| Value::String(text.into())))
}

/// Whether a text is none of the words below and no number by its first letter or its length: most
/// are.
fn is_word(text: &str) -> bool {
    let first = text.as_bytes().first();
    first.is_some_and(|b| b.is_ascii_alphabetic() && (text.len() > 5 || !b"nNyYtTfFoO".contains(b)))
}

fn numeric(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    integer(&plain)
        .or_else(|| float(&plain))
        .or_else(|| binary(&plain))
}

/// Go's `ParseInt(text, 0, 64)`: a base prefix or a leading zero chooses the base.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = based(digits);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        let value = i128::from(magnitude)
            .checked_neg()
            .and_then(|n| i64::try_from(n).ok())?;
        return Some(Value::Int(value));
    }
    Some(i64::try_from(magnitude).map_or(Value::UInt(magnitude), Value::Int))
}

fn based(digits: &str) -> (u32, &str) {
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    }
}

/// go-yaml's float pattern: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn float(text: &str) -> Option<Value> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some_digits = if whole.is_empty() {
        !fraction.is_empty()
    } else {
        true
    };
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    if !(digits(whole) && digits(fraction) && some_digits && exponent_ok) {
        return None;
    }
    let value: f64 = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
    value.is_finite().then(|| whole_number(value))
}

/// JSON has one kind of number: a float without a fraction is a whole number for every reader.
fn whole_number(value: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)] // whole and well inside the range
    if value.fract() == 0.0 && value.abs() < 9e15 {
        Value::Int(value as i64)
    } else {
        Value::Float(value)
    }
}

/// go-yaml also takes a sign after the base prefix away: `-0b11`.
fn binary(text: &str) -> Option<Value> {
    let digits = text.strip_prefix("-0b")?;
    let magnitude = i64::from_str_radix(digits, 2).ok()?;
    Some(Value::Int(-magnitude))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_1_1_as_kubectl_reads_it() {
        let int = |n| Ok(Value::Int(n));
        for (text, want) in [
            ("0777", int(511)),
            ("010", int(8)),
            ("0o17", int(15)),
            ("0b11", int(3)),
            ("0x1F", int(31)),
            ("1_000", int(1000)),
            ("08", int(8)),
            ("0899", int(899)),
            ("+1", int(1)),
            ("1e3", int(1000)),
            ("1.", int(1)),
            ("80.0", int(80)),
            ("y", Ok(Value::Letter('y'))),
            ("yes", Ok(Value::Bool(true))),
            ("NO", Ok(Value::Bool(false))),
            ("~", Ok(Value::Null)),
            (".inf", Err(NotANumber)),
            ("1.10", Ok(Value::Float(1.1))),
            ("18446744073709551615", Ok(Value::UInt(u64::MAX))),
        ] {
            assert_eq!(resolve(text), want, "{text}");
        }
        for string in [
            "yEs",
            "tRUE",
            "60:30",
            "12:30:45",
            "2001-01-01",
            "0x",
            "1.2.3",
            "-",
            "..",
            "e3",
            "1-2",
        ] {
            assert_eq!(
                resolve(string),
                Ok(Value::String(string.into())),
                "{string}"
            );
        }
    }
}
