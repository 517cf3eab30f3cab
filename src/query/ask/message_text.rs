//! Messages of ICMP and protocols by their numbers, as an endpoint names them.

use crate::set::Protocol;

/// A protocol, and the first and the last of its messages, numbers or ports.
pub type Messages = (Protocol, u16, u16);

/// `icmp[/type[/code]]`, `icmpv6[/type[/code]]` or `proto/NUM`; `None` if a text is none of these,
/// `Some(None)` if a number in it is none.
#[allow(clippy::option_option)] // two questions: whether, and which
pub fn parse(text: &str) -> Option<Option<Messages>> {
    let mut parts = text.split('/');
    let protocol = match parts.next()?.to_ascii_lowercase().as_str() {
        "icmp" => Protocol::Icmp,
        "icmpv6" => Protocol::IcmpV6,
        "proto" => Protocol::Other,
        _ => return None,
    };
    let numbers: Option<Vec<u8>> = parts.map(|part| part.parse().ok()).collect();
    let at = |kind: u8, code: u8| u16::from_be_bytes([kind, code]);
    let (first, last) = match (protocol, numbers.as_deref()) {
        (Protocol::Other, Some([number])) => (u16::from(*number), u16::from(*number)),
        (Protocol::Icmp | Protocol::IcmpV6, Some([])) => (0, u16::MAX),
        (Protocol::Icmp | Protocol::IcmpV6, Some([kind])) => (at(*kind, 0), at(*kind, u8::MAX)),
        (Protocol::Icmp | Protocol::IcmpV6, Some([kind, code])) => {
            (at(*kind, *code), at(*kind, *code))
        }
        (Protocol::Other, Some([])) => return None, // a name of a port
        _ => return Some(None),
    };
    Some(Some(match (protocol, first) {
        (Protocol::Other, 6) => (Protocol::Tcp, 1, u16::MAX),
        (Protocol::Other, 17) => (Protocol::Udp, 1, u16::MAX),
        (Protocol::Other, 132) => (Protocol::Sctp, 1, u16::MAX),
        (Protocol::Other, 1) => (Protocol::Icmp, 0, u16::MAX),
        (Protocol::Other, 58) => (Protocol::IcmpV6, 0, u16::MAX),
        _ => (protocol, first, last),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_numbers_are_read() {
        assert_eq!(
            parse("icmp/8"),
            Some(Some((Protocol::Icmp, 0x0800, 0x08ff)))
        );
        assert_eq!(
            parse("icmp/3/4"),
            Some(Some((Protocol::Icmp, 0x0304, 0x0304)))
        );
        assert_eq!(parse("icmpv6"), Some(Some((Protocol::IcmpV6, 0, u16::MAX))));
        assert_eq!(parse("proto/47"), Some(Some((Protocol::Other, 47, 47))));
        assert_eq!(parse("proto/6"), Some(Some((Protocol::Tcp, 1, u16::MAX))));
        assert_eq!(parse("icmp/256"), Some(None));
        assert_eq!(parse("http"), None);
    }
}
