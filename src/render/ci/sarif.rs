//! SARIF 2.1.0, for code scanning: one run, relative URIs, our own partial fingerprints.
//!
//! Own structs, in the order and spelling of the OASIS schema: the crates that exist are stale or
//! large. Names and texts from manifests are escaped here: SARIF messages know placeholders (`{0}`)
//! and links (`[text](target)`). A service that takes SARIF refuses more than [`MOST`] results; the
//! worst come first, and a notification says what was left out.

use crate::diagnostic::Place;
use crate::finding::{Confidence, Finding, Label, RuleInfo, Severity, identities};
use crate::render::data::findings::{FindingSet, Region, full_text};
use crate::render::words;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

/// How many results one run may have on GitHub.
pub const MOST: usize = 25_000;

/// The key of our fingerprint.
const FINGERPRINT: &str = "netpal/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [SarifRun; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    original_uri_base_ids: BTreeMap<&'static str, BaseId>,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct BaseId {
    description: Message,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    information_uri: Option<&'static str>,
    rules: Vec<SarifRule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRule {
    id: &'static str,
    name: &'static str,
    short_description: Message,
    help: Help,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: Vec<&'static str>,
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: Vec<SarifLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<SarifLocation>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<CodeFlow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<SarifSuppression>,
    properties: ResultProperties,
}

#[derive(Serialize)]
struct ResultProperties {
    precision: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_field_names)] // the schema's names
struct SarifLocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: SarifRegion,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRegion {
    start_line: u32,
    start_column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeFlow {
    thread_flows: [ThreadFlow; 1],
}

#[derive(Serialize)]
struct ThreadFlow {
    locations: Vec<ThreadFlowLocation>,
}

#[derive(Serialize)]
struct ThreadFlowLocation {
    location: SarifLocation,
}

#[derive(Serialize)]
struct SarifSuppression {
    kind: &'static str,
    justification: String,
}

/// Writes a log of one run.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &FindingSet<'_>, out: &mut dyn Write) -> io::Result<()> {
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [run(report)],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn run(report: &FindingSet<'_>) -> SarifRun {
    let ids = identities(report.findings);
    let mut order: Vec<usize> = (0..report.findings.len()).collect();
    if order.len() > MOST {
        order.sort_by_key(|i| std::cmp::Reverse(report.findings[*i].severity));
        order.truncate(MOST);
        order.sort_unstable();
    }
    let left_out = report.findings.len() - order.len();
    let notification = (left_out > 0).then(|| Notification {
        level: "warning",
        message: message(&format!("{left_out} further results were left out")),
    });
    let base = BaseId {
        description: message("the folder netpal was started in"),
    };
    SarifRun {
        tool: Tool {
            driver: driver(report.rules),
        },
        invocations: [Invocation {
            execution_successful: true,
            tool_execution_notifications: notification.into_iter().collect(),
        }],
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: BTreeMap::from([("%SRCROOT%", base)]),
        results: order
            .into_iter()
            .map(|i| result(report, &report.findings[i], ids[i].clone()))
            .collect(),
    }
}

/// Where the project lives, when its manifest says so. A link that leads nowhere is worse than
/// none: without it, a rule's text is in `help` alone.
fn repository() -> Option<&'static str> {
    Some(
        env!("CARGO_PKG_REPOSITORY")
            .trim_end_matches('/')
            .trim_end_matches(".git"),
    )
    .filter(|r| !r.is_empty())
}

fn driver(rules: &[RuleInfo]) -> Driver {
    Driver {
        name: "netpal",
        version: env!("CARGO_PKG_VERSION"),
        information_uri: repository(),
        rules: rules.iter().map(rule).collect(),
    }
}

fn rule(info: &RuleInfo) -> SarifRule {
    let topic = if info.security.is_some() {
        "security"
    } else {
        "correctness"
    };
    SarifRule {
        id: info.id,
        name: info.name,
        short_description: message(&info.summary),
        help: Help {
            text: info.page.to_string(),
            markdown: info.page.to_string(),
        },
        help_uri: repository().map(|r| format!("{r}/blob/main/docs/{}", page(info.id))),
        default_configuration: Configuration {
            level: level(info.severity),
        },
        properties: RuleProperties {
            tags: vec!["kubernetes", "networkpolicy", topic],
            security_severity: info.security,
        },
    }
}

