//! Which mode counts for a workload and a port (IS40-IS45).

use crate::model::{Cluster, Labels, Pod, Requirement, Selector, Truth};
use crate::policy::istio::profile::StrictPorts;
use crate::policy::istio::written::{IstioContent, IstioObject, MtlsMode, PeerAuthentication};
use crate::set::{Protocol, TrafficSet};
use std::collections::BTreeMap;

/// So many ways in which objects may count are looked at; of more none is certain.
const MOST_WAYS: usize = 64;

/// What is asked of connections to a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modes {
    /// Where an identity is asked for, by which object.
    pub strict: Vec<StrictPorts>,
    /// The ports in mode DISABLE, surely and perhaps.
    pub disabled: [TrafficSet; 2],
}

/// The objects that may count, from the workload's own to the mesh's, each with none or one of
/// several that may.
type Chain = [Option<usize>; 3];

/// The selector of some labels.
pub fn selector(labels: &BTreeMap<String, String>) -> Selector {
    let label =
        |(k, v): (&String, &String)| Requirement::In(k.as_str().into(), vec![v.as_str().into()]);
    Selector::new(labels.iter().map(label))
}

/// The modes of a pod.
pub fn modes(cluster: &Cluster, pod: &Pod, objects: &[IstioObject], root: &str) -> Modes {
    let namespace = &*cluster.namespace(pod.namespace).name;
    let labels = cluster.labels(pod.labels);
    let [own, whole, mesh] = [0, 1, 2].map(|level| {
        let found = objects.iter().enumerate();
        let of_level = |(i, object)| {
            let (peer, meant) = counts(object, level, namespace, labels, root)?;
            Some((i, peer, meant))
        };
        alternatives(found.filter_map(of_level).collect())
    });
    let mut ways: Vec<Chain> = Vec::new();
    for first in &own {
        for second in &whole {
            ways.extend(mesh.iter().map(|third| [*first, *second, *third]));
        }
    }
    let each = ways.iter().take(MOST_WAYS).map(|way| in_way(way, objects));
    together(&each.collect::<Vec<_>>(), ways.len() > MOST_WAYS)
}

/// Whether an object counts for a workload at one level, if it may: 0 is that of the workload, 1
/// that of the namespace, 2 that of the mesh (IS41).
fn counts<'o>(
    object: &'o IstioObject,
    level: usize,
    namespace: &str,
    labels: &Labels,
    root: &str,
) -> Option<(&'o PeerAuthentication, Truth)> {
    let IstioContent::Peer(peer) = &object.spec else {
        return None;
    };
    let (is_own, is_root) = (*object.namespace == *namespace, *object.namespace == *root);
    let meant = match (level, peer.selector.is_empty()) {
        (0, false) if is_own && !is_root => selector(&peer.selector).selects(labels),
        (1, true) if is_own && !is_root => Truth::Yes,
        (2, true) if is_root => Truth::Yes,
        _ => Truth::No,
    };
    meant.possible().then_some((peer, meant))
}

/// Which of the objects of one level may be the one that counts: the oldest, and of several of one
/// age any (IS43).
fn alternatives(found: Vec<(usize, &PeerAuthentication, Truth)>) -> Vec<Option<usize>> {
    let certain = found.iter().any(|(_, _, meant)| *meant == Truth::Yes);
    let told = found
        .iter()
        .all(|(_, peer, meant)| peer.created.is_some() && *meant == Truth::Yes);
    if told && let Some(oldest) = found.iter().map(|(_, peer, _)| &peer.created).min() {
        let as_old = found.iter().filter(|(_, peer, _)| peer.created == *oldest);
        return as_old.map(|(i, ..)| Some(*i)).collect();
    }
    let each = found.iter().map(|(i, _, _)| Some(*i));
    let none = (!certain).then_some(None);
    none.into_iter().chain(each).collect()
}

/// The modes where it is known which objects count.
fn in_way(chain: &Chain, objects: &[IstioObject]) -> Modes {
    let peer = |i: usize| match objects.get(i).map(|object| &object.spec) {
        Some(IstioContent::Peer(peer)) => Some(peer),
        _ => None,
    };
    let each = chain.iter().flatten().filter_map(|i| Some((*i, peer(*i)?)));
    let base = each.clone().find_map(|(i, peer)| Some((i, peer.mode?)));
    let mut rest = TrafficSet::protocol(Protocol::Tcp);
    let mut by_mode: BTreeMap<MtlsMode, TrafficSet> = BTreeMap::new();
    let own = chain[0].and_then(peer);
    for (port, mode) in own.iter().flat_map(|peer| &peer.ports) {
        let Some(mode) = mode else { continue };
        let port = TrafficSet::ports(Protocol::Tcp, *port, *port);
        rest = rest.difference(&port);
        let ports = by_mode.entry(*mode).or_insert_with(TrafficSet::empty);
        *ports = ports.union(&port);
    }
    let mut modes = Modes::default();
    let of = |mode| {
        by_mode
            .get(&mode)
            .cloned()
            .unwrap_or_else(TrafficSet::empty)
    };
    let (strict, mut disabled) = (of(MtlsMode::Strict), of(MtlsMode::Disable));
    if let Some(object) = chain[0].filter(|_| !strict.is_empty()) {
        modes.strict.push(StrictPorts {
            object,
            ports: strict,
            certain: true,
            of_ports: true,
        });
    }
    match base {
        Some((object, MtlsMode::Strict)) => modes.strict.push(StrictPorts {
            object,
            ports: rest,
            certain: true,
            of_ports: false,
        }),
        Some((_, MtlsMode::Disable)) => disabled = disabled.union(&rest),
        Some((_, MtlsMode::Permissive)) | None => {}
    }
    modes.disabled = [disabled.clone(), disabled];
    modes
}

/// What all ways agree on is certain, and the rest possible.
fn together(ways: &[Modes], more: bool) -> Modes {
    let Some((first, others)) = ways.split_first() else {
        return Modes::default();
    };
    let asked = |modes: &Modes| {
        let ports = modes.strict.iter().map(|strict| &strict.ports);
        ports.fold(TrafficSet::empty(), |all, ports| all.union(ports))
    };
    let total = asked(first);
    let agreed = others
        .iter()
        .map(asked)
        .fold(total, |all, next| all.intersection(&next));
    let mut found = Modes {
        strict: Vec::new(),
        disabled: first.disabled.clone(),
    };
    for strict in &first.strict {
        let ports = strict.ports.intersection(&agreed);
        if !ports.is_empty() && !more {
            found.strict.push(StrictPorts {
                ports,
                ..strict.clone()
            });
        }
    }
    for strict in ways.iter().flat_map(|modes| &modes.strict) {
        let ports = if more {
            strict.ports.clone()
        } else {
            strict.ports.difference(&agreed)
        };
        let perhaps = StrictPorts {
            ports,
            certain: false,
            ..strict.clone()
        };
        if !perhaps.ports.is_empty() && !found.strict.contains(&perhaps) {
            found.strict.push(perhaps);
        }
    }
    for modes in others {
        found.disabled[0] = found.disabled[0].intersection(&modes.disabled[0]);
        found.disabled[1] = found.disabled[1].union(&modes.disabled[1]);
    }
    if more {
        found.disabled[0] = TrafficSet::empty();
    }
    found
}
