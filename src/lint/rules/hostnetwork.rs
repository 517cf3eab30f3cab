//! # NP305 hostnetwork
//!
//! **What it does.** Reports when a policy selects, or a rule relies on, only pods that share their
//! node's network.
//!
//! **Why it is bad.** The API leaves open what policies mean for them; most network plugins treat
//! them like their node, so that the policy does not protect them and the rule does not match them.
//!
//! **What it looks at.** `hostNetwork` of every pod that a `podSelector` selects. What holds
//! depends on the network plugin, which `--cni` names.
//!
//! **When it stays silent.** When other pods are selected as well, and under a plugin that treats
//! these as pods.
//!
//! **Settings.** `--cni`, `--assume hostnetwork=node|pod`.
//!
//! **References.** <https://github.com/projectcalico/felix/issues/1361>,
//! <https://github.com/cloudnativelabs/kube-router/issues/1135>,
//! <https://github.com/antrea-io/antrea/issues/8041>.

use crate::finding::{Finding, Severity};
use crate::lint::context::LintContext;
use crate::lint::peers::{control_plane_name, peers};
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::PodId;
use crate::spec::HostNetwork;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    if context.env.options.host_network == HostNetwork::Pod {
        return;
    }
    let all_host = |pods: &[PodId]| {
        !pods.is_empty() && pods.iter().all(|p| context.cluster.pod(*p).host_network)
    };
    for (id, _) in context.network_policies() {
        let pods = context.subjects(id);
        if all_host(&pods) {
            let who = words::names(context.cluster, &pods);
            let finding = reporter.subject(
                id,
                format!("selects only {who}, which runs with hostNetwork"),
            );
            reporter.push(with_severity(
                context,
                finding.help("protect the node's ports another way, or drop hostNetwork"),
            ));
        }
    }
    for (rule_ref, _, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Some(selected) = context.peer(peer) else {
                continue;
            };
            if all_host(&selected.pods) {
                let who = words::names(context.cluster, &selected.pods);
                let finding = reporter.rule(
                    rule_ref.with_peer(i),
                    format!("relies on {who}, which runs with hostNetwork"),
                );
                reporter.push(with_severity(
                    context,
                    finding.help("name the nodes' addresses with an ipBlock"),
                ));
            } else if let Some(name) = control_plane_name(peer) {
                let finding = reporter.rule(
                    rule_ref.with_peer(i),
                    format!("relies on pods {name}, which run with hostNetwork"),
                );
                reporter.push(
                    finding
                        .likely()
                        .help("name the API server's addresses with an ipBlock"),
                );
            }
        }
    }
}

/// Labels a finding with what is known of the network plugin, and makes it a warning.
fn with_severity(context: &LintContext<'_>, finding: Finding) -> Finding {
    match context.env.options.host_network {
        HostNetwork::Node => finding.label("not seen by selectors under this network plugin"),
        _ => finding.label("may or may not be seen by selectors: it depends on the network plugin"),
    }
    .severity(Severity::Warning)
}
