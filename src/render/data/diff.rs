//! A diff for programs: JSON, with every pair.

use crate::check::breaks::Broken;
use crate::diff::CallChange;
use crate::diff::{
    Cause, Change, Diff, DiffParty, DoorChange, Edit, Kind, OneSided, PotentialChange,
    PotentialDiff, Use, What, Which,
};
use crate::doors::DoorStatus;
use crate::render::data::check;
use crate::render::data::doors::{self, DoorJson};
use crate::render::data::json;
use crate::render::data::json::{EndJson, PlaceJson, PolicyName, PortsJson};
use crate::render::text::call_changes;
use crate::render::text::diff::latent;
use crate::render::text::diff_context::{DiffContext, edit_word};
use crate::render::text::potential::ends;
use crate::render::words;
use schemars::JsonSchema;
use serde::Serialize;

/// A diff.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiffJson {
    /// What the two sides are called.
    pub label: String,
    /// Pairs that may talk now and could not.
    pub widened: u64,
    /// Pairs that could talk and may not now.
    pub narrowed: u64,
    /// Pairs of which the input does not tell for certain.
    pub undecided: u64,
    /// Pairs that may talk as before.
    pub unchanged: u64,
    /// The changes, the riskiest first.
    pub changes: Vec<ChangeJson>,
    /// Workloads that only the after side has.
    pub added: Vec<OneSidedJson>,
    /// Workloads that only the before side has.
    pub removed: Vec<OneSidedJson>,
    /// Edited policies that change nothing.
    pub inert: Vec<NoEffectEditJson>,
    /// Policies that the network plugin of the after side does not enforce, and that of the before
    /// side does.
    pub not_enforced: Vec<PolicyName>,
    /// Admissions that change without effect, in words.
    pub latent: Vec<String>,
    /// Configured tests that held and no longer do.
    pub breaks: Vec<BrokenJson>,
    /// Uses of closing paths that manifests declare.
    pub uses: Vec<UseJson>,
    /// What changes for pods that are not in the input.
    pub potential: Vec<PotentialChangeJson>,
    /// Whether more kinds of pods may exist than could be compared.
    pub potential_incomplete: bool,
    /// Doors that open or close.
    pub doors: Vec<DoorChangeJson>,
    /// What changes for calls of Services that rules name.
    pub calls: Vec<CallChangeJson>,
}

/// A change for calls of a Service.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallChangeJson {
    /// `widened`, `narrowed`, `may-widen` or `may-narrow`.
    pub kind: &'static str,
    /// The Service, with its namespace.
    pub service: String,
    /// The first caller, with its namespace.
    pub from: String,
    /// The first pod that it gets to.
    pub to: String,
    /// The traffic at the pod.
    pub ports: Vec<PortsJson>,
    /// How many pairs of pods change so, alike ones counted once.
    pub pairs: usize,
}

/// A door that opens or closes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoorChangeJson {
    /// `widened`, `narrowed`, `may-widen` or `may-narrow`.
    pub kind: &'static str,
    /// Its status before; left out where it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<&'static str>,
    /// Its status after; left out where it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<&'static str>,
    /// The door.
    pub door: DoorJson,
}

/// A change for pods that are not in the input.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PotentialChangeJson {
    /// `widened`, `narrowed`, `may-widen`, `may-narrow` or `undecided`.
    pub kind: &'static str,
    /// The traffic.
    pub ports: Vec<PortsJson>,
    /// Port names that are part of the traffic, or excepted from it, in words.
    pub port_names: Vec<String>,
    /// The edit behind it.
    pub cause: CauseJson,
    /// Who may send, in words, which may change.
    pub from: Vec<String>,
    /// Who may receive, in words, which may change.
    pub to: Vec<String>,
}

/// A test that held and no longer does.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BrokenJson {
    /// What it says.
    pub test: String,
    /// Its place.
    pub at: PlaceJson,
    /// `failed`, `empty` or `undecided`.
    pub status: &'static str,
    /// What breaks it: an index of `changes`; none for all of them together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<usize>,
}

