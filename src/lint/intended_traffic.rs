//! Traffic that other objects need: from an Ingress or a route to its Service, from a monitor to
//! the pods that it scrapes, from the API server to a webhook.
//!
//! These objects belong neither to the cluster nor to the policies ([`crate::input::Mention`]);
//! they are read here, lazily. Invariants: of several objects of one kind, namespace and name the
//! last one counts; a reference to a Service that does not exist has no pods, because guessing its
//! pods would be guessing traffic. Cost: O(text of those objects) and O(Services of their
//! namespaces).

use crate::lint::context::LintContext;
use crate::lint::words;
use crate::model::{
    Labels, NamespaceId, Pod, PodId, Requirement, Selector, Service, TargetPort, Truth,
};
use crate::policy::{Direction, PolicyId};
use crate::set::{Protocol, TrafficSet};
use crate::source::{DocumentId, Origin};
use crate::spec::Endpoint;
use crate::tree::SyntaxNode;
use indexmap::IndexMap;
use std::rc::Rc;

/// An object of the input that is neither part of the cluster nor a policy.
#[derive(Debug, Clone)]
pub(crate) struct MentionedObject {
    /// Its kind.
    pub kind: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its namespace; the default namespace of the input when it names none.
    pub namespace: Box<str>,
    /// Its document.
    pub document: DocumentId,
    /// Its content.
    pub node: Rc<SyntaxNode>,
}

impl MentionedObject {
    /// `Ingress shop/web`.
    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }

    /// Its place.
    pub fn origin(&self) -> Origin {
        Origin::document(self.document)
    }
}

/// The traffic that an object needs to be allowed: to which pods, and on which ports.
#[derive(Debug, Clone)]
pub(crate) struct IntendedTraffic {
    /// The object.
    pub by: Rc<MentionedObject>,
    /// The target that it names: `Service shop/web`.
    pub to: String,
    /// The pods behind the target.
    pub pods: Vec<PodId>,
    /// The ports on the pods.
    pub ports: Vec<(Protocol, TargetPort)>,
}

impl IntendedTraffic {
    /// The traffic at one of the pods; empty when the pod does not declare the port's name.
    pub fn traffic(&self, pod: &Pod) -> TrafficSet {
        self.ports
            .iter()
            .fold(TrafficSet::empty(), |all, (protocol, port)| match port {
                TargetPort::Number(n) => all.union(&TrafficSet::ports(*protocol, *n, *n)),
                TargetPort::Name(name) => pod
                    .named_ports(name)
                    .filter(|(p, _)| p == protocol)
                    .fold(all, |all, (p, n)| all.union(&TrafficSet::ports(p, n, n))),
            })
    }

    /// The traffic at each of the pods; `None` when it is not known of all of them.
    pub fn traffics(&self, context: &LintContext<'_>) -> Option<Vec<TrafficSet>> {
        let each = self
            .pods
            .iter()
            .map(|p| self.traffic(context.cluster.pod(*p)));
        each.map(|t| (!t.is_empty()).then_some(t))
            .collect::<Option<Vec<_>>>()
            .filter(|all| !all.is_empty())
    }

    /// The ports, for a message.
    pub fn words(&self, context: &LintContext<'_>) -> String {
        let all = self
            .pods
            .iter()
            .map(|p| self.traffic(context.cluster.pod(*p)));
        words::traffic(&all.fold(TrafficSet::empty(), |a, t| a.union(&t)))
    }
}

/// The objects of some kinds; of several with the same kind, namespace and name the last one.
pub(crate) fn objects(context: &LintContext<'_>, kinds: &[&str]) -> Vec<Rc<MentionedObject>> {
    let mut last: IndexMap<(Box<str>, Box<str>, Box<str>), Rc<MentionedObject>> = IndexMap::new();
    for mention in context
        .input
        .mentions
        .iter()
        .filter(|m| kinds.contains(&&*m.kind))
    {
        let Some(node) = context.locator.node(mention.document) else {
            continue;
        };
        let meta = |key: &str| {
            node.get("metadata")
                .and_then(|m| m.get(key))
                .and_then(SyntaxNode::as_str)
                .map(Box::from)
        };
        let Some(name) = meta("name") else { continue };
        let namespace = meta("namespace").unwrap_or_else(|| context.input.namespace.clone());
        let (kind, document) = (mention.kind.clone(), mention.document);
        let object = MentionedObject {
            kind: kind.clone(),
            name,
            namespace,
            document,
            node: Rc::clone(&node),
        };
        last.insert(
            (kind, object.namespace.clone(), object.name.clone()),
            Rc::new(object),
        );
    }
    last.into_values().collect()
}

/// How an object names a port of a Service.
pub(crate) enum ServicePortRef<'n> {
    /// By the number of the Service's port.
    Number(i64),
    /// By the name of the Service's port.
    Name(&'n str),
    /// Any port of it.
    Any,
}

