//! What an `AuthorizationPolicy` means at a proxy (IS20-IS37, IS50-IS52).
//!
//! A rule is `from` and `to` and `when`. Each entry of `to` makes rules of its own, whose peers are
//! the entries of `from`; what is asked of requests is dropped or becomes a condition, by what the
//! proxy reads of a connection.

use crate::model::Truth;
use crate::policy::istio::callers::{CallerReader, MeshCaller, anyone_identified, every_one};
use crate::policy::istio::labels::IDENTITY;
use crate::policy::istio::operations::{Asked, Conditions, addresses, asked, tcp};
use crate::policy::istio::profile::IstioProfile;
use crate::policy::istio::settings::{Dataplane, IstioSettings};
use crate::policy::istio::written::{
    Authorization, AuthorizationAction, OperationForm, RuleOfIstio, SourceForm,
};
use crate::policy::layer_policy::PlacedRules;
use crate::policy::layout::{PeersPlace, PortsPlace, RulePlace};
use crate::policy::rule::{Action, Peer, Peers, PortMatch, Ports, Qualifier, Rule};
use crate::set::TrafficSet;
use crate::source::Path;

/// What the rules of a policy are lowered with.
pub struct Lowering<'l> {
    /// The settings.
    pub settings: &'l IstioSettings,
    /// The namespace of the policy.
    pub namespace: &'l str,
    /// By what the proxy goes.
    pub profile: &'l IstioProfile,
    /// The number of the first condition on the destination's address of the policy.
    pub first_address: usize,
}

/// Everything that the proxies let by (IS3).
pub fn other_traffic() -> TrafficSet {
    TrafficSet::all().difference(&tcp())
}

impl Lowering<'_> {
    /// The rules of a policy, each with its place.
    pub fn rules(&self, policy: &Authorization) -> PlacedRules {
        let mut rules = Vec::new();
        let mut address = self.first_address;
        for (i, rule) in policy.rules.iter().enumerate() {
            self.rule(policy, rule, i, address, &mut rules);
            address += addresses(rule).count();
        }
        rules
    }

    fn rule(
        &self,
        policy: &Authorization,
        rule: &RuleOfIstio,
        index: usize,
        address: usize,
        into: &mut PlacedRules,
    ) {
        let held = (address..).zip(addresses(rule));
        let held = held.map(|(at, _)| self.profile.addresses.get(at).copied());
        let held = held.fold(Truth::Yes, |all, one| all.and(one.unwrap_or(Truth::Maybe)));
        if !held.possible() {
            return;
        }
        for (shown, ports) in self.profile.identities() {
            let read = ReadRule {
                lowering: self,
                policy,
                rule,
                index,
                shown,
                sure: held == Truth::Yes,
            };
            read.on(&ports, into);
        }
    }
}

/// One rule at one kind of proxy, where a label tells which callers show their identities.
struct ReadRule<'r> {
    lowering: &'r Lowering<'r>,
    policy: &'r Authorization,
    rule: &'r RuleOfIstio,
    index: usize,
    shown: &'static str,
    sure: bool,
}

