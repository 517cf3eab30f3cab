//! `netpal explain`: plain English of a policy, a workload or a namespace.

use super::args::{Common, ExplainArgs};
use super::asked::{endpoint, helped};
use super::exit::Exit;
use super::output::Output;
use super::workspace::Workspace;
use anyhow::{Result, anyhow, bail};
use netpal::{
    Direction, End, NamespaceId, Policy, PolicyId, PolicySet, Summary, Target, WorkloadId, resolve,
    summarize_namespace, summarize_policy, summarize_workload,
};
use std::collections::BTreeSet;

/// The short names of kinds of policies, as kubectl has them.
const SHORT_NAMES: [(&str, &[&str]); 6] = [
    ("netpol", &["NetworkPolicy"]),
    ("anp", &["AdminNetworkPolicy"]),
    ("banp", &["BaselineAdminNetworkPolicy"]),
    ("cnp", &["ClusterNetworkPolicy", "CiliumNetworkPolicy"]),
    ("ccnp", &["CiliumClusterwideNetworkPolicy"]),
    ("gnp", &["GlobalNetworkPolicy"]),
];

/// What a name stands for.
enum Thing {
    Policy(PolicyId),
    Workload(WorkloadId),
    Namespace(NamespaceId),
}

/// Explains what a name stands for.
///
/// # Errors
/// When it stands for nothing, or for several things.
pub fn run(common: &Common, args: &ExplainArgs) -> Result<Exit> {
    let output = Output::of::<Summary>(common)?;
    let workspace = Workspace::open(common)?;
    let (input, graph) = (&workspace.input, &workspace.graph);
    let mut things = Vec::new();
    for thing in things_called(&workspace, &args.name)? {
        things.push(match thing {
            Thing::Policy(id) => {
                let written = graph.as_written(input);
                Summary::Policy(summarize_policy(written.as_ref().unwrap_or(graph), id))
            }
            Thing::Workload(id) => {
                Summary::Workload(Box::new(summarize_workload(input, graph, id)?))
            }
            Thing::Namespace(id) => Summary::Namespace(summarize_namespace(graph, id)),
        });
    }
    let summary = match things.len() {
        1 => things.remove(0),
        _ => Summary::Several(things),
    };
    output.render(&summary, &workspace.context(&workspace.locator()))?;
    Ok(workspace.exit(common, Exit::Good))
}

/// Everything that has a name, policies first: a policy mostly has the name of the workload that it
/// is for.
fn things_called(workspace: &Workspace, name: &str) -> Result<Vec<Thing>> {
    let policies = policies(workspace, name);
    let says_policy = name.split('/').any(is_policy_word);
    let namespaces: BTreeSet<&str> = policies
        .iter()
        .filter_map(|p| policies_of(workspace).get(*p).namespace.as_deref())
        .collect();
    if namespaces.len() > 1 {
        let full = policies
            .iter()
            .map(|p| policies_of(workspace).get(*p).full_name());
        let full: BTreeSet<String> = full.collect();
        let full: Vec<String> = full.into_iter().collect();
        bail!("`{name}` is ambiguous: {}", full.join(", "));
    }
    // of several workloads, that in the namespace of the policy
    let beside = || match (namespaces.first(), name.contains('/')) {
        (Some(namespace), false) => workloads(workspace, &format!("{namespace}/{name}")),
        _ => workloads(workspace, name),
    };
    let workload = match policies.is_empty() {
        true => Some(workloads(workspace, name).map_err(|e| nearest(workspace, name, e))?),
        false if says_policy => None,
        false => beside().or_else(|_| workloads(workspace, name)).ok(),
    };
    let policies = policies.into_iter().map(Thing::Policy);
    Ok(policies.chain(workload).collect())
}

/// Whether a word says that a policy is meant.
fn is_policy_word(word: &str) -> bool {
    let kinds = SHORT_NAMES.iter().flat_map(|(_, kinds)| *kinds);
    word.eq_ignore_ascii_case("policy") || kinds.into_iter().any(|kind| names_kind(word, kind))
}

/// Whether a word names a kind: in any case, in the plural, or by its short name.
fn names_kind(word: &str, kind: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let singular = kind.to_ascii_lowercase();
    let plural = format!("{}ies", singular.trim_end_matches('y'));
    let mut short = SHORT_NAMES.iter().filter(|(short, _)| *short == word);
    word == singular || word == plural || short.any(|(_, kinds)| kinds.contains(&kind))
}

/// What could have been meant: a policy of nearly this name, else what the workloads say.
fn nearest(workspace: &Workspace, name: &str, error: anyhow::Error) -> anyhow::Error {
    let names = workspace.input.policies.iter().map(|(_, p)| p.full_name());
    let last = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
    let close: Vec<String> = names
        .filter(|n| strsim::damerau_levenshtein(&last(n), &last(name)) <= 2)
        .take(3)
        .collect();
    if close.is_empty() {
        return error;
    }
    anyhow!(
        "no policy or workload is called `{name}`\n       did you mean {}?",
        close.join(" or ")
    )
}

/// The policies of this name: `NAME`, `NS/NAME`, or with a kind in front or between.
fn policies(workspace: &Workspace, name: &str) -> Vec<PolicyId> {
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !is_policy_word(part))
        .collect();
    let (namespace, wanted) = match parts.as_slice() {
        [name] => (workspace.names.namespace.as_deref(), *name),
        [namespace, name] => (Some(*namespace), *name),
        _ => return Vec::new(),
    };
    let mut kinds = name.split('/').filter(|part| is_policy_word(part));
    let kind = kinds.find(|word| !word.eq_ignore_ascii_case("policy"));
    let acts = |p: &Policy| Direction::ALL.into_iter().any(|d| p.governs(d));
    let alone = workspace.graph.environment().options.network.is_some();
    let fits = |p: &Policy| {
        *p.name == *wanted
            && (!alone || acts(p))
            && kind.is_none_or(|word| names_kind(word, p.shape.kind))
            && (namespace.is_none() || p.namespace.is_none() || p.namespace.as_deref() == namespace)
    };
    let all = policies_of(workspace).iter();
    let fitting = all.filter(|(_, policy)| fits(policy));
    fitting.map(|(id, _)| id).collect()
}

/// The policies that can be explained: those of the input, or, where one network is asked about,
/// those that act there.
fn policies_of(workspace: &Workspace) -> &PolicySet {
    let environment = workspace.graph.environment();
    match environment.options.network {
        Some(_) => &environment.policies,
        None => &workspace.input.policies,
    }
}

fn workloads(workspace: &Workspace, name: &str) -> Result<Thing> {
    let spec = endpoint(name)?;
    let cluster = &workspace.input.cluster;
    if let Target::Namespace(namespace) = &spec.target
        && let Some(id) = cluster.find_namespace(namespace)
    {
        return Ok(Thing::Namespace(id));
    }
    let resolved = resolve(cluster, &workspace.names, &spec).map_err(helped)?;
    let found: BTreeSet<WorkloadId> = resolved
        .ends
        .iter()
        .filter_map(|e| {
            if let End::Pods { workload, .. } = e {
                Some(*workload)
            } else {
                None
            }
        })
        .collect();
    match (found.first(), found.len()) {
        (Some(one), 1) => Ok(Thing::Workload(*one)),
        (None, _) => bail!("`{name}` is no policy, workload or namespace"),
        (Some(_), n) => {
            bail!("`{name}` stands for {n} workloads; explain takes one, a policy, or ns/NAME")
        }
    }
}
