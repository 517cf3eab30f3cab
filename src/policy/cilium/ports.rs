//! Ports, messages of ICMP and what makes a rule conditional (CI100-CI127).

use crate::policy::cilium::written::{
    AuthenticationForm, HttpForm, IcmpForm, NameForm, PortForm, PortsForm, RequestForms,
};
use crate::policy::rule::{PortMatch, Qualifier};
use crate::set::{Protocol, TrafficSet};

/// A port as it is written (CI100, CI102).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenPort {
    /// A name, in lower case (CI110).
    Name(Box<str>),
    /// A number; 0 for every port.
    Number(u16),
}

impl WrittenPort {
    /// A name where it may be one, else a number as literals of C are: `010` is 8.
    pub fn parse(text: &str) -> Option<Self> {
        if is_service_name(text) {
            return Some(Self::Name(text.to_ascii_lowercase().into()));
        }
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return None;
        }
        let number = match text.strip_prefix('0') {
            Some(octal) if !octal.is_empty() => u16::from_str_radix(octal, 8),
            _ => text.parse(),
        };
        number.ok().map(Self::Number)
    }
}

/// Whether a text is a name of IANA's registry of services, as far as its form goes.
fn is_service_name(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What a protocol's word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenProtocol {
    /// TCP, UDP and SCTP (CI101).
    Any,
    /// One with ports.
    Transport(Protocol),
    /// One without ports.
    Portless,
}

/// Protocols that need an option of the agent (CI108).
pub const EXTENDED: [&str; 7] = ["VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH"];

impl WrittenProtocol {
    /// Reads a word of the API.
    pub fn parse(word: Option<&str>) -> Option<Self> {
        match word {
            None | Some("" | "ANY") => Some(Self::Any),
            Some("ICMP" | "ICMPv6") => Some(Self::Portless),
            Some(word) if EXTENDED.contains(&word) => Some(Self::Portless),
            Some(word) => Protocol::from_api(word).map(Self::Transport),
        }
    }

    fn traffic(self, first: u16, last: u16) -> TrafficSet {
        let of = |protocol| TrafficSet::ports(protocol, first, last);
        match self {
            Self::Any => {
                let each = Protocol::ALL.into_iter().map(of);
                each.fold(TrafficSet::empty(), |all, one| all.union(&one))
            }
            Self::Transport(protocol) => of(protocol),
            Self::Portless => TrafficSet::empty(),
        }
    }

    fn named(self) -> Option<Protocol> {
        match self {
            Self::Transport(protocol) => Some(protocol),
            Self::Any | Self::Portless => None,
        }
    }
}

/// One entry of `ports`.
pub fn port(form: &PortForm) -> PortMatch {
    let protocol = WrittenProtocol::parse(form.protocol.as_deref()).unwrap_or(WrittenProtocol::Any);
    if protocol == WrittenProtocol::Portless {
        return PortMatch::Portless(form.protocol.as_deref().unwrap_or_default().into());
    }
    match WrittenPort::parse(form.port.as_deref().unwrap_or("0")) {
        Some(WrittenPort::Name(name)) => PortMatch::Named(name, protocol.named()),
        Some(WrittenPort::Number(0)) | None => PortMatch::Traffic(protocol.traffic(1, u16::MAX)),
        Some(WrittenPort::Number(first)) => {
            let end = form.end_port.and_then(|end| u16::try_from(end).ok());
            let last = end.map_or(first, |end| end.max(first)); // CI103
            PortMatch::Traffic(protocol.traffic(first, last))
        }
    }
}

/// The ports that a name with an `endPort` may also stand for: the documentation says none, the
/// engine makes a range from the number (CI103).
pub fn perhaps(form: &PortForm) -> Option<PortMatch> {
    let end = form.end_port.and_then(|end| u16::try_from(end).ok())?;
    let port = WrittenPort::parse(form.port.as_deref()?)?;
    let protocol = WrittenProtocol::parse(form.protocol.as_deref())?;
    matches!(port, WrittenPort::Name(_)).then(|| PortMatch::Traffic(protocol.traffic(1, end)))
}

/// One field of `icmps` (CI107).
pub fn icmp(form: &IcmpForm) -> PortMatch {
    PortMatch::Traffic(match icmp_type(form) {
        Some((true, kind)) => TrafficSet::icmp(Protocol::IcmpV6, kind, None),
        Some((false, kind)) => TrafficSet::icmp(Protocol::Icmp, kind, None),
        None => TrafficSet::empty(),
    })
}

/// What traffic on an entry's ports also depends on (CI120-CI126).
pub fn conditions(form: &PortsForm) -> Vec<Qualifier> {
    let requests = form.rules.as_ref().map(requests).unwrap_or_default();
    let mut all: Vec<Qualifier> = Vec::new();
    if !requests.is_empty() {
        all.push(Qualifier::Application(requests.join(" or ").into()));
    }
    let names = form.server_names.iter().flatten();
    let names: Vec<&str> = names.map(String::as_str).collect();
    if !names.is_empty() {
        let names = names.join(" or ");
        all.push(Qualifier::Handshake(format!("TLS to {names}").into()));
    }
    if form.terminating_tls.is_some() || form.originating_tls.is_some() {
        let words = "TLS that Cilium's proxy ends and begins";
        all.push(Qualifier::Handshake(words.into()));
    }
    if form.listener.is_some() {
        let words = "what an Envoy listener lets through";
        all.push(Qualifier::Application(words.into()));
    }
    all
}

