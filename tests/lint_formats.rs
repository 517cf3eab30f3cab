//! The formats for CI systems: what they promise to their readers, and that a hostile name breaks
//! none of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::internals::render::ci::{github, gitlab, sarif};
use netpal::internals::render::data::findings;
use netpal::internals::render::data::findings::FindingSet;
use netpal::internals::render::text::findings::LintScope;
use netpal::{
    DocumentId, DocumentPath as Path, Finding, Fingerprint, Input, Locator, Origin, Place,
    RuleInfo, Severity, Style,
};
use serde_json::Value;

const TEXT: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: shop}
spec:
  podSelector: {}
  ingress:
  - from:
    - podSelector: {matchLabels: {app: web}}
";

const HOSTILE: &str = "x\n::error::owned|<b>{0}[l](u)\u{202e}\u{1b}[2J";

fn origin(steps: &[&str]) -> Place {
    let path = steps.iter().fold(Path::root(), |p, s| {
        s.parse().map_or_else(|_| p.key(s), |i| p.index(i))
    });
    Place::Origin(Origin::new(DocumentId(0), path))
}

fn finding(severity: Severity, message: &str, peer: &str) -> Finding {
    let place = origin(&["spec", "ingress", "0", "from", "0"]);
    let mut finding = Finding::new("NP004", "split-peer", place, message)
        .severity(severity)
        .label("here");
    finding = finding
        .related(origin(&["spec", "podSelector"]), "selects every pod")
        .help("take the dash away");
    finding.steps.clone_from(&finding.related);
    finding.fingerprint = Fingerprint {
        namespace: "shop".into(),
        name: "a".into(),
        peer: peer.into(),
        ..Fingerprint::default()
    };
    finding
}

fn rules() -> Vec<RuleInfo> {
    let rule = |id, name| RuleInfo {
        id,
        name,
        summary: "summary".into(),
        page: "# page".into(),
        severity: Severity::Error,
        security: Some("7.5"),
    };
    vec![
        rule("NP001", "policy-selects-nothing"),
        rule("NP004", "split-peer"),
    ]
}

