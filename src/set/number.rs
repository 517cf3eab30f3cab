//! [`number`]: an index as the 32 bits that it is kept in.

/// The number of an index. Whatever is numbered lies in memory as objects of many bytes each, so
/// there are fewer than 2^32 of them; places of a line are refused beyond that when a graph is
/// compiled.
pub fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
