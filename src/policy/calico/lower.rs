//! A policy of Calico lowered into one of the rule form (CA50-CA59, CA70-CA93).
//!
//! A rule of Calico says who sends and who receives, each by labels, blocks and ports at once. It
//! becomes one or more rules that follow each other and do the same, because a port name or a
//! source port holds for some ends only; the [`Layout`] finds them again. What a side means depends
//! on network sets, host endpoints and Services, so a policy is lowered when it is read, without
//! these, and once more for each graph ([`super::specialize`]).

use crate::model::{Labels, Selector, Truth};
use crate::policy::calico::boxes::{Boxes, RuleBox};
use crate::policy::calico::expression::LabelExpression;
use crate::policy::calico::knowledge::{CalicoKnowledge, SidePeers};
use crate::policy::calico::objects::{CalicoObjects, HostEndpoint};
use crate::policy::calico::options::CalicoSettings;
use crate::policy::calico::policy::{CalicoPolicy, CalicoRule, RuleAction, RuleSide};
use crate::policy::calico::selector::{
    ACCOUNT, NAMESPACE, both, of_accounts, of_namespaces, pods, selects_thing, within_accounts,
    within_namespaces,
};
use crate::policy::layout::{Layout, PeersPlace, PortsPlace, RulePlace};
use crate::policy::rule::{
    Action, Direction, Namespaces, Peer, Peers, Policy, PolicySource, Ports, Qualifier, Rule,
    Shape, Subject, Symbol,
};
use crate::policy::tier::kubernetes;
use crate::set::{Family, IpSet};
use crate::source::{DocumentId, Path};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How the parts of a `NetworkPolicy` of Calico are called.
pub static NAMESPACED: Shape = shape("NetworkPolicy.projectcalico.org", "projectcalico.org/v3");
/// How the parts of a `GlobalNetworkPolicy` are called.
pub static GLOBAL: Shape = shape("GlobalNetworkPolicy", "projectcalico.org/v3");
/// How the parts of a `StagedNetworkPolicy` are called.
pub static STAGED: Shape = shape("StagedNetworkPolicy", "projectcalico.org/v3");
/// How the parts of a `StagedGlobalNetworkPolicy` are called.
pub static STAGED_GLOBAL: Shape = shape("StagedGlobalNetworkPolicy", "projectcalico.org/v3");
/// How the parts of a `StagedKubernetesNetworkPolicy` are called.
pub static STAGED_KUBERNETES: Shape = Shape {
    kind: "StagedKubernetesNetworkPolicy",
    api_version: "projectcalico.org/v3",
    ..crate::policy::network_policy::SHAPE
};
/// The same of stored ones.
pub static STORED_NAMESPACED: Shape = shape(
    "NetworkPolicy.crd.projectcalico.org",
    "crd.projectcalico.org/v1",
);
/// The same of stored ones.
pub static STORED_GLOBAL: Shape = shape("GlobalNetworkPolicy", "crd.projectcalico.org/v1");

const fn shape(kind: &'static str, api_version: &'static str) -> Shape {
    Shape {
        kind,
        api_version,
        rules: ["ingress", "egress"],
        peers: ["source", "destination"],
        ports: "ports",
        subject: "selector",
        allow: "Allow",
        has_actions: true,
    }
}

/// Where a policy stands.
#[derive(Debug, Clone, Copy)]
pub struct PolicyStanding<'s> {
    /// Its name.
    pub name: &'s str,
    /// The document.
    pub document: DocumentId,
    /// Whether it is of the group in which objects are stored.
    pub stored: bool,
}

