//! Labels that do not last: what controllers set on the pods of one rollout or one run.
//!
//! Cost: O(requirements of the selector).

use crate::model::{Requirement, Selector};

/// Labels that a controller sets anew on every rollout or run.
const UNSTABLE: [&str; 5] = [
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
];

/// Labels that hold the name of the Job that made a pod.
pub(crate) const JOB_NAME: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];

/// The label of a selector that changes by itself, if there is one.
pub(crate) fn unstable_label(selector: &Selector) -> Option<&str> {
    let changes = |r: &&Requirement| UNSTABLE.contains(&r.key()) || JOB_NAME.contains(&r.key());
    selector
        .requirements()
        .iter()
        .find(changes)
        .map(Requirement::key)
}
