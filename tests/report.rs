//! The controls of the report: every result that a control can have, what must not make it met, and
//! the same rows in every form.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use netpal::{AuditProfile, ControlResult};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const PROFILES: [(&str, AuditProfile); 6] = [
    ("pci", AuditProfile::Pci),
    ("cis", AuditProfile::Cis),
    ("nsa", AuditProfile::Nsa),
    ("nist", AuditProfile::Nist),
    ("soc2", AuditProfile::Soc2),
    ("iso", AuditProfile::Iso),
];

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Runs `netpal report ARGUMENTS`, with a date in the environment if one is given: code, output,
/// errors.
fn report_at(folder: &Path, arguments: &[&str], epoch: Option<&str>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netpal"));
    command
        .arg("report")
        .args(arguments)
        .current_dir(folder)
        .env_remove("SOURCE_DATE_EPOCH")
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS");
    if let Some(epoch) = epoch {
        command.env("SOURCE_DATE_EPOCH", epoch);
    }
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// One row of the table of controls.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    control: String,
    requirement: String,
    scope: String,
    result: String,
    bearing: String,
    because: String,
}

fn rows(folder: &Path, profile: &str, flags: &[&str]) -> Vec<Row> {
    let asked = [&["-f", ".", "--profile", profile, "-o", "csv"], flags].concat();
    let (_, table, errors) = report_at(folder, &asked, None);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        vec![
            "control",
            "requirement",
            "scope",
            "result",
            "bearing",
            "because"
        ],
        "{errors}"
    );
    let read = |record: csv::StringRecord| {
        let cell = |i: usize| record[i].to_owned();
        Row {
            control: cell(0),
            requirement: cell(1),
            scope: cell(2),
            result: cell(3),
            bearing: cell(4),
            because: cell(5),
        }
    };
    reader
        .records()
        .map(|record| read(record.unwrap()))
        .collect()
}

/// The result of a control, and all of its reasons.
fn result(rows: &[Row], control: &str) -> (String, String) {
    let own: Vec<&Row> = rows.iter().filter(|row| row.control == control).collect();
    let first = own
        .first()
        .unwrap_or_else(|| panic!("no control {control}"));
    assert!(own.iter().all(|row| row.result == first.result));
    let because: Vec<String> = own
        .iter()
        .map(|row| format!("{}: {}", row.bearing, row.because))
        .collect();
    (first.result.clone(), because.join("\n"))
}

fn judged(
    files: &[(&str, &str)],
    profile: &str,
    control: &str,
    flags: &[&str],
) -> (String, String) {
    let folder = folder(files);
    result(&rows(folder.path(), profile, flags), control)
}

fn namespace(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{team: {name}}}}}\n---\n"
    )
}

fn deployment(namespace: &str, name: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    \
         spec: {{{more}containers: [{{name: c, ports: [{{containerPort: 8080}}]}}]}}\n---\n"
    )
}

fn policy(namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}}}\n---\n"
    )
}

const DENY: &str = "podSelector: {}, policyTypes: [Ingress, Egress]";

/// A namespace that denies everything, and one workload.
fn closed() -> String {
    namespace("shop") + &deployment("shop", "web", "") + &policy("shop", "deny", DENY)
}

fn load_balancer(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec: {{type: LoadBalancer, externalTrafficPolicy: Local, selector: {{app: {name}}}, ports: [{{port: 443, targetPort: 8080}}]}}\n---\n"
    )
}

const FROM_INTERNET: &str = "podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 8080}]}]";

/// The inputs by which every result of every control is reached.
fn inputs() -> Vec<(&'static str, String, Vec<&'static str>)> {
    let open = namespace("shop") + &deployment("shop", "web", "");
    let half = closed()
        + &namespace("dev")
        + &deployment("dev", "a", "")
        + &deployment("dev", "b", "")
        + &policy(
            "dev",
            "a",
            "podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress, Egress]",
        );
    let public = closed() + &load_balancer("web") + &policy("shop", "public", FROM_INTERNET);
    let proxied = closed()
        + "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n\
           spec: {ingressClassName: nginx, rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n---\n\
           apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n---\n"
        + &policy(
            "shop",
            "from-proxy",
            "podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}], ports: [{port: 8080}]}]",
        );
    let host = namespace("shop")
        + &deployment("shop", "web", "hostNetwork: true, ")
        + &policy("shop", "deny", DENY);
    let flannel = closed()
        + &namespace("kube-flannel")
        + &deployment("kube-flannel", "kube-flannel-ds", "").replace("Deployment", "DaemonSet");
    vec![
        ("closed", closed(), vec![]),
        ("open", open, vec![]),
        ("half", half, vec![]),
        ("public", public, vec![]),
        ("proxied", proxied, vec![]),
        ("host", host, vec![]),
        ("calico", closed(), vec!["--cni", "calico"]),
        ("flannel", flannel, vec![]),
    ]
}

