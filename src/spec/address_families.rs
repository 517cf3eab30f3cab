//! Which address families the two ends of a connection have in common (S65).
//!
//! A connection uses one family, which both ends have. A pod with known addresses has the families
//! of these; an address in a question keeps its own. Of a pod without addresses the manifests tell
//! nothing: the cluster may give its pods IPv4, IPv6 or both, and all such pods the same, because
//! the families are a setting of the cluster. What the rest of the input shows narrows that
//! ([`EndFamilies::of_untold`]).
//!
//! A question about an address presupposes that the other end has its family, unless the input says
//! otherwise: whoever asks about `203.0.113.9` asks about IPv4.
//!
//! ```text
//! a: 10.0.0.1, fd00::1    b: 10.0.0.2     IPv4                       one connection
//! a: 10.0.0.1             b: fd00::2      none                       no connection
//! a: not told             b: not told     IPv4, IPv6, or the better  unknown where they differ
//! a: not told             b: 10.0.0.2     IPv4, or none              at most unknown
//! a: 10.0.0.1 | blue      b: fd00::2|blue  none, or one of blue       at most unknown
//! ```

use crate::model::Pod;
use crate::set::{Bounds, Family, IpSet, Lattice};

/// A set of address families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FamilySet {
    has: [bool; 2],
}

impl FamilySet {
    /// Both families.
    pub const BOTH: Self = Self { has: [true, true] };

    /// One family.
    pub fn only(family: Family) -> Self {
        Family::ALL.into_iter().filter(|f| *f == family).collect()
    }

    /// Whether a family is among them.
    pub fn contains(self, family: Family) -> bool {
        self.has[family.index()]
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// The families in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        self.iter().filter(|f| other.contains(*f)).collect()
    }

    /// The addresses of these families.
    pub fn addresses(self, among: &IpSet) -> IpSet {
        let each = self.iter().map(|family| among.only(family));
        each.fold(IpSet::empty(), |all, of_family| all.union(&of_family))
    }

    /// The families, IPv4 first.
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(move |f| self.contains(*f))
    }
}

impl FromIterator<Family> for FamilySet {
    fn from_iter<T: IntoIterator<Item = Family>>(families: T) -> Self {
        let mut set = Self::default();
        families
            .into_iter()
            .for_each(|family| set.has[family.index()] = true);
        set
    }
}

/// The address families of one end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndFamilies {
    /// These.
    Told(FamilySet),
    /// These on the pod network; between two such pods a secondary network may carry what it likes,
    /// as its addresses are not told.
    Joined(FamilySet),
    /// Those of the cluster's pods, which the input leaves open: IPv4, IPv6 or both.
    Untold,
}

impl EndFamilies {
    /// The families on the pod network, as far as they are told.
    pub fn told(self) -> Option<FamilySet> {
        match self {
            Self::Told(families) | Self::Joined(families) => Some(families),
            Self::Untold => None,
        }
    }

    /// Whether the ends have no family in common on the pod network and may have one on another.
    pub(crate) fn may_meet_elsewhere(self, other: Self) -> bool {
        match (self, other) {
            (Self::Joined(a), Self::Joined(b)) => a.intersection(b).is_empty(),
            _ => false,
        }
    }

    /// The families of pods without addresses, one answer for all of them: `--pod-cidrs` says which
    /// families there are; else the addresses of other pods and the families of Services do. Both
    /// families seen leave it open whether a pod has one of them or both. A rule that mentions a
    /// family is no evidence, nor is a pod on its node's network.
    pub(crate) fn of_untold<'p>(
        pods: impl Iterator<Item = &'p Pod>,
        services: impl Iterator<Item = Family>,
        pod_cidrs: Option<&IpSet>,
    ) -> Self {
        let seen: FamilySet = match pod_cidrs {
            Some(told) => Family::ALL.into_iter().filter(|f| told.has(*f)).collect(),
            None => seen_of_pods(pods).iter().chain(services).collect(),
        };
        if seen.is_empty() || seen == FamilySet::BOTH {
            Self::Untold
        } else {
            Self::Told(seen)
        }
    }
}

