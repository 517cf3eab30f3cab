//! Reads objects of Calico strictly, in both of their groups (CA1-CA11, CA60-CA63, CA144, CA171).

use crate::policy::calico::check::{CalicoDoor, RuleWay, SelectorRole};
use crate::policy::calico::knowledge::CalicoKnowledge;
use crate::policy::calico::lower::{PolicyStanding, STAGED_KUBERNETES, lower};
use crate::policy::calico::objects::CalicoObjects;
use crate::policy::calico::options::CalicoSettings;
use crate::policy::calico::policy::{CalicoPolicy, Stage, StagedAction};
use crate::policy::calico::tier_table::unplaced;
use crate::policy::calico::written::PolicyForm;
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::network_policy;
use crate::policy::priority::Priority;
use crate::policy::rule::PolicySource;
use crate::policy::unmodelled;
use crate::policy::validate::{decoded, is_dns_label};
use crate::policy::written_object::WrittenObject;
use crate::source::Path;
use crate::tree::{Problem, SyntaxNode, Value};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The group in which objects are stored (CA170).
const STORED: &str = "crd.projectcalico.org/";

/// The annotation that keeps the metadata of a stored object (CA171).
pub(super) const METADATA: &str = "projectcalico.org/metadata";

/// The fields that a policy of a namespace does not have (CA3).
const OF_GLOBAL: [&str; 4] = [
    "namespaceSelector",
    "doNotTrack",
    "preDNAT",
    "applyOnForward",
];

/// Reads a `NetworkPolicy` of Calico.
pub fn namespaced(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    policy(node, header, Some(header.namespace), false)
}

/// Reads a `GlobalNetworkPolicy`.
pub fn global(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    policy(node, header, None, false)
}

/// Reads a `StagedNetworkPolicy`.
pub fn staged_namespaced(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    policy(node, header, Some(header.namespace), true)
}

/// Reads a `StagedGlobalNetworkPolicy`.
pub fn staged_global(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    policy(node, header, None, true)
}

/// Reads a `StagedKubernetesNetworkPolicy`: a `NetworkPolicy` that is not enforced.
pub fn staged_kubernetes(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let spec = node.get("spec");
    let written = spec.and_then(|spec| spec.get("stagedAction"));
    let action = written.filter(|action| !action.is_null());
    let action = action.map_or(Some(StagedAction::Set), |a| action_of(a.as_str()?));
    let mut plain = node.clone();
    if let Value::Mapping(fields) = &mut plain.value {
        for field in fields.iter_mut() {
            match (&*field.key, &mut field.value.value) {
                ("spec", Value::Mapping(spec)) => {
                    spec.retain(|entry| &*entry.key != "stagedAction");
                }
                ("apiVersion", named) => *named = Value::String("networking.k8s.io/v1".into()),
                ("kind", named) => *named = Value::String("NetworkPolicy".into()),
                _ => {}
            }
        }
    }
    let mut lowered = network_policy::read(&plain, header);
    for policy in &mut lowered.policies {
        policy.shape = &STAGED_KUBERNETES;
        policy.applies = [false, false];
        policy.written = action.map(PolicySource::Staged);
    }
    if action.is_none() {
        lowered.policies.clear();
        let at = Path::root().key("spec").key("stagedAction");
        let mut checks = Checks::default();
        checks.invalid(&at, NO_ACTION);
        lowered.invalid.extend(checks.0);
    }
    lowered.void = lowered.policies.is_empty();
    lowered
}

fn policy(node: &SyntaxNode, header: Header<'_>, namespace: Option<&str>, staged: bool) -> Lowered {
    let (object, problems) = decoded::<WrittenObject<PolicyForm>>(node);
    let reaches = || (!staged).then(|| unmodelled::reach_of_calico(node));
    let Some(object) = object else {
        return Lowered {
            problems,
            reaches: reaches(),
            void: staged,
            ..Lowered::default()
        };
    };
    let mut checks = Checks::default();
    let mut door = CalicoDoor {
        checks: &mut checks,
        native: header.calico.native_crds.unwrap_or(false),
        dropped: false,
        open: false,
    };
    let reading = CalicoReading::new(node, &object.metadata, header, namespace, staged, &mut door);
    let spec = object.spec.unwrap_or_default();
    let written = reading.policy(&spec, &mut door);
    let (dropped, open) = (door.dropped, door.open);
    let refused = checks.0.iter().any(|i| i.doubt) || problems.iter().any(Problem::is_error);
    if refused || open || dropped {
        return Lowered {
            problems,
            void: staged || dropped && !refused,
            invalid: checks.0,
            reaches: reaches(),
            ..Lowered::default()
        };
    }
    let objects = CalicoObjects::default();
    let settings = CalicoSettings::default();
    let standing = PolicyStanding {
        name: &reading.name,
        document: header.document,
        stored: reading.stored,
    };
    let known = CalicoKnowledge::alone(&objects, &settings);
    Lowered {
        policies: vec![lower(&Arc::new(written), &standing, &known)],
        tier: Some(unplaced()),
        problems,
        invalid: checks.0,
        ..Lowered::default()
    }
}

