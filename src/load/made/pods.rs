//! The pods of one role of a row: labels, ports, and what else decides verdicts.
//!
//! Labels are laid over each other in the order of [`LABEL_LAYERS`]: what may be there, what is
//! there unless something says otherwise, what the object's pod templates and lists of labels say,
//! what the operator sets, and what it copies after that. A certain label whose value cannot be
//! told is one that is known only at run time.

use crate::load::made::copied;
use crate::load::made::custom::{CustomObject, each, element_name};
use crate::load::made::expression::{ExpressionScope, scalar};
use crate::load::made::fill::text_of;
use crate::load::made::kubevirt;
use crate::load::made::port::{port, ports_of};
use crate::load::object::MadePods;
use crate::load::workloads::{AT_RUN_TIME, PodDraft};
use crate::load::{container_ports, workloads};
use crate::model::open_labels::{at_run_time, perhaps};
use crate::model::{ContainerPort, MadeWorkload};
use crate::tree::SyntaxNode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// So long may the value of a label be: a longer one is cut or replaced by the operator, each in a
/// way of its own.
const LONGEST_VALUE: usize = 63;

/// The labels of a pod that is made.
pub type MadeLabels = BTreeMap<Box<str>, String>;

/// The pods of a row.
pub fn pods_of(row: &SyntaxNode, custom: &CustomObject, others: &[CustomObject]) -> Vec<MadePods> {
    let roles = row.get("pods").map(SyntaxNode::items).unwrap_or_default();
    let id: Arc<str> = text_of(row, "id")
        .unwrap_or("workloads of netpal.yaml")
        .into();
    let mut made = Vec::new();
    for role in roles {
        let scopes = each(role, custom.scope(), others).into_iter();
        let met = scopes.filter(|scope| text_of(role, "when").is_none_or(|when| scope.holds(when)));
        made.extend(met.map(|scope| made_pods(role, scope, custom, &id)));
    }
    made
}

fn made_pods(
    role: &SyntaxNode,
    scope: ExpressionScope<'_>,
    custom: &CustomObject,
    row: &Arc<str>,
) -> MadePods {
    let templates = templates(role, scope);
    let base = text_of(role, "role").unwrap_or("pod");
    let repeated = role.get("each").and(element_name(scope));
    let called = text_of(role, "called").unwrap_or("{name}-*");
    let name = scope.name.map(str::to_owned);
    let name = name.unwrap_or_else(|| format!("{}*", custom.name));
    let called = scope.filled(&called.replace("{name}", &name));
    let called = called.unwrap_or_else(|| format!("{name}-*"));
    let draft = draft(role, scope, &templates);
    MadePods {
        namespace: text_of(role, "namespace").and_then(|text| scope.filled(text)),
        made: MadeWorkload {
            kind: (&*custom.kind).into(),
            object: custom.name.clone(),
            role: match repeated {
                Some(element) => format!("{base}-{element}").into(),
                None => base.into(),
            },
            pods: called.into(),
            row: Arc::clone(row),
        },
        draft: PodDraft {
            annotations: [&*draft.annotations, &*kubevirt::annotations(custom)]
                .concat()
                .into(),
            ..draft
        },
        perhaps_ports: list(role, "perhaps-ports")
            .filter_map(|text| port(text, scope))
            .collect(),
    }
}

/// The pod templates that a role is made from, or that change it; a template of containers alone
/// is one too.
fn templates<'a>(role: &'a SyntaxNode, scope: ExpressionScope<'a>) -> Vec<&'a SyntaxNode> {
    let listed = role
        .get("template")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let paths = listed
        .iter()
        .filter_map(SyntaxNode::as_str)
        .chain(text_of(role, "template"));
    let mut found: Vec<&SyntaxNode> = paths.filter_map(|path| scope.first_node(path)).collect();
    if let Some(named) = role.get("template-named") {
        let list = text_of(named, "list").and_then(|path| scope.first_node(path));
        let name = text_of(named, "name").and_then(|name| scope.text(name));
        let items = list.map(SyntaxNode::items).unwrap_or_default().iter();
        found.extend(
            items.filter(|item| name.is_some() && text_of(item, "name") == name.as_deref()),
        );
    }
    found
}

fn draft(role: &SyntaxNode, scope: ExpressionScope<'_>, templates: &[&SyntaxNode]) -> PodDraft {
    let spec = text_of(role, "spec").and_then(|path| scope.first_node(path));
    let specs: Vec<&SyntaxNode> = templates
        .iter()
        .filter_map(|t| t.get("spec"))
        .chain(spec)
        .collect();
    let labels: crate::model::Labels = labels(role, scope, templates)
        .into_iter()
        .map(|(key, value)| (Arc::<str>::from(key), value))
        .collect();
    let base = workloads::draft(templates.last().copied());
    let host = match text_of(role, "host") {
        Some(condition) => scope.holds(condition),
        None => specs
            .iter()
            .any(|spec| spec.get("hostNetwork").and_then(SyntaxNode::as_bool) == Some(true)),
    };
    let account = specs
        .iter()
        .rev()
        .find_map(|spec| workloads::account(Some(spec)));
    let told = || text_of(role, "account").and_then(|account| filled_or_path(account, scope));
    let replicas = text_of(role, "replicas").and_then(|number| scope.number(number));
    PodDraft {
        labels: Arc::new(labels),
        ports: ports(role, scope, &specs).into(),
        host_network: host,
        account: account.map(Into::into).or_else(|| told().map(Into::into)),
        replicas: replicas.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        dns_name: None,
        ..base
    }
}

