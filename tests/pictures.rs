//! Pictures: what is drawn, that nothing a manifest can hold breaks a format, and that the counts
//! agree with the table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{golden, netpal_at, netpal_in};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs Graphviz on a text, if it is installed: its output, or `None`.
fn dot(text: &str, format: &str) -> Option<String> {
    let mut command = Command::new("dot");
    command
        .arg(format!("-T{format}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        println!("skipped: Graphviz is not installed");
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "dot refuses the text: {errors}\n{text}"
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Texts no API server would accept as names, and one that it would; a file can hold them all the
/// same.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "plain",
        "quote\"quote",
        "back\\slash",
        "ends-with-\\",
        "\\N\\G\\l",
        "<b>bold</b>",
        "a&amp;b &lt; &#65;",
        "</script><script>alert(1)</script>",
        "semi;colon}{[x=y]",
        "new\nline",
        "right-to-left\u{202e}gnp",
        "nul\u{0}l",
        "emoji \u{1f600} \u{e4}\u{f6}\u{fc}",
        "-->|x| click %% end",
        "]]>",
        "' onload='alert(1)",
        "",
    ]
    .map(String::from)
    .into();
    names.push("long-".repeat(2048));
    names
}

/// One workload for each hostile name, all in a namespace with a hostile name, and a policy that
/// makes an edge to each.
fn hostile_input() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let space = "name\"space</title>&\\";
    let mut items = vec![
        serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}),
    ];
    for (i, name) in hostile().iter().enumerate() {
        let label = format!("w{i}");
        items.push(serde_json::json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": space, "labels": {"app": label}},
            "spec": {"containers": [{"name": "c"}]}
        }));
        items.push(serde_json::json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": format!("p{i}"), "namespace": space},
            "spec": {
                "podSelector": {"matchLabels": {"app": label}},
                "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "w0"}}}], "ports": [{"port": 1000 + i}]}]
            }
        }));
    }
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    std::fs::write(folder.path().join("hostile.json"), list.to_string()).unwrap();
    folder
}

fn draw(folder: &Path, arguments: &[&str]) -> String {
    let run = netpal_at(
        folder,
        &[&["graph", "-q", "-f", "."], arguments].concat(),
        "",
    );
    let whole = netpal_at(folder, &[&["graph", "-f", "."], arguments].concat(), "");
    assert!(run.stdout.is_empty(), "-q prints nothing");
    whole.stdout
}

#[test]
fn pictures_of_the_examples_stay_as_they_were_reviewed() {
    golden().bind(|| {
        for example in ["demo", "three-tier"] {
            let folder = format!("examples/{example}");
            for (name, arguments) in [
                ("tree", &["graph", "-f", "."] as &[&str]),
                ("dot", &["graph", "-f", ".", "-o", "dot"]),
                ("mermaid", &["graph", "-f", ".", "-o", "mermaid"]),
                ("svg", &["graph", "-f", ".", "-o", "svg"]),
                ("matrix", &["matrix", "-f", "."]),
                (
                    "matrix-csv",
                    &["matrix", "-f", ".", "--by", "workload", "-o", "csv"],
                ),
                ("matrix-html", &["matrix", "-f", ".", "-o", "html"]),
                (
                    "focus",
                    &["graph", "-f", ".", "--focus", "database", "--hide", "none"],
                ),
            ] {
                insta::assert_snapshot!(
                    format!("picture-{example}-{name}"),
                    netpal_in(&folder, arguments).text()
                );
            }
        }
    });
}

#[test]
fn hostile_names_are_shown_by_graphviz_as_they_are_written() {
    let input = hostile_input();
    let text = draw(input.path(), &["-o", "dot"]);
    let Some(json) = dot(&text, "json") else {
        return;
    };
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let objects = json["objects"].as_array().unwrap();
    let nodes: Vec<&serde_json::Value> = objects.iter().filter(|o| o["nodes"].is_null()).collect();
    assert_eq!(
        nodes.len(),
        hostile().len(),
        "one node a workload, and no other"
    );
    let svg = dot(&text, "svg").unwrap();
    assert!(
        !svg.contains("<script") && !svg.contains("<b>"),
        "no markup of a name survives"
    );
    assert!(
        svg.contains("back\\slash") && svg.contains("quote&quot;quote"),
        "backslash and quote are shown"
    );
    assert!(
        svg.contains("&lt;b&gt;bold&lt;/b&gt;") && svg.contains("a&amp;amp;b &amp;lt; &amp;#65;"),
        "entities are text"
    );
    assert!(
        !text.contains('\u{202e}') && !text.contains('\u{0}'),
        "control and bidirectional characters are written out"
    );
    assert!(
        text.lines().all(|line| line.len() < 4000),
        "a name of 10 kB does not fill the picture"
    );
}