#[test]
fn every_result_of_every_control_is_reached_and_no_other() {
    let mut reached: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (_, text, flags) in inputs() {
        let folder = folder(&[("all.yaml", &text)]);
        for (name, _) in PROFILES {
            for row in rows(folder.path(), name, &flags) {
                let results = reached.entry((name.to_owned(), row.control)).or_default();
                results.insert(row.result);
            }
        }
    }
    for (name, profile) in PROFILES {
        for control in profile.controls() {
            let possible: BTreeSet<String> = control
                .possible
                .iter()
                .map(|r| r.word().to_owned())
                .collect();
            let id = control.id.to_owned();
            assert_eq!(
                reached[&(name.to_owned(), id)],
                possible,
                "{name} {}",
                control.id
            );
        }
    }
}

#[test]
fn controls_of_people_are_never_judged_and_say_what_would_settle_them() {
    for (name, profile) in PROFILES {
        for control in profile.controls() {
            assert!(!control.asks.is_empty() && !control.possible.is_empty());
            if control.possible == [ControlResult::NotAssessable] {
                assert!(!control.settle.is_empty(), "{name} {}", control.id);
            }
            // what is in no input keeps a control from being met, unless tests declare it
            let declared = control.beyond.contains("policy test");
            if !control.beyond.is_empty() && !declared {
                assert!(
                    !control.possible.contains(&ControlResult::Met),
                    "{}",
                    control.id
                );
            }
        }
    }
}

#[test]
fn a_rule_that_opens_to_the_world_counts_as_open() {
    let anyone = closed() + &policy("shop", "open", "podSelector: {}, ingress: [{}]");
    let (is, because) = judged(&[("a.yaml", &anyone)], "pci", "1.3.1", &[]);
    assert_eq!(is, "not met", "{because}");
    assert!(
        because.contains("against: shop/web accepts from every pod of the cluster on every port: policy shop/open ingress[0] (a.yaml:"),
        "{because}"
    );
    assert!(because.contains("against: shop/web accepts from the internet on every port"));
    // also on one port alone, and where no other namespace is loaded whose pods could be told
    let one = closed()
        + &policy(
            "shop",
            "wide",
            "podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 8080}]}]",
        );
    for control in ["1.3.1", "1.4.1"] {
        let (is, because) = judged(&[("a.yaml", &one)], "pci", control, &[]);
        assert_ne!(is, "met", "{because}");
        let wanted = "against: shop/web accepts from every pod of the cluster on 8080/TCP: policy shop/wide ingress[0]";
        assert!(because.contains(wanted), "{because}");
    }
    let (is, because) = judged(&[("a.yaml", &one)], "pci", "1.3.1", &["--world", "closed"]);
    assert_eq!(is, "not met", "in a closed world too: {because}");
    let (is, because) = judged(&[("a.yaml", &one)], "iso", "A.8.22", &[]);
    assert_eq!(is, "not met", "{because}");
    let out = closed()
        + &policy(
            "shop",
            "out",
            "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}]}]",
        );
    let (is, because) = judged(&[("a.yaml", &out)], "pci", "1.3.2", &[]);
    assert_eq!(is, "not met", "{because}");
    assert!(
        because.contains("shop/web may send to the internet on 443/TCP: policy shop/out egress[0]"),
        "{because}"
    );
}

#[test]
fn what_is_closed_in_one_direction_is_met_in_part() {
    let inward = namespace("shop")
        + &deployment("shop", "web", "")
        + &policy("shop", "deny", "podSelector: {}, policyTypes: [Ingress]");
    for (profile, control) in [
        ("pci", "1.4.1"),
        ("nist", "AC-4"),
        ("nist", "SC-7(5)"),
        ("iso", "A.8.20"),
    ] {
        let (is, because) = judged(&[("a.yaml", &inward)], profile, control, &[]);
        assert_eq!(is, "partly", "{control} {because}");
        assert!(
            because.contains("against: shop/web may send to anyone"),
            "{because}"
        );
    }
    assert_eq!(
        judged(&[("a.yaml", &inward)], "pci", "1.3.2", &[]).0,
        "not met"
    );
}

