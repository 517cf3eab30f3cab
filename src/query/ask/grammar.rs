//! The endpoint grammar, the same in every command, file and link.
//!
//! `endpoint := target [":" ports]`, where a target names workloads, a Service, addresses or a
//! well-known set. Parsing does not depend on a cluster: whether `a/b` exists is decided when the
//! endpoint is resolved. Cost: linear in the text.

use crate::model::{NamedBy, Selector, WorkloadKind};
use crate::potential::AskedPorts;
pub use crate::query::ask::parse_error::ParseError;
use crate::query::ask::parse_error::error;
use crate::query::ask::pasted;
pub use crate::query::ask::port_ask::PortAsk;
use crate::query::ask::port_ask::parse_ports;
pub use crate::query::ask::selector_text::parse_selector;
use crate::set::{Family, IpSet, Protocol, TrafficSet};
use ipnet::IpNet;
use std::net::IpAddr;
use std::str::FromStr;

/// The kind of object that a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A workload of this kind.
    Workload(WorkloadKind),
    /// A Service.
    Service,
}

/// Well-known sets of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keyword {
    /// Public addresses of both families.
    Internet,
    /// Public addresses of IPv4.
    Internet4,
    /// Public addresses of IPv6.
    Internet6,
    /// RFC 1918 and unique local addresses.
    Private,
    /// Every workload.
    Any,
    /// Every workload, and every kind of pod that is not in the input.
    AnyPod,
    /// The cloud's metadata service.
    Imds,
    /// The cluster's DNS pods.
    Dns,
    /// The API server.
    ApiServer,
    /// The nodes.
    Nodes,
}

impl Keyword {
    const TABLE: [(Self, &'static str); 10] = [
        (Self::Internet, "internet"),
        (Self::Internet4, "internet4"),
        (Self::Internet6, "internet6"),
        (Self::Private, "private"),
        (Self::Any, "any"),
        (Self::AnyPod, "any-pod"),
        (Self::Imds, "imds"),
        (Self::Dns, "dns"),
        (Self::ApiServer, "apiserver"),
        (Self::Nodes, "nodes"),
    ];

    /// The keyword as it is written.
    pub fn word(self) -> &'static str {
        Self::TABLE
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }
}

/// What an endpoint refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `[ns/][kind/]name`.
    Name {
        /// The namespace, if given.
        namespace: Option<Box<str>>,
        /// The kind, if given.
        kind: Option<ObjectKind>,
        /// The name.
        name: Box<str>,
    },
    /// `ns/NAME` or `NAME/*`: every workload of a namespace.
    Namespace(Box<str>),
    /// `*/name`: every workload of that name.
    Everywhere(Box<str>),
    /// `[ns]?selector`.
    Selected {
        /// The namespace, if given.
        namespace: Option<Box<str>>,
        /// The labels.
        selector: Selector,
    },
    /// An address or a CIDR block.
    Addresses(IpNet),
    /// A well-known set.
    Keyword(Keyword),
    /// `node/NAME`: a node of the cluster.
    Node(Box<str>),
    /// `netset/NAME`, `netset/NAMESPACE/NAME`, `hep/NAME`: addresses that an object names.
    Named {
        /// What names them.
        kind: NamedBy,
        /// The namespace, if given.
        namespace: Option<Box<str>>,
        /// The name.
        name: Box<str>,
    },
    /// `assumed/NAME`: the pods of a controller as its default install has them.
    Assumed(Box<str>),
}

/// One end of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSpec {
    /// What it refers to.
    pub target: Target,
    /// The ports; `None` for all ports.
    pub ports: Option<Vec<PortAsk>>,
    /// The text as it was written, for messages.
    pub text: Box<str>,
}

impl EndpointSpec {
    /// Whether it is the internet, of both families or of one.
    pub fn is_internet(&self) -> bool {
        let words = [Keyword::Internet, Keyword::Internet4, Keyword::Internet6];
        words
            .iter()
            .any(|word| self.target == Target::Keyword(*word))
    }

    /// The ports, as pods that are not loaded are asked about them.
    pub fn asked_ports(&self) -> AskedPorts {
        let Some(ports) = &self.ports else {
            return AskedPorts::Any;
        };
        let number = |port: &PortAsk| match port {
            PortAsk::Numbers(first, ..) => Some(*first),
            PortAsk::Name(..) | PortAsk::Messages(..) => None,
        };
        let numbers: Vec<u16> = ports.iter().filter_map(number).collect();
        match ports.first() {
            Some(PortAsk::Name(_, wanted)) if numbers.is_empty() => {
                AskedPorts::Named(wanted.unwrap_or(Protocol::Tcp))
            }
            _ => AskedPorts::Numbers(numbers),
        }
    }
}

