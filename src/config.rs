//! The configuration file `netpal.yaml`: the settings of a repository, so that nobody has to type
//! it.
//!
//! It is read through the same tree as manifests, so every mistake has its line, and an unknown key
//! is an error with the nearest known one. A value given on the command line outweighs the file.
//! Nothing here touches a file: [`mod@crate::load`] finds and reads it. Road not taken: TOML;
//! everything else in the repository is YAML already.

mod calico;
mod cilium;
pub mod groups;
mod layers;

pub use crate::config::calico::{CalicoApiSpec, CalicoSpec, EndpointToHostSpec};
pub use crate::config::cilium::{CiliumSpec, EnforcementSpec, LocalhostSpec, MatchSpec};
pub use crate::config::layers::{
    BlockSpec, DataplaneSpec, InboundPolicySpec, IstioSpec, LinkerdSpec, MeshedSpec, MeshedWord,
    NetworksSpec, OpenshiftSpec, PlatformSpec, TransportSpec, minor_version,
};

use crate::config::groups::GroupSpec;
use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::source::Location;
use crate::tree;
use crate::tree::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The names under which the file is looked for, in every directory from here upwards.
pub const NAMES: [&str; 2] = ["netpal.yaml", ".netpal.yaml"];

/// The configuration file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct Config {
    /// The version of this format; 1.
    pub version: Option<u32>,
    /// What to read when no -f, -k or --live is given. Paths are relative to this file.
    pub inputs: Vec<InputSpec>,
    /// What the manifests do not say about the cluster.
    pub cluster: ClusterSpec,
    /// Settings of netpal lint.
    pub lint: LintSpec,
    /// The policy tests that netpal test runs when it is given none: files or patterns, relative to
    /// this file.
    pub tests: Vec<String>,
    /// Named sets of workloads: scopes of netpal report, and groups of every test file that has
    /// none of that name.
    pub groups: BTreeMap<String, GroupSpec>,
    /// Settings of netpal snapshot.
    pub snapshot: SnapshotSpec,
    /// Settings of the pictures.
    pub graph: GraphSpec,
    /// What policies of a kind that netpal does not model count for.
    pub unsupported: Unsupported,
    /// How much of the cluster the input shows: open, namespaces or closed.
    pub world: Option<WorldSpec>,
    /// Pods that surely exist and that nobody loads: an ingress controller, the monitoring. Where
    /// such pods are loaded, these are what counts.
    pub assume: Vec<AssumeSpec>,
    /// What operators make of kinds of custom resources: rows in the form of the table of kinds
    /// (docs/operators.md). A row replaces those of the table for its kind.
    pub workloads: Vec<KindRowSpec>,
}

/// What an operator makes of one kind of custom resource.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct KindRowSpec {
    /// The kind.
    pub kind: String,
    /// The group of its API.
    pub group: String,
    /// What the row is called in netpal inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When the row holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The pods, by role.
    pub pods: Vec<RoleSpec>,
    /// The Services: name, selector, ports, headless.
    pub services: Vec<BTreeMap<String, serde_json::Value>>,
    /// The `NetworkPolicy` objects: name and spec, or unknown, and pods.
    pub policies: Vec<BTreeMap<String, serde_json::Value>>,
}

/// The pods of one role.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct RoleSpec {
    /// What they are for.
    pub role: String,
    /// How they are called: `{name}-#` with a number, `{name}-*` with what is generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// The list for each of whose elements there are such pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// When there are such pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Labels that are certain.
    pub labels: BTreeMap<String, String>,
    /// Where in the object further labels stand.
    pub copied: Vec<String>,
    /// Labels whose values come at run time: those that there are, joined by |, or nothing.
    pub runtime: BTreeMap<String, String>,
    /// Labels that are there in some settings.
    pub perhaps: BTreeMap<String, String>,
    /// Where a pod template stands, whole or only what it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The ports that are declared: name:number, name:number/UDP.
    pub ports: Vec<String>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<String>,
    /// The service account that they run as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When they share their node's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The controller that keeps them: `StatefulSet`, `Deployment`, `DaemonSet` or `Job`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Pods that surely exist and that nobody loads.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct AssumeSpec {
    /// What they are called in answers.
    pub name: String,
    /// Their namespace.
    pub namespace: AssumedNamespaceSpec,
    /// Their labels.
    #[serde(default)]
    pub pods: BTreeMap<String, String>,
    /// Whether they share their node's network.
    #[serde(default)]
    pub host_network: bool,
}

