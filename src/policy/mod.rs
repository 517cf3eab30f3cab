//! The policy set: the rule form, and the dialects that lower into it.

pub mod admin;
pub mod admin_spec;
pub mod admin_v1alpha1;
pub mod author;
pub mod calico;
pub mod cilium;
pub mod cluster_network_policy;
pub mod dialects;
pub mod egress_firewall;
pub mod interner;
pub mod istio;
pub mod layer_object;
pub mod layer_settings;
pub mod layout;
pub mod linkerd;
pub mod lowered;
pub mod names;
pub mod network_policy;
pub mod networks;
pub mod object_facts;
mod object_meta;
pub mod plugin;
pub mod policy_set;
pub mod priority;
pub mod proxies;
pub mod qualifier;
pub mod rule;
pub mod taint;
pub mod tier;
pub mod tunnel;
pub mod unmodelled;
pub mod validate;

pub use crate::policy::policy_set::PolicySet;
pub use crate::policy::rule::*;
pub use crate::policy::taint::*;
