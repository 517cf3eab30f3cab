//! What travels to the port of the proxy between pods of Linkerd's mesh (LD60).

use crate::policy::linkerd::profile::{LinkerdProfile, PROFILE};
use crate::policy::linkerd::settings::LinkerdSettings;
use crate::policy::proxies::{MeshProxies, Tunnel, TunnelWay};
use crate::set::{Protocol, TrafficSet};
use std::collections::BTreeSet;

/// The port on which proxies take what other proxies send.
const INBOUND: u16 = 4143;

/// The ports of the proxy itself.
const OWN_PORTS: [u16; 2] = [4190, 4191];

/// How traffic travels between the pods of these profiles.
pub fn tunnels(profiles: &[LinkerdProfile], settings: &LinkerdSettings) -> Option<MeshProxies> {
    if profiles.is_empty() {
        return None;
    }
    let number = |i: usize| -> Box<str> { i.to_string().into() };
    let sources = grouped(profiles.iter().map(|profile| profile.skips_out.clone()));
    let destinations = grouped(profiles.iter().map(|p| transported(p, settings)));
    let mut tunnels = Vec::new();
    for (skipped, from) in &sources {
        for (sent, to) in &destinations {
            let traffic = sent.difference(skipped);
            if !traffic.is_empty() {
                tunnels.push(Tunnel {
                    sources: from.iter().map(|i| number(*i)).collect(),
                    destinations: to.iter().map(|i| number(*i)).collect(),
                    traffic,
                    way: TunnelWay::Port(INBOUND),
                });
            }
        }
    }
    let names = profiles.iter().enumerate();
    Some(MeshProxies {
        key: PROFILE,
        names: names.map(|(i, p)| (number(i), p.names.clone())).collect(),
        tunnels,
        outside: Vec::new(),
    })
}

/// What proxies send to the proxy of a pod.
fn transported(profile: &LinkerdProfile, settings: &LinkerdSettings) -> TrafficSet {
    let own = OWN_PORTS.iter();
    let own = own.map(|port| TrafficSet::ports(Protocol::Tcp, *port, *port));
    let taken = own.fold(profile.skips_in.clone(), |all, port| all.union(&port));
    let sent = if settings.transports.unwrap_or(true) {
        TrafficSet::protocol(Protocol::Tcp)
    } else {
        profile.opaque.clone()
    };
    sent.difference(&taken)
}

/// The numbers of equal sets.
fn grouped(sets: impl Iterator<Item = TrafficSet>) -> Vec<(TrafficSet, BTreeSet<usize>)> {
    let mut found: Vec<(TrafficSet, BTreeSet<usize>)> = Vec::new();
    for (i, set) in sets.enumerate() {
        match found.iter_mut().find(|(known, _)| *known == set) {
            Some((_, numbers)) => _ = numbers.insert(i),
            None => found.push((set, [i].into())),
        }
    }
    found
}
