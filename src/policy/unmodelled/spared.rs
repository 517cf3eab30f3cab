//! Objects that are not modelled, only deny, and surely leave some peers alone: a private subnet
//! its own pods, a network namespace its own and the outside.
//!
//! A taint makes everything that comes to its pods unknown. Of these kinds it is known whom they
//! cannot touch, so that they are policies of a layer of their own instead: first the peers that
//! are spared, then a denial of which it is not known whether it holds
//! ([`crate::policy::spared_policy`]). Cost: two rules an object.

use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::rule::Shape;

/// Whom an object that only denies leaves alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparedPeers {
    /// How the parts of the object are called.
    pub shape: &'static Shape,
    /// The namespaces whose pods are left alone.
    pub namespaces: Selector,
    /// Whether everything outside the cluster is, too.
    pub outside: bool,
}

/// How the parts of these objects are called.
const SHAPE: Shape = Shape {
    kind: "Subnet",
    api_version: "kubeovn.io/v1",
    rules: ["private", "private"],
    peers: ["namespaces", "namespaces"],
    ports: "ports",
    subject: "namespaces",
    allow: "allow",
    has_actions: true,
};

/// A subnet of Kube-OVN.
pub static SUBNET: Shape = SHAPE;

/// A virtual private cloud of Kube-OVN.
pub static VPC: Shape = Shape {
    kind: "Vpc",
    ..SHAPE
};

/// A network namespace of `OpenShift`.
pub static NET_NAMESPACE: Shape = Shape {
    kind: "NetNamespace",
    api_version: "network.openshift.io/v1",
    subject: "netname",
    ..SHAPE
};

/// The pods of some namespaces, by their names.
pub fn named<'n>(names: impl Iterator<Item = &'n str>) -> Selector {
    let names = names.map(Into::into).collect();
    Selector::new([Requirement::In(NAMESPACE_NAME_LABEL.into(), names)])
}
