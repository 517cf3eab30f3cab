//! Well-known words, nodes, and objects that name addresses: each with what it stands for.

use crate::graph::AllowGraph;
use crate::model::Cluster;
use crate::potential::stand_in::is_loaded;
use crate::query::ask::asked_traffic::dns;
use crate::query::ask::grammar::{EndpointSpec, Keyword, Target};
use crate::query::ask::resolve::{Context, resolve};
use crate::query::ask::resolved::{End, Resolved};
use crate::render::report::ask::ends::{PodNumbers, ResolvedData, resolved};
use crate::render::report::ask::interned::{Ranges, ranges_of};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most nodes that a page names.
const MOST_NODES: usize = 500;

/// The words whose meaning is the same for all who ask.
const FIXED: [Keyword; 8] = [
    Keyword::Internet,
    Keyword::Internet4,
    Keyword::Internet6,
    Keyword::Private,
    Keyword::Imds,
    Keyword::Dns,
    Keyword::ApiServer,
    Keyword::Nodes,
];

/// What words stand for.
#[derive(Debug, Serialize)]
pub(super) struct KnownWords {
    /// Keywords; without that of the DNS where its pods are not loaded.
    keywords: BTreeMap<&'static str, ResolvedData>,
    /// Nodes by name; `None` where they are too many.
    nodes: Option<BTreeMap<String, ResolvedData>>,
    /// Node addresses.
    at_nodes: Vec<String>,
    /// Other names for addresses: the word, the namespace, the name.
    named: Vec<(&'static str, Option<String>, String, ResolvedData)>,
    /// What is asked of the DNS where no port is named: of pods, and of an address.
    dns: (Vec<(Vec<usize>, Ranges)>, Ranges),
}

impl KnownWords {
    pub(super) fn new(graph: &AllowGraph, names: &Context) -> Self {
        let cluster = &graph.environment().cluster;
        let numbers = PodNumbers::new(cluster);
        let of = |target| resolved_target(cluster, names, &numbers, target);
        let (namespace, labels) = &names.dns;
        let has_dns = is_loaded(cluster, namespace, labels);
        let told = FIXED
            .into_iter()
            .filter(|word| has_dns || *word != Keyword::Dns);
        let keywords = told.filter_map(|word| Some((word.word(), of(Target::Keyword(word))?.0)));
        let mut dns_pods = Vec::new();
        if let Some((_, found)) = of(Target::Keyword(Keyword::Dns)) {
            for end in &found.ends {
                let End::Pods { pods, .. } = end else {
                    continue;
                };
                dns_pods.extend(pods.iter().map(|pod| {
                    let asked = ranges_of(&dns(cluster, Some(cluster.pod(*pod))));
                    (numbers.runs(&[*pod]), asked)
                }));
            }
        }
        let node_names = node_names(cluster);
        let node = |name: &&str| Some(((*name).to_owned(), of(Target::Node((*name).into()))?.0));
        let addresses = cluster.nodes().flat_map(|(_, node)| &node.addresses);
        let groups = cluster.named_addresses().iter();
        let named = groups.filter_map(|group| {
            let (kind, namespace, name) = (group.kind, group.namespace.clone(), group.name.clone());
            let row = (
                kind.word(),
                namespace.as_deref().map(Into::into),
                name.to_string(),
            );
            let found = of(Target::Named {
                kind,
                namespace,
                name,
            })?;
            Some((row.0, row.1, row.2, found.0))
        });
        Self {
            keywords: keywords.collect(),
            nodes: (node_names.len() <= MOST_NODES)
                .then(|| node_names.iter().filter_map(node).collect()),
            at_nodes: addresses.map(ToString::to_string).collect(),
            named: named.collect(),
            dns: (dns_pods, ranges_of(&dns(cluster, None))),
        }
    }
}

fn resolved_target(
    cluster: &Cluster,
    names: &Context,
    numbers: &PodNumbers,
    target: Target,
) -> Option<(ResolvedData, Resolved)> {
    let spec = EndpointSpec {
        target,
        ports: None,
        text: "".into(),
    };
    let found = resolve(cluster, names, &spec).ok()?;
    Some((resolved(numbers, &found), found))
}

/// The names of nodes, of which some only pods tell.
fn node_names(cluster: &Cluster) -> BTreeSet<&str> {
    let objects = cluster.nodes().map(|(_, node)| &*node.name);
    let of_pods = cluster.pods().filter_map(|(_, pod)| pod.node.as_deref());
    objects.chain(of_pods).collect()
}
