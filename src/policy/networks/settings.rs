//! Settings of networks, as far as they were told (`cluster.networks`).

/// Settings of networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// Networks that are one wire: their names, group by group (NW62).
    pub same_segment: Vec<Vec<Box<str>>>,
    /// The Services that every pod reaches: `namespace/name` (NW41).
    pub infra_services: Vec<Box<str>>,
}
