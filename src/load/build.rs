//! Objects -> [`Cluster`]: namespaces, nodes, workloads with their pods, services.
//!
//! Pods owned by a loaded workload belong to it and replace its template; a `ReplicaSet` of a
//! loaded Deployment, and a Job of a loaded `CronJob`, are part of it. A controller that is named
//! by its pods but not loaded is made up from its name.

use crate::diagnostic::{Code, Diagnostic, Place, Severity};
use crate::load::assemble::{Assembly, count};
use crate::load::objects::{Object, Part};
use crate::load::workloads::{Facts, PodDraft};
use crate::model::{Cluster, NamespaceId, Pod, Workload, WorkloadId, WorkloadKind};
use crate::set::hashed::IndexMap;
use crate::source::{Origin, Path};
use std::mem::take;
use std::sync::Arc;

/// Builds the cluster; takes what it needs out of the objects.
pub fn cluster(objects: &mut [Object], assembly: &mut Assembly<'_>) -> Cluster {
    let mut cluster = Cluster::default();
    for object in objects.iter_mut().filter(|o| o.is_world()) {
        count(&mut assembly.tally.read, &object.kind);
        tell_refused(object, assembly);
        let origin = Origin::document(object.document);
        match &mut object.part {
            Part::Namespace(labels) => {
                _ = cluster.declare_namespace(&object.name, take(labels), origin);
            }
            Part::Node(node) => {
                _ = cluster.add_node(crate::model::Node {
                    origin,
                    ..(**node).clone()
                });
            }
            _ => {}
        }
    }
    Controllers::new(objects, assembly).build(objects, &mut cluster, assembly);
    for object in objects.iter() {
        let Part::Service(service) = &object.part else {
            continue;
        };
        let namespace = cluster.namespace_named(&assembly.namespace_of(object));
        let origin = Origin::document(object.document);
        cluster.add_service(crate::model::Service {
            namespace,
            origin,
            ..(**service).clone()
        });
    }
    for object in objects.iter().filter(|o| o.is_namespaced()) {
        cluster.namespace_named(&assembly.namespace_of(object));
    }
    cluster
}

fn tell_refused(object: &Object, assembly: &mut Assembly<'_>) {
    for message in &object.refused {
        let place = Place::Origin(Origin::new(object.document, Path::root().key("metadata")));
        let told = Diagnostic::new(Severity::Warning, Code::WrongType, place, message.as_str());
        assembly
            .diagnostics
            .push(told.help("write the value in quotes"));
    }
}

type Key = (WorkloadKind, Arc<str>, Arc<str>);

/// The controllers and pods of the input, by their index among the objects.
struct Controllers {
    controllers: IndexMap<Key, usize>,
    pods: Vec<(Arc<str>, usize)>,
}

impl Controllers {
    fn new(objects: &[Object], assembly: &mut Assembly<'_>) -> Self {
        let mut found = Self {
            controllers: IndexMap::default(),
            pods: Vec::new(),
        };
        for (i, object) in objects.iter().enumerate() {
            let Some(facts) = object.facts() else {
                continue;
            };
            let namespace = assembly.namespace_of(object);
            if facts.kind != WorkloadKind::Pod {
                found
                    .controllers
                    .insert((facts.kind, namespace, (&*object.name).into()), i);
            } else if facts.finished {
                assembly.tally.finished_pods += 1; // S57
            } else {
                found.pods.push((namespace, i));
            }
        }
        found
    }

    /// The loaded controller at the top of the chain of owners, starting from a kind and name.
    fn top(
        &self,
        objects: &[Object],
        namespace: &Arc<str>,
        kind: &str,
        name: &Arc<str>,
    ) -> Option<Key> {
        let mut key = (
            WorkloadKind::from_api(kind)?,
            Arc::clone(namespace),
            Arc::clone(name),
        );
        let mut top = None;
        for _ in 0..8 {
            let Some(index) = self.controllers.get(&key) else {
                return top.or_else(|| Some(key).filter(|k| k.0 != WorkloadKind::Pod));
            };
            let owner = objects
                .get(*index)
                .and_then(Object::facts)
                .and_then(|f| f.owner.as_ref());
            let next = owner
                .and_then(|(kind, name)| Some((WorkloadKind::from_api(kind)?, Arc::clone(name))));
            let Some((kind, name)) = next else {
                return Some(key);
            };
            let next = (kind, Arc::clone(namespace), name);
            if !self.controllers.contains_key(&next) {
                return Some(key);
            }
            top = Some(next.clone());
            key = next;
        }
        top
    }