/// The namespace of assumed pods.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct AssumedNamespaceSpec {
    /// Its name.
    pub name: String,
    /// All of its labels; where its object is loaded, that counts.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// How much of the cluster the input shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorldSpec {
    /// Pods and namespaces may exist that are not in it.
    Open,
    /// Every namespace is in it with its labels; new pods may come. The default of --live.
    Namespaces,
    /// Nothing but what is in it exists.
    Closed,
}

/// One thing to read: a path, a kustomization or the output of a command.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct InputSpec {
    /// A file, a directory with everything below it, a glob, or git:REV:PATH.
    pub path: Option<String>,
    /// A kustomization directory, rendered with `kubectl kustomize`.
    pub kustomize: Option<String>,
    /// A shell command that prints manifests. Run only with --allow-exec, in the directory of this
    /// file.
    pub exec: Option<String>,
}

impl InputSpec {
    /// How many of its kinds of source are given; exactly one is allowed.
    fn kinds(&self) -> usize {
        let kinds = [&self.path, &self.kustomize, &self.exec];
        kinds.into_iter().flatten().count()
    }
}

/// What the manifests do not say about the cluster.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct ClusterSpec {
    /// Where pod addresses lie.
    pub pod_cidrs: Vec<String>,
    /// Where Service addresses lie.
    pub service_cidrs: Vec<String>,
    /// Where node addresses lie.
    pub node_cidrs: Vec<String>,
    /// The network plugin whose documented choices hold.
    pub cni: Option<String>,
    /// The version of Kubernetes whose API server the manifests are for, in quotes: "1.35".
    pub kubernetes: Option<String>,
    /// What the cluster runs on, as far as that decides something.
    pub platform: Option<PlatformSpec>,
    /// Where the DNS pods are.
    pub dns: Option<DnsSpec>,
    /// Where the pods are that scrape metrics.
    pub monitoring: Option<PodsSpec>,
    /// Addresses or address blocks of the API server, as pods are sent to it.
    pub apiserver: Vec<String>,
    /// The workloads that serve Ingresses, Gateways and Routes, as `namespace/name`, where the
    /// manifests do not show which do.
    pub ingress_controllers: Vec<String>,
    /// Options of Cilium's agent, where the network plugin is Cilium.
    pub cilium: Option<CiliumSpec>,
    /// Settings of Calico, where the network plugin is Calico.
    pub calico: Option<CalicoSpec>,
    /// Settings of `OpenShift`.
    pub openshift: Option<OpenshiftSpec>,
    /// Settings of Istio.
    pub istio: Option<IstioSpec>,
    /// Settings of Linkerd.
    pub linkerd: Option<LinkerdSpec>,
    /// Settings of networks.
    pub networks: Option<NetworksSpec>,
}

/// Where the DNS pods are, and what names stand for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct DnsSpec {
    /// The namespace of the DNS pods.
    pub namespace: Option<String>,
    /// Their labels.
    pub pods: BTreeMap<String, String>,
    /// The address of the cache on every node that answers DNS queries, where there is one.
    pub node_local: Option<std::net::IpAddr>,
    /// The addresses that domain names in policies stand for; of a name that is not listed they
    /// are not known.
    pub names: BTreeMap<String, Vec<std::net::IpAddr>>,
}

/// Pods of one namespace.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct PodsSpec {
    /// Their namespace.
    pub namespace: String,
    /// Their labels.
    pub pods: BTreeMap<String, String>,
}

/// How bad a finding must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Probably a mistake.
    Warning,
    /// A mistake.
    Error,
}

/// Settings of `netpal lint`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct LintSpec {
    /// The severity from which findings fail the run.
    pub fail_on: Option<Level>,
    /// Rules to run, by id or the beginning of ids; ALL for all.
    pub select: Vec<String>,
    /// Rules to leave out, by id or the beginning of ids.
    pub ignore: Vec<String>,
    /// Severities of single rules.
    pub severity: BTreeMap<String, Level>,
    /// Workloads that may be reached from the internet.
    pub edges: Vec<String>,
    /// An older place of `cluster.ingress-controllers`, which counts as if it stood there.
    pub ingress_controllers: Vec<String>,
    /// TCP ports of databases, shells and the like, in place of netpal's own list.
    pub sensitive_ports: Option<Vec<u16>>,
    /// Labels that mark a workload or a namespace whose data must not leave; one of them suffices.
    pub sensitive_labels: BTreeMap<String, String>,
    /// Whether those who own a namespace may change its labels.
    pub owners_edit_labels: bool,
    /// Rules to leave out in single namespaces.
    pub per_namespace: BTreeMap<String, NamespaceLintSpec>,
}

