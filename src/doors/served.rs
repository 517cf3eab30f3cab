//! Who serves an Ingress or a Gateway (DO52 to DO58, DO72).
//!
//! A class leads to an object of the class, and that to a controller. Where the input holds no such
//! objects at all, as the repository of an application does, a well-known name is taken for the
//! product that it usually means.

use crate::doors::caller::{Caller, Proxies};
use crate::doors::controllers::{CONTROLLERS, Controller, DataPlane};
use crate::doors::reason::DoorReason;
use crate::model::doors::{DoorSpec, Ingress};
use crate::model::{Cluster, LabelsId, PodId};
use crate::set::hashed::{HashMap, HashSet};
use std::sync::Arc;

/// Who serves a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// A controller of the table.
    By(&'static Controller),
    /// A controller that is not in the table.
    ByOther,
    /// Nobody.
    Nobody(DoorReason),
    /// It is not told.
    Untold(DoorReason),
    /// Somebody, for callers of a private network.
    Inside(DoorReason),
}

/// The classes of a cluster, and the controllers whose pods are loaded.
pub struct DoorClasses<'c> {
    ingress: HashMap<&'c str, &'c str>,
    defaults: Vec<&'c str>,
    gateway: HashMap<&'c str, &'c str>,
    loaded: HashMap<&'static str, Vec<PodId>>,
    told: Vec<Arc<[PodId]>>,
}

impl<'c> DoorClasses<'c> {
    /// Looks through a cluster, but for pods that stand in for others. O(pods + controllers x
    /// distinct label sets).
    pub fn new(cluster: &'c Cluster, stands_in: impl Fn(PodId) -> bool) -> Self {
        let mut classes = Self {
            ingress: HashMap::default(),
            defaults: Vec::new(),
            gateway: HashMap::default(),
            loaded: loaded(cluster, stands_in),
            told: cluster.told_controllers().map(Into::into).collect(),
        };
        for object in cluster.doors() {
            match &object.spec {
                DoorSpec::IngressClass(class) => {
                    classes.ingress.insert(&object.name, &class.controller);
                    if class.default {
                        classes.defaults.push(&class.controller);
                    }
                }
                DoorSpec::GatewayClass(class) => {
                    classes.gateway.insert(&object.name, &class.controller);
                }
                _ => {}
            }
        }
        classes
    }

    /// The loaded pods of a controller.
    pub fn pods(&self, controller: &Controller) -> &[PodId] {
        self.loaded.get(controller.id).map_or(&[], Vec::as_slice)
    }

    /// Whether it is told which workloads serve doors.
    pub fn has_told(&self) -> bool {
        !self.told.is_empty()
    }

    /// Who calls where the input does not show it: the workloads of which it is told.
    pub fn told(&self) -> Caller {
        if self.told.is_empty() {
            return Caller::Untold;
        }
        Caller::Proxies(Proxies {
            alternatives: self.told.clone(),
            assumed: false,
        })
    }

    /// Who serves an Ingress.
    pub fn ingress(&self, ingress: &Ingress) -> Served {
        self.or_told(self.of_ingress(ingress))
    }

    /// What is not told by the input, as far as it is told besides.
    fn or_told(&self, served: Served) -> Served {
        match served {
            Served::Untold(_) if self.has_told() => Served::ByOther,
            served => served,
        }
    }

    fn of_ingress(&self, ingress: &Ingress) -> Served {
        match (&ingress.class, &ingress.annotated_class) {
            (Some(class), Some(annotated)) if class != annotated => {
                Served::Nobody(DoorReason::ClassAndAnnotationDiffer)
            }
            (None, None) => self.without_class(),
            (class, annotated) => {
                let name = class.as_ref().or(annotated.as_ref());
                let name = name.map_or("", |name| &**name);
                self.of_class(name, annotated.is_some())
            }
        }
    }

