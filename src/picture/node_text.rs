//! What the node of a group of places is called, and what it is drawn as.

use crate::picture::drawing::NodeShape;
use crate::picture::facts::{PicturePlace, PlaceKind};
use crate::picture::label;

/// The first of a group, with the counts of all: how many workloads of several namespaces are open.
pub fn together(first: &PicturePlace, places: &[&PicturePlace]) -> PicturePlace {
    let mut all = first.clone();
    if let PlaceKind::Namespace { summary, .. } = &mut all.what {
        for other in places.iter().skip(1) {
            if let PlaceKind::Namespace { summary: s, .. } = &other.what {
                summary.workloads += s.workloads;
                summary.open = [0, 1].map(|d| summary.open[d] + s.open[d]);
            }
        }
    }
    all
}

/// What a place is drawn as.
pub fn shape(place: &PicturePlace) -> NodeShape {
    match place.what {
        PlaceKind::Workload { .. } => NodeShape::Workloads,
        PlaceKind::Namespace { .. } => NodeShape::Namespace,
        PlaceKind::Internet { .. } => NodeShape::Internet,
        PlaceKind::Private => NodeShape::Private,
        PlaceKind::Blocks(_) => NodeShape::Addresses,
        PlaceKind::Potential { .. } => NodeShape::Potential,
    }
}

/// Up to three names, or two and how many more.
pub fn names(places: &[&PicturePlace]) -> Vec<String> {
    if let [
        PicturePlace {
            what: PlaceKind::Potential { words, .. },
            ..
        },
    ] = places
    {
        return label::wrapped(words);
    }
    let names: Vec<String> = places
        .iter()
        .map(|p| label::short(&label::name(p)))
        .collect();
    if names.len() <= 3 {
        return names;
    }
    vec![
        names[0].clone(),
        names[1].clone(),
        format!("and {} more", names.len() - 2),
    ]
}

/// The whole of a node, as sentences.
pub fn title(places: &[&PicturePlace], lines: &[String]) -> String {
    let shown: Vec<String> = places
        .iter()
        .take(20)
        .map(|p| crate::words::clean(&p.key).into_owned())
        .collect();
    let more = places.len() - shown.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let first = places.first();
    let open = first.map_or([false; 2], |p| {
        p.open.map(crate::picture::facts::Openness::is_open)
    });
    let doubt = first.map_or([false; 2], |p| p.doubt.map(|d| d.is_some()));
    let same = lines
        .iter()
        .find(|l| l.starts_with("among"))
        .map_or_else(String::new, |l| format!(". {l}"));
    format!(
        "{}{more}{}{}{same}",
        shown.join(", "),
        ways("Open", open),
        ways("Unknown", doubt)
    )
}

fn ways(word: &str, has: [bool; 2]) -> String {
    match has {
        [true, true] => format!(". {word} in and out"),
        [true, false] => format!(". {word} in"),
        [false, true] => format!(". {word} out"),
        [false, false] => String::new(),
    }
}
