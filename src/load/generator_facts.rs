//! [`GeneratorFacts`]: what generators of policies ask of a Namespace or of a policy besides what
//! it says in itself: its annotations, its labels, and whom it belongs to.

use crate::load::workloads;
use crate::model::Labels;
use crate::tree::SyntaxNode;

/// What generators ask of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GeneratorFacts {
    /// Its labels; a Namespace has them as its content.
    pub labels: Labels,
    /// Its annotations, without those in which tools keep whole objects.
    pub annotations: Labels,
    /// Kind and name of the objects that it belongs to.
    pub owners: Box<[(Box<str>, Box<str>)]>,
}

impl GeneratorFacts {
    /// The facts of an object; none where it says none of them, or is of another kind.
    pub fn new(kind: &str, node: &SyntaxNode) -> Option<Box<Self>> {
        if !matches!(kind, "Namespace" | "NetworkPolicy") {
            return None;
        }
        let metadata = node.get("metadata")?;
        let labels = match kind {
            "Namespace" => Labels::default(),
            _ => workloads::labels(node),
        };
        let annotations = metadata.get("annotations").map(SyntaxNode::entries);
        let annotations = annotations.unwrap_or_default().iter();
        let annotations = annotations.filter(|e| !e.key.ends_with("/last-applied-configuration"));
        let owners = metadata.get("ownerReferences").map(SyntaxNode::items);
        let owners = owners.unwrap_or_default().iter().filter_map(|owner| {
            let word = |key: &str| owner.get(key).and_then(SyntaxNode::as_str);
            Some((word("kind")?.into(), word("name")?.into()))
        });
        let facts = Self {
            labels,
            annotations: annotations
                .filter_map(|e| Some((&*e.key, e.value.as_str()?)))
                .collect(),
            owners: owners.collect(),
        };
        (facts != Self::default()).then(|| Box::new(facts))
    }
}