#[test]
fn the_same_input_gives_the_same_picture_in_any_order_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    for (name, as_name) in [
        ("data.yaml", "z.yaml"),
        ("shop.yaml", "a.yaml"),
        ("dev.yaml", "b.yaml"),
        ("platform.yaml", "c.yaml"),
    ] {
        std::fs::copy(demo.join(name), folder.path().join(as_name)).unwrap();
    }
    let there = netpal_in("examples/demo", &["graph", "-f", ".", "-o", "dot"]).stdout;
    assert_eq!(draw(folder.path(), &["-o", "dot"]), there);
}

#[test]
fn the_caption_counts_what_list_counts() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let list = netpal_at(&demo, &["list", "-f", ".", "-o", "json"], "").stdout;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let count = |key: &str| list[key].as_array().unwrap().len();
    let text = netpal_at(&demo, &["graph", "-f", "."], "").stdout;
    let allowed = list["flows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| !f["ports"].as_array().unwrap().is_empty());
    assert!(
        text.contains(&format!(
            "{} allowed flows with a governed end",
            allowed.count()
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!("{} OPEN in", count("open_in"))),
        "{text}"
    );
    assert!(
        text.contains(&format!("{} OPEN out", count("open_out"))),
        "{text}"
    );
}

#[test]
fn the_picture_of_the_readme_is_what_the_tool_draws() {
    let drawn = netpal_in("examples/demo", &["graph", "-f", ".", "-o", "svg"]).stdout;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures/demo.svg");
    if std::env::var_os("NETPAL_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        drawn == kept,
        "draw it again: NETPAL_UPDATE_DOCS=1 cargo test --test pictures"
    );
}

#[test]
fn hostile_names_break_neither_svg_nor_mermaid_nor_a_page() {
    let input = hostile_input();
    let svg = draw(input.path(), &["-o", "svg"]);
    assert!(
        !svg.contains("<script") && !svg.contains("<b>") && !svg.contains("' onload"),
        "markup is text"
    );
    assert!(svg.contains("&lt;b&gt;bold&lt;/b&gt;") && svg.contains("quote&quot;quote"));
    assert!(!svg.contains('\u{202e}') && !svg.contains('\u{0}'));
    let mermaid = draw(input.path(), &["-o", "mermaid"]);
    let nodes = mermaid.lines().filter(|l| l.starts_with("    x"));
    assert_eq!(
        nodes.count(),
        hostile().len(),
        "one line a workload: {mermaid}"
    );
    assert!(!mermaid.contains("-->|x|") && !mermaid.contains("%% end") && !mermaid.contains("<b>"));
    for line in mermaid.lines().filter(|l| l.contains('"')) {
        assert!(line.matches('"').count() % 2 == 0, "quotes pair up: {line}");
    }
    let page = netpal_at(
        input.path(),
        &["matrix", "-f", ".", "--by", "workload", "-o", "html"],
        "",
    )
    .stdout;
    assert!(!page.contains("<script") && !page.contains("<b>bold"));
}

#[test]
fn the_matrix_says_what_can_says() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let json = netpal_at(
        &demo,
        &["matrix", "-f", ".", "--by", "workload", "-o", "json"],
        "",
    )
    .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let sides: Vec<&str> = json["sides"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect();
    for (i, from) in sides.iter().enumerate() {
        for (j, to) in sides.iter().enumerate().filter(|(j, _)| *j != i) {
            let cell = json["cells"]
                .as_array()
                .unwrap()
                .iter()
                .find(|c| c["from"] == i && c["to"] == j);
            let ports = cell.map_or(0, |c| c["ports"].as_array().unwrap().len());
            let unknown = cell.map_or(0, |c| c["unknown"].as_array().unwrap().len());
            let code = netpal_at(&demo, &["can", "-f", ".", "-q", from, to], "").code;
            let whole = cell.is_some_and(|c| {
                c["ports"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|p| p["protocol"] == "other")
            });
            let expected = match (whole, ports, unknown) {
                (true, ..) => 0,
                (_, 0, 0) => 1,
                _ => 3,
            };
            assert_eq!(code, expected, "{from} -> {to}: {cell:?}");
        }
    }
}

/// The number before a phrase, wherever it stands.
fn number_before(text: &str, phrase: &str) -> usize {
    let at = text
        .find(phrase)
        .unwrap_or_else(|| panic!("no `{phrase}` in {text}"));
    let digits: String = text[..at]
        .trim_end()
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.chars().rev().collect::<String>().parse().unwrap()
}

/// What a line of the Markdown report counts.
fn counted(report: &str, what: &str) -> usize {
    let line = report
        .lines()
        .find(|l| l.starts_with(&format!("- {what}: ")))
        .unwrap_or_else(|| panic!("no {what}"));
    let number = line.rsplit(": ").next().unwrap().split(' ').next().unwrap();
    number.parse().unwrap()
}

#[test]
fn list_graph_report_and_sarif_agree_on_every_count() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("examples/demo"), root.join("examples/three-tier")];
    if let Some(corpus) = std::env::var_os("NETPAL_CORPUS") {
        let corpus = Path::new(&corpus);
        folders.extend(["online-boutique", "kubeflow", "phalanx"].map(|f| corpus.join(f)));
    }
    for folder in folders.iter().filter(|f| f.is_dir()) {
        let run =
            |arguments: &[&str]| netpal_at(folder, &[arguments, &["-f", "."]].concat(), "").stdout;
        let list: serde_json::Value = serde_json::from_str(&run(&["list", "-o", "json"])).unwrap();
        let flows = list["flows"].as_array().unwrap();
        let allowed = flows
            .iter()
            .filter(|f| !f["ports"].as_array().unwrap().is_empty())
            .count();
        let unknown = flows.len() - allowed;
        let open = ["open_in", "open_out"].map(|key| list[key].as_array().unwrap().len());
        let words = if allowed == 1 {
            "allowed flow with"
        } else {
            "allowed flows with"
        };
        let name = folder.display();
        let report = run(&["report", "-o", "md"]);
        assert_eq!(
            number_before(&run(&["list"]), words),
            allowed,
            "list of {name}"
        );
        assert_eq!(
            number_before(&run(&["graph"]), words),
            allowed,
            "caption of {name}"
        );
        assert_eq!(
            counted(&report, "allowed flows with a governed end"),
            allowed,
            "report of {name}"
        );
        assert_eq!(
            counted(&report, "unknown flows"),
            unknown,
            "report of {name}"
        );
        assert_eq!(
            counted(&report, "workloads that accept from anyone"),
            open[0],
            "report of {name}"
        );
        assert_eq!(
            counted(&report, "workloads that may go anywhere"),
            open[1],
            "report of {name}"
        );
        let sarif: serde_json::Value =
            serde_json::from_str(&run(&["lint", "-o", "sarif"])).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let findings = results
            .iter()
            .filter(|r| r["suppressions"].as_array().is_none_or(Vec::is_empty))
            .count();
        assert_eq!(counted(&report, "findings"), findings, "findings of {name}");
        let rows = report
            .split("## Findings")
            .nth(1)
            .unwrap()
            .split("\n## ")
            .next()
            .unwrap();
        let rows = rows
            .lines()
            .filter(|l| l.starts_with("| "))
            .count()
            .saturating_sub(2);
        assert_eq!(rows, findings, "rows of findings of {name}");
    }
}

