//! What is proved: that an allow-graph says of every pair what the specification says, for all
//! traffic and all addresses; and that a diff is right.
//!
//! The claim about a pair: in every world `must` is allowed, and nothing is but `may`. Where the
//! two are equal the graph has the traffic of every world exactly. Where they differ, the graph
//! says *unknown*: then [`Tally`] counts whether there is a world that allows and one that denies.
//! A counterexample is a question for `netpal can`.

use super::form::Kind;
use super::lowered::piece;
use super::solver::{Found, Solver, number};
use super::spec::Specification;
use super::term::{Term, all, any};
use super::world::{End, OUTSIDE, Place, World};
use netpal::internals::compile::AtomIx;
use netpal::internals::set::Ix;
use netpal::{
    AllowGraph, Allowed, ChangeKind, CompileOptions, Diff, DiffSide, Endpoint, Environment, Family,
    Flow, Input, PodId, Traffic, TrafficSet,
};
use std::net::IpAddr;
use std::ops::AddAssign;

/// With more pods than this, those of a class stand for each other.
const EVERY_POD: usize = 24;

/// How much was proved.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Inputs that are left aside, as policies govern hosts in them.
    pub with_hosts: usize,
    /// Inputs, and pairs of ends: of pods, and of a pod with all addresses of a family.
    pub inputs: usize,
    pub pairs: usize,
    pub of_addresses: usize,
    /// Pairs about which something is not told.
    pub open: usize,
    /// Policies, and those of them that were read from their manifests.
    pub policies: usize,
    pub from_manifest: usize,
    /// Pieces of unknown traffic, and those on which all worlds agree.
    pub unknown: usize,
    pub decidable: usize,
    /// Diffs without a change, changes from a certain answer to the other one, and changes of
    /// answers that are not certain; those of the last for which no world has the change.
    pub equal: usize,
    pub changes: usize,
    pub doubtful: usize,
    pub unfounded: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.with_hosts += more.with_hosts;
        self.inputs += more.inputs;
        self.pairs += more.pairs;
        self.of_addresses += more.of_addresses;
        self.open += more.open;
        self.policies += more.policies;
        self.from_manifest += more.from_manifest;
        self.unknown += more.unknown;
        self.decidable += more.decidable;
        self.equal += more.equal;
        self.changes += more.changes;
        self.doubtful += more.doubtful;
        self.unfounded += more.unfounded;
    }
}

/// What was proved and refuted.
#[derive(Debug, Default)]
pub struct Proved {
    pub tally: Tally,
    pub refuted: Vec<Refuted>,
}

/// A counterexample: a question, and the flow that it asks about.
#[derive(Debug)]
pub struct Refuted {
    pub text: String,
    pub flow: Flow,
}

/// A proof under way; it has a solver that runs.
pub struct Prover {
    solver: Solver,
    tally: Tally,
    refuted: Vec<Refuted>,
    /// Whether unknown traffic is looked into.
    thorough: bool,
}

/// One input, compiled.
pub struct Subject<'i> {
    pub name: &'i str,
    pub input: &'i Input,
    pub graph: &'i AllowGraph,
}

impl Prover {
    /// Starts the solver; none, and a word about it, where there is none.
    pub fn start(thorough: bool) -> Option<Self> {
        let Some(solver) = Solver::start() else {
            println!("skipped: z3 is not installed");
            return None;
        };
        Some(Self {
            solver,
            tally: Tally::default(),
            refuted: Vec::new(),
            thorough,
        })
    }

    /// Ends the solver.
    pub fn done(self) -> Proved {
        Proved {
            tally: self.tally,
            refuted: self.refuted,
        }
    }

    /// Proves what a graph says of all its pairs.
    ///
    /// One with endpoints of hosts is left aside: policies govern addresses there, and the proof
    /// only knows pods that are governed.
    pub fn graph(&mut self, subject: &Subject<'_>) {
        let env = subject.graph.environment();
        let mut policies = env.policies.policies.iter();
        let at_hosts = policies.any(|p| env.policies.tier_of(p).layer.is_of_hosts());
        if at_hosts || env.cluster.hosts().len() > 0 {
            self.tally.with_hosts += 1;
            return;
        }
        self.says(subject, env);
    }

