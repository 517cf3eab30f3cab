//! # NP101 dns-blocked
//!
//! **What it does.** Reports when a workload may send somewhere, but not ask the cluster's DNS for
//! any address.
//!
//! **Why it is bad.** The most common outage after the first egress policy: every name fails to
//! resolve.
//!
//! **What it looks at.** The workloads whose egress is isolated and that may send anything, to
//! whomever. Every cluster has a DNS: when its pods are in the input, whether a rule opens them on
//! the ports behind their Service, and whether their own policies let everybody ask; otherwise
//! whether any rule may be meant for them. A policy in a namespace of which no workload is in the
//! input is looked at as if it had one.
//!
//! **When it stays silent.** When a workload may send nothing at all; when it may only talk to the
//! API server or to addresses of its own node, which nobody looks up; when the DNS pods are not in
//! the input and a rule opens port 53 (or 5353) to what may be one: private addresses, a single
//! resolver, other namespaces.
//!
//! **Settings.** `cluster.dns`: namespace and labels of the DNS pods.
//!
//! **References.** <https://github.com/kubernetes/website/issues/54997>,
//! <https://github.com/aws/aws-network-policy-agent/issues/230>,
//! <https://github.com/jupyterhub/zero-to-jupyterhub-k8s/pull/3179>.

use crate::lint::algebra::unmatchable;
use crate::lint::context::LintContext;
use crate::lint::dns::{ClusterDns, dns_traffic, link_local, opens_port};
use crate::lint::intended_traffic;
use crate::lint::peers::{control_plane_name, may_be_any_address, peers};
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::PodId;
use crate::policy::{
    Action, Direction, Peer, Peers, Policy, PolicyId, PortMatch, Ports, Rule, Symbol,
};
use crate::set::{Protocol, TrafficSet};
use crate::source::Path;
use crate::spec::Endpoint;
use crate::spec::question::Tainted;
use std::collections::{BTreeMap, HashMap};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let dns = ClusterDns::new(context);
    let mut blocked: BTreeMap<Vec<PolicyId>, Vec<PodId>> = BTreeMap::new();
    let mut known: HashMap<Vec<PolicyId>, bool> = HashMap::new();
    for (id, pod) in context.cluster.pods() {
        if pod.host_network || dns.is_dns(id) {
            continue;
        }
        let isolating = isolating(context, id);
        let is_blocked = *known.entry(isolating.clone()).or_insert_with(|| {
            let mut policies = isolating.iter().map(|p| context.policies.get(*p));
            policies.any(looks_up) && !opened(context, &dns, &isolating)
        });
        if is_blocked {
            blocked.entry(isolating).or_default().push(id);
        }
    }
    for (policies, pods) in blocked {
        push(context, reporter, &dns, &policies, &pods);
    }
    for (id, policy) in context.network_policies() {
        if policy.isolates(Direction::Egress)
            && !context.knows_pods_of(policy)
            && looks_up(policy)
            && !may_be_opened(context, &dns, policy)
        {
            push(context, reporter, &dns, &[id], &[]);
        }
    }
    shut_in(context, reporter, &dns);
}

/// Whether an egress rule of some policies may open the DNS.
fn opened(context: &LintContext<'_>, dns: &ClusterDns, policies: &[PolicyId]) -> bool {
    policies.iter().any(|id| {
        let policy = context.policies.get(*id);
        let rules = policy.rules(Direction::Egress);
        rules
            .iter()
            .any(|rule| dns.opened_by(context, policy, rule))
    })
}

/// Whether pods that a policy may select can have the DNS opened by some policy of their namespace,
/// or be governed by another kind of policy.
fn may_be_opened(context: &LintContext<'_>, dns: &ClusterDns, policy: &Policy) -> bool {
    let others = context.policies_in(policy.namespace.as_deref().unwrap_or_default());
    let ordered = |(_, p): (PolicyId, &Policy)| !p.is_additive();
    opened(context, dns, others) || context.policies.iter().any(ordered)
}

/// Reports the policies of the DNS pods that let pods of the input not ask.
fn shut_in(context: &LintContext<'_>, reporter: &mut Reporter<'_>, dns: &ClusterDns) {
    let mut shut: BTreeMap<PolicyId, (Vec<PodId>, Vec<PodId>)> = BTreeMap::new();
    for server in &dns.pods {
        let policies = intended_traffic::isolating(context, server.pod, Direction::Ingress);
        let Some(policy) = intended_traffic::deciding(context, &policies, Direction::Ingress)
        else {
            return; // one that is open to everybody answers
        };
        let askers = context.cluster.pods().filter(|(id, pod)| {
            !pod.host_network
                && !dns.is_dns(*id)
                && !intended_traffic::admits(context, &[*id], server.pod, &server.traffic)
        });
        let askers: Vec<PodId> = askers.map(|(id, _)| id).collect();
        let (servers, all) = shut.entry(policy).or_default();
        servers.push(server.pod);
        *all = askers;
    }
    for (policy, (servers, askers)) in shut {
        if askers.is_empty() || !context.is_examined(policy) {
            continue;
        }
        let who = words::names(context.cluster, &askers);
        let server = words::names(context.cluster, &servers);
        let message = format!("{server} does not let {who} ask for names");
        let mut finding = reporter.subject(policy, message);
        finding.fingerprint.peer = who.into();
        reporter.push(
            finding
                .label("no rule admits them on port 53")
                .help("admit every namespace on 53/UDP and 53/TCP"),
        );
    }
}

