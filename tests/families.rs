//! A connection uses one address family that both ends have (S65): what the input tells of
//! families, what it does not tell, and what an address or a block in a question means.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::{AllowGraph, CompileOptions, Context, IpSet, Question, Verdict, ask, load_str};

/// A pod with these addresses; none: a pod without status.
fn pod(name: &str, addresses: &[&str]) -> String {
    let status = if addresses.is_empty() {
        String::new()
    } else {
        let list: Vec<String> = addresses
            .iter()
            .map(|a| format!("{{ip: \"{a}\"}}"))
            .collect();
        format!("status: {{podIPs: [{}]}}\n", list.join(", "))
    };
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: ledger, labels: {{app: {name}}}}}\n\
         spec: {{containers: [{{name: main, image: registry.example/{name}:1}}]}}\n{status}---\n"
    )
}

/// The pod `vault` admits these blocks and nothing else.
fn admits(blocks: &[&str]) -> String {
    let list: Vec<String> = blocks
        .iter()
        .map(|b| format!("{{ipBlock: {{cidr: \"{b}\"}}}}"))
        .collect();
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: vault, namespace: ledger}}\n\
         spec: {{podSelector: {{matchLabels: {{app: vault}}}}, ingress: [{{from: [{}]}}]}}\n---\n",
        list.join(", ")
    )
}

fn service(families: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: vault, namespace: ledger}}\n\
         spec: {{selector: {{app: vault}}, ipFamilies: [{families}], ports: [{{port: 80}}]}}\n---\n"
    )
}

/// What `can` says, with options.
fn said(documents: &[String], question: &str, options: &CompileOptions) -> Verdict {
    let input = load_str(&documents.concat());
    let graph = AllowGraph::compile(&input, options).unwrap();
    let question = question.parse::<Question>().unwrap();
    let verdicts = [true, false].map(|classes| {
        let graph = AllowGraph::compile(&input, &options.clone().classes(classes)).unwrap();
        ask(&graph, &Context::default(), &question).unwrap().verdict
    });
    assert_eq!(verdicts[0], verdicts[1], "classes change nothing");
    ask(&graph, &Context::default(), &question).unwrap().verdict
}

fn is(documents: &[String], question: &str, expected: Verdict) {
    let verdict = said(documents, question, &CompileOptions::default());
    assert_eq!(verdict, expected, "{question} in {}", documents.concat());
}

const FOUR: &[&str] = &["10.8.0.1"];
const SIX: &[&str] = &["fd00:8::1"];
const BOTH: &[&str] = &["10.8.0.1", "fd00:8::1"];
const VAULT_FOUR: &[&str] = &["10.8.0.2"];
const VAULT_SIX: &[&str] = &["fd00:8::2"];
const VAULT_BOTH: &[&str] = &["10.8.0.2", "fd00:8::2"];
const CALL: &str = "ledger/clerk reach ledger/vault:80";

#[test]
fn pods_meet_in_a_family_that_both_have() {
    let (v4, v6) = (&["0.0.0.0/0"][..], &["::/0"][..]);
    for (clerk, vault, blocks, expected) in [
        (FOUR, VAULT_FOUR, v4, Verdict::Yes),
        (FOUR, VAULT_FOUR, v6, Verdict::No),
        (FOUR, VAULT_SIX, v4, Verdict::No),
        (FOUR, VAULT_SIX, v6, Verdict::No),
        (FOUR, VAULT_BOTH, v6, Verdict::No),
        (SIX, VAULT_BOTH, v4, Verdict::No),
        (SIX, VAULT_BOTH, v6, Verdict::Yes),
        (BOTH, VAULT_BOTH, v4, Verdict::Yes),
        (BOTH, VAULT_BOTH, v6, Verdict::Yes),
    ] {
        is(
            &[pod("clerk", clerk), pod("vault", vault), admits(blocks)],
            CALL,
            expected,
        );
    }
}

