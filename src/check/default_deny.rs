//! Default deny: every workload in scope is isolated. A policy for the whole namespace is one way
//! to achieve that, but not the only one.
//!
//! Pods that share their node's network are skipped where they count as their node, because no
//! policy can isolate a node. Cost: O(namespaces x workloads).

use crate::check::outcome::{ClaimVerdict, Example, Status};
use crate::check::schema::{DefaultDeny, Scope, WaySpec};
use crate::check::scope::{Trouble, requirements};
use crate::graph::AllowGraph;
use crate::model::{Namespace, NamespaceId, PodId, Truth};
use crate::policy::tier::TierEnd;
use crate::policy::{Direction, Namespaces};
use crate::spec::HostNetwork;

/// Whether every workload is isolated in every direction.
pub fn default_deny(graph: &AllowGraph, spec: &DefaultDeny) -> Result<ClaimVerdict, Trouble> {
    let verdict = of_workloads(graph, spec)?;
    match absent_name(graph, &spec.namespaces) {
        Some(name) if verdict.status == Status::Passed => Err(Trouble::Absent(format!(
            "no namespace `{name}` is in the input"
        ))),
        _ => Ok(verdict),
    }
}

fn of_workloads(graph: &AllowGraph, spec: &DefaultDeny) -> Result<ClaimVerdict, Trouble> {
    let cluster = &graph.environment().cluster;
    let scope = namespaces(graph, &spec.namespaces)?;
    let directions = directions(spec);
    let mut doubt = None;
    for (namespace, in_scope) in scope {
        for direction in &directions {
            if spec.require_policy && !has_policy(graph, namespace, *direction) {
                let example = Example::NoPolicy(namespace, *direction);
                match in_scope {
                    Truth::Yes => return Ok(ClaimVerdict::failed(example)),
                    _ => doubt = doubt.or(Some(example)),
                }
            }
            for (id, workload) in cluster
                .workloads()
                .filter(|(_, w)| w.namespace == namespace)
            {
                let isolated = workload
                    .pods
                    .iter()
                    .map(|p| isolated(graph, *p, *direction))
                    .min()
                    .unwrap_or(Truth::Yes);
                match (isolated, in_scope) {
                    (Truth::Yes, _) => {}
                    (Truth::No, Truth::Yes) => {
                        return Ok(ClaimVerdict::failed(Example::Open(id, *direction)));
                    }
                    _ => doubt = doubt.or(Some(Example::Open(id, *direction))),
                }
            }
        }
    }
    Ok(doubt.map_or_else(ClaimVerdict::passed, ClaimVerdict::undecided))
}

/// The directions that are asked about.
fn directions(spec: &DefaultDeny) -> Vec<Direction> {
    let direction = |way: &WaySpec| match way {
        WaySpec::Ingress => Direction::Ingress,
        WaySpec::Egress => Direction::Egress,
    };
    if spec.directions.is_empty() {
        Direction::ALL.to_vec()
    } else {
        spec.directions.iter().map(direction).collect()
    }
}

/// The first of some pods that are not in the input and come to a namespace in scope that policies
/// do not isolate in every direction, else one of which that is not known; `None` where no
/// namespace in scope is one of theirs, or a name of the scope is no namespace. Each pod is given
/// with the name of its namespace.
pub fn open_to_come<'n>(
    graph: &AllowGraph,
    spec: &DefaultDeny,
    pods: impl Iterator<Item = (PodId, &'n str)>,
) -> Option<(Truth, Option<(PodId, Direction)>)> {
    if absent_name(graph, &spec.namespaces).is_some() {
        return None;
    }
    let cluster = &graph.environment().cluster;
    let scope_of = |name: &str| match cluster.find_namespace(name) {
        Some(id) => in_scope(&spec.namespaces, cluster.namespace(id)),
        None => Truth::from(is_named(&spec.namespaces, name)),
    };
    let directions = directions(spec);
    let mut found = None;
    for (pod, namespace) in pods {
        let in_scope = scope_of(namespace);
        if !in_scope.possible() {
            continue;
        }
        let so_far = found.get_or_insert((Truth::Yes, None));
        for direction in &directions {
            let isolated = match (graph.isolated(pod, *direction), in_scope) {
                (Truth::No, Truth::Maybe) => Truth::Maybe,
                (isolated, _) => isolated,
            };
            if isolated < so_far.0 {
                *so_far = (isolated, Some((pod, *direction)));
            }
        }
    }
    found
}

/// Whether a pod is isolated in one direction.
fn isolated(graph: &AllowGraph, pod: PodId, direction: Direction) -> Truth {
    let host = graph.environment().cluster.pod(pod).host_network;
    match graph.environment().options.host_network {
        HostNetwork::Node if host => Truth::Yes,
        HostNetwork::Unknown if host => Truth::Maybe,
        _ => graph.isolated(pod, direction),
    }
}

/// The namespaces that may be in scope and have workloads, each with whether it is in scope.
fn namespaces(graph: &AllowGraph, scope: &Scope) -> Result<Vec<(NamespaceId, Truth)>, Trouble> {
    let cluster = &graph.environment().cluster;
    let used = |id: NamespaceId| cluster.workloads().any(|(_, w)| w.namespace == id);
    let all = cluster.namespaces();
    let all = all.map(|(id, namespace)| (id, in_scope(scope, namespace)));
    let found: Vec<(NamespaceId, Truth)> =
        all.filter(|(id, t)| t.possible() && used(*id)).collect();
    if found.is_empty() {
        return Err(Trouble::Absent(
            "no namespace with a workload is in scope".into(),
        ));
    }
    Ok(found)
}

/// The first namespace that a scope names and neither an object nor a policy of the input does, so
/// that a misspelt name does not pass.
fn absent_name<'s>(graph: &AllowGraph, scope: &'s Scope) -> Option<&'s str> {
    let Scope::Names(names) = scope else {
        return None;
    };
    let env = graph.environment();
    let of_policy = |name: &str| {
        let mut policies = env.policies.policies.iter();
        policies.any(|policy| policy.namespace.as_deref() == Some(name))
    };
    let is_absent = |name: &&String| {
        env.cluster.find_namespace(name.as_str()).is_none() && !of_policy(name.as_str())
    };
    names.iter().find(is_absent).map(String::as_str)
}

/// Whether a namespace is in scope.
fn in_scope(scope: &Scope, namespace: &Namespace) -> Truth {
    match scope {
        Scope::All => Truth::Yes,
        Scope::Names(_) => Truth::from(is_named(scope, &namespace.name)),
        Scope::Select(map) if map.except.iter().any(|n| **n == *namespace.name) => Truth::No,
        Scope::Select(map) => {
            namespace.selected_by(&requirements(&map.match_labels, &map.match_expressions))
        }
    }
}

/// Whether a scope names a namespace.
fn is_named(scope: &Scope, name: &str) -> bool {
    matches!(scope, Scope::Names(names) if names.iter().any(|n| **n == *name))
}

/// Whether a namespace has a policy that selects every pod and allows nothing, which auditors look
/// for.
fn has_policy(graph: &AllowGraph, namespace: NamespaceId, direction: Direction) -> bool {
    let name = &graph.environment().cluster.namespace(namespace).name;
    graph.environment().policies.policies.iter().any(|p| {
        graph.environment().policies.tier_of(p).end != TierEnd::Pass
            && p.isolates(direction)
            && p.rules(direction).is_empty()
            && p.subject.pods.is_everything()
            && matches!(&p.subject.namespaces, Namespaces::Named(n) if n == name)
    })
}
