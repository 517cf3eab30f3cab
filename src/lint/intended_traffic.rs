//! Traffic that other objects mean to pass: from an Ingress or a route to its Service, from a
//! monitor to what it scrapes, from the API server to a webhook.
//!
//! These objects are neither world nor law ([`crate::input::Mention`]); they are read here, where
//! somebody asks. Of two copies of one name the last counts. A reference that leads nowhere is kept
//! as such: who would guess its pods would guess at traffic. Cost: O(text of those objects), and
//! O(Services of their namespaces).

use crate::lint::context::LintContext;
use crate::lint::words;
use crate::model::{
    Labels, NamespaceId, Pod, PodId, Requirement, Selector, Service, TargetPort, Truth,
};
use crate::policy::{Direction, Policy, PolicyId};
use crate::set::{Protocol, TrafficSet};
use crate::source::{DocumentId, Origin};
use crate::spec::Endpoint;
use crate::tree::Node;
use indexmap::IndexMap;
use std::rc::Rc;

/// An object that means traffic to pass.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Its kind.
    pub kind: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its namespace; that of objects without one, where it has none.
    pub namespace: Box<str>,
    /// Where it stands.
    pub document: DocumentId,
    /// What it says.
    pub node: Rc<Node>,
}

impl Told {
    /// `Ingress shop/web`.
    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }

    /// Where it stands.
    pub fn origin(&self) -> Origin {
        Origin::document(self.document)
    }
}

/// Pods that are meant to be called, and where.
#[derive(Debug, Clone)]
pub(crate) struct IntendedTraffic {
    /// Which object says so.
    pub by: Rc<Told>,
    /// What it names: `Service shop/web`.
    pub to: String,
    /// The pods behind it.
    pub pods: Vec<PodId>,
    /// The ports on the pods.
    pub ports: Vec<(Protocol, TargetPort)>,
}

impl IntendedTraffic {
    /// The traffic at one of the pods; nothing where a name means nothing there.
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

    /// What all of the pods are called on; `None` where that is not known of each.
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

/// The objects of some kinds, of each name the last one.
pub(crate) fn told(context: &LintContext<'_>, kinds: &[&str]) -> Vec<Rc<Told>> {
    let mut last: IndexMap<(Box<str>, Box<str>, Box<str>), Rc<Told>> = IndexMap::new();
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
                .and_then(Node::as_str)
                .map(Box::from)
        };
        let Some(name) = meta("name") else { continue };
        let namespace = meta("namespace").unwrap_or_else(|| context.input.namespace.clone());
        let (kind, document) = (mention.kind.clone(), mention.document);
        let told = Told {
            kind: kind.clone(),
            name,
            namespace,
            document,
            node: Rc::clone(&node),
        };
        last.insert(
            (kind, told.namespace.clone(), told.name.clone()),
            Rc::new(told),
        );
    }
    last.into_values().collect()
}

/// How an object names a port of a Service.
pub(crate) enum Named<'n> {
    /// By the Service's own number.
    Number(i64),
    /// By the Service's own name.
    Name(&'n str),
    /// Any of them.
    Any,
}

/// Whom an object calls through a Service; `Err` when the namespace has no Service of this name,
/// `Ok(None)` when nothing is known of the pods or the port.
pub(crate) fn through(
    context: &LintContext<'_>,
    by: &Rc<Told>,
    (namespace, name): (&str, &str),
    port: &Named<'_>,
) -> Result<Option<IntendedTraffic>, ()> {
    let Some(id) = context.cluster.find_namespace(namespace) else {
        return Err(());
    };
    let Some(service) = find(context, id, name) else {
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
        Named::Number(n) => i64::from(p.port) == *n,
        Named::Name(name) => p.name.as_deref() == Some(*name),
        Named::Any => true,
    });
    let ports: Vec<_> = wanted.map(|p| (p.protocol, p.target.clone())).collect();
    let meant = IntendedTraffic {
        by: Rc::clone(by),
        to: format!("Service {namespace}/{name}"),
        pods,
        ports,
    };
    Ok(Some(meant).filter(|m| !m.pods.is_empty() && !m.ports.is_empty()))
}

/// A Service by name.
pub(crate) fn find<'f>(
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

/// The policies that isolate a pod in a direction, when nothing else governs it; none when
/// something else may.
pub(crate) fn isolating(
    context: &LintContext<'_>,
    pod: PodId,
    direction: Direction,
) -> Vec<PolicyId> {
    let Some(profile) = context.graph.effective(Endpoint::Pod(pod), direction) else {
        return Vec::new();
    };
    let tier = profile
        .isolating_first()
        .filter(|tier| tier.isolated == Truth::Yes && !context.cluster.pod(pod).host_network);
    let isolating = tier.into_iter().flat_map(|tier| &tier.isolating);
    isolating
        .map(|s| context.graph.policy_of(s.policy))
        .collect()
}

/// Of policies that isolate a pod, the one to point at: the first with rules.
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

/// Whether any rule of a policy opens some of this traffic to anybody.
pub(crate) fn opens(
    context: &LintContext<'_>,
    policy: &Policy,
    pod: &Pod,
    traffic: &TrafficSet,
) -> bool {
    policy
        .rules(Direction::Ingress)
        .iter()
        .any(|rule| !context.traffic(rule, pod).is_disjoint(traffic))
}

/// Whether any of these pods may come in to that one with some of this traffic, for all that is
/// known.
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

/// A label selector as it is written; what cannot be read selects everything.
pub(crate) fn selector(node: &Node) -> Selector {
    let text = |n: &Node| n.as_str().map(Box::from);
    let labels = node
        .get("matchLabels")
        .map(Node::entries)
        .unwrap_or_default()
        .iter();
    let exact = labels.filter_map(|e| Some(Requirement::In(e.key.clone(), vec![text(&e.value)?])));
    let expressions = node
        .get("matchExpressions")
        .map(Node::items)
        .unwrap_or_default()
        .iter();
    let wider = expressions.filter_map(|e| {
        let key = text(e.get("key")?)?;
        let values = e
            .get("values")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(text)
            .collect();
        Some(match e.get("operator")?.as_str()? {
            "In" => Requirement::In(key, values),
            "NotIn" => Requirement::NotIn(key, values),
            "Exists" => Requirement::Exists(key),
            "DoesNotExist" => Requirement::DoesNotExist(key),
            _ => return None,
        })
    });
    Selector::new(exact.chain(wider))
}

/// The labels or annotations of an object.
pub(crate) fn pairs(node: &Node, key: &str) -> Labels {
    let entries = node
        .get("metadata")
        .and_then(|m| m.get(key))
        .map(Node::entries)
        .unwrap_or_default();
    entries
        .iter()
        .filter_map(|e| Some((e.key.clone(), Box::<str>::from(e.value.as_str()?))))
        .collect()
}

/// A number of a field, or of a text that is one.
pub(crate) fn number(node: &Node) -> Option<u16> {
    let n = node.as_i64().or_else(|| node.as_str()?.parse().ok())?;
    u16::try_from(n).ok().filter(|p| *p > 0)
}
