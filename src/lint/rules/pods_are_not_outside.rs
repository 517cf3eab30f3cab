//! # NP023 pods-are-not-outside
//!
//! **What it does.** Reports when an egress rule opens the ports of the web or of the API server to
//! pods, where the internet or the API server is meant: 443 to `namespaceSelector: {}`.
//!
//! **Why it is bad.** A selector selects pods on the pod network. The internet has none, and the
//! API server runs on its node's network, whichever namespace its Service is in; both need an
//! `ipBlock`, or a rule without `to`.
//!
//! **What it looks at.** Rules for 443 towards every pod of the cluster, when no pod of the input
//! declares the port or the policy is named after something that is no pod, and rules for 6443
//! towards any pods, when none of these declares it.
//!
//! **When it stays silent.** When another rule for the same pods opens such a port to addresses;
//! when the rule also opens ports that are neither the web's nor the DNS's; when the peer names the
//! API server's pods (NP305).
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/projectcalico/libcalico-go/issues/1060>.

use crate::lint::context::LintContext;
use crate::lint::dns::dns_traffic;
use crate::lint::peers::{control_plane_name, is_every_pod, peers};
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::model::PodId;
use crate::policy::{Direction, Peer, Peers, Policy, PolicyId, Ports, Rule, RuleRef};
use crate::set::{Protocol, TrafficSet};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule_ref.direction != Direction::Egress || !policy.isolates(Direction::Egress) {
            continue;
        }
        let Some(mut meant) = meant(rule) else {
            continue;
        };
        meant.named = OUTSIDE.iter().any(|word| policy.name.contains(word));
        let Some(i) = peers(rule).iter().position(|p| meant.is_by(context, p)) else {
            continue;
        };
        let only = peers(rule).iter().all(|p| matches!(p, Peer::Pods(..)));
        if only && !opened_outside(context, (rule_ref.policy, policy), &meant.traffic) {
            reporter.push(finding(reporter, rule_ref.with_peer(i), &meant));
        }
    }
}

/// The finding about a peer that is not what is meant.
fn finding(reporter: &Reporter<'_>, rule_ref: RuleRef, meant: &Meant) -> crate::finding::Finding {
    let message = if meant.apiserver {
        "6443 is the API server's port, and the API server is none of these pods"
    } else {
        "this peer is every pod of the cluster, and neither the internet nor the API server"
    };
    let note = if meant.apiserver {
        "it runs on its node's network, where no selector finds it"
    } else if meant.named {
        "the name of the policy speaks of what is no pod"
    } else {
        "no pod of the input listens on 443"
    };
    reporter
        .rule(rule_ref, message)
        .likely()
        .label("selects pods")
        .note(note)
        .help("use an ipBlock, or leave `to` out")
}

/// What a rule is meant to open.
struct Meant {
    /// The ports of the web or of the API server.
    traffic: TrafficSet,
    /// Whether it is the API server's own port.
    apiserver: bool,
    /// Whether the name of the policy speaks of something that is no pod.
    named: bool,
}

/// Words in the name of a policy that speak of something that is no pod.
const OUTSIDE: [&str; 6] = [
    "apiserver",
    "api-server",
    "kube-api",
    "internet",
    "external",
    "outside",
];

/// One TCP port.
fn port(n: u16) -> TrafficSet {
    TrafficSet::ports(Protocol::Tcp, n, n)
}

/// What a rule is meant to open, if it opens ports of the web or of the API server, and beside them
/// at most the DNS.
fn meant(rule: &Rule) -> Option<Meant> {
    if rule.ports == Ports::Any {
        return None;
    }
    let opened = numeric_traffic(rule).difference(&dns_traffic());
    let (https, apiserver) = (port(443), port(6443));
    let web = https.union(&apiserver).union(&port(80));
    let says_so = !opened.is_disjoint(&https.union(&apiserver));
    (says_so && opened.is_subset(&web)).then(|| Meant {
        apiserver: opened == apiserver,
        named: false,
        traffic: opened,
    })
}

impl Meant {
    /// Whether a peer is written for what is meant, though it selects pods.
    fn is_by(&self, context: &LintContext<'_>, peer: &Peer) -> bool {
        let known = context.peer(peer);
        if self.apiserver {
            let declares = |pods: &[PodId]| pods.iter().any(|p| self.is_declared(context, *p));
            let selected = known.is_some_and(|selected| !declares(&selected.pods));
            return selected && control_plane_name(peer).is_none();
        }
        let mut pods = context.cluster.pods();
        is_every_pod(peer) && (self.named || !pods.any(|(id, _)| self.is_declared(context, id)))
    }

    /// Whether a pod declares one of the ports.
    fn is_declared(&self, context: &LintContext<'_>, pod: PodId) -> bool {
        let ports = &context.cluster.pod(pod).ports;
        ports.iter().any(|p| {
            let declared = p.traffic();
            !declared.is_disjoint(&self.traffic)
        })
    }
}

/// Whether some policy for the same pods opens such a port to what is no pod.
fn opened_outside(
    context: &LintContext<'_>,
    (id, policy): (PolicyId, &Policy),
    traffic: &TrafficSet,
) -> bool {
    let subjects = context.subjects(id);
    let governs = |other: PolicyId| {
        let pods = context.subjects(other);
        other == id || subjects.is_empty() || subjects.iter().any(|p| pods.contains(p))
    };
    let wanted = traffic.union(&port(443)).union(&port(6443));
    let others = context.policies_in(policy.namespace.as_deref().unwrap_or_default());
    others.iter().filter(|other| governs(**other)).any(|other| {
        let rules = context.policies.get(*other).rules(Direction::Egress);
        rules.iter().any(|rule| {
            let outside = |p: &Peer| !matches!(p, Peer::Pods(..));
            !numeric_traffic(rule).is_disjoint(&wanted)
                && (rule.peers == Peers::Any || peers(rule).iter().any(outside))
        })
    })
}
