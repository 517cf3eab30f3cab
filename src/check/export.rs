//! The same claims as live probes: tests about single flows in the form that netassert runs in a
//! cluster.
//!
//! A probe needs a workload at its source and one port of one protocol, so claims about paths,
//! default denies and snapshots have none; they are counted. O(pairs of the claims).

use crate::check::schema::Matching;
use crate::check::scope::{Ends, Scopes};
use crate::check::{Claim, Suite};
use crate::graph::AllowGraph;
use crate::model::{Cluster, WorkloadId, WorkloadKind};
use crate::query::ask::resolve;
use crate::query::{Context, End};
use crate::set::{Protocol, Traffic};

/// One probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What it says.
    pub name: String,
    /// Where it starts.
    pub source: WorkloadId,
    /// Where it goes.
    pub destination: Target,
    /// On which port.
    pub traffic: Traffic,
    /// Whether the connection must succeed.
    pub allowed: bool,
}

/// Where a probe goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
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
        groups: &suite.groups,
    };
    let (mut probes, mut without) = (Vec::new(), Vec::new());
    for test in &suite.tests {
        let mut flows: Vec<(Ends, Ends, bool)> = Vec::new();
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
                let listed: Vec<Ends> = spec
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
fn others(mut from: Ends, listed: &[Ends], to: &Ends) -> Ends {
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

fn pairs(cluster: &Cluster, name: &str, from: &Ends, to: &Ends, allowed: bool) -> Vec<Probe> {
    let probed = |w: WorkloadId| {
        matches!(
            cluster.workload(w).kind,
            WorkloadKind::Pod
                | WorkloadKind::Deployment
                | WorkloadKind::StatefulSet
                | WorkloadKind::DaemonSet
        )
    };
    let mut probes = Vec::new();
    for source in &from.resolved.ends {
        let End::Pods {
            workload: source, ..
        } = source
        else {
            continue;
        };
        for end in &to.resolved.ends {
            let (destination, pod) = match end {
                End::Pods { workload, pods } if workload != source && probed(*workload) => (
                    Target::Workload(*workload),
                    pods.first().map(|p| cluster.pod(*p)),
                ),
                End::Addresses { set, .. } => match set.first() {
                    Some(address) => (Target::Host(address), None),
                    None => continue,
                },
                End::Pods { .. } => continue,
            };
            let asked = resolve::traffic(cluster, &to.spec, &to.resolved, pod)
                .ok()
                .flatten();
            let declared = pod.and_then(|p| p.ports.first()).map(|p| Traffic {
                protocol: p.protocol,
                port: p.port,
            });
            let Some(traffic) = asked.map_or(declared, |set| set.sample()) else {
                continue;
            };
            if probed(*source) && traffic.protocol != Protocol::Sctp {
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
