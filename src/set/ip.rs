//! [`IpSet`]: sets of IPv4 and IPv6 addresses, from CIDRs and exceptions.
//!
//! The two families are disjoint lines (S39): `0.0.0.0/0` never holds an IPv6 address. Host bits of
//! a CIDR are ignored (S38). Cost: as [`IntervalSet`]. Road not taken: prefix tries; policies need
//! set algebra, not longest-prefix matches.

use crate::set::interval::IntervalSet;
use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both families.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// Index for per-family pairs.
    pub const fn index(self) -> usize {
        match self {
            Self::V4 => 0,
            Self::V6 => 1,
        }
    }

    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// A set of addresses of both families.
///
/// ```
/// use netpal::IpSet;
/// let block = IpSet::from_cidrs(["10.1.2.3/8".parse().unwrap()]); // host bits are ignored
/// let open = block.difference(&IpSet::from_cidrs(["10.9.0.0/16".parse().unwrap()]));
/// assert!(open.contains("10.0.0.1".parse().unwrap()));
/// assert!(!open.contains("10.9.1.1".parse().unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct IpSet {
    /// The IPv4 addresses, as numbers.
    pub v4: IntervalSet<u32>,
    /// The IPv6 addresses, as numbers.
    pub v6: IntervalSet<u128>,
}

impl IpSet {
    /// How many IPv4 addresses there are. O(ranges).
    pub fn v4_count(&self) -> u64 {
        let ranges = self.v4.ranges();
        ranges
            .map(|(first, last)| u64::from(last - first) + 1)
            .sum()
    }

    /// No address.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Every address of both families.
    pub fn full() -> Self {
        Self {
            v4: IntervalSet::full(),
            v6: IntervalSet::full(),
        }
    }

    /// One address.
    pub fn single(address: IpAddr) -> Self {
        Self::from_cidrs([IpNet::from(address)])
    }

    /// The union of CIDR blocks; host bits are ignored (S38).
    pub fn from_cidrs(cidrs: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for cidr in cidrs {
            match cidr {
                IpNet::V4(net) => v4.push(u32::from(net.network())..=u32::from(net.broadcast())),
                IpNet::V6(net) => v6.push(u128::from(net.network())..=u128::from(net.broadcast())),
            }
        }
        Self {
            v4: v4.into_iter().collect(),
            v6: v6.into_iter().collect(),
        }
    }

    /// The private ranges: RFC 1918, and unique local IPv6 (`fc00::/7`).
    pub fn private() -> Self {
        Self::of_v4([(10, 0, 8), (172, 16, 12), (192, 168, 16)]).union(&Self::of_v6([(0xfc00, 7)]))
    }

    /// Where pod addresses are taken to lie when nothing better is known: private, and
    /// 100.64.0.0/10.
    pub fn assumed_pods() -> Self {
        Self::private().union(&Self::of_v4([(100, 64, 10)]))
    }

    /// Addresses that are never "the internet": private, shared, loopback, link-local, multicast,
    /// reserved.
    pub fn not_internet() -> Self {
        let v4 = Self::of_v4([
            (0, 0, 8),
            (127, 0, 8),
            (169, 254, 16),
            (224, 0, 4),
            (240, 0, 4),
        ]);
        let v6 = Self::of_v6([(0xfe80, 10), (0xff00, 8), (0xfec0, 10)]);
        // ::/96 holds the unspecified address, loopback and the deprecated IPv4-compatible block
        let low = Self {
            v4: IntervalSet::empty(),
            v6: IntervalSet::from(0..=0xffff_ffff),
        };
        Self::assumed_pods().union(&v4).union(&v6).union(&low)
    }

    /// The public internet, both families: everything but [`IpSet::not_internet`].
    pub fn internet() -> Self {
        Self::full().difference(&Self::not_internet())
    }

    fn of_v4(blocks: impl IntoIterator<Item = (u8, u8, u8)>) -> Self {
        let nets = blocks
            .into_iter()
            .filter_map(|(a, b, len)| Ipv4Net::new(Ipv4Addr::new(a, b, 0, 0), len).ok());
        Self::from_cidrs(nets.map(IpNet::V4))
    }

