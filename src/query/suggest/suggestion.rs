//! The smallest addition to the law that lets through what was asked, and nothing else.
//!
//! Phases: [`needs`] finds the sides that do not certainly allow and why; [`candidates`] lists, for
//! each of them, the additions worth trying, the smallest first; [`suggest`] applies them in memory
//! and keeps the first that [`verify`] finds to open what was asked and to turn nothing else. What
//! no addition can do is answered with the obstacle.
//!
//! Road not taken: widening an existing peer or selector. It is shorter at times and opens more
//! than was asked.

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::model::{NAMESPACE_NAME_LABEL, PodId};
use crate::policy::tier::kubernetes;
use crate::policy::{Direction, Policy, PolicyId, RuleRef, author};
use crate::query::ask::answer::Pair;
use crate::query::ask::resolve::End;
use crate::query::explain::explanation::{Reason, Side, explain};
use crate::query::suggest::minimal_selector;
use crate::query::suggest::trial::{Asked, Change, Failure, Place, Turned, ends, verify};
use crate::set::{IpSet, Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Environment, Flow};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Why no addition does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A rule of the Admin tier denies it before any `NetworkPolicy` is asked: that rule has to
    /// change.
    Admin(RuleRef),
    /// A rule of the Baseline tier denies it; no policy that takes its place, or gets ahead of it,
    /// spares everything else.
    Baseline(RuleRef),
    /// Something netpal cannot decide stands in the way.
    Unknown(Direction, Reason),
    /// No selector sees a pod on its node's network, and its address is not known.
    HostNetwork(Endpoint),
    /// Every addition that opens it also turns this: the API has no way to tell the two apart.
    Turns(Turned),
    /// Too many flows would have to be compared.
    TooWide,
    /// The additions tried do not suffice.
    NotEnough(Flow),
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggested {
    /// It is allowed already.
    Nothing,
    /// These additions open it and turn nothing else; applied and compared.
    Changes(Vec<Change>),
    /// No addition does.
    Impossible(Vec<Obstacle>),
}

/// How many flows of a question are looked at for what stops them.
const LOOKED_AT: usize = 400;
/// How many policies are tried for each side.
const POLICIES: usize = 3;

/// What stops a side.
struct Need {
    direction: Direction,
    side: Side,
}

/// Looks for the smallest addition that lets a pair's traffic through.
pub fn suggest(input: &Input, graph: &AllowGraph, pair: &Pair) -> Suggested {
    if pair.led.is_some() {
        return led_obstacles(graph, pair);
    }
    let asked = asked(pair);
    let needs = needs(graph, &asked);
    if needs.is_empty() {
        return Suggested::Nothing;
    }
    let firm: Vec<Obstacle> = needs.iter().filter_map(|n| obstacle(graph, n)).collect();
    if !firm.is_empty() {
        return Suggested::Impossible(distinct(firm));
    }
    let mut sides: Vec<Vec<Change>> = Vec::new();
    for direction in [Direction::Egress, Direction::Ingress] {
        let of_side: Vec<&Need> = needs.iter().filter(|n| n.direction == direction).collect();
        if of_side.is_empty() {
            continue;
        }
        match candidates(graph, pair, &asked, direction, &of_side) {
            Ok(found) => sides.push(found),
            Err(obstacle) => return Suggested::Impossible(vec![obstacle]),
        }
    }
    first_good(input, graph, &sides, &asked).unwrap_or_else(|failures| {
        let baseline = needs
            .iter()
            .filter(|n| matches!(n.side.reason, Reason::DenyTier(_)))
            .filter_map(|n| n.side.decided_by);
        let failed = failures.into_iter().filter_map(|f| failed(&f));
        Suggested::Impossible(distinct(
            baseline.map(Obstacle::Baseline).chain(failed).collect(),
        ))
    })
}

/// What stands in the way where a Service led a connection (S54, S41). No `NetworkPolicy` decides
/// there: it spares a pod's call to itself, and which address it sees of a caller at a node is what
/// is not told.
fn led_obstacles(graph: &AllowGraph, pair: &Pair) -> Suggested {
    let told = pair.explain(graph);
    if told.allowed == crate::model::Truth::Yes {
        return Suggested::Nothing;
    }
    if told.led.is_some() {
        return Suggested::Impossible(vec![Obstacle::Unknown(Direction::Ingress, told.reason())]);
    }
    let policies = &graph.environment().policies;
    let overrules =
        |rule: RuleRef| policies.is_before(policies.get(rule.policy).tier, kubernetes::NETWORK);
    let stops = |side: &Side| match (side.reason, side.decided_by) {
        _ if side.allowed == crate::model::Truth::Yes => None,
        (Reason::DenyTier(_), Some(rule)) if !overrules(rule) => Some(Obstacle::Baseline(rule)),
        (_, Some(rule)) => Some(Obstacle::Admin(rule)),
        (reason, None) => Some(Obstacle::Unknown(side.direction, reason)),
    };
    Suggested::Impossible(told.sides().into_iter().filter_map(stops).collect())
}

