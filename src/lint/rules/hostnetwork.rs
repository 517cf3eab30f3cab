//! # NP305 hostnetwork
//!
//! **What it does.** Tells when a policy selects, or a rule relies on, only pods that share their
//! node's network.
//!
//! **Why it is bad.** The API leaves open what policies mean for them; most network plugins treat
//! them as their node, so that the policy does not protect them and the rule does not match them.
//!
//! **What it looks at.** `hostNetwork` of every pod that a `podSelector` selects. Not part of the
//! default set: what holds depends on the network plugin.
//!
//! **When it stays silent.** When another kind of pod is selected as well, and under a plugin that
//! treats them as pods.
//!
//! **Settings.** `--cni`, `--assume hostnetwork=node|pod`.
//!
//! **References.** <https://github.com/projectcalico/felix/issues/1361>,
//! <https://github.com/cloudnativelabs/kube-router/issues/1135>,
//! <https://github.com/antrea-io/antrea/issues/8041>.

use crate::finding::{Finding, Severity};
use crate::lint::facts::{Facts, peers};
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::PodId;
use crate::spec::HostNetwork;

/// Workloads of the control plane that run on the node's network wherever they run as pods.
const CONTROL_PLANE: [&str; 4] = [
    "kube-apiserver",
    "openshift-kube-apiserver",
    "etcd",
    "kube-controller-manager",
];

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    if facts.env.options.host_network == HostNetwork::Pod {
        return;
    }
    let all_host = |pods: &[PodId]| {
        !pods.is_empty() && pods.iter().all(|p| facts.cluster.pod(*p).host_network)
    };
    for (id, _) in facts.network_policies() {
        let pods = facts.subjects(id);
        if all_host(&pods) {
            let who = words::names(facts.cluster, &pods);
            let finding = found.subject(
                id,
                format!("selects only {who}, which runs with hostNetwork"),
            );
            found.push(settled(
                facts,
                finding.help("protect the node's ports another way, or drop hostNetwork"),
            ));
        }
    }
    for (at, _, rule) in facts.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Some(selected) = facts.peer(peer) else {
                continue;
            };
            if all_host(&selected.pods) {
                let who = words::names(facts.cluster, &selected.pods);
                let finding = found.rule(
                    at.with_peer(i),
                    format!("relies on {who}, which runs with hostNetwork"),
                );
                found.push(settled(
                    facts,
                    finding.help("name the nodes' addresses with an ipBlock"),
                ));
            } else if let Some(name) = control_plane(peer) {
                let finding = found.rule(
                    at.with_peer(i),
                    format!("relies on pods {name}, which run with hostNetwork"),
                );
                found.push(
                    finding
                        .likely()
                        .help("name the API server's addresses with an ipBlock"),
                );
            }
        }
    }
}

/// A plugin that settles the question makes it a warning; otherwise it is one that nobody can
/// answer from here.
fn settled(facts: &Facts<'_>, finding: Finding) -> Finding {
    match facts.env.options.host_network {
        HostNetwork::Node => finding.label("not seen by selectors under this network plugin"),
        _ => finding.label("may or may not be seen by selectors: it depends on the network plugin"),
    }
    .severity(Severity::Warning)
}

/// The control plane's name in a peer's labels.
pub(crate) fn control_plane(peer: &crate::policy::Peer) -> Option<&str> {
    let crate::policy::Peer::Pods(_, pods) = peer else {
        return None;
    };
    let values = pods
        .requirements()
        .iter()
        .flat_map(|r| r.values().iter().map(|v| &**v));
    values.into_iter().find(|v| CONTROL_PLANE.contains(v))
}
