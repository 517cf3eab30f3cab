//! What the administrators' dialects share: limits, and how rules are lowered (S70-S127).
//!
//! `AdminNetworkPolicy` and `BaselineAdminNetworkPolicy` (v1alpha1) and `ClusterNetworkPolicy`
//! (v1alpha2) differ in names and limits more than in meaning; an [`AdminForm`] holds the
//! differences. A peer that this version does not know fails closed: it matches nothing where the
//! rule allows, and everything where it denies or passes (S83, S115).

use crate::model::Selector;
use crate::policy::admin_spec::{
    LegacyNamespaces, NamespacesPeer, PeerSpec, PodsPeer, RuleSpec, SubjectSpec,
};
use crate::policy::cilium::selector::whole_namespaces;
use crate::policy::lowered::Checks;
use crate::policy::rule::{
    Action, Direction, Namespaces, Peer, Peers, PortMatch, Ports, Rule, Subject,
};
use crate::policy::validate::{address_complaint, is_domain, is_port_name, parse_cidr, selector};
use crate::set::{IpSet, Protocol, TrafficSet};
use crate::source::Path;
use crate::tree::SyntaxNode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// What distinguishes one administrators' dialect from another.
#[derive(Debug, Clone, Copy)]
pub struct AdminForm {
    /// The word for Allow.
    pub allow: &'static str,
    /// Whether Pass is an action.
    pub pass: bool,
    /// Whether domain names are peers.
    pub domains: bool,
    /// Most rules per direction, peers and port entries per rule.
    pub many: usize,
    /// Most CIDRs and domain names per peer.
    pub few: usize,
    /// Whether `pods.namespaceSelector` may be left out (S111).
    pub optional_namespaces: bool,
    /// The field with the port entries.
    pub ports: &'static str,
}

/// Lowers what the dialects share.
pub struct AdminLowering<'a> {
    /// The dialect.
    pub form: AdminForm,
    /// The object, to see fields this version does not know.
    pub node: &'a SyntaxNode,
    /// Problems go here.
    pub checks: &'a mut Checks,
    /// The peers that are whole namespaces: direction, rule and peer.
    pub whole: Vec<(Direction, usize, usize)>,
}