/// A declared use of a closing path.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UseJson {
    /// The change that closes it: an index of `changes`.
    pub change: usize,
    /// Who declares it.
    pub workload: EndJson,
    /// The variable.
    pub variable: String,
    /// The host its value names.
    pub host: String,
}

/// A change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeJson {
    /// `widened`, `narrowed`, `may-widen`, `may-narrow` or `undecided`.
    pub kind: &'static str,
    /// The traffic.
    pub ports: Vec<PortsJson>,
    /// How many pairs.
    pub pairs: u64,
    /// The edit behind it.
    pub cause: CauseJson,
    /// Every source of a block with every destination of it.
    pub blocks: Vec<BlockJson>,
}

/// Sources and destinations that change alike.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BlockJson {
    /// The sources.
    pub from: Vec<EndJson>,
    /// The destinations.
    pub to: Vec<EndJson>,
}

/// An edit.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CauseJson {
    /// `rule`, `policy`, `workload`, `namespace`, `unmodelled`, `options` or `other`.
    pub what: &'static str,
    /// `added`, `removed` or `changed`.
    pub edit: &'static str,
    /// `before` or `after`: the side where it lives.
    pub side: &'static str,
    /// The policy, where one was edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// The edited part of it: `ingress[0].from[1]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
    /// In words, which may change.
    pub text: String,
}

/// A workload that only one side has.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OneSidedJson {
    /// The workload.
    pub workload: EndJson,
    /// Whether it accepts from anyone.
    pub open_in: bool,
    /// Whether it may go anywhere.
    pub open_out: bool,
    /// Whether anything passes to it or from it.
    pub connected: bool,
}

/// An edit without effect.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NoEffectEditJson {
    /// The policy.
    pub policy: PolicyName,
    /// `added`, `removed` or `changed`.
    pub edit: &'static str,
    /// Whether only its text differs.
    pub text_only: bool,
    /// Whether it may change something for pods that are not in the input, which were not all
    /// compared.
    pub may_matter: bool,
}

/// A diff as a document's content.
pub fn content(pages: DiffContext<'_>, diff: &Diff) -> DiffJson {
    let lone = |which, list: &[OneSided]| list.iter().map(|l| lone_json(pages, which, l)).collect();
    let may = [Kind::MayWiden, Kind::MayNarrow, Kind::Undecided];
    DiffJson {
        label: pages.label.to_owned(),
        widened: diff.pairs(Kind::Widened),
        narrowed: diff.pairs(Kind::Narrowed),
        undecided: may.into_iter().map(|k| diff.pairs(k)).sum(),
        unchanged: diff.unchanged.count(),
        changes: diff.changes.iter().map(|c| change(pages, c)).collect(),
        added: lone(Which::After, &diff.added),
        removed: lone(Which::Before, &diff.removed),
        not_enforced: diff
            .edits
            .iter()
            .filter(|e| e.edit == Edit::Unenforced)
            .filter_map(|e| Some(json::policy(pages.after, e.after?)))
            .collect(),
        inert: diff
            .inert
            .iter()
            .filter_map(|i| inert(pages, diff, i))
            .collect(),
        latent: diff.latent.iter().map(|l| latent(pages, l)).collect(),
        breaks: pages.remarks.broken.iter().map(broken).collect(),
        uses: pages
            .remarks
            .uses
            .iter()
            .map(|u| declared(pages, u))
            .collect(),
        potential: diff
            .potential
            .changes
            .iter()
            .map(|c| potential_change(pages, &diff.potential, c))
            .collect(),
        potential_incomplete: diff.potential.incomplete,
        doors: diff.doors.iter().map(|c| door_change(pages, c)).collect(),
        calls: diff.calls.iter().map(|c| call_change(pages, c)).collect(),
    }
}

fn call_change(pages: DiffContext<'_>, change: &CallChange) -> CallChangeJson {
    let [from, service, to] = call_changes::ends(pages.after, change);
    CallChangeJson {
        kind: change.kind.word(),
        service,
        from,
        to,
        ports: json::traffic(&change.traffic),
        pairs: change.pairs,
    }
}

