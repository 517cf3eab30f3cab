//! The binary as a user meets it: answers on the demo, exit codes, and every kind of bad input.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{golden, netpal_at, netpal_in};

fn demo(name: &str, arguments: &[&str]) {
    let mut all = arguments.to_vec();
    all.extend(["-f", "."]);
    let run = netpal_in("examples/demo", &all);
    golden().bind(|| insta::assert_snapshot!(name, run.text()));
}

#[test]
fn can_answers_on_the_demo() {
    demo(
        "cli-can-yes",
        &["can", "frontend", "reach", "database:5432"],
    );
    demo(
        "cli-can-no",
        &["can", "dev/runner", "reach", "database:5432"],
    );
    demo(
        "cli-can-service",
        &["can", "frontend", "reach", "cart.shop.svc:80"],
    );
    demo(
        "cli-can-partly",
        &["can", "ns/shop", "reach", "database:5432"],
    );
    demo(
        "cli-can-unknown",
        &["can", "shop/frontend", "reach", "node-agent:9100"],
    );
    demo(
        "cli-can-some",
        &["can", "ns/shop", "reach", "database:5432", "--some"],
    );
    demo(
        "cli-can-labels",
        &[
            "can",
            "-l",
            "app=checkout",
            "--to-l",
            "app=database",
            "--port",
            "5432",
        ],
    );
    demo(
        "cli-can-json",
        &["can", "dev/runner", "reach", "database:5432", "-o", "json"],
    );
    demo(
        "cli-can-internet",
        &["can", "internet", "reach", "ns/shop:8080"],
    );
    demo("cli-can-all-ports", &["can", "prometheus", "database"]);
    demo(
        "cli-can-cni",
        &[
            "can",
            "shop/frontend",
            "reach",
            "node-agent:9100",
            "--cni",
            "calico",
        ],
    );
}

#[test]
fn list_answers_on_the_demo() {
    demo("cli-list", &["list"]);
    demo("cli-list-to", &["list", "--to", "ns/data"]);
    demo("cli-list-from", &["list", "--from", "shop/cart"]);
    demo("cli-list-csv", &["list", "-o", "csv"]);
    demo("cli-inputs", &["inputs"]);
}

#[test]
fn names_that_mean_nothing_are_answered_with_the_nearest() {
    demo(
        "cli-unknown-name",
        &["can", "frontnd", "reach", "database:5432"],
    );
    demo(
        "cli-unknown-namespace",
        &["can", "shp/frontend", "reach", "database:5432"],
    );
    demo(
        "cli-unknown-service",
        &["can", "frontend", "reach", "svc/databse:5432"],
    );
    demo("cli-not-a-question", &["can", "frontend"]);
    demo("cli-bad-port", &["can", "frontend", "database:99999"]);
    demo(
        "cli-bad-format",
        &["can", "frontend", "database:1", "-o", "sarif"],
    );
}

#[test]
fn quiet_leaves_only_the_exit_code() {
    for (to, code) in [
        ("database:5432", 0),
        ("redis:6379", 1),
        ("node-agent:9100", 3),
        ("nowhere:1", 2),
    ] {
        let run = netpal_in("examples/demo", &["can", "frontend", to, "-q", "-f", "."]);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{to}");
    }
}

#[test]
fn unknown_counts_as_it_is_told_to() {
    for (how, code) in [("yes", 0), ("no", 1), ("fail", 1)] {
        let run = netpal_in(
            "examples/demo",
            &[
                "can",
                "frontend",
                "node-agent:80",
                "-f",
                ".",
                "--unknown",
                how,
            ],
        );
        assert_eq!(run.code, code, "{how}");
    }
    let zero = netpal_in(
        "examples/demo",
        &["can", "frontend", "redis:6379", "-f", ".", "--exit-zero"],
    );
    assert_eq!(zero.code, 0);
}

#[test]
fn questions_are_answered_line_by_line() {
    let questions = "# src,dst,protocol,port,expected\nshop/frontend,data/database,TCP,5432,allow\n\
                     dev/runner,data/database,TCP,5432,yes\ninternet,shop/frontend,TCP,8080,deny\nnobody,data/redis,TCP,1\n";
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/demo"));
    let run = netpal_at(folder, &["can", "--questions", "-", "-f", "."], questions);
    golden().bind(|| insta::assert_snapshot!("cli-questions", run.text()));
}

#[test]
fn a_protocol_without_a_port_is_all_of_that_protocol() {
    let input = "apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: tcp, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{protocol: TCP}]}]}
";
    let folder = scratch(&[("in.yaml", input.as_bytes())]);
    for (columns, verdict) in [
        ("TCP,", "yes,"),
        ("udp,*", "no,"),
        ("ICMP,", "no,"),
        ("FOO,", "error,"),
    ] {
        let line = format!("internet,shop/web,{columns}");
        let words = ["can", "--questions", "-", "-f", "in.yaml"];
        let run = netpal_at(folder.path(), &words, &line);
        let want = format!("{line},{verdict}");
        assert!(run.stdout.starts_with(&want), "{want}: {}", run.text());
    }
}