/// The alternatives of a text, which bars outside its braces divide.
fn outside_braces(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    text.split(move |c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '|' && depth == 0
    })
}

/// A text with expressions in braces, or one expression alone.
fn filled_or_path(text: &str, scope: ExpressionScope<'_>) -> Option<String> {
    if text.contains('{') {
        return outside_braces(text).find_map(|one| {
            if one.contains('{') {
                return scope.filled(one);
            }
            scope.text(one).map(std::borrow::Cow::into_owned)
        });
    }
    scope.text(text).map(std::borrow::Cow::into_owned)
}

fn labels(role: &SyntaxNode, scope: ExpressionScope<'_>, templates: &[&SyntaxNode]) -> MadeLabels {
    let mut labels = MadeLabels::new();
    let filled = |text: &str| {
        let value = scope.filled(text).unwrap_or_default();
        let fits = value.split('|').all(|one| one.len() <= LONGEST_VALUE);
        if fits { value } else { String::new() }
    };
    add(&mut labels, role.get("perhaps"), |text| {
        perhaps(&filled(text))
    });
    for path in list(role, "perhaps-copied") {
        add(&mut labels, scope.first_node(path), perhaps);
    }
    add(&mut labels, role.get("otherwise"), |text| {
        at_run_time(&filled(text))
    });
    let told = |text: &str| match scope.filled(text) {
        Some(value) if value.len() <= LONGEST_VALUE => value,
        _ => at_run_time(""),
    };
    add(&mut labels, role.get("defaults"), told);
    controller_labels(role, &mut labels);
    for template in templates {
        let own = template.get("metadata").and_then(|m| m.get("labels"));
        add(&mut labels, own, str::to_owned);
    }
    for path in list(role, "copied") {
        add(&mut labels, scope.first_node(path), str::to_owned);
    }
    labels.extend(copied::some(role, scope));
    add(&mut labels, role.get("labels"), told);
    for part in role
        .get("labels-when")
        .map(SyntaxNode::items)
        .unwrap_or_default()
    {
        if text_of(part, "when").is_some_and(|when| scope.holds(when)) {
            add(&mut labels, part.get("labels"), told);
        }
    }
    add(&mut labels, role.get("runtime"), |text| {
        at_run_time(&filled(text))
    });
    for path in list(role, "last") {
        add(&mut labels, scope.first_node(path), str::to_owned);
    }
    copied::lay_over(role, scope, &mut labels);
    labels
}

/// The texts of a list.
fn list<'n>(node: &'n SyntaxNode, key: &str) -> impl Iterator<Item = &'n str> {
    let items = node.get(key).map(SyntaxNode::items).unwrap_or_default();
    items.iter().filter_map(SyntaxNode::as_str)
}

fn add(labels: &mut MadeLabels, more: Option<&SyntaxNode>, value: impl Fn(&str) -> String) {
    let entries = more.map(SyntaxNode::entries).unwrap_or_default();
    for entry in entries {
        let text = scalar(&entry.value).unwrap_or_default();
        labels.insert(entry.key.clone(), value(&text));
    }
}

/// The labels that the controller sets that keeps the pods of a role.
fn controller_labels(role: &SyntaxNode, labels: &mut MadeLabels) {
    let hash = || AT_RUN_TIME.to_owned();
    let any = || at_run_time("");
    let set: &[(&str, String)] = match text_of(role, "by") {
        Some("StatefulSet") => &[
            ("statefulset.kubernetes.io/pod-name", any()),
            ("apps.kubernetes.io/pod-index", any()),
            ("controller-revision-hash", hash()),
        ],
        Some("Deployment") => &[("pod-template-hash", hash())],
        Some("DaemonSet") => &[
            ("controller-revision-hash", hash()),
            ("pod-template-generation", hash()),
        ],
        Some("Job") => &[
            ("job-name", any()),
            ("batch.kubernetes.io/job-name", any()),
            ("controller-uid", hash()),
            ("batch.kubernetes.io/controller-uid", hash()),
        ],
        _ => &[],
    };
    for (key, value) in set {
        labels.insert((*key).into(), value.clone());
    }
}

/// What the role's containers declare, and what the templates add.
fn ports(
    role: &SyntaxNode,
    scope: ExpressionScope<'_>,
    specs: &[&SyntaxNode],
) -> Vec<ContainerPort> {
    let declared = |spec: &&SyntaxNode| container_ports::ports(Some(spec)).to_vec();
    let mut ports: Vec<ContainerPort> = specs.iter().flat_map(declared).collect();
    let containers = text_of(role, "container").and_then(|path| scope.first_node(path));
    for container in containers
        .into_iter()
        .flat_map(|c| c.items().iter().chain([c]))
    {
        ports.extend(container_ports::container_ports(container));
    }
    if ports.is_empty() {
        ports.extend(list(role, "or-ports").filter_map(|text| port(text, scope)));
    }
    ports.extend(ports_of(role, scope));
    ports.sort();
    ports.dedup();
    ports
}