/// The traffic that an object needs to be allowed to the pods behind a Service. `Err` when the
/// namespace has no Service of this name, `Ok(None)` when its pods or the port are not known.
pub(crate) fn through(
    context: &LintContext<'_>,
    by: &Rc<MentionedObject>,
    (namespace, name): (&str, &str),
    port: &ServicePortRef<'_>,
) -> Result<Option<IntendedTraffic>, ()> {
    let Some(id) = context.cluster.find_namespace(namespace) else {
        return Err(());
    };
    let Some(service) = find_service(context, id, name) else {
        return Err(());
    };
    let Some(selector) = service
        .selector
        .as_ref()
        .filter(|_| service.external_name.is_none())
    else {
        return Ok(None);
    };
    let pods = context.pods_where(id, selector);
    let wanted = service.ports.iter().filter(|p| match port {
        ServicePortRef::Number(n) => i64::from(p.port) == *n,
        ServicePortRef::Name(name) => p.name.as_deref() == Some(*name),
        ServicePortRef::Any => true,
    });
    let ports: Vec<_> = wanted.map(|p| (p.protocol, p.target.clone())).collect();
    let intended = IntendedTraffic {
        by: Rc::clone(by),
        to: format!("Service {namespace}/{name}"),
        pods,
        ports,
    };
    Ok(Some(intended).filter(|i| !i.pods.is_empty() && !i.ports.is_empty()))
}

/// A Service by name.
pub(crate) fn find_service<'f>(
    context: &LintContext<'f>,
    namespace: NamespaceId,
    name: &str,
) -> Option<&'f Service> {
    context
        .services_of(namespace)
        .iter()
        .map(|s| context.cluster.service(*s))
        .find(|s| *s.name == *name)
}

/// The policies that isolate a pod in a direction; none when anything else may govern it.
pub(crate) fn isolating(
    context: &LintContext<'_>,
    pod: PodId,
    direction: Direction,
) -> Vec<PolicyId> {
    let Some(effective) = context.graph.effective(Endpoint::Pod(pod), direction) else {
        return Vec::new();
    };
    let tier = effective
        .isolating_first()
        .filter(|tier| tier.isolated == Truth::Yes && !context.cluster.pod(pod).host_network);
    let isolating = tier.into_iter().flat_map(|tier| &tier.isolating);
    isolating
        .map(|s| context.graph.policy_of(s.policy))
        .collect()
}

/// The policy to point at, of those that isolate a pod: the first with rules, or else the first.
pub(crate) fn deciding(
    context: &LintContext<'_>,
    policies: &[PolicyId],
    direction: Direction,
) -> Option<PolicyId> {
    let with_rules = policies
        .iter()
        .find(|id| !context.policies.get(**id).rules(direction).is_empty());
    with_rules.or_else(|| policies.first()).copied()
}

/// Whether a pod's ingress may admit some of this traffic from any of the callers.
pub(crate) fn admits(
    context: &LintContext<'_>,
    callers: &[PodId],
    pod: PodId,
    traffic: &TrafficSet,
) -> bool {
    callers.iter().any(|caller| {
        let allowed = context.graph.allowed_on(
            Direction::Ingress,
            Endpoint::Pod(*caller),
            Endpoint::Pod(pod),
        );
        !allowed.may.is_disjoint(traffic)
    })
}

/// A label selector as it is written. Requirements that cannot be read are left out, so that it
/// selects more.
pub(crate) fn selector(node: &SyntaxNode) -> Selector {
    let labels = node
        .get("matchLabels")
        .map(SyntaxNode::entries)
        .unwrap_or_default()
        .iter();
    let exact = labels.filter_map(|e| Some(Requirement::In(e.key.clone(), vec![text(&e.value)?])));
    let expressions = node
        .get("matchExpressions")
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter();
    Selector::new(exact.chain(expressions.filter_map(expression)))
}

/// A requirement of `matchExpressions`.
fn expression(node: &SyntaxNode) -> Option<Requirement> {
    let key = text(node.get("key")?)?;
    let values = node
        .get("values")
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter()
        .filter_map(text)
        .collect();
    Some(match node.get("operator")?.as_str()? {
        "In" => Requirement::In(key, values),
        "NotIn" => Requirement::NotIn(key, values),
        "Exists" => Requirement::Exists(key),
        "DoesNotExist" => Requirement::DoesNotExist(key),
        _ => return None,
    })
}

fn text(node: &SyntaxNode) -> Option<Box<str>> {
    node.as_str().map(Box::from)
}

/// The labels or annotations of an object.
pub(crate) fn metadata_map(node: &SyntaxNode, key: &str) -> Labels {
    let entries = node
        .get("metadata")
        .and_then(|m| m.get(key))
        .map(SyntaxNode::entries)
        .unwrap_or_default();
    entries
        .iter()
        .filter_map(|e| Some((e.key.clone(), Box::<str>::from(e.value.as_str()?))))
        .collect()
}

/// A port number that is written as a number or as a string.
pub(crate) fn port_number(node: &SyntaxNode) -> Option<u16> {
    let n = node.as_i64().or_else(|| node.as_str()?.parse().ok())?;
    u16::try_from(n).ok().filter(|p| *p > 0)
}
