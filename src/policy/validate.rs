//! What the API server checks of the parts that every dialect shares: names, labels, selectors,
//! ports, CIDRs (S7-S9).
//!
//! A check adds to a list of [`Invalid`] and goes on, so that everything wrong with an object is
//! reported at once.

use crate::model::{Requirement, Selector};
use crate::policy::lowered::{Checks, Header};
use crate::source::Path;
use crate::tree::{Problem, ProblemKind, SyntaxNode, decode};
use ipnet::IpNet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::de::DeserializeOwned;
use std::net::IpAddr;

/// Checks an object's own name, and its namespace where it has one (S9).
pub fn check_metadata(header: &Header<'_>, namespaced: bool, checks: &mut Checks) {
    let at = Path::root().key("metadata");
    if header.name.is_empty() {
        checks.invalid(&at.key("name"), "a policy needs a name");
    } else if !is_dns_subdomain(header.name) {
        let help =
            "use lower case letters, digits, `-` and `.`, with a letter or digit at both ends";
        checks.refused(
            &at.key("name"),
            format!("`{}` is not a valid name; {help}", header.name),
        );
    }
    if namespaced
        && !is_dns_label(header.namespace)
        && !crate::tree::Sniffed::is_placeholder(header.namespace)
    {
        checks.refused(
            &at.key("namespace"),
            format!("`{}` is not a valid namespace", header.namespace),
        );
    }
}

/// Decodes an object of a dialect: what could be read, and the problems that count.
pub fn decoded<T: DeserializeOwned>(node: &SyntaxNode) -> (Option<T>, Vec<Problem>) {
    let decoded = decode::<T>(node);
    let problems = decoded.problems.into_iter();
    let problems = problems.filter(|p| !is_tolerated(p));
    (decoded.value, problems.collect())
}

/// Whether an unknown field is one that clusters themselves print or once did: harmless, and said
/// by no author.
fn is_tolerated(problem: &Problem) -> bool {
    let path = problem.path.as_ref().map(ToString::to_string);
    problem.kind == ProblemKind::UnknownField
        && path.is_some_and(|p| {
            p == "status" || p == "metadata.clusterName" || p.starts_with("metadata.managedFields")
        })
}

fn is_label_like(text: &str, max: usize) -> bool {
    let inner = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= max && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
}

/// Whether a text is a DNS-1123 label: a namespace's name.
pub fn is_dns_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether a text is a DNS-1123 subdomain: most objects' names.
pub fn is_dns_subdomain(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let part =
        |p: &str| !p.is_empty() && p.chars().all(inner) && !p.starts_with('-') && !p.ends_with('-');
    text.len() <= 253 && !text.is_empty() && text.split('.').all(part)
}

/// Whether a text is a domain name of at least two labels, with or without a leading `*.`.
pub fn is_domain(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let rest = rest.strip_suffix('.').unwrap_or(rest);
    rest.split('.').count() >= 2 && rest.split('.').all(is_domain_label)
}

fn is_domain_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=63).contains(&label.len())
        && label.chars().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether a text is a qualified name: `[prefix/]name`.
pub fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_label_like(name, 63),
        None => is_label_like(text, 63),
    }
}

/// Whether a text may be a label's value.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_label_like(text, 63)
}

/// Whether a text is an IANA service name, as port names must be (S7).
pub fn is_port_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=15).contains(&text.len())
        && text.chars().all(inner)
        && text.chars().any(|c| c.is_ascii_lowercase())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// Reads a CIDR as the API server does: host bits and leading zeros are tolerated (S8, S38).
pub fn parse_cidr(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let plain = |s: &str| !s.is_empty() && s.len() <= 3 && s.bytes().all(|b| b.is_ascii_digit());
    if !plain(length) {
        return None;
    }
    let sloppy = if address.contains(':') {
        address.to_owned()
    } else {
        address
            .split('.')
            .map(without_leading_zeros)
            .collect::<Vec<_>>()
            .join(".")
    };
    let prefix: u8 = length.parse().ok()?;
    IpNet::new(sloppy.parse().ok()?, prefix)
        .ok()
        .map(|net| net.trunc())
}

/// Why the API server refuses an address block since 1.36 (`StrictIPCIDRValidation`): leading
/// zeros, an IPv4 address in IPv6 form, or bits of a host.
pub fn cidr_complaint(text: &str) -> Option<String> {
    if let Some(complaint) = address_complaint(text) {
        return Some(complaint);
    }
    let (address, _) = text.split_once('/')?;
    let (address, net): (IpAddr, _) = (address.parse().ok()?, parse_cidr(text)?);
    (address != net.network()).then(|| format!("`{text}` has host bits; write {net}"))
}

