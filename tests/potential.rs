//! What a comparison says of pods that are not in the input: made up by hand, and held against pods
//! that are put in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/random.rs"]
#[allow(dead_code)] // shared by several test files
mod random;

use netpal::internals::diff::diff_of_kinds;
use netpal::{
    AllowGraph, AskedPods, ChangeKind, CompileOptions, Context, Diff, DiffSide, DoorList, Endpoint,
    EndpointSpec, Flow, Input, PotentialParty, Protocol, Question, Selector, Target, Traffic,
    Truth, Verdict, World, ask, diff_in, load_str, with_stand_ins,
};
use netpal::{
    AssumedPods, Direction, FlowEnd, GovernedEnd, OpenWorld, PotentialRow, Snapshot,
    TestEnvironment, TestExample, TestStatus, check, dns_pods, parse_tests, potential_rows,
    potential_rows_of, with_assumed,
};
use random::{Random, documents, text};
use std::collections::BTreeSet;

fn compared(before: &str, after: &str, world: World) -> Diff {
    let [before, after] = [before, after].map(load_str);
    let options = CompileOptions::default();
    let graphs = [&before, &after].map(|input| AllowGraph::compile(input, &options).unwrap());
    let side = |input, graph| DiffSide { input, graph };
    diff_in(side(&before, &graphs[0]), side(&after, &graphs[1]), world).unwrap()
}

/// A policy of namespace `mill` that governs `pods` and admits `from`.
fn policy(pods: &str, from: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: mill}}\n\
         spec: {{podSelector: {pods}, policyTypes: [Ingress], ingress: [{{from: [{from}]}}]}}\n"
    )
}

const ANY: &str = "{namespaceSelector: {}}";
const EDGE: &str = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}}";
const WEB: &str = "{podSelector: {matchLabels: {app: web}}}";

#[test]
fn a_change_that_only_pods_elsewhere_would_see_is_told() {
    let pods = "{matchLabels: {app: saw}}";
    for (before, after, kind) in [
        (EDGE, ANY, Some(ChangeKind::Widened)),
        (ANY, EDGE, Some(ChangeKind::Narrowed)),
        (WEB, ANY, Some(ChangeKind::Widened)),
        (EDGE, EDGE, None),
        // the same addresses in other blocks
        (
            "{ipBlock: {cidr: 10.0.0.0/24}}",
            "{ipBlock: {cidr: 10.0.0.128/25}}, {ipBlock: {cidr: 10.0.0.0/25}}",
            None,
        ),
        // the same set in other words
        (
            "{podSelector: {matchExpressions: [{key: app, operator: In, values: [a, b]}]}}",
            "{podSelector: {matchLabels: {app: b}}}, {podSelector: {matchLabels: {app: a}}}",
            None,
        ),
    ] {
        let found = compared(&policy(pods, before), &policy(pods, after), World::Open);
        let kinds: Vec<ChangeKind> = found.potential.changes.iter().map(|c| c.kind).collect();
        assert_eq!(
            kinds.first().copied(),
            kind,
            "{before} to {after}: {kinds:?}"
        );
        assert_eq!(found.is_empty(), kind.is_none());
        assert!(!found.potential.incomplete);
        let closed = compared(&policy(pods, before), &policy(pods, after), World::Closed);
        assert!(closed.is_empty(), "nothing is loaded");
    }
    // a policy that selects nothing that is loaded says something about the pods that will come
    let nothing = "apiVersion: v1\nkind: Namespace\nmetadata: {name: mill}\n";
    let found = compared(
        nothing,
        &format!("{nothing}---\n{}", policy("{}", WEB)),
        World::Namespaces,
    );
    assert!(found.narrows() && !found.widens());
}

/// Nothing of `hall` is edited, yet its policy decides about pods of `edge`, whose labels differ.
#[test]
fn a_namespace_whose_labels_differ_is_told_beside_an_edit_elsewhere() {
    let hall = policy(
        "{matchLabels: {app: desk}}",
        "{namespaceSelector: {matchLabels: {team: web}}}",
    )
    .replace("namespace: mill", "namespace: hall");
    let side = |team: &str, edited: &str| {
        let namespace = |name: &str, labels: &str| {
            format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}{labels}}}\n---\n")
        };
        [
            namespace("mill", ""),
            namespace("hall", ""),
            namespace("edge", &format!(", labels: {{team: {team}}}")),
            format!("{hall}---\n"),
            policy("{matchLabels: {app: saw}}", edited),
        ]
        .concat()
    };
    for (before, after) in [(EDGE, EDGE), (EDGE, ANY), (WEB, EDGE)] {
        let found = compared(
            &side("web", before),
            &side("other", after),
            World::Namespaces,
        );
        let kinds = &found.potential.pods.kinds;
        let is_desk = |end: &PotentialParty| match end {
            PotentialParty::Kind(kind) => kinds[*kind].labels.get("app") == Some("desk"),
            _ => false,
        };
        let mut all = found.potential.changes.iter();
        let told =
            all.any(|c| c.kind == ChangeKind::Narrowed && c.destinations.iter().any(is_desk));
        assert!(told, "{before} to {after}");
    }
}

