//! [`BoundPod`]: what binds a pod to policies of other dialects.

use crate::model::PodId;
use std::sync::Arc;

/// A pod with what binds it to policies of other dialects, besides its labels.
pub struct BoundPod {
    /// The pod.
    pub pod: PodId,
    /// The service account it runs as.
    pub account: Option<Arc<str>>,
    /// Annotations.
    pub annotations: Box<[(Box<str>, Box<str>)]>,
}

impl BoundPod {
    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        let found = self.annotations.iter().find(|(k, _)| **k == *key);
        found.map(|(_, value)| &**value)
    }
}