#[test]
fn pods_without_addresses_are_open_until_something_tells() {
    let untold = || vec![pod("clerk", &[]), pod("vault", &[])];
    let with = |more: &[String]| [untold(), more.to_vec()].concat();
    let v4 = admits(&["0.0.0.0/0"]);
    is(&with(std::slice::from_ref(&v4)), CALL, Verdict::Unknown);
    is(&with(&[admits(&["0.0.0.0/0", "::/0"])]), CALL, Verdict::Yes);
    is(&with(&[admits(&[])]), CALL, Verdict::Yes); // an empty list is everyone
    // a rule elsewhere that mentions IPv6 tells nothing
    let elsewhere = admits(&["2001:db8::/32"]).replace("vault", "other");
    is(&with(&[v4.clone(), elsewhere]), CALL, Verdict::Unknown);
    // other pods and Services do
    is(
        &with(&[v4.clone(), pod("third", &["10.8.0.9"])]),
        CALL,
        Verdict::Yes,
    );
    is(
        &with(&[v4.clone(), pod("third", &["fd00:8::9"])]),
        CALL,
        Verdict::No,
    );
    is(
        &with(&[v4.clone(), pod("third", &["10.8.0.9", "fd00:8::9"])]),
        CALL,
        Verdict::Unknown,
    );
    is(&with(&[v4.clone(), service("IPv4")]), CALL, Verdict::Yes);
    is(&with(&[v4.clone(), service("IPv6")]), CALL, Verdict::No);
    is(
        &with(&[v4.clone(), service("IPv4, IPv6")]),
        CALL,
        Verdict::Unknown,
    );
    // and the cluster's own ranges do, before anything else
    for (cidr, expected) in [("10.8.0.0/16", Verdict::Yes), ("fd00:8::/64", Verdict::No)] {
        let options = CompileOptions {
            pod_cidrs: Some(IpSet::from_cidrs([cidr.parse().unwrap()])),
            ..CompileOptions::default()
        };
        assert_eq!(
            said(&with(std::slice::from_ref(&v4)), CALL, &options),
            expected,
            "{cidr}"
        );
    }
}

#[test]
fn an_address_in_a_question_keeps_its_family() {
    let pods = [pod("clerk", BOTH), pod("vault", VAULT_BOTH)];
    let with = |blocks: &[&str]| [&pods[..], &[admits(blocks)]].concat();
    is(
        &with(&["::/0"]),
        "10.8.0.1 reach ledger/vault:80",
        Verdict::No,
    );
    is(
        &with(&["::/0"]),
        "fd00:8::1 reach ledger/vault:80",
        Verdict::Yes,
    );
    is(
        &with(&["::/0"]),
        "ledger/clerk reach 10.8.0.2:80",
        Verdict::No,
    );
    is(
        &with(&["::/0"]),
        "10.8.0.1 reach [fd00:8::2]:80",
        Verdict::No,
    );
    // outside addresses too, and none reaches a pod that has no such family
    let four = [pod("clerk", FOUR), pod("vault", VAULT_FOUR)];
    is(&four, "2001:db8::7 reach ledger/vault:80", Verdict::No);
    is(&four, "203.0.113.7 reach ledger/vault:80", Verdict::Yes);
    is(&four, "ledger/clerk reach [2001:db8::7]:443", Verdict::No);
    // an address presupposes its family where the pod does not tell
    let untold = [pod("clerk", &[]), pod("vault", &[])];
    is(&untold, "2001:db8::7 reach ledger/vault:80", Verdict::Yes);
}

#[test]
fn a_block_is_all_of_its_addresses() {
    let pods = [pod("clerk", FOUR), pod("vault", VAULT_FOUR)];
    let deny_clerk = admits(&["10.8.0.0/32"]);
    let admit_clerk = admits(&["10.8.0.1/32"]);
    let block = "10.8.0.0/31 reach ledger/vault:80";
    is(&[&pods[..], &[deny_clerk]].concat(), block, Verdict::Partly);
    is(
        &[&pods[..], &[admit_clerk]].concat(),
        block,
        Verdict::Partly,
    );
    is(
        &[&pods[..], &[admits(&["10.0.0.0/8"])]].concat(),
        block,
        Verdict::Yes,
    );
    is(
        &[&pods[..], &[admits(&["192.168.0.0/16"])]].concat(),
        block,
        Verdict::No,
    );
    is(
        &[&pods[..], &[admits(&["10.8.0.1/32"])]].concat(),
        "private reach ledger/vault:80",
        Verdict::Partly,
    );
}

#[test]
fn a_word_means_the_families_of_the_other_end() {
    let internet = "internet reach ledger/vault:80";
    let v4 = admits(&["0.0.0.0/0"]);
    is(
        &[pod("vault", VAULT_FOUR), v4.clone()],
        internet,
        Verdict::Yes,
    );
    is(
        &[pod("vault", VAULT_SIX), v4.clone()],
        internet,
        Verdict::No,
    );
    is(
        &[pod("vault", VAULT_BOTH), v4.clone()],
        internet,
        Verdict::Partly,
    );
    is(&[pod("vault", &[]), v4.clone()], internet, Verdict::Yes);
    is(
        &[pod("vault", &[]), admits(&["::/0"])],
        internet,
        Verdict::Partly,
    );
    // an unrelated block of the other family changes nothing
    let elsewhere = admits(&["2001:db8::/32"]).replace("vault", "other");
    is(&[pod("vault", &[]), v4, elsewhere], internet, Verdict::Yes);
}
