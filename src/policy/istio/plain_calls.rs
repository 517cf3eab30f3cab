//! Whom a `DestinationRule` may let call in plain text, or with a certificate that is not the
//! mesh's, and where: such a connection carries no identity (IS30).
//!
//! A rule is about a host, and whether a caller dials that host or an address is not known, so that
//! what it says is never certain. It is the proxy of the caller that reads it: tunnels carry
//! identities whatever it says.

use crate::model::doors::{DestinationRule, DoorSpec};
use crate::model::{Cluster, Pod, Service, ServicePort, TargetPort};
use crate::set::{Protocol, TrafficSet};

/// The rules that take mutual TLS of the mesh away somewhere.
pub struct PlainCalls<'p> {
    cluster: &'p Cluster,
    root: &'p str,
    rules: Vec<RuleOfCallers<'p>>,
}

/// A rule with its namespace.
struct RuleOfCallers<'p> {
    namespace: &'p str,
    rule: &'p DestinationRule,
}

impl<'p> PlainCalls<'p> {
    /// Looks through the rules of the cluster.
    pub fn new(cluster: &'p Cluster, root: &'p str) -> Self {
        let rules = cluster.doors().iter().filter_map(|door| {
            let DoorSpec::DestinationRule(rule) = &door.spec else {
                return None;
            };
            let namespace = &*cluster.namespace(door.namespace).name;
            rule.takes_identity()
                .then_some(RuleOfCallers { namespace, rule })
        });
        Self {
            cluster,
            root,
            rules: rules.collect(),
        }
    }

    /// The ports of a pod on which every sidecar may call so, and those on which some may.
    pub fn ports(&self, pod: &Pod, services: &[&Service]) -> [TrafficSet; 2] {
        let namespace = &*self.cluster.namespace(pod.namespace).name;
        let mut found = [TrafficSet::empty(), TrafficSet::empty()];
        for rule in &self.rules {
            let which = usize::from(!self.is_for_everyone(rule, namespace));
            for service in services {
                if rule.is_host(&service.name, namespace) {
                    let called = service.ports.iter().filter(|port| rule.is_plain(port));
                    found[which] = called.fold(found[which].clone(), |all, port| {
                        all.union(&target_numbers(port, pod))
                    });
                }
            }
            if self.is_unknown_host(rule, namespace) {
                found[which] = TrafficSet::protocol(Protocol::Tcp);
            }
        }
        found
    }

    /// Whether a pod is one of the callers that a rule for some of them is for.
    pub fn is_ruled(&self, pod: &Pod) -> bool {
        let namespace = &*self.cluster.namespace(pod.namespace).name;
        self.rules.iter().any(|rule| {
            let own = namespace == rule.namespace;
            let labels = self.cluster.labels(pod.labels);
            let meant = match &rule.rule.workloads {
                Some(selector) => own && selector.selects(labels).possible(),
                None => own || rule.namespace == self.root || rule.is_of_host(),
            };
            meant && rule.is_exported(namespace)
        })
    }

    /// Whether a rule for a host of a namespace is for callers of every namespace.
    fn is_for_everyone(&self, rule: &RuleOfCallers<'_>, namespace: &str) -> bool {
        let exported = &rule.rule.export_to;
        let everywhere = exported.is_empty() || exported.iter().any(|to| **to == *"*");
        let looked_up = rule.namespace == namespace || rule.namespace == self.root;
        everywhere && looked_up && rule.rule.workloads.is_none()
    }

    /// Whether a rule names a Service of a namespace that is not in the input, so that any pod
    /// there may be behind it.
    fn is_unknown_host(&self, rule: &RuleOfCallers<'_>, namespace: &str) -> bool {
        let Some((name, of)) = rule.named() else {
            return false;
        };
        let mut services = self.cluster.services();
        let same = |service: &Service| {
            *service.name == *name && *self.cluster.namespace(service.namespace).name == *of
        };
        of == namespace && !services.any(|(_, service)| same(service))
    }
}

impl RuleOfCallers<'_> {
    /// The Service that the host names, and its namespace; none for a pattern.
    fn named(&self) -> Option<(&str, &str)> {
        let host = &*self.rule.host;
        if host.is_empty() || host.contains('*') {
            return None;
        }
        let mut parts = host.splitn(3, '.');
        let name = parts.next()?;
        let namespace = parts.next().unwrap_or(self.namespace);
        let rest = parts.next().unwrap_or("svc");
        (rest == "svc" || rest.starts_with("svc.")).then_some((name, namespace))
    }

    /// Whether a Service is meant by the host.
    fn is_host(&self, name: &str, namespace: &str) -> bool {
        if let Some(named) = self.named() {
            return named == (name, namespace);
        }
        let Some(end) = self.rule.host.strip_prefix('*') else {
            return false;
        };
        let full = format!("{name}.{namespace}.svc.cluster.local");
        let of_namespace = end.starts_with(&format!(".{namespace}.svc."));
        full.ends_with(end) || of_namespace || end == ".svc" || end.starts_with(".svc.")
    }

    /// Whether the rule is of the namespace of its host.
    fn is_of_host(&self) -> bool {
        let named = self.named();
        named.is_none_or(|(_, namespace)| namespace == self.namespace)
    }

    /// Whether callers of a namespace see the rule.
    fn is_exported(&self, caller: &str) -> bool {
        let to = &self.rule.export_to;
        to.is_empty()
            || to.iter().any(|to| match &**to {
                "*" => true,
                "." => caller == self.namespace,
                named => caller == named,
            })
    }

    /// Whether what is sent to a port of the Service may carry no identity.
    fn is_plain(&self, port: &ServicePort) -> bool {
        port.protocol == Protocol::Tcp
            && self.rule.tls.iter().any(|tls| {
                let own = tls.ports.iter().find(|(number, _)| *number == port.port);
                own.map_or(tls.plain, |(_, plain)| *plain)
            })
    }
}

/// The ports of a pod that a port of a Service leads to.
pub fn target_numbers(port: &ServicePort, pod: &Pod) -> TrafficSet {
    let one = |number: u16| TrafficSet::ports(Protocol::Tcp, number, number);
    match &port.target {
        TargetPort::Number(number) => one(*number),
        TargetPort::Name(name) => pod
            .named_ports(name)
            .filter(|(protocol, _)| *protocol == Protocol::Tcp)
            .fold(TrafficSet::empty(), |all, (_, n)| all.union(&one(n))),
    }
}
