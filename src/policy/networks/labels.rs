//! The labels that stand for the networks of a pod. Their keys have a space, so that no label of a
//! manifest is one of them.

/// The primary network: `default`, `udn/blue/n`, `cudn/shared`.
pub const PRIMARY: &str = "primary network";

/// The secondary networks, by a number for each combination of the input.
pub const SECONDARY: &str = "secondary networks";

/// The ports that a pod leaves open on the default network, by a number for each set of the input.
pub const OPEN: &str = "open default ports";

/// The name of the network that pods are on where nothing else is said.
pub const DEFAULT: &str = "default";
