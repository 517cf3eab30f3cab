//! What changes between two inputs, against the executable specification and against real commits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;
#[path = "common/random.rs"]
mod random;

use common::{golden, netpal_at, netpal_in};
use netpal::internals::spec::evaluate;
use netpal::{
    AllowGraph, ChangeKind as Kind, Cluster, CompileOptions, Diff, DiffParty as Party,
    DiffSide as Side, Endpoint, Environment, Flow, HostNetwork, Input, PodId, Protocol, Traffic,
    TrafficSet, Truth, WorkloadId, WorkloadKind, diff,
};
use random::Random;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

struct Read {
    input: Input,
    graph: AllowGraph,
}

impl Read {
    fn new(input: Input, options: &CompileOptions) -> Self {
        let graph = AllowGraph::compile(&input, options).unwrap();
        graph.verify();
        Self { input, graph }
    }

    fn text(text: &str, options: &CompileOptions) -> Self {
        Self::new(netpal::load_str(text), options)
    }

    fn folder(path: &Path) -> Self {
        Self::new(netpal::load([path]).unwrap(), &CompileOptions::default())
    }

    fn side(&self) -> Side<'_> {
        Side {
            input: &self.input,
            graph: &self.graph,
        }
    }

    fn cluster(&self) -> &Cluster {
        &self.input.cluster
    }

    fn name(&self, id: WorkloadId) -> (String, WorkloadKind) {
        (
            self.cluster().workload_name(id),
            self.cluster().workload(id).kind,
        )
    }
}

fn compare(before: &Read, after: &Read) -> Diff {
    diff(before.side(), after.side())
}

/// An end by its name on both sides, or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Workload(String, WorkloadKind),
    Address(IpAddr),
}

fn addresses() -> Vec<IpAddr> {
    random::ADDRESSES
        .iter()
        .map(|a| a.parse().unwrap())
        .collect()
}

/// The names of a party, addresses by those that questions use.
fn names(after: &Read, party: &Party) -> Vec<Name> {
    match party {
        Party::Workload(_, id) => vec![{
            let (name, kind) = after.name(*id);
            Name::Workload(name, kind)
        }],
        Party::Addresses(set) => addresses()
            .into_iter()
            .filter(|a| set.contains(*a))
            .map(Name::Address)
            .collect(),
    }
}

type Told = BTreeMap<(Name, Name, Kind), TrafficSet>;

/// Every changed pair, with all the traffic that changes in one way; blocks and changes do not
/// overlap.
fn told(after: &Read, diff: &Diff) -> Told {
    let mut told = Told::new();
    for change in &diff.changes {
        for block in &change.blocks {
            for (s, d) in block
                .sources
                .iter()
                .flat_map(|s| block.destinations.iter().map(move |d| (s, d)))
            {
                for from in names(after, s) {
                    for to in names(after, d) {
                        let set = told.entry((from.clone(), to, change.kind)).or_default();
                        assert!(set.is_disjoint(&change.traffic), "a pair is told once");
                        *set = set.union(&change.traffic);
                    }
                }
            }
        }
    }
    told
}

/// The endpoints of an end on one side.
fn endpoints(read: &Read, name: &Name) -> Vec<Endpoint> {
    match name {
        Name::Address(address) => vec![Endpoint::Address(*address)],
        Name::Workload(name, kind) => {
            let wanted = |(id, w): &(WorkloadId, &netpal::Workload)| {
                w.kind == *kind && read.cluster().workload_name(*id) == *name
            };
            let found = read.cluster().workloads().find(wanted).unwrap().1;
            found.pods.iter().map(|p| Endpoint::Pod(*p)).collect()
        }
    }
}

/// The verdicts over all pods of two ends: the least and the most. `None` where a lone pod meets
/// only itself.
fn bounds(
    env: &Environment,
    from: &[Endpoint],
    to: &[Endpoint],
    traffic: Traffic,
) -> Option<(Truth, Truth)> {
    let lone = |a: Endpoint, b: Endpoint| {
        a == b
            && matches!(a, Endpoint::Pod(PodId(_)) if world_pod(env, a).is_some_and(netpal::Pod::is_single))
    };
    let pairs = from
        .iter()
        .flat_map(|s| to.iter().map(move |d| (*s, *d)))
        .filter(|(s, d)| !lone(*s, *d));
    let truths: Vec<Truth> = pairs
        .map(|(source, destination)| {
            evaluate(
                env,
                &Flow {
                    source,
                    destination,
                    traffic,
                },
            )
        })
        .collect();
    Some((truths.iter().min().copied()?, truths.iter().max().copied()?))
}

