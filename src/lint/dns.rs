//! The cluster's DNS: its pods as far as the input holds them, and whether a rule opens it.
//!
//! Every cluster has a DNS. Its pods are those behind the Services of port 53 in the namespaces
//! where it lives, and otherwise those that the configuration names. Where none is in the input, a
//! rule opens the DNS if it may be meant for it. Road not taken: the verdict of the graph, which is
//! unknown for every block of addresses, also for one that leaves out all private ranges, because
//! the address of a pod is not told.

use crate::lint::addresses::is_wide;
use crate::lint::context::LintContext;
use crate::lint::peers::{is_own_namespace, may_be_any_address};
use crate::model::{NAMESPACE_NAME_LABEL, Pod, PodId, Selector, ServiceId, TargetPort};
use crate::policy::validate::parse_cidr;
use crate::policy::{Namespaces, Peer, Peers, Policy, PortMatch, Ports, Rule};
use crate::set::{IpSet, Protocol, TrafficSet};

/// Namespaces in which a cluster's DNS lives.
const SYSTEM: [&str; 2] = ["kube-system", "openshift-dns"];

/// Ranges that pods and Services of a cluster are given addresses of.
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// A pod of the DNS, with the traffic that it answers.
pub(crate) struct DnsPod {
    pub pod: PodId,
    pub traffic: TrafficSet,
}

/// The DNS of the cluster.
pub(crate) struct ClusterDns {
    /// Its pods that are in the input.
    pub pods: Vec<DnsPod>,
    /// The addresses of a cache on every node, where a pod of one is in the input.
    pub node_local: Option<IpSet>,
    /// The addresses that pods and Services may have.
    private: IpSet,
}

impl ClusterDns {
    /// Finds the DNS pods of the input. O(Services of the namespaces where it lives).
    pub fn new(context: &LintContext<'_>) -> Self {
        let configured = PRIVATE.iter().filter_map(|c| parse_cidr(c));
        let private = match &context.config.pod_cidrs {
            Some(known) => known.union(&context.config.service_cidrs.clone().unwrap_or_default()),
            None => IpSet::from_cidrs(configured),
        };
        let mut pods = behind_services(context);
        if pods.is_empty() {
            let (namespace, labels) = &context.config.dns;
            let selected = context.selected(&Namespaces::Named(namespace.clone()), labels);
            let dns_pod = |pod: &PodId| DnsPod {
                pod: *pod,
                traffic: dns_traffic(),
            };
            pods = selected.pods.iter().map(dns_pod).collect();
        }
        Self {
            pods,
            node_local: node_local(context),
            private,
        }
    }

    /// Whether a pod is one of the DNS's own.
    pub fn is_dns(&self, pod: PodId) -> bool {
        self.pods.iter().any(|dns| dns.pod == pod)
    }

    /// Whether an egress rule of a policy may open the DNS.
    pub fn opened_by(&self, context: &LintContext<'_>, policy: &Policy, rule: &Rule) -> bool {
        if self.pods.is_empty() {
            return self.may_open(context, policy, rule);
        }
        let opens = |dns: &DnsPod| {
            let pod = context.cluster.pod(dns.pod);
            let traffic = context.traffic(rule, pod);
            !traffic.is_disjoint(&dns.traffic) && self.admits(context, policy, rule, dns)
        };
        self.pods.iter().any(opens) || self.is_meant_for(context, rule)
    }

    /// Whether a rule names the DNS pods alone and a port, though not one that they answer on: that
    /// is found about the port (NP011, NP012).
    fn is_meant_for(&self, context: &LintContext<'_>, rule: &Rule) -> bool {
        let (Peers::Of(list), Ports::Of(_)) = (&rule.peers, &rule.ports) else {
            return false;
        };
        let by_name = matches!(&rule.ports, Ports::Of(list)
            if list.iter().all(|p| matches!(p, PortMatch::Named(..))));
        opens_port(rule) && list.iter().all(|p| self.is_selected(context, p, by_name))
    }

    /// Whether a peer selects DNS pods and nothing else, or `among` others, all in the input.
    fn is_selected(&self, context: &LintContext<'_>, peer: &Peer, among: bool) -> bool {
        context.peer(peer).is_some_and(|selected| {
            let mut dns = selected.pods.iter().map(|p| self.is_dns(*p));
            let is_dns = if among {
                dns.any(|is| is)
            } else {
                dns.all(|is| is)
            };
            !selected.open && !selected.pods.is_empty() && is_dns
        })
    }