#[test]
fn a_block_that_somebody_owns_is_a_flow_by_name_and_its_halves_are_the_internet() {
    let from = |blocks: &[&str]| {
        let peers: Vec<String> = blocks
            .iter()
            .map(|b| format!("{{ipBlock: {{cidr: \"{b}\"}}}}"))
            .collect();
        closed()
            + &policy(
                "shop",
                "from",
                &format!(
                    "podSelector: {{}}, ingress: [{{from: [{}], ports: [{{port: 8080}}]}}]",
                    peers.join(", ")
                ),
            )
    };
    let partner = from(&["203.0.112.0/24"]);
    for (control, wanted) in [
        (
            "1.3.1",
            "to confirm: allowed: 203.0.112.0/24 to shop/web on 8080/TCP: policy shop/from ingress[0]",
        ),
        (
            "1.4.2",
            "to confirm: policies let 203.0.112.0/24 in to shop/web on 8080/TCP: whether that is trusted",
        ),
        (
            "1.4.4",
            "to confirm: policies let 203.0.112.0/24 in to shop/web on 8080/TCP: whether that is trusted",
        ),
    ] {
        let (is, because) = judged(&[("a.yaml", &partner)], "pci", control, &[]);
        assert_eq!(is, "partly", "{control} {because}");
        assert!(because.contains(wanted), "{because}");
    }
    for wide in [
        from(&["0.0.0.0/1", "128.0.0.0/1"]),
        from(&["8.0.0.0/8", "203.0.112.0/24"]),
        from(&["2000::/3"]),
    ] {
        let (is, because) = judged(&[("a.yaml", &wide)], "pci", "1.3.1", &[]);
        assert_eq!(is, "not met", "{because}");
        assert!(
            because.contains("against: shop/web accepts from the internet on 8080/TCP"),
            "{because}"
        );
    }
}

#[test]
fn a_load_balancer_with_an_open_policy_fails_direct_access() {
    let input = closed() + &load_balancer("web") + &policy("shop", "public", FROM_INTERNET);
    let (is, because) = judged(&[("a.yaml", &input)], "pci", "1.4.4", &[]);
    assert_eq!(is, "not met", "{because}");
    let wanted =
        "against: LoadBalancer shop/web leads from the internet to shop/web:8080/TCP: a.yaml:";
    assert!(because.contains(wanted), "{because}");
    // also where the caller's address may be that of a node, so that the door may be shut
    let cluster = input.replace("externalTrafficPolicy: Local, ", "");
    let (is, because) = judged(&[("a.yaml", &cluster)], "pci", "1.4.4", &[]);
    assert_eq!(is, "not met", "{because}");
    assert!(because.contains("LoadBalancer shop/web"), "{because}");
    assert!(
        !because.contains("no door of the input leads there"),
        "{because}"
    );
    // without a policy, and with a policy that lets the internet in where no door is
    let bare = namespace("shop") + &deployment("shop", "web", "") + &load_balancer("web");
    assert_eq!(
        judged(&[("a.yaml", &bare)], "pci", "1.4.4", &[]).0,
        "not met"
    );
    let doorless = closed() + &policy("shop", "public", FROM_INTERNET);
    let (is, because) = judged(&[("a.yaml", &doorless)], "pci", "1.4.4", &[]);
    assert_eq!(is, "not met", "{because}");
    assert!(because.contains("policies let the internet in to shop/web on 8080/TCP, and no door of the input leads there: policy shop/public ingress[0]"), "{because}");
    // one that policies close is told, and does no harm
    let shut = closed() + &load_balancer("web");
    let (is, because) = judged(&[("a.yaml", &shut)], "pci", "1.4.4", &[]);
    assert_eq!(is, "met", "{because}");
    assert!(
        because.contains("and policies let nobody through"),
        "{because}"
    );
    // nor does one to a workload that is not in scope
    let other = input + &deployment("shop", "db", "");
    let (is, because) = judged(
        &[("a.yaml", &other)],
        "pci",
        "1.4.4",
        &["--scope", "shop/db"],
    );
    assert_eq!(is, "met", "{because}");
    assert!(!because.contains("shop/web"), "{because}");
}

#[test]
fn what_is_not_read_or_not_known_is_never_met() {
    let controls = [
        ("pci", "1.3.1"),
        ("pci", "1.4.1"),
        ("pci", "1.4.4"),
        ("nist", "SC-7(5)"),
        ("cis", "5.3.2"),
        ("iso", "A.8.22"),
    ];
    let met = |more: &str, flags: &[&str]| -> Vec<(&str, String)> {
        let folder = folder(&[("a.yaml", &closed()), ("b.yaml", more)]);
        let each = controls.iter().map(|(profile, control)| {
            (
                *control,
                result(&rows(folder.path(), profile, flags), control),
            )
        });
        each.filter(|(_, (is, _))| is == "met")
            .map(|(c, (_, why))| (c, why))
            .collect()
    };
    assert_eq!(
        met("", &[]).len(),
        controls.len(),
        "without them all are met"
    );
    for (what, more) in [
        (
            "a broken document",
            "kind: Deployment\nmetadata: {name: [\n",
        ),
        (
            "a template",
            "kind: Pod\nmetadata: {name: {{ .Values.name }}}\n",
        ),
        (
            "a field of the wrong type",
            "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {ports: 1}\n",
        ),
    ] {
        assert_eq!(met(more, &[]), [], "{what}");
        assert_eq!(met(more, &["--ignore-broken"]), [], "{what}, ignored");
    }
    let unmodelled = "apiVersion: projectcalico.org/v9\nkind: GlobalNetworkPolicy\nmetadata: {name: x}\nspec: {}\n";
    let left: Vec<&str> = met(unmodelled, &[]).into_iter().map(|(c, _)| c).collect();
    assert_eq!(left, ["5.3.2"], "the namespace has policies all the same");
}

