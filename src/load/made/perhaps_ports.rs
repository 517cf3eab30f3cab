//! Ports with names that pods declare in some settings only, and the rules that name them.
//!
//! A rule that names such a port allows it perhaps: beside its policy stands one with that rule
//! alone, for these pods and the number of the port, that may not apply. It isolates whom the
//! policy isolates that it is taken from, and nobody else. Cost: O(policies · such pods).

use crate::load::assembly::Assembly;
use crate::load::object::{Contribution, LoadedObject, MadePods};
use crate::model::{ContainerPort, Labels, Requirement, Selector, Truth};
use crate::policy::lowered::Lowered;
use crate::policy::{
    Direction, GeneratedBy, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Rule,
};
use crate::source::DocumentId;
use std::sync::Arc;

/// Adds what rules allow perhaps.
pub fn add_rules(objects: &mut Vec<LoadedObject>, assembly: &mut Assembly<'_>) {
    let pods: Vec<OpenPods> = objects
        .iter()
        .filter_map(|o| open_pods(o, assembly))
        .collect();
    let mut added = Vec::new();
    for policy in objects
        .iter()
        .filter(|_| !pods.is_empty())
        .flat_map(policies)
    {
        for of in &pods {
            added.extend(Direction::ALL.iter().flat_map(|d| of.perhaps(policy, *d)));
        }
    }
    for (document, policy) in added {
        objects.push(object(policy, assembly.another_document(document)));
    }
}

/// The plain policies that an object is.
fn policies(object: &LoadedObject) -> impl Iterator<Item = &Policy> {
    let all = match &object.contribution {
        Contribution::Policy(lowered) => lowered.policies.as_slice(),
        _ => &[],
    };
    all.iter()
        .filter(|policy| policy.shape.kind == "NetworkPolicy")
}

/// Pods of which it is not known whether they declare a port.
struct OpenPods<'o> {
    pods: &'o MadePods,
    namespace: Arc<str>,
    document: DocumentId,
    /// The labels that they certainly have.
    selector: Selector,
}

fn open_pods<'o>(object: &'o LoadedObject, assembly: &Assembly<'_>) -> Option<OpenPods<'o>> {
    let Contribution::Pods(pods) = &object.contribution else {
        return None;
    };
    let labels = pods.draft.labels.iter();
    let certain = labels.filter(|(key, _)| !pods.draft.labels.is_open(key));
    let asked = certain.map(|(key, value)| Requirement::In(key.into(), vec![value.into()]));
    (!pods.perhaps_ports.is_empty()).then(|| OpenPods {
        pods,
        namespace: assembly.namespace_of(object),
        document: object.document,
        selector: Selector::new(asked),
    })
}

impl OpenPods<'_> {
    fn labels(&self) -> &Labels {
        &self.pods.draft.labels
    }

    /// What the rules of a policy allow perhaps in a direction, one policy for each port.
    fn perhaps(&self, policy: &Policy, direction: Direction) -> Vec<(DocumentId, Policy)> {
        let own = policy.namespace.as_deref() == Some(&*self.namespace);
        let selected = || policy.subject.pods.selects(self.labels()) != Truth::No;
        if direction == Direction::Ingress && !(own && selected()) {
            return Vec::new();
        }
        let ports = self.pods.perhaps_ports.iter();
        let made =
            ports.filter_map(|port| Some((self.document, self.of_port(policy, direction, port)?)));
        made.collect()
    }

    fn of_port(
        &self,
        policy: &Policy,
        direction: Direction,
        port: &ContainerPort,
    ) -> Option<Policy> {
        let name = port.name.as_deref()?;
        let naming = policy.rules[direction.index()]
            .iter()
            .filter(|rule| names(rule, port));
        let rules: Vec<Rule> = naming
            .map(|rule| self.numbered(rule, direction, port))
            .collect();
        if rules.is_empty() {
            return None;
        }
        let mut perhaps = policy.clone();
        perhaps.name = format!("{} ({name})", policy.name).into();
        perhaps.applies = [false, false];
        perhaps.applies[direction.index()] = true;
        perhaps.isolates[1 - direction.index()] = false;
        perhaps.rules = [Vec::new(), Vec::new()];
        perhaps.rules[direction.index()] = rules;
        if direction == Direction::Ingress {
            perhaps.subject.pods = self.both(&policy.subject.pods);
        }
        perhaps.generated = Some(Arc::new(GeneratedBy {
            by: format!(
                "{} {}/{}",
                self.pods.made.kind, self.namespace, self.pods.made.object
            )
            .into(),
            unless: Some(
                format!("whether its containers declare the port {name} depends on settings")
                    .into(),
            ),
        }));
        Some(perhaps)
    }

    /// A rule with the number of the port for its name, at these pods.
    fn numbered(&self, rule: &Rule, direction: Direction, port: &ContainerPort) -> Rule {
        let ports = Ports::Of([PortMatch::Traffic(port.traffic())].into());
        let here = || {
            Peer::Pods(
                Namespaces::Named((&*self.namespace).into()),
                self.selector.clone(),
            )
        };
        let peers = match (&rule.peers, direction) {
            (peers, Direction::Ingress) => peers.clone(),
            (Peers::Any, Direction::Egress) => Peers::Of([here()].into()),
            (Peers::Of(peers), Direction::Egress) => {
                Peers::Of([Peer::AllOf([Peer::AnyOf(Arc::clone(peers)), here()].into())].into())
            }
        };
        Rule::new(rule.action, peers, ports)
    }

    /// A selector of these pods alone.
    fn both(&self, selector: &Selector) -> Selector {
        let own = self.selector.requirements().iter();
        Selector::new(own.chain(selector.requirements()).cloned())
    }
}

/// Whether a rule names a port.
fn names(rule: &Rule, port: &ContainerPort) -> bool {
    let Ports::Of(ports) = &rule.ports else {
        return false;
    };
    ports.iter().any(|entry| match entry {
        PortMatch::Named(name, protocol) => {
            Some(&**name) == port.name.as_deref() && protocol.is_none_or(|p| p == port.protocol)
        }
        _ => false,
    })
}

fn object(policy: Policy, document: DocumentId) -> LoadedObject {
    let (kind, name) = ("NetworkPolicy".into(), policy.name.clone());
    let namespace = policy.namespace.as_deref().unwrap_or_default().into();
    let policy = Policy { document, ..policy };
    let lowered = Lowered {
        policies: vec![policy],
        ..Lowered::default()
    };
    let contribution = Contribution::Policy(Box::new(lowered));
    LoadedObject {
        api_version: "networking.k8s.io/v1".into(),
        document,
        ..LoadedObject::made(&kind, name, namespace, contribution)
    }
}
