//! By what the proxy of a pod of Linkerd's mesh goes.

use crate::policy::linkerd::settings::InboundPolicy;
use crate::policy::proxies::PortNames;
use crate::set::TrafficSet;

/// The identity that a pod of the mesh shows; a pod without it is not meshed.
pub const IDENTITY: &str = "linkerd identity";

/// By what the proxy goes: a number of the profiles of the input.
pub const PROFILE: &str = "linkerd profile";

/// What the proxy of a pod goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkerdProfile {
    /// The ports that Servers claim: the number of the Server among the objects, its ports, and
    /// whether it surely does.
    pub claims: Vec<(usize, TrafficSet, bool)>,
    /// Whom other ports let in.
    pub default: InboundPolicy,
    /// The ports on which an identity is asked for in any case (LD13).
    pub identified: TrafficSet,
    /// The ports that bypass the proxy on the way in (LD4).
    pub skips_in: TrafficSet,
    /// The ports that bypass it on the way out (LD5).
    pub skips_out: TrafficSet,
    /// The ports whose traffic is no requests to the proxy (LD53).
    pub opaque: TrafficSet,
    /// The ports on which a probe asks for a path (LD52).
    pub probed: TrafficSet,
    /// What the pod's port names stand for.
    pub names: PortNames,
}