#[test]
fn a_kind_that_was_told_to_be_ignored_keeps_controls_from_being_met() {
    let unmodelled = "apiVersion: crd.nsx.vmware.com/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: x, namespace: shop}\nspec: {}\n";
    let files = [("a.yaml", &*closed()), ("b.yaml", unmodelled)];
    let ignored = [files[0], files[1], ("netpal.yaml", "unsupported: ignore\n")];
    for files in [&files[..], &ignored[..]] {
        let (is, because) = judged(files, "pci", "1.3.1", &[]);
        assert_ne!(is, "met", "{because}");
    }
}

#[test]
fn what_is_not_enforced_is_not_judged() {
    let at = folder(&[("a.yaml", &closed())]);
    let (code, out, err) = report_at(
        at.path(),
        &["-f", ".", "--profile", "pci", "--staged"],
        None,
    );
    assert!(
        code == 2 && out.is_empty() && err.contains("staged"),
        "{err}"
    );
}

#[test]
fn doors_that_are_not_read_are_not_passed_by() {
    let unread = "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: x, namespace: shop}\nspec: {}\n";
    let (is, because) = judged(
        &[("a.yaml", &closed()), ("b.yaml", unread)],
        "pci",
        "1.4.4",
        &[],
    );
    assert_eq!(is, "not assessable", "{because}");
    assert!(
        because.contains("IngressRoute objects, which may open doors and are not read"),
        "{because}"
    );
    // a load balancer that is not in the input shows an address of its own
    let private = closed()
        + &policy(
            "shop",
            "lan",
            "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/16}}]}]",
        );
    let (is, because) = judged(
        &[("a.yaml", &private)],
        "pci",
        "1.4.4",
        &["--pod-cidrs", "10.0.0.0/8"],
    );
    assert_eq!(is, "not assessable", "{because}");
    assert!(
        because.contains("a load balancer that is not in the input would come from there"),
        "{because}"
    );
}

#[test]
fn pods_on_their_nodes_network_are_not_passed_by() {
    let host = closed() + &deployment("shop", "agent", "hostNetwork: true, ");
    for (profile, control) in [
        ("pci", "1.3.1"),
        ("pci", "1.4.4"),
        ("nist", "SC-7(5)"),
        ("iso", "A.8.22"),
        ("cis", "5.3.2"),
    ] {
        for flags in [
            &[][..],
            &["--cni", "calico"],
            &["--assume", "hostnetwork=node"],
        ] {
            let (is, because) = judged(&[("a.yaml", &host)], profile, control, flags);
            assert_ne!(is, "met", "{control} {flags:?}: {because}");
            assert!(
                because.contains("shop/agent"),
                "{control} {flags:?}: {because}"
            );
        }
        let as_pods = ["--assume", "hostnetwork=pod"];
        let (is, because) = judged(&[("a.yaml", &host)], profile, control, &as_pods);
        // its host port is a door all the same
        assert!(is == "met" || control == "1.4.4", "{control}: {because}");
    }
    // one that may be a pod's own node reaches it, whatever policies say
    let (is, because) = judged(
        &[("a.yaml", &host)],
        "pci",
        "1.4.1",
        &["--cni", "calico", "--scope", "shop/web"],
    );
    assert_eq!(is, "partly", "{because}");
    assert!(
        because.contains("in part: shop/agent reaches shop/web where both are on one node"),
        "{because}"
    );
}

#[test]
fn a_default_deny_holds_for_pods_to_come() {
    let undeclared = deployment("shop", "web", "")
        + &policy(
            "shop",
            "web",
            "podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress]",
        );
    let by_name = namespace("shop") + &undeclared;
    let controls = [
        ("nist", "SC-7(5)"),
        ("pci", "1.3.1"),
        ("pci", "1.4.1"),
        ("nsa", "default deny, ingress"),
    ];
    let inputs = [&by_name, &undeclared];
    let asked = inputs
        .iter()
        .flat_map(|input| controls.map(|c| (*input, c)));
    for (input, (profile, control)) in asked {
        let files = [("a.yaml", input.as_str())];
        let (is, because) = judged(&files, profile, control, &[]);
        assert_eq!(is, "partly", "{because}");
        let wanted = "in part: a pod without labels that comes to namespace shop is isolated by no policy for ingress";
        assert!(because.contains(wanted), "{because}");
        let (is, because) = judged(&files, profile, control, &["--world", "closed"]);
        assert_eq!(is, "met", "{because}");
    }
    // a deny that leaves out whoever carries a label
    let but = namespace("shop")
        + &deployment("shop", "web", "")
        + &policy(
            "shop",
            "deny",
            "podSelector: {matchExpressions: [{key: open, operator: DoesNotExist}]}, policyTypes: [Ingress, Egress]",
        );
    let (is, because) = judged(&[("a.yaml", &but)], "nist", "SC-7(5)", &[]);
    assert_eq!(is, "partly", "{because}");
    assert!(because.contains("a pod with open="), "{because}");
}

