//! [`Cluster`]: the cluster as one value, built once by `load` and read-only afterwards.
//!
//! Label sets are interned: pods by the thousand share a few of them, and selectors are evaluated
//! per distinct set.

use crate::model::doors::DoorObject;
use crate::model::ids::{LabelsId, NamespaceId, NodeId, PodId, ServiceId, WorkloadId};
use crate::model::labels::{Labels, Selector, Truth};
use crate::model::named_addresses::NamedAddresses;
use crate::model::pod::Pod;
use crate::model::service::{EndpointSource, Service, ServiceEndpoint};
use crate::model::workload::Workload;
use crate::set::Ix;
use crate::set::hashed::{HashMap, HashSet, IndexMap, IndexSet};
use crate::source::Origin;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The label every namespace carries, set by the API server and immutable (S27).
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A namespace. Without a Namespace object only its name, and so only one label, is known (S27).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: Box<str>,
    /// Its labels, always with `kubernetes.io/metadata.name`.
    pub labels: Labels,
    /// The Namespace object; `None` when the namespace is only mentioned, so that its other labels
    /// are not known.
    pub declared: Option<Origin>,
}

impl Namespace {
    /// Whether a selector over namespaces selects this one.
    pub fn selected_by(&self, selector: &Selector) -> Truth {
        selector.selects_known(&self.labels, self.declared.is_some())
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: Labels,
    /// The addresses of its status that are IP addresses.
    pub addresses: Box<[IpAddr]>,
    /// Where it was declared.
    pub origin: Origin,
}

/// What objects list for one Service, by their kind.
#[derive(Debug, Clone, Default)]
struct EndpointLists {
    slices: Option<Vec<ServiceEndpoint>>,
    endpoints: Option<Vec<ServiceEndpoint>>,
}

/// Namespaces, pods, labels, workloads, services and nodes.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    namespaces: IndexMap<Box<str>, Namespace>,
    labels: IndexSet<Arc<Labels>>,
    pods: Vec<Pod>,
    /// What policies of the network plugin govern besides pods, numbered behind these.
    pub(super) hosts: Vec<Pod>,
    workloads: Vec<Workload>,
    services: Vec<Service>,
    doors: Vec<DoorObject>,
    /// The addresses on the default network of pods that are on one of their own.
    locked: HashMap<IpAddr, PodId>,
    /// Addresses that objects give names.
    pub(super) named_addresses: Arc<[NamedAddresses]>,
    nodes: IndexMap<Box<str>, Node>,
    /// What pods tell of the addresses of their nodes, by the names of these.
    pub(super) told_nodes: BTreeMap<Box<str>, Vec<IpAddr>>,
    /// What slices and other objects list for the Services of these names.
    listed: IndexMap<(NamespaceId, Box<str>), EndpointLists>,
    /// The namespaces that are assumed, by name.
    assumed: IndexMap<Box<str>, Vec<NamespaceId>>,
    /// What is not told of pods that are not loaded: labels that a layer gives, with the values
    /// that they may have.
    untold: Labels,
    /// The workloads that serve doors by what is told, as [`Workload::is_called`] reads them.
    told_controllers: Arc<[Box<str>]>,
}

impl Cluster {
    /// The namespace of this name, made up with its one certain label if it is not there yet.
    pub fn namespace_named(&mut self, name: &str) -> NamespaceId {
        if let Some(index) = self.namespaces.get_index_of(name) {
            return NamespaceId::bounded(index);
        }
        let labels = [(NAMESPACE_NAME_LABEL, name)].into_iter().collect();
        let (index, _) = self.namespaces.insert_full(
            name.into(),
            Namespace {
                name: name.into(),
                labels,
                declared: None,
            },
        );
        NamespaceId::bounded(index)
    }

    /// Declares a namespace with the labels of its object; its name label is set as the API server
    /// sets it (S27).
    pub fn declare_namespace(&mut self, name: &str, labels: Labels, origin: Origin) -> NamespaceId {
        let named = self.namespace_named(name);
        let pairs = labels
            .iter()
            .chain([(NAMESPACE_NAME_LABEL, name)])
            .collect();
        if let Some((_, namespace)) = self.namespaces.get_index_mut(named.0 as usize) {
            namespace.labels = pairs;
            namespace.declared = Some(origin);
        }
        named
    }

