//! How far objects reach that police nodes: host endpoints, host firewalls, rules for nodes.
//!
//! A node is an end of its own: its addresses, and the pods on its network. What such an object
//! does to pods besides is in [`super::read`].

use crate::model::Selector;
use crate::policy::unmodelled::fields::{items, spec, text};
use crate::policy::unmodelled::selectors::label_selector;
use crate::policy::unmodelled::taint_reach::{IN, TaintNodes, TaintReach};
use crate::tree::SyntaxNode;

/// Calico's host endpoint: once it is there, its node is closed but for what policies let through.
pub fn host_endpoint(node: &SyntaxNode) -> TaintNodes {
    let expected = items(node, &["spec", "expectedIPs"]).iter();
    TaintNodes {
        name: text(node, &["spec", "node"]).map(Into::into),
        labelled: None,
        addresses: expected
            .filter_map(|address| address.as_str()?.parse().ok())
            .collect(),
    }
}

/// A selector of nodes in a policy whose plugin gives nodes labels of its own: any node.
pub fn any_node() -> TaintNodes {
    labelled(Selector::everything())
}

/// The nodes of a label selector.
pub fn selected(selector: Option<&SyntaxNode>) -> TaintNodes {
    labelled(label_selector(selector))
}

fn labelled(selector: Selector) -> TaintNodes {
    TaintNodes {
        labelled: Some(selector),
        ..TaintNodes::default()
    }
}

/// `OpenShift`'s firewall of nodes: what enters them.
pub fn of_node_firewall(node: &SyntaxNode) -> Vec<TaintReach> {
    let selector = spec(node).and_then(|spec| spec.get("nodeSelector"));
    vec![TaintReach::nodes(IN, selected(selector))]
}
