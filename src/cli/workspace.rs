//! From the command line to a compiled graph: sources, options, what was wrong with the input.

use super::args::Common;
use super::complaints::complain;
use super::exit::Exit;
use super::layers::unknown_members;
use super::live;
use super::options::{given_cidrs, options};
use super::output;
use super::progress::Progress;
use super::project::Project;
use anyhow::{Result, bail};
use netpal::{
    AllowGraph, CompileError, Context, DiagnosticCode, DiagnosticSeverity as Severity, DiffSide,
    Direction, DoorList, ImpliedPlugin, Input, Locator, PictureFacts, PlatformSpec, PotentialRows,
    Relabel, RenderContext, Snapshot, Source, Surroundings, TaintReason, Unsupported, WorkloadId,
    World, WorldSpec, dns_pods, load_sources, load_watched, potential_rows, potential_rows_of,
    relabelled, with_assumed,
};

/// Everything a command needs to answer.
pub struct Workspace {
    /// What was read.
    pub input: Input,
    /// What it allows.
    pub graph: AllowGraph,
    /// What names mean.
    pub names: Context,
    /// The configuration.
    pub project: Project,
    /// The folder the program was started in.
    folder: Option<String>,
    /// Whether answers name everything.
    verbose: bool,
    /// How much of the cluster the input shows.
    pub world: World,
}

/// How a side is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadMode {
    /// Whether it may have no object at all.
    pub empty: bool,
    /// Whether warnings are left to the other side.
    pub quiet: bool,
}

const NO_INPUT: &str = "no input: tell netpal what to read

  netpal ... -f k8s/                              files, folders, globs
  helm template . | netpal ... -f -               anything that prints manifests
  netpal ... --live                               the cluster of your current context (runs kubectl get)

No manifests at hand? netpal demo writes a playground.";

impl Workspace {
    /// The same with another input and graph, and what names mean there.
    pub(super) fn beside(&self, input: Input, graph: AllowGraph, names: Context) -> Self {
        Self {
            input,
            graph,
            names,
            project: self.project.clone(),
            folder: self.folder.clone(),
            verbose: self.verbose,
            world: self.world,
        }
    }

    /// The workspace of the same files with other texts, read in silence.
    ///
    /// # Errors
    /// When they cannot be read or compiled.
    pub fn rewritten(&self, common: &Common, files: &[Source]) -> Result<Self> {
        let common = &self.project.merged(common);
        let mut input = load_sources(files, &[], &self.project.load_options(common)?)?;
        settle(self.project.config.unsupported, &mut input);
        if !self.project.config.assume.is_empty() {
            input = with_assumed(&input, &self.project.assumed()).0;
        }
        let graph = AllowGraph::compile(&input, &options(common)?)?;
        Ok(self.beside(input, graph, self.names.clone()))
    }

    /// Loads and compiles what the flags name, and reports what is wrong with it.
    ///
    /// # Errors
    /// When nothing can be read, or a flag makes no sense.
    pub fn open(common: &Common) -> Result<Self> {
        let project = Project::open(common)?;
        let sources = sources(common, &project)?;
        Self::read(
            common,
            project,
            &sources,
            &overlays(common),
            ReadMode::default(),
        )
    }

    /// The same, whichever order the sources are named in, so that what is numbered as it was read
    /// has one order too. Where they have two objects of one name their order decides which one
    /// stays, and is kept.
    ///
    /// # Errors
    /// When nothing can be read, or a flag makes no sense.
    pub fn open_in_one_order(common: &Common) -> Result<Self> {
        let project = Project::open(common)?;
        let mut sources = sources(common, &project)?;
        let given = sources.clone();
        sources.sort_by_key(quoted_source);
        if sources == given || given.iter().any(|s| !is_file(s)) {
            return Self::open(common);
        }
        let reading = ReadMode {
            empty: true,
            quiet: true,
        };
        let sorted = Self::read(common, project, &sources, &overlays(common), reading)?;
        let mut told = sorted.input.diagnostics.iter();
        let decides = told.any(|d| d.code == DiagnosticCode::DuplicateObject);
        if decides || sorted.input.tally.objects == 0 {
            return Self::open(common);
        }
        if !sorted.input.has_errors() {
            complain(&sorted.project.merged(common), &sorted.input);
        }
        if sorted.project.merged(common).cni.is_empty() && !common.quiet {
            implied_plugin(&sorted.input);
        }
        Ok(sorted)
    }