#[test]
fn what_loaded_pods_show_is_told_once() {
    let pods = "apiVersion: v1\nkind: Pod\nmetadata: {name: saw, namespace: mill, labels: {app: saw}}\n\
                spec: {containers: [{name: c, image: registry.example/saw:1}]}\n---\n\
                apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: mill, labels: {app: web}}\n\
                spec: {containers: [{name: c, image: registry.example/web:1}]}\n---\n\
                apiVersion: v1\nkind: Namespace\nmetadata: {name: mill}\n---\n";
    let side = |from: &str| format!("{pods}{}", policy("{matchLabels: {app: saw}}", from));
    let none = "{podSelector: {matchLabels: {app: none}}}";
    let found = compared(&side(none), &side(WEB), World::Namespaces);
    assert_eq!(found.pairs(ChangeKind::Widened), 1);
    // `app: none` is the one kind that nobody has yet
    let kinds: Vec<ChangeKind> = found.potential.changes.iter().map(|c| c.kind).collect();
    assert_eq!(kinds, [ChangeKind::Narrowed]);
}

/// The pods of a random cluster that a comparison is not shown are of kinds that it tells: if a
/// verdict between two of them changes, the comparison without them says so.
#[test]
fn pods_that_were_left_out_are_of_the_kinds_that_are_compared() {
    let (mut changed, mut equal) = (0, 0);
    for seed in 0..200 {
        let [first, second] = [seed, seed + 1_000].map(|s| documents(&mut Random::new(s)));
        let is = |kind: &str, d: &&serde_json::Value| d["kind"] == kind;
        let pods: Vec<_> = first.iter().filter(|d| is("Pod", d)).cloned().collect();
        let others = |all: &[serde_json::Value]| -> Vec<serde_json::Value> {
            let policy =
                |d: &&serde_json::Value| d["kind"].as_str().is_some_and(|k| k.ends_with("Policy"));
            let spaces = first.iter().filter(|d| is("Namespace", d));
            spaces
                .chain(all.iter().filter(policy).take(2))
                .cloned()
                .collect()
        };
        let policies = [others(&first), others(&second)];
        let without = policies.each_ref().map(|p| text(p));
        let with = policies
            .each_ref()
            .map(|p| text(&[pods.clone(), p.clone()].concat()));
        let told = compared(&without[0], &without[1], World::Open);
        let inputs = with.each_ref().map(|t| load_str(t));
        let differ = differ(&inputs);
        if differ {
            changed += 1;
            assert!(
                !told.is_empty(),
                "seed {seed}: a change is not told\n{}\n{}",
                with[0],
                with[1]
            );
        }
        let same = compared(&without[0], &without[0], World::Open);
        assert!(same.is_empty(), "seed {seed}");
        equal += 1;
    }
    assert!(changed > 10 && equal > 20, "{changed} of {equal} differ");
}

/// Whether some flow between pods is certain on both sides and differs.
fn differ(inputs: &[Input; 2]) -> bool {
    let graphs = inputs
        .each_ref()
        .map(|i| AllowGraph::compile(i, &CompileOptions::default()).unwrap());
    let pods: Vec<_> = inputs[0]
        .cluster
        .pods()
        .filter(|(_, p)| !p.host_network)
        .map(|(id, _)| Endpoint::Pod(id))
        .collect();
    let ports = [
        (Protocol::Tcp, 80),
        (Protocol::Udp, 53),
        (Protocol::Tcp, 8080),
    ];
    let mut flows = pods.iter().flat_map(|source| {
        pods.iter().flat_map(move |destination| {
            ports.map(|(protocol, port)| Flow {
                source: *source,
                destination: *destination,
                traffic: Traffic { protocol, port },
            })
        })
    });
    flows.any(|flow| {
        let truths = graphs.each_ref().map(|graph| graph.verdict(&flow));
        truths[0] != truths[1] && !truths.contains(&Truth::Maybe)
    })
}

/// What `can` says of pods that are not loaded.
fn asked(text: &str, about: AskedPods, question: &str) -> Option<Verdict> {
    let question: Question = question.parse().unwrap();
    let ports = question.destination.asked_ports();
    let (laid, remarks) = with_stand_ins(&load_str(text), &[about], &ports)?;
    assert_eq!(remarks.len(), 1);
    let graph = AllowGraph::compile(&laid, &CompileOptions::default()).unwrap();
    Some(ask(&graph, &Context::default(), &question).unwrap().verdict)
}

const SAW: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: saw, namespace: mill, labels: {app: saw}}\n\
                   spec: {containers: [{name: c, image: registry.example/saw:1}]}\n---\n";

#[test]
fn a_set_that_is_named_and_not_loaded_is_asked_for_every_pod_there_may_be() {
    let from_edge = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}, \
                     podSelector: {matchLabels: {app: gate}}}";
    let text = format!("{SAW}{}", policy("{}", from_edge));
    let namespace = |name: &str| AskedPods::Namespace(name.into());
    let labelled = |app: &str| AskedPods::Labelled("edge".into(), Selector::label("app", app));
    for (about, question, expected) in [
        (
            namespace("edge"),
            "ns/edge reach mill/saw:80",
            Some(Verdict::Partly),
        ),
        (
            labelled("gate"),
            "edge?app=gate reach mill/saw:80",
            Some(Verdict::Yes),
        ),
        (
            labelled("mole"),
            "edge?app=mole reach mill/saw:80",
            Some(Verdict::No),
        ),
        // nobody names it, and what is loaded needs no stand-in
        (namespace("egde"), "ns/egde reach mill/saw:80", None),
        (namespace("mill"), "ns/mill reach mill/saw:80", None),
    ] {
        assert_eq!(asked(&text, about, question), expected, "{question}");
    }
}

