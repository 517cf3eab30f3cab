//! The labels that stand for where pods and nodes are policed at nodes: by which host endpoint of
//! Calico, or on which node. Their keys have a space, so that no label of a manifest is one of
//! them.

use crate::model::Requirement;

/// The label of a pod that says which host endpoint what it receives and sends meets at its node,
/// by name.
pub const FORWARDED: &str = "host endpoint of forwarding";

/// The same of processes of the node, as pods on its network are.
pub const PROCESS: &str = "host endpoint of processes";

/// The label of a pod that names its node.
pub const NODE: &str = "node name";

/// The label of a pod on its node's network, and of what stands for the addresses of a node, that
/// names the node.
pub const HOST_NODE: &str = "node of processes";

/// Those that Calico asks for.
pub const OF_CALICO: [&str; 3] = [FORWARDED, PROCESS, NODE];

/// Whom a requirement on one of them selects, in words; none of another one.
pub fn words(requirement: &Requirement) -> Option<String> {
    match requirement {
        Requirement::In(key, values) => Some(match &**key {
            FORWARDED => named(
                values,
                "pods behind host endpoint",
                "pods behind host endpoints",
            ),
            PROCESS => named(values, "host endpoint", "host endpoints"),
            NODE => named(values, "pods on node", "pods on nodes"),
            HOST_NODE => named(values, "node", "nodes"),
            _ => return None,
        }),
        Requirement::Exists(key) if &**key == HOST_NODE => Some("all nodes".to_owned()),
        Requirement::NotIn(key, values) if &**key == NODE => {
            Some(named(values, "pods not on node", "pods on no node of"))
        }
        _ => None,
    }
}

/// One name or several, with the words for that; what stands for none has a space in it.
fn named(values: &[Box<str>], one: &str, several: &str) -> String {
    let values = values.iter().map(|v| &**v);
    let names: Vec<&str> = values.filter(|name| !name.contains(' ')).collect();
    let what = if names.len() == 1 { one } else { several };
    format!("{what} {}", names.join(", "))
}
