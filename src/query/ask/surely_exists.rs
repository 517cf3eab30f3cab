//! What every cluster has, loaded or not: the API server and the DNS (S147).
//!
//! The API server listens where the configuration says, else where the endpoints of
//! `default/kubernetes` do, else where its pods are loaded. Where nothing tells it is one address
//! that is no pod: what holds of every such address holds of it, and anything else is unknown. The
//! DNS is what the Service of the cluster's DNS selects; where a cache on every node answers
//! queries, it is asked at its own address.

use crate::input::Input;
use crate::model::{Cluster, Pod, Selector, Service};
use crate::query::ask::api_server_address::ApiServerAddress;
use crate::query::ask::pods_inside::pods_inside;
use crate::query::ask::resolved::{Context, End, Note, Resolved};
use crate::set::{IpSet, Protocol, TrafficSet};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// The port of the API server where none is told.
const API_SERVER_PORT: u16 = 6443;

/// The address at which a cache on every node answers DNS queries, unless it is set up otherwise.
const NODE_LOCAL_DNS: &str = "169.254.20.10";

/// Where the API server listens: as the configuration says, else as the endpoints of
/// `default/kubernetes` do. Empty where nothing tells.
pub fn api_servers(cluster: &Cluster, context: &Context) -> Vec<ApiServerAddress> {
    if !context.api_servers.is_empty() {
        return context.api_servers.clone();
    }
    let address = |at: SocketAddr| ApiServerAddress {
        block: at.ip().into(),
        port: Some(at.port()),
    };
    cluster.api_servers().map(address).collect()
}

/// The API server, by what is known of where it listens.
pub(crate) fn api_server(cluster: &Cluster, context: &Context) -> Option<Resolved> {
    let told = api_servers(cluster, context);
    if told.is_empty() {
        return None;
    }
    let ports: BTreeSet<u16> = told
        .iter()
        .map(|at| at.port.unwrap_or(API_SERVER_PORT))
        .collect();
    let blocks: BTreeSet<IpNet> = told.iter().map(|at| at.block).collect();
    let mut resolved = Resolved {
        traffic: Some(tcp(ports)),
        ..Resolved::default()
    };
    for block in blocks {
        let set = IpSet::from_cidrs([block]);
        let (pods, taken) = pods_inside(cluster, &set);
        resolved.ends.extend(pods);
        let others = set.difference(&taken);
        if !others.is_empty() {
            resolved.ends.push(End::Addresses {
                name: format!("apiserver {}", shown(block)).into(),
                set: others,
                symbolic: false,
            });
        }
    }
    Some(resolved)
}

/// The API server where nothing tells its address: one that is no pod.
pub(crate) fn api_server_somewhere(cluster: &Cluster) -> Resolved {
    let (_, taken) = pods_inside(cluster, &IpSet::full());
    Resolved {
        ends: vec![End::Addresses {
            name: "apiserver".into(),
            set: IpSet::full().difference(&taken),
            symbolic: true,
        }],
        one_of: true,
        traffic: Some(tcp(BTreeSet::from([API_SERVER_PORT]))),
        notes: vec![Note::ApiServerSomewhere],
        ..Resolved::default()
    }
}

fn tcp(ports: BTreeSet<u16>) -> TrafficSet {
    let port = |port: u16| TrafficSet::ports(Protocol::Tcp, port, port);
    let all = ports.into_iter().map(port);
    all.fold(TrafficSet::empty(), |all, one| all.union(&one))
}

fn shown(block: IpNet) -> String {
    if block.prefix_len() == block.max_prefix_len() {
        block.addr().to_string()
    } else {
        block.to_string()
    }
}

/// Where nodes are told to have their addresses, without those of the nodes that are in the input.
pub(crate) fn told_nodes(cluster: &Cluster, context: &Context) -> Option<End> {
    let told = context.node_cidrs.as_ref()?;
    let known = cluster.nodes().flat_map(|(_, node)| &node.addresses);
    let set = told.difference(&IpSet::from_cidrs(known.map(|a| IpNet::from(*a))));
    (!set.is_empty()).then(|| End::Addresses {
        name: "nodes that are not in the input".into(),
        set,
        symbolic: false,
    })
}

/// The cache on every node that answers DNS queries, if its address is told, or the input has one:
/// a pod on its node's network that is called so.
pub(crate) fn node_local_dns(cluster: &Cluster, context: &Context) -> Option<End> {
    let address: IpAddr = match context.node_local_dns {
        Some(told) => told,
        None => NODE_LOCAL_DNS.parse().ok()?,
    };
    let mut pods = cluster.pods();
    let is_there = pods.any(|(_, pod)| is_dns_cache(cluster, pod));
    (is_there || context.node_local_dns.is_some()).then(|| End::Addresses {
        name: format!("node-local-dns {address}").into(),
        set: IpSet::single(address),
        symbolic: false,
    })
}

fn is_dns_cache(cluster: &Cluster, pod: &Pod) -> bool {
    let label = cluster.labels(pod.labels).get("k8s-app");
    let called = |word: &str| pod.name.contains(word);
    let is_called_so = called("node-local-dns") || called("nodelocaldns");
    pod.host_network && (label == Some("node-local-dns") || is_called_so)
}

/// The namespace and labels of the pods that answer DNS queries, as far as the input tells: what
/// the Service of the DNS selects, on `OpenShift`, which may be told besides, its pods.
pub fn dns_pods(input: &Input, on_openshift: bool) -> Option<(Box<str>, Selector)> {
    let cluster = &input.cluster;
    let services = cluster.services().map(|(_, service)| service);
    let found = services.filter_map(|service| {
        let namespace = &cluster.namespace(service.namespace).name;
        let rank = rank_as_dns(service, namespace)?;
        let selector = service.selector.clone().filter(|s| !s.is_everything())?;
        Some((rank, (namespace.clone(), selector)))
    });
    let best = found.min_by_key(|(rank, _)| *rank);
    let openshift = || {
        let label = Selector::label("dns.operator.openshift.io/daemonset-dns", "default");
        (on_openshift || is_openshift(input)).then(|| (OPENSHIFT_DNS.into(), label))
    };
    best.map(|(_, pods)| pods).or_else(openshift)
}

const OPENSHIFT_DNS: &str = "openshift-dns";

/// How well a Service fits as that of the DNS: it has port 53, in a namespace where the DNS is.
fn rank_as_dns(service: &Service, namespace: &str) -> Option<usize> {
    const NAMES: [&str; 3] = ["kube-dns", "dns-default", "coredns"];
    let in_place = namespace == "kube-system" || namespace == OPENSHIFT_DNS;
    let serves = service
        .ports
        .iter()
        .any(|port| port.port == 53 && port.protocol == Protocol::Udp);
    let by_name = NAMES.iter().position(|name| *service.name == **name);
    let rank = by_name.or_else(|| service.name.contains("dns").then_some(NAMES.len()));
    rank.filter(|_| in_place && serves)
}

/// Whether the input has objects that only `OpenShift` knows.
fn is_openshift(input: &Input) -> bool {
    const KINDS: [&str; 7] = [
        "Route",
        "DeploymentConfig",
        "BuildConfig",
        "ImageStream",
        "SecurityContextConstraints",
        "ClusterOperator",
        "Project",
    ];
    let (read, skipped) = (&input.tally.read, &input.tally.skipped);
    KINDS
        .iter()
        .any(|kind| read.contains_key(*kind) || skipped.contains_key(*kind))
}
