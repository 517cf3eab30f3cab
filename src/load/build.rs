//! Objects -> [`Cluster`]: namespaces, nodes, workloads with their pods, services.
//!
//! Pods owned by a loaded workload belong to it and replace its template; a `ReplicaSet` of a
//! loaded Deployment, and a Job of a loaded `CronJob`, are part of it. A controller that is named
//! by its pods but not loaded is made up from its name.

use crate::load::assembly::{Assembly, count};
use crate::load::bound_pod::BoundPod;
use crate::load::object::{Contribution, LoadedObject};
use crate::load::workloads::{PodDraft, WorkloadDraft};
use crate::model::doors::{DoorObject, DoorSpec};
use crate::model::{
    Cluster, Labels, NamespaceId, Pod, RareParts, Workload, WorkloadId, WorkloadKind,
};
use crate::policy::cilium::selector::ACCOUNT;
use crate::set::hashed::IndexMap;
use crate::source::Origin;
use std::collections::HashSet;
use std::mem::take;
use std::sync::Arc;

/// Builds the cluster; takes what it needs out of the objects.
pub fn cluster(objects: &mut [LoadedObject], assembly: &mut Assembly<'_>) -> Cluster {
    let mut cluster = Cluster::default();
    for object in objects.iter_mut().filter(|o| o.is_cluster_object()) {
        if !object.made {
            count(&mut assembly.tally.read, &object.kind);
        }
        let origin = Origin::document(object.document);
        match &mut object.contribution {
            Contribution::Namespace(labels) => {
                let id = cluster.declare_namespace(&object.name, take(labels), origin);
                if !object.annotations.is_empty() {
                    let annotations = take(&mut object.annotations);
                    assembly.facts.namespaces.insert(id, annotations);
                }
            }
            Contribution::Node(node) => {
                _ = cluster.add_node(crate::model::Node {
                    origin,
                    ..(**node).clone()
                });
            }
            _ => {}
        }
    }
    Controllers::new(objects, assembly).build(objects, &mut cluster, assembly);
    made_pods(objects, &mut cluster, assembly);
    services(objects, &mut cluster, assembly);
    doors(objects, &mut cluster, assembly);
    for object in objects.iter().filter(|o| o.is_namespaced()) {
        cluster.namespace_named(&assembly.namespace_of(object));
    }
    cluster
}

/// Adds the objects by which callers outside may come in.
fn doors(objects: &mut [LoadedObject], cluster: &mut Cluster, assembly: &Assembly<'_>) {
    for object in objects {
        let Contribution::Door(spec) = &mut object.contribution else {
            continue;
        };
        let spec = std::mem::replace(&mut **spec, DoorSpec::Unread(Box::default()));
        let namespace = if spec.is_namespaced() {
            cluster.namespace_named(&assembly.namespace_of(object))
        } else {
            NamespaceId(0)
        };
        cluster.add_door(DoorObject {
            name: object.name.clone(),
            namespace,
            origin: Origin::document(object.document),
            spec,
        });
    }
}

/// Adds the pods that something makes from objects of other kinds.
fn made_pods(objects: &mut [LoadedObject], cluster: &mut Cluster, assembly: &mut Assembly<'_>) {
    for object in objects {
        let namespace = assembly.namespace_of(object);
        let contribution = &mut object.contribution;
        let Contribution::Pods(_) = contribution else {
            continue;
        };
        let Contribution::Pods(pods) = std::mem::replace(contribution, Contribution::Nothing)
        else {
            continue;
        };
        let namespace = cluster.namespace_named(&namespace);
        let origin = Origin::document(object.document);
        let names_accounts = assembly.names_accounts;
        let id = cluster.add_workload(Workload {
            kind: WorkloadKind::Custom,
            name: object.name.clone(),
            namespace,
            pods: Vec::with_capacity(1),
            alternatives: false,
            own_labels: Arc::default(),
            made: Some(Arc::new(pods.made)),
            origin: origin.clone(),
        });
        let draft = PodDraft {
            name: object.name.clone(),
            ..pods.draft
        };
        let bound = add(cluster, names_accounts, id, namespace, draft, origin);
        assembly.bound_pods.extend(bound);
    }
}

/// Adds the Services, and what is listed for those without selector and for the API server.
fn services(objects: &[LoadedObject], cluster: &mut Cluster, assembly: &mut Assembly<'_>) {
    let mut led_by_selector = HashSet::new();
    for object in objects {
        let Contribution::Service(service) = &object.contribution else {
            continue;
        };
        let namespace = cluster.namespace_named(&assembly.namespace_of(object));
        let origin = Origin::document(object.document);
        if !object.annotations.is_empty() {
            let key = (namespace, object.name.clone());
            let annotations = object.annotations.clone();
            assembly.facts.services.insert(key, annotations);
        }
        if service.selector.is_some() {
            led_by_selector.insert((namespace, &*service.name));
        }
        cluster.add_service(crate::model::Service {
            namespace,
            origin,
            ..(**service).clone()
        });
    }
    for object in objects {
        let Contribution::Endpoints(listed) = &object.contribution else {
            continue;
        };
        let namespace = cluster.namespace_named(&assembly.namespace_of(object));
        let of = (namespace, &*listed.service);
        if !led_by_selector.contains(&of) {
            cluster.list_endpoints(of, listed.source, &listed.endpoints);
        }
    }
}

type WorkloadKey = (WorkloadKind, Arc<str>, Arc<str>);

/// The controllers and pods of the input, by their index among the objects.
struct Controllers {
    controllers: IndexMap<WorkloadKey, usize>,
    pods: Vec<(Arc<str>, usize)>,
}

