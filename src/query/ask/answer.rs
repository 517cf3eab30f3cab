//! Verdicts over sets: every source with every destination, on every port that is asked about.
//!
//! A verdict quantifies over its sets: yes only if everything is allowed, no only if nothing is,
//! partly where it differs, and unknown where the input does not decide. An answer holds every pair
//! of ends, so a question about more than [`MOST`] pairs is refused; a listing answers that. Cost:
//! pairs of pods that fall into the same pair of classes are decided once.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, Truth};
use crate::policy::Direction;
use crate::query::ask::alternatives::{is_alternatives, is_one_namespace_twice};
use crate::query::ask::grammar::Question;
use crate::query::ask::outside_name;
use crate::query::ask::parts::{self, Fate, Part, PartMember};
use crate::query::ask::resolve;
use crate::query::ask::resolve::{Context, End, Note, ResolveError, Resolved};
use crate::query::ask::service_effect;
use crate::query::ask::service_effect::ViaService;
use crate::query::ask::services_inside::{self, called_inside};
use crate::query::ask::shared_networks::{self, SharedNetworks};
use crate::query::ask::symbolic;
pub use crate::query::ask::verdict::Verdict;
use crate::query::ask::verdict::judge;
use crate::query::ask::via_service;
use crate::query::explain::explanation::Explanation;
use crate::set::{IpSet, TrafficSet};
use crate::spec::environment::ServiceCalls;
use crate::spec::{Endpoint, FamilySet, Flow};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The answer for one source and one destination.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The source.
    pub source: End,
    /// The destination.
    pub destination: End,
    /// The traffic that was asked about; all traffic where no port was named.
    pub asked: TrafficSet,
    /// What passes between the ends, of all traffic.
    pub allowed: Allowed,
    /// The verdict.
    pub verdict: Verdict,
    /// A flow that demonstrates the verdict: one that is denied or unknown if there is any,
    /// otherwise one that is allowed.
    pub example: Flow,
    /// A flow that passes, where not all do.
    pub passing: Option<Flow>,
    /// Who passes and who does not, where pods or addresses of the ends fare differently.
    pub parts: Vec<Part>,
    /// How the Service that was named changes the verdict on the example.
    pub led: Option<ViaService>,
    /// Whether a Service is called.
    pub to_service: bool,
    /// The networks on which the example is allowed, where pods are on several.
    pub networks: Vec<Box<str>>,
}

impl Pair {
    /// Explains the example.
    pub fn explain(&self, graph: &AllowGraph) -> Explanation {
        let asking = self.asking(graph);
        let mut explanation = via_service::explain_led(&asking, self.led, &self.example);
        let between_pods = matches!(self.destination, End::Pods { .. });
        explanation.port_untold =
            between_pods && self.verdict == Verdict::Unknown && explanation.allowed != Truth::Maybe;
        explanation
    }

    /// Whether all that was asked is allowed, of pods that are called themselves.
    fn is_allowed_at_pods(&self) -> bool {
        self.verdict == Verdict::Yes && !self.to_service
    }

    /// The graph for the connections that are meant.
    pub(crate) fn asking(&self, graph: &AllowGraph) -> AllowGraph {
        let called = graph.called(calls(self.to_service));
        called.as_ref().unwrap_or(graph).asking(self.families())
    }

    /// The families of the connections that are meant (S65).
    pub(crate) fn families(&self) -> FamilySet {
        self.source
            .families()
            .intersection(self.destination.families())
    }
}

/// The answer to a question.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The question.
    pub question: Question,
    /// The verdict over all pairs.
    pub verdict: Verdict,
    /// Each pair, in input order.
    pub pairs: Vec<Pair>,
    /// Remarks on how the ends were understood.
    pub notes: Vec<Note>,
    /// What the input lacks, where that leaves the answer unknown, or why nothing takes a
    /// connection.
    pub missing: Vec<Box<str>>,
    /// Whether nothing is there to take a connection, whatever policies say.
    pub no_backend: bool,
}

impl Answer {
    /// The verdict if a single pair is enough: yes if any pair is allowed, no if none can be.
    pub fn any(&self) -> Verdict {
        let has = |v: Verdict| self.pairs.iter().any(|p| p.verdict == v);
        match self.verdict {
            _ if has(Verdict::Yes) || has(Verdict::Partly) => Verdict::Yes,
            _ if self.no_backend => Verdict::No,
            _ if has(Verdict::Unknown) || self.pairs.is_empty() => Verdict::Unknown,
            _ => Verdict::No,
        }
    }

    /// Explains the example of one of the pairs.
    pub fn explain(&self, graph: &AllowGraph, pair: usize) -> Option<Explanation> {
        self.pairs.get(pair).map(|p| p.explain(graph))
    }
}

