//! # NP201 internet-ingress
//!
//! **What it does.** Reports when a rule lets the public internet into a workload: no `from`, or an
//! address block that holds a public range wider than /8.
//!
//! **Why it is bad.** Few workloads are meant to be reached by everyone; the others should name who
//! may.
//!
//! **What it looks at.** Each ingress rule of a policy. What the internet can reach in fact depends
//! on load balancers and routing too; the policy is no obstacle to it.
//!
//! **When it stays silent.** For policies called after a webhook, which the API server calls from
//! an address that no selector can name, it is only a note. For workloads listed as edges, and for
//! rules that another finding (NP009, NP208) explains.
//!
//! **Settings.** `lint.edges`: workloads that the internet may reach.
//!
//! **References.** Trivy KUBE-0001.

use crate::finding::Severity;
use crate::lint::addresses::internet_part;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.inner_ingress_rules() {
        if let Some(here) = internet_part(rule_ref, rule) {
            let label = if here.peer.is_some() {
                "holds public addresses"
            } else {
                "no `from`: everybody"
            };
            let finding = reporter
                .rule(here, "lets the public internet in")
                .label(label);
            let finding =
                finding.help("name who may come in, or list the workload as an edge (lint.edges)");
            // the API server calls webhooks, and no selector can name it
            let webhook = here.peer.is_none() && policy.name.contains("webhook");
            reporter.push(if webhook {
                finding.severity(Severity::Info)
            } else {
                finding
            });
        }
    }
}
