//! A second YAML engine reads the same events from every manifest there is: the examples, and the
//! corpus where it is given.
//!
//! The parser underneath changes quickly; this is what tells when a new version reads something
//! differently.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use granit_parser::Event as Ours;
use saphyr_parser::Event as Theirs;
use std::path::{Path, PathBuf};

/// An empty plain scalar is null, however an engine spells it.
fn scalar(style: &str, anchor: usize, value: &str) -> String {
    let value = if style == "Plain" && value.is_empty() {
        "~"
    } else {
        value
    };
    format!("scalar {style} {anchor} {value:?}")
}

fn ours(text: &str) -> Result<Vec<String>, String> {
    let mut events = Vec::new();
    for event in granit_parser::Parser::new_from_str(text) {
        let (event, _) = event.map_err(|e| e.to_string())?;
        events.push(match event {
            Ours::Scalar(value, style, anchor, _) => scalar(&format!("{style:?}"), anchor, &value),
            Ours::SequenceStart(_, anchor, _) => format!("[ {anchor}"),
            Ours::MappingStart(_, anchor, _) => format!("{{ {anchor}"),
            Ours::SequenceEnd => "]".into(),
            Ours::MappingEnd => "}".into(),
            Ours::Alias(id) => format!("alias {id}"),
            Ours::DocumentStart(..) => "document".into(),
            _ => continue,
        });
    }
    Ok(events)
}

fn theirs(text: &str) -> Result<Vec<String>, String> {
    let mut events = Vec::new();
    for event in saphyr_parser::Parser::new_from_str(text) {
        let (event, _) = event.map_err(|e| e.to_string())?;
        events.push(match event {
            Theirs::Scalar(value, style, anchor, _) => {
                scalar(&format!("{style:?}"), anchor, &value)
            }
            Theirs::SequenceStart(anchor, _) => format!("[ {anchor}"),
            Theirs::MappingStart(anchor, _) => format!("{{ {anchor}"),
            Theirs::SequenceEnd => "]".into(),
            Theirs::MappingEnd => "}".into(),
            Theirs::Alias(id) => format!("alias {id}"),
            Theirs::DocumentStart(..) => "document".into(),
            _ => continue,
        });
    }
    Ok(events)
}

fn manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            manifests(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            found.push(path);
        }
    }
}

/// The first event that differs.
fn difference(path: &Path, a: &[String], b: &[String]) -> Option<String> {
    let at = a
        .iter()
        .zip(b)
        .position(|(x, y)| x != y)
        .or((a.len() != b.len()).then_some(a.len().min(b.len())))?;
    Some(format!(
        "{}: event {at}: {:?} / {:?}",
        path.display(),
        a.get(at),
        b.get(at)
    ))
}

#[test]
fn two_engines_read_the_same() {
    let mut found = Vec::new();
    manifests(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"),
        &mut found,
    );
    match std::env::var("NETPAL_CORPUS") {
        Ok(corpus) => manifests(Path::new(&corpus), &mut found),
        Err(_) => println!("skipped in part: NETPAL_CORPUS is not set"),
    }
    found.sort();
    let (mut same, mut refused, mut differing) = (0, 0, Vec::new());
    for path in &found {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        match (ours(&text), theirs(&text)) {
            (Ok(a), Ok(b)) => differing.extend(difference(path, &a, &b)),
            (Err(_), Err(_)) => refused += 1,
            (a, b) => differing.push(format!(
                "{}: one refuses it: {:?} / {:?}",
                path.display(),
                a.err(),
                b.err()
            )),
        }
        same += 1;
    }
    println!(
        "{same} files, {refused} refused by both, {} read differently",
        differing.len()
    );
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(same >= 5);
}
