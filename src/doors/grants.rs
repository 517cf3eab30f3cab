//! `ReferenceGrant`s: who may refer to objects of another namespace (DO76, DO77).

use crate::doors::builder::DoorBuilder;
use crate::model::doors::GrantedKind;

/// The group of the Gateway API.
pub const GROUP: &str = "gateway.networking.k8s.io";

impl DoorBuilder<'_> {
    /// Whether a grant of a namespace lets objects refer to one of it: group, kind and namespace of
    /// who refers, and group, kind and name of what is referred to.
    pub fn is_granted(
        &self,
        namespace: &str,
        from: (&str, &str, &str),
        to: (&str, &str, &str),
    ) -> bool {
        let is = |granted: &GrantedKind, (group, kind, of): (&str, &str, &str)| {
            *granted.group == *group
                && *granted.kind == *kind
                && granted.of.as_deref().is_none_or(|wanted| wanted == of)
        };
        let grants = self.grants.get(namespace).into_iter().flatten();
        let mut grants = grants.filter(|grant| {
            let mut from_of = grant.from.iter().filter(|granted| granted.of.is_some());
            from_of.any(|granted| is(granted, from))
        });
        grants.any(|grant| grant.to.iter().any(|granted| is(granted, to)))
    }
}
