//! Selectors of Cilium: one conjunction over a flat set of labels, split into what it says of
//! namespaces, of pods, and of endpoints that are no pods (CI20-CI48).
//!
//! A pod is seen as an identity: its own labels, those of its namespace under
//! `io.cilium.k8s.namespace.labels`, and a few derived ones, without those that change from pod to
//! pod. A conjunction splits by key, exactly, so that the general form of a peer suffices: what
//! asks about the namespace becomes a selector of namespaces, what asks about a label that no
//! identity has becomes a constant, and for every kind of endpoint that is no pod the whole
//! conjunction is a constant.
//!
//! ```text
//! {k8s:io.kubernetes.pod.namespace: shop, app: web}   pods app=web in namespace shop
//! {pod-template-hash: 7f9}                            nobody: identities have no such label
//! {reserved:host: ""}                                 the own node
//! ```

use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::cilium::options::CiliumOptions;
use crate::policy::cilium::written::{WrittenRule, WrittenSelector, WrittenSubject};
use crate::policy::rule::{AddressOwner, Namespaces, Peer, Subject, Symbol};
use crate::set::{Family, IpSet};

/// The label with the name of a pod's namespace.
pub const NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// What the labels of a pod's namespace are prefixed with.
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";
/// The label with the name of the cluster.
const CLUSTER: &str = "io.cilium.k8s.policy.cluster";
/// The label with the service account, which loading adds to pods where a policy asks for it.
pub const ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";

/// Where a label comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LabelSource {
    /// Kubernetes.
    Kubernetes,
    /// Any.
    Any,
    /// Cilium itself: what an endpoint is that is no pod.
    Reserved,
    /// Something else, which no pod and no node has.
    Other,
}

/// What a condition asks of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<Box<str>>),
    NotIn(Vec<Box<str>>),
    Exists,
    Absent,
}

impl Test {
    /// Whether a value passes; none where the label is absent.
    fn holds(&self, value: Option<&str>) -> bool {
        let among = |values: &[Box<str>]| value.is_some_and(|v| values.iter().any(|w| **w == *v));
        match self {
            Self::In(values) => among(values),
            Self::NotIn(values) => !among(values),
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
        }
    }

    fn requirement(&self, key: &str) -> Requirement {
        let key = key.into();
        match self {
            Self::In(values) => Requirement::In(key, values.clone()),
            Self::NotIn(values) => Requirement::NotIn(key, values.clone()),
            Self::Exists => Requirement::Exists(key),
            Self::Absent => Requirement::DoesNotExist(key),
        }
    }
}

/// One condition of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    source: LabelSource,
    key: Box<str>,
    test: Test,
    /// Whether it is an entry of `matchLabels` with the source `k8s`.
    plain_kubernetes: bool,
}

impl Condition {
    fn new(written: &str, test: Test) -> Self {
        let (source, key) = match written.split_once(':') {
            None => (LabelSource::Any, written),
            Some(("k8s", key)) => (LabelSource::Kubernetes, key),
            Some(("any" | "", key)) => (LabelSource::Any, key),
            Some(("reserved", key)) => (LabelSource::Reserved, key),
            Some((_, key)) => (LabelSource::Other, key),
        }; // CI30
        Self {
            source,
            key: key.into(),
            test,
            plain_kubernetes: false,
        }
    }

    fn kubernetes(key: &str, test: Test) -> Self {
        Self {
            source: LabelSource::Kubernetes,
            key: key.into(),
            test,
            plain_kubernetes: false,
        }
    }

    /// Whether it is about a label that pods have.
    fn is_of_pods(&self) -> bool {
        matches!(self.source, LabelSource::Kubernetes | LabelSource::Any)
    }

    fn is_about(&self, key: &str) -> bool {
        self.is_of_pods() && *self.key == *key
    }

    /// Whether an endpoint that is no pod meets it: one that has this reserved label alone.
    fn is_met_by(&self, reserved: &str) -> bool {
        let about = matches!(self.source, LabelSource::Reserved | LabelSource::Any);
        let has = about && *self.key == *reserved;
        self.test.holds(has.then_some(""))
    }
}

/// Keys of labels that identities leave out, by their beginning (CI21).
const DROPPED: [&str; 13] = [
    "io.kubernetes",
    "kubernetes.io",
    "k8s.io",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/controller-uid",
    "pod-template-generation",
    "pod-template-hash",
    "controller-revision-hash",
    "controller-uid",
    "annotation",
    "etcd_node",
];

