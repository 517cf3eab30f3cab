//! The tiers of Antrea: their names, and where each stands among those of the Kubernetes APIs (AN2,
//! AN3, AN17).
//!
//! The table of a policy set begins with the tiers of the Kubernetes APIs, of which Admin is tier
//! 220 to Antrea; the orders that [`tier`] gives leave them where they are.

use crate::policy::antrea::objects::AntreaObjects;
use crate::policy::tier::{HostPods, LayerIx, OwnNode, Tier, TierEnd, TierMode, Ties, kubernetes};
use std::borrow::Cow;

/// The tiers that need no object, with their priorities.
pub const STATIC: [(&str, u8); 6] = [
    ("emergency", 50),
    ("securityops", 100),
    ("networkops", 150),
    ("platform", 200),
    ("application", 250),
    (BASELINE, BASELINE_PRIORITY),
];

/// The tier of a policy that names none.
pub const DEFAULT: &str = "application";

/// The tier behind the `NetworkPolicies`.
pub const BASELINE: &str = "baseline";

/// The priority of the tier behind the `NetworkPolicies`.
const BASELINE_PRIORITY: u8 = 253;

/// The tier to which Antrea maps tier Admin of the Kubernetes API (AN17).
const ADMIN: i32 = 220;

/// The priority of a tier, where it is certain that there is one: those that share a priority are
/// refused, but for one of them.
pub fn priority(objects: &AntreaObjects, name: &str) -> Option<u8> {
    if let Some((_, priority)) = STATIC.iter().find(|(known, _)| *known == name) {
        return Some(*priority);
    }
    let tier = objects.tiers.iter().find(|tier| *tier.name == *name)?;
    let priority = tier.priority?;
    let same = |other: &&crate::policy::antrea::objects::AntreaTier| {
        other.priority == Some(priority) && other.name != tier.name
    };
    (!objects.tiers.iter().any(|other| same(&other))).then_some(priority)
}

/// A tier by its name and priority.
pub fn tier(name: &str, priority: u8) -> Tier {
    let number = i32::from(priority);
    let order = match number {
        _ if priority == BASELINE_PRIORITY => 250,
        _ if number < ADMIN => number - 1000,
        _ => 100 + number - ADMIN,
    };
    Tier {
        name: Cow::Owned(name.to_owned()),
        policies: "policies",
        layer: LayerIx::CLUSTER_NETWORK,
        order,
        mode: TierMode::Ordered(Ties::ByPosition), // AN4-AN6
        end: TierEnd::Pass,                        // AN13
        pass_to: (priority < BASELINE_PRIORITY).then_some(kubernetes::NETWORK), // AN12
        host_pods: HostPods::Excluded,             // AN27
        own_node: OwnNode::MayCall,                // AN38
        codes: None,
    }
}
