//! Exports claims as live probes: tests about single flows in the form that netassert runs in a
//! cluster.
//!
//! A probe needs a workload as its source and one port of one protocol, so claims about paths,
//! default denies and snapshots have no probes; their names are returned. Cost: O(pairs of the
//! claims).

use crate::check::schema::Matching;
use crate::check::scope::{ScopedEnds, Scopes};
use crate::check::{Claim, Suite};
use crate::graph::AllowGraph;
use crate::model::{Cluster, WorkloadId, WorkloadKind};
use crate::query::ask::asked_traffic;
use crate::query::{Context, End};
use crate::set::{Protocol, Traffic};
use crate::spec::Endpoint;

/// One probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The name of the test.
    pub name: String,
    /// The source.
    pub source: WorkloadId,
    /// The destination.
    pub destination: ProbeTarget,
    /// The protocol and the port.
    pub traffic: Traffic,
    /// Whether the connection must succeed.
    pub allowed: bool,
}

/// The destination of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeTarget {
    /// A workload.
    Workload(WorkloadId),
    /// An address.
    Host(std::net::IpAddr),
}

/// The probes of a file, and the names of the tests that have none.
pub fn probes(graph: &AllowGraph, context: &Context, suite: &Suite) -> (Vec<Probe>, Vec<String>) {
    let cluster = &graph.environment().cluster;
    let scopes = Scopes {
        cluster,
        context,
        to: context,
        groups: &suite.groups,
    };
    let (mut probes, mut without) = (Vec::new(), Vec::new());
    for test in &suite.tests {
        let mut flows: Vec<(ScopedEnds, ScopedEnds, bool)> = Vec::new();
        match &test.claim {
            Claim::Can(texts, Matching::All) => {
                flows.extend(
                    texts
                        .iter()
                        .filter_map(|t| scopes.question(t).ok())
                        .map(|(a, b)| (a, b, true)),
                );
            }
            Claim::Cannot(texts) => {
                flows.extend(
                    texts
                        .iter()
                        .filter_map(|t| scopes.question(t).ok())
                        .map(|(a, b)| (a, b, false)),
                );
            }
            Claim::OnlyFrom(spec) => {
                let from = scopes.text("any").ok();
                let listed: Vec<ScopedEnds> = spec
                    .from
                    .texts()
                    .iter()
                    .filter_map(|t| scopes.text(t).ok())
                    .collect();
                if let (Some(from), Ok(to)) = (from, scopes.text(&spec.to)) {
                    flows.push((others(from, &listed, &to), to, false));
                }
            }
            _ => {}
        }
        let count = probes.len();
        for (from, to, allowed) in &flows {
            probes.extend(pairs(cluster, &test.name, from, to, *allowed));
        }
        if probes.len() == count {
            without.push(test.name.clone());
        }
    }
    (probes, without)
}

/// Every workload that is neither listed nor the destination.
fn others(mut from: ScopedEnds, listed: &[ScopedEnds], to: &ScopedEnds) -> ScopedEnds {
    let workload = |e: &End| {
        if let End::Pods { workload, .. } = e {
            Some(*workload)
        } else {
            None
        }
    };
    let known: Vec<WorkloadId> = listed
        .iter()
        .chain([to])
        .flat_map(|l| &l.resolved.ends)
        .filter_map(workload)
        .collect();
    from.resolved
        .ends
        .retain(|e| workload(e).is_some_and(|w| !known.contains(&w)));
    from
}

/// The probes between two ends.
fn pairs(
    cluster: &Cluster,
    name: &str,
    from: &ScopedEnds,
    to: &ScopedEnds,
    allowed: bool,
) -> Vec<Probe> {
    let mut probes = Vec::new();
    for source in &from.resolved.ends {
        let End::Pods {
            workload: source, ..
        } = source
        else {
            continue;
        };
        for end in &to.resolved.ends {
            let (destination, at) = match end {
                End::Pods { workload, pods, .. }
                    if workload != source && can_be_probed(cluster, *workload) =>
                {
                    (
                        ProbeTarget::Workload(*workload),
                        pods.first().map(|pod| Endpoint::Pod(*pod)),
                    )
                }
                End::Addresses { set, .. } => match set.first() {
                    Some(address) => (ProbeTarget::Host(address), Some(Endpoint::Address(address))),
                    None => continue,
                },
                End::Pods { .. } => continue,
            };
            let asked = asked_traffic::traffic(cluster, &to.spec, &to.resolved, at)
                .ok()
                .flatten();
            let pod = at.and_then(|at| match at {
                Endpoint::Pod(pod) => Some(cluster.pod(pod)),
                Endpoint::Address(_) => None,
            });
            let declared = pod.and_then(|p| p.ports.first()).map(|p| Traffic {
                protocol: p.protocol,
                port: p.port,
            });
            let Some(traffic) = asked.map_or(declared, |set| set.sample()) else {
                continue;
            };
            if can_be_probed(cluster, *source) && traffic.protocol != Protocol::Sctp {
                probes.push(Probe {
                    name: name.to_owned(),
                    source: *source,
                    destination,
                    traffic,
                    allowed,
                });
            }
        }
    }
    probes
}

/// Whether netassert can probe a workload.
fn can_be_probed(cluster: &Cluster, workload: WorkloadId) -> bool {
    matches!(
        cluster.workload(workload).kind,
        WorkloadKind::Pod
            | WorkloadKind::Deployment
            | WorkloadKind::StatefulSet
            | WorkloadKind::DaemonSet
    )
}
