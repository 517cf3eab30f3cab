//! `OpenShift`: the Template from which a project that somebody requests is made.
//!
//! Which namespaces were requested after the template was set is not told; a Namespace that was
//! applied has nothing of it. So every namespace of the input may have its policies.

use crate::load::made::fill::text_of;
use crate::load::made::generated::{Generation, is_of_interest};
use crate::load::made::outcome::Made;
use crate::load::made::placeholders::{Keys, filled_in, with_parameters};
use crate::load::made::world::{GeneratorWorld, KnownNamespace};
use crate::load::object::{Contribution, LoadedObject};
use crate::model::Truth;
use crate::tree::SyntaxNode;

/// Namespaces that nobody requests begin like this.
const OWN: [&str; 3] = ["openshift", "kube-", "default"];

/// Whether a Template is the one for projects, as the configuration of the input names it.
pub fn is_for_projects(template: &SyntaxNode, objects: &[LoadedObject]) -> bool {
    let name = template.get("metadata").and_then(|m| text_of(m, "name"));
    let mut projects = objects
        .iter()
        .filter_map(|object| match &object.contribution {
            Contribution::Custom(node) if &*object.kind == "Project" => Some(node),
            _ => None,
        });
    name.is_some() && projects.any(|project| template_of(project) == name)
}

/// The name of the Template that a configuration of projects names.
fn template_of(project: &SyntaxNode) -> Option<&str> {
    let template = project.get("spec")?.get("projectRequestTemplate")?;
    text_of(template, "name")
}

/// What the configuration of projects makes.
pub fn made_of(project: &SyntaxNode, world: &GeneratorWorld<'_>) -> Option<Made> {
    let name = template_of(project)?;
    let is_meant =
        |t: &&SyntaxNode| t.get("metadata").and_then(|m| text_of(m, "name")) == Some(name);
    let template = world.templates.iter().find(is_meant)?;
    let objects = template
        .get("objects")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let mut made = Made::handled();
    for space in &world.spaces {
        if OWN.iter().any(|own| space.name.starts_with(own)) {
            continue;
        }
        for object in objects.iter().filter(|object| is_of_interest(object)) {
            let unless = "only a project that was requested has the policies of the template, not a Namespace that was applied";
            let generation = Generation {
                space,
                truth: Truth::Yes,
                unless: Some(unless.to_owned()),
            };
            let object = filled(object, template, space);
            generation.expand(&object, &mut made);
        }
    }
    Some(made)
}

/// An object of a Template with its parameters filled in, as far as they have values.
fn filled(node: &SyntaxNode, template: &SyntaxNode, space: &KnownNamespace) -> SyntaxNode {
    filled_in(node, Keys::Kept, &|text| {
        let text = text.replace("${PROJECT_NAME}", &space.name);
        Some(with_parameters(text, template))
    })
}