fn asked(pair: &Pair) -> Asked {
    let pods = |end: &End| match end {
        End::Pods { pods, .. } => pods.iter().copied().collect(),
        End::Addresses { .. } => BTreeSet::new(),
    };
    let addresses = |end: &End| match end {
        End::Pods { .. } => IpSet::empty(),
        End::Addresses { set, .. } => set.clone(),
    };
    Asked {
        sources: pods(&pair.source),
        from: addresses(&pair.source),
        destinations: pods(&pair.destination),
        to: addresses(&pair.destination),
        traffic: pair.asked.clone(),
    }
}

/// The sides that do not certainly allow, each kind once.
fn needs(graph: &AllowGraph, asked: &Asked) -> Vec<Need> {
    let sources = ends(graph, &asked.sources, &asked.from);
    let destinations = ends(graph, &asked.destinations, &asked.to);
    let flows = sources
        .iter()
        .flat_map(|s| destinations.iter().map(move |d| (*s, *d)))
        .take(LOOKED_AT);
    let mut needs: Vec<Need> = Vec::new();
    for (source, destination) in flows {
        for traffic in missing(graph, asked, source, destination) {
            let explanation = explain(
                graph,
                &Flow {
                    source,
                    destination,
                    traffic,
                },
            );
            let other = explanation
                .other
                .into_iter()
                .flat_map(|w| [w.egress, w.ingress]);
            let sides = [explanation.egress, explanation.ingress]
                .into_iter()
                .chain(other);
            for side in sides.filter(|s| s.allowed != crate::model::Truth::Yes) {
                let same = |n: &Need| {
                    n.direction == side.direction
                        && (n.side.reason, n.side.decided_by, n.side.subject)
                            == (side.reason, side.decided_by, side.subject)
                };
                if !needs.iter().any(same) {
                    needs.push(Need {
                        direction: side.direction,
                        side,
                    });
                }
            }
        }
    }
    needs
}

/// One port of each piece of what is asked and not certainly allowed.
fn missing(
    graph: &AllowGraph,
    asked: &Asked,
    source: Endpoint,
    destination: Endpoint,
) -> Vec<Traffic> {
    let missing: TrafficSet = asked
        .traffic
        .difference(&graph.allowed(source, destination).must);
    let port = |piece| match piece {
        crate::set::traffic::TrafficRange::Ports(protocol, port, _) => Traffic { protocol, port },
        crate::set::traffic::TrafficRange::OtherProtocols => Traffic {
            protocol: Protocol::Tcp,
            port: 1,
        },
    };
    missing.pieces().map(port).collect()
}

/// What no `NetworkPolicy` can overcome.
fn obstacle(graph: &AllowGraph, need: &Need) -> Option<Obstacle> {
    let policies = &graph.environment().policies;
    let side = &need.side;
    let admin_doubt = side
        .doubts
        .iter()
        .any(|d| policies.is_before(policies.get(d.at.policy).tier, kubernetes::NETWORK));
    match (side.reason, side.decided_by) {
        (Reason::DenyTier(_), Some(rule))
            if policies.is_before(policies.get(rule.policy).tier, kubernetes::NETWORK) =>
        {
            Some(Obstacle::Admin(rule))
        }
        (
            Reason::UnknownUnsupportedKind | Reason::UnknownBrokenPolicy | Reason::UnknownPriority,
            _,
        ) => Some(Obstacle::Unknown(need.direction, side.reason)),
        (reason, _) if admin_doubt => Some(Obstacle::Unknown(need.direction, reason)),
        _ => None,
    }
}

/// The additions worth trying on one side, the smallest first: a port of a rule that is for this
/// peer anyway, a rule of the policy that came closest or of another that isolates, a policy of its
/// own.
fn candidates(
    graph: &AllowGraph,
    pair: &Pair,
    asked: &Asked,
    direction: Direction,
    needs: &[&Need],
) -> Result<Vec<Change>, Obstacle> {
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
    let rule = rule(direction, &peers, ports.as_deref());
    let mut found = Vec::new();
    for need in needs {
        found.extend(port_change(graph, need, ports.as_deref()));
    }
    let policies = policies(graph, needs, subjects, direction);
    found.extend(policies.into_iter().map(|id| Change {
        direction,
        place: Place::Rule(id),
        content: rule.clone(),
    }));
    found.push(new_policy(graph, direction, subjects, peer, rule));
    found.extend(needs.iter().find_map(|n| exception(graph, n, asked, peer)));
    Ok(found)
}

fn rule(direction: Direction, peers: &[Json], ports: Option<&[Json]>) -> Json {
    let field = if direction == Direction::Ingress {
        "from"
    } else {
        "to"
    };
    let mut rule = json!({field: peers});
    if let Some(ports) = ports {
        rule["ports"] = json!(ports);
    }
    rule
}

