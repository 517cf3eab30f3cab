//! Host and port where they stand apart: in messages of clients, logged packets and connection
//! strings that are no URLs.
//!
//! Cost: linear in the text.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// Endings of names of source files, which logs write with a line number.
const SOURCES: [&str; 14] = [
    ".go", ".py", ".js", ".ts", ".java", ".kt", ".scala", ".rb", ".rs", ".c", ".cc", ".cpp", ".cs",
    ".php",
];

/// The value of the first of these names that has one that fits: `name value` or `name=value`.
fn after<'w>(words: &[&'w str], names: &[&str], fits: fn(&str) -> bool) -> Option<&'w str> {
    words.iter().enumerate().find_map(|(i, word)| {
        let assigned = word.split_once('=');
        let name = assigned.map_or(*word, |(name, _)| name);
        let name = name.rsplit('(').next().unwrap_or(name);
        let value = assigned.map_or_else(|| words.get(i + 1).copied(), |(_, v)| Some(v))?;
        let value = bare(value);
        (names.contains(&name) && fits(value)).then_some(value)
    })
}

/// `host "db" ..., port 5432`, `host='db', port=5432`, `-h db -p 5432`.
pub(super) fn host_and_port_apart(words: &[&str]) -> Option<String> {
    let options = || {
        let port = after(words, &["port", "-p", "-P", "--port"], is_port)?;
        let host = after(words, &["host", "at", "-h", "--host"], is_host_or_address)?;
        Some(joined(host, port))
    };
    packet(words)
        .or_else(options)
        .or_else(|| host_before_port(words))
}

fn is_port(word: &str) -> bool {
    word.parse::<u16>().is_ok_and(|port| port > 0)
}

fn joined(host: &str, port: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => format!("[{host}]:{port}"),
        _ => format!("{}:{port}", host.to_ascii_lowercase()),
    }
}

/// `connect to db port 5432`.
fn host_before_port(words: &[&str]) -> Option<String> {
    let mut triples = words.windows(3);
    let found = triples.find(|triple| {
        triple[1] == "port" && is_port(triple[2]) && is_host_or_address(triple[0])
    })?;
    Some(joined(found[0], found[2]))
}

/// A packet as firewalls log it, `DST=10.1.0.9 PROTO=TCP DPT=5432`, or as it was captured,
/// `10.1.0.4.40212 > 10.1.0.9.5432`.
fn packet(words: &[&str]) -> Option<String> {
    let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    if let (Some(host), Some(port)) = (value("DST="), value("DPT=")) {
        let udp = value("PROTO=") == Some("UDP");
        let suffix = if udp { "/udp" } else { "" };
        return (is_host_or_address(host) && is_port(port))
            .then(|| format!("{}{suffix}", joined(host, port)));
    }
    // the arrow is a bracket, which is no part of a word
    let captured = |word: &&str| {
        let (host, port) = word.rsplit_once('.')?;
        (host.parse::<Ipv4Addr>().is_ok() && is_port(port)).then(|| joined(host, port))
    };
    words.iter().filter_map(captured).nth(1)
}

/// The endpoints of a connection string that is no URL; `None` where a text is none. What it says
/// besides, a password among it, is dropped.
pub(super) fn of_string(text: &str) -> Option<BTreeSet<String>> {
    if let Some((_, rest)) = text.split_once("@tcp(") {
        return Some(BTreeSet::from([rest.split(')').next()?.to_owned()]));
    }
    if let Some(rest) = text.strip_prefix("jdbc:") {
        let (_, host) = rest.rsplit_once('@')?;
        let mut parts = host.trim_start_matches('/').split([':', '/']);
        let (host, port) = (parts.next()?, parts.next().filter(|port| is_port(port))?);
        return Some(BTreeSet::from([joined(host, port)]));
    }
    if text.contains(';') && text.contains('=') {
        return Some(BTreeSet::from([of_settings(text)?]));
    }
    let (hosts, settings): (Vec<&str>, Vec<&str>) =
        text.split(',').partition(|part| !part.contains('='));
    let is_endpoint = |part: &&str| {
        part.rsplit_once(':')
            .is_some_and(|(h, p)| is_host_or_address(h) && is_port(p))
    };
    let is_list = hosts.len() > 1 || (!hosts.is_empty() && !settings.is_empty());
    (is_list && hosts.iter().all(is_endpoint))
        .then(|| hosts.into_iter().map(str::to_ascii_lowercase).collect())
}

