//! The additions that are worth trying on one side of a flow, as the API writes them.
//!
//! Cost: one selector per end ([`crate::query::suggest::minimal_selector`]).

use crate::graph::AllowGraph;
use crate::model::{NAMESPACE_NAME_LABEL, PodId, Requirement, Selector};
use crate::policy::{Direction, Peer, Peers, Policy, PolicyId, author};
use crate::query::ask::answer::Pair;
use crate::query::ask::resolved::End;
use crate::query::explain::explanation::{Reason, names_ports};
use crate::query::suggest::minimal_selector;
use crate::query::suggest::obstacle::{Need, Obstacle};
use crate::query::suggest::trial::{Addition, AdditionPlace, AskedFlows};
use crate::spec::{Endpoint, Environment};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// The number of existing policies that are tried for each side.
const POLICIES: usize = 3;

/// The additions worth trying on one side, the smallest first: a port in a rule that admits the
/// peer already, a rule in the policy that came closest or in another that isolates, a policy of
/// its own, and an exception ahead of a Baseline rule. What would be written into a policy for
/// every pod of a namespace comes last: it is read as what holds for all of them.
///
/// # Errors
/// With the obstacle if no addition can describe the ends.
pub(crate) fn candidates(
    graph: &AllowGraph,
    pair: &Pair,
    asked: &AskedFlows,
    direction: Direction,
    needs: &[&Need],
) -> Result<Vec<Addition>, Obstacle> {
    let env = graph.environment();
    let (subject, peer, subjects) = match direction {
        Direction::Egress => (&pair.source, &pair.destination, &asked.sources),
        Direction::Ingress => (&pair.destination, &pair.source, &asked.destinations),
    };
    let End::Pods { .. } = subject else {
        return Ok(Vec::new());
    };
    let Some(first) = subjects.first() else {
        return Ok(Vec::new());
    };
    let namespace = &*env.cluster.pod_namespace(*first).name;
    let host = |p: &&PodId| env.cluster.pod(**p).host_network;
    if let Some(host) = subjects.iter().find(host) {
        return Err(Obstacle::HostNetwork(Endpoint::Pod(*host)));
    }
    let unlabelled = |p: &&PodId| !is_labelled(env, **p);
    let others = asked.sources.iter().chain(&asked.destinations);
    if let Some(pod) = others.clone().find(unlabelled) {
        return Err(Obstacle::Unlabelled(Endpoint::Pod(*pod)));
    }
    let Some(peers) = minimal_selector::peers(env, peer, namespace) else {
        let pods = if direction == Direction::Egress {
            &asked.destinations
        } else {
            &asked.sources
        };
        let found = pods
            .iter()
            .find(host)
            .map(|p| Obstacle::HostNetwork(Endpoint::Pod(*p)));
        return Err(found.unwrap_or(Obstacle::TooWide));
    };
    let ports = minimal_selector::ports(&asked.traffic);
    let rule = rule_json(direction, &peers, ports.as_deref());
    let existing = needs
        .iter()
        .filter_map(|need| port_change(graph, need, ports.as_deref()));
    let policies = policies(graph, needs, subjects, direction);
    let existing = existing.chain(policies.into_iter().map(|id| Addition {
        direction,
        place: AdditionPlace::Rule(id),
        content: rule.clone(),
    }));
    let (mut found, shared): (Vec<Addition>, Vec<Addition>) =
        existing.partition(|addition| is_of_workloads(env, addition));
    found.push(new_policy(graph, direction, subjects, peer, rule));
    found.extend(needs.iter().find_map(|n| exception(graph, n, asked, peer)));
    found.extend(shared);
    Ok(found)
}

/// Whether a pod has a label by which it can be selected.
fn is_labelled(env: &Environment, pod: PodId) -> bool {
    let alone = [pod].into_iter().collect();
    let host = env.cluster.pod(pod).host_network;
    let selector = minimal_selector::pod_selector(env, &alone);
    host || selector.get("matchLabels").is_some()
}

/// Whether what is added to is a policy for pods with a certain label, and not one for every pod of
/// its namespace; and so are the peers of a rule that gets a port. More pods may come, and what is
/// added would open to them too.
fn is_of_workloads(env: &Environment, addition: &Addition) -> bool {
    let is_named = |id: PolicyId| names_a_label(&env.policies.get(id).subject.pods);
    let is_narrow = |peer: &Peer| match peer {
        Peer::Pods(_, pods) => names_a_label(pods),
        Peer::Addresses(_) => true,
        _ => false,
    };
    match &addition.place {
        AdditionPlace::Rule(id) => is_named(*id),
        AdditionPlace::Port(at) => {
            let narrow = matches!(&env.policies.rule(*at).peers, Peers::Of(list)
                if list.iter().all(is_narrow));
            is_named(at.policy) && narrow
        }
        AdditionPlace::Policy { .. } => true,
    }
}

/// Whether a selector asks for a label, and not only for the absence of some.
fn names_a_label(selector: &Selector) -> bool {
    selector
        .requirements()
        .iter()
        .any(|r| matches!(r, Requirement::In(..) | Requirement::Exists(_)))
}

/// A rule for some peers and ports.
fn rule_json(direction: Direction, peers: &[Json], ports: Option<&[Json]>) -> Json {
    let field = preposition(direction);
    let mut rule = json!({field: peers});
    if let Some(ports) = ports {
        rule["ports"] = json!(ports);
    }
    rule
}