    /// Proves that a graph says what an input means.
    fn says(&mut self, subject: &Subject<'_>, env: &Environment) {
        let specification = Specification::new(subject.input, env);
        self.tally.inputs += 1;
        self.tally.policies += env.policies.policies.len();
        self.tally.from_manifest += specification.from_manifest;
        let pods = pods(subject.graph);
        for source in &pods {
            for destination in &pods {
                self.pair(subject, &specification, *source, *destination);
            }
            for family in Family::ALL {
                for is_source in [true, false] {
                    self.addresses(subject, &specification, *source, family, is_source);
                }
            }
        }
    }

    /// Looks for what is wrong about a graph that is held against an input it was not compiled
    /// from.
    pub fn claims(&mut self, input: &Input, right: &AllowGraph, wrong: &AllowGraph) {
        let subject = Subject {
            name: "a wrong graph",
            input,
            graph: wrong,
        };
        self.says(&subject, right.environment());
    }

    /// A pair of pods.
    fn pair(&mut self, at: &Subject<'_>, says: &Specification<'_>, from: PodId, to: PodId) {
        let mut world = World::new(None);
        let [source, destination] = ends(Place::Pod(from), Place::Pod(to));
        let formula = says.allowed(&mut world, source, destination);
        let [from, to] = [from, to].map(Endpoint::Pod);
        let allowed = at.graph.allowed(from, to);
        self.tally.pairs += 1;
        self.tally.open += usize::from(world.is_open());
        let claim = differs(&formula, &allowed);
        let found = self
            .solver
            .ask(world.lines(), claim.text(), &["kind", "port"]);
        if let Found::Model(values) = found {
            let traffic = traffic(&values);
            self.refute(at, &[from, to], traffic, "");
        } else if self.thorough {
            self.unknown(at, &world, &formula, &allowed, &[from, to]);
        }
    }

    /// A pod, and every address of a family, as the source or as the destination.
    fn addresses(
        &mut self,
        at: &Subject<'_>,
        says: &Specification<'_>,
        pod: PodId,
        family: Family,
        is_source: bool,
    ) {
        let mut world = World::new(Some(family));
        let (outside, own) = (Place::Outside(family), Place::Pod(pod));
        let [from, to] = if is_source {
            [own, outside]
        } else {
            [outside, own]
        };
        let [source, destination] = ends(from, to);
        let formula = says.allowed(&mut world, source, destination);
        self.tally.of_addresses += 1;
        self.tally.open += usize::from(world.is_open());
        let mut parts: Vec<(Allowed, Term)> = Vec::new();
        let atoms = &at.graph.space().atoms;
        for atom in (0..atoms.len()).map(AtomIx::from_number) {
            let (first, last) = atoms.span(atom).into_inner();
            if Family::of(first) != family {
                continue;
            }
            let [a, b] = flow_ends(pod, atoms.representative(atom), is_source);
            let allowed = at.graph.allowed(a, b);
            let here = World::outside_between(first, last);
            match parts.iter_mut().find(|(known, _)| *known == allowed) {
                Some((_, places)) => *places = places.or(&here),
                None => parts.push((allowed, here)),
            }
        }
        let nowhere = any(parts.iter().map(|(_, here)| here.clone())).not();
        let wrong = parts
            .iter()
            .map(|(allowed, here)| here.and(&differs(&formula, allowed)));
        let claim = any(wrong.chain([nowhere]));
        let wanted = ["kind", "port", OUTSIDE];
        if let Found::Model(values) = self.solver.ask(world.lines(), claim.text(), &wanted) {
            let bits = number(&values[2]);
            let address = match family {
                Family::V4 => IpAddr::V4(u32::try_from(bits).unwrap().into()),
                Family::V6 => IpAddr::V6(bits.into()),
            };
            let [a, b] = flow_ends(pod, address, is_source);
            self.refute(at, &[a, b], traffic(&values), "");
        }
    }

