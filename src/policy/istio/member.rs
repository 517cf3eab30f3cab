//! Who is part of the mesh, and how (IS2).

use crate::model::{Cluster, Labels, Namespace, Pod, PodId, Truth};
use crate::policy::istio::operations::tcp;
use crate::policy::istio::settings::{Dataplane, IstioSettings, Meshed};
use crate::policy::mesh_pods::LoadedPods;
use crate::policy::object_facts::ObjectFacts;
use crate::set::{Protocol, TrafficSet};

/// The name of the container of the proxy.
const PROXY: &str = "istio-proxy";

/// The keys by which labels say something about who is meshed.
const TELLING: [&str; 4] = [INJECTION, INJECT, DATAPLANE, REVISION];
const INJECTION: &str = "istio-injection";
const INJECT: &str = "sidecar.istio.io/inject";
const DATAPLANE: &str = "istio.io/dataplane-mode";
const REVISION: &str = "istio.io/rev";

/// Which ports of a pod the rules of its network lead to its proxy, and which they do not.
const INBOUND: [&str; 2] = [
    "traffic.sidecar.istio.io/includeInboundPorts",
    "traffic.sidecar.istio.io/excludeInboundPorts",
];

/// Annotations by which some of what a pod sends does not go by its proxy.
const OUTBOUND: [&str; 5] = [
    "traffic.sidecar.istio.io/includeOutboundPorts",
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeInterfaces",
];

/// The annotation by which only what is meant for the mesh comes to the proxy of a node.
const BYPASS: &str = "ambient.istio.io/bypass-inbound-capture";

/// What the gateways of common installations are called, which are proxies themselves.
const GATEWAYS: [&str; 2] = ["istio-ingressgateway", "istio-egressgateway"];

/// A pod of the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeshMember {
    /// How the mesh gets at its traffic.
    pub dataplane: Dataplane,
    /// Whether it surely is one.
    pub certain: Truth,
}

/// What is known of a cluster's mesh.
pub struct Mesh<'m> {
    /// The cluster.
    pub cluster: &'m Cluster,
    /// What its objects say besides labels.
    pub facts: &'m ObjectFacts,
    /// The settings.
    pub settings: &'m IstioSettings,
    /// Whether something in the input says who is meshed.
    told: bool,
    /// How many pods are loaded; those behind them may exist.
    loaded: LoadedPods,
}

impl<'m> Mesh<'m> {
    /// Looks who says anything about the mesh. O(namespaces + distinct label sets).
    pub fn new(
        cluster: &'m Cluster,
        facts: &'m ObjectFacts,
        settings: &'m IstioSettings,
        loaded: LoadedPods,
    ) -> Self {
        let says = |labels: &Labels| TELLING.iter().any(|key| labels.get(key).is_some());
        let mut namespaces = cluster.namespaces();
        let told = cluster.label_sets().any(says)
            || namespaces.any(|(_, namespace)| says(&namespace.labels))
            || cluster.pods().any(|(id, _)| facts.has_container(id, PROXY));
        Self {
            cluster,
            facts,
            settings,
            told,
            loaded,
        }
    }

    /// A pod that may exist: it may be a part of the mesh even where its namespace is not.
    fn possible(&self, id: PodId) -> Option<MeshMember> {
        let may_exist = self.loaded.may_exist(id) && self.settings.meshed != Some(Meshed::None);
        may_exist.then(|| MeshMember {
            dataplane: self.settings.dataplane.unwrap_or(Dataplane::Sidecar),
            certain: Truth::Maybe,
        })
    }

    /// Whether a label says that the mesh has pods without a proxy of their own.
    pub fn is_ambient(&self) -> bool {
        let says = |labels: &Labels| labels.get(DATAPLANE) == Some("ambient");
        let mut namespaces = self.cluster.namespaces();
        self.cluster.label_sets().any(says) || namespaces.any(|(_, n)| says(&n.labels))
    }

    /// The pod as a part of the mesh; none if it surely is none.
    pub fn member(&self, id: PodId) -> Option<MeshMember> {
        self.told_member(id).or_else(|| self.possible(id))
    }

    /// The pod as a part of the mesh, by what is told.
    fn told_member(&self, id: PodId) -> Option<MeshMember> {
        let pod = self.cluster.pod(id);
        if pod.host_network {
            return None;
        }
        let by_labels = self.by_labels(id, pod);
        let dataplane = by_labels.map(|member| member.dataplane);
        let dataplane = dataplane.or(self.settings.dataplane);
        let surely = MeshMember {
            dataplane: dataplane.unwrap_or(Dataplane::Sidecar),
            certain: Truth::Yes,
        };
        match &self.settings.meshed {
            Some(Meshed::All) => Some(MeshMember {
                dataplane: self.settings.dataplane.unwrap_or(surely.dataplane),
                ..surely
            }),
            Some(Meshed::None) => None,
            Some(Meshed::Listed(list)) => self.is_listed(id, list).then_some(surely),
            None if !self.told => Some(MeshMember {
                certain: Truth::Maybe,
                ..surely
            }),
            Some(Meshed::Labels) | None => by_labels,
        }
    }

