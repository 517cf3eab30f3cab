//! The configuration file, found and merged with the command line: a flag outweighs the file.

use super::args::Common;
use super::layers;
use super::options;
use super::output;
use anyhow::{Context as _, Result, anyhow, bail};
use netpal::{
    ApiServerAddress, AssumeSpec, AssumedPods, CONFIG_FILE_NAMES, CalicoApiSpec, CalicoSettings,
    CalicoSpec, CiliumSettings, CiliumSpec, Config, Context, Diagnostic, EndpointToHost,
    EndpointToHostSpec, EnforcementMode, EnforcementSpec, KindRows, Kubernetes, Labels,
    LoadOptions, LocalhostSpec, Locator, MatchMode, MatchSpec, PlatformSpec, PodsSpec, Requirement,
    Selector, Source, SourceLimits, Sources, Unsupported, describe_diagnostic, minor_version,
    nearest_file, parse_config, read_text,
};
use std::collections::BTreeMap;
use std::path::Path;

/// What the repository says once.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// The file's content; the defaults where there is none.
    pub config: Config,
    /// The directory it lies in, as a prefix of the paths it names; empty for the current one.
    pub base: String,
    /// The text of the file, as it was read.
    text: String,
    /// Whether it may name files outside that directory.
    allow_outside: bool,
    /// Whether it may have commands run and things fetched.
    allow_exec: bool,
}

impl Project {
    /// Finds and reads the configuration: as asked, else the nearest one.
    ///
    /// # Errors
    /// When it is not there, or has a mistake; every mistake is reported with its place.
    pub fn open(common: &Common) -> Result<Self> {
        let Some(path) = common
            .config
            .clone()
            .or_else(|| nearest_file(&CONFIG_FILE_NAMES))
        else {
            return Ok(Self::default());
        };
        let name = path.to_string_lossy().into_owned();
        let text = read_text(&name)?;
        Self::of_text(common, &path, &name, text)
    }

    /// The configuration as a revision has it, unless the command line names one for both sides;
    /// the one of the working tree where the revision has none.
    ///
    /// # Errors
    /// When it has a mistake.
    pub fn at_revision(&self, common: &Common, revision: &str) -> Result<Self> {
        let found = match common.config {
            Some(_) => None,
            None => nearest_file(&CONFIG_FILE_NAMES),
        };
        let Some(path) = found else {
            return Ok(self.clone());
        };
        let name = format!("git:{revision}:{}", path.to_string_lossy());
        match read_text(&name) {
            Ok(text) => Self::of_text(common, &path, &name, text),
            Err(_) => Ok(self.clone()), // where the revision itself is unknown, the inputs say so
        }
    }

    /// Lets what the file before took for unknown stay unknown, so that a change cannot take the
    /// doubt away together with what it is about.
    pub fn keep_doubts_of(&mut self, before: &Self) {
        if self.config.unsupported == Unsupported::Ignore {
            self.config.unsupported = before.config.unsupported;
        }
    }

    /// Whether two configurations are written alike.
    pub fn is_same(&self, other: &Self) -> bool {
        self.text == other.text
    }

    fn of_text(common: &Common, path: &Path, name: &str, text: String) -> Result<Self> {
        let config = parse_config(name, &text)
            .map_err(|problems| invalid(&problems))
            .with_context(|| {
                format!("the configuration `{name}` cannot be read; its keys: netpal schema config")
            })?;
        let base = path
            .parent()
            .map(|p| p.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self {
            config,
            base,
            text,
            allow_outside: common.allow_outside,
            allow_exec: common.allow_exec,
        })
    }

    /// A path of the file, from the current directory.
    ///
    /// # Errors
    /// When it leads out of the folder of the file, and that was not allowed.
    pub fn path(&self, path: &str) -> Result<String> {
        let from_here = self.seen_from_here(path);
        // what git keeps lies in the repository, whatever its path
        let on_disk = from_here != "-" && !from_here.starts_with("git:");
        if on_disk {
            self.limits().check(path, Path::new(&from_here))?;
        }
        Ok(from_here)
    }

