//! Questions: the endpoint grammar, the resolution of names, and the verdict over all pairs.

pub mod answer;
pub mod asked_traffic;
pub mod grammar;
mod names;
mod nodes;
mod pods_inside;
pub mod resolve;
pub mod resolved;
pub mod service_effect;
pub(crate) mod symbolic;
pub mod via_service;