fn world_pod(env: &Environment, endpoint: Endpoint) -> Option<&netpal::Pod> {
    if let Endpoint::Pod(id) = endpoint {
        Some(env.cluster.pod(id))
    } else {
        None
    }
}

fn kind(was: Truth, is: Truth) -> Option<Kind> {
    match (was, is) {
        (Truth::No, Truth::Yes) => Some(Kind::Widened),
        (Truth::Yes, Truth::No) => Some(Kind::Narrowed),
        (Truth::No, Truth::Maybe) | (Truth::Maybe, Truth::Yes) => Some(Kind::MayWiden),
        (Truth::Yes, Truth::Maybe) | (Truth::Maybe, Truth::No) => Some(Kind::MayNarrow),
        _ => None,
    }
}

/// Documents of a random cluster, and the same after some were dropped and others came or were
/// replaced: any, or, for every other seed, only policies, so that most of the cluster stays as it
/// is.
fn two(seed: u64) -> (String, String) {
    let mut random = Random::new(seed);
    let before = random::documents(&mut random);
    let other = random::documents(&mut Random::new(seed ^ 0xabcd));
    let is_law = |document: &Value| {
        document["kind"]
            .as_str()
            .is_some_and(|kind| kind.contains("Policy"))
    };
    let law_only = seed % 2 == 1;
    let stays = |document: &Value| law_only && !is_law(document);
    let mut after: Vec<_> = before
        .iter()
        .filter(|d| stays(d) || random.chance(85))
        .cloned()
        .collect();
    after.extend(
        other
            .into_iter()
            .filter(|d| !stays(d) && random.chance(if law_only { 10 } else { 25 })),
    );
    (random::text(&before), random::text(&after))
}

fn options(seed: u64) -> CompileOptions {
    let assumed = [HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod]
        [usize::try_from(seed % 3).unwrap()];
    CompileOptions::default()
        .classes(!seed.is_multiple_of(5))
        .host_network(assumed)
}

/// How many random pairs of clusters a run without `NETPAL_DIFFS` compares.
const CLUSTERS: u64 = 70;

