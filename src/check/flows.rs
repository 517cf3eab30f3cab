//! Claims about single flows: can, cannot, only-from, only-to, internet.
//!
//! Every claim is a walk over pairs of endpoints, each with what it may ask of the other and what passes ([`Judge::each`]).
//! Pods that no rule can tell apart are asked once. Host-network sources and destinations whose verdict is unknown only
//! because they may be the pod's own node are let through in `only-from` and `only-to`: the API always allows that (S55).

use super::file::{Internet, Matching, OnlyFrom, OnlyTo};
use super::scope::{Ends, Scopes, Trouble};
use super::{Example, Verdict};
use crate::compile::{AllowGraph, Allowed, Endpoint, Flow};
use crate::model::{PodId, Truth, WorkloadId};
use crate::policy::RuleRef;
use crate::query::explain::{Reason, explain};
use crate::query::led::{self, Led};
use crate::query::{End, resolve};
use crate::set::{Family, IpSet, Protocol, Traffic, TrafficSet};
use std::collections::{BTreeSet, HashMap, HashSet};

const ANY: Traffic = Traffic { protocol: Protocol::Tcp, port: 1 };

/// How many flows are explained for the sake of coverage.
const EXPLAINED: usize = 20_000;

/// Decides flows and remembers what it decided.
pub struct Judge<'a> {
    /// What is allowed.
    pub graph: &'a AllowGraph,
    known: HashMap<(u32, u32), Allowed>,
    asked: HashSet<(u32, u32, Traffic)>,
    exercised: BTreeSet<RuleRef>,
}

/// One pair of endpoints that a claim asks about.
struct Asked {
    source: Endpoint,
    destination: Endpoint,
    /// What is asked; everything where no port was named.
    traffic: TrafficSet,
    allowed: Allowed,
    /// What the Service that was named changes.
    led: Option<Led>,
    /// Whether it is known that both belong to the ends asked about.
    certain: bool,
}

impl Asked {
    fn flow(&self, of: &TrafficSet) -> Flow {
        let traffic = of.sample().or_else(|| self.traffic.sample()).unwrap_or(ANY);
        Flow { source: self.source, destination: self.destination, traffic }
    }
}

/// The verdict so far: a failure outweighs a doubt.
struct Tally {
    asked: usize,
    failed: Option<Example>,
    doubt: Option<Example>,
}

impl Tally {
    fn new() -> Self {
        Self { asked: 0, failed: None, doubt: None }
    }

    fn add(&mut self, truth: Truth, certain: bool, example: impl FnOnce() -> Example) {
        match truth {
            Truth::No if certain && self.failed.is_none() => self.failed = Some(example()),
            Truth::Maybe | Truth::No if self.doubt.is_none() => self.doubt = Some(example()),
            _ => {}
        }
    }

    fn verdict(self) -> Verdict {
        match (self.failed, self.doubt) {
            (Some(example), _) => Verdict::failed(example),
            (None, Some(example)) => Verdict::undecided(example),
            (None, None) => Verdict::passed(),
        }
    }
}

impl<'a> Judge<'a> {
    /// Nothing decided yet.
    pub fn new(graph: &'a AllowGraph) -> Self {
        Self { graph, known: HashMap::new(), asked: HashSet::new(), exercised: BTreeSet::new() }
    }

    /// The rules that decided a flow some claim asked about.
    pub fn exercised(self) -> BTreeSet<RuleRef> {
        self.exercised
    }

    /// What passes between two endpoints; a flow that passes exercises the rules that let it.
    pub fn allowed(&mut self, source: Endpoint, destination: Endpoint) -> Allowed {
        let line = self.graph.line();
        let key = (line.place(source), line.place(destination));
        let host = |e: Endpoint| matches!(e, Endpoint::Pod(p) if self.graph.world().cluster.pod(p).host_network);
        if key.0 == key.1 || host(source) || host(destination) {
            return self.graph.allowed(source, destination);
        }
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let allowed = self.graph.allowed(source, destination);
        self.known.insert(key, allowed.clone());
        allowed
    }

