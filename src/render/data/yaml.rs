//! YAML out: block style, piece by piece, and every string in quotes that some reader could take
//! for something else.
//!
//! `yes` is a boolean to a reader of YAML 1.1, `12:30` a number to some, a date a date to others;
//! so a string is plain only if it starts with a letter, has no mark that means something, and is
//! no word of either version. Everything else is quoted as in JSON. Invariant: whatever is written
//! is read back the same by YAML 1.1 and 1.2. Cost: O(output), no memory: lists are written while
//! they are found. Road not taken: the writers that exist quote by YAML 1.2 alone.

use crate::render::text::snippet::{WORDS, quoted};
use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use std::fmt::{self, Display};
use std::io::{self, Write};

/// Writes a value as a document.
///
/// # Errors
/// When the writer fails, or the value has a key that is no text.
pub fn write<T: Serialize + ?Sized>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    value
        .serialize(&mut Emitter {
            out,
            indent: 0,
            after: OnLine::Nothing,
        })
        .map_err(|fault| fault.0)
}

/// Whether a text is the same text to every reader without quotes.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let first = bytes
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'/');
    let inside = bytes.iter().all(|b| matches!(b, b' '..=b'~'));
    let marks = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']);
    first && inside && !marks && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// What is on the line already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnLine {
    Nothing,
    Key,
    Dash,
}

struct Emitter<'w> {
    out: &'w mut dyn Write,
    /// How far the entries of the innermost list or mapping are indented.
    indent: usize,
    after: OnLine,
}

/// Why a value cannot be written.
#[derive(Debug)]
struct Fault(io::Error);

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self(io::Error::other(message.to_string()))
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl<'w> Emitter<'w> {
    fn scalar(&mut self, text: &str) -> Result<(), Fault> {
        let gap = if self.after == OnLine::Key { " " } else { "" };
        Ok(writeln!(self.out, "{gap}{text}")?)
    }

    /// A list or mapping whose entries are indented by so much more after a key, and by two after a
    /// dash.
    fn open(&mut self, after_key: usize) -> OpenCollection<'_, 'w> {
        let (outer, after) = (self.indent, self.after);
        self.indent += match after {
            OnLine::Nothing => 0,
            OnLine::Key => after_key,
            OnLine::Dash => 2,
        };
        OpenCollection {
            emitter: self,
            outer,
            after,
            empty: true,
        }
    }
}

/// A list or mapping that is being written.
struct OpenCollection<'a, 'w> {
    emitter: &'a mut Emitter<'w>,
    outer: usize,
    after: OnLine,
    empty: bool,
}

impl OpenCollection<'_, '_> {
    /// Starts an entry: on the line of the dash it belongs to if it is the first, else on a line of
    /// its own.
    fn entry(&mut self) -> Result<(), Fault> {
        if std::mem::replace(&mut self.empty, false) {
            match self.after {
                OnLine::Dash => return Ok(()),
                OnLine::Key => writeln!(self.emitter.out)?,
                OnLine::Nothing => {}
            }
        }
        Ok(write!(self.emitter.out, "{:1$}", "", self.emitter.indent)?)
    }

    fn value<T: Serialize + ?Sized>(&mut self, after: OnLine, value: &T) -> Result<(), Fault> {
        self.emitter.after = after;
        value.serialize(&mut *self.emitter)
    }

    fn close(self, nothing: &str) -> Result<(), Fault> {
        self.emitter.indent = self.outer;
        if self.empty {
            self.emitter.after = self.after;
            self.emitter.scalar(nothing)?;
        }
        Ok(())
    }
}

impl SerializeSeq for OpenCollection<'_, '_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.entry()?;
        write!(self.emitter.out, "- ")?;
        self.value(OnLine::Dash, value)
    }

    fn end(self) -> Result<(), Fault> {
        self.close("[]")
    }
}

impl SerializeMap for OpenCollection<'_, '_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        let key = serde_json::to_value(key).map_err(<Fault as ser::Error>::custom)?;
        let text = key
            .as_str()
            .ok_or_else(|| <Fault as ser::Error>::custom("a key that is no text"))?;
        self.entry()?;
        Ok(write!(self.emitter.out, "{}:", shown(text))?)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.value(OnLine::Key, value)
    }

    fn end(self) -> Result<(), Fault> {
        self.close("{}")
    }
}

