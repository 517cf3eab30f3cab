//! `netpal diff` and `netpal plan`: which paths open and close between two inputs.

use super::args::{Common, DiffArgs, Drawn, FailOn, PlanArgs, UnknownAs};
use super::asked::{endpoint, helped, ports};
use super::exit::Exit;
use super::output::{self, Output};
use super::project::Project;
use super::report::Page;
use super::workspace::{self, ReadMode, Workspace};
use super::{ci, diff_remarks};
use anyhow::{Context as _, Result, bail};
use netpal::{
    ChangeKind, DetailLevel, Diff as Answer, DiffView, DrawOptions, End, Format, LabelChange,
    Relabel, Source, resolve,
};

/// Compares two inputs.
///
/// # Errors
/// When a side cannot be read, or the arguments do not name two sides.
pub fn run(common: &Common, args: &DiffArgs) -> Result<Exit> {
    let output = Output::of::<DiffView<'_>>(common)?;
    let project = Project::open(common)?;
    let (before, mut after, mut label) = sides(common, &project, args)?;
    after.project.keep_doubts_of(&before.project);
    let (old, new) = match plugins(common, args)? {
        Some([of_before, of_after]) => {
            let (old, new) = (before.read(&of_before)?, after.read(&of_after)?);
            let named = format!("{}..{}", old.cni(&of_before), new.cni(&of_after));
            let all = [label, named].into_iter().filter(|part| !part.is_empty());
            label = all.collect::<Vec<_>>().join(", ");
            (old, new)
        }
        None => (before.read(common)?, after.read(common)?),
    };
    if !before.project.is_same(&after.project) && !common.quiet {
        output::remark(
            "note: netpal.yaml is another one on each side, and each side is read with its own; --config FILE names one for both",
        );
    }
    if old.input.tally.objects + new.input.tally.objects == 0 {
        bail!("no Kubernetes object on either side");
    }
    let shown = DiffShown {
        fail_on: args.fail_on,
        port: args.port.as_deref(),
        drawn: &args.drawn,
    };
    answer(common, &output, &old, &new, &label, &shown)
}

/// The flags of both sides, where two network plugins are compared.
///
/// # Errors
/// When more than two are named.
fn plugins(common: &Common, args: &DiffArgs) -> Result<Option<[Common; 2]>> {
    let of = |cni: &[String]| Common {
        cni: cni.to_vec(),
        ignores_foreign: true,
        ..common.clone()
    };
    Ok(match (common.cni.as_slice(), &args.cni_after) {
        ([a, b], None) => Some([of(std::slice::from_ref(a)), of(std::slice::from_ref(b))]),
        (before @ ([] | [_]), Some(after)) => Some([of(before), of(std::slice::from_ref(after))]),
        ([] | [_], None) => None,
        _ => bail!("more than two network plugins: name one with --cni and one with --cni-after"),
    })
}

/// One side: what is read, and the configuration that it is read with.
struct SideInput {
    sources: Vec<Source>,
    project: Project,
}

impl SideInput {
    fn read(&self, common: &Common) -> Result<Workspace> {
        let reading = ReadMode {
            empty: true,
            quiet: false,
        };
        Workspace::read(
            common,
            self.project.clone(),
            &self.sources,
            &workspace::overlays(common),
            reading,
        )
    }
}

type Sides = (SideInput, SideInput, String);

/// What the two sides are: two inputs, two revisions of one, one revision and the working tree, or
/// two CNI profiles.
fn sides(common: &Common, project: &Project, args: &DiffArgs) -> Result<Sides> {
    let of = |path: &str| SideInput {
        sources: vec![workspace::source(path)],
        project: project.clone(),
    };
    match (args.before.as_deref(), args.after.as_deref()) {
        (Some(_), Some(_)) | (None, _) if args.render.is_some() => {
            bail!(
                "--render prints the manifests of revisions: netpal diff REV1..REV2 --render COMMAND"
            )
        }
        (Some(before), Some(after)) => {
            if names_input(common) {
                bail!(
                    "diff takes two inputs, or -f, not both; two revisions are written REV1..REV2 -f PATH"
                );
            }
            Ok((of(before), of(after), String::new()))
        }
        (Some(range), None) => {
            let (from, to) = match range.split_once("..") {
                Some((from, to)) => (from, Some(to.strip_prefix('.').unwrap_or(to))),
                None => (range, None),
            };
            let before = side_at(common, project, args, &or_head(from))?;
            let Some(to) = to else {
                let after = SideInput {
                    sources: named_sources(common, project, args)?,
                    project: project.clone(),
                };
                return Ok((before, after, format!("{range}..working tree")));
            };
            let after = side_at(common, project, args, &or_head(to))?;
            Ok((before, after, range.to_owned()))
        }
        (None, _) if args.cni_after.is_some() || common.cni.len() == 2 => {
            let sources = workspace::sources(common, project)?;
            let side = || SideInput {
                sources: sources.clone(),
                project: project.clone(),
            };
            Ok((side(), side(), String::new()))
        }
        (None, _) => bail!(
            "diff compares two inputs\n       netpal diff BEFORE AFTER            folders, files, git:REV:PATH\n       \
             netpal diff main..HEAD -f k8s       two revisions\n       netpal diff main -f k8s             a revision and the working tree\n       \
             netpal diff --cni calico --cni-after cilium -f k8s"
        ),
    }
}