fn with_report<T>(list: &[Finding], run: impl FnOnce(&FindingSet<'_>) -> T) -> T {
    let input: Input = netpal::load_str(TEXT);
    let locator = Locator::new(&input.sources);
    let rules = rules();
    run(&FindingSet {
        findings: list,
        rules: &rules,
        locator: &locator,
        base: None,
    })
}

fn written(list: &[Finding], write: impl Fn(&FindingSet<'_>, &mut Vec<u8>)) -> String {
    with_report(list, |report| {
        let mut out = Vec::new();
        write(report, &mut out);
        String::from_utf8(out).unwrap()
    })
}

/// Three findings, one of them with a message that tries to break out.
fn three() -> Vec<Finding> {
    let mut known = finding(Severity::Warning, "known", "c");
    known.suppressed = Some("agreed with security".into());
    vec![
        finding(Severity::Error, "plain", "a"),
        finding(Severity::Warning, HOSTILE, "b"),
        known,
    ]
}

#[test]
fn sarif_has_what_code_scanning_reads() {
    let text = written(&three(), |r, out| sarif::write(r, out).unwrap());
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    assert_eq!(run["tool"]["driver"]["rules"][1]["id"], "NP004");
    assert_eq!(
        run["tool"]["driver"]["rules"][1]["properties"]["security-severity"],
        "7.5"
    );
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let first = &results[0];
    assert_eq!(
        (first["ruleId"].as_str(), first["ruleIndex"].as_u64()),
        (Some("NP004"), Some(1))
    );
    assert_eq!(
        (first["level"].as_str(), results[1]["level"].as_str()),
        (Some("error"), Some("warning"))
    );
    assert_eq!(
        first["partialFingerprints"]["netpal/v1"]
            .as_str()
            .unwrap()
            .len(),
        16
    );
    assert_ne!(
        first["partialFingerprints"],
        results[1]["partialFingerprints"]
    );
    assert_eq!(
        results[2]["suppressions"][0]["justification"],
        "agreed with security"
    );
    assert_eq!(
        first["codeFlows"][0]["threadFlows"][0]["locations"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(
        !results[1]["message"]["text"]
            .as_str()
            .unwrap()
            .contains(['\u{1b}', '\u{202e}'])
    );
}

#[test]
fn sarif_explains_every_rule_and_links_only_to_what_is_there() {
    let all: Vec<_> = netpal::LINTS.iter().map(netpal::Lint::info).collect();
    let input = netpal::load_str(TEXT);
    let locator = Locator::new(&input.sources);
    let mut out = Vec::new();
    sarif::write(
        &FindingSet {
            findings: &[],
            rules: &all,
            locator: &locator,
            base: None,
        },
        &mut out,
    )
    .unwrap();
    let log: Value = serde_json::from_slice(&out).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert_eq!(rules.len(), all.len());
    for (rule, info) in rules.iter().zip(&all) {
        assert_eq!(
            rule["help"]["markdown"].as_str().unwrap(),
            &*info.page,
            "{}: the whole page",
            info.id
        );
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
        let uri = rule.get("helpUri").map(|u| u.as_str().unwrap());
        match env!("CARGO_PKG_REPOSITORY") {
            "" => assert_eq!(uri, None, "{}: no link is made up", info.id),
            home => assert!(uri.unwrap().starts_with(home.trim_end_matches(".git"))),
        }
    }
}

#[test]
fn sarif_points_at_lines_and_columns_of_relative_files() {
    let text = written(&three(), |r, out| sarif::write(r, out).unwrap());
    // a text has no file, so only the logical place is told
    let log: Value = serde_json::from_str(&text).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0];
    assert!(place["physicalLocation"].is_null());
    assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], "shop/a");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a b.yaml");
    std::fs::write(&file, TEXT).unwrap();
    let input = netpal::load([&file]).unwrap();
    let locator = Locator::new(&input.sources);
    let (list, rules, base) = (three(), rules(), folder.path().to_str().unwrap().to_owned());
    let mut out = Vec::new();
    sarif::write(
        &FindingSet {
            findings: &list,
            rules: &rules,
            locator: &locator,
            base: Some(&base),
        },
        &mut out,
    )
    .unwrap();
    let log: Value = serde_json::from_slice(&out).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
    assert_eq!(place["region"]["startLine"], 8);
    assert_eq!(place["region"]["startColumn"], 7);
}

#[test]
fn github_keeps_its_budget_and_nothing_starts_a_command() {
    let many: Vec<Finding> = (0..14)
        .map(|i| {
            finding(
                if i < 3 {
                    Severity::Warning
                } else {
                    Severity::Error
                },
                HOSTILE,
                &i.to_string(),
            )
        })
        .collect();
    let (text, left_out) = with_report(&many, |r| {
        let mut out = Vec::new();
        github::write(r, &mut out).unwrap();
        let left_out = github::left_out(r);
        (String::from_utf8(out).unwrap(), left_out)
    });
    assert_eq!((text.lines().count(), left_out), (13, 1));
    assert!(
        text.lines()
            .take(10)
            .all(|l| l.starts_with("::error title=NP004 split-peer,file=<text>,line=8,col=7::"))
    );
    assert!(text.lines().skip(10).all(|l| l.starts_with("::warning ")));
    let summary = written(&many, |r, out| github::summary(r, out).unwrap());
    assert_eq!(
        summary
            .lines()
            .filter(|l| l.starts_with("| error ") || l.starts_with("| warning "))
            .count(),
        14
    );
    assert!(!summary.contains("<b>"));
}

#[test]
fn gitlab_issues_have_the_five_fields() {
    let text = written(&three(), |r, out| gitlab::write(r, out).unwrap());
    let issues: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(issues.len(), 2, "a suppressed finding is no issue");
    for issue in &issues {
        assert!(
            ["info", "minor", "major", "critical", "blocker"]
                .contains(&issue["severity"].as_str().unwrap())
        );
        for field in ["description", "check_name", "fingerprint"] {
            assert!(!issue[field].as_str().unwrap().is_empty());
        }
        assert_eq!(issue["location"]["lines"]["begin"], 8);
    }
    assert_ne!(issues[0]["fingerprint"], issues[1]["fingerprint"]);
}

#[test]
fn text_shows_the_lines_and_escapes_what_is_hostile() {
    let text = written(&three(), |r, out| {
        let scope = LintScope {
            policies: 1,
            workloads: 0,
            ..LintScope::default()
        };
        netpal::internals::render::text::findings::write(
            r,
            &scope,
            &[],
            (Style::default(), false),
            out,
        )
        .unwrap();
    });
    assert!(text.starts_with("<text>:8:7: error NP004 split-peer: plain\n"));
    assert!(text.contains("8 |     - podSelector: {matchLabels: {app: web}}"));
    assert!(text.contains("= fix: take the dash away"));
    assert!(
        text.ends_with(
            "1 error, 1 warning in 1 policy, 0 workloads   (lesson: netpal rule NP004)\n"
        ),
        "{text}"
    );
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn json_and_csv_hold_every_finding() {
    let json = with_report(&three(), |r| {
        serde_json::to_value(findings::document(r)).unwrap()
    });
    assert_eq!(
        (json["errors"].as_u64(), json["warnings"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(json["findings"].as_array().unwrap().len(), 3);
    assert_eq!(json["findings"][0]["at"]["line"], 8);
    let csv = written(&three(), |r, out| findings::csv(r, out).unwrap());
    assert_eq!(csv.lines().count(), 3);
}
