//! # NP706 not-nets-void
//!
//! **What it does.** Reports a rule of Calico that matches nothing because of its `notNets`.
//!
//! **Why it is bad.** `notNets` make a rule one of the address families that they name. With a
//! block of every address of a family nothing is left of it: the rule is accepted and never
//! matches.
//!
//! **What it looks at.** Rules whose `notNets` leave no address of any family that they are for.
//!
//! **When it stays silent.** Where an address of some family is left.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Global network policy" in Calico's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;
use crate::policy::calico::policy::RuleSide;
use crate::set::{Family, IpSet};
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, _, written) in context.calico_policies() {
        for direction in Direction::ALL {
            for (i, rule) in written.rules[direction.index()].iter().enumerate() {
                let sides = [(&rule.source, "source"), (&rule.destination, "destination")];
                for (_, field) in sides.into_iter().filter(|(side, _)| is_void(side)) {
                    let path = Path::root().key("spec").key(direction.name());
                    let path = path.index(i).key(field).key("notNets");
                    let message = "nothing is left beside these blocks: the rule never matches";
                    let finding = reporter.field(id, path, message);
                    reporter.push(finding.help("leave out the block of every address"));
                }
            }
        }
    }
}

fn is_void(side: &RuleSide) -> bool {
    let not = IpSet::from_cidrs(side.not_nets.iter().copied());
    let named = |family: &Family| !not.only(*family).is_empty();
    let mut families = Family::ALL.into_iter().filter(named).peekable();
    families.peek().is_some() && families.all(|family| IpSet::full().only(family).is_subset(&not))
}
