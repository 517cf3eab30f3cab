//! What operators make of custom resources: pods, Services and policies that are in no file.
//!
//! In most repositories the database is a custom resource, and the labels of its pods are known to
//! the operator's code alone. [`table`] says of each kind what comes out, as data; [`derive`] makes
//! it of the objects that were read. Everything made keeps the document of the object that it is
//! made from as its place. What a row cannot tell is unknown: a label that is known only at run
//! time ([`crate::model::open_labels`]), a policy whose rules are not known.
//!
//! Road not taken: a rule by shape alone; of the objects that operators make pods of, hardly one in
//! fifty holds a pod template with all its labels.

mod capsule;
mod copied;
mod custom;
pub mod derive;
mod expression;
mod fill;
pub mod generate;
mod generated;
pub mod hnc;
mod kubevirt;
mod kyverno;
mod kyverno_match;
mod kyverno_variables;
mod missing;
mod mutate;
mod mutation;
pub mod mutators;
mod namespace_config;
mod ocm;
mod outcome;
mod perhaps_ports;
mod placeholders;
mod pods;
mod port;
pub mod projects;
mod rancher;
pub mod shape;
pub mod table;
mod workload_ref;
mod world;
mod wrapped;
