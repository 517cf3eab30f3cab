//! Who is part of Linkerd's mesh, and what annotations say (LD2, LD4, LD5, LD10-LD13).

use crate::model::{Cluster, PodId, Truth};
use crate::policy::istio::settings::Meshed;
use crate::policy::linkerd::settings::{InboundPolicy, LinkerdSettings};
use crate::policy::mesh_pods::LoadedPods;
use crate::policy::object_facts::ObjectFacts;
use crate::set::{Protocol, TrafficSet};

/// The name of the container of the proxy.
const PROXY: &str = "linkerd-proxy";

/// The annotation of pods and namespaces that are part of the mesh.
const INJECT: &str = "linkerd.io/inject";

/// How the fact is kept that a probe asks for a path on a port; no annotation is called so.
pub const PROBE: &str = "probe ";

/// What is known of a cluster's mesh.
pub struct LinkerdMesh<'m> {
    /// The cluster.
    pub cluster: &'m Cluster,
    /// What its objects say besides labels.
    pub facts: &'m ObjectFacts,
    /// The settings.
    pub settings: &'m LinkerdSettings,
    /// Whether something in the input says who is meshed.
    pub told: bool,
    /// How many pods are loaded; those behind them may exist.
    loaded: LoadedPods,
}

impl<'m> LinkerdMesh<'m> {
    /// Looks who says anything about the mesh.
    pub fn new(
        cluster: &'m Cluster,
        facts: &'m ObjectFacts,
        settings: &'m LinkerdSettings,
        loaded: LoadedPods,
    ) -> Self {
        let says = |id: PodId| facts.of_pod(id, INJECT).is_some() || facts.has_container(id, PROXY);
        let mut namespaces = cluster.namespaces();
        let told = namespaces.any(|(id, _)| facts.of_namespace(id, INJECT).is_some())
            || facts.pods.keys().any(|id| says(*id));
        Self {
            cluster,
            facts,
            settings,
            told,
            loaded,
        }
    }

    /// Whether a pod is meshed; one that may exist may be.
    pub fn is_member(&self, id: PodId) -> Truth {
        let may_exist = self.loaded.may_exist(id) && self.settings.meshed != Some(Meshed::None);
        let may_join = Truth::from(may_exist).and(Truth::Maybe);
        self.is_told_member(id).or(may_join)
    }

    /// Whether a pod is meshed, by what is told.
    fn is_told_member(&self, id: PodId) -> Truth {
        let pod = self.cluster.pod(id);
        if pod.host_network {
            return Truth::No;
        }
        match &self.settings.meshed {
            Some(Meshed::All) => Truth::Yes,
            Some(Meshed::None) => Truth::No,
            Some(Meshed::Listed(list)) => {
                let namespace = &self.cluster.namespace(pod.namespace).name;
                let workload = &self.cluster.workload(pod.workload).name;
                let is_named = |name: &str| *name == **workload || *name == *pod.name;
                let mut entries = list.iter().filter_map(|entry| entry.split_once('/'));
                Truth::from(entries.any(|(of, name)| *of == **namespace && is_named(name)))
            }
            None if !self.told => Truth::Maybe,
            Some(Meshed::Labels) | None => self.by_annotations(id),
        }
    }

    fn by_annotations(&self, id: PodId) -> Truth {
        if self.facts.has_container(id, PROXY) {
            return Truth::Yes;
        }
        let namespace = self.cluster.pod(id).namespace;
        let enabled = |value: &str| matches!(value, "enabled" | "ingress");
        if let Some(value) = self.annotation(id, INJECT) {
            return Truth::from(enabled(value));
        }
        let known = self.cluster.namespace(namespace).declared.is_some();
        Truth::from(!known).and(Truth::Maybe)
    }

    /// The value of an annotation of a pod, else of its namespace.
    fn annotation(&self, id: PodId, key: &str) -> Option<&'m str> {
        let namespace = self.cluster.pod(id).namespace;
        let own = self.facts.of_pod(id, key);
        own.or_else(|| self.facts.of_namespace(namespace, key))
    }

    /// Whom ports let in that nobody claims (LD10-LD12).
    pub fn default_policy(&self, id: PodId) -> InboundPolicy {
        const KEY: &str = "config.linkerd.io/default-inbound-policy";
        let namespace = self.cluster.pod(id).namespace;
        let told = [
            self.facts.of_pod(id, KEY),
            self.facts.of_namespace(namespace, KEY),
        ];
        let told = told.into_iter().flatten().find_map(InboundPolicy::from_api);
        told.or(self.settings.default_policy)
            .unwrap_or(InboundPolicy::AllUnauthenticated)
    }

    /// The ports that an annotation lists.
    pub fn listed(&self, id: PodId, key: &str) -> TrafficSet {
        let key = format!("config.linkerd.io/{key}");
        self.annotation(id, &key).map(ports).unwrap_or_default()
    }

    /// The opaque ports of a pod (LD60).
    pub fn opaque(&self, id: PodId) -> TrafficSet {
        const KEY: &str = "config.linkerd.io/opaque-ports";
        let pod = self.cluster.pod(id);
        let labels = self.cluster.labels(pod.labels);
        let behind = self.cluster.services().filter(|(_, service)| {
            let selector = service.selector.as_ref();
            service.namespace == pod.namespace
                && selector.is_some_and(|s| s.selects(labels).possible())
        });
        let of_services = behind
            .filter_map(|(_, service)| self.facts.of_service(service.namespace, &service.name, KEY))
            .map(ports);
        let of_services = of_services.reduce(|all, one| all.union(&one));
        let own = self.annotation(id, KEY).map(ports);
        match (own, of_services) {
            (Some(own), Some(more)) => own.union(&more),
            (Some(told), None) | (None, Some(told)) => told,
            (None, None) => {
                let listed = self.settings.opaque_ports().iter();
                listed.fold(TrafficSet::empty(), |all, port| {
                    all.union(&one(*port, *port))
                })
            }
        }
    }

    /// The ports on which a probe of a pod asks for a path (LD52).
    pub fn probed(&self, id: PodId) -> TrafficSet {
        let told = self.facts.pods.get(&id).map_or(&[][..], |all| all);
        let probes = told.iter().filter_map(|(key, _)| key.strip_prefix(PROBE));
        let numbers = probes.filter_map(|probe| probe.parse().ok());
        numbers.fold(TrafficSet::empty(), |all, number: u16| {
            all.union(&one(number, number))
        })
    }
}

fn one(first: u16, last: u16) -> TrafficSet {
    TrafficSet::ports(Protocol::Tcp, first, last)
}

/// The ports of a list such as `80,100-200`; what is no number is left out.
pub fn ports(list: &str) -> TrafficSet {
    let each = list.split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u16>().ok();
        Some(one(number(first)?, number(last)?))
    });
    each.fold(TrafficSet::empty(), |all, ports| all.union(&ports))
}
