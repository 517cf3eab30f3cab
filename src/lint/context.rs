//! What the rules read: the input, its allow-graph, the settings, and the indexes over them that
//! answer which pods are selected, what is known, and how a policy was written.
//!
//! Namespaces are the join key: pods, Services and policies are listed by namespace once, and every
//! question looks only at the namespaces that it concerns. Invariant: nothing here changes after
//! [`LintContext::new`] except the caches (label indexes, subjects, selections, word searches),
//! which are filled lazily and never change an answer. Cost: O(input) to build; a selection costs
//! the shortest label list of each namespace concerned, once per selector.

use crate::doors::{DoorLine, DoorList};
use crate::graph::AllowGraph;
use crate::input::Input;
use crate::lint::label_index::{ByLabel, PodIndex, PolicyIndex, namespaces_by_label};
use crate::lint::ports::port_traffic;
use crate::lint::settings::LintConfig;
use crate::model::{Cluster, NamespaceId, Pod, PodId, Requirement, Selector, ServiceId, Truth};
use crate::policy::tier::LayerIx;
use crate::policy::{
    Direction, Namespaces, Peer, Peers, Policy, PolicyId, PolicySet, Ports, Rule, RuleRef,
};
use crate::set::TrafficSet;
use crate::source::{DocumentId, FileId, Path};
use crate::spec::Environment;
use crate::tree::{Locator, SyntaxNode};
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// The pods that a peer selects, and whether there may be others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectedPods {
    /// Pods of this input that are certainly selected.
    pub pods: Vec<PodId>,
    /// Namespaces that are certainly selected.
    pub namespaces: Vec<NamespaceId>,
    /// Whether pods that the input does not hold may be selected: those of a namespace whose labels
    /// are not known, or that has no workloads in the input.
    pub open: bool,
}

/// The input, indexed for the questions of the rules.
pub struct LintContext<'a> {
    /// The input as it was loaded.
    pub input: &'a Input,
    /// Its allow-graph.
    pub graph: &'a AllowGraph,
    /// The cluster under the options that the graph was compiled with.
    pub env: &'a Environment,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The policies.
    pub policies: &'a PolicySet,
    /// The settings.
    pub config: &'a LintConfig,
    /// The trees of the documents.
    pub locator: Locator<'a>,
    // INVARIANT: by the number of the namespace, one entry for each namespace of the cluster
    pods_by_namespace: Vec<Vec<PodId>>,
    services_by_namespace: Vec<Vec<ServiceId>>,
    /// The policies that no ordered tier holds.
    policies_by_namespace: HashMap<&'a str, Vec<PolicyId>>,
    /// The pods of each namespace by label; filled lazily.
    pods_by_label: Vec<OnceCell<PodIndex>>,
    /// The policies of each namespace by label; filled lazily.
    policies_by_label: RefCell<HashMap<Box<str>, PolicyIndex>>,
    /// The pods of each policy's subject; filled lazily.
    subjects: Vec<OnceCell<Rc<Vec<PodId>>>>,
    /// The policies to examine; all of them when there is none.
    only: Option<Vec<PolicyId>>,
    /// The namespaces by key and value of a label; filled lazily.
    namespaces_by_label: OnceCell<ByLabel<NamespaceId>>,
    /// What each pair of selectors selects; filled lazily.
    selections: RefCell<HashMap<(Namespaces, Selector), Rc<SelectedPods>>>,
    /// Which texts contain which words; filled lazily.
    word_searches: RefCell<HashMap<(FileId, usize, &'static str), bool>>,
    /// The doors; found when first asked for.
    doors: OnceCell<Vec<DoorLine>>,
}

/// Whether a policy is one of the network plugin whose rules only let through.
fn is_of_plugin(policies: &PolicySet, policy: &Policy) -> bool {
    policy.is_additive() && policies.tier_of(policy).layer == LayerIx::CLUSTER_NETWORK
}