/// Settings of `netpal lint` in one namespace.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct NamespaceLintSpec {
    /// Rules to leave out, by id or the beginning of ids.
    pub ignore: Vec<String>,
}

/// Settings of `netpal snapshot`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct SnapshotSpec {
    /// The file, relative to this one.
    pub path: Option<String>,
    /// What one line is about.
    pub unit: Option<SnapshotUnit>,
}

/// What one line of a snapshot is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotUnit {
    /// Workloads.
    Workload,
}

/// Settings of the pictures.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct GraphSpec {
    /// What to leave out of the picture, such as dns.
    pub hide: Vec<String>,
    /// When to draw namespaces instead of workloads.
    pub collapse: Option<String>,
    /// The colours.
    pub theme: Option<String>,
}

/// What policies of a kind that netpal does not model count for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unsupported {
    /// They are an error: the run ends with exit code 2.
    Fail,
    /// Verdicts they could touch are unknown, and a warning says so.
    #[default]
    Warn,
    /// They are left out, as if they were not there.
    Ignore,
}

/// Reads a configuration file.
///
/// # Errors
/// When it is not YAML, has an unknown key, or a value of the wrong kind; every problem is reported
/// with its place.
pub fn parse(name: &str, text: &str) -> Result<Config, Vec<Diagnostic>> {
    let config: Config = read(name, text)?;
    match config.version {
        None | Some(1) => {}
        Some(other) => {
            return Err(vec![error(
                name,
                text,
                "version",
                format!("version {other} is not known; this is version 1"),
            )]);
        }
    }
    if let Some(message) = layers::wrong_version(&config.cluster) {
        return Err(vec![error(name, text, "cluster", message)]);
    }
    let dns = config.cluster.dns.as_ref();
    if dns.is_some_and(|dns| dns.namespace.is_some() == dns.pods.is_empty()) {
        let message = "cluster.dns: `namespace` and `pods` say together where the DNS pods are";
        return Err(vec![error(name, text, "cluster", message)]);
    }
    if config.inputs.iter().any(|i| i.kinds() != 1) {
        let message = "inputs: each item has exactly one of `path`, `kustomize` and `exec`";
        return Err(vec![error(name, text, "inputs", message)]);
    }
    Ok(config)
}

fn error(name: &str, text: &str, key: &str, message: impl Into<Box<str>>) -> Diagnostic {
    let at = tree::split(text)
        .first()
        .and_then(|c| tree::parse(text, c).root?.entry(key).map(|e| e.key_span.at));
    let place = Place::At(Location {
        file: name.into(),
        at: at.unwrap_or_default(),
    });
    Diagnostic::new(
        DiagnosticSeverity::Error,
        Code::InvalidValue,
        place,
        message,
    )
}

/// Reads a text of one document into a type, strictly: an unknown key is an error.
///
/// # Errors
/// When it is not YAML, has more than one document, an unknown key, or a value of the wrong kind.
pub fn read<T: DeserializeOwned + Default>(name: &str, text: &str) -> Result<T, Vec<Diagnostic>> {
    read_with_tree(name, text).map(|(value, _)| value)
}

/// The same, with the tree it was read from, for places.
///
/// # Errors
/// As [`read`].
pub fn read_with_tree<T: DeserializeOwned + Default>(
    name: &str,
    text: &str,
) -> Result<(T, Option<tree::SyntaxNode>), Vec<Diagnostic>> {
    let chunks = tree::split(text);
    let Some(chunk) = chunks.first() else {
        return Ok((T::default(), None));
    };
    if let Some(second) = chunks.get(1) {
        let at = crate::source::Position {
            line: second.line,
            column: 1,
        };
        let place = Place::At(Location {
            file: name.into(),
            at,
        });
        let message = "a second document: everything belongs in one";
        return Err(vec![Diagnostic::new(
            DiagnosticSeverity::Error,
            Code::Syntax,
            place,
            message,
        )]);
    }
    let parsed = tree::parse(text, chunk);
    let mut problems = parsed.problems;
    let mut value = None;
    if let Some(root) = &parsed.root {
        let decoded = tree::decode::<T>(root);
        problems.extend(decoded.problems);
        value = decoded.value;
    }
    match value {
        Some(value) if !problems.iter().any(is_wrong) => Ok((value, parsed.root)),
        _ => Err(problems.iter().map(|p| diagnostic(name, p)).collect()),
    }
}

