//! The doors as JSON, YAML and CSV: one row for each way in.

use crate::doors::{DoorLine, DoorList, DoorReason, DoorStatus, OwnDoors};
use crate::query::ask::entrance::Entrance;
use crate::render::context::RenderContext;
use crate::render::data::json::{PlaceJson, PolicyName, at, policy};
use schemars::JsonSchema;
use serde::Serialize;

/// The columns of the table, which are fields of the JSON too.
const COLUMNS: [&str; 10] = [
    "door_kind",
    "door_namespace",
    "door_name",
    "host",
    "path",
    "service",
    "workload",
    "pod_port",
    "status",
    "closed_by",
];

/// Every door.
#[derive(Serialize, JsonSchema)]
pub struct DoorsJson {
    /// The ways in.
    pub doors: Vec<DoorJson>,
    /// Kinds of objects that may open further doors and are not read.
    pub unread: Vec<UnreadJson>,
    /// The controllers that are not in the input and are assumed as their default install has them.
    pub assumed: Vec<String>,
}

/// A kind that may open doors.
#[derive(Serialize, JsonSchema)]
pub struct UnreadJson {
    /// The kind.
    pub kind: String,
    /// How many objects of it there are.
    pub count: usize,
}

/// One way in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoorJson {
    /// The kind of door.
    pub door_kind: &'static str,
    /// The namespace of its object.
    pub door_namespace: String,
    /// The name of its object.
    pub door_name: String,
    /// The host name or address that callers use; `*` is any.
    pub host: String,
    /// The path, or the port and protocol that callers use.
    pub path: String,
    /// The class that names who serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The Service behind it; `-` for none.
    pub service: String,
    /// The workload behind it, or an address; `-` for none.
    pub workload: String,
    /// The port of its pods; `-` for none.
    pub pod_port: String,
    /// The protocol on that port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// `open`, `closed-by-policy`, `no-backend`, `refused`, `internal` or `unknown`.
    pub status: &'static str,
    /// The policies that close it, else the word of the reason.
    pub closed_by: String,
    /// The reason in words, which may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The policies that close it, or that let only some callers through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<ClosingPolicyJson>,
    /// What the input shows of the doors of the controller that serves it, where none of them lets
    /// anybody in: `none`, `internal` or `closed-by-policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_doors: Option<&'static str>,
    /// The place of the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
}

/// A policy that closes a door.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClosingPolicyJson {
    /// The policy.
    pub policy: PolicyName,
    /// Its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceJson>,
}

/// Whether the internet comes in by a door.
#[derive(Serialize, JsonSchema)]
pub struct EntranceJson {
    /// The source, as it was asked.
    pub source: String,
    /// The destination, as it was asked.
    pub destination: String,
    /// `yes`, `no`, `partly` or `unknown`.
    pub verdict: &'static str,
    /// `DOOR_OPEN`, `DOOR_CLOSED`, `NO_DOOR` or `UNKNOWN_DOOR`.
    pub reason: &'static str,
    /// Whether policies would let the internet in, wherever doors lead.
    pub by_policy: &'static str,
    /// The doors that lead there.
    pub doors: Vec<DoorJson>,
    /// Kinds of objects that may open further doors and are not read.
    pub unread: Vec<UnreadJson>,
}

/// An entrance as JSON.
pub fn entrance(context: RenderContext<'_>, entrance: &Entrance, ends: [&str; 2]) -> EntranceJson {
    let [source, destination] = ends.map(Into::into);
    EntranceJson {
        source,
        destination,
        verdict: entrance.verdict.word(),
        reason: entrance.ground.code(),
        by_policy: entrance.by_policy.word(),
        doors: entrance
            .lines
            .iter()
            .map(|line| door(context, line))
            .collect(),
        unread: unread(&entrance.unread),
    }
}