    /// What reading may do that the file names.
    pub fn limits(&self) -> SourceLimits {
        SourceLimits {
            folder: self.base.as_str().into(),
            may_leave: self.allow_outside,
            may_fetch: self.allow_exec,
        }
    }

    fn seen_from_here(&self, path: &str) -> String {
        let special = path == "-" || Path::new(path).is_absolute() || self.base.is_empty();
        match path
            .strip_prefix("git:")
            .and_then(|rest| rest.split_once(':'))
        {
            Some((revision, inside)) if !self.base.is_empty() => {
                format!("git:{revision}:{}/{inside}", self.base)
            }
            _ if special => path.to_owned(),
            _ => format!("{}/{path}", self.base),
        }
    }

    fn limited(&self, source: Source) -> Source {
        Source::Limited(Box::new(source), self.limits())
    }

    /// The inputs of the file.
    ///
    /// # Errors
    /// When one of them is a command and commands were not allowed.
    pub fn inputs(&self, common: &Common) -> Result<Vec<Source>> {
        let mut sources = Vec::new();
        for input in &self.config.inputs {
            if let Some(path) = &input.path {
                sources.push(self.limited(Source::Path(self.path(path)?.into())));
            } else if let Some(directory) = &input.kustomize {
                sources.push(self.limited(Source::Kustomize(self.path(directory)?.into())));
            } else if let Some(command) = &input.exec {
                if !common.allow_exec {
                    bail!(
                        "the configuration wants to run `{command}`; commands are run only with --allow-exec\n       \
                         or pipe it yourself: {command} | netpal ... -f -"
                    );
                }
                sources.push(Source::Exec(
                    command.as_str().into(),
                    self.base.as_str().into(),
                ));
            }
        }
        Ok(sources)
    }

    /// The flags, and the file's values where a flag is not given.
    pub fn merged(&self, common: &Common) -> Common {
        let mut merged = common.clone();
        let cluster = &self.config.cluster;
        let or = |flag: &mut Vec<String>, file: &[String]| {
            if flag.is_empty() {
                flag.extend(file.iter().cloned());
            }
        };
        or(&mut merged.pod_cidrs, &cluster.pod_cidrs);
        or(&mut merged.service_cidrs, &cluster.service_cidrs);
        or(&mut merged.node_cidrs, &cluster.node_cidrs);
        or(&mut merged.cni, cluster.cni.as_slice());
        if let Some(spec) = &cluster.cilium {
            merged.cilium = cilium_settings(spec);
            or(&mut merged.cni, &["cilium".to_owned()]);
        }
        if let Some(spec) = &cluster.calico {
            merged.calico = calico_settings(spec);
            or(&mut merged.cni, &["calico".to_owned()]);
        }
        let told = cluster.apiserver.iter();
        let told = told.filter_map(|text| text.parse::<ApiServerAddress>().ok());
        merged.api_servers = told.map(|address| address.block).collect();
        let version = cluster.kubernetes.as_deref();
        let version = version.and_then(|v| minor_version(v, 1)).map(Kubernetes);
        merged.kubernetes = merged.kubernetes.or(version);
        merged
    }

    /// How manifests are read, by the flags and the file.
    ///
    /// # Errors
    /// When a row of the file is none.
    pub fn load_options(&self, common: &Common) -> Result<LoadOptions> {
        let rows = serde_json::to_string(&self.config.workloads)?;
        let workloads: KindRows = rows
            .parse()
            .map_err(|wrong: String| anyhow!("workloads: {wrong}"))?;
        // the section of lint had them first
        let named = &self.config.cluster.ingress_controllers;
        let controllers = named.iter().chain(&self.config.lint.ingress_controllers);
        Ok(LoadOptions {
            workloads,
            ingress_controllers: controllers.map(|name| name.as_str().into()).collect(),
            gke: self.config.cluster.platform.map(|p| p == PlatformSpec::Gke),
            layers: layers::settings(&self.config.cluster),
            ..options::load_options(common)
        })
    }

