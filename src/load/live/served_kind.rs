//! [`ServedKind`]: a kind that a cluster serves, as `kubectl api-resources` lists it, and which
//! kinds are asked for.
//!
//! Only kinds that the cluster has are asked for. Which those are is decided by the same tables
//! that decide what an object of a file is: whatever would play a part there is read here.

use crate::load::doors;
use crate::load::objects;
use crate::load::workloads;
use crate::policy::antrea;
use crate::policy::calico;
use crate::policy::dialects;
use crate::policy::unmodelled::{self, Recognized};

/// A kind that a cluster serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedKind {
    /// What kubectl calls it: `networkpolicies.networking.k8s.io`.
    pub name: Box<str>,
    /// The group; empty for the core group.
    pub group: Box<str>,
    /// The kind.
    pub kind: Box<str>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl ServedKind {
    /// A line of `kubectl api-resources --no-headers`: name, short names if it has any, group and
    /// version, whether it is namespaced, kind.
    fn of_line(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, .., version, namespaced, kind] = &words[..] else {
            return None;
        };
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let dot = if group.is_empty() { "" } else { "." };
        Some(Self {
            name: format!("{name}{dot}{group}").into(),
            group: group.into(),
            kind: (*kind).into(),
            namespaced: namespaced.parse().ok()?,
        })
    }

    /// A kind of a group that did not answer, by its singular name, which kubectl takes too.
    fn of_kind(group: &str, kind: &str, namespaced: bool) -> Self {
        Self {
            name: format!("{}.{group}", kind.to_lowercase()).into(),
            group: group.into(),
            kind: kind.into(),
            namespaced,
        }
    }

    /// Whether this is a kind of the core group.
    pub fn is_core(&self, kind: &str) -> bool {
        self.group.is_empty() && *self.kind == *kind
    }

    /// Whether its objects are read.
    fn is_wanted(&self) -> bool {
        let (group, kind) = (&*self.group, &*self.kind);
        match group {
            "extensions" => return false, // the same objects under an older name
            "" if matches!(kind, "Namespace" | "Node" | "Pod" | "Service") => return true,
            "" if kind == "DeploymentConfig" => return false,
            "discovery.k8s.io" => return kind == "EndpointSlice",
            "projectcalico.org" | "crd.projectcalico.org"
                if calico::extras::KINDS.contains(&kind) =>
            {
                return true;
            }
            antrea::extras::GROUP if antrea::extras::KINDS.contains(&kind) => return true,
            _ => {}
        }
        workloads::kind(group, kind).is_some()
            || is_modelled(group, kind)
            || objects::is_mention(&format!("{group}/"), kind)
            || doors::is_kind(group, kind)
            || matches!(
                unmodelled::recognize(group, kind),
                Recognized::Policy(_) | Recognized::UnknownKind
            )
    }

    /// Whether its objects may be network policies that netpal has never heard of.
    pub fn may_be_policy(&self) -> bool {
        let known = unmodelled::recognize(&self.group, &self.kind);
        let sounds = matches!(known, Recognized::SoundsLikePolicy);
        sounds && !is_modelled(&self.group, &self.kind) && &*self.group != "extensions"
    }
}

fn is_modelled(group: &str, kind: &str) -> bool {
    dialects::of_group(group, kind).is_some()
}

/// What a cluster serves; lines that are none are left out.
pub fn served(table: &str) -> Vec<ServedKind> {
    table.lines().filter_map(ServedKind::of_line).collect()
}

/// What is asked for.
pub fn wanted(served: &[ServedKind]) -> Vec<ServedKind> {
    let has_slices = served.iter().any(|r| &*r.kind == "EndpointSlice");
    let has_calico = served
        .iter()
        .any(|r| r.group.ends_with("projectcalico.org"));
    let is_wanted = |r: &&ServedKind| {
        let endpoints = !has_slices && r.is_core("Endpoints");
        r.is_wanted() || endpoints || has_calico && r.is_core("ServiceAccount")
    };
    served.iter().filter(is_wanted).cloned().collect()
}