#[test]
fn scopes_are_groups_or_anything_that_names_workloads() {
    let two = closed() + &namespace("dev") + &deployment("dev", "a", "");
    let config = "groups: {cde: {namespaces: {matchLabels: {team: shop}}}, rest: {not: cde}}\ntests: [t.yaml]\n";
    let tests = "groups: {devs: ns/dev}\ntests: [{name: t, cannot: devs -> cde}]\n";
    let files = [
        ("a.yaml", &*two),
        ("netpal.yaml", config),
        ("t.yaml", tests),
    ];
    let of = |scope: &[&str]| judged(&files, "pci", "1.4.1", scope).0;
    assert_eq!(of(&[]), "partly");
    assert_eq!(of(&["--scope", "cde"]), "met");
    assert_eq!(of(&["--scope", "rest"]), "not met");
    assert_eq!(of(&["--scope", "devs"]), "not met");
    assert_eq!(of(&["--scope", "ns/shop"]), "met");
    let at = folder(&files);
    let own = rows(at.path(), "pci", &["--scope", "cde"]);
    assert!(
        own.iter()
            .all(|row| row.scope == "cde" && !row.because.contains("dev/a accepts"))
    );
    let whole = rows(at.path(), "pci", &[]);
    assert!(
        whole
            .iter()
            .all(|row| row.scope == "whole input (no --scope given)")
    );
    for (scope, why) in [
        ("nothing", "no workload or Service is called `nothing`"),
        ("internet", "a scope is made of workloads"),
        ("shop/web:80", "a scope has no port"),
    ] {
        let asked = ["-f", ".", "--profile", "pci", "--scope", scope];
        let (code, out, err) = report_at(at.path(), &asked, None);
        assert!(
            code == 2 && out.is_empty() && err.contains(why),
            "{code} {err}"
        );
    }
    // two groups of one name are no scope
    let other = "groups: {cde: ns/dev}\ntests: [{name: t, cannot: cde -> shop/web}]\n";
    let at = folder(&[files[0], files[1], ("t.yaml", other)]);
    let (code, _, err) = report_at(
        at.path(),
        &["-f", ".", "--profile", "pci", "--scope", "cde"],
        None,
    );
    assert!(code == 2 && err.contains("means something else"), "{err}");
}

#[test]
fn a_workload_of_which_it_is_not_known_whether_it_is_in_scope_keeps_it_from_being_met() {
    // the namespace is named and not declared, so that its labels are not known
    let input = deployment("shop", "web", "") + &policy("shop", "deny", DENY);
    let config = "groups: {cde: {namespaces: {matchLabels: {pci: \"true\"}}}}\n";
    let files = [("a.yaml", &*input), ("netpal.yaml", config)];
    for control in ["1.3.1", "1.4.2", "1.4.4"] {
        let (is, because) = judged(&files, "pci", control, &["--scope", "cde"]);
        assert_eq!(is, "not assessable", "{because}");
        assert!(because.contains("may or may not be in scope"), "{because}");
    }
}

#[test]
fn tests_that_pass_declare_what_is_meant_and_no_others_do() {
    let input = closed()
        + &deployment("shop", "db", "")
        + &policy(
            "shop",
            "db",
            "podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]",
        )
        + &policy(
            "shop",
            "web",
            "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]",
        );
    let config = "tests: [t.yaml]\n";
    let is = |tests: &str| {
        let files = [
            ("a.yaml", &*input),
            ("netpal.yaml", config),
            ("t.yaml", tests),
        ];
        judged(&files, "pci", "1.3.1", &["--scope", "shop/db"])
    };
    let (result, because) = is("tests: [{name: db, only-from: {to: shop/db, from: shop/web}}]\n");
    assert_eq!(result, "met", "{because}");
    assert!(
        because.contains("as the policy test `db` (t.yaml:1) names: policy shop/db ingress[0]"),
        "{because}"
    );
    for tests in [
        "tests: [{name: db, only-from: {to: shop/db, from: shop/other}}]\n", // not in the input
        "tests: [{name: db, only-from: {to: shop/db, from: []}}]\n",         // fails
        "tests: [{name: db, only-from: {to: \"shop/db:5432\", from: shop/web}}]\n", // of one port
        "tests: [{name: db, world: closed, only-from: {to: shop/db, from: shop/web}}]\n",
        "tests: [{name: db, cannot: internet -> shop/db}]\n",
    ] {
        let (result, because) = is(tests);
        assert_eq!(result, "partly", "{tests} {because}");
        assert!(
            because.contains("to confirm: allowed: shop/web to shop/db on 5432/TCP"),
            "{because}"
        );
    }
    // what is meant to be public
    let public = closed() + &load_balancer("web") + &policy("shop", "public", FROM_INTERNET);
    let is = |tests: &str| {
        let files = [
            ("a.yaml", &*public),
            ("netpal.yaml", config),
            ("t.yaml", tests),
        ];
        judged(&files, "pci", "1.4.2", &[])
    };
    let (result, because) = is("tests: [{name: front, doors: {only: [\"shop/web:8080\"]}}]\n");
    assert_eq!(result, "met", "{because}");
    assert!(because.contains("as the policy test `front`"), "{because}");
    assert_eq!(
        is("tests: [{name: front, doors: {only: [\"shop/web:81\"]}}]\n").0,
        "partly"
    );
}