impl ReadRule<'_> {
    /// The rules on some ports.
    fn on(&self, ports: &TrafficSet, into: &mut PlacedRules) {
        let conditions = Conditions::new(self.rule);
        let profile = self.lowering.profile;
        let read_before = self.is_behind_waypoint() && self.asks_about_requests(&conditions);
        let plain = match profile.dataplane {
            Dataplane::Ambient if read_before => TrafficSet::empty(), // IS52
            Dataplane::Ambient => tcp(),
            Dataplane::Sidecar => profile.plain.clone(),
        };
        let plain = ports.intersection(&plain);
        self.of_connections(&plain, &conditions, into);
        self.of_requests(&ports.difference(&plain), &conditions, into);
    }

    /// Whether callers of the mesh come by a waypoint, whose identity is then the caller's (IS62).
    fn is_behind_waypoint(&self) -> bool {
        self.lowering.profile.waypoint.possible()
    }

    /// Whether the rule has a field that only a request shows.
    fn asks_about_requests(&self, conditions: &Conditions) -> bool {
        let callers = self.callers(conditions);
        let mut of_callers = callers.iter().flat_map(|(_, caller)| &caller.requests);
        let mut asked = self.asked().into_iter();
        conditions.requests
            || of_callers.next().is_some()
            || asked.any(|asked| !asked.requests.is_empty())
    }

    /// Where the proxy reads connections only (IS50-IS52).
    fn of_connections(&self, ports: &TrafficSet, conditions: &Conditions, into: &mut PlacedRules) {
        let (callers, asked) = (self.callers(conditions), self.asked());
        let action = self.policy.action;
        if action == AuthorizationAction::Allow && self.asks_about_requests(conditions) {
            return; // IS50
        }
        let ambient = self.lowering.profile.dataplane == Dataplane::Ambient;
        if ambient && action == AuthorizationAction::Custom {
            return; // IS14
        }
        // IS26, IS52: in ambient an entry without a field of connections matches nothing
        let counts = |told: bool, written: bool| !ambient || told || !written;
        let unread = ambient && conditions.requests;
        for asked in asked
            .iter()
            .filter(|a| counts(a.is_told, a.place.is_some()))
        {
            let meant = callers.iter().filter(|(place, caller)| {
                let own = caller.all.len() > conditions.constraints();
                counts(own, place.is_some())
            });
            let on = asked
                .ports
                .intersection(ports)
                .intersection(&conditions.ports);
            self.push(meant, asked, &on, &[], self.sure && !unread, into);
        }
    }

    /// Where the proxy may read requests: what is asked of them is a condition.
    fn of_requests(&self, ports: &TrafficSet, conditions: &Conditions, into: &mut PlacedRules) {
        if ports.is_empty() {
            return;
        }
        let callers = self.callers(conditions);
        let when = conditions.requests.then_some("when");
        for asked in &self.asked() {
            let on = asked
                .ports
                .intersection(ports)
                .intersection(&conditions.ports);
            for reads in [false, true] {
                let meant = callers.iter();
                let meant = meant.filter(|(_, caller)| caller.requests.is_empty() != reads);
                let meant: Vec<_> = meant.collect();
                let of_callers = meant.iter().flat_map(|(_, caller)| &caller.requests);
                let mut requests: Vec<&str> = of_callers.chain(&asked.requests).copied().collect();
                requests.extend(when);
                requests.dedup();
                self.push(meant.into_iter(), asked, &on, &requests, self.sure, into);
            }
        }
    }

    /// An entry of `from` with the conditions of the rule.
    fn caller(&self, source: &SourceForm, conditions: &Conditions) -> MeshCaller {
        let reader = CallerReader {
            settings: self.lowering.settings,
            namespace: self.lowering.namespace,
            shown: self.shown,
        };
        let mut caller = reader.caller(source);
        for further in &conditions.sources {
            let further = reader.caller(further);
            caller.all.extend(further.all);
            caller.foreign |= further.foreign;
        }
        caller
    }

    /// The entries of `from` with the conditions of the rule, each with its place; one without a
    /// place where there is none.
    fn callers(&self, conditions: &Conditions) -> Vec<(Option<usize>, MeshCaller)> {
        let with = |place, source: &SourceForm| (place, self.caller(source, conditions));
        let nothing = SourceForm::default();
        let entries = self.rule.from.as_deref().unwrap_or_default();
        if entries.is_empty() {
            return vec![with(None, &nothing)];
        }
        let each = entries.iter().enumerate();
        each.map(|(i, from)| with(Some(i), from.source.as_ref().unwrap_or(&nothing)))
            .collect()
    }

    fn asked(&self) -> Vec<Asked> {
        let entries = self.rule.to.as_deref().unwrap_or_default();
        if entries.is_empty() {
            return vec![Asked {
                ports: tcp(),
                requests: Vec::new(),
                is_told: false,
                place: None,
            }];
        }
        let nothing = OperationForm::default();
        let each = entries.iter().enumerate();
        each.map(|(i, to)| asked(to.operation.as_ref().unwrap_or(&nothing), i))
            .collect()
    }

    /// Adds one rule for some callers.
    fn push<'c>(
        &self,
        callers: impl Iterator<Item = &'c (Option<usize>, MeshCaller)>,
        asked: &Asked,
        ports: &TrafficSet,
        requests: &[&str],
        sure: bool,
        into: &mut PlacedRules,
    ) {
        let (mut peers, mut places) = (Vec::new(), Vec::new());
        let (mut anyone, mut foreign) = (false, false);
        for (place, caller) in callers {
            foreign |= caller.foreign;
            let mut all = caller.all.clone();
            if self.is_behind_waypoint() {
                all.push(Peer::NoneOf([anyone_identified(IDENTITY)].into())); // IS62
            }
            let Some(peer) = every_one(all) else {
                anyone = true;
                continue;
            };
            peers.push(peer);
            places.push(*place);
        }
        if ports.is_empty() || peers.is_empty() && !anyone {
            return;
        }
        let mut qualifiers = Vec::new();
        if !requests.is_empty() {
            let words = format!("a request with the right {}", requests.join(", "));
            qualifiers.push(Qualifier::Application(words.into()));
        }
        if foreign {
            let words = "the trust domain that the policy names";
            qualifiers.push(Qualifier::Identity(words.into()));
        }
        if !sure {
            let words = "which policy of the mesh counts";
            qualifiers.push(Qualifier::Undocumented(words.into()));
        }
        if self.policy.action == AuthorizationAction::Custom {
            let who = self.policy.provider.as_deref().unwrap_or("its provider");
            qualifiers.push(Qualifier::Application(format!("{who} refuses it").into()));
        }
        let action = match self.policy.action {
            AuthorizationAction::Deny | AuthorizationAction::Custom => Action::Deny,
            AuthorizationAction::Allow | AuthorizationAction::Audit => Action::Allow,
        };
        let peers = if anyone {
            Peers::Any
        } else {
            Peers::Of(peers.into())
        };
        let ports = Ports::Of([PortMatch::Traffic(ports.clone())].into());
        let rule = Rule {
            qualifiers,
            ..Rule::new(action, peers, ports)
        };
        into.push((rule, self.place(asked, &places)));
    }

    fn place(&self, asked: &Asked, callers: &[Option<usize>]) -> RulePlace {
        let rule = Path::root().key("rules").index(self.index);
        let caller = |place: &Option<usize>| match place {
            Some(i) => rule.key("from").index(*i).key("source"),
            None => rule.clone(),
        };
        let operation = asked
            .place
            .map(|i| rule.key("to").index(i).key("operation"));
        RulePlace::Parts {
            peers: PeersPlace::Each(callers.iter().map(caller).collect()),
            ports: PortsPlace::List(operation.map_or_else(|| rule.clone(), |at| at.key("ports"))),
            rule,
        }
    }
}
