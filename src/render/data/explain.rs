//! `explain` for programs.

use crate::policy::{Action, Direction};
use crate::query::explain::summary::{
    Plain, PlainNamespace, PlainPolicy, PlainRule, PlainSide, PlainWorkload,
};
use crate::render::context::RenderContext;
use crate::render::data::json::{
    EndJson, PlaceJson, PolicyName, PortsJson, at, policy, traffic, truth, workload,
};
use crate::render::data::reach::{PotentialPodJson, potential_pod};
use crate::render::words;
use schemars::JsonSchema;
use serde::Serialize;

/// What a policy does.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicyJson {
    /// The policy.
    pub policy: PolicyName,
    /// The place of its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
    /// The workloads it governs.
    pub governs: Vec<EndJson>,
    /// Workloads it may govern, for all that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may_govern: Vec<EndJson>,
    /// Whether it governs ingress.
    pub controls_ingress: bool,
    /// Whether it governs egress.
    pub controls_egress: bool,
    /// Its ingress rules.
    pub ingress_rules: Vec<RuleJson>,
    /// Its egress rules.
    pub egress_rules: Vec<RuleJson>,
}

/// A rule in plain words.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RuleJson {
    /// Its path.
    pub path: String,
    /// Its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
    /// `allow`, `deny` or `pass`.
    pub action: &'static str,
    /// Its ports, in words.
    pub on: String,
    /// Its peers; one for anyone.
    pub whom: Vec<WhomJson>,
}

/// A peer in plain words.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhomJson {
    /// In words.
    pub text: String,
    /// How many workloads it means today.
    pub today: usize,
}

/// Everything that applies to a workload.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WorkloadJson {
    /// The workload.
    pub workload: EndJson,
    /// The way in.
    pub ingress: PlainSideJson,
    /// The way out.
    pub egress: PlainSideJson,
    /// Pods that are not there yet and would be let in.
    pub exposure: Vec<PotentialPodJson>,
}

/// One direction of a workload.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlainSideJson {
    /// Whether nothing governs it, so that everything is allowed.
    pub open: bool,
    /// `yes`, `no` or `unknown`: whether it is isolated.
    pub isolated: &'static str,
    /// The policies that govern it, in the order they are asked.
    pub policies: Vec<PolicyName>,
    /// Whom it may talk to directly.
    pub peers: Vec<TalksJson>,
    /// Workloads for which it is unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<EndJson>,
}

/// Whom a workload may talk to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TalksJson {
    /// Who: workloads that nothing distinguishes, or addresses.
    pub who: Vec<EndJson>,
    /// What passes.
    pub ports: Vec<PortsJson>,
}

/// What a namespace holds.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NamespaceJson {
    /// Its name.
    pub name: String,
    /// Its workloads.
    pub workloads: Vec<OpenJson>,
    /// Its policies.
    pub policies: Vec<PolicyJson>,
}

/// A workload and whether it is open.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OpenJson {
    /// The workload.
    pub workload: EndJson,
    /// Whether nothing governs ingress.
    pub open_in: bool,
    /// Whether nothing governs egress.
    pub open_out: bool,
}

/// What was explained.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ExplanationJson {
    /// A policy.
    Policy(PolicyJson),
    /// A workload.
    Workload(WorkloadJson),
    /// A namespace.
    Namespace(NamespaceJson),
    /// Everything that has the name: policies first.
    Several(SeveralJson),
}

/// Policies and a workload of one name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SeveralJson {
    /// What was explained, each as if it had been asked about alone.
    pub several: Vec<ExplanationJson>,
}

/// What was explained, as a document's content.
pub fn plain(context: RenderContext<'_>, plain: &Plain) -> ExplanationJson {
    match plain {
        Plain::Policy(p) => ExplanationJson::Policy(plain_policy(context, p)),
        Plain::Workload(w) => ExplanationJson::Workload(plain_workload(context, w)),
        Plain::Namespace(n) => ExplanationJson::Namespace(plain_namespace(context, n)),
        Plain::Several(list) => ExplanationJson::Several(SeveralJson {
            several: list.iter().map(|one| self::plain(context, one)).collect(),
        }),
    }
}

/// What a policy does, as a document's content.
fn plain_policy(context: RenderContext<'_>, plain: &PlainPolicy) -> PolicyJson {
    let found = context.graph.environment().policies.get(plain.policy);
    let [ingress_rules, egress_rules] = Direction::ALL.map(|d| {
        plain.rules[d.index()]
            .iter()
            .map(|r| plain_rule(context, r))
            .collect()
    });
    PolicyJson {
        policy: policy(context, plain.policy),
        at: at(context, &found.subject_origin()),
        governs: plain
            .governs
            .iter()
            .map(|w| workload(context, *w))
            .collect(),
        may_govern: plain
            .may_govern
            .iter()
            .map(|w| workload(context, *w))
            .collect(),
        controls_ingress: found.governs(Direction::Ingress),
        controls_egress: found.governs(Direction::Egress),
        ingress_rules,
        egress_rules,
    }
}

fn plain_rule(context: RenderContext<'_>, plain: &PlainRule) -> RuleJson {
    let policy = context.graph.environment().policies.get(plain.at.policy);
    let rule = context.graph.environment().policies.rule(plain.at);
    let whom = plain.peers.iter().map(|p| WhomJson {
        text: words::admits(context.graph, p.at),
        today: p.today.len(),
    });
    RuleJson {
        path: policy.rule_path(plain.at).to_string(),
        at: at(context, &policy.origin(plain.at)),
        action: match rule.action {
            Action::Allow => "allow",
            Action::Deny => "deny",
            Action::Pass => "pass",
        },
        on: words::ports(rule),
        whom: whom.collect(),
    }
}

/// Everything that applies to a workload, as a document's content.
fn plain_workload(context: RenderContext<'_>, plain: &PlainWorkload) -> WorkloadJson {
    let [ingress, egress] = [0, 1].map(|i| side(context, &plain.sides[i]));
    WorkloadJson {
        workload: workload(context, plain.workload),
        ingress,
        egress,
        exposure: plain
            .exposure
            .iter()
            .map(|p| potential_pod(context, p))
            .collect(),
    }
}

fn side(context: RenderContext<'_>, plain: &PlainSide) -> PlainSideJson {
    let talks = plain.reach.stops.iter().map(|s| TalksJson {
        who: crate::render::data::reach::who(context, &s.item),
        ports: traffic(&s.traffic),
    });
    PlainSideJson {
        open: plain.open,
        isolated: truth(plain.isolated),
        policies: plain
            .policies
            .iter()
            .map(|(_, id, _)| policy(context, *id))
            .collect(),
        peers: talks.collect(),
        unknown: plain
            .reach
            .unknown
            .iter()
            .map(|w| workload(context, *w))
            .collect(),
    }
}

/// What a namespace holds, as a document's content.
fn plain_namespace(context: RenderContext<'_>, plain: &PlainNamespace) -> NamespaceJson {
    let open = |(w, [open_in, open_out]): &(crate::model::WorkloadId, [bool; 2])| OpenJson {
        workload: workload(context, *w),
        open_in: *open_in,
        open_out: *open_out,
    };
    NamespaceJson {
        name: context
            .input
            .cluster
            .namespace(plain.namespace)
            .name
            .to_string(),
        workloads: plain.workloads.iter().map(open).collect(),
        policies: plain
            .policies
            .iter()
            .map(|p| plain_policy(context, p))
            .collect(),
    }
}
