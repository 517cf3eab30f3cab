//! The standards. Their controls are in [`crate::audit::standards`].

use crate::audit::control::Control;
use crate::audit::standards;

/// For which kind of audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// PCI DSS 4.0.1, requirement 1.
    Pci,
    /// CIS Kubernetes Benchmark, section 5.3.
    Cis,
    /// NSA and CISA, Kubernetes Hardening Guide.
    Nsa,
    /// NIST SP 800-53, revision 5.
    Nist,
    /// SOC 2, trust services criteria.
    Soc2,
    /// ISO/IEC 27001:2022, annex A.
    Iso,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 6] = [
        Self::Pci,
        Self::Cis,
        Self::Nsa,
        Self::Nist,
        Self::Soc2,
        Self::Iso,
    ];

    /// What it is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pci => "PCI DSS 4.0.1, requirement 1: network security controls",
            Self::Cis => "CIS Kubernetes Benchmark, section 5.3: network policies and CNI",
            Self::Nsa => "NSA and CISA Kubernetes Hardening Guide 1.2: network separation",
            Self::Nist => "NIST SP 800-53, revision 5: AC-4 and SC-7",
            Self::Soc2 => "SOC 2, trust services criteria: CC6.6",
            Self::Iso => "ISO/IEC 27001:2022, annex A: 8.20 to 8.22",
        }
    }

    /// Its controls, in the order of the standard.
    pub const fn controls(self) -> &'static [Control] {
        match self {
            Self::Pci => standards::PCI,
            Self::Cis => standards::CIS,
            Self::Nsa => standards::NSA,
            Self::Nist => standards::NIST,
            Self::Soc2 => standards::SOC2,
            Self::Iso => standards::ISO,
        }
    }

    /// Which controls about networks are not among them, and why.
    pub const fn left_out(self) -> &'static str {
        match self {
            Self::Pci => {
                "Not in the table, as manifests say nothing about them: 1.1.1, 1.1.2, 1.2.1, 1.2.2, 1.2.6 to 1.2.8, 1.3.3, 1.4.3, 1.4.5 and 1.5.1."
            }
            Self::Cis => "The section has no other recommendation.",
            Self::Nsa => {
                "Not in the table: resource quotas, encryption, and authentication, which network policies do not decide."
            }
            Self::Nist => {
                "Not in the table: the other enhancements of AC-4 and SC-7, which name devices, proxies, or the content of traffic."
            }
            Self::Soc2 => "Criteria other than CC6.6 are not in the table.",
            Self::Iso => "Controls other than 8.20 to 8.22 are not in the table.",
        }
    }
}