const POD: &str =
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: c, image: i}]}\nmetadata: ";

fn scratch(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

#[test]
fn bad_input_is_told_at_its_place() {
    let policy = |body: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n{body}"
        )
    };
    let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: []}\n";
    let cases: [(&str, String); 7] = [
        ("typo", policy("spec: {podSelectr: {}}\n")),
        (
            "misplaced",
            policy("spec:\n  podSelector: {}\n  ingress:\n  - to: []\n"),
        ),
        (
            "ill-typed",
            policy("spec: {podSelector: {matchLabels: {a: 1}}}\n"),
        ),
        ("syntax", policy("spec: {podSelector: {}\n")),
        ("helm", policy("spec:\n{{ toYaml .Values }}\n")),
        ("tab", policy("spec:\n\tpodSelector: {}\n")),
        (
            "duplicate-key",
            policy("spec: {podSelector: {}, podSelector: {matchLabels: {a: b}}}\n"),
        ),
    ];
    for (name, text) in cases {
        let folder = scratch(&[("k8s.yaml", format!("{text}{pod}").as_bytes())]);
        let run = netpal_at(
            folder.path(),
            &["can", "internet", "web:80", "-f", "k8s.yaml"],
            "",
        );
        golden().bind(|| insta::assert_snapshot!(format!("cli-bad-{name}"), run.text()));
    }
}

#[test]
fn nothing_to_read_is_one_clear_message() {
    let empty = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("no-input", vec!["can", "a", "b"]),
        ("empty-folder", vec!["can", "a", "b", "-f", "."]),
        ("no-such-file", vec!["can", "a", "b", "-f", "k8s"]),
        ("no-match", vec!["can", "a", "b", "-f", "*.yaml"]),
    ] {
        let run = netpal_at(empty.path(), &arguments, "");
        assert_eq!(run.code, 2);
        golden().bind(|| insta::assert_snapshot!(format!("cli-{name}"), run.text()));
    }
    let junk = scratch(&[
        ("a.yaml", &[0x80, 0xff, 0x00, 0x13]),
        ("b.yaml", b"hello\n"),
        ("c.yaml", &[0xff, 0xfe, 97, 0]),
    ]);
    let run = netpal_at(junk.path(), &["can", "a", "b", "-f", "."], "");
    golden().bind(|| insta::assert_snapshot!("cli-junk", run.text()));
}

#[test]
fn bombs_and_depths_are_refused_in_bounded_memory() {
    let mut bomb = String::from("kind: NetworkPolicy\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let row = vec![format!("*a{}", i - 1); 9].join(", ");
        bomb += &format!("a{i}: &a{i} [{row}]\n");
    }
    let deep = format!("kind: NetworkPolicy\nspec: {}", "[".repeat(100_000));
    let json = format!(
        "{{\"kind\": \"NetworkPolicy\", \"spec\": {}",
        "[".repeat(100_000)
    );
    for text in [bomb, deep, json] {
        let folder = scratch(&[("a.yaml", text.as_bytes())]);
        let run = netpal_at(folder.path(), &["inputs", "-f", "a.yaml"], "");
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.starts_with("a.yaml:"), "{}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn circles_of_links_end() {
    let folder = scratch(&[(
        "pod.yaml",
        format!("{POD}{{name: web, namespace: shop}}\n").as_bytes(),
    )]);
    std::fs::create_dir(folder.path().join("a")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("a/up")).unwrap();
    let run = netpal_at(folder.path(), &["can", "internet", "web:80", "-f", "."], "");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn hostile_names_reach_no_terminal() {
    let text = format!("{POD}{{name: \"w\\u001b[31meb\\u202e\", namespace: shop}}\n");
    let folder = scratch(&[("a.yaml", text.as_bytes())]);
    for arguments in [["list", "-f", "a.yaml"], ["inputs", "-v", "-fa.yaml"]] {
        let run = netpal_at(folder.path(), &arguments, "");
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(all.contains("w\\u{1b}[31meb\\u{202e}"), "{all}");
        assert!(
            !all.contains('\u{1b}') && !all.contains('\u{202e}'),
            "{all}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_sees_no_progress_however_long_reading_takes() {
    use std::process::{Command, Stdio};
    let directory = tempfile::tempdir().unwrap();
    let slow = directory.path().join("slow.yaml");
    assert!(
        Command::new("mkfifo")
            .arg(&slow)
            .status()
            .unwrap()
            .success()
    );
    let run = Command::new(env!("CARGO_BIN_EXE_netpal"))
        .args(["inputs", "-f"])
        .arg(&slow)
        .env("TERM", "xterm")
        .env_remove("CI")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // longer than anybody's patience, and nobody is there to look
    std::thread::sleep(std::time::Duration::from_millis(1_400));
    std::fs::write(
        &slow,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    )
    .unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"read"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn an_output_that_a_command_does_not_write_is_refused() {
    for arguments in [
        &["rule", "NP004", "-o", "json"][..],
        &["schema", "config", "-o", "md"],
        &["init", "tests", "-f", ".", "-o", "json"],
        &["init", "tests", "-f", ".", "-o", "yaml=tests.yaml"],
        &["lint", "--fix", "--dry-run", "-f", ".", "-o", "sarif"],
        &["test", "--export", "netassert", "-f", ".", "-o", "junit"],
        &["help", "formats", "-o", "json"],
    ] {
        let run = netpal_in("examples/demo", arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.text());
    }
    let schema = netpal_in("examples/demo", &["schema", "config", "-o", "json"]);
    assert_eq!(schema.code, 0, "{}", schema.text());
}

/// A command that fails says where the reason is told, if that went into files; quiet or not, they
/// are written.
#[test]
fn a_failure_points_to_the_file_that_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: c}]}\n---\n";
    let deny = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {}}\n";
    std::fs::write(at.join("in.yaml"), [pod, deny].concat()).unwrap();
    let update = netpal_at(at, &["snapshot", "--update", "-f", "in.yaml"], "");
    assert_eq!(update.code, 0, "{}", update.text());
    let check = [
        "snapshot",
        "--check",
        "-o",
        "sarif=s.sarif",
        "-f",
        "in.yaml",
    ];
    let same = netpal_at(at, &check, "");
    assert!(
        same.code == 0 && same.stdout.is_empty() && same.stderr.is_empty(),
        "{}",
        same.text()
    );
    std::fs::write(at.join("in.yaml"), pod).unwrap();
    let differs = netpal_at(at, &check, "");
    assert!(
        differs.code == 1 && differs.stderr.contains("see s.sarif"),
        "{}",
        differs.text()
    );
    std::fs::remove_file(at.join("s.sarif")).unwrap();
    let quiet = netpal_at(at, &[&check[..], &["-q"]].concat(), "");
    assert!(
        quiet.code == 1 && quiet.stderr.is_empty(),
        "{}",
        quiet.text()
    );
    assert!(at.join("s.sarif").exists());
}

