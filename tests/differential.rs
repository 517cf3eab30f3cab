//! The compiled graph against the executable specification, on random clusters, with classes on and
//! off.
//!
//! `NETPAL_FLOWS=1000000 cargo test --release --test differential` asks more; a failure prints the
//! smallest cluster it found, ready to be put into `tests/data/regressions/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/random.rs"]
mod random;

use netpal::internals::compile::EndpointIx;
use netpal::internals::spec::evaluate;
use netpal::{
    AllowGraph, Allowed, CompileOptions, Endpoint, Environment, Flow, HostNetwork, Input, IpSet,
    Protocol, Traffic, Truth,
};
use random::Random;
use serde_json::Value;
use std::net::IpAddr;

/// How many flows a run without `NETPAL_FLOWS` asks.
const FLOWS: usize = 200_000;
/// How many pairs of ends are asked about in one cluster, at least, and how much traffic on each.
const PAIRS: usize = 50;
const TRAFFICS: usize = 10;

fn options(random: &mut Random) -> CompileOptions {
    let cidrs = |list: &[&str]| IpSet::from_cidrs(list.iter().map(|c| c.parse().unwrap()));
    CompileOptions {
        classes: true,
        host_network: *random.pick(&[
            HostNetwork::Unknown,
            HostNetwork::Unknown,
            HostNetwork::Node,
            HostNetwork::Pod,
        ]),
        blocks_match_pods: random.chance(75),
        own_node_egress: random.chance(75),
        pod_cidrs: random.chance(25).then(|| {
            cidrs(random.pick::<&[&str]>(&[&["10.0.0.0/8"], &["10.0.0.0/24", "fd00::/8"]]))
        }),
        node_cidrs: if random.chance(25) {
            cidrs(&["192.168.1.0/24"])
        } else {
            IpSet::empty()
        },
        taints: random.chance(85),
        ..CompileOptions::default()
    }
}

fn addresses() -> impl Iterator<Item = Endpoint> {
    random::ADDRESSES
        .iter()
        .map(|a| Endpoint::Address(a.parse::<IpAddr>().unwrap()))
}

fn traffics(random: &mut Random) -> Vec<Traffic> {
    let one = |r: &mut Random| Traffic {
        protocol: *r.pick(&Protocol::ALL),
        port: *r.pick(&random::PORTS),
    };
    (0..TRAFFICS).map(|_| one(random)).collect()
}

/// How many flows were asked, by answer.
#[derive(Default, Clone, Copy)]
struct Asked {
    yes: usize,
    no: usize,
    maybe: usize,
}

impl Asked {
    fn count(&mut self, truth: Truth) {
        match truth {
            Truth::Yes => self.yes += 1,
            Truth::No => self.no += 1,
            Truth::Maybe => self.maybe += 1,
        }
    }

    fn all(self) -> usize {
        self.yes + self.no + self.maybe
    }
}

impl std::ops::Add for Asked {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            yes: self.yes + more.yes,
            no: self.no + more.no,
            maybe: self.maybe + more.maybe,
        }
    }
}

/// One cluster under one set of options, compiled both ways.
struct Subject {
    env: Environment,
    graphs: [AllowGraph; 2],
}

impl Subject {
    fn new(input: &Input, options: &CompileOptions) -> Self {
        let graphs = [true, false]
            .map(|on| AllowGraph::compile(input, &options.clone().classes(on)).unwrap());
        graphs.iter().for_each(AllowGraph::verify);
        Self {
            env: Environment::new(input, options),
            graphs,
        }
    }

    fn pods(&self) -> Vec<Endpoint> {
        self.env
            .cluster
            .pods()
            .map(|(id, _)| Endpoint::Pod(id))
            .collect()
    }

    fn show(&self, endpoint: Endpoint) -> String {
        match endpoint {
            Endpoint::Address(address) => address.to_string(),
            Endpoint::Pod(id) => {
                format!(
                    "{}/{}",
                    self.env.cluster.pod_namespace(id).name,
                    self.env.cluster.pod(id).name
                )
            }
        }
    }

