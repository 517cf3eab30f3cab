//! Address sets in the fewest blocks with exceptions: `0.0.0.0/0 except 10.0.0.0/8`.
//!
//! A manifest says a set as blocks of which parts are taken away; a set remembers only which
//! addresses it has. Of all writings as blocks with exceptions [`written`] finds a shortest one,
//! which is the author's own wherever that had nothing to spare. Where a list of plain blocks is as
//! short, [`Preferred`] says which is taken.
//!
//! Cost: O(ranges * bits) visited prefixes; a set of more than [`MOST`] ranges is listed plainly.
//! The road not taken: remembering what was written. Sets are joined, cut and compared before they
//! are shown, and a memory of one of the parts would be a lie about the whole.

use crate::set::{Family, IpSet};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A block, and the parts of it that are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenBlock {
    /// The whole block.
    pub cidr: IpNet,
    /// What is left out, in order.
    pub except: Vec<IpNet>,
}

/// What is written where a list of plain blocks is as short as a block with exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preferred {
    /// Plain blocks.
    Plain,
    /// A block with exceptions.
    Except,
}

/// The most ranges of which a shortest writing is sought.
const MOST: usize = 2_000;

/// A shortest list of blocks with exceptions that makes up a set, IPv4 first.
pub fn written(set: &IpSet, preferred: Preferred) -> Vec<WrittenBlock> {
    if set.v4.ranges().len() + set.v6.ranges().len() > MOST {
        return set.to_cidrs().into_iter().map(whole).collect();
    }
    let v4 = set.v4.ranges().map(|(a, b)| (a.into(), b.into()));
    let v4 = Searching::new(Family::V4, v4.collect(), preferred);
    let v6 = Searching::new(Family::V6, set.v6.ranges().collect(), preferred);
    [v4, v6].into_iter().flat_map(Searching::blocks).collect()
}

/// How many blocks a writing names.
pub fn length(blocks: &[WrittenBlock]) -> usize {
    blocks.iter().map(|block| 1 + block.except.len()).sum()
}

struct Searching {
    family: Family,
    ranges: Vec<(u128, u128)>,
    preferred: Preferred,
}

/// What is known of a prefix: how to write its part of the set, and what the set lacks of it.
struct Found {
    blocks: Vec<WrittenBlock>,
    lacks: Vec<IpNet>,
}

impl Searching {
    fn new(family: Family, ranges: Vec<(u128, u128)>, preferred: Preferred) -> Self {
        Self {
            family,
            ranges,
            preferred,
        }
    }

    fn blocks(self) -> Vec<WrittenBlock> {
        self.search(&self.ranges, 0, 0).blocks
    }

    /// The part of the set below a prefix; `ranges` are those that meet it.
    fn search(&self, ranges: &[(u128, u128)], first: u128, length: u8) -> Found {
        let last = first | self.below(length);
        let cidr = || self.cidr(first, length);
        match ranges {
            [] => Found {
                blocks: Vec::new(),
                lacks: cidr().into_iter().collect(),
            },
            [(a, b)] if *a <= first && last <= *b => Found {
                blocks: cidr().map(whole).into_iter().collect(),
                lacks: Vec::new(),
            },
            _ => self.join(ranges, first, length),
        }
    }

    fn join(&self, ranges: &[(u128, u128)], first: u128, length: u8) -> Found {
        let middle = first | (self.below(length) ^ self.below(length + 1));
        let left = ranges.partition_point(|(a, _)| *a < middle);
        let right = ranges.partition_point(|(_, b)| *b < middle);
        let mut low = self.search(&ranges[..left], first, length + 1);
        let high = self.search(&ranges[right..], middle, length + 1);
        low.blocks.extend(high.blocks);
        low.lacks.extend(high.lacks);
        let (apart, with_exceptions) = (self::length(&low.blocks), 1 + low.lacks.len());
        let shorter = match self.preferred {
            Preferred::Plain => with_exceptions < apart,
            Preferred::Except => with_exceptions <= apart,
        };
        if let (true, Some(cidr)) = (shorter, self.cidr(first, length)) {
            let except = low.lacks.clone();
            low.blocks = vec![WrittenBlock { cidr, except }];
        }
        low
    }

