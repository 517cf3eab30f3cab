//! The sentences of `docs/dialects/antrea.md`, each group with data of its own: what a policy
//! means, what is refused and where, and what stays unknown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;
#[path = "common/ground_truth.rs"]
mod ground_truth;

use Truth::{Maybe, No, Yes};
use common::netpal_at;
use ground_truth::endpoint;
use netpal::{
    AllowGraph, CniProfile, CompileOptions, DiagnosticSeverity, Flow, Input, Place, Protocol,
    Traffic, Truth, explain,
};

/// Two namespaces with pods of two accounts, a node, and Services.
const CLUSTER: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: blue}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bank, labels: {team: blue}}
---
apiVersion: v1
kind: Namespace
metadata: {name: lab}
---
apiVersion: v1
kind: Node
metadata: {name: rack, labels: {rack: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.21}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {serviceAccountName: keeper, containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.2}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: bank, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.3}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: lab, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.4}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, clusterIP: 10.96.0.5, ports: [{port: 80, targetPort: 8080}]}
---
";

fn load(policies: &str) -> (Input, AllowGraph) {
    let input = netpal::load_str(&format!("{CLUSTER}{policies}"));
    let options = CniProfile::find("antrea").unwrap();
    let options = options.apply(CompileOptions::default());
    let graph = AllowGraph::compile(&input, &options).unwrap();
    graph.verify();
    (input, graph)
}

fn flow(input: &Input, text: &str) -> Flow {
    let words: Vec<&str> = text.split(' ').collect();
    let [source, destination] = [words[0], words[1]].map(|end| endpoint(input, end).unwrap());
    let port = words.get(2).map_or(8080, |port| port.parse().unwrap());
    let traffic = Traffic {
        protocol: Protocol::Tcp,
        port,
    };
    Flow {
        source,
        destination,
        traffic,
    }
}

/// Each question about some policies with its answer, from every engine.
fn holds(policies: &str, answers: &[(&str, Truth)]) {
    let (input, graph) = load(policies);
    let errors: Vec<_> = errors(&input).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for (question, want) in answers {
        let flow = flow(&input, question);
        assert_eq!(graph.verdict(&flow), *want, "{question}\n{policies}");
        assert_eq!(explain(&graph, &flow).allowed, *want, "{question}");
    }
}

fn errors(input: &Input) -> impl Iterator<Item = String> {
    let all = input.diagnostics.iter();
    let errors = all.filter(|d| d.severity == DiagnosticSeverity::Error);
    errors.map(|d| match &d.place {
        Place::Origin(origin) => origin.path.to_string(),
        _ => String::new(),
    })
}

/// A cluster policy with some fields.
fn policy(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: crd.antrea.io/v1beta1\nkind: ClusterNetworkPolicy\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n---\n"
    )
}

const DB: &str = "appliedTo: [{podSelector: {matchLabels: {app: db}}}]";

#[test]
fn an_order_is_tier_priority_and_position() {
    let early = policy(
        "a",
        &format!(
            "tier: emergency, priority: 9, {DB}, ingress: [{{action: Drop, from: [{{podSelector: {{}}}}]}}]"
        ),
    );
    let late = policy(
        "b",
        &format!("priority: 1, {DB}, ingress: [{{action: Allow}}]"),
    );
    holds(
        &format!("{late}{early}"),
        &[("shop/web shop/db", No), ("198.51.100.7 shop/db", Yes)],
    );
    let fraction = policy(
        "c",
        &format!("priority: 1.001, {DB}, ingress: [{{action: Drop}}]"),
    );
    holds(&format!("{fraction}{late}"), &[("shop/web shop/db", Yes)]);
}

#[test]
fn ties_are_decided_by_position_or_not_at_all() {
    let rule = |action: &str, app: &str| {
        format!("{{action: {action}, from: [{{podSelector: {{matchLabels: {{app: {app}}}}}}}]}}")
    };
    let one = policy(
        "one",
        &format!(
            "priority: 5, {DB}, ingress: [{}, {}]",
            rule("Allow", "none"),
            rule("Drop", "web")
        ),
    );
    let other = policy(
        "other",
        &format!("priority: 5, {DB}, ingress: [{}]", rule("Allow", "web")),
    );
    holds(&format!("{one}{other}"), &[("shop/web shop/db", Yes)]);
    let same = policy(
        "same",
        &format!("priority: 5, {DB}, ingress: [{}]", rule("Reject", "web")),
    );
    holds(&format!("{same}{other}"), &[("shop/web shop/db", Maybe)]);
    let (input, graph) = load(&format!("{same}{other}"));
    let told = explain(&graph, &flow(&input, "shop/web shop/db"));
    assert_eq!(told.reason().code(), "UNKNOWN_PRIORITY");
}

