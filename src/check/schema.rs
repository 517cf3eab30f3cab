//! The schema of the test file.
//!
//! The types have the shape of the text; [`crate::check::parse`] turns them into tests. Their names
//! and documentation are part of the published JSON schema. Where a value may have several shapes
//! (one endpoint or a list, a number or `any`), it is deserialized by hand, because an untagged
//! enum would lose the location of a mistake.

pub use crate::config::groups::{Expression, GroupMap, GroupSpec, LabelsSpec, Operator, Several};
use crate::config::{Level, WorldSpec};
use schemars::JsonSchema;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// A test file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct TestFile {
    /// The version of this format; 1.
    pub version: Option<u32>,
    /// Whether claims of absence are about pods that are not in the input too: `open`, the default,
    /// or `closed`.
    pub world: Option<WorldSpec>,
    /// Names for sets of workloads and addresses, usable wherever an endpoint is.
    pub groups: BTreeMap<String, GroupSpec>,
    /// The tests.
    pub tests: Vec<TestSpec>,
}

/// One test: exactly one claim, and its settings.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct TestSpec {
    /// What it says, for people.
    pub name: Option<String>,
    /// How bad a failure is; only errors end with exit code 1.
    pub severity: Option<Level>,
    /// Whether a claim of absence is about pods that are not in the input too; as its file says
    /// otherwise.
    pub world: Option<WorldSpec>,
    /// Whether an endpoint that means nothing here is fine.
    pub allow_empty: bool,
    /// Whether `can` needs every pair, or one.
    #[serde(rename = "match")]
    pub matching: Matching,
    /// Whether `only-from` and `only-to` also need each listed end to be allowed.
    pub exactly: bool,
    /// Whether `default-deny` needs a policy that selects every pod of the namespace.
    pub require_policy: bool,
    /// Every pair is allowed, on every port named: `SRC -> DST:PORT`.
    pub can: Option<Several>,
    /// No pair is allowed, on any port named.
    pub cannot: Option<Several>,
    /// Nobody else reaches an end.
    pub only_from: Option<OnlyFrom>,
    /// An end reaches nobody else.
    pub only_to: Option<OnlyTo>,
    /// No path leads from one end to the other.
    pub isolated: Option<Isolated>,
    /// What the internet may reach, and what may reach the internet.
    pub internet: Option<Internet>,
    /// Where doors lead from the internet.
    pub doors: Option<DoorsClaim>,
    /// Every workload is isolated.
    pub default_deny: Option<DefaultDeny>,
    /// The allow-graph is the one in this snapshot, a path from the current directory.
    pub matches_snapshot: Option<String>,
}

/// Every pair, or one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Matching {
    /// Every pair.
    #[default]
    All,
    /// At least one.
    Some,
}

/// Nobody but `from` reaches `to`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct OnlyFrom {
    /// The destination.
    pub to: String,
    /// Who may.
    pub from: Several,
    /// Whether each of them must.
    pub exactly: bool,
}

/// `from` reaches nobody but `to`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct OnlyTo {
    /// The source.
    pub from: String,
    /// Where it may go, with ports if wanted.
    pub to: Several,
    /// Whether it must reach each of them.
    pub exactly: bool,
}

/// No path leads from `from` to `to`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct Isolated {
    /// Where paths start.
    pub from: String,
    /// Where they must not lead.
    pub to: String,
    /// How long a path counts: a number, or `any`.
    pub hops: Hops,
    /// Approved ways through: paths by these do not count.
    pub except_via: Several,
    /// What a path may lead through.
    pub through: Vec<Through>,
}

/// What a path may lead through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Through {
    /// Workloads on the pod network: always.
    Workloads,
    /// Nodes, and the pods that share their network.
    Nodes,
    /// Outside addresses.
    Internet,
}

/// The edge to the internet: nothing else is reached from it or reaches it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct Internet {
    /// What may be reached from the internet; not checked when left out.
    pub ingress: Option<Several>,
    /// What may reach the internet, as `SRC -> DST:PORT`; not checked when left out.
    pub egress: Option<Several>,
}

/// Doors lead to nothing else.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct DoorsClaim {
    /// What doors may lead to, with ports if wanted.
    pub only: Several,
}

/// Every workload is isolated in these directions.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct DefaultDeny {
    /// In which namespaces; all when left out.
    pub namespaces: Scope,
    /// In which directions; both when left out.
    pub directions: Vec<WaySpec>,
    /// Whether each namespace needs a policy that selects every pod and has no rule.
    pub require_policy: bool,
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaySpec {
    /// Into pods.
    Ingress,
    /// Out of pods.
    Egress,
}

/// Which namespaces.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(untagged)]
pub enum Scope {
    /// All.
    #[default]
    All,
    /// These.
    Names(Vec<String>),
    /// Those of a selection.
    Select(ScopeMap),
}

/// A selection of namespaces.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct ScopeMap {
    /// Not these.
    pub except: Vec<String>,
    /// With these labels.
    #[serde(rename = "matchLabels")]
    pub match_labels: BTreeMap<String, String>,
    /// With labels like these.
    #[serde(rename = "matchExpressions")]
    pub match_expressions: Vec<Expression>,
}

/// How many hops count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Hops {
    /// `any`.
    Any(#[schemars(with = "AnyWord")] ()),
    /// At most so many.
    Most(u32),
}

/// The word `any`.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code)] // stands for the word in the schema
enum AnyWord {
    /// However many.
    Any,
}

impl Default for Hops {
    fn default() -> Self {
        Self::Most(1)
    }
}

impl Hops {
    /// The longest path that counts.
    pub fn limit(self) -> u32 {
        match self {
            Self::Any(()) => u32::MAX,
            Self::Most(n) => n,
        }
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScopeVisitor;
        impl<'de> Visitor<'de> for ScopeVisitor {
            type Value = Scope;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a list of namespaces or a selection (except, matchLabels, matchExpressions)",
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Scope, A::Error> {
                Several::of_list(items).map(|names| Scope::Names(names.texts().to_vec()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scope, A::Error> {
                ScopeMap::deserialize(de::value::MapAccessDeserializer::new(map)).map(Scope::Select)
            }
        }
        deserializer.deserialize_any(ScopeVisitor)
    }
}

impl<'de> Deserialize<'de> for Hops {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HopsVisitor;
        impl Visitor<'_> for HopsVisitor {
            type Value = Hops;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`any` or a number of hops from 1")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hops, E> {
                if text == "any" {
                    Ok(Hops::Any(()))
                } else {
                    Err(E::custom("expected `any` or a number of hops from 1"))
                }
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Hops, E> {
                let hops = u32::try_from(n).ok().filter(|n| *n > 0).map(Hops::Most);
                hops.ok_or_else(|| E::custom("expected `any` or a number of hops from 1"))
            }
        }
        deserializer.deserialize_any(HopsVisitor)
    }
}