/// The largest number of pairs of ends that a question may be about.
pub const MOST: usize = 200_000;

/// Asks a question.
///
/// # Errors
/// When an end does not exist in this input, or there are too many pairs.
pub fn ask(
    graph: &AllowGraph,
    context: &Context,
    question: &Question,
) -> Result<Answer, ResolveError> {
    let [source, mut destination] = ends(graph, context, question)?;
    let inside = called_inside(&graph.environment().cluster, context, question);
    destination.without_called(question.destination.ports.as_deref(), &inside);
    let mut pairs = decided(graph, question, &source, &destination)?;
    destination.add_called(&inside);
    for one in inside.iter().take(services_inside::MOST) {
        pairs.extend(decided(graph, &one.question, &source, &one.resolved)?);
    }
    let missing: Vec<Box<str>> = source
        .missing
        .iter()
        .chain(&destination.missing)
        .cloned()
        .collect();
    let no_backend = destination.no_backend && pairs.is_empty() && !source.ends.is_empty();
    let fates = inside.iter().enumerate().filter_map(|(i, one)| one.fate(i));
    let all = pairs.iter().map(|p| p.verdict).chain(fates);
    let verdict = Verdict::of_all(all).unwrap_or(if no_backend {
        Verdict::No
    } else {
        Verdict::Unknown
    });
    let notes = source
        .notes
        .iter()
        .chain(&destination.notes)
        .cloned()
        .collect();
    Ok(Answer {
        question: question.clone(),
        verdict,
        pairs,
        notes,
        missing,
        no_backend,
    })
}

/// Decides every pair of ends.
fn decided(
    of_all: &AllowGraph,
    question: &Question,
    source: &Resolved,
    destination: &Resolved,
) -> Result<Vec<Pair>, ResolveError> {
    let called = of_all.called(calls(destination.service.is_some()));
    let graph = called.as_ref().unwrap_or(of_all);
    let pairs = source.ends.len().saturating_mul(destination.ends.len());
    if pairs > MOST {
        return Err(too_many(question, pairs));
    }
    let asking = Asking {
        graph,
        question,
        destination,
        from_node: source.node.as_deref(),
        one_of: source.one_of || destination.one_of,
        memo: HashMap::new(),
        every_family: false,
    };
    let mut pairs = asking.pairs(&source.ends, &destination.ends)?;
    if let Some(mut networks) = SharedNetworks::new(of_all) {
        let told = pairs.iter_mut().filter(|p| p.is_allowed_at_pods());
        told.take(shared_networks::MOST)
            .for_each(|pair| pair.networks = networks.carrying(&pair.example));
    }
    Ok(pairs)
}

fn too_many(question: &Question, pairs: usize) -> ResolveError {
    let (from, to) = (&question.source.text, &question.destination.text);
    let help =
        format!("one question may be about {MOST}; all of it is in netpal matrix and netpal list");
    ResolveError {
        message: format!("{from} -> {to} is {pairs} pairs of ends"),
        help: Some(help),
        absent: false,
    }
}

/// How pods are called.
fn calls(to_service: bool) -> ServiceCalls {
    if to_service {
        ServiceCalls::ToServices
    } else {
        ServiceCalls::ToPods
    }
}

/// What the source and the destination of a question stand for.
fn ends(
    graph: &AllowGraph,
    context: &Context,
    question: &Question,
) -> Result<[Resolved; 2], ResolveError> {
    let cluster = &graph.environment().cluster;
    let source = resolve::resolve(cluster, context, &question.source)?.as_caller();
    let mut destination = resolve::resolve(cluster, context, &question.destination)?;
    if let Some(end) = outside_name::surely_closed(graph, question, &source.ends, &destination) {
        destination.ends = vec![end];
        destination.missing = None;
    }
    Ok([source, destination])
}

struct Asking<'a> {
    graph: &'a AllowGraph,
    question: &'a Question,
    destination: &'a Resolved,
    /// The node that the source is, where no address of it is told.
    from_node: Option<&'a str>,
    /// Whether an end is one of several addresses, and it is not told which one.
    one_of: bool,
    memo: HashMap<(EndpointIx, EndpointIx), Allowed>,
    /// Whether words stand for all of their addresses, of families too that the other end lacks.
    every_family: bool,
}