fn clusters() -> u64 {
    std::env::var("NETPAL_DIFFS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(CLUSTERS)
}

#[test]
fn every_pair_is_told_exactly_as_the_specification_says() {
    let (mut asked, mut changed) = (0_u64, 0_u64);
    for seed in 0..clusters() {
        let (before, after) = two(seed);
        let options = options(seed);
        let (before, after) = (Read::text(&before, &options), Read::text(&after, &options));
        let diff = compare(&before, &after);
        let told = told(&after, &diff);
        let old: BTreeSet<Name> = workloads(&before);
        let mut all: Vec<Name> = workloads(&after)
            .into_iter()
            .filter(|n| old.contains(n))
            .collect();
        all.extend(addresses().into_iter().map(Name::Address));
        for from in &all {
            for to in &all {
                if matches!((from, to), (Name::Address(_), Name::Address(_))) {
                    continue;
                }
                for protocol in Protocol::ALL {
                    for port in [80, 53, 8080] {
                        let traffic = Traffic { protocol, port };
                        let ask = |r: &Read| {
                            bounds(
                                r.graph.environment(),
                                &endpoints(r, from),
                                &endpoints(r, to),
                                traffic,
                            )
                        };
                        let (Some(was), Some(is)) = (ask(&before), ask(&after)) else {
                            continue;
                        };
                        let want: BTreeSet<Kind> = [kind(was.0, is.0), kind(was.1, is.1)]
                            .into_iter()
                            .flatten()
                            .collect();
                        let got: BTreeSet<Kind> = Kind::ALL
                            .into_iter()
                            .filter(|k| *k != Kind::Undecided)
                            .filter(|k| {
                                told.get(&(from.clone(), to.clone(), *k))
                                    .is_some_and(|t| t.contains(traffic))
                            })
                            .collect();
                        assert_eq!(
                            got, want,
                            "seed {seed}: {from:?} -> {to:?} {traffic}: {was:?} then {is:?}"
                        );
                        asked += 1;
                        changed += u64::from(!want.is_empty());
                    }
                }
            }
        }
    }
    println!("{asked} pairs and ports, {changed} of them changed");
    assert!(changed > asked / 100, "the clusters do change");
}

fn workloads(read: &Read) -> BTreeSet<Name> {
    let named = read
        .cluster()
        .workloads()
        .filter(|(_, w)| !w.pods.is_empty());
    named
        .map(|(id, _)| read.name(id))
        .map(|(n, k)| Name::Workload(n, k))
        .collect()
}

/// A diff and its mirror tell the same pairs with the kinds exchanged.
fn assert_mirrors(before: &Read, after: &Read, what: &str) {
    let (there, back) = (compare(before, after), compare(after, before));
    let mirrored = |told: Told| -> Told {
        told.into_iter()
            .map(|((s, d, k), t)| ((s, d, k.mirrored()), t))
            .collect()
    };
    assert_eq!(told(after, &there), mirrored(told(before, &back)), "{what}");
    let lone = |r: &Read, list: &[netpal::OneSided]| {
        list.iter()
            .map(|l| (r.name(l.workload), l.open_in, l.open_out, l.connected))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        lone(after, &there.added),
        lone(after, &back.removed),
        "{what}"
    );
    assert_eq!(there.unchanged.count(), back.unchanged.count(), "{what}");
    assert_eq!(
        there.pairs(Kind::Widened),
        back.pairs(Kind::Narrowed),
        "{what}"
    );
}

fn assert_same(read: &Read, what: &str) {
    let diff = compare(read, read);
    assert!(
        diff.is_empty() && diff.edits.is_empty() && diff.latent.is_empty(),
        "{what}: {diff:?}"
    );
}

#[test]
fn random_clusters_differ_from_themselves_in_nothing_and_mirror() {
    for seed in 0..clusters() {
        let (before, after) = two(seed);
        let options = options(seed);
        let (before, after) = (Read::text(&before, &options), Read::text(&after, &options));
        assert_same(&before, &format!("seed {seed}"));
        assert_mirrors(&before, &after, &format!("seed {seed}"));
    }
}

/// All there is to a diff: names, causes, examples and counts.
fn written(diff: &Diff) -> String {
    for change in &diff.changes {
        for parties in change
            .blocks
            .iter()
            .flat_map(|b| [&b.sources, &b.destinations])
        {
            assert_eq!(parties.count(), parties.len() as u64, "{parties:?}");
        }
    }
    format!("{diff:#?}")
}

fn assert_together(before: &Read, after: &Read, what: &str) {
    let alone = netpal::internals::diff::diff_one_by_one(before.side(), after.side());
    assert_eq!(written(&compare(before, after)), written(&alone), "{what}");
}

#[test]
fn destinations_told_together_are_told_as_one_by_one() {
    for seed in 0..clusters() {
        let (before, after) = two(seed);
        let options = options(seed);
        let (before, after) = (Read::text(&before, &options), Read::text(&after, &options));
        assert_together(&before, &after, &format!("seed {seed}"));
        assert_together(&after, &before, &format!("seed {seed}, back"));
    }
}

#[test]
fn a_namespace_that_is_isolated_changes_every_row_and_is_one_change() {
    let object = |api: &str, kind: &str, metadata: &str, spec: &str| {
        format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{{metadata}}}\nspec: {{{spec}}}\n")
    };
    let namespace = |i: usize| object("v1", "Namespace", &format!("name: ns{i}"), "");
    let pod = |i: usize, name: &str| {
        let metadata = format!("name: {name}, namespace: ns{i}, labels: {{app: {name}}}");
        object("v1", "Pod", &metadata, "containers: [{name: c, image: i}]")
    };
    let policy = |i: usize, name: &str, rest: &str| {
        let metadata = format!("name: {name}, namespace: ns{i}");
        object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            &metadata,
            &format!("podSelector: {{}}, {rest}"),
        )
    };
    let own = "policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}, {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ns0}}}]}]";
    let mut all: Vec<String> = (0..30).map(namespace).collect();
    all.extend((0..30).flat_map(|i| [pod(i, "web"), pod(i, "db")]));
    all.extend((0..30).step_by(2).map(|i| policy(i, "own", own)));
    let before = Read::text(&all.join("---\n"), &CompileOptions::default());
    all.push(policy(0, "closed", "policyTypes: [Egress]"));
    let after = Read::text(&all.join("---\n"), &CompileOptions::default());
    assert_together(&before, &after, "closing");
    let diff = compare(&before, &after);
    // from two pods to sixty and to all addresses, without a pod to itself
    assert_eq!(
        diff.changes
            .iter()
            .map(|c| (c.kind, c.pairs))
            .collect::<Vec<_>>(),
        [(Kind::Narrowed, 2 * 61 - 2)]
    );
}

