//! What is let in from other networks: ports that pods leave open on the default one (NW22), and
//! Services that every pod reaches (NW41).

use crate::model::{Cluster, Requirement, Selector};
use crate::policy::layout::{Layout, PeersPlace, PortsPlace, RulePlace};
use crate::policy::networks::islands::{BY_SERVICE, NetworkHead, nodes, perhaps, pods_with, rule};
use crate::policy::networks::labels::{DEFAULT, OPEN, PRIMARY, among, pods};
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, Direction, Namespaces, Policy, PortMatch, Ports, Qualifier, Rule, Subject,
};
use crate::policy::tier::LayerIx;
use crate::set::TrafficSet;
use crate::source::{DocumentId, Path};
use std::sync::Arc;

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

/// Policies of the pods' own network do not act on the default one (NW30): what they say of pods
/// with open ports is a policy of its own, which lets in by these as well.
pub fn let_in(policies: &PolicySet) -> Option<PolicySet> {
    let plan = policies.plugin.networks.as_ref();
    let open = plan
        .map(|plan| &plan.open)
        .filter(|open| !open.is_empty())?;
    let mut policies = policies.clone();
    let tiers = policies.tiers.clone();
    let d = Direction::Ingress.index();
    let closes = |policy: &&mut Policy| {
        let tier = &tiers[policy.tier.index()];
        tier.layer == LayerIx::CLUSTER_NETWORK && !tier.is_ordered() && policy.applies[d]
    };
    let mut further = Vec::new();
    for policy in policies.policies.iter_mut().filter(closes) {
        for (number, ports) in open.iter().enumerate() {
            let mut own = policy.clone();
            let of_port = among(OPEN, [number.to_string()]);
            own.subject.pods = with(&policy.subject.pods, of_port);
            own.layout = Some(Arc::new(placed(policy)));
            own.rules[d].push(open_rule(ports.as_ref()));
            further.push(own);
        }
        let others = Requirement::DoesNotExist(OPEN.into());
        policy.subject.pods = with(&policy.subject.pods, others);
    }
    policies.policies.extend(further);
    Some(policies)
}

fn with(selector: &Selector, further: Requirement) -> Selector {
    let own = selector.requirements().iter().cloned();
    Selector::new(own.chain([further]))
}

/// The places of a policy's rules, and of one more for ingress, which stands nowhere.
fn placed(policy: &Policy) -> Layout {
    let root = policy.root();
    let [mut ingress, egress] = Direction::ALL.map(|direction| places(policy, direction));
    ingress.push(RulePlace::whole(Path::root()));
    Layout {
        root,
        rules: [ingress, egress],
    }
}

/// The places of the rules of one direction, as the shape of the policy has them.
fn places(policy: &Policy, direction: Direction) -> Vec<RulePlace> {
    let (shape, d) = (policy.shape, direction.index());
    let rules = (0..policy.rules[d].len()).map(|i| Path::root().key(shape.rules[d]).index(i));
    let place = |rule: Path| RulePlace::Parts {
        peers: PeersPlace::Field(rule.key(shape.peers[d])),
        ports: PortsPlace::List(rule.key(shape.ports)),
        rule,
    };
    rules.map(place).collect()
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
