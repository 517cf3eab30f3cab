//! [`Taint`]: a policy whose rules are not known, and which verdicts it could touch.

use crate::policy::rule::Subject;
use crate::set::IpSet;
use crate::source::Origin;

/// Why something that may be a policy is not in the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaintReason {
    /// Its kind is not modelled.
    UnmodelledKind,
    /// It could not be read.
    Broken,
    /// It is in a tier that the input does not tell.
    NoTier,
    /// It is no policy: its operator or controller makes some that are not known.
    MakesPolicies,
}

impl TaintReason {
    /// What is said of an object with this reason.
    pub const fn words(self) -> &'static str {
        match self {
            Self::UnmodelledKind => "is not modelled",
            Self::Broken => "could not be read",
            Self::NoTier => "is in a tier that is not in the input",
            Self::MakesPolicies => "makes policies that are not known",
        }
    }
}

/// What a policy that could not be modelled may do to a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaintEffect {
    /// Anything: allow or deny, before all tiers.
    Anything,
    /// Anything an unordered tier can do: isolate, or allow.
    UnorderedTier,
    /// Only deny: an enforcement point of its own that is asked besides this one (a mesh, an egress
    /// firewall).
    OnlyDeny,
}

/// Whom a policy that could not be modelled may govern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaintSubject {
    /// Pods.
    Pods(Subject),
    /// The nodes with these addresses, and the pods on their network: what they send and receive
    /// may be denied.
    Nodes(IpSet),
}

/// A policy that could not be modelled: verdicts it could touch are unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taint {
    /// What it is called: kind, and namespace and name where they can be read.
    pub what: Box<str>,
    /// Why.
    pub reason: TaintReason,
    /// What it may do.
    pub effect: TaintEffect,
    /// Whom it may govern.
    pub subject: TaintSubject,
    /// In which directions.
    pub directions: [bool; 2],
    /// Where it stands; `None` when the text never became a document.
    pub origin: Option<Origin>,
}
