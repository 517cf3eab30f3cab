//! JSON for programs: frozen structs under `"schema": "netpal/v1"`.
//!
//! A field is never renamed or removed within a version, only added. Ports are structured
//! (`protocol`, `from`, `to`), places are `file`, `line`, `column`; words for people live in fields
//! called `text` and may change.

use crate::model::{Truth, WorkloadId};
use crate::policy::{PolicyId, RuleRef};
use crate::query::explain::explanation::{ExplanationSide, PeerTrace, RuleTrace};
use crate::query::list::listing::Party;
use crate::query::{Answer, End, Pair};
use crate::render::context::Names;
use crate::render::context::RenderContext;
use crate::render::data::parts::{PartJson, parts};
pub use crate::render::data::ports::{PortsJson, traffic};
use crate::render::data::yaml;
use crate::render::mismatch;
use crate::render::words;
use crate::source::Origin;
use crate::spec::Endpoint;
use schemars::JsonSchema;
use serde::Serialize;
use std::io::{self, Write};

/// The version all documents carry.
pub const SCHEMA: &str = "netpal/v1";

/// A document: what it is, and its content.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JsonDocument<T> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What kind of document.
    pub kind: &'static str,
    /// Its content.
    #[serde(flatten)]
    pub content: T,
}

/// Writes a document, indented, with a final newline.
///
/// # Errors
/// When the writer fails.
pub fn write<T: Serialize>(kind: &'static str, content: T, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(
        &mut *out,
        &JsonDocument {
            schema: SCHEMA,
            kind,
            content,
        },
    )?;
    writeln!(out)
}

/// The same document as YAML.
///
/// # Errors
/// When the writer fails.
pub fn write_yaml<T: Serialize>(
    kind: &'static str,
    content: T,
    out: &mut dyn Write,
) -> io::Result<()> {
    let document = JsonDocument {
        schema: SCHEMA,
        kind,
        content,
    };
    yaml::write(&document, out)
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaceJson {
    /// The file as the user wrote it.
    pub file: String,
    /// 1-based line.
    pub line: u32,
    /// 1-based column.
    pub column: u32,
}

/// The place of an origin.
pub fn at(context: RenderContext<'_>, origin: &Origin) -> Option<PlaceJson> {
    let location = context.locator.locate(origin)?;
    Some(PlaceJson {
        file: location.file.into(),
        line: location.at.line,
        column: location.at.column,
    })
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyName {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What makes it, where it is not written out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
}

/// A policy by id.
pub fn policy(context: RenderContext<'_>, id: PolicyId) -> PolicyName {
    let policy = context.graph.environment().policies.get(id);
    PolicyName {
        kind: policy.shape.kind,
        namespace: policy.namespace.as_deref().map(Into::into),
        name: policy.name.to_string(),
        made_by: policy.generated.as_ref().map(|g| g.by.to_string()),
    }
}

/// A rule, or one peer or port of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleRefJson {
    /// The policy.
    pub policy: PolicyName,
    /// `ingress[0].from[1]`.
    pub path: String,
    /// Its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
}

/// A rule by reference.
pub fn rule(context: RenderContext<'_>, at_rule: RuleRef) -> RuleRefJson {
    let lowered = context.graph.environment().policies.get(at_rule.policy);
    RuleRefJson {
        policy: policy(context, at_rule.policy),
        path: lowered.rule_path(at_rule).to_string(),
        at: at(context, &lowered.origin(at_rule)),
    }
}

/// One end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum EndJson {
    /// A workload.
    Workload {
        /// Its namespace.
        namespace: String,
        /// Its kind.
        kind: String,
        /// Its name; of pods that are made from an object of another kind its name and their role.
        name: String,
    },
    /// A block of outside addresses.
    Addresses {
        /// What it is called.
        name: String,
        /// Its blocks.
        cidrs: Vec<String>,
    },
}