    /// Notes the rules that let a flow pass.
    pub fn exercise(&mut self, flow: &Flow) {
        let line = self.graph.line();
        let key = (line.place(flow.source), line.place(flow.destination), flow.traffic);
        if self.asked.len() < EXPLAINED && self.asked.insert(key) {
            let told = explain(self.graph, flow);
            let rules = told.sides().into_iter().filter_map(|s| s.decided_by);
            self.exercised.extend(rules.map(|at| RuleRef { peer: None, port: None, ..at }));
        }
    }

    fn is_lone(&self, endpoint: Endpoint) -> bool {
        matches!(endpoint, Endpoint::Pod(p) if self.graph.world().cluster.pod(p).is_single())
    }

    /// Whether an endpoint shares its node's network.
    pub fn is_host(&self, endpoint: Endpoint) -> bool {
        matches!(endpoint, Endpoint::Pod(p) if self.graph.world().cluster.pod(p).host_network)
    }

    /// The endpoints of an end: of pods that no rule can tell apart two, of addresses one of each block.
    fn endpoints(&self, end: &End, other: &End) -> Vec<Endpoint> {
        match end {
            End::Pods { pods, .. } => {
                let mut seen: HashMap<u32, usize> = HashMap::new();
                let place = |p: &PodId| self.graph.line().place(Endpoint::Pod(*p));
                let mut fresh = |p: &PodId| {
                    let count = seen.entry(place(p)).or_default();
                    *count += 1;
                    *count <= 2
                };
                pods.iter().filter(|p| fresh(p)).map(|p| Endpoint::Pod(*p)).collect()
            }
            End::Addresses { set, symbolic, .. } => {
                let set = if *symbolic { self.usable(set, other) } else { set.clone() };
                let atoms = &self.graph.line().atoms;
                let covers = atoms.overlapping(&set);
                let first = |a| atoms.addresses(a).intersection(&set).first();
                covers.points().filter_map(first).map(Endpoint::Address).collect()
            }
        }
    }

    /// Of a symbolic block the families that the other end has.
    fn usable(&self, set: &IpSet, other: &End) -> IpSet {
        let End::Pods { pods, .. } = other else { return set.clone() };
        let world = self.graph.world();
        let has = |f: &Family| pods.iter().any(|p| world.has_family(world.cluster.pod(*p), *f));
        let kept = Family::ALL.into_iter().filter(has).fold(IpSet::empty(), |all, f| all.union(&set.only(f)));
        if kept.is_empty() { set.clone() } else { kept }
    }

    /// Every pair of a source and a destination, with what is asked and what passes.
    fn each(&mut self, from: &Ends, to: &Ends, mut visit: impl FnMut(&mut Self, &Asked)) -> Result<usize, Trouble> {
        let mut count = 0;
        for source_end in &from.resolved.ends {
            for end in &to.resolved.ends {
                let certain = !(is_doubtful(from, source_end) || is_doubtful(to, end));
                let sources = self.endpoints(source_end, end);
                for destination in self.endpoints(end, source_end) {
                    let traffic = self.traffic(to, destination)?;
                    for source in &sources {
                        let outside = |e: Endpoint| matches!(e, Endpoint::Address(_));
                        if (*source == destination && self.is_lone(destination))
                            || (outside(*source) && outside(destination))
                        {
                            continue;
                        }
                        let led = led::led(self.graph, to.resolved.service, *source, destination);
                        let allowed = match led {
                            None => self.allowed(*source, destination),
                            led => led::allowed(self.graph, led, *source, destination),
                        };
                        count += 1;
                        let asked =
                            Asked { source: *source, destination, traffic: traffic.clone(), allowed, led, certain };
                        visit(self, &asked);
                    }
                }
            }
        }
        Ok(count)
    }

    /// What is asked of a destination.
    fn traffic(&self, to: &Ends, destination: Endpoint) -> Result<TrafficSet, Trouble> {
        let cluster = &self.graph.world().cluster;
        let pod = if let Endpoint::Pod(id) = destination { Some(cluster.pod(id)) } else { None };
        let asked = resolve::traffic(cluster, &to.spec, &to.resolved, pod).map_err(|e| Trouble::Wrong(e.message))?;
        Ok(asked.unwrap_or_else(TrafficSet::all))
    }

