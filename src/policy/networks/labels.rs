//! The labels that stand for the networks of a pod. Their keys have a space, so that no label of a
//! manifest is one of them.

use crate::model::{Requirement, Selector};
use crate::policy::rule::{Namespaces, Peer, Subject};

/// The primary network: `default`, `udn/blue/n`, `cudn/shared`.
pub const PRIMARY: &str = "primary network";

/// The secondary networks, by a number for each combination of the input
/// ([`crate::policy::networks::plan::NetworkPlan::attachments`]).
pub const SECONDARY: &str = "secondary networks";

/// What policies of secondary networks make of a pod, by a number for each of its kinds there.
pub const POLICED: &str = "classes on secondary networks";

/// The ports that a pod leaves open on the default network, by a number for each set of the input.
pub const OPEN: &str = "open default ports";

/// What the guest of a virtual machine has of the pod network, by a number for each kind.
pub const GUEST: &str = "guest of a virtual machine";

/// That something else takes the place of the default network.
pub const REPLACED: &str = "replaced default network";

/// The name of the network that pods are on where nothing else is said.
pub const DEFAULT: &str = "default";

/// A selector as it is written, without what was added to it for networks.
pub fn written(selector: &Selector) -> Selector {
    let keys = [PRIMARY, SECONDARY, POLICED, OPEN, GUEST];
    let of = selector.requirements().iter();
    let own = of.filter(|requirement| !keys.contains(&requirement.key()));
    Selector::new(own.cloned())
}

/// What a requirement says of networks, in words; none where it says nothing of them.
pub fn words(requirement: &Requirement) -> Option<String> {
    let Requirement::In(key, values) = requirement else {
        return None;
    };
    let names: Vec<&str> = values.iter().map(|v| &**v).collect();
    match &**key {
        PRIMARY if names.is_empty() => Some("no network".to_owned()),
        PRIMARY => Some(format!("network {}", names.join(" or "))),
        SECONDARY | POLICED => Some("secondary networks that lead there".to_owned()),
        _ => None,
    }
}

/// Pods of all namespaces that have a label.
pub fn pods(requirement: Requirement) -> Peer {
    Peer::Pods(everywhere(), Selector::new([requirement]))
}

/// The same as whom policies govern.
pub fn subjects(requirement: Requirement) -> Subject {
    Subject {
        namespaces: everywhere(),
        pods: Selector::new([requirement]),
    }
}

/// Every namespace.
pub fn everywhere() -> Namespaces {
    Namespaces::Matching(Selector::everything())
}

/// That a label has one of these values.
pub fn among<V: Into<Box<str>>>(key: &str, values: impl IntoIterator<Item = V>) -> Requirement {
    Requirement::In(key.into(), values.into_iter().map(Into::into).collect())
}

/// What does not fulfil a requirement.
pub fn not(requirement: Requirement) -> Requirement {
    Requirement::Not(Selector::new([requirement]))
}
