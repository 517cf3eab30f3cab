//! The table of lints: id, name, usual severity, whether it is on unasked, and its page.
//!
//! A lint's page is the `//!` comment of its file with its two examples. The examples are test
//! data: the first must be found, the second must be silent, so a page cannot promise what the lint
//! does not do.

use super::config::LintConfig;
use super::facts::Facts;
use super::found::Found;
use crate::finding::{RuleInfo, Severity};
use std::fmt::Write as _;

/// One lint.
pub struct Lint {
    /// `NP004`.
    pub id: &'static str,
    /// `split-peer`.
    pub name: &'static str,
    /// How bad its findings usually are.
    pub severity: Severity,
    /// Whether it is on unasked.
    pub default: bool,
    /// How bad they are for security, where they are about exposure.
    pub security: Option<&'static str>,
    /// Whether the configuration gives what it needs; `None` when it needs nothing.
    pub needs: Option<fn(&LintConfig) -> bool>,
    /// Looks for it.
    pub run: fn(&Facts<'_>, &mut Found<'_>),
    source: &'static str,
    bad: &'static str,
    good: &'static str,
}

macro_rules! lints {
    ($($module:ident $id:literal $name:literal $severity:ident $default:literal $security:expr, $needs:expr;)*) => {
        /// Every lint, by id.
        pub static LINTS: &[Lint] = &[$(Lint {
            id: $id,
            name: $name,
            severity: Severity::$severity,
            default: $default,
            security: $security,
            needs: $needs,
            run: super::$module::run,
            source: include_str!(concat!(stringify!($module), ".rs")),
            bad: include_str!(concat!("../../tests/data/lint/", stringify!($module), "/bad.yaml")),
            good: include_str!(concat!("../../tests/data/lint/", stringify!($module), "/good.yaml")),
        }),*];
    };
}

lints! {
    np001 "NP001" "policy-selects-nothing" Error true None, None;
    np002 "NP002" "peer-selects-nothing" Warning true None, None;
    np003 "NP003" "namespace-by-fake-name" Error true None, None;
    np004 "NP004" "split-peer" Error true Some("8.1"), None;
    np005 "NP005" "moot-peer" Warning true Some("6.5"), None;
    np006 "NP006" "policytypes-omitted" Error true None, None;
    np007 "NP007" "rules-without-type" Error true Some("7.0"), None;
    np008 "NP008" "name-contradicts-effect" Warning true Some("4.0"), None;
    np009 "NP009" "allow-all-rule" Warning true Some("6.5"), None;
    np010 "NP010" "wrong-namespace" Error true Some("7.0"), None;
    np011 "NP011" "service-port" Error true None, None;
    np012 "NP012" "named-port-missing" Error true None, None;
    np013 "NP013" "port-not-declared" Info true None, None;
    np014 "NP014" "protocol-default" Error true None, None;
    np015 "NP015" "bad-ip-or-range" Error true None, None;
    np016 "NP016" "bad-label" Error true None, None;
    np017 "NP017" "duplicate-policy" Error true Some("6.0"), None;
    np018 "NP018" "unknown-field" Error true Some("7.0"), None;
    np019 "NP019" "unstable-selector" Warning true None, None;
    np101 "NP101" "dns-blocked" Warning true None, None;
    np102 "NP102" "half-open" Warning true None, None;
    np103 "NP103" "service-unreachable" Warning true None, None;
    np104 "NP104" "ingress-backend-blocked" Error true None, None;
    np105 "NP105" "scrape-blocked" Info true None, None;
    np106 "NP106" "apiserver-blocked" Info true None, Some(|c: &LintConfig| c.apiserver.is_some());
    np107 "NP107" "webhook-blocked" Warning true None, None;
    np201 "NP201" "internet-ingress" Warning true Some("5.5"), None;
    np202 "NP202" "internet-egress" Info true Some("3.0"), None;
    np203 "NP203" "metadata-reachable" Warning true Some("6.5"), None;
    np204 "NP204" "except-defeated" Error true Some("7.5"), None;
    np205 "NP205" "private-in-internet-rule" Warning true Some("5.0"), None;
    np206 "NP206" "any-namespace" Info true Some("4.0"), None;
    np207 "NP207" "all-ports" Info true Some("2.0"), None;
    np208 "NP208" "sensitive-port" Warning true Some("8.0"), None;
    np209 "NP209" "spoofable-namespace-label" Info true Some("5.0"), Some(|c: &LintConfig| c.owners_edit_labels);
    np301 "NP301" "no-ingress-isolation" Warning false Some("5.0"), None;
    np302 "NP302" "no-egress-isolation" Info false Some("4.0"), None;
    np303 "NP303" "no-default-deny" Warning false Some("4.0"), None;
    np304 "NP304" "coverage-illusion" Warning false Some("5.0"), None;
    np305 "NP305" "hostnetwork" Warning false Some("5.0"), None;
    np306 "NP306" "cni-may-not-enforce" Warning true Some("8.0"), None;
    np401 "NP401" "redundant-policy" Warning true None, None;
    np402 "NP402" "redundant-rule" Warning true None, None;
    np403 "NP403" "no-effect-set" Warning true Some("5.0"), None;
    np404 "NP404" "cut-off-workload" Info true None, None;
    np405 "NP405" "odd-selector" Warning true None, None;
    np406 "NP406" "unreachable-rule" Warning true Some("6.0"), None;
    np501 "NP501" "ipblock-on-pods" Error true None, None;
    np502 "NP502" "ipblock-all-and-nodes" Info true None, None;
    np503 "NP503" "endport-support" Info true None, Some(|c: &LintConfig| c.cni.is_some());
    np504 "NP504" "service-vip-in-ipblock" Warning true None, None;
    np505 "NP505" "source-ip-lost" Info true Some("3.0"), None;
    np900 "NP900" "unused-suppression" Warning true None, None;
    np901 "NP901" "unsupported-kind" Warning true None, None;
    np902 "NP902" "namespace-labels-unknown" Info true None, None;
    np903 "NP903" "refers-to-nothing" Info true None, None;
    np904 "NP904" "unreadable-input" Error true None, None;
}

impl Lint {
    /// The lint of an id or a name.
    pub fn find(word: &str) -> Option<&'static Self> {
        LINTS
            .iter()
            .find(|l| l.id.eq_ignore_ascii_case(word) || l.name == word)
    }

    /// The page, as Markdown: the comment of the file, and both examples.
    pub fn page(&self) -> String {
        let mut page = String::new();
        for line in self.source.lines().map_while(|l| l.strip_prefix("//!")) {
            page.push_str(line.strip_prefix(' ').unwrap_or(line));
            page.push('\n');
        }
        let unasked = if self.default {
            ""
        } else {
            ", only when selected"
        };
        let _ = writeln!(page, "\nSeverity: {}{unasked}.", self.severity.name());
        for (title, text) in [("Bad", self.bad), ("Good", self.good)] {
            let _ = writeln!(page, "\n## {title}\n\n```yaml\n{}\n```", text.trim_end());
        }
        page
    }

    /// One line: what it does.
    pub fn summary(&self) -> String {
        let text: Vec<&str> = self
            .source
            .lines()
            .skip(2)
            .map_while(|l| l.strip_prefix("//! "))
            .map(|l| l.trim_start_matches("**What it does.** "))
            .collect();
        text.join(" ")
    }

    /// What is told about it beside its findings.
    pub fn info(&self) -> RuleInfo {
        RuleInfo {
            id: self.id,
            name: self.name,
            summary: self.summary().into(),
            page: self.page().into(),
            severity: self.severity,
            security: self.security,
        }
    }
}