/// Which number a port name has on a pod that is not loaded is not told: what depends on it is
/// unknown, whether rules by name open or close.
#[test]
fn a_port_name_of_a_pod_that_is_not_loaded_may_be_any_number() {
    let ports = |rule: &str| {
        format!(
            "{SAW}apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: mill}}\n\
             spec: {{podSelector: {{matchLabels: {{app: kiln}}}}, policyTypes: [Ingress], ingress: [{{ports: [{rule}]}}]}}\n"
        )
    };
    let denying = format!(
        "{SAW}apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {{name: c}}\n\
         spec: {{tier: Admin, priority: 1, subject: {{namespaces: {{matchLabels: {{kubernetes.io/metadata.name: mill}}}}}}, ingress: [\
         {{action: Accept, from: [{{namespaces: {{}}}}], protocols: [{{tcp: {{destinationPort: {{number: 81}}}}}}]}}, \
         {{action: Deny, from: [{{namespaces: {{}}}}], protocols: [{{destinationNamedPort: heat}}]}}]}}\n"
    );
    let kiln = || AskedPods::Labelled("mill".into(), Selector::label("app", "kiln"));
    for (text, port, expected) in [
        (ports("{port: heat}"), "8080", Verdict::Unknown),
        (ports("{port: heat}"), "8080/UDP", Verdict::No),
        (ports("{port: heat}"), "heat", Verdict::Yes),
        (ports("{port: heat}, {port: 8080}"), "8080", Verdict::Yes),
        (ports("{port: 80}"), "8080", Verdict::No),
        (denying.clone(), "80", Verdict::Unknown),
        (denying.clone(), "81", Verdict::Yes),
        (denying, "heat", Verdict::No),
    ] {
        let question = format!("mill/saw reach mill?app=kiln:{port}");
        assert_eq!(
            asked(&text, kiln(), &question),
            Some(expected),
            "{question}: {text}"
        );
    }
}

/// Two pods of one namespace see one set of its labels.
#[test]
fn a_namespace_that_is_not_loaded_has_one_set_of_labels_in_a_flow() {
    let policy = |name: &str, kind: &str, rule: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: mill}}\n\
             spec: {{podSelector: {{matchLabels: {{app: {name}}}}}, policyTypes: [{kind}], {rule}}}\n---\n"
        )
    };
    let to_dry = "egress: [{to: [{namespaceSelector: {matchLabels: {wood: dry}}}]}]";
    let from_other = "ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: wood, operator: DoesNotExist}]}}]}]";
    let text = [
        policy("saw", "Egress", to_dry),
        policy("kiln", "Ingress", from_other),
    ]
    .concat();
    let input = load_str(&text);
    let asked =
        ["saw", "kiln"].map(|app| AskedPods::Labelled("mill".into(), Selector::label("app", app)));
    let question: Question = "mill?app=saw reach mill?app=kiln:80".parse().unwrap();
    let ports = question.destination.asked_ports();
    let (laid, _) = with_stand_ins(&input, &asked, &ports).unwrap();
    let graph = AllowGraph::compile(&laid, &CompileOptions::default()).unwrap();
    let answer = ask(&graph, &Context::default(), &question).unwrap();
    assert_eq!(answer.verdict, Verdict::No);
}

#[test]
fn dns_surely_exists_and_is_asked_on_its_ports() {
    let dns = || AskedPods::Dns("kube-system".into(), Selector::label("k8s-app", "kube-dns"));
    let egress = |rule: &str| {
        format!(
            "{SAW}apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: out, namespace: mill}}\n\
             spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{rule}]}}\n"
        )
    };
    let by_name = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}";
    let by_hand = "{namespaceSelector: {matchLabels: {name: kube-system}}}";
    for (rule, expected) in [
        (
            "{ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}".to_owned(),
            Verdict::Yes,
        ),
        (
            "{ports: [{port: 53, protocol: UDP}]}".to_owned(),
            Verdict::Partly,
        ),
        (format!("{{to: [{by_name}]}}"), Verdict::Yes),
        // of the namespace only the name is certain
        (format!("{{to: [{by_hand}]}}"), Verdict::Unknown),
        ("{ports: [{port: 443}]}".to_owned(), Verdict::No),
    ] {
        let said = asked(&egress(&rule), dns(), "mill/saw reach dns");
        assert_eq!(said, Some(expected), "{rule}");
    }
}

