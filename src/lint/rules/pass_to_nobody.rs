//! # NP804 pass-to-nobody
//!
//! **What it does.** Reports a rule of Antrea that passes where nobody decides behind it.
//!
//! **Why it is bad.** Pass leaves the decision to the `NetworkPolicies`, and behind them to tier
//! baseline. Where none of these governs the pod, what is passed is allowed, and who expected a
//! check behind it is wrong.
//!
//! **What it looks at.** The pods that the policy governs, and which of them a `NetworkPolicy`
//! isolates in the direction or a policy of tier baseline governs.
//!
//! **When it stays silent.** Where every governed pod of the input has such a policy.
//!
//! **Settings.** None of its own.
//!
//! **References.** AN12 of `docs/dialects/antrea.md`.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::model::PodId;
use crate::policy::antrea::objects::BASELINE;
use crate::policy::antrea::policy::AntreaAction;
use crate::policy::{Direction, Policy};
use crate::source::Path;
use std::collections::BTreeSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut behind: [Option<BTreeSet<PodId>>; 2] = [None, None];
    for (id, _, written) in context.antrea_policies() {
        for direction in Direction::ALL {
            let d = direction.index();
            let passes = |action: AntreaAction| action == AntreaAction::Pass;
            let Some(at) = written.rules[d].iter().position(|rule| passes(rule.action)) else {
                continue;
            };
            let decided = behind[d].get_or_insert_with(|| decided_behind(context, direction));
            let pods = context.subjects(id);
            let Some(pod) = pods.iter().find(|pod| !decided.contains(pod)) else {
                continue;
            };
            let pod = context.cluster.pod(*pod);
            let namespace = &context.cluster.namespace(pod.namespace).name;
            let message = format!(
                "nothing decides behind Pass for pod {namespace}/{}: what is passed is allowed",
                pod.name
            );
            let path = Path::root().key("spec").key(direction.name());
            let finding = reporter.field(id, path.index(at).key("action"), message);
            let help = "isolate the pods with a NetworkPolicy, add a policy of tier baseline, or \
                        write Allow";
            reporter.push(finding.help(help));
        }
    }
}

/// The pods for which somebody decides what is passed.
fn decided_behind(context: &LintContext<'_>, direction: Direction) -> BTreeSet<PodId> {
    let is_behind = |p: &Policy| match p.antrea() {
        Some(written) => *written.tier == *BASELINE,
        None => p.is_additive(),
    };
    let policies = context.policies.iter();
    let deciding = policies.filter(|(_, p)| p.governs(direction) && is_behind(p));
    deciding
        .flat_map(|(id, _)| context.subjects(id).to_vec())
        .collect()
}
