//! Stand-ins for controllers that serve a door and are not loaded, laid over the input (DO58).
//!
//! Of the namespace of a default install only the name is sure, unless it is loaded or the table
//! says more. `OpenShift`'s router has two: on the pod network, and what policies see of a router
//! on its node's network: the namespace `openshift-host-network` (DO84).

use crate::doors::controllers::{Controller, DataPlane, ROUTER_LABEL, named};
use crate::doors::served::{DoorClasses, Served};
use crate::input::Input;
use crate::model::doors::{DoorSpec, PublishingStrategy};
use crate::model::{Cluster, Labels, NamespaceId, PodId};
use crate::potential::pods::add_pod;
use crate::set::Ix;
use crate::set::hashed::IndexMap;
use crate::source::Origin;
use std::sync::Arc;

/// The pods that stand in.
#[derive(Debug, Clone, Default)]
pub struct AssumedCallers {
    /// By the controller, and the Gateway that they serve: its namespace and name.
    pods: IndexMap<(&'static str, Option<(Box<str>, Box<str>)>), PodId>,
    /// What an `OpenShift` router that is not loaded may be.
    pub routers: Vec<PodId>,
    /// What policies see of a router on its node's network.
    pub host_network: Option<PodId>,
    /// The first of them: they are the last pods of the cluster.
    first: Option<PodId>,
}

impl AssumedCallers {
    /// The pod that stands in for a controller.
    pub fn of(
        &self,
        controller: &Controller,
        gateway: Option<(NamespaceId, &str)>,
        cluster: &Cluster,
    ) -> Option<PodId> {
        let key = (controller.id, gateway_key(controller, gateway, cluster));
        self.pods.get(&key).copied()
    }

    /// The controllers that are assumed, each once.
    pub fn controllers(&self) -> Vec<&'static str> {
        let mut all: Vec<&'static str> = self.pods.keys().map(|(id, _)| *id).collect();
        if !self.routers.is_empty() {
            all.push("openshift-router");
        }
        all.dedup();
        all
    }

    /// Whether a pod stands in for a controller.
    pub fn is_stand_in(&self, pod: PodId) -> bool {
        self.first.is_some_and(|first| pod >= first)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty() && self.routers.is_empty() && self.host_network.is_none()
    }
}

fn gateway_key(
    controller: &Controller,
    gateway: Option<(NamespaceId, &str)>,
    cluster: &Cluster,
) -> Option<(Box<str>, Box<str>)> {
    let (namespace, name) = gateway.filter(|_| controller.per_gateway.is_some())?;
    Some((cluster.namespace(namespace).name.clone(), name.into()))
}

/// The input with a pod for each controller that serves a door and is not loaded; the same input
/// where there is none.
pub fn with_assumed_callers(input: &Input) -> (Input, AssumedCallers) {
    let cluster = &*input.cluster;
    let classes = DoorClasses::new(cluster, |_| false);
    let mut wanted: Vec<(&'static Controller, Option<(NamespaceId, &str)>)> = Vec::new();
    let mut has_routes = false;
    for object in cluster.doors() {
        match &object.spec {
            DoorSpec::Ingress(ingress) => {
                if let Served::By(controller) = classes.ingress(ingress) {
                    wanted.push((controller, None));
                }
            }
            DoorSpec::Gateway(gateway) => {
                if let Served::By(controller) = classes.gateway(&gateway.class) {
                    wanted.push((controller, Some((object.namespace, &*object.name))));
                }
            }
            DoorSpec::IstioGateway(_) => wanted.extend(named("istio").map(|istio| (istio, None))),
            DoorSpec::Route(_) => has_routes = true,
            _ => {}
        }
    }
    let is_router = |c: &Controller| c.id == "openshift-router";
    has_routes |= wanted.iter().any(|(controller, _)| is_router(controller));
    let mut laid = Laid {
        cluster: None,
        input,
        callers: AssumedCallers::default(),
    };
    for (controller, gateway) in wanted {
        let of_pods = controller.data_plane == DataPlane::Pods
            && !is_router(controller)
            && !classes.has_told();
        let serves_alone = controller.per_gateway.is_some() && gateway.is_some();
        if of_pods && (serves_alone || classes.pods(controller).is_empty()) {
            laid.add(controller, gateway);
        }
    }
    let no_router = named("openshift-router").is_some_and(|c| classes.pods(c).is_empty());
    if has_routes && !(no_router && classes.has_told()) {
        laid.routers(&classes);
    }
    laid.done()
}

/// The input with one controller, for a question that names it.
pub fn with_controller(input: &Input, id: &str) -> Option<Input> {
    let controller = named(id).filter(|c| c.data_plane == DataPlane::Pods)?;
    let mut laid = Laid {
        cluster: None,
        input,
        callers: AssumedCallers::default(),
    };
    laid.add(controller, None);
    Some(laid.done().0)
}

struct Laid<'i> {
    input: &'i Input,
    cluster: Option<Cluster>,
    callers: AssumedCallers,
}

