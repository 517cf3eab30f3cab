//! What a document that could not be read may be, and so which verdicts it makes unknown.

use crate::load::assembly::Assembly;
use crate::load::bound_pod::BoundPod;
use crate::load::identity;
use crate::load::marked_pods::{MarkedPods, exactly, selects};
use crate::load::parsed_chunk::{ChunkHeader, ParsedChunk};
use crate::model::{Cluster, Node, Selector};
use crate::policy::dialects;
use crate::policy::layer_policy::PolicyHead;
use crate::policy::spared_policy;
use crate::policy::unmodelled::{SparedPeers, TaintNamespaces, TaintNodes, TaintPods, TaintReach};
use crate::policy::{
    Direction, Namespaces, Subject, Taint, TaintEffect, TaintReason, TaintSubject,
};
use crate::set::IpSet;
use crate::source::{FileId, Origin};
use crate::tree::Sniffed;

/// What a document that could not be read may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// Surely no policy.
    None,
    /// A policy of a kind that acts in the Network tier of one namespace.
    Network,
    /// It may be any policy.
    Any,
}

/// Whether a kind starts as every kind does.
fn is_word(kind: &str) -> bool {
    kind.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Judges a document that could not be read by what its lines say.
pub fn suspect(said: &ChunkHeader, text: &str) -> Suspicion {
    match said.kind.as_deref() {
        Some(kind) if !Sniffed::is_placeholder(kind) && is_word(kind) => {
            let version = said.api_version.as_deref().unwrap_or_default();
            if kind == "NetworkPolicy"
                && (version.is_empty() || version.starts_with("networking.k8s.io/"))
            {
                Suspicion::Network
            } else if dialects::may_be_policy_kind(kind)
                || (kind.ends_with("List") && text.contains("Policy"))
                || kind == "Template" && text.contains("Policy")
            {
                Suspicion::Any
            } else {
                Suspicion::None
            }
        }
        _ if sounds_like_policy(text) => Suspicion::Any,
        Some(_) => Suspicion::Any,
        None => Suspicion::None,
    }
}

/// Whether a text without a readable kind has words that hardly anything but a policy has.
fn sounds_like_policy(text: &str) -> bool {
    let words = [
        "NetworkPolicy",
        "policyTypes",
        "podSelector",
        "endpointSelector",
        "networking.k8s.io/v1",
    ];
    words.iter().any(|word| text.contains(word))
}

impl Assembly<'_> {
    pub(super) fn suspicion(&self, file: FileId, parsed: &ParsedChunk) -> Suspicion {
        let text = self
            .sources
            .file(file)
            .and_then(|f| f.text.part(parsed.chunk.start..parsed.chunk.end))
            .unwrap_or_default();
        suspect(&parsed.header, &text)
    }

    /// Whether a document that could not be read may be an object of the cluster.
    pub(super) fn may_be_of_cluster(&self, file: FileId, parsed: &ParsedChunk) -> bool {
        let kind = parsed.header.kind.as_deref();
        if let Some(kind) = kind.filter(|k| !Sniffed::is_placeholder(k)) {
            return identity::is_cluster_kind(kind) || kind.ends_with("List");
        }
        let source = self.sources.file(file);
        let text = source.and_then(|f| f.text.part(parsed.chunk.start..parsed.chunk.end));
        text.is_some_and(|text| text.contains("apiVersion") || text.contains("metadata"))
    }

    /// Leaves a taint for a policy that could not be read, over its namespace where that is known.
    pub(super) fn taint_unread(
        &mut self,
        what: &str,
        suspicion: Suspicion,
        namespace: Option<&str>,
        origin: Option<Origin>,
    ) {
        if self.options.ignore_broken {
            return;
        }
        let namespaces = match namespace {
            Some(name) => Namespaces::Named(name.into()),
            None => Namespaces::Matching(Selector::everything()),
        };
        let effect = if suspicion == Suspicion::Network {
            TaintEffect::UnorderedTier
        } else {
            TaintEffect::Anything
        };
        self.policies.taints.push(Taint {
            what: what.into(),
            reason: TaintReason::Broken,
            effect,
            subject: TaintSubject::Pods(Subject {
                namespaces,
                pods: Selector::everything(),
            }),
            directions: [true, true],
            origin,
        });
    }

    /// Leaves a taint for everything that an object can touch.
    pub(super) fn taint_reaches(
        &mut self,
        what: &str,
        reason: TaintReason,
        reaches: &[TaintReach],
        own: Option<&str>,
        origin: Option<&Origin>,
        cluster: &Cluster,
    ) {
        let mut is_listed = false;
        for reach in reaches {
            let subjects = if let TaintPods::OfNodes(nodes) = &reach.pods {
                vec![TaintSubject::Nodes(addresses(nodes, cluster))]
            } else {
                let subjects = self.subjects(reach, own, cluster).into_iter();
                subjects.map(TaintSubject::Pods).collect()
            };
            for subject in subjects {
                if let (Some(spares), TaintSubject::Pods(pods), Some(at)) =
                    (&reach.spares, &subject, origin)
                {
                    self.spare(what, reach.directions, pods, spares, at);
                    if is_listed {
                        continue;
                    }
                }
                // what a policy stands for touches nothing here, and is listed
                let is_policy = reach.spares.is_some() && origin.is_some();
                let is_policy = is_policy && matches!(subject, TaintSubject::Pods(_));
                is_listed |= is_policy;
                self.policies.taints.push(Taint {
                    what: what.into(),
                    reason,
                    effect: reach.effect,
                    subject,
                    directions: reach.directions.map(|touched| touched && !is_policy),
                    origin: origin.cloned(),
                });
            }
        }
    }

    /// Makes a policy of an object that surely leaves some peers alone.
    fn spare(
        &mut self,
        what: &str,
        directions: [bool; 2],
        subject: &Subject,
        spares: &SparedPeers,
        at: &Origin,
    ) {
        let Some(spares) = self.network_ids.settle(spares) else {
            return;
        };
        let Some(tier) = self.policies.tier(spared_policy::tier()) else {
            return;
        };
        let governed = Direction::ALL.into_iter().filter(|d| directions[d.index()]);
        for direction in governed {
            let head = PolicyHead {
                namespace: None,
                name: what.rsplit([' ', '/']).next().unwrap_or_default().into(),
                document: at.document,
                shape: spares.shape,
            };
            let ends = (direction, subject.clone());
            let mut policy = spared_policy::policy(head, ends, &spares, what);
            policy.tier = tier;
            self.interner.share(&mut policy);
            self.policies.policies.push(policy);
        }
    }

    /// The pods of a reach, as subjects.
    fn subjects(&self, reach: &TaintReach, own: Option<&str>, cluster: &Cluster) -> Vec<Subject> {
        let namespaces = match (&reach.namespaces, own) {
            (TaintNamespaces::Own, Some(name)) => Namespaces::Named(name.into()),
            (TaintNamespaces::Own, None) | (TaintNamespaces::All, _) => {
                Namespaces::Matching(Selector::everything())
            }
            (TaintNamespaces::Matching(selector), _) => Namespaces::Matching(selector.clone()),
        };
        let everyone = |pods: Selector| Subject {
            namespaces: namespaces.clone(),
            pods,
        };
        let bound = |matches: &dyn Fn(&BoundPod) -> bool| {
            self.subjects_of_bound(&namespaces, matches, cluster)
        };
        match &reach.pods {
            TaintPods::Labelled(pods) => vec![everyone(pods.clone())],
            TaintPods::Account(account) => bound(&|pod| pod.account.as_deref() == Some(account)),
            TaintPods::Annotated { key, word } => bound(&|pod| {
                pod.annotation(key)
                    .is_some_and(|v| has_word(v, word.as_deref()))
            }),
            TaintPods::InMesh {
                marks,
                labelled,
                service,
            } => {
                let mesh = MarkedPods::new(marks, cluster, self);
                mesh.subjects(&namespaces, labelled, service.as_deref())
            }
            TaintPods::Behind(service) => {
                let services = cluster.services().filter(|(_, s)| {
                    s.name == *service && selects(&namespaces, cluster.namespace(s.namespace))
                });
                let mut services = services.peekable();
                if services.peek().is_none() {
                    return vec![everyone(Selector::everything())]; // it is not in the input
                }
                let behind = services.filter_map(|(_, s)| {
                    Some(Subject {
                        namespaces: Namespaces::Named(cluster.namespace(s.namespace).name.clone()),
                        pods: s.selector.clone()?,
                    })
                });
                behind.collect()
            }
            TaintPods::OfNodes(_) => Vec::new(),
        }
    }

    /// Subjects for the bound pods that match: a namespace and the labels of a pod there.
    fn subjects_of_bound(
        &self,
        namespaces: &Namespaces,
        matches: &dyn Fn(&BoundPod) -> bool,
        cluster: &Cluster,
    ) -> Vec<Subject> {
        let mut subjects: Vec<Subject> = Vec::new();
        for bound in self.bound_pods.iter().filter(|b| matches(b)) {
            let pod = cluster.pod(bound.pod);
            let namespace = cluster.namespace(pod.namespace);
            if !selects(namespaces, namespace) {
                continue;
            }
            let subject = exactly(cluster, bound.pod);
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        subjects
    }
}

/// The addresses of the nodes that an object reaches, as far as they are told.
fn addresses(reached: &TaintNodes, cluster: &Cluster) -> IpSet {
    let means = |node: &Node| {
        let named = reached.name.as_deref() == Some(&*node.name);
        let selector = reached.labelled.as_ref();
        named || selector.is_some_and(|s| s.matches(&node.labels))
    };
    let nodes = cluster.nodes().filter(|(_, node)| means(node));
    let told = nodes.flat_map(|(_, node)| node.addresses.iter());
    let all = told.chain(&reached.addresses);
    IpSet::from_cidrs(all.map(|address| ipnet::IpNet::from(*address)))
}

/// Whether a list of words, separated by commas, has a word.
fn has_word(value: &str, word: Option<&str>) -> bool {
    word.is_none_or(|word| value.split(',').any(|w| w.trim() == word))
}