#[test]
fn pass_leads_to_the_network_policies_and_then_to_baseline() {
    let pass = policy(
        "pass",
        &format!("tier: emergency, priority: 1, {DB}, ingress: [{{action: Pass}}]"),
    );
    let drop = policy(
        "drop",
        &format!("priority: 1, {DB}, ingress: [{{action: Drop}}]"),
    );
    let base = policy(
        "base",
        &format!(
            "tier: baseline, priority: 1, {DB}, ingress: [{{action: Drop, from: [{{namespaceSelector: {{matchLabels: {{team: blue}}}}}}]}}]"
        ),
    );
    holds(
        &format!("{pass}{drop}{base}"),
        &[("shop/web shop/db", No), ("lab/web shop/db", Yes)],
    );
    let plain = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: k, namespace: shop}\nspec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}\n";
    holds(
        &format!("{pass}{drop}{base}{plain}"),
        &[("shop/web shop/db", Yes), ("lab/web shop/db", No)],
    );
}

#[test]
fn tiers_of_kubernetes_stand_between_and_behind() {
    let admin = |tier: &str, name: &str, action: &str| {
        format!(
            "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {{name: {name}}}\nspec: {{tier: {tier}, priority: 1, subject: {{pods: {{podSelector: {{matchLabels: {{app: db}}}}}}}}, ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}]}}\n---\n"
        )
    };
    let own = |tier: &str, action: &str| {
        policy(
            "own",
            &format!("tier: {tier}, priority: 1, {DB}, ingress: [{{action: {action}}}]"),
        )
    };
    let to = "shop/web shop/db";
    let with = |a: String, b: String| format!("{a}{b}");
    holds(
        &with(own("platform", "Allow"), admin("Admin", "x", "Deny")),
        &[(to, Yes)],
    );
    holds(
        &with(own("application", "Allow"), admin("Admin", "x", "Deny")),
        &[(to, No)],
    );
    holds(
        &with(own("application", "Drop"), admin("Admin", "x", "Pass")),
        &[(to, Yes)],
    );
    holds(
        &with(own("baseline", "Allow"), admin("Baseline", "x", "Deny")),
        &[(to, Yes)],
    );
}

#[test]
fn a_tier_that_is_not_told_leaves_unknown_what_its_policies_touch() {
    let lost = policy(
        "lost",
        &format!("tier: gone, priority: 1, {DB}, ingress: [{{action: Allow}}]"),
    );
    holds(
        &lost,
        &[("shop/web shop/db", Maybe), ("shop/db shop/web", Yes)],
    );
    let tier = |name: &str, priority: usize| {
        format!(
            "apiVersion: crd.antrea.io/v1beta1\nkind: Tier\nmetadata: {{name: {name}}}\nspec: {{priority: {priority}}}\n---\n"
        )
    };
    holds(
        &format!("{lost}{}", tier("gone", 30)),
        &[("shop/web shop/db", Yes)],
    );
    let (input, graph) = load(&format!("{lost}{}{}", tier("gone", 30), tier("other", 30)));
    assert_eq!(errors(&input).collect::<Vec<_>>(), ["spec.priority"]);
    assert_eq!(graph.verdict(&flow(&input, "shop/web shop/db")), Maybe);
}

