//! The tiers of Antrea: their names, and where each stands among those of the Kubernetes APIs (AN2,
//! AN3, AN17).
//!
//! The table of a policy set begins with the tiers of the Kubernetes APIs, of which Admin is tier
//! 220 to Antrea; the orders that [`tier`] gives leave them where they are.

use crate::policy::antrea::objects::BASELINE_PRIORITY;
use crate::policy::tier::{HostPods, LayerIx, OwnNode, Tier, TierEnd, TierMode, Ties, kubernetes};
use std::borrow::Cow;

/// The tier to which Antrea maps tier Admin of the Kubernetes API (AN17).
const ADMIN: i32 = 220;

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