    /// Adds a namespace as it may be: of a name that other namespaces may have too, with all its
    /// labels. Looking for the name does not find it; `number` tells it from others of the name.
    pub fn assume_namespace(
        &mut self,
        number: usize,
        name: &str,
        labels: Labels,
        origin: Origin,
    ) -> NamespaceId {
        let namespace = Namespace {
            name: name.into(),
            labels,
            declared: Some(origin),
        };
        // no name holds a slash
        let key = format!("{name}/{number}");
        let (index, _) = self.namespaces.insert_full(key.into(), namespace);
        let id = NamespaceId::bounded(index);
        self.assumed.entry(name.into()).or_default().push(id);
        id
    }

    /// Adds what one object lists for the Service of a name.
    pub fn list_endpoints(
        &mut self,
        (namespace, service): (NamespaceId, &str),
        source: EndpointSource,
        endpoints: &[ServiceEndpoint],
    ) {
        let listed = self.listed.entry((namespace, service.into())).or_default();
        let of_source = match source {
            EndpointSource::Slice => listed.slices.get_or_insert_default(),
            EndpointSource::Endpoints => listed.endpoints.get_or_insert_default(),
        };
        of_source.extend_from_slice(endpoints);
    }

    /// The endpoints that objects list for the Service of a name; `None` where no object does.
    /// Where there are slices they alone count: the other kind is then a copy of them.
    pub fn listed_endpoints(
        &self,
        namespace: NamespaceId,
        service: &str,
    ) -> Option<&[ServiceEndpoint]> {
        let listed = self.listed.get(&(namespace, service.into()))?;
        listed.slices.as_deref().or(listed.endpoints.as_deref())
    }

    /// Where the API server listens, as the endpoints of `default/kubernetes` tell; none where they
    /// are not in the input.
    pub fn api_servers(&self) -> impl Iterator<Item = SocketAddr> {
        let default = self.find_namespace("default");
        let listed = default.and_then(|at| self.listed_endpoints(at, "kubernetes"));
        let listening = listed.unwrap_or_default().iter();
        listening.map(|at| SocketAddr::new(at.address, at.port))
    }

    /// Interns a label set.
    pub fn intern(&mut self, labels: impl Into<Arc<Labels>>) -> LabelsId {
        LabelsId::bounded(self.labels.insert_full(labels.into()).0)
    }

    /// Adds a workload without pods.
    pub fn add_workload(&mut self, workload: Workload) -> WorkloadId {
        self.workloads.push(workload);
        WorkloadId::bounded(self.workloads.len() - 1)
    }

    /// Adds a pod to its workload.
    pub fn add_pod(&mut self, pod: Pod) -> PodId {
        let pod_id = PodId::bounded(self.pods.len());
        if let Some(workload) = self.workloads.get_mut(pod.workload.0 as usize) {
            workload.pods.push(pod_id);
        }
        self.pods.push(pod);
        pod_id
    }

