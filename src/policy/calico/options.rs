//! What decides the meaning of Calico's policies besides them: its version, how its objects come
//! into the cluster, what becomes of traffic from a pod to its node.

/// What becomes of traffic from a pod to its own node behind the pod's policies (CA101).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum EndpointToHost {
    /// It passes, as the project's manifests set it.
    #[default]
    Accept,
    /// It is dropped, as Felix does by itself.
    Drop,
    /// The node's own firewall decides, which the input does not show.
    Return,
}

/// Settings, as far as they were told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalicoSettings {
    /// The minor version of Calico 3.
    pub version: Option<u32>,
    /// Whether objects are applied to custom resources of `projectcalico.org/v3` directly, and not
    /// through calicoctl or the API server (CA140).
    pub native_crds: Option<bool>,
    /// What becomes of traffic from a pod to its own node.
    pub endpoint_to_host: Option<EndpointToHost>,
    /// Whether staged policies count as if they were enforced (CA112).
    pub staged: bool,
}

impl CalicoSettings {
    /// Nothing told.
    pub const NONE: Self = Self {
        version: None,
        native_crds: None,
        endpoint_to_host: None,
        staged: false,
    };

    /// Whether ties go by name, namespace and kind (CA45).
    pub fn ties_by_name(&self) -> bool {
        self.minor() >= 32
    }

    /// The minor version.
    pub fn minor(&self) -> u32 {
        self.version.unwrap_or(CURRENT)
    }

    /// These settings, and where they leave something open those.
    #[must_use]
    pub fn over(&self, below: &Self) -> Self {
        Self {
            version: self.version.or(below.version),
            native_crds: self.native_crds.or(below.native_crds),
            endpoint_to_host: self.endpoint_to_host.or(below.endpoint_to_host),
            staged: self.staged || below.staged,
        }
    }
}

/// The version that is assumed where none is told: 3.32.
const CURRENT: u32 = 32;
