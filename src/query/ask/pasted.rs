//! What people paste in place of an endpoint: a URL, a command that calls one, a line of a log.
//!
//! [`plain`] gives the endpoint in the grammar's own words. A URL names host and port, or a scheme
//! whose port is known; what stands before `@` is a secret and is dropped, never printed. Of a
//! longer text the one host with a port in it is meant; where it names several, they are listed, so
//! that one of them can be asked about. Cost: linear in the text.

use crate::query::ask::connection;
use crate::query::ask::connection::{bare, host_and_port_apart, is_host, is_host_or_address};
use crate::query::ask::parse_error::ParseError;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// The ports of schemes, where a URL names none.
const SCHEMES: [(&str, &str); 27] = [
    ("http", "80"),
    ("ws", "80"),
    ("https", "443"),
    ("wss", "443"),
    ("postgres", "5432"),
    ("postgresql", "5432"),
    ("mysql", "3306"),
    ("mariadb", "3306"),
    ("sqlserver", "1433"),
    ("oracle", "1521"),
    ("mongodb", "27017"),
    ("redis", "6379"),
    ("rediss", "6379"),
    ("memcached", "11211"),
    ("amqp", "5672"),
    ("amqps", "5671"),
    ("kafka", "9092"),
    ("nats", "4222"),
    ("mqtt", "1883"),
    ("mqtts", "8883"),
    ("ldap", "389"),
    ("ldaps", "636"),
    ("ftp", "21"),
    ("ssh", "22"),
    ("sftp", "22"),
    ("smtp", "25"),
    ("dns", "53/udp"),
];

/// Commands whose arguments are a host and a port apart.
const APART: [&str; 4] = ["nc", "ncat", "netcat", "telnet"];

/// Commands whose last argument is a host, with a port or the one of their scheme.
const CALLERS: [(&str, &str); 4] = [
    ("curl", "80"),
    ("wget", "80"),
    ("http", "80"),
    ("https", "443"),
];

/// Commands that ask the DNS.
const LOOKUPS: [&str; 3] = ["nslookup", "dig", "host"];

/// Words of messages that say that a name was not resolved.
const FAILED_LOOKUPS: [&str; 4] = ["lookup", "enotfound", "eai_again", "getaddrinfo"];

/// The endpoint that is meant, in the words of the grammar; the text itself where it is one.
pub(crate) fn plain(text: &str) -> Result<Cow<'_, str>, ParseError> {
    let text = text.trim();
    let is_selector =
        |(before, after): (&str, &str)| !before.contains(char::is_whitespace) && !after.is_empty();
    if !text.contains("://") && text.split_once('?').is_some_and(is_selector) {
        return Ok(Cow::Borrowed(text));
    }
    if text.contains(char::is_whitespace) {
        return from_line(text).map(Cow::Owned);
    }
    let bare = text.trim_matches(['"', '\'', '`', '<', '>']);
    if bare.contains("://") {
        return from_url(bare).map(Cow::Owned);
    }
    if let Some(found) = connection::of_string(bare) {
        return match only(&found) {
            Some(one) => Ok(Cow::Owned(one)),
            None => Err(several(&found)),
        };
    }
    let bare = without_user(bare);
    Ok(service_record(bare).map_or(Cow::Borrowed(bare), Cow::Owned))
}

/// `user:password@host:port` without the user.
fn without_user(text: &str) -> &str {
    match text.rsplit_once('@') {
        Some((user, rest)) if user.contains(':') && rest.contains(':') => rest,
        _ => text,
    }
}

/// `_http._tcp.web.shop.svc` names a port of a Service.
fn service_record(text: &str) -> Option<String> {
    let (port, rest) = text.strip_prefix('_')?.split_once('.')?;
    let (protocol, name) = rest.strip_prefix('_')?.split_once('.')?;
    let name = name.split(':').next().unwrap_or(name);
    Some(format!("{name}:{port}/{protocol}"))
}

