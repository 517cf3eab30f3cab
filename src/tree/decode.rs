//! Tree -> typed values, strictly, through serde.
//!
//! A struct's own list of fields decides what is known: a key it ignores is an unknown field,
//! reported at the key's place with the nearest known name. A value of the wrong type is reported
//! at the value's place. So the types of `k8s-openapi` give kubectl's strict decoding for free.
//! Cost: O(tree). Of several type errors in one object only the first is reported.

use crate::source::{Path, Span};
use crate::tree::node::{Entry, SyntaxNode, Value};
use crate::tree::problem::{Problem, ProblemKind};
use crate::tree::trail::PathTrail;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use std::cell::RefCell;
use std::fmt;

/// What decoding gave.
#[derive(Debug)]
pub struct Decoded<T> {
    /// The value, unless something had the wrong type.
    pub value: Option<T>,
    /// What is wrong: unknown fields, and the first wrong type.
    pub problems: Vec<Problem>,
}

/// Decodes a tree.
pub fn decode<T: DeserializeOwned>(node: &SyntaxNode) -> Decoded<T> {
    let problems = RefCell::new(Vec::new());
    let at = NodeDeserializer {
        node,
        trail: PathTrail::Root,
        problems: &problems,
    };
    let result = T::deserialize(at);
    let mut problems = problems.into_inner();
    match result {
        Ok(value) => Decoded {
            value: Some(value),
            problems,
        },
        Err(error) => {
            let place = error.place.unwrap_or((node.span, Path::root()));
            let message = if place.1.is_root() {
                error.message
            } else {
                format!("{}: {}", place.1, error.message)
            };
            let mut problem = Problem::new(ProblemKind::WrongType, place.0, message);
            problem.path = Some(place.1);
            problem.help = error.help;
            problems.push(problem);
            Decoded {
                value: None,
                problems,
            }
        }
    }
}

/// A type error, placed where it was first seen.
#[derive(Debug)]
struct DecodeError {
    message: String,
    help: Option<String>,
    place: Option<(Span, Path)>,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            help: None,
            place: None,
        }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::custom(format_args!("expected {}", friendly(&expected.to_string())))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("`{field}` is missing"))
    }
}

/// Rust's names of types, in the words of the manifest.
fn friendly(expected: &str) -> String {
    match expected {
        "i32" | "i64" | "u16" | "u32" => "a whole number".into(),
        "a string" | "str" => "a string".into(),
        "a sequence" => "a list".into(),
        "a map" => "a mapping".into(),
        "a boolean" => "a boolean (true or false)".into(),
        "enum IntOrString" | "IntOrString" => "a number or a name".into(),
        // k8s-openapi and derived types expect the struct by its name
        other => match other.strip_prefix("struct ") {
            Some(name) => format!("a mapping ({name})"),
            None if other.chars().next().is_some_and(char::is_uppercase) => {
                format!("a mapping ({other})")
            }
            None => other.to_owned(),
        },
    }
}

/// A node, the way that led to it, and where to put problems.
struct NodeDeserializer<'a> {
    node: &'a SyntaxNode,
    trail: PathTrail<'a>,
    problems: &'a RefCell<Vec<Problem>>,
}

impl NodeDeserializer<'_> {
    fn child<'c>(&'c self, node: &'c SyntaxNode, trail: PathTrail<'c>) -> NodeDeserializer<'c> {
        NodeDeserializer {
            node,
            trail,
            problems: self.problems,
        }
    }

    /// Puts an error here unless it already has a place, and says what was found instead.
    fn place<T>(&self, result: Result<T, DecodeError>) -> Result<T, DecodeError> {
        result.map_err(|mut error| {
            if error.place.is_none() {
                if error.message.starts_with("expected ") && !error.message.contains(", found ") {
                    error.message = format!("{}, found {}", error.message, found(self.node));
                    error.help = error.help.or_else(|| quote_help(self.node, &error.message));
                }
                error.place = Some((self.node.span, self.trail.path()));
            }
            error
        })
    }
}

fn found(node: &SyntaxNode) -> String {
    match &node.value {
        Value::Bool(b) => format!("the boolean `{b}`"),
        Value::Letter(c) => format!("the boolean `{c}`"),
        Value::Int(n) => format!("the number `{n}`"),
        Value::UInt(n) => format!("the number `{n}`"),
        Value::Float(n) => format!("the number `{n}`"),
        Value::String(s) if s.len() <= 60 => format!("the string `{s}`"),
        _ => node.kind_name().to_owned(),
    }
}

