//! What lints ask of the input: who is selected, what is known, how a policy was written.
//!
//! Namespaces are the join key: pods, workloads, Services and policies are listed by namespace
//! once, and every question looks only at the namespaces it concerns. Selections are remembered per
//! selector.

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::lint::config::LintConfig;
use crate::lint::label_index::{Pods, Policies};
use crate::model::{Cluster, NamespaceId, Pod, PodId, Requirement, Selector, ServiceId, Truth};
use crate::policy::{
    Direction, Namespaces, Peer, Peers, Policy, PolicyId, PolicySet, PortMatch, Ports, Rule,
    RuleRef,
};
use crate::set::TrafficSet;
use crate::source::{DocumentId, FileId, Path};
use crate::spec::Environment;
use crate::tree::{Locator, SyntaxNode};
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// The pods a peer selects, and whether that can be all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selected {
    /// Pods of this input that are surely selected.
    pub pods: Vec<PodId>,
    /// Namespaces that are surely selected.
    pub namespaces: Vec<NamespaceId>,
    /// Whether pods that the input does not hold may be selected: a namespace whose labels are not
    /// known, or one without workloads in the input.
    pub open: bool,
}

/// The input, prepared for questions.
pub struct Facts<'a> {
    /// What was read.
    pub input: &'a Input,
    /// What it allows.
    pub graph: &'a AllowGraph,
    /// The world under the options of the graph.
    pub env: &'a Environment,
    /// The world.
    pub cluster: &'a Cluster,
    /// The law.
    pub law: &'a PolicySet,
    /// The choices.
    pub config: &'a LintConfig,
    /// The trees of documents.
    pub locator: Locator<'a>,
    pods: Vec<Vec<PodId>>,
    services: Vec<Vec<ServiceId>>,
    policies: HashMap<&'a str, Vec<PolicyId>>,
    /// The pods of each namespace, and its policies, by label; once somebody asks.
    pods_by_label: Vec<OnceCell<Pods>>,
    policies_by_label: RefCell<HashMap<Box<str>, Policies>>,
    subjects: Vec<OnceCell<Rc<Vec<PodId>>>>,
    only: Option<Vec<PolicyId>>,
    labelled: OnceCell<HashMap<Box<str>, HashMap<Box<str>, Vec<NamespaceId>>>>,
    selected: RefCell<HashMap<(Namespaces, Selector), Rc<Selected>>>,
    said: RefCell<HashMap<(FileId, usize, &'static str), bool>>,
}

impl<'a> Facts<'a> {
    /// Lists everything by namespace. O(input).
    pub fn new(input: &'a Input, graph: &'a AllowGraph, config: &'a LintConfig) -> Self {
        let (cluster, law) = (&*input.cluster, &*input.policies);
        let mut pods = vec![Vec::new(); cluster.namespaces().len()];
        cluster
            .pods()
            .for_each(|(id, pod)| pods[pod.namespace.0 as usize].push(id));
        let mut services = vec![Vec::new(); cluster.namespaces().len()];
        cluster
            .services()
            .for_each(|(id, s)| services[s.namespace.0 as usize].push(id));
        let mut policies: HashMap<&str, Vec<PolicyId>> = HashMap::new();
        for (id, policy) in law.iter().filter(|(_, p)| !law.is_ordered(p)) {
            policies
                .entry(policy.namespace.as_deref().unwrap_or_default())
                .or_default()
                .push(id);
        }
        Self {
            input,
            graph,
            env: graph.environment(),
            cluster,
            law,
            config,
            locator: Locator::new(&input.sources),
            pods_by_label: (0..pods.len()).map(|_| OnceCell::new()).collect(),
            pods,
            services,
            policies,
            policies_by_label: RefCell::default(),
            subjects: vec![OnceCell::new(); law.policies.len()],
            only: None,
            labelled: OnceCell::new(),
            selected: RefCell::default(),
            said: RefCell::default(),
        }
    }

    /// The same, with nothing but these policies to go through; the others stay what they are to
    /// them.
    #[must_use]
    pub fn only(mut self, policies: &[PolicyId]) -> Self {
        self.only = Some(policies.to_vec());
        self
    }