#[test]
fn entries_mean_other_pods_in_policies_of_a_namespace() {
    let own = |spec: &str| {
        format!(
            "apiVersion: crd.antrea.io/v1beta1\nkind: NetworkPolicy\nmetadata: {{name: own, namespace: shop}}\nspec: {{priority: 1, {spec}}}\n"
        )
    };
    holds(
        &own("appliedTo: [{}], ingress: [{action: Drop, from: [{podSelector: {}}]}]"),
        &[
            ("shop/web shop/db", No),
            ("bank/web shop/db", Yes),
            ("shop/db bank/web", Yes),
        ],
    );
    holds(
        &policy(
            "all",
            "priority: 1, appliedTo: [{}], ingress: [{action: Drop}]",
        ),
        &[("shop/web shop/db", Yes)],
    );
    holds(
        &policy(
            "none",
            &format!("priority: 1, {DB}, ingress: [{{action: Drop, from: [{{}}]}}]"),
        ),
        &[("shop/web shop/db", Yes)],
    );
}

#[test]
fn namespaces_are_seen_from_the_governed_pod() {
    let all = "priority: 1, appliedTo: [{namespaceSelector: {}}]";
    let own = policy(
        "self",
        &format!("{all}, ingress: [{{action: Drop, from: [{{namespaces: {{match: Self}}}}]}}]"),
    );
    holds(&own, &[("shop/web shop/db", No), ("bank/web shop/db", Yes)]);
    let same = policy(
        "same",
        &format!(
            "{all}, ingress: [{{action: Allow, from: [{{namespaces: {{sameLabels: [team]}}}}]}}, {{action: Drop}}]"
        ),
    );
    holds(
        &same,
        &[
            ("bank/web shop/db", Yes),
            ("lab/web shop/db", No),
            ("lab/web lab/web", Yes),
            ("shop/web lab/web", No),
        ],
    );
    let two = policy(
        "two",
        "priority: 1, appliedTo: [{namespaceSelector: {}}, {podSelector: {}}], ingress: [{action: Drop, from: [{namespaces: {sameLabels: [team]}}]}]",
    );
    holds(
        &two,
        &[("bank/web shop/db", Maybe), ("lab/web shop/db", Yes)],
    );
    let empty = policy(
        "empty",
        "priority: 1, appliedTo: [{}], ingress: [{action: Drop, from: [{namespaces: {match: Self}}]}]",
    );
    holds(
        &empty,
        &[("shop/web shop/db", Maybe), ("bank/web shop/db", Yes)],
    );
}

#[test]
fn groups_have_their_members_and_those_of_their_children() {
    let group = |name: &str, spec: &str| {
        format!(
            "apiVersion: crd.antrea.io/v1beta1\nkind: ClusterGroup\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n---\n"
        )
    };
    let drop = |name: &str| {
        policy(
            "p",
            &format!("priority: 1, {DB}, ingress: [{{action: Drop, from: [{{group: {name}}}]}}]"),
        )
    };
    let groups = [
        group("pods", "podSelector: {matchLabels: {app: web}}, namespaceSelector: {matchLabels: {team: blue}}"),
        group("blocks", "ipBlocks: [{cidr: 10.0.0.0/29, except: [10.0.0.3/32]}]"),
        group("parent", "childGroups: [pods, missing]"),
        group("grand", "childGroups: [parent]"),
        group("behind", "serviceReference: {name: db, namespace: shop}"),
        group("empty", ""),
    ]
    .concat();
    let with = |name: &str| format!("{groups}{}", drop(name));
    holds(
        &with("pods"),
        &[("shop/web shop/db", No), ("lab/web shop/db", Yes)],
    );
    holds(
        &with("blocks"),
        &[("bank/web shop/db", Yes), ("lab/web shop/db", No)],
    );
    holds(
        &with("parent"),
        &[("bank/web shop/db", No), ("lab/web shop/db", Yes)],
    );
    for nobody in ["grand", "missing", "empty", "behind"] {
        holds(&with(nobody), &[("shop/web shop/db", Yes)]);
    }
    let governs = policy(
        "g",
        "priority: 1, appliedTo: [{group: behind}], ingress: [{action: Drop}]",
    );
    holds(
        &format!("{groups}{governs}"),
        &[("shop/web shop/db", No), ("shop/db shop/web", Yes)],
    );
}

