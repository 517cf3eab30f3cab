//! The labels that stand for what the mesh knows of a pod. Their keys have a space, so that no
//! label of a manifest is one of them.
//!
//! Whether a pod shows its identity depends on how it calls: besides [`IDENTITY`] one of the other
//! labels is asked for on ports where not every caller shows it (IS30).

/// The identity that a pod of the mesh shows: `cluster.local/ns/shop/sa/web`. A pod without it is
/// not meshed.
pub const IDENTITY: &str = "istio identity";

/// That a pod shows it in every mode of the destination: tunnels carry it, and pods without a proxy
/// of their own call by them.
pub const IN_TUNNELS: &str = "istio identity in every mode";

/// That a pod shows it where sidecars may send plain text.
pub const UNLESS_PLAIN: &str = "istio identity unless in plain text";

/// That a pod shows it where those sidecars may send plain text that a `DestinationRule` for some
/// callers is for.
pub const UNLESS_RULED: &str = "istio identity unless a rule of the caller says otherwise";

/// By what the proxy of a pod goes: a number of the profiles of the input.
pub const PROFILE: &str = "istio profile";

/// Whether a label says that a pod shows its identity.
pub fn is_shown(key: &str) -> bool {
    [IN_TUNNELS, UNLESS_PLAIN, UNLESS_RULED].contains(&key)
}