    /// One pair of ends: every traffic by the specification, by both graphs, and by the sets of
    /// both graphs.
    fn pair(
        &self,
        source: Endpoint,
        destination: Endpoint,
        traffics: &[Traffic],
    ) -> Result<Asked, String> {
        let mut asked = Asked::default();
        let allowed = self
            .graphs
            .each_ref()
            .map(|g| g.allowed(source, destination));
        for traffic in traffics {
            let flow = Flow {
                source,
                destination,
                traffic: *traffic,
            };
            let want = evaluate(&self.env, &flow);
            asked.count(want);
            let name = || {
                format!(
                    "{} -> {} {traffic}",
                    self.show(source),
                    self.show(destination)
                )
            };
            for (graph, set) in self.graphs.iter().zip(&allowed) {
                let got = graph.verdict(&flow);
                let classes = graph.environment().options.classes;
                if got != want {
                    return Err(format!(
                        "{}: verdict {got:?}, wanted {want:?}, classes {classes}",
                        name()
                    ));
                }
                if contains(set, *traffic) != want {
                    return Err(format!(
                        "{}: allowed {set:?}, wanted {want:?}, classes {classes}",
                        name()
                    ));
                }
            }
        }
        Ok(asked)
    }

    /// Every row of a graph against the pairs of its members.
    fn rows(&self, graph: &AllowGraph, random: &mut Random, all: bool) -> Result<(), String> {
        let line = graph.space();
        let members = |place: EndpointIx| -> Vec<Endpoint> {
            if line.is_class(place) {
                return line
                    .classes
                    .members(place)
                    .iter()
                    .map(|p| Endpoint::Pod(*p))
                    .collect();
            }
            let asked = addresses().filter(|a| line.index_of(*a) == place);
            asked.chain([line.representative(place)]).collect()
        };
        for destination in line.indexes() {
            if !all && !line.is_class(destination) && random.chance(60) {
                continue;
            }
            let row = graph.row(destination);
            for source in line.indexes() {
                if !line.is_class(source)
                    && (!line.is_class(destination) || !all && random.chance(50))
                {
                    continue;
                }
                let mut found = row.iter().filter(|p| p.sources.contains(source));
                let got = found.next().map(|p| p.allowed.clone()).unwrap_or_default();
                if found.next().is_some() {
                    return Err(format!(
                        "row {destination:?}: source {source:?} is in two parts"
                    ));
                }
                let pairs = members(source)
                    .into_iter()
                    .flat_map(|s| members(destination).into_iter().map(move |d| (s, d)));
                let each: Vec<_> = pairs
                    .filter(|(s, d)| s != d)
                    .map(|(s, d)| graph.allowed(s, d))
                    .collect();
                let Some(want) = each.iter().cloned().reduce(|a, b| a.either(&b)) else {
                    continue;
                };
                if got != want {
                    let classes = graph.environment().options.classes;
                    let ends = (
                        self.show(line.representative(source)),
                        self.show(line.representative(destination)),
                    );
                    return Err(format!(
                        "row {ends:?}: {got:?}, wanted {want:?}, classes {classes}"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn contains(allowed: &Allowed, traffic: Traffic) -> Truth {
    match (
        allowed.must.contains(traffic),
        allowed.unknown().contains(traffic),
    ) {
        (true, false) => Truth::Yes,
        (false, true) => Truth::Maybe,
        (false, false) => Truth::No,
        (true, true) => panic!("sure and unknown overlap"),
    }
}

/// Destinations of one template have the same pieces, and every place is in one template.
fn destination_classes(graph: &AllowGraph) -> Result<(), String> {
    let templates = graph.destination_classes();
    let mut places: Vec<EndpointIx> = templates
        .iter()
        .flat_map(|t| t.destinations.clone())
        .collect();
    places.sort_unstable();
    assert!(
        places.into_iter().eq(graph.space().indexes()),
        "every place once"
    );
    for template in &templates {
        let first = graph.pieces(template.destinations[0]);
        if let Some(other) = template
            .destinations
            .iter()
            .find(|d| graph.pieces(**d) != first)
        {
            return Err(format!(
                "place {other:?} differs from the first of its template {:?}",
                template.destinations
            ));
        }
    }
    Ok(())
}

/// Asks one cluster, `all` its rows or some; tells how many flows were asked, or what is wrong.
fn ask(text: &str, seed: u64, all: bool) -> Result<Asked, String> {
    let mut random = Random::new(seed);
    let input = netpal::load_str(text);
    let subject = Subject::new(&input, &options(&mut random));
    let (pods, traffics) = (subject.pods(), traffics(&mut random));
    if pods.is_empty() {
        return Ok(Asked::default());
    }
    let ends: Vec<Endpoint> = pods.iter().copied().chain(addresses()).collect();
    let mut pairs: Vec<(Endpoint, Endpoint)> = pods
        .iter()
        .flat_map(|s| pods.iter().map(move |d| (*s, *d)))
        .collect();
    while pairs.len() < PAIRS {
        let (pod, end) = (*random.pick(&pods), *random.pick(&ends));
        pairs.push(if random.chance(50) {
            (pod, end)
        } else {
            (end, pod)
        });
    }
    let add = |asked, (s, d): &(Endpoint, Endpoint)| {
        Ok::<_, String>(asked + subject.pair(*s, *d, &traffics)?)
    };
    let asked = pairs.iter().try_fold(Asked::default(), add)?;
    subject.graphs.iter().try_for_each(destination_classes)?;
    subject
        .graphs
        .iter()
        .try_for_each(|g| subject.rows(g, &mut random, all))?;
    Ok(asked)
}

/// Leaves out one part after the other, documents first, as long as something stays wrong.
fn smallest(documents: Vec<Value>, seed: u64) -> (String, String) {
    let wrong_still =
        |value: &Value| ask(&random::text(value.as_array().unwrap()), seed, true).err();
    let mut whole = Value::Array(documents);
    let mut wrong = wrong_still(&whole).unwrap();
    let mut skip = 0;
    loop {
        let mut fewer = whole.clone();
        if !leave_out(&mut fewer, &mut skip.clone()) {
            return (random::text(whole.as_array().unwrap()), wrong);
        }
        match wrong_still(&fewer) {
            Some(still) => (whole, wrong) = (fewer, still),
            None => skip += 1,
        }
    }
}

/// Removes the part with number `at`, counted from the outside in; false when there is none.
fn leave_out(value: &mut Value, at: &mut usize) -> bool {
    let n = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => return false,
    };
    if *at < n {
        match value {
            Value::Array(items) => drop(items.remove(*at)),
            Value::Object(fields) => {
                let key = fields.keys().nth(*at).unwrap().clone();
                fields.shift_remove(&key);
            }
            _ => {}
        }
        return true;
    }
    *at -= n;
    match value {
        Value::Array(items) => items.iter_mut().any(|v| leave_out(v, at)),
        Value::Object(fields) => fields.values_mut().any(|v| leave_out(v, at)),
        _ => false,
    }
}

#[test]
fn the_graph_agrees_with_the_specification() {
    let budget: usize = std::env::var("NETPAL_FLOWS")
        .ok()
        .map_or(FLOWS, |n| n.parse().unwrap());
    let first: u64 = std::env::var("NETPAL_SEED")
        .ok()
        .map_or(0, |n| n.parse().unwrap());
    let (mut asked, mut clusters) = (Asked::default(), 0);
    for seed in first.. {
        let documents = random::documents(&mut Random::new(seed));
        let Ok(more) = ask(&random::text(&documents), seed, false) else {
            let (text, wrong) = smallest(documents, seed);
            panic!("# seed {seed}\n# {wrong}\n{text}");
        };
        asked = asked + more;
        clusters += 1;
        if asked.all() >= budget {
            break;
        }
    }
    println!(
        "{} flows over {clusters} clusters ({} yes, {} no, {} unknown), 0 disagreements",
        asked.all(),
        asked.yes,
        asked.no,
        asked.maybe
    );
    for answers in [asked.yes, asked.no, asked.maybe] {
        assert!(
            answers * 20 > asked.all(),
            "every answer is met often enough to be tested"
        );
    }
}

/// Every cluster that was once answered wrongly. The file says `# seed N`, which fixes the options
/// and the questions.
#[test]
fn regressions() {
    let files = std::fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/regressions"
    ))
    .unwrap();
    let mut files: Vec<_> = files
        .map(|f| f.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let seed = text
            .lines()
            .find_map(|l| l.strip_prefix("# seed "))
            .expect("a line `# seed N`")
            .parse()
            .unwrap();
        ask(&text, seed, true).unwrap_or_else(|wrong| panic!("{}: {wrong}", file.display()));
    }
    println!("{} regressions hold", files.len());
}