fn given(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        println!("{variable} is not set: nothing was compared");
    }
    path
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    found.sort();
    found
}

#[test]
fn every_case_differs_from_itself_in_nothing_and_neighbours_mirror() {
    let Some(cases) = given("NETPAL_CASES") else {
        return;
    };
    let mut compared = 0;
    for suite in folders(&cases)
        .iter()
        .filter(|s| !s.ends_with("validation") && !s.ends_with("yaml-scalars"))
    {
        let all: Vec<(PathBuf, Read)> = folders(suite)
            .into_iter()
            .map(|p| (p.clone(), Read::folder(&p)))
            .collect();
        all.iter()
            .for_each(|(path, read)| assert_same(read, &path.display().to_string()));
        for pair in all.windows(2) {
            assert_together(&pair[0].1, &pair[1].1, &pair[1].0.display().to_string());
            assert_mirrors(&pair[0].1, &pair[1].1, &pair[1].0.display().to_string());
        }
        compared += all.len();
    }
    println!("{compared} cases compared with themselves and their neighbours");
    assert!(compared > 250);
}

#[test]
fn every_corpus_differs_from_itself_in_nothing_and_mirrors_a_copy_without_a_policy() {
    let Some(corpus) = given("NETPAL_CORPUS") else {
        return;
    };
    let (mut compared, mut mirrored) = (0, 0);
    for folder in folders(&corpus).iter().filter(|f| !f.ends_with("LICENSES")) {
        let large = folder.ends_with("moj-cloud-platform")
            || folder.ends_with("diffs")
            || folder.ends_with("np-guard-cases");
        for one in if large {
            folders(folder)
        } else {
            vec![folder.clone()]
        } {
            let whole = Read::folder(&one);
            assert_same(&whole, &one.display().to_string());
            mirrored += usize::from(mirrors_without_its_largest_policy(
                &whole,
                &one.display().to_string(),
            ));
            compared += 1;
        }
    }
    println!(
        "{compared} directories compared with themselves, {mirrored} with what is left without a policy"
    );
    assert!(compared > 20 && mirrored > 15);
}

/// Takes the policy with the most rules out of an input and compares both ways; false where it has
/// none.
fn mirrors_without_its_largest_policy(whole: &Read, what: &str) -> bool {
    let policies = &whole.input.policies.policies;
    let rules = |p: &netpal::Policy| p.rules.iter().map(Vec::len).sum::<usize>();
    let Some(largest) =
        (0..policies.len()).max_by_key(|i| (rules(&policies[*i]), std::cmp::Reverse(*i)))
    else {
        return false;
    };
    let mut less = whole.input.clone();
    std::sync::Arc::make_mut(&mut less.policies)
        .policies
        .remove(largest);
    let less = Read::new(less, &CompileOptions::default());
    assert_mirrors(whole, &less, what);
    assert_together(whole, &less, what);
    true
}

/// The real commits: what was to come out, pair by pair.
fn commit(name: &str) -> Option<(Read, Read, Diff)> {
    let folder = given("NETPAL_CORPUS")?.join("diffs").join(name);
    let (before, after) = (
        Read::folder(&folder.join("before")),
        Read::folder(&folder.join("after")),
    );
    assert_mirrors(&before, &after, name);
    let diff = compare(&before, &after);
    Some((before, after, diff))
}

/// `source -> destination` of every changed pair of one kind, with its traffic.
fn pairs(after: &Read, diff: &Diff, kind: Kind) -> BTreeMap<(String, String), TrafficSet> {
    let name = |p: &Party| match p {
        Party::Workload(_, id) => after.name(*id).0,
        Party::Addresses(set) => set
            .to_cidrs()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
    };
    let mut found = BTreeMap::new();
    for change in diff.of(kind) {
        for block in &change.blocks {
            for (s, d) in block
                .sources
                .iter()
                .flat_map(|s| block.destinations.iter().map(move |d| (s, d)))
            {
                let set: &mut TrafficSet = found.entry((name(s), name(d))).or_default();
                *set = set.union(&change.traffic);
            }
        }
    }
    found
}

fn dns() -> TrafficSet {
    TrafficSet::ports(Protocol::Tcp, 53, 53).union(&TrafficSet::ports(Protocol::Udp, 53, 53))
}

