//! Declared uses of paths that close: the environment of a workload that names the Service behind a
//! destination.
//!
//! Only what is written in the manifest of the source counts: values of `env`, as a host name with
//! dots, or a bare name where it is clearly a host (`://name`, `name:port`). Values that come from
//! a `ConfigMap` or Secret are not read, so the absence of a declared use proves nothing. Cost:
//! O(sources of closing paths x their environment).

use crate::diff::align::endpoint::DiffParty;
use crate::diff::answer::{Block, Change, Diff};
use crate::diff::before_after::Side;
use crate::diff::kind::Kind;
use crate::model::{Cluster, ContainerPort, Service, ServicePort, TargetPort, WorkloadId};
use crate::set::{Traffic, TrafficSet};
use crate::source::DocumentId;
use crate::tree::{Locator, SyntaxNode};

/// A use that a manifest declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The change that closes its path: an index into the changes of the diff.
    pub change: usize,
    /// The workload that declares it, in the ids of the after side.
    pub workload: WorkloadId,
    /// The environment variable.
    pub variable: Box<str>,
    /// The host it names.
    pub host: Box<str>,
}

/// For how many source workloads of a block the environment is read.
const SOURCE_LIMIT: usize = 100;

/// The declared uses of the paths that close, or may close.
pub fn declared(after: Side<'_>, diff: &Diff) -> Vec<Use> {
    let locator = Locator::new(&after.input.sources);
    let closing = |c: &Change| matches!(c.kind, Kind::Narrowed | Kind::MayNarrow);
    let mut uses = Vec::new();
    for (index, change) in diff.changes.iter().enumerate().filter(|(_, c)| closing(c)) {
        for block in &change.blocks {
            uses_of_block(after, &locator, (index, change), block, &mut uses);
        }
    }
    uses
}

/// Adds the uses that the sources of a block declare of its destinations.
fn uses_of_block(
    after: Side<'_>,
    locator: &Locator<'_>,
    change: (usize, &Change),
    block: &Block,
    uses: &mut Vec<Use>,
) {
    let cluster = &after.input.cluster;
    let destinations: Vec<WorkloadId> = workloads(&block.destinations).collect();
    let services: Vec<(&Service, WorkloadId)> = cluster
        .services()
        .flat_map(|(_, s)| destinations.iter().map(move |d| (s, *d)))
        .filter(|(s, d)| leads_to(cluster, s, *d))
        .collect();
    if services.is_empty() {
        return;
    }
    for workload in workloads(&block.sources).take(SOURCE_LIMIT) {
        let home = &cluster.namespace(cluster.workload(workload).namespace).name;
        for (variable, value) in environment(locator, cluster.workload(workload).origin.document) {
            let is_used = |host: &Host<'_>| {
                services.iter().any(|(s, d)| {
                    is_named(cluster, s, home, host)
                        && closes(cluster, s, *d, host, &change.1.traffic)
                })
            };
            for host in hosts(&value).into_iter().filter(is_used) {
                let found = Use {
                    change: change.0,
                    workload,
                    variable: variable.clone(),
                    host: host.name.into(),
                };
                if !uses.contains(&found) {
                    uses.push(found);
                }
            }
        }
    }
}

/// The workloads among some parties, in the ids of the after side.
fn workloads(parties: &[DiffParty]) -> impl Iterator<Item = WorkloadId> {
    parties.iter().filter_map(|p| {
        if let DiffParty::Workload(_, after) = p {
            Some(*after)
        } else {
            None
        }
    })
}

/// Whether a Service selects a pod of a workload.
fn leads_to(cluster: &Cluster, service: &Service, workload: WorkloadId) -> bool {
    let workload = cluster.workload(workload);
    let Some(selector) = &service.selector else {
        return false;
    };
    service.namespace == workload.namespace
        && workload
            .pods
            .iter()
            .any(|p| selector.selects(cluster.pod_labels(*p)).possible())
}