fn door_change(pages: DiffContext<'_>, change: &DoorChange) -> DoorChangeJson {
    DoorChangeJson {
        kind: change.kind.word(),
        before: change.before.map(DoorStatus::word),
        after: change.after.map(DoorStatus::word),
        door: doors::door(pages.context(change.which), &change.line),
    }
}

fn potential_change(
    pages: DiffContext<'_>,
    potential: &PotentialDiff,
    change: &PotentialChange,
) -> PotentialChangeJson {
    PotentialChangeJson {
        kind: change.kind.word(),
        ports: json::traffic(&potential.pods.named(&change.traffic).0),
        port_names: potential.pods.named(&change.traffic).1,
        cause: cause(pages, &change.cause),
        from: ends(pages, potential, &change.sources),
        to: ends(pages, potential, &change.destinations),
    }
}

/// A test that no longer holds.
pub fn broken(broken: &Broken) -> BrokenJson {
    BrokenJson {
        test: broken.test.clone(),
        at: check::at(&broken.at),
        status: check::status(broken.status),
        change: broken.change,
    }
}

fn declared(pages: DiffContext<'_>, found: &Use) -> UseJson {
    let workload = json::workload(pages.after, found.workload);
    UseJson {
        change: found.change,
        workload,
        variable: found.variable.to_string(),
        host: found.host.to_string(),
    }
}

fn party(pages: DiffContext<'_>, party: &DiffParty) -> EndJson {
    match party {
        DiffParty::Workload(_, after) => json::workload(pages.after, *after),
        DiffParty::Addresses(set) => json::blocks(&words::addresses(set), set),
    }
}

fn change(pages: DiffContext<'_>, change: &Change) -> ChangeJson {
    let ends = |parties: &[DiffParty]| parties.iter().map(|p| party(pages, p)).collect();
    ChangeJson {
        kind: change.kind.word(),
        ports: json::traffic(&change.traffic),
        pairs: change.pairs,
        cause: cause(pages, &change.cause),
        blocks: change
            .blocks
            .iter()
            .map(|b| BlockJson {
                from: ends(&b.sources),
                to: ends(&b.destinations),
            })
            .collect(),
    }
}

fn cause(pages: DiffContext<'_>, cause: &Cause) -> CauseJson {
    let context = pages.context(cause.side);
    let what = match cause.what {
        What::Rule(_) => "rule",
        What::Policy(_) => "policy",
        What::Workload(_) => "workload",
        What::Namespace(_) => "namespace",
        What::Unmodelled(_) => "unmodelled",
        What::Options(_) => "options",
        What::Other => "other",
    };
    let (policy, path) = match cause.what {
        What::Rule(at) => (
            Some(at.policy),
            Some(
                context
                    .graph
                    .environment()
                    .policies
                    .get(at.policy)
                    .rule_path(at)
                    .to_string(),
            ),
        ),
        What::Policy(id) => (Some(id), None),
        _ => (None, None),
    };
    CauseJson {
        what,
        edit: edit_word(cause.how),
        side: if cause.side == Which::Before {
            "before"
        } else {
            "after"
        },
        policy: policy.map(|id| json::policy(context, id)),
        path,
        at: pages.place(cause).map(|l| PlaceJson {
            file: l.file.into(),
            line: l.at.line,
            column: l.at.column,
        }),
        text: pages.cause(cause),
    }
}

fn lone_json(pages: DiffContext<'_>, which: Which, lone: &OneSided) -> OneSidedJson {
    OneSidedJson {
        workload: json::workload(pages.context(which), lone.workload),
        open_in: lone.open_in,
        open_out: lone.open_out,
        connected: lone.connected,
    }
}

fn inert(
    pages: DiffContext<'_>,
    diff: &Diff,
    inert: &crate::diff::NoEffectEdit,
) -> Option<NoEffectEditJson> {
    let edit = diff.edits.get(inert.edit)?;
    let (which, id) = edit
        .after
        .map(|id| (Which::After, id))
        .or(edit.before.map(|id| (Which::Before, id)))?;
    let policy = json::policy(pages.context(which), id);
    Some(NoEffectEditJson {
        policy,
        edit: edit_word(edit.edit),
        text_only: inert.text_only,
        may_matter: inert.may_matter,
    })
}
