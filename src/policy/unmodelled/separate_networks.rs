//! How far objects reach that keep networks apart: those of Kube-OVN, and `OpenShift`'s network
//! namespaces.

use crate::policy::rule::Shape;
use crate::policy::taint::TaintEffect::{Anything, OnlyDeny};
use crate::policy::unmodelled::fields::{field, items, text};
use crate::policy::unmodelled::read::unless_none;
use crate::policy::unmodelled::spared;
use crate::policy::unmodelled::spared::{SparedPeers, SparedPods, shape_of};
use crate::policy::unmodelled::taint_reach::{
    BOTH, IN, OUT, TaintNamespaces, TaintPods, TaintReach,
};
use crate::policy::validate::parse_block_or_address;
use crate::set::IpSet;
use crate::tree::SyntaxNode;

/// Kube-OVN's security groups: the pods whose annotation names the group.
pub fn of_kubeovn_group(node: &SyntaxNode) -> Vec<TaintReach> {
    let pods = TaintPods::Annotated {
        key: "ovn.kubernetes.io/security_groups",
        word: text(node, &["metadata", "name"]).map(Into::into),
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
        all.push(sparing_own(TaintReach::own(OnlyDeny, IN), node));
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
    vec![sparing_own(TaintReach::own(OnlyDeny, BOTH), node)]
}

/// The namespaces a Kube-OVN object lists, whose pods it leaves alone among themselves, and the
/// subnets that it lets in; every namespace if it lists none.
fn sparing_own(reach: TaintReach, node: &SyntaxNode) -> TaintReach {
    let names = items(node, &["spec", "namespaces"]);
    let allowed = items(node, &["spec", "allowSubnets"]).iter();
    let allowed = allowed.filter_map(|block| parse_block_or_address(block.as_str()?));
    let spares = SparedPeers {
        pods: if names.is_empty() {
            SparedPods::None
        } else {
            SparedPods::In(spared::named(names.iter().filter_map(SyntaxNode::as_str)))
        },
        blocks: IpSet::from_cidrs(allowed),
        ..SparedPeers::nobody(shape(node))
    };
    listed(reach, node).sparing(spares)
}

/// How the parts of an object are called.
fn shape(node: &SyntaxNode) -> &'static Shape {
    let word = |key: &str| text(node, &[key]).unwrap_or_default();
    shape_of(word("apiVersion"), word("kind"))
}

/// `OpenShift`'s network namespaces: another network id is another network, under one plugin.
pub fn of_net_namespace(node: &SyntaxNode) -> Vec<TaintReach> {
    let name = text(node, &["netname"]).or_else(|| text(node, &["metadata", "name"]));
    let id = field(node, &["netid"]).and_then(SyntaxNode::as_i64);
    let own = || SparedPods::In(spared::named(name.into_iter()));
    let spares = SparedPeers {
        pods: id.map_or_else(own, SparedPods::OfNetwork),
        outside: true,
        ..SparedPeers::nobody(shape(node))
    };
    vec![TaintReach::own(OnlyDeny, BOTH).named(name).sparing(spares)]
}

/// NSX: the networks of pods, between which there may be no route.
pub fn of_nsx_network(node: &SyntaxNode) -> Vec<TaintReach> {
    let spares = SparedPeers {
        pods: SparedPods::OfSameNamespace,
        outside: true,
        ..SparedPeers::nobody(shape(node))
    };
    vec![TaintReach::own(OnlyDeny, BOTH).sparing(spares)]
}

/// Firewalls on the way out of the cluster: pods are never hit (RC4).
pub fn of_egress_firewall(node: &SyntaxNode) -> Vec<TaintReach> {
    let spares = SparedPeers::nobody(shape(node)).but_outside();
    vec![TaintReach::own(OnlyDeny, OUT).sparing(spares)]
}

/// Cilium's redirections of one address to pods of the own node: where it leads is not known.
pub fn of_local_redirect(node: &SyntaxNode) -> Vec<TaintReach> {
    let address = text(node, &["spec", "redirectFrontend", "addressMatcher", "ip"]);
    let Some(address) = address.and_then(parse_block_or_address) else {
        return Vec::new();
    };
    let all = IpSet::full();
    let spares = SparedPeers {
        blocks: all.difference(&IpSet::from_cidrs([address])),
        ..SparedPeers::nobody(shape(node)).but_outside()
    };
    let reach = TaintReach::own(OnlyDeny, OUT).sparing(spares);
    vec![reach.namespaces(TaintNamespaces::All)]
}
