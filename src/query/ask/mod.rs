//! Questions: the endpoint grammar, the resolution of names, and the verdict over all pairs.

pub mod alike;
pub mod alternatives;
pub mod answer;
pub mod api_server_address;
pub mod asked_traffic;
mod behind;
mod dns_name;
pub mod grammar;
mod naming;
mod node_name;
mod nodes;
mod outside_name;
mod parse_error;
pub mod parts;
mod pasted;
mod pods_inside;
pub mod resolve;
pub mod resolved;
mod selector_text;
mod service_address;
pub mod service_effect;
mod service_port;
mod similar_names;
pub mod surely_exists;
pub(crate) mod symbolic;
pub mod verdict;
pub mod via_service;
