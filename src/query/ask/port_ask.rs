//! [`PortAsk`]: a port as an endpoint names it; messages of ICMP and protocols by number stand in
//! its place.

use crate::query::ask::parse_error::{ParseError, error};
use crate::set::{Protocol, traffic};
use std::fmt;

/// A port as it is written in an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortAsk {
    /// A range of numbers, both ends included; TCP unless a protocol is given.
    Numbers(u16, u16, Protocol),
    /// The name of a port, with a protocol if given.
    Name(Box<str>, Option<Protocol>),
    /// Messages of ICMP, or protocols by their numbers: first to last.
    Messages(Protocol, u16, u16),
}

impl fmt::Display for PortAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers(a, b, p) if a == b => write!(f, "{a}/{p}"),
            Self::Numbers(a, b, p) => write!(f, "{a}-{b}/{p}"),
            Self::Name(name, Some(p)) => write!(f, "{name}/{p}"),
            Self::Name(name, None) => write!(f, "{name}"),
            Self::Messages(protocol, first, last) => {
                f.write_str(&traffic::messages(*protocol, *first, *last))
            }
        }
    }
}

pub fn parse_ports(text: &str) -> Result<Option<Vec<PortAsk>>, ParseError> {
    if text == "*" {
        return Ok(None);
    }
    text.split(',')
        .map(parse_port)
        .collect::<Result<Vec<_>, _>>()
        .map(Some)
}

/// Parses a port: a number, a range or a name, optionally with `/tcp`, `/udp` or `/sctp`.
///
/// # Errors
/// When the text is none of these.
pub fn parse_port(text: &str) -> Result<PortAsk, ParseError> {
    const HELP: &str = "a port is a number (5432), a range (8000-8010) or a name (http), with /tcp, /udp or /sctp if wanted; or icmp/8, icmpv6/128, proto/47";
    if let Some(messages) = messages(text) {
        let messages = messages.map(|(protocol, first, last)| {
            if protocol.has_ports() {
                PortAsk::Numbers(first, last, protocol)
            } else {
                PortAsk::Messages(protocol, first, last)
            }
        });
        return messages.map_or_else(
            || {
                error(
                    format!("`{text}`: types, codes and numbers of protocols end at 255"),
                    HELP,
                )
            },
            Ok,
        );
    }
    let (port, protocol) = match text.split_once('/') {
        Some((port, name)) => match Protocol::from_api(&name.to_ascii_uppercase()) {
            Some(protocol) => (port, Some(protocol)),
            None => {
                return error(
                    format!("`{name}` is not a protocol; if it is a path, leave it out"),
                    HELP,
                );
            }
        },
        None => (text, None),
    };
    let number = |s: &str| s.parse::<u16>().ok().filter(|n| *n > 0);
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let tcp = protocol.unwrap_or(Protocol::Tcp);
    match port.split_once('-') {
        Some((a, b)) if digits(a) && digits(b) => match (number(a), number(b)) {
            (Some(a), Some(b)) if a <= b => Ok(PortAsk::Numbers(a, b, tcp)),
            _ => error(
                format!("`{port}` is not a range of ports between 1 and 65535"),
                HELP,
            ),
        },
        _ if digits(port) => match number(port) {
            Some(n) => Ok(PortAsk::Numbers(n, n, tcp)),
            None => error(format!("`{port}` is not a port between 1 and 65535"), HELP),
        },
        _ if is_name(port) => Ok(PortAsk::Name(port.into(), protocol)),
        _ => error(format!("`{text}` is not a port"), HELP),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// A protocol, and the first and the last of its messages, numbers or ports.
type Messages = (Protocol, u16, u16);

/// `icmp[/type[/code]]`, `icmpv6[/type[/code]]` or `proto/NUM`; `None` if a text is none of these,
/// `Some(None)` if a number in it is none.
#[allow(clippy::option_option)] // two questions: whether, and which
fn messages(text: &str) -> Option<Option<Messages>> {
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
            messages("icmp/8"),
            Some(Some((Protocol::Icmp, 0x0800, 0x08ff)))
        );
        assert_eq!(
            messages("icmp/3/4"),
            Some(Some((Protocol::Icmp, 0x0304, 0x0304)))
        );
        assert_eq!(
            messages("icmpv6"),
            Some(Some((Protocol::IcmpV6, 0, u16::MAX)))
        );
        assert_eq!(messages("proto/47"), Some(Some((Protocol::Other, 47, 47))));
        assert_eq!(
            messages("proto/6"),
            Some(Some((Protocol::Tcp, 1, u16::MAX)))
        );
        assert_eq!(messages("icmp/256"), Some(None));
        assert_eq!(messages("http"), None);
    }
}