    /// Loads and compiles these sources under the flags and the configuration.
    ///
    /// # Errors
    /// When nothing can be read, or a flag makes no sense.
    pub fn read(
        common: &Common,
        project: Project,
        sources: &[Source],
        overlays: &[Source],
        reading: ReadMode,
    ) -> Result<Self> {
        let common = &project.merged(common);
        if sources
            .iter()
            .chain(overlays)
            .filter(|s| **s == Source::Stdin)
            .count()
            > 1
        {
            bail!("standard input can be read only once: -f - was given twice");
        }
        live::refuse_without_cluster(common, sources)?;
        let progress = Progress::start(common.quiet);
        let loading = project.load_options(common)?;
        let read = load_watched(sources, overlays, &loading, &progress);
        drop(progress);
        let mut input = read?;
        settle(project.config.unsupported, &mut input);
        if !reading.quiet || input.has_errors() {
            complain(common, &input);
        }
        if common.cni.is_empty() && !common.quiet && !reading.quiet {
            implied_plugin(&input);
        }
        if input.tally.objects == 0 && !reading.empty {
            bail!("{}", nothing_found(sources, &input));
        }
        if !project.config.assume.is_empty() {
            let (laid, added) = with_assumed(&input, &project.assumed());
            input = laid;
            if !common.quiet && !added.is_empty() {
                let names = added.join(", ");
                output::remark(&format!(
                    "note: assumed in netpal.yaml and not loaded: {names}"
                ));
            }
        }
        if !common.quiet {
            for (mesh, name) in unknown_members(&project.config.cluster, &input.cluster) {
                output::remark(&format!(
                    "warning: cluster.{mesh}.meshed: `{name}` names no workload of the input, written as namespace/workload: nobody is meshed by it"
                ));
            }
        }
        let graph = AllowGraph::compile(&input, &options(common)?)?;
        let mut names = project.names(common.chosen())?;
        names.only_read = input.only_namespace().map(Into::into);
        names.service_cidrs = given_cidrs(&common.service_cidrs)?;
        names.pod_cidrs = given_cidrs(&common.pod_cidrs)?;
        names.node_cidrs = given_cidrs(&common.node_cidrs)?;
        let on_openshift = project.config.cluster.platform == Some(PlatformSpec::Openshift);
        let told = project.config.cluster.dns.as_ref();
        if told.is_none_or(|dns| dns.namespace.is_none())
            && let Some(dns) = dns_pods(&input, on_openshift)
        {
            names.dns = dns;
        }
        let folder = std::env::current_dir().ok();
        let all_namespaces = live::has_all_namespaces(sources, &input);
        let world = world(common, &project, all_namespaces);
        Ok(Self {
            input,
            graph,
            names,
            project,
            folder: folder.map(|d| d.to_string_lossy().into_owned()),
            verbose: common.verbose > 0,
            world,
        })
    }