/// Whether identities leave out a label of pods (CI21).
pub fn is_dropped(key: &str) -> bool {
    let kept = key == NAMESPACE || key.starts_with("io.cilium.k8s.");
    !kept
        && (DROPPED.iter().any(|prefix| key.starts_with(prefix))
            || key.contains("beta.kubernetes.io"))
}

/// Whether a label is one that Cilium derives for its identities (CI20, CI138).
pub fn is_derived(key: &str) -> bool {
    key == NAMESPACE || key.starts_with("io.cilium.k8s.")
}

/// The conditions of a selector as it is written.
fn conditions(selector: &WrittenSelector) -> Vec<Condition> {
    let labels = selector.match_labels.iter().flatten();
    let labels = labels.map(|(key, value)| Condition {
        plain_kubernetes: key.starts_with("k8s:"),
        ..Condition::new(key, Test::In(vec![value.as_str().into()]))
    });
    let expressions = selector.match_expressions.iter().flatten();
    let expressions = expressions.map(|expression| {
        let values = expression.values.iter().flatten();
        let values: Vec<Box<str>> = values.map(|v| v.as_str().into()).collect();
        let test = match expression.operator.as_str() {
            "In" => Test::In(values),
            "NotIn" => Test::NotIn(values),
            "Exists" => Test::Exists,
            _ => Test::Absent,
        };
        Condition::new(&expression.key, test)
    });
    labels.chain(expressions).collect()
}

/// The conditions of a selector of the Kubernetes API; none if it is a formula.
fn plain_conditions(selector: &Selector) -> Option<Vec<Condition>> {
    let each = selector.requirements().iter().map(|requirement| {
        let (key, test) = match requirement {
            Requirement::In(key, values) => (key, Test::In(values.clone())),
            Requirement::NotIn(key, values) => (key, Test::NotIn(values.clone())),
            Requirement::Exists(key) => (key, Test::Exists),
            Requirement::DoesNotExist(key) => (key, Test::Absent),
            Requirement::Like(..) | Requirement::AnyOf(_) | Requirement::Not(_) => return None,
        };
        Some(Condition::kubernetes(key, test))
    });
    each.collect()
}

/// What a conjunction says of pods: in which namespaces, and which there.
struct OfPods {
    namespaces: Vec<Requirement>,
    pods: Vec<Requirement>,
}

impl OfPods {
    /// Splits the conditions (CI20, CI21, CI31, CI32).
    fn new(conditions: &[Condition], options: &CiliumOptions) -> Self {
        let mut split = Self {
            namespaces: Vec::new(),
            pods: Vec::new(),
        };
        for condition in conditions {
            split.add(condition, options);
        }
        split
    }

    fn add(&mut self, condition: &Condition, options: &CiliumOptions) {
        let Condition { key, test, .. } = condition;
        if condition.is_about(NAMESPACE) {
            match test {
                Test::Exists => {}
                _ => self.namespaces.push(test.requirement(NAMESPACE_NAME_LABEL)),
            }
        } else if let Some(label) = key
            .strip_prefix(NAMESPACE_LABELS)
            .filter(|_| condition.is_of_pods())
        {
            self.namespaces.push(test.requirement(label));
        } else if condition.is_about(CLUSTER) {
            self.constant(condition, test.holds(Some(&options.cluster)));
        } else if !condition.is_of_pods() || is_dropped(key) {
            self.constant(condition, test.holds(None));
        } else {
            self.pods.push(test.requirement(key));
        }
    }

    fn constant(&mut self, condition: &Condition, holds: bool) {
        if !holds {
            self.pods
                .push(Requirement::In(condition.key.clone(), Vec::new()));
        }
    }

    fn namespaces(&self) -> Namespaces {
        namespaces(self.namespaces.clone())
    }

    fn peer(self) -> Peer {
        Peer::Pods(self.namespaces(), Selector::new(self.pods))
    }
}

/// The one of this name, or those a selector selects.
fn namespaces(requirements: Vec<Requirement>) -> Namespaces {
    if let [Requirement::In(key, values)] = &requirements[..]
        && let [name] = &values[..]
        && **key == *NAMESPACE_NAME_LABEL
    {
        return Namespaces::Named(name.clone());
    }
    Namespaces::Matching(Selector::new(requirements))
}

/// Where the selectors of a policy stand.
#[derive(Debug, Clone, Copy)]
pub struct SelectorScope<'a> {
    /// The options of the agent.
    pub options: &'a CiliumOptions,
    /// The namespace of the policy; none of a policy of the cluster.
    pub namespace: Option<&'a str>,
    /// Whether the subject of the Rule names endpoints that are starting (CI44).
    pub of_init: bool,
}