/// What of an object's metadata decides how its spec is read.
struct CalicoReading<'n> {
    node: &'n SyntaxNode,
    namespace: Option<&'n str>,
    name: String,
    stored_name: &'n str,
    stored: bool,
    staged: bool,
}

impl<'n> CalicoReading<'n> {
    fn new(
        node: &'n SyntaxNode,
        metadata: &ObjectMeta,
        header: Header<'n>,
        namespace: Option<&'n str>,
        staged: bool,
        door: &mut CalicoDoor<'_>,
    ) -> Self {
        let stored = is_stored(node);
        let mut name = header.name.to_owned();
        let at = Path::root().key("metadata");
        if stored {
            match kept_metadata(metadata) {
                Ok(None) => {}
                Ok(Some(kept)) => name = shown_name(header.name, kept.name.as_deref(), node),
                Err(message) => door.refuse(&at.key("annotations").key(METADATA), message),
            }
        } else {
            check_name(header.name, namespace.is_some(), &at.key("name"), door);
        }
        Self {
            node,
            namespace,
            name,
            stored_name: header.name,
            stored,
            staged,
        }
    }

    fn policy(&self, spec: &PolicyForm, door: &mut CalicoDoor<'_>) -> CalicoPolicy {
        let at = Path::root().key("spec");
        self.foreign_fields(&at, door);
        let selector = |text: &Option<String>, field: &str, role, door: &mut CalicoDoor<'_>| {
            door.selector(text.as_deref(), &at.key(field), role)
        };
        let rules = [(&spec.ingress, "ingress", 0), (&spec.egress, "egress", 1)];
        let rules = rules.map(|(list, field, direction)| {
            let way = RuleWay {
                direction,
                global: self.namespace.is_none(),
            };
            door.rules(list.as_ref(), way, &at.key(field))
        });
        hints(spec, &at, door);
        CalicoPolicy {
            namespace: self.namespace.map(Into::into),
            stored_name: self.stored_name.into(),
            tier: spec
                .tier
                .as_deref()
                .filter(|t| !t.is_empty())
                .unwrap_or("default")
                .into(),
            order: spec.order.map_or(Priority::LAST, Priority::of),
            selector: selector(&spec.selector, "selector", SelectorRole::Whole, door),
            namespaces: selector(
                &spec.namespace_selector,
                "namespaceSelector",
                SelectorRole::Part,
                door,
            ),
            accounts: selector(
                &spec.service_account_selector,
                "serviceAccountSelector",
                SelectorRole::Part,
                door,
            ),
            types: self.types(spec, &at, door),
            rules,
            stage: stage(spec, &at, door),
            staged: self.staged.then(|| staged_action(spec, &at, door)),
        }
    }

    /// Fields that this kind does not have, and another one has.
    fn foreign_fields(&self, at: &Path, door: &mut CalicoDoor<'_>) {
        let spec = self.node.get("spec");
        let has = |field: &str| spec.is_some_and(|spec| spec.get(field).is_some());
        for field in OF_GLOBAL {
            if self.namespace.is_some() && has(field) {
                let message = format!("`{field}` is a field of GlobalNetworkPolicy");
                door.unknown(&at.key(field), message);
            }
        }
        if !self.staged && has("stagedAction") {
            let message = "`stagedAction` is a field of staged policies";
            door.unknown(&at.key("stagedAction"), message);
        }
    }

    /// CA60-CA63.
    fn types(&self, spec: &PolicyForm, at: &Path, door: &mut CalicoDoor<'_>) -> [bool; 2] {
        let at = at.key("types");
        let told = spec.types.as_deref().unwrap_or_default();
        let known = ["Ingress", "Egress"];
        if told.iter().any(|t| !known.contains(&t.as_str())) {
            door.refuse(&at, "the types are Ingress and Egress");
        }
        if (1..told.len()).any(|i| told[..i].contains(&told[i])) {
            door.refuse(&at, "a type that is listed twice");
        }
        if door.native && spec.types.is_some() && told.is_empty() {
            door.refuse(&at, "the list is not empty, or is left out");
        }
        if !told.is_empty() {
            return known.map(|word| told.iter().any(|t| t == word));
        }
        if self.stored {
            return [true, true]; // CA63
        }
        let has = |list: &Option<Vec<_>>| match list {
            Some(list) => door.native || !list.is_empty(), // CA62
            None => false,
        };
        let (ingress, egress) = (has(&spec.ingress), has(&spec.egress));
        [ingress || !egress, egress]
    }
}