    /// Whether a pod is of a workload, or is called so itself.
    fn is_listed(&self, id: PodId, list: &[Box<str>]) -> bool {
        let pod = self.cluster.pod(id);
        let namespace = &self.cluster.namespace(pod.namespace).name;
        let workload = &self.cluster.workload(pod.workload).name;
        list.iter().any(|entry| match entry.split_once('/') {
            Some((of, name)) => *of == **namespace && (*name == **workload || *name == *pod.name),
            None => false,
        })
    }

    /// What labels, annotations and containers say.
    fn by_labels(&self, id: PodId, pod: &Pod) -> Option<MeshMember> {
        let labels = self.cluster.labels(pod.labels);
        let namespace = self.cluster.namespace(pod.namespace);
        let sidecar = self.has_sidecar(id, labels, namespace);
        let ambient = is_ambient(labels, namespace);
        let (dataplane, certain) = match (sidecar, ambient) {
            (Truth::Yes, _) => (Dataplane::Sidecar, Truth::Yes),
            (_, Truth::Yes) => (Dataplane::Ambient, Truth::Yes),
            (Truth::Maybe, _) => (Dataplane::Sidecar, Truth::Maybe),
            (Truth::No, Truth::Maybe) => (Dataplane::Ambient, Truth::Maybe),
            (Truth::No, Truth::No) => return None,
        };
        let bypasses = self.facts.of_pod(id, BYPASS) == Some("true");
        let certain = match dataplane {
            Dataplane::Ambient if bypasses => Truth::Maybe, // IS5
            Dataplane::Ambient | Dataplane::Sidecar => certain,
        };
        Some(MeshMember { dataplane, certain })
    }

    /// What the annotations of a pod say of the ports that lead to its proxy: those that do, and
    /// those that do not.
    pub fn captures(&self, id: PodId) -> [Option<&'m str>; 2] {
        INBOUND.map(|key| self.facts.of_pod(id, key))
    }

    /// The ports that connections reach past the proxy of a pod (IS5).
    pub fn bypassed(&self, id: PodId) -> TrafficSet {
        match self.captures(id) {
            [None | Some("*"), excluded] => excluded.map(ports).unwrap_or_default(),
            [Some(included), _] => tcp().difference(&ports(included)),
        }
    }

    /// Whether something of what a pod sends may not go by its proxy, and so carry no identity.
    pub fn sends_past_proxy(&self, id: PodId) -> bool {
        let says = |key: &&str| self.facts.of_pod(id, key).is_some_and(|value| value != "*");
        OUTBOUND.iter().any(says)
    }

    /// Whether a pod has a proxy of its own.
    fn has_sidecar(&self, id: PodId, labels: &Labels, namespace: &Namespace) -> Truth {
        let is_gateway = labels
            .get("istio")
            .is_some_and(|of| of.ends_with("gateway"));
        if self.facts.has_container(id, PROXY) || is_gateway {
            return Truth::Yes;
        }
        if labels.get("app").is_some_and(|app| GATEWAYS.contains(&app)) {
            return Truth::Maybe;
        }
        let inject = labels.get(INJECT).or_else(|| self.facts.of_pod(id, INJECT));
        match (inject, namespace.labels.get(INJECTION)) {
            (Some("false"), _) | (_, Some("disabled")) => Truth::No,
            (_, Some("enabled")) | (Some("true"), _) => Truth::Yes,
            _ if labels.get(REVISION).is_some() => Truth::Yes,
            _ if namespace.labels.get(REVISION).is_some() => Truth::Yes,
            _ => Truth::from(namespace.declared.is_none()).and(Truth::Maybe),
        }
    }

    /// Whether a waypoint stands before a pod (IS62).
    pub fn waypoint(&self, pod: &Pod, services: &[&Labels]) -> Truth {
        const USE: &str = "istio.io/use-waypoint";
        let named = |labels: &Labels| labels.get(USE).map(|name| name != "none");
        let namespace = &self.cluster.namespace(pod.namespace).labels;
        let whole = named(namespace).unwrap_or(false);
        let own = named(self.cluster.labels(pod.labels)).unwrap_or(whole);
        let of_service = |labels: &&Labels| named(labels).unwrap_or(whole);
        Truth::from(own || services.iter().any(of_service))
    }
}

/// The ports of a list in an annotation; what is no port there leads nowhere.
fn ports(list: &str) -> TrafficSet {
    let numbers = list.split(',').filter_map(|port| port.trim().parse().ok());
    let each = numbers.map(|port: u16| TrafficSet::ports(Protocol::Tcp, port, port));
    each.fold(TrafficSet::empty(), |all, one| all.union(&one))
}

/// Whether a pod's traffic is taken by a proxy of its node.
fn is_ambient(labels: &Labels, namespace: &Namespace) -> Truth {
    match (labels.get(DATAPLANE), namespace.labels.get(DATAPLANE)) {
        (Some("none"), _) => Truth::No,
        (Some("ambient"), _) | (None, Some("ambient")) => Truth::Yes,
        _ => Truth::No,
    }
}
