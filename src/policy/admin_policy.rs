//! The policy that an object of an administrators' dialect is: what all of them have in common,
//! around what each says itself.

use crate::model::Truth;
use crate::policy::admin::{AdminForm, AdminLowering};
use crate::policy::lowered::{Header, Lowered};
use crate::policy::read_policy::read_policy;
use crate::policy::rule::{Policy, PolicySource, Rule, Shape, Subject};
use crate::policy::tier::TierIx;
use crate::tree::SyntaxNode;
use serde::de::DeserializeOwned;

/// What an object says, lowered.
pub struct AdminParts {
    /// The tier that it is asked in.
    pub tier: TierIx,
    /// Its priority.
    pub priority: i32,
    /// The pods that it governs.
    pub subject: Subject,
    /// Its rules, by direction.
    pub rules: [Vec<Rule>; 2],
}

/// Reads an object of a dialect strictly and lowers it.
pub fn admin_policy<T: DeserializeOwned>(
    node: &SyntaxNode,
    header: &Header<'_>,
    (form, shape): (AdminForm, &'static Shape),
    sees_own_service: Truth,
    lower: impl FnOnce(T, &mut AdminLowering<'_>) -> AdminParts,
) -> Lowered {
    read_policy(node, header, false, |object: T, checks| {
        let mut lowering = AdminLowering {
            form,
            node,
            checks,
            whole: Vec::new(),
        };
        let parts = lower(object, &mut lowering);
        let whole = lowering.whole;
        Policy {
            namespace: None,
            name: header.name.into(),
            document: header.document,
            shape,
            tier: parts.tier,
            priority: parts.priority.into(),
            tie: None,
            subject: parts.subject,
            applies: [true, true],
            isolates: [false, false], // S76, S107
            sees_own_service,
            layout: None,
            written: (!whole.is_empty()).then(|| PolicySource::Admin(whole.into())),
            rules: parts.rules,
            generated: None,
        }
    })
}
