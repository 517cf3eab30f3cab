//! The labels that stand for what the mesh knows of a pod. Their keys have a space, so that no
//! label of a manifest is one of them.
//!
//! What a pod shows of its identity depends on how it calls: each of the labels of identities is
//! asked about on the ports where callers show it so (IS30).

/// The identity that a pod of the mesh shows: `cluster.local/ns/shop/sa/web`. A pod without it is
/// not meshed.
pub const IDENTITY: &str = "istio identity";

/// The identity that tunnels carry, whatever the mode of the destination is: of pods without a
/// proxy of their own.
pub const IN_TUNNELS: &str = "istio identity in tunnels";

/// The identity where sidecars may send plain text.
pub const UNLESS_PLAIN: &str = "istio identity unless in plain text";

/// The identity where those sidecars may send plain text that a `DestinationRule` for some callers
/// is for.
pub const UNLESS_RULED: &str = "istio identity unless a rule of the caller says otherwise";

/// By what the proxy of a pod goes: a number of the profiles of the input.
pub const PROFILE: &str = "istio profile";

/// Whether a label stands for an identity.
pub fn is_identity(key: &str) -> bool {
    key.starts_with(IDENTITY)
}
