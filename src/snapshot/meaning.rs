//! What policies mean for pods that are not in the input, as one line: a digest.
//!
//! The lines about such pods are made for people. They speak of governed ends and of what policies
//! select, not of each pair of kinds, and one meaning can be put in several words. The digest is of
//! everything, and of the meaning alone: who may send what to whom, for every class of pods that
//! fare alike ([`Regions`]), every workload and every outside address. It is equal for two states
//! iff nothing differs for pods that are not loaded, as far as `diff` looks.
//!
//! What policies ask for that no input tells of a pod is in it as it is written
//! ([`crate::snapshot::untold`]): whatever it is, the verdict is unknown.
//!
//! Where policies tell more kinds of pods apart than can be made, the digest is of the policies as
//! they are written ([`crate::snapshot::written_policies`]): then it also
//! changes where a rule is written otherwise, and never fails to change where its meaning does.
//! Cost: the rows of all kinds, O(parts x kinds).

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::Allowed;
use crate::graph::external::ExternalRows;
use crate::graph::row_cache::RowCache;
use crate::input::Input;
use crate::policy::networks::labels::POLICED;
use crate::potential::regions::Regions;
use crate::potential::{PotentialPods, World};
use crate::query::list::laid_graph::LaidGraph;
use crate::query::list::listing::addresses;
use crate::set::hashed::{HashMap, IndexMap, IndexSet};
use crate::snapshot::untold::untold;
use crate::snapshot::words::{self, words};
use crate::snapshot::written_policies::written;
use crate::spec::Endpoint;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The first words of the line.
const WORD: &str = "potential";
const DIGEST: &str = "sha256:";
const AS_WRITTEN: &str = "as-written";

/// Whether a line of a snapshot is the digest.
pub(crate) fn is_digest(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        [WORD, digest] | [WORD, AS_WRITTEN, digest] => digest.starts_with(DIGEST),
        _ => false,
    }
}

/// Of more kinds than these the policies as they are written are taken.
const MOST: usize = 6_000;

/// Whether there are few enough kinds to ask each of them.
pub(crate) fn can_be_asked(pods: &PotentialPods) -> bool {
    pods.complete && pods.kinds.len() <= MOST
}

/// The line about an input with kinds laid over it.
pub(crate) fn line(input: &Input, laid: &LaidGraph) -> String {
    match meaning(laid) {
        Some(meaning) => format!("{WORD} {}", digest(&(meaning + &untold(input)))),
        None => line_as_written(input, &laid.pods),
    }
}

/// The line about the policies as they are written.
pub(crate) fn line_as_written(input: &Input, pods: &PotentialPods) -> String {
    let text = written(input, pods) + &untold(input);
    format!("{WORD} {AS_WRITTEN} {}", digest(&text))
}

/// The line where no policy is asked of pods on the pod network, if there are others.
pub(crate) fn line_of_untold(input: &Input, world: World) -> Option<String> {
    let text = untold(input);
    let is_there = world != World::Closed && !text.is_empty();
    is_there.then(|| format!("{WORD} {AS_WRITTEN} {}", digest(&text)))
}

