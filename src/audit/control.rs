//! What a control is, and how it is judged.

use crate::audit::fact::ControlResult;
use crate::policy::Direction;

/// One control of a standard.
#[derive(Debug, PartialEq, Eq)]
pub struct Control {
    /// Its number, or its name where the standard numbers none.
    pub id: &'static str,
    /// What it asks, in our words.
    pub asks: &'static str,
    /// How it is judged.
    pub(crate) question: ControlQuestion,
    /// What of it is in no input, so that it is at most partly met; empty where there is nothing.
    pub beyond: &'static str,
    /// What would settle what the input does not show; empty where `netpal why` tells.
    pub settle: &'static str,
    /// The results that it can have.
    pub possible: &'static [ControlResult],
}

/// How a control is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ControlQuestion {
    /// It asks for something that is done by people, or about other systems.
    Process,
    /// Whether policies let in, or out, nothing but what they name.
    Walls(&'static [Direction]),
    /// The same, where moreover each flow by name needs somebody's approval.
    Approved(&'static [Direction]),
    /// Whether every flow by name is on ports by number.
    Ports,
    /// Whether no workload lets in every pod of the cluster.
    Apart,
    /// Whether the internet gets in only where it is meant to.
    PublicServices,
    /// Whether the internet gets nowhere without something between.
    DirectAccess,
    /// Whether every namespace has policies.
    NamespacePolicies,
    /// Whether every namespace denies what no rule allows, also to pods that are to come.
    DefaultDeny(&'static [Direction]),
    /// The same of every namespace but kube-system.
    DefaultDenyButSystem(&'static [Direction]),
    /// Which network plugin there is.
    Plugin,
}
