//! Who is in a group (AN23, AN34, AN60-AN64).
//!
//! A group that the input does not have is nobody: Antrea takes it up when it is made. Before the
//! objects are known, a group may be anybody.

use crate::model::{Cluster, Selector, Service};
use crate::policy::antrea::knowledge::AntreaKnowledge;
use crate::policy::antrea::objects::{AntreaGroup, GroupMembers};
use crate::policy::antrea::policy::NamespacedName;
use crate::policy::rule::{Namespaces, Peer, Symbol};

/// The peers that together are a group.
pub fn members(known: &AntreaKnowledge<'_>, namespace: Option<&str>, name: &str) -> Vec<Peer> {
    if known.cluster.is_none() {
        return vec![Peer::Symbol(Symbol::Perhaps)];
    }
    let Some(group) = known.objects.group(namespace, name) else {
        return Vec::new();
    };
    let GroupMembers::Children(children) = &group.members else {
        return own_members(known, group);
    };
    let mut all = Vec::new();
    for child in children {
        match known.objects.group(namespace, child) {
            None => {}
            Some(group) if matches!(group.members, GroupMembers::Children(_)) => return Vec::new(),
            Some(group) => all.extend(own_members(known, group)),
        }
    }
    all
}

/// The members of a group without children.
fn own_members(known: &AntreaKnowledge<'_>, group: &AntreaGroup) -> Vec<Peer> {
    let own = group.namespace.as_deref();
    match &group.members {
        GroupMembers::Pods { namespaces, pods } => {
            let meant = match (namespaces, own) {
                (Some(namespaces), _) => Namespaces::Matching(namespaces.clone()),
                (None, Some(own)) => Namespaces::Named(own.into()),
                (None, None) if pods.is_none() => return Vec::new(),
                (None, None) => Namespaces::Matching(Selector::everything()),
            };
            vec![Peer::Pods(meant, pods.clone().unwrap_or_default())]
        }
        GroupMembers::Addresses(set) => vec![Peer::Addresses(set.clone())],
        GroupMembers::Nodes(selector) => vec![Peer::Nodes(selector.clone())],
        GroupMembers::Service(name) => behind(known, name).into_iter().collect(),
        GroupMembers::External => vec![Peer::Symbol(Symbol::SomeOutside)],
        GroupMembers::Unreadable => vec![Peer::Symbol(Symbol::Perhaps)],
        GroupMembers::Children(_) => Vec::new(),
    }
}

/// The pods that a Service selects now (AN63).
pub fn behind(known: &AntreaKnowledge<'_>, name: &NamespacedName) -> Option<Peer> {
    let service = service(known.cluster?, name)?;
    let pods = service.selector.clone()?;
    Some(Peer::Pods(Namespaces::Named(name.namespace.clone()), pods))
}

/// The Service of a name.
pub fn service<'c>(cluster: &'c Cluster, name: &NamespacedName) -> Option<&'c Service> {
    let namespace = cluster.find_namespace(&name.namespace)?;
    let mut services = cluster.services();
    let found = services.find(|(_, s)| s.namespace == namespace && s.name == name.name);
    found.map(|(_, service)| service)
}