/// The demo as it might have been: no metrics, no default deny, and the database on another port.
fn old_demo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    for name in ["shop.yaml", "dev.yaml", "platform.yaml", "data.yaml"] {
        let text = std::fs::read_to_string(demo.join(name)).unwrap();
        let gone = |d: &&str| d.contains("name: allow-metrics") || d.contains("name: default-deny");
        let kept: Vec<&str> = text.split("\n---\n").filter(|d| !gone(d)).collect();
        let text = kept.join("\n---\n");
        let text = if name == "data.yaml" {
            text.replace("5432", "5433")
        } else {
            text
        };
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn two_states_share_one_picture() {
    let old = old_demo();
    let old = old.path().to_str().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let draw = |arguments: &[&str]| {
        netpal_at(&demo, &[&["diff", old, "."], arguments].concat(), "").stdout
    };
    golden().bind(|| {
        insta::assert_snapshot!("picture-changes-svg", draw(&["-o", "svg"]));
        insta::assert_snapshot!(
            "picture-changes-dot",
            draw(&["-o", "dot", "--only-changed"])
        );
        insta::assert_snapshot!("picture-changes-mermaid", draw(&["-o", "mermaid"]));
    });
    let svg = draw(&["-o", "svg"]);
    let first = draw(&[]).lines().next().unwrap().to_owned();
    assert!(
        svg.contains(&first),
        "the caption is the first line of the text: {first}"
    );
    // what changed has a sign, a class and a line of its own; what did not stands back, or is not
    // there
    assert!(
        svg.contains(">+ 9187/TCP<") && svg.contains("np-widened np-new"),
        "{svg}"
    );
    assert!(
        svg.contains(">~ 5432/TCP (was 5433/TCP)<") && svg.contains("np-core"),
        "{svg}"
    );
    assert!(svg.contains("np-same") && svg.contains("- OPEN out before"));
    assert!(
        !draw(&["-o", "svg", "--only-changed"]).contains("<g class=\"np-edge np-allow np-same\"")
    );
    // the other way round the same edges carry the opposite signs
    let back = netpal_at(&demo, &["diff", ".", old, "-o", "svg"], "").stdout;
    assert!(
        back.contains(">- 9187/TCP<")
            && back.contains("np-narrowed np-gone")
            && back.contains("+ OPEN out"),
        "{back}"
    );
    let boxes = |svg: &str| {
        let lines = svg.lines().filter(|l| l.contains("<g class=\"np-frame\""));
        lines
            .map(|l| {
                l.split(" id=")
                    .nth(1)
                    .unwrap()
                    .split('"')
                    .nth(1)
                    .unwrap()
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(boxes(&svg), boxes(&back), "nothing jumps");
    let graph = netpal_at(
        &demo,
        &["graph", "-f", ".", "--before", old, "-o", "dot"],
        "",
    )
    .stdout;
    assert!(
        graph.contains("+ 9187/TCP") && graph.contains("#6a3fb5:#6a3fb5"),
        "{graph}"
    );
}

#[test]
fn the_changes_of_a_report_are_those_of_diff() {
    let old = old_demo();
    let old = old.path().to_str().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let told = netpal_at(&demo, &["diff", old, ".", "-v"], "").stdout;
    assert!(told.lines().count() > 8, "{told}");
    let escaped = |l: &str| {
        l.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
    };
    for page in [
        netpal_at(
            &demo,
            &["report", "-f", ".", "--before", old, "-o", "html"],
            "",
        )
        .stdout,
        netpal_at(&demo, &["diff", old, ".", "-o", "html"], "").stdout,
    ] {
        for line in told.lines() {
            assert!(
                page.contains(&format!(">{}</span>", escaped(line))),
                "the page lacks: {line}"
            );
        }
    }
    let md = netpal_at(
        &demo,
        &["report", "-f", ".", "--before", old, "-o", "md"],
        "",
    )
    .stdout;
    for line in told.lines() {
        assert!(md.contains(line), "the text lacks: {line}");
    }
}

#[test]
fn too_many_edges_are_counted_instead_of_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = Vec::new();
    for i in 0..48 {
        let namespace = format!("team-{i:02}");
        let labels = serde_json::json!({"kubernetes.io/metadata.name": namespace, "ring": format!("r{}", i % 7)});
        items.push(serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}));
        items.push(serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app", "namespace": namespace}, "spec": {"containers": [{"name": "c"}]}}));
        let ring = serde_json::json!({"namespaceSelector": {"matchLabels": {"ring": format!("r{}", (i * 3) % 7)}}});
        items.push(serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "in", "namespace": namespace},
            "spec": {"podSelector": {}, "ingress": [{"from": [ring], "ports": [{"port": 8000 + i}]}]}}));
    }
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    std::fs::write(folder.path().join("rings.json"), list.to_string()).unwrap();
    let svg = draw(folder.path(), &["-o", "svg"]);
    assert!(!svg.contains("<g class=\"np-edge"), "no edge is drawn");
    assert!(
        svg.contains("edges between namespaces (netpal matrix shows them"),
        "{svg}"
    );
    assert!(
        svg.contains("and 46 more") && svg.contains("48 workloads"),
        "equal namespaces are one node: {svg}"
    );
    let all = draw(folder.path(), &["-o", "svg", "--level", "namespace"]);
    assert!(
        all.matches("<g class=\"np-edge").count() > 120,
        "unless they are asked for"
    );
}
