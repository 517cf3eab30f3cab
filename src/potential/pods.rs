//! The kinds of pods that may exist, and an input with one pod of each laid over it.

use crate::input::Input;
use crate::model::RareParts;
use crate::model::open_labels::at_run_time;
use crate::model::{
    Cluster, ContainerPort, Labels, NamespaceId, Pod, PodId, Selector, Workload, WorkloadId,
    WorkloadKind,
};
use crate::policy::{Namespaces, Policy};
use crate::potential::few::KindBudget;
use crate::potential::namespaces::{PotentialNamespace, potential_namespaces};
use crate::potential::phrase::Phrase;
use crate::potential::vocabulary::PodVocabulary;
use crate::set::Ix;
use crate::source::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// About how many kinds are made at most.
pub const MOST: usize = 3_000;

/// How many kinds are made of a namespace, however many namespaces there are.
const FEWEST: usize = 60;

/// How many kinds of labels of one namespace are made.
const MOST_NAMESPACES: usize = 60;

/// How many are made of it, however few.
const MOST_OF_ONE: usize = 600;

/// A kind of pods that may exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodKind {
    /// Its namespace: an index of [`PotentialPods::namespaces`].
    pub namespace: usize,
    /// The labels of the pod that stands for it.
    pub labels: Labels,
    /// Whether a pod of the input is of this kind, on every side.
    pub loaded: bool,
    /// The same where nobody has told the labels of its namespace: a pod of the input is of this
    /// kind as far as the input shows.
    pub like_loaded: bool,
}

/// Every kind of pods that the policies of two inputs can tell apart.
#[derive(Debug, Clone, Default)]
pub struct PotentialPods {
    /// The namespaces.
    pub namespaces: Vec<PotentialNamespace>,
    /// The kinds, namespace after namespace.
    pub kinds: Vec<PodKind>,
    /// Whether these are all kinds; otherwise some with few labels were made.
    pub complete: bool,
    /// Whether policies compare the labels of namespaces with each other (S92).
    pub(crate) compares_namespaces: bool,
    ports: Arc<[ContainerPort]>,
    /// A port that no rule mentions and no name stands for.
    pub(crate) unnamed_port: u16,
    /// The pods that policies ask for.
    pub(crate) asked: Vec<(Namespaces, Selector)>,
    pub(crate) phrases: OnceLock<Vec<Phrase>>,
}

impl PotentialPods {
    /// The kinds of two inputs under the selectors of both, as far as the wanted policies use them;
    /// in namespaces that are not loaded only if the world is `open`. Where there are too many,
    /// those are made that show what the policies in focus do.
    pub fn of<'p>(
        inputs: [&'p Input; 2],
        open: bool,
        wanted: impl Fn(&Policy) -> bool,
        focus: impl IntoIterator<Item = &'p Policy>,
    ) -> Self {
        Self::up_to(MOST, inputs, open, wanted, focus)
    }

    /// The kinds of one input under the selectors of its policies and those that are asked about.
    pub fn asked_about(input: &Input, open: bool, asked: &[(Namespaces, Selector)]) -> Self {
        let vocabulary = PodVocabulary::asked_about(input, asked);
        Self::from_vocabulary(MOST, [input, input], open, &vocabulary)
    }

    /// [`Self::of`] where about so many kinds are too many.
    pub(crate) fn up_to<'p>(
        most: usize,
        inputs: [&'p Input; 2],
        open: bool,
        wanted: impl Fn(&Policy) -> bool,
        focus: impl IntoIterator<Item = &'p Policy>,
    ) -> Self {
        let mut vocabulary = PodVocabulary::default();
        for input in inputs {
            vocabulary.add(&input.policies, &wanted);
        }
        vocabulary.focus_on(focus);
        Self::from_vocabulary(most, inputs, open, &vocabulary)
    }

