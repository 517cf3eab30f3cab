//! # NP503 endport-support
//!
//! **What it does.** Reports when a rule opens a range of ports and the network plugin may be too
//! old for it.
//!
//! **Why it is bad.** Such a plugin opens the first port only, or refuses the policy. A note.
//!
//! **What it looks at.** `endPort`, and the network plugin that is configured: Cilium supports port
//! ranges from 1.17 on.
//!
//! **When it stays silent.** When no network plugin is configured, or one that supports ranges.
//!
//! **Settings.** `cluster.cni`.
//!
//! **References.** "Targeting a range of ports" in the Kubernetes documentation.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::{Ports, RuleRef};

/// Plugins that support ranges only since a version, which their name alone does not tell.
const SINCE: [(&str, &str); 1] = [("cilium", "Cilium 1.17")];

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let cni = context.config.cni.as_deref();
    let Some((_, since)) = SINCE.iter().find(|(name, _)| Some(*name) == cni) else {
        return;
    };
    for (rule_ref, policy, rule) in context.network_rules() {
        let Ports::Of(list) = &rule.ports else {
            continue;
        };
        for i in 0..list.len() {
            let entry = RuleRef {
                port: u32::try_from(i).ok(),
                ..rule_ref
            };
            let path = policy.path(entry);
            let range = context.written(policy, &path, |n| {
                n.get("endPort").is_some_and(|e| !e.is_null())
            });
            if range == Some(true) {
                let finding = reporter
                    .rule(entry, format!("a range of ports needs {since}"))
                    .severity(Severity::Info);
                reporter.push(
                    finding.help("say which version it is (cni: cilium-1.17), or list the ports"),
                );
            }
        }
    }
}