    /// Of each piece of unknown traffic, whether there are worlds for both answers.
    fn unknown(
        &mut self,
        at: &Subject<'_>,
        world: &World,
        formula: &Term,
        allowed: &Allowed,
        ends: &[Endpoint; 2],
    ) {
        for part in allowed.unknown().pieces() {
            self.tally.unknown += 1;
            let here = World::traffic(&piece(part));
            let both = [formula.clone(), formula.not()];
            let open = both.iter().all(|answer| {
                let claim = here.and(answer);
                self.solver.ask(world.lines(), claim.text(), &[]) != Found::Nothing
            });
            if !open {
                self.tally.decidable += 1;
                if std::env::var_os("NETPAL_SHOW").is_some() {
                    let ends = ends.map(|end| named(at.graph, end));
                    println!("{}: unknown, and decidable: {ends:?} {part:?}", at.name);
                }
            }
        }
    }

    fn refute(&mut self, at: &Subject<'_>, ends: &[Endpoint; 2], on: Traffic, note: &str) {
        let [source, destination] = ends.map(|end| named(at.graph, end));
        let [from, to] = *ends;
        let flow = Flow {
            source: from,
            destination: to,
            traffic: on,
        };
        let says = at.graph.verdict(&flow);
        let Traffic { port, protocol } = on;
        let name = at.name;
        self.refuted.push(Refuted {
            text: format!(
                "{name}: netpal can {source} {destination}:{port}/{protocol} says {says:?}: {note}"
            ),
            flow,
        });
    }