/// One more port, where a rule admits the peer already on other ports.
fn port_change(graph: &AllowGraph, need: &Need, ports: Option<&[Json]>) -> Option<Addition> {
    let near = need
        .side
        .near
        .as_ref()
        .filter(|_| need.side.reason == Reason::DenyPort)?;
    let [port] = ports? else { return None };
    let is_list = names_ports(graph.environment().policies.rule(near.at));
    let place = AdditionPlace::Port(near.at.whole());
    is_list.then(|| Addition {
        direction: need.direction,
        place,
        content: port.clone(),
    })
}

/// Policies that isolate all the subjects in this direction: the one that came closest first.
fn policies(
    graph: &AllowGraph,
    needs: &[&Need],
    subjects: &BTreeSet<PodId>,
    direction: Direction,
) -> Vec<PolicyId> {
    let near = needs
        .iter()
        .filter_map(|n| n.side.near.as_ref())
        .map(|r| r.at.policy);
    let isolating = needs
        .iter()
        .flat_map(|n| n.side.isolated_by.iter().copied());
    let mut found: Vec<PolicyId> = Vec::new();
    let isolates = |id: PolicyId, pod: &PodId| isolates(graph, id, *pod, direction);
    for id in near.chain(isolating) {
        if !found.contains(&id) && subjects.iter().all(|pod| isolates(id, pod)) {
            found.push(id);
        }
    }
    found.truncate(POLICIES);
    found
}

/// Whether a policy certainly isolates a pod in one direction.
fn isolates(graph: &AllowGraph, id: PolicyId, pod: PodId, direction: Direction) -> bool {
    let effective = graph.effective(Endpoint::Pod(pod), direction);
    effective.is_some_and(|effective| {
        effective
            .isolating()
            .any(|s| s.certain && graph.policy_of(s.policy) == id)
    })
}

/// A policy of its own for the subjects.
fn new_policy(
    graph: &AllowGraph,
    direction: Direction,
    subjects: &BTreeSet<PodId>,
    peer: &End,
    rule: Json,
) -> Addition {
    let env = graph.environment();
    let cluster = &env.cluster;
    let first = subjects.first().map(|p| cluster.pod(*p));
    let namespace = first.map_or("default", |p| &cluster.namespace(p.namespace).name);
    let subject = first.map_or("", |p| &cluster.workload(p.workload).name);
    let peer = match peer {
        End::Pods { workload, .. } => &cluster.workload(*workload).name,
        End::Addresses { name, .. } => name,
    };
    let word = preposition(direction);
    let name = free_name(
        &env.policies.policies,
        namespace,
        &format!("{subject}-{word}-{peer}"),
    );
    let pods = minimal_selector::pod_selector(env, subjects);
    let content = author::network_policy(namespace, &name, &pods, direction, rule);
    Addition {
        direction,
        place: AdditionPlace::Policy {
            namespace: namespace.into(),
            name: name.into(),
        },
        content,
    }
}

/// An exception where a rule of the Baseline tier denies: a policy of that tier that precedes the
/// rule and applies to these ends only.
fn exception(graph: &AllowGraph, need: &Need, asked: &AskedFlows, peer: &End) -> Option<Addition> {
    let env = graph.environment();
    let denied = need
        .side
        .decided_by
        .filter(|_| matches!(need.side.reason, Reason::DenyTier(_)))?;
    let direction = need.direction;
    let (subjects, others) = match direction {
        Direction::Egress => (&asked.sources, &asked.destinations),
        Direction::Ingress => (&asked.destinations, &asked.sources),
    };
    let others = match peer {
        End::Pods { .. } => author::Others::Pods {
            namespace: namespace_selector(env, others)?,
            pods: minimal_selector::pod_selector(env, others),
        },
        End::Addresses { set, .. } => author::Others::Blocks(
            set.to_cidrs()
                .iter()
                .take(26)
                .map(ToString::to_string)
                .collect(),
        ),
    };
    let subject = env.cluster.pod(*subjects.first()?);
    let word = preposition(direction);
    let peer = match peer {
        End::Pods { workload, .. } => &env.cluster.workload(*workload).name,
        End::Addresses { name, .. } => name,
    };
    let wanted = format!(
        "{}-{word}-{peer}",
        env.cluster.workload(subject.workload).name
    );
    let name = free_name(&env.policies.policies, "", &wanted);
    let selectors = (
        namespace_selector(env, subjects)?,
        minimal_selector::pod_selector(env, subjects),
    );
    let ahead_of = env.policies.get(denied.policy);
    let content = author::exception(
        ahead_of,
        &name,
        direction,
        (&selectors.0, &selectors.1),
        &others,
        &asked.traffic,
    )?;
    Some(Addition {
        direction,
        place: AdditionPlace::Policy {
            namespace: Box::default(),
            name: name.into(),
        },
        content,
    })
}

fn namespace_selector(env: &Environment, pods: &BTreeSet<PodId>) -> Option<Json> {
    let name = &env.cluster.pod_namespace(*pods.first()?).name;
    Some(json!({"matchLabels": {NAMESPACE_NAME_LABEL: name}}))
}

/// A valid name that no policy of the namespace has yet.
fn free_name(policies: &[Policy], namespace: &str, wanted: &str) -> String {
    let valid_char = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let plain: String = wanted.chars().map(valid_char).collect();
    let stem: String = plain.trim_matches('-').chars().take(50).collect();
    let stem = stem.trim_matches('-');
    let stem = if stem.is_empty() { "allow" } else { stem };
    let taken = |name: &str| {
        policies
            .iter()
            .any(|p| *p.name == *name && p.namespace.as_deref().unwrap_or_default() == namespace)
    };
    let numbered = (2..).map(|n| format!("{stem}-{n}"));
    std::iter::once(stem.to_owned())
        .chain(numbered)
        .find(|n| !taken(n))
        .unwrap_or_default()
}

/// The word that relates the subject of a policy to its peers.
fn preposition(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    }
}