/// A selector of pods or namespaces about a few independent keys.
fn some_labels(random: &mut Random) -> String {
    let key = *random.pick(&["ash", "elm", "fir", "oak"]);
    match random.below(8) {
        0 => "{}".to_owned(),
        1 => format!("{{matchExpressions: [{{key: {key}, operator: DoesNotExist}}]}}"),
        2 => format!("{{matchExpressions: [{{key: {key}, operator: NotIn, values: [a]}}]}}"),
        3 => format!("{{matchLabels: {{{key}: a, yew: b}}}}"),
        n => format!(
            "{{matchLabels: {{{key}: {}}}}}",
            if n > 5 { "a" } else { "b" }
        ),
    }
}

fn some_policy(random: &mut Random, name: &str) -> String {
    let rule = |random: &mut Random, word: &str| {
        let peer = match random.below(3) {
            0 => format!("{{namespaceSelector: {}}}", some_labels(random)),
            _ => format!("{{podSelector: {}}}", some_labels(random)),
        };
        let port = random.pick(&["80", "443"]);
        match random.below(4) {
            0 => String::new(),
            1 => format!("{{{word}: [{peer}], ports: [{{port: {port}}}]}}"),
            _ => format!("{{{word}: [{peer}]}}"),
        }
    };
    let direction = random.below(3);
    let (kind, list, word) = if direction == 0 {
        ("Egress", "egress", "to")
    } else {
        ("Ingress", "ingress", "from")
    };
    let pods = some_labels(random);
    let rules: Vec<String> = (0..=random.below(2))
        .map(|_| rule(random, word))
        .filter(|r| !r.is_empty())
        .collect();
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: mill}}\n\
         spec: {{podSelector: {pods}, policyTypes: [{kind}], {list}: [{}]}}\n---\n",
        rules.join(", ")
    )
}

/// Where there are too many kinds to make, the few telling ones show in which directions something
/// changes, and that something does.
#[test]
fn a_few_telling_kinds_show_what_all_of_them_show() {
    let seeds: u64 = std::env::var("NETPAL_CLUSTERS").map_or(300, |n| n.parse().unwrap());
    let start: u64 = std::env::var("NETPAL_SEED").map_or(0, |n| n.parse().unwrap());
    let options = CompileOptions::default();
    let (mut changed, mut complete) = (0, 0);
    for seed in start..start + seeds {
        let random = &mut Random::new(seed);
        let names = ["p", "q", "r", "s"];
        let policies: Vec<String> = names.iter().map(|name| some_policy(random, name)).collect();
        let mut edited = policies.clone();
        for _ in 0..=random.below(2) {
            let at = random.below(4);
            edited[at] = match random.below(4) {
                0 => String::new(),
                _ => some_policy(random, names[at]),
            };
        }
        let inputs = [load_str(&policies.concat()), load_str(&edited.concat())];
        let graphs = inputs
            .each_ref()
            .map(|i| AllowGraph::compile(i, &options).unwrap());
        let [before, after] = [0, 1].map(|i| DiffSide {
            input: &inputs[i],
            graph: &graphs[i],
        });
        let kinds = |most: usize| {
            let found = diff_of_kinds(before, after, World::Open, most)
                .unwrap()
                .potential;
            let kinds: BTreeSet<ChangeKind> = found.changes.iter().map(|c| c.kind).collect();
            (kinds, found.incomplete)
        };
        let ((all, missing), (few, incomplete)) = (kinds(3_000), kinds(1));
        assert!(!missing, "seed {seed}");
        changed += usize::from(!all.is_empty());
        complete += usize::from(!incomplete);
        let shown = few.is_subset(&all) && (incomplete || few == all);
        let texts = [policies.concat(), edited.concat()];
        assert!(
            shown,
            "seed {seed}: {few:?} of {all:?}\n{}",
            texts.join("=== after\n")
        );
    }
    println!("{complete} compared in full");
    assert!(complete > 10);
    println!("{changed} of {seeds} pairs differ");
    assert!(changed > 10);
}

/// A snapshot notices exactly what a comparison notices.
#[test]
fn the_digest_of_a_snapshot_differs_where_a_comparison_does() {
    let seeds: u64 = std::env::var("NETPAL_CLUSTERS").map_or(200, |n| n.parse().unwrap());
    let (mut changed, mut reworded, mut untold) = (0, 0, 0);
    for seed in 0..seeds {
        let random = &mut Random::new(seed);
        let names = ["p", "q", "r"];
        let policies: Vec<String> = names.iter().map(|name| some_policy(random, name)).collect();
        let mut edited = policies.clone();
        let at = random.below(3);
        match random.below(4) {
            0 => edited[at] = String::new(),
            // what a policy allows twice, it allows once
            1 => edited.push(policies[at].replace("{name: ", "{name: again-")),
            _ => edited[at] = some_policy(random, names[at]),
        }
        let loaded = "apiVersion: v1\nkind: Namespace\nmetadata: {name: mill}\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {name: saw, namespace: mill, labels: {elm: a, yew: b}}\n\
             spec: {containers: [{name: c}]}\n---\n";
        let texts = [policies, edited].map(|list| loaded.to_owned() + &list.concat());
        let inputs = texts.each_ref().map(|text| load_str(text));
        let taken = inputs.each_ref().map(|input| {
            let graph = AllowGraph::compile(input, &CompileOptions::default()).unwrap();
            Snapshot::of(input, &graph, World::Open).unwrap()
        });
        let drift = taken[0].drift(&taken[1]);
        let told = compared(&texts[0], &texts[1], World::Open);
        assert!(!told.potential.incomplete, "seed {seed}");
        assert_eq!(
            drift.is_empty(),
            told.is_empty(),
            "seed {seed}: {drift:?}\n{}",
            texts.join("=== after\n")
        );
        changed += usize::from(!drift.is_empty());
        reworded += usize::from(drift.reworded > 0);
        untold += usize::from(drift.is_untold());
    }
    println!("{changed} of {seeds} pairs differ, {untold} of them by the digest alone");
    println!("{reworded} are worded otherwise");
    assert!(changed > 10 && untold > 0 && reworded > 0);
}

