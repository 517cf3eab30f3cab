//! What Calico refuses in the sides of a rule and in its requests of HTTP (CA82-CA91, CA141-CA143).

use crate::policy::calico::check::{CalicoDoor, RuleWay, SelectorRole};
use crate::policy::calico::expression::LabelExpression;
use crate::policy::calico::policy::{CalicoPort, RuleAction, RuleSide};
use crate::policy::calico::ports;
use crate::policy::calico::written::{AccountsForm, CalicoHttpForm, CalicoRuleForm, EntityForm};
use crate::policy::validate::parse_block;
use crate::set::{Protocol, TrafficSet};
use crate::source::Path;
use ipnet::IpNet;
use serde_json::Value as Json;

/// The most blocks of a list, and ports of a list (CA142).
const MOST_NETS: usize = 256;
const MOST_PORTS: usize = 50;

impl CalicoDoor<'_> {
    pub(super) fn side(
        &mut self,
        form: &EntityForm,
        rule: &CalicoRuleForm,
        way: RuleWay,
        field: &'static str,
        protocol: Option<&ports::CalicoProtocol>,
        at_rule: &Path,
    ) -> RuleSide {
        let at = &at_rule.key(field);
        let (account_names, accounts) = self.accounts(form.service_accounts.as_ref(), at);
        RuleSide {
            nets: self.nets(form.nets.as_ref(), &at.key("nets")),
            not_nets: self.nets(form.not_nets.as_ref(), &at.key("notNets")),
            selector: self.selector(
                form.selector.as_deref(),
                &at.key("selector"),
                SelectorRole::Whole,
            ),
            not_selector: self.selector(
                form.not_selector.as_deref(),
                &at.key("notSelector"),
                SelectorRole::Whole,
            ),
            namespaces: self.selector(
                form.namespace_selector.as_deref(),
                &at.key("namespaceSelector"),
                SelectorRole::NamespacesOfRule,
            ),
            account_names,
            accounts,
            service: self.service(form, rule, way, field, at_rule),
            ports: self.ports(form.ports.as_ref(), protocol, &at.key("ports")),
            not_ports: self.ports(form.not_ports.as_ref(), protocol, &at.key("notPorts")),
        }
    }

    fn accounts(
        &mut self,
        form: Option<&AccountsForm>,
        at: &Path,
    ) -> (Vec<Box<str>>, Option<LabelExpression>) {
        let Some(form) = form else {
            return (Vec::new(), None);
        };
        let at = at.key("serviceAccounts");
        let names = form.names.iter().flatten().map(|n| n.as_str().into());
        let selector = form.selector.as_deref();
        let selector = self.selector(selector, &at.key("selector"), SelectorRole::Part);
        (names.collect(), selector)
    }

    /// CA143.
    fn nets(&mut self, list: Option<&Vec<String>>, at: &Path) -> Vec<IpNet> {
        let list = list.map(Vec::as_slice).unwrap_or_default();
        if list.len() > MOST_NETS {
            self.refuse(at, format!("at most {MOST_NETS} blocks"));
        }
        let mut found = Vec::new();
        for (i, text) in list.iter().enumerate() {
            match parse_block(text) {
                Some(net) if net.trunc() == net => found.push(net),
                Some(net) => {
                    let message =
                        format!("`{text}` has bits behind its length; write {}", net.trunc());
                    self.meant(&at.index(i), message);
                    found.push(net.trunc());
                }
                None => {
                    let message = format!("`{text}` is not a block such as 10.0.0.0/8");
                    self.validator(&at.index(i), message);
                }
            }
        }
        found
    }

    /// CA82, CA86.
    fn ports(
        &mut self,
        list: Option<&Vec<Json>>,
        protocol: Option<&ports::CalicoProtocol>,
        at: &Path,
    ) -> Vec<CalicoPort> {
        let list = list.map(Vec::as_slice).unwrap_or_default();
        if list.len() > MOST_PORTS {
            self.refuse(at, format!("at most {MOST_PORTS} ports"));
        }
        let mut found = Vec::new();
        for (i, value) in list.iter().enumerate() {
            if let Some(port) = ports::port(value) {
                found.push(port);
            } else {
                let message = "a port is a number from 1 to 65535, a range such as \"80:90\", \
                               or a name";
                self.validator(&at.index(i), message);
            }
        }
        let numbers = |p: &CalicoPort| matches!(p, CalicoPort::Numbers(..));
        let wanting = match protocol {
            Some(protocol) => !found.is_empty() && !protocol.has_ports(),
            None => found.iter().any(numbers),
        };
        if wanting {
            self.validator(at, "ports want protocol TCP, UDP or SCTP");
        }
        found
    }

    /// CA87-CA89, CA142.
    fn service(
        &mut self,
        form: &EntityForm,
        rule: &CalicoRuleForm,
        way: RuleWay,
        field: &'static str,
        at_rule: &Path,
    ) -> Option<(Option<Box<str>>, Box<str>)> {
        let service = form.services.as_ref()?;
        let at = at_rule.key(field);
        let at_service = at.key("services");
        let own = (way.direction == 0) == (field == "source");
        if !own {
            let message = "Services are for the destination of egress and the source of ingress";
            self.validator(&at_service, message);
        }
        let set = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|l| !l.is_empty());
        let told = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.is_empty());
        let others = set(&form.nets)
            || set(&form.not_nets)
            || told(&form.selector)
            || told(&form.not_selector)
            || told(&form.namespace_selector)
            || form.service_accounts.is_some();
        if others {
            self.refuse(&at, "beside a Service nothing else says who is meant");
        }
        let has = |list: &Option<Vec<Json>>| list.as_ref().is_some_and(|l| !l.is_empty());
        let destination = rule.destination.as_ref();
        let with_ports = destination.is_some_and(|d| has(&d.ports) || has(&d.not_ports));
        if with_ports && field == "destination" {
            self.refuse(at_rule, "the ports of a Service are told by the Service");
        }
        let Some(name) = service.name.as_deref().filter(|n| !n.is_empty()) else {
            self.validator(&at_service.key("name"), "a Service has a name");
            return None;
        };
        let namespace = service.namespace.as_deref().filter(|n| !n.is_empty());
        if namespace.is_none() && way.global {
            let message = "a policy of no namespace names that of the Service";
            self.validator(&at_service.key("namespace"), message);
        }
        Some((namespace.map(Into::into), name.into()))
    }

    /// CA91, CA142.
    pub(super) fn http(
        &mut self,
        http: &CalicoHttpForm,
        action: RuleAction,
        protocol: Option<&ports::CalicoProtocol>,
        way: RuleWay,
        at: &Path,
    ) {
        let is_tcp = |p: &ports::CalicoProtocol| p.traffic == TrafficSet::protocol(Protocol::Tcp);
        if action != RuleAction::Allow {
            self.refuse(at, "`http` is for rules that allow");
        }
        if !protocol.is_none_or(is_tcp) {
            self.refuse(at, "`http` is for TCP");
        }
        let at = at.key("http");
        if way.direction != 0 {
            self.validator(&at, "`http` is for ingress");
        }
        let methods: Vec<&String> = http.methods.iter().flatten().collect();
        if (1..methods.len()).any(|i| methods[..i].contains(&methods[i])) {
            self.validator(&at.key("methods"), "a method that is listed twice");
        }
        for (i, path) in http.paths.iter().flatten().enumerate() {
            let at = at.key("paths").index(i);
            let ((Some(text), None) | (None, Some(text))) = (&path.exact, &path.prefix) else {
                self.validator(&at, "a path has either `exact` or `prefix`");
                continue;
            };
            if text.contains(['?', '#']) {
                self.validator(&at, "a path has no `?` and no `#`");
            }
        }
    }
}