    /// Gives pods further labels, which a layer knows them by.
    pub fn add_labels(&mut self, further: &[(PodId, Vec<(&'static str, Arc<str>)>)]) {
        for (id, labels) in further {
            let Some(pod) = self.pods.get(id.0 as usize) else {
                continue;
            };
            let own = self.labels(pod.labels).shared();
            let own = own.map(|(key, value)| (Arc::clone(key), Arc::clone(value)));
            let more = labels
                .iter()
                .map(|(key, value)| (Arc::from(*key), Arc::clone(value)));
            let labels = own.chain(more).collect();
            self.put_labels(*id, labels);
        }
    }

    /// Gives a pod these labels in the place of its own.
    pub(super) fn put_labels(&mut self, id: PodId, labels: Labels) {
        let labels = self.intern(labels);
        if let Some(pod) = self.pods.get_mut(id.0 as usize) {
            pod.labels = labels;
        }
    }

    /// Puts a pod on a network of its own, with these addresses there.
    pub fn put_on_own_network(&mut self, id: PodId, addresses: Vec<IpAddr>) {
        if let Some(pod) = self.pods.get_mut(id.0 as usize) {
            pod.own_network = true;
            let former = std::mem::replace(&mut pod.addresses, addresses.into());
            let left = former.iter().filter(|at| !pod.addresses.contains(at));
            self.locked.extend(left.map(|at| (*at, id)));
        }
    }

    /// The pod whose address on the default network this is, where it is on one of its own.
    pub fn locked_at(&self, address: IpAddr) -> Option<PodId> {
        self.locked.get(&address).copied()
    }

    /// Keeps which workloads serve doors whose controller the input does not show.
    pub fn tell_controllers(&mut self, names: &[Box<str>]) {
        self.told_controllers = names.into();
    }

    /// The pods of the workloads that serve doors by what is told, each workload for itself.
    pub fn told_controllers(&self) -> impl Iterator<Item = &[PodId]> {
        let told = |workload: &Workload| {
            let namespace = &self.namespace(workload.namespace).name;
            let mut names = self.told_controllers.iter();
            names.any(|name| workload.is_called(name, namespace))
        };
        let all = self
            .workloads
            .iter()
            .filter(|_| !self.told_controllers.is_empty());
        all.filter(move |w| told(w)).map(|w| &*w.pods)
    }

    /// Says which labels of a layer pods may have that are not loaded.
    pub fn leave_untold(&mut self, labels: impl IntoIterator<Item = (&'static str, String)>) {
        let before = self
            .untold
            .iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        let more = labels.into_iter().map(|(k, v)| (k.to_owned(), v));
        self.untold = before.chain(more).collect();
    }

    /// The labels of a pod that is not loaded, with those that a layer may give it.
    pub fn with_untold(&self, labels: Labels) -> Labels {
        if self.untold.is_empty() {
            return labels;
        }
        let untold = self
            .untold
            .iter()
            .filter(|(key, _)| labels.get(key).is_none());
        labels.iter().chain(untold).collect()
    }

    /// The same cluster with pods on these nodes. O(cluster).
    pub fn with_pods_on(&self, on: &[(PodId, &Arc<str>)]) -> Self {
        let mut cluster = self.clone();
        for (id, node) in on {
            if let Some(pod) = cluster.pods.get_mut(id.0 as usize) {
                pod.node = Some(Arc::clone(node));
            }
        }
        cluster
    }

    /// Gives every pod other labels; pods of one key have the same. O(pods).
    pub(crate) fn relabel_pods<K: Eq + std::hash::Hash>(
        &mut self,
        key: impl Fn(&Pod) -> K,
        labels: impl Fn(&Self, &Pod) -> Labels,
    ) {
        let mut known: HashMap<K, LabelsId> = HashMap::default();
        for at in 0..self.pods.len() {
            let pod = &self.pods[at];
            let key = key(pod);
            let id = if let Some(id) = known.get(&key) {
                *id
            } else {
                let made = labels(self, pod);
                let id = self.intern(made);
                known.insert(key, id);
                id
            };
            self.pods[at].labels = id;
        }
    }

    /// Changes pods. O(pods).
    pub(crate) fn change_pods(&mut self, change: impl FnMut(&mut Pod)) {
        self.pods.iter_mut().for_each(change);
    }

    /// Adds a service.
    pub fn add_service(&mut self, service: Service) -> ServiceId {
        self.services.push(service);
        ServiceId::bounded(self.services.len() - 1)
    }

    /// Adds an object by which callers outside may come in.
    pub fn add_door(&mut self, door: DoorObject) {
        self.doors.push(door);
    }

    /// The objects by which callers outside may come in, in input order.
    pub fn doors(&self) -> &[DoorObject] {
        &self.doors
    }

    /// Adds a node, replacing one of the same name.
    pub fn add_node(&mut self, node: Node) -> NodeId {
        NodeId::bounded(self.nodes.insert_full(node.name.clone(), node).0)
    }

    /// The namespaces with their ids, in input order.
    pub fn namespaces(&self) -> impl ExactSizeIterator<Item = (NamespaceId, &Namespace)> {
        self.namespaces
            .values()
            .enumerate()
            .map(|(i, n)| (NamespaceId::bounded(i), n))
    }

    /// The pods with their ids, in input order.
    pub fn pods(&self) -> impl ExactSizeIterator<Item = (PodId, &Pod)> {
        self.pods
            .iter()
            .enumerate()
            .map(|(i, p)| (PodId::bounded(i), p))
    }

    /// The workloads with their ids, in input order.
    pub fn workloads(&self) -> impl ExactSizeIterator<Item = (WorkloadId, &Workload)> {
        self.workloads
            .iter()
            .enumerate()
            .map(|(i, w)| (WorkloadId::bounded(i), w))
    }

    /// The services with their ids, in input order.
    pub fn services(&self) -> impl ExactSizeIterator<Item = (ServiceId, &Service)> {
        self.services
            .iter()
            .enumerate()
            .map(|(i, s)| (ServiceId::bounded(i), s))
    }

    /// The nodes with their ids, in input order.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (NodeId, &Node)> {
        self.nodes
            .values()
            .enumerate()
            .map(|(i, n)| (NodeId::bounded(i), n))
    }

    /// The distinct label sets, in order of first appearance; the index is the [`LabelsId`].
    pub fn label_sets(&self) -> impl ExactSizeIterator<Item = &Labels> {
        self.labels.iter().map(|l| &**l)
    }

    /// The label sets that have all of some labels. O(distinct label sets).
    pub(crate) fn label_sets_with(&self, wanted: &[(&str, &str)]) -> HashSet<LabelsId> {
        let has = |labels: &Labels| wanted.iter().all(|(k, v)| labels.get(k) == Some(v));
        let sets = self.labels.iter().enumerate();
        let found = sets.filter(|(_, labels)| has(labels));
        found.map(|(i, _)| LabelsId::bounded(i)).collect()
    }

    /// A namespace by id.
    pub fn namespace(&self, id: NamespaceId) -> &Namespace {
        &self.namespaces[id.0 as usize]
    }

    /// A namespace by name.
    pub fn find_namespace(&self, name: &str) -> Option<NamespaceId> {
        self.namespaces.get_index_of(name).map(NamespaceId::bounded)
    }

    /// Every namespace of a name: the one that is known, and those that are assumed.
    pub fn namespaces_called(&self, name: &str) -> impl Iterator<Item = NamespaceId> {
        let assumed = self.assumed.get(name).map_or(&[][..], Vec::as_slice);
        let known = self.find_namespace(name).into_iter();
        known.chain(assumed.iter().copied())
    }

    /// A pod by id, or something else that policies govern.
    pub fn pod(&self, id: PodId) -> &Pod {
        let at = id.0 as usize;
        match at.checked_sub(self.pods.len()) {
            None => &self.pods[at],
            Some(behind) => &self.hosts[behind],
        }
    }

    /// A workload by id.
    pub fn workload(&self, id: WorkloadId) -> &Workload {
        &self.workloads[id.0 as usize]
    }

    /// A service by id.
    pub fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.0 as usize]
    }

    /// A label set by id.
    pub fn labels(&self, id: LabelsId) -> &Labels {
        &self.labels[id.0 as usize]
    }

    /// A node by name.
    pub fn find_node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// The pod's labels.
    pub fn pod_labels(&self, id: PodId) -> &Labels {
        self.labels(self.pod(id).labels)
    }

    /// The pod's namespace.
    pub fn pod_namespace(&self, id: PodId) -> &Namespace {
        self.namespace(self.pod(id).namespace)
    }

    /// The pods behind a service: those of its namespace that its selector selects, or may select;
    /// none without a selector.
    pub fn service_pods(&self, id: ServiceId) -> Vec<PodId> {
        let service = self.service(id);
        let Some(selector) = &service.selector else {
            return Vec::new();
        };
        let selected = |pod: &Pod| {
            pod.namespace == service.namespace
                && selector.selects(self.labels(pod.labels)).possible()
        };
        self.pods()
            .filter(|(_, pod)| selected(pod))
            .map(|(pod_id, _)| pod_id)
            .collect()
    }

    /// `namespace/kind/name` of a workload, which no other has.
    pub fn long_workload_name(&self, id: WorkloadId) -> String {
        let workload = self.workload(id);
        if workload.made.is_some() {
            return self.workload_name(id);
        }
        format!(
            "{}/{}/{}",
            self.namespace(workload.namespace).name,
            workload.kind_name(),
            workload.name
        )
    }

    /// `namespace/name` of a workload, as it is printed; of one that is made from an object of
    /// another kind `namespace/kind/name/role`.
    pub fn workload_name(&self, id: WorkloadId) -> String {
        let workload = self.workload(id);
        if let Some(made) = &workload.made {
            let namespace = &self.namespace(workload.namespace).name;
            return format!("{namespace}/{}/{}", made.kind, workload.name);
        }
        format!(
            "{}/{}",
            self.namespace(workload.namespace).name,
            workload.name
        )
    }
}
