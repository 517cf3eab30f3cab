//! Real manifests: every fact of every `facts.csv`, each reasoned by hand, and every corpus
//! directory loads and compiles.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::internals::compile::AtomIx;
use netpal::internals::set::Ix;
use netpal::{
    AllowGraph, CompileOptions, Endpoint, Flow, Input, IpSet, PodId, Protocol, Traffic, Truth,
    WorkloadKind,
};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// How many facts the corpus holds.
const FACTS: usize = 236;

/// Facts that cannot be told from the manifests alone, because the author set something aside that
/// netpal may not: how many are told once that is assumed too. Any other unknown is wrong.
const ASSUMED: [(&str, usize); 1] = [
    // eks-netpol-examples/advanced: an ipBlock with one private address, which a pod without a
    // status may have (S40, S58)
    ("that no pod has an address of an ipBlock", 1),
];

/// Facts that leave out what an authorizer and a rule about requests may refuse (Istio).
const CONDITIONAL: [&str; 1] =
    ["knative-serving/Deployment/activator,istio-system/Deployment/istio-ingressgateway,TCP,8080,"];

fn assuming() -> CompileOptions {
    CompileOptions {
        blocks_match_pods: false,
        ..CompileOptions::default()
    }
}

fn corpus() -> Option<PathBuf> {
    let root = std::env::var("NETPAL_CORPUS").ok();
    if root.is_none() {
        println!("skipped: NETPAL_CORPUS is not set");
    }
    root.map(PathBuf::from)
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).unwrap().map(|e| e.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

/// Every folder below `of` that holds a `facts.csv`.
fn with_facts(of: &Path, found: &mut Vec<PathBuf>) {
    for folder in folders(of) {
        if folder.join("facts.csv").exists() {
            found.push(folder.clone());
        }
        with_facts(&folder, found);
    }
}

/// The pods of `namespace/Kind/name`.
fn pods(input: &Input, text: &str) -> Option<Vec<PodId>> {
    let [namespace, kind, name] = text.split('/').collect::<Vec<_>>().try_into().ok()?;
    let (kind, cluster) = (WorkloadKind::from_api(kind)?, &input.cluster);
    let (_, workload) = cluster.workloads().find(|(_, w)| {
        w.kind == kind && *w.name == *name && *cluster.namespace(w.namespace).name == *namespace
    })?;
    Some(workload.pods.clone())
}

/// All endpoints a fact's end stands for. `internet` is any public IPv4 address that is no pod and
/// no node: one of each atom that has such an address.
fn ends(graph: &AllowGraph, input: &Input, text: &str) -> Vec<Endpoint> {
    if text == "internet" {
        let (atoms, nodes) = (&graph.space().atoms, &graph.environment().node_addresses);
        let public = |atom: AtomIx| {
            atoms
                .addresses(atom)
                .intersection(&IpSet::internet())
                .difference(nodes)
        };
        let four = AtomIx::first(atoms.v4_len()).filter_map(|atom| public(atom).first());
        return four.map(Endpoint::Address).collect();
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return vec![Endpoint::Address(address)];
    }
    let pods = pods(input, text).unwrap_or_else(|| panic!("no workload `{text}`"));
    pods.into_iter().map(Endpoint::Pod).collect()
}

/// The verdict over all ends of a fact: yes or no only when it is so for every pair.
fn decide(graph: &AllowGraph, input: &Input, fields: &[&str]) -> Option<Truth> {
    let traffic = Traffic {
        protocol: Protocol::from_api(fields[2]).unwrap(),
        port: fields[3].parse().unwrap(),
    };
    let (sources, destinations) = (ends(graph, input, fields[0]), ends(graph, input, fields[1]));
    let flows = sources.iter().flat_map(|source| {
        destinations.iter().map(|d| Flow {
            source: *source,
            destination: *d,
            traffic,
        })
    });
    let mut verdicts: Vec<Truth> = flows.map(|flow| graph.verdict(&flow)).collect();
    verdicts.sort_unstable();
    verdicts.dedup();
    (verdicts.len() == 1).then(|| verdicts[0])
}

#[test]
fn every_fact_is_decided_as_reasoned() {
    let Some(corpus) = corpus() else { return };
    let mut folders = Vec::new();
    with_facts(&corpus, &mut folders);
    let (mut count, mut wrong, mut assumed) = (0, Vec::new(), [0; 1]);
    for folder in &folders {
        let input = netpal::load([folder]).unwrap();
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        graph.verify();
        for line in std::fs::read_to_string(folder.join("facts.csv"))
            .unwrap()
            .lines()
            .skip(1)
        {
            let fields: Vec<&str> = line.splitn(6, ',').collect();
            let want = Truth::from(fields[4] == "allow");
            let got = decide(&graph, &input, &fields);
            count += 1;
            let told = || {
                let graph = AllowGraph::compile(&input, &assuming()).unwrap();
                decide(&graph, &input, &fields) == Some(want)
            };
            let maybe = got == Some(Truth::Maybe);
            if maybe && CONDITIONAL.iter().any(|fact| line.starts_with(fact)) {
                continue;
            }
            if maybe && told() {
                assumed[0] += 1;
            } else if got != Some(want) {
                wrong.push(format!(
                    "{}: {line}: {got:?}",
                    folder.strip_prefix(&corpus).unwrap().display()
                ));
            }
        }
    }
    println!(
        "{count} facts in {} folders, {} wrong",
        folders.len(),
        wrong.len()
    );
    for ((what, _), n) in ASSUMED.iter().zip(assumed) {
        println!("  {n} of them unknown unless it is assumed {what}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, FACTS, "every fact was asked");
    assert_eq!(assumed, ASSUMED.map(|(_, n)| n), "nothing else is unknown");
}

/// Loads and compiles one directory; what it prints is for people, what it tests is that nothing
/// panics.
fn loads(folder: &Path) {
    let input = netpal::load([folder]).unwrap();
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    graph.verify();
    println!(
        "{}: {} pods, {} policies, {} unread policies, {} messages",
        folder.file_name().unwrap().to_string_lossy(),
        input.cluster.pods().len(),
        input.policies.policies.len(),
        input.policies.taints.len(),
        input.diagnostics.len()
    );
}

macro_rules! directories {
    ($($name:ident: $folder:literal),* $(,)?) => {
        const DIRECTORIES: &[&str] = &[$($folder),*];
        $(#[test]
        fn $name() {
            let Some(corpus) = corpus() else { return };
            loads(&corpus.join($folder));
        })*
    };
}

directories! {
    acm_samples: "acm-samples",
    ahmetb_recipes: "ahmetb-recipes",
    argo_cd: "argo-cd",
    base_station_platform: "base-station-platform",
    bcgov_chefs_openshift: "bcgov-chefs-openshift",
    diffs: "diffs",
    eks_netpol_examples: "eks-netpol-examples",
    helm_raw_unrendered: "helm-raw-unrendered",
    home_cluster_cilium: "home-cluster-cilium",
    konflux_infra: "konflux-infra",
    konflux_namespace_lister_rendered: "konflux-namespace-lister-rendered",
    kube_prometheus: "kube-prometheus",
    kubeflow: "kubeflow",
    moj_live: "moj-cloud-platform/live.cloud-platform.service.justice.gov.uk",
    moj_live_2: "moj-cloud-platform/live-2.cloud-platform.service.justice.gov.uk",
    multitenant_k8s: "multitenant-k8s",
    neobank: "neobank",
    network_policy_api: "network-policy-api",
    np_guard_cases: "np-guard-cases",
    online_boutique: "online-boutique",
    online_boutique_json_list: "online-boutique-json-list",
    openshift_monitoring: "openshift-monitoring",
    phalanx: "phalanx",
    sock_shop: "sock-shop",
    zero_to_jupyterhub: "zero-to-jupyterhub",
}

#[test]
fn every_directory_of_the_corpus_has_its_test() {
    let Some(corpus) = corpus() else { return };
    for folder in folders(&corpus).iter().filter(|f| !f.ends_with("LICENSES")) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let listed = |d: &str| d == name || d.split('/').next() == Some(&name);
        assert!(DIRECTORIES.iter().any(|d| listed(d)), "{name} has no test");
    }
}
