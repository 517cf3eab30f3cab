//! Causes: the edits between the two sides, and which of them is behind a change.
//!
//! [`edits`] lists what differs ([`policy_edits`], [`rule_edit`], [`visible_pods`]);
//! [`attribution`] finds the edit behind a changed [`pair`], once per [`cause_key`], or the
//! [`assumption`] where no edit makes it; [`undecided`]
//! decides which unknown verdicts may have changed; [`masked`] and [`declared_uses`] report what
//! follows.

pub mod assumption;
pub mod attribution;
pub mod cause_key;
pub mod declared_uses;
pub mod edits;
pub mod masked;
pub mod pair;
pub mod policy_edits;
pub mod rule_edit;
mod same_statements;
pub mod undecided;
pub mod visible_pods;
