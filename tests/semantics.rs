//! One file per sentence of the rulebook: every flow of it, by the graph with classes, the graph
//! without, and the specification, with the rule that decides and the errors that are told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::internals::query::ask::via_service::ViaService;
use netpal::internals::spec::evaluate;
use netpal::internals::spec::evaluate::{ConnectionOrigin, evaluate_from};
use netpal::{
    AllowGraph, CompileOptions, Context, Diagnostic, DiagnosticSeverity as Severity, Endpoint,
    Environment, Flow, Input, LoadOptions, Pair, Place, Question, Source, Truth, Verdict, ask,
    load_sources,
};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/semantics")
}

/// A case: its name, what its first document expects, and everything that is loaded.
struct Case {
    name: String,
    head: serde_json::Value,
    input: Input,
}

/// One expected flow: `yes app/web -> app/db:5432 by app/p ingress[0]`.
struct Expected {
    verdict: String,
    question: String,
    by: Option<String>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let stage = std::fs::read_to_string(folder().join("stage.yaml")).unwrap();
        let (head, policies) = text
            .split_once("\n---\n")
            .expect("a first document and policies");
        let source = |name: &str, text: &str| Source::Text(name.into(), text.into());
        let sources = [source("stage", &stage), source("case", policies)];
        let input = load_sources(&sources, &[], &LoadOptions::default()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Self {
            name,
            head: serde_yaml::from_str(head).unwrap(),
            input,
        }
    }

    fn flows(&self) -> Vec<Expected> {
        let text = self.head["flows"].as_str().unwrap();
        let flow = |line: &str| {
            let (verdict, rest) = line.split_once(' ').unwrap();
            let (question, by) = rest
                .split_once(" by ")
                .map_or((rest, None), |(q, by)| (q, Some(by.to_owned())));
            Expected {
                verdict: verdict.to_owned(),
                question: question.trim().to_owned(),
                by,
            }
        };
        text.lines().map(flow).collect()
    }

    /// What is wrong with the case, in words.
    fn wrong(&self) -> Vec<String> {
        let mut wrong = self.wrong_errors();
        let graphs = [true, false].map(|on| {
            AllowGraph::compile(&self.input, &CompileOptions::default().classes(on)).unwrap()
        });
        graphs.iter().for_each(AllowGraph::verify);
        for expected in self.flows() {
            for graph in &graphs {
                wrong.extend(self.wrong_flow(graph, &expected));
            }
        }
        wrong
    }

    fn wrong_errors(&self) -> Vec<String> {
        let path = |d: &Diagnostic| match &d.place {
            Place::Origin(origin) => origin.path.to_string(),
            _ => format!("{:?}", d.place),
        };
        let errors = self
            .input
            .diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error);
        let told: Vec<String> = errors.map(path).collect();
        let wanted: Vec<&str> = self.head["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str())
            .collect();
        if told == wanted {
            Vec::new()
        } else {
            vec![format!("{}: told {told:?}, wanted {wanted:?}", self.name)]
        }
    }

    fn wrong_flow(&self, graph: &AllowGraph, expected: &Expected) -> Option<String> {
        let question: Question = expected.question.parse().unwrap();
        let answer = ask(graph, &Context::default(), &question).unwrap();
        let [pair] = answer.pairs.as_slice() else {
            panic!("{}: one flow per line", self.name)
        };
        let specified = match specified(
            &Environment::new(&self.input, &CompileOptions::default()),
            pair,
        ) {
            netpal::Truth::Yes => Verdict::Yes,
            netpal::Truth::No => Verdict::No,
            netpal::Truth::Maybe => Verdict::Unknown,
        };
        let explanation = answer.explain(graph, 0).unwrap();
        let cite = |at: &netpal::RuleRef| {
            let policy = self.input.policies.get(at.policy);
            format!("{} {}", policy.full_name(), policy.rule_path(*at))
        };
        let cited: Vec<String> = explanation
            .sides()
            .iter()
            .filter_map(|s| s.decided_by.as_ref().map(cite))
            .collect();
        // a rule may be cited with the peer that matched; without one in the case the rule suffices
        let decided = |by: &String| {
            cited
                .iter()
                .any(|c| c == by || c.starts_with(&format!("{by}.")))
        };
        let right = answer.verdict.word() == expected.verdict
            && specified == answer.verdict
            && expected.by.as_ref().is_none_or(decided);
        (!right).then(|| {
            let (want, by) = (&expected.verdict, &expected.by);
            format!(
                "{}: {}: want {want} by {by:?}, got {} by {cited:?}, specified {specified}",
                self.name, expected.question, answer.verdict
            )
        })
    }
}

