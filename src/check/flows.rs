//! Claims about single flows: can, cannot, only-from, only-to, internet.
//!
//! Every claim is a walk over pairs of endpoints, each with what it may ask of the other and what
//! passes ([`Judge::each`]). Pods that no rule can tell apart are asked once, and so are outside
//! addresses. Host-network sources and destinations whose verdict is unknown only because they may
//! be the pod's own node are let through in `only-from` and `only-to`: the API always allows that
//! (S55).

use crate::check::by_class::Labels;
use crate::check::external::{Alike, Outside};
use crate::check::schema::{Internet, Matching, OnlyFrom, OnlyTo};
use crate::check::scope::{Ends, Scopes, Trouble};
use crate::check::{Example, Verdict};
use crate::graph::{AllowGraph, Allowed};
use crate::model::{Truth, WorkloadId};
use crate::policy::RuleRef;
use crate::query::End;
use crate::query::ask::resolve;
use crate::query::ask::via_service::ViaService;
use crate::query::explain::explanation::{Reason, explain};
use crate::set::{IpSet, Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Flow};
use std::collections::{BTreeSet, HashMap, HashSet};

const ANY: Traffic = Traffic {
    protocol: Protocol::Tcp,
    port: 1,
};

/// How many flows are explained for the sake of coverage.
const EXPLAINED: usize = 20_000;

/// Decides flows and remembers what it decided.
pub struct Judge<'a> {
    /// What is allowed.
    pub graph: &'a AllowGraph,
    known: HashMap<(u32, u32), Allowed>,
    asked: HashSet<(u32, u32, Traffic)>,
    exercised: BTreeSet<RuleRef>,
    pub(crate) outside: Outside<'a>,
    /// Up to how many pairs of pods are asked one by one.
    pub(crate) one_by_one: usize,
}

/// One pair of endpoints that a claim asks about.
pub(crate) struct Asked<'x> {
    pub source: Endpoint,
    pub destination: Endpoint,
    /// The other outside addresses for which all of this is the same.
    pub alike: Option<&'x Alike>,
    /// The other sources that may send the same: one for each way out.
    pub kin: Option<&'x dyn Fn() -> Vec<Endpoint>>,
    /// What is asked; everything where no port was named.
    pub traffic: TrafficSet,
    pub allowed: Allowed,
    /// What the Service that was named changes.
    pub led: Option<ViaService>,
    /// Whether it is known that both belong to the ends asked about.
    pub certain: bool,
}

