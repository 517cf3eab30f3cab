//! # NP020 split-rule
//!
//! **What it does.** Reports when one rule was split in two by a stray dash: a rule with only peers
//! next to one with only ports.
//!
//! **Why it is bad.** Inside a rule both conditions must hold: these ports, with these peers. As
//! two rules either is enough: every port with these peers, and these ports with everybody.
//!
//! **What it looks at.** The ports that the destination pods declare. A warning when all of them
//! are among the ports that are open to everybody, so that the rule with the peers adds nothing to
//! them; or, where no such pod is in the input, when the ports are sensitive ones. Fixed
//! automatically: the dash is removed.
//!
//! **When it stays silent.** For the ports of the DNS, and of the web towards the internet, which
//! are often opened to everybody; when a rule says `from: []` or `to: []`; when the pods declare
//! further ports.
//!
//! **Settings.** `lint.sensitive-ports`.
//!
//! **References.** <https://github.com/cloudnativelabs/kube-router/issues/389>.

use crate::diagnostic::Place;
use crate::finding::{Finding, TreeEdit};
use crate::lint::context::{LintContext, SelectedPods};
use crate::lint::dns::dns_traffic;
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::policy::{Direction, Peers, Policy, PolicyId, Ports, Rule, RuleRef};
use crate::set::{Protocol, TrafficSet};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        for direction in Direction::ALL {
            if policy.isolates(direction) {
                check_rules(context, reporter, (id, policy), direction);
            }
        }
    }
}

/// Reports the neighbouring rules of one direction that may have been meant as one.
fn check_rules(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    (id, policy): (PolicyId, &Policy),
    direction: Direction,
) {
    for (i, pair) in policy.rules(direction).windows(2).enumerate() {
        let halves = match pair {
            [peers, ports] if is_peers(peers) && is_ports(ports) => (i, i + 1),
            [ports, peers] if is_ports(ports) && is_peers(peers) => (i + 1, i),
            _ => continue,
        };
        let [peers, ports] = [halves.0, halves.1].map(|n| RuleRef::rule(id, direction, n));
        if is_empty_list(context, policy, ports) {
            continue;
        }
        let finding = finding(context, reporter, policy, (peers, ports));
        finding.into_iter().for_each(|f| reporter.push(f));
    }
}

/// Whether a rule names peers and no ports.
fn is_peers(rule: &Rule) -> bool {
    rule.peers != Peers::Any && rule.ports == Ports::Any
}

/// Whether a rule names ports and no peers.
fn is_ports(rule: &Rule) -> bool {
    rule.peers == Peers::Any && rule.ports != Ports::Any
}

/// Whether a rule without peers says so by an empty list.
fn is_empty_list(context: &LintContext<'_>, policy: &Policy, rule_ref: RuleRef) -> bool {
    let key = policy.shape.peers[rule_ref.direction.index()];
    let path = policy.path(rule_ref).key(key);
    context.written(policy, &path, |_| ()).is_some()
}

/// The finding about a rule with peers and one with ports, where the second leaves the first
/// nothing to add.
fn finding(
    context: &LintContext<'_>,
    reporter: &Reporter<'_>,
    policy: &Policy,
    (peers, ports): (RuleRef, RuleRef),
) -> Option<Finding> {
    let rule = |at: RuleRef| policy.rules(at.direction).get(at.rule as usize);
    let (with_peers, with_ports) = (rule(peers)?, rule(ports)?);
    let to = context.destinations(peers, with_peers);
    let opened = opened(context, with_ports, &to);
    if opened.is_subset(&dns_traffic()) {
        return None;
    }
    let why = reason(context, ports, &opened, &to)?;
    let second = if ports.rule > peers.rule {
        ports
    } else {
        peers
    };
    let place = policy.origin(second);
    let line = context.locator.locate(&place).map_or(0, |l| l.at.line);
    let who = match ports.direction {
        Direction::Ingress => "from everybody",
        Direction::Egress => "to everybody",
    };
    let open = words::traffic(&opened);
    let finding = reporter
        .rule(
            second,
            "this \"-\" starts a new rule, so either rule alone is enough",
        )
        .likely()
        .label(format!("{open} {who}, and every port of the peers"));
    let first = if ports.rule > peers.rule {
        peers
    } else {
        ports
    };
    Some(
        finding
            .related(Place::Origin(policy.origin(first)), "the other half")
            .note(why)
            .help(format!("delete the \"-\" on line {line}"))
            .fix([TreeEdit::JoinPrevious(place)]),
    )
}

/// What a rule opens at its destinations.
fn opened(context: &LintContext<'_>, rule: &Rule, to: &SelectedPods) -> TrafficSet {
    to.pods.iter().fold(numeric_traffic(rule), |all, pod| {
        all.union(&context.traffic(rule, context.cluster.pod(*pod)))
    })
}

/// The sign that the rules were meant as one, if there is any.
fn reason(
    context: &LintContext<'_>,
    ports: RuleRef,
    opened: &TrafficSet,
    to: &SelectedPods,
) -> Option<String> {
    let web = [80, 443].iter().fold(TrafficSet::empty(), |all, n| {
        all.union(&TrafficSet::ports(Protocol::Tcp, *n, *n))
    });
    if ports.direction == Direction::Egress && !opened.is_disjoint(&web) {
        return None;
    }
    if to.pods.is_empty() || to.open {
        let sensitive = opened.intersection(&context.config.sensitive_ports);
        return (!sensitive.is_empty() && sensitive == *opened)
            .then(|| "such a port is seldom meant for everybody".to_owned());
    }
    let declared = to
        .pods
        .iter()
        .flat_map(|p| context.cluster.pod(*p).ports.iter())
        .fold(TrafficSet::empty(), |all, p| all.union(&p.traffic()));
    (!declared.is_empty() && declared.is_subset(opened)).then(|| {
        let who = words::names(context.cluster, &to.pods);
        format!("{who} declares no other port, so the peers are let in on nothing more")
    })
}
