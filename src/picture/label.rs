//! The words in a picture: short labels, full sentences for tooltips, ids that stay the same from
//! run to run.

use crate::picture::facts::{
    Difference, DrawnChange, Openness, PassingTraffic, PictureDoor, PicturePlace, PlaceKind,
    WorkloadDoubt,
};
use crate::set::TrafficSet;
use crate::set::traffic::TrafficRange;
use crate::words;
use crate::words::clean;

/// Traffic in few words: `5432/TCP`, `ALL`, `5 ports`.
pub fn traffic(set: &TrafficSet) -> String {
    let whole = |p: &TrafficRange| {
        matches!(
            p,
            TrafficRange::Ports(_, 1, u16::MAX) | TrafficRange::OtherProtocols
        )
    };
    let pieces: Vec<TrafficRange> = set.pieces().collect();
    if pieces.len() <= 3 || set.is_all() || pieces.iter().all(whole) {
        return words::traffic(set);
    }
    let ports = pieces
        .iter()
        .filter(|p| matches!(p, TrafficRange::Ports(_, a, b) if a == b))
        .count();
    if ports == pieces.len() {
        format!("{ports} ports")
    } else {
        format!("{} port ranges", pieces.len())
    }
}

/// Traffic in words, and the names of ports that are part of it.
fn named(in_words: fn(&TrafficSet) -> String, set: &TrafficSet, names: &[String]) -> String {
    let numbers = (!set.is_empty() || names.is_empty()).then(|| in_words(set));
    let names = names.iter().map(|name| clean(name).into_owned());
    let parts: Vec<String> = numbers.into_iter().chain(names).collect();
    parts.join(" ")
}

/// The label of a door.
pub fn door(door: &PictureDoor) -> String {
    let sign = door.change.map_or("", DrawnChange::sign);
    let space = if sign.is_empty() { "" } else { " " };
    let doubt = if door.certain { "" } else { " ?" };
    let name = short(&door.name);
    format!("{sign}{space}{name}: {}{doubt}", traffic(&door.traffic))
}

/// A door as a sentence.
pub fn door_sentence(door: &PictureDoor, to: &str) -> String {
    let how = match (door.stands, door.certain) {
        ([_, false], _) => "came in before, and does not now,",
        ([false, _], true) => "comes in now, and did not before,",
        (_, true) => "comes in",
        (_, false) => "may come in (unknown)",
    };
    let name = clean(&door.name);
    format!(
        "the internet {how} by {name} to {to}: {}",
        words::traffic(&door.traffic)
    )
}

/// A description in lines of a readable length, a few of them.
pub fn wrapped(text: &str) -> Vec<String> {
    const LENGTH: usize = 30;
    const LINES: usize = 4;
    let mut lines: Vec<String> = Vec::new();
    for word in clean(text).split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < LENGTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(short(word)),
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        lines[LINES - 1].push('…');
    }
    lines
}

/// The label of an edge.
pub fn passing(passing: &PassingTraffic) -> String {
    let now = match (passing.sure.is_empty(), passing.unknown.is_empty()) {
        (_, true) => named(traffic, &passing.sure, &passing.port_names),
        (true, false) => format!("{} ?", traffic(&passing.unknown)),
        (false, false) => format!("{} + ?", traffic(&passing.sure)),
    };
    let Some(Difference { change, past, gone }) = &passing.change else {
        return now;
    };
    let sign = change.sign();
    if *gone || past.is_empty() {
        format!("{sign} {now}")
    } else if *past == passing.sure.union(&passing.unknown) {
        format!("{sign} {now} (for some)")
    } else {
        format!("{sign} {now} (was {})", traffic(past))
    }
}

/// What passes in full, for a sentence.
pub fn sentence(passing: &PassingTraffic) -> String {
    let mut text = if passing.sure.is_empty() {
        format!("perhaps {} (unknown)", words::traffic(&passing.unknown))
    } else if passing.unknown.is_empty() {
        named(words::traffic, &passing.sure, &passing.port_names)
    } else {
        format!(
            "{}, perhaps {} (unknown)",
            words::traffic(&passing.sure),
            words::traffic(&passing.unknown)
        )
    };
    if passing.some {
        text.push_str(", some of them");
    }
    if let Some(Difference { change, past, gone }) = &passing.change {
        if *gone {
            return format!("{text} before, and nothing now");
        }
        let past = if past.is_empty() {
            "nothing".to_owned()
        } else {
            words::traffic(past)
        };
        text = format!("{text}; {}, before: {past}", change.word());
    }
    text
}