/// A question: may the source reach the destination on these ports?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The source.
    pub source: EndpointSpec,
    /// The destination.
    pub destination: EndpointSpec,
}

impl FromStr for Question {
    type Err = ParseError;

    /// Parses `SRC reach DST`, `SRC to DST`, `SRC -> DST` or `SRC DST`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if let Some((source, destination)) = between(text) {
            return Self::of_ends(source, destination);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        Self::from_words(&words)
    }
}

impl Question {
    /// Parses a question from the words of a command line: the source, the destination, with or
    /// without `reach`, `to` or `->` between them. What follows the source may be a line that was
    /// pasted.
    ///
    /// # Errors
    /// When the words do not make up a question.
    pub fn from_words<S: AsRef<str>>(words: &[S]) -> Result<Self, ParseError> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let help = "ask for example: frontend reach database:5432";
        let (source, rest) = match words.as_slice() {
            [source, "reach" | "to" | "->", rest @ ..] | [source, rest @ ..] => (*source, rest),
            [] => return error("there is no question", help),
        };
        match rest {
            [] => match between(source) {
                Some((source, destination)) => Self::of_ends(source, destination),
                None => error(format!("`{source}` is not a question"), help),
            },
            ["reach" | "to" | "->"] => {
                error(format!("`{}` is not a question", words.join(" ")), help)
            }
            [destination] => Self::of_ends(source, destination),
            line => match Self::of_ends(source, &line.join(" ")) {
                Ok(question) => Ok(question),
                Err(e) if e.message.contains("more than one") => Err(e),
                Err(_) => error(format!("`{}` is not a question", words.join(" ")), help),
            },
        }
    }

    fn of_ends(source: &str, destination: &str) -> Result<Self, ParseError> {
        Ok(Self {
            source: source.parse()?,
            destination: destination.parse()?,
        })
    }
}

/// The two sides of `SRC -> DST`, `SRC->DST` or `SRC reach DST` in one word.
fn between(text: &str) -> Option<(&str, &str)> {
    let verbs = [" -> ", " reach ", " to ", "->"];
    let found = verbs.iter().find_map(|verb| text.split_once(verb));
    let (source, destination) = found?;
    let (source, destination) = (source.trim(), destination.trim());
    (!source.is_empty() && !destination.is_empty()).then_some((source, destination))
}

impl FromStr for EndpointSpec {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let plain = pasted::plain(text)?;
        let text = &*plain;
        let (target, ports) = split_ports(text)?;
        if target.is_empty() {
            return error(
                format!("`{text}` names nothing"),
                "write for example database:5432 or shop/frontend",
            );
        }
        let ports = ports.map(parse_ports).transpose()?.flatten();
        Ok(Self {
            target: parse_target(target)?,
            ports,
            text: text.into(),
        })
    }
}

impl EndpointSpec {
    /// The traffic of the ports, all of it where none is named; `None` if one of them is a name.
    pub fn numbered_ports(&self) -> Option<TrafficSet> {
        let Some(ports) = &self.ports else {
            return Some(TrafficSet::all());
        };
        ports
            .iter()
            .try_fold(TrafficSet::empty(), |set, port| match port {
                PortAsk::Numbers(first, last, protocol) => {
                    Some(set.union(&TrafficSet::ports(*protocol, *first, *last)))
                }
                PortAsk::Messages(protocol, first, last) => {
                    Some(set.union(&TrafficSet::messages(*protocol, *first, *last)))
                }
                PortAsk::Name(..) => None,
            })
    }

    /// The same end with these ports, which are written as those of an endpoint.
    ///
    /// # Errors
    /// When they are none, or the end names ports already.
    pub fn with_ports(self, ports: &str) -> Result<Self, ParseError> {
        if self.ports.is_some() {
            let message = format!("`{}` names ports already", self.text);
            return error(message, "leave out --port, or the ports of the end");
        }
        Ok(Self {
            ports: parse_ports(ports)?,
            ..self
        })
    }
}

/// Separates `target` and `ports`; the colons of an IPv6 address belong to the target.
fn split_ports(text: &str) -> Result<(&str, Option<&str>), ParseError> {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else {
            return error(
                format!("`{text}`: the bracket is never closed"),
                "write [2001:db8::1]:443",
            );
        };
        return Ok((address, after.strip_prefix(':')));
    }
    if text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok() {
        return Ok((text, None));
    }
    if text.matches(':').count() > 1 && !text.contains('?') {
        return error(
            format!("`{text}`: an IPv6 address with a port needs brackets"),
            "write [2001:db8::1]:443",
        );
    }
    Ok(text
        .rsplit_once(':')
        .map_or((text, None), |(target, ports)| (target, Some(ports))))
}