/// Where a rule admits the peer already, on other ports: one port more.
fn port_change(graph: &AllowGraph, need: &Need, ports: Option<&[Json]>) -> Option<Change> {
    let near = need
        .side
        .near
        .as_ref()
        .filter(|_| need.side.reason == Reason::DenyPort)?;
    let [port] = ports? else { return None };
    let is_list =
        crate::query::explain::explanation::names_ports(graph.environment().policies.rule(near.at));
    let place = Place::Port(RuleRef {
        peer: None,
        port: None,
        ..near.at
    });
    is_list.then(|| Change {
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
    let governs = |id: PolicyId| {
        subjects.iter().all(|p| {
            let profile = graph.effective(Endpoint::Pod(*p), direction);
            profile.is_some_and(|p| {
                p.isolating()
                    .any(|s| s.certain && graph.policy_of(s.policy) == id)
            })
        })
    };
    for id in near.chain(isolating) {
        if !found.contains(&id) && governs(id) {
            found.push(id);
        }
    }
    found.truncate(POLICIES);
    found
}

fn new_policy(
    graph: &AllowGraph,
    direction: Direction,
    subjects: &BTreeSet<PodId>,
    peer: &End,
    rule: Json,
) -> Change {
    let env = graph.environment();
    let cluster = &env.cluster;
    let first = subjects.first().map(|p| cluster.pod(*p));
    let namespace = first.map_or("default", |p| &cluster.namespace(p.namespace).name);
    let subject = first.map_or("", |p| &cluster.workload(p.workload).name);
    let peer = match peer {
        End::Pods { workload, .. } => &cluster.workload(*workload).name,
        End::Addresses { name, .. } => name,
    };
    let word = if direction == Direction::Ingress {
        "from"
    } else {
        "to"
    };
    let name = free_name(
        &env.policies.policies,
        namespace,
        &format!("{subject}-{word}-{peer}"),
    );
    let pods = minimal_selector::pod_selector(env, subjects);
    let content = author::network_policy(namespace, &name, &pods, direction, rule);
    Change {
        direction,
        place: Place::Policy {
            namespace: namespace.into(),
            name: name.into(),
        },
        content,
    }
}

/// Where a rule of the Baseline tier denies: a policy of that tier that is asked just before, for
/// these ends alone.
fn exception(graph: &AllowGraph, need: &Need, asked: &Asked, peer: &End) -> Option<Change> {
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
    let word = if direction == Direction::Ingress {
        "from"
    } else {
        "to"
    };
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
    Some(Change {
        direction,
        place: Place::Policy {
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

/// A valid name that no policy of the namespace has.
fn free_name(policies: &[Policy], namespace: &str, wanted: &str) -> String {
    let valid = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let plain: String = wanted.chars().map(valid).collect();
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

/// The first combination of one addition per side that does it.
fn first_good(
    input: &Input,
    graph: &AllowGraph,
    sides: &[Vec<Change>],
    asked: &Asked,
) -> Result<Suggested, Vec<Failure>> {
    let mut combinations: Vec<Vec<Change>> = vec![Vec::new()];
    for side in sides {
        let longer = |so_far: &Vec<Change>| {
            let so_far = so_far.clone();
            side.iter()
                .map(move |c| so_far.iter().chain([c]).cloned().collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        combinations = combinations.iter().flat_map(longer).collect();
    }
    let mut failures = Vec::new();
    for changes in combinations.into_iter().filter(|c| !c.is_empty()) {
        match verify(input, graph, &changes, asked) {
            Ok(_) => return Ok(Suggested::Changes(changes)),
            Err(failure) => failures.push(failure),
        }
    }
    Err(failures)
}

fn failed(failure: &Failure) -> Option<Obstacle> {
    match failure {
        Failure::Unusable => None,
        Failure::NotEnough(flow) => Some(Obstacle::NotEnough(*flow)),
        Failure::Turns(turned) => Some(Obstacle::Turns(*turned)),
        Failure::TooWide => Some(Obstacle::TooWide),
    }
}

/// Each obstacle once; of several additions that turn something, what the last and narrowest turns
/// says it best.
fn distinct(obstacles: Vec<Obstacle>) -> Vec<Obstacle> {
    let mut kept: Vec<Obstacle> = Vec::new();
    for obstacle in obstacles.into_iter().rev() {
        let kind = std::mem::discriminant(&obstacle);
        let firm = matches!(obstacle, Obstacle::Admin(_) | Obstacle::Baseline(_));
        let known = kept
            .iter()
            .any(|k| *k == obstacle || (!firm && std::mem::discriminant(k) == kind));
        if !known {
            kept.push(obstacle);
        }
    }
    kept.reverse();
    kept
}
