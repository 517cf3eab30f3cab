//! The table of rules: code, name, usual severity, whether it is in the default set, its security
//! severity, what it needs of the configuration, and its page.
//!
//! A rule's page is the `//!` comment of its file, followed by its two examples. The examples are
//! test data: the rule must find something in the first and nothing in the second, so that a page
//! cannot promise what the rule does not do.
//!
//! To add a rule:
//! 1. `src/lint/rules/<what_it_finds>.rs`, with the page (its headings are those of the other
//!    files) and `pub(crate) fn run`, and a line in `src/lint/rules/mod.rs`;
//! 2. a row of the table below, in the order of the codes;
//! 3. `tests/data/lint/NPnnn/bad.yaml` and `good.yaml`;
//! 4. the generated page `docs/lints/NPnnn.md` and the goldens, reviewed; and a row of `SAME_CAUSE`
//!    in `src/lint/mod.rs` where another rule reports the same cause.

use crate::finding::{RuleInfo, Severity};
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::lint::settings::LintConfig;
use std::fmt::Write as _;

/// One rule of lint.
pub struct Lint {
    /// Its code: `NP004`.
    pub id: &'static str,
    /// Its name: `split-peer`.
    pub name: &'static str,
    /// The usual severity of its findings.
    pub severity: Severity,
    /// Whether it is in the default set.
    pub default: bool,
    /// The security severity of its findings, as SARIF has it, where they are about exposure.
    pub security: Option<&'static str>,
    /// Whether the configuration gives what the rule needs; `None` when it needs nothing.
    pub needs: Option<fn(&LintConfig) -> bool>,
    /// Examines the input and reports what it finds.
    pub run: fn(&LintContext<'_>, &mut Reporter<'_>),
    /// The text of its file, which opens with its page.
    source: &'static str,
    /// The example in which it finds something.
    bad: &'static str,
    /// The example in which it finds nothing.
    good: &'static str,
}

macro_rules! lints {
    ($(
        $module:ident $id:literal $name:literal $severity:ident $default:literal
        $security:expr, $needs:expr;
    )*) => {
        /// Every rule, in the order of the codes.
        pub static LINTS: &[Lint] = &[$(Lint {
            id: $id,
            name: $name,
            severity: Severity::$severity,
            default: $default,
            security: $security,
            needs: $needs,
            run: crate::lint::rules::$module::run,
            source: include_str!(concat!("rules/", stringify!($module), ".rs")),
            bad: include_str!(concat!("../../tests/data/lint/", $id, "/bad.yaml")),
            good: include_str!(concat!("../../tests/data/lint/", $id, "/good.yaml")),
        }),*];
    };
}