    /// Every pair (or one) is allowed on everything asked.
    pub fn can(&mut self, scopes: &Scopes<'_>, texts: &[String], matching: Matching) -> Result<Verdict, Trouble> {
        let mut tally = Tally::new();
        let mut any = Truth::No;
        for text in texts {
            let (from, to) = scopes.question(text)?;
            tally.asked += self.each(&from, &to, |judge, asked| {
                let missing = asked.traffic.difference(&asked.allowed.sure);
                let no = missing.difference(&asked.allowed.unknown);
                let truth = match (missing.is_empty() && !asked.traffic.is_empty(), no.is_empty()) {
                    (true, _) => Truth::Yes,
                    (false, true) => Truth::Maybe,
                    (false, false) => Truth::No,
                };
                if truth == Truth::Yes {
                    judge.exercise(&asked.flow(&asked.traffic));
                }
                any = any.or(if asked.certain { truth } else { truth.and(Truth::Maybe) });
                let shown = if no.is_empty() { missing } else { no };
                tally.add(truth, asked.certain, || Example::Flow {
                    flow: asked.flow(&shown),
                    wanted: true,
                    asked: asked.traffic.clone(),
                    led: asked.led,
                });
            })?;
        }
        if tally.asked == 0 {
            return Err(Trouble::Absent("no flow is asked about: a pod with itself, or two outside addresses".into()));
        }
        let shown = tally.failed.clone().or_else(|| tally.doubt.clone());
        match (matching, any, shown) {
            (Matching::All, ..) => Ok(tally.verdict()),
            (Matching::Some, Truth::Yes, _) | (Matching::Some, _, None) => Ok(Verdict::passed()),
            (Matching::Some, Truth::Maybe, Some(example)) => Ok(Verdict::undecided(example)),
            (Matching::Some, Truth::No, Some(example)) => Ok(Verdict::failed(example)),
        }
    }

    /// No pair is allowed on anything asked.
    pub fn cannot(&mut self, scopes: &Scopes<'_>, texts: &[String]) -> Result<Verdict, Trouble> {
        let mut tally = Tally::new();
        for text in texts {
            let (from, to) = scopes.question(text)?;
            tally.asked +=
                self.each(&from, &to, |judge, asked| judge.refuse(asked, &TrafficSet::empty(), &mut tally))?;
        }
        if tally.asked == 0 {
            return Err(Trouble::Absent("no flow is asked about: a pod with itself, or two outside addresses".into()));
        }
        Ok(tally.verdict())
    }

    /// Nothing of what is asked passes, beside what is permitted.
    fn refuse(&mut self, asked: &Asked, permitted: &TrafficSet, tally: &mut Tally) {
        let wrong = asked.traffic.difference(permitted);
        let (sure, maybe) = (wrong.intersection(&asked.allowed.sure), wrong.intersection(&asked.allowed.unknown));
        let truth = match (sure.is_empty(), maybe.is_empty()) {
            (false, _) => Truth::No,
            (true, false) => Truth::Maybe,
            (true, true) => Truth::Yes,
        };
        let shown = if sure.is_empty() { maybe } else { sure };
        if truth == Truth::No {
            self.exercise(&asked.flow(&shown));
        }
        tally.add(truth, asked.certain, || Example::Flow {
            flow: asked.flow(&shown),
            wanted: false,
            asked: asked.traffic.clone(),
            led: asked.led,
        });
    }

    /// Whether all that is wrong with a pair is that one end may be the other's own node (S55).
    fn is_own_node(&self, asked: &Asked) -> bool {
        if !(self.is_host(asked.source) || self.is_host(asked.destination)) {
            return false;
        }
        if asked.traffic.is_disjoint(&asked.allowed.sure) {
            return true;
        }
        let told = explain(self.graph, &asked.flow(&asked.traffic.intersection(&asked.allowed.sure)));
        told.sides().into_iter().any(|s| s.reason == Reason::AllowFromOwnNode)
    }

    /// Every other end: workloads as ends of their own, and the outside.
    fn everyone(&self) -> Vec<End> {
        let cluster = &self.graph.world().cluster;
        let mut ends: Vec<End> = cluster
            .workloads()
            .filter(|(_, w)| !w.pods.is_empty())
            .map(|(workload, w)| End::Pods { workload, pods: w.pods.clone() })
            .collect();
        ends.push(End::Addresses { name: "outside".into(), set: IpSet::full(), symbolic: true });
        ends
    }