impl Asked<'_> {
    fn flow(&self, of: &TrafficSet) -> Flow {
        let traffic = of.sample().or_else(|| self.traffic.sample()).unwrap_or(ANY);
        Flow {
            source: self.source,
            destination: self.destination,
            traffic,
        }
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
        Self {
            asked: 0,
            failed: None,
            doubt: None,
        }
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
    pub fn new(graph: &'a AllowGraph, one_by_one: usize) -> Self {
        let outside = Outside::new(graph);
        Self {
            graph,
            known: HashMap::new(),
            asked: HashSet::new(),
            exercised: BTreeSet::new(),
            outside,
            one_by_one,
        }
    }

    /// The rules that decided a flow some claim asked about.
    pub fn exercised(self) -> BTreeSet<RuleRef> {
        self.exercised
    }

    /// What passes between two endpoints; a flow that passes exercises the rules that let it.
    pub fn allowed(&mut self, source: Endpoint, destination: Endpoint) -> Allowed {
        let space = self.graph.space();
        let key = (space.index_of(source), space.index_of(destination));
        let host = |e: Endpoint| matches!(e, Endpoint::Pod(p) if self.graph.environment().cluster.pod(p).host_network);
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
        let space = self.graph.space();
        let key = (
            space.index_of(flow.source),
            space.index_of(flow.destination),
            flow.traffic,
        );
        if self.asked.len() < EXPLAINED && self.asked.insert(key) {
            let told = explain(self.graph, flow);
            let rules = told.sides().into_iter().filter_map(|s| s.decided_by);
            self.exercised.extend(rules.map(|at| RuleRef {
                peer: None,
                port: None,
                ..at
            }));
        }
    }

    /// The same for a pair, and for all addresses that are like the one in it.
    fn exercise_pair(&mut self, asked: &Asked<'_>, of: &TrafficSet) {
        let flow = asked.flow(of);
        self.exercise(&flow);
        for address in asked
            .alike
            .into_iter()
            .flat_map(|alike| alike.others(self.graph))
        {
            if self.asked.len() >= EXPLAINED {
                return;
            }
            self.exercise(&match flow.source {
                Endpoint::Address(_) => Flow {
                    source: address,
                    ..flow
                },
                Endpoint::Pod(_) => Flow {
                    destination: address,
                    ..flow
                },
            });
        }
        let kin = asked.kin.filter(|_| self.asked.len() < EXPLAINED);
        for source in kin.into_iter().flat_map(|kin| kin()) {
            if self.asked.len() >= EXPLAINED {
                return;
            }
            self.exercise(&Flow { source, ..flow });
        }
    }

    /// Whether two ends are one single pod, which makes no flow.
    pub(crate) fn is_itself(&self, source: Endpoint, destination: Endpoint) -> bool {
        let is_single = |end| matches!(end, Endpoint::Pod(p) if self.graph.environment().cluster.pod(p).is_single());
        source == destination && is_single(destination)
    }

    /// Whether an endpoint shares its node's network.
    pub fn is_host(&self, endpoint: Endpoint) -> bool {
        matches!(endpoint, Endpoint::Pod(p) if self.graph.environment().cluster.pod(p).host_network)
    }

    /// What is asked of a destination.
    pub(crate) fn traffic(&self, to: &Ends, destination: Endpoint) -> Result<TrafficSet, Trouble> {
        let cluster = &self.graph.environment().cluster;
        let pod = if let Endpoint::Pod(id) = destination {
            Some(cluster.pod(id))
        } else {
            None
        };
        let asked = resolve::traffic(cluster, &to.spec, &to.resolved, pod)
            .map_err(|e| Trouble::Wrong(e.message))?;
        Ok(asked.unwrap_or_else(TrafficSet::all))
    }

    /// Every pair (or one) is allowed on everything asked.
    pub fn can(
        &mut self,
        scopes: &Scopes<'_>,
        texts: &[String],
        matching: Matching,
    ) -> Result<Verdict, Trouble> {
        let mut tally = Tally::new();
        let mut any = Truth::No;
        for text in texts {
            let (from, to) = scopes.question(text)?;
            tally.asked += self.each(&from, &to, |judge, asked| {
                let missing = asked.traffic.difference(&asked.allowed.sure);
                let no = missing.difference(&asked.allowed.unknown);
                let truth = match (
                    missing.is_empty() && !asked.traffic.is_empty(),
                    no.is_empty(),
                ) {
                    (true, _) => Truth::Yes,
                    (false, true) => Truth::Maybe,
                    (false, false) => Truth::No,
                };
                if truth == Truth::Yes {
                    judge.exercise_pair(asked, &asked.traffic);
                }
                any = any.or(if asked.certain {
                    truth
                } else {
                    truth.and(Truth::Maybe)
                });
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
            return Err(Trouble::Absent(
                "no flow is asked about: a pod with itself, or two outside addresses".into(),
            ));
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
            tally.asked += self.each(&from, &to, |judge, asked| {
                judge.refuse(asked, &TrafficSet::empty(), &mut tally);
            })?;
        }
        if tally.asked == 0 {
            return Err(Trouble::Absent(
                "no flow is asked about: a pod with itself, or two outside addresses".into(),
            ));
        }
        Ok(tally.verdict())
    }

    /// Nothing of what is asked passes, beside what is permitted.
    fn refuse(&mut self, asked: &Asked<'_>, permitted: &TrafficSet, tally: &mut Tally) {
        let wrong = asked.traffic.difference(permitted);
        let (sure, maybe) = (
            wrong.intersection(&asked.allowed.sure),
            wrong.intersection(&asked.allowed.unknown),
        );
        let truth = match (sure.is_empty(), maybe.is_empty()) {
            (false, _) => Truth::No,
            (true, false) => Truth::Maybe,
            (true, true) => Truth::Yes,
        };
        let shown = if sure.is_empty() { maybe } else { sure };
        if truth == Truth::No {
            self.exercise_pair(asked, &shown);
        }
        tally.add(truth, asked.certain, || Example::Flow {
            flow: asked.flow(&shown),
            wanted: false,
            asked: asked.traffic.clone(),
            led: asked.led,
        });
    }

    /// Whether all that is wrong with a pair is that one end may be the other's own node (S55).
    fn is_own_node(&self, asked: &Asked<'_>) -> bool {
        if !(self.is_host(asked.source) || self.is_host(asked.destination)) {
            return false;
        }
        if asked.traffic.is_disjoint(&asked.allowed.sure) {
            return true;
        }
        let told = explain(
            self.graph,
            &asked.flow(&asked.traffic.intersection(&asked.allowed.sure)),
        );
        told.sides()
            .into_iter()
            .any(|s| s.reason == Reason::AllowFromOwnNode)
    }

    /// Every other end: workloads as ends of their own, and the outside.
    fn everyone(&self) -> Vec<End> {
        let cluster = &self.graph.environment().cluster;
        let mut ends: Vec<End> = cluster
            .workloads()
            .filter(|(_, w)| !w.pods.is_empty())
            .map(|(workload, w)| End::Pods {
                workload,
                pods: w.pods.clone(),
            })
            .collect();
        ends.push(End::Addresses {
            name: "outside".into(),
            set: IpSet::full(),
            symbolic: true,
        });
        ends
    }

    fn around(&self, of: &Ends) -> Ends {
        let resolved = resolve::Resolved {
            ends: self.everyone(),
            ..resolve::Resolved::default()
        };
        Ends {
            resolved,
            doubtful: BTreeSet::new(),
            spec: of.spec.clone(),
        }
    }

    /// Nobody but these reaches an end.
    pub fn only_from(&mut self, scopes: &Scopes<'_>, spec: &OnlyFrom) -> Result<Verdict, Trouble> {
        let to = scopes.text(&spec.to)?;
        let listed = spec
            .from
            .texts()
            .iter()
            .map(|t| scopes.text(t))
            .collect::<Result<Vec<_>, _>>()?;
        let mut tally = Tally::new();
        let everyone = self.around(&to);
        let everyone = Ends {
            resolved: without_addresses(everyone.resolved, &listed),
            ..everyone
        };
        let source = |source: Endpoint| member(&listed, source);
        self.each_by(
            &everyone,
            &to,
            &Labels {
                source: &source,
                ..Labels::NONE
            },
            |judge, asked| {
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
            },
        )?;
        if spec.exactly {
            for from in &listed {
                self.each(from, &to, |_, asked| need(asked, &mut tally))?;
            }
        }
        Ok(tally.verdict())
    }

    fn pass(&mut self, asked: &Asked<'_>) {
        let passes = asked.traffic.intersection(&asked.allowed.sure);
        if !passes.is_empty() {
            self.exercise_pair(asked, &passes);
        }
    }

    /// An end reaches nobody but these.
    pub fn only_to(&mut self, scopes: &Scopes<'_>, spec: &OnlyTo) -> Result<Verdict, Trouble> {
        let from = scopes.text(&spec.from)?;
        let listed = spec
            .to
            .texts()
            .iter()
            .map(|t| scopes.text(t))
            .collect::<Result<Vec<_>, _>>()?;
        let mut tally = Tally::new();
        let mut everyone = self.around(&from);
        everyone.spec.ports = None;
        let everyone = Ends {
            resolved: split_addresses(everyone.resolved, &listed),
            ..everyone
        };
        let mut wrong = None;
        let destination =
            |judge: &Judge<'_>, destination: Endpoint| judge.permitted(&listed, destination);
        let labels = Labels {
            destination: &destination,
            ..Labels::NONE
        };
        self.each_by(&from, &everyone, &labels, |judge, asked| {
            match judge.permitted(&listed, asked.destination) {
                Err(trouble) => wrong = Some(trouble),
                Ok(permitted) => {
                    judge.pass(&Asked {
                        traffic: permitted.clone(),
                        allowed: asked.allowed.clone(),
                        ..*asked
                    });
                    if !judge.is_own_node(asked) {
                        judge.refuse(asked, &permitted, &mut tally);
                    }
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
            let listed = ingress
                .texts()
                .iter()
                .map(|t| scopes.text(t))
                .collect::<Result<Vec<_>, _>>()?;
            self.each(&internet, &any, |judge, asked| {
                match judge.permitted(&listed, asked.destination) {
                    Err(trouble) => wrong = Some(trouble),
                    Ok(permitted) => judge.refuse(asked, &permitted, &mut tally),
                }
            })?;
        }
        if let Some(egress) = &spec.egress {
            let listed = egress
                .texts()
                .iter()
                .map(|t| scopes.question(t))
                .collect::<Result<Vec<_>, _>>()?;
            let targets: Vec<Ends> = listed.iter().map(|(_, to)| to.clone()).collect();
            let internet = Ends {
                resolved: split_addresses(internet.resolved.clone(), &targets),
                ..internet.clone()
            };
            self.each(&any, &internet, |judge, asked| {
                let own = listed.iter().filter(|(from, _)| {
                    member(std::slice::from_ref(from), asked.source) == Truth::Yes
                });
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
fn need(asked: &Asked<'_>, tally: &mut Tally) {
    let missing = asked.traffic.difference(&asked.allowed.sure);
    let no = missing.difference(&asked.allowed.unknown);
    let truth = if missing.is_empty() {
        Truth::Yes
    } else {
        Truth::from(no.is_empty()).and(Truth::Maybe)
    };
    tally.add(truth, asked.certain, || Example::Flow {
        flow: asked.flow(&missing),
        wanted: true,
        asked: asked.traffic.clone(),
        led: asked.led,
    });
}

pub(crate) fn is_doubtful(ends: &Ends, end: &End) -> bool {
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
        .filter_map(|e| {
            if let End::Addresses { set, .. } = e {
                Some(set)
            } else {
                None
            }
        })
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

/// The ends with their addresses cut at the borders of those listed, so that one address stands for
/// its block.
fn split_addresses(resolved: resolve::Resolved, listed: &[Ends]) -> resolve::Resolved {
    let mut ends = Vec::new();
    for end in resolved.ends {
        let End::Addresses {
            name,
            set,
            symbolic,
        } = end
        else {
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
        ends.extend(blocks.into_iter().map(|set| End::Addresses {
            name: name.clone(),
            set,
            symbolic,
        }));
    }
    resolve::Resolved { ends, ..resolved }
}

/// The workload of an endpoint.
pub fn workload(graph: &AllowGraph, endpoint: Endpoint) -> Option<WorkloadId> {
    if let Endpoint::Pod(pod) = endpoint {
        Some(graph.environment().cluster.pod(pod).workload)
    } else {
        None
    }
}
