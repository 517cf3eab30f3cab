//! Generators of policies, by kind: what each of them makes of the objects of the input.
//!
//! `None` says that an object makes no policies that are known; what it may touch is then what
//! [`crate::load::embedded`] finds in it.

use crate::load::made::custom::CustomObject;
use crate::load::made::fill::text_of;
use crate::load::made::generated::{Generation, is_like, is_network_policy, is_open};
use crate::load::made::outcome::Made;
use crate::load::made::world::{GeneratorWorld, KnownNamespace};
use crate::load::made::{hnc, kyverno, projects};
use crate::model::{Requirement, Selector, Truth};
use crate::policy::TaintEffect;
use crate::policy::unmodelled::{TaintNamespaces, TaintReach, label_selector};
use crate::tree;
use crate::tree::SyntaxNode;

/// The kinds that make policies, or that say where others make them.
pub const GENERATORS: [(&str, &str); 19] = [
    ("kyverno.io", "ClusterPolicy"),
    ("kyverno.io", "Policy"),
    ("hnc.x-k8s.io", "HNCConfiguration"),
    ("hnc.x-k8s.io", "HierarchyConfiguration"),
    ("hnc.x-k8s.io", "SubnamespaceAnchor"),
    ("capsule.clastix.io", "Tenant"),
    ("capsule.clastix.io", "TenantResource"),
    ("capsule.clastix.io", "GlobalTenantResource"),
    ("redhatcop.redhat.io", "NamespaceConfig"),
    ("redhatcop.redhat.io", "GroupConfig"),
    ("redhatcop.redhat.io", "UserConfig"),
    ("policy.open-cluster-management.io", "ConfigurationPolicy"),
    ("policy.open-cluster-management.io", "Policy"),
    ("kubernetes.crossplane.io", "Object"),
    ("config.openshift.io", "Project"),
    ("config.kiosk.sh", "TemplateInstance"),
    ("config.kiosk.sh", "Template"),
    ("management.cattle.io", "Cluster"),
    ("k8s.otterize.com", "ClientIntents"),
];

/// Whether objects of a kind that generates are in no namespace.
pub fn is_of_cluster(group: &str, kind: &str) -> bool {
    const IN_NAMESPACES: [&str; 6] = [
        "ClientIntents",
        "Policy",
        "ConfigurationPolicy",
        "TenantResource",
        "TemplateInstance",
        "SubnamespaceAnchor",
    ];
    GENERATORS.contains(&(group, kind)) && !IN_NAMESPACES.contains(&kind)
}

/// The label of Capsule's namespaces.
const TENANT: &str = "capsule.clastix.io/tenant";

/// What an object generates.
pub fn made_of(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    match (&*custom.group, &*custom.kind) {
        ("kyverno.io", "ClusterPolicy") => kyverno::made_of(custom, world),
        ("hnc.x-k8s.io", "HNCConfiguration") => hnc::made_of(custom, world),
        ("capsule.clastix.io", "Tenant") => tenant(custom, world),
        ("capsule.clastix.io", "TenantResource" | "GlobalTenantResource") => {
            tenant_resource(custom, world)
        }
        ("redhatcop.redhat.io", kind) => namespace_config(custom, kind, world),
        ("policy.open-cluster-management.io", "ConfigurationPolicy") => {
            configuration(&custom.node, None, world)
        }
        ("policy.open-cluster-management.io", "Policy") => placed(custom, world),
        ("kubernetes.crossplane.io", "Object") => written_out(custom, world),
        ("config.kiosk.sh", "TemplateInstance") => template_instance(custom, world),
        ("config.openshift.io", "Project") => projects::made_of(&custom.node, world),
        ("management.cattle.io", "Cluster") => rancher(custom),
        ("k8s.otterize.com", "ClientIntents") => intents(custom),
        _ => None,
    }
}

/// A generation that is certain where a namespace is certainly meant.
fn in_space(space: &KnownNamespace, truth: Truth) -> Generation<'_> {
    Generation {
        space,
        truth,
        unless: None,
    }
}