    /// Proves a diff: without a change, that both sides allow the same; of each certain change,
    /// that its example changes in every world; of the others it is counted how many change in
    /// some.
    pub fn diff(&mut self, sides: [&Subject<'_>; 2]) {
        let [before, after] = sides.map(|side| DiffSide {
            input: side.input,
            graph: side.graph,
        });
        let diff = netpal::diff(before, after);
        let says = sides.map(|side| Specification::new(side.input, side.graph.environment()));
        if diff.is_empty() {
            self.tally.equal += 1;
            self.equal(sides, &says);
        }
        self.changes(&diff, sides, &says);
    }

    /// That what both sides decide, they decide in the same way.
    fn equal(&mut self, sides: [&Subject<'_>; 2], says: &[Specification<'_>; 2]) {
        let pods = pods(sides[0].graph);
        for (from, to) in pods.iter().flat_map(|a| pods.iter().map(move |b| (*a, *b))) {
            let mut world = World::new(None);
            let [source, destination] = ends(Place::Pod(from), Place::Pod(to));
            let each = says
                .each_ref()
                .map(|s| s.allowed(&mut world, source, destination));
            let [from, to] = [from, to].map(Endpoint::Pod);
            let decided = sides.map(|side| {
                let allowed = side.graph.allowed(from, to);
                within(&allowed.unknown()).not()
            });
            let [first, second] = &each;
            let differ = Term::new(format!("(distinct {} {})", first.text(), second.text()));
            let claim = all(decided.into_iter().chain([differ]));
            self.tally.pairs += 1;
            let found = self
                .solver
                .ask(world.lines(), claim.text(), &["kind", "port"]);
            if let Found::Model(values) = found {
                let note = "a change is not told";
                self.refute(sides[1], &[from, to], traffic(&values), note);
            }
        }
    }

    /// That each change is one.
    fn changes(&mut self, diff: &Diff, sides: [&Subject<'_>; 2], says: &[Specification<'_>; 2]) {
        for change in &diff.changes {
            let [before, after] = [change.example.0, change.example.1];
            let outside = [before.source, before.destination]
                .iter()
                .find_map(|end| match end {
                    Endpoint::Address(address) => Some(*address),
                    Endpoint::Pod(_) => None,
                });
            let mut world = World::new(outside.map(Family::of));
            let mut each = Vec::new();
            for (says, flow) in says.iter().zip([before, after]) {
                let [source, destination] = ends(place(flow.source), place(flow.destination));
                each.push(says.allowed(&mut world, source, destination));
            }
            let on = World::traffic(&piece(
                TrafficSet::single(before.traffic)
                    .pieces()
                    .next()
                    .expect("some traffic"),
            ));
            let here = outside.map(|a| World::outside_between(a, a));
            let opened = each[0].not().and(&each[1]);
            let closed = each[0].and(&each[1].not());
            let (changes, is_certain) = match change.kind {
                ChangeKind::Widened => (opened, true),
                ChangeKind::Narrowed => (closed, true),
                ChangeKind::MayWiden => (opened, false),
                ChangeKind::MayNarrow => (closed, false),
                ChangeKind::Undecided => continue,
            };
            let here = on.and(&here.unwrap_or(Term::yes()));
            let wanted = if is_certain { changes.not() } else { changes };
            let found = self
                .solver
                .ask(world.lines(), here.and(&wanted).text(), &[]);
            match (is_certain, found) {
                (true, Found::Nothing) => self.tally.changes += 1,
                (true, Found::Model(_)) => {
                    let ends = [before.source, before.destination];
                    let note = format!("{:?} is no change", change.kind);
                    self.refute(sides[0], &ends, before.traffic, &note);
                }
                (false, found) => {
                    self.tally.doubtful += 1;
                    self.tally.unfounded += usize::from(found == Found::Nothing);
                }
            }
        }
    }
}

/// Compiles an input as usual.
pub fn compiled(input: &Input, options: &CompileOptions) -> AllowGraph {
    AllowGraph::compile(input, options).expect("an input that compiles")
}

/// The pods that are asked about: all, or the first and the last of each class.
fn pods(graph: &AllowGraph) -> Vec<PodId> {
    let all = graph.environment().cluster.pods().map(|(id, _)| id);
    let all: Vec<PodId> = all.collect();
    if all.len() <= EVERY_POD {
        return all;
    }
    let classes = &graph.space().classes;
    let ends = classes.list.indexes().flat_map(|class| {
        let members = classes.members(class);
        [members.first().copied(), members.last().copied()]
    });
    let mut ends: Vec<PodId> = ends.flatten().collect();
    ends.sort();
    ends.dedup();
    ends
}

fn ends(source: Place, destination: Place) -> [End; 2] {
    [("source", source), ("destination", destination)].map(|(role, place)| End { role, place })
}

fn place(end: Endpoint) -> Place {
    match end {
        Endpoint::Pod(pod) => Place::Pod(pod),
        Endpoint::Address(address) => Place::Outside(Family::of(address)),
    }
}

fn flow_ends(pod: PodId, address: IpAddr, is_source: bool) -> [Endpoint; 2] {
    let (pod, address) = (Endpoint::Pod(pod), Endpoint::Address(address));
    if is_source {
        [pod, address]
    } else {
        [address, pod]
    }
}

/// That a world allows what may not be, or denies what must be.
fn differs(formula: &Term, allowed: &Allowed) -> Term {
    let (must, may) = (within(&allowed.must), within(&allowed.may));
    formula.and(&may.not()).or(&formula.not().and(&must))
}

/// Whether the traffic is in a set.
fn within(set: &TrafficSet) -> Term {
    any(set.pieces().map(|part| World::traffic(&piece(part))))
}

/// The traffic of a model.
fn traffic(values: &[String]) -> Traffic {
    let [kind, port] = [&values[0], &values[1]].map(|value| number(value));
    Traffic {
        protocol: Kind(u8::try_from(kind).expect("a kind")).protocol(),
        port: u16::try_from(port).expect("a port"),
    }
}

fn named(graph: &AllowGraph, end: Endpoint) -> String {
    let cluster = &graph.environment().cluster;
    match end {
        Endpoint::Pod(id) => {
            let (pod, space) = (cluster.pod(id), cluster.pod_namespace(id));
            format!("{}/{}", space.name, pod.name)
        }
        Endpoint::Address(address) => address.to_string(),
    }
}
