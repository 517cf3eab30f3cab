//! Reads policies of Antrea strictly, of both scopes (AN1).

use crate::policy::antrea::check::AntreaDoor;
use crate::policy::antrea::knowledge::AntreaKnowledge;
use crate::policy::antrea::lower::lower;
use crate::policy::antrea::objects::{AntreaObjects, DEFAULT};
use crate::policy::antrea::tier_table;
use crate::policy::antrea::written::AntreaPolicyForm;
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::object_meta::check_object_meta;
use crate::policy::unmodelled;
use crate::policy::validate::{check_metadata, decoded};
use crate::policy::written_object::WrittenObject;
use crate::tree::{Problem, SyntaxNode};
use std::sync::Arc;

/// The version of the group that is written today.
const CURRENT: &str = "crd.antrea.io/v1beta1";

/// The priority of the tier of policies that name none.
const APPLICATION: u8 = 250;

/// Reads a `NetworkPolicy` of Antrea.
pub fn namespaced(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    policy(node, header, Some(header.namespace))
}

/// Reads a `ClusterNetworkPolicy` of Antrea.
pub fn cluster(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    policy(node, header, None)
}

fn policy(node: &SyntaxNode, header: Header<'_>, namespace: Option<&str>) -> Lowered {
    let (object, problems) = decoded::<WrittenObject<AntreaPolicyForm>>(node);
    let Some(object) = object else {
        return Lowered {
            problems,
            reaches: Some(unmodelled::reach_of_antrea(node)),
            ..Lowered::default()
        };
    };
    let mut checks = Checks::default();
    check_metadata(&header, namespace.is_some(), &mut checks);
    check_object_meta(node, &mut checks);
    let mut door = AntreaDoor {
        checks: &mut checks,
        namespace,
        strict_cidrs: header.strict_cidrs,
    };
    let older = object.api_version != CURRENT;
    let written = door.policy(&object.spec.unwrap_or_default(), older);
    if checks.0.iter().any(|i| i.doubt) || problems.iter().any(Problem::is_error) {
        return Lowered {
            problems,
            invalid: checks.0,
            reaches: Some(unmodelled::reach_of_antrea(node)),
            ..Lowered::default()
        };
    }
    let objects = AntreaObjects::default();
    let known = AntreaKnowledge::alone(&objects);
    let written = Arc::new(written);
    Lowered {
        policies: vec![lower(&written, header.name, header.document, &known)],
        tier: Some(tier_table::tier(DEFAULT, APPLICATION)), // which one is told by other objects
        problems,
        invalid: checks.0,
        ..Lowered::default()
    }
}
