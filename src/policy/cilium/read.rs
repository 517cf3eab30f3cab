//! Reads objects of Cilium strictly and lowers them (CI1-CI9).

use crate::policy::cilium::check::EntryCheck;
use crate::policy::cilium::lower::{Knowledge, Standing, lower};
use crate::policy::cilium::options::CiliumOptions;
use crate::policy::cilium::refusals::Refusals;
use crate::policy::cilium::selector::{names_account, names_other_source};
use crate::policy::cilium::written::{
    CiliumEntry, CiliumObject, EntryFields, LISTS, RuleForm, WrittenRule, WrittenSelector,
    WrittenSubject,
};
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::object_meta::check_object_meta;
use crate::policy::plugin::CidrGroup;
use crate::policy::unmodelled;
use crate::policy::validate::{check_metadata, decoded, parse_cidr};
use crate::source::Path;
use crate::tree::{Problem, SyntaxNode};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use std::sync::Arc;

/// Reads a `CiliumNetworkPolicy`.
pub fn namespaced(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read(node, header, true)
}

/// Reads a `CiliumClusterwideNetworkPolicy`.
pub fn clusterwide(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read(node, header, false)
}

fn read(node: &SyntaxNode, header: Header<'_>, namespaced: bool) -> Lowered {
    let (object, problems) = decoded::<CiliumObject>(node);
    let kind = if namespaced {
        "CiliumNetworkPolicy"
    } else {
        "CiliumClusterwideNetworkPolicy"
    };
    let reaches = || Some(unmodelled::reach_of(kind, node));
    let Some(object) = object else {
        return Lowered {
            problems,
            reaches: reaches(),
            ..Lowered::default()
        };
    };
    let mut checks = Checks::default();
    check_metadata(&header, namespaced, &mut checks);
    check_object_meta(node, &mut checks);
    let mut refusals = Refusals {
        checks: &mut checks,
        void: false,
        version: header.cilium,
        unchecked: false,
    };
    let namespace = namespaced.then_some(header.namespace);
    let rules = rules(object, namespace, &mut refusals);
    let void = refusals.void;
    let refused = checks.0.iter().any(|i| i.doubt) || problems.iter().any(Problem::is_error);
    let unread = rules.iter().any(|(_, rule)| is_unread(rule));
    if refused || unread {
        return Lowered {
            problems,
            invalid: checks.0,
            reaches: reaches(),
            ..Lowered::default()
        };
    }
    let options = CiliumOptions::default();
    let known = Knowledge {
        options: &options,
        cluster: None,
        groups: &[],
        tells_api_server: false,
    };
    let lowered = rules.into_iter().filter(|_| !void).map(|(root, rule)| {
        let standing = Standing {
            name: header.name,
            document: header.document,
            root,
        };
        lower(&Arc::new(rule), &standing, known)
    });
    Lowered {
        policies: lowered.collect(),
        void,
        problems,
        invalid: checks.0,
        ..Lowered::default()
    }
}

/// The Rules of an object, each with its place (CI2).
fn rules(
    object: CiliumObject,
    namespace: Option<&str>,
    refusals: &mut Refusals<'_>,
) -> Vec<(Path, WrittenRule)> {
    let root = Path::root();
    if object.spec.is_none() && object.specs.as_ref().is_none_or(Vec::is_empty) {
        refusals.agent(&root.key("spec"), "a policy has `spec` or `specs`"); // CI200
    }
    let first = object.spec.into_iter().map(|form| (root.key("spec"), form));
    let others = object.specs.into_iter().flatten().enumerate();
    let others = others.map(|(i, form)| (root.key("specs").index(i), form));
    let all = first.chain(others);
    all.filter_map(|(at, form)| Some((at.clone(), rule(form, namespace, &at, refusals)?)))
        .collect()
}

/// A Rule, checked.
fn rule(
    form: RuleForm,
    namespace: Option<&str>,
    at: &Path,
    refusals: &mut Refusals<'_>,
) -> Option<WrittenRule> {
    let subject = subject(
        form.endpoint_selector,
        form.node_selector,
        namespace,
        at,
        refusals,
    );
    let written = WrittenRule {
        namespace: namespace.map(Into::into),
        subject: subject?,
        allows: [entries(form.ingress), entries(form.egress)],
        denies: [entries(form.ingress_deny), entries(form.egress_deny)],
        default_deny: form.enable_default_deny.unwrap_or_default(),
    };
    let lists = written.allows.iter().chain(&written.denies);
    if lists.flatten().flatten().next().is_none() && refusals.version >= 18 {
        let message = "a Rule without an entry in any of its lists"; // CI203, CI56
        refusals.agent(at, message);
    }
    if let Some(value) = form.log.and_then(|log| log.value)
        && (value.len() > 32 || !value.chars().all(|c| c.is_ascii_graphic() || c == ' '))
    {
        let at = at.key("log").key("value");
        refusals.schema(&at, "at most 32 printable characters");
    }
    for direction in [0, 1] {
        for deny in [false, true] {
            refusals.unchecked = deny && refusals.version < 18;
            let mut check = EntryCheck {
                refusals,
                direction,
                deny,
                of_nodes: matches!(written.subject, WrittenSubject::Nodes(_)),
            };
            for (i, entry) in written.entries(direction, deny).iter().enumerate() {
                check.entry(entry, at, i);
            }
        }
    }
    refusals.unchecked = false;
    Some(written)
}