    /// The pods that the configuration assumes.
    pub fn assumed(&self) -> Vec<AssumedPods> {
        let labels = |map: &BTreeMap<String, String>| -> Labels {
            map.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
        };
        let one = |spec: &AssumeSpec| AssumedPods {
            name: spec.name.as_str().into(),
            namespace: spec.namespace.name.as_str().into(),
            namespace_labels: labels(&spec.namespace.labels),
            labels: labels(&spec.pods),
            host_network: spec.host_network,
        };
        self.config.assume.iter().map(one).collect()
    }

    /// What names mean.
    ///
    /// # Errors
    /// When the configuration names an address that is none.
    pub fn names(&self, namespace: Option<&str>) -> Result<Context> {
        let mut context = Context {
            namespace: namespace.map(Into::into),
            ..Context::default()
        };
        let dns = self.config.cluster.dns.as_ref();
        if let Some((dns, namespace)) = dns.and_then(|dns| Some((dns, dns.namespace.as_ref()?))) {
            let labels = Selector::new(requirements(&dns.pods));
            context.dns = (namespace.as_str().into(), labels);
        }
        context.node_local_dns = dns.and_then(|dns| dns.node_local);
        for text in &self.config.cluster.apiserver {
            let address = text.parse();
            let address = address.map_err(|wrong: String| anyhow!("cluster.apiserver: {wrong}"))?;
            context.api_servers.push(address);
        }
        Ok(context)
    }
}

/// The options of Cilium's agent that a file tells.
fn cilium_settings(spec: &CiliumSpec) -> CiliumSettings {
    let minor = |version: &String| minor_version(version, 1);
    let reserved = spec.reserved.iter();
    let reserved =
        reserved.filter_map(|(address, kind)| Some((address.parse().ok()?, kind.as_str().into())));
    CiliumSettings {
        version: spec.version.as_ref().and_then(minor),
        enforcement: spec.enforcement_mode.map(|mode| match mode {
            EnforcementSpec::Default => EnforcementMode::Default,
            EnforcementSpec::Always => EnforcementMode::Always,
            EnforcementSpec::Never => EnforcementMode::Never,
        }),
        match_mode: spec.cidr_match_mode.as_ref().map(|list| MatchMode {
            nodes: list.contains(&MatchSpec::Nodes),
            pods: list.contains(&MatchSpec::Pods),
        }),
        host_firewall: spec.host_firewall,
        node_labels: spec.node_selector_labels,
        local_cluster: spec.policy_default_local_cluster,
        cluster: spec.cluster_name.as_deref().map(Into::into),
        allow_localhost: spec.allow_localhost.map(|it| it != LocalhostSpec::Policy),
        dual_stack: spec.dual_stack,
        cluster_network_policy: spec.cluster_network_policy,
        reserved: reserved.collect(),
    }
}

/// The settings of Calico that a file tells.
fn calico_settings(spec: &CalicoSpec) -> CalicoSettings {
    let minor = |version: &String| minor_version(version, 3);
    CalicoSettings {
        version: spec.version.as_ref().and_then(minor),
        native_crds: spec.api.map(|api| api == CalicoApiSpec::NativeCrd),
        endpoint_to_host: spec.endpoint_to_host.map(|it| match it {
            EndpointToHostSpec::Accept => EndpointToHost::Accept,
            EndpointToHostSpec::Drop => EndpointToHost::Drop,
            EndpointToHostSpec::Return => EndpointToHost::Return,
        }),
        staged: false,
    }
}

/// Pods of one namespace, by their labels.
pub fn pods(spec: &PodsSpec) -> (Box<str>, Selector) {
    (
        spec.namespace.as_str().into(),
        Selector::new(requirements(&spec.pods)),
    )
}

/// Labels as what is asked of a label set.
pub fn requirements(labels: &BTreeMap<String, String>) -> Vec<Requirement> {
    let label =
        |(k, v): (&String, &String)| Requirement::In(k.as_str().into(), vec![v.as_str().into()]);
    labels.iter().map(label).collect()
}

/// Reports every problem of a file, and is the error that ends the run.
pub fn invalid(problems: &[Diagnostic]) -> anyhow::Error {
    let sources = Sources::default();
    let locator = Locator::new(&sources);
    for problem in problems {
        output::remark(&describe_diagnostic(problem, &locator, output::STYLE));
    }
    anyhow::anyhow!("{}", output::counted(problems.len(), "problem"))
}
