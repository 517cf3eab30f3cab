//! The policies that are made of objects of Linkerd, and their tier.

use crate::model::{Labels, Requirement, Selector};
use crate::policy::layer_policy::{LayerPolicies, PlacedRules, PolicyHead};
use crate::policy::layout::RulePlace;
use crate::policy::linkerd::clients::Clients;
use crate::policy::linkerd::profile::{LinkerdProfile, PROFILE};
use crate::policy::linkerd::settings::InboundPolicy;
use crate::policy::linkerd::written::{LinkerdContent, LinkerdObject, RouteForm};
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, Direction, GeneratedBy, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Qualifier,
    Rule, Shape, Subject,
};
use crate::policy::tier::{LayerIx, Tier, TierEnd, TierMode};
use crate::set::TrafficSet;
use crate::source::{DocumentId, Path};
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
    pub fn rules(&self, profiles: &[LinkerdProfile], field: &str) -> PlacedRules {
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
        let ports = Ports::Of([PortMatch::Traffic(ports)].into());
        Rule {
            qualifiers,
            ..Rule::new(Action::Allow, peers, ports)
        }
    }
}

/// A place that is one field of the spec, or the spec.
fn place(field: &str) -> RulePlace {
    let root = Path::root();
    RulePlace::whole(if field.is_empty() {
        root
    } else {
        root.key(field)
    })
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
        rules: PlacedRules,
    ) -> Policy {
        let head = PolicyHead {
            namespace: Some(object.namespace.clone()),
            name: object.name.clone(),
            document: object.document,
            shape: self.of(kind),
        };
        head.policy(Direction::Ingress, subject, rules)
    }

    /// The policy that stands for what ports let in that nobody claims.
    pub fn default_policy(
        &'static self,
        default: InboundPolicy,
        subject: Subject,
        rules: PlacedRules,
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
    let (layer, mode) = (LayerIx::LINKERD, TierMode::Unordered);
    let tier = || {
        let end = TierEnd::DenyIsolated;
        Tier::of_layer(layer, "Linkerd", "Linkerd's policies", mode, end)
    };
    let mut added = LayerPolicies::new(policies);
    made.into_iter()
        .for_each(|policy| added.add(tier(), policy));
}
