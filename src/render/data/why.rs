//! `why` for programs: the same walk, structured.

use crate::check::breaks::Broken;
use crate::policy::Action;
use crate::query::explain::explanation::{
    Explanation, ExplanationSide, PolicyTrace, RuleTrace, TierTrace,
};
use crate::query::explain::why::{Shown, Why};
use crate::query::{Pair, Verdict};
use crate::render::context::Names;
use crate::render::context::RenderContext;
use crate::render::context::Style;
use crate::render::data::json::{
    EndJson, PeerJson, PolicyName, PortsJson, RuleRefJson, at, end, endpoint, peer, policy, rule,
    traffic, truth,
};
use crate::render::data::parts::{PartJson, parts};
use crate::render::data::suggest;
use crate::render::data::suggest::SuggestedJson;
use crate::render::text::writer::TextWriter;
use crate::spec::Flow;
use crate::spec::HostNetworkMode;
use schemars::JsonSchema;
use serde::Serialize;

/// The answer of `why`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhyJson {
    /// The source as it was asked.
    pub source: String,
    /// The destination as it was asked.
    pub destination: String,
    /// `yes`, `no`, `partly` or `unknown`.
    pub verdict: &'static str,
    /// The stable reason code.
    pub reason: &'static str,
    /// Each source with each destination.
    pub pairs: Vec<WhyPairJson>,
    /// What the input does not have, where that leaves the answer unknown.
    pub missing: Vec<String>,
}

/// One source with one destination.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhyPairJson {
    /// The source.
    pub source: EndJson,
    /// The destination.
    pub destination: EndJson,
    /// `yes`, `no`, `partly` or `unknown`.
    pub verdict: &'static str,
    /// The stable reason code.
    pub reason: &'static str,
    /// What was asked.
    pub asked: Vec<PortsJson>,
    /// What of it is allowed.
    pub allowed: Vec<PortsJson>,
    /// What of it is unknown.
    pub unknown: Vec<PortsJson>,
    /// Who passes and who does not, where pods or addresses of the ends fare differently.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartJson>,
    /// What the Service that was named changes: `itself` or `through-node`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub led: Option<&'static str>,
    /// Flows that show it, walked through the tiers.
    pub walks: Vec<WalkJson>,
    /// What would let it through, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested: Option<SuggestedJson>,
}

/// One flow.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WalkJson {
    /// The protocol.
    pub protocol: &'static str,
    /// The destination's port.
    pub port: u16,
    /// `yes`, `no` or `unknown`.
    pub verdict: &'static str,
    /// The stable reason code.
    pub reason: &'static str,
    /// The way out of the source.
    pub egress: SideWalk,
    /// The way in to the destination.
    pub ingress: SideWalk,
    /// The sides under the other behaviour of host-network pods, where both have to be considered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
}

/// The sides under the other behaviour of host-network pods.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Otherwise {
    /// `node` or `pod`: what host-network pods are taken for.
    pub hostnetwork: &'static str,
    /// The way out of the source.
    pub egress: SideWalk,
    /// The way in to the destination.
    pub ingress: SideWalk,
}

/// One side.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SideWalk {
    /// Whose policies were asked: `namespace/name`, or an address.
    pub subject: String,
    /// `yes`, `no` or `unknown`.
    pub verdict: &'static str,
    /// The stable reason code.
    pub reason: &'static str,
    /// The rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<RuleRefJson>,
    /// Policies that are not modelled and may decide.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmodelled: Vec<String>,
    /// The tiers, in order.
    pub tiers: Vec<TierWalk>,
}

/// One tier.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TierWalk {
    /// `Admin`, `NetworkPolicy`, `Baseline`, or the name of another dialect's tier.
    pub tier: String,
    /// Whether it was asked.
    pub reached: bool,
    /// The policies of it that govern the subject.
    pub policies: Vec<PolicyWalk>,
}

/// One policy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicyWalk {
    /// The policy.
    #[serde(flatten)]
    pub policy: PolicyName,
    /// The place of its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<crate::render::data::json::PlaceJson>,
    /// `yes` or `unknown`: whether it selects the subject.
    pub selects: &'static str,
    /// Its rules in this direction.
    pub rules: Vec<RuleWalk>,
}

/// One rule.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RuleWalk {
    /// Its path.
    pub path: String,
    /// Its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<crate::render::data::json::PlaceJson>,
    /// `allow`, `deny` or `pass`.
    pub action: &'static str,
    /// Whether its ports match.
    pub ports_match: bool,
    /// `yes`, `no` or `unknown`: whether it matches.
    pub matched: &'static str,
    /// Its peers; none for anyone.
    pub peers: Vec<PeerJson>,
}

