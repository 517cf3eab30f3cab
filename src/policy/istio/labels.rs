//! The labels that stand for what the mesh knows of a pod. Their keys have a space, so that no
//! label of a manifest is one of them.

/// The identity that a pod of the mesh shows: `cluster.local/ns/shop/sa/web`. A pod without it is
/// not meshed.
pub const IDENTITY: &str = "istio identity";

/// By what the proxy of a pod goes: a number of the profiles of the input.
pub const PROFILE: &str = "istio profile";