/// Why a block is refused by validation that takes host bits: leading zeros, or an IPv4 address in
/// IPv6 form.
pub fn address_complaint(text: &str) -> Option<String> {
    let net = parse_cidr(text)?;
    if matches!(net, IpNet::V6(net) if net.addr().to_ipv4_mapped().is_some()) {
        return Some(format!(
            "`{text}` is an IPv4 block in IPv6 form; write it as IPv4"
        ));
    }
    let (address, length) = text.split_once('/')?;
    (has_padding(address) || is_padded(length))
        .then(|| format!("`{text}` has leading zeros; write {net}"))
}

/// Whether a number of an IPv4 address has leading zeros.
fn has_padding(address: &str) -> bool {
    !address.contains(':') && address.split('.').any(is_padded)
}

fn is_padded(number: &str) -> bool {
    number.len() > 1 && number.starts_with('0')
}

/// Reads a block as Go's parsers do, which refuse leading zeros in IPv4: one of a dialect whose
/// objects the API server does not look into.
pub fn parse_block(text: &str) -> Option<IpNet> {
    let (address, _) = text.split_once('/')?;
    text.parse::<IpNet>().ok().filter(|_| !has_padding(address))
}

/// The same without the bits behind the length, or an address alone.
pub fn parse_block_or_address(text: &str) -> Option<IpNet> {
    let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
    parse_block(text).map(|net| net.trunc()).or_else(alone)
}

fn without_leading_zeros(digits: &str) -> &str {
    match digits.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    }
}

/// Lowers a label selector, checking it as the API server does (S9, S20-S25).
pub fn selector(selector: &LabelSelector, path: &Path, checks: &mut Checks) -> Selector {
    let mut requirements = Vec::new();
    let at = path.key("matchLabels");
    for (key, value) in selector.match_labels.iter().flatten() {
        let here = at.key(key);
        check_key(key, &at, checks);
        if !is_label_value(value) {
            checks.refused(&here, format!("`{value}` is not a valid label value"));
        }
        requirements.push(Requirement::In(
            key.as_str().into(),
            vec![value.as_str().into()],
        ));
    }
    for (i, expression) in selector.match_expressions.iter().flatten().enumerate() {
        let here = path.key("matchExpressions").index(i);
        check_key(&expression.key, &here.key("key"), checks);
        let values: Vec<Box<str>> = expression
            .values
            .iter()
            .flatten()
            .map(|v| v.as_str().into())
            .collect();
        requirements.extend(requirement(
            &expression.key,
            &expression.operator,
            values,
            &here,
            checks,
        ));
    }
    Selector::new(requirements)
}

fn check_key(key: &str, path: &Path, checks: &mut Checks) {
    if !is_qualified_name(key) {
        checks.refused(path, format!("`{key}` is not a valid label key"));
    }
}

fn requirement(
    key: &str,
    operator: &str,
    values: Vec<Box<str>>,
    path: &Path,
    checks: &mut Checks,
) -> Option<Requirement> {
    let key: Box<str> = key.into();
    for (i, value) in values
        .iter()
        .enumerate()
        .filter(|(_, v)| !is_label_value(v))
    {
        checks.refused(
            &path.key("values").index(i),
            format!("`{value}` is not a valid label value"),
        );
    }
    let at = path.key("values");
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            checks.invalid(
                &at,
                format!("operator `{operator}` needs at least one value"),
            );
            None
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            checks.invalid(&at, format!("operator `{operator}` takes no values"));
            None
        }
        "In" => Some(Requirement::In(key, values)),
        "NotIn" => Some(Requirement::NotIn(key, values)),
        "Exists" => Some(Requirement::Exists(key)),
        "DoesNotExist" => Some(Requirement::DoesNotExist(key)),
        other => {
            let message = format!("`{other}` is not a selector operator");
            checks.invalid_help(
                &path.key("operator"),
                message,
                "use In, NotIn, Exists or DoesNotExist",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_port_names_are_iana_service_names() {
        for good in ["http", "a", "web-2", "fifteen-letters"] {
            assert!(is_port_name(good), "{good}");
        }
        for bad in [
            "80",
            "5432",
            "",
            "Http",
            "-a",
            "a-",
            "a--b",
            "sixteen-letters-",
        ] {
            assert!(!is_port_name(bad), "{bad}");
        }
    }

    #[test]
    fn s38_cidrs_are_read_sloppily() {
        assert_eq!(parse_cidr("10.1.2.3/8"), parse_cidr("10.0.0.0/8"));
        assert_eq!(parse_cidr("010.000.0.0/8"), parse_cidr("10.0.0.0/8"));
        for bad in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "fd00::/129",
            "10.0.0.0/-1",
            "/8",
            "",
            "10.0.0.0/+8",
        ] {
            assert_eq!(parse_cidr(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_and_labels() {
        assert!(
            is_dns_subdomain("a.b-c") && !is_dns_subdomain("Deny_All") && !is_dns_subdomain("a..b")
        );
        assert!(
            is_qualified_name("app.kubernetes.io/name")
                && !is_qualified_name("a/b/c")
                && !is_qualified_name("")
        );
        assert!(
            is_label_value("")
                && is_label_value("a_b.C")
                && !is_label_value("-a")
                && !is_label_value("a b")
        );
    }
}
