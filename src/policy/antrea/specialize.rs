//! The policy set as Antrea reads it: once for each graph, with groups, tiers and the cluster at
//! hand.
//!
//! Phases of [`specialize`]: every policy of Antrea is lowered once more from what is written and
//! put in its tier; one whose tier is not told makes what it may touch unknown, and so does what
//! governs nodes; pods get a label for their service account where rules ask for it.
//!
//! Invariants: the policies keep their indices, names and documents, so that every reference stays
//! right; to do it twice is to do it once. Cost: O(policies x groups).

use crate::model::{Cluster, Labels, Pod, Selector};
use crate::policy::antrea::groups::members;
use crate::policy::antrea::knowledge::AntreaKnowledge;
use crate::policy::antrea::lower::{ACCOUNT, lower};
use crate::policy::antrea::policy::{AntreaPeerKind, AntreaPolicy, AppliedTo};
use crate::policy::antrea::tier_table::tier;
use crate::policy::foreign::not_in_force;
use crate::policy::interner::PolicyInterner;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Peer, Policy};
use crate::policy::taint::{Taint, TaintReason, TaintSubject};
use crate::policy::tier::kubernetes;
use crate::set::IpSet;
use ipnet::IpNet;

/// The account of a pod that names none (AN24).
const DEFAULT_ACCOUNT: &str = "default";

/// Policies and cluster as Antrea reads them.
pub struct SeenByAntrea {
    /// The policies; none where there are none of Antrea.
    pub policies: Option<PolicySet>,
    /// The cluster; none where rules ask for nothing that it does not tell.
    pub cluster: Option<Cluster>,
}

/// What Antrea makes of policies and cluster; of calls of one Service, if that is named.
pub fn specialize(
    policies: &PolicySet,
    cluster: &Cluster,
    called: Option<&[Box<str>; 2]>,
) -> SeenByAntrea {
    if !policies.plugin.antrea.has_policies {
        return SeenByAntrea {
            policies: None,
            cluster: None,
        };
    }
    let objects = &policies.plugin.antrea;
    let known = AntreaKnowledge {
        objects,
        cluster: Some(cluster),
        called,
    };
    let mut special = policies.clone();
    let mut interner = PolicyInterner::default();
    let (mut taints, mut accounts) = (Vec::new(), false);
    for at in 0..special.policies.len() {
        let policy = &special.policies[at];
        let Some(written) = policy.antrea().cloned() else {
            continue;
        };
        let mut read = lower(&written, &policy.name, policy.document, &known);
        read.generated.clone_from(&policy.generated);
        let place = objects.priority(&written.tier);
        let place = place.and_then(|place| special.tier(tier(&written.tier, place)));
        if let Some(place) = place {
            read.tier = place;
        } else {
            read.tier = special.policies[at].tier;
            taints.push(Taint::of_policy(
                &read,
                TaintReason::NoTier,
                TaintSubject::Pods(read.subject.clone()),
            ));
            read.applies = [false, false];
        }
        taints.extend(of_nodes(&read, &written, &known));
        accounts |= names_accounts(&written);
        interner.share(&mut read);
        special.policies[at] = read;
    }
    if let Some(admin) = special.tiers.get_mut(kubernetes::ADMIN.index()) {
        admin.pass_to = Some(kubernetes::NETWORK); // AN12, AN17
    }
    taints.retain(|taint| !special.taints.contains(taint));
    special.taints.extend(taints);
    SeenByAntrea {
        policies: Some(special),
        cluster: accounts.then(|| with_accounts(cluster)),
    }
}

/// What a policy does to nodes is not told (AN25, AN27).
fn of_nodes(policy: &Policy, written: &AntreaPolicy, known: &AntreaKnowledge<'_>) -> Option<Taint> {
    let rules = written.rules.iter().flatten();
    let entries = rules.flat_map(|rule| written.applied_to(rule));
    let mut nodes: Vec<Selector> = Vec::new();
    for entry in entries {
        match entry {
            AppliedTo::Nodes(selector) => nodes.push(selector.clone()),
            AppliedTo::Group(name) => {
                let all = members(known, written.namespace.as_deref(), name);
                nodes.extend(all.into_iter().filter_map(|peer| match peer {
                    Peer::Nodes(selector) => Some(selector),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    if nodes.is_empty() {
        return None;
    }
    let cluster = known.cluster?;
    let means = |labels: &Labels| nodes.iter().any(|selector| selector.matches(labels));
    let meant = cluster.nodes().filter(|(_, node)| means(&node.labels));
    let addresses = meant.flat_map(|(_, node)| node.addresses.iter());
    let told = IpSet::from_cidrs(addresses.map(|address| IpNet::from(*address)));
    let subject = TaintSubject::Nodes(told);
    Some(Taint::of_policy(
        policy,
        TaintReason::UnmodelledKind,
        subject,
    ))
}

/// Whether a rule asks for the service account of pods.
fn names_accounts(written: &AntreaPolicy) -> bool {
    written.rules.iter().flatten().any(|rule| {
        let mut peers = rule.peers.iter().flatten();
        let mut entries = written.applied_to(rule).iter();
        peers.any(|peer| matches!(peer.kind, AntreaPeerKind::Account(_)))
            || entries.any(|entry| matches!(entry, AppliedTo::Account(_)))
    })
}

/// The cluster with a label at each pod that names its service account.
fn with_accounts(cluster: &Cluster) -> Cluster {
    let mut seen = cluster.clone();
    let account = |pod: &Pod| {
        pod.account()
            .map_or(DEFAULT_ACCOUNT, |name| name)
            .to_owned()
    };
    let key = |pod: &Pod| (pod.labels, pod.account().cloned());
    seen.relabel_pods(key, |cluster, pod| {
        let own = cluster.labels(pod.labels).iter();
        let own = own.filter(|(key, _)| *key != ACCOUNT);
        let own = own.map(|(k, v)| (k.to_owned(), v.to_owned()));
        own.chain([(ACCOUNT.to_owned(), account(pod))]).collect()
    });
    seen
}

/// The policy set under a network plugin that reads no policies of Antrea.
pub fn without_policies(policies: &PolicySet, cluster: &Cluster) -> PolicySet {
    let known = AntreaKnowledge {
        objects: &policies.plugin.antrea,
        cluster: Some(cluster),
        called: None,
    };
    let of_nodes = policies.policies.iter();
    let of_nodes = of_nodes.filter_map(|p| self::of_nodes(p, p.antrea()?, &known));
    let of_nodes: Vec<Taint> = of_nodes.collect();
    let mut set = not_in_force(policies, |p| p.antrea().is_some(), |_| true);
    set.taints.extend(of_nodes);
    set
}
