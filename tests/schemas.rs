//! Every document that is written, against its schema: ours as `netpal schema` prints them, and
//! those of others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use common::{Run, netpal_in};
use serde_json::Value;

const DEMO: &str = "examples/demo";

/// What is wrong with a document, by a schema.
fn faults(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema");
    validator
        .iter_errors(document)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect()
}

fn check(schema: &Value, document: &Value, of: &str) {
    let faults = faults(schema, document);
    assert!(faults.is_empty(), "{of}:\n{}", faults.join("\n"));
}

fn schema(name: &str) -> Value {
    let run = netpal_in(DEMO, &["schema", name]);
    assert_eq!(run.code, 0, "{name}: {}", run.stderr);
    let schema = serde_json::from_str(&run.stdout).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema), "{name}");
    schema
}

fn foreign(name: &str) -> Value {
    let path = format!(
        "{}/tests/data/schemas/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The schema of SARIF; one of its patterns has a stray bracket, which only some dialects of
/// expressions take for itself.
fn sarif() -> Value {
    let mut schema = foreign("sarif-2.1.0");
    for of in ["run", "toolComponent"] {
        if let Some(pattern) =
            schema.pointer_mut(&format!("/definitions/{of}/properties/language/pattern"))
        {
            *pattern = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
        }
    }
    schema
}

fn run(arguments: &[&str], format: &str) -> Run {
    let run = netpal_in(DEMO, &[arguments, &["-o", format]].concat());
    assert!(
        run.code < 4 && !run.stdout.is_empty(),
        "{arguments:?}: {}",
        run.text()
    );
    run
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&run(arguments, "json").stdout).expect("JSON")
}

/// Every command that writes JSON, with questions that reach each part of its answer.
const DOCUMENTS: &[(&str, &[&str])] = &[
    ("can", &["can", "frontend", "reach", "database:5432"]),
    ("can", &["can", "dev/runner", "reach", "database:5432"]),
    ("can", &["can", "ns/shop", "reach", "node-agent:9100"]),
    ("can", &["can", "internet", "reach", "frontend:8080"]),
    (
        "questions",
        &[
            "can",
            "--questions",
            "../../tests/data/schemas/questions.csv",
        ],
    ),
    ("why", &["why", "frontend", "reach", "database:5432"]),
    (
        "why",
        &["why", "dev/runner", "reach", "database:5432", "--suggest"],
    ),
    (
        "why",
        &[
            "why",
            "shop/frontend",
            "reach",
            "node-agent:9100",
            "--suggest",
        ],
    ),
    (
        "why",
        &[
            "why",
            "blue/api",
            "reach",
            "red/web:9090",
            "-f",
            "../tiers",
            "--suggest",
        ],
    ),
    ("list", &["list", "--all"]),
    ("list", &["list", "--to", "ns/data"]),
    ("doors", &["doors", "-f", "../doors"]),
    (
        "entrance",
        &[
            "can",
            "internet",
            "reach",
            "store/frontend",
            "--by",
            "door",
            "-f",
            "../doors",
        ],
    ),
    ("critical", &["critical", "dev/runner", "data/redis"]),
    ("reach", &["reach", "shop/frontend", "--hops", "any"]),
    ("who", &["who", "database:5432", "--hops", "any"]),
    ("path", &["reach", "--path", "dev/runner", "data/database"]),
    ("path", &["reach", "--path", "data/redis", "data/database"]),
    ("explain", &["explain", "data/database-ingress"]),
    ("explain", &["explain", "shop/cart"]),
    ("explain", &["explain", "ns/shop"]),
    ("matrix", &["matrix"]),
    ("matrix", &["matrix", "--by", "workload"]),
    ("inputs", &["inputs"]),
    ("inputs", &["inputs", "-f", "../../tests/data/lint"]),
    ("lint", &["lint", "--select", "ALL"]),
    (
        "lint",
        &[
            "lint",
            "-f",
            "../../tests/data/lint",
            "--select",
            "ALL",
            "--severity",
            "info",
        ],
    ),
    ("diff", &["diff", "shop.yaml", "platform.yaml"]),
    ("diff", &["diff", "--cni", "calico", "--cni", "cilium"]),
    (
        "plan",
        &[
            "plan",
            "--relabel",
            "dev/runner:app=checkout",
            "--relabel",
            "ns/dev:kubernetes.io/metadata.name=shop",
        ],
    ),
    ("test", &["test"]),
    (
        "test-results",
        &["test", "../../tests/data/schemas/tests.yaml"],
    ),
];

#[test]
fn every_document_is_what_its_schema_says() {
    for (name, arguments) in DOCUMENTS {
        let (schema, document) = (schema(name), json(arguments));
        check(&schema, &document, &format!("{arguments:?}"));
        for field in schema["required"].as_array().unwrap() {
            let mut without = document.clone();
            without
                .as_object_mut()
                .unwrap()
                .shift_remove(field.as_str().unwrap());
            assert!(
                !faults(&schema, &without).is_empty(),
                "{arguments:?} without {field}"
            );
        }
    }
}

#[test]
fn every_schema_has_a_document_and_every_command_with_json_a_schema() {
    let help = netpal_in(DEMO, &["schema", "--help"]).stdout;
    let head = help
        .split("Arguments:")
        .nth(1)
        .and_then(|t| t.split("Options:").next())
        .expect("arguments");
    let names: Vec<&str> = head
        .lines()
        .filter_map(|l| l.trim().strip_prefix("- ")?.split(':').next())
        .collect();
    assert!(names.len() > 10, "{help}");
    for name in names.iter().filter(|n| !["config", "tests"].contains(n)) {
        let own = schema(name)["properties"]["kind"]["const"].clone();
        let written = DOCUMENTS
            .iter()
            .any(|(of, _)| schema(of)["properties"]["kind"]["const"] == own);
        assert!(written, "no document of schema {name}");
    }
    let source = |file: &str| {
        std::fs::read_to_string(format!("{}/src/cli/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let known = source("schema.rs");
    for entry in std::fs::read_dir(format!("{}/src/cli", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        for part in source(&file).split("json::write(\"").skip(1) {
            let kind = part.split('"').next().unwrap();
            assert!(
                known.contains(&format!("(\"{kind}\")")),
                "{file} writes a {kind} without a schema"
            );
        }
    }
}

#[test]
fn yaml_says_what_json_says() {
    for (_, arguments) in DOCUMENTS.iter().filter(|(name, _)| *name != "questions") {
        let text = run(arguments, "yaml").stdout;
        let newer: Value = serde_yaml::from_str(&text).expect("YAML 1.2");
        assert_eq!(newer, json(arguments), "{arguments:?}");
        let chunk = netpal::internals::tree::Chunk::whole(&text);
        let older = netpal::internals::tree::parse(&text, &chunk)
            .root
            .expect("YAML 1.1")
            .to_json();
        assert_eq!(older, newer, "{arguments:?}: kubectl reads the same");
    }
}

#[test]
fn files_that_are_read_are_what_their_schemas_say() {
    let read = |text: &str| -> Value { serde_yaml::from_str(text).unwrap() };
    let file = |name: &str| {
        let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
        read(&std::fs::read_to_string(path).unwrap())
    };
    let (config, tests) = (schema("config"), schema("tests"));
    check(&config, &file("examples/demo/netpal.yaml"), "netpal.yaml");
    for name in [
        "examples/demo/policy-tests/shop.yaml",
        "tests/data/schemas/tests.yaml",
    ] {
        check(&tests, &file(name), name);
    }
    check(
        &tests,
        &read(&netpal_in(DEMO, &["init", "tests"]).stdout),
        "init tests",
    );
    for (schema, wrong) in [
        (&config, "input: []"),
        (&config, "lint: {fail-on: always}"),
        (&tests, "tests: [{cannott: a -> b}]"),
        (&tests, "tests: [{isolated: {from: a, to: b, hops: some}}]"),
    ] {
        assert!(!faults(schema, &read(wrong)).is_empty(), "{wrong}");
    }
}

/// Every command that writes findings.
const FINDINGS: &[&[&str]] = &[
    &["lint", "--select", "ALL"],
    &[
        "lint",
        "-f",
        "../../tests/data/lint",
        "--select",
        "ALL",
        "--severity",
        "info",
    ],
    &["lint", "-f", "../three-tier", "--select", "NP001"],
    &["diff", "shop.yaml", "platform.yaml"],
    &["diff", "--cni", "calico", "--cni", "cilium"],
    &[
        "plan",
        "--relabel",
        "dev/runner:app=cart",
        "--relabel",
        "ns/dev:kubernetes.io/metadata.name=shop",
    ],
    &["test"],
    &["test", "../../tests/data/schemas/tests.yaml"],
];

#[test]
fn sarif_is_what_oasis_says() {
    let schema = sarif();
    for arguments in FINDINGS {
        let log: Value = serde_json::from_str(&run(arguments, "sarif").stdout).expect("JSON");
        check(&schema, &log, &format!("{arguments:?}"));
        let rules = log["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap();
        for result in log["runs"][0]["results"].as_array().unwrap() {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"], "{arguments:?}");
            let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            assert!(
                uri.as_str().is_none_or(|u| !u.starts_with("./")),
                "{arguments:?}: {uri} is relative"
            );
        }
        let mut wrong = log;
        wrong["runs"][0]["results"] =
            serde_json::json!([{"message": {"text": "x"}, "level": "fatal"}]);
        assert!(
            !faults(&schema, &wrong).is_empty(),
            "the schema refuses what it should"
        );
    }
}

#[test]
fn gitlab_issues_are_what_gitlab_documents() {
    let schema = foreign("gitlab-code-quality");
    for arguments in FINDINGS {
        let issues: Value = serde_json::from_str(&run(arguments, "gitlab").stdout).expect("JSON");
        check(&schema, &issues, &format!("{arguments:?}"));
        let prints: Vec<&Value> = issues
            .as_array()
            .unwrap()
            .iter()
            .map(|i| &i["fingerprint"])
            .collect();
        let different: std::collections::HashSet<&str> =
            prints.iter().map(|p| p.as_str().unwrap()).collect();
        assert_eq!(
            different.len(),
            prints.len(),
            "{arguments:?}: fingerprints are unique"
        );
    }
}

/// Elements of `JUnit` XML, with their attributes and what they may hold.
const JUNIT: &[(&str, &[&str], &[&str])] = &[
    (
        "testsuites",
        &["name", "tests", "failures", "errors", "skipped"],
        &["testsuite"],
    ),
    (
        "testsuite",
        &["name", "tests", "disabled", "errors", "failures", "skipped"],
        &["testcase"],
    ),
    (
        "testcase",
        &["name", "classname", "file", "line"],
        &["failure", "error", "skipped"],
    ),
    ("failure", &["message", "type"], &[]),
    ("error", &["message", "type"], &[]),
    ("skipped", &["message", "type"], &[]),
];

#[test]
fn junit_is_what_ci_systems_read() {
    for file in [None, Some("../../tests/data/schemas/tests.yaml")] {
        let arguments: Vec<&str> = ["test"].into_iter().chain(file).collect();
        let text = run(&arguments, "junit").stdout;
        let document = roxmltree::Document::parse(&text).expect("XML");
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let name = node.tag_name().name();
            let (_, attributes, inside) = JUNIT.iter().find(|row| row.0 == name).expect(name);
            assert!(
                node.attributes().all(|a| attributes.contains(&a.name())),
                "{node:?}"
            );
            assert!(
                node.children()
                    .filter(roxmltree::Node::is_element)
                    .all(|c| inside.contains(&c.tag_name().name())),
                "{node:?}"
            );
            if name.starts_with("testsuite") {
                let count = |of: &str| {
                    node.descendants()
                        .filter(|d| d.has_tag_name(of))
                        .count()
                        .to_string()
                };
                assert_eq!(node.attribute("tests"), Some(&*count("testcase")));
                assert_eq!(node.attribute("failures"), Some(&*count("failure")));
                assert_eq!(node.attribute("errors"), Some(&*count("error")));
            }
        }
        let read = quick_junit::Report::deserialize_from_str(&text).expect("a report");
        let told = json(&arguments);
        assert_eq!(read.tests, told["tests"].as_array().unwrap().len());
        assert_eq!(
            (Some(read.failures as u64), Some(read.errors as u64)),
            (told["failed"].as_u64(), told["undecided"].as_u64())
        );
    }
}
