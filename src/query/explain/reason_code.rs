//! The stable codes that say why a flow is allowed, denied or unknown.

use crate::policy::tier::{TierCodes, kubernetes};

/// The stable reason codes, as printed by `why` and in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the names are the codes
pub enum Reason {
    AllowDefault,
    AllowRule,
    AllowSelf,
    AllowFromOwnNode,
    AllowTier(&'static TierCodes),
    DenyNoRuleMatches,
    DenyNoRules,
    DenyPort,
    DenyNoCommonFamily,
    NoBackend,
    DenyRule,
    DenyTier(&'static TierCodes),
    UnknownHostnetwork,
    UnknownUnsupportedKind,
    UnknownBrokenPolicy,
    UnknownNamespaceLabels,
    UnknownPodLabels,
    UnknownGeneratedPolicy,
    UnknownIpblockPod,
    UnknownSnat,
    UnknownAddressFamily,
    UnknownNoEndpoints,
    UnknownNamedPort,
    UnknownDomainName,
    UnknownNode,
    UnknownPriority,
    UnknownCondition,
}

impl Reason {
    /// Every reason that policies which are modelled can have.
    pub const ALL: [Self; 29] = [
        Self::AllowDefault,
        Self::AllowRule,
        Self::AllowSelf,
        Self::AllowFromOwnNode,
        Self::AllowTier(&kubernetes::ADMIN_CODES),
        Self::AllowTier(&kubernetes::BASELINE_CODES),
        Self::DenyNoRuleMatches,
        Self::DenyNoRules,
        Self::DenyPort,
        Self::DenyNoCommonFamily,
        Self::NoBackend,
        Self::DenyTier(&kubernetes::ADMIN_CODES),
        Self::DenyTier(&kubernetes::BASELINE_CODES),
        Self::UnknownHostnetwork,
        Self::UnknownUnsupportedKind,
        Self::UnknownBrokenPolicy,
        Self::UnknownNamespaceLabels,
        Self::UnknownPodLabels,
        Self::UnknownGeneratedPolicy,
        Self::UnknownIpblockPod,
        Self::UnknownSnat,
        Self::UnknownAddressFamily,
        Self::UnknownNoEndpoints,
        Self::UnknownNamedPort,
        Self::UnknownDomainName,
        Self::UnknownNode,
        Self::UnknownPriority,
        Self::DenyRule,
        Self::UnknownCondition,
    ];

    /// The code as it is printed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AllowDefault => "ALLOW_DEFAULT",
            Self::AllowRule => "ALLOW_RULE",
            Self::AllowSelf => "ALLOW_SELF",
            Self::AllowFromOwnNode => "ALLOW_FROM_OWN_NODE",
            Self::AllowTier(codes) => codes.allow,
            Self::DenyNoRuleMatches => "DENY_NO_RULE_MATCHES",
            Self::DenyNoRules => "DENY_NO_RULES",
            Self::DenyPort => "DENY_PORT",
            Self::DenyNoCommonFamily => "DENY_NO_COMMON_FAMILY",
            Self::NoBackend => "NO_BACKEND",
            Self::DenyRule => "DENY_RULE",
            Self::DenyTier(codes) => codes.deny,
            Self::UnknownHostnetwork => "UNKNOWN_HOSTNETWORK",
            Self::UnknownUnsupportedKind => "UNKNOWN_UNSUPPORTED_KIND",
            Self::UnknownBrokenPolicy => "UNKNOWN_BROKEN_POLICY",
            Self::UnknownNamespaceLabels => "UNKNOWN_NAMESPACE_LABELS",
            Self::UnknownPodLabels => "UNKNOWN_POD_LABELS",
            Self::UnknownGeneratedPolicy => "UNKNOWN_GENERATED_POLICY",
            Self::UnknownIpblockPod => "UNKNOWN_IPBLOCK_POD",
            Self::UnknownSnat => "UNKNOWN_SNAT",
            Self::UnknownAddressFamily => "UNKNOWN_ADDRESS_FAMILY",
            Self::UnknownNoEndpoints => "UNKNOWN_NO_ENDPOINTS",
            Self::UnknownNamedPort => "UNKNOWN_NAMED_PORT",
            Self::UnknownDomainName => "UNKNOWN_DOMAIN_NAME",
            Self::UnknownNode => "UNKNOWN_NODE",
            Self::UnknownPriority => "UNKNOWN_PRIORITY",
            Self::UnknownCondition => "UNKNOWN_CONDITION",
        }
    }
}
