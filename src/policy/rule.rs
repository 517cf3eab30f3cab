//! The IR: one tiered rule form that every dialect lowers into.
//!
//! A verdict is egress at the source AND ingress at the destination, in every layer. Per direction
//! a pod passes the tiers of a layer in order; a tier holds policies, ordered by priority where the
//! tier is ordered; a policy holds ordered rules `subject x peer x traffic -> action`.
//!
//! Invariants: nothing here names a dialect; layers and tiers are data ([`super::tier`]). A rule is
//! found again by its index alone ([`super::rule_ref`]); its path in the manifest is derived from
//! the indices and the policy's [`Shape`], so a position costs no memory per rule. Road not taken:
//! a path stored with every rule, peer and port; it made the policies larger than the cluster.

use crate::model::{Selector, Truth};
use crate::policy::antrea::policy::AntreaPolicy;
use crate::policy::calico::policy::{CalicoPolicy, StagedAction};
use crate::policy::cilium::written::WrittenRule;
use crate::policy::layout::Layout;
pub use crate::policy::priority::Priority;
pub use crate::policy::qualifier::Qualifier;
use crate::policy::tier::{OwnNode, TierIx};
use crate::set::{IpSet, Protocol, TrafficSet};
use crate::source::{DocumentId, Origin, Path};
use std::sync::Arc;

/// The direction at the governed pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Into the pod.
    Ingress,
    /// Out of the pod.
    Egress,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Ingress, Self::Egress];

    /// Index for per-direction pairs.
    pub const fn index(self) -> usize {
        match self {
            Self::Ingress => 0,
            Self::Egress => 1,
        }
    }

    /// The word in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

impl OwnNode {
    /// Whether one direction of a pod is exempt.
    pub fn exempts(self, direction: Direction) -> bool {
        match self {
            Self::Policed => false,
            Self::MayCall => direction == Direction::Ingress,
            Self::Exempt => true,
        }
    }
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Lets it through this direction.
    Allow,
    /// Stops it.
    Deny,
    /// Leaves the rest of this tier to the next ones (S75, S106).
    Pass,
}

/// Which namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Namespaces {
    /// The one of this name.
    Named(Box<str>),
    /// Those a selector selects.
    Matching(Selector),
    /// Those whose values of all these labels equal the subject namespace's; all must be present on
    /// both (S92).
    SameLabels(Vec<Box<str>>),
    /// Those that carry all these labels and differ from the subject's namespace in at least one
    /// (S92).
    NotSameLabels(Vec<Box<str>>),
}

/// Whom a policy governs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// In which namespaces.
    pub namespaces: Namespaces,
    /// Which pods there.
    pub pods: Selector,
}

/// The other side of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Pods in namespaces (S29-S33).
    Pods(Namespaces, Selector),
    /// Addresses (S35, S80); may match pods by their addresses (S40).
    Addresses(IpSet),
    /// The nodes a selector selects, by their addresses (S81).
    Nodes(Selector),
    /// A domain name; which addresses it stands for is not in the manifests (S82).
    Domain(Box<str>),
    /// Something that has a name in a dialect and no address in the manifests.
    Symbol(Symbol),
    /// Addresses, where what has them is of this kind.
    Owned(AddressOwner, IpSet),
    /// Every endpoint that one of these matches.
    AnyOf(Arc<[Peer]>),
    /// Every endpoint that all of these match.
    AllOf(Arc<[Peer]>),
    /// Every endpoint that none of these matches.
    NoneOf(Arc<[Peer]>),
    /// Something a newer API knows: matched by every endpoint or by none, whichever closes (S83).
    Unreadable {
        /// Whether it matches everything.
        everything: bool,
    },
}

impl Peer {
    /// Whatever is no pod on the pod network: the outside, and nodes.
    pub fn no_pod() -> Self {
        Self::Owned(AddressOwner::NoPod, IpSet::full())
    }

    /// Calls a function with this peer and with all that it is made of.
    pub fn visit<'p>(&'p self, call: &mut impl FnMut(&'p Self)) {
        call(self);
        if let Self::NoneOf(peers) | Self::AllOf(peers) | Self::AnyOf(peers) = self {
            peers.iter().for_each(|p| p.visit(call));
        }
    }

    /// Whether something holds of this peer or of any that it is made of.
    pub fn any(&self, holds: &impl Fn(&Self) -> bool) -> bool {
        let mut found = false;
        self.visit(&mut |p| found |= holds(p));
        found
    }
}

/// A peer by what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Symbol {
    /// Every address that belongs to no pod and no node.
    World,
    /// Every node, by its addresses and the pods on its network.
    Nodes,
    /// The API server, wherever it runs.
    ApiServer,
    /// The node that the governed pod runs on, with the pods on its network.
    OwnNode,
    /// Every other node, with the pods on its network.
    OtherNodes,
    /// Every endpoint.
    Everything,
    /// The proxy of the network plugin that serves Ingresses and Gateways: neither a pod nor an
    /// address.
    IngressProxy,
    /// Outside addresses that the manifests do not tell, such as the members of a security group
    /// of a cloud.
    SomeOutside,
    /// Perhaps everything but pods on the pod network.
    PerhapsNoPod,
    /// Perhaps everything: what decides it is not in the input.
    Perhaps,
}