/// `Server=db,1433;Database=orders` and `Host=db;Port=5432`.
fn of_settings(text: &str) -> Option<String> {
    let settings = text.split(';').filter_map(|part| part.split_once('='));
    let lower = |(name, value): (&str, _)| (name.trim().to_ascii_lowercase(), value);
    let settings: Vec<(String, &str)> = settings.map(lower).collect();
    let value = |names: &[&str]| {
        let mut settings = settings.iter();
        let found = settings.find(|(name, _)| names.contains(&&**name))?;
        Some(found.1.trim())
    };
    let host = value(&["server", "host", "data source", "address", "addr"])?;
    let host = host.strip_prefix("tcp:").unwrap_or(host);
    let (host, own) = match host.split_once([',', ':']) {
        Some((host, port)) => (host, Some(port)),
        None => (host, None),
    };
    let port = own
        .or_else(|| value(&["port"]))
        .filter(|port| is_port(port));
    is_host_or_address(host).then(|| match port {
        Some(port) => joined(host, port),
        None => host.to_ascii_lowercase(),
    })
}

/// A word of a sentence without what is around it.
pub(super) fn bare(word: &str) -> &str {
    let around = ['"', '\'', '`', '(', ')', ',', ';', '<', '>', '{', '}'];
    word.trim_matches(around)
        .trim_end_matches([':', '.', ',', '?'])
        .trim_matches(around)
}

/// Whether a word may be the name of a host: not a number, not a file.
pub(super) fn is_host(word: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/');
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.chars().all(is_name)
        && word.contains(|c: char| c.is_ascii_alphabetic())
        && !SOURCES.iter().any(|ending| word.ends_with(ending))
}

pub(super) fn is_host_or_address(word: &str) -> bool {
    is_host(word) || word.parse::<IpAddr>().is_ok()
}

/// A text that was pasted, without what stands before `@` in a URL and without the values of
/// settings that hold secrets, so that it may be shown.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let mut shown = String::new();
    for part in text.split_inclusive([',', ';', ' ']) {
        let end = part.trim_end_matches([',', ';', ' ']).len();
        let (setting, separator) = part.split_at(end);
        shown.push_str(&without_secret(setting));
        shown.push_str(separator);
    }
    shown
}

/// Names of settings that hold secrets, in part.
const SECRETS: [&str; 4] = ["password", "pwd", "secret", "token"];

fn without_secret(setting: &str) -> String {
    let (scheme, rest) = match setting.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), setting),
    };
    if let Some((user, host)) = rest.rsplit_once('@')
        && (!scheme.is_empty() || user.contains(':'))
    {
        return format!("{scheme}{host}");
    }
    match setting.split_once('=') {
        Some((name, _))
            if SECRETS
                .iter()
                .any(|s| name.to_ascii_lowercase().contains(s)) =>
        {
            format!("{name}=...")
        }
        _ => setting.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (text, shown) in [
            ("redis://:hidden@cache:6379/0", "redis://cache:6379/0"),
            ("me:hidden@db:5432", "db:5432"),
            (
                "cache:6379,password=hidden,ssl=False",
                "cache:6379,password=...,ssl=False",
            ),
            (
                "Server=db,1433;Pwd=hidden;x=1",
                "Server=db,1433;Pwd=...;x=1",
            ),
            ("web@10.0.0.1", "web@10.0.0.1"),
            ("psql password=hidden host=db", "psql password=... host=db"),
            ("shop/web:80", "shop/web:80"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }
}