/// A workload as an end.
pub fn workload(context: RenderContext<'_>, id: WorkloadId) -> EndJson {
    let cluster = &context.input.cluster;
    let workload = cluster.workload(id);
    EndJson::Workload {
        namespace: cluster.namespace(workload.namespace).name.to_string(),
        kind: workload.kind_name().to_owned(),
        name: workload.name.to_string(),
    }
}

/// A block of addresses as an end.
pub fn blocks(name: &str, set: &crate::set::IpSet) -> EndJson {
    EndJson::Addresses {
        name: name.to_owned(),
        cidrs: set.to_cidrs().iter().map(ToString::to_string).collect(),
    }
}

/// An end of a question.
pub fn end(context: RenderContext<'_>, end: &End) -> EndJson {
    match end {
        End::Pods { workload: id, .. } => workload(context, *id),
        End::Addresses { name, set, .. } => blocks(name, set),
    }
}

pub(crate) fn party(context: RenderContext<'_>, party: &Party) -> EndJson {
    match party {
        Party::Workload(id) => workload(context, *id),
        Party::Addresses(set) => blocks(&words::addresses(set), set),
    }
}

/// `yes`, `no` or `unknown`.
pub fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::Yes => "yes",
        Truth::No => "no",
        Truth::Maybe => "unknown",
    }
}

/// One side of a flow.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SideJson {
    /// `egress` or `ingress`.
    pub direction: &'static str,
    /// Whose policies were asked: `namespace/name`, or an address.
    pub subject: String,
    /// `yes`, `no` or `unknown`.
    pub verdict: &'static str,
    /// The stable reason code.
    pub reason: &'static str,
    /// The rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<RuleRefJson>,
    /// The policies that isolate the subject in this direction.
    pub isolated_by: Vec<PolicyName>,
    /// The rule that came closest, where none matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<Near>,
    /// Peers that could not be decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<PeerJson>,
    /// Conditions that a flow does not show, each with its rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionJson>,
    /// Policies of which it is unknown whether they select the subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may_select: Vec<PolicyName>,
}

/// What a rule depends on and a flow does not show.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConditionJson {
    /// The rule.
    #[serde(flatten)]
    pub rule: RuleRefJson,
    /// The condition: `HTTP GET /public`.
    pub condition: String,
}

/// A rule that nearly matched.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Near {
    /// The rule, at its nearest peer.
    #[serde(flatten)]
    pub rule: RuleRefJson,
    /// Whether its ports match.
    pub ports_match: bool,
    /// What is wrong with the peer.
    pub mismatches: Vec<String>,
}

/// A peer and what is wrong with it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PeerJson {
    /// The peer.
    #[serde(flatten)]
    pub rule: RuleRefJson,
    /// `yes`, `no` or `unknown`.
    pub matched: &'static str,
    /// Why not, or why it is unknown.
    pub mismatches: Vec<String>,
}

/// One side.
pub fn side(context: RenderContext<'_>, side: &ExplanationSide) -> SideJson {
    SideJson {
        direction: side.direction.name(),
        subject: endpoint(context, side.subject),
        verdict: truth(side.allowed),
        reason: side.reason.code(),
        decided_by: side.decided_by.map(|at| rule(context, at)),
        isolated_by: side
            .isolated_by
            .iter()
            .map(|p| policy(context, *p))
            .collect(),
        near: side
            .near
            .as_ref()
            .filter(|_| !side.allowed.possible())
            .map(|n| near(context, n, side.peer)),
        doubts: side
            .doubts
            .iter()
            .map(|d| peer(context, d, side.peer))
            .collect(),
        conditions: side
            .conditions
            .iter()
            .map(|at| ConditionJson {
                rule: rule(context, *at),
                condition: words::conditions(context.graph.environment().policies.rule(*at)),
            })
            .collect(),
        may_select: side
            .doubtful_policies
            .iter()
            .map(|p| policy(context, *p))
            .collect(),
    }
}