#[test]
fn accounts_and_nodes_are_peers() {
    let account = |name: &str| format!("serviceAccount: {{name: {name}, namespace: shop}}");
    let by = policy(
        "a",
        &format!(
            "priority: 1, appliedTo: [{{{}}}], ingress: [{{action: Drop, from: [{{{}}}]}}]",
            account("keeper"),
            account("default")
        ),
    );
    holds(
        &by,
        &[
            ("shop/web shop/db", No),
            ("bank/web shop/db", Yes),
            ("shop/db shop/web", Yes),
        ],
    );
    let nodes = policy(
        "n",
        &format!(
            "priority: 1, {DB}, egress: [{{action: Drop, to: [{{nodeSelector: {{matchLabels: {{rack: a}}}}}}]}}]"
        ),
    );
    holds(
        &nodes,
        &[("shop/db 192.0.2.21", No), ("shop/db 192.0.2.22", Yes)],
    );
    let host = policy(
        "h",
        "priority: 1, appliedTo: [{nodeSelector: {matchLabels: {rack: a}}}], ingress: [{action: Drop}]",
    );
    holds(
        &host,
        &[("shop/db 192.0.2.21", Maybe), ("shop/web shop/db", Yes)],
    );
}

#[test]
fn what_manifests_do_not_tell_is_unknown_and_no_more() {
    let name = policy(
        "n",
        &format!("priority: 1, {DB}, egress: [{{action: Drop, to: [{{fqdn: '*.example.com'}}]}}]"),
    );
    holds(
        &name,
        &[
            ("shop/db 198.51.100.7", Maybe),
            ("shop/db shop/web", Yes),
            ("shop/db 10.96.0.5", Yes),
        ],
    );
    let request = policy(
        "r",
        &format!(
            "priority: 1, {DB}, ingress: [{{action: Allow, l7Protocols: [{{http: {{method: GET}}}}], ports: [{{port: 8080}}]}}, {{action: Drop}}]"
        ),
    );
    holds(
        &request,
        &[("shop/web shop/db", Maybe), ("shop/web shop/db 81", No)],
    );
    let source = policy(
        "s",
        &format!(
            "priority: 1, {DB}, ingress: [{{action: Drop, ports: [{{port: 8080, sourcePort: 99}}, {{port: 81}}]}}]"
        ),
    );
    holds(
        &source,
        &[
            ("shop/web shop/db", Maybe),
            ("shop/web shop/db 81", No),
            ("shop/web shop/db 82", Yes),
        ],
    );
    let at_nodes = policy(
        "p",
        "priority: 1, appliedTo: [{service: {name: db, namespace: shop}}], ingress: [{action: Drop}]",
    );
    holds(
        &at_nodes,
        &[("198.51.100.7 shop/db", Maybe), ("shop/web shop/db", Yes)],
    );
}

#[test]
fn the_name_of_a_namespace_is_known_where_its_object_is_missing() {
    // S27: the name is a label of every namespace, so AN35 and AN36 decide by it
    let attic = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: attic, labels: {{app: db}}}}
spec: {{containers: [{{name: c, image: i}}]}}\nstatus: {{podIP: 10.0.4.{}}}\n---\n",
            name.len()
        )
    };
    let pods = attic("trunk") + &attic("chest-of");
    let name = "{sameLabels: [kubernetes.io/metadata.name]}";
    for namespaces in ["{match: Self}", name] {
        let rule = format!("ingress: [{{action: Drop, from: [{{namespaces: {namespaces}}}]}}]");
        let drop = policy("d", &format!("priority: 1, {DB}, {rule}"));
        holds(
            &(pods.clone() + &drop),
            &[
                ("attic/trunk attic/chest-of", No),
                ("shop/web attic/trunk", Yes),
                ("attic/trunk shop/db", Yes),
                ("shop/web shop/db", No),
            ],
        );
    }
    let rule = "ingress: [{action: Drop, from: [{namespaces: {sameLabels: [kubernetes.io/metadata.name, team]}}]}]";
    let drop = policy("d", &format!("priority: 1, {DB}, {rule}"));
    holds(
        &(pods + &drop),
        &[
            ("attic/trunk attic/chest-of", Maybe),
            ("shop/web attic/trunk", Yes),
            ("lab/web shop/db", Yes),
        ],
    );
}

