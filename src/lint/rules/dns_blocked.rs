//! # NP101 dns-blocked
//!
//! **What it does.** Reports when a workload may send somewhere, but not ask the cluster's DNS for
//! any address.
//!
//! **Why it is bad.** The most common outage after the first egress policy: every name fails to
//! resolve.
//!
//! **What it looks at.** The workloads whose egress is isolated and that may send anything, to
//! whomever. Every cluster has a DNS: when its pods are in the input, whether they can be reached
//! on their ports; otherwise whether any rule may be meant for them. A policy in a namespace of
//! which no workload is in the input is looked at as if it had one.
//!
//! **When it stays silent.** When a workload may send nothing at all; when it may only talk to the
//! API server or to addresses of its own node, which nobody looks up; when a rule opens port 53 (or
//! 5353) to anything outside the policy's own namespace.
//!
//! **Settings.** `cluster.dns`: namespace and labels of the DNS pods.
//!
//! **References.** <https://github.com/kubernetes/website/issues/54997>,
//! <https://github.com/aws/aws-network-policy-agent/issues/230>,
//! <https://github.com/jupyterhub/zero-to-jupyterhub-k8s/pull/3179>.

use crate::lint::algebra::unmatchable;
use crate::lint::context::LintContext;
use crate::lint::peers::{control_plane_name, is_own_namespace, peers};
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{NAMESPACE_NAME_LABEL, PodId, Selector};
use crate::policy::validate::parse_cidr;
use crate::policy::{
    Action, Direction, Namespaces, Peer, Peers, Policy, PolicyId, PortMatch, Ports, Rule, Symbol,
};
use crate::set::{IpSet, Protocol, TrafficSet};
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
        let sends = isolating.iter().any(|p| looks_up(context.policies.get(*p)));
        if sends && !reaches(context, id, &isolating, &dns.pods) {
            blocked.entry(isolating).or_default().push(id);
        }
    }
    for (policies, pods) in blocked {
        push(context, reporter, &policies, &pods);
    }
    for (id, policy) in context.network_policies() {
        if policy.isolates(Direction::Egress)
            && !context.knows_pods_of(policy)
            && looks_up(policy)
            && !may_be_opened(context, policy)
        {
            push(context, reporter, &[id], &[]);
        }
    }
}

/// Whether pods that a policy may select can have the DNS opened by some policy of their namespace,
/// or be governed by another kind of policy.
fn may_be_opened(context: &LintContext<'_>, policy: &Policy) -> bool {
    let others = context.policies_in(policy.namespace.as_deref().unwrap_or_default());
    let opened = others.iter().any(|id| {
        let other = context.policies.get(*id);
        other
            .rules(Direction::Egress)
            .iter()
            .any(|rule| opens_dns(other, rule))
    });
    opened
        || context
            .policies
            .iter()
            .any(|(_, p)| context.policies.is_ordered(p))
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

/// Whether a policy has an egress rule towards something that is found by its name.
fn looks_up(policy: &Policy) -> bool {
    policy.rules(Direction::Egress).iter().any(has_names)
}

/// Whether what a rule opens is found by names: all but the API server, whose address every pod has
/// in its environment, and what is only known by its address on the node.
fn has_names(rule: &Rule) -> bool {
    let apiserver = TrafficSet::ports(Protocol::Tcp, 6443, 6443);
    let nothing = unmatchable(rule) || rule.action != Action::Allow;
    if nothing || rule.ports != Ports::Any && numeric_traffic(rule).is_subset(&apiserver) {
        return matches!(&rule.ports, Ports::Of(list)
            if !nothing && list.iter().any(|p| matches!(p, PortMatch::Named(..))));
    }
    let link_local = IpSet::from_cidrs(LINK_LOCAL.iter().filter_map(|c| parse_cidr(c)));
    match &rule.peers {
        Peers::Any => true,
        Peers::Of(list) => list.iter().any(|p| match p {
            Peer::Addresses(set) => !set.is_subset(&link_local),
            Peer::Nodes(_) | Peer::Symbol(Symbol::Nodes | Symbol::ApiServer) => false,
            Peer::Pods(..) => control_plane_name(p).is_none(),
            Peer::Domain(_) | Peer::Symbol(_) | Peer::NoneOf(_) | Peer::Unreadable { .. } => true,
        }),
    }
}

/// Addresses that are the same on every node, and that nobody looks up.
const LINK_LOCAL: [&str; 2] = ["169.254.0.0/16", "fe80::/10"];

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
        // the DNS has an address of the cluster's own, or one of the node
        Peer::Addresses(set) => !set.is_subset(&IpSet::internet()),
        Peer::Nodes(_) | Peer::Symbol(_) | Peer::NoneOf(_) | Peer::Unreadable { .. } => true,
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
    let with_rules = |id: &&PolicyId| looks_up(context.policies.get(**id));
    let Some(id) = policies.iter().find(with_rules) else {
        return;
    };
    let who = if pods.is_empty() {
        "what it selects".to_owned()
    } else {
        words::names(context.cluster, pods)
    };
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
    let pronoun = if words::workloads(context.cluster, pods).len() <= 1 {
        "it"
    } else {
        "they"
    };
    let message = if to.is_empty() {
        format!("{who} may send, but cannot {unresolved}")
    } else {
        let only = words::names(context.cluster, &to);
        format!("{who} may leave only to {only}; {pronoun} cannot {unresolved}")
    };
    let path = Path::root().key("spec").key("egress");
    let mut finding = reporter.field(*id, path, message);
    finding.fingerprint.peer = who.into();
    reporter.push(
        finding
            .label("no rule opens port 53 to the cluster's DNS")
            .help("add a rule to namespace kube-system for 53/UDP and 53/TCP"),
    );
}