/// Whether a problem makes a file unusable; what a key said that stands there twice would be lost.
fn is_wrong(problem: &Problem) -> bool {
    problem.is_error() || problem.kind == ProblemKind::DuplicateKey
}

fn diagnostic(name: &str, problem: &Problem) -> Diagnostic {
    let code = match problem.kind {
        ProblemKind::UnknownField => Code::UnknownField,
        ProblemKind::WrongType | ProblemKind::Letter => Code::WrongType,
        ProblemKind::DuplicateKey => Code::DuplicateKey,
        ProblemKind::UnrenderedTemplate => Code::UnrenderedTemplate,
        ProblemKind::Limit => Code::Limit,
        ProblemKind::Syntax | ProblemKind::Lost => Code::Syntax,
    };
    let place = Place::At(Location {
        file: name.into(),
        at: problem.span.at,
    });
    let severity = if is_wrong(problem) {
        DiagnosticSeverity::Error
    } else {
        DiagnosticSeverity::Warning
    };
    let mut diagnostic = Diagnostic::new(severity, code, place, problem.message.clone());
    diagnostic.help = problem.help.clone().map(Into::into);
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
version: 1
inputs:
  - path: k8s/overlays/prod
  - exec: "helm template shop charts/shop"
cluster:
  pod-cidrs: [10.244.0.0/16]
  service-cidrs: [10.96.0.0/12]
  node-cidrs: [10.0.0.0/24]
  cni: cilium-1.17
  dns: {namespace: kube-system, pods: {k8s-app: kube-dns}}
  monitoring: {namespace: monitoring, pods: {app.kubernetes.io/name: prometheus}}
  apiserver: [10.0.0.1, 10.0.1.0/24]
  ingress-controllers: [ingress-nginx/controller]
lint:
  fail-on: error
  select: [ALL]
  ignore: [NP405]
  severity: {NP301: error, NP207: info}
  edges: [ingress-nginx/deploy/controller]
  sensitive-ports: [22, 5432]
  sensitive-labels: {data: personal}
  owners-edit-labels: true
  per-namespace:
    kube-system: {ignore: [NP3]}
tests: [policy-tests/*.yaml]
snapshot: {path: netpal.snap, unit: workload}
graph: {hide: [dns], collapse: auto, theme: auto}
unsupported: fail
"#;

    fn reported(text: &str) -> String {
        let diagnostics = parse("netpal.yaml", text).unwrap_err();
        let line = |d: &Diagnostic| match &d.place {
            Place::At(l) => {
                format!(
                    "{}:{} {} | {}",
                    l.at.line,
                    l.at.column,
                    d.message,
                    d.help.as_deref().unwrap_or("")
                )
            }
            _ => d.message.to_string(),
        };
        diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_whole_file_is_understood() {
        let config = parse("netpal.yaml", WHOLE).unwrap();
        assert_eq!(config.inputs.len(), 2);
        assert_eq!(config.cluster.cni.as_deref(), Some("cilium-1.17"));
        assert_eq!(config.lint.severity.get("NP301"), Some(&Level::Error));
        assert_eq!(config.lint.sensitive_ports, Some(vec![22, 5432]));
        assert!(config.lint.owners_edit_labels);
        assert_eq!(config.unsupported, Unsupported::Fail);
        assert_eq!(parse("x", "").unwrap(), Config::default());
    }

    #[test]
    fn an_unknown_key_is_an_error_at_its_place_with_the_nearest_known_one() {
        assert_eq!(
            reported("version: 1\ncluster:\n  pod-cidr: [10.0.0.0/8]\n"),
            "3:3 unknown field `pod-cidr` in cluster | did you mean `pod-cidrs`?"
        );
        assert!(
            reported("test: [a]\n")
                .starts_with("1:1 unknown field `test` here | did you mean `tests`?")
        );
        assert!(reported("unsupported: maybe\n").contains("1:14"));
        assert!(reported("tests: policy-tests\n").contains("expected a list"));
    }

    #[test]
    fn values_that_make_no_sense_are_errors() {
        assert!(reported("version: 2\n").contains("1:1 version 2"));
        assert!(reported("inputs: [{path: a, exec: b}]\n").contains("exactly one"));
        assert!(reported("version: 1\n---\nversion: 1\n").contains("3:1 a second document"));
    }
}