/// Lowers a policy.
pub fn lower(
    written: &Arc<CalicoPolicy>,
    standing: &PolicyStanding<'_>,
    known: &CalicoKnowledge<'_>,
) -> Policy {
    let each = Direction::ALL.map(|way| {
        let seen = SeenAs { way, governed: way };
        lower_rules(
            &written.rules[way.index()],
            written.namespace.as_deref(),
            seen,
            known,
        )
    });
    let [ingress, egress] = each;
    let (rules, places) = ([ingress.0, egress.0], [ingress.1, egress.1]);
    let layout = Layout {
        root: Path::root().key("spec"),
        rules: places,
    };
    let enforced = written.staged.is_none() || known.settings.staged;
    let governs = enforced && written.stage.governs_pods();
    let (namespaces, pods) = pods(&subject(written));
    Policy {
        namespace: written.namespace.clone(),
        name: standing.name.into(),
        document: standing.document,
        shape: shape_of(written, standing.stored),
        tier: kubernetes::NETWORK,
        priority: written.order,
        tie: Some(tie(written, known.settings).into()),
        subject: Subject { namespaces, pods },
        applies: written.types.map(|on| on && governs),
        isolates: written.types,
        sees_own_service: Truth::Yes, // CA49
        rules,
        layout: Some(Arc::new(layout)),
        written: Some(PolicySource::Calico(Arc::clone(written))),
        generated: None,
    }
}

/// From which end rules are looked at.
#[derive(Debug, Clone, Copy)]
pub struct SeenAs {
    /// The list that they stand in: what enters an endpoint, or what leaves it.
    pub way: Direction,
    /// The end that is governed: the destination of what it lets in, the source of what it lets
    /// out. Of a host endpoint that others' traffic passes it may be either.
    pub governed: Direction,
}

/// Lowers a list of rules, each with the place where it stands.
pub fn lower_rules(
    written: &[CalicoRule],
    namespace: Option<&str>,
    seen: SeenAs,
    known: &CalicoKnowledge<'_>,
) -> (Vec<Rule>, Vec<RulePlace>) {
    let lowering = SideLowering { known, namespace };
    let (mut rules, mut places) = (Vec::new(), Vec::new());
    let peers = ["source", "destination"][seen.governed.index()];
    for (index, rule) in written.iter().enumerate() {
        let at = Path::root().key(seen.way.name()).index(index);
        for lowered in lowering.rule(rule, seen) {
            rules.push(lowered);
            places.push(RulePlace::Parts {
                rule: at.clone(),
                peers: PeersPlace::Field(at.key(peers)),
                ports: PortsPlace::List(at.key("destination").key("ports")),
            });
        }
    }
    (rules, places)
}

/// What decides between policies of one order (CA45): the name, the namespace and the kind; until
/// 3.31 the name alone that a policy was stored under.
fn tie(written: &CalicoPolicy, settings: &CalicoSettings) -> String {
    let (name, tier) = (&written.stored_name, &written.tier);
    let namespace = written.namespace.as_deref();
    if settings.ties_by_name() {
        // a staged one is asked only where it was promoted to its enforced kind (CA112)
        let kind = match namespace {
            Some(_) => "NetworkPolicy",
            None => "GlobalNetworkPolicy",
        };
        return format!("{name}/{}/{kind}", namespace.unwrap_or_default());
    }
    let has_tier = name
        .strip_prefix(&**tier)
        .is_some_and(|rest| rest.starts_with('.'));
    let stored = if has_tier {
        name.to_string()
    } else {
        format!("{tier}.{name}")
    };
    match namespace {
        Some(namespace) => format!("{namespace}/{stored}"),
        None => stored,
    }
}

fn shape_of(written: &CalicoPolicy, stored: bool) -> &'static Shape {
    match (
        written.staged.is_some(),
        written.namespace.is_some(),
        stored,
    ) {
        (true, true, _) => &STAGED,
        (true, false, _) => &STAGED_GLOBAL,
        (false, true, false) => &NAMESPACED,
        (false, false, false) => &GLOBAL,
        (false, true, true) => &STORED_NAMESPACED,
        (false, false, true) => &STORED_GLOBAL,
    }
}

/// Whom a policy governs, over all labels (CA50-CA53).
pub fn subject(written: &CalicoPolicy) -> LabelExpression {
    let mut parts = Vec::new();
    if let Some(own) = &written.namespace {
        parts.push(LabelExpression::In(NAMESPACE.into(), vec![own.clone()]));
    }
    let namespaces = written.namespaces.as_ref();
    parts.extend(
        written
            .selector
            .as_ref()
            .map(|selector| match (namespaces, &written.accounts) {
                (Some(_), _) => within_namespaces(selector),
                (None, Some(_)) => within_accounts(selector),
                (None, None) => selector.clone(),
            }),
    );
    parts.extend(namespaces.map(of_namespaces));
    parts.extend(written.accounts.as_ref().map(of_accounts));
    both(parts)
}

