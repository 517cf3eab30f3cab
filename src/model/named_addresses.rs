//! Addresses that an object gives a name, so that questions may ask for them.

use crate::set::IpSet;

/// What names addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedBy {
    /// A network set, of a namespace or of the cluster.
    NetworkSet,
    /// A host endpoint: interfaces of a node.
    HostEndpoint,
}

impl NamedBy {
    /// The word for it in a question.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NetworkSet => "netset",
            Self::HostEndpoint => "hep",
        }
    }

    /// What one is called in messages.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::NetworkSet => "network set",
            Self::HostEndpoint => "host endpoint",
        }
    }

    /// What several are called.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::NetworkSet => "network sets",
            Self::HostEndpoint => "host endpoints",
        }
    }
}

/// Addresses with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAddresses {
    /// What names them.
    pub kind: NamedBy,
    /// Its namespace; none where it has none.
    pub namespace: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// The addresses; none where they are not told.
    pub addresses: IpSet,
}

impl NamedAddresses {
    /// `partners`, `shop/partners`.
    pub fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.to_string(),
        }
    }
}