    /// Whether the peers of a rule may be a DNS pod.
    fn admits(
        &self,
        context: &LintContext<'_>,
        policy: &Policy,
        rule: &Rule,
        dns: &DnsPod,
    ) -> bool {
        let Peers::Of(peers) = &rule.peers else {
            return true;
        };
        let cluster = context.cluster;
        let namespace = cluster.pod_namespace(dns.pod);
        let labels = cluster.pod_labels(dns.pod);
        peers.iter().any(|peer| match peer {
            Peer::Pods(Namespaces::Named(name), pods) => {
                *name == namespace.name && pods.matches(labels)
            }
            Peer::Pods(Namespaces::Matching(selector), pods) => {
                namespace.selected_by(selector).possible() && pods.matches(labels)
            }
            Peer::Pods(..) => true,
            _ => {
                let address = cluster.pod(dns.pod);
                self.may_have_address(peer, rule.ports != Ports::Any, Some(address))
                    && policy.namespace.is_some()
            }
        })
    }

    /// Whether a rule may be meant for a DNS that is not in the input: it opens the DNS port to
    /// more than pods of the policy's own namespace, or everything to a peer that may be the DNS.
    fn may_open(&self, context: &LintContext<'_>, policy: &Policy, rule: &Rule) -> bool {
        let opened = opens_port(rule);
        let explicit = rule.ports != Ports::Any;
        let Peers::Of(peers) = &rule.peers else {
            return opened;
        };
        opened
            && peers.iter().any(|peer| match peer {
                Peer::Pods(namespaces, _) => {
                    let elsewhere = explicit && !is_own_namespace(peer, policy);
                    may_be_system(namespaces) || elsewhere && may_answer(context, peer)
                }
                _ => self.may_have_address(peer, explicit, None),
            })
    }

    /// Whether a peer that selects no pods may be the DNS, given whether its rule names the port
    /// and which pod it is about. Of a resolver outside the cluster a rule names the address.
    fn may_have_address(&self, peer: &Peer, explicit: bool, pod: Option<&Pod>) -> bool {
        match peer {
            Peer::Addresses(set) => {
                let known = pod.map(|p| &*p.addresses).filter(|a| !a.is_empty());
                let is_pod = known.is_some_and(|all| all.iter().any(|a| set.contains(*a)));
                let private = known.is_none() && !set.is_disjoint(&self.private);
                let cache = set.is_subset(&link_local()) && pod.is_some();
                let resolver = explicit && !is_wide(set);
                is_pod || private || resolver && (!cache || self.node_local.is_some())
            }
            other => may_be_any_address(other),
        }
    }
}

/// Addresses that are the same on every node, and that nobody looks up.
pub(crate) fn link_local() -> IpSet {
    let blocks = ["169.254.0.0/16", "fe80::/10"];
    IpSet::from_cidrs(blocks.iter().filter_map(|c| parse_cidr(c)))
}

/// Whether a pod is called like the cache that runs on every node, by its workload or its label.
fn is_called_node_local(context: &LintContext<'_>, pod: &Pod) -> bool {
    let name = &context.cluster.workload(pod.workload).name;
    let labels = context.cluster.labels(pod.labels);
    let label = labels.get("k8s-app").unwrap_or_default();
    [&**name, label]
        .iter()
        .any(|n| n.contains("node-local-dns") || n.contains("nodelocaldns"))
}

/// The usual address of a cache on every node.
const NODE_LOCAL: &str = "169.254.20.10/32";

/// The addresses of a DNS cache that runs on every node, on its network: those of the link that
/// its document names, or else the usual one.
fn node_local(context: &LintContext<'_>) -> Option<IpSet> {
    let (_, cache) = context
        .cluster
        .pods()
        .find(|(_, pod)| pod.host_network && is_called_node_local(context, pod))?;
    let text = context.input.sources.chunk(cache.origin.document)?.1;
    let word = |w: &str| parse_cidr(&format!("{w}/32"));
    let named = text
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter(|w| w.starts_with("169.254."))
        .filter_map(word);
    let named = IpSet::from_cidrs(named);
    let usual = || IpSet::from_cidrs(parse_cidr(NODE_LOCAL));
    Some(if named.is_empty() { usual() } else { named })
}

