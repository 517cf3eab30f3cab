//! What a suggestion answers: changes, or the obstacles to every change.

use crate::policy::{Direction, RuleRef};
use crate::query::explain::explanation::{ExplanationSide, Reason};
use crate::query::suggest::trial::{Addition, Turned};
use crate::spec::{Endpoint, Flow};

/// Why no addition lets the traffic through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A rule of the Admin tier denies it before any `NetworkPolicy` is evaluated: that rule has to
    /// change.
    Admin(RuleRef),
    /// A rule of the Baseline tier denies it, and no policy that replaces it or precedes it leaves
    /// everything else unchanged.
    Baseline(RuleRef),
    /// The verdict depends on something that cannot be decided.
    Unknown(Direction, Reason),
    /// No selector matches a pod on its node's network, and its address is unknown.
    HostNetwork(Endpoint),
    /// The pod has no labels: a selector that selects it selects every pod of its namespace, also
    /// those to come.
    Unlabelled(Endpoint),
    /// Every addition that opens it also changes this flow: the API cannot tell the two apart.
    Turns(Turned),
    /// Too many flows would have to be compared.
    TooWide,
    /// The additions that were tried do not suffice for this flow.
    NotEnough(Flow),
}

/// The answer to a request for a suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggested {
    /// It is allowed already.
    Nothing,
    /// These additions open it and change nothing else; they were applied and compared.
    Changes(Vec<Addition>),
    /// No addition does, for these reasons.
    Impossible(Vec<Obstacle>),
}

/// A side of a flow that does not certainly allow it.
pub(crate) struct Need {
    pub(crate) direction: Direction,
    pub(crate) side: ExplanationSide,
}
