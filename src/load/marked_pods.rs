//! [`MarkedPods`]: who is of a mesh that is not modelled.

use crate::load::assembly::Assembly;
use crate::model::{
    Cluster, LabelsId, Namespace, NamespaceId, Pod, PodId, Requirement, Selector, Truth,
};
use crate::policy::object_facts::CONTAINER;
use crate::policy::unmodelled::MeshMarks;
use crate::policy::{Namespaces, Subject};
use crate::set::hashed::HashMap;
use std::collections::BTreeMap;

/// The pods of a mesh.
pub struct MarkedPods<'m> {
    marks: &'m MeshMarks,
    cluster: &'m Cluster,
    assembly: &'m Assembly<'m>,
    /// The annotations of pods that have some, by their place among the bound pods.
    bound: HashMap<PodId, usize>,
    /// Whether anything in the input says who is of the mesh.
    is_told: bool,
}

impl<'m> MarkedPods<'m> {
    /// Of the pods of a cluster.
    pub fn new(marks: &'m MeshMarks, cluster: &'m Cluster, assembly: &'m Assembly<'m>) -> Self {
        let bound = assembly.bound_pods.iter().enumerate();
        let mut found = Self {
            marks,
            cluster,
            assembly,
            bound: bound.map(|(i, bound)| (bound.pod, i)).collect(),
            is_told: false,
        };
        found.is_told = found.looks();
        found
    }

    /// The pods of the mesh in some namespaces: those with some labels, and if a service is named,
    /// those that serve it. O(pods).
    pub fn subjects(
        &self,
        namespaces: &Namespaces,
        labelled: &Selector,
        service: Option<&str>,
    ) -> Vec<Subject> {
        let in_reach = |id| selects(namespaces, self.cluster.namespace(id));
        let pods = self.cluster.pods();
        let within: Vec<(PodId, &Pod)> = pods.filter(|(_, p)| in_reach(p.namespace)).collect();
        let serves = |(id, pod): (PodId, &Pod)| self.serves(id, pod, service).possible();
        let service = service.filter(|_| within.iter().any(|pair| serves(*pair)));
        if service.is_none() && !self.is_told {
            return vec![Subject {
                namespaces: namespaces.clone(),
                pods: labelled.clone(),
            }];
        }
        let mut subjects = Vec::new();
        let spaces = self.cluster.namespaces().map(|(id, _)| id);
        for namespace in spaces.filter(|id| in_reach(*id)) {
            let own = within.iter().copied();
            let own: Vec<_> = own.filter(|(_, pod)| pod.namespace == namespace).collect();
            let whole = service.is_none()
                && self.of_namespace(namespace).unwrap_or(!self.is_told)
                && own.iter().all(|(id, pod)| self.is_member(*id, pod));
            if whole {
                subjects.push(Subject {
                    namespaces: Namespaces::Named(self.cluster.namespace(namespace).name.clone()),
                    pods: labelled.clone(),
                });
                continue;
            }
            let meant = own.into_iter().filter(|(id, pod)| {
                let labels = self.cluster.labels(pod.labels);
                self.is_member(*id, pod)
                    && labelled.selects(labels).possible()
                    && self.serves(*id, pod, service).possible()
            });
            let alike: BTreeMap<LabelsId, PodId> = meant.map(|(id, p)| (p.labels, id)).collect();
            subjects.extend(alike.into_values().map(|id| exactly(self.cluster, id)));
        }
        subjects
    }

    fn annotation(&self, id: PodId, key: &str) -> Option<&str> {
        let bound = self.bound.get(&id)?;
        self.assembly.bound_pods.get(*bound)?.annotation(key)
    }

    /// Whether anything in the input says who is of the mesh.
    fn looks(&self) -> bool {
        let mut namespaces = self.cluster.namespaces();
        let mut pods = self.cluster.pods();
        namespaces.any(|(id, _)| self.of_namespace(id).is_some())
            || pods.any(|(id, pod)| self.of_pod(id, pod).is_some())
    }

    /// Whether a pod is of the mesh.
    fn is_member(&self, id: PodId, pod: &Pod) -> bool {
        let own = self.of_pod(id, pod);
        let told = own.or_else(|| self.of_namespace(pod.namespace));
        told.unwrap_or(!self.is_told)
    }

    /// What a pod says of itself.
    fn of_pod(&self, id: PodId, pod: &Pod) -> Option<bool> {
        let container = format!("{CONTAINER}{}", self.marks.container);
        if self.annotation(id, &container).is_some() {
            return Some(true);
        }
        let label = self.cluster.labels(pod.labels).get(self.marks.key);
        label
            .or_else(|| self.annotation(id, self.marks.key))
            .map(is_in)
    }

    /// What a namespace says of its pods.
    fn of_namespace(&self, id: NamespaceId) -> Option<bool> {
        let label = self.cluster.namespace(id).labels.get(self.marks.key);
        let annotation = || self.assembly.facts.of_namespace(id, self.marks.key);
        label.or_else(annotation).map(is_in)
    }

    /// Whether a pod serves what the mesh calls so: by its annotation, else by its Service.
    fn serves(&self, id: PodId, pod: &Pod, service: Option<&str>) -> Truth {
        let Some(service) = service else {
            return Truth::Yes;
        };
        if let Some(own) = self.annotation(id, self.marks.service) {
            return Truth::from(own == service);
        }
        let labels = self.cluster.labels(pod.labels);
        let behind = self
            .cluster
            .services()
            .filter(|(_, s)| *s.name == *service && s.namespace == pod.namespace);
        let each = behind.filter_map(|(_, s)| Some(s.selector.as_ref()?.selects(labels)));
        each.fold(Truth::No, Truth::or)
    }
}

/// Whether a value puts pods into the mesh.
fn is_in(value: &str) -> bool {
    matches!(value, "true" | "enabled" | "ingress")
}

/// The pods with exactly the labels of a pod, in its namespace.
pub fn exactly(cluster: &Cluster, pod: PodId) -> Subject {
    let pod = cluster.pod(pod);
    let labels = cluster.labels(pod.labels).iter();
    let same = |(k, v): (&str, &str)| Requirement::In(k.into(), vec![v.into()]);
    Subject {
        namespaces: Namespaces::Named(cluster.namespace(pod.namespace).name.clone()),
        pods: Selector::new(labels.map(same)),
    }
}

pub fn selects(namespaces: &Namespaces, namespace: &Namespace) -> bool {
    match namespaces {
        Namespaces::Named(name) => *name == namespace.name,
        Namespaces::Matching(selector) => namespace.selected_by(selector).possible(),
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => true,
    }
}