impl<'a> LintContext<'a> {
    /// Lists everything by namespace. O(input).
    pub fn new(input: &'a Input, graph: &'a AllowGraph, config: &'a LintConfig) -> Self {
        let env = graph.environment();
        let (cluster, policies) = (&*env.cluster, &*env.policies);
        let mut pods_by_namespace = vec![Vec::new(); cluster.namespaces().len()];
        cluster
            .pods()
            .for_each(|(id, pod)| pods_by_namespace[pod.namespace.0 as usize].push(id));
        let mut services_by_namespace = vec![Vec::new(); cluster.namespaces().len()];
        cluster
            .services()
            .for_each(|(id, s)| services_by_namespace[s.namespace.0 as usize].push(id));
        let mut policies_by_namespace: HashMap<&str, Vec<PolicyId>> = HashMap::new();
        for (id, policy) in policies.iter().filter(|(_, p)| is_of_plugin(policies, p)) {
            policies_by_namespace
                .entry(policy.namespace.as_deref().unwrap_or_default())
                .or_default()
                .push(id);
        }
        Self {
            input,
            graph,
            env,
            cluster,
            policies,
            config,
            locator: Locator::new(&input.sources),
            pods_by_label: (0..pods_by_namespace.len())
                .map(|_| OnceCell::new())
                .collect(),
            pods_by_namespace,
            services_by_namespace,
            policies_by_namespace,
            policies_by_label: RefCell::default(),
            subjects: vec![OnceCell::new(); policies.policies.len()],
            only: None,
            doors: OnceCell::new(),
            namespaces_by_label: OnceCell::new(),
            selections: RefCell::default(),
            word_searches: RefCell::default(),
        }
    }

    /// The same, with only these policies to examine. The others keep their effect.
    #[must_use]
    pub fn only(mut self, policies: &[PolicyId]) -> Self {
        self.only = Some(policies.to_vec());
        self
    }

    /// Whether a policy is to be examined; one that something makes is in nobody's file, and one
    /// that stands at the interfaces of nodes once more is examined where it is written.
    pub fn is_examined(&self, id: PolicyId) -> bool {
        let is_meant = self.only.as_ref().is_none_or(|only| only.contains(&id));
        let policy = self.policies.get(id);
        is_meant && policy.generated.is_none() && !self.stands_at_nodes(policy)
    }