/// The policies that isolate a pod's egress, when nothing that is not modelled governs it, and no
/// policy that is asked before them may open the DNS.
fn isolating(context: &LintContext<'_>, pod: PodId) -> Vec<PolicyId> {
    let Some(effective) = context
        .graph
        .effective(Endpoint::Pod(pod), Direction::Egress)
    else {
        return Vec::new();
    };
    if let Some(tier) = effective.isolating_first() {
        let certain = tier.isolating.iter().filter(|s| s.certain);
        return certain.map(|s| context.graph.policy_of(s.policy)).collect();
    }
    let modelled = effective.taint == Tainted::default();
    let governing: Vec<PolicyId> = effective
        .selections()
        .map(|s| context.graph.policy_of(s.policy))
        .collect();
    let in_order = |id: &&PolicyId| !context.policies.get(**id).is_additive();
    let opens = governing
        .iter()
        .filter(in_order)
        .flat_map(|id| context.policies.get(*id).rules(Direction::Egress))
        .any(|rule| rule.action != Action::Deny && opens_port(rule));
    let isolating = effective.isolating().filter(|s| s.certain);
    let isolating = isolating.map(|s| context.graph.policy_of(s.policy));
    isolating.filter(|_| modelled && !opens).collect()
}

/// Whether a policy has an egress rule towards something that is found by its name.
fn looks_up(policy: &Policy) -> bool {
    policy.rules(Direction::Egress).iter().any(has_names)
}

/// Whether what a rule opens is found by names: all but the API server, whose address every pod has
/// in its environment, and what is only known by its address on the node.
fn has_names(rule: &Rule) -> bool {
    let apiserver = TrafficSet::ports(Protocol::Tcp, 6443, 6443);
    let nothing = unmatchable(rule, Direction::Egress) || rule.action != Action::Allow;
    if nothing || rule.ports != Ports::Any && numeric_traffic(rule).is_subset(&apiserver) {
        return matches!(&rule.ports, Ports::Of(list)
            if !nothing && list.iter().any(|p| matches!(p, PortMatch::Named(..))));
    }
    match &rule.peers {
        Peers::Any => true,
        Peers::Of(list) => list.iter().any(|p| match p {
            Peer::Addresses(set) => !set.is_subset(&link_local()),
            Peer::Nodes(_) | Peer::Symbol(Symbol::Nodes | Symbol::ApiServer) => false,
            Peer::Pods(..) => control_plane_name(p).is_none(),
            Peer::Domain(_) => true,
            other => may_be_any_address(other),
        }),
    }
}

/// Reports that pods which these policies isolate cannot ask the DNS.
fn push(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    dns: &ClusterDns,
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
    let rules = policies
        .iter()
        .flat_map(|p| context.policies.get(*p).rules(Direction::Egress));
    let rules: Vec<&Rule> = rules.collect();
    let only_pods =
        |r: &&Rule| r.peers != Peers::Any && peers(r).iter().all(|p| matches!(p, Peer::Pods(..)));
    let to: Vec<PodId> = rules
        .iter()
        .filter(|_| rules.iter().all(only_pods))
        .flat_map(|r| peers(r))
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
    let (namespace, port, ports) = wanted(context, dns);
    let path = Path::root().key("spec").key("egress");
    let mut finding = reporter.field(*id, path, message);
    finding.fingerprint.peer = who.into();
    reporter.push(
        finding
            .label(format!("no rule opens port {port} to the cluster's DNS"))
            .help(format!("add a rule to namespace {namespace} for {ports}")),
    );
}

/// What opens the DNS: its namespace, its port, and its ports with their protocols.
fn wanted<'c>(context: &'c LintContext<'_>, dns: &ClusterDns) -> (&'c str, u16, String) {
    let first = dns.pods.first();
    let namespace = first.map_or(&*context.config.dns.0, |d| {
        &*context.cluster.pod_namespace(d.pod).name
    });
    let behind_service = first.filter(|d| d.traffic != dns_traffic());
    let port = behind_service.and_then(|d| d.traffic.sample());
    let port = port.map_or(53, |traffic| traffic.port);
    (namespace, port, format!("{port}/UDP and {port}/TCP"))
}