/// The environment variables of a workload's containers that have a literal value.
fn environment(locator: &Locator<'_>, document: DocumentId) -> Vec<(Box<str>, String)> {
    let Some(object) = locator.node(document) else {
        return Vec::new();
    };
    let below = |keys: &[&str]| keys.iter().try_fold(&*object, |node, key| node.get(key));
    let template = [
        &["spec", "template", "spec"][..],
        &["spec", "jobTemplate", "spec", "template", "spec"],
        &["spec"],
    ];
    let Some(spec) = template.iter().find_map(|keys| below(keys)) else {
        return Vec::new();
    };
    let containers = ["initContainers", "containers"]
        .into_iter()
        .filter_map(|key| spec.get(key))
        .flat_map(SyntaxNode::items);
    let variables = containers
        .filter_map(|c| c.get("env"))
        .flat_map(SyntaxNode::items);
    let text = |variable: &SyntaxNode, key| {
        variable
            .get(key)
            .and_then(SyntaxNode::as_str)
            .map(str::to_owned)
    };
    variables
        .filter_map(|v| Some((text(v, "name")?.into(), text(v, "value")?)))
        .collect()
}

/// A possible host in a value.
struct Host<'a> {
    name: &'a str,
    port: Option<u16>,
    /// Whether it is clearly a host: it follows `://` or `@`, or has a port.
    explicit: bool,
}

/// Everything in a value that may be the name of a host.
fn hosts(value: &str) -> Vec<Host<'_>> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let mut hosts = Vec::new();
    let mut start = 0;
    while let Some(begin) = value[start..].find(part).map(|i| start + i) {
        let end = value[begin..]
            .find(|c| !part(c))
            .map_or(value.len(), |i| begin + i);
        let after = value[end..].strip_prefix(':').unwrap_or_default();
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let port = after[..digits].parse().ok();
        let follows_scheme = value[..begin].ends_with("://") || value[..begin].ends_with('@');
        hosts.push(Host {
            name: value[begin..end].trim_end_matches('.'),
            port,
            explicit: follows_scheme || port.is_some(),
        });
        start = end;
    }
    hosts
}

/// Whether a host is a name of this Service, as resolved from the namespace `home`.
fn is_named(cluster: &Cluster, service: &Service, home: &str, host: &Host<'_>) -> bool {
    let namespace = &cluster.namespace(service.namespace).name;
    let rest = host.name.strip_prefix(&*service.name);
    match rest {
        Some("") => host.explicit && *home == **namespace,
        Some(rest) => {
            let domain = rest
                .strip_prefix('.')
                .and_then(|r| r.strip_prefix(&**namespace));
            domain.is_some_and(|d| d.is_empty() || d == ".svc" || d.starts_with(".svc."))
        }
        None => false,
    }
}

/// Whether the port of a host, if it has one, leads to traffic that closes.
fn closes(
    cluster: &Cluster,
    service: &Service,
    to: WorkloadId,
    host: &Host<'_>,
    closing: &TrafficSet,
) -> bool {
    let Some(port) = host.port else { return true };
    service
        .ports
        .iter()
        .any(|p| p.port == port && closes_port(cluster, p, to, closing))
}

/// Whether a port of a Service leads to traffic of a workload that closes.
fn closes_port(
    cluster: &Cluster,
    service_port: &ServicePort,
    to: WorkloadId,
    closing: &TrafficSet,
) -> bool {
    let protocol = service_port.protocol;
    let closes = |port: u16| closing.contains(Traffic { protocol, port });
    match &service_port.target {
        TargetPort::Number(port) => closes(*port),
        TargetPort::Name(name) => cluster.workload(to).pods.iter().any(|pod| {
            let named =
                |c: &&ContainerPort| c.name.as_deref() == Some(name) && c.protocol == protocol;
            let port = cluster.pod(*pod).ports.iter().find(named);
            port.is_some_and(|c| closes(c.port))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str) -> Vec<(&str, Option<u16>, bool)> {
        hosts(value)
            .into_iter()
            .map(|h| (h.name, h.port, h.explicit))
            .collect()
    }

    #[test]
    fn hosts_are_found_in_urls_lists_and_plain_names() {
        assert!(found("postgres://u:p@db.data.svc:5432/x").contains(&(
            "db.data.svc",
            Some(5432),
            true
        )));
        assert!(found("http://cart").contains(&("cart", None, true)));
        assert_eq!(found("cart"), [("cart", None, false)]);
        assert_eq!(
            found("a:1,b.c.:99999"),
            [
                ("a", Some(1), true),
                ("1", None, false),
                ("b.c", None, false),
                ("99999", None, false)
            ]
        );
        assert!(found("é://").is_empty());
    }
}