/// Capsule: the policies of a tenant, in each of its namespaces.
fn tenant(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let items = custom
        .node
        .get("spec")?
        .get("networkPolicies")?
        .get("items")?
        .items();
    let mut made = Made::handled();
    let of_tenant = Selector::label(TENANT, &custom.name);
    for space in &world.spaces {
        let truth = space.selected_by(&of_tenant);
        if truth.possible() {
            for (at, spec) in items.iter().enumerate() {
                let name = format!("capsule-{}-{at}", custom.name);
                in_space(space, truth).policy(&name, spec.clone(), &mut made);
            }
        }
    }
    Some(made)
}

/// Capsule: the objects of a tenant's resource.
fn tenant_resource(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let resources = spec.get("resources")?.items();
    let raw = |r: &SyntaxNode| {
        r.get("rawItems")
            .map(SyntaxNode::items)
            .unwrap_or_default()
            .to_vec()
    };
    let policies = |r: &SyntaxNode| -> Vec<SyntaxNode> {
        raw(r).into_iter().filter(is_network_policy).collect()
    };
    if resources.iter().all(|r| policies(r).is_empty()) {
        return None;
    }
    let tenants = tenants(custom, spec, world)?;
    let mut made = Made::handled();
    for space in &world.spaces {
        let of_tenant = space.selected_by(&tenants);
        for resource in resources {
            let selector = resource.get("namespaceSelector");
            let here = of_tenant.and(space.selected_by(&label_selector(selector)));
            if here.possible() {
                for item in policies(resource) {
                    let generation = in_space(space, here);
                    expand(&generation, &item, &mut made);
                }
            }
        }
    }
    Some(made)
}

/// The label of the namespaces that a tenant's resource is about.
fn tenants(
    custom: &CustomObject,
    spec: &SyntaxNode,
    world: &GeneratorWorld<'_>,
) -> Option<Selector> {
    let names: Vec<Box<str>> = if &*custom.kind == "TenantResource" {
        let own = world.spaces.iter().find(|s| *s.name == *custom.namespace)?;
        vec![own.labels.get(TENANT)?.into()]
    } else {
        let selector = label_selector(spec.get("tenantSelector"));
        let is_meant = |tenant: &&CustomObject| {
            let labels = tenant.node.get("metadata").and_then(|m| m.get("labels"));
            let entries = labels.map(SyntaxNode::entries).unwrap_or_default().iter();
            let pairs = entries.filter_map(|e| Some((&*e.key, e.value.as_str()?)));
            selector.matches(&pairs.collect())
        };
        world
            .of_kind("Tenant")
            .filter(is_meant)
            .map(|t| t.name.clone())
            .collect()
    };
    Some(Selector::new([Requirement::In(TENANT.into(), names)]))
}

/// A policy that is written out, or what it can touch where parts of it are open.
fn expand(generation: &Generation<'_>, item: &SyntaxNode, made: &mut Made) {
    match item.get("spec") {
        Some(spec) if is_open(item) => {
            generation.unknown("parts of it are filled in at run time", Some(spec), made);
        }
        _ => generation.object(item, made),
    }
}

/// The namespace configuration operator: texts with the name and the labels of each namespace.
fn namespace_config(custom: &CustomObject, kind: &str, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let templates = spec.get("templates")?.items().iter();
    let texts: Vec<&str> = templates
        .filter_map(|t| text_of(t, "objectTemplate"))
        .collect();
    if !texts.iter().any(|text| text.contains("NetworkPolicy")) {
        return None;
    }
    let mut made = Made::handled();
    if kind != "NamespaceConfig" {
        let reach = TaintReach::own(TaintEffect::UnorderedTier, [true, true]);
        let everywhere = reach.namespaces(TaintNamespaces::All);
        made.unknown.push((
            "for groups and users, which are in no manifest".into(),
            everywhere,
        ));
        return Some(made);
    }
    let annotated = spec
        .get("annotationSelector")
        .is_some_and(|s| !s.entries().is_empty());
    let selector = label_selector(spec.get("labelSelector"));
    for space in &world.spaces {
        let annotated = Truth::from(!annotated).or(Truth::Maybe);
        let generation = in_space(space, space.selected_by(&selector).and(annotated));
        if generation.truth.possible() {
            texts
                .iter()
                .for_each(|text| template(text, &generation, &mut made));
        }
    }
    Some(made)
}