impl Laid<'_> {
    fn cluster(&mut self) -> &mut Cluster {
        let input = self.input;
        self.cluster.get_or_insert_with(|| (*input.cluster).clone())
    }

    /// Adds the pod of a controller.
    fn add(&mut self, controller: &'static Controller, gateway: Option<(NamespaceId, &str)>) {
        let key = gateway_key(controller, gateway, &self.input.cluster);
        if self
            .callers
            .pods
            .contains_key(&(controller.id, key.clone()))
        {
            return;
        }
        let mut labels: Vec<(&str, &str)> = controller.labels.to_vec();
        let mut namespace = controller.namespace;
        if let (Some(per), Some((of, name))) = (controller.per_gateway, &key) {
            if per.beside_gateway {
                labels.clear();
                namespace = of;
            }
            labels.push((per.name_label, name));
            labels.extend(per.namespace_label.map(|label| (label, &**of)));
        }
        let labels: Labels = labels.into_iter().collect();
        if let Some(pod) = self.pod(
            controller.id,
            namespace,
            controller.namespace_labels,
            labels,
        ) {
            self.callers.pods.insert((controller.id, key), pod);
        }
    }

    /// Adds a pod in a namespace that has some labels besides its name, unless it is loaded.
    fn pod(
        &mut self,
        name: &str,
        namespace: &str,
        sure: &[(&str, &str)],
        labels: Labels,
    ) -> Option<PodId> {
        let first = PodId::bounded(self.cluster().pods().len());
        self.callers.first.get_or_insert(first);
        let cluster = self.cluster();
        let at = cluster.namespace_named(namespace);
        if cluster.namespace(at).declared.is_none() && !sure.is_empty() {
            let labels = sure.iter().copied().collect();
            cluster.declare_namespace(namespace, labels, Origin::nowhere());
        }
        add_pod(cluster, name, at, labels, Arc::default())
    }

    /// Adds what stands for `OpenShift`'s router.
    fn routers(&mut self, classes: &DoorClasses<'_>) {
        let Some(controller) = named("openshift-router") else {
            return;
        };
        let loaded = classes.pods(controller);
        let on_host = |id: &PodId| self.input.cluster.pod(*id).host_network;
        let strategy = self.strategy();
        let strategy = match loaded {
            [] => strategy,
            _ if loaded.iter().any(on_host) => PublishingStrategy::HostNetwork,
            _ => return,
        };
        if loaded.is_empty() && strategy != PublishingStrategy::HostNetwork {
            let labels = [(ROUTER_LABEL, "default")].into_iter().collect();
            let sure = controller.namespace_labels;
            let pod = self.pod(controller.id, controller.namespace, sure, labels);
            self.callers.routers.extend(pod);
        }
        if strategy != PublishingStrategy::PodNetwork {
            let sure = [
                ("policy-group.network.openshift.io/host-network", ""),
                ("network.openshift.io/policy-group", "ingress"),
                ("policy-group.network.openshift.io/ingress", ""),
            ];
            let pod = self.pod(
                controller.id,
                "openshift-host-network",
                &sure,
                Labels::default(),
            );
            self.callers.host_network = pod;
            if loaded.is_empty() {
                self.callers.routers.extend(pod);
            }
        }
    }

    /// How the default router is published, as far as the input tells.
    fn strategy(&self) -> PublishingStrategy {
        let default = self
            .input
            .cluster
            .doors()
            .iter()
            .find_map(|object| match &object.spec {
                DoorSpec::IngressController(controller) if *object.name == *"default" => {
                    Some(controller.strategy)
                }
                _ => None,
            });
        default.unwrap_or_default()
    }

    fn done(self) -> (Input, AssumedCallers) {
        let Some(cluster) = self.cluster else {
            return (self.input.clone(), self.callers);
        };
        let laid = Input {
            cluster: Arc::new(cluster),
            ..self.input.clone()
        };
        (laid, self.callers)
    }
}
