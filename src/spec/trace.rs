//! What a decision records while it is made, so that an explanation cannot disagree with it.
//!
//! [`super::evaluate`] reports to a [`Trace`] every way in which a side may end and every fact that
//! keeps more than one of them open. `()` records nothing and costs nothing.

use crate::model::Truth;
use crate::policy::tier::TierIx;
use crate::policy::{PolicyId, RuleRef, TaintEffect};

/// Why a side may end as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// A rule of a tier matches.
    Rule(TierIx, RuleRef),
    /// The other end is the pod's own node, which a tier exempts (S55).
    OwnNode(TierIx),
    /// The pod calls itself through its own Service, which a tier exempts (S54).
    OwnService(TierIx),
    /// A tier isolates the pod and none of its rules matches.
    NoRule(TierIx),
    /// No tier of a layer decides.
    Default,
}

impl Ground {
    /// The tier that decides; none where no tier does.
    pub fn tier(self) -> Option<TierIx> {
        match self {
            Self::Rule(tier, _)
            | Self::OwnNode(tier)
            | Self::OwnService(tier)
            | Self::NoRule(tier) => Some(tier),
            Self::Default => None,
        }
    }
}

/// What is not known and leaves an outcome open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Whether a policy selects the pod.
    Selection(PolicyId),
    /// Whether a rule matches the other end.
    Rule(RuleRef),
    /// Which policy of equal priority comes first (S73, S103).
    Priority,
    /// Whether the other end is the pod's own node (S55).
    OwnNode,
    /// What policies do that could not be read or are not modelled.
    Taint(TaintEffect),
}

/// Receives what a decision is made of, in the order in which it is made.
pub trait Trace {
    /// A tier is asked.
    fn tier(&mut self, _tier: TierIx) {}
    /// The side may end in Allow, or in Deny.
    fn outcome(&mut self, _allow: bool, _ground: Ground) {}
    /// A layer has decided.
    fn layer(&mut self, _allowed: Truth) {}
    /// Something is not known.
    fn doubt(&mut self, _doubt: Doubt) {}
}

impl Trace for () {}