impl Symbol {
    /// Whether whom it means depends on the node of the governed pod.
    pub const fn is_relative(self) -> bool {
        matches!(self, Self::OwnNode | Self::OtherNodes)
    }
}

/// Who has an address that a peer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressOwner {
    /// A node, or a pod on its network.
    Nodes,
    /// A pod on the pod network.
    Pods,
    /// Something of the network plugin: an endpoint of its own that is neither.
    Plugin,
    /// Anything but a pod on the pod network: the outside, and nodes.
    NoPod,
    /// Whatever has the address, pods included, where the network plugin says otherwise too.
    Anyone,
}

/// The other sides of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peers {
    /// No restriction (S15).
    Any,
    /// Any of these (S32); rules that name the same peers share the list (see
    /// [`crate::policy::interner`]).
    Of(Arc<[Peer]>),
}

/// One entry of a rule's ports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PortMatch {
    /// Numbers.
    Traffic(TrafficSet),
    /// A port name, resolved on each destination pod (S48); the protocol must agree where one is
    /// named (S49, S87).
    Named(Box<str>, Option<Protocol>),
    /// A protocol without ports (ICMP and others); no flow that is asked about uses it.
    Portless(Box<str>),
}

/// The ports of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ports {
    /// No restriction (S16).
    Any,
    /// Any of these; shared as the peers are.
    Of(Arc<[PortMatch]>),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What it does.
    pub action: Action,
    /// With whom.
    pub peers: Peers,
    /// On which ports of the destination.
    pub ports: Ports,
    /// Which of its policy's subjects it is for; nearly always all of them.
    pub subjects: Peers,
    /// Its name, where the dialect has one.
    pub name: Option<Box<str>>,
    /// What it also depends on and a flow does not show; a rule with any of them may match, and
    /// never certainly does.
    pub qualifiers: Vec<Qualifier>,
}

impl Rule {
    /// Whether it says only in words what it asks of requests and identities.
    pub fn asks_of_requests(&self) -> bool {
        let told = |q: &Qualifier| matches!(q, Qualifier::SourcePorts(_));
        !self.qualifiers.iter().all(told)
    }

    /// A rule for every subject of its policy, on no condition.
    pub fn new(action: Action, peers: Peers, ports: Ports) -> Self {
        Self {
            action,
            peers,
            ports,
            subjects: Peers::Any,
            name: None,
            qualifiers: Vec::new(),
        }
    }

    /// Whether what it allows is asked for a request: without one that it lets through there is no
    /// connection, even where nothing else isolates.
    pub fn asks_for_request(&self) -> bool {
        let application = |q: &Qualifier| matches!(q, Qualifier::Application(_));
        self.action == Action::Allow && self.qualifiers.iter().any(application)
    }

    /// The lists of endpoints that it names: its peers, and those of its policy's subjects.
    pub fn ends(&self) -> impl Iterator<Item = &Arc<[Peer]>> {
        let lists = [&self.peers, &self.subjects].into_iter();
        lists.filter_map(|list| match list {
            Peers::Of(list) => Some(list),
            Peers::Any => None,
        })
    }

    /// Whether a rule that allows also holds other rules' traffic to its condition.
    pub fn binds(&self) -> bool {
        self.action == Action::Allow && self.qualifiers.iter().any(Qualifier::binds)
    }
}

/// The words a dialect uses for the parts of a rule, to find them again in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The kind, as it is written.
    pub kind: &'static str,
    /// The API group and version.
    pub api_version: &'static str,
    /// The field with the rules, per direction.
    pub rules: [&'static str; 2],
    /// The field with the peers, per direction.
    pub peers: [&'static str; 2],
    /// The field with the ports.
    pub ports: &'static str,
    /// The field with the subject.
    pub subject: &'static str,
    /// The dialect's word for Allow.
    pub allow: &'static str,
    /// Whether its rules say what they do, and its policies have a priority.
    pub has_actions: bool,
}

/// One policy, lowered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its namespace; `None` for cluster-wide policies.
    pub namespace: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// The document it stands in.
    pub document: DocumentId,
    /// How its parts are called.
    pub shape: &'static Shape,
    /// Its tier.
    pub tier: TierIx,
    /// Lower is asked first, inside an ordered tier (S71, S101); 0 in the others.
    pub priority: Priority,
    /// What decides between equal priorities where the tier orders them; none where its name does.
    pub tie: Option<Box<str>>,
    /// Whom it governs.
    pub subject: Subject,
    /// Whether its rules are in force, per direction (S11, S12).
    pub applies: [bool; 2],
    /// Whether it isolates its subjects, per direction (S11): what no rule decides is denied where
    /// the tier ends so.
    pub isolates: [bool; 2],
    /// Whether it is asked about a pod's connection to itself through a Service (S54, S122); the
    /// API does not say of the v1alpha1 kinds.
    pub sees_own_service: Truth,
    /// Its rules, per direction, in order.
    pub rules: [Vec<Rule>; 2],
    /// Where its rules stand, where the shape alone does not tell.
    pub layout: Option<Arc<Layout>>,
    /// What it was lowered from, where options of the network plugin and other objects decide what
    /// that means; lowered once more under each set of options.
    pub written: Option<PolicySource>,
    /// What makes it, where it is not written out.
    pub generated: Option<Arc<GeneratedBy>>,
}

