//! What Cilium refuses (CI200-CI230).
//!
//! There are two who refuse. The API server does so by the schema of the kind; such an object is
//! treated as every other that the API server would not take. The agent checks again, and what it
//! refuses stays in the cluster and is enforced nowhere: one bad Rule voids the whole object (CI8).

use crate::policy::cilium::ports::{EXTENDED, WrittenPort, WrittenProtocol};
use crate::policy::cilium::refusals::Refusals;
use crate::policy::cilium::written::{
    CidrForm, CiliumEntry, EntryFields, IcmpForm, LISTS, NameForm, PortForm, PortsForm,
    RequestForms,
};
use crate::policy::validate::parse_block_or_address;
use crate::source::Path;
use ipnet::IpNet;
use std::net::IpAddr;

/// The entities that the schema knows (CI60-CI68).
const ENTITIES: [&str; 14] = [
    "all",
    "world",
    "cluster",
    "cluster-mesh",
    "host",
    "init",
    "ingress",
    "unmanaged",
    "remote-node",
    "health",
    "none",
    "kube-apiserver",
    "world-ipv4",
    "world-ipv6",
];

/// The most ports of an entry, and the most fields of messages (CI104).
const MOST: usize = 40;

/// One entry of a list, while it is checked.
pub struct EntryCheck<'r, 'c> {
    /// What is refused.
    pub refusals: &'r mut Refusals<'c>,
    /// The index of the direction.
    pub direction: usize,
    /// Whether the entry denies.
    pub deny: bool,
    /// Whether the Rule governs nodes.
    pub of_nodes: bool,
}

impl EntryCheck<'_, '_> {
    /// Checks an entry.
    pub fn entry(&mut self, entry: &CiliumEntry, root: &Path, index: usize) {
        let list = LISTS[usize::from(self.deny)][self.direction];
        let at = root.key(list).index(index);
        self.kinds(entry, &at);
        self.peers(entry, &at);
        if self.deny {
            self.in_deny(entry, &at);
        }
        let ports = entry.to_ports.iter().flatten().next().is_some();
        if ports && entry.icmps.iter().flatten().next().is_some() {
            let message = "`toPorts` and `icmps` are for two entries (CI211)";
            self.refusals.agent(&at.key("icmps"), message);
        }
        for (i, form) in entry.to_ports.iter().flatten().enumerate() {
            self.ports(form, &at.key("toPorts").index(i));
        }
        for (i, form) in entry.icmps.iter().flatten().enumerate() {
            let at = at.key("icmps").index(i).key("fields");
            let fields = form.fields.as_deref().unwrap_or_default();
            if fields.len() > MOST {
                self.refusals.agent(&at, format!("more than {MOST} fields"));
            }
            for (j, field) in fields.iter().enumerate() {
                self.icmp(field, &at.index(j));
            }
        }
        let mode = entry
            .authentication
            .as_ref()
            .and_then(|a| a.mode.as_deref());
        if let Some(mode) = mode
            && !matches!(mode, "required" | "disabled" | "test-always-fail")
        {
            let at = at.key("authentication").key("mode");
            let message = format!("`{mode}` is not a mode: use required or disabled");
            self.refusals.schema(&at, message);
        }
    }

    /// At most one kind of peers (CI210).
    fn kinds(&mut self, entry: &CiliumEntry, at: &Path) {
        let fields = &EntryFields::OF[self.direction];
        let given = [
            (
                fields.endpoints,
                entry.endpoints.as_ref().map_or(0, Vec::len),
            ),
            (fields.cidr, entry.cidr.as_ref().map_or(0, Vec::len)),
            (fields.cidr_set, entry.cidr_set.as_ref().map_or(0, Vec::len)),
            (fields.entities, entry.entities.as_ref().map_or(0, Vec::len)),
            (fields.nodes, entry.nodes.as_ref().map_or(0, Vec::len)),
            (fields.groups, entry.groups.as_ref().map_or(0, Vec::len)),
            (
                EntryFields::SERVICES,
                entry.services.as_ref().map_or(0, Vec::len),
            ),
            (EntryFields::NAMES, entry.names.as_ref().map_or(0, Vec::len)),
        ];
        let mut given = given.into_iter().filter(|(_, count)| *count > 0);
        if let (Some((first, _)), Some((second, _))) = (given.next(), given.next()) {
            let message = format!("`{first}` and `{second}` are for two entries");
            self.refusals.agent(&at.key(second), message);
        }
        if entry.requires.as_ref().is_some_and(|list| !list.is_empty()) {
            let at = at.key(fields.requires);
            let message = format!("`{}` is no longer read (CI9)", fields.requires);
            self.refusals.schema(&at, message);
        }
    }

