//! The result of each control: which facts it is about, and what they come to together.

use crate::audit::control::{Control, ControlQuestion};
use crate::audit::entrances::WantedEntrance;
use crate::audit::evidence::{AuditSubject, EachFlow, Evidence};
use crate::audit::fact::{Bearing, ControlResult, Fact, FactTopic, for_all, for_none, of_side};
use crate::audit::profile::Profile;
use crate::graph::CompileError;
use crate::model::WorkloadId;
use crate::policy::Direction;

/// A control with its result and the facts that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The control.
    pub control: &'static Control,
    /// How far it is met.
    pub result: ControlResult,
    /// The facts, the worst first.
    pub facts: Vec<Fact>,
}

/// Assesses the controls of a standard.
///
/// # Errors
/// When the input with pods that may come is too large to compile.
pub fn assess(
    profile: Profile,
    subject: &AuditSubject<'_>,
    each_flow: EachFlow<'_>,
) -> Result<Vec<Assessment>, CompileError> {
    let evidence = Evidence::new(subject, each_flow)?;
    let controls = profile.controls().iter();
    Ok(controls.map(|control| judged(control, &evidence)).collect())
}

fn judged(control: &'static Control, evidence: &Evidence<'_>) -> Assessment {
    let mut facts = facts(control.question, evidence);
    let is_about_input = !matches!(
        control.question,
        ControlQuestion::Process | ControlQuestion::Plugin
    );
    if is_about_input {
        facts.extend(evidence.gaps());
    }
    facts.extend(evidence.unnamed_flows());
    facts.sort_by(|a, b| {
        let key = |fact: &Fact| (std::cmp::Reverse(fact.bearing), fact.text.clone());
        key(a).cmp(&key(b))
    });
    let together = match control.question {
        ControlQuestion::Process => ControlResult::NotAssessable,
        ControlQuestion::PublicServices | ControlQuestion::DirectAccess => for_none(&facts),
        _ => for_all(&facts),
    };
    // what is in no input keeps it from being met
    let capped = together == ControlResult::Met && !control.possible.contains(&together);
    let result = if capped {
        ControlResult::Partly
    } else {
        together
    };
    // a flow is about both of its ends
    facts.dedup_by(|a, b| a.text == b.text && a.bearing == b.bearing && a.deciding == b.deciding);
    Assessment {
        control,
        result,
        facts,
    }
}

/// The facts that a control is about.
fn facts(question: ControlQuestion, evidence: &Evidence<'_>) -> Vec<Fact> {
    let each =
        |facts: &dyn Fn(WorkloadId) -> Vec<Fact>| evidence.workloads().flat_map(facts).collect();
    match question {
        ControlQuestion::Process => Vec::new(),
        ControlQuestion::Walls(directions) => {
            let mut facts: Vec<Fact> = each(&|id| walls(evidence, id, directions));
            facts.extend(evidence.open_to_come(directions));
            facts
        }
        ControlQuestion::Approved(directions) => {
            let mut facts: Vec<Fact> = each(&|id| approved(evidence, id, directions));
            facts.extend(evidence.open_to_come(directions));
            facts
        }
        ControlQuestion::Ports => each(&|id| evidence.ports(id)),
        ControlQuestion::Apart => each(&|id| apart(evidence, id)),
        ControlQuestion::PublicServices => {
            let mut facts: Vec<Fact> = each(&|id| evidence.entrances(id, WantedEntrance::Public));
            facts.extend(evidence.unread_doors());
            facts
        }
        ControlQuestion::DirectAccess => {
            let mut facts: Vec<Fact> = each(&|id| evidence.entrances(id, WantedEntrance::Indirect));
            facts.extend(evidence.unread_doors());
            facts
        }
        ControlQuestion::NamespacePolicies => evidence.namespace_policies(),
        ControlQuestion::DefaultDeny(directions) => evidence.default_deny(directions, true),
        ControlQuestion::DefaultDenyButSystem(directions) => {
            evidence.default_deny(directions, false)
        }
        ControlQuestion::Plugin => evidence.plugin(),
    }
}

fn walls(evidence: &Evidence<'_>, workload: WorkloadId, directions: &[Direction]) -> Vec<Fact> {
    let side = |direction: &Direction| of_side(evidence.wall(workload, *direction), *direction);
    directions.iter().flat_map(side).collect()
}

/// Walls, and the flows that they let pass by name.
fn approved(evidence: &Evidence<'_>, workload: WorkloadId, directions: &[Direction]) -> Vec<Fact> {
    let mut facts = walls(evidence, workload, directions);
    for direction in directions {
        let named = evidence.approved(workload, *direction);
        facts.extend(of_side(named, *direction));
    }
    facts
}

/// The wall of a workload towards other pods: that the internet gets in is asked elsewhere.
fn apart(evidence: &Evidence<'_>, workload: WorkloadId) -> Vec<Fact> {
    let wall = evidence.wall(workload, Direction::Ingress);
    let mut facts: Vec<Fact> = wall
        .into_iter()
        .filter(|fact| fact.topic != FactTopic::Internet)
        .collect();
    if facts.is_empty() {
        let name = evidence.name(workload);
        let text = format!("{name} accepts from no pod but those that a rule names");
        let by = evidence.isolating(evidence.pods(workload), Direction::Ingress);
        facts.push(Fact::new(Bearing::Shown, FactTopic::Pods, &name, text).because(by));
    }
    facts
}