/// What a policy is written as, in a dialect that is lowered once more for each graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// A Rule of Cilium.
    Cilium(Arc<WrittenRule>),
    /// A policy of Calico.
    Calico(Arc<CalicoPolicy>),
    /// A policy of Antrea.
    Antrea(Arc<AntreaPolicy>),
    /// A `NetworkPolicy` that Calico has staged, and what promoting it does.
    Staged(StagedAction),
    /// A cluster network policy: those of its peers that are whole namespaces, by direction, rule
    /// and peer. To a network plugin they may be more than pods.
    Admin(Arc<[(Direction, usize, usize)]>),
}

/// What makes a policy that is not written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedBy {
    /// The kind and name of what makes it: `Dragonfly shop/cache`.
    pub by: Box<str>,
    /// Why it may not be there; none where it certainly is.
    pub unless: Option<Box<str>>,
}

impl Policy {
    /// `namespace/name`, or the bare name of a cluster-wide policy.
    pub fn full_name(&self) -> String {
        self.namespace
            .as_ref()
            .map_or_else(|| self.name.to_string(), |ns| format!("{ns}/{}", self.name))
    }

    /// What decides between it and others of its priority where the tier orders them.
    pub fn tie(&self) -> &str {
        self.tie.as_deref().unwrap_or(&self.name)
    }

    /// The Rule of Cilium that it was lowered from, if it was.
    pub fn cilium(&self) -> Option<&Arc<WrittenRule>> {
        match &self.written {
            Some(PolicySource::Cilium(written)) => Some(written),
            _ => None,
        }
    }

    /// The policy of Calico that it was lowered from, if it was.
    pub fn calico(&self) -> Option<&Arc<CalicoPolicy>> {
        match &self.written {
            Some(PolicySource::Calico(written)) => Some(written),
            _ => None,
        }
    }

    /// What promoting it does, if it is staged (CA112).
    pub fn staged(&self) -> Option<StagedAction> {
        match &self.written {
            Some(PolicySource::Calico(written)) => written.staged,
            Some(PolicySource::Staged(action)) => Some(*action),
            _ => None,
        }
    }

    /// Whether it was lowered from a policy of a network plugin's own.
    pub fn is_of_plugin(&self) -> bool {
        match self.written {
            Some(PolicySource::Cilium(_) | PolicySource::Calico(_) | PolicySource::Antrea(_)) => {
                true
            }
            Some(PolicySource::Admin(_) | PolicySource::Staged(_)) | None => false,
        }
    }

    /// The policy of Antrea that it was lowered from, if it was.
    pub fn antrea(&self) -> Option<&Arc<AntreaPolicy>> {
        match &self.written {
            Some(PolicySource::Antrea(written)) => Some(written),
            _ => None,
        }
    }

    /// Whether its rules only let through, and isolate whom it selects, as those of
    /// `NetworkPolicy` do: whatever tier a network plugin asks it in.
    pub fn is_additive(&self) -> bool {
        !self.shape.has_actions
    }

    /// Whether a peer is whole namespaces, as far as its dialect tells these from pods.
    pub fn is_whole_namespaces(&self, direction: Direction, rule: usize, peer: usize) -> bool {
        match &self.written {
            Some(PolicySource::Admin(whole)) => whole.contains(&(direction, rule, peer)),
            _ => false,
        }
    }

    /// The rules of one direction.
    pub fn rules(&self, direction: Direction) -> &[Rule] {
        &self.rules[direction.index()]
    }

    /// Whether it isolates its subjects in one direction.
    pub fn isolates(&self, direction: Direction) -> bool {
        self.isolates[direction.index()]
    }

    /// Whether it is there: what makes it may have done so or not.
    pub fn presence(&self) -> Truth {
        let doubt = self.generated.as_ref().and_then(|g| g.unless.as_ref());
        Truth::from(doubt.is_none()).or(Truth::Maybe)
    }

    /// Whether it has any say in this direction.
    pub fn governs(&self, direction: Direction) -> bool {
        self.applies[direction.index()]
            && (self.isolates(direction) || !self.rules(direction).is_empty())
    }

    /// Where the policy begins in its object.
    pub fn root(&self) -> Path {
        let layout = self.layout.as_deref();
        layout.map_or_else(|| Path::root().key("spec"), |layout| layout.root.clone())
    }

    /// Where its subject stands.
    pub fn subject_origin(&self) -> Origin {
        if self.generated.is_some() {
            return Origin::document(self.document);
        }
        Origin::new(self.document, self.root().key(self.shape.subject))
    }
}