// file, code, name, severity, default, security severity, needs
lints! {
    policy_selects_nothing "NP001" "policy-selects-nothing" Error true None, None;
    peer_selects_nothing "NP002" "peer-selects-nothing" Warning true None, None;
    namespace_by_fake_name "NP003" "namespace-by-fake-name" Error true None, None;
    split_peer "NP004" "split-peer" Error true Some("8.1"), None;
    moot_peer "NP005" "moot-peer" Warning true Some("6.5"), None;
    policytypes_omitted "NP006" "policytypes-omitted" Error true None, None;
    rules_without_type "NP007" "rules-without-type" Error true Some("7.0"), None;
    name_contradicts_effect "NP008" "name-contradicts-effect" Warning true Some("4.0"), None;
    allow_all_rule "NP009" "allow-all-rule" Warning true Some("6.5"), None;
    wrong_namespace "NP010" "wrong-namespace" Error true Some("7.0"), None;
    service_port "NP011" "service-port" Error true None, None;
    named_port_missing "NP012" "named-port-missing" Error true None, None;
    port_not_declared "NP013" "port-not-declared" Info true None, None;
    protocol_default "NP014" "protocol-default" Error true None, None;
    bad_ip_or_range "NP015" "bad-ip-or-range" Error true None, None;
    bad_label "NP016" "bad-label" Error true None, None;
    duplicate_policy "NP017" "duplicate-policy" Error true Some("6.0"), None;
    unknown_field "NP018" "unknown-field" Error true Some("7.0"), None;
    unstable_selector "NP019" "unstable-selector" Warning true None, None;
    split_rule "NP020" "split-rule" Warning true Some("6.5"), None;
    labels_beside_template "NP021" "labels-beside-template" Warning true None, None;
    no_such_replica "NP022" "no-such-replica" Warning true None, None;
    pods_are_not_outside "NP023" "pods-are-not-outside" Warning true None, None;
    no_such_caller "NP024" "no-such-caller" Warning true None, None;
    dns_blocked "NP101" "dns-blocked" Warning true None, None;
    half_open "NP102" "half-open" Warning true None, None;
    service_unreachable "NP103" "service-unreachable" Warning true None, None;
    ingress_backend_blocked "NP104" "ingress-backend-blocked" Error true None, None;
    scrape_blocked "NP105" "scrape-blocked" Warning true None, None;
    apiserver_blocked "NP106" "apiserver-blocked" Info true None, Some(knows_apiserver);
    webhook_blocked "NP107" "webhook-blocked" Warning true None, None;
    node_local_dns_closed "NP108" "node-local-dns-closed" Warning true None, None;
    internet_ingress "NP201" "internet-ingress" Warning true Some("5.5"), None;
    internet_egress "NP202" "internet-egress" Info true Some("3.0"), None;
    metadata_reachable "NP203" "metadata-reachable" Warning true Some("6.5"), None;
    except_defeated "NP204" "except-defeated" Error true Some("7.5"), None;
    private_in_internet_rule "NP205" "private-in-internet-rule" Warning true Some("5.0"), None;
    any_namespace "NP206" "any-namespace" Info true Some("4.0"), None;
    all_ports "NP207" "all-ports" Info true Some("2.0"), None;
    sensitive_port "NP208" "sensitive-port" Warning true Some("8.0"), None;
    spoofable_namespace_label "NP209" "spoofable-namespace-label" Info true Some("5.0"), Some(owners_edit_labels);
    spoofable_pod_label "NP210" "spoofable-pod-label" Warning true Some("5.0"), None;
    no_ingress_isolation "NP301" "no-ingress-isolation" Warning false Some("5.0"), None;
    no_egress_isolation "NP302" "no-egress-isolation" Info false Some("4.0"), None;
    no_default_deny "NP303" "no-default-deny" Warning false Some("4.0"), None;
    coverage_illusion "NP304" "coverage-illusion" Warning false Some("5.0"), None;
    hostnetwork "NP305" "hostnetwork" Warning true Some("5.0"), None;
    cni_may_not_enforce "NP306" "cni-may-not-enforce" Warning true Some("8.0"), None;
    redundant_policy "NP401" "redundant-policy" Warning true None, None;
    redundant_rule "NP402" "redundant-rule" Warning true None, None;
    no_effect_set "NP403" "no-effect-set" Warning true Some("5.0"), None;
    cut_off_workload "NP404" "cut-off-workload" Info true None, None;
    odd_selector "NP405" "odd-selector" Warning true None, None;
    unreachable_rule "NP406" "unreachable-rule" Warning true Some("6.0"), None;
    equal_priorities "NP407" "equal-priorities" Warning true Some("4.0"), None;
    ipblock_on_pods "NP501" "ipblock-on-pods" Error true None, None;
    ipblock_all_and_nodes "NP502" "ipblock-all-and-nodes" Info true None, None;
    endport_support "NP503" "endport-support" Info true None, Some(knows_cni);
    service_vip_in_ipblock "NP504" "service-vip-in-ipblock" Warning true None, None;
    source_ip_lost "NP505" "source-ip-lost" Warning true Some("3.0"), None;
    deny_only_closes "NP601" "deny-only-closes" Warning true Some("6.0"), None;
    list_without_effect "NP602" "list-without-effect" Warning true Some("6.5"), None;
    entry_matches_nothing "NP603" "entry-matches-nothing" Warning true None, None;
    ports_apart_from_peers "NP604" "ports-apart-from-peers" Warning true Some("7.0"), None;
    names_never_learned "NP605" "names-never-learned" Warning true None, None;
    label_left_out "NP606" "label-left-out" Error true None, None;
    octal_port "NP607" "octal-port" Warning true None, None;
    policy_of_nodes_is_off "NP608" "policy-of-nodes-is-off" Warning true Some("5.0"), None;
    foreign_namespace_in_subject "NP609" "foreign-namespace-in-subject" Error true Some("6.0"), None;
    health_endpoints_closed "NP610" "health-endpoints-closed" Warning true None, None;
    missing_tier "NP701" "missing-tier" Error true None, None;
    all_is_not_the_internet "NP702" "all-is-not-the-internet" Warning true None, None;
    hosts_taken_along "NP703" "hosts-taken-along" Warning true None, None;
    deny_after_network_policies "NP704" "deny-after-network-policies" Warning true Some("7.0"), None;
    pass_in_default_tier "NP705" "pass-in-default-tier" Warning true Some("7.0"), None;
    not_nets_void "NP706" "not-nets-void" Warning true None, None;
    service_without_namespace "NP707" "service-without-namespace" Error true None, None;
    only_logs "NP708" "only-logs" Warning true None, None;
    staged_policy "NP709" "staged-policy" Info true None, None;
    unused_network_set "NP710" "unused-network-set" Info true None, None;
    no_such_tier "NP801" "no-such-tier" Error true None, None;
    empty_entry "NP802" "empty-entry" Warning true None, None;
    label_not_shared "NP803" "label-not-shared" Warning true None, None;
    pass_to_nobody "NP804" "pass-to-nobody" Warning true Some("5.0"), None;
    equal_order_keys "NP805" "equal-order-keys" Warning true None, None;
    policy_without_network "NP851" "policy-without-network" Error true Some("6.0"), None;
    network_without_pods "NP852" "network-without-pods" Warning true Some("6.0"), None;
    allow_between_networks "NP853" "allow-between-networks" Warning true None, None;
    network_without_label "NP854" "network-without-label" Error true Some("6.0"), None;
    mesh_port_closed "NP861" "mesh-port-closed" Warning true None, None;
    unused_suppression "NP900" "unused-suppression" Warning true None, None;
    unsupported_kind "NP901" "unsupported-kind" Warning true None, None;
    namespace_labels_unknown "NP902" "namespace-labels-unknown" Info true None, None;
    refers_to_nothing "NP903" "refers-to-nothing" Info true None, None;
    unreadable_input "NP904" "unreadable-input" Error true None, None;
    generated_beside_written "NP905" "generated-beside-written" Warning true None, None;
}

fn knows_apiserver(config: &LintConfig) -> bool {
    config.apiserver.is_some()
}

fn owners_edit_labels(config: &LintConfig) -> bool {
    config.owners_edit_labels
}

fn knows_cni(config: &LintConfig) -> bool {
    config.cni.is_some()
}

impl Lint {
    /// The rule of a code or a name.
    pub fn find(word: &str) -> Option<&'static Self> {
        LINTS
            .iter()
            .find(|l| l.id.eq_ignore_ascii_case(word) || l.name == word)
    }

    /// The page as Markdown: the comment of the file, then both examples.
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

    /// What it does, in one paragraph without its heading.
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

    /// What reports say about the rule besides its findings.
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
