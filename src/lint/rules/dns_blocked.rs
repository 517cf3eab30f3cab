//! # NP101 dns-blocked
//!
//! **What it does.** Reports when a workload may send to some pods, but not ask the cluster's DNS
//! for their addresses.
//!
//! **Why it is bad.** The most common outage after the first egress policy: every name fails to
//! resolve.
//!
//! **What it looks at.** The workloads whose egress is isolated and that have a rule towards pods.
//! When the DNS pods are in the input, whether they can be reached on their ports; otherwise
//! whether any rule may be meant for them.
//!
//! **When it stays silent.** When a workload may send nothing at all, or only to addresses; when a
//! rule opens port 53 (or 5353) to anything outside the policy's own namespace.
//!
//! **Settings.** `cluster.dns`: namespace and labels of the DNS pods.
//!
//! **References.** <https://github.com/kubernetes/website/issues/54997>,
//! <https://github.com/aws/aws-network-policy-agent/issues/230>,
//! <https://github.com/jupyterhub/zero-to-jupyterhub-k8s/pull/3179>.

use crate::lint::context::LintContext;
use crate::lint::peers::{control_plane_name, is_own_namespace, peers};
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{NAMESPACE_NAME_LABEL, PodId, Selector};
use crate::policy::{Direction, Namespaces, Peer, Peers, Policy, PolicyId, PortMatch, Ports, Rule};
use crate::set::{Protocol, TrafficSet};
use crate::source::Path;
use crate::spec::Endpoint;
use std::collections::BTreeMap;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let (namespace, labels) = &context.config.dns;
    let dns = context.selected(&Namespaces::Named(namespace.clone()), labels);
    let mut blocked: BTreeMap<Vec<PolicyId>, Vec<PodId>> = BTreeMap::new();
    for (id, pod) in context.cluster.pods() {
        if pod.host_network || dns.pods.contains(&id) {
            continue;
        }
        let isolating = isolating(context, id);
        let sends = isolating
            .iter()
            .any(|p| sends_to_pods(context.policies.get(*p)));
        if sends && !reaches(context, id, &isolating, &dns.pods) {
            blocked.entry(isolating).or_default().push(id);
        }
    }
    for (policies, pods) in blocked {
        push(context, reporter, &policies, &pods);
    }
}

/// The policies that isolate a pod's egress, when nothing else governs it.
fn isolating(context: &LintContext<'_>, pod: PodId) -> Vec<PolicyId> {
    let Some(effective) = context
        .graph
        .effective(Endpoint::Pod(pod), Direction::Egress)
    else {
        return Vec::new();
    };
    let isolating = effective.isolating_first().map(|tier| &tier.isolating);
    let certain = isolating.into_iter().flatten().filter(|s| s.certain);
    certain.map(|s| context.graph.policy_of(s.policy)).collect()
}

/// Whether a policy has an egress rule towards pods.
fn sends_to_pods(policy: &Policy) -> bool {
    policy.rules(Direction::Egress).iter().any(names_pods)
}

/// Whether a rule names pods as its peers.
fn names_pods(rule: &Rule) -> bool {
    // clients find the API server by an address in their environment, without the DNS
    peers(rule)
        .iter()
        .any(|p| matches!(p, Peer::Pods(..)) && control_plane_name(p).is_none())
}

/// Whether a pod may ask the DNS: some rule may be meant for it, or the DNS pods can be reached.
fn reaches(context: &LintContext<'_>, pod: PodId, isolating: &[PolicyId], dns: &[PodId]) -> bool {
    let rules = isolating.iter().flat_map(|id| {
        let policy = context.policies.get(*id);
        policy
            .rules(Direction::Egress)
            .iter()
            .map(move |r| (policy, r))
    });
    if rules
        .into_iter()
        .any(|(policy, rule)| opens_dns(policy, rule))
    {
        return true;
    }
    let dns_traffic = dns_traffic();
    dns.iter().any(|to| {
        let allowed = context
            .graph
            .allowed(Endpoint::Pod(pod), Endpoint::Pod(*to));
        !allowed.may.is_disjoint(&dns_traffic)
    })
}