    /// [`Self::up_to`] with a vocabulary of one's own.
    pub(crate) fn from_vocabulary(
        most: usize,
        inputs: [&Input; 2],
        open: bool,
        vocabulary: &PodVocabulary<'_>,
    ) -> Self {
        let clusters = inputs.map(|input| &*input.cluster);
        let mut budget = KindBudget {
            most: most.min(MOST_NAMESPACES),
            few_tell: !vocabulary.ordered,
            complete: true,
        };
        let mut namespaces = potential_namespaces(clusters, vocabulary, &mut budget);
        if !open {
            namespaces.retain(|namespace| namespace.loaded);
        }
        let each = (MOST / namespaces.len().max(1)).clamp(FEWEST, MOST_OF_ONE);
        budget.most = most.min(each);
        let mut kinds = Vec::new();
        for (namespace, of) in namespaces.iter().enumerate() {
            let selectors = asked_in(vocabulary.pods.iter().copied(), of);
            let loaded = clusters.map(|cluster| answers_of_pods(cluster, of, &selectors));
            let focus: Vec<bool> = selectors
                .iter()
                .map(|selector| vocabulary.focus.contains(*selector))
                .collect();
            for labels in budget.kinds(&selectors, &focus) {
                let answers = answers(&selectors, &labels);
                kinds.push(PodKind {
                    namespace,
                    labels,
                    loaded: of.loaded && is_answer_of(&loaded, &answers),
                    like_loaded: is_answer_of(&loaded, &answers),
                });
            }
        }
        let declared = vocabulary.declared_ports().into_iter();
        let port = |(name, protocol, port): (&str, _, _)| ContainerPort {
            name: Some(name.into()),
            protocol,
            port,
        };
        Self {
            namespaces,
            kinds,
            complete: budget.complete,
            compares_namespaces: !vocabulary.compared.is_empty(),
            unnamed_port: vocabulary.unmentioned_port(),
            ports: declared.map(port).collect(),
            asked: vocabulary.asked(),
            phrases: OnceLock::new(),
        }
    }

    /// Whether every selector that is asked in a namespace says the same of two sets of labels.
    pub(crate) fn are_alike(&self, of: &PotentialNamespace, a: &Labels, b: &Labels) -> bool {
        let mut asked = self.asked.iter();
        asked.all(|(namespaces, pods)| {
            !is_asked_in(namespaces, of) || pods.matches(a) == pods.matches(b)
        })
    }

    /// The container ports of a pod that has every name.
    pub(crate) fn ports(&self) -> &[ContainerPort] {
        &self.ports
    }

    /// Keeps some of the kinds, and the namespaces they are in.
    pub(crate) fn keep(&mut self, wanted: impl Fn(&PotentialNamespace, &PodKind) -> bool) {
        let all = std::mem::take(&mut self.namespaces);
        self.kinds.retain(|kind| wanted(&all[kind.namespace], kind));
        let kept: BTreeSet<usize> = self.kinds.iter().map(|kind| kind.namespace).collect();
        let place: BTreeMap<usize, usize> = kept.iter().copied().zip(0..).collect();
        for kind in &mut self.kinds {
            kind.namespace = place[&kind.namespace];
        }
        let kept = |(i, namespace)| place.contains_key(&i).then_some(namespace);
        self.namespaces = all.into_iter().enumerate().filter_map(kept).collect();
        self.phrases = OnceLock::new();
    }

    /// One of the two inputs with a pod of each kind; the workloads from the one that is returned
    /// on are the kinds, in order.
    pub fn laid_over(&self, input: &Input, side: usize) -> (Input, WorkloadId) {
        self.laid_with(input, side, std::slice::from_ref(&self.ports))
    }

    /// [`Self::laid_over`] with container ports of one's own; of several lists it is not told which
    /// one a pod has.
    pub(crate) fn laid_with(
        &self,
        input: &Input,
        side: usize,
        ports: &[Arc<[ContainerPort]>],
    ) -> (Input, WorkloadId) {
        let mut cluster: Cluster = (*input.cluster).clone();
        let first = cluster.workloads().len();
        let ids: Vec<NamespaceId> = self
            .namespaces
            .iter()
            .enumerate()
            .map(
                |(i, namespace)| match cluster.find_namespace(&namespace.name) {
                    Some(id) if namespace.loaded => id,
                    _ => cluster.assume_namespace(
                        i,
                        &namespace.name,
                        namespace.labels[side].clone(),
                        Origin::nowhere(),
                    ),
                },
            )
            .collect();
        let names = self.names();
        for (i, kind) in self.kinds.iter().enumerate() {
            let (namespace, name) = (ids[kind.namespace], names[i].clone());
            let labels = &kind.labels;
            add_pods(
                &mut cluster,
                &name,
                namespace,
                labels,
                ports,
                PodNetwork::Own,
            );
        }
        let laid = Input {
            cluster: Arc::new(cluster),
            ..input.clone()
        };
        (laid, WorkloadId::bounded(first))
    }
}