/// The answer of `why` as a document's content.
pub fn why(context: RenderContext<'_>, why: &Why, breaks: &[Vec<Broken>]) -> WhyJson {
    let answer = &why.answer;
    let broken = |i: usize| breaks.get(i).map(Vec::as_slice).unwrap_or_default();
    let pairs = answer
        .pairs
        .iter()
        .zip(&why.shown)
        .enumerate()
        .map(|(i, (p, s))| (p, s, broken(i)));
    WhyJson {
        source: answer.question.source.text.to_string(),
        destination: answer.question.destination.text.to_string(),
        verdict: answer.verdict.word(),
        reason: why.reason().code(),
        pairs: pairs
            .map(|(p, s, broken)| pair(context, p, s, broken))
            .collect(),
        missing: answer.missing.iter().map(ToString::to_string).collect(),
    }
}

fn pair(context: RenderContext<'_>, pair: &Pair, shown: &Shown, broken: &[Broken]) -> WhyPairJson {
    let flows: Vec<Flow> = shown.walks.iter().map(|walk| walk.flow).collect();
    let names = Names::of_pair(context.graph, pair, &flows);
    let context = context.naming(&names);
    WhyPairJson {
        source: end(context, &pair.source),
        destination: end(context, &pair.destination),
        verdict: pair.verdict.word(),
        reason: shown.reason.code(),
        asked: traffic(&pair.asked),
        allowed: traffic(&pair.asked.intersection(&pair.allowed.must)),
        unknown: traffic(&pair.asked.intersection(&pair.allowed.unknown())),
        parts: parts(context, &pair.parts),
        led: pair.led.map(crate::render::text::via_service::word),
        walks: shown.walks.iter().map(|w| walk(context, w)).collect(),
        suggested: shown
            .suggested
            .as_ref()
            .map(|s| suggest::json(&plain(context), s, broken)),
    }
}

/// A writer of words, without colours.
fn plain(context: RenderContext<'_>) -> TextWriter<'_> {
    TextWriter {
        context,
        style: Style::default(),
        width: 80,
    }
}

/// The walk of one flow as a document's content.
pub fn walk(context: RenderContext<'_>, walk: &Explanation) -> WalkJson {
    let verdict = match walk.allowed {
        crate::model::Truth::Yes => Verdict::Yes,
        crate::model::Truth::No => Verdict::No,
        crate::model::Truth::Maybe => Verdict::Unknown,
    };
    WalkJson {
        protocol: walk.flow.traffic.protocol.name(),
        port: walk.flow.traffic.port,
        verdict: verdict.word(),
        reason: walk.reason().code(),
        egress: side(context, &walk.egress),
        ingress: side(context, &walk.ingress),
        otherwise: walk.other.as_ref().map(|w| Otherwise {
            hostnetwork: if w.mode == HostNetworkMode::Node {
                "node"
            } else {
                "pod"
            },
            egress: side(context, &w.egress),
            ingress: side(context, &w.ingress),
        }),
    }
}

fn side(context: RenderContext<'_>, side: &ExplanationSide) -> SideWalk {
    let taints = &context.graph.environment().policies.taints;
    SideWalk {
        subject: endpoint(context, side.subject),
        verdict: truth(side.allowed),
        reason: side.reason.code(),
        decided_by: side.decided_by.map(|r| rule(context, r)),
        unmodelled: side
            .taints
            .iter()
            .map(|i| taints[*i].what.to_string())
            .collect(),
        tiers: side.tiers.iter().map(|t| tier(context, side, t)).collect(),
    }
}

fn tier(context: RenderContext<'_>, side: &ExplanationSide, trace: &TierTrace) -> TierWalk {
    let tiers = &context.graph.environment().policies.tiers;
    let policies = trace
        .policies
        .iter()
        .map(|p| policy_walk(context, side, p))
        .collect();
    TierWalk {
        tier: tiers[trace.tier.index()].name.to_string(),
        reached: trace.reached,
        policies,
    }
}

fn policy_walk(
    context: RenderContext<'_>,
    side: &ExplanationSide,
    trace: &PolicyTrace,
) -> PolicyWalk {
    let lowered = context.graph.environment().policies.get(trace.policy);
    PolicyWalk {
        policy: policy(context, trace.policy),
        at: at(context, &lowered.subject_origin()),
        selects: truth(trace.selects),
        rules: trace
            .rules
            .iter()
            .map(|r| rule_walk(context, side, r))
            .collect(),
    }
}

fn rule_walk(context: RenderContext<'_>, side: &ExplanationSide, trace: &RuleTrace) -> RuleWalk {
    let lowered = context.graph.environment().policies.get(trace.at.policy);
    RuleWalk {
        path: lowered.rule_path(trace.at).to_string(),
        at: at(context, &lowered.origin(trace.at)),
        action: match context.graph.environment().policies.rule(trace.at).action {
            Action::Allow => "allow",
            Action::Deny => "deny",
            Action::Pass => "pass",
        },
        ports_match: trace.ports,
        matched: truth(trace.matched),
        peers: trace
            .peers
            .iter()
            .map(|p| peer(context, p, side.peer))
            .collect(),
    }
}