    /// The same input with other labels.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn relabelled(mut self, common: &Common, changes: &[Relabel]) -> Result<Self> {
        let cluster = relabelled(&self.input.cluster, changes);
        self.input.cluster = std::sync::Arc::new(cluster);
        self.graph = AllowGraph::compile(&self.input, &options(&self.project.merged(common))?)?;
        Ok(self)
    }

    /// The doors of the input.
    ///
    /// # Errors
    /// When the input with the controllers that are assumed cannot be compiled.
    pub fn doors(&self) -> Result<DoorList, CompileError> {
        DoorList::of_input(&self.input, &self.graph)
    }

    /// What governed ends admit from pods that are not in the input, and may send to them; of some
    /// workloads in one direction, or all.
    ///
    /// # Errors
    /// When the input with such pods cannot be compiled.
    pub fn potential_rows(
        &self,
        common: &Common,
        only: Option<(&[WorkloadId], Direction)>,
    ) -> Result<PotentialRows> {
        let options = options(&self.project.merged(common))?;
        let (input, world) = (&self.input, self.world);
        Ok(match only {
            None => potential_rows(input, &options, world)?,
            Some((some, way)) => potential_rows_of(input, &options, world, some, way)?,
        })
    }

    /// The input of an allow-graph that is the workspace's own or was made from it.
    pub fn input_of(&self, graph: &AllowGraph) -> Input {
        let environment = graph.environment();
        let own = &self.graph.environment().policies;
        if std::sync::Arc::ptr_eq(own, &environment.policies) {
            return self.input.clone(); // a graph may have its policies rewritten
        }
        Input {
            cluster: std::sync::Arc::clone(&environment.cluster),
            policies: std::sync::Arc::clone(&environment.policies),
            ..self.input.clone()
        }
    }

    /// The snapshot of an allow-graph that is the workspace's own or was made from it.
    ///
    /// # Errors
    /// When the input with pods that are not in it cannot be compiled.
    pub fn snapshot(&self, graph: &AllowGraph) -> Result<Snapshot, CompileError> {
        Snapshot::of(&self.input_of(graph), graph, self.world)
    }

    /// A locator of lines.
    pub fn locator(&self) -> Locator<'_> {
        Locator::new(&self.input.sources)
    }

    /// What writers look things up in.
    pub fn context<'a>(&'a self, locator: &'a Locator<'a>) -> RenderContext<'a> {
        RenderContext::new(&self.input, &self.graph, locator)
            .verbose(self.verbose)
            .relative_to(self.folder.as_deref())
    }

    /// The side of a diff.
    pub fn side(&self) -> DiffSide<'_> {
        DiffSide {
            input: &self.input,
            graph: &self.graph,
        }
    }

    /// The flows, the doors, and pods that are not in the input, ready to be drawn.
    ///
    /// # Errors
    /// When the input with such pods, or with the controllers of doors, cannot be compiled.
    pub fn picture_facts(&self, common: &Common) -> Result<PictureFacts> {
        let around = self.around(common)?;
        Ok(PictureFacts::new(
            &self.graph,
            &self.names.dns,
            around.surroundings(),
        ))
    }

    /// What lies around the loaded workloads.
    ///
    /// # Errors
    /// When the input with it cannot be compiled.
    pub fn around(&self, common: &Common) -> Result<Around> {
        Ok(Around {
            doors: self.doors()?,
            potential: self.potential_rows(common, None)?,
        })
    }

    /// The name of the network plugin whose documented choices hold.
    pub fn cni(&self, common: &Common) -> String {
        let merged = self.project.merged(common);
        let implied = self.input.policies.plugin.implied();
        let implied = implied.map_or("generic".to_owned(), cni_name);
        merged.cni.last().cloned().unwrap_or(implied)
    }

    /// What the command ends with: an input with errors outweighs any answer, unless broken
    /// documents are to be ignored.
    pub fn exit(&self, common: &Common, answer: Exit) -> Exit {
        let broken = self.input.has_errors() && !common.ignore_broken;
        if broken {
            Exit::Usage
        } else {
            answer.or_zero(common)
        }
    }
}

/// What lies around the loaded workloads of an input.
pub struct Around {
    /// The doors.
    pub doors: DoorList,
    /// What is said of pods that are not in the input.
    pub potential: PotentialRows,
}

impl Around {
    /// The same as pictures take it.
    pub fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            doors: Some(&self.doors),
            potential: Some(&self.potential),
        }
    }
}