/// The page that explains a rule: those of lint have one each.
fn page(id: &str) -> String {
    let lint = id
        .strip_prefix("NP")
        .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    if lint {
        format!("lints/{id}.md")
    } else {
        "guide.md".to_owned()
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(report: &FindingSet<'_>, finding: &Finding, identity: String) -> SarifResult {
    let mut place = location(report, &finding.place, None, None);
    place.logical_locations = logical(finding);
    let related = finding.related.iter().enumerate();
    let related = related.map(|(i, l)| location(report, &l.place, Some(&l.text), Some(i + 1)));
    let flow = (!finding.steps.is_empty()).then(|| code_flow(report, &finding.steps));
    let justification = finding
        .suppressed
        .as_ref()
        .map(|reason| words::clean(reason).into_owned());
    SarifResult {
        rule_id: finding.rule,
        rule_index: report.rule(finding.rule).map(|(i, _)| i),
        level: level(finding.severity),
        message: message(&full_text(finding)),
        locations: vec![place],
        related_locations: related.filter(|l| l.physical_location.is_some()).collect(),
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, identity)]),
        code_flows: flow.into_iter().collect(),
        suppressions: justification
            .map(|j| SarifSuppression {
                kind: "inSource",
                justification: j,
            })
            .into_iter()
            .collect(),
        properties: ResultProperties {
            precision: match finding.confidence {
                Confidence::Certain => "very-high",
                Confidence::Likely => "high",
            },
        },
    }
}

fn code_flow(report: &FindingSet<'_>, steps: &[Label]) -> CodeFlow {
    let step = |l: &Label| ThreadFlowLocation {
        location: location(report, &l.place, Some(&l.text), None),
    };
    CodeFlow {
        thread_flows: [ThreadFlow {
            locations: steps.iter().map(step).collect(),
        }],
    }
}

fn logical(finding: &Finding) -> Vec<LogicalLocation> {
    let about = &finding.fingerprint;
    let parts = [&about.namespace, &about.name, &about.path];
    let name = parts
        .into_iter()
        .filter(|p| !p.is_empty())
        .map(|p| words::clean(p))
        .collect::<Vec<_>>()
        .join("/");
    if name.is_empty() {
        Vec::new()
    } else {
        vec![LogicalLocation {
            fully_qualified_name: name,
            kind: "object",
        }]
    }
}

fn location(
    report: &FindingSet<'_>,
    place: &Place,
    text: Option<&str>,
    id: Option<usize>,
) -> SarifLocation {
    // standard input and a cluster have no address that a viewer could open
    let sources = report.locator.sources();
    let in_cluster = matches!(place, Place::Origin(at) if sources.address(at.document).is_some());
    let region = report.region(place).filter(|_| !in_cluster);
    let region = region.filter(|r| !r.file.starts_with('<'));
    SarifLocation {
        id,
        physical_location: region.map(|r| physical(&r)),
        logical_locations: Vec::new(),
        message: text.map(|t| message(&words::clean(t))),
    }
}

fn physical(region: &Region) -> PhysicalLocation {
    let absolute = region.file.starts_with('/');
    let uri = percent(&region.file);
    PhysicalLocation {
        artifact_location: ArtifactLocation {
            uri: if absolute {
                format!("file://{uri}")
            } else {
                uri
            },
            uri_base_id: (!absolute).then_some("%SRCROOT%"),
        },
        region: SarifRegion {
            start_line: region.line.max(1),
            start_column: region.column.max(1),
            end_column: region.end_column,
        },
    }
}

/// A path as a URI reference (RFC 3986): a colon too, so that nothing before it is taken for a
/// scheme.
fn percent(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// A message in which nothing is taken for a placeholder or a link.
fn message(text: &str) -> Message {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '{' | '}' => escaped.extend([c, c]),
            '[' | ']' | '\\' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    Message { text: escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(percent("k8s/a b#c.yaml"), "k8s/a%20b%23c.yaml");
        assert_eq!(percent("git:HEAD:x"), "git%3AHEAD%3Ax");
    }

    #[test]
    fn messages_hold_no_placeholder_and_no_link() {
        assert_eq!(message("{0} [x](y)").text, "{{0}} \\[x\\](y)");
    }
}
