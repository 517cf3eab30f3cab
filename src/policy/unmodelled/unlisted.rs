//! What the objects of a policy kind could touch of which none is known: those of a cluster that
//! could not be listed.
//!
//! Invariant: whatever an object of the kind says, it reaches no further than this. So the reach of
//! a kind whose objects choose their pods is every pod, in both directions; only what every object
//! of the kind has in common makes it smaller.

use crate::model::{Requirement, Selector};
use crate::policy::dialects;
use crate::policy::taint::TaintEffect::{Anything, OnlyDeny, UnorderedTier};
use crate::policy::unmodelled::nodes::any_node;
use crate::policy::unmodelled::read::PRIMARY_NETWORK_LABEL;
use crate::policy::unmodelled::taint_reach::{
    BOTH, IN, OUT, TaintNamespaces, TaintPods, TaintReach,
};
use crate::policy::unmodelled::{KINDS, Recognized, recognize, unknown_reach};
use crate::source::Span;
use crate::tree::{SyntaxNode, Value};

/// What objects of a kind could touch, whatever they say; nothing, if the kind is no policy.
pub fn unlisted_reach(group: &str, kind: &str) -> Vec<TaintReach> {
    if let Some(reaches) = by_kind(group, kind) {
        return reaches;
    }
    if group == "policy.linkerd.io" && dialects::of_group(group, kind).is_some() {
        // what it opens or closes depends on other objects, of other namespaces too
        return vec![TaintReach::own(Anything, IN).namespaces(TaintNamespaces::All)];
    }
    if let Some(dialect) = dialects::of_group(group, kind) {
        let effect = if dialect.namespaced {
            UnorderedTier
        } else {
            Anything
        };
        return vec![TaintReach::own(effect, BOTH)];
    }
    let nothing_said = SyntaxNode {
        span: Span::default(),
        value: Value::Mapping(Vec::new()),
    };
    match recognize(group, kind) {
        Recognized::Policy(known) => (known.reach)(&nothing_said),
        Recognized::UnknownKind => unknown_reach(group, &nothing_said),
        Recognized::SoundsLikePolicy | Recognized::NoPart => Vec::new(),
    }
}