/// Lowers the rules of one policy.
struct SideLowering<'k> {
    known: &'k CalicoKnowledge<'k>,
    namespace: Option<&'k str>,
}

impl SideLowering<'_> {
    fn rule(&self, rule: &CalicoRule, seen: SeenAs) -> Vec<Rule> {
        let action = match rule.action {
            RuleAction::Allow => Action::Allow,
            RuleAction::Deny => Action::Deny,
            RuleAction::Pass => Action::Pass,
            RuleAction::Log => return Vec::new(), // CA72
        };
        let sides = [&rule.source, &rule.destination].map(|side| self.side(side));
        let families = families(rule, &sides);
        let boxes = Boxes {
            known: self.known,
            rule,
            sides: &sides,
            direction: seen.way,
        };
        let mut rules: Vec<Rule> = boxes
            .all()
            .into_iter()
            .map(|found| self.of_box(action, rule, found, seen.governed, families.as_ref()))
            .collect();
        if rules.is_empty() {
            rules.push(Rule::new(action, Peers::Of([].into()), Ports::Any));
        }
        rules
    }

    fn of_box(
        &self,
        action: Action,
        rule: &CalicoRule,
        found: RuleBox,
        governed: Direction,
        families: Option<&IpSet>,
    ) -> Rule {
        let (mut own, mut other) = (found.destination, found.source);
        if governed == Direction::Egress {
            std::mem::swap(&mut own, &mut other);
        }
        other.extend(families.map(|set| Peer::Addresses(set.clone())));
        let mut qualifiers = Vec::new();
        qualifiers.extend(found.source_ports.map(Qualifier::SourcePorts));
        qualifiers.extend(rule.http.clone().map(Qualifier::Application));
        Rule {
            action,
            peers: all_of(other),
            ports: found.ports,
            subjects: all_of(own),
            name: None,
            qualifiers,
        }
    }

    /// CA54-CA58, CA76-CA81.
    fn side(&self, side: &RuleSide) -> SidePeers {
        let positive = self.positive(side);
        let not = side.not_selector.as_ref();
        let mut besides = Vec::new();
        let selected = match (positive, not) {
            (None, None) => None,
            (Some(positive), None) => Some(positive),
            (Some(positive), Some(not)) => {
                let without = LabelExpression::Not(Box::new(not.clone()));
                Some(both(vec![positive, without]))
            }
            (None, Some(not)) => {
                besides.push(Peer::NoneOf([self.things(not).0].into()));
                None
            }
        };
        if !side.nets.is_empty() {
            besides.push(Peer::Addresses(blocks(&side.nets)));
        }
        if !side.not_nets.is_empty() {
            let not = Peer::Addresses(blocks(&side.not_nets));
            besides.push(Peer::NoneOf([not].into()));
        }
        let families = Family::ALL.map(|family| {
            let own = |net: &IpNet| Family::of(net.addr()) == family;
            side.not_nets.is_empty() || side.not_nets.iter().any(own) // CA77
        });
        let Some(selected) = selected else {
            let everywhere = Namespaces::Matching(Selector::everything());
            return SidePeers {
                selected: None,
                pods: Peer::Pods(everywhere, Selector::everything()),
                besides,
                hosts: (0..self.known.objects.hosts.len()).collect(),
                families,
            };
        };
        let (things, hosts) = self.things(&selected);
        let (namespaces, labels) = pods(&selected);
        SidePeers {
            selected: Some(things),
            pods: Peer::Pods(namespaces, labels),
            besides,
            hosts,
            families,
        }
    }

    /// What a side asks for, as one expression over all labels (CA54-CA57).
    fn positive(&self, side: &RuleSide) -> Option<LabelExpression> {
        let mut parts = Vec::new();
        match (&side.namespaces, self.namespace) {
            (Some(namespaces), _) => parts.push(of_namespaces(namespaces)),
            (None, Some(own)) if side.selects() => {
                parts.push(LabelExpression::In(NAMESPACE.into(), vec![own.into()]));
            }
            _ => {}
        }
        parts.extend(side.selector.clone());
        if !side.account_names.is_empty() {
            parts.push(LabelExpression::In(
                ACCOUNT.into(),
                side.account_names.clone(),
            ));
        }
        parts.extend(side.accounts.as_ref().map(of_accounts));
        (!parts.is_empty()).then(|| both(parts))
    }

    /// The pods that an expression selects and the addresses of the network sets and host
    /// endpoints that it does; and which of the latter (CA19, CA80, CA104).
    fn things(&self, expression: &LabelExpression) -> (Peer, Vec<usize>) {
        let (namespaces, labels) = pods(expression);
        let mut all = vec![Peer::Pods(namespaces, labels)];
        let (mut certain, mut hosts) = (IpSet::empty(), Vec::new());
        let mut perhaps = IpSet::empty();
        for set in &self.known.objects.sets {
            let namespace = set.namespace.as_deref();
            let namespace = namespace.map(|name| (name, self.labels_of(name)));
            match selects_thing(expression, &set.labels, namespace) {
                Truth::Yes => certain = certain.union(&set.nets),
                Truth::Maybe => perhaps = perhaps.union(&set.nets),
                Truth::No => {}
            }
        }
        for (i, host) in self.known.objects.hosts.iter().enumerate() {
            if selects_thing(expression, &host_labels(self.known.objects, host), None).possible() {
                certain = certain.union(&host.set());
                hosts.push(i);
            }
        }
        if !certain.is_empty() {
            all.push(Peer::Addresses(certain));
        }
        if !perhaps.is_empty() {
            let parts = [Peer::Addresses(perhaps), Peer::Symbol(Symbol::Perhaps)];
            all.push(Peer::AllOf(parts.into()));
        }
        match all.len() {
            1 => (all.swap_remove(0), hosts),
            _ => (Peer::AnyOf(all.into()), hosts),
        }
    }

    /// The labels of a namespace, if they are all known.
    fn labels_of(&self, name: &str) -> Option<&Labels> {
        let cluster = self.known.cluster?;
        let namespace = cluster.namespace(cluster.find_namespace(name)?);
        namespace.declared.is_some().then_some(&namespace.labels)
    }
}

