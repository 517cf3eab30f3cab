//! The form of [`Unlisted`] in a text: an object of netpal's own kind, beside the objects of the
//! cluster that were listed.

use crate::input::{Unlisted, UnlistedScope};
use crate::tree::SyntaxNode;
use serde_json::json;

/// The version and kind of the objects that say what was not listed.
const IDENTITY: (&str, &str) = ("netpal/v1", "Unlisted");

/// The reason of what the user may not list.
pub const FORBIDDEN: &str = "forbidden";

/// The reason of what was left out because nobody knows whether it is a network policy.
pub const NOT_KNOWN: &str = "not known to netpal";

/// A List of what was not listed; none if everything was.
pub fn text(unlisted: &[Unlisted]) -> Option<String> {
    let items: Vec<serde_json::Value> = unlisted.iter().map(object).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    (!unlisted.is_empty()).then(|| format!("{list:#}"))
}

/// The object that says of one kind that it was not listed.
pub(crate) fn object(unlisted: &Unlisted) -> serde_json::Value {
    let (key, names) = match &unlisted.scope {
        UnlistedScope::In(names) => ("namespaces", names),
        UnlistedScope::AllBut(names) => ("allBut", names),
    };
    json!({
        "apiVersion": IDENTITY.0,
        "kind": IDENTITY.1,
        "metadata": {"name": unlisted.resource},
        "group": unlisted.group,
        "listKind": unlisted.kind,
        key: names,
        "reason": unlisted.reason,
        "flags": unlisted.flags,
    })
}

/// Whether an object says what was not listed.
pub fn is_unlisted(api_version: &str, kind: &str) -> bool {
    (api_version, kind) == IDENTITY
}

/// What an object says of it. Where it says no namespaces, nothing of the kind was listed.
pub fn read(name: &str, node: &SyntaxNode) -> Unlisted {
    let text = |key: &str| node.get(key).and_then(SyntaxNode::as_str);
    let names = |key: &str| -> Option<Vec<Box<str>>> {
        let names = node.get(key)?.items().iter();
        Some(names.filter_map(|n| n.as_str().map(Into::into)).collect())
    };
    Unlisted {
        group: text("group").unwrap_or_default().into(),
        kind: text("listKind").unwrap_or_default().into(),
        resource: name.into(),
        scope: match names("namespaces").filter(|names| !names.is_empty()) {
            Some(names) => UnlistedScope::In(names),
            None => UnlistedScope::AllBut(names("allBut").unwrap_or_default()),
        },
        reason: text("reason").unwrap_or("not listed").into(),
        flags: names("flags").unwrap_or_default(),
    }
}

/// Many of a kind.
pub(crate) fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
        _ if kind.ends_with('s') && kind != "Endpoints" => format!("{kind}es"),
        _ if kind == "Endpoints" => kind.to_owned(),
        _ => format!("{kind}s"),
    }
}
