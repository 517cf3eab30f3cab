//! [`ObjectFacts`]: what objects of the cluster say besides labels, as far as layers go by it.

use crate::model::{NamespaceId, PodId};
use crate::set::hashed::HashMap;
use std::sync::Arc;

/// Annotations of an object, those that bind it to a layer.
pub type Annotations = Box<[(Box<str>, Box<str>)]>;

/// What is kept of the objects of a cluster while its layers are read.
#[derive(Debug, Default)]
pub struct ObjectFacts {
    /// The service accounts of pods that name one.
    pub accounts: HashMap<PodId, Arc<str>>,
    /// The annotations of pods.
    pub pods: HashMap<PodId, Annotations>,
    /// The annotations of namespaces.
    pub namespaces: HashMap<NamespaceId, Annotations>,
    /// The annotations of Services.
    pub services: HashMap<(NamespaceId, Box<str>), Annotations>,
}

/// The service account of a pod that names none.
const DEFAULT_ACCOUNT: &str = "default";

/// How the fact is kept that a pod has a container of a name; no annotation is called so.
pub const CONTAINER: &str = "container ";

impl ObjectFacts {
    /// The service account that a pod runs as.
    pub fn account(&self, pod: PodId) -> &str {
        self.accounts.get(&pod).map_or(DEFAULT_ACCOUNT, |a| a)
    }

    /// The value of an annotation of a pod.
    pub fn of_pod(&self, pod: PodId, key: &str) -> Option<&str> {
        value(self.pods.get(&pod)?, key)
    }

    /// The value of an annotation of a namespace.
    pub fn of_namespace(&self, namespace: NamespaceId, key: &str) -> Option<&str> {
        value(self.namespaces.get(&namespace)?, key)
    }

    /// The value of an annotation of a Service.
    pub fn of_service(&self, namespace: NamespaceId, name: &str, key: &str) -> Option<&str> {
        value(self.services.get(&(namespace, name.into()))?, key)
    }

    /// Whether a pod has a container of a name.
    pub fn has_container(&self, pod: PodId, name: &str) -> bool {
        let annotations = self.pods.get(&pod).map_or(&[][..], |a| a);
        let named = |key: &str| key.strip_prefix(CONTAINER) == Some(name);
        annotations.iter().any(|(key, _)| named(key))
    }
}

fn value<'a>(annotations: &'a Annotations, key: &str) -> Option<&'a str> {
    let found = annotations.iter().find(|(k, _)| **k == *key);
    found.map(|(_, value)| &**value)
}