#[test]
fn a_commit_that_adds_an_egress_rule_closes_everything_else() {
    let Some((_, after, diff)) = commit("argocd-redis-egress-added") else {
        return;
    };
    assert!(diff.changes.iter().all(|c| c.kind == Kind::Narrowed));
    let narrowed = pairs(&after, &diff, Kind::Narrowed);
    assert!(
        narrowed
            .keys()
            .all(|(from, _)| from == "default/argocd-redis"),
        "every change starts at redis"
    );
    let outside = narrowed.get(&("default/argocd-redis".into(), "0.0.0.0/0,::/0".into()));
    assert!(
        outside.is_some_and(TrafficSet::is_all),
        "nothing outside on any port, 53 included"
    );
    for ((_, to), traffic) in narrowed
        .iter()
        .filter(|((_, to), _)| !to.contains('/') || to.starts_with("default/"))
    {
        assert!(traffic.is_disjoint(&dns()), "{to}: 53 stays as it was");
    }
    assert_eq!(diff.edits.iter().filter(|e| e.meaning).count(), 1);
}

#[test]
fn a_commit_that_drops_an_ip_block_opens_ipv6_alone() {
    let Some((_, after, diff)) = commit("argocd-redis-egress-ipblock-removed") else {
        return;
    };
    let widened = pairs(&after, &diff, Kind::Widened);
    assert_eq!(
        widened,
        BTreeMap::from([(("default/argocd-redis".into(), "::/0".into()), dns())])
    );
    // whether pods without addresses have IPv6 is not told (S65): to them it may open
    let may = pairs(&after, &diff, Kind::MayWiden);
    assert!(
        !may.is_empty()
            && may
                .keys()
                .all(|(_, to)| to.contains('/') && !to.contains(':'))
    );
    let opens = [Kind::Widened, Kind::MayWiden];
    assert!(diff.changes.iter().all(|c| opens.contains(&c.kind)));
}

#[test]
fn a_commit_from_names_to_numbers_opens_three_ports() {
    let Some((_, after, diff)) = commit("cmo-named-to-numeric-ports") else {
        return;
    };
    let widened = pairs(&after, &diff, Kind::Widened);
    let ports = [9091, 9093, 9094].map(|p| TrafficSet::ports(Protocol::Tcp, p, p));
    let ports = ports
        .iter()
        .fold(TrafficSet::empty(), |all, p| all.union(p));
    // what the operator of Prometheus makes opens other ports, from names to numbers too
    let is_made = |to: &str| to.ends_with("/server");
    assert!(
        widened.iter().all(|((_, to), t)| is_made(to)
            || to == "openshift-monitoring/thanos-querier" && *t == ports),
        "{widened:?}"
    );
    assert!(widened.contains_key(&(
        "0.0.0.0/0,::/0".into(),
        "openshift-monitoring/thanos-querier".into()
    )));
    assert_eq!(diff.of(Kind::Narrowed).count(), 0);
    // the same three ports again, from a source of which nobody knows how it behaves
    let other: Vec<&netpal::Change> = diff
        .changes
        .iter()
        .filter(|c| c.kind != Kind::Widened)
        .collect();
    let undecided = pairs(&after, &diff, Kind::Undecided);
    assert!(other.iter().all(|c| c.kind == Kind::Undecided));
    assert!(
        undecided
            .keys()
            .all(|(_, to)| is_made(to) || to == "openshift-monitoring/thanos-querier"),
        "{undecided:?}"
    );
}

#[test]
fn a_commit_that_only_adds_labels_every_pod_has_changes_nothing() {
    let Some((_, _, diff)) = commit("cmo-partof-label-added") else {
        return;
    };
    assert!(diff.is_empty(), "{:?}", diff.changes);
    assert_eq!(diff.inert.len(), diff.edits.len());
    assert_eq!(diff.inert.iter().filter(|i| !i.text_only).count(), 14);
}

/// A scratch copy of the demo, edited.
fn demo(edit: impl Fn(&str, &str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["data.yaml", "dev.yaml", "platform.yaml", "shop.yaml"] {
        let text = std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("examples/demo")
                .join(name),
        )
        .unwrap();
        std::fs::write(folder.path().join(name), edit(name, &text)).unwrap();
    }
    folder
}

fn without_the_dash(name: &str, text: &str) -> String {
    let dash = "    - podSelector: {matchLabels: {app: checkout}}";
    assert_eq!(text.contains(dash), name == "data.yaml");
    text.replace(dash, &dash.replace('-', " "))
}