    fn peers(&mut self, entry: &CiliumEntry, at: &Path) {
        let fields = &EntryFields::OF[self.direction];
        let selectors = [
            (fields.endpoints, &entry.endpoints),
            (fields.nodes, &entry.nodes),
        ];
        for (field, list) in selectors {
            for (i, item) in list.iter().flatten().enumerate() {
                if let Some(selector) = item {
                    self.refusals.selector(selector, &at.key(field).index(i));
                }
            }
        }
        for (i, text) in entry.cidr.iter().flatten().enumerate() {
            self.block(text, &at.key(fields.cidr).index(i), true);
        }
        for (i, form) in entry.cidr_set.iter().flatten().enumerate() {
            self.cidr_item(form, &at.key(fields.cidr_set).index(i));
        }
        for (i, word) in entry.entities.iter().flatten().enumerate() {
            if !ENTITIES.contains(&word.as_str()) {
                let at = at.key(fields.entities).index(i);
                let message = format!(
                    "`{word}` is not an entity; entities are {}",
                    ENTITIES[..12].join(", ")
                );
                self.refusals.agent(&at, message); // CI222
            } else if ENTITIES[12..].contains(&word.as_str()) {
                let at = at.key(fields.entities).index(i);
                let message = format!("`{word}` is not in the schema of the kind; write `world`");
                self.refusals.schema(&at, message); // CI62
            }
        }
        for (i, form) in entry.names.iter().flatten().enumerate() {
            self.name(form, &at.key(EntryFields::NAMES).index(i));
        }
        for (i, form) in entry.services.iter().flatten().enumerate() {
            if let Some(by) = &form.by_label {
                let at = at.key(EntryFields::SERVICES).index(i);
                let at = at.key("k8sServiceSelector").key("selector");
                self.refusals.selector(&by.selector, &at);
            }
        }
    }

    /// Fields that entries which deny do not have (CI4, CI5).
    fn in_deny(&mut self, entry: &CiliumEntry, at: &Path) {
        let mut unknown = |at: &Path, field: &str| {
            let message = format!("entries that deny have no `{field}`");
            self.refusals.unknown(&at.key(field), message);
        };
        if entry.authentication.is_some() {
            unknown(at, "authentication");
        }
        if entry.names.is_some() {
            unknown(at, EntryFields::NAMES);
        }
        for (i, form) in entry.to_ports.iter().flatten().enumerate() {
            let at = at.key("toPorts").index(i);
            let given = [
                ("rules", form.rules.is_some()),
                ("terminatingTLS", form.terminating_tls.is_some()),
                ("originatingTLS", form.originating_tls.is_some()),
                ("serverNames", form.server_names.is_some()),
                ("listener", form.listener.is_some()),
            ];
            for (field, _) in given.iter().filter(|(_, given)| *given) {
                unknown(&at, field);
            }
        }
    }