/// A name short enough for a node, cut in the middle: what distinguishes long names is at their
/// ends.
pub fn short(name: &str) -> String {
    const HEAD: usize = 18;
    const TAIL: usize = 17;
    let name = clean(name);
    let length = name.chars().count();
    if length <= HEAD + TAIL + 1 {
        return name.into_owned();
    }
    name.chars()
        .take(HEAD)
        .chain(['…'])
        .chain(name.chars().skip(length - TAIL))
        .collect()
}

/// What a place is called.
pub fn name(place: &PicturePlace) -> String {
    match &place.what {
        PlaceKind::Workload { name, .. } | PlaceKind::Namespace { name, .. } => name.clone(),
        PlaceKind::Internet { private: true } => "internet and private ranges".into(),
        PlaceKind::Internet { private: false } => "internet".into(),
        PlaceKind::Private => "private ranges".into(),
        PlaceKind::Blocks(text) | PlaceKind::Potential { words: text, .. } => text.clone(),
    }
}

/// `OPEN in+out`, `UNKNOWN in (hostNetwork)`, and how that changed. What is `quiet` is said
/// elsewhere for all.
pub fn badges(place: &PicturePlace, quiet: [bool; 2]) -> Vec<String> {
    let mut lines = Vec::new();
    let unchanged = [0, 1].map(|d| {
        !quiet[d]
            && place.open[d] != Openness::No
            && place.change[d].is_none()
            && place.doubt[d].is_none()
    });
    lines.extend(directions(unchanged).map(|w| format!("OPEN {w}")));
    for (d, way) in ["in", "out"].into_iter().enumerate() {
        match place.change[d] {
            Some(DrawnChange::Widened) => lines.push(format!("+ OPEN {way}")),
            Some(DrawnChange::Narrowed) => lines.push(format!("- OPEN {way} before")),
            Some(DrawnChange::Moved) => lines.push(format!("~ OPEN {way}")),
            None => {}
        }
    }
    for (doubt, why) in [
        (WorkloadDoubt::HostNetwork, "hostNetwork"),
        (WorkloadDoubt::Policy, "policy"),
        (WorkloadDoubt::Deny, "policy"),
    ] {
        lines.extend(
            directions(place.doubt.map(|d| d == Some(doubt)))
                .map(|w| format!("UNKNOWN {w} ({why})")),
        );
    }
    if let PlaceKind::Potential { closed, .. } = &place.what {
        lines.push("not in the input".to_owned());
        lines.extend(directions(*closed).map(|w| format!("nothing {w}")));
    }
    if let PlaceKind::Namespace { summary, .. } = &place.what {
        for (d, way) in ["in", "out"].into_iter().enumerate() {
            let (n, all) = (summary.open[d], summary.workloads);
            if n > 0 && n < all && place.change[d].is_none() {
                lines.push(format!("{n} of {all} OPEN {way}"));
            }
        }
    }
    lines
}

fn directions(has: [bool; 2]) -> Option<&'static str> {
    match has {
        [true, true] => Some("in+out"),
        [true, false] => Some("in"),
        [false, true] => Some("out"),
        [false, false] => None,
    }
}

/// What a namespace denies by default.
pub fn deny(deny: [bool; 2], policies: usize) -> &'static str {
    match (deny, policies) {
        ([true, true], _) => "default deny: in+out",
        ([true, false], _) => "default deny: in",
        ([false, true], _) => "default deny: out",
        ([false, false], 0) => "no policy",
        ([false, false], _) => "no default deny",
    }
}

/// An id of letters, digits and hyphens that says the name and never clashes with another.
pub fn id(key: &str) -> String {
    let mut slug = String::new();
    let mut exact = true;
    for c in key.chars().take(60) {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => slug.push(c),
            '/' => slug.push_str("--"),
            '-' => slug.push('-'),
            _ => {
                exact = false;
                slug.push('_');
            }
        }
    }
    if exact && key.len() <= 60 && !key.contains("--") {
        slug
    } else {
        format!("{slug}_{:08x}", hash(key))
    }
}

/// FNV-1a: the same on every machine.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
    })
}