impl Asking<'_> {
    /// Decides each pair of a source and a destination.
    fn pairs(mut self, sources: &[End], destinations: &[End]) -> Result<Vec<Pair>, ResolveError> {
        let mut pairs = Vec::new();
        for from in sources {
            for to in destinations {
                let families = from.families().intersection(to.families());
                pairs.extend(if families == FamilySet::BOTH {
                    self.pair_in_some_family(from, to)?
                } else {
                    let graph = &self.graph.asking(families);
                    let mut asking = Asking {
                        graph,
                        memo: HashMap::new(),
                        ..self
                    };
                    asking.pair_in_some_family(from, to)?
                });
            }
        }
        Ok(pairs)
    }

    /// [`Self::pair`]; where a word has no address of a family that the other end has, nothing
    /// passes, and that is the answer (S65).
    fn pair_in_some_family(&mut self, from: &End, to: &End) -> Result<Option<Pair>, ResolveError> {
        let found = self.pair(from, to)?;
        if found.is_some() || !(from.is_word() || to.is_word()) {
            return Ok(found);
        }
        self.every_family = true;
        let found = self.pair(from, to);
        self.every_family = false;
        found
    }

    /// Decides one pair of ends over all their pods and addresses. `None` if both are outside the
    /// cluster, because nothing governs such traffic.
    fn pair(&mut self, from: &End, to: &End) -> Result<Option<Pair>, ResolveError> {
        let mut worst: Option<(Verdict, Flow)> = None;
        let mut passing = None;
        let cluster = Arc::clone(&self.graph.environment().cluster);
        let of_one = |end: &End| is_alternatives(&cluster, end);
        let alternatives = self.one_of || of_one(from) || of_one(to);
        let mut total: Option<(Allowed, TrafficSet)> = None;
        let mut verdicts = BTreeSet::new();
        for destination in self.endpoints(to, from, Direction::Egress) {
            let asked = self.asked(destination)?;
            for source in self.endpoints(from, to, Direction::Ingress) {
                if !self.is_meant(from, to, source, destination) {
                    continue;
                }
                let allowed = self.allowed(source, destination);
                let (verdict, traffic) = judge(&asked, &allowed);
                let flow = Flow {
                    source,
                    destination,
                    traffic,
                };
                if passing.is_none() && matches!(verdict, Verdict::Yes | Verdict::Partly) {
                    passing = Some(flow);
                }
                if worst.is_none_or(|(v, _)| rank(verdict) > rank(v)) {
                    worst = Some((verdict, flow));
                }
                verdicts.insert(verdict);
                total = Some(match total {
                    None => (allowed, asked.clone()),
                    Some((a, t)) if alternatives => (a.either(&allowed), t.union(&asked)),
                    Some((a, t)) => (a.and(&allowed), t.union(&asked)),
                });
            }
        }
        let (Some((_, example)), Some((allowed, asked))) = (worst, total) else {
            return Ok(None);
        };
        let verdict = match verdicts.len() {
            2.. if alternatives => Verdict::Unknown,
            _ => Verdict::of_all(verdicts).unwrap_or(Verdict::Unknown),
        };
        let led = self.via_service(example.source, example.destination);
        let parts = if verdict == Verdict::Partly {
            self.parts(from, to)?
        } else {
            Vec::new()
        };
        Ok(Some(Pair {
            source: from.clone(),
            destination: to.clone(),
            asked,
            allowed,
            verdict,
            example,
            passing: passing.filter(|_| verdict == Verdict::Partly),
            parts,
            led,
            to_service: self.destination.service.is_some(),
            networks: Vec::new(),
        }))
    }

    /// Who passes and who does not. Of a set of addresses each atom is looked at on its own.
    fn parts(&mut self, from: &End, to: &End) -> Result<Vec<Part>, ResolveError> {
        let sources = self.endpoints(from, to, Direction::Ingress);
        let destinations = self.endpoints(to, from, Direction::Egress);
        if sources.len().saturating_mul(destinations.len()) > parts::MOST {
            return Ok(Vec::new());
        }
        let asked = destinations
            .iter()
            .map(|destination| self.asked(*destination))
            .collect::<Result<Vec<_>, _>>()?;
        let members = [
            self.members(from, &sources),
            self.members(to, &destinations),
        ];
        let [of_source, of_destination] = &members;
        let fate = |i: usize, j: usize| {
            let (source, destination) = (sources[i], destinations[j]);
            let meant = self.is_meant(from, to, source, destination);
            meant.then(|| fate(&asked[j], &self.allowed(source, destination)))
        };
        Ok(parts::parts(of_source, of_destination, fate))
    }

    /// What each endpoint of an end stands for.
    fn members(&self, end: &End, endpoints: &[Endpoint]) -> Vec<PartMember> {
        let atoms = &self.graph.space().atoms;
        let each = endpoints.iter().map(|endpoint| match (endpoint, end) {
            (Endpoint::Pod(pod), _) => PartMember::Pod(*pod),
            (Endpoint::Address(address), End::Addresses { set, .. }) => {
                let atom = atoms.addresses(atoms.of(*address));
                PartMember::Addresses(atom.intersection(set))
            }
            (Endpoint::Address(address), End::Pods { .. }) => {
                PartMember::Addresses(IpSet::single(*address))
            }
        });
        each.collect()
    }

    /// Whether a question about two ends is about these two endpoints of them.
    fn is_meant(&self, from: &End, to: &End, source: Endpoint, destination: Endpoint) -> bool {
        let outside = |endpoint| self.graph.environment().governed(endpoint).is_none();
        let by_word = from.is_word() || to.is_word();
        let cluster = &self.graph.environment().cluster;
        !(by_word && !self.every_family && !symbolic::meets(self.graph, source, destination)
            || outside(source) && outside(destination)
            || source == destination && matches!(source, Endpoint::Address(_))
            || self.skips_itself(from, to, source, destination)
            || service_effect::leads_elsewhere(cluster, self.destination, source, destination)
            || is_one_namespace_twice(cluster, source, destination))
    }

    /// Whether a pair of pods is skipped: a single pod with itself, where both ends are sets. A pod
    /// that is named on its own is asked about itself.
    fn skips_itself(&self, from: &End, to: &End, source: Endpoint, destination: Endpoint) -> bool {
        let several = |e: &End| matches!(e, End::Pods { pods, .. } if pods.len() > 1);
        source == destination
            && several(from)
            && several(to)
            && matches!(source, Endpoint::Pod(p) if self.pod(p).is_single())
    }

    fn pod(&self, id: PodId) -> &crate::model::Pod {
        self.graph.environment().cluster.pod(id)
    }

    /// The pods of an end, or one address of each atom of a block; of a word such as `internet`
    /// only what is meant with the pods of the other end, in one direction of these.
    fn endpoints(&self, end: &End, other: &End, direction: Direction) -> Vec<Endpoint> {
        match end {
            End::Pods { pods, .. } => pods.iter().map(|p| Endpoint::Pod(*p)).collect(),
            End::Addresses { set, symbolic, .. } => {
                let set = symbolic::addresses_of(self.graph, (set, *symbolic), other, direction);
                let atoms = &self.graph.space().atoms;
                let overlapping = atoms.overlapping(&set);
                let addresses = overlapping
                    .points()
                    .filter_map(|a| atoms.addresses(a).intersection(&set).first());
                addresses.map(Endpoint::Address).collect()
            }
        }
    }

    fn asked(&self, destination: Endpoint) -> Result<TrafficSet, ResolveError> {
        let asked = resolve::traffic(
            &self.graph.environment().cluster,
            &self.question.destination,
            self.destination,
            Some(destination),
        )?;
        Ok(asked.unwrap_or_else(TrafficSet::all))
    }

    fn via_service(&self, source: Endpoint, destination: Endpoint) -> Option<ViaService> {
        if let (Some(node), Endpoint::Pod(pod)) = (self.from_node, destination) {
            let own = self.pod(pod).node.as_deref();
            let is_own = own.map_or(Truth::Maybe, |own| Truth::from(own == node));
            return Some(ViaService::OfNode(is_own));
        }
        service_effect::classify(self.graph, self.destination, source, destination)
    }

    fn allowed(&mut self, source: Endpoint, destination: Endpoint) -> Allowed {
        let via = self.via_service(source, destination);
        if via.is_some() {
            return service_effect::allowed(self.graph, via, source, destination);
        }
        let host = |e: Endpoint| matches!(e, Endpoint::Pod(p) if self.pod(p).host_network);
        let plain = |e: Endpoint| matches!(e, Endpoint::Pod(_)) && !host(e);
        let key = (
            self.graph.space().index_of(source),
            self.graph.space().index_of(destination),
        );
        if !(plain(source) && plain(destination)) || key.0 == key.1 {
            return self.graph.allowed(source, destination);
        }
        self.memo
            .entry(key)
            .or_insert_with(|| self.graph.allowed(source, destination))
            .clone()
    }
}

/// The order in which an example prefers to demonstrate verdicts; higher is preferred.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Yes => 0,
        Verdict::Partly => 1,
        Verdict::Unknown => 2,
        Verdict::No => 3,
    }
}

/// How some traffic fares.
fn fate(asked: &TrafficSet, allowed: &Allowed) -> Fate {
    Fate {
        verdict: judge(asked, allowed).0,
        allowed: asked.intersection(&allowed.must),
        unknown: asked.intersection(&allowed.unknown()),
        blocked: asked.difference(&allowed.may),
    }
}
