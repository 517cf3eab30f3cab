//! [`TaintReach`]: which verdicts an object that is not modelled can touch.

use crate::model::{Requirement, Selector};
use crate::policy::taint::TaintEffect;
use crate::policy::unmodelled::spared::SparedPeers;
use std::net::IpAddr;

/// One part of what an object can touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaintReach {
    /// What it can do to a verdict.
    pub effect: TaintEffect,
    /// In which directions, at the pods it governs: ingress, egress.
    pub directions: [bool; 2],
    /// In which namespaces.
    pub namespaces: TaintNamespaces,
    /// Which pods there.
    pub pods: TaintPods,
    /// Whom it surely leaves alone, if it only denies.
    pub spares: Option<SparedPeers>,
}

/// The namespaces an object reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaintNamespaces {
    /// Its own; every one, if it lives in none.
    Own,
    /// Every one.
    All,
    /// Those a selector selects.
    Matching(Selector),
}

/// The pods an object reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaintPods {
    /// Those with these labels.
    Labelled(Selector),
    /// Those that run as this service account.
    Account(Box<str>),
    /// Those that carry this annotation, with this word in its value if one is given.
    Annotated {
        /// The annotation.
        key: &'static str,
        /// A word of its value.
        word: Option<Box<str>>,
    },
    /// Those of a mesh; every one, where nothing in the input says who is of it.
    InMesh {
        /// How pods become part of it.
        marks: &'static MeshMarks,
        /// Only those with these labels.
        labelled: Selector,
        /// Only those that serve what the mesh calls so: every one, where nothing tells who does.
        service: Option<Box<str>>,
    },
    /// Those behind this Service of the object's namespace.
    Behind(Box<str>),
    /// No pods, but nodes, and with them the pods on a node's network.
    OfNodes(TaintNodes),
}

/// How pods become part of a mesh.
#[derive(Debug, PartialEq, Eq)]
pub struct MeshMarks {
    /// The label or annotation, of pods or namespaces.
    pub key: &'static str,
    /// The container of the proxy.
    pub container: &'static str,
    /// The annotation that tells what a pod serves, where it is not called as its Service.
    pub service: &'static str,
}

/// The nodes an object reaches: those that any of these means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaintNodes {
    /// The one of this name.
    pub name: Option<Box<str>>,
    /// Those with these labels.
    pub labelled: Option<Selector>,
    /// Those with these addresses.
    pub addresses: Vec<IpAddr>,
}

/// Both directions.
pub const BOTH: [bool; 2] = [true, true];
/// Ingress only.
pub const IN: [bool; 2] = [true, false];
/// Egress only.
pub const OUT: [bool; 2] = [false, true];

impl TaintReach {
    /// Every pod of the object's namespace, or of the cluster.
    pub fn own(effect: TaintEffect, directions: [bool; 2]) -> Self {
        Self {
            effect,
            directions,
            namespaces: TaintNamespaces::Own,
            pods: TaintPods::Labelled(Selector::everything()),
            spares: None,
        }
    }

    /// The same but for some peers.
    #[must_use]
    pub fn sparing(mut self, peers: SparedPeers) -> Self {
        self.spares = Some(peers);
        self
    }

    /// The same for the pods of a selector.
    #[must_use]
    pub fn labelled(mut self, pods: Selector) -> Self {
        self.pods = TaintPods::Labelled(pods);
        self
    }

    /// The same for other pods.
    #[must_use]
    pub fn pods(mut self, pods: TaintPods) -> Self {
        self.pods = pods;
        self
    }

    /// What nodes send and receive may be denied.
    pub fn nodes(directions: [bool; 2], nodes: TaintNodes) -> Self {
        Self::own(TaintEffect::OnlyDeny, directions).pods(TaintPods::OfNodes(nodes))
    }

    /// The same, where it may allow as well as deny.
    #[must_use]
    pub fn anything(mut self) -> Self {
        self.effect = TaintEffect::Anything;
        self.spares = None;
        self
    }

    /// The same in other namespaces.
    #[must_use]
    pub fn namespaces(mut self, namespaces: TaintNamespaces) -> Self {
        self.namespaces = namespaces;
        self
    }

    /// The same in the namespaces of these names.
    #[must_use]
    pub fn named<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        let named = Requirement::In(crate::model::NAMESPACE_NAME_LABEL.into(), names);
        self.namespaces(TaintNamespaces::Matching(Selector::new([named])))
    }

    /// The same without conditions on labels that only a network plugin knows.
    #[must_use]
    pub fn without_plugin_labels(mut self) -> Self {
        let plain = |selector: &Selector| {
            let requirements = selector.requirements().iter();
            Selector::new(requirements.filter(|r| !is_plugin_label(r.key())).cloned())
        };
        if let TaintPods::Labelled(pods) = &mut self.pods {
            *pods = plain(pods);
        }
        if let TaintNamespaces::Matching(namespaces) = &mut self.namespaces {
            *namespaces = plain(namespaces);
        }
        self
    }
}

/// Whether a label is one that only a network plugin gives to pods.
pub fn is_plugin_label(key: &str) -> bool {
    key.starts_with("io.cilium.k8s.") || key.starts_with("io.kubernetes.pod.")
}
