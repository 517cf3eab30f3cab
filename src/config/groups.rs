//! Groups: named sets of workloads, in `netpal.yaml` and in test files.
//!
//! The types have the shape of the text; `src/check/scope.rs` resolves them. Where a value may have
//! several shapes (one endpoint, a list, a selection) it is deserialized by hand, because an
//! untagged enum would lose the location of a mistake.

use schemars::JsonSchema;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// A label selector, as in the API.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LabelsSpec {
    /// Labels with their values.
    pub match_labels: BTreeMap<String, String>,
    /// Conditions on labels.
    pub match_expressions: Vec<Expression>,
}

/// A condition on a label.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: Operator,
    /// The values, for `In` and `NotIn`.
    #[serde(default)]
    pub values: Vec<String>,
}

/// An operator of a label selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the API's names
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// A named set.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum GroupSpec {
    /// An endpoint, or several.
    Ends(Several),
    /// A selection.
    Select(GroupMap),
}

/// A selection of workloads.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct GroupMap {
    /// Every workload that is not in this group or endpoint.
    pub not: Option<String>,
    /// In this namespace.
    pub namespace: Option<String>,
    /// In namespaces with these labels.
    pub namespaces: Option<LabelsSpec>,
    /// Pods with these labels.
    pub pods: Option<LabelsSpec>,
}

/// One text, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Several {
    /// None.
    #[default]
    None,
    /// One.
    One(String),
    /// Many.
    Many(Vec<String>),
}

impl Several {
    /// The texts.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }

    /// Reads a list.
    pub(crate) fn of_list<'de, A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        SeveralVisitor.visit_seq(items)
    }
}

struct SeveralVisitor;

impl<'de> Visitor<'de> for SeveralVisitor {
    type Value = Several;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an endpoint or a list of endpoints")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Several, E> {
        Ok(Several::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Several, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        Ok(Several::Many(texts))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Several, E> {
        Ok(Several::None)
    }
}

impl<'de> Deserialize<'de> for Several {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeveralVisitor)
    }
}

impl<'de> Deserialize<'de> for GroupSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct GroupVisitor;
        impl<'de> Visitor<'de> for GroupVisitor {
            type Value = GroupSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an endpoint, a list of endpoints, or a selection (not, namespace, namespaces, pods)")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GroupSpec, E> {
                SeveralVisitor.visit_str(text).map(GroupSpec::Ends)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<GroupSpec, A::Error> {
                SeveralVisitor.visit_seq(items).map(GroupSpec::Ends)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<GroupSpec, A::Error> {
                GroupMap::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(GroupSpec::Select)
            }
        }
        deserializer.deserialize_any(GroupVisitor)
    }
}