    fn of_class(&self, name: &str, annotated: bool) -> Served {
        let reads = |c: &&Controller| c.ingress_classes.contains(&name);
        let by_annotation = CONTROLLERS.iter().filter(|c| c.annotation_only);
        if annotated {
            let mut google = by_annotation.clone();
            if google.any(|c| c.internal_classes.contains(&name)) {
                return Served::Inside(DoorReason::InternalClass);
            }
            if let Some(found) = by_annotation.clone().find(reads) {
                return Served::By(found);
            }
        }
        if let Some(controller) = self.ingress.get(name) {
            let found = CONTROLLERS.iter().find(|c| c.serves_class(controller));
            return found.map_or(Served::ByOther, Served::By);
        }
        let mut by_name = CONTROLLERS
            .iter()
            .filter(|c| !c.annotation_only)
            .filter(reads);
        if self.ingress.is_empty() {
            return self.well_known(by_name, DoorReason::ClassNotInInput);
        }
        match by_name.find(|c| c.by_class_name) {
            Some(found) => Served::By(found),
            None => Served::Nobody(DoorReason::ClassUnknown),
        }
    }

    /// Of controllers that a name may mean, the one whose pods are loaded, else the first.
    fn well_known(
        &self,
        named: impl Iterator<Item = &'static Controller>,
        otherwise: DoorReason,
    ) -> Served {
        let named: Vec<&'static Controller> = named.collect();
        let loaded = named.iter().find(|c| !self.pods(c).is_empty());
        let found = loaded.or_else(|| named.first());
        found.map_or(Served::Untold(otherwise), |found| Served::By(found))
    }

    fn without_class(&self) -> Served {
        match self.defaults[..] {
            [] => {}
            [controller] => {
                let found = CONTROLLERS.iter().find(|c| c.serves_class(controller));
                return found.map_or(Served::ByOther, Served::By);
            }
            _ => return Served::Untold(DoorReason::SeveralDefaultClasses),
        }
        let loaded = |c: &&Controller| !self.pods(c).is_empty();
        let mut all = CONTROLLERS.iter().filter(loaded);
        match all.clone().find(|c| c.takes_classless) {
            Some(found) => Served::By(found),
            None if all.next().is_some() => Served::Nobody(DoorReason::NoClass),
            None => Served::Untold(DoorReason::NoClass),
        }
    }

    /// Who serves a Gateway of a class.
    pub fn gateway(&self, class: &str) -> Served {
        self.or_told(self.of_gateway(class))
    }

    fn of_gateway(&self, class: &str) -> Served {
        if CONTROLLERS
            .iter()
            .any(|c| c.internal_classes.contains(&class))
        {
            return Served::Inside(DoorReason::InternalClass);
        }
        if let Some(controller) = self.gateway.get(class) {
            let found = CONTROLLERS.iter().find(|c| c.serves_gateways(controller));
            return found.map_or(Served::ByOther, Served::By);
        }
        if self.gateway.is_empty() {
            let named = CONTROLLERS
                .iter()
                .filter(|c| c.gateway_classes.contains(&class));
            return self.well_known(named, DoorReason::ClassNotInInput);
        }
        Served::Nobody(DoorReason::ClassUnknown)
    }
}

/// The pods of each controller.
fn loaded(
    cluster: &Cluster,
    stands_in: impl Fn(PodId) -> bool,
) -> HashMap<&'static str, Vec<PodId>> {
    let with_pods = CONTROLLERS
        .iter()
        .filter(|c| c.data_plane == DataPlane::Pods);
    let mut labels_of: Vec<(&'static str, HashSet<LabelsId>)> = Vec::new();
    for controller in with_pods {
        let carried = cluster.label_sets_with(controller.labels);
        if !carried.is_empty() {
            labels_of.push((controller.id, carried));
        }
    }
    let mut found: HashMap<&'static str, Vec<PodId>> = HashMap::default();
    if labels_of.is_empty() {
        return found;
    }
    for (id, pod) in cluster.pods().filter(|(id, _)| !stands_in(*id)) {
        for (controller, _) in labels_of.iter().filter(|(_, l)| l.contains(&pod.labels)) {
            found.entry(controller).or_default().push(id);
        }
    }
    found
}
