//! Rows: for one destination, all sources at once, grouped by what they may send.
//!
//! Phases of [`AllowGraph::row`]: the destination's ingress is walked once per local traffic atom over the whole line of
//! sources ([`AllowGraph::ingress`]); each distinct egress profile is walked once over all traffic
//! ([`AllowGraph::egress`]); the two are intersected. Views are combined at the end. No pair of pods is visited; the cost
//! is O(local atoms x ingress rules + egress profiles x their rules) set operations per destination class.

use super::graph::{AllowGraph, Allowed};
use super::peers::{Match, Runs};
use super::walk::{CompiledRule, Domain, Hit, Outcome, Walk};
use super::world::HostBehaviour;
use crate::model::Truth;
use crate::policy::Direction;
use crate::set::{Family, TrafficSet};
use std::collections::BTreeMap;

/// Sources that may send the same to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Places of the line: pod classes and address atoms.
    pub sources: Runs,
    /// What they may send.
    pub allowed: Allowed,
}

/// What may happen to each source's traffic: disjoint parts that cover the sources asked about.
type Partition = Vec<(Runs, Outcome<TrafficSet>)>;

impl AllowGraph {
    /// Everything that may reach one place of the line, grouped. Sources that may send nothing are left out.
    pub fn row(&self, destination: u32) -> Vec<Part> {
        self.rows(destination, true)
    }

    /// Everything a place admits on the way in, whether or not the sources' own policies let it out.
    pub fn admits(&self, destination: u32) -> Vec<Part> {
        self.rows(destination, false)
    }

    fn rows(&self, destination: u32, egress: bool) -> Vec<Part> {
        let behaviours = self.line.views.iter().map(|v| v.behaviour).collect::<std::collections::BTreeSet<_>>();
        let mut total: Option<Partition> = None;
        for behaviour in behaviours {
            let views = (0..self.line.views.len()).filter(|v| self.line.views[*v].behaviour == behaviour);
            let best = views.map(|view| self.view_row(destination, view, egress)).reduce(|a, b| {
                cross(&a, &b, |x, y| Outcome { allow: x.allow.union(&y.allow), deny: x.deny.intersection(&y.deny) })
            });
            let Some(best) = best else { continue };
            total = Some(match total {
                None => best,
                Some(so_far) => cross(&so_far, &best, |x, y| x.clone().either(y.clone())),
            });
        }
        merged(total.unwrap_or_default())
    }

    fn view_row(&self, destination: u32, view: usize, egress: bool) -> Partition {
        let ingress = self.ingress(destination, view);
        let open = || vec![(self.line.full(), Outcome::open())];
        let egress = if egress { self.egress(destination, view) } else { open() };
        let mut row = combined(&ingress, egress);
        if self.line.views.len() > 1 && self.line.views.iter().any(|v| v.family != self.line.views[view].family) {
            self.keep_family(&mut row, destination, view);
        }
        row
    }

    /// In the view of one family, ends that have no address of it send nothing.
    fn keep_family(&self, row: &mut Partition, destination: u32, view: usize) {
        let family = self.line.views[view].family;
        let usable = if self.line.is_class(destination) {
            self.usable_sources(destination, family)
        } else if self.atom_family(destination) == family {
            self.line.full()
        } else {
            Runs::empty()
        };
        let closed = Outcome { allow: TrafficSet::empty(), deny: TrafficSet::all() };
        let mut kept = Vec::new();
        for (sources, outcome) in row.drain(..) {
            kept.push((sources.intersection(&usable), outcome));
            kept.push((sources.difference(&usable), closed.clone()));
        }
        kept.retain(|(sources, _)| !sources.is_empty());
        *row = kept;
    }

    /// The sources that could use a family to reach a class: addresses of it, and between pods whatever either end has.
    fn usable_sources(&self, class: u32, family: Family) -> Runs {
        let with = &self.line.families[family.index()];
        let pods = if with.contains(class) { self.line.pods() } else { with.clone() };
        pods.union(&self.atoms_of(family))
    }

    fn atom_family(&self, at: u32) -> Family {
        if at - self.line.classes.len() < self.line.atoms.v4_len() { Family::V4 } else { Family::V6 }
    }

    fn atoms_of(&self, family: Family) -> Runs {
        let (first, v4) = (self.line.classes.len(), self.line.atoms.v4_len());
        match family {
            Family::V4 => Runs::from(first..=first + v4 - 1),
            Family::V6 => Runs::from(first + v4..=self.line.len() - 1),
        }
    }

    /// The destination's ingress over all sources, per local traffic atom.
    fn ingress(&self, destination: u32, view: usize) -> Vec<(TrafficSet, Outcome<Runs>)> {
        let everyone = || Outcome { allow: self.line.full(), deny: Runs::empty() };
        if !self.line.is_class(destination) {
            return vec![(TrafficSet::all(), everyone())];
        }
        let profile = self.class_profile(destination, Direction::Ingress);
        let own = self.homes.around(destination, self.line.views[view].behaviour == HostBehaviour::Node);
        let mut decided: Vec<(TrafficSet, Outcome<Runs>)> = Vec::new();
        for atom in self.local_atoms(destination, view) {
            let walk = Walk {
                policies: &self.law.policies,
                direction: Direction::Ingress.index(),
                all: self.line.full(),
                hit: |rule: &CompiledRule| {
                    if !atom.is_subset(&self.ports(rule.ports, destination, view)) {
                        return Hit { sure: Runs::none(), maybe: Runs::none() };
                    }
                    let matched = self.matched(rule, view);
                    Hit { sure: (*matched.sure).clone(), maybe: (*matched.maybe).clone() }
                },
                own_node: Hit { sure: (*own.sure).clone(), maybe: (*own.maybe).clone() },
                subject_visible: !self.hidden(destination, view),
            };
            let outcome = walk.decide(profile);
            match decided.iter_mut().find(|(_, o)| o.allow == outcome.allow && o.deny == outcome.deny) {
                Some((traffic, _)) => *traffic = traffic.union(&atom),
                None => decided.push((atom, outcome)),
            }
        }
        decided
    }

