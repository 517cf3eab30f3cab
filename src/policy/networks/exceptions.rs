//! What is let in from other networks: ports that pods leave open on the default one (NW22), and
//! Services that every pod reaches (NW41).

use crate::model::{Cluster, Requirement};
use crate::policy::networks::islands::{BY_SERVICE, NetworkHead, nodes, perhaps, pods_with, rule};
use crate::policy::networks::labels::{DEFAULT, OPEN, PRIMARY, among, pods};
use crate::policy::rule::{
    Action, Direction, Namespaces, Policy, PortMatch, Ports, Qualifier, Rule, Subject,
};
use crate::set::TrafficSet;
use crate::source::DocumentId;

/// The Services that every pod reaches (NW41).
const INFRA_SERVICES: [&str; 3] = [
    "default/kubernetes",
    "kube-system/kube-dns",
    "openshift-dns/dns-default",
];

/// What the policies of open ports are called.
pub const OPEN_PORTS: &str = "open default ports";

fn head(name: &str) -> NetworkHead<'_> {
    NetworkHead {
        priority: -1,
        ..NetworkHead::new(name, DocumentId::NONE)
    }
}

/// What comes by the ports that pods leave open; none where these cannot be read.
pub fn open_ports(open: &[Option<TrafficSet>]) -> Vec<Policy> {
    let each = open.iter().enumerate().map(|(number, ports)| {
        let subject = pods_with(OPEN, &number.to_string());
        head(OPEN_PORTS).policy(Direction::Ingress, subject, vec![open_rule(ports.as_ref())])
    });
    each.collect()
}

/// What lets in by open ports: from the default network, and from nodes.
fn open_rule(ports: Option<&TrafficSet>) -> Rule {
    let from = vec![pods(among(PRIMARY, [DEFAULT])), nodes()];
    let allowed = rule(Action::Allow, from);
    match ports {
        Some(ports) => Rule {
            ports: Ports::Of([PortMatch::Traffic(ports.clone())].into()),
            ..allowed
        },
        None => perhaps(allowed, "which ports of the default network are open"),
    }
}

/// Pods behind Services that every pod reaches: by the Service, and not by themselves.
pub fn services(cluster: &Cluster, infra: &[Box<str>]) -> Vec<Policy> {
    let listed =
        |name: &str| INFRA_SERVICES.contains(&name) || infra.iter().any(|other| **other == *name);
    let services = cluster.services().filter(|(_, service)| {
        let namespace = &cluster.namespace(service.namespace).name;
        listed(&format!("{namespace}/{}", service.name))
    });
    let each = services.filter_map(|(_, service)| {
        let all = pods(Requirement::Exists(PRIMARY.into()));
        let open = Rule {
            qualifiers: vec![Qualifier::Application(BY_SERVICE.into())],
            ..rule(Action::Allow, vec![all])
        };
        let namespace = cluster.namespace(service.namespace).name.clone();
        let subject = Subject {
            namespaces: Namespaces::Named(namespace),
            pods: service.selector.clone()?,
        };
        Some(head("services of the cluster").policy(Direction::Ingress, subject, vec![open]))
    });
    each.collect()
}