/// The lines of a snapshot about pods that are not in the input.
fn snapshot_lines(text: &str) -> Vec<String> {
    let input = load_str(text);
    let options = CompileOptions::default();
    let graph = AllowGraph::compile(&input, &options).unwrap();
    let rows = potential_rows(&input, &options, World::Open).unwrap();
    assert!(!rows.incomplete);
    let taken = Snapshot::new(&graph).with_potential(&rows, &input.cluster);
    let potential = |line: &&String| line.ends_with(" (potential)");
    taken.lines.iter().filter(potential).cloned().collect()
}

/// The rows of some workloads in one direction are those among all rows.
#[test]
fn the_rows_of_some_workloads_are_those_among_all() {
    let options = CompileOptions::default();
    let mut found = 0;
    for seed in 0..60 {
        let random = &mut Random::new(seed);
        let input = load_str(&text(&documents(random)));
        let all = potential_rows(&input, &options, World::Open).unwrap();
        let ends: Vec<_> = input.cluster.workloads().map(|(id, _)| id).collect();
        let some: Vec<_> = ends.iter().copied().step_by(2).collect();
        for direction in Direction::ALL {
            let rows = potential_rows_of(&input, &options, World::Open, &some, direction).unwrap();
            let is_asked = |row: &&PotentialRow| {
                row.direction == direction
                    && matches!(row.governed, GovernedEnd::Workload(id) if some.contains(&id))
            };
            let expected: Vec<&PotentialRow> = all.rows.iter().filter(is_asked).collect();
            assert!(
                all.incomplete || rows.rows.iter().eq(expected),
                "seed {seed}"
            );
            found += rows.rows.len();
        }
    }
    assert!(found > 60, "{found}");
}

/// A policy of namespace `mill` in one direction.
fn directed(pods: &str, kind: &str, rules: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: mill}}\n\
         spec: {{podSelector: {pods}, policyTypes: [{kind}], {rules}}}\n"
    )
}

#[test]
fn a_snapshot_has_what_policies_say_of_pods_that_are_not_there() {
    let saw = "{matchLabels: {app: saw}}";
    let kiln = "{matchLabels: {app: kiln}}";
    let ingress =
        |from: &str, ports: &str| format!("ingress: [{{from: [{from}], ports: [{ports}]}}]");
    for (policy, expected) in [
        (
            directed(saw, "Ingress", &ingress(EDGE, "{port: 80}")),
            vec!["any pod in namespace edge -> mill/saw TCP 80 (potential)"],
        ),
        (
            directed(kiln, "Ingress", &ingress(ANY, "{port: heat}")),
            vec![
                "any pod of any namespace -> pods app=kiln in namespace mill \"heat\"/TCP (potential)",
            ],
        ),
        // who is governed is not loaded
        (
            directed(kiln, "Ingress", &ingress(WEB, "{port: 80}")),
            vec![
                "pods app=web in namespace mill -> pods app=kiln in namespace mill TCP 80 (potential)",
            ],
        ),
        (
            directed(
                kiln,
                "Egress",
                "egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}]",
            ),
            vec!["pods app=kiln in namespace mill -> 203.0.113.0/24 TCP 443 (potential)"],
        ),
        (
            directed(kiln, "Ingress", "ingress: []"),
            vec!["nobody -> pods app=kiln in namespace mill (potential)"],
        ),
        // what is loaded has its own lines
        (directed(saw, "Ingress", "ingress: []"), vec![]),
    ] {
        assert_eq!(
            snapshot_lines(&format!("{SAW}{policy}")),
            expected,
            "{policy}"
        );
    }
}

/// The same set has the same words whatever other policies there are.
#[test]
fn words_of_a_set_do_not_change_with_unrelated_policies() {
    let saw = "{matchLabels: {app: saw}}";
    let alone = format!(
        "{SAW}{}",
        directed(
            saw,
            "Ingress",
            "ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: wood, operator: In, values: [ash, oak]}]}}]}]"
        )
    );
    let other = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: q, namespace: yard}\n\
                 spec: {podSelector: {matchLabels: {crane: tall}}, ingress: [{from: [{podSelector: {matchLabels: {load: heavy}}}, \
                 {namespaceSelector: {matchLabels: {wood: oak}}}]}]}\n";
    let expected = "any pod of namespaces wood in (ash,oak) -> mill/saw ALL (potential)";
    assert_eq!(snapshot_lines(&alone), [expected]);
    assert!(snapshot_lines(&format!("{alone}{other}")).contains(&expected.to_owned()));
}

