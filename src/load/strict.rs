//! What the API server checks of the cluster's objects: types and ranges of every field that netpal
//! reads.
//!
//! A schema is data ([`Schema`]); [`check`] walks an object along it and notes every value that the
//! API server would refuse, at its path. Fields that netpal does not read are not in a schema. A
//! null is what Kubernetes takes it for: a field that is not given. Cost: O(fields in the schema).

use crate::load::object_schema::{
    self, Schema,
    Schema::{
        Address, AddressOrNone, Fields, Labels, List, Name, Number, PortName, PortOrName, Requires,
        Text, Texts, Truth, Word,
    },
};
use crate::policy::lowered::Invalid;
use crate::policy::validate::{
    is_dns_label, is_dns_subdomain, is_label_value, is_port_name, is_qualified_name,
};
use crate::source::Path;
use crate::tree::{PathTrail, Sniffed, SyntaxNode, Value};
use std::net::IpAddr;

/// Checks an object of the cluster.
pub fn check(kind: &str, node: &SyntaxNode) -> Vec<Invalid> {
    let schema = object_schema::of(kind, node);
    let mut found = Vec::new();
    walk(schema, node, &PathTrail::Root, &mut found);
    let metadata = node.get("metadata");
    let named = |key: &str| {
        metadata
            .and_then(|m| m.get(key))
            .is_some_and(|n| !is_blank(n))
    };
    if !named("name") && !named("generateName") {
        let path = Path::root().key("metadata").key("name");
        found.push(invalid(path, format!("a {kind} needs a name"), None));
    }
    found.extend(without_containers(node));
    found
}

/// A pod template whose list of containers is empty, mostly because their fields stand beside it.
fn without_containers(node: &SyntaxNode) -> Option<Invalid> {
    let spec = node.get("spec")?.get("template")?.get("spec")?;
    let containers = spec.get("containers")?;
    if !containers.is_null() && (!containers.items().is_empty() || !containers.entries().is_empty())
    {
        return None;
    }
    let keys = ["spec", "template", "spec", "containers"].into_iter();
    let path = keys.fold(Path::root(), |path, key| path.key(key));
    let fields = ["name", "image", "ports", "env", "command", "args"];
    let beside: Vec<&str> = fields
        .into_iter()
        .filter(|field| spec.get(field).is_some())
        .collect();
    let help = match beside.first() {
        None => "give it at least one container".to_owned(),
        Some(first) => format!(
            "{} stand beside it: write `- {first}: ...` below `containers:`, and indent the others as far",
            beside.join(", ")
        ),
    };
    Some(invalid(
        path,
        "a pod needs a container".to_owned(),
        Some(help),
    ))
}

fn is_blank(node: &SyntaxNode) -> bool {
    node.is_null() || node.as_str() == Some("")
}

fn invalid(path: Path, message: String, help: Option<String>) -> Invalid {
    Invalid {
        path,
        message,
        help,
        doubt: true,
        unknown_field: false,
        in_force: false,
    }
}

fn walk(schema: &Schema, node: &SyntaxNode, trail: &PathTrail<'_>, found: &mut Vec<Invalid>) {
    if node.is_null() {
        return;
    }
    let refused = match schema {
        Text => text(node).err(),
        Word(words) => word(node, words).err(),
        Address => text(node).and_then(address).err(),
        AddressOrNone if node.as_str() == Some("None") => None,
        AddressOrNone => text(node).and_then(address).err(),
        PortName => text(node).and_then(port_name).err(),
        Name(single) => text(node).and_then(|name| object_name(name, *single)).err(),
        Truth => expect(
            matches!(node.value, Value::Bool(_) | Value::Letter(_)),
            "a boolean",
        )
        .err(),
        Number(first, last) => number(node, *first, *last).err(),
        PortOrName => match node.as_str() {
            Some(name) => port_name(name).err(),
            None => number(node, 1, 65_535).err(),
        },
        Labels => return labels(node, trail, found),
        Texts => return each_entry(node, trail, found, |_, value| text(value).map(drop)),
        List(item) => return list(item, node, trail, found),
        Fields(fields) => return mapping(fields, node, trail, found),
        Requires(fields) => return requires(fields, node, trail, found),
    };
    if let Some(refused) = refused {
        found.push(refused.at(node, trail));
    }
}