    /// The bits after a prefix, all set.
    fn below(&self, length: u8) -> u128 {
        match self.family {
            Family::V4 => u128::from(u32::MAX.checked_shr(length.into()).unwrap_or(0)),
            Family::V6 => u128::MAX.checked_shr(length.into()).unwrap_or(0),
        }
    }

    fn cidr(&self, first: u128, length: u8) -> Option<IpNet> {
        match self.family {
            Family::V4 => {
                let address = Ipv4Addr::from(u32::try_from(first).ok()?);
                Ipv4Net::new(address, length).ok().map(IpNet::V4)
            }
            Family::V6 => Ipv6Net::new(Ipv6Addr::from(first), length)
                .ok()
                .map(IpNet::V6),
        }
    }
}

/// A block without exceptions.
pub fn whole(cidr: IpNet) -> WrittenBlock {
    WrittenBlock {
        cidr,
        except: Vec::new(),
    }
}

impl fmt::Display for WrittenBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cidr)?;
        for (i, except) in self.except.iter().enumerate() {
            let before = if i == 0 { " except " } else { ", " };
            write!(f, "{before}{except}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cidrs: &[&str]) -> IpSet {
        IpSet::from_cidrs(cidrs.iter().map(|c| c.parse().unwrap()))
    }

    fn text(set: &IpSet, preferred: Preferred) -> String {
        let blocks: Vec<String> = written(set, preferred)
            .iter()
            .map(ToString::to_string)
            .collect();
        blocks.join("; ")
    }

    #[test]
    fn a_block_with_exceptions_is_written_as_one() {
        for (cidr, except) in [
            ("0.0.0.0/0", &["10.0.0.0/8"][..]),
            (
                "0.0.0.0/0",
                &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
            ),
            ("10.0.0.0/8", &["10.1.2.3/32"]),
            ("10.0.0.0/8", &["10.64.0.0/10"]),
            ("2001:db8::/32", &["2001:db8:1::/48"]),
            ("::/0", &["fc00::/7"]),
            ("203.0.113.0/24", &[]),
        ] {
            let left = set(&[cidr]).difference(&set(except));
            let wanted = match except {
                [] => cidr.to_owned(),
                list => format!("{cidr} except {}", list.join(", ")),
            };
            assert_eq!(text(&left, Preferred::Except), wanted);
        }
    }

    #[test]
    fn what_is_as_short_without_exceptions_may_stay_plain() {
        let two = set(&["10.0.0.0/10", "10.128.0.0/9"]);
        assert_eq!(text(&two, Preferred::Plain), "10.0.0.0/10; 10.128.0.0/9");
        assert_eq!(
            text(&two, Preferred::Except),
            "10.0.0.0/8 except 10.64.0.0/10"
        );
        assert_eq!(text(&IpSet::full(), Preferred::Plain), "0.0.0.0/0; ::/0");
        assert_eq!(text(&IpSet::empty(), Preferred::Plain), "");
    }

    #[test]
    fn a_writing_is_the_set_and_never_longer_than_its_blocks() {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        for _ in 0..500 {
            let mut some = IpSet::empty();
            for _ in 0..6 {
                let cidr = format!("10.{}.0.0/{}", next() % 16, 10 + next() % 20);
                let one = set(&[&cidr]);
                some = if next() % 3 == 0 {
                    some.difference(&one)
                } else {
                    some.union(&one)
                };
            }
            for preferred in [Preferred::Plain, Preferred::Except] {
                let blocks = written(&some, preferred);
                let whole = blocks.iter().fold(IpSet::empty(), |all, block| {
                    let except = IpSet::from_cidrs(block.except.iter().copied());
                    all.union(&IpSet::from_cidrs([block.cidr]).difference(&except))
                });
                assert_eq!(whole, some);
                assert!(length(&blocks) <= some.to_cidrs().len());
            }
        }
    }
}