    /// Under which workload a pod goes.
    fn home(&self, objects: &[Object], namespace: &Arc<str>, pod: &Object, facts: &Facts) -> Key {
        let own = || {
            (
                WorkloadKind::Pod,
                Arc::clone(namespace),
                Arc::from(&*pod.name),
            )
        };
        let Some((kind, name)) = &facts.owner else {
            return own();
        };
        let Some(top) = self.top(objects, namespace, kind, name) else {
            return own();
        };
        let stem = facts
            .template_hash()
            .and_then(|h| top.2.strip_suffix(h)?.strip_suffix('-'));
        match stem {
            Some(stem)
                if top.0 == WorkloadKind::ReplicaSet && !self.controllers.contains_key(&top) =>
            {
                (WorkloadKind::Deployment, Arc::clone(namespace), stem.into())
            }
            _ => top,
        }
    }

    fn build(&self, objects: &mut [Object], cluster: &mut Cluster, assembly: &mut Assembly<'_>) {
        let mut homes: IndexMap<Key, Vec<usize>> = IndexMap::default();
        for (key, index) in &self.controllers {
            if self.top(objects, &key.1, key.0.name(), &key.2).as_ref() == Some(key) {
                homes.insert(key.clone(), Vec::new());
            } else {
                let kind = objects
                    .get(*index)
                    .map(|o| Arc::clone(&o.kind))
                    .unwrap_or_default();
                count(
                    &mut assembly.tally.skipped,
                    &format!("{kind} (part of its owner)"),
                );
            }
        }
        for (namespace, index) in &self.pods {
            let Some((pod, facts)) = objects.get(*index).and_then(|o| Some((o, o.facts()?))) else {
                continue;
            };
            homes
                .entry(self.home(objects, namespace, pod, facts))
                .or_default()
                .push(*index);
        }
        for (key, pods) in homes {
            self.workload(objects, cluster, &key, &pods);
        }
    }

    fn workload(&self, objects: &mut [Object], cluster: &mut Cluster, key: &Key, pods: &[usize]) {
        let controller = self.controllers.get(key);
        let Some(object) = controller
            .or_else(|| pods.first())
            .and_then(|i| objects.get(*i))
        else {
            return;
        };
        let namespace = cluster.namespace_named(&key.1);
        let origin = Origin::document(object.document);
        let id = cluster.add_workload(Workload {
            kind: key.0,
            name: (&*key.2).into(),
            namespace,
            pods: Vec::with_capacity(pods.len()),
            origin: origin.clone(),
        });
        if pods.is_empty() {
            let drafts = object
                .facts()
                .map(|f| f.template_pods(&object.name))
                .unwrap_or_default();
            drafts
                .into_iter()
                .for_each(|d| add(cluster, id, namespace, d, origin.clone()));
            return;
        }
        for index in pods {
            let Some(object) = objects.get_mut(*index) else {
                continue;
            };
            if let Part::Workload(facts) = std::mem::replace(&mut object.part, Part::Nothing) {
                let draft = PodDraft {
                    name: take(&mut object.name),
                    ..facts.draft
                };
                add(
                    cluster,
                    id,
                    namespace,
                    draft,
                    Origin::document(object.document),
                );
            }
        }
    }
}

fn add(
    cluster: &mut Cluster,
    workload: WorkloadId,
    namespace: NamespaceId,
    draft: PodDraft,
    origin: Origin,
) {
    let labels = cluster.intern(draft.labels);
    cluster.add_pod(Pod {
        name: draft.name,
        namespace,
        workload,
        labels,
        ports: draft.ports,
        host_network: draft.host_network,
        node: draft.node,
        addresses: draft.addresses,
        replicas: draft.replicas,
        origin,
    });
}