fn quote_help(node: &SyntaxNode, message: &str) -> Option<String> {
    let scalar = matches!(
        node.value,
        Value::Bool(_) | Value::Letter(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_)
    );
    (scalar && message.starts_with("expected a string"))
        .then(|| "write it in quotes: without them YAML reads yes, no, on, off, true and numbers as other types".into())
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(_) | Value::Letter(_) => {
                visitor.visit_bool(self.node.as_bool().unwrap_or(false))
            }
            Value::Int(n) => visitor.visit_i64(*n),
            Value::UInt(n) => visitor.visit_u64(*n),
            Value::Float(f) => match self.node.as_i64() {
                Some(whole) => visitor.visit_i64(whole),
                None => visitor.visit_f64(*f),
            },
            Value::String(s) => visitor.visit_str(s),
            Value::Sequence(items) => visitor.visit_seq(SequenceAccess {
                at: &self,
                items: items.iter().enumerate(),
            }),
            Value::Mapping(entries) => visitor.visit_map(MappingAccess {
                at: &self,
                entries: entries.iter(),
                value: None,
                fields: None,
            }),
        };
        self.place(result)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.node.is_null() {
            let empty = visitor.visit_str(""); // as Go reads a null into a string
            return self.place(empty);
        }
        let (Value::Letter(_), Some(letter)) = (&self.node.value, self.node.as_str()) else {
            return self.deserialize_any(visitor);
        };
        self.problems
            .borrow_mut()
            .push(letter_problem(self.node, letter, &self.trail.path()));
        visitor.visit_str(letter)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.node.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let result = match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(MappingAccess {
                at: &self,
                entries: entries.iter(),
                value: None,
                fields: Some(fields),
            }),
            Value::Null => visitor.visit_map(MappingAccess {
                at: &self,
                entries: [].iter(),
                value: None,
                fields: Some(fields),
            }),
            _ => Err(DecodeError::invalid_type(Unexpected::Unit, &visitor)),
        };
        self.place(result)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let Some(text) = self.node.as_str() else {
            let error = Err(DecodeError::custom("expected a string"));
            return self.place(error);
        };
        let result = visitor.visit_enum(Variant(text));
        self.place(result)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

fn letter_problem(node: &SyntaxNode, letter: &str, path: &Path) -> Problem {
    let message = format!(
        "{path}: kubectl reads the unquoted `{letter}` as a boolean and refuses it; taken as the letter"
    );
    let mut problem = Problem::new(ProblemKind::Letter, node.span, message)
        .help(format!("write \"{letter}\" in quotes"));
    problem.path = Some(path.clone());
    problem
}

struct Variant<'a>(&'a str);

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = DecodeError;
    type Variant = Self;
    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self), DecodeError> {
        Ok((seed.deserialize(self.0.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = DecodeError;
    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, DecodeError> {
        Err(DecodeError::custom("expected a plain word"))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::custom("expected a plain word"))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, DecodeError> {
        Err(DecodeError::custom("expected a plain word"))
    }
}

struct SequenceAccess<'a, I> {
    at: &'a NodeDeserializer<'a>,
    items: I,
}

impl<'de, 'a, I: Iterator<Item = (usize, &'a SyntaxNode)>> SeqAccess<'de>
    for SequenceAccess<'a, I>
{
    type Error = DecodeError;
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let child = self.at.child(node, PathTrail::Index(&self.at.trail, index));
        seed.deserialize(child).map(Some)
    }
}

struct MappingAccess<'a, I> {
    at: &'a NodeDeserializer<'a>,
    entries: I,
    value: Option<&'a Entry>,
    fields: Option<&'static [&'static str]>,
}

impl<'de, 'a, I: Iterator<Item = &'a Entry>> MapAccess<'de> for MappingAccess<'a, I> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some(entry) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(entry);
        if let Some(fields) = self.fields
            && !fields.contains(&&*entry.key)
        {
            self.at
                .problems
                .borrow_mut()
                .push(unknown_field(entry, fields, &self.at.trail.path()));
        }
        seed.deserialize((&*entry.key).into_deserializer())
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let Some(entry) = self.value.take() else {
            return Err(DecodeError::custom("a value without a key"));
        };
        seed.deserialize(
            self.at
                .child(&entry.value, PathTrail::Key(&self.at.trail, &entry.key)),
        )
    }
}

/// Where fields that people put in the wrong place belong.
const MISPLACED: &[(&str, &str)] = &[
    ("from", "belongs in an item of `ingress`"),
    ("to", "belongs in an item of `egress`"),
    (
        "ports",
        "belongs in an item of `ingress` or `egress`, beside `from` or `to`",
    ),
    (
        "podSelector",
        "belongs in `spec`, or in an item of `from` or `to`",
    ),
    ("namespaceSelector", "belongs in an item of `from` or `to`"),
    ("ipBlock", "belongs in an item of `from` or `to`"),
    ("matchLabels", "belongs in a selector such as `podSelector`"),
    (
        "matchExpressions",
        "belongs in a selector such as `podSelector`",
    ),
    ("policyTypes", "belongs in `spec`"),
    ("ingress", "belongs in `spec`"),
    ("egress", "belongs in `spec`"),
    ("except", "belongs in `ipBlock`"),
    ("namespace", "belongs in `metadata`"),
    ("labels", "belongs in `metadata`"),
];

