//! A diff as findings, for CI systems that show them at their lines: one per edit and kind of
//! change.
//!
//! A finding points at the edit, on the side where it lives; of a revision the path in the
//! repository is reported, so that it is found in the working tree. Its fingerprint is the edited
//! rule and the kind of change, so that it stays the same while other lines of the file move.

use crate::check::breaks::Broken;
use crate::diagnostic::Place;
use crate::diff::{
    Block, CallChange, Cause, Change, Diff, DoorChange, Kind, NoEffectEdit, OneSided,
    PotentialChange, What, Which,
};
use crate::finding::{Confidence, Finding, Fingerprint, RuleInfo, Severity};
use crate::render::text::diff::{cells, openness};
use crate::render::text::diff_context::{DiffContext, breaks, by_edit};
use crate::render::text::potential::{not_compared as left_out, sentence};
use crate::render::text::{call_changes, door_changes};
use crate::render::words;
use crate::source::{Location, Origin};
use crate::words::{plural, traffic};

/// How many groups of pairs a finding lists.
const GROUPS: usize = 10;

/// Id, name, summary, page, usual severity and weight for security of each kind of finding.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Severity,
    Option<&'static str>,
);

const WIDENED: Row = (
    "NPDIFF-WIDENED",
    "path-opened",
    "an edit opens paths",
    "Traffic that was denied is allowed now: new attack surface. Every pair: `netpal diff -o json`.",
    Severity::Error,
    Some("7.0"),
);
const NARROWED: Row = (
    "NPDIFF-NARROWED",
    "path-closed",
    "an edit closes paths",
    "Traffic that was allowed is denied now: what uses it breaks. Every pair: `netpal diff -o json`.",
    Severity::Warning,
    None,
);
const UNDECIDED: Row = (
    "NPDIFF-UNDECIDED",
    "path-undecided",
    "an edit may open or close paths",
    "The input does not tell whether traffic is allowed, before or after. What it lacks: `netpal inputs`.",
    Severity::Warning,
    Some("4.0"),
);
const BREAKS: Row = (
    "NPDIFF-TEST",
    "test-broken",
    "a policy test held before and does not hold now",
    "The change turns a configured policy test red. Why: `netpal test`.",
    Severity::Error,
    None,
);

/// Id, name and severity of what opens paths.
pub(crate) const OPENED: (&str, &str, Severity) = (WIDENED.0, WIDENED.1, WIDENED.4);

/// The same of what closes paths.
pub(crate) const CLOSED: (&str, &str, Severity) = (NARROWED.0, NARROWED.1, NARROWED.4);

/// The kinds of findings a diff has.
pub fn rules() -> Vec<RuleInfo> {
    [WIDENED, NARROWED, UNDECIDED, BREAKS]
        .map(rule_info)
        .to_vec()
}

fn rule_info((id, name, summary, page, severity, security): Row) -> RuleInfo {
    RuleInfo {
        id,
        name,
        summary: summary.into(),
        page: page.into(),
        severity,
        security,
    }
}

fn row(kind: Kind) -> Row {
    match kind {
        Kind::Widened => WIDENED,
        Kind::Narrowed => NARROWED,
        Kind::MayWiden | Kind::MayNarrow | Kind::Undecided => UNDECIDED,
    }
}

fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Widened => "opens",
        Kind::Narrowed => "closes",
        Kind::MayWiden => "may open",
        Kind::MayNarrow => "may close",
        Kind::Undecided => "is unknown as before, and edited:",
    }
}

/// The findings: edits by the risk of what they do, workloads that come and go, tests that break.
pub fn findings(pages: DiffContext<'_>, diff: &Diff) -> Vec<Finding> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        found.extend(
            by_edit(diff, kind)
                .iter()
                .map(|(cause, changes)| edit(pages, diff, kind, cause, changes)),
        );
    }
    found.extend(diff.doors.iter().map(|change| door(pages, change)));
    found.extend(diff.calls.iter().map(|change| call(pages, change)));
    for change in &diff.potential.changes {
        found.push(potential(pages, diff, change));
    }
    let uncompared = diff.inert.iter().filter(|edit| edit.may_matter);
    let before = found.len();
    found.extend(uncompared.filter_map(|edit| not_compared(pages, diff, edit)));
    if diff.potential.incomplete && found.len() == before {
        let mut finding = new(UNDECIDED, None, left_out(&diff.potential).to_owned());
        finding.fingerprint = object(Kind::Undecided, "", "", "not compared".into());
        found.push(finding);
    }
    found.extend(
        connected(&diff.added)
            .iter()
            .map(|l| lone(pages, Which::After, l)),
    );
    found.extend(
        connected(&diff.removed)
            .iter()
            .map(|l| lone(pages, Which::Before, l)),
    );
    found.extend(pages.remarks.broken.iter().map(broken));
    found
}

