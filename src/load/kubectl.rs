//! kubectl, the one program netpal starts by itself, and only on request: `-k` renders, `--live`
//! reads.

use crate::load::error::LoadError;
use crate::load::input_file::InputFile;
use crate::load::limits;
use crate::policy::dialects;
use std::process::Command;

/// Renders a kustomization.
///
/// # Errors
/// When kubectl is missing or refuses the directory.
pub fn kustomize(directory: &str) -> Result<InputFile, LoadError> {
    let hint = "install it, or pipe: kustomize build DIR | netpal ... -f -";
    let bytes = run(
        &["kustomize", "--", directory],
        &format!("kustomize {directory}"),
        hint,
    )?;
    Ok(InputFile::from_bytes(
        &format!("kustomize:{directory}"),
        bytes,
    ))
}

/// The kinds of cluster objects that `--live` reads, where the cluster has them; the policies come
/// from the dialect tables.
const WORLD: [&str; 12] = [
    "namespaces",
    "nodes",
    "pods",
    "services",
    "replicationcontrollers",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "deploymentconfigs.apps.openshift.io",
];

/// `networkpolicies.networking.k8s.io` for every policy kind that netpal knows, modelled or not.
fn policies() -> Vec<String> {
    let modelled = dialects::DIALECTS
        .iter()
        .map(|d| (d.api_version.split('/').next().unwrap_or_default(), d.kind));
    let known = modelled.chain(dialects::UNMODELLED.iter().map(|u| (u.group, u.kind)));
    let plural = |kind: &str| match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    };
    known
        .map(|(group, kind)| match kind {
            "NetworkAttachmentDefinition" => format!("network-attachment-definitions.{group}"),
            _ => format!("{}.{group}", plural(&kind.to_lowercase())),
        })
        .collect()
}

/// Reads the cluster of the current context: `kubectl get ... -A -o json`, nothing is changed
/// there.
///
/// # Errors
/// When kubectl is missing, or may not read the cluster.
pub fn live() -> Result<InputFile, LoadError> {
    let hint = "install it, or pipe: kubectl get ... -A -o json | netpal ... -f -";
    let served = run(
        &["api-resources", "--verbs=list", "-o", "name"],
        "api-resources",
        hint,
    )?;
    let served = String::from_utf8_lossy(&served);
    let policies = policies();
    let known = |name: &&str| WORLD.contains(name) || policies.iter().any(|p| p == name);
    let kinds = served
        .lines()
        .map(str::trim)
        .filter(known)
        .collect::<Vec<_>>()
        .join(",");
    let bytes = run(&["get", &kinds, "-A", "-o", "json"], "get", hint)?;
    Ok(InputFile::from_bytes("<cluster>", bytes))
}

fn run(arguments: &[&str], what: &str, hint: &str) -> Result<Vec<u8>, LoadError> {
    let failed = |reason: String| LoadError::Kubectl {
        command: what.to_owned(),
        reason,
    };
    let printed = limits::run(Command::new("kubectl").args(arguments), &[]);
    let printed = printed.map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => failed(format!("kubectl is not on the PATH; {hint}")),
        _ => failed(e.to_string()),
    })?;
    if printed.success {
        Ok(printed.output)
    } else {
        Err(failed(printed.errors))
    }
}