/// The host and the port of a URL.
fn from_url(text: &str) -> Result<String, ParseError> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let scheme = scheme.rsplit(':').next().unwrap_or(scheme); // jdbc:postgresql
    let scheme = scheme.to_ascii_lowercase();
    let scheme = scheme.split('+').next().unwrap_or(&scheme); // mongodb+srv
    let authority = rest
        .split(['/', '?', '#', ';', '\\'])
        .next()
        .unwrap_or(rest);
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    let port = SCHEMES.iter().find(|(name, _)| *name == scheme);
    let each: BTreeSet<String> = hosts
        .split(',')
        .filter(|host| !host.is_empty() && !host.starts_with(':'))
        .map(|host| endpoint(host, port.map(|(_, port)| *port), scheme == "udp"))
        .collect();
    match only(&each) {
        Some(one) => Ok(one),
        None if each.is_empty() => Err(ParseError {
            message: "this URL names no host".to_owned(),
            help: Some("write for example http://web.shop.svc:80 or web.shop.svc:80".to_owned()),
        }),
        None => Err(several(&each)),
    }
}

/// A host of a URL, with its port or the one of the scheme.
fn endpoint(host: &str, port: Option<&str>, udp: bool) -> String {
    let host = host.to_ascii_lowercase();
    let after_brackets = host.rsplit(']').next().unwrap_or(&host);
    let host = host.trim_end_matches(':');
    match (after_brackets.trim_end_matches(':').contains(':'), port) {
        (true, _) if udp => format!("{host}/udp"),
        (false, Some(port)) => format!("{host}:{port}"),
        _ => host.to_owned(),
    }
}

fn only(each: &BTreeSet<String>) -> Option<String> {
    (each.len() == 1).then(|| each.first().cloned()).flatten()
}

fn several(each: &BTreeSet<String>) -> ParseError {
    let list: Vec<&str> = each.iter().take(6).map(String::as_str).collect();
    ParseError {
        message: "this names more than one endpoint".to_owned(),
        help: Some(format!("ask about one of them: {}", list.join(", "))),
    }
}

/// The endpoint that a command line or a line of a log is about.
fn from_line(text: &str) -> Result<String, ParseError> {
    let raw: Vec<&str> = text.split_whitespace().collect();
    let words: Vec<&str> = raw.iter().copied().map(bare).collect();
    let urls: BTreeSet<String> = words
        .iter()
        .filter(|word| word.contains("://"))
        .filter_map(|word| from_url(after_assignment(word)).ok())
        .collect();
    if let Some(one) = only(&urls) {
        return Ok(one);
    }
    let is_udp = words.iter().any(|w| matches!(*w, "udp" | "lookup"));
    let mut found = urls;
    if found.is_empty() {
        found.extend(of_command(&words, &raw));
    }
    if found.is_empty() {
        found.extend(endpoints(&words, &raw));
    }
    if found.is_empty() {
        found.extend(host_and_port_apart(&words));
    }
    if found.is_empty() && words.iter().any(is_failed_lookup) {
        found.insert("dns".to_owned());
    }
    match only(&found) {
        Some(one) if is_udp && !one.contains('/') && one != "dns" => Ok(format!("{one}/udp")),
        Some(one) => Ok(one),
        None if found.is_empty() => Err(ParseError {
            message: "no host with a port is in this text".to_owned(),
            help: Some("ask for example: netpal can frontend reach database:5432".to_owned()),
        }),
        None => Err(several(&found)),
    }
}

/// Whether a word of a message says that a name was not resolved.
fn is_failed_lookup(word: &&str) -> bool {
    FAILED_LOOKUPS.contains(&&*word.to_ascii_lowercase())
}

/// The hosts with a port among some words; of those around an arrow the ones it points at.
fn endpoints(words: &[&str], raw: &[&str]) -> BTreeSet<String> {
    let found = |words: &[&str]| -> BTreeSet<String> {
        words
            .iter()
            .filter_map(|word| host_and_port(word))
            .collect()
    };
    let all = found(words);
    let arrow = raw.iter().position(|word| *word == "->");
    match arrow {
        Some(at) if all.len() > 1 => found(&words[at..]),
        _ => all,
    }
}

/// `url=http://web` and `--url=http://web` without the name.
fn after_assignment(word: &str) -> &str {
    match word.split_once('=') {
        Some((name, value)) if !name.contains("://") => value.trim_matches(['"', '\'']),
        _ => word,
    }
}