/// The entries of a list; one of null is empty.
fn entries<F: Default + Into<CiliumEntry>>(
    list: Option<Vec<Option<F>>>,
) -> Option<Vec<CiliumEntry>> {
    let each = list?.into_iter().map(Option::unwrap_or_default);
    Some(each.map(Into::into).collect())
}

/// Whom a Rule governs: exactly one of the two (CI201, CI202).
fn subject(
    endpoints: Option<WrittenSelector>,
    nodes: Option<WrittenSelector>,
    namespace: Option<&str>,
    at: &Path,
    refusals: &mut Refusals<'_>,
) -> Option<WrittenSubject> {
    match (endpoints, nodes) {
        (Some(selector), None) => {
            refusals.selector(&selector, &at.key("endpointSelector"));
            Some(WrittenSubject::Endpoints(selector))
        }
        (None, Some(selector)) => {
            let at = at.key("nodeSelector");
            if namespace.is_some() {
                let message = "a policy of a namespace governs no nodes";
                refusals.agent(&at, message);
            }
            refusals.selector(&selector, &at);
            Some(WrittenSubject::Nodes(selector))
        }
        (None, None) => {
            refusals.agent(at, "a Rule has an `endpointSelector`, or a `nodeSelector`");
            None
        }
        (Some(_), Some(_)) => {
            let message = "`endpointSelector` and `nodeSelector` are for two Rules";
            refusals.agent(at, message);
            None
        }
    }
}

/// Every selector of a Rule.
fn selectors(rule: &WrittenRule) -> impl Iterator<Item = &WrittenSelector> {
    let (WrittenSubject::Endpoints(subject) | WrittenSubject::Nodes(subject)) = &rule.subject;
    let lists = rule.allows.iter().chain(&rule.denies);
    let entries = lists.flatten().flatten();
    let peers = entries.flat_map(|entry| entry.endpoints.iter().flatten().flatten());
    std::iter::once(subject).chain(peers)
}

/// Whether a Rule asks for what is not known here: labels of other sources.
fn is_unread(rule: &WrittenRule) -> bool {
    selectors(rule).any(names_other_source)
}

/// Whether a Rule asks for the service account of pods.
pub fn asks_for_account(rule: &WrittenRule) -> bool {
    selectors(rule).any(names_account)
}

/// The first list of nodes that a Rule selects by their labels.
pub fn nodes_by_label(rule: &WrittenRule) -> Option<Path> {
    for (d, deny) in [(0, false), (0, true), (1, false), (1, true)] {
        for (i, entry) in rule.entries(d, deny).iter().enumerate() {
            if entry.nodes.as_ref().is_some_and(|list| !list.is_empty()) {
                let list = Path::root().key(LISTS[usize::from(deny)][d]);
                return Some(list.index(i).key(EntryFields::OF[d].nodes));
            }
        }
    }
    None
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
struct GroupObject {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: CidrGroupForm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Spec")]
struct CidrGroupForm {
    #[serde(rename = "externalCIDRs")]
    external_cidrs: Vec<String>,
}

/// Reads a `CiliumCIDRGroup` (CI87): the group, and what is wrong with it.
pub fn group(node: &SyntaxNode, name: &str) -> (CidrGroup, Checks, Vec<Problem>) {
    let (object, problems) = decoded::<GroupObject>(node);
    let mut checks = Checks::default();
    let object = object.unwrap_or_default();
    let at = Path::root().key("spec").key("externalCIDRs");
    let mut blocks = Vec::new();
    for (i, text) in object.spec.external_cidrs.iter().enumerate() {
        match parse_cidr(text) {
            Some(block) => blocks.push(block),
            None => checks.invalid(
                &at.index(i),
                format!("`{text}` is not a block of addresses"),
            ),
        }
    }
    let labels = object.metadata.labels.unwrap_or_default();
    let group = CidrGroup {
        name: name.into(),
        labels: labels.into_iter().collect(),
        blocks,
    };
    (group, checks, problems)
}