fn template(text: &str, generation: &Generation<'_>, made: &mut Made) {
    let Some(filled) = filled(text, generation.space) else {
        if text.contains("NetworkPolicy") {
            generation.unknown(
                "its template depends on more than the namespace",
                None,
                made,
            );
        }
        return;
    };
    let chunks = tree::split(&filled);
    for node in chunks
        .iter()
        .filter_map(|chunk| tree::parse(&filled, chunk).root)
    {
        let listed = node
            .get("items")
            .map(SyntaxNode::items)
            .unwrap_or_default()
            .iter();
        for object in listed
            .chain([&node])
            .filter(|object| is_network_policy(object))
        {
            let namespace = object.get("metadata").and_then(|m| text_of(m, "namespace"));
            if namespace.is_none_or(|name| *name == *generation.space.name) {
                generation.object(object, made);
            }
        }
    }
}

/// A text with the name and the labels of a namespace in the place of its expressions.
fn filled(text: &str, space: &KnownNamespace) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (expression, behind) = after.split_once("}}")?;
        let expression = expression.trim_matches(['-', ' ']);
        let value = match expression {
            ".Name" | ".ObjectMeta.Name" => &*space.name,
            other => space.labels.get(other.strip_prefix(".Labels.")?)?,
        };
        filled.push_str(before);
        filled.push_str(value);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

/// A configuration policy of Open Cluster Management: objects that must be there.
fn configuration(
    node: &SyntaxNode,
    unless: Option<&str>,
    world: &GeneratorWorld<'_>,
) -> Option<Made> {
    let spec = node.get("spec")?;
    let objects = spec
        .get("object-templates")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let is_policy = |t: &&SyntaxNode| t.get("objectDefinition").is_some_and(is_network_policy);
    let policies: Vec<&SyntaxNode> = objects.iter().filter(is_policy).collect();
    if policies.is_empty() {
        return None;
    }
    let mut made = Made::handled();
    let action = text_of(spec, "remediationAction").unwrap_or_default();
    if !action.eq_ignore_ascii_case("enforce")
        || spec.get("disabled").and_then(SyntaxNode::as_bool) == Some(true)
    {
        return Some(made);
    }
    let wanted = |t: &&SyntaxNode| {
        let kind = text_of(t, "complianceType").unwrap_or_default();
        ["musthave", "mustonlyhave"]
            .iter()
            .any(|k| kind.eq_ignore_ascii_case(k))
    };
    for definition in policies
        .into_iter()
        .filter(wanted)
        .filter_map(|t| t.get("objectDefinition"))
    {
        let own = definition
            .get("metadata")
            .and_then(|m| text_of(m, "namespace"));
        for space in &world.spaces {
            let truth = match own {
                Some(name) => Truth::from(*space.name == *name),
                None => selected(spec.get("namespaceSelector"), space),
            };
            let generation = Generation {
                space,
                truth,
                unless: unless.map(str::to_owned),
            };
            if truth.possible() {
                expand(&generation, definition, &mut made);
            }
        }
    }
    Some(made)
}

/// Whether a selector of Open Cluster Management selects a namespace.
fn selected(selector: Option<&SyntaxNode>, space: &KnownNamespace) -> Truth {
    let Some(selector) = selector else {
        return Truth::No;
    };
    let listed = |key: &str| {
        let items = selector.get(key).map(SyntaxNode::items).unwrap_or_default();
        items
            .iter()
            .filter_map(SyntaxNode::as_str)
            .any(|pattern| is_like(&space.name, pattern))
    };
    let has = |key: &str| selector.get(key).is_some();
    let labelled = has("matchLabels") || has("matchExpressions");
    let named = if has("include") {
        listed("include")
    } else {
        labelled
    };
    let labels = if labelled {
        space.selected_by(&label_selector(Some(selector)))
    } else {
        Truth::Yes
    };
    Truth::from(named && !listed("exclude")).and(labels)
}