    /// Whether a policy stands at the interfaces of nodes, besides where it is written.
    pub fn stands_at_nodes(&self, policy: &Policy) -> bool {
        self.policies.tier_of(policy).layer.is_of_hosts()
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
        self.pods_by_namespace
            .get(namespace.0 as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The pods of a namespace that a selector selects.
    pub fn pods_where(&self, namespace: NamespaceId, selector: &Selector) -> Vec<PodId> {
        let Some(by_label) = self.pods_by_label.get(namespace.0 as usize) else {
            return Vec::new();
        };
        let pods = by_label.get_or_init(|| PodIndex::new(self.cluster, self.pods_of(namespace)));
        let selects = |id: &PodId| selector.selects(self.cluster.pod_labels(*id)).possible();
        pods.candidates(selector)
            .iter()
            .copied()
            .filter(selects)
            .collect()
    }

    /// The Services of a namespace.
    pub fn services_of(&self, namespace: NamespaceId) -> &[ServiceId] {
        self.services_by_namespace
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
                .is_some_and(|s| s.selects(labels).possible())
        };
        self.services_of(self.cluster.pod(pod).namespace)
            .iter()
            .copied()
            .filter(selects)
            .collect()
    }

    /// The policies of the Network tier to examine, apart from Rules of Cilium, in input order.
    pub fn network_policies(&self) -> impl Iterator<Item = (PolicyId, &'a Policy)> + use<'_, 'a> {
        self.policies
            .iter()
            .filter(|(id, p)| is_of_plugin(self.policies, p) && self.is_examined(*id))
            .filter(|(_, p)| p.cilium().is_none())
    }

    /// The policies of a namespace that no ordered tier holds, in input order.
    pub fn policies_in(&self, namespace: &str) -> &[PolicyId] {
        self.policies_by_namespace
            .get(namespace)
            .map_or(&[], Vec::as_slice)
    }

    /// The policies of a policy's namespace among which are all that may select every pod that it
    /// selects, itself included, in input order. Some of them may not; one that may not be there is
    /// left out.
    pub fn may_contain(&self, policy: &Policy) -> Vec<PolicyId> {
        let namespace = policy.namespace.as_deref().unwrap_or_default();
        if let Some(listed) = self.policies_by_label.borrow().get(namespace) {
            return listed.candidates(&policy.subject.pods);
        }
        let is_there = |id: &PolicyId| self.policies.get(*id).presence() == Truth::Yes;
        let here = self.policies_in(namespace).iter().copied();
        let sure: Vec<PolicyId> = here.filter(is_there).collect();
        let listed = PolicyIndex::new(self.policies, &sure);
        let candidates = listed.candidates(&policy.subject.pods);
        self.policies_by_label
            .borrow_mut()
            .insert(namespace.into(), listed);
        candidates
    }

    /// The pods of this input that a policy governs.
    pub fn subjects(&self, id: PolicyId) -> Rc<Vec<PodId>> {
        let pods = |cell: &OnceCell<_>| {
            Rc::clone(cell.get_or_init(|| Rc::new(self.select_subject(self.policies.get(id)))))
        };
        self.subjects
            .get(id.0 as usize)
            .map_or_else(Rc::default, pods)
    }

    /// The namespace of a namespaced policy.
    pub fn namespace_of(&self, policy: &Policy) -> Option<NamespaceId> {
        self.cluster.find_namespace(policy.namespace.as_deref()?)
    }

    /// Whether the input holds any workload of a policy's namespace. Without one, nothing can be
    /// said about the pods that the policy selects.
    pub fn knows_pods_of(&self, policy: &Policy) -> bool {
        self.namespace_of(policy)
            .is_some_and(|n| !self.pods_of(n).is_empty())
    }

    /// The pods that a selection of namespaces and a pod selector select. Selections that are
    /// relative to the subject (`SameLabels`, `NotSameLabels`) are open.
    pub fn selected(&self, namespaces: &Namespaces, pods: &Selector) -> Rc<SelectedPods> {
        let key = (namespaces.clone(), pods.clone());
        if let Some(known) = self.selections.borrow().get(&key) {
            return Rc::clone(known);
        }
        let selected = Rc::new(self.select(namespaces, pods));
        self.selections
            .borrow_mut()
            .insert(key, Rc::clone(&selected));
        selected
    }

    fn select(&self, namespaces: &Namespaces, pods: &Selector) -> SelectedPods {
        let mut selected = SelectedPods::default();
        match namespaces {
            Namespaces::Named(name) => {
                if let Some(id) = self.cluster.find_namespace(name) {
                    self.select_in(id, Truth::Yes, pods, &mut selected);
                }
            }
            Namespaces::Matching(selector) => {
                for id in self.candidate_namespaces(selector) {
                    let truth = self.cluster.namespace(id).selected_by(selector);
                    self.select_in(id, truth, pods, &mut selected);
                }
            }
            Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => selected.open = true,
        }
        selected
    }

    /// Adds what is selected in a namespace, given whether the namespace itself is.
    fn select_in(
        &self,
        id: NamespaceId,
        truth: Truth,
        pods: &Selector,
        selected: &mut SelectedPods,
    ) {
        if truth == Truth::No {
            return;
        }
        selected.open |= truth == Truth::Maybe || self.pods_of(id).is_empty();
        if truth == Truth::Yes {
            selected.namespaces.push(id);
            selected.pods.extend(self.pods_where(id, pods));
        }
    }

    /// The namespaces that are known to have a label.
    pub fn namespaces_with(&self, key: &str, value: &str) -> &[NamespaceId] {
        self.namespaces_by_label
            .get_or_init(|| namespaces_by_label(self.cluster))
            .get((key, value))
    }

    /// The namespaces that a selector may select, in order: those with a label that it requires,
    /// and those whose labels are not known.
    fn candidate_namespaces(&self, selector: &Selector) -> Vec<NamespaceId> {
        let required = selector.requirements().iter().find_map(|r| match r {
            Requirement::In(key, values) => Some((key, values)),
            _ => None,
        });
        let Some((key, values)) = required else {
            return self.cluster.namespaces().map(|(id, _)| id).collect();
        };
        let mut candidates: Vec<NamespaceId> = values
            .iter()
            .flat_map(|v| self.namespaces_with(key, v).iter().copied())
            .collect();
        candidates.extend(
            self.cluster
                .namespaces()
                .filter(|(_, n)| n.declared.is_none())
                .map(|(id, _)| id),
        );
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    /// The pods that a peer selects; `None` for a peer that does not select by labels.
    pub fn peer(&self, peer: &Peer) -> Option<Rc<SelectedPods>> {
        match peer {
            Peer::Pods(namespaces, pods) => Some(self.selected(namespaces, pods)),
            Peer::Addresses(_)
            | Peer::Nodes(_)
            | Peer::Domain(_)
            | Peer::Symbol(_)
            | Peer::Owned(..)
            | Peer::AnyOf(_)
            | Peer::AllOf(_)
            | Peer::NoneOf(_)
            | Peer::Unreadable { .. } => None,
        }
    }

    /// Every rule of the Network tier that is to be examined, with its reference.
    pub fn network_rules(
        &self,
    ) -> impl Iterator<Item = (RuleRef, &'a Policy, &'a Rule)> + use<'_, 'a> {
        self.network_policies()
            .flat_map(|(id, policy)| rules(id, policy))
    }

    /// The ingress rules that govern any pod that is not an edge. Edges are meant to be reached
    /// from the internet.
    pub fn inner_ingress_rules(
        &self,
    ) -> impl Iterator<Item = (RuleRef, &'a Policy, &'a Rule)> + use<'_, 'a> {
        self.network_rules().filter(|(rule_ref, policy, _)| {
            let subjects = self.subjects(rule_ref.policy);
            let edges = !subjects.is_empty() && subjects.iter().all(|p| self.is_edge(*p));
            rule_ref.direction == Direction::Ingress
                && policy.isolates(Direction::Ingress)
                && !edges
        })
    }

    /// The tree of a policy's document as it was written.
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

    /// Whether a document's text contains a word. The items of a List share one text, which is
    /// searched once.
    pub fn text_contains(&self, document: DocumentId, word: &'static str) -> bool {
        let Some((chunk, text)) = self.input.sources.chunk(document) else {
            return false;
        };
        *self
            .word_searches
            .borrow_mut()
            .entry((chunk.file, chunk.start, word))
            .or_insert_with(|| text.contains(word))
    }

    /// The text of a policy's document.
    pub fn text(&self, policy: &Policy) -> Cow<'a, str> {
        self.input
            .sources
            .chunk(policy.document)
            .map_or(Cow::Borrowed(""), |(_, text)| text)
    }

    /// The pods that a rule's traffic goes to: the governed pods for ingress, the peers for egress;
    /// and whether there may be others.
    pub fn destinations(&self, rule_ref: RuleRef, rule: &Rule) -> SelectedPods {
        if rule_ref.direction == Direction::Ingress {
            let pods = self.subjects(rule_ref.policy).to_vec();
            return SelectedPods {
                pods,
                ..SelectedPods::default()
            };
        }
        let mut all = SelectedPods::default();
        let Peers::Of(peers) = &rule.peers else {
            return SelectedPods { open: true, ..all };
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

    /// Whether a workload is an edge: the configuration says that the internet may reach it.
    pub fn is_edge(&self, pod: PodId) -> bool {
        self.is_listed(pod, &self.config.edges)
    }

    /// The doors of the input; none where it holds no object that is one.
    pub fn doors(&self) -> &[DoorLine] {
        let found = || {
            let has_any = !self.cluster.doors().is_empty();
            let list = has_any.then(|| DoorList::of_input(self.input, self.graph));
            // an input that can be compiled can be with some pods more
            list.and_then(Result::ok).unwrap_or_default().lines
        };
        self.doors.get_or_init(found)
    }

    /// Whether a list of the configuration names the workload of a pod, as
    /// [`is_called`](crate::model::Workload::is_called) reads it.
    pub fn is_listed(&self, pod: PodId, list: &[Box<str>]) -> bool {
        let workload = self.cluster.workload(self.cluster.pod(pod).workload);
        let namespace = &self.cluster.namespace(workload.namespace).name;
        list.iter().any(|word| workload.is_called(word, namespace))
    }
}

/// The rules of a policy, with their references.
pub fn rules(id: PolicyId, policy: &Policy) -> impl Iterator<Item = (RuleRef, &Policy, &Rule)> {
    Direction::ALL.into_iter().flat_map(move |direction| {
        let list = policy.rules(direction).iter().enumerate();
        list.map(move |(i, rule)| (RuleRef::rule(id, direction, i), policy, rule))
    })
}