/// Why a value is refused.
enum Refused {
    /// It is not of the type it must be.
    Type(&'static str),
    /// It is not in the range it must be in.
    Range(String),
}

impl Refused {
    fn at(self, node: &SyntaxNode, trail: &PathTrail<'_>) -> Invalid {
        let path = trail.path();
        match self {
            Self::Type(wanted) => {
                let quoted = wanted == "a string" && is_scalar(node);
                let unquoted = wanted != "a string" && node.as_str().is_some();
                let help = if quoted {
                    Some("write the value in quotes".to_owned())
                } else {
                    unquoted.then(|| "write the value without quotes".to_owned())
                };
                invalid(
                    path,
                    format!("expected {wanted}, found {}", node.kind_name()),
                    help,
                )
            }
            Self::Range(message) => invalid(path, message, None),
        }
    }
}

fn is_scalar(node: &SyntaxNode) -> bool {
    !matches!(node.value, Value::Sequence(_) | Value::Mapping(_))
}

fn expect(right: bool, wanted: &'static str) -> Result<(), Refused> {
    if right {
        Ok(())
    } else {
        Err(Refused::Type(wanted))
    }
}

fn text(node: &SyntaxNode) -> Result<&str, Refused> {
    if node.is_null() {
        return Ok("");
    }
    node.as_str().ok_or(Refused::Type("a string"))
}

fn word(node: &SyntaxNode, words: &[&str]) -> Result<(), Refused> {
    let found = text(node)?;
    if found.is_empty() || words.contains(&found) {
        return Ok(());
    }
    let message = format!("`{found}` is not one of {}", words.join(", "));
    Err(Refused::Range(message))
}

fn address(text: &str) -> Result<(), Refused> {
    let valid = text.parse::<IpAddr>().is_ok();
    if valid || text.is_empty() || Sniffed::is_placeholder(text) {
        return Ok(());
    }
    Err(Refused::Range(format!("`{text}` is not an IP address")))
}

fn port_name(name: &str) -> Result<(), Refused> {
    if name.is_empty() || is_port_name(name) {
        return Ok(());
    }
    let message = format!(
        "`{name}` is not a valid port name: 1 to 15 of a-z, 0-9 and -, with at least one letter"
    );
    Err(Refused::Range(message))
}

fn object_name(name: &str, single_label: bool) -> Result<(), Refused> {
    let valid = if single_label {
        is_dns_label(name)
    } else {
        is_dns_subdomain(name)
    };
    if valid || name.is_empty() || Sniffed::is_placeholder(name) {
        return Ok(());
    }
    let message = format!("`{name}` is not a valid name: use a-z, 0-9 and -");
    Err(Refused::Range(message))
}

fn number(node: &SyntaxNode, first: i64, last: i64) -> Result<(), Refused> {
    let is_number = matches!(node.value, Value::Int(_) | Value::UInt(_) | Value::Float(_));
    expect(is_number, "a whole number")?;
    match node.as_i64() {
        Some(n) if (first..=last).contains(&n) => Ok(()),
        found => {
            let found = found.map_or_else(|| "it".to_owned(), |n| format!("`{n}`"));
            Err(Refused::Range(format!("{found} must be {first} to {last}")))
        }
    }
}

fn labels(node: &SyntaxNode, trail: &PathTrail<'_>, found: &mut Vec<Invalid>) {
    each_entry(node, trail, found, |key, value| {
        let value = text(value)?;
        if !is_qualified_name(key) && !Sniffed::is_placeholder(key) {
            return Err(Refused::Range(format!("`{key}` is not a valid label key")));
        }
        if !is_label_value(value) && !Sniffed::is_placeholder(value) {
            return Err(Refused::Range(format!(
                "`{value}` is not a valid label value"
            )));
        }
        Ok(())
    });
}

fn each_entry(
    node: &SyntaxNode,
    trail: &PathTrail<'_>,
    found: &mut Vec<Invalid>,
    check: impl Fn(&str, &SyntaxNode) -> Result<(), Refused>,
) {
    if !matches!(node.value, Value::Mapping(_)) {
        return found.push(Refused::Type("a mapping").at(node, trail));
    }
    for entry in node.entries() {
        if let Err(refused) = check(&entry.key, &entry.value) {
            found.push(refused.at(&entry.value, &PathTrail::Key(trail, &entry.key)));
        }
    }
}

fn list(item: &Schema, node: &SyntaxNode, trail: &PathTrail<'_>, found: &mut Vec<Invalid>) {
    let Value::Sequence(items) = &node.value else {
        return found.push(Refused::Type("a list").at(node, trail));
    };
    for (i, node) in items.iter().enumerate() {
        walk(item, node, &PathTrail::Index(trail, i), found);
    }
}

fn mapping(
    fields: &[(&'static str, Schema)],
    node: &SyntaxNode,
    trail: &PathTrail<'_>,
    found: &mut Vec<Invalid>,
) {
    let Value::Mapping(entries) = &node.value else {
        return found.push(Refused::Type("a mapping").at(node, trail));
    };
    for entry in entries {
        if let Some((key, schema)) = fields.iter().find(|(key, _)| **key == *entry.key) {
            walk(schema, &entry.value, &PathTrail::Key(trail, key), found);
        }
    }
}

fn requires(
    fields: &[(&'static str, Schema)],
    node: &SyntaxNode,
    trail: &PathTrail<'_>,
    found: &mut Vec<Invalid>,
) {
    mapping(fields, node, trail, found);
    let Some((first, _)) = fields.first() else {
        return;
    };
    let given = node.get(first).is_some_and(|n| !n.is_null());
    if matches!(node.value, Value::Mapping(_)) && !given {
        found.push(invalid(trail.path(), format!("`{first}` is missing"), None));
    }
}
