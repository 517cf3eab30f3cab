//! The policies that are made of objects of Linkerd, and their tier.

use crate::model::{Labels, Requirement, Selector, Truth};
use crate::policy::interner::PolicyInterner;
use crate::policy::layout::{Layout, PeersPlace, RulePlace};
use crate::policy::linkerd::clients::Clients;
use crate::policy::linkerd::profile::{LinkerdProfile, PROFILE};
use crate::policy::linkerd::settings::InboundPolicy;
use crate::policy::linkerd::written::{LinkerdContent, LinkerdObject, RouteForm};
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, GeneratedBy, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Qualifier, Rule, Shape,
    Subject,
};
use crate::policy::tier::{HostPods, LayerIx, Tier, TierEnd, TierIx, TierMode};
use crate::set::TrafficSet;
use crate::source::{DocumentId, Path};
use std::borrow::Cow;
use std::sync::Arc;

/// How the parts of Linkerd's kinds are called.
pub struct LinkerdShapes([Shape; 4]);

const fn shape(kind: &'static str, version: &'static str, subject: &'static str) -> Shape {
    Shape {
        kind,
        api_version: version,
        rules: ["spec", "spec"],
        peers: ["client", "client"],
        ports: "port",
        subject,
        allow: "allow",
        has_actions: false,
    }
}

/// The shapes of the kinds that make policies.
pub static LINKERD: LinkerdShapes = LinkerdShapes([
    shape("Server", "policy.linkerd.io/v1beta3", "podSelector"),
    shape("ServerAuthorization", "policy.linkerd.io/v1beta1", "server"),
    shape(
        "AuthorizationPolicy",
        "policy.linkerd.io/v1alpha1",
        "targetRef",
    ),
    shape("default inbound policy", "policy.linkerd.io", "spec"),
]);

/// Who is let in on some ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortAdmission {
    /// The ports.
    pub ports: TrafficSet,
    /// Who; none where nobody is.
    pub clients: Option<Clients>,
    /// Whether it depends on the request.
    pub requests: bool,
    /// Whether the ports surely are meant.
    pub certain: bool,
}

impl PortAdmission {
    /// The rules that let them in. Who skips the proxy on some ports has no identity there (LD5).
    pub fn rules(&self, profiles: &[LinkerdProfile], field: &str) -> Vec<(Rule, RulePlace)> {
        let Some(clients) = &self.clients else {
            return Vec::new();
        };
        if self.ports.is_empty() {
            return Vec::new();
        }
        let mut pieces = vec![self.ports.clone()];
        if clients.identity.is_some() {
            for skipped in profiles.iter().map(|profile| &profile.skips_out) {
                let cut =
                    |piece: &TrafficSet| [piece.intersection(skipped), piece.difference(skipped)];
                pieces = pieces
                    .iter()
                    .flat_map(cut)
                    .filter(|p| !p.is_empty())
                    .collect();
            }
        }
        let each = pieces.into_iter();
        each.map(|ports| (self.rule(clients, ports, profiles), place(field)))
            .collect()
    }

    fn rule(&self, clients: &Clients, ports: TrafficSet, profiles: &[LinkerdProfile]) -> Rule {
        let skipping = profiles.iter().enumerate();
        let skipping = skipping.filter(|(_, p)| !p.skips_out.is_disjoint(&ports));
        let skipping: Vec<Box<str>> = skipping.map(|(i, _)| i.to_string().into()).collect();
        let peers = match clients.peer() {
            None => Peers::Any,
            Some(peer) if clients.identity.is_none() || skipping.is_empty() => {
                Peers::Of([peer].into())
            }
            Some(peer) => {
                let everywhere = Namespaces::Matching(Selector::everything());
                let these = Selector::new([Requirement::In(PROFILE.into(), skipping)]);
                let without = Peer::Pods(everywhere, these);
                let not = Peer::NoneOf([peer].into());
                Peers::Of([Peer::NoneOf([not, without].into())].into())
            }
        };
        let mut qualifiers = Vec::new();
        if self.requests {
            let words = "a request that a route of the Server, or a probe, matches";
            qualifiers.push(Qualifier::Application(words.into()));
        }
        if !self.certain {
            let words = "which Server claims the port";
            qualifiers.push(Qualifier::Undocumented(words.into()));
        }
        Rule {
            action: Action::Allow,
            peers,
            ports: Ports::Of([PortMatch::Traffic(ports)].into()),
            subjects: Peers::Any,
            name: None,
            qualifiers,
        }
    }
}

/// A place that is one field of the spec, or the spec.
fn place(field: &str) -> RulePlace {
    let root = Path::root();
    let at = if field.is_empty() {
        root
    } else {
        root.key(field)
    };
    RulePlace::Parts {
        rule: at.clone(),
        peers: PeersPlace::Field(at.clone()),
        ports: at,
    }
}

impl LinkerdShapes {
    fn of(&'static self, kind: &str) -> &'static Shape {
        let found = self.0.iter().find(|shape| shape.kind == kind);
        found.unwrap_or(&self.0[0])
    }

    /// A policy of an object.
    pub fn policy(
        &'static self,
        object: &LinkerdObject,
        kind: &str,
        subject: Subject,
        rules: Vec<(Rule, RulePlace)>,
    ) -> Policy {
        let (rules, places) = rules.into_iter().unzip();
        Policy {
            namespace: Some(object.namespace.clone()),
            name: object.name.clone(),
            document: object.document,
            shape: self.of(kind),
            tier: TierIx(0), // given when it is added
            priority: 0.into(),
            tie: None,
            subject,
            applies: [true, false],
            isolates: [false, false],
            sees_own_service: Truth::Yes,
            rules: [rules, Vec::new()],
            layout: Some(Arc::new(Layout {
                root: Path::root().key("spec"),
                rules: [places, Vec::new()],
            })),
            written: None,
            generated: None,
        }
    }

    /// The policy that stands for what ports let in that nobody claims.
    pub fn default_policy(
        &'static self,
        default: InboundPolicy,
        subject: Subject,
        rules: Vec<(Rule, RulePlace)>,
    ) -> Policy {
        let object = LinkerdObject {
            name: default.name().into(),
            namespace: Box::default(),
            document: DocumentId::NONE,
            labels: Labels::default(),
            created: None,
            content: LinkerdContent::Route(RouteForm::default()),
        };
        Policy {
            namespace: None,
            isolates: [true, false],
            generated: Some(Arc::new(GeneratedBy {
                by: format!("Linkerd's default inbound policy {}", default.name()).into(),
                unless: None,
            })),
            ..self.policy(&object, "default inbound policy", subject, rules)
        }
    }
}

/// Adds the policies in their tier, which is the only one of its layer.
pub fn add(policies: &mut PolicySet, made: Vec<Policy>) {
    if made.is_empty() {
        return;
    }
    let tier = Tier {
        name: Cow::Borrowed("Linkerd"),
        policies: "Linkerd's policies",
        layer: LayerIx::LINKERD,
        order: 0,
        mode: TierMode::Unordered,
        end: TierEnd::DenyIsolated,
        pass_to: None,
        host_pods: HostPods::Excluded,
        exempts_own_node: false,
        codes: None,
    };
    let Some(tier) = policies.tier(tier) else {
        return;
    };
    let mut interner = PolicyInterner::default();
    for mut policy in made {
        policy.tier = tier;
        interner.share(&mut policy);
        policies.policies.push(policy);
    }
}