    /// CI220, CI221.
    fn cidr_item(&mut self, form: &CidrForm, at: &Path) {
        let given = [
            form.cidr.is_some(),
            form.cidr_group_ref.is_some(),
            form.cidr_group_selector.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            let message = "exactly one of `cidr`, `cidrGroupRef` and `cidrGroupSelector` is wanted";
            self.refusals.agent(at, message);
        }
        if let Some(selector) = &form.cidr_group_selector {
            self.refusals
                .selector(selector, &at.key("cidrGroupSelector"));
        }
        if let Some(text) = &form.cidr {
            self.block(text, &at.key("cidr"), false);
        }
        let whole = form.cidr.as_deref().and_then(parse_block_or_address);
        for (i, text) in form.except.iter().flatten().enumerate() {
            let at = at.key("except").index(i);
            self.block(text, &at, false);
            // the length of the mask is looked at since 1.20 (CI221)
            let address = text.split('/').next().and_then(|text| text.parse().ok());
            let lies_in = |whole: IpNet, except: IpNet| match (self.refusals.version, address) {
                (..20, Some(address)) => whole.contains::<&IpAddr>(&address),
                _ => whole.contains(&except),
            };
            if let (Some(whole), Some(except)) = (whole, parse_block_or_address(text))
                && !lies_in(whole, except)
            {
                let message = format!("`{text}` does not lie in `{whole}`");
                self.refusals.agent(&at, message);
            }
        }
    }

    /// CI220: a list may have plain addresses until 1.19, an item with exceptions may not.
    fn block(&mut self, text: &str, at: &Path, in_list: bool) {
        let may_be_plain = in_list && self.refusals.version < 20;
        if parse_block_or_address(text).is_none() {
            self.refusals
                .agent(at, format!("`{text}` is not a block of addresses"));
        } else if !text.contains('/') && !may_be_plain {
            let message = format!("`{text}` has no prefix length, which Cilium wants here");
            self.refusals.agent(at, message);
        }
    }

    /// CI224.
    fn name(&mut self, form: &NameForm, at: &Path) {
        let name = form.match_name.as_deref().filter(|name| !name.is_empty());
        let pattern = form
            .match_pattern
            .as_deref()
            .filter(|name| !name.is_empty());
        let fits = |text: &str, more: &str| {
            let inner =
                |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || more.contains(c);
            text.chars().all(inner)
        };
        match (name, pattern) {
            (Some(_), Some(_)) => {
                let message = "`matchName` and `matchPattern` are for two items";
                self.refusals.agent(at, message);
            }
            (Some(name), None) if !fits(name, "") => {
                self.refusals
                    .agent(&at.key("matchName"), format!("`{name}` is not a name"));
            }
            (None, Some(pattern)) if !fits(pattern, "*") => {
                let message = format!("`{pattern}` is not a pattern of names");
                self.refusals.agent(&at.key("matchPattern"), message);
            }
            _ => {}
        }
    }

    fn ports(&mut self, form: &PortsForm, at: &Path) {
        let ports = form.ports.as_deref().unwrap_or_default();
        if ports.len() > MOST {
            let message = format!("more than {MOST} ports");
            self.refusals.agent(&at.key("ports"), message);
        }
        for (i, port) in ports.iter().enumerate() {
            self.port(port, &at.key("ports").index(i));
        }
        if self.deny {
            return;
        }
        if let Some(rules) = &form.rules {
            self.requests(rules, ports, at);
        }
        self.handshakes(form, at);
    }

    /// CI218, CI108.
    fn port(&mut self, form: &PortForm, at: &Path) {
        let word = form.protocol.as_deref();
        let extended = word.is_some_and(|word| EXTENDED.contains(&word));
        if WrittenProtocol::parse(word).is_none() {
            let message = format!("`{}` is not a protocol", word.unwrap_or_default());
            self.refusals.schema(&at.key("protocol"), message);
        }
        match form.port.as_deref() {
            None | Some("") if !extended => {
                self.refusals
                    .agent(&at.key("port"), "a port is wanted; \"0\" is every port");
            }
            Some(text) if !text.is_empty() && WrittenPort::parse(text).is_none() => {
                let message = format!("`{text}` is neither a number up to 65535 nor a name");
                self.refusals.agent(&at.key("port"), message);
            }
            Some(text) if extended && !matches!(text, "" | "0") => {
                let word = word.unwrap_or_default();
                let message = format!("{word} has no ports: leave `port` out, or write \"0\"");
                self.refusals.agent(&at.key("port"), message);
            }
            _ => {}
        }
        if let Some(end) = form.end_port
            && !(0..=65535).contains(&end)
        {
            let message = format!("`{end}` is not a port");
            self.refusals.schema(&at.key("endPort"), message);
        }
    }

