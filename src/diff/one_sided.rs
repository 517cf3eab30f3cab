//! Workloads that only one side has: there is nothing to compare them with, so only their openness
//! is reported.

use crate::compile::effective_policy::EffectivePolicy;
use crate::compile::endpoint_index::EndpointIx;
use crate::diff::answer::OneSided;
use crate::diff::before_after::Side;
use crate::model::{PodId, WorkloadId};
use crate::policy::Direction;
use crate::spec::Endpoint;

/// How open a workload is that only this side has.
pub fn one_sided(side: Side<'_>, workload: WorkloadId) -> OneSided {
    let pods = &side.input.cluster.workload(workload).pods;
    let open = |direction| {
        let policy = |p: &PodId| side.graph.effective(Endpoint::Pod(*p), direction);
        pods.iter()
            .all(|p| policy(p).is_some_and(EffectivePolicy::is_open))
    };
    let open_in = open(Direction::Ingress);
    let open_out = open(Direction::Egress);
    let connected = open_in || open_out || pods.iter().any(|p| is_connected(side, *p));
    OneSided {
        workload,
        open_in,
        open_out,
        connected,
    }
}

/// Whether any flow passes between a pod and anything but itself. O(endpoints).
fn is_connected(side: Side<'_>, pod: PodId) -> bool {
    let space = side.graph.space();
    let class = space.index_of(Endpoint::Pod(pod));
    let is_itself =
        |endpoint: EndpointIx| endpoint == class && space.classes.members(class).len() == 1;
    let mut row = side.graph.row(class).into_iter();
    row.any(|part| part.sources.points().any(|source| !is_itself(source)))
        || space
            .indexes()
            .filter(|endpoint| !is_itself(*endpoint))
            .any(|endpoint| may_send(side, pod, space.representative(endpoint)))
}

/// Whether anything passes, or may pass, from a pod to an endpoint.
fn may_send(side: Side<'_>, pod: PodId, destination: Endpoint) -> bool {
    let allowed = side.graph.allowed(Endpoint::Pod(pod), destination);
    !(allowed.must.is_empty() && allowed.is_exact())
}
