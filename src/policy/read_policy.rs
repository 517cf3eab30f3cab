//! Reading an object that is one policy: decoded, its metadata checked, then lowered by its
//! dialect.

use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::object_meta::check_object_meta;
use crate::policy::rule::Policy;
use crate::policy::validate::{check_metadata, decoded};
use crate::tree::SyntaxNode;
use serde::de::DeserializeOwned;

/// Reads an object that is one policy, of a namespace or of the cluster, strictly, and lowers it.
pub fn read_policy<T: DeserializeOwned>(
    node: &SyntaxNode,
    header: &Header<'_>,
    namespaced: bool,
    lower: impl FnOnce(T, &mut Checks) -> Policy,
) -> Lowered {
    let (object, problems) = decoded::<T>(node);
    let Some(object) = object else {
        return Lowered {
            problems,
            ..Lowered::default()
        };
    };
    let mut checks = Checks::default();
    check_metadata(header, namespaced, &mut checks);
    check_object_meta(node, &mut checks);
    let policy = lower(object, &mut checks);
    Lowered::checked(policy, problems, checks)
}