/// Whether a text is a Kubernetes name, or a placeholder for one in a template that is not filled
/// in.
fn is_object_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '$' | '{' | '}'))
}

fn parse_target(text: &str) -> Result<Target, ParseError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Target::Addresses(IpNet::from(address)));
    }
    if let Ok(net) = text.parse::<IpNet>() {
        return Ok(Target::Addresses(net.trunc()));
    }
    if let Some((_, keyword)) = Keyword::TABLE
        .iter()
        .map(|(k, w)| (w, *k))
        .find(|(w, _)| **w == text)
    {
        return Ok(Target::Keyword(keyword));
    }
    if let Some((namespace, selector)) = text.split_once('?') {
        let namespace = (!namespace.is_empty()).then(|| namespace.trim_end_matches('/').into());
        return Ok(Target::Selected {
            namespace,
            selector: parse_selector(selector)?,
        });
    }
    if let Some(address) = of_pod_record(text) {
        return Ok(Target::Addresses(IpNet::from(address)));
    }
    // a name that ends in a dot is complete, as the DNS says it
    let text = text.strip_suffix('.').unwrap_or(text);
    let parts: Vec<&str> = text.split('/').collect();
    let is_valid = parts.iter().all(|p| *p == "*" || is_object_name(p));
    if !is_valid {
        return error(
            format!("`{text}` is not an endpoint"),
            "write a name, ns/name, kind/name, ns/kind/name, an address or a CIDR block",
        );
    }
    parse_name(text, &parts)
}

/// The address in the DNS name of a pod: `10-244-0-5.shop.pod.cluster.local`.
fn of_pod_record(text: &str) -> Option<IpAddr> {
    let (address, rest) = text.split_once('.')?;
    let (_, kind) = rest.split_once('.')?;
    let is_pod = kind == "pod" || kind.starts_with("pod.");
    let dotted = address.replace('-', ".");
    let parsed = dotted
        .parse()
        .ok()
        .or_else(|| address.replace('-', ":").parse().ok());
    parsed.filter(|_| is_pod)
}

fn parse_name(text: &str, parts: &[&str]) -> Result<Target, ParseError> {
    let named = |namespace: Option<&str>, kind, name: &str| {
        Ok(Target::Name {
            namespace: namespace.map(Into::into),
            kind,
            name: name.into(),
        })
    };
    match parts {
        ["*"] => Ok(Target::Keyword(Keyword::Any)),
        [name] => named(None, None, name),
        ["*", "*"] => Ok(Target::Keyword(Keyword::Any)),
        ["*", name] => Ok(Target::Everywhere((*name).into())),
        ["node", name] => Ok(Target::Node((*name).into())),
        ["hep", name] => Ok(group(NamedBy::HostEndpoint, None, name)),
        ["netset", name] => Ok(group(NamedBy::NetworkSet, None, name)),
        ["netset", namespace, name] => Ok(group(NamedBy::NetworkSet, Some(namespace), name)),
        ["assumed", name] => Ok(Target::Assumed((*name).into())),
        ["ns" | "namespace", name] => Ok(Target::Namespace((*name).into())),
        [namespace, "*"] => Ok(Target::Namespace((*namespace).into())),
        [first, name] => match kind_word(first) {
            Some(kind) => named(None, Some(kind), name),
            None => named(Some(first), None, name),
        },
        [namespace, kind, name] if *name != "*" => match kind_word(kind) {
            Some(kind) => named(Some(namespace), Some(kind), name),
            // an object of another kind, or its name and the role of its pods
            None if *namespace != "*" && *kind != "*" => {
                named(Some(namespace), None, &format!("{kind}/{name}"))
            }
            None => error(
                format!("`{kind}` in `{text}` is not a kind"),
                "kinds are po, deploy, sts, ds, job, cj, rs, rc, dc, svc and their long names",
            ),
        },
        [namespace, kind, name, role] if !parts.contains(&"*") => {
            named(Some(namespace), None, &format!("{kind}/{name}/{role}"))
        }
        _ => error(
            format!("`{text}` is not an endpoint"),
            "write a name, ns/name, kind/name or ns/kind/name",
        ),
    }
}

fn group(kind: NamedBy, namespace: Option<&str>, name: &str) -> Target {
    Target::Named {
        kind,
        namespace: namespace.map(Into::into),
        name: name.into(),
    }
}

