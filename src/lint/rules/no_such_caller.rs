//! # NP024 no-such-caller
//!
//! **What it does.** Reports when an ingress rule speaks of the address of the cloud's metadata
//! service, or of other addresses of the link.
//!
//! **Why it is bad.** Nothing ever connects from there: the metadata service answers and never
//! calls. What is meant is the way out, which such a policy leaves open.
//!
//! **What it looks at.** `cidr` and `except` of the address blocks of ingress rules that lie within
//! `169.254.0.0/16` or `fe80::/10`, or are the metadata service's `fd00:ec2::254`.
//!
//! **When it stays silent.** For egress rules, and for wider blocks.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/ramanagali/Interview_Guide/issues/5>.

use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::policy::validate::parse_cidr;
use crate::policy::{Direction, Peer, Policy, RuleRef};
use crate::set::IpSet;
use crate::source::Path;
use crate::tree::SyntaxNode;

/// Addresses that nothing connects from.
const NEVER: [&str; 3] = ["169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"];

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let never = IpSet::from_cidrs(NEVER.iter().filter_map(|c| parse_cidr(c)));
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule_ref.direction != Direction::Ingress || !policy.isolates(Direction::Ingress) {
            continue;
        }
        for (i, peer) in peers(rule).iter().enumerate() {
            if !matches!(peer, Peer::Addresses(_)) {
                continue;
            }
            for (path, text) in blocks(context, policy, rule_ref.with_peer(i)) {
                let block = parse_cidr(&text).map(|c| IpSet::from_cidrs([c]));
                if block.is_some_and(|b| b.is_subset(&never)) {
                    let message = format!("nothing connects from {text}");
                    reporter.push(
                        reporter
                            .field(rule_ref.policy, path, message)
                            .likely()
                            .label("an address that answers and never calls")
                            .help("write it under egress, if what the pods may reach is meant"),
                    );
                }
            }
        }
    }
}

/// The blocks of a peer as they are written, with their paths.
fn blocks(context: &LintContext<'_>, policy: &Policy, rule_ref: RuleRef) -> Vec<(Path, String)> {
    let path = policy.path(rule_ref).key("ipBlock");
    let (cidr, except) = (path.key("cidr"), path.key("except"));
    let text = |n: &SyntaxNode| n.as_str().map(str::to_owned);
    let list = |n: &SyntaxNode| n.items().iter().map(text).collect::<Vec<_>>();
    let single = context.written(policy, &cidr, text).flatten();
    let excepts = context.written(policy, &except, list).unwrap_or_default();
    let excepts = excepts
        .into_iter()
        .enumerate()
        .filter_map(|(i, text)| Some((except.index(i), text?)));
    single
        .map(|t| (cidr, t))
        .into_iter()
        .chain(excepts)
        .collect()
}
