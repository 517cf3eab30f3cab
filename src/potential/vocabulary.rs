//! What policies can tell pods apart by: their selectors, with the namespaces where each counts,
//! the namespaces they name, and the ports they look up by name.
//!
//! Two inputs that are compared have one vocabulary: the selectors of both.

use crate::input::Input;
use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::rule::PolicySource;
use crate::policy::validate::is_dns_label;
use crate::policy::{Namespaces, Peer, Policy, PolicySet, PortMatch, Ports, Subject, TaintSubject};
use crate::set::hashed::IndexSet;
use crate::set::{Protocol, Traffic, TrafficSet};
use std::collections::BTreeSet;

/// The selectors of some policies.
#[derive(Debug, Default)]
pub struct PodVocabulary<'p> {
    /// Selectors of pods, each with the namespaces where it is asked.
    pub pods: IndexSet<(&'p Namespaces, &'p Selector)>,
    /// Selectors of namespaces.
    pub namespaces: IndexSet<&'p Selector>,
    /// The namespaces that are named.
    pub names: BTreeSet<Box<str>>,
    /// Labels by which namespaces are compared with each other (S92).
    pub compared: BTreeSet<&'p str>,
    /// The selectors of pods and namespaces in the policies that a question is about: of the kinds
    /// that there are too many of, those are made that show what these do.
    pub focus: BTreeSet<&'p Selector>,
    /// Whether some policies are asked in an order.
    pub ordered: bool,
    /// The port names that are looked up.
    pub ports: BTreeSet<&'p str>,
    /// The traffic of the numbers that are mentioned; every port of a protocol mentions none.
    numbers: TrafficSet,
}

impl<'p> PodVocabulary<'p> {
    /// The vocabulary of the policies that are wanted, and of everything that is not modelled.
    pub fn add(&mut self, policies: &'p PolicySet, wanted: impl Fn(&Policy) -> bool) {
        for policy in policies.policies.iter().filter(|policy| wanted(policy)) {
            self.policy(policy);
            self.ordered |= policies.is_ordered(policy);
        }
        for taint in &policies.taints {
            if let TaintSubject::Pods(subject) = &taint.subject {
                self.subject(subject);
            }
        }
    }

    /// The vocabulary of an input's policies and of what is asked about besides. A namespace that
    /// neither the input nor a rule names gets no pods, so that a misspelt name stays an error.
    pub(crate) fn asked_about(
        input: &'p Input,
        asked: impl IntoIterator<Item = &'p (Namespaces, Selector)>,
    ) -> Self {
        let mut vocabulary = Self::default();
        vocabulary.add(&input.policies, |_| true);
        let named = vocabulary.names.clone();
        let is_there = |namespaces: &Namespaces| match namespaces {
            Namespaces::Named(name) => {
                named.contains(name) || input.cluster.find_namespace(name).is_some()
            }
            _ => true,
        };
        let known = asked.into_iter().filter(|(here, _)| is_there(here));
        known.for_each(|(here, pods)| vocabulary.selected(here, pods));
        vocabulary
    }

    /// Puts the selectors of some policies in focus.
    pub fn focus_on(&mut self, policies: impl IntoIterator<Item = &'p Policy>) {
        let mut alone = Self::default();
        policies.into_iter().for_each(|policy| alone.policy(policy));
        self.focus.extend(alone.pods.iter().map(|(_, pods)| *pods));
        self.focus.extend(&alone.namespaces);
    }

    /// The pods that are asked for, each with their namespaces.
    pub(crate) fn asked(&self) -> Vec<(Namespaces, Selector)> {
        let pods = self.pods.iter();
        let pods = pods.map(|(namespaces, pods)| ((*namespaces).clone(), (*pods).clone()));
        let whole = self.namespaces.iter();
        let whole = whole.map(|s| (Namespaces::Matching((*s).clone()), Selector::everything()));
        pods.chain(whole).collect()
    }

    fn policy(&mut self, policy: &'p Policy) {
        self.subject(&policy.subject);
        self.names.extend(policy.namespace.clone());
        if let Some(PolicySource::Calico(written)) = &policy.written {
            self.ports.extend(written.port_names());
        }
        for rule in policy.rules.iter().flatten() {
            for peer in rule.ends().flat_map(|list| list.iter()) {
                peer.visit(&mut |p| self.peer(p));
            }
            if let Ports::Of(list) = &rule.ports {
                list.iter().for_each(|port| self.port(port));
            }
        }
    }

    fn subject(&mut self, subject: &'p Subject) {
        self.selected(&subject.namespaces, &subject.pods);
    }

    fn peer(&mut self, peer: &'p Peer) {
        if let Peer::Pods(namespaces, pods) = peer {
            self.selected(namespaces, pods);
        }
    }

    fn selected(&mut self, namespaces: &'p Namespaces, pods: &'p Selector) {
        if !pods.is_everything() {
            self.pods.insert((namespaces, pods));
        }
        match namespaces {
            Namespaces::Named(name) => {
                self.names
                    .extend(Some(name).filter(|name| is_dns_label(name)).cloned());
            }
            Namespaces::Matching(selector) => {
                for requirement in selector.requirements() {
                    requirement.visit(&mut |part| self.name(part));
                }
                self.namespaces.insert(selector);
            }
            Namespaces::SameLabels(keys) | Namespaces::NotSameLabels(keys) => {
                self.compared.extend(keys.iter().map(|key| &**key));
            }
        }
    }

    fn name(&mut self, requirement: &Requirement) {
        if requirement.key() != NAMESPACE_NAME_LABEL {
            return;
        }
        let named = requirement.values().iter().map(ToString::to_string);
        let like = match requirement {
            Requirement::Like(_, pattern) => pattern.examples(),
            _ => Vec::new(),
        };
        // what no namespace can be called, none is
        let possible = named.chain(like).filter(|name| is_dns_label(name));
        self.names.extend(possible.map(String::into_boxed_str));
    }

    fn port(&mut self, port: &'p PortMatch) {
        match port {
            PortMatch::Named(name, _) => _ = self.ports.insert(name),
            PortMatch::Traffic(set) => {
                let whole = |p: &Protocol| TrafficSet::protocol(*p).is_subset(set);
                let every = Protocol::ALL.into_iter().filter(whole);
                let every = every.fold(TrafficSet::empty(), |all, p| {
                    all.union(&TrafficSet::protocol(p))
                });
                self.numbers = self.numbers.union(&set.difference(&every));
            }
            PortMatch::Portless(_) => {}
        }
    }

    /// A number for each port name that no rule mentions, in every protocol: what a pod may
    /// declare.
    pub fn declared_ports(&self) -> Vec<(&'p str, Protocol, u16)> {
        let mut found = Vec::new();
        for (name, port) in self.ports.iter().zip(self.unmentioned_ports()) {
            found.extend(Protocol::ALL.map(|protocol| (*name, protocol, port)));
        }
        found
    }

    /// A number that no rule mentions and no name stands for; 0 where there is none.
    pub fn unmentioned_port(&self) -> u16 {
        let mut others = self.unmentioned_ports().skip(self.ports.len());
        others.next().unwrap_or(0)
    }

    fn unmentioned_ports(&self) -> impl Iterator<Item = u16> {
        let taken = |port: u16| {
            let mut each = Protocol::ALL.into_iter();
            each.any(|protocol| self.numbers.contains(Traffic { protocol, port }))
        };
        (20_000..u16::MAX).filter(move |port| !taken(*port))
    }
}
