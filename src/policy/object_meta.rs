//! What the API server checks of an object's own metadata besides its name: labels, annotations,
//! finalizers, owners (S9). None of it changes what a policy means, so that a policy with a mistake
//! here is refused and its meaning is not in doubt.

use crate::policy::lowered::Checks;
use crate::policy::validate::{is_dns_subdomain, is_label_value, is_qualified_name};
use crate::source::Path;
use crate::tree::SyntaxNode;

/// The fields that an owner has to have.
const OWNER: [&str; 4] = ["apiVersion", "kind", "name", "uid"];

/// Checks the metadata of an object.
pub fn check_object_meta(node: &SyntaxNode, checks: &mut Checks) {
    let Some(metadata) = node.get("metadata") else {
        return;
    };
    let at = Path::root().key("metadata");
    if let Some(labels) = metadata.get("labels") {
        check_labels(labels, &at.key("labels"), checks);
    }
    if let Some(annotations) = metadata.get("annotations") {
        check_annotations(annotations, &at.key("annotations"), checks);
    }
    if let Some(finalizers) = metadata.get("finalizers") {
        check_finalizers(finalizers, &at.key("finalizers"), checks);
    }
    if let Some(owners) = metadata.get("ownerReferences") {
        check_owners(owners, &at.key("ownerReferences"), checks);
    }
    let prefix = metadata.get("generateName").and_then(SyntaxNode::as_str);
    if let Some(prefix) = prefix.filter(|prefix| !is_name_prefix(prefix)) {
        let message = format!("`{prefix}` is not the beginning of a valid name");
        checks.refused(&at.key("generateName"), message);
    }
}

fn check_labels(labels: &SyntaxNode, at: &Path, checks: &mut Checks) {
    for label in labels.entries() {
        let path = at.key(&label.key);
        if !is_qualified_name(&label.key) {
            checks.refused(&path, format!("`{}` is not a valid label key", label.key));
        }
        let value = label.value.as_str().unwrap_or_default();
        if !is_label_value(value) {
            checks.refused(&path, format!("`{value}` is not a valid label value"));
        }
    }
}

/// Keys of annotations may have capital letters in their prefix.
fn check_annotations(annotations: &SyntaxNode, at: &Path, checks: &mut Checks) {
    for annotation in annotations.entries() {
        let key = &annotation.key;
        if !is_qualified_name(&key.to_lowercase()) {
            let message = format!("`{key}` is not a valid key of an annotation");
            checks.refused(&at.key(key), message);
        }
    }
}

/// A finalizer has a domain in front.
fn check_finalizers(finalizers: &SyntaxNode, at: &Path, checks: &mut Checks) {
    for (i, finalizer) in finalizers.items().iter().enumerate() {
        let name = finalizer.as_str().unwrap_or_default();
        let has_domain = name.contains('/') || STANDARD_FINALIZERS.contains(&name);
        if !is_qualified_name(name) || !has_domain {
            let message = format!("`{name}` is not a valid finalizer; write domain/name");
            checks.refused(&at.index(i), message);
        }
    }
}

/// The finalizers that have no domain.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

fn check_owners(owners: &SyntaxNode, at: &Path, checks: &mut Checks) {
    for (i, owner) in owners.items().iter().enumerate() {
        let is_missing = |field: &&&str| {
            let value = owner.get(field).and_then(SyntaxNode::as_str);
            value.unwrap_or_default().is_empty()
        };
        if let Some(field) = OWNER.iter().find(is_missing) {
            checks.refused(&at.index(i), format!("an owner needs `{field}`"));
        }
    }
}

/// Whether a text may be completed to a name: a hyphen or a dot may be at its end.
fn is_name_prefix(prefix: &str) -> bool {
    prefix.is_empty() || is_dns_subdomain(prefix) || is_dns_subdomain(&format!("{prefix}x"))
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    fn refused(metadata: &str) -> usize {
        let text = format!("metadata: {metadata}\n");
        let chunks = crate::tree::split(&text);
        let root = crate::tree::parse(&text, &chunks[0]).root;
        let mut checks = Checks::default();
        check_object_meta(&root.expect("a document"), &mut checks);
        checks.0.len()
    }

    #[test]
    fn s9_metadata_is_what_the_api_server_takes() {
        for fine in [
            "{labels: {app: web, example.com/tier: null, a: \"\"}}",
            "{annotations: {Example.com/Note: \"any text at all\"}}",
            "{finalizers: [example.com/guard, orphan], generateName: web-}",
            "{ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: u}]}",
        ] {
            assert_eq!(refused(fine), 0, "{fine}");
        }
        for wrong in [
            "{labels: {\"a b\": x}}",
            "{labels: {/a: x}}",
            "{labels: {a: \"_\"}}",
            "{annotations: {\"a-\": x}}",
            "{finalizers: [a]}",
            "{ownerReferences: [{}]}",
            "{generateName: a_}",
        ] {
            assert_eq!(refused(wrong), 1, "{wrong}");
        }
    }
}