    /// Whether a policy is one to go through.
    pub fn goes_through(&self, id: PolicyId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&id))
    }

    fn select_subject(&self, policy: &Policy) -> Vec<PodId> {
        let Namespaces::Named(name) = &policy.subject.namespaces else {
            return self
                .selected(&policy.subject.namespaces, &policy.subject.pods)
                .pods
                .clone();
        };
        let namespace = self.cluster.find_namespace(name);
        namespace.map_or_else(Vec::new, |n| self.pods_where(n, &policy.subject.pods))
    }

    /// The pods of a namespace.
    pub fn pods_of(&self, namespace: NamespaceId) -> &[PodId] {
        self.pods
            .get(namespace.0 as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The pods of a namespace that a selector selects.
    pub fn pods_where(&self, namespace: NamespaceId, selector: &Selector) -> Vec<PodId> {
        let Some(by_label) = self.pods_by_label.get(namespace.0 as usize) else {
            return Vec::new();
        };
        let pods = by_label.get_or_init(|| Pods::new(self.cluster, self.pods_of(namespace)));
        let selects = |id: &PodId| selector.matches(self.cluster.pod_labels(*id));
        pods.candidates(selector)
            .iter()
            .copied()
            .filter(selects)
            .collect()
    }

    /// The Services of a namespace.
    pub fn services_of(&self, namespace: NamespaceId) -> &[ServiceId] {
        self.services
            .get(namespace.0 as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The Services that select a pod.
    pub fn services_behind(&self, pod: PodId) -> Vec<ServiceId> {
        let labels = self.cluster.pod_labels(pod);
        let selects = |id: &ServiceId| {
            self.cluster
                .service(*id)
                .selector
                .as_ref()
                .is_some_and(|s| s.matches(labels))
        };
        self.services_of(self.cluster.pod(pod).namespace)
            .iter()
            .copied()
            .filter(selects)
            .collect()
    }

    /// The policies of the Network tier, in input order.
    pub fn network_policies(&self) -> impl Iterator<Item = (PolicyId, &'a Policy)> + use<'_, 'a> {
        self.law
            .iter()
            .filter(|(id, p)| !self.law.is_ordered(p) && self.goes_through(*id))
    }

    /// The policies of a namespace, in input order.
    pub fn policies_in(&self, namespace: &str) -> &[PolicyId] {
        self.policies.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// Of the policies of a policy's namespace, in input order: all that may select every pod that
    /// it selects, itself among them, and maybe others.
    pub fn may_hold(&self, policy: &Policy) -> Vec<PolicyId> {
        let namespace = policy.namespace.as_deref().unwrap_or_default();
        if let Some(listed) = self.policies_by_label.borrow().get(namespace) {
            return listed.candidates(&policy.subject.pods);
        }
        let listed = Policies::new(self.law, self.policies_in(namespace));
        let found = listed.candidates(&policy.subject.pods);
        self.policies_by_label
            .borrow_mut()
            .insert(namespace.into(), listed);
        found
    }

    /// The pods of this input that a policy governs.
    pub fn subjects(&self, id: PolicyId) -> Rc<Vec<PodId>> {
        let pods = |cell: &OnceCell<_>| {
            Rc::clone(cell.get_or_init(|| Rc::new(self.select_subject(self.law.get(id)))))
        };
        self.subjects
            .get(id.0 as usize)
            .map_or_else(Rc::default, pods)
    }

    /// The namespace of a namespaced policy.
    pub fn namespace_of(&self, policy: &Policy) -> Option<NamespaceId> {
        self.cluster.find_namespace(policy.namespace.as_deref()?)
    }

    /// Whether the input holds any workload of a policy's namespace: without one, nothing can be
    /// said about whom it selects.
    pub fn knows_pods_of(&self, policy: &Policy) -> bool {
        self.namespace_of(policy)
            .is_some_and(|n| !self.pods_of(n).is_empty())
    }

    /// Whom namespaces and a pod selector select. `SameLabels` and the like are open.
    pub fn selected(&self, namespaces: &Namespaces, pods: &Selector) -> Rc<Selected> {
        let key = (namespaces.clone(), pods.clone());
        if let Some(known) = self.selected.borrow().get(&key) {
            return Rc::clone(known);
        }
        let selected = Rc::new(self.select(namespaces, pods));
        self.selected.borrow_mut().insert(key, Rc::clone(&selected));
        selected
    }

    fn select(&self, namespaces: &Namespaces, pods: &Selector) -> Selected {
        let mut selected = Selected::default();
        let mut add = |id: NamespaceId, truth: Truth| {
            if truth == Truth::No {
                return;
            }
            selected.open |= truth == Truth::Maybe || self.pods_of(id).is_empty();
            if truth == Truth::Yes {
                selected.namespaces.push(id);
                selected.pods.extend(self.pods_where(id, pods));
            }
        };
        match namespaces {
            Namespaces::Named(name) => {
                if let Some(id) = self.cluster.find_namespace(name) {
                    add(id, Truth::Yes);
                }
            }
            Namespaces::Matching(selector) => {
                for id in self.candidates(selector) {
                    add(id, self.cluster.namespace(id).selected_by(selector));
                }
            }
            Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => selected.open = true,
        }
        selected
    }

    /// The namespaces that are known to have a label.
    pub fn namespaces_with(&self, key: &str, value: &str) -> &[NamespaceId] {
        let labelled = self.labelled.get_or_init(|| {
            let mut all: HashMap<Box<str>, HashMap<Box<str>, Vec<NamespaceId>>> = HashMap::new();
            for (id, namespace) in self.cluster.namespaces() {
                for (key, value) in namespace.labels.iter() {
                    all.entry(key.into())
                        .or_default()
                        .entry(value.into())
                        .or_default()
                        .push(id);
                }
            }
            all
        });
        labelled
            .get(key)
            .and_then(|values| values.get(value))
            .map_or(&[], Vec::as_slice)
    }

    /// The namespaces that a selector may select, in order: those with a label it asks for, and
    /// those whose labels are not known.
    fn candidates(&self, selector: &Selector) -> Vec<NamespaceId> {
        let asked = selector.requirements().iter().find_map(|r| match r {
            Requirement::In(key, values) => Some((key, values)),
            _ => None,
        });
        let Some((key, values)) = asked else {
            return self.cluster.namespaces().map(|(id, _)| id).collect();
        };
        let mut found: Vec<NamespaceId> = values
            .iter()
            .flat_map(|v| self.namespaces_with(key, v).iter().copied())
            .collect();
        found.extend(
            self.cluster
                .namespaces()
                .filter(|(_, n)| n.declared.is_none())
                .map(|(id, _)| id),
        );
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whom a peer selects; `None` for addresses and the like.
    pub fn peer(&self, peer: &Peer) -> Option<Rc<Selected>> {
        match peer {
            Peer::Pods(namespaces, pods) => Some(self.selected(namespaces, pods)),
            Peer::Addresses(_)
            | Peer::Nodes(_)
            | Peer::Domain(_)
            | Peer::Symbol(_)
            | Peer::NoneOf(_)
            | Peer::Unreadable { .. } => None,
        }
    }

    /// Every rule of the Network tier, with its reference.
    pub fn network_rules(
        &self,
    ) -> impl Iterator<Item = (RuleRef, &'a Policy, &'a Rule)> + use<'_, 'a> {
        self.network_policies()
            .flat_map(|(id, policy)| rules(id, policy))
    }

    /// The ingress rules that govern anybody but edges, who are to be reached from the internet.
    pub fn inner_ingress_rules(
        &self,
    ) -> impl Iterator<Item = (RuleRef, &'a Policy, &'a Rule)> + use<'_, 'a> {
        self.network_rules().filter(|(at, policy, _)| {
            let subjects = self.subjects(at.policy);
            let edges = !subjects.is_empty() && subjects.iter().all(|p| self.is_edge(*p));
            at.direction == Direction::Ingress && policy.isolates(Direction::Ingress) && !edges
        })
    }

    /// The tree of a policy's document, as it was written.
    pub fn node(&self, policy: &Policy) -> Option<Rc<SyntaxNode>> {
        self.locator.node(policy.document)
    }

    /// A part of a policy as it was written.
    pub fn written<T>(
        &self,
        policy: &Policy,
        path: &Path,
        read: impl FnOnce(&SyntaxNode) -> T,
    ) -> Option<T> {
        self.node(policy)?.at(path).map(read)
    }

    /// Whether a document's text has a word in it. The items of a List share one text, which is
    /// searched once.
    pub fn says(&self, document: DocumentId, word: &'static str) -> bool {
        let Some((at, text)) = self.input.sources.chunk(document) else {
            return false;
        };
        *self
            .said
            .borrow_mut()
            .entry((at.file, at.start, word))
            .or_insert_with(|| text.contains(word))
    }

    /// The text of a policy's document.
    pub fn text(&self, policy: &Policy) -> Cow<'a, str> {
        self.input
            .sources
            .chunk(policy.document)
            .map_or(Cow::Borrowed(""), |(_, text)| text)
    }

    /// The pods a rule's traffic goes to: the governed ones for ingress, the peers for egress. And
    /// whether that is all.
    pub fn destinations(&self, at: RuleRef, rule: &Rule) -> Selected {
        if at.direction == Direction::Ingress {
            let pods = self.subjects(at.policy).to_vec();
            return Selected {
                pods,
                ..Selected::default()
            };
        }
        let mut all = Selected::default();
        let Peers::Of(peers) = &rule.peers else {
            return Selected { open: true, ..all };
        };
        for peer in peers.iter() {
            match self.peer(peer) {
                Some(selected) => {
                    all.pods.extend(selected.pods.iter().copied());
                    all.open |= selected.open || selected.namespaces.is_empty();
                }
                None => all.open = true,
            }
        }
        all.pods.sort_unstable();
        all.pods.dedup();
        all
    }

    /// The traffic of a rule's ports at one destination pod.
    pub fn traffic(&self, rule: &Rule, destination: &Pod) -> TrafficSet {
        let Ports::Of(list) = &rule.ports else {
            return TrafficSet::all();
        };
        list.iter().fold(TrafficSet::empty(), |all, port| {
            all.union(&port_traffic(port, destination))
        })
    }

    /// Whether a workload may be reached from the internet, because the configuration says so.
    pub fn is_edge(&self, pod: PodId) -> bool {
        self.is_listed(pod, &self.config.edges)
    }

    /// Whether a pod's workload is in a list of the configuration: `name`, `namespace/name` or
    /// `namespace/kind/name`.
    pub fn is_listed(&self, pod: PodId, list: &[Box<str>]) -> bool {
        let workload = self.cluster.workload(self.cluster.pod(pod).workload);
        let namespace = &self.cluster.namespace(workload.namespace).name;
        let named = |edge: &str| match edge.split('/').collect::<Vec<_>>().as_slice() {
            [ns, name] => **ns == **namespace && (*name == "*" || **name == *workload.name),
            [ns, kind, name] => {
                let kind = crate::model::WorkloadKind::from_word(kind);
                **ns == **namespace && kind == Some(workload.kind) && **name == *workload.name
            }
            [name] => **name == *workload.name,
            _ => false,
        };
        list.iter().any(|e| named(e))
    }
}

/// The traffic of one port entry at one destination pod (S44-S49).
pub fn port_traffic(port: &PortMatch, destination: &Pod) -> TrafficSet {
    match port {
        PortMatch::Traffic(set) => set.clone(),
        PortMatch::Portless(_) => TrafficSet::empty(),
        PortMatch::Named(name, protocol) => {
            let named = destination
                .named_ports(name)
                .filter(|(p, _)| protocol.is_none_or(|wanted| wanted == *p));
            named.fold(TrafficSet::empty(), |all, (p, n)| {
                all.union(&TrafficSet::ports(p, n, n))
            })
        }
    }
}

/// The rules of a policy, with their references.
pub fn rules(id: PolicyId, policy: &Policy) -> impl Iterator<Item = (RuleRef, &Policy, &Rule)> {
    Direction::ALL.into_iter().flat_map(move |direction| {
        let list = policy.rules(direction).iter().enumerate();
        list.map(move |(i, rule)| (RuleRef::rule(id, direction, i), policy, rule))
    })
}

/// The numeric traffic of a rule's ports; everything where it names none; names are left out.
pub fn numbers(rule: &Rule) -> TrafficSet {
    let Ports::Of(list) = &rule.ports else {
        return TrafficSet::all();
    };
    list.iter()
        .fold(TrafficSet::empty(), |all, port| match port {
            PortMatch::Traffic(set) => all.union(set),
            PortMatch::Named(..) | PortMatch::Portless(_) => all,
        })
}

/// The peers of a rule; none where it does not restrict them.
pub fn peers(rule: &Rule) -> &[Peer] {
    if let Peers::Of(list) = &rule.peers {
        list
    } else {
        &[]
    }
}