fn connected(list: &[OneSided]) -> Vec<OneSided> {
    list.iter()
        .filter(|l| l.connected)
        .cloned()
        .collect::<Vec<_>>()
}

fn new((id, name, _, _, severity, _): Row, place: Option<Location>, message: String) -> Finding {
    Finding::new(
        id,
        name,
        place.map_or(Place::Input, |l| Place::At(in_tree(l))),
        message,
    )
    .severity(severity)
}

/// The place in the working tree: a file of a revision is named without it.
fn in_tree(at: Location) -> Location {
    let path = at
        .file
        .strip_prefix("git:")
        .and_then(|rest| rest.split_once(':'))
        .map(|(_, path)| path.into());
    Location {
        file: path.unwrap_or(at.file),
        ..at
    }
}

fn edit(
    pages: DiffContext<'_>,
    diff: &Diff,
    kind: Kind,
    cause: &Cause,
    changes: &[usize],
) -> Finding {
    let of: Vec<&Change> = changes.iter().map(|i| &diff.changes[*i]).collect();
    let [ends, traffic, what, _] = cells(pages, cause, &of);
    let traffic = if traffic.is_empty() {
        traffic
    } else {
        format!(" {traffic}")
    };
    let mut finding = new(
        row(kind),
        pages.place(cause),
        format!("{what}: {} {ends}{traffic}", verb(kind)),
    );
    finding.confidence = Confidence::Certain;
    let groups: Vec<(&Change, &Block)> = of
        .iter()
        .flat_map(|c| c.blocks.iter().map(move |b| (*c, b)))
        .collect();
    if groups.len() > 1 {
        let group = |(c, b): &(&Change, &Block)| {
            format!("{}  {}", pages.block(b), words::traffic(&c.traffic)).into()
        };
        finding.notes.extend(groups.iter().take(GROUPS).map(group));
        let more = groups.len().saturating_sub(GROUPS);
        finding
            .notes
            .extend((more > 0).then(|| format!("and {}", plural(more, "more group")).into()));
    }
    finding
        .notes
        .extend(pages.remarks(changes).into_iter().map(Into::into));
    finding.fingerprint = fingerprint(pages, kind, cause);
    finding
}

/// A door that opens or closes.
fn door(pages: DiffContext<'_>, change: &DoorChange) -> Finding {
    let message = format!("door: {}", door_changes::sentence(pages, change));
    let mut finding = new(
        row(change.kind),
        door_changes::place(pages, change),
        message,
    );
    finding.confidence = Confidence::Certain;
    let door = &change.line.door;
    let path = format!("{} {} {}", door.kind.name(), door.host, door.path);
    finding.fingerprint = object(change.kind, &door.namespace, &door.name, path);
    finding
}

/// A change of what the callers of a Service get to.
fn call(pages: DiffContext<'_>, change: &CallChange) -> Finding {
    let [from, called, to] = call_changes::ends(pages.after, change);
    let ports = traffic(&change.traffic);
    let message = format!(
        "{} by a rule that names the Service {called}: {from} to {to}, {ports}",
        verb(change.kind)
    );
    let cluster = &pages.after.input.cluster;
    let service = cluster.service(change.service);
    let namespace = &cluster.namespace(service.namespace).name;
    let place = pages.after.locator.locate(&service.origin);
    let mut finding = new(row(change.kind), place, message);
    finding.confidence = Confidence::Certain;
    finding.fingerprint = object(change.kind, namespace, &service.name, ports);
    finding
}