/// What a revision has of the inputs, read with its own configuration.
fn side_at(
    common: &Common,
    project: &Project,
    args: &DiffArgs,
    revision: &str,
) -> Result<SideInput> {
    let project = project.at_revision(common, revision)?;
    let sources = at_revision(&named_sources(common, &project, args)?, revision)?;
    Ok(SideInput { sources, project })
}

/// What the flags name, or the configuration.
fn named_sources(common: &Common, project: &Project, args: &DiffArgs) -> Result<Vec<Source>> {
    match &args.render {
        Some(command) => Ok(vec![rendered(common, command)?]),
        None => workspace::sources(common, project),
    }
}

/// A revision; `HEAD` where none is named.
fn or_head(revision: &str) -> String {
    if revision.is_empty() {
        "HEAD".to_owned()
    } else {
        revision.to_owned()
    }
}

/// The same paths in a revision.
fn at_revision(sources: &[Source], revision: &str) -> Result<Vec<Source>> {
    sources
        .iter()
        .map(|source| source_at(revision, source))
        .collect()
}

fn source_at(revision: &str, source: &Source) -> Result<Source> {
    let at = |path: &str| format!("git:{revision}:{path}").into();
    match source {
        Source::Path(path) if !path.starts_with("git:") => Ok(Source::Path(at(path))),
        Source::Kustomize(path) if !path.starts_with("git:") => Ok(Source::Kustomize(at(path))),
        Source::Exec(command, path) if !path.starts_with("git:") => {
            Ok(Source::Exec(command.clone(), at(path)))
        }
        Source::Limited(source, limits) => {
            let source = source_at(revision, source)?;
            Ok(Source::Limited(Box::new(source), limits.clone()))
        }
        _ => bail!(
            "revisions are compared of files and folders (-f PATH), of what kustomize builds (-k DIR) \
             and of what a command prints (--render COMMAND)"
        ),
    }
}

/// Whether the flags say what to read.
fn names_input(common: &Common) -> bool {
    !common.files.is_empty() || !common.kustomize.is_empty() || common.live
}

/// A command that prints manifests, where commands are allowed.
fn rendered(common: &Common, command: &str) -> Result<Source> {
    if names_input(common) {
        bail!("--render prints the manifests, so -f, -k and --live name none");
    }
    if !common.allow_exec {
        bail!("`{command}` is run only with --allow-exec");
    }
    Ok(Source::Exec(command.into(), "".into()))
}

/// Lays a change over the loaded cluster and compares.
///
/// # Errors
/// When the change or the cluster cannot be read, or a label change means nothing.
pub fn plan(common: &Common, args: &PlanArgs) -> Result<Exit> {
    let output = Output::of::<DiffView<'_>>(common)?;
    if common.files.is_empty() && args.relabel.is_empty() {
        bail!("plan needs a change: -f CHANGE, or --relabel WORKLOAD:KEY=VALUE");
    }
    let project = Project::open(common)?;
    let base = Common {
        files: args.onto.clone(),
        ..common.clone()
    };
    let sources = workspace::sources(&base, &project).context(
        "plan needs a cluster to apply the change to: --onto PATH, -k DIR, --live, or inputs in netpal.yaml",
    )?;
    let overlays = workspace::overlays(common);
    let change: Vec<Source> = common.files.iter().map(|f| workspace::source(f)).collect();
    let reading = ReadMode {
        empty: true,
        quiet: true,
    };
    let old = Workspace::read(common, project, &sources, &overlays, reading)?;
    let laid: Vec<Source> = overlays.iter().cloned().chain(change).collect();
    let reading = ReadMode {
        empty: true,
        quiet: false,
    };
    let mut new = Workspace::read(common, Project::open(common)?, &sources, &laid, reading)?;
    if !args.relabel.is_empty() {
        let changes = args
            .relabel
            .iter()
            .map(|text| relabel(&new, text))
            .collect::<Result<Vec<_>>>()?;
        new = new.relabelled(common, &changes.concat())?;
    }
    let shown = DiffShown {
        fail_on: args.fail_on,
        port: args.port.as_deref(),
        drawn: &args.drawn,
    };
    answer(common, &output, &old, &new, "", &shown)
}

/// How a label change is written.
const HELP: &str =
    "write WORKLOAD:KEY=VALUE, WORKLOAD:KEY- to take a label away, or ns/NAME:KEY=VALUE";

