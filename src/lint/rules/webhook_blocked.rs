//! # NP107 webhook-blocked
//!
//! **What it does.** Reports when the pods of an admission webhook admit pods only, and not the API
//! server that calls them.
//!
//! **Why it is bad.** Requests to the API wait and fail, for the whole cluster where the webhook's
//! `failurePolicy` is `Fail`.
//!
//! **What it looks at.** The Services that `ValidatingWebhookConfiguration`s and
//! `MutatingWebhookConfiguration`s name, their pods and the rules that open the target port. No
//! selector selects the API server: it calls from the address of a node or of the control plane.
//!
//! **When it stays silent.** When some rule for the port has no `from` or has an address block,
//! names the API server's pods or `OpenShift`'s label for host-network callers; when any of the
//! pods is not isolated or policies of another kind may govern it too.
//!
//! **Settings.** None of its own.
//!
//! **References.**
//! <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>.

use crate::diagnostic::Place;
use crate::lint::context::LintContext;
use crate::lint::intended_traffic;
use crate::lint::intended_traffic::{IntendedTraffic, ServicePortRef};
use crate::lint::peers::{control_plane_name, may_be_any_address, peers};
use crate::lint::reporter::Reporter;
use crate::policy::{Direction, Namespaces, Peer, Peers, PolicyId, Rule};
use crate::set::TrafficSet;
use crate::tree::SyntaxNode;
use std::collections::HashSet;

/// `OpenShift`'s label for the namespace of callers that have a node's address.
const HOST_NETWORK: &str = "policy-group.network.openshift.io/host-network";

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut reported: HashSet<(PolicyId, String)> = HashSet::new();
    for intended in called(context) {
        let Some(traffics) = intended.traffics(context) else {
            continue;
        };
        let Some(policy) = blocked(context, &intended, &traffics) else {
            continue;
        };
        let target = format!("{} on port {}", intended.to, intended.words(context));
        if !reported.insert((policy, target.clone())) {
            continue;
        }
        let mut finding = reporter.subject(
            policy,
            format!("the API server cannot call the webhook behind {target}"),
        );
        finding.fingerprint.peer = target.into();
        let finding = finding.label(
            "lets in pods only; the API server calls from a node's or the control plane's address",
        );
        let by = format!("{} {} has it called", intended.by.kind, intended.by.name);
        let finding = finding.related(Place::Origin(intended.by.origin()), by);
        reporter.push(finding.help(
            "add a rule for this port with an ipBlock of the control plane, or without `from`",
        ));
    }
}

/// The pods that webhook configurations name.
fn called(context: &LintContext<'_>) -> Vec<IntendedTraffic> {
    let mut called = Vec::new();
    for by in intended_traffic::objects(
        context,
        &[
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
        ],
    ) {
        let webhooks = by
            .node
            .get("webhooks")
            .map(SyntaxNode::items)
            .unwrap_or_default();
        for service in webhooks
            .iter()
            .filter_map(|w| w.get("clientConfig")?.get("service"))
        {
            let text = |key: &str| service.get(key).and_then(SyntaxNode::as_str);
            let (Some(namespace), Some(name)) = (text("namespace"), text("name")) else {
                continue;
            };
            let port = service
                .get("port")
                .and_then(SyntaxNode::as_i64)
                .unwrap_or(443);
            called.extend(
                intended_traffic::through(
                    context,
                    &by,
                    (namespace, name),
                    &ServicePortRef::Number(port),
                )
                .ok()
                .flatten(),
            );
        }
    }
    called
}

/// The policy to point at, when the API server is admitted to none of the pods.
fn blocked(
    context: &LintContext<'_>,
    intended: &IntendedTraffic,
    traffics: &[TrafficSet],
) -> Option<PolicyId> {
    let mut all = Vec::new();
    for (pod, traffic) in intended.pods.iter().zip(traffics) {
        let policies = intended_traffic::isolating(context, *pod, Direction::Ingress);
        let mut rules = policies
            .iter()
            .flat_map(|p| context.policies.get(*p).rules(Direction::Ingress));
        let opens = |r: &Rule| {
            !context
                .traffic(r, context.cluster.pod(*pod))
                .is_disjoint(traffic)
                && may_be_the_server(r)
        };
        if policies.is_empty() || rules.any(opens) {
            return None;
        }
        all.extend(policies);
    }
    intended_traffic::deciding(context, &all, Direction::Ingress)
}

/// Whether a rule may admit a caller that is not a pod.
fn may_be_the_server(rule: &Rule) -> bool {
    rule.peers == Peers::Any
        || peers(rule).iter().any(|peer| match peer {
            Peer::Pods(Namespaces::Matching(namespaces), _) => {
                control_plane_name(peer).is_some()
                    || namespaces
                        .requirements()
                        .iter()
                        .any(|r| r.key() == HOST_NETWORK)
            }
            Peer::Pods(..) => control_plane_name(peer).is_some(),
            Peer::Addresses(_) | Peer::Domain(_) => true,
            other => may_be_any_address(other),
        })
}
