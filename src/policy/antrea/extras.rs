//! Reads the objects of Antrea that are no policies and decide what policies mean (AN3, AN60-AN64).

use crate::policy::antrea::check::AntreaDoor;
use crate::policy::antrea::objects::{AntreaExtra, AntreaGroup, AntreaTier, GroupMembers, STATIC};
use crate::policy::antrea::written::{AntreaTierForm, GroupForm};
use crate::policy::lowered::{Checks, Header};
use crate::policy::validate::decoded;
use crate::policy::written_object::WrittenObject;
use crate::source::Path;
use crate::tree::{Problem, SyntaxNode};

/// The group of all kinds of policies.
pub const GROUP: &str = "crd.antrea.io";

/// The kinds of objects that are no policies and decide what policies mean.
pub const KINDS: [&str; 3] = ["Tier", "ClusterGroup", "Group"];

/// The priorities of tiers that have an object: below that of the last static one before the
/// `NetworkPolicies` (AN3).
const CUSTOM: std::ops::RangeInclusive<i64> = 1..=249;

/// What reading an object that is no policy gave.
pub struct ReadAntreaExtra {
    /// What it adds.
    pub extra: AntreaExtra,
    /// What is wrong with its values.
    pub checks: Checks,
    /// What is wrong with its form.
    pub problems: Vec<Problem>,
}

/// Reads an object that is no policy and decides what policies mean; none of another kind.
pub fn extra(kind: &str, node: &SyntaxNode, header: Header<'_>) -> Option<ReadAntreaExtra> {
    match kind {
        "Tier" => Some(tier(node, header)),
        "ClusterGroup" => Some(group(node, header, None)),
        "Group" => Some(group(node, header, Some(header.namespace))),
        _ => None,
    }
}

fn tier(node: &SyntaxNode, header: Header<'_>) -> ReadAntreaExtra {
    let (object, problems) = decoded::<WrittenObject<AntreaTierForm>>(node);
    let mut checks = Checks::default();
    let form = object.and_then(|object| object.spec).unwrap_or_default();
    let at = Path::root().key("spec").key("priority");
    let own = STATIC.iter().find(|(name, _)| *name == header.name);
    let priority = match (form.priority, own) {
        (Some(number), Some((_, priority))) if number == i64::from(*priority) => Some(*priority),
        (_, Some((name, priority))) => {
            let message = format!("tier {name} has priority {priority}");
            checks.invalid(&at, message);
            Some(*priority)
        }
        (Some(number), None) if STATIC.iter().any(|(_, own)| i64::from(*own) == number) => {
            let message = format!("`{number}` is the priority of a tier that is always there");
            checks.invalid(&at, message); // AN3
            None
        }
        (Some(number), None) if CUSTOM.contains(&number) => u8::try_from(number).ok(),
        (number, None) => {
            let number = number.map_or_else(|| "no number".to_owned(), |n| n.to_string());
            let message = format!("`{number}` is no priority of a tier: it must be 1 to 249");
            checks.invalid(&at, message);
            None
        }
    };
    ReadAntreaExtra {
        extra: AntreaExtra::Tier(AntreaTier {
            name: header.name.into(),
            priority,
            document: header.document,
        }),
        checks,
        problems,
    }
}

fn group(node: &SyntaxNode, header: Header<'_>, namespace: Option<&str>) -> ReadAntreaExtra {
    let (object, problems) = decoded::<WrittenObject<GroupForm>>(node);
    let mut checks = Checks::default();
    let mut door = AntreaDoor {
        checks: &mut checks,
        namespace,
        strict_cidrs: header.strict_cidrs,
    };
    let members = object.map(|object| door.group(&object.spec.unwrap_or_default()));
    let is_broken = checks.0.iter().any(|i| i.doubt) || problems.iter().any(Problem::is_error);
    let members = members.filter(|_| !is_broken);
    ReadAntreaExtra {
        extra: AntreaExtra::Group(AntreaGroup {
            namespace: namespace.map(Into::into),
            name: header.name.into(),
            members: members.unwrap_or(GroupMembers::Unreadable),
            document: header.document,
        }),
        checks,
        problems,
    }
}