/// Reads `WORKLOAD:KEY=VALUE,KEY-` or `ns/NAMESPACE:KEY=VALUE`.
fn relabel(workspace: &Workspace, text: &str) -> Result<Vec<Relabel>> {
    let Some((target, labels)) = text.split_once(':') else {
        bail!("`{text}` changes no label; {HELP}")
    };
    let labels = labels
        .split(',')
        .map(|label| label_change(text, label))
        .collect::<Result<Vec<_>>>()?;
    let cluster = &workspace.input.cluster;
    if let Some(name) = target.strip_prefix("ns/") {
        let Some(id) = cluster.find_namespace(name) else {
            bail!("no namespace is called `{name}`")
        };
        return Ok(labels
            .into_iter()
            .map(|c| Relabel::Namespace(id, c))
            .collect());
    }
    let resolved = resolve(cluster, &workspace.names, &endpoint(target)?).map_err(helped)?;
    let mut changes = Vec::new();
    for end in &resolved.ends {
        let End::Pods { pods, .. } = end else {
            bail!("`{target}` has no labels: it is no workload")
        };
        changes.extend(
            pods.iter()
                .flat_map(|p| labels.iter().map(|c| Relabel::Pod(*p, c.clone()))),
        );
    }
    Ok(changes)
}

fn label_change(text: &str, label: &str) -> Result<LabelChange> {
    match (label.split_once('='), label.strip_suffix('-')) {
        (Some((key, value)), _) if !key.is_empty() => {
            Ok(LabelChange::Set(key.into(), value.into()))
        }
        (None, Some(key)) if !key.is_empty() => Ok(LabelChange::Remove(key.into())),
        _ => bail!("`{label}` in `{text}` is no label; {HELP}"),
    }
}

/// What of a diff is shown, and how it ends.
struct DiffShown<'a> {
    fail_on: FailOn,
    port: Option<&'a str>,
    drawn: &'a Drawn,
}

fn answer(
    common: &Common,
    output: &Output,
    old: &Workspace,
    new: &Workspace,
    label: &str,
    shown: &DiffShown<'_>,
) -> Result<Exit> {
    let DiffShown { fail_on, drawn, .. } = *shown;
    let mut diff = netpal::diff_in(old.side(), new.side(), old.world.wider(new.world))?;
    if let Some(text) = shown.port {
        diff = diff.on_ports(&ports(text)?);
    }
    let (before, after) = (old.locator(), new.locator());
    let context = new.context(&after);
    let remarks = diff_remarks::remarks(common, old, new, &diff);
    let page = output
        .has(Format::Html)
        .then(|| {
            let subject = if label.is_empty() {
                "changes between two inputs"
            } else {
                label
            };
            Page::new(common, new, Some(old), subject)
        })
        .transpose()?;
    let page = page.as_ref().map(|page| page.report(context));
    let view = DiffView {
        diff: &diff,
        before: old.context(&before),
        label,
        remarks: &remarks,
        options: DrawOptions {
            level: drawn.level.map_or(DetailLevel::Auto, Into::into),
            only_changed: drawn.only_changed,
            ..DrawOptions::default()
        },
        dns: &new.names.dns,
        page: page.as_ref(),
    };
    output.render(&view, &context)?;
    ci::step_summary(output, || view.findings(&context), &context)?;
    let exit = exit(&diff, fail_on, common);
    Ok(if old.exit(common, exit) == Exit::Usage {
        Exit::Usage
    } else {
        new.exit(common, exit)
    })
}

/// Changed for certain, changed perhaps, or not.
fn exit(diff: &Answer, fail_on: FailOn, common: &Common) -> Exit {
    let (opens, closes) = match fail_on {
        FailOn::None => return Exit::Good,
        FailOn::Any => (true, true),
        FailOn::Widened => (true, false),
        FailOn::Narrowed => (false, true),
    };
    let other = fail_on == FailOn::Any && !(diff.added.is_empty() && diff.removed.is_empty());
    if (opens && diff.widens()) || (closes && diff.narrows()) || other {
        return Exit::Bad;
    }
    let may = |kind| {
        diff.of(kind).next().is_some()
            || diff.potential.of(kind).next().is_some()
            || diff.doors_of(kind).next().is_some()
            || diff.calls_of(kind).next().is_some()
    };
    let undecided = (opens && may(ChangeKind::MayWiden))
        || (closes && may(ChangeKind::MayNarrow))
        || may(ChangeKind::Undecided)
        || diff.potential.incomplete;
    match (undecided, common.unknown) {
        (false, _) | (true, Some(UnknownAs::Yes)) => Exit::Good,
        (true, None) => Exit::Undecided,
        (true, Some(UnknownAs::No | UnknownAs::Fail)) => Exit::Bad,
    }
}