/// A change for pods that are not in the input.
fn potential(pages: DiffContext<'_>, diff: &Diff, change: &PotentialChange) -> Finding {
    let (kind, cause) = (change.kind, &change.cause);
    let what = pages.cause(cause);
    let flows = sentence(pages, &diff.potential, change);
    let message = format!(
        "{what}: {} for pods that are not in the input: {flows}",
        verb(kind)
    );
    let mut finding = new(row(kind), pages.place(cause), message);
    finding.confidence = Confidence::Certain;
    let mut fingerprint = fingerprint(pages, kind, cause);
    fingerprint.peer = format!("potential-{}", kind.word()).into();
    finding.fingerprint = fingerprint;
    finding
}

/// An edit without an effect that was found, where pods that are not in the input were not all
/// compared.
fn not_compared(pages: DiffContext<'_>, diff: &Diff, edit: &NoEffectEdit) -> Option<Finding> {
    let edit = diff.edits.get(edit.edit)?;
    let after = edit.after.map(|id| (Which::After, id));
    let (which, id) = after.or(edit.before.map(|id| (Which::Before, id)))?;
    let context = pages.context(which);
    let policy = context.graph.environment().policies.get(id);
    let message = format!(
        "{}: edited, and more kinds of pods that are not in the input may exist than were compared",
        words::policy(context.graph, id)
    );
    let place = context.locator.locate(&Origin::document(policy.document));
    let mut finding = new(row(Kind::Undecided), place, message);
    let namespace = policy.namespace.as_deref().unwrap_or_default();
    finding.fingerprint = object(Kind::Undecided, namespace, &policy.name, String::new());
    Some(finding)
}

/// What an edit is about: the rule, or whatever else was edited.
fn fingerprint(pages: DiffContext<'_>, kind: Kind, cause: &Cause) -> Fingerprint {
    let context = pages.context(cause.side);
    let (policies, cluster) = (
        &context.graph.environment().policies,
        &context.input.cluster,
    );
    let policy = |id, path| {
        let policy = policies.get(id);
        object(
            kind,
            policy.namespace.as_deref().unwrap_or_default(),
            &policy.name,
            path,
        )
    };
    match cause.what {
        What::Rule(at) => policy(at.policy, policies.get(at.policy).rule_path(at).to_string()),
        What::Policy(id) => policy(id, String::new()),
        What::Workload(id) => {
            let workload = cluster.workload(id);
            object(
                kind,
                &cluster.namespace(workload.namespace).name,
                &workload.name,
                workload.kind_name().into(),
            )
        }
        What::Namespace(id) => object(kind, "", &cluster.namespace(id).name, "Namespace".into()),
        What::Unmodelled(taint) => {
            let what = policies.taints.get(taint).map(|t| t.what.to_string());
            object(kind, "", "", what.unwrap_or_default())
        }
        What::Options(_) => object(kind, "", "", "options".into()),
        What::Other => object(kind, "", "", "other".into()),
    }
}

fn object(kind: Kind, namespace: &str, name: &str, path: String) -> Fingerprint {
    Fingerprint {
        namespace: namespace.into(),
        name: name.into(),
        path: path.into(),
        peer: kind.word().into(),
    }
}

fn lone(pages: DiffContext<'_>, which: Which, lone: &OneSided) -> Finding {
    let context = pages.context(which);
    let cluster = &context.input.cluster;
    let workload = cluster.workload(lone.workload);
    let (row, verb) = if which == Which::After {
        (WIDENED, "added")
    } else {
        (NARROWED, "removed")
    };
    let at = context
        .locator
        .locate(&Origin::document(workload.origin.document));
    let mut finding = new(
        row,
        at,
        format!(
            "{} {verb}: {}",
            pages.workload(which, lone.workload),
            openness(lone)
        ),
    );
    finding.severity = Severity::Warning;
    finding.fingerprint = Fingerprint {
        namespace: cluster.namespace(workload.namespace).name.clone(),
        name: workload.name.clone(),
        path: workload.kind_name().into(),
        peer: verb.into(),
    };
    finding
}

fn broken(broken: &Broken) -> Finding {
    let mut finding = new(BREAKS, Some(broken.at.clone()), breaks(broken));
    finding.fingerprint.name = broken.test.as_str().into();
    finding
}