#[test]
fn a_rule_that_names_a_service_sees_its_calls() {
    let web = "appliedTo: [{podSelector: {matchLabels: {app: web}}}]";
    let drop = policy(
        "d",
        &format!(
            "priority: 1, {web}, egress: [{{action: Drop, toServices: [{{name: db, namespace: shop}}]}}]"
        ),
    );
    holds(
        &drop,
        &[
            ("shop/web 10.96.0.5 80", No),
            ("shop/web 10.96.0.5 81", Yes),
            ("shop/web shop/db", Yes),
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let ask = |policy: &str| {
        std::fs::write(folder.path().join("all.yaml"), format!("{CLUSTER}{policy}")).unwrap();
        netpal_at(
            folder.path(),
            &["can", "shop/web", "shop/svc/db:80", "-f", "."],
            "",
        )
    };
    let run = ask(&drop);
    assert_eq!(run.code, 1, "{}", run.text());
    let place = "d egress[0].toServices";
    assert!(run.text().contains(place), "{}", run.text());
    let other = policy(
        "d",
        &format!(
            "priority: 1, {web}, egress: [{{action: Drop, toServices: [{{name: other, namespace: shop}}]}}]"
        ),
    );
    assert_eq!(ask(&other).code, 0, "{}", ask(&other).text());
}

#[test]
fn rules_that_name_a_service_are_asked_in_their_order() {
    // AN40 among AN2, AN5, AN10 and AN13
    let named = "toServices: [{name: db, namespace: shop}]";
    let rules = |name: &str, fields: &str, egress: &str| {
        let web = "appliedTo: [{podSelector: {matchLabels: {app: web}}}]";
        policy(
            name,
            &format!("priority: 1, {fields}{web}, egress: [{egress}]"),
        )
    };
    let (allow, drop) = (
        format!("{{action: Allow, {named}}}"),
        format!("{{action: Drop, {named}}}"),
    );
    let closed = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: k, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress]}\n---\n";
    let folder = tempfile::tempdir().unwrap();
    for (policies, code) in [
        (rules("x", "", &format!("{allow}, {{action: Drop}}")), 0),
        (rules("x", "", &format!("{{action: Allow}}, {drop}")), 0),
        (rules("x", "", &format!("{drop}, {{action: Allow}}")), 1),
        (rules("x", "", &allow) + closed, 0),
        (
            rules("first", "tier: emergency, ", "{action: Drop}") + &rules("x", "", &allow),
            1,
        ),
        (
            rules("x", "", &format!("{{action: Pass, {named}}}")) + closed,
            1,
        ),
        (rules("x", "", &drop.replace("name: db", "name: bare")), 0),
    ] {
        let bare = "apiVersion: v1\nkind: Service\nmetadata: {name: bare, namespace: shop}
spec: {selector: {app: db}, clusterIP: None, ports: [{port: 8080}]}\n---\n";
        for cluster in [
            CLUSTER.to_owned(),
            CLUSTER.replace("clusterIP: 10.96.0.5, ", ""),
        ] {
            let text = format!("{cluster}{bare}{policies}");
            std::fs::write(folder.path().join("all.yaml"), text).unwrap();
            for called in ["shop/svc/db:80", "shop/svc/bare:8080"] {
                let words = ["can", "shop/web", called, "-f", "."];
                let run = netpal_at(folder.path(), &words, "");
                let is_bare = called.contains("bare");
                if !is_bare {
                    assert_eq!(run.code, code, "{policies}\n{}", run.text());
                } else if policies.contains("name: bare") {
                    assert_eq!(run.code, 0, "{policies}\n{}", run.text());
                }
            }
        }
    }
}

