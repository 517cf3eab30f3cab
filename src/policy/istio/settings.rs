//! Settings of Istio, as far as they were told (`cluster.istio`).

/// How the mesh gets at the traffic of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dataplane {
    /// By a proxy in each pod.
    Sidecar,
    /// By a proxy of each node, and waypoints.
    Ambient,
}

/// Who is part of a mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meshed {
    /// Every pod.
    All,
    /// Those whose labels, or whose namespace's, say so.
    Labels,
    /// None.
    None,
    /// The pods of these workloads: `namespace/workload`.
    Listed(Vec<Box<str>>),
}

/// Settings of Istio.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IstioSettings {
    /// How the mesh gets at the traffic of pods that are meshed by a setting.
    pub dataplane: Option<Dataplane>,
    /// Who is meshed.
    pub meshed: Option<Meshed>,
    /// The namespace whose policies hold for the whole mesh.
    pub root: Option<Box<str>>,
    /// The trust domain of identities.
    pub trust_domain: Option<Box<str>>,
}

impl IstioSettings {
    /// The root namespace.
    pub fn root(&self) -> &str {
        self.root.as_deref().unwrap_or("istio-system")
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> &str {
        self.trust_domain.as_deref().unwrap_or(DEFAULT_DOMAIN)
    }
}

/// The trust domain of a mesh where nothing else is told; in a policy it stands for the mesh's own.
pub const DEFAULT_DOMAIN: &str = "cluster.local";
