//! # NP106 apiserver-blocked
//!
//! **What it does.** Reports when a workload whose account has rights in the cluster may not reach
//! the API server.
//!
//! **Why it is bad.** Operators and controllers stall, or crash and restart forever. A note.
//!
//! **What it looks at.** Workloads whose `serviceAccountName` a `RoleBinding` or
//! `ClusterRoleBinding` names, whose egress is isolated, and whose rules open neither 443 nor 6443
//! towards the addresses of the API server.
//!
//! **When it stays silent.** Unless the configuration says where the API server is; when the
//! account's token is not mounted; when a rule names the API server's pods, or policies of another
//! kind may govern the workload too.
//!
//! **Settings.** `cluster.apiserver`: addresses or address blocks of the API server, as they are
//! after the translation of the Service `kubernetes`.
//!
//! **References.** <https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::peers::{control_plane_name, may_be_any_address, peers};
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::lint::{intended_traffic, words};
use crate::model::PodId;
use crate::policy::{Direction, Peer, Peers, PolicyId, Rule};
use crate::set::{IpSet, Protocol, TrafficSet};
use crate::tree::SyntaxNode;
use std::collections::{BTreeMap, HashSet};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let Some(server) = &context.config.apiserver else {
        return;
    };
    let bound = bound(context);
    let mut blocked: BTreeMap<PolicyId, Vec<PodId>> = BTreeMap::new();
    for (id, _) in context.cluster.pods() {
        let policies = intended_traffic::isolating(context, id, Direction::Egress);
        let mut rules = policies
            .iter()
            .flat_map(|p| context.policies.get(*p).rules(Direction::Egress));
        if policies.is_empty() || rules.any(|r| may_reach(r, server)) || !needs(context, id, &bound)
        {
            continue;
        }
        if let Some(policy) = intended_traffic::deciding(context, &policies, Direction::Egress) {
            blocked.entry(policy).or_default().push(id);
        }
    }
    for (policy, pods) in blocked {
        let who = words::names(context.cluster, &pods);
        let mut finding = reporter.subject(policy, format!("{who} cannot reach the API server"));
        finding.fingerprint.peer = who.into();
        let note = "its account is bound to a role, so it was made to call the API";
        let finding = finding
            .severity(Severity::Info)
            .label("no rule opens 443 or 6443 to its addresses")
            .note(note);
        reporter
            .push(finding.help("add an egress rule with an ipBlock of the API server's addresses"));
    }
}

/// The accounts that bindings of roles name, by namespace and name.
fn bound(context: &LintContext<'_>) -> HashSet<(String, String)> {
    let mut accounts = HashSet::new();
    for binding in intended_traffic::objects(context, &["RoleBinding", "ClusterRoleBinding"]) {
        for subject in binding
            .node
            .get("subjects")
            .map(SyntaxNode::items)
            .unwrap_or_default()
        {
            let text = |key: &str| subject.get(key).and_then(SyntaxNode::as_str);
            if let (Some("ServiceAccount"), Some(name)) = (text("kind"), text("name")) {
                accounts.insert((
                    text("namespace").unwrap_or(&binding.namespace).to_owned(),
                    name.to_owned(),
                ));
            }
        }
    }
    accounts
}

/// Whether a pod runs under a named account that a binding gives rights, and mounts its token.
fn needs(context: &LintContext<'_>, id: PodId, bound: &HashSet<(String, String)>) -> bool {
    let pod = context.cluster.pod(id);
    let Some(node) = context.locator.node(pod.origin.document) else {
        return false;
    };
    let Some(mut spec) = node.get("spec") else {
        return false;
    };
    spec = spec
        .get("jobTemplate")
        .and_then(|j| j.get("spec"))
        .unwrap_or(spec);
    spec = spec
        .get("template")
        .and_then(|t| t.get("spec"))
        .unwrap_or(spec);
    let account = spec
        .get("serviceAccountName")
        .or_else(|| spec.get("serviceAccount"))
        .and_then(SyntaxNode::as_str);
    let mounted = spec
        .get("automountServiceAccountToken")
        .and_then(SyntaxNode::as_bool)
        != Some(false);
    let namespace = context.cluster.namespace(pod.namespace).name.to_string();
    mounted && account.is_some_and(|a| bound.contains(&(namespace, a.to_owned())))
}

/// Whether a rule may let a pod call the API server.
fn may_reach(rule: &Rule, server: &IpSet) -> bool {
    let https = TrafficSet::ports(Protocol::Tcp, 443, 443).union(&TrafficSet::ports(
        Protocol::Tcp,
        6443,
        6443,
    ));
    !numeric_traffic(rule).is_disjoint(&https)
        && (rule.peers == Peers::Any || peers(rule).iter().any(|p| may_be_server(p, server)))
}

/// Whether a peer may be the API server.
fn may_be_server(peer: &Peer, server: &IpSet) -> bool {
    match peer {
        Peer::Addresses(set) => !set.is_disjoint(server),
        Peer::Pods(..) => control_plane_name(peer).is_some(),
        Peer::Domain(_) => true,
        other => may_be_any_address(other),
    }
}