    /// CI212-CI214, CI217.
    fn requests(&mut self, rules: &RequestForms, ports: &[PortForm], at: &Path) {
        let count = |list: Option<usize>| list.is_some_and(|n| n > 0);
        let dns = count(rules.dns.as_ref().map(Vec::len));
        let http = count(rules.http.as_ref().map(Vec::len));
        let kafka = count(rules.kafka.as_ref().map(Vec::len));
        let parsed = rules.l7proto.is_some() || count(rules.l7.as_ref().map(Vec::len));
        let others = http || kafka || parsed;
        if [dns, http, kafka, parsed]
            .iter()
            .filter(|kind| **kind)
            .count()
            > 1
        {
            let message = "one kind of requests is for one entry";
            self.refusals.agent(&at.key("rules"), message);
        }
        if self.of_nodes && (others || (dns && self.direction == 0)) {
            let message = "a policy of nodes has no rules of requests, but those of DNS at egress";
            return self.refusals.agent(&at.key("rules"), message);
        }
        if dns {
            self.dns(rules, ports, at);
        }
        if others {
            for (i, port) in ports.iter().enumerate() {
                let at = at.key("ports").index(i);
                if port.protocol.as_deref() != Some("TCP") {
                    let message = "rules of requests are for TCP alone; no protocol is any";
                    self.refusals.agent(&at.key("protocol"), message);
                } else if port.port.as_deref() == Some("0") {
                    let message = "rules of requests are not for every port";
                    self.refusals.agent(&at.key("port"), message);
                }
            }
        }
    }

    fn dns(&mut self, rules: &RequestForms, ports: &[PortForm], at: &Path) {
        let here = at.key("rules").key("dns");
        if self.direction == 0 {
            let message = "rules of DNS are for egress alone";
            self.refusals.agent(&here, message);
        }
        if ports.is_empty() {
            self.refusals
                .agent(&at.key("ports"), "rules of DNS need a port");
        }
        for (i, port) in ports.iter().enumerate() {
            if port.end_port.is_some_and(|end| end > 0) {
                let at = at.key("ports").index(i).key("endPort");
                self.refusals
                    .agent(&at, "rules of DNS take no range of ports");
            }
        }
        for (i, form) in rules.dns.iter().flatten().enumerate() {
            self.name(form, &here.index(i));
        }
    }

    /// CI215, CI216.
    fn handshakes(&mut self, form: &PortsForm, at: &Path) {
        let has = |rules: &RequestForms| {
            let list = |list: Option<usize>| list.is_some_and(|n| n > 0);
            list(rules.http.as_ref().map(Vec::len))
                || list(rules.dns.as_ref().map(Vec::len))
                || list(rules.kafka.as_ref().map(Vec::len))
                || list(rules.l7.as_ref().map(Vec::len))
        };
        let has_requests = form.rules.as_ref().is_some_and(has);
        let names = form.server_names.as_deref().unwrap_or_default();
        if names.iter().any(String::is_empty) {
            self.refusals
                .agent(&at.key("serverNames"), "a name of a server is empty");
        } else if !names.is_empty() && has_requests && form.terminating_tls.is_none() {
            let message = "beside rules of requests, names of servers need `terminatingTLS`";
            self.refusals.agent(&at.key("serverNames"), message);
        }
        if form.listener.is_some() {
            if self.direction == 0 {
                let message = "a listener is for egress alone";
                self.refusals.agent(&at.key("listener"), message);
            } else if has_requests {
                let message = "a listener and rules of requests are for two entries";
                self.refusals.agent(&at.key("listener"), message);
            }
        }
    }

    /// CI225.
    fn icmp(&mut self, form: &IcmpForm, at: &Path) {
        let family = form.family.as_deref().unwrap_or("IPv4");
        if !matches!(family, "" | "IPv4" | "IPv6") {
            let message = format!("`{family}` is not a family: use IPv4 or IPv6");
            self.refusals.schema(&at.key("family"), message);
        }
        if crate::policy::cilium::ports::icmp_type(form).is_none() {
            let message =
                "a type of messages is wanted: a number up to 255, or a name of the family";
            self.refusals.agent(&at.key("type"), message);
        }
    }
}
