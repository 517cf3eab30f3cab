//! Doors that open and close between two sides, whatever edit does it: a new Ingress opens one
//! without any policy being touched.
//!
//! Objects of kinds that are not read may open doors: one that is new, gone or different may widen
//! or narrow (DO106). Lines of both sides are the same if they lead to the same port of the same
//! workload by the same door, as it is named; only callers on the internet count. Cost: the doors
//! of both sides.

use crate::diff::before_after::{Side, Which};
use crate::diff::kind::Kind;
use crate::doors::{Door, DoorKind, DoorLine, DoorList, DoorReason, DoorStatus, Passage};
use crate::graph::CompileError;
use crate::model::Cluster;
use crate::model::doors::DoorSpec;
use crate::set::Traffic;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A door that opens or closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorChange {
    /// How it changes.
    pub kind: Kind,
    /// The side of the line: the side after, unless the door is gone there.
    pub which: Which,
    /// The line, in the ids of its side.
    pub line: DoorLine,
    /// Its status before, if it was there.
    pub before: Option<DoorStatus>,
    /// Its status after, if it is there.
    pub after: Option<DoorStatus>,
}

/// What makes two lines one: kind, namespace, name, host and path of the door, and its target.
type DoorKey = (DoorKind, [Box<str>; 4], String, Option<Traffic>);

/// The doors that open or close, the riskiest first.
///
/// # Errors
/// When an input with the controllers that are assumed is too large to compile.
pub fn door_changes(before: Side<'_>, after: Side<'_>) -> Result<Vec<DoorChange>, CompileError> {
    let [old, new] = [before, after].map(lines);
    let (old, mut new) = (old?, new?);
    let mut changes = Vec::new();
    for (key, line) in old {
        let now = new.remove(&key);
        let is_other = |now: &DoorLine| text(before, &line) != text(after, now);
        if line.door.kind == DoorKind::Unread && now.as_ref().is_some_and(is_other) {
            changes.extend(change(None, now));
            continue;
        }
        changes.extend(change(Some(line), now));
    }
    changes.extend(
        new.into_values()
            .filter_map(|line| change(None, Some(line))),
    );
    changes.sort_by_key(|change| change.kind);
    Ok(changes)
}

/// The lines of a side, each once: of several that are one the most open.
fn lines(side: Side<'_>) -> Result<BTreeMap<DoorKey, DoorLine>, CompileError> {
    let cluster = &side.input.cluster;
    let mut found: BTreeMap<DoorKey, DoorLine> = BTreeMap::new();
    let read = DoorList::of_input(side.input, side.graph)?.lines;
    for line in read.into_iter().chain(unread(cluster)) {
        let key = key(cluster, &line);
        match found.get_mut(&key) {
            Some(known) if known.passage.status >= line.passage.status => {}
            Some(known) => *known = line,
            None => _ = found.insert(key, line),
        }
    }
    Ok(found)
}

/// A line for each object that may open doors and is of a kind that is not read.
fn unread(cluster: &Cluster) -> impl Iterator<Item = DoorLine> + '_ {
    cluster.doors().iter().filter_map(|object| {
        let DoorSpec::Unread(kind) = &object.spec else {
            return None;
        };
        let door = Door {
            kind: DoorKind::Unread,
            namespace: cluster.namespace(object.namespace).name.clone(),
            name: object.name.clone(),
            host: "*".into(),
            path: "*".into(),
            class: Some(kind.clone()),
            origin: object.origin.clone(),
        };
        let passage = Passage::because(DoorStatus::Unknown, DoorReason::KindNotRead);
        Some(DoorLine::nowhere(door, passage))
    })
}

/// The text of the object that a line is about.
fn text<'s>(side: Side<'s>, line: &DoorLine) -> Option<Cow<'s, str>> {
    let (_, text) = side.input.sources.chunk(line.door.origin.document)?;
    Some(text)
}

fn key(cluster: &Cluster, line: &DoorLine) -> DoorKey {
    let door = &line.door;
    let service = || line.service.as_deref().unwrap_or_default().to_owned();
    let target = line.target.name(cluster).unwrap_or_else(service);
    let named = [&door.namespace, &door.name, &door.host, &door.path].map(Clone::clone);
    let target = match (door.kind, &door.class) {
        (DoorKind::Unread, Some(kind)) => kind.to_string(),
        _ => target,
    };
    (door.kind, named, target, line.target.traffic())
}

fn change(before: Option<DoorLine>, after: Option<DoorLine>) -> Option<DoorChange> {
    let [was, is] = [&before, &after].map(|line| line.as_ref().map(|line| line.passage.status));
    let kind = kind(before.as_ref(), after.as_ref())?;
    let which = if after.is_some() {
        Which::After
    } else {
        Which::Before
    };
    Some(DoorChange {
        kind,
        which,
        line: after.or(before)?,
        before: was,
        after: is,
    })
}

/// How much callers on the internet may do: nothing, perhaps something, something, everything.
fn openness(line: Option<&DoorLine>) -> u8 {
    let Some(passage) = line.map(|line| &line.passage) else {
        return 0;
    };
    match passage.status {
        DoorStatus::Open if passage.reason.is_none() => 3,
        DoorStatus::Open => 2,
        DoorStatus::Unknown => 1,
        _ => 0,
    }
}

fn kind(before: Option<&DoorLine>, after: Option<&DoorLine>) -> Option<Kind> {
    match (openness(before), openness(after)) {
        (was, is) if was == is => None,
        (0, 1) => Some(Kind::MayWiden),
        (1, 0) => Some(Kind::MayNarrow),
        (1, _) => Some(Kind::MayWiden),
        (_, 1) => Some(Kind::MayNarrow),
        (was, is) if was < is => Some(Kind::Widened),
        _ => Some(Kind::Narrowed),
    }
}