#[test]
fn the_plugin_is_named_and_never_proved() {
    let cilium = closed()
        + "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: shop}\nspec: {endpointSelector: {}, ingress: []}\n";
    let (is, because) = judged(&[("a.yaml", &cilium)], "cis", "5.3.1", &[]);
    assert_eq!(is, "partly", "{because}");
    assert!(because.contains("policies of Cilium"), "{because}");
    let agent =
        closed() + &deployment("kube-system", "calico-node", "").replace("Deployment", "DaemonSet");
    let (is, because) = judged(&[("a.yaml", &agent)], "cis", "5.3.1", &[]);
    assert_eq!(is, "partly", "{because}");
    assert!(
        because.contains("DaemonSet kube-system/calico-node is called like the agent of Calico"),
        "{because}"
    );
    let generic = judged(
        &[("a.yaml", &closed())],
        "cis",
        "5.3.1",
        &["--cni", "generic"],
    );
    assert_eq!(generic.0, "not assessable", "{}", generic.1);
}

#[test]
fn the_head_tells_scope_date_command_and_suppressions() {
    let input = closed()
        + &policy("shop", "wide", "podSelector: {}, ingress: [{}]").replace(
            "namespace: shop}",
            "namespace: shop, annotations: {netpal.dev/ignore: \"NP009 sold as open, see T-1; NP006 as T-2\"}}",
        );
    let config = "lint: {ignore: [NP303], per-namespace: {shop: {ignore: [NP203]}}}\n";
    let at = folder(&[("a.yaml", &input), ("netpal.yaml", config)]);
    let head = |flags: &[&str], epoch| {
        let asked = [&["-f", ".", "--profile", "pci", "-o", "md"], flags].concat();
        let (code, text, err) = report_at(at.path(), &asked, epoch);
        assert_eq!(code, 0, "{err}");
        text.split("\n\n").nth(1).unwrap().to_owned()
    };
    let told = head(
        &["--title", "shop, production", "--scope", "shop/web"],
        None,
    );
    for line in [
        "- title: shop, production",
        "- profile: PCI DSS 4.0.1, requirement 1: network security controls",
        "- scope: shop/web",
        "- workloads in scope: shop/web",
        "- input: .",
        "- commit of the input: none known: not in the git repository of the current folder",
        "- date: none given \\(--date, SOURCE\\_DATE\\_EPOCH\\)",
        "- command: netpal report -f . --profile pci -o md --title 'shop, production' --scope shop/web",
        "- digest: sha256:",
        "- network plugin: generic",
        "- version: netpal ",
        "(reason: sold as open, see T-1\\)",
        "(reason: as T-2\\)", // of a finding that is too slight to be shown
        "NP303 at netpal.yaml lint.ignore",
        "NP203 at netpal.yaml lint.per-namespace",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(head(&["--date", "2026-02-28"], None).contains("- date: 2026-02-28\n"));
    assert!(head(&["--date", "2026-02-28"], Some("1")).contains("- date: 2026-02-28\n"));
    assert!(head(&[], Some("1767225600")).contains("- date: 2026-01-01T00:00:00Z\n"));
    assert!(head(&[], None).contains("- scope: whole input \\(no --scope given\\)"));
    for (flags, epoch) in [(&["--date", "yesterday"][..], None), (&[], Some("soon"))] {
        let asked = [&["-f", ".", "-o", "md"], flags].concat();
        let (code, out, err) = report_at(at.path(), &asked, epoch);
        assert!(
            code == 2 && out.is_empty() && err.contains("date") | err.contains("DATE"),
            "{err}"
        );
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let fixed = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "init.defaultBranch=main",
    ];
    let output = Command::new("git")
        .args(fixed)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_head_tells_the_commit_and_whether_files_differ_from_it() {
    let at = folder(&[("k8s/a.yaml", &closed()), ("other/b.yaml", &namespace("b"))]);
    let commit = |flags: &[&str]| {
        let asked = [flags, &["-o", "md"]].concat();
        let (_, text, err) = report_at(at.path(), &asked, None);
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix("- commit of the input: "));
        line.unwrap_or_else(|| panic!("{err}")).to_owned()
    };
    assert!(commit(&["-f", "k8s"]).starts_with("none known"));
    git(at.path(), &["init", "-q"]);
    assert!(
        commit(&["-f", "k8s"]).starts_with("none known"),
        "nothing is committed"
    );
    git(at.path(), &["add", "."]);
    git(at.path(), &["commit", "-q", "-m", "one"]);
    let clean = commit(&["-f", "k8s"]);
    assert!(
        clean.len() == 40 && clean.bytes().all(|b| b.is_ascii_hexdigit()),
        "{clean}"
    );
    for same in [
        &["-f", "k8s/a.yaml"][..],
        &["-f", "./k8s/"],
        &["-f", "k8s/*.yaml"],
        &["-f", "."],
        &["-f", "git:HEAD:k8s"],
        &["-f", "k8s", "-f", "other"],
    ] {
        assert_eq!(commit(same), clean, "{same:?}");
    }
    let changed = format!("{clean} with uncommitted changes");
    std::fs::write(at.path().join("k8s/new.yaml"), namespace("new")).unwrap();
    assert_eq!(
        commit(&["-f", "k8s"]),
        changed,
        "a file that is not committed"
    );
    assert_eq!(
        commit(&["-f", "other"]),
        clean,
        "what is elsewhere makes no difference"
    );
    assert_eq!(commit(&["-f", "git:HEAD:k8s"]), clean);
    std::fs::remove_file(at.path().join("k8s/new.yaml")).unwrap();
    std::fs::write(at.path().join("k8s/a.yaml"), closed() + "# more\n").unwrap();
    assert_eq!(commit(&["-f", "."]), changed, "a file that was edited");
    std::fs::write(at.path().join("k8s/a.yaml"), closed()).unwrap();
    assert_eq!(commit(&["-f", "."]), clean);
    std::fs::remove_file(at.path().join("other/b.yaml")).unwrap();
    assert_eq!(commit(&["-f", "."]), changed, "a file that was removed");
    let mixed = commit(&["-f", "k8s", "-f", "."]);
    assert!(
        mixed.contains(&format!("k8s {clean}")) && mixed.contains(&format!(". {changed}")),
        "{mixed}"
    );
}

#[test]
fn the_same_run_gives_the_same_bytes_in_any_order_of_files_and_from_any_folder() {
    let files = [
        (
            "a.yaml",
            closed() + &load_balancer("web") + &policy("shop", "public", FROM_INTERNET),
        ),
        (
            "b.yaml",
            namespace("dev")
                + &deployment("dev", "a", "")
                + &deployment("dev", "b", "hostNetwork: true, "),
        ),
        (
            "c.yaml",
            namespace("data")
                + &deployment("data", "db", "")
                + &policy("data", "deny", DENY)
                + &policy("data", "wide", "podSelector: {}, ingress: [{}]"),
        ),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let (one, two) = (folder(&files), folder(&files));
    for (profile, _) in PROFILES {
        for format in ["html", "md", "csv"] {
            let made = |at: &Path, order: [&str; 3]| {
                let named = order.iter().flat_map(|name| ["-f", name]);
                let rest = ["--profile", profile, "-o", format];
                let asked: Vec<&str> = named.chain(rest).collect();
                report_at(at, &asked, None).1
            };
            let first = made(one.path(), ["a.yaml", "b.yaml", "c.yaml"]);
            assert!(first.len() > 500);
            for order in [
                ["c.yaml", "b.yaml", "a.yaml"],
                ["b.yaml", "c.yaml", "a.yaml"],
            ] {
                assert!(
                    first == made(two.path(), order),
                    "{profile} {format} {order:?}"
                );
            }
            let path = one.path().to_string_lossy().into_owned();
            assert!(!first.contains(&path), "no folder is told");
        }
    }
    // where the order decides what is there, it is kept
    let twice = folder(&[
        ("a.yaml", &policy("shop", "p", DENY)),
        (
            "b.yaml",
            &(policy("shop", "p", "podSelector: {}, ingress: [{}]")
                + &deployment("shop", "web", "")),
        ),
    ]);
    let is = |order: [&str; 2]| {
        let asked = [
            "-f",
            order[0],
            "-f",
            order[1],
            "--profile",
            "pci",
            "-o",
            "csv",
        ];
        report_at(twice.path(), &asked, None).1
    };
    assert!(is(["a.yaml", "b.yaml"]).contains("accepts from every pod of the cluster"));
    assert!(!is(["b.yaml", "a.yaml"]).contains("accepts from every pod of the cluster"));
}

/// A text as the page has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[test]
fn every_form_has_the_same_rows() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    for (profile, _) in PROFILES {
        let asked = |format| vec!["-f", ".", "--profile", profile, "-o", format];
        let table = rows(&demo, profile, &[]);
        assert!(table.len() > 5);
        let (_, markdown, _) = report_at(&demo, &asked("md"), None);
        let (_, page, _) = report_at(&demo, &asked("html"), None);
        let unescaped = markdown.replace('\\', "");
        for row in &table {
            let Row {
                control,
                requirement,
                scope,
                result,
                bearing,
                because,
            } = row;
            let line = format!(
                "| {control} | {requirement} | {scope} | {result} | {bearing} | {because} |"
            );
            assert!(unescaped.contains(&line.replace('\\', "")), "{line}");
            let shown = format!("<em>{bearing}</em> {}</li>", escaped(because));
            let plain = shown.replace("&#39;", "'");
            assert!(page.contains(&shown) || page.contains(&plain), "{shown}");
            assert!(
                page.contains(&format!("<strong>{control}</strong> {requirement}")),
                "{control}"
            );
        }
        let header = "| control | requirement | scope | result | bearing | because |";
        let below = markdown
            .split(header)
            .nth(1)
            .unwrap()
            .split("\n\n")
            .next()
            .unwrap();
        assert_eq!(
            below
                .lines()
                .filter(|l| l.starts_with("| ") && !l.starts_with("| ---"))
                .count(),
            table.len()
        );
        assert!(page.contains("Reviewed by") && markdown.contains("Signature:"));
    }
}

#[test]
fn of_many_reasons_pages_hold_the_worst_and_tables_all() {
    let mut many = closed();
    for i in 0..520 {
        many += &deployment("shop", &format!("w{i:03}"), "");
    }
    let one = policy(
        "shop",
        "to-web",
        "podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: Exists}]}}], ports: [{port: 8080}]}]",
    ) + &policy(
        "shop",
        "out",
        "podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: web}}}]}]",
    );
    let at = folder(&[("a.yaml", &(many + &one))]);
    let scope = ["--scope", "shop/web"];
    let flows = |text: &str| text.matches("allowed: shop/w").count();
    let of = |format| {
        let asked = ["-f", ".", "--profile", "nist", "-o", format];
        report_at(at.path(), &[&asked[..], &scope].concat(), None).1
    };
    assert!(flows(&of("csv")) >= 520);
    for text in [of("md"), of("html")] {
        let text = text.replace('\\', "");
        assert!(flows(&text) <= 500, "{}", flows(&text));
        assert!(
            text.contains(
                "more, each by name: netpal report -o csv with the same profile and scope"
            )
        );
        assert!(
            text.contains("the list of approved flows, as policy tests"),
            "what would settle it stays"
        );
    }
}

#[test]
fn hostile_names_stay_names_in_every_form() {
    let names = [
        "=1+1",
        "<script>alert(1)</script>",
        "a|b",
        "[x](javascript:1)",
        "bidi\u{202e}gnp",
        "\"><img src=x>",
    ];
    let mut items = Vec::new();
    for name in names {
        items.push(serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "<i>x</i>", "labels": {"app": "w"}},
            "spec": {"containers": [{"name": "c"}]}}));
        items.push(serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "<i>x</i>",
            "annotations": {"netpal.dev/ignore": format!("NP009 {name}")}}, "spec": {"podSelector": {}, "ingress": [{}]}}));
    }
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    let at = folder(&[("h.json", &list.to_string())]);
    let asked = |format| {
        vec![
            "-f",
            ".",
            "--profile",
            "pci",
            "--title",
            "<b>=t</b>",
            "-o",
            format,
        ]
    };
    let (_, page, _) = report_at(at.path(), &asked("html"), None);
    assert!(
        !page.contains("<script>alert")
            && !page.contains("<img")
            && !page.contains("<i>x")
            && !page.contains("<b>=t")
    );
    assert!(!page.contains('\u{202e}'));
    let (_, markdown, _) = report_at(at.path(), &asked("md"), None);
    let controls = markdown.split("## Flows").next().unwrap();
    assert!(
        !controls.contains("<script>")
            && !controls.contains("](javascript")
            && !controls.contains('\u{202e}')
    );
    for line in controls
        .lines()
        .filter(|l| l.starts_with("| ") && !l.starts_with("| ---"))
    {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 7, "{line}");
    }
    let table = report_at(at.path(), &asked("csv"), None).1;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
}

#[test]
fn the_controls_of_the_demo_are_golden() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    for (profile, _) in PROFILES {
        let asked = [
            "-f",
            ".",
            "--profile",
            profile,
            "--scope",
            "ns/data",
            "--cni",
            "calico",
            "-o",
            "csv",
        ];
        let (_, table, errors) = report_at(&demo, &asked, None);
        common::golden().bind(|| {
            insta::assert_snapshot!(
                format!("report-controls-{profile}"),
                format!("{table}{errors}")
            );
        });
    }
}