/// `host:port`, `host/10.0.0.1:port`, or the end of `10.0.0.1:4242->10.0.0.2:port`.
fn host_and_port(word: &str) -> Option<String> {
    let word = after_assignment(word);
    let word = word.rsplit_once("->").map_or(word, |(_, to)| to);
    let word = without_user(word).replace('`', "");
    if word.starts_with("ID:") {
        return None; // the number of an identity, as flow logs have it
    }
    let (host, port) = word.rsplit_once(':')?;
    let port = port.split('/').next().unwrap_or(port);
    port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let host = match host.split_once('/') {
        Some((name, address)) if address.parse::<IpAddr>().is_ok() && !name.is_empty() => name,
        Some(("", address)) => address,
        _ => host,
    };
    let is_address = host.parse::<Ipv4Addr>().is_ok()
        || host.strip_prefix('[').is_some_and(|h| h.ends_with(']'));
    (is_address || is_host(host)).then(|| format!("{}:{port}", host.to_ascii_lowercase()))
}

/// What a command line calls.
fn of_command(words: &[&str], raw: &[&str]) -> Option<String> {
    // `curl: (28) ...` is what a command said
    let at = (0..words.len()).find(|i| is_command(words, *i) && !raw[*i].ends_with(':'))?;
    let name = program(words[at]);
    let arguments: Vec<&str> = words[at + 1..]
        .iter()
        .copied()
        .filter(|word| !word.starts_with('-'))
        .collect();
    if LOOKUPS.contains(&name) {
        return Some("dns".to_owned());
    }
    let last = arguments.last()?;
    if APART.contains(&name) {
        let host = arguments.len().checked_sub(2).map(|i| arguments[i])?;
        let is_port = last.parse::<u16>().is_ok();
        let udp = words.iter().any(|w| is_flags(w, 'u'));
        let suffix = if udp { "/udp" } else { "" };
        return (is_port && is_host_or_address(host)).then(|| format!("{host}:{last}{suffix}"));
    }
    let port = CALLERS.iter().find(|(caller, _)| *caller == name)?.1;
    let host = last.split('/').next().unwrap_or(last);
    match host.split_once(':') {
        None if is_host_or_address(host) => Some(format!("{host}:{port}")),
        _ => host_and_port(host),
    }
}

/// Whether a word is the name of a command that is understood, where commands begin.
fn is_command(words: &[&str], at: usize) -> bool {
    let name = program(words[at]);
    let known = APART.contains(&name)
        || LOOKUPS.contains(&name)
        || CALLERS.iter().any(|(caller, _)| *caller == name);
    let before = at.checked_sub(1).map(|i| words[i]);
    known && before.is_none_or(|word| matches!(word, "$" | "#" | "--" | "&&" | "sudo" | "time"))
}