/// What `can` says, with a configured address of the API server.
fn asked_with(text: &str, configured: &[&str], question: &str) -> netpal::Answer {
    let input = load_str(text);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let context = Context {
        api_servers: configured.iter().map(|at| at.parse().unwrap()).collect(),
        ..Context::default()
    };
    ask(&graph, &context, &question.parse().unwrap()).unwrap()
}

#[test]
fn the_api_server_surely_exists() {
    let slice = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
                 metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}\n\
                 addressType: IPv4\nendpoints: [{addresses: [198.51.100.7]}, {addresses: [198.51.100.8], conditions: {ready: false}}]\n\
                 ports: [{name: https, port: 8443, protocol: TCP}]\n---\n";
    let endpoints = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: kubernetes, namespace: default}\n\
                     subsets: [{addresses: [{ip: 198.51.100.7}], ports: [{port: 8443}]}]\n---\n";
    let other = slice.replace(
        "kubernetes.io/service-name: kubernetes",
        "kubernetes.io/service-name: shop",
    );
    let to = |rule: &str| directed("{}", "Egress", &format!("egress: [{rule}]"));
    let block =
        to("{to: [{ipBlock: {cidr: 198.51.100.0/29}}], ports: [{port: 8443}, {port: 6443}]}");
    let narrow = to("{to: [{ipBlock: {cidr: 198.51.100.7/32}}]}");
    let anyone = to("{ports: [{port: 6443}]}");
    for (objects, configured, policy, question, expected) in [
        (slice, &[][..], &block, "apiserver", Verdict::Yes),
        (endpoints, &[], &block, "apiserver", Verdict::Yes),
        (slice, &[], &narrow, "apiserver", Verdict::Yes),
        (slice, &[], &block, "apiserver:443", Verdict::No),
        (
            "",
            &["198.51.100.7", "203.0.113.5:6443"],
            &narrow,
            "apiserver",
            Verdict::Partly,
        ),
        // the configuration outweighs the input
        (slice, &["203.0.113.5"], &narrow, "apiserver", Verdict::No),
        // nothing tells: what holds of every address holds of the one
        ("", &[], &anyone, "apiserver", Verdict::Yes),
        ("", &[], &narrow, "apiserver:6443", Verdict::Unknown),
        (
            other.as_str(),
            &[],
            &narrow,
            "apiserver:6443",
            Verdict::Unknown,
        ),
    ] {
        let text = format!("{SAW}{objects}{policy}");
        let answer = asked_with(&text, configured, &format!("mill/saw reach {question}"));
        assert_eq!(
            answer.verdict, expected,
            "{question} {configured:?}\n{text}"
        );
    }
}

#[test]
fn dns_is_what_its_service_selects_and_the_cache_on_the_node() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system}\n\
                   spec: {selector: {app: resolver}, ports: [{name: dns, port: 53, protocol: UDP, targetPort: 1053}]}\n---\n";
    let found = dns_pods(&load_str(service), false).unwrap();
    assert_eq!(
        found,
        ("kube-system".into(), Selector::label("app", "resolver"))
    );
    assert_eq!(dns_pods(&load_str(SAW), false), None);
    let route = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r, namespace: mill}\nspec: {to: {kind: Service, name: s}}\n";
    let (namespace, _) = dns_pods(&load_str(route), false).unwrap();
    assert_eq!(&*namespace, "openshift-dns");

    let cache = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: node-local-dns, namespace: kube-system}\n\
                 spec: {selector: {matchLabels: {k8s-app: node-local-dns}}, template: {metadata: {labels: {k8s-app: node-local-dns}}, \
                 spec: {hostNetwork: true, containers: [{name: c, image: registry.example/cache:1}]}}}\n---\n";
    let resolver = "apiVersion: v1\nkind: Pod\nmetadata: {name: resolver, namespace: kube-system, labels: {k8s-app: kube-dns}}\n\
                    spec: {containers: [{name: c, image: registry.example/dns:1}]}\n---\n";
    let by_labels = directed(
        "{}",
        "Egress",
        "egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}]",
    );
    let cached = asked_with(
        &format!("{SAW}{cache}{resolver}{by_labels}"),
        &[],
        "mill/saw reach dns",
    );
    assert_eq!(cached.verdict, Verdict::Partly);
    let plain = asked_with(
        &format!("{SAW}{resolver}{by_labels}"),
        &[],
        "mill/saw reach dns",
    );
    assert_eq!(plain.verdict, Verdict::Yes);
}

fn end_words(end: &FlowEnd) -> String {
    match end {
        FlowEnd::Pods(words) => words.clone(),
        FlowEnd::Address(_) => "an address".into(),
    }
}

