//! Sets of addresses as the page holds them: numbers of IPv4, and hexadecimal texts of IPv6, which
//! has larger numbers than JSON is read with.

use crate::set::IpSet;
use serde::Serialize;

/// Ranges of both families: first, last, first, last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct AddressSet(Vec<u32>, Vec<String>);

/// A set of addresses.
pub(crate) fn address_set(set: &IpSet) -> AddressSet {
    let v4 = set.v4.ranges().flat_map(|(first, last)| [first, last]);
    let v6 = set.v6.ranges().flat_map(|(first, last)| [first, last]);
    AddressSet(v4.collect(), v6.map(hexadecimal).collect())
}

/// A number as the page reads it.
pub(crate) fn hexadecimal(number: u128) -> String {
    format!("0x{number:x}")
}