impl SelectorScope<'_> {
    /// Whom a Rule governs (CI35-CI38).
    pub fn subject(&self, selector: &WrittenSelector) -> Subject {
        let mut all = conditions(selector);
        if let Some(own) = self.namespace {
            all.retain(|c| !(c.plain_kubernetes && *c.key == *NAMESPACE)); // CI36
            all.push(Condition::kubernetes(NAMESPACE, Test::In(vec![own.into()])));
        }
        let split = OfPods::new(&all, self.options);
        Subject {
            namespaces: split.namespaces(),
            pods: Selector::new(split.pods),
        }
    }

    /// One item of a list of endpoints (CI40-CI48).
    pub fn endpoints(&self, selector: &WrittenSelector) -> Peer {
        let mut all = conditions(selector);
        let is_scoped = !all.iter().any(|c| c.source == LabelSource::Reserved); // CI45
        if is_scoped {
            let names = |about: &dyn Fn(&Condition) -> bool| all.iter().any(about);
            let namespace = names(&|c| c.is_about(NAMESPACE));
            let labelled = names(&|c| c.is_of_pods() && c.key.starts_with(NAMESPACE_LABELS));
            let cluster = names(&|c| c.is_about(CLUSTER));
            match self.namespace {
                Some(own) if !namespace && !labelled => {
                    let own = Test::In(vec![own.into()]); // CI41-CI43
                    all.push(Condition::kubernetes(NAMESPACE, own));
                }
                None if !namespace && !self.of_init => {
                    all.push(Condition::kubernetes(NAMESPACE, Test::Exists)); // CI44
                }
                _ => {}
            }
            if self.options.local_cluster && !cluster {
                let own = Test::In(vec![self.options.cluster.clone()]); // CI46
                all.push(Condition::kubernetes(CLUSTER, own));
            }
        }
        meeting(&all, self.options)
    }
}

/// Everybody who meets these conditions.
fn meeting(all: &[Condition], options: &CiliumOptions) -> Peer {
    let is_apiserver =
        |c: &&Condition| c.source == LabelSource::Reserved && *c.key == *"kube-apiserver";
    let rest: Vec<Condition> = all.iter().filter(|c| !is_apiserver(c)).cloned().collect();
    let mut peers = others(&rest, options);
    let pods = OfPods::new(&rest, options);
    let nobody = pods.pods.iter().any(|r| r.values().is_empty() && is_in(r));
    if !nobody || peers.is_empty() {
        peers.insert(0, pods.peer());
    }
    let mut whole = any_of(peers);
    for condition in all.iter().filter(is_apiserver) {
        // a node or an outside address has this label besides its own (CI26)
        let api_server = Peer::Symbol(Symbol::ApiServer);
        let left_out = if condition.test.holds(Some("")) {
            Peer::NoneOf([api_server].into())
        } else {
            api_server
        };
        whole = Peer::NoneOf([Peer::NoneOf([whole].into()), left_out].into());
    }
    whole
}

fn is_in(requirement: &Requirement) -> bool {
    matches!(requirement, Requirement::In(..))
}

/// The kinds of endpoints that are no pods and meet the conditions (CI23-CI27).
fn others(all: &[Condition], options: &CiliumOptions) -> Vec<Peer> {
    let meets = |reserved: &str| all.iter().all(|c| c.is_met_by(reserved));
    let mut peers = Vec::new();
    match (meets("host"), meets("remote-node")) {
        (true, true) => peers.push(Peer::Symbol(Symbol::Nodes)),
        (true, false) => peers.push(Peer::Symbol(Symbol::OwnNode)),
        (false, true) => peers.push(Peer::Symbol(Symbol::OtherNodes)),
        (false, false) => {}
    }
    if options.dual_stack {
        for (label, family) in [("world-ipv4", Family::V4), ("world-ipv6", Family::V6)] {
            if meets(label) {
                peers.push(Peer::Addresses(IpSet::full().only(family)));
            }
        }
    } else if meets("world") {
        peers.push(Peer::Symbol(Symbol::World));
    }
    for kind in RESERVED {
        let own = options.reserved_addresses(Some(kind));
        if meets(kind) && !own.is_empty() {
            peers.push(Peer::Owned(AddressOwner::Plugin, own));
        }
    }
    if meets("ingress") {
        peers.push(Peer::Symbol(Symbol::IngressProxy));
    }
    peers
}