    fn around(&self, of: &Ends) -> Ends {
        let resolved = resolve::Resolved { ends: self.everyone(), ..resolve::Resolved::default() };
        Ends { resolved, doubtful: BTreeSet::new(), spec: of.spec.clone() }
    }

    /// Nobody but these reaches an end.
    pub fn only_from(&mut self, scopes: &Scopes<'_>, spec: &OnlyFrom) -> Result<Verdict, Trouble> {
        let to = scopes.text(&spec.to)?;
        let listed = spec.from.texts().iter().map(|t| scopes.text(t)).collect::<Result<Vec<_>, _>>()?;
        let mut tally = Tally::new();
        let everyone = self.around(&to);
        let everyone = Ends { resolved: without_addresses(everyone.resolved, &listed), ..everyone };
        self.each(&everyone, &to, |judge, asked| {
            let permitted = match member(&listed, asked.source) {
                Truth::Yes => return judge.pass(asked),
                Truth::Maybe => false,
                Truth::No => asked.certain,
            };
            if !judge.is_own_node(asked) {
                let asked = Asked {
                    certain: permitted,
                    traffic: asked.traffic.clone(),
                    allowed: asked.allowed.clone(),
                    ..*asked
                };
                judge.refuse(&asked, &TrafficSet::empty(), &mut tally);
            }
        })?;
        if spec.exactly {
            for from in &listed {
                self.each(from, &to, |_, asked| need(asked, &mut tally))?;
            }
        }
        Ok(tally.verdict())
    }

    fn pass(&mut self, asked: &Asked) {
        let passes = asked.traffic.intersection(&asked.allowed.sure);
        if !passes.is_empty() {
            self.exercise(&asked.flow(&passes));
        }
    }

    /// An end reaches nobody but these.
    pub fn only_to(&mut self, scopes: &Scopes<'_>, spec: &OnlyTo) -> Result<Verdict, Trouble> {
        let from = scopes.text(&spec.from)?;
        let listed = spec.to.texts().iter().map(|t| scopes.text(t)).collect::<Result<Vec<_>, _>>()?;
        let mut tally = Tally::new();
        let mut everyone = self.around(&from);
        everyone.spec.ports = None;
        let everyone = Ends { resolved: split_addresses(everyone.resolved, &listed), ..everyone };
        let mut wrong = None;
        self.each(&from, &everyone, |judge, asked| match judge.permitted(&listed, asked.destination) {
            Err(trouble) => wrong = Some(trouble),
            Ok(permitted) => {
                judge.pass(&Asked { traffic: permitted.clone(), allowed: asked.allowed.clone(), ..*asked });
                if !judge.is_own_node(asked) {
                    judge.refuse(asked, &permitted, &mut tally);
                }
            }
        })?;
        if spec.exactly {
            for to in &listed {
                self.each(&from, to, |_, asked| need(asked, &mut tally))?;
            }
        }
        wrong.map_or_else(|| Ok(tally.verdict()), Err)
    }

    /// What is permitted towards a destination: the ports of every listed end it belongs to.
    fn permitted(&self, listed: &[Ends], destination: Endpoint) -> Result<TrafficSet, Trouble> {
        let mut permitted = TrafficSet::empty();
        for ends in listed {
            if member(std::slice::from_ref(ends), destination) == Truth::Yes {
                permitted = permitted.union(&self.traffic(ends, destination)?);
            }
        }
        Ok(permitted)
    }