    fn of_v6(blocks: impl IntoIterator<Item = (u16, u8)>) -> Self {
        let nets = blocks
            .into_iter()
            .filter_map(|(a, len)| Ipv6Net::new(Ipv6Addr::new(a, 0, 0, 0, 0, 0, 0, 0), len).ok());
        Self::from_cidrs(nets.map(IpNet::V6))
    }

    /// Only the addresses of one family.
    #[must_use]
    pub fn only(&self, family: Family) -> Self {
        match family {
            Family::V4 => Self {
                v4: self.v4.clone(),
                v6: IntervalSet::empty(),
            },
            Family::V6 => Self {
                v4: IntervalSet::empty(),
                v6: self.v6.clone(),
            },
        }
    }

    /// Whether the set has addresses of this family.
    pub fn has(&self, family: Family) -> bool {
        match family {
            Family::V4 => !self.v4.is_empty(),
            Family::V6 => !self.v6.is_empty(),
        }
    }

    /// Whether the address is in the set.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => self.v4.contains(u32::from(a)),
            IpAddr::V6(a) => self.v6.contains(u128::from(a)),
        }
    }

    /// Whether no address is in the set.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Addresses of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.union(&other.v4),
            v6: self.v6.union(&other.v6),
        }
    }

    /// Addresses of both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.intersection(&other.v4),
            v6: self.v6.intersection(&other.v6),
        }
    }

    /// Addresses of this set that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.difference(&other.v4),
            v6: self.v6.difference(&other.v6),
        }
    }

    /// Whether all of this set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.v4.is_subset(&other.v4) && self.v6.is_subset(&other.v6)
    }

    /// Whether the sets share no address.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.v4.is_disjoint(&other.v4) && self.v6.is_disjoint(&other.v6)
    }

    /// The smallest address, IPv4 before IPv6, if any.
    pub fn first(&self) -> Option<IpAddr> {
        let v4 = self.v4.first().map(|n| IpAddr::V4(Ipv4Addr::from(n)));
        v4.or_else(|| self.v6.first().map(|n| IpAddr::V6(Ipv6Addr::from(n))))
    }

    /// The smallest list of CIDR blocks that makes up the set, IPv4 first.
    pub fn to_cidrs(&self) -> Vec<IpNet> {
        let v4 = self
            .v4
            .ranges()
            .flat_map(|(a, b)| Ipv4Subnets::new(a.into(), b.into(), 0))
            .map(IpNet::V4);
        let v6 = self
            .v6
            .ranges()
            .flat_map(|(a, b)| Ipv6Subnets::new(a.into(), b.into(), 0))
            .map(IpNet::V6);
        v4.chain(v6).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cidrs: &[&str]) -> IpSet {
        IpSet::from_cidrs(cidrs.iter().map(|c| c.parse().unwrap()))
    }

    #[test]
    fn s38_host_bits_are_ignored() {
        assert_eq!(set(&["10.1.2.3/8"]), set(&["10.0.0.0/8"]));
    }

    #[test]
    fn s39_families_are_disjoint() {
        assert!(!set(&["0.0.0.0/0"]).contains("::1".parse().unwrap()));
        assert!(set(&["::/0"]).is_disjoint(&set(&["0.0.0.0/0"])));
    }

    #[test]
    fn cidrs_survive_the_round_trip() {
        let s = set(&["0.0.0.0/0", "fd00::/8"]).difference(&set(&["10.0.0.0/8"]));
        assert_eq!(IpSet::from_cidrs(s.to_cidrs()), s);
        assert_eq!(
            set(&["10.0.0.0/9", "10.128.0.0/9"]).to_cidrs(),
            ["10.0.0.0/8".parse().unwrap()]
        );
    }

    #[test]
    fn the_internet_has_no_private_or_link_local_address() {
        let net = IpSet::internet();
        for outside in [
            "10.0.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "fd00::1",
            "fe80::1",
            "::1",
        ] {
            assert!(!net.contains(outside.parse().unwrap()), "{outside}");
        }
        for inside in [
            "8.8.8.8",
            "1.1.1.1",
            "172.32.0.1",
            "2606:4700::1111",
            "203.0.113.5",
        ] {
            assert!(net.contains(inside.parse().unwrap()), "{inside}");
        }
    }
}