/// The labels of a host endpoint, with those that its profiles give it (CA19).
pub fn host_labels(objects: &CalicoObjects, host: &HostEndpoint) -> Labels {
    let listed = |name: &str| objects.profiles.iter().find(|p| *p.name == *name);
    let given = host.profiles.iter().filter_map(|name| listed(name));
    let given = given.flat_map(|profile| profile.labels.iter());
    given.chain(host.labels.iter()).collect()
}

fn blocks(nets: &[IpNet]) -> IpSet {
    IpSet::from_cidrs(nets.iter().copied())
}

/// All of these, as the peers of a rule.
fn all_of(mut parts: Vec<Peer>) -> Peers {
    match parts.len() {
        0 => Peers::Any,
        1 => match parts.swap_remove(0) {
            Peer::AnyOf(list) => Peers::Of(list),
            only => Peers::Of([only].into()),
        },
        _ => Peers::Of([Peer::AllOf(parts.into())].into()),
    }
}

/// The addresses of the families that a rule is for, if not both (CA73, CA75, CA77).
fn families(rule: &CalicoRule, sides: &[SidePeers; 2]) -> Option<IpSet> {
    let is_for = |family: &Family| {
        rule.families.is_none_or(|own| own == *family)
            && sides.iter().all(|side| side.families[family.index()])
    };
    let all: BTreeSet<Family> = Family::ALL.into_iter().filter(is_for).collect();
    if all.len() == Family::ALL.len() {
        return None;
    }
    let each = all.iter().map(|family| IpSet::full().only(*family));
    Some(each.fold(IpSet::empty(), |so_far, next| so_far.union(&next)))
}