impl AdminLowering<'_> {
    /// S77, S108: exactly one of namespaces and pods.
    pub fn subject(&mut self, subject: Option<&SubjectSpec>) -> Subject {
        let at = Path::root().key("spec").key("subject");
        let nobody = Subject {
            namespaces: Namespaces::Matching(Selector::everything()),
            pods: Selector::everything(),
        };
        let Some(subject) = subject else {
            self.checks.invalid(&at, "a subject is required");
            return nobody;
        };
        match (&subject.namespaces, &subject.pods) {
            (Some(namespaces), None) => {
                let which = selector(namespaces, &at.key("namespaces"), self.checks);
                Subject {
                    namespaces: Namespaces::Matching(which),
                    pods: Selector::everything(),
                }
            }
            (None, Some(pods)) => {
                let (namespaces, pods) = self.pods(pods, &at.key("pods"));
                Subject { namespaces, pods }
            }
            _ => {
                self.checks
                    .invalid(&at, "a subject is exactly one of `namespaces` and `pods`");
                nobody
            }
        }
    }

    fn pods(&mut self, pods: &PodsPeer, at: &Path) -> (Namespaces, Selector) {
        let namespaces = match (&pods.namespace_selector, &pods.namespaces) {
            (Some(s), _) => {
                Namespaces::Matching(selector(s, &at.key("namespaceSelector"), self.checks))
            }
            (None, Some(legacy)) => {
                self.old_field(&at.key("namespaces"), "namespaces");
                self.legacy(legacy, &at.key("namespaces"))
            }
            (None, None) => {
                if !self.form.optional_namespaces {
                    self.checks.invalid(
                        &at.key("namespaceSelector"),
                        "a namespaceSelector is required; `{}` selects every namespace",
                    );
                }
                Namespaces::Matching(Selector::everything())
            }
        };
        if pods.pod_selector.is_none() {
            self.checks.invalid(
                &at.key("podSelector"),
                "a podSelector is required; `{}` selects every pod",
            );
        }
        let which = pods
            .pod_selector
            .as_ref()
            .map(|s| selector(s, &at.key("podSelector"), self.checks));
        (namespaces, which.unwrap_or_default())
    }

    /// S91, S92: the shape before April 2024 under the same apiVersion.
    fn legacy(&mut self, legacy: &LegacyNamespaces, at: &Path) -> Namespaces {
        let keys = |keys: &[String]| keys.iter().map(|k| k.as_str().into()).collect();
        match (
            &legacy.namespace_selector,
            &legacy.same_labels,
            &legacy.not_same_labels,
        ) {
            (Some(s), None, None) => {
                Namespaces::Matching(selector(s, &at.key("namespaceSelector"), self.checks))
            }
            (None, Some(same), None) => Namespaces::SameLabels(keys(same)),
            (None, None, Some(differ)) => Namespaces::NotSameLabels(keys(differ)),
            _ => {
                self.checks
                    .invalid(at, "exactly one of `namespaceSelector`, `sameLabels` and `notSameLabels` is required");
                Namespaces::Matching(Selector::everything())
            }
        }
    }

    /// The old shape is read in v1alpha1, where it once was the API; v1alpha2 never had it.
    fn old_shape(&mut self, legacy: &LegacyNamespaces, at: &Path) {
        let fields = [
            ("namespaceSelector", legacy.namespace_selector.is_some()),
            ("sameLabels", legacy.same_labels.is_some()),
            ("notSameLabels", legacy.not_same_labels.is_some()),
        ];
        for (field, _) in fields.iter().filter(|(_, given)| *given) {
            self.old_field(&at.key(field), field);
        }
    }

    fn old_field(&mut self, at: &Path, field: &str) {
        if self.form.optional_namespaces {
            self.checks.invalid_help(
                at,
                format!("unknown field `{field}`"),
                "v1alpha2 takes a plain label selector here",
            );
            if let Some(last) = self.checks.0.last_mut() {
                last.unknown_field = true;
            }
        } else {
            let message = format!(
                "unknown field `{field}`: the shape before v0.1.3 (April 2024), read as it was meant then"
            );
            self.checks.unknown_field(
                at,
                message,
                "today's API reads it as every namespace, or refuses it; rewrite it",
            );
        }
    }

    fn namespaces(&mut self, peer: &NamespacesPeer, at: &Path) -> Namespaces {
        if peer.namespace_selector.is_some()
            || peer.same_labels.is_some()
            || peer.not_same_labels.is_some()
        {
            let legacy = LegacyNamespaces {
                namespace_selector: peer.namespace_selector.clone(),
                same_labels: peer.same_labels.clone(),
                not_same_labels: peer.not_same_labels.clone(),
            };
            self.old_shape(&legacy, at);
            return self.legacy(&legacy, at);
        }
        let plain = LabelSelector {
            match_labels: peer.match_labels.clone(),
            match_expressions: peer.match_expressions.clone(),
        };
        Namespaces::Matching(selector(&plain, at, self.checks))
    }

    /// One direction's rules, in order (S72, S102).
    pub fn rules(&mut self, rules: &[RuleSpec], direction: &str, word: &str) -> Vec<Rule> {
        let at = Path::root().key("spec").key(direction);
        self.at_most(rules.len(), self.form.many, &at);
        rules
            .iter()
            .enumerate()
            .map(|(i, rule)| self.rule(rule, i, &at.index(i), direction == "egress", word))
            .collect()
    }

    fn at_most(&mut self, count: usize, most: usize, at: &Path) {
        if count > most {
            self.checks
                .refused(at, format!("{count} items; at most {most} are allowed"));
        }
    }

    fn rule(&mut self, rule: &RuleSpec, index: usize, at: &Path, egress: bool, word: &str) -> Rule {
        let action = self.action(rule.action.as_deref(), &at.key("action"));
        if rule.name.as_ref().is_some_and(|n| n.chars().count() > 100) {
            self.checks
                .refused(&at.key("name"), "a rule's name has at most 100 characters");
        }
        let list = rule.peers.as_deref().unwrap_or_default();
        let here = at.key(word);
        if list.is_empty() {
            self.checks.invalid(&here, "at least one peer is required");
        }
        self.at_most(list.len(), self.form.many, &here);
        let mut peers = Vec::new();
        for (i, peer) in list.iter().enumerate() {
            if peer.namespaces.is_some() {
                let direction = Direction::ALL[usize::from(egress)];
                self.whole.push((direction, index, peers.len()));
            }
            peers.extend(self.peer(peer, action, egress, &here.index(i)));
        }
        self.named_needs_pods(rule, list, at);
        let ports = match &rule.ports {
            None => Ports::Any,
            Some(list) => {
                let at = at.key(self.form.ports);
                if list.is_empty() {
                    self.checks.invalid(
                        &at,
                        "at least one item is required; leave the field out for all traffic",
                    );
                }
                self.at_most(list.len(), self.form.many, &at);
                Ports::Of(list.clone().into())
            }
        };
        Rule {
            action,
            peers: Peers::Of(peers.into()),
            ports,
            name: rule.name.as_deref().map(Into::into),
            subjects: Peers::Any,
            qualifiers: Vec::new(),
        }
    }

    /// A port name is looked up on a pod: with addresses, nodes or domain names it can never
    /// match (S87, S119).
    fn named_needs_pods(&mut self, rule: &RuleSpec, peers: &[PeerSpec], at: &Path) {
        let named = rule
            .ports
            .iter()
            .flatten()
            .any(|p| matches!(p, PortMatch::Named(..)));
        let outside =
            |p: &PeerSpec| p.networks.is_some() || p.nodes.is_some() || p.domain_names.is_some();
        if named && peers.iter().any(outside) {
            self.checks.refused(
                at,
                "a port name never matches addresses, nodes or domain names, and may not stand beside them",
            );
        }
    }

    fn action(&mut self, word: Option<&str>, at: &Path) -> Action {
        match word {
            Some(w) if w == self.form.allow => Action::Allow,
            Some("Deny") => Action::Deny,
            Some("Pass") if self.form.pass => Action::Pass,
            other => {
                let words = if self.form.pass {
                    format!("{}, Deny or Pass", self.form.allow)
                } else {
                    format!("{} or Deny", self.form.allow)
                };
                let message = other.map_or_else(
                    || "an action is required".to_owned(),
                    |w| format!("`{w}` is not an action here"),
                );
                self.checks
                    .invalid_help(at, message, format!("use {words}"));
                Action::Deny
            }
        }
    }

    /// One peer; the entries of `networks` and `domainNames` become peers of their own (they are
    /// `ORed` all the same).
    fn peer(&mut self, peer: &PeerSpec, action: Action, egress: bool, at: &Path) -> Vec<Peer> {
        let given = [
            peer.namespaces.is_some(),
            peer.pods.is_some(),
            peer.networks.is_some(),
            peer.nodes.is_some(),
            peer.domain_names.is_some(),
        ];
        match given.iter().filter(|g| **g).count() {
            0 => return vec![self.unreadable(action, at)],
            1 => {}
            _ => self.checks.invalid(at, "a peer has exactly one field"),
        }
        if !egress && given[2..].iter().any(|g| *g) {
            self.checks
                .invalid(at, "an ingress peer is one of `namespaces` and `pods`");
        }
        if let Some(namespaces) = &peer.namespaces {
            let at = at.key("namespaces");
            return vec![whole_namespaces(self.namespaces(namespaces, &at))];
        }
        if let Some(pods) = &peer.pods {
            let (namespaces, pods) = self.pods(pods, &at.key("pods"));
            return vec![Peer::Pods(namespaces, pods)];
        }
        if let Some(nodes) = &peer.nodes {
            return vec![Peer::Nodes(selector(nodes, &at.key("nodes"), self.checks))];
        }
        match (&peer.networks, &peer.domain_names) {
            (Some(networks), _) => vec![Peer::Addresses(
                self.networks(networks, &at.key("networks")),
            )],
            (_, Some(names)) => self.domains(names, action, &at.key("domainNames")),
            _ => Vec::new(),
        }
    }

    /// S83, S115: a peer with a field of a newer version is closed; an empty one is refused by the
    /// API.
    fn unreadable(&mut self, action: Action, at: &Path) -> Peer {
        let nothing = |n: &SyntaxNode| n.entries().iter().all(|e| e.value.is_null());
        if self.node.at(at).is_none_or(nothing) {
            self.checks.invalid(at, "a peer needs exactly one field");
        }
        Peer::Unreadable {
            everything: action != Action::Allow,
        }
    }

    /// S80, S112.
    fn networks(&mut self, networks: &[String], at: &Path) -> IpSet {
        if networks.is_empty() {
            self.checks.invalid(at, "at least one CIDR is required");
        }
        self.at_most(networks.len(), self.form.few, at);
        let mut cidrs = Vec::new();
        for (i, text) in networks.iter().enumerate() {
            match parse_cidr(text) {
                Some(cidr) => cidrs.push(cidr),
                None => self
                    .checks
                    .invalid(&at.index(i), format!("`{text}` is not a CIDR")),
            }
            self.spelling(text, &at.index(i));
            if networks.iter().take(i).any(|earlier| earlier == text) {
                self.checks.refused(at, format!("`{text}` is given twice"));
            }
        }
        IpSet::from_cidrs(cidrs)
    }

    /// What the schemas check of the spelling of a block: leading zeros and IPv4 blocks in IPv6
    /// form are refused (`isCIDR`), host bits are not.
    fn spelling(&mut self, text: &str, at: &Path) {
        if let Some(complaint) = address_complaint(text) {
            self.checks.refused(at, complaint);
        }
    }

    /// S82, S114: only where the rule allows.
    fn domains(&mut self, names: &[String], action: Action, at: &Path) -> Vec<Peer> {
        if !self.form.domains {
            self.checks
                .invalid(at, "domain names are not allowed in this kind of policy");
        }
        if names.is_empty() {
            self.checks
                .invalid(at, "at least one domain name is required");
        }
        self.at_most(names.len(), self.form.few, at);
        for (i, name) in names.iter().enumerate().filter(|(_, n)| !is_domain(n)) {
            self.checks.invalid(
                &at.index(i),
                format!("`{name}` is not a domain name with at least two labels, with or without a leading `*.`"),
            );
        }
        for (i, name) in names.iter().enumerate() {
            if names.iter().take(i).any(|earlier| earlier == name) {
                self.checks.refused(at, format!("`{name}` is given twice"));
            }
        }
        let _ = action; // the field's text wants Allow only, but no schema enforces it
        names
            .iter()
            .map(|n| Peer::Domain(n.as_str().into()))
            .collect()
    }

    /// A port number of 1 to 65535.
    pub fn port(&mut self, number: Option<i32>, at: &Path) -> u16 {
        match number.map(u16::try_from) {
            Some(Ok(port)) if port > 0 => port,
            Some(_) => {
                self.checks.invalid(
                    at,
                    format!(
                        "`{}` is not a port: it must be 1 to 65535",
                        number.unwrap_or_default()
                    ),
                );
                1
            }
            None => {
                self.checks.invalid(at, "a port number is required");
                1
            }
        }
    }

    /// A range of ports.
    pub fn range(
        &mut self,
        protocol: Protocol,
        start: Option<i32>,
        end: Option<i32>,
        at: &Path,
        strict: bool,
    ) -> PortMatch {
        let (first, last) = (
            self.port(start, &at.key("start")),
            self.port(end, &at.key("end")),
        );
        if strict && first >= last {
            self.checks.invalid(
                at,
                format!("the range must start before it ends: {first} to {last}"),
            );
        }
        // S86: v1alpha1 does not check; start > end is empty
        PortMatch::Traffic(TrafficSet::ports(protocol, first, last))
    }

    /// A named port (S87, S119).
    pub fn named(&mut self, name: &str, at: &Path) -> PortMatch {
        if name.is_empty()
            || (self.form.optional_namespaces && !is_port_name(name) && name.len() > 63)
        {
            self.checks
                .invalid(at, format!("`{name}` is not a port name"));
        }
        PortMatch::Named(name.into(), None)
    }

    /// A protocol's name.
    pub fn protocol(&mut self, name: Option<&str>, at: &Path) -> Protocol {
        let Some(name) = name else {
            return Protocol::Tcp;
        };
        Protocol::from_api(name).unwrap_or_else(|| {
            self.checks.invalid_help(
                at,
                format!("`{name}` is not a protocol"),
                "use TCP, UDP or SCTP, in capitals",
            );
            Protocol::Tcp
        })
    }

    /// S71, S101.
    pub fn priority(&mut self, priority: Option<i32>) -> i32 {
        let at = Path::root().key("spec").key("priority");
        match priority {
            Some(p) if (0..=1000).contains(&p) => p,
            Some(p) => {
                self.checks.invalid(
                    &at,
                    format!("`{p}` is not a priority: it must be 0 to 1000"),
                );
                0
            }
            None => {
                self.checks.invalid(&at, "a priority is required");
                0
            }
        }
    }
}
