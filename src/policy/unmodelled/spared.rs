//! Objects that are not modelled, only deny, and surely leave some peers or protocols alone: a
//! private subnet its own pods, a network namespace its own and the outside, a mesh all but TCP.
//!
//! A taint makes everything that comes to its pods unknown. Of these kinds it is known whom they
//! cannot touch, so that they are policies of a layer of their own instead: first the peers that
//! are spared, then a denial of which it is not known whether it holds
//! ([`crate::policy::spared_policy`]). Cost: two rules an object.

use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::rule::Shape;
use crate::set::IpSet;

/// Whom an object that only denies leaves alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparedPeers {
    /// How the parts of the object are called.
    pub shape: &'static Shape,
    /// The pods that are left alone.
    pub pods: SparedPods,
    /// Whether everything outside the cluster is, too.
    pub outside: bool,
    /// Addresses that are, too.
    pub blocks: IpSet,
    /// Whether all protocols but TCP are.
    pub other_protocols: bool,
}

/// The pods that an object leaves alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SparedPods {
    /// None.
    None,
    /// All of them.
    All,
    /// Those of some namespaces.
    In(Selector),
    /// Those of the namespace of the pod that is governed.
    OfSameNamespace,
    /// Those of the namespaces of this network id, and of those whose id is 0.
    OfNetwork(i64),
}

/// What a kind touches that is no network of its own.
impl SparedPeers {
    /// Nothing is left alone.
    pub fn nobody(shape: &'static Shape) -> Self {
        Self {
            shape,
            pods: SparedPods::None,
            outside: false,
            blocks: IpSet::empty(),
            other_protocols: false,
        }
    }

    /// Of a mesh, which takes only TCP (RC3).
    pub fn by_mesh(shape: &'static Shape) -> Self {
        Self {
            other_protocols: true,
            ..Self::nobody(shape)
        }
    }

    /// The same, where only what is outside the cluster is touched (RC4).
    #[must_use]
    pub fn but_outside(self) -> Self {
        Self {
            pods: SparedPods::All,
            ..self
        }
    }
}

/// How the parts of these objects are called.
const fn shape(group: &'static str, kind: &'static str) -> Shape {
    Shape {
        kind,
        api_version: group,
        rules: ["spec", "spec"],
        peers: ["spec", "spec"],
        ports: "ports",
        subject: "spec",
        allow: "allow",
        has_actions: true,
    }
}

/// The kinds that such policies are made of.
static SHAPES: [Shape; 30] = [
    shape("kubeovn.io/v1", "Subnet"),
    shape("kubeovn.io/v1", "Vpc"),
    shape("network.openshift.io/v1", "NetNamespace"),
    shape("network.openshift.io/v1", "EgressNetworkPolicy"),
    shape("k8s.ovn.org/v1", "EgressFirewall"),
    shape("crd.nsx.vmware.com/v1alpha1", "NetworkInfo"),
    shape("crd.nsx.vmware.com/v1alpha1", "Subnet"),
    shape("crd.nsx.vmware.com/v1alpha1", "SubnetSet"),
    shape("crd.nsx.vmware.com/v1alpha1", "SubnetPort"),
    shape("crd.nsx.vmware.com/v1alpha1", "VPCNetworkConfiguration"),
    shape("crd.nsx.vmware.com/v1alpha1", "AddressBinding"),
    shape("crd.nsx.vmware.com/v1alpha1", "StaticRoute"),
    shape("kuma.io/v1alpha1", "MeshTrafficPermission"),
    shape("kuma.io/v1alpha1", "TrafficPermission"),
    shape("kuma.io/v1alpha1", "Mesh"),
    shape("kuma.io/v1alpha1", "MeshPassthrough"),
    shape("kuma.io/v1alpha1", "MeshExternalService"),
    shape("kuma.io/v1alpha1", "ExternalService"),
    shape("consul.hashicorp.com/v1alpha1", "ServiceIntentions"),
    shape("access.smi-spec.io/v1alpha3", "TrafficTarget"),
    shape("policy.linkerd.io/v1alpha1", "EgressNetwork"),
    shape("networking.istio.io/v1", "Sidecar"),
    shape("rbac.istio.io/v1alpha1", "ServiceRole"),
    shape("rbac.istio.io/v1alpha1", "ServiceRoleBinding"),
    shape("rbac.istio.io/v1alpha1", "RbacConfig"),
    shape("rbac.istio.io/v1alpha1", "ClusterRbacConfig"),
    shape("authentication.istio.io/v1alpha1", "Policy"),
    shape("authentication.istio.io/v1alpha1", "MeshPolicy"),
    shape("cilium.io/v2", "CiliumLocalRedirectPolicy"),
    shape("", "policy"),
];

/// How the parts of a kind are called; those of an unknown kind like those of any object.
pub fn shape_of(api_version: &str, kind: &str) -> &'static Shape {
    let group = |version: &str| version.split('/').next().unwrap_or_default().to_owned();
    let same =
        |shape: &&Shape| shape.kind == kind && group(shape.api_version) == group(api_version);
    let last = &SHAPES[SHAPES.len() - 1];
    SHAPES.iter().find(same).unwrap_or(last)
}

/// The pods of some namespaces, by their names.
pub fn named<'n>(names: impl Iterator<Item = &'n str>) -> Selector {
    let names = names.map(Into::into).collect();
    Selector::new([Requirement::In(NAMESPACE_NAME_LABEL.into(), names)])
}