/// Runs `netpal diff` from the demo to an edited copy, with the copy's path taken out of the
/// output.
fn shown(edit: impl Fn(&str, &str) -> String, more: &[&str]) -> String {
    let folder = demo(edit);
    let path = folder.path().to_string_lossy().into_owned();
    let run = netpal_in("examples/demo", &[&["diff", ".", &path], more].concat());
    run.text().replace(&format!("{path}/"), "")
}

#[test]
fn the_dash_is_one_path_closed() {
    golden().bind(|| insta::assert_snapshot!("diff-dash", shown(without_the_dash, &[])));
    for format in ["json", "yaml", "csv", "md"] {
        let text = shown(without_the_dash, &["-o", format]);
        golden().bind(|| insta::assert_snapshot!(format!("diff-dash-{format}"), text));
    }
}

#[test]
fn new_rules_workloads_and_policies_are_told_apart() {
    let edit = |name: &str, text: &str| {
        match name {
        "dev.yaml" => format!("{text}---\n{}", text.replace("name: runner, namespace", "name: second, namespace").split("---\n").nth(1).unwrap()),
        "data.yaml" => text.replace("    ports:\n    - protocol: TCP\n      port: 5432\n", "    ports:\n    - protocol: TCP\n      port: 5432\n  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dev}}}]\n"),
        "shop.yaml" => text.replace("name: cart-egress", "name: cart-out").replace("# Customers come in", "# All come in"),
        _ => format!("{text}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: default-deny, namespace: monitoring}}\nspec: {{podSelector: {{}}, policyTypes: [Ingress]}}\n"),
    }
    };
    golden().bind(|| insta::assert_snapshot!("diff-mixed", shown(edit, &[])));
}

/// A change of pods that are not loaded alone has its rows too.
#[test]
fn a_table_has_what_changes_for_pods_that_are_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, peer: &str| {
        let text = format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
             metadata: {{name: p, namespace: shop}}\n\
             spec: {{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}\n"
        );
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    write("before.yaml", "{podSelector: {}}");
    write("after.yaml", "{namespaceSelector: {}}");
    let path = folder.path().to_string_lossy();
    let run = netpal_in(&path, &["diff", "before.yaml", "after.yaml", "-o", "csv"]);
    let rows: Vec<&str> = run.stdout.lines().skip(1).collect();
    assert!(!rows.is_empty() && run.code == 1, "{}", run.stdout);
    for row in rows {
        assert!(
            row.starts_with("widened,") && row.ends_with(",false"),
            "{row}"
        );
    }
}

#[test]
fn fail_on_chooses_what_ends_with_1() {
    let folder = demo(without_the_dash);
    let path = folder.path().to_string_lossy().into_owned();
    for (on, there, back) in [
        ("any", 1, 1),
        ("narrowed", 1, 0),
        ("widened", 0, 1),
        ("none", 0, 0),
    ] {
        let code = |a: &str, b: &str| {
            netpal_in("examples/demo", &["diff", a, b, "-q", "--fail-on", on]).code
        };
        assert_eq!((code(".", &path), code(&path, ".")), (there, back), "{on}");
    }
    assert_eq!(
        netpal_in("examples/demo", &["diff", ".", ".", "-q"]).code,
        0
    );
    assert_eq!(
        netpal_in("examples/demo", &["diff", ".", "absent", "-q"]).code,
        2
    );
    assert_eq!(netpal_in("examples/demo", &["diff", "-q"]).code, 2);
}

#[test]
fn one_input_under_two_plugins() {
    let run = netpal_in(
        "examples/demo",
        &["diff", "--cni", "generic", "--cni", "calico", "-f", "."],
    );
    golden().bind(|| insta::assert_snapshot!("diff-cni", run.text()));
}

#[test]
fn a_plan_overlays_a_change_or_relabels() {
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: default-deny, namespace: monitoring}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n";
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let run = netpal_at(&demo, &["plan", "--onto", ".", "-f", "-"], policy);
    golden().bind(|| insta::assert_snapshot!("plan-policy", run.text()));
    let relabel = [
        "plan",
        "--onto",
        ".",
        "--relabel",
        "shop/cart:app=checkout,tier-",
    ];
    let run = netpal_at(&demo, &relabel, "");
    golden().bind(|| insta::assert_snapshot!("plan-relabel", run.text()));
    assert_eq!(netpal_at(&demo, &["plan", "--onto", "."], "").code, 2);
    assert_eq!(
        netpal_at(
            &demo,
            &["plan", "--onto", ".", "--relabel", "dev/runner"],
            ""
        )
        .code,
        2
    );
}
