//! What becomes of the traffic that pods send their own nodes, behind the policies of the pods
//! (CA101).
//!
//! Nothing where it simply passes, as the manifests of the project set it; else a tier of the
//! layer of what leaves by a node, asked before all others of it. Cost: O(nodes with settings of
//! their own).

use crate::model::{Cluster, Requirement, Selector};
use crate::policy::calico::felix::FelixOfNode;
use crate::policy::calico::host_tiers::{HOST_ENDPOINT, HostPart, any_of, tier};
use crate::policy::calico::objects::CalicoObjects;
use crate::policy::calico::options::{CalicoSettings, EndpointToHost};
use crate::policy::host_labels::NODE;
use crate::policy::layer_policy::{LayerPolicies, PolicyHead};
use crate::policy::layout::RulePlace;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, Direction, Namespaces, Peer, Ports, Rule, Shape, Subject, Symbol,
};
use crate::policy::tier::{LayerIx, TierEnd};
use crate::set::IpSet;
use crate::source::{DocumentId, Path};

/// How the parts of Felix's settings are called.
static FELIX_CONFIGURATION: Shape = Shape {
    kind: "FelixConfiguration",
    subject: "defaultEndpointToHostAction",
    ..HOST_ENDPOINT
};

/// Adds what becomes of the traffic that pods send their own nodes, where that does not simply
/// pass (CA101). Cost: O(nodes with settings of their own).
pub fn add_endpoint_to_host(
    special: &mut PolicySet,
    cluster: &Cluster,
    objects: &CalicoObjects,
    settings: &CalicoSettings,
) {
    let mut layers = LayerPolicies::new(special);
    let single: Vec<&str> = objects
        .felix
        .iter()
        .filter_map(|f| f.node.as_deref())
        .collect();
    let others = Requirement::NotIn(NODE.into(), single.iter().map(|n| (*n).into()).collect());
    let every = (None, Selector::new((!single.is_empty()).then_some(others)));
    let one = |node: &str| {
        let own = Requirement::In(NODE.into(), vec![node.into()]);
        (Some(Box::<str>::from(node)), Selector::new([own]))
    };
    let all: Vec<_> = single.iter().map(|node| one(node)).chain([every]).collect();
    let addresses = cluster.nodes().flat_map(|(_, node)| &node.addresses);
    let nodes = IpSet::from_cidrs(addresses.map(|a| ipnet::IpNet::from(*a)));
    let own_node = [Peer::Addresses(nodes), Peer::Symbol(Symbol::OwnNode)];
    for (node, pods) in all {
        let told = FelixOfNode::new(&objects.felix, node.as_deref()).endpoint_to_host();
        let (action, document) = told.unwrap_or_else(|| {
            let assumed = settings.endpoint_to_host.unwrap_or_default();
            (assumed, DocumentId::NONE)
        });
        let doubt = match action {
            EndpointToHost::Accept => continue,
            EndpointToHost::Drop => None,
            EndpointToHost::Return => Some(Peer::Symbol(Symbol::Perhaps)),
        };
        let own_node = own_node.iter().cloned().chain(doubt).collect();
        let peers = any_of(vec![Peer::AllOf(own_node)]);
        let at = RulePlace::whole(Path::root().key("defaultEndpointToHostAction"));
        let head = PolicyHead {
            namespace: None,
            name: node.map_or("default".into(), |node| format!("node.{node}").into()),
            document,
            shape: &FELIX_CONFIGURATION,
        };
        let subject = Subject {
            namespaces: Namespaces::Matching(Selector::everything()),
            pods,
        };
        let rule = (Rule::new(Action::Deny, peers, Ports::Any), at);
        let policy = head.policy(Direction::Egress, subject, vec![rule]);
        let name = "endpoint to host".into();
        let layer = LayerIx::FORWARDED_OUT;
        layers.add(
            tier(layer, HostPart::EndpointToHost, name, 0, TierEnd::Pass),
            policy,
        );
    }
}
