//! What auditors ask, in our own words, next to what the input shows. Design evidence: nothing here
//! says that a control is met.

/// For which kind of audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// PCI DSS 4.0, requirement 1.
    Pci,
    /// CIS Kubernetes Benchmark, section 5.3.
    Cis,
    /// NSA and CISA, Kubernetes Hardening Guide.
    Nsa,
}

impl Profile {
    /// What it is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pci => "PCI DSS 4.0, requirement 1: network security controls",
            Self::Cis => "CIS Kubernetes Benchmark, section 5.3: network policies",
            Self::Nsa => "NSA and CISA Kubernetes Hardening Guide: network separation",
        }
    }
}
