//! Ground truth that is read in place: which end of a flow a word of a table means.

use netpal::{Endpoint, Input};

/// The end that a table names: `namespace/pod`, `namespace/kind/workload`, or an address, which is
/// the pod's that has it.
pub fn endpoint(input: &Input, text: &str) -> Option<Endpoint> {
    let cluster = &input.cluster;
    let parts: Vec<&str> = text.split('/').collect();
    let found = |namespace: &str, is_named: &dyn Fn(&netpal::Pod) -> bool| {
        let mut pods = cluster.pods();
        let pod =
            pods.find(|(id, pod)| is_named(pod) && *cluster.pod_namespace(*id).name == *namespace);
        pod.map(|(id, _)| Endpoint::Pod(id))
    };
    match parts[..] {
        [namespace, _, name] => found(namespace, &|pod| {
            *cluster.workload(pod.workload).name == *name
        }),
        [namespace, name] => found(namespace, &|pod| *pod.name == *name),
        _ => {
            let address = text.parse().ok()?;
            let mut pods = cluster.pods();
            let pod = pods.find(|(_, pod)| !pod.host_network && pod.addresses.contains(&address));
            Some(pod.map_or(Endpoint::Address(address), |(id, _)| Endpoint::Pod(id)))
        }
    }
}