    /// The internet reaches, and is reached from, only what is listed.
    pub fn internet(&mut self, scopes: &Scopes<'_>, spec: &Internet) -> Result<Verdict, Trouble> {
        let mut tally = Tally::new();
        let internet = scopes.text("internet")?;
        let any = scopes.text("any")?;
        let mut wrong = None;
        if let Some(ingress) = &spec.ingress {
            let listed = ingress.texts().iter().map(|t| scopes.text(t)).collect::<Result<Vec<_>, _>>()?;
            self.each(&internet, &any, |judge, asked| match judge.permitted(&listed, asked.destination) {
                Err(trouble) => wrong = Some(trouble),
                Ok(permitted) => judge.refuse(asked, &permitted, &mut tally),
            })?;
        }
        if let Some(egress) = &spec.egress {
            let listed = egress.texts().iter().map(|t| scopes.question(t)).collect::<Result<Vec<_>, _>>()?;
            let targets: Vec<Ends> = listed.iter().map(|(_, to)| to.clone()).collect();
            let internet = Ends { resolved: split_addresses(internet.resolved.clone(), &targets), ..internet.clone() };
            self.each(&any, &internet, |judge, asked| {
                let own =
                    listed.iter().filter(|(from, _)| member(std::slice::from_ref(from), asked.source) == Truth::Yes);
                let own: Vec<Ends> = own.map(|(_, to)| to.clone()).collect();
                match judge.permitted(&own, asked.destination) {
                    Err(trouble) => wrong = Some(trouble),
                    Ok(permitted) => judge.refuse(asked, &permitted, &mut tally),
                }
            })?;
        }
        wrong.map_or_else(|| Ok(tally.verdict()), Err)
    }
}

/// Everything asked of a pair must pass.
fn need(asked: &Asked, tally: &mut Tally) {
    let missing = asked.traffic.difference(&asked.allowed.sure);
    let no = missing.difference(&asked.allowed.unknown);
    let truth = if missing.is_empty() { Truth::Yes } else { Truth::from(no.is_empty()).and(Truth::Maybe) };
    tally.add(truth, asked.certain, || Example::Flow {
        flow: asked.flow(&missing),
        wanted: true,
        asked: asked.traffic.clone(),
        led: asked.led,
    });
}

fn is_doubtful(ends: &Ends, end: &End) -> bool {
    matches!(end, End::Pods { workload, .. } if ends.doubtful.contains(workload))
}

/// Whether an endpoint belongs to any of these ends.
fn member(listed: &[Ends], endpoint: Endpoint) -> Truth {
    let one = |ends: &Ends| {
        let meant = |e: &&End| match (e, endpoint) {
            (End::Pods { pods, .. }, Endpoint::Pod(p)) => pods.contains(&p),
            (End::Addresses { set, .. }, Endpoint::Address(a)) => set.contains(a),
            _ => false,
        };
        match ends.resolved.ends.iter().find(meant) {
            Some(end) if is_doubtful(ends, end) => Truth::Maybe,
            Some(_) => Truth::Yes,
            None => Truth::No,
        }
    };
    listed.iter().map(one).max().unwrap_or(Truth::No)
}

fn addresses(listed: &[Ends]) -> impl Iterator<Item = &IpSet> {
    listed
        .iter()
        .flat_map(|l| &l.resolved.ends)
        .filter_map(|e| if let End::Addresses { set, .. } = e { Some(set) } else { None })
}

/// The ends without the addresses that are listed.
fn without_addresses(mut resolved: resolve::Resolved, listed: &[Ends]) -> resolve::Resolved {
    for end in &mut resolved.ends {
        if let End::Addresses { set, .. } = end {
            *set = addresses(listed).fold(set.clone(), |left, l| left.difference(l));
        }
    }
    resolved
}

/// The ends with their addresses cut at the borders of those listed, so that one address stands for its block.
fn split_addresses(resolved: resolve::Resolved, listed: &[Ends]) -> resolve::Resolved {
    let mut ends = Vec::new();
    for end in resolved.ends {
        let End::Addresses { name, set, symbolic } = end else {
            ends.push(end);
            continue;
        };
        let mut blocks = vec![set];
        for cut in addresses(listed) {
            blocks = blocks
                .iter()
                .flat_map(|b| [b.intersection(cut), b.difference(cut)])
                .filter(|b| !b.is_empty())
                .collect();
        }
        ends.extend(blocks.into_iter().map(|set| End::Addresses { name: name.clone(), set, symbolic }));
    }
    resolve::Resolved { ends, ..resolved }
}

/// The workload of an endpoint.
pub fn workload(graph: &AllowGraph, endpoint: Endpoint) -> Option<WorkloadId> {
    if let Endpoint::Pod(pod) = endpoint { Some(graph.world().cluster.pod(pod).workload) } else { None }
}
