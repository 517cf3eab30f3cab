//! Reads objects of Istio strictly (IS10-IS37, IS40-IS42).

use crate::policy::istio::written::{
    Authorization, AuthorizationAction, AuthorizationForm, AuthorizationObject, ConditionForm,
    IstioContent, IstioObject, MtlsForm, MtlsMode, OperationForm, PeerAuthentication, PeerForm,
    PeerObject, RuleOfIstio, SourceForm, TargetForm, WorkloadForm,
};
use crate::policy::layer_object::LayerObject;
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::unmodelled;
use crate::policy::validate::{
    check_metadata, decoded, is_label_value, is_qualified_name, parse_block_or_address,
};
use crate::source::Path;
use crate::tree::SyntaxNode;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Reads an `AuthorizationPolicy`.
pub fn authorization(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read::<AuthorizationObject>(node, header, "AuthorizationPolicy", |object, checks| {
        let annotations = node.get("metadata").and_then(|m| m.get("annotations"));
        let dry_run = annotations.and_then(|a| a.get("istio.io/dry-run")?.as_str());
        IstioContent::Authorization(of_authorization(object.spec, dry_run, checks))
    })
}

/// Reads a `PeerAuthentication`.
pub fn peer_authentication(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    read::<PeerObject>(node, header, "PeerAuthentication", |object, checks| {
        let created = node
            .get("metadata")
            .and_then(|m| m.get("creationTimestamp")?.as_str());
        IstioContent::Peer(of_peer(object.spec, created, checks))
    })
}

fn read<T: DeserializeOwned + Default>(
    node: &SyntaxNode,
    header: Header<'_>,
    kind: &str,
    of: impl FnOnce(T, &mut Checks) -> IstioContent,
) -> Lowered {
    let (object, problems) = decoded::<T>(node);
    let mut checks = Checks::default();
    check_metadata(&header, true, &mut checks);
    let spec = of(object.unwrap_or_default(), &mut checks);
    let object = LayerObject::Istio(IstioObject {
        name: header.name.into(),
        namespace: header.namespace.into(),
        document: header.document,
        spec,
    });
    Lowered::of_layer(object, problems, checks, || {
        unmodelled::reach_of(kind, node)
    })
}

fn of_authorization(
    form: AuthorizationForm,
    dry_run: Option<&str>,
    checks: &mut Checks,
) -> Authorization {
    let at = Path::root().key("spec");
    let action = match form.action.as_deref() {
        None | Some("" | "ALLOW") => AuthorizationAction::Allow, // IS13
        Some("DENY") => AuthorizationAction::Deny,
        Some("AUDIT") => AuthorizationAction::Audit,
        Some("CUSTOM") => AuthorizationAction::Custom,
        Some(word) => {
            let message = format!("`{word}` is not an action");
            let help = "use ALLOW, DENY, AUDIT or CUSTOM, in capitals";
            checks.invalid_help(&at.key("action"), message, help);
            AuthorizationAction::Allow
        }
    };
    let targets = form.target_refs.into_iter().flatten();
    let targets: Vec<TargetForm> = targets.chain(form.target_ref).collect();
    let targeted = !targets.is_empty();
    let selector = labels(form.selector, &at.key("selector"), checks);
    if targeted && !selector.is_empty() {
        let message = "a policy has `selector` or `targetRefs`, not both";
        checks.invalid(&at.key("selector"), message);
    }
    let rules: Vec<RuleOfIstio> = form.rules.into_iter().flatten().flatten().collect();
    for (i, rule) in rules.iter().enumerate() {
        check_rule(rule, &at.key("rules").index(i), checks);
    }
    let provider = form.provider.and_then(|provider| provider.name);
    if action == AuthorizationAction::Custom && provider.is_none() {
        let message = "a policy of action CUSTOM names its provider";
        checks.refused(&at.key("provider"), message);
    }
    let tried = dry_run.is_some_and(|v| matches!(v, "1" | "t" | "T" | "true" | "TRUE" | "True"));
    Authorization {
        action,
        selector,
        targeted,
        gateways: targets.into_iter().filter_map(gateway).collect(),
        dry_run: tried, // IS15
        provider: provider.map(Into::into),
        rules,
    }
}

/// The name of a gateway that is a target.
fn gateway(target: TargetForm) -> Option<Box<str>> {
    let is_gateway = target.kind.as_deref() == Some("Gateway");
    target.name.filter(|_| is_gateway).map(Into::into)
}

/// The labels of a selector (IS11).
fn labels(form: Option<WorkloadForm>, at: &Path, checks: &mut Checks) -> BTreeMap<String, String> {
    let labels = form.and_then(|form| form.match_labels).unwrap_or_default();
    let at = at.key("matchLabels");
    for (key, value) in &labels {
        if !is_qualified_name(key) {
            checks.invalid(&at, format!("`{key}` is not a valid label key"));
        }
        if !is_label_value(value) {
            checks.invalid(
                &at.key(key),
                format!("`{value}` is not a valid label value"),
            );
        }
    }
    labels
}

