//! The form in which the proof reads policies: labels, blocks, ports and rules without any set.
//!
//! Two readers fill it: [`super::written`] from the manifest itself, for the kinds of Kubernetes,
//! and [`super::lowered`] from the rules that a dialect was lowered into. Invariant: nothing here
//! is computed; a block keeps its exceptions, a list of ports its entries.

use std::net::IpAddr;

/// A condition on labels.
#[derive(Debug, Clone)]
pub enum Condition {
    /// The key has one of these values (S20, S21).
    In(String, Vec<String>),
    /// The key has none of these values, or is absent (S22).
    NotIn(String, Vec<String>),
    /// The key is there (S23).
    Exists(String),
    /// The key is absent (S24).
    Absent(String),
    /// The value starts with a text, ends with it, or has it somewhere.
    Like(String, Like, String),
    /// One of these selectors selects.
    AnyOf(Vec<Labelled>),
    /// This selector does not select.
    Not(Labelled),
}

/// How a value is like a text.
#[derive(Debug, Clone, Copy)]
pub enum Like {
    Starts,
    Ends,
    Contains,
}

impl Like {
    /// Whether a value is like a part.
    pub fn holds(self, value: &str, part: &str) -> bool {
        match self {
            Self::Starts => value.starts_with(part),
            Self::Ends => value.ends_with(part),
            Self::Contains => value.contains(part),
        }
    }
}

/// What is labelled so that all conditions hold (S25).
pub type Labelled = Vec<Condition>;

/// Which namespaces, seen from the governed pod's.
#[derive(Debug, Clone)]
pub enum Spaces {
    Named(String),
    Labelled(Labelled),
    /// The same values under all of these keys, or a different one under some (S92).
    Same(Vec<String>),
    NotSame(Vec<String>),
}

/// The addresses of a block (S35-S39).
#[derive(Debug, Clone)]
pub struct Block {
    pub base: Prefix,
    pub except: Vec<Prefix>,
}

/// The addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    pub six: bool,
    pub bits: u128,
    pub length: u32,
}

impl Prefix {
    /// Reads a CIDR; leading zeros and host bits are nothing to it (S8, S38).
    pub fn read(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let length = length.parse().ok()?;
        if address.contains(':') {
            let address: std::net::Ipv6Addr = address.parse().ok()?;
            return Some(Self::new(true, address.into(), length));
        }
        let octets: Option<Vec<u128>> = address.split('.').map(|o| o.parse().ok()).collect();
        let octets = octets.filter(|octets| octets.len() == 4)?;
        let bits = octets.iter().fold(0, |bits, octet| bits << 8 | octet);
        Some(Self::new(false, bits, length))
    }

    fn new(six: bool, bits: u128, length: u32) -> Self {
        Self { six, bits, length }
    }

    /// The block of one address.
    pub fn of(address: IpAddr) -> Self {
        let (six, bits) = bits(address);
        Self::new(six, bits, width(six))
    }

    /// Whether an address begins with the bits.
    pub fn has(&self, six: bool, bits: u128) -> bool {
        let free = width(six) - self.length.min(width(six));
        let kept = |n: u128| n.checked_shr(free).unwrap_or(0);
        self.six == six && kept(bits) == kept(self.bits)
    }
}

/// The family of an address, and its bits.
pub fn bits(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(four) => (false, u32::from(four).into()),
        IpAddr::V6(six) => (true, six.into()),
    }
}

/// The bits of an address of a family.
pub fn width(six: bool) -> u32 {
    if six { 128 } else { 32 }
}

/// The other side of a rule.
#[derive(Debug, Clone)]
pub enum Other {
    Pods(Spaces, Labelled),
    Blocks(Vec<Block>),
    Nodes(Labelled),
    Domain(String),
    /// What has no address in the manifests; the words of the dialects.
    Symbol(netpal::internals::policy::Symbol),
    /// Addresses, where what has them is of a kind.
    Owned(netpal::AddressOwner, Vec<Block>),
    AnyOf(Vec<Other>),
    AllOf(Vec<Other>),
    NoneOf(Vec<Other>),
    /// A field of a later version: everything, or nothing (S83).
    Everybody(bool),
}

/// The protocols as the proof numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(pub u8);

impl Kind {
    pub const TCP: Self = Self(0);
    pub const UDP: Self = Self(1);
    pub const SCTP: Self = Self(2);
    pub const ICMP: Self = Self(3);
    pub const ICMP_V6: Self = Self(4);
    pub const OTHER: Self = Self(5);

    /// A protocol of the program.
    pub fn of(protocol: netpal::Protocol) -> Self {
        match protocol {
            netpal::Protocol::Tcp => Self::TCP,
            netpal::Protocol::Udp => Self::UDP,
            netpal::Protocol::Sctp => Self::SCTP,
            netpal::Protocol::Icmp => Self::ICMP,
            netpal::Protocol::IcmpV6 => Self::ICMP_V6,
            netpal::Protocol::Other => Self::OTHER,
        }
    }

    /// The protocol of the program.
    pub fn protocol(self) -> netpal::Protocol {
        match self {
            Self::TCP => netpal::Protocol::Tcp,
            Self::UDP => netpal::Protocol::Udp,
            Self::SCTP => netpal::Protocol::Sctp,
            Self::ICMP => netpal::Protocol::Icmp,
            Self::ICMP_V6 => netpal::Protocol::IcmpV6,
            _ => netpal::Protocol::Other,
        }
    }

    /// The constant.
    pub fn constant(self) -> String {
        format!("#b{:03b}", self.0)
    }
}

/// One entry of a rule's ports.
#[derive(Debug, Clone)]
pub enum Entry {
    /// Ports, messages or numbers of a protocol, both ends included (S44, S45, S47).
    Range(Kind, u16, u16),
    /// Every protocol without ports.
    WithoutPorts,
    /// A name, looked up on the destination (S48, S49).
    Named(String, Option<Kind>),
}

/// What a rule needs besides ends and ports.
#[derive(Debug, Clone)]
pub enum Need {
    /// The source's port is one of these.
    SourcePorts(Vec<(u16, u16)>),
    /// What no flow shows.
    Untold,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    pub action: netpal::Action,
    /// None: no restriction (S15).
    pub others: Option<Vec<Other>>,
    /// None: no restriction (S16).
    pub ports: Option<Vec<Entry>>,
    /// None: every subject of the policy.
    pub subjects: Option<Vec<Other>>,
    pub needs: Vec<Need>,
    /// Whether what it covers is held to its needs, whatever else allows.
    pub binds: bool,
    /// Whether it asks for a request: what nothing else allows fails without one.
    pub asks: bool,
}

/// One policy.
#[derive(Debug, Clone)]
pub struct Policy {
    pub spaces: Spaces,
    pub pods: Labelled,
    /// By direction: ingress, egress.
    pub applies: [bool; 2],
    pub isolates: [bool; 2],
    pub rules: [Vec<Rule>; 2],
}