fn digest(text: &str) -> String {
    let mut digest = DIGEST.to_owned();
    for byte in Sha256::digest(text.as_bytes()).iter().take(16) {
        _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// The meaning as text, if the kinds are all that there are.
fn meaning(laid: &LaidGraph) -> Option<String> {
    let proxies = &laid.graph.environment().policies.plugin.proxies;
    let is_split = proxies.iter().any(|proxies| proxies.key == POLICED);
    if is_split || !can_be_asked(&laid.pods) {
        return None;
    }
    let table = MeaningTable::of(laid);
    let class_of = table.classes();
    let regions = Regions::of(&laid.pods, &class_of)?;
    let (mut text, order) = regions.text();
    table.write(&class_of, &order, &mut text);
    Some(text)
}

/// One end's traffic: what certain ends may send to it, or what it may send to addresses.
type Parts = Vec<(EndpointSet, Allowed)>;

/// Everything that passes where one end is a kind.
struct MeaningTable<'l> {
    laid: &'l LaidGraph,
    /// The place of each kind on the line of the graph.
    kinds: Vec<EndpointIx>,
    /// Those places, and all that are no pods.
    kind_places: EndpointSet,
    outside: EndpointSet,
    /// The workloads at each place, and all places of each.
    loaded: BTreeMap<EndpointIx, BTreeSet<String>>,
    /// What may reach a place, as a number of a row.
    row_of: BTreeMap<EndpointIx, usize>,
    rows: IndexSet<Parts>,
    /// What the place of a kind may send to addresses, likewise.
    external_of: BTreeMap<EndpointIx, usize>,
    external: IndexSet<Parts>,
}

impl<'l> MeaningTable<'l> {
    fn of(laid: &'l LaidGraph) -> Self {
        let (graph, pods) = (&laid.graph, laid.kind_pods());
        let space = graph.space();
        let at = |pod| space.index_of(Endpoint::Pod(pod));
        let kinds: Vec<EndpointIx> = pods.into_iter().map(at).collect();
        let names = words::names(graph);
        let mut loaded: BTreeMap<EndpointIx, BTreeSet<String>> = BTreeMap::new();
        for ((_, workload), name) in laid.loaded().zip(&names) {
            for pod in &workload.pods {
                loaded.entry(at(*pod)).or_default().insert(name.clone());
            }
        }
        let (mut rows, mut external) = (IndexSet::default(), IndexSet::default());
        let (mut row_of, mut external_of) = (BTreeMap::new(), BTreeMap::new());
        let mut cache = RowCache::new(graph);
        let places: BTreeSet<EndpointIx> = kinds
            .iter()
            .copied()
            .chain(loaded.keys().copied())
            .collect();
        for place in places {
            let parts = cache.parts(place);
            let parts = parts.iter().map(|p| (p.sources.clone(), p.allowed.clone()));
            row_of.insert(place, rows.insert_full(sorted(parts)).0);
        }
        let mut out = ExternalRows::new(graph);
        for place in kinds.iter().copied() {
            let parts = out.parts(place);
            let parts = parts.iter();
            let parts = parts.map(|p| (p.destinations.clone(), p.allowed.clone()));
            external_of.insert(place, external.insert_full(sorted(parts)).0);
        }
        Self {
            laid,
            kind_places: kinds.iter().copied().collect(),
            outside: space.full().difference(&space.pods()),
            kinds,
            loaded,
            row_of,
            rows,
            external_of,
            external,
        }
    }

    /// The class of each kind: those are one that receive and send alike.
    fn classes(&self) -> Vec<usize> {
        let mut sends: HashMap<EndpointIx, Vec<(usize, usize)>> = HashMap::default();
        for (row, parts) in self.rows.iter().enumerate() {
            for (part, (sources, _)) in parts.iter().enumerate() {
                for source in sources.intersection(&self.kind_places).points() {
                    sends.entry(source).or_default().push((row, part));
                }
            }
        }
        let mut classes: IndexSet<(usize, usize, &[(usize, usize)])> = IndexSet::default();
        let class = |place: &EndpointIx| {
            let sends = sends.get(place).map_or(&[][..], Vec::as_slice);
            let (row, external) = (self.row_of[place], self.external_of[place]);
            classes.insert_full((row, external, sends)).0
        };
        self.kinds.iter().map(class).collect()
    }

    /// Writes what passes, with classes numbered in an order.
    fn write(&self, class_of: &[usize], order: &[usize], text: &mut String) {
        let numbers: HashMap<usize, usize> = order.iter().copied().zip(0..).collect();
        let number = |class: &usize| numbers.get(class).copied();
        let classes: BTreeMap<EndpointIx, Option<usize>> = self
            .kinds
            .iter()
            .copied()
            .zip(class_of.iter().map(number))
            .collect();
        let mut firsts: BTreeMap<usize, EndpointIx> = BTreeMap::new();
        for (place, number) in &classes {
            number
                .iter()
                .for_each(|n| _ = firsts.entry(*n).or_insert(*place));
        }
        for (number, place) in &firsts {
            let into = self.ends(self.row_of[place], &classes, true);
            let out = self.addresses(&self.external[self.external_of[place]]);
            _ = writeln!(text, "to class {number}: {into:?} out: {out:?}");
        }
        let mut by_name: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (place, names) in &self.loaded {
            for name in names {
                by_name.entry(name).or_default().insert(self.row_of[place]);
            }
        }
        let mut known: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for (name, rows) in by_name {
            let mut of_row = |row: &usize| {
                let made = known.entry(*row);
                made.or_insert_with(|| self.ends(*row, &classes, false))
                    .clone()
            };
            let rows: BTreeSet<BTreeSet<String>> = rows.iter().map(&mut of_row).collect();
            _ = writeln!(text, "to {name}: {rows:?}");
        }
    }

    /// A row in words, part by part: the classes that send, and of a class's row workloads and
    /// addresses as well.
    fn ends(
        &self,
        row: usize,
        classes: &BTreeMap<EndpointIx, Option<usize>>,
        everybody: bool,
    ) -> BTreeSet<String> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (sources, allowed) in &self.rows[row] {
            let ends = found.entry(self.traffic(allowed)).or_default();
            let kinds = sources.intersection(&self.kind_places);
            let numbers = kinds
                .points()
                .filter_map(|place| classes.get(&place)?.as_ref());
            ends.extend(numbers.map(|number| format!("class {number}")));
            if everybody {
                ends.extend(self.workloads(sources));
                ends.extend(self.outside(sources));
            }
        }
        found.retain(|_, ends| !ends.is_empty());
        let part = |(traffic, ends): (String, BTreeSet<String>)| format!("{traffic} {ends:?}");
        found.into_iter().map(part).collect()
    }

    /// The workloads at some places; of one that has others as well it is said.
    fn workloads(&self, places: &EndpointSet) -> BTreeSet<String> {
        let (mut within, mut beyond) = (BTreeSet::new(), BTreeSet::new());
        for (place, names) in &self.loaded {
            let side = if places.contains(*place) {
                &mut within
            } else {
                &mut beyond
            };
            side.extend(names);
        }
        let called = |name: &&String| {
            if beyond.contains(*name) {
                format!("some of {name}")
            } else {
                (*name).clone()
            }
        };
        within.iter().map(called).collect()
    }

    fn outside(&self, places: &EndpointSet) -> Option<String> {
        let outside = places.intersection(&self.outside);
        let space = self.laid.graph.space();
        (!outside.is_empty()).then(|| words::addresses(&addresses(space, &outside)))
    }

    fn addresses(&self, parts: &Parts) -> BTreeSet<String> {
        let mut by_traffic: BTreeMap<String, EndpointSet> = BTreeMap::new();
        for (places, allowed) in parts {
            let so_far = by_traffic
                .entry(self.traffic(allowed))
                .or_insert_with(EndpointSet::empty);
            *so_far = so_far.union(places);
        }
        let part = |(traffic, places): (String, EndpointSet)| {
            format!("{traffic} {:?}", self.outside(&places))
        };
        by_traffic.into_iter().map(part).collect()
    }

    /// Traffic in words; ports that stand for a name are told by the name.
    fn traffic(&self, allowed: &Allowed) -> String {
        let in_words = |set| {
            let (numbers, names) = self.laid.pods.named(set);
            format!("{} {}", words(&numbers), names.join(" "))
        };
        format!("{} / {}", in_words(&allowed.must), in_words(&allowed.may))
    }
}

/// Parts in an order that does not depend on how they were found.
fn sorted(parts: impl Iterator<Item = (EndpointSet, Allowed)>) -> Parts {
    let mut by_allowed: IndexMap<Allowed, EndpointSet> = IndexMap::default();
    for (places, allowed) in parts {
        let so_far = by_allowed.entry(allowed).or_insert_with(EndpointSet::empty);
        *so_far = so_far.union(&places);
    }
    let turned = by_allowed
        .into_iter()
        .map(|(allowed, places)| (places, allowed));
    let mut parts: Parts = turned.collect();
    parts.sort_by_key(|(places, _)| places.first());
    parts
}