    /// All traffic, cut by the ports of the destination's own rules.
    fn local_atoms(&self, destination: u32, view: usize) -> Vec<TrafficSet> {
        let profile = self.class_profile(destination, Direction::Ingress);
        let policies = profile.admin.iter().chain(&profile.baseline).flatten().chain(&profile.network);
        let rules = policies.flat_map(|s| &self.law.policies[s.policy as usize].rules[Direction::Ingress.index()]);
        let mut ports: Vec<u32> = rules.map(|r| r.ports).collect();
        ports.sort_unstable();
        ports.dedup();
        let mut atoms = vec![TrafficSet::all()];
        for id in ports {
            let cut = self.ports(id, destination, view);
            let halves = atoms.iter().flat_map(|a| [a.intersection(&cut), a.difference(&cut)]);
            atoms = halves.filter(|a| !a.is_empty()).collect();
        }
        atoms
    }

    /// Per distinct egress profile: its sources, and what it lets out to the destination.
    fn egress(&self, destination: u32, view: usize) -> Partition {
        let mut subjects: BTreeMap<(u32, Truth), Vec<u32>> = BTreeMap::new();
        let is_node = !self.line.is_class(destination) || self.hidden(destination, view);
        let homed = if is_node { self.homes.homed_at(destination) } else { Match::default() };
        for class in 0..self.line.classes.len() {
            let profile = if self.hidden(class, view)
                && self.law.profiles[self.law.of_class[1][class as usize] as usize].admin.is_empty()
            {
                0
            } else {
                self.law.of_class[1][class as usize]
            };
            let own = homed.truth(class);
            subjects.entry((profile, own)).or_default().push(class);
        }
        let mut parts: Partition = Vec::new();
        for ((_, own), classes) in subjects {
            let Some(first) = classes.first().copied() else { continue };
            let outcome = self.traffic(first, destination, destination, Direction::Egress, view, own);
            parts.push((classes.into_iter().map(|c| c..=c).collect(), outcome));
        }
        if self.line.atoms.len() > 0 {
            let outside = Runs::from(self.line.classes.len()..=self.line.len() - 1);
            parts.push((outside, Outcome::open()));
        }
        parts
    }
}

/// Ingress and egress together.
fn combined(ingress: &[(TrafficSet, Outcome<Runs>)], egress: Partition) -> Partition {
    let mut row = Vec::new();
    for (sources, egress) in egress {
        let start = Outcome { allow: TrafficSet::empty(), deny: TrafficSet::empty() };
        let mut parts: Partition = vec![(sources, start)];
        for (atom, decided) in ingress {
            parts = parts.into_iter().flat_map(|(runs, so_far)| split(&runs, &so_far, atom, decided)).collect();
        }
        row.extend(parts.into_iter().map(|(runs, ingress)| (runs, ingress.and(egress.clone()))));
    }
    row
}

/// Splits sources by what the ingress decides for one atom of traffic, and adds that atom to what they may send.
fn split(runs: &Runs, so_far: &Outcome<TrafficSet>, atom: &TrafficSet, decided: &Outcome<Runs>) -> Partition {
    let mut parts = Vec::new();
    for (allow, inside) in [(true, runs.intersection(&decided.allow)), (false, runs.difference(&decided.allow))] {
        for (deny, sources) in [(true, inside.intersection(&decided.deny)), (false, inside.difference(&decided.deny))] {
            if sources.is_empty() {
                continue;
            }
            let add = |yes: bool, set: &TrafficSet| if yes { set.union(atom) } else { set.clone() };
            parts.push((sources, Outcome { allow: add(allow, &so_far.allow), deny: add(deny, &so_far.deny) }));
        }
    }
    parts
}

/// Combines two partitions of the same sources.
fn cross(
    a: &Partition,
    b: &Partition,
    combine: impl Fn(&Outcome<TrafficSet>, &Outcome<TrafficSet>) -> Outcome<TrafficSet>,
) -> Partition {
    let mut out = Vec::new();
    for (x, ox) in a {
        for (y, oy) in b {
            let both = x.intersection(y);
            if !both.is_empty() {
                out.push((both, combine(ox, oy)));
            }
        }
    }
    out
}

/// Melts parts of equal traffic, and drops what may send nothing.
fn merged(partition: Partition) -> Vec<Part> {
    let mut by: BTreeMap<Allowed, Runs> = BTreeMap::new();
    for (sources, outcome) in partition {
        let allowed = Allowed {
            sure: outcome.allow.difference(&outcome.deny),
            unknown: outcome.allow.intersection(&outcome.deny),
        };
        if allowed.sure.is_empty() && allowed.unknown.is_empty() {
            continue;
        }
        let runs = by.entry(allowed).or_default();
        *runs = runs.union(&sources);
    }
    by.into_iter().map(|(allowed, sources)| Part { sources, allowed }).collect()
}
