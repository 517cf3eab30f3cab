//! The lines under a picture: what was counted, and what is not drawn.

use crate::picture::drawing::DetailLevel;
use crate::picture::facts::{PictureFacts, PicturePlace, PlaceKind};
use crate::picture::label;
use crate::picture::scope::Hidden;
use crate::words::plural;

/// What there is, in one line, and how much of it is open.
pub(crate) fn counts(facts: &PictureFacts) -> Vec<String> {
    let t = facts.tally;
    let there = format!(
        "{} in {}, {}; {} with a governed end{}",
        plural(t.workloads, "workload"),
        plural(t.namespaces, "namespace"),
        plural(t.policies, "policy"),
        plural(t.flows, "allowed flow"),
        if t.unknown > 0 {
            format!(", {} unknown", t.unknown)
        } else {
            String::new()
        },
    );
    let open = format!(
        "{}; {}",
        open_ends(facts, 0, "OPEN in (accept from anyone"),
        open_ends(facts, 1, "OPEN out (may go anywhere")
    );
    let mut lines = vec![there, open];
    lines.extend(doors(facts));
    lines.extend(potential(facts));
    lines
}

/// What comes in from the internet, and what could if there were a door.
fn doors(facts: &PictureFacts) -> Option<String> {
    let [open, unknown, closed] = facts.tally.doors;
    if open + unknown + closed == 0 {
        return None;
    }
    let more = |count: usize, what: &str| match count {
        0 => String::new(),
        n => format!(", {n} {what}"),
    };
    let more = more(unknown, "unknown") + &more(closed, "closed by policy");
    let without = match facts.tally.without_door {
        0 => String::new(),
        n => format!(
            "; policies would let it into {} to which no door leads",
            plural(n, "workload")
        ),
    };
    Some(format!(
        "ways in from the internet: {open} open{more}{without} (netpal doors)"
    ))
}

/// What the dashed nodes are.
fn potential(facts: &PictureFacts) -> Option<String> {
    let is_potential = |p: &&PicturePlace| matches!(p.what, PlaceKind::Potential { .. });
    let count = facts.places.iter().filter(is_potential).count();
    (count > 0).then(|| {
        let kinds = plural(count, "kind");
        format!("dashed: {kinds} of pods that are not in the input and may come (--world closed leaves them out)")
    })
}

fn open_ends(facts: &PictureFacts, direction: usize, what: &str) -> String {
    let t = facts.tally;
    let total = t.open[direction] + t.open_by_rule[direction];
    let by_rule = if t.open_by_rule[direction] > 0 {
        format!(", {} by a rule", t.open_by_rule[direction])
    } else {
        String::new()
    };
    let total = if total == t.workloads && total > 1 {
        format!("all {total}")
    } else {
        total.to_string()
    };
    format!("{total} {what}{by_rule})")
}

/// What is not drawn, and why.
pub(crate) fn left_out(hidden: &Hidden) -> Vec<String> {
    let mut parts = Vec::new();
    let flows = |n: usize| plural(n, "flow");
    if hidden.dns > 0 {
        parts.push(format!("{} on port 53 (DNS)", flows(hidden.dns)));
    }
    for (key, n) in &hidden.monitoring {
        parts.push(format!(
            "{} from {} (monitoring)",
            flows(*n),
            label::short(key)
        ));
    }
    if hidden.internet > 0 {
        parts.push(format!("{} with outside addresses", flows(hidden.internet)));
    }
    if hidden.unknown > 0 {
        parts.push(format!(
            "{} of workloads marked UNKNOWN",
            flows(hidden.unknown)
        ));
    }
    if hidden.potential > 0 {
        parts.push(format!(
            "{} with pods that are not in the input",
            flows(hidden.potential)
        ));
    }
    if hidden.unfocused > 0 {
        parts.push(format!("{} away from the focus", flows(hidden.unfocused)));
    }
    if let Some((level, edges)) = hidden.dense {
        let edges = plural(edges, "edge");
        parts.push(if level == DetailLevel::Namespace {
            format!(
                "{edges} between namespaces (netpal matrix shows them; --level namespace, or --focus, draws them)"
            )
        } else {
            format!("{edges} between workloads (netpal list shows them; --focus draws some)")
        });
    }
    if hidden.unchanged > 0 {
        parts.push(format!("{} that did not change", flows(hidden.unchanged)));
    }
    if parts.is_empty() {
        Vec::new()
    } else {
        vec![format!("not drawn: {}", parts.join(", "))]
    }
}