/// The kinds of policies that a group may have which kubectl could not ask about, by its message.
pub fn silent_policies(message: &str) -> Vec<ServedKind> {
    let modelled = dialects::DIALECTS.iter().filter_map(|d| {
        let (group, _) = d.api_version.split_once('/')?;
        Some((group, d.kind, d.namespaced))
    });
    let known = unmodelled::KINDS
        .iter()
        .map(|k| (k.group, k.kind, k.namespaced));
    let named = modelled.chain(known);
    let enforced = |(_, kind, _): &(&str, &str, bool)| !kind.starts_with("Staged");
    let mut named: Vec<(&str, &str, bool)> = named
        .filter(|(group, ..)| names_group(message, group))
        .filter(enforced)
        .collect();
    named.sort_unstable();
    named.dedup();
    named
        .into_iter()
        .map(|(group, kind, namespaced)| ServedKind::of_kind(group, kind, namespaced))
        .collect()
}

/// Whether a text says `GROUP/`, and no longer group that ends like it.
fn names_group(text: &str, group: &str) -> bool {
    text.match_indices(group).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let starts = before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
        starts && text[at + group.len()..].starts_with('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
bindings                                 v1                     true    Binding
endpoints               ep               v1                     true    Endpoints
pods                    po               v1                     true    Pod
secrets                                  v1                     true    Secret
deployments             deploy           apps/v1                true    Deployment
endpointslices                           discovery.k8s.io/v1    true    EndpointSlice
networkpolicies         netpol           networking.k8s.io/v1   true    NetworkPolicy
ciliumnodes             cn,ciliumn       cilium.io/v2           false   CiliumNode
ciliumshinypolicies                      cilium.io/v2           true    CiliumShinyPolicy
gadgetpolicies                           example.com/v1         true    GadgetPolicy
httproutes                               gateway.networking.k8s.io/v1   true    HTTPRoute
network-attachment-definitions   net-attach-def   k8s.cni.cncf.io/v1   true   NetworkAttachmentDefinition
";

    #[test]
    fn what_would_play_a_part_in_a_file_is_asked_for() {
        let served = served(TABLE);
        let names: Vec<String> = wanted(&served).iter().map(|r| r.name.to_string()).collect();
        assert_eq!(
            names,
            [
                "pods",
                "deployments.apps",
                "endpointslices.discovery.k8s.io",
                "networkpolicies.networking.k8s.io",
                "ciliumshinypolicies.cilium.io",
                "httproutes.gateway.networking.k8s.io",
                "network-attachment-definitions.k8s.cni.cncf.io",
            ]
        );
        let odd: Vec<&str> = served
            .iter()
            .filter(|r| r.may_be_policy())
            .map(|r| &*r.kind)
            .collect();
        assert_eq!(odd, ["GadgetPolicy"]);
    }

    #[test]
    fn endpoints_are_asked_for_where_there_are_no_slices() {
        let old = TABLE.replace("EndpointSlice", "Elsewhere");
        assert!(
            wanted(&served(&old))
                .iter()
                .any(|r| &*r.kind == "Endpoints")
        );
    }

    #[test]
    fn lines_that_are_none_are_left_out() {
        assert_eq!(
            served("NAME SHORTNAMES APIVERSION NAMESPACED KIND\n\npods\na b c\n"),
            []
        );
    }

    #[test]
    fn a_group_that_did_not_answer_may_have_policies() {
        let message = "error: unable to retrieve the complete list of server APIs: \
                       projectcalico.org/v3: stale GroupVersion discovery, metrics.k8s.io/v1beta1: \
                       the server is currently unable to handle the request";
        let mut kinds = silent_policies(message);
        kinds.retain(|r| r.namespaced);
        assert_eq!(kinds.len(), 1);
        assert_eq!(&*kinds[0].name, "networkpolicy.projectcalico.org");
        assert_eq!(
            silent_policies("crd.projectcalico.orga/v1, x.cilium.io/v2"),
            []
        );
    }
}