/// The kinds of which an object that says nothing reaches less than one that says something.
fn by_kind(group: &str, kind: &str) -> Option<Vec<TaintReach>> {
    KINDS.iter().find(|k| k.group == group && k.kind == kind)?;
    let nodes = || TaintReach::nodes(BOTH, any_node());
    Some(match kind {
        "CiliumEnvoyConfig" | "CiliumClusterwideEnvoyConfig" | "TrafficTarget" => {
            vec![TaintReach::own(OnlyDeny, IN).namespaces(TaintNamespaces::All)]
        }
        "AuthorizationPolicy" | "PeerAuthentication" if group == "security.istio.io" => {
            // those of the root namespace hold for the whole mesh
            vec![TaintReach::own(Anything, IN).namespaces(TaintNamespaces::All)]
        }
        "Mesh" => vec![TaintReach::own(OnlyDeny, BOTH)],
        "MeshTrafficPermission" => {
            vec![TaintReach::own(OnlyDeny, IN).namespaces(TaintNamespaces::All)]
        }
        "MeshPassthrough" | "MeshExternalService" | "EgressNetwork" => {
            vec![TaintReach::own(OnlyDeny, OUT).namespaces(TaintNamespaces::All)]
        }
        "CiliumLocalRedirectPolicy" | "Sidecar" => {
            vec![TaintReach::own(OnlyDeny, OUT).namespaces(TaintNamespaces::All)]
        }
        "EgressFirewall" | "EgressNetworkPolicy" => vec![TaintReach::own(OnlyDeny, OUT)],
        "FQDNNetworkPolicy" | "FqdnNetworkPolicy" => {
            vec![TaintReach::own(UnorderedTier, BOTH)]
        }
        "CiliumNetworkPolicy" | "CiliumClusterwideNetworkPolicy" | "ClusterNetworkPolicy" => {
            vec![TaintReach::own(Anything, BOTH), nodes()]
        }
        "GlobalNetworkPolicy" | "NetworkPolicy" => vec![TaintReach::own(Anything, BOTH)],
        "HostEndpoint" => vec![TaintReach::own(OnlyDeny, BOTH), nodes()],
        "TrafficControl" => vec![TaintReach::own(OnlyDeny, BOTH), nodes()],
        "SecurityGroup" if group == "kubeovn.io" => {
            let pods = TaintPods::Annotated {
                key: "ovn.kubernetes.io/security_groups",
                word: None,
            };
            vec![TaintReach::own(Anything, BOTH).pods(pods)]
        }
        "Subnet" if group == "kubeovn.io" => vec![TaintReach::own(Anything, BOTH)],
        "Vpc" | "NetNamespace" => vec![TaintReach::own(OnlyDeny, BOTH)],
        "UserDefinedNetwork" | "ClusterUserDefinedNetwork" | "NetworkAttachmentDefinition" => {
            let labelled = Requirement::Exists(PRIMARY_NETWORK_LABEL.into());
            let namespaces = TaintNamespaces::Matching(Selector::new([labelled]));
            vec![TaintReach::own(Anything, BOTH).namespaces(namespaces)]
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{parse, split};

    /// Objects of kinds that choose whom they touch, each with as much as it can say.
    const OBJECTS: [&str; 12] = [
        "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, spec: {nodeSelector: {}, ingress: [{}]}}",
        "{apiVersion: cilium.io/v2, kind: CiliumEnvoyConfig, spec: {services: [{name: a, namespace: b}]}}",
        "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, spec: {node: n}}",
        "{apiVersion: crd.antrea.io/v1beta1, kind: ClusterNetworkPolicy, spec: {appliedTo: [{nodeSelector: {}}], ingress: [{}]}}",
        "{apiVersion: crd.antrea.io/v1alpha2, kind: TrafficControl, spec: {direction: Both}}",
        "{apiVersion: kubeovn.io/v1, kind: Subnet, spec: {private: true, acls: [{direction: to-lport}]}}",
        "{apiVersion: kubeovn.io/v1, kind: Vpc, spec: {namespaces: [a]}}",
        "{apiVersion: network.openshift.io/v1, kind: NetNamespace, netname: a, netid: 7}",
        "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {namespace: istio-system}, spec: {}}",
        "{apiVersion: netsec.kunal.dev/v1, kind: FQDNNetworkPolicy, spec: {policyTypes: [Ingress, Egress]}}",
        "{apiVersion: access.smi-spec.io/v1alpha3, kind: TrafficTarget, spec: {destination: {name: a, namespace: b}}}",
        "{apiVersion: vpcresources.k8s.aws/v1beta1, kind: SecurityGroupPolicy, spec: {podSelector: {}}}",
    ];

    #[test]
    fn nothing_that_an_object_can_say_reaches_further() {
        for text in OBJECTS {
            let chunk = split(text).remove(0);
            let node = parse(text, &chunk).root.unwrap();
            let word = |key: &str| node.get(key).and_then(SyntaxNode::as_str).unwrap();
            let (version, kind) = (word("apiVersion"), word("kind"));
            let group = version.split_once('/').unwrap().0;
            let known = KINDS.iter().find(|k| k.group == group && k.kind == kind);
            let said = (known.unwrap().reach)(&node);
            let all = unlisted_reach(group, kind);
            for reach in &said {
                let of_nodes = |r: &TaintReach| matches!(r.pods, TaintPods::OfNodes(_));
                let covered = all.iter().any(|r| {
                    of_nodes(r) == of_nodes(reach)
                        && (0..2).all(|d| r.directions[d] || !reach.directions[d])
                        && (r.effect == Anything || r.effect == reach.effect)
                });
                assert!(covered, "{text}: {reach:?} of {all:?}");
            }
            assert!(!said.is_empty(), "{text}");
        }
    }

    #[test]
    fn every_kind_of_policy_reaches_something_and_no_other_kind_does() {
        for known in KINDS {
            assert!(
                !unlisted_reach(known.group, known.kind).is_empty(),
                "{}",
                known.kind
            );
        }
        assert_eq!(
            unlisted_reach("networking.k8s.io", "NetworkPolicy").len(),
            1
        );
        assert_eq!(unlisted_reach("", "Pod"), []);
        assert_eq!(unlisted_reach("networking.k8s.io", "Ingress"), []);
    }
}