/// The status of the only test of a file, with what it says.
fn tested(text: &str, test: &str, world: World) -> (TestStatus, Option<String>) {
    let input = load_str(text);
    let options = CompileOptions::default();
    let graph = AllowGraph::compile(&input, &options).unwrap();
    let suite = parse_tests("tests.yaml", &format!("tests:\n- {test}\n")).unwrap();
    let context = Context::default();
    let none = |_: &str| Ok(Vec::new());
    let environment = TestEnvironment {
        context: &context,
        snapshot: &none,
        doors: &|| Ok(DoorList::default()),
    };
    let mut run = check(&graph, &environment, &suite);
    if let Some(open) =
        OpenWorld::new(&input, &options, world, std::slice::from_ref(&suite)).unwrap()
    {
        open.amend(&mut run, &environment, &suite);
    }
    let said = match &run.outcomes[0].example {
        Some(TestExample::Potential(hops)) => {
            let words = hops.iter().flat_map(|hop| [&hop.source, &hop.destination]);
            let words: Vec<String> = words.map(end_words).collect();
            Some(words.join(" -> "))
        }
        Some(TestExample::PotentialOpen(pods, _)) => Some(pods.clone()),
        _ => None,
    };
    (run.outcomes[0].status, said)
}

#[test]
fn claims_of_absence_hold_for_pods_that_are_not_there() {
    use TestStatus::{Failed, Passed};
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: mill, labels: {{app: {name}}}}}\n\
             spec: {{containers: [{{name: c, image: registry.example/{name}:1}}]}}\n---\n"
        )
    };
    let input = |from: &str| {
        let saw = "{matchLabels: {app: saw}}";
        let ingress = format!("ingress: [{{from: [{from}]}}]");
        [pod("saw"), pod("web"), directed(saw, "Ingress", &ingress)].concat()
    };
    let only_web = "only-from: {to: mill/saw, from: [mill/web]}";
    for (from, test, world, expected, says) in [
        (WEB, only_web, World::Open, Passed, None),
        (
            EDGE,
            only_web,
            World::Open,
            Failed,
            Some("any pod in namespace edge -> mill/saw"),
        ),
        (EDGE, only_web, World::Closed, Passed, None),
        (
            EDGE,
            "{world: closed, only-from: {to: mill/saw, from: [mill/web]}}",
            World::Open,
            Passed,
            None,
        ),
        (
            EDGE,
            "cannot: any -> mill/saw:22",
            World::Open,
            Failed,
            Some("any pod in namespace edge -> mill/saw"),
        ),
        (
            EDGE,
            "cannot: mill/web -> mill/saw:22",
            World::Open,
            Passed,
            None,
        ),
    ] {
        let (status, said) = tested(&input(from), test, world);
        assert_eq!(
            (status, said.as_deref()),
            (expected, says),
            "{from} {test} {world:?}"
        );
    }
}

/// A claim tells kinds of pods apart by labels as policies do, even by labels that these do not
/// mention.
#[test]
fn claims_are_held_by_every_kind_that_their_own_labels_tell_apart() {
    use TestStatus::{Empty, Failed, Passed};
    let from = "{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}";
    let text = format!("{SAW}{}", policy("{matchLabels: {app: saw}}", from));
    for (test, expected) in [
        ("cannot: 'mill?app=job -> mill/saw:80'", Failed),
        ("cannot: 'mill?app in (web, job) -> mill/saw:80'", Failed),
        ("cannot: 'mill?app=web -> mill/saw:80'", Passed),
        (
            "isolated: {from: 'mill?app=job', to: mill/saw, hops: any}",
            Failed,
        ),
        (
            "only-from: {to: mill/saw, from: ['mill?!app', 'mill?app notin (evil)']}",
            Failed,
        ),
        (
            "only-from: {to: mill/saw, from: ['mill?app notin (web)']}",
            Passed,
        ),
        // nobody names this namespace
        ("cannot: 'mlil?app=job -> mill/saw:80'", Empty),
    ] {
        assert_eq!(tested(&text, test, World::Open).0, expected, "{test}");
    }
    let isolated = "isolated: {from: any, to: mill/saw}";
    assert_eq!(
        tested(SAW, isolated, World::Open).0,
        Failed,
        "without policies any pod may come"
    );
}

/// Neither end is loaded, and some pods are at both: all pods of the one end are asked about to all
/// of the other.
#[test]
fn two_ends_that_are_not_loaded_are_asked_about_together() {
    let text = policy(
        "{matchLabels: {app: kiln}}",
        "{podSelector: {matchLabels: {app: saw}}}",
    );
    let verdict = |question: &str| {
        let question: Question = question.parse().unwrap();
        let of = |end: &EndpointSpec| match &end.target {
            Target::Selected { selector, .. } => {
                AskedPods::Labelled("mill".into(), selector.clone())
            }
            _ => AskedPods::Every,
        };
        let about = [of(&question.source), of(&question.destination)];
        let ports = question.destination.asked_ports();
        let (laid, remarks) = with_stand_ins(&load_str(&text), &about, &ports).unwrap();
        assert!(!remarks.is_empty());
        let graph = AllowGraph::compile(&laid, &CompileOptions::default()).unwrap();
        ask(&graph, &Context::default(), &question).unwrap().verdict
    };
    for (question, expected) in [
        ("mill?app=saw reach mill?app=kiln:80", Verdict::Yes),
        ("mill?tier=x reach mill?app=kiln:80", Verdict::Partly),
        ("mill?app=saw reach mill?tier=x:80", Verdict::Yes),
        ("mill?app=oven reach mill?tier=x:80", Verdict::Partly),
        ("mill?app=oven reach mill?app=kiln:80", Verdict::No),
    ] {
        assert_eq!(verdict(question), expected, "{question}");
    }
}