#[test]
fn a_diff_tells_what_becomes_of_calls_by_name() {
    // AN40: the path to the pod itself is closed on both sides
    let db = "{action: Allow, toServices: [{name: db, namespace: shop}]}, ";
    let rules = |first: &str| {
        let drop = "{action: Drop, to: [{namespaceSelector: {}}]}";
        let egress = format!("appliedTo: [{{podSelector: {{}}}}], egress: [{first}{drop}]");
        let cluster = CLUSTER.replace("clusterIP: 10.96.0.5, ", "");
        cluster + &policy("d", &format!("priority: 1, {egress}"))
    };
    let folder = tempfile::tempdir().unwrap();
    let (closed, open) = (rules(""), rules(db));
    for (before, after, code, told) in [
        (
            &closed,
            &open,
            1,
            "+ shop/web -> svc shop/db => shop/db  8080/TCP",
        ),
        (
            &open,
            &closed,
            1,
            "- shop/web -> svc shop/db => shop/db  8080/TCP",
        ),
        (&open, &open, 0, "0 widened"),
    ] {
        std::fs::write(folder.path().join("old.yaml"), before).unwrap();
        std::fs::write(folder.path().join("new.yaml"), after).unwrap();
        let words = ["diff", "old.yaml", "new.yaml", "--world", "closed"];
        let run = netpal_at(folder.path(), &words, "");
        assert_eq!(run.code, code, "{}", run.text());
        assert!(run.text().contains(told), "{}", run.text());
        assert!(!run.text().contains("same effect"), "{}", run.text());
    }
    let snapshot = ["snapshot", "-f", "old.yaml", "of.snap"];
    std::fs::write(folder.path().join("old.yaml"), &closed).unwrap();
    netpal_at(folder.path(), &[&snapshot[..], &["--update"]].concat(), "");
    std::fs::write(folder.path().join("old.yaml"), &open).unwrap();
    let run = netpal_at(folder.path(), &[&snapshot[..], &["--check"]].concat(), "");
    assert_eq!(run.code, 1, "{}", run.text());
}

#[test]
fn what_is_refused_is_told_at_its_field_and_leaves_unknown_what_it_touches() {
    let cases = [
        (
            "priority: 1",
            "ingress: [{action: Deny}]",
            "spec.ingress[0].action",
        ),
        (
            "priority: 1, tier: baseline",
            "ingress: [{action: Pass}]",
            "spec.ingress[0].action",
        ),
        (
            "tier: platform",
            "ingress: [{action: Drop}]",
            "spec.priority",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, ports: [{endPort: 9}]}]",
            "spec.ingress[0].ports[0].endPort",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, ports: [{port: 9, endPort: 8}]}]",
            "spec.ingress[0].ports[0].endPort",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, ports: [{port: http, endPort: 8}]}]",
            "spec.ingress[0].ports[0].endPort",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, ports: [{port: 70000}]}]",
            "spec.ingress[0].ports[0].port",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, from: [{group: g, podSelector: {}}]}]",
            "spec.ingress[0].from[0]",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, from: [{namespaceSelector: {}, namespaces: {match: Self}}]}]",
            "spec.ingress[0].from[0].namespaces",
        ),
        (
            "priority: 1",
            "egress: [{action: Drop, toServices: [{name: s, namespace: n}], ports: [{port: 1}]}]",
            "spec.egress[0].toServices",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, appliedTo: [{podSelector: {matchLabels: {app: db}}}]}]",
            "spec.appliedTo",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, form: []}]",
            "spec.ingress[0].form",
        ),
        (
            "priority: 1",
            "ingress: [{action: Drop, l7Protocols: [{http: {}}]}]",
            "spec.ingress[0].l7Protocols",
        ),
    ];
    for (head, rules, at) in cases {
        let (input, graph) = load(&policy("bad", &format!("{head}, {DB}, {rules}")));
        let found: Vec<String> = errors(&input).collect();
        assert!(found.iter().any(|path| path == at), "{rules}: {found:?}");
        let direction = if rules.starts_with("egress") {
            "shop/db shop/web"
        } else {
            "shop/web shop/db"
        };
        assert_eq!(graph.verdict(&flow(&input, direction)), Maybe, "{rules}");
        assert_eq!(
            graph.verdict(&flow(&input, "bank/web shop/web")),
            Yes,
            "{rules}"
        );
    }
}

#[test]
fn another_plugin_leaves_unknown_what_policies_of_antrea_touch() {
    let text = policy(
        "p",
        &format!("priority: 1, {DB}, ingress: [{{action: Allow}}]"),
    );
    let input = netpal::load_str(&format!("{CLUSTER}{text}"));
    for (cni, want) in [("calico", Maybe), ("generic", Yes), ("antrea", Yes)] {
        let options = CniProfile::find(cni)
            .unwrap()
            .apply(CompileOptions::default());
        let graph = AllowGraph::compile(&input, &options).unwrap();
        assert_eq!(
            graph.verdict(&flow(&input, "shop/web shop/db")),
            want,
            "{cni}"
        );
        assert_eq!(
            graph.verdict(&flow(&input, "shop/db shop/web")),
            Yes,
            "{cni}"
        );
    }
}