fn check_rule(rule: &RuleOfIstio, at: &Path, checks: &mut Checks) {
    for (i, from) in rule.from.iter().flatten().enumerate() {
        let at = at.key("from").index(i).key("source");
        if let Some(source) = &from.source {
            check_source(source, &at, checks);
        }
    }
    for (i, to) in rule.to.iter().flatten().enumerate() {
        let at = at.key("to").index(i).key("operation");
        if let Some(operation) = &to.operation {
            check_operation(operation, &at, checks);
        }
    }
    for (i, condition) in rule.when.iter().flatten().enumerate() {
        check_condition(condition, &at.key("when").index(i), checks);
    }
}

fn check_source(source: &SourceForm, at: &Path, checks: &mut Checks) {
    let blocks = [
        ("ipBlocks", &source.ip_blocks),
        ("notIpBlocks", &source.not_ip_blocks),
    ];
    for (field, list) in blocks {
        for (i, text) in list.iter().flatten().enumerate() {
            if parse_block_or_address(text).is_none() {
                let message = format!("`{text}` is not an address or an address block");
                checks.invalid(&at.key(field).index(i), message);
            }
        }
    }
    let accounts = [
        ("serviceAccounts", &source.service_accounts),
        ("notServiceAccounts", &source.not_service_accounts),
    ];
    for (field, list) in accounts {
        for (i, text) in list.iter().flatten().enumerate() {
            if text.contains('*')
                || text.split('/').count() > 2
                || text.split('/').any(str::is_empty)
            {
                let message = format!("`{text}` is not `account` or `namespace/account`");
                checks.invalid(&at.key(field).index(i), message);
            }
        }
    }
}

fn check_operation(operation: &OperationForm, at: &Path, checks: &mut Checks) {
    let ports = [
        ("ports", &operation.ports),
        ("notPorts", &operation.not_ports),
    ];
    for (field, list) in ports {
        for (i, text) in list.iter().flatten().enumerate() {
            check_port(text, &at.key(field).index(i), checks);
        }
    }
}

fn check_port(text: &str, at: &Path, checks: &mut Checks) {
    if port(text).is_none() {
        let help = "it is the number of a port of the workload, and not a name";
        checks.invalid_help(at, format!("`{text}` is not a port"), help);
    }
}

fn check_condition(condition: &ConditionForm, at: &Path, checks: &mut Checks) {
    if condition.key.is_empty() {
        checks.invalid(at, "a condition needs a key");
    }
    let lists = [
        ("values", &condition.values),
        ("notValues", &condition.not_values),
    ];
    if lists
        .iter()
        .all(|(_, list)| list.as_ref().is_none_or(Vec::is_empty))
    {
        checks.invalid(at, "a condition needs `values` or `notValues`");
    }
    for (field, list) in lists {
        for (i, text) in list.iter().flatten().enumerate() {
            let at = at.key(field).index(i);
            match &*condition.key {
                "source.ip" | "destination.ip" if parse_block_or_address(text).is_none() => {
                    checks.invalid(&at, format!("`{text}` is not an address block"));
                }
                "destination.port" => check_port(text, &at, checks),
                _ => {}
            }
        }
    }
}

/// The number of a port.
pub(super) fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

fn of_peer(form: PeerForm, created: Option<&str>, checks: &mut Checks) -> PeerAuthentication {
    let at = Path::root().key("spec");
    let selector = labels(form.selector, &at.key("selector"), checks);
    let whole = form
        .mtls
        .and_then(|form| mode(&form, &at.key("mtls"), checks));
    let at = at.key("portLevelMtls");
    let mut ports = BTreeMap::new();
    for (text, form) in form.port_level_mtls.into_iter().flatten() {
        let at = at.key(&text);
        check_port(&text, &at, checks);
        let mode = form.and_then(|form| mode(&form, &at, checks));
        if let Some(port) = port(&text) {
            ports.insert(port, mode);
        }
    }
    if selector.is_empty() && !ports.is_empty() {
        let message = "ports count only in a policy with a selector"; // IS42
        checks.refused(&at, message);
    }
    PeerAuthentication {
        selector,
        mode: whole,
        ports,
        created: created.map(Into::into),
    }
}

/// A mode; one that is not set inherits (IS40).
fn mode(form: &MtlsForm, at: &Path, checks: &mut Checks) -> Option<MtlsMode> {
    let word = form.mode.as_ref()?;
    match word.as_str() {
        Some("" | "UNSET") => None,
        Some("DISABLE") => Some(MtlsMode::Disable),
        Some("PERMISSIVE") => Some(MtlsMode::Permissive),
        Some("STRICT") => Some(MtlsMode::Strict),
        _ => {
            let message = format!("{word} is not a mode");
            let help = "use STRICT, PERMISSIVE, DISABLE or UNSET, in capitals";
            checks.invalid_help(&at.key("mode"), message, help);
            None
        }
    }
}