/// Fields that people expect, and what does it instead; a similar known field is not meant.
const NO_SUCH: &[(&str, &str)] = &[
    (
        "nodeSelector",
        "no peer selects nodes here: name their addresses with an `ipBlock`",
    ),
    (
        "serviceSelector",
        "no peer selects Services: select the pods behind it with a `podSelector`",
    ),
    (
        "serviceAccountSelector",
        "no peer selects service accounts: select the pods by their labels",
    ),
    (
        "hostPort",
        "there is no such field: `port` is the port of the pod",
    ),
    (
        "nodePort",
        "there is no such field: `port` is the port of the pod, and no policy sees the nodePort",
    ),
    (
        "targetPort",
        "there is no such field: `port` is the port of the pod already",
    ),
];

/// What to do instead of a field that does not exist, by its name alone.
fn no_such(key: &str, fields: &[&str]) -> Option<String> {
    if key == "nodeSelector" && fields.contains(&"nodes") {
        return Some("did you mean `nodes`?".to_owned());
    }
    let is_peer = fields.contains(&"ipBlock");
    if is_peer
        && NAMES
            .iter()
            .any(|name| key.to_ascii_lowercase().contains(name))
    {
        return Some("no peer is a name here: name its addresses with an `ipBlock`".to_owned());
    }
    let row = NO_SUCH.iter().find(|(field, _)| *field == key)?;
    Some(row.1.to_owned())
}

/// Parts of fields by which other kinds of policies take names for peers.
const NAMES: [&str; 4] = ["fqdn", "domain", "dns", "host"];

fn unknown_field(entry: &Entry, fields: &[&str], path: &Path) -> Problem {
    let place = if path.is_root() {
        "here".to_owned()
    } else {
        format!("in {path}")
    };
    let message = format!("unknown field `{}` {place}", entry.key);
    let mut problem = Problem::new(ProblemKind::UnknownField, entry.key_span, message);
    problem.path = Some(path.key(&entry.key));
    problem.help = no_such(&entry.key, fields)
        .or_else(|| nearest(&entry.key, fields).map(|near| format!("did you mean `{near}`?")))
        .or_else(|| {
            MISPLACED
                .iter()
                .find(|(f, _)| *f == &*entry.key)
                .map(|(f, where_to)| format!("`{f}` {where_to}"))
        })
        .or_else(|| (fields.len() <= 8).then(|| format!("known fields: {}", fields.join(", "))));
    problem
}

/// The nearest word, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let distance = |w: &str| strsim::damerau_levenshtein(&lower, &w.to_lowercase());
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    words
        .iter()
        .map(|w| (distance(w), *w))
        .filter(|(d, _)| *d <= allowed)
        .min()
        .map(|(_, w)| w)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::networking::v1::NetworkPolicy;

    fn problems(text: &str) -> Vec<String> {
        let root = crate::tree::yaml::parse_up_to(text, 1000).root.unwrap();
        let found = decode::<NetworkPolicy>(&root).problems;
        found
            .iter()
            .map(|p| {
                format!(
                    "{}:{} {} | {}",
                    p.span.at.line,
                    p.span.at.column,
                    p.message,
                    p.help.as_deref().unwrap_or("")
                )
            })
            .collect()
    }

    const HEAD: &str =
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n";

    #[test]
    fn a_good_policy_decodes_with_nulls_and_names() {
        let text = format!(
            "{HEAD}  podSelector:\n  ingress:\n  - from: null\n    ports: [{{port: http}}, {{port: 80}}, {{port: 80.0}}]\n"
        );
        assert!(problems(&text).is_empty(), "{:?}", problems(&text));
    }

    #[test]
    fn an_unknown_field_names_the_nearest_known_one() {
        let text = format!("{HEAD}  podSelectr: {{}}\n  ingress:\n  - to: []\n");
        let found = problems(&text);
        assert_eq!(
            found[0],
            "5:3 unknown field `podSelectr` in spec | did you mean `podSelector`?"
        );
        assert!(
            found[1].starts_with(
                "7:5 unknown field `to` in spec.ingress[0] | `to` belongs in an item of `egress`"
            ),
            "{found:?}"
        );
    }

    #[test]
    fn a_wrong_type_is_told_at_the_value() {
        let text = format!("{HEAD}  podSelector: {{matchLabels: {{app: yes}}}}\n");
        assert!(problems(&text)[0].starts_with(
            "5:36 spec.podSelector.matchLabels.app: expected a string, found the boolean `true`"
        ));
        let text = format!("{HEAD}  ingress: {{}}\n");
        assert!(
            problems(&text)[0].starts_with("5:12 spec.ingress: expected a list"),
            "{:?}",
            problems(&text)
        );
        let text = format!("{HEAD}  ingress:\n  - ports: [{{port: true}}]\n");
        assert!(
            problems(&text)[0].contains("spec.ingress[0].ports[0].port: expected"),
            "{:?}",
            problems(&text)
        );
    }

    #[test]
    fn keys_of_free_maps_are_never_unknown() {
        let text = format!("{HEAD}  podSelector: {{matchLabels: {{anything: goes}}}}\n");
        assert!(problems(&text).is_empty());
    }
}