/// What policies of unmodelled kinds count for: by default they make verdicts unknown.
fn settle(unsupported: Unsupported, input: &mut Input) {
    let severity = match unsupported {
        Unsupported::Warn => return,
        Unsupported::Fail => Severity::Error,
        Unsupported::Ignore => Severity::Note,
    };
    let unmodelled = input
        .diagnostics
        .iter_mut()
        .filter(|d| d.code == DiagnosticCode::UnmodelledPolicy);
    unmodelled.for_each(|d| d.severity = severity);
    if unsupported == Unsupported::Ignore {
        let policies = std::sync::Arc::make_mut(&mut input.policies);
        policies.taints.retain(|t| t.reason == TaintReason::Broken);
    }
}

/// Says which network plugin the policies of the input imply.
fn implied_plugin(input: &Input) {
    if let Some(plugin) = input.policies.plugin.implied() {
        let (name, flag) = (plugin.name(), cni_name(plugin));
        output::remark(&format!(
            "note: the input has policies of {name}, so its choices hold (--cni {flag})"
        ));
    }
}

/// What `--cni` calls a plugin.
fn cni_name(plugin: ImpliedPlugin) -> String {
    plugin.name().to_lowercase()
}

fn nothing_found(sources: &[Source], input: &Input) -> String {
    let places = sources
        .iter()
        .map(quoted_source)
        .collect::<Vec<_>>()
        .join(", ");
    let files = input.tally.files;
    if input.tally.cluster {
        return format!("no Kubernetes object in {places}");
    }
    if files == 0 {
        return format!("no .yaml, .yml or .json file in {places}");
    }
    format!(
        "no Kubernetes object in {places} ({files} file{} read)",
        if files == 1 { "" } else { "s" }
    )
}

fn quoted_source(source: &Source) -> String {
    match source {
        Source::Path(path) | Source::Kustomize(path) => format!("`{path}`"),
        Source::Exec(command, _) => format!("the output of `{command}`"),
        Source::Stdin => "standard input".to_owned(),
        Source::Live(cluster) => live::name(cluster),
        Source::Text(name, _) => format!("`{name}`"),
        Source::Limited(source, _) => quoted_source(source),
    }
}

/// What the flags name, else what the configuration names.
///
/// # Errors
/// When nothing is named.
pub fn sources(common: &Common, project: &Project) -> Result<Vec<Source>> {
    let mut sources: Vec<Source> = common.files.iter().map(|f| source(f)).collect();
    sources.extend(
        common
            .kustomize
            .iter()
            .map(|k| Source::Kustomize(k.as_str().into())),
    );
    if common.live || (sources.is_empty() && is_plugin()) {
        sources.push(Source::Live(live::cluster(common)));
    }
    if sources.is_empty() {
        sources = project.inputs(common)?;
    }
    if sources.is_empty() {
        bail!("{NO_INPUT}");
    }
    Ok(sources)
}

/// The overlays of the flags.
pub fn overlays(common: &Common) -> Vec<Source> {
    common.overlay.iter().map(|f| source(f)).collect()
}

/// Whether a source can be read twice with the same result.
fn is_file(source: &Source) -> bool {
    match source {
        Source::Path(_) => true,
        Source::Limited(inner, _) => is_file(inner),
        _ => false,
    }
}

/// A source as it is written on the command line.
pub fn source(path: &str) -> Source {
    if path == "-" {
        Source::Stdin
    } else {
        Source::Path(path.into())
    }
}

/// Whether the program was started as `kubectl netpal`.
fn is_plugin() -> bool {
    let name = std::env::args_os().next().map(std::path::PathBuf::from);
    name.as_deref()
        .and_then(|p| p.file_stem())
        .is_some_and(|s| s == "kubectl-netpal")
}

/// How much of the cluster the input shows: the flag, else the configuration, else what the way it
/// was read says.
fn world(common: &Common, project: &Project, all_namespaces: bool) -> World {
    let configured = project.config.world.map(|world| match world {
        WorldSpec::Open => World::Open,
        WorldSpec::Namespaces => World::Namespaces,
        WorldSpec::Closed => World::Closed,
    });
    let read = if all_namespaces {
        World::Namespaces
    } else {
        World::Open
    };
    common.world.or(configured).unwrap_or(read)
}