impl SerializeStruct for OpenCollection<'_, '_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        self.serialize_entry(key, value)
    }

    fn end(self) -> Result<(), Fault> {
        SerializeMap::end(self)
    }
}

fn shown(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Numbers and booleans are written as they are.
macro_rules! as_is {
    ($($name:ident: $type:ty),*) => {
        $(fn $name(self, value: $type) -> Result<(), Fault> {
            self.scalar(&value.to_string())
        })*
    };
}

impl<'a, 'w> Serializer for &'a mut Emitter<'w> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = OpenCollection<'a, 'w>;
    type SerializeTuple = Impossible<(), Fault>;
    type SerializeTupleStruct = Impossible<(), Fault>;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = OpenCollection<'a, 'w>;
    type SerializeStruct = OpenCollection<'a, 'w>;
    type SerializeStructVariant = Impossible<(), Fault>;

    as_is!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    as_is!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_f32(self, value: f32) -> Result<(), Fault> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Fault> {
        self.scalar(&serde_json::Value::from(value).to_string())
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), Fault> {
        self.scalar(&shown(text))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Fault> {
        Err(ser::Error::custom("bytes have no form here"))
    }

    fn serialize_none(self) -> Result<(), Fault> {
        self.scalar("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        self.scalar("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        self.scalar("null")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Fault> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        let mut open = self.open(2);
        open.serialize_entry(variant, value)?;
        SerializeMap::end(open)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Fault> {
        Ok(self.open(0))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Fault> {
        Err(ser::Error::custom("tuples have no form here"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Fault> {
        Err(ser::Error::custom("tuples have no form here"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        Err(ser::Error::custom("tuples have no form here"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Fault> {
        Ok(self.open(2))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Fault> {
        Ok(self.open(2))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        Err(ser::Error::custom("variants with fields have no form here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Chunk, parse};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn written(value: &Value) -> String {
        let mut out = Vec::new();
        write(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// As kubectl reads it: YAML 1.1.
    fn read(text: &str) -> Value {
        let chunk = Chunk::whole(text);
        parse(text, &chunk)
            .root
            .unwrap_or_else(|| panic!("{text}"))
            .to_json()
    }

    #[test]
    fn the_layout_is_the_usual_one() {
        let value = json!({"a": [{"b": 1, "c": []}, [2, [3]], "x y"], "d": {"e": {}, "f": null}, "g": [[]]});
        let text = "a:\n- b: 1\n  c: []\n- - 2\n  - - 3\n- x y\nd:\n  e: {}\n  f: null\ng:\n- []\n";
        assert_eq!(written(&value), text);
    }

    #[test]
    fn words_that_any_version_of_yaml_reads_are_quoted() {
        for word in [
            "y",
            "N",
            "yes",
            "No",
            "ON",
            "off",
            "true",
            "null",
            "~",
            "1",
            "0777",
            "1_000",
            "12:30",
            "2001-01-01",
            ".5",
            "",
            "a: b",
            "a #",
            "- a",
            "&a",
            "x:",
        ] {
            assert_eq!(written(&json!({"k": word})), format!("k: \"{word}\"\n"));
        }
        assert_eq!(
            written(&json!({"yes": true, "verdict": "yes"})),
            "\"yes\": true\nverdict: \"yes\"\n"
        );
        assert_eq!(
            written(&json!(["data/database:5432", "ingress[0].from[1]"])),
            "- data/database:5432\n- ingress[0].from[1]\n"
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[yYnNoOfFeEsStruTRU~.]{1,4}",
            "[0-9_.:eExob+-]{1,8}",
            "[a-c:# \\-\\[\\]{},&*!|>%@`'\"?\u{85}\u{2028}\u{feff}\n\t]{0,6}",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_versions_read_back_what_was_written(value in values()) {
            let text = written(&value);
            prop_assert_eq!(&read(&text), &value, "{}", text);
            let newer: Value = serde_yaml::from_str(&text).map_err(|e| TestCaseError::fail(format!("{e}: {text}")))?;
            prop_assert_eq!(&newer, &value, "{}", text);
        }
    }
}