/// What the specification says of a pair's example, over every way it may have come about.
fn specified(env: &Environment, pair: &Pair) -> Truth {
    let flow = pair.example;
    let ways: Vec<(Flow, ConnectionOrigin)> = match pair.led {
        None => return evaluate(env, &flow),
        Some(ViaService::ToItself) => [true, false]
            .map(|undefined_are_asked| {
                (
                    flow,
                    ConnectionOrigin::OwnService {
                        undefined_are_asked,
                    },
                )
            })
            .to_vec(),
        Some(ViaService::ThroughNode(caller)) => {
            let nodes = env.node_addresses.to_cidrs().into_iter().map(|c| c.addr());
            let by_node = nodes.map(|node| {
                (
                    Flow {
                        source: Endpoint::Address(node),
                        ..flow
                    },
                    ConnectionOrigin::ByNode,
                )
            });
            by_node
                .chain([(
                    Flow {
                        source: Endpoint::Address(caller),
                        ..flow
                    },
                    ConnectionOrigin::Direct,
                )])
                .collect()
        }
        Some(ViaService::OfNode(own)) => vec![(flow, ConnectionOrigin::OfNode(own))],
        Some(
            led @ (ViaService::PolicedNode(_)
            | ViaService::Rewritten(..)
            | ViaService::ByName(_)
            | ViaService::OwnNode(_)),
        ) => {
            panic!("{led:?}: the facts about Services are in tests/services.rs")
        }
    };
    ways.into_iter()
        .map(|(flow, call)| evaluate_from(env, &flow, call))
        .reduce(Truth::either)
        .unwrap()
}

#[test]
fn every_case_holds() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.retain(|p| {
        p.extension().is_some_and(|e| e == "yaml") && p.file_stem().is_some_and(|s| s != "stage")
    });
    files.sort();
    let cases: Vec<Case> = files.iter().map(|p| Case::read(p)).collect();
    let wrong: Vec<String> = cases.iter().flat_map(Case::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let flows: usize = cases.iter().map(|c| c.flows().len()).sum();
    println!("{} cases, {flows} flows, 0 mismatches", cases.len());
    assert!(cases.len() > 20, "the cases are there to be run");
}

#[test]
fn a_file_is_named_after_its_sentence() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if stem != "stage" && stem != "README" {
            let case = Case::read(&path);
            let sentence = case.head["sentence"].as_str().unwrap();
            assert!(
                stem.starts_with(&format!("s{:0>3}-", &sentence[1..])),
                "{stem} is about {sentence}"
            );
        }
    }
}

#[test]
fn a_wrong_expectation_is_found() {
    let mut case = Case::read(&folder().join("s067-dns-is-not-special.yaml"));
    assert!(case.wrong().is_empty());
    for line in [
        "yes app/web -> kube-system/dns:53/udp",
        "yes app/web -> app/db:5432 by app/p egress[1]",
    ] {
        case.head["flows"] = line.into();
        assert_eq!(case.wrong().len(), 2, "by both graphs: {line}");
    }
    case.head["errors"] = serde_json::json!(["spec.podSelector"]);
    assert_eq!(case.wrong().len(), 3);
}

/// S88, S121: how many of each part a policy may have; one more is refused.
#[test]
fn s88_s121_limits_are_the_apis() {
    for (version, allow, many, few) in [
        ("v1alpha1", "Allow", 100, 25),
        ("v1alpha2", "Accept", 25, 25),
    ] {
        let (kind, tier) = if version == "v1alpha1" {
            ("AdminNetworkPolicy", "")
        } else {
            ("ClusterNetworkPolicy", "tier: Admin, ")
        };
        let refused = |rules: usize, peers: usize, networks: usize| {
            let nets: Vec<String> = (0..networks).map(|i| format!("10.{i}.0.0/16")).collect();
            let peer = format!("{{networks: [{}]}}", nets.join(", "));
            let rule = format!(
                "{{action: {allow}, to: [{}]}}",
                vec![peer; peers].join(", ")
            );
            let spec = format!(
                "{tier}priority: 1, subject: {{namespaces: {{}}}}, egress: [{}]",
                vec![rule; rules].join(", ")
            );
            let text = format!(
                "apiVersion: policy.networking.k8s.io/{version}\nkind: {kind}\nmetadata: {{name: p}}\nspec: {{{spec}}}\n"
            );
            netpal::load_str(&text).has_errors()
        };
        assert!(
            !refused(many, 1, 1) && refused(many + 1, 1, 1),
            "{kind} rules"
        );
        assert!(
            !refused(1, many, 1) && refused(1, many + 1, 1),
            "{kind} peers"
        );
        assert!(
            !refused(1, 1, few) && refused(1, 1, few + 1),
            "{kind} networks"
        );
    }
}
