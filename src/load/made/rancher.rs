//! Rancher: the isolation of projects, which a switch of the cluster turns on.
//!
//! Each namespace of a project then lets the namespaces of its own project in, and those of the
//! system project, whose name no manifest has; further policies let nodes in, and everybody to
//! what is published. On which cluster the switch is set is not told.

use crate::load::made::custom::CustomObject;
use crate::load::made::generated::Generation;
use crate::load::made::outcome::Made;
use crate::load::made::world::{GeneratorWorld, KnownNamespace};
use crate::model::Truth;
use crate::source::Span;
use crate::tree;
use crate::tree::SyntaxNode;

/// The label and the annotation by which a namespace is of a project.
const PROJECT: &str = "field.cattle.io/projectId";

/// The project that a namespace is of.
pub fn project(space: &KnownNamespace) -> Option<&str> {
    let annotated = || {
        let told = space.facts.annotations.get(PROJECT)?;
        told.rsplit(':').next()
    };
    space.labels.get(PROJECT).or_else(annotated)
}

/// What the switch of a cluster makes.
pub fn made_of(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let on = custom
        .node
        .get("spec")?
        .get("enableNetworkPolicy")?
        .as_bool()?;
    let mut made = Made::handled();
    for space in world.spaces.iter().filter(|_| on) {
        let Some(project) = project(space) else {
            continue;
        };
        let generation = Generation {
            space,
            truth: Truth::Yes,
            unless: Some("whether the namespace is of this cluster is not told".into()),
        };
        let own = format!(
            "podSelector: {{}}\ningress: [{{from: [{{namespaceSelector: {{matchLabels: {{{PROJECT}: {project:?}}}}}}}]}}]"
        );
        let others = "podSelector: {}\ningress: [{}]";
        for (name, spec) in [("np-default", &*own), ("hn-nodes", others)] {
            if let Some(spec) = parsed(spec, custom.node.span) {
                generation.policy(name, spec, &mut made);
            }
        }
    }
    Some(made)
}

fn parsed(text: &str, span: Span) -> Option<SyntaxNode> {
    let chunks = tree::split(text);
    let root = tree::parse(text, chunks.first()?).root?;
    Some(SyntaxNode { span, ..root })
}
