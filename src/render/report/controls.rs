//! What the input shows for each control of an audit. Design evidence: nothing here says that a
//! control is met.

use crate::picture::facts::PlaceId;
use crate::picture::{PictureFacts, label};
use crate::render::report::audit::AuditReport;
use crate::render::report::profile::Profile;
use crate::words::{clean, plural};

/// One control.
pub struct Control {
    /// Its number.
    pub id: &'static str,
    /// What it asks, in our words.
    pub asks: &'static str,
    /// What the input shows.
    pub shows: String,
}

/// The controls that manifests can say something about.
pub fn controls(profile: Profile, report: &AuditReport<'_>) -> Vec<Control> {
    let spaces = &report.parts.facts.spaces;
    let lacking = |d: usize| lacking(report, d);
    let bare = spaces.iter().filter(|s| s.policies == 0).count();
    let of = |n: usize| of_namespaces(report, n);
    let open = |d: usize| open_workloads(report, d);
    let control = |id, asks, shows| Control { id, asks, shows };
    match profile {
        Profile::Pci => pci(report),
        Profile::Cis => vec![
            control(
                "5.3.1",
                "the network plugin supports network policies",
                "manifests do not show which plugin runs".into(),
            ),
            control(
                "5.3.2",
                "every namespace has network policies",
                format!("{} have none", of(bare)),
            ),
        ],
        Profile::Nsa => vec![
            control(
                "default deny, ingress",
                "a policy that denies all ingress in every namespace",
                format!("{} lack it", of(lacking(0))),
            ),
            control(
                "default deny, egress",
                "a policy that denies all egress in every namespace",
                format!("{} lack it", of(lacking(1))),
            ),
            control(
                "isolation",
                "workloads are reached only by what needs them",
                format!("{} accept from anyone", open(0)),
            ),
        ],
    }
}

/// The controls of PCI DSS 4.0.1.
fn pci(report: &AuditReport<'_>) -> Vec<Control> {
    let t = report.parts.facts.tally;
    let control = |id, asks, shows| Control { id, asks, shows };
    let open = |d: usize| open_workloads(report, d);
    vec![
        control(
            "1.2.4",
            "a data-flow diagram that is kept current",
            "the map of this report is drawn from the manifests".into(),
        ),
        control(
            "1.2.5",
            "allowed services, protocols and ports are identified and approved",
            format!(
                "{} with a governed end, listed with their ports",
                plural(t.flows, "allowed flow")
            ),
        ),
        control(
            "1.3.1",
            "inbound traffic to the cardholder data environment is restricted to what is needed",
            format!("{} accept from anyone", open(0)),
        ),
        control(
            "1.3.2",
            "outbound traffic from it is restricted to what is needed",
            format!("{} may go anywhere", open(1)),
        ),
        control(
            "1.4.1",
            "controls stand between trusted and untrusted networks",
            match lacking(report, 0) {
                0 => "every namespace with workloads has a default deny for ingress".into(),
                n => format!(
                    "{} {} no default deny for ingress",
                    of_namespaces(report, n),
                    if n == 1 { "has" } else { "have" }
                ),
            },
        ),
        control(
            "1.4.4",
            "what stores cardholder data is not directly accessible from untrusted networks",
            entered(report),
        ),
    ]
}

/// Which workloads the internet comes to, by which doors, and to which policies would let it.
fn entered(report: &AuditReport<'_>) -> String {
    let facts = &report.parts.facts;
    let mut ways: Vec<String> = Vec::new();
    for door in facts.doors.iter().filter(|door| door.stands[1]) {
        let to = workload(facts, door.to);
        let doubt = if door.certain { "" } else { ", unknown" };
        ways.push(format!("{to} by {}{doubt}", clean(&door.name)));
    }
    let from_internet = facts
        .flows
        .iter()
        .filter(|f| facts.place(f.from).is_internet());
    let is_entered = |to| facts.doors.iter().any(|door| door.to == to);
    let without = from_internet.filter(|flow| !is_entered(flow.to));
    ways.extend(without.map(|flow| {
        let to = workload(facts, flow.to);
        format!("{to} by policy, and no door of the input leads there")
    }));
    if facts.tally.open[0] + facts.tally.open_by_rule[0] > 0 {
        ways.push(format!(
            "{} that accept from anyone",
            open_workloads(report, 0)
        ));
    }
    if ways.is_empty() {
        return "no door of the input leads in from the internet, and no policy lets it in".into();
    }
    let shown = ways.len().min(NAMED);
    let more = match ways.len() - shown {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("the internet comes to {}{more}", ways[..shown].join("; "))
}

/// How many namespaces with workloads have no default deny in one direction.
fn lacking(report: &AuditReport<'_>, direction: usize) -> usize {
    let spaces = report.parts.facts.spaces.iter();
    spaces.filter(|space| !space.deny[direction]).count()
}

/// So many of the namespaces with workloads.
fn of_namespaces(report: &AuditReport<'_>, count: usize) -> String {
    let spaces = report.parts.facts.spaces.len();
    format!("{count} of {} with workloads", plural(spaces, "namespace"))
}

/// How many workloads are named.
const NAMED: usize = 20;

/// A workload of the picture as answers name it: `namespace/name`.
fn workload(facts: &PictureFacts, place: PlaceId) -> String {
    let place = facts.place(place);
    let space = place.space().map_or("", |space| &facts.space(space).name);
    clean(&format!("{space}/{}", label::name(place))).into_owned()
}

/// How many workloads are open in one direction, of how many.
fn open_workloads(report: &AuditReport<'_>, direction: usize) -> String {
    let t = report.parts.facts.tally;
    format!(
        "{} of {}",
        t.open[direction] + t.open_by_rule[direction],
        plural(t.workloads, "workload")
    )
}