/// Whether a rule opens the port of the DNS, by its number or by a name that says so.
pub(crate) fn opens_port(rule: &Rule) -> bool {
    match &rule.ports {
        Ports::Any => true,
        Ports::Of(list) => list.iter().any(|p| match p {
            PortMatch::Traffic(set) => !set.is_disjoint(&dns_traffic()),
            PortMatch::Named(name, _) => name.contains("dns"),
            PortMatch::Portless(_) => false,
        }),
    }
}

/// The traffic of DNS: port 53, and 5353, on which some distributions' DNS pods listen.
pub(crate) fn dns_traffic() -> TrafficSet {
    let port = |protocol, n| TrafficSet::ports(protocol, n, n);
    port(Protocol::Udp, 53)
        .union(&port(Protocol::Tcp, 53))
        .union(&port(Protocol::Udp, 5353))
        .union(&port(Protocol::Tcp, 5353))
}

/// The pods behind the Services of port 53 in the namespaces where the DNS lives.
fn behind_services(context: &LintContext<'_>) -> Vec<DnsPod> {
    let configured = &*context.config.dns.0;
    let named = SYSTEM.iter().copied().filter(|n| *n != configured);
    let namespaces = named
        .chain([configured])
        .filter_map(|name| context.cluster.find_namespace(name));
    let services = namespaces.flat_map(|n| context.services_of(n).iter().copied());
    let mut found: Vec<DnsPod> = Vec::new();
    for service in services.filter(|s| is_dns_service(context, *s)) {
        for pod in context.cluster.service_pods(service) {
            let traffic = target_traffic(context, service, context.cluster.pod(pod));
            match found.iter_mut().find(|dns| dns.pod == pod) {
                Some(dns) => dns.traffic = dns.traffic.union(&traffic),
                None => found.push(DnsPod { pod, traffic }),
            }
        }
    }
    found
}

/// Whether a Service is called like the cluster's DNS, and takes queries. Its pods on their node's
/// network are a cache that is asked under an address of its own.
fn is_dns_service(context: &LintContext<'_>, id: ServiceId) -> bool {
    let service = context.cluster.service(id);
    ["kube-dns", "coredns", "dns-default"]
        .iter()
        .any(|n| service.name.contains(n))
        && !service.name.contains("upstream")
        && service
            .ports
            .iter()
            .any(|p| p.port == 53 && p.protocol == Protocol::Udp)
}

/// The traffic at a pod to which a Service sends port 53.
fn target_traffic(context: &LintContext<'_>, id: ServiceId, pod: &Pod) -> TrafficSet {
    let queries = |p: &&crate::model::ServicePort| p.port == 53;
    let ports = context.cluster.service(id).ports.iter().filter(queries);
    ports.fold(TrafficSet::empty(), |all, port| {
        let one = |n| TrafficSet::ports(port.protocol, n, n);
        match &port.target {
            TargetPort::Number(n) => all.union(&one(*n)),
            TargetPort::Name(name) => pod
                .named_ports(name)
                .filter(|(protocol, _)| *protocol == port.protocol)
                .fold(all, |all, (_, n)| all.union(&one(n))),
        }
    })
}

/// Whether namespaces may include one in which the DNS lives, whose other labels are not known.
fn may_be_system(namespaces: &Namespaces) -> bool {
    let may_select = |selector: &Selector, name: &str| {
        let labels = [(NAMESPACE_NAME_LABEL, name)].into_iter().collect();
        selector.matches_known(&labels, false).possible()
    };
    match namespaces {
        Namespaces::Matching(selector) => SYSTEM.iter().any(|name| may_select(selector, name)),
        _ => false,
    }
}

/// Whether the pods of a peer may answer DNS queries: pods that are not in the input may, and those
/// that declare no ports or a port of the DNS.
fn may_answer(context: &LintContext<'_>, peer: &Peer) -> bool {
    let Some(selected) = context.peer(peer) else {
        return true;
    };
    let dns = dns_traffic();
    let answers = |pod: &PodId| {
        let ports = &context.cluster.pod(*pod).ports;
        let declared = |p: &crate::model::ContainerPort| !dns.is_disjoint(&p.traffic());
        ports.is_empty() || ports.iter().any(declared)
    };
    selected.open || selected.namespaces.is_empty() || selected.pods.iter().any(answers)
}