fn unread(kinds: &[(Box<str>, usize)]) -> Vec<UnreadJson> {
    let kinds = kinds.iter();
    let json = |(kind, count): &(Box<str>, usize)| UnreadJson {
        kind: kind.to_string(),
        count: *count,
    };
    kinds.map(json).collect()
}

/// The doors as JSON.
pub fn doors(context: RenderContext<'_>, list: &DoorList) -> DoorsJson {
    DoorsJson {
        doors: list.lines.iter().map(|line| door(context, line)).collect(),
        unread: unread(&list.unread),
        assumed: list.assumed.iter().map(ToString::to_string).collect(),
    }
}

/// One way in as JSON.
pub fn door(context: RenderContext<'_>, line: &DoorLine) -> DoorJson {
    let door = &line.door;
    let policies = &context.graph.environment().policies;
    let arrives = line.target.traffic();
    DoorJson {
        door_kind: door.kind.name(),
        door_namespace: door.namespace.to_string(),
        door_name: door.name.to_string(),
        host: door.host.to_string(),
        path: door.path.to_string(),
        class: door.class.as_deref().map(Into::into),
        service: line.service.as_deref().unwrap_or("-").into(),
        workload: target(context, line),
        pod_port: arrives.map_or_else(|| "-".into(), |traffic| traffic.port.to_string()),
        protocol: arrives.map(|traffic| traffic.protocol.to_string()),
        status: line.passage.status.word(),
        closed_by: closed_by(context, line),
        reason: line.passage.reason.map(DoorReason::sentence),
        policies: line
            .passage
            .policies
            .iter()
            .map(|id| ClosingPolicyJson {
                policy: policy(context, *id),
                at: at(
                    context,
                    &crate::source::Origin::document(policies.get(*id).document),
                ),
            })
            .collect(),
        controller_doors: line.own_doors.map(OwnDoors::word),
        at: at(context, &door.origin),
    }
}

/// The workload or the address behind a door.
pub fn target(context: RenderContext<'_>, line: &DoorLine) -> String {
    let cluster = &context.graph.environment().cluster;
    line.target.name(cluster).unwrap_or_else(|| "-".into())
}

/// What callers use: a host and a path, or an address and a port.
pub fn used(line: &DoorLine) -> String {
    let door = &line.door;
    match (&*door.host, &*door.path) {
        (host, "-") => host.into(),
        ("*", "*") => "anything else".into(),
        (host, path) if path.starts_with('/') => format!("{host}{path}"),
        (host, path) => format!("{host} {path}"),
    }
}

/// The policies of a line, by name.
pub fn policy_names(context: RenderContext<'_>, line: &DoorLine) -> String {
    let policies = &context.graph.environment().policies;
    let names = line.passage.policies.iter().map(|id| {
        let policy = policies.get(*id);
        match &policy.namespace {
            Some(namespace) => format!("{namespace}/{}", policy.name),
            None => policy.name.to_string(),
        }
    });
    names.collect::<Vec<_>>().join(" ")
}

fn closed_by(context: RenderContext<'_>, line: &DoorLine) -> String {
    let names = policy_names(context, line);
    let word = line.passage.reason.map_or("", |reason| reason.word());
    match line.passage.status {
        DoorStatus::Open if !names.is_empty() => format!("partly:{names}"),
        DoorStatus::Open if !word.is_empty() => format!("partly:{word}"),
        DoorStatus::ClosedByPolicy => names,
        _ => word.into(),
    }
}

/// The doors as rows of cells, the head first.
pub fn rows<'a>(
    context: RenderContext<'a>,
    list: &'a DoorList,
) -> impl Iterator<Item = Vec<String>> + 'a {
    let head = COLUMNS.map(String::from).to_vec();
    let lines = list.lines.iter().map(move |line| {
        let door = door(context, line);
        vec![
            door.door_kind.to_owned(),
            door.door_namespace,
            door.door_name,
            door.host,
            door.path,
            door.service,
            door.workload,
            door.pod_port,
            door.status.to_owned(),
            door.closed_by,
        ]
    });
    std::iter::once(head).chain(lines)
}
