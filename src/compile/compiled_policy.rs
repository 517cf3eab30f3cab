//! [`CompiledPolicy`]: a policy whose rules are numbers of peer sets and port lists.

use crate::compile::peer_sets::PeerSetId;
use crate::policy::{Action, PolicyId};

/// One rule, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompiledRule {
    /// What it does.
    pub action: Action,
    /// Its peers.
    pub peers: PeerSetId,
    /// Its ports.
    pub ports: u32,
}

/// A policy, compiled for one subject namespace where its peers are relative, for all otherwise.
#[derive(Debug, Clone)]
pub struct CompiledPolicy {
    /// The policy.
    pub policy: PolicyId,
    /// Its rules, per direction.
    pub rules: [Vec<CompiledRule>; 2],
}
