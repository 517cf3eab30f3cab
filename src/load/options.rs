//! [`LoadOptions`]: what a caller chooses besides the sources.

use crate::load::made::table::KindRows;
use crate::policy::calico::options::CalicoSettings;
use crate::policy::cilium;
use crate::policy::cilium::options::CiliumSettings;
use crate::policy::layer_settings::LayerSettings;

/// Choices of loading.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadOptions {
    /// The namespace of objects that name none; kubectl takes the context's (S1).
    pub namespace: Box<str>,
    /// Whether documents that cannot be read are left out without a trace, instead of making the
    /// verdicts they could touch unknown.
    pub ignore_broken: bool,
    /// The version of Kubernetes whose API server the objects are for.
    pub kubernetes: Kubernetes,
    /// Settings of Cilium's agent, where the network plugin is Cilium; it is also if the input has
    /// policies of Cilium.
    pub cilium: Option<CiliumSettings>,
    /// Settings of Calico, where the network plugin is Calico; it is also if the input has policies
    /// of Calico.
    pub calico: CalicoSettings,
    /// What operators make of kinds that the table of kinds does not have, in its form.
    pub workloads: KindRows,
    /// The workloads that serve Ingresses, Gateways and Routes where the input does not show which
    /// do, as `namespace/name`.
    pub ingress_controllers: Vec<Box<str>>,
    /// Whether the cluster runs on Google's Kubernetes, if that is told.
    pub gke: Option<bool>,
    /// Settings of meshes, egress firewalls and networks.
    pub layers: LayerSettings,
}

impl LoadOptions {
    /// The minor version of Cilium 1 whose checks hold for its objects.
    pub fn cilium_version(&self) -> u32 {
        let told = self.cilium.as_ref().and_then(|settings| settings.version);
        told.unwrap_or(cilium::options::CURRENT)
    }
}

/// A version of Kubernetes: 1 and this minor version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kubernetes(pub u32);

impl Kubernetes {
    /// The version whose checks are the default.
    pub const CURRENT: Self = Self(36);

    /// Whether the API server refuses address blocks with host bits or leading zeros
    /// (`StrictIPCIDRValidation`).
    pub fn has_strict_cidrs(self) -> bool {
        self >= Self(36)
    }
}

impl std::str::FromStr for Kubernetes {
    type Err = String;

    /// Reads `1.35` or `v1.35.2`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let minor = (parts.next() == Some("1"))
            .then(|| parts.next()?.parse().ok())
            .flatten();
        minor
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a version of Kubernetes; write it as 1.35"))
    }
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            namespace: "default".into(),
            ignore_broken: false,
            kubernetes: Kubernetes::CURRENT,
            cilium: None,
            calico: CalicoSettings::default(),
            workloads: KindRows::default(),
            ingress_controllers: Vec::new(),
            gke: None,
            layers: LayerSettings::default(),
        }
    }
}
