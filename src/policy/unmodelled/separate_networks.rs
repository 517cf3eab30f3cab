//! How far objects reach that keep networks apart: those of Kube-OVN, and `OpenShift`'s network
//! namespaces.

use crate::policy::rule::Shape;
use crate::policy::taint::TaintEffect::{Anything, OnlyDeny};
use crate::policy::unmodelled::fields::{field, items, text};
use crate::policy::unmodelled::read::unless_none;
use crate::policy::unmodelled::spared;
use crate::policy::unmodelled::spared::SparedPeers;
use crate::policy::unmodelled::taint_reach::{BOTH, IN, TaintPods, TaintReach};
use crate::tree::SyntaxNode;

/// Kube-OVN's security groups: the pods whose annotation names the group.
pub fn of_kubeovn_group(node: &SyntaxNode) -> Vec<TaintReach> {
    let pods = TaintPods::Annotated {
        key: "ovn.kubernetes.io/security_groups",
        word: text(node, &["metadata", "name"]).map(Into::into),
        always: true,
    };
    vec![TaintReach::own(Anything, BOTH).pods(pods)]
}

/// The namespaces a Kube-OVN object lists; every one if it lists none.
fn listed(reach: TaintReach, node: &SyntaxNode) -> TaintReach {
    let names = items(node, &["spec", "namespaces"]);
    if names.is_empty() {
        return reach;
    }
    reach.named(names.iter().filter_map(SyntaxNode::as_str))
}

/// Kube-OVN's subnets: private ones, and those with rules of their own.
pub fn of_kubeovn_subnet(node: &SyntaxNode) -> Vec<TaintReach> {
    let private = field(node, &["spec", "private"]).and_then(SyntaxNode::as_bool) == Some(true);
    let mut all = Vec::new();
    if private {
        all.push(sparing_own(
            TaintReach::own(OnlyDeny, IN),
            node,
            &spared::SUBNET,
        ));
    }
    let rules = items(node, &["spec", "acls"]);
    let toward = |word: &str| {
        let of = |r: &SyntaxNode| text(r, &["direction"]).is_none_or(|d| d == word);
        rules.iter().any(of)
    };
    let directions = [toward("to-lport"), toward("from-lport")];
    all.extend(unless_none(listed(
        TaintReach::own(Anything, directions),
        node,
    )));
    all
}

/// Kube-OVN's virtual private clouds: no route to the others.
pub fn of_kubeovn_vpc(node: &SyntaxNode) -> Vec<TaintReach> {
    if items(node, &["spec", "namespaces"]).is_empty() {
        return Vec::new();
    }
    vec![sparing_own(
        TaintReach::own(OnlyDeny, BOTH),
        node,
        &spared::VPC,
    )]
}

/// The namespaces a Kube-OVN object lists, whose pods it leaves alone among themselves; every one
/// if it lists none.
fn sparing_own(reach: TaintReach, node: &SyntaxNode, shape: &'static Shape) -> TaintReach {
    let names = items(node, &["spec", "namespaces"]);
    if names.is_empty() {
        return reach;
    }
    let spares = SparedPeers {
        shape,
        namespaces: spared::named(names.iter().filter_map(SyntaxNode::as_str)),
        outside: false,
    };
    listed(reach, node).sparing(spares)
}

/// `OpenShift`'s network namespaces: another network id is another network, under one plugin.
pub fn of_net_namespace(node: &SyntaxNode) -> Vec<TaintReach> {
    let name = text(node, &["netname"]).or_else(|| text(node, &["metadata", "name"]));
    if field(node, &["netid"]).and_then(SyntaxNode::as_i64) == Some(0) {
        return Vec::new();
    }
    let spares = SparedPeers {
        shape: &spared::NET_NAMESPACE,
        namespaces: spared::named(name.into_iter()),
        outside: true,
    };
    vec![TaintReach::own(OnlyDeny, BOTH).named(name).sparing(spares)]
}