fn kind_word(word: &str) -> Option<ObjectKind> {
    match word.to_ascii_lowercase().as_str() {
        "svc" | "service" | "services" => Some(ObjectKind::Service),
        _ => WorkloadKind::from_word(word).map(ObjectKind::Workload),
    }
}

impl Keyword {
    /// The addresses of a keyword that stands for a fixed set of addresses.
    pub fn addresses(self) -> Option<IpSet> {
        match self {
            Self::Internet => Some(IpSet::internet()),
            Self::Internet4 => Some(IpSet::internet().only(Family::V4)),
            Self::Internet6 => Some(IpSet::internet().only(Family::V6)),
            Self::Private => Some(IpSet::private()),
            Self::Imds => {
                let known = [
                    IpAddr::from([169, 254, 169, 254]),
                    IpAddr::from([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]),
                ];
                Some(IpSet::from_cidrs(known.map(IpNet::from)))
            }
            Self::Any | Self::AnyPod | Self::Dns | Self::ApiServer | Self::Nodes => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse::<EndpointSpec>().unwrap().target
    }

    fn name(namespace: Option<&str>, kind: Option<ObjectKind>, name: &str) -> Target {
        Target::Name {
            namespace: namespace.map(Into::into),
            kind,
            name: name.into(),
        }
    }

    #[test]
    fn names_with_and_without_namespace_and_kind() {
        let deployment = Some(ObjectKind::Workload(WorkloadKind::Deployment));
        assert_eq!(target("frontend"), name(None, None, "frontend"));
        assert_eq!(
            target("shop/frontend:80"),
            name(Some("shop"), None, "frontend")
        );
        assert_eq!(
            target("deploy/frontend"),
            name(None, deployment, "frontend")
        );
        assert_eq!(
            target("shop/Deployment/frontend"),
            name(Some("shop"), deployment, "frontend")
        );
        assert_eq!(
            target("svc/db:5432"),
            name(None, Some(ObjectKind::Service), "db")
        );
        assert_eq!(target("ns/shop"), Target::Namespace("shop".into()));
        assert_eq!(target("shop/*"), Target::Namespace("shop".into()));
        assert_eq!(target("*/web"), Target::Everywhere("web".into()));
        assert_eq!(
            target("database.data.svc.cluster.local:5432"),
            name(None, None, "database.data.svc.cluster.local")
        );
    }

    #[test]
    fn addresses_and_their_ports() {
        for text in [
            "10.0.0.7",
            "203.0.113.0/24:443",
            "[2001:db8::1]:443",
            "2001:db8::1",
            "2001:db8::/32",
            "[2001:db8::1]",
        ] {
            assert!(matches!(target(text), Target::Addresses(_)), "{text}");
        }
        assert_eq!(
            "10.0.0.7:53/udp".parse::<EndpointSpec>().unwrap().ports,
            Some(vec![PortAsk::Numbers(53, 53, Protocol::Udp)])
        );
        assert!("2001:db8::1:443:x".parse::<EndpointSpec>().is_err());
    }

    #[test]
    fn ports_are_numbers_ranges_and_names() {
        let ports = |t: &str| t.parse::<EndpointSpec>().map(|e| e.ports);
        assert_eq!(ports("a:*").unwrap(), None);
        let two = vec![
            PortAsk::Numbers(80, 80, Protocol::Tcp),
            PortAsk::Numbers(8000, 8010, Protocol::Udp),
        ];
        assert_eq!(ports("a:80,8000-8010/udp").unwrap(), Some(two));
        assert_eq!(
            ports("a:http").unwrap(),
            Some(vec![PortAsk::Name("http".into(), None)])
        );
        for bad in [
            "a:0", "a:65536", "a:80/xyz", "a:9-8", "a:", ":80", "a:80,,90",
        ] {
            assert!(ports(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn selectors_as_kubectl_writes_them() {
        let parsed =
            parse_selector("app=web,tier in (api, worker),!old,x!=1,env notin (a),y").unwrap();
        assert_eq!(parsed.requirements().len(), 6);
        assert!(parse_selector("a b").is_err());
        assert!(matches!(
            target("shop?app=web,tier in (api,worker)"),
            Target::Selected {
                namespace: Some(_),
                ..
            }
        ));
    }

    #[test]
    fn questions_in_their_spellings() {
        for text in ["a reach b:80", "a to b:80", "a b:80", "a -> b:80"] {
            assert!(text.parse::<Question>().is_ok(), "{text}");
        }
        for text in ["a", "", "a reach", "a b c", "a reach b c"] {
            assert!(text.parse::<Question>().is_err(), "{text}");
        }
    }
}