/// What requests are let through, in words.
fn requests(forms: &RequestForms) -> Vec<String> {
    let http = forms.http.iter().flatten().map(http);
    let dns = forms.dns.iter().flatten();
    let dns = dns.map(|name| format!("DNS query for {}", name_words(name)));
    let kafka = forms.kafka.iter().flatten();
    let kafka = kafka.map(|_| "Kafka request".to_owned());
    let parsed = forms.l7.iter().flatten();
    let protocol = forms.l7proto.as_deref().unwrap_or("proxied");
    let parsed = parsed.map(|_| format!("{protocol} request"));
    http.chain(dns).chain(kafka).chain(parsed).collect()
}

fn http(form: &HttpForm) -> String {
    let method = form.method.as_deref().filter(|m| !m.is_empty());
    let path = form.path.as_deref().filter(|p| !p.is_empty());
    let mut words = format!("HTTP {}", method.unwrap_or("request"));
    if let Some(path) = path {
        words = format!("{words} {path}");
    }
    if let Some(host) = form.host.as_deref().filter(|h| !h.is_empty()) {
        words = format!("{words} to host {host}");
    }
    let headers = form.headers.as_ref().map_or(0, Vec::len);
    let matches = form.header_matches.as_ref().map_or(0, Vec::len);
    if headers + matches > 0 {
        words.push_str(" with the headers it names");
    }
    words
}

/// A name of the DNS, or a pattern of names.
pub fn name_words(form: &NameForm) -> &str {
    let name = form.match_name.as_deref().filter(|name| !name.is_empty());
    name.or(form.match_pattern.as_deref()).unwrap_or_default()
}

/// What is asked of the other side's identity (CI127).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// Nothing.
    None,
    /// Mutual authentication.
    Required,
    /// One that never succeeds.
    Impossible,
}

impl Authentication {
    /// Reads a mode.
    pub fn of(form: Option<&AuthenticationForm>) -> Self {
        match form.and_then(|form| form.mode.as_deref()) {
            Some("required") => Self::Required,
            Some("test-always-fail") => Self::Impossible,
            _ => Self::None,
        }
    }
}

/// The names of messages of IPv4 (CI107).
const ICMP_V4: &[(&str, u8)] = &[
    ("EchoReply", 0),
    ("DestinationUnreachable", 3),
    ("Redirect", 5),
    ("Echo", 8),
    ("EchoRequest", 8),
    ("RouterAdvertisement", 9),
    ("RouterSelection", 10),
    ("TimeExceeded", 11),
    ("ParameterProblem", 12),
    ("Timestamp", 13),
    ("TimestampReply", 14),
    ("Photuris", 40),
    ("ExtendedEchoRequest", 42),
    ("ExtendedEchoReply", 43),
];

/// The names of messages of IPv6 (CI107).
const ICMP_V6: &[(&str, u8)] = &[
    ("DestinationUnreachable", 1),
    ("PacketTooBig", 2),
    ("TimeExceeded", 3),
    ("ParameterProblem", 4),
    ("EchoRequest", 128),
    ("EchoReply", 129),
    ("MulticastListenerQuery", 130),
    ("MulticastListenerReport", 131),
    ("MulticastListenerDone", 132),
    ("RouterSolicitation", 133),
    ("RouterAdvertisement", 134),
    ("NeighborSolicitation", 135),
    ("NeighborAdvertisement", 136),
    ("RedirectMessage", 137),
    ("RouterRenumbering", 138),
    ("ICMPNodeInformationQuery", 139),
    ("ICMPNodeInformationResponse", 140),
    ("InverseNeighborDiscoverySolicitation", 141),
    ("InverseNeighborDiscoveryAdvertisement", 142),
    ("HomeAgentAddressDiscoveryRequest", 144),
    ("HomeAgentAddressDiscoveryReply", 145),
    ("MobilePrefixSolicitation", 146),
    ("MobilePrefixAdvertisement", 147),
    ("DuplicateAddressRequestCodeSuffix", 157),
    ("DuplicateAddressConfirmationCodeSuffix", 158),
    ("ExtendedEchoRequest", 160),
    ("ExtendedEchoReply", 161),
];

/// The number of a type of messages, and whether it is of IPv6.
pub fn icmp_type(form: &IcmpForm) -> Option<(bool, u8)> {
    let six = form.family.as_deref() == Some("IPv6");
    let names = if six { ICMP_V6 } else { ICMP_V4 };
    let number = match form.kind.as_ref()? {
        serde_json::Value::Number(number) => u8::try_from(number.as_u64()?).ok()?,
        serde_json::Value::String(word) => {
            let named = names.iter().find(|(name, _)| name == word);
            named
                .map(|(_, number)| *number)
                .or_else(|| word.parse().ok())?
        }
        _ => return None,
    };
    Some((six, number))
}