/// The families of all addresses of pods on the pod network.
fn seen_of_pods<'p>(pods: impl Iterator<Item = &'p Pod>) -> FamilySet {
    let mut seen = FamilySet::default();
    for pod in pods {
        if !pod.host_network {
            let families = pod.addresses.iter().map(|a| Family::of(*a));
            families.for_each(|family| seen.has[family.index()] = true);
        }
        if seen == FamilySet::BOTH {
            break;
        }
    }
    seen
}

/// How the decisions of the two families make the decision of a connection: what
/// [`family_cases`](crate::spec::Environment::family_cases) says, without going through the cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FamilyUse {
    /// It uses whichever of these allows more.
    Best(FamilySet),
    /// One of the two, or whichever allows more: not told.
    OneOf,
    /// This family, if the end that does not tell has it.
    Perhaps(Family),
    /// Whichever of these allows more, if it runs at all: nothing that is not modelled denies it at
    /// a node, or a secondary network has the family.
    Doubted(FamilySet),
}

impl FamilyUse {
    /// Between two pods.
    pub fn between(source: EndFamilies, destination: EndFamilies) -> Self {
        if source.may_meet_elsewhere(destination) {
            return Self::Doubted(FamilySet::BOTH);
        }
        match (source.told(), destination.told()) {
            (Some(a), Some(b)) => Self::Best(a.intersection(b)),
            (None, None) => Self::OneOf,
            (Some(told), None) | (None, Some(told)) => Self::with_untold(told),
        }
    }

    /// Between two ends where one is an address, whose family the other end has if it may.
    pub fn with_address(family: Family, other: EndFamilies) -> Self {
        let asked = FamilySet::only(family);
        let told = other.told();
        Self::Best(told.map_or(asked, |told| told.intersection(asked)))
    }

    fn with_untold(told: FamilySet) -> Self {
        let mut families = told.iter();
        match (families.next(), families.next()) {
            (Some(family), None) => Self::Perhaps(family),
            (Some(_), Some(_)) => Self::OneOf,
            (None, _) => Self::Best(told),
        }
    }

    /// The same in a question about these families only, which presupposes that an end has them
    /// unless the input says otherwise.
    #[must_use]
    pub fn asked(self, families: FamilySet) -> Self {
        match self {
            _ if families == FamilySet::BOTH => self,
            Self::Best(common) => Self::Best(common.intersection(families)),
            Self::OneOf => Self::Best(families),
            Self::Perhaps(only) => Self::Best(families.intersection(FamilySet::only(only))),
            Self::Doubted(some) => Self::Doubted(some.intersection(families)),
        }
    }

    /// The same where something that is not modelled may deny the connection.
    #[must_use]
    pub fn doubted(self) -> Self {
        match self {
            Self::Best(families) | Self::Doubted(families) => Self::Doubted(families),
            Self::OneOf => Self::Doubted(FamilySet::BOTH),
            Self::Perhaps(only) => Self::Doubted(FamilySet::only(only)),
        }
    }

    /// Whether there is no connection: the ends have no family in common.
    pub fn is_none(self) -> bool {
        let none = FamilySet::default();
        self == Self::Best(none) || self == Self::Doubted(none)
    }

    /// The one family that it surely uses, if that is told.
    pub fn only(self) -> Option<Family> {
        match self {
            Self::Best(FamilySet { has: [true, false] }) => Some(Family::V4),
            Self::Best(FamilySet { has: [false, true] }) => Some(Family::V6),
            _ => None,
        }
    }

    /// Whether the connection may use a family.
    pub fn may_use(self, family: Family) -> bool {
        match self {
            Self::Best(families) | Self::Doubted(families) => families.contains(family),
            Self::OneOf => true,
            Self::Perhaps(only) => only == family,
        }
    }

    /// Decides, from what each family decides.
    #[inline]
    pub fn decide<D: Lattice>(self, decide: impl Fn(Family) -> Bounds<D>) -> Bounds<D> {
        match self {
            Self::Best(families) => {
                let mut best = Bounds::nothing();
                for family in families.iter() {
                    best = best.or(&decide(family));
                    if best.is_everything() {
                        break;
                    }
                }
                best
            }
            Self::OneOf => decide(Family::V4).either(&decide(Family::V6)),
            Self::Perhaps(family) => Bounds::nothing().either(&decide(family)),
            Self::Doubted(families) => {
                Bounds::nothing().either(&Self::Best(families).decide(decide))
            }
        }
    }
}
