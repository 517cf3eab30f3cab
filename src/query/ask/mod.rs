//! Questions: the endpoint grammar, the resolution of names, and the verdict over all pairs.

pub mod alike;
pub mod alternatives;
pub mod answer;
pub mod asked_traffic;
pub mod grammar;
mod names;
mod nodes;
pub mod parts;
mod pods_inside;
pub mod resolve;
pub mod resolved;
pub mod service_effect;
pub(crate) mod symbolic;
pub mod verdict;
pub mod via_service;