fn near(context: RenderContext<'_>, trace: &RuleTrace, other: Endpoint) -> Near {
    let nearest = crate::query::explain::explanation::nearest_peer(trace);
    let texts = nearest
        .map(|p| peer(context, p, other).mismatches)
        .unwrap_or_default();
    Near {
        rule: rule(context, nearest.map_or(trace.at, |p| p.at)),
        ports_match: trace.ports,
        mismatches: texts,
    }
}

/// A peer with what is wrong with it.
pub fn peer(context: RenderContext<'_>, trace: &PeerTrace, other: Endpoint) -> PeerJson {
    let text = |m| mismatch::mismatch(context, m, other);
    PeerJson {
        rule: rule(context, trace.at),
        matched: truth(trace.matched),
        mismatches: trace.mismatches.iter().map(text).collect(),
    }
}

/// The workload of a pod; what addresses are called in this answer.
pub fn endpoint(context: RenderContext<'_>, endpoint: Endpoint) -> String {
    let cluster = &context.input.cluster;
    match endpoint {
        Endpoint::Pod(pod) => cluster.workload_name(cluster.pod(pod).workload),
        Endpoint::Address(_) => words::name_of(context, endpoint),
    }
}

/// The answer of `can`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AnswerJson {
    /// The source as it was asked.
    pub source: String,
    /// The destination as it was asked.
    pub destination: String,
    /// `yes`, `no`, `partly` or `unknown`.
    pub verdict: &'static str,
    /// Each source with each destination.
    pub pairs: Vec<PairJson>,
    /// What the input does not have, where that leaves the answer unknown.
    pub missing: Vec<String>,
}

/// One source with one destination.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PairJson {
    /// The source.
    pub source: EndJson,
    /// The destination.
    pub destination: EndJson,
    /// `yes`, `no`, `partly` or `unknown`.
    pub verdict: &'static str,
    /// The reason code of an example.
    pub reason: &'static str,
    /// What was asked.
    pub asked: Vec<PortsJson>,
    /// What of it is allowed.
    pub allowed: Vec<PortsJson>,
    /// What of it is unknown.
    pub unknown: Vec<PortsJson>,
    /// The way out of the source, for the example.
    pub egress: SideJson,
    /// The way in to the destination, for the example.
    pub ingress: SideJson,
    /// Who passes and who does not, where pods or addresses of the ends fare differently.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartJson>,
    /// What the Service that was named changes: `itself` or `through-node`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub led: Option<&'static str>,
    /// The networks on which the example is allowed, where pods are on several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
}

/// The answer of `can` as a document's content.
pub fn answer(context: RenderContext<'_>, answer: &Answer) -> AnswerJson {
    AnswerJson {
        source: answer.question.source.text.to_string(),
        destination: answer.question.destination.text.to_string(),
        verdict: answer.verdict.word(),
        pairs: answer.pairs.iter().map(|p| pair(context, p)).collect(),
        missing: answer.missing.iter().map(ToString::to_string).collect(),
    }
}

fn pair(context: RenderContext<'_>, pair: &Pair) -> PairJson {
    let explanation = pair.explain(context.graph);
    let names = Names::of_pair(context.graph, pair, &[pair.example]);
    let context = context.naming(&names);
    PairJson {
        source: end(context, &pair.source),
        destination: end(context, &pair.destination),
        verdict: pair.verdict.word(),
        reason: crate::query::explain::why::show(context.graph, pair)
            .reason
            .code(),
        asked: traffic(&pair.asked),
        allowed: traffic(&pair.asked.intersection(&pair.allowed.must)),
        unknown: traffic(&pair.asked.intersection(&pair.allowed.unknown())),
        egress: side(context, &explanation.egress),
        ingress: side(context, &explanation.ingress),
        parts: parts(context, &pair.parts),
        led: pair.led.map(crate::render::text::via_service::word),
        networks: pair.networks.iter().map(ToString::to_string).collect(),
    }
}