/// An address where Services or pods have theirs, and which of them has it is not told, is no
/// address outside.
#[test]
fn an_address_of_nobody_in_the_input_may_be_somebodys() {
    let asked = |more: &[&str]| {
        let run = netpal_in(
            "examples/demo",
            &[&["can", "shop/cart", "reach"], more].concat(),
        );
        (run.code, run.text())
    };
    let services = [
        "10.96.0.10:6379",
        "-f",
        ".",
        "--service-cidrs",
        "10.96.0.0/12",
    ];
    let (code, said) = asked(&services);
    assert!(
        code == 3 && said.contains("where Services have their addresses"),
        "{said}"
    );
    let pods = [
        "10.244.0.10:6379",
        "-f",
        ".",
        "--pod-cidrs",
        "10.244.0.0/16",
    ];
    let (code, said) = asked(&pods);
    assert!(
        code == 3 && said.contains("where pods have their addresses"),
        "{said}"
    );
    // elsewhere it is outside
    let (code, said) = asked(&[
        "203.0.113.9:6379",
        "-f",
        ".",
        "--pod-cidrs",
        "10.244.0.0/16",
    ]);
    assert!(code != 3, "{said}");
}

/// A name that no controller gives a pod of a workload is not one of its pods.
#[test]
fn a_name_like_that_of_a_workload_is_not_its_pod() {
    let other = netpal_in(
        "examples/demo",
        &["can", "shop/cart-v1", "reach", "redis:6379", "-f", "."],
    );
    assert_eq!(other.code, 2, "{}", other.text());
    let pod = [
        "can",
        "shop/cart-7d4b9c6f5d-x2x9p",
        "reach",
        "redis:6379",
        "-f",
        ".",
    ];
    let pod = netpal_in("examples/demo", &pod);
    assert_eq!(pod.code, 0, "{}", pod.text());
}

/// What stands in for the ends of one line answers no other line.
#[test]
fn questions_do_not_answer_one_another() {
    let input = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: apart, namespace: shop}
spec: {podSelector: {matchLabels: {app: apart}}, policyTypes: [Ingress]}
";
    let folder = scratch(&[("in.yaml", input.as_bytes())]);
    let asked = |questions: &str| {
        let run = netpal_at(
            folder.path(),
            &["can", "--questions", "-", "-f", "in.yaml"],
            questions,
        );
        let lines = run.stdout.lines();
        lines.last().unwrap_or_default().to_owned()
    };
    let line = "internet,ns/shop,TCP,80\n";
    let alone = asked(line);
    assert_eq!(alone, "internet,ns/shop,TCP,80,yes,ALLOW_DEFAULT");
    for before in [
        "any-pod,shop/web,TCP,80\n",
        "shop/web,shop?app=apart,TCP,80\n",
    ] {
        assert_eq!(asked(&format!("{before}{line}")), alone, "{before}");
    }
}
