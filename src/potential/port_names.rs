//! Traffic of pods that are not in the input: the numbers that stand for port names are told by the
//! names.

use crate::potential::pods::PotentialPods;
use crate::set::{Protocol, Traffic, TrafficSet};

impl PotentialPods {
    /// The part of some traffic that a question about ports is about. Which number a name has is
    /// not told, so that what goes to a name alone is always part of it.
    pub fn cut(&self, traffic: &TrafficSet, asked: &TrafficSet) -> TrafficSet {
        let has = |protocol: Protocol, port: u16| traffic.contains(Traffic { protocol, port });
        let mut kept = traffic.intersection(asked);
        for declared in self.ports() {
            let (protocol, port) = (declared.protocol, declared.port);
            let any = TrafficSet::ports(protocol, 1, u16::MAX);
            let is_asked = !any.intersection(asked).is_empty();
            if is_asked && has(protocol, port) && !has(protocol, self.unnamed_port) {
                kept = kept.union(&TrafficSet::ports(protocol, port, port));
            }
        }
        kept
    }

    /// Some traffic without the numbers that stand for names, and these names: `"https"/TCP` where
    /// only the name is meant, `except "https"/TCP` where all other ports are.
    pub fn named(&self, traffic: &TrafficSet) -> (TrafficSet, Vec<String>) {
        let has = |protocol: Protocol, port: u16| traffic.contains(Traffic { protocol, port });
        let (mut numbers, mut names) = (traffic.clone(), Vec::new());
        for declared in self.ports() {
            let (protocol, port) = (declared.protocol, declared.port);
            let number = TrafficSet::ports(protocol, port, port);
            let name = declared.name.as_deref().unwrap_or_default();
            match (has(protocol, port), has(protocol, self.unnamed_port)) {
                (true, false) => {
                    numbers = numbers.difference(&number);
                    names.push(format!("\"{name}\"/{}", protocol.name()));
                }
                (false, true) => {
                    numbers = numbers.union(&number);
                    names.push(format!("except \"{name}\"/{}", protocol.name()));
                }
                _ => {}
            }
        }
        (numbers, names)
    }
}
