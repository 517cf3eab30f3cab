//! The assumption behind a change that no edit makes: which of the options of the two sides decides
//! the flow otherwise.
//!
//! Each option that differs is taken over alone from the other side, and the specification decides
//! the flow once more; the first that makes the difference is the cause. Options that only together
//! make it are [`Assumption::Several`]. Cost: a few decisions of one flow.

use crate::spec::evaluate::evaluate;
use crate::spec::{CompileOptions, Environment, Flow};

/// What the two sides assume otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Assumption {
    /// Whether address blocks match pods and nodes (S40): whether they do after.
    BlocksMatchPods(bool),
    /// Whether traffic to the own node is exempt from isolation (S55): whether it is after.
    OwnNode(bool),
    /// What pods on their node's network are (S56).
    HostNetwork,
    /// Whether a connection of a pod to itself through its own Service is let through (S54):
    /// whether it is after.
    OwnService(bool),
    /// How the network plugin reads the policies.
    Plugin,
    /// Several, or another one.
    Several,
}

impl Assumption {
    /// The assumption that decides a flow otherwise after than before.
    pub fn behind(before: &Environment, after: &Environment, flows: &(Flow, Flow)) -> Self {
        let (old, new) = (&before.options, &after.options);
        let was = evaluate(before, &flows.0);
        let each = [
            Self::BlocksMatchPods(new.blocks_match_pods),
            Self::OwnNode(new.own_node_egress),
            Self::HostNetwork,
            Self::OwnService(new.own_service),
        ];
        let found = each.into_iter().find(|assumption| {
            let options = assumption.taken_over(old, new);
            let changed = Environment {
                options,
                ..before.clone()
            };
            evaluate(&changed, &flows.0) != was
        });
        let others = if old.plugin == new.plugin {
            Self::Several
        } else {
            Self::Plugin
        };
        found.unwrap_or(others)
    }

    /// The options of before with this one of after.
    fn taken_over(self, before: &CompileOptions, after: &CompileOptions) -> CompileOptions {
        let mut options = before.clone();
        match self {
            Self::BlocksMatchPods(does) => options.blocks_match_pods = does,
            Self::OwnNode(is_exempt) => options.own_node_egress = is_exempt,
            Self::HostNetwork => options.host_network = after.host_network,
            Self::OwnService(passes) => options.own_service = passes,
            Self::Plugin | Self::Several => {}
        }
        options
    }
}