/// The plugin's own endpoints (CI27).
pub const RESERVED: [&str; 4] = ["health", "init", "ingress", "unmanaged"];

/// One of several peers.
pub fn any_of(mut peers: Vec<Peer>) -> Peer {
    match peers.len() {
        1 => peers.remove(0),
        _ => Peer::AnyOf(peers.into()),
    }
}

/// A subject or a peer of the Kubernetes APIs as Cilium reads it: over the labels of identities
/// (CI138).
pub fn of_kubernetes(
    namespaces: &Namespaces,
    pods: &Selector,
    options: &CiliumOptions,
) -> Option<(Namespaces, Selector)> {
    if !pods.requirements().iter().any(|r| is_special(r.key())) {
        return None;
    }
    let split = OfPods::new(&plain_conditions(pods)?, options);
    let pods = Selector::new(split.pods);
    if split.namespaces.is_empty() {
        return Some((namespaces.clone(), pods));
    }
    let mut requirements = split.namespaces;
    match namespaces {
        Namespaces::Named(name) => {
            let named = Requirement::In(NAMESPACE_NAME_LABEL.into(), vec![name.clone()]);
            requirements.push(named);
        }
        Namespaces::Matching(selector) => requirements.extend(selector.requirements().to_vec()),
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => return None,
    }
    Some((self::namespaces(requirements), pods))
}

/// Whether a key of a pod's label is not simply that.
fn is_special(key: &str) -> bool {
    is_dropped(key) || (is_derived(key) && key != ACCOUNT)
}

/// Whether a selector of namespaces is met where there is no namespace (CI133, CI149).
pub fn holds_without_namespace(selector: &Selector) -> bool {
    let negative =
        |r: &Requirement| matches!(r, Requirement::NotIn(..) | Requirement::DoesNotExist(_));
    !selector.is_everything() && selector.requirements().iter().all(negative)
}

/// A peer that is whole namespaces. Where their selector holds without any namespace too, it
/// stands in a list of one, by which it is known from a peer of pods (CI149).
pub fn whole_namespaces(namespaces: Namespaces) -> Peer {
    let literal = matches!(&namespaces, Namespaces::Matching(s) if holds_without_namespace(s));
    let peer = Peer::Pods(namespaces, Selector::everything());
    if literal {
        Peer::AnyOf([peer].into())
    } else {
        peer
    }
}

/// Whether the labels of some groups of address blocks together meet a selector (CI88).
pub fn groups_meet(selector: &WrittenSelector, groups: &[&crate::model::Labels]) -> bool {
    conditions(selector).iter().all(|condition| {
        let values = groups
            .iter()
            .filter_map(|labels| labels.get(&condition.key));
        let values: Vec<&str> = values.collect();
        match &condition.test {
            Test::In(_) => values.iter().any(|v| condition.test.holds(Some(v))),
            Test::NotIn(_) => values.iter().all(|v| condition.test.holds(Some(v))),
            Test::Exists => !values.is_empty(),
            Test::Absent => values.is_empty(),
        }
    })
}

/// A selector of nodes, by the labels of the Node object (CI91, CI151).
pub fn of_nodes(selector: &WrittenSelector) -> Selector {
    let all = conditions(selector).into_iter();
    Selector::new(all.map(|c| c.test.requirement(&c.key)))
}

/// The nodes that a Rule governs; none of one that governs endpoints.
pub fn governed_nodes(written: &WrittenRule) -> Option<Selector> {
    match &written.subject {
        WrittenSubject::Nodes(nodes) => Some(of_nodes(nodes)),
        WrittenSubject::Endpoints(_) => None,
    }
}

/// Whether a selector names endpoints that are starting.
pub fn names_init(selector: &WrittenSelector) -> bool {
    let mut all = conditions(selector).into_iter();
    all.any(|c| c.source == LabelSource::Reserved && *c.key == *"init")
}

/// Whether a selector asks what an address of the outside may have besides being that.
pub fn names_other_source(selector: &WrittenSelector) -> bool {
    let all = conditions(selector);
    let has = |source| all.iter().any(|c| c.source == source);
    has(LabelSource::Other) && has(LabelSource::Reserved)
}

/// Whether a selector asks for the service account of pods.
pub fn names_account(selector: &WrittenSelector) -> bool {
    let mut all = conditions(selector).into_iter();
    all.any(|c| c.is_about(ACCOUNT))
}
