//! The policy that stands for the mode in which every endpoint is closed, whether a Rule selects it
//! or not (CI15). No document has it.

use crate::model::{Selector, Truth};
use crate::policy::network_policy;
use crate::policy::rule::{Namespaces, Policy, Subject};
use crate::policy::tier::kubernetes;
use crate::source::DocumentId;

/// The name of the policy that stands for the mode in which everything is closed.
const ALWAYS: &str = "enforcement-mode-always";

/// Whether a policy is it.
pub fn is_mode(policy: &Policy) -> bool {
    policy.document == DocumentId::NONE && *policy.name == *ALWAYS
}

/// A policy that stands for the mode in which every endpoint is closed.
pub fn closing_everything() -> Policy {
    Policy {
        namespace: None,
        name: ALWAYS.into(),
        document: DocumentId::NONE,
        shape: &network_policy::SHAPE,
        tier: kubernetes::NETWORK,
        priority: 0.into(),
        tie: None,
        subject: Subject {
            namespaces: Namespaces::Matching(Selector::everything()),
            pods: Selector::everything(),
        },
        applies: [true, true],
        isolates: [true, true],
        sees_own_service: Truth::No,
        rules: [Vec::new(), Vec::new()],
        layout: None,
        written: None,
        generated: None,
    }
}