/// Whether an object is of the group in which objects are stored.
pub(super) fn is_stored(node: &SyntaxNode) -> bool {
    let version = node.get("apiVersion").and_then(SyntaxNode::as_str);
    version.is_some_and(|version| version.starts_with(STORED))
}

/// The metadata that a stored object keeps in an annotation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeptMetadata {
    pub(super) name: Option<String>,
    pub(super) labels: Option<BTreeMap<String, String>>,
}

pub(super) fn kept_metadata(metadata: &ObjectMeta) -> Result<Option<KeptMetadata>, String> {
    let annotations = metadata.annotations.as_ref();
    let Some(text) = annotations.and_then(|all| all.get(METADATA)) else {
        return Ok(None);
    };
    let kept = serde_json::from_str(text);
    kept.map(Some)
        .map_err(|_| "this is no JSON, so Calico does not read the object".to_owned())
}

/// The name that the API shows of a stored policy (CA171).
fn shown_name(stored: &str, kept: Option<&str>, node: &SyntaxNode) -> String {
    if let Some(name) = kept.filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    let tier = node.get("spec").and_then(|spec| spec.get("tier")?.as_str());
    let is_default = tier.is_none_or(|tier| tier.is_empty() || tier == "default");
    let short = stored.strip_prefix("default.").filter(|_| is_default);
    short.unwrap_or(stored).to_owned()
}

/// CA144.
fn check_name(name: &str, namespaced: bool, at: &Path, door: &mut CalicoDoor<'_>) {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if name.is_empty() {
        return door.refuse(at, "a policy needs a name");
    }
    if !name.chars().all(inner) {
        let message = format!("`{name}` is no name; use lower case letters, digits, `-` and `.`");
        return door.checks.refused(at, message);
    }
    let prefixes = ["knp.default.", "ossg.default."];
    let prefix = prefixes
        .iter()
        .find(|p| namespaced && name.starts_with(**p));
    let rest = prefix.map_or(name, |p| &name[p.len()..]);
    let labels = rest.split('.').count();
    let most = if prefix.is_some() { usize::MAX } else { 2 };
    if labels > most || !rest.split('.').all(is_dns_label) {
        let message = format!("`{name}` is no name of a policy: one label, or a tier and a label");
        if door.native {
            return;
        }
        door.checks.refused(at, message);
    }
}

/// CA106, CA107, CA142.
fn stage(spec: &PolicyForm, at: &Path, door: &mut CalicoDoor<'_>) -> Stage {
    let set = |flag: Option<bool>| flag.unwrap_or(false);
    let (untracked, pre_dnat) = (set(spec.do_not_track), set(spec.pre_dnat));
    let forward = set(spec.apply_on_forward);
    if untracked && pre_dnat {
        door.refuse(at, "`doNotTrack` and `preDNAT` are for two policies");
    }
    if (untracked || pre_dnat) && !forward {
        door.refuse(at, "`doNotTrack` and `preDNAT` want `applyOnForward: true`");
    }
    let egress = spec.types.iter().flatten().any(|t| t == "Egress")
        || spec.egress.as_ref().is_some_and(|rules| !rules.is_empty());
    if pre_dnat && egress {
        door.refuse(at, "a policy with `preDNAT` is for ingress");
    }
    match (untracked, pre_dnat, forward) {
        (true, ..) => Stage::Untracked,
        (_, true, _) => Stage::PreDnat,
        (.., true) => Stage::Forward,
        _ => Stage::Normal,
    }
}

/// CA11, CA112.
fn staged_action(spec: &PolicyForm, at: &Path, door: &mut CalicoDoor<'_>) -> StagedAction {
    let told = action_of(spec.staged_action.as_deref().unwrap_or_default());
    told.unwrap_or_else(|| {
        door.refuse(&at.key("stagedAction"), NO_ACTION);
        StagedAction::Set
    })
}

/// What is wrong with an action that there is not.
const NO_ACTION: &str = "`stagedAction` is one of Set, Delete, Learn and Ignore";

fn action_of(word: &str) -> Option<StagedAction> {
    match word {
        "" | "Set" | "Learn" | "Ignore" => Some(StagedAction::Set),
        "Delete" => Some(StagedAction::Delete),
        _ => None,
    }
}

/// CA93, CA142.
fn hints(spec: &PolicyForm, at: &Path, door: &mut CalicoDoor<'_>) {
    let at = at.key("performanceHints");
    let list = spec.performance_hints.as_deref().unwrap_or_default();
    for (i, hint) in list.iter().enumerate() {
        if hint != "AssumeNeededOnEveryNode" {
            door.refuse(&at.index(i), format!("`{hint}` is no hint"));
        } else if i > 0 && list[..i].contains(hint) {
            door.refuse(&at, "a hint that is listed twice");
        }
    }
}