fn program(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_flags(word: &str, flag: char) -> bool {
    word.strip_prefix('-')
        .is_some_and(|rest| !rest.starts_with('-') && rest.contains(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        plain(text).map_or_else(|e| e.help.unwrap_or_default(), Cow::into_owned)
    }

    #[test]
    fn urls_name_host_and_port() {
        for (url, wanted) in [
            (
                "http://web.shop.svc:8080/v1/items?x=1#top",
                "web.shop.svc:8080",
            ),
            ("http://web", "web:80"),
            ("HTTPS://Web.Shop.svc/", "web.shop.svc:443"),
            (
                "postgres://me:pa:ss@w0rd@db:5433/shop?sslmode=off",
                "db:5433",
            ),
            ("jdbc:postgresql://db/shop", "db:5432"),
            ("redis://:secret@cache", "cache:6379"),
            ("http://[2001:db8::7]:8080/x", "[2001:db8::7]:8080"),
            ("http://[2001:db8::7]/x", "[2001:db8::7]:80"),
            ("udp://statsd:8125", "statsd:8125/udp"),
            ("tcp://10.0.0.9:9000", "10.0.0.9:9000"),
            ("mongodb+srv://db0.example.com/x", "db0.example.com:27017"),
            ("custom://thing", "thing"),
            ("\"http://web:80\"", "web:80"),
            ("me:secret@db:5432", "db:5432"),
            (
                "_http._tcp.web.shop.svc.cluster.local",
                "web.shop.svc.cluster.local:http/tcp",
            ),
        ] {
            assert_eq!(of(url), wanted, "{url}");
        }
        assert_eq!(
            of("mongodb://a:1,b:2/db"),
            "ask about one of them: a:1, b:2"
        );
        for nothing in ["file:///etc/hosts", "http://:80/", "unix:///run/x.sock"] {
            assert!(plain(nothing).is_err(), "{nothing}");
        }
    }

    #[test]
    fn lines_name_the_endpoint_they_are_about() {
        for (line, wanted) in [
            ("curl -sS -X POST http://api:3000/v1 -d {}", "api:3000"),
            ("curl -v api.shop.svc/healthz", "api.shop.svc:80"),
            ("curl api:8080", "api:8080"),
            ("wget -qO- http://api", "api:80"),
            ("nc -zv db 5432", "db:5432"),
            ("nc -zu dns-cache 53", "dns-cache:53/udp"),
            ("telnet 10.1.2.3 6379", "10.1.2.3:6379"),
            ("psql -h db.data.svc -p 5432 -U me", "db.data.svc:5432"),
            ("nslookup api.shop.svc", "dns"),
            (
                "Get \"http://api.shop.svc:80/v1\": context deadline exceeded",
                "api.shop.svc:80",
            ),
            ("dial tcp 10.96.4.4:5432: i/o timeout", "10.96.4.4:5432"),
            (
                "read tcp 10.1.0.4:40212->10.1.0.9:5432: connection reset",
                "10.1.0.9:5432",
            ),
            (
                "lookup db.shop.svc on 10.96.0.10:53: no such host",
                "10.96.0.10:53/udp",
            ),
            ("Error: connect ECONNREFUSED 10.1.0.9:6379", "10.1.0.9:6379"),
            (
                "java.net.ConnectException: db.shop.svc/10.1.0.9:5432 (Net.java:77)",
                "db.shop.svc:5432",
            ),
            (
                "HTTPConnectionPool(host='api', port=80): Max retries",
                "api:80",
            ),
            (
                "connection to server at \"db\" (10.1.0.9), port 5432 failed",
                "db:5432",
            ),
            ("12:30:07 main.go:88 cannot reach cache:6379", "cache:6379"),
        ] {
            assert_eq!(of(line), wanted, "{line}");
        }
        assert_eq!(
            of("either a:80 or b:80"),
            "ask about one of them: a:80, b:80"
        );
        assert!(plain("nothing to see here").is_err());
    }

    #[test]
    fn what_clients_say_and_are_configured_with_names_an_endpoint() {
        for (text, wanted) in [
            (
                "curl: (28) Failed to connect to cache.shop.svc port 6379 after 130 ms: Timed out",
                "cache.shop.svc:6379",
            ),
            (
                "curl: (7) Failed to connect to cache port 80: Connection refused",
                "cache:80",
            ),
            (
                "Is the server running on host \"db\" (10.1.0.9) and accepting TCP/IP connections on port 5432?",
                "db:5432",
            ),
            (
                "P1001: Can't reach database server at `db.shop.svc`:`5432`",
                "db.shop.svc:5432",
            ),
            (
                "SRC=10.1.0.4 DST=10.1.0.9 LEN=60 PROTO=TCP SPT=40212 DPT=5432",
                "10.1.0.9:5432",
            ),
            (
                "SRC=10.1.0.4 DST=10.1.0.9 PROTO=UDP SPT=40212 DPT=53",
                "10.1.0.9:53/udp",
            ),
            (
                "IP 10.1.0.4.40212 > 10.1.0.9.5432: Flags [S], seq 1",
                "10.1.0.9:5432",
            ),
            (
                "shop/web:40212 (ID:7001) -> shop/db:5432 (ID:7002) policy-verdict:none DENIED",
                "shop/db:5432",
            ),
            ("dial tcp: lookup db.shop.svc: i/o timeout", "dns"),
            ("Error: getaddrinfo ENOTFOUND db.shop.svc", "dns"),
            ("me:secret@tcp(db.shop.svc:3306)/orders", "db.shop.svc:3306"),
            ("jdbc:oracle:thin:@db:1521:ORCL", "db:1521"),
            ("jdbc:oracle:thin:@//db:1521/orders", "db:1521"),
            (
                "cache.shop:6379,password=secret,ssl=False",
                "cache.shop:6379",
            ),
            ("Server=db,1433;Database=x;Password=secret", "db:1433"),
            ("Host=db;Port=5432;Password=secret", "db:5432"),
            ("Server=tcp:db.shop.svc,1433;User=me", "db.shop.svc:1433"),
        ] {
            assert_eq!(of(text), wanted, "{text}");
        }
        assert_eq!(
            of("b0.kafka:9092,b1.kafka:9092"),
            "ask about one of them: b0.kafka:9092, b1.kafka:9092"
        );
        // the grammar's own
        for own in [
            "web:80,443",
            "db:proto/47",
            "shop/web",
            "app=web",
            "ns/shop",
        ] {
            assert_eq!(of(own), own, "{own}");
        }
    }
}
