//! Pods that are not in the input, asked for what they are let do: one that carries no label, from
//! a namespace that nobody has named, and one of each kind that may come to a namespace.
//!
//! What a workload lets in from the first it lets in from anyone. Of the others it is asked whether
//! policies isolate them: a default deny that selects the pods of today by name is none.

use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{Labels, PodId, Truth, WorkloadId};
use crate::policy::Direction;
use crate::potential::pods::{PodNetwork, add_pods};
use crate::potential::{PotentialPods, World};
use crate::source::Origin;
use crate::spec::CompileOptions;
use std::collections::BTreeMap;
use std::sync::Arc;

/// No namespace can be called so.
const NOWHERE: &str = "any namespace";

/// The input with pods that are not in it.
pub struct Beyond {
    /// What they are allowed.
    pub graph: AllowGraph,
    /// A pod without labels, from a namespace that nobody has named.
    pub anyone: PodId,
    /// The pods that may come to each namespace of the input, with their labels.
    to_come: BTreeMap<Box<str>, Vec<(PodId, String)>>,
    /// Whether these are all.
    pub complete: bool,
}

impl Beyond {
    /// Lays them over an input; in a closed world nothing comes.
    ///
    /// # Errors
    /// When the input with these pods is too large to compile.
    pub fn new(
        input: &Input,
        options: &CompileOptions,
        world: World,
    ) -> Result<Self, CompileError> {
        let comes = world != World::Closed;
        let pods = comes.then(|| to_come_to(input));
        let (laid, first) = match &pods {
            Some(pods) => pods.laid_over(input, 0),
            None => (input.clone(), WorkloadId(u32::MAX)),
        };
        let mut to_come: BTreeMap<Box<str>, Vec<(PodId, String)>> = BTreeMap::new();
        let new = laid.cluster.workloads().filter(|(id, _)| *id >= first);
        let kinds = pods.iter().flat_map(|pods| &pods.kinds);
        for ((_, workload), kind) in new.zip(kinds) {
            let namespace = &laid.cluster.namespace(workload.namespace).name;
            let here = to_come.entry(namespace.clone()).or_default();
            let pod = workload.pods.first();
            here.extend(pod.map(|pod| (*pod, labels_words(&kind.labels))));
        }
        let mut cluster = (*laid.cluster).clone();
        let nowhere = cluster.declare_namespace(NOWHERE, Labels::default(), Origin::nowhere());
        let (labels, ports) = (Labels::default(), [Arc::default()]);
        let network = PodNetwork::Own;
        let added = add_pods(&mut cluster, "any-pod", nowhere, &labels, &ports, network);
        let anyone = cluster.workload(added).pods.first().copied();
        let laid = Input {
            cluster: Arc::new(cluster),
            ..laid
        };
        Ok(Self {
            graph: AllowGraph::compile(&laid, options)?,
            anyone: anyone.unwrap_or(PodId(0)), // INVARIANT: a pod was added
            to_come,
            complete: pods.is_none_or(|pods| pods.complete),
        })
    }

    /// Whether policies isolate every pod that may come to a namespace; one of those that they
    /// isolate least, with its labels in words.
    pub fn isolated(&self, namespace: &str, direction: Direction) -> Option<(Truth, PodId, &str)> {
        let pods = self.to_come.get(namespace)?.iter();
        let isolated = |pod: PodId| self.graph.isolated(pod, direction);
        pods.map(|(pod, labels)| (isolated(*pod), *pod, labels.as_str()))
            .min()
    }
}

/// The kinds of pods that may come to the namespaces of an input, whether or not their objects are
/// loaded.
fn to_come_to(input: &Input) -> PotentialPods {
    let mut pods = PotentialPods::of([input, input], true, |_| true, []);
    pods.keep(|namespace, _| {
        !namespace.any && input.cluster.find_namespace(&namespace.name).is_some()
    });
    pods
}

/// The labels of a pod that may come, in words.
fn labels_words(labels: &Labels) -> String {
    let words: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    if words.is_empty() {
        "without labels".to_owned()
    } else {
        format!("with {}", words.join(","))
    }
}