#[test]
fn any_pod_means_every_kind_that_is_not_there() {
    let text = format!("{SAW}{}", policy("{matchLabels: {app: saw}}", EDGE));
    let question = "any-pod reach mill/saw:80";
    let all = asked(&text, AskedPods::Every, question);
    assert_eq!(all, Some(Verdict::Partly));
    let open = format!("{SAW}{}", policy("{matchLabels: {app: saw}}", ANY));
    assert_eq!(asked(&open, AskedPods::Every, question), Some(Verdict::Yes));
}

#[test]
fn assumed_pods_count_unless_such_pods_are_loaded() {
    let gate = |labels: &[(&str, &str)]| AssumedPods {
        name: "gate".into(),
        namespace: "edge".into(),
        namespace_labels: [("tier", "front")].into_iter().collect(),
        labels: labels.iter().copied().collect(),
        host_network: false,
    };
    let from_front = "{namespaceSelector: {matchLabels: {tier: front}}}";
    let text = format!("{SAW}{}", policy("{matchLabels: {app: saw}}", from_front));
    let input = load_str(&text);
    let (laid, added) = with_assumed(&input, &[gate(&[("app", "gate")])]);
    assert_eq!(added, ["gate".into()]);
    let graph = AllowGraph::compile(&laid, &CompileOptions::default()).unwrap();
    let said = ask(
        &graph,
        &Context::default(),
        &"edge/gate reach mill/saw:80".parse().unwrap(),
    );
    assert_eq!(said.unwrap().verdict, Verdict::Yes);
    let saw = AssumedPods {
        namespace: "mill".into(),
        ..gate(&[("app", "saw")])
    };
    let (same, added) = with_assumed(&input, &[saw]);
    assert!(added.is_empty());
    assert_eq!(same.cluster.pods().len(), input.cluster.pods().len());
}

/// A pod of the mill that is called as it is labelled.
fn pod(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: mill, labels: {{app: {name}}}}}\n\
         spec: {{containers: [{{name: c, image: registry.example/{name}:1}}]}}\n---\n"
    )
}

#[test]
fn isolation_default_denies_and_the_internet_are_asked_of_pods_to_come() {
    use TestStatus::{Empty, Failed, Passed, Undecided};
    let saw = "{matchLabels: {app: saw}}";
    let from = |pods, peer| directed(pods, "Ingress", &format!("ingress: [{{from: [{peer}]}}]"));
    let own = "{podSelector: {matchLabels: {app: plane}}}";
    let anywhere = "{ipBlock: {cidr: 0.0.0.0/0}}";
    let mill = [pod("saw"), from(saw, own)].concat();
    let everybody = format!("{mill}---\n{}", directed("{}", "Ingress", ""));
    let shut = everybody.replace("{name: p,", "{name: q,");
    let lathe = from("{matchLabels: {app: lathe}}", anywhere).replace("{name: p,", "{name: l,");
    let over = "isolated: {from: any, to: mill/saw, hops: any}";
    let deny = "default-deny: {namespaces: [mill], directions: [ingress]}";
    let closed = "internet: {ingress: []}";
    for (text, test, world, expected, says) in [
        (
            &mill,
            "isolated: {from: any, to: mill/saw}",
            World::Open,
            Failed,
            Some("pods app=plane in namespace mill -> mill/saw"),
        ),
        (
            &mill,
            over,
            World::Open,
            Failed,
            Some("pods app=plane in namespace mill -> mill/saw"),
        ),
        (&mill, over, World::Closed, Passed, None),
        (
            &mill,
            deny,
            World::Open,
            Failed,
            Some("pods app notin (plane) in namespace mill"),
        ),
        (&mill, deny, World::Closed, Passed, None),
        (
            &mill,
            "{world: closed, default-deny: {namespaces: [mill], directions: [ingress]}}",
            World::Open,
            Passed,
            None,
        ),
        (&shut, deny, World::Open, Passed, None),
        // policies alone, of a namespace that has no pod yet
        (
            &directed("{}", "Ingress", ""),
            deny,
            World::Open,
            Passed,
            None,
        ),
        (
            &from(saw, own),
            deny,
            World::Open,
            Failed,
            Some("other pods in namespace mill"),
        ),
        (&from(saw, own), deny, World::Closed, Empty, None),
        // whom no policy isolates is open to the internet wherever it comes to be
        (&mill, closed, World::Open, Passed, None),
        (
            &format!("{mill}---\n{lathe}"),
            closed,
            World::Open,
            Failed,
            Some("an address -> pods app=lathe in namespace mill"),
        ),
        (
            &format!("{mill}---\n{lathe}"),
            closed,
            World::Closed,
            Passed,
            None,
        ),
        // nobody has told the labels of the namespace
        (
            &mill,
            "default-deny: {namespaces: {matchLabels: {a: b}}, directions: [ingress]}",
            World::Open,
            Undecided,
            Some("pods app notin (plane) in namespace mill"),
        ),
    ] {
        let (status, said) = tested(text, test, world);
        assert_eq!(
            (status, said.as_deref()),
            (expected, says),
            "{test}\n{text}"
        );
    }
}