/// The network that a pod is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodNetwork {
    /// The pod network.
    Own,
    /// That of its node.
    Node,
}

/// Adds a pod that is not in the input, in a workload of its own: on the pod network, without
/// addresses or a node (S142). It stands for several, as two pods of one kind are two pods (S144).
pub(crate) fn add_pod(
    cluster: &mut Cluster,
    name: &str,
    namespace: NamespaceId,
    labels: Labels,
    ports: Arc<[ContainerPort]>,
) -> Option<PodId> {
    let network = PodNetwork::Own;
    let workload = add_pods(cluster, name, namespace, &labels, &[ports], network);
    cluster.workload(workload).pods.first().copied()
}

/// [`add_pod`] on a network, of which it is not told which of several lists of container ports it
/// has.
pub(crate) fn add_pods(
    cluster: &mut Cluster,
    name: &str,
    namespace: NamespaceId,
    labels: &Labels,
    ports: &[Arc<[ContainerPort]>],
    network: PodNetwork,
) -> WorkloadId {
    let labels = cluster.intern(cluster.with_untold(labels.clone()));
    let workload = cluster.add_workload(Workload {
        kind: WorkloadKind::Deployment,
        name: name.into(),
        namespace,
        pods: Vec::new(),
        alternatives: ports.len() > 1,
        own_labels: Arc::default(),
        made: None,
        origin: Origin::nowhere(),
    });
    for ports in ports {
        cluster.add_pod(Pod {
            name: name.into(),
            namespace,
            workload,
            labels,
            ports: Arc::clone(ports),
            host_ports: Box::default(),
            host_network: network == PodNetwork::Node,
            rare: RareParts::of(Some(at_run_time("").into()), Arc::default()),
            node: None,
            own_network: false,
            addresses: Box::default(),
            ready: true,
            dns_name: None,
            replicas: 2,
            origin: Origin::nowhere(),
        });
    }
    workload
}

/// Whether what is asked of pods in some namespaces is asked in one, on any side.
pub(crate) fn is_asked_in(namespaces: &Namespaces, of: &PotentialNamespace) -> bool {
    match namespaces {
        Namespaces::Named(name) => *name == of.name,
        Namespaces::Matching(selector) => of.labels.iter().any(|labels| selector.matches(labels)),
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => true,
    }
}

/// Of selectors of pods, those that are asked in a namespace, on any side.
pub(crate) fn asked_in<'p>(
    pods: impl Iterator<Item = (&'p Namespaces, &'p Selector)>,
    of: &PotentialNamespace,
) -> Vec<&'p Selector> {
    let here =
        pods.filter(|(namespaces, pods)| !pods.is_everything() && is_asked_in(namespaces, of));
    let distinct: BTreeSet<&Selector> = here.map(|(_, pods)| pods).collect();
    distinct.into_iter().collect()
}

pub(crate) fn answers(selectors: &[&Selector], labels: &Labels) -> Vec<bool> {
    selectors.iter().map(|s| s.matches(labels)).collect()
}

/// Whether pods are loaded on every side of which the selectors say the same.
fn is_answer_of(loaded: &[BTreeSet<Vec<bool>>], answers: &Vec<bool>) -> bool {
    loaded.iter().all(|known| known.contains(answers))
}

/// What the selectors answer of the pods of a namespace that are loaded.
fn answers_of_pods(
    cluster: &Cluster,
    of: &PotentialNamespace,
    selectors: &[&Selector],
) -> BTreeSet<Vec<bool>> {
    let has_labels = |id: &NamespaceId| of.labels.contains(&cluster.namespace(*id).labels);
    let here = cluster.find_namespace(&of.name).filter(has_labels);
    let Some(here) = here else {
        return BTreeSet::new();
    };
    let pods = cluster
        .pods()
        .filter(|(_, p)| p.namespace == here && !p.host_network);
    let labels: BTreeSet<_> = pods.map(|(_, p)| p.labels).collect();
    labels
        .into_iter()
        .map(|id| answers(selectors, cluster.labels(id)))
        .collect()
}
