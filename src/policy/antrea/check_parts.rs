//! The ports and protocols of a rule (AN50-AN52, AN70).

use crate::policy::antrea::check::AntreaDoor;
use crate::policy::antrea::policy::{AntreaPort, SourcedPorts};
use crate::policy::antrea::written::{
    AntreaIcmpForm, AntreaPortForm, AntreaProtocolForm, AntreaRuleForm,
};
use crate::policy::validate::is_port_name;
use crate::set::{Protocol, TrafficSet};
use crate::source::Path;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Adds a port to those for the same ports of the source.
fn add(
    all: &mut Vec<SourcedPorts>,
    source: Option<(u16, u16)>,
    port: AntreaPort,
    place: (&'static str, usize),
) {
    match all.iter_mut().find(|known| known.source == source) {
        Some(known) => {
            known.ports.push(port);
            known.places.push(place);
        }
        None => all.push(SourcedPorts {
            source,
            ports: vec![port],
            places: vec![place],
        }),
    }
}

impl AntreaDoor<'_> {
    /// The ports and protocols of a rule, which are ored; none where it says nothing of either
    /// (AN50).
    pub(super) fn ports(&mut self, form: &AntreaRuleForm, at: &Path) -> Option<Vec<SourcedPorts>> {
        let ports = form.ports.as_deref().unwrap_or_default();
        let protocols = form.protocols.as_deref().unwrap_or_default();
        if ports.is_empty() && protocols.is_empty() {
            return None;
        }
        let mut all: Vec<SourcedPorts> = Vec::new();
        for (i, port) in ports.iter().enumerate() {
            let here = at.key("ports").index(i);
            let source = self.source(port, &here);
            add(&mut all, source, self.port(port, &here), ("ports", i));
        }
        for (i, protocol) in protocols.iter().enumerate() {
            let here = at.key("protocols").index(i);
            add(
                &mut all,
                None,
                self.protocol(protocol, &here),
                ("protocols", i),
            );
        }
        Some(all)
    }

    fn port(&mut self, form: &AntreaPortForm, at: &Path) -> AntreaPort {
        let protocol = self.protocol_of(form.protocol.as_deref(), &at.key("protocol"));
        let end_at = at.key("endPort");
        match (&form.port, form.end_port) {
            (None, end) => {
                if end.is_some() {
                    let message = "may not be specified when `port` is not specified";
                    self.checks.invalid(&end_at, message);
                }
                AntreaPort::Traffic(TrafficSet::protocol(protocol))
            }
            (Some(IntOrString::String(name)), end) => {
                if !is_port_name(name) {
                    let message = format!("`{name}` is not a valid port name");
                    let help = "a port name has 1 to 15 of a-z, 0-9 and -, with a letter; a \
                                number stands without quotes";
                    self.checks.invalid_help(&at.key("port"), message, help);
                }
                if end.is_some() {
                    let message = "may not be specified when `port` is a name";
                    self.checks.invalid(&end_at, message);
                }
                AntreaPort::Named(name.as_str().into(), protocol)
            }
            (Some(IntOrString::Int(first)), end) => {
                let first = self.number(i64::from(*first), &at.key("port"));
                let last = end.map_or(first, |end| self.end(first, end, &end_at));
                AntreaPort::Traffic(TrafficSet::ports(protocol, first, last))
            }
        }
    }

    /// The ports of the source, where an entry names any.
    fn source(&mut self, form: &AntreaPortForm, at: &Path) -> Option<(u16, u16)> {
        let end_at = at.key("sourceEndPort");
        let Some(first) = form.source_port else {
            if form.source_end_port.is_some() {
                let message = "may not be specified when `sourcePort` is not specified";
                self.checks.invalid(&end_at, message);
            }
            return None;
        };
        let first = self.number(first, &at.key("sourcePort"));
        let end = form.source_end_port;
        let last = end.map_or(first, |end| self.end(first, end, &end_at));
        Some((first, last))
    }

    fn number(&mut self, number: i64, at: &Path) -> u16 {
        u16::try_from(number).unwrap_or_else(|_| {
            let message = format!("`{number}` is not a port: it must be 0 to 65535");
            self.checks.invalid(at, message);
            0
        })
    }

    fn end(&mut self, first: u16, end: i64, at: &Path) -> u16 {
        let last = self.number(end, at);
        if last < first {
            let message = format!("`{end}` is below the first port `{first}`");
            self.checks.invalid(at, message);
        }
        last.max(first)
    }

    fn protocol_of(&mut self, name: Option<&str>, at: &Path) -> Protocol {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Protocol::Tcp;
        };
        Protocol::from_api(name).unwrap_or_else(|| {
            let message = format!("`{name}` is not a protocol");
            let help = "use TCP, UDP or SCTP, in capitals; ICMP stands in `protocols`";
            self.checks.invalid_help(at, message, help);
            Protocol::Tcp
        })
    }

    /// AN51, AN52.
    fn protocol(&mut self, form: &AntreaProtocolForm, at: &Path) -> AntreaPort {
        match (&form.icmp, &form.igmp) {
            (Some(icmp), None) => AntreaPort::Traffic(self.icmp(icmp, &at.key("icmp"))),
            (None, Some(_)) => AntreaPort::Igmp,
            _ => {
                let message = "a protocol is either `icmp` or `igmp`";
                self.checks.invalid(at, message);
                AntreaPort::Igmp
            }
        }
    }

    /// Messages of ICMP, in both families.
    fn icmp(&mut self, form: &AntreaIcmpForm, at: &Path) -> TrafficSet {
        let kind = self.byte(form.icmp_type, &at.key("icmpType"));
        let code = self.byte(form.icmp_code, &at.key("icmpCode"));
        let (first, last) = kind.map_or((0, u8::MAX), |kind| (kind, kind));
        let mut all = TrafficSet::empty();
        for protocol in [Protocol::Icmp, Protocol::IcmpV6] {
            for kind in first..=last {
                all = all.union(&TrafficSet::icmp(protocol, kind, code));
            }
        }
        all
    }

    fn byte(&mut self, number: Option<i64>, at: &Path) -> Option<u8> {
        let number = number?;
        let byte = u8::try_from(number).ok();
        if byte.is_none() {
            let message = format!("`{number}` must be 0 to 255");
            self.checks.invalid(at, message);
        }
        byte
    }
}