impl Controllers {
    fn new(objects: &[LoadedObject], assembly: &mut Assembly<'_>) -> Self {
        let mut found = Self {
            controllers: IndexMap::default(),
            pods: Vec::new(),
        };
        for (i, object) in objects.iter().enumerate() {
            let Some(draft) = object.workload() else {
                continue;
            };
            let namespace = assembly.namespace_of(object);
            if draft.kind != WorkloadKind::Pod {
                found
                    .controllers
                    .insert((draft.kind, namespace, (&*object.name).into()), i);
            } else if draft.finished {
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
        objects: &[LoadedObject],
        namespace: &Arc<str>,
        kind: &str,
        name: &Arc<str>,
    ) -> Option<WorkloadKey> {
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
                .and_then(LoadedObject::workload)
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
    fn home(
        &self,
        objects: &[LoadedObject],
        namespace: &Arc<str>,
        pod: &LoadedObject,
        draft: &WorkloadDraft,
    ) -> WorkloadKey {
        let owner = draft.owner.as_ref();
        let Some(top) = owner.and_then(|(kind, name)| self.top(objects, namespace, kind, name))
        else {
            let name = Arc::from(&*pod.name);
            return (WorkloadKind::Pod, Arc::clone(namespace), name);
        };
        let stem = draft
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

    fn build(
        &self,
        objects: &mut [LoadedObject],
        cluster: &mut Cluster,
        assembly: &mut Assembly<'_>,
    ) {
        let mut homes: IndexMap<WorkloadKey, Vec<usize>> = IndexMap::default();
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
            let Some((pod, draft)) = objects.get(*index).and_then(|o| Some((o, o.workload()?)))
            else {
                continue;
            };
            homes
                .entry(self.home(objects, namespace, pod, draft))
                .or_default()
                .push(*index);
        }
        for (key, pods) in homes {
            let accounts = assembly.names_accounts;
            let added = self.workload(objects, cluster, &key, &pods, accounts);
            assembly.bound_pods.extend(added);
        }
    }

    fn workload(
        &self,
        objects: &mut [LoadedObject],
        cluster: &mut Cluster,
        key: &WorkloadKey,
        pods: &[usize],
        names_accounts: bool,
    ) -> Vec<BoundPod> {
        let controller = self.controllers.get(key);
        let Some(object) = controller
            .or_else(|| pods.first())
            .and_then(|i| objects.get(*i))
        else {
            return Vec::new();
        };
        let namespace = cluster.namespace_named(&key.1);
        let origin = Origin::document(object.document);
        let own_labels = controller.and(object.workload()).map(|d| &d.own_labels);
        let id = cluster.add_workload(Workload {
            kind: key.0,
            name: (&*key.2).into(),
            namespace,
            pods: Vec::with_capacity(pods.len()),
            alternatives: pods.is_empty()
                && object
                    .workload()
                    .is_some_and(WorkloadDraft::leaves_ordinals_open),
            own_labels: own_labels.cloned().unwrap_or_default(),
            made: None,
            origin: origin.clone(),
        });
        if pods.is_empty() {
            let drafts = object
                .workload()
                .map(|f| f.template_pods(&object.name))
                .unwrap_or_default();
            return drafts
                .into_iter()
                .filter_map(|d| add(cluster, names_accounts, id, namespace, d, origin.clone()))
                .collect();
        }
        let mut bound = Vec::new();
        for index in pods {
            let Some(object) = objects.get_mut(*index) else {
                continue;
            };
            if let Contribution::Workload(workload) =
                std::mem::replace(&mut object.contribution, Contribution::Nothing)
            {
                let draft = PodDraft {
                    name: take(&mut object.name),
                    ..workload.draft
                };
                let origin = Origin::document(object.document);
                bound.extend(add(cluster, names_accounts, id, namespace, draft, origin));
            }
        }
        bound
    }
}

/// The labels of a pod with the one that Cilium gives it for its service account (CI20, CI22).
fn with_account(draft: &PodDraft) -> Arc<Labels> {
    let account = draft.account.as_deref().unwrap_or("default");
    let own = [(ACCOUNT, account)];
    Arc::new(draft.labels.iter().chain(own).collect())
}

fn add(
    cluster: &mut Cluster,
    names_accounts: bool,
    workload: WorkloadId,
    namespace: NamespaceId,
    draft: PodDraft,
    origin: Origin,
) -> Option<BoundPod> {
    if let Some(tunnel) = draft.tunnel
        && cluster.workload(workload).pods.is_empty()
    {
        cluster.add_door(DoorObject {
            name: cluster.workload(workload).name.clone(),
            namespace,
            origin: origin.clone(),
            spec: DoorSpec::Unread(format!("{tunnel} tunnel").into()),
        });
    }
    let labels = if names_accounts {
        with_account(&draft)
    } else {
        draft.labels
    };
    let labels = cluster.intern(labels);
    if let Some(node) = &draft.node {
        cluster.tell_node_addresses(node, &draft.node_addresses);
    }
    let pod = cluster.add_pod(Pod {
        name: draft.name,
        namespace,
        workload,
        labels,
        ports: draft.ports,
        host_ports: draft.host_ports,
        host_network: draft.host_network,
        rare: RareParts::of(draft.account.clone(), draft.init_ports),
        node: draft.node,
        addresses: draft.addresses,
        own_network: false,
        ready: draft.ready,
        dns_name: draft.dns_name,
        replicas: draft.replicas,
        origin,
    });
    let bound = draft.account.is_some() || !draft.annotations.is_empty();
    bound.then_some(BoundPod {
        pod,
        account: draft.account,
        annotations: draft.annotations,
    })
}
