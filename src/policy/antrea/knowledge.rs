//! What is known when a policy is lowered.

use crate::model::Cluster;
use crate::policy::antrea::objects::AntreaObjects;

/// What is known besides a policy.
#[derive(Clone, Copy)]
pub struct AntreaKnowledge<'k> {
    /// Tiers and groups.
    pub objects: &'k AntreaObjects,
    /// The cluster, once it is known.
    pub cluster: Option<&'k Cluster>,
    /// The Service that all traffic calls, by namespace and name, where that is told.
    pub called: Option<&'k [Box<str>; 2]>,
}

impl<'k> AntreaKnowledge<'k> {
    /// Nothing besides the policy is known.
    pub fn alone(objects: &'k AntreaObjects) -> Self {
        Self {
            objects,
            cluster: None,
            called: None,
        }
    }
}