/// A policy of Open Cluster Management: configuration policies for clusters that are placed
/// elsewhere.
fn placed(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let templates = spec.get("policy-templates")?.items().iter();
    let definitions = templates.filter_map(|t| t.get("objectDefinition"));
    let unless = "on which clusters it is placed is not told";
    let mut all: Option<Made> = None;
    for definition in definitions.filter(|d| text_of(d, "kind") == Some("ConfigurationPolicy")) {
        if let Some(made) = configuration(definition, Some(unless), world) {
            all.get_or_insert_with(Made::handled).add(made);
        }
    }
    let disabled = spec.get("disabled").and_then(SyntaxNode::as_bool) == Some(true);
    if disabled {
        all.map(|_| Made::handled())
    } else {
        all
    }
}

/// An object of Crossplane that is written out in full.
fn written_out(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let manifest = custom
        .node
        .get("spec")?
        .get("forProvider")?
        .get("manifest")?;
    if !is_network_policy(manifest) {
        return None;
    }
    let namespace = text_of(manifest.get("metadata")?, "namespace")?;
    let space = world.spaces.iter().find(|s| *s.name == *namespace)?;
    let mut made = Made::handled();
    expand(&in_space(space, Truth::Yes), manifest, &mut made);
    Some(made)
}

/// kiosk: the manifests of a template, in the namespace of its instance.
fn template_instance(custom: &CustomObject, world: &GeneratorWorld<'_>) -> Option<Made> {
    let name = text_of(custom.node.get("spec")?, "template")?;
    let mut templates = world
        .of_kind("Template")
        .filter(|t| &*t.group == "config.kiosk.sh");
    let template = templates.find(|t| *t.name == *name)?;
    let manifests = template.node.get("resources")?.get("manifests")?.items();
    let space = world.spaces.iter().find(|s| *s.name == *custom.namespace)?;
    let mut made = Made::handled();
    for manifest in manifests.iter().filter(|m| is_network_policy(m)) {
        expand(&in_space(space, Truth::Yes), manifest, &mut made);
    }
    Some(made)
}

/// Rancher: a policy for each namespace of a project, whose rules name what no manifest has.
fn rancher(custom: &CustomObject) -> Option<Made> {
    let on = custom
        .node
        .get("spec")?
        .get("enableNetworkPolicy")?
        .as_bool()?;
    let mut made = Made::handled();
    if on {
        let projects = Selector::new([Requirement::Exists("field.cattle.io/projectId".into())]);
        let reach = TaintReach::own(TaintEffect::UnorderedTier, [true, false]);
        let reach = reach.namespaces(TaintNamespaces::Matching(projects));
        made.unknown
            .push(("the isolation of projects".into(), reach));
    }
    Some(made)
}

/// Otterize: a policy for each server that a client calls. The labels that it selects are put on
/// pods at run time, and whether it is enforced is a setting of the operator.
fn intents(custom: &CustomObject) -> Option<Made> {
    let spec = custom.node.get("spec")?;
    let lists = [spec.get("targets"), spec.get("calls")];
    let calls = lists.into_iter().flatten().flat_map(SyntaxNode::items);
    let mut namespaces: Vec<&str> = Vec::new();
    for call in calls {
        let kubernetes = call.get("kubernetes").or_else(|| call.get("service"));
        let name = text_of(kubernetes.unwrap_or(call), "name").unwrap_or_default();
        namespaces.push(
            name.split_once('.')
                .map_or(&*custom.namespace, |(_, of)| of),
        );
    }
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut made = Made::handled();
    if !namespaces.is_empty() {
        let reach = TaintReach::own(TaintEffect::UnorderedTier, [true, false]);
        let what = "for each server that is called, if the operator enforces intents";
        made.unknown.push((what.into(), reach.named(namespaces)));
    }
    Some(made)
}