/// The traffic of DNS: port 53, and 5353, on which some distributions' DNS pods listen.
fn dns_traffic() -> TrafficSet {
    TrafficSet::ports(Protocol::Udp, 53, 53).union(&TrafficSet::ports(Protocol::Udp, 5353, 5353))
}

/// Whether a rule may be meant for the DNS: it opens the DNS port to more than pods of the policy's
/// own namespace, or everything to a peer that may be the DNS.
fn opens_dns(policy: &Policy, rule: &Rule) -> bool {
    let dns_traffic = dns_traffic();
    let ports = match &rule.ports {
        Ports::Any => true,
        Ports::Of(list) => list.iter().any(|p| match p {
            PortMatch::Traffic(set) => !set.is_disjoint(&dns_traffic),
            PortMatch::Named(name, _) => name.contains("dns"),
            PortMatch::Portless(_) => false,
        }),
    };
    let explicit = ports && rule.ports != Ports::Any;
    match &rule.peers {
        Peers::Any => ports,
        Peers::Of(list) => list
            .iter()
            .any(|p| explicit && !is_own_namespace(p, policy) || ports && may_be_system(p)),
    }
}

/// Whether a peer may be the DNS without naming its namespace.
fn may_be_system(peer: &Peer) -> bool {
    match peer {
        Peer::Pods(Namespaces::Matching(s), _) => selects_system(s),
        Peer::Addresses(_)
        | Peer::Nodes(_)
        | Peer::Symbol(_)
        | Peer::NoneOf(_)
        | Peer::Unreadable { .. } => true,
        Peer::Pods(..) | Peer::Domain(_) => false,
    }
}

/// Whether a selector over namespaces may select the DNS's namespace, whose other labels are not
/// known.
fn selects_system(selector: &Selector) -> bool {
    ["kube-system", "openshift-dns"]
        .into_iter()
        .any(|name| may_select_namespace(selector, name))
}

/// Whether a selector may select the namespace of a name, whatever its other labels are.
fn may_select_namespace(selector: &Selector, name: &str) -> bool {
    let labels = [(NAMESPACE_NAME_LABEL, name)].into_iter().collect();
    selector.matches_known(&labels, false).possible()
}

/// Reports that pods which these policies isolate cannot ask the DNS.
fn push(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    policies: &[PolicyId],
    pods: &[PodId],
) {
    let with_rules = |id: &&PolicyId| sends_to_pods(context.policies.get(**id));
    let Some(id) = policies.iter().find(with_rules) else {
        return;
    };
    let who = words::names(context.cluster, pods);
    let rules = context
        .policies
        .get(*id)
        .rules(Direction::Egress)
        .iter()
        .flat_map(peers);
    let to: Vec<PodId> = rules
        .filter_map(|p| context.peer(p))
        .flat_map(|s| s.pods.clone())
        .collect();
    let service = to
        .iter()
        .find_map(|p| context.services_behind(*p).first().copied());
    let name = service.map(|s| {
        let service = context.cluster.service(s);
        format!(
            "\"{}.{}\"",
            service.name,
            context.cluster.namespace(service.namespace).name
        )
    });
    let unresolved = name.map_or_else(|| "resolve any name".to_owned(), |n| format!("resolve {n}"));
    let only = if to.is_empty() {
        String::new()
    } else {
        format!(" only to {}", words::names(context.cluster, &to))
    };
    let pronoun = if words::workloads(context.cluster, pods).len() == 1 {
        "it"
    } else {
        "they"
    };
    let mut finding = reporter.field(
        *id,
        Path::root().key("spec").key("egress"),
        format!("{who} may leave{only}; {pronoun} cannot {unresolved}"),
    );
    finding.fingerprint.peer = who.into();
    reporter.push(
        finding
            .label("no rule opens port 53 to the cluster's DNS")
            .help("add a rule to namespace kube-system for 53/UDP and 53/TCP"),
    );
}
