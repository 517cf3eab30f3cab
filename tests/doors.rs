//! Doors: every line of the ground truth that `NETPAL_DOORS` names, and facts of our own about each
//! kind of door.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use netpal::{
    AllowGraph, CompileOptions, DoorList, Format, Input, Locator, Render, RenderContext, load,
    with_assumed_callers,
};

/// The doors of an input, as the rows of its table without the head.
fn rows(input: &Input) -> Vec<Vec<String>> {
    let (laid, assumed) = with_assumed_callers(input);
    let graph = AllowGraph::compile(&laid, &CompileOptions::default()).unwrap();
    let doors = DoorList::of(&graph, &assumed);
    let locator = Locator::new(&laid.sources);
    let context = RenderContext::new(&laid, &graph, &locator);
    let mut text = Vec::new();
    doors.write(Format::Csv, &context, &mut text).unwrap();
    table(&String::from_utf8(text).unwrap())
}

fn table(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().skip(1).filter(|line| !line.is_empty());
    let mut rows: Vec<Vec<String>> = lines
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    rows.sort();
    rows
}

/// What must agree: everything but the reason, of which only the policies that close a door do.
fn comparable(row: &[String]) -> Vec<String> {
    let mut cells = row.to_vec();
    if cells
        .get(8)
        .is_none_or(|status| status != "closed-by-policy")
    {
        cells.truncate(9);
    }
    cells
}

#[test]
fn every_line_of_the_ground_truth() {
    let Ok(folder) = std::env::var("NETPAL_DOORS") else {
        println!("skipped: NETPAL_DOORS names no folder");
        return;
    };
    let (mut lines, mut wrong) = (0, Vec::new());
    for case in std::fs::read_dir(folder).unwrap() {
        let case = case.unwrap().path();
        let Ok(expected) = std::fs::read_to_string(case.join("doors.csv")) else {
            continue;
        };
        let input = load([&case]).unwrap();
        let expected: Vec<_> = table(&expected).iter().map(|row| comparable(row)).collect();
        let found: Vec<_> = rows(&input).iter().map(|row| comparable(row)).collect();
        lines += expected.len();
        if expected != found {
            let name = case.file_name().unwrap_or_default().to_string_lossy();
            wrong.push(format!(
                "{name}:\n  expected {expected:?}\n  found    {found:?}"
            ));
        }
    }
    assert!(lines > 0, "no case");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{lines} lines");
}

/// A row as the facts have it: without the door's namespace, and with policies for the only reason.
fn as_fact(row: &[String]) -> String {
    let mut cells = comparable(row);
    cells.remove(1);
    cells.join(" ")
}

#[test]
fn every_fact_about_doors() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/doors");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let facts = text.lines().filter_map(|line| line.strip_prefix("#="));
        let facts = facts.filter_map(|fact| Some(fact.split_once(' ')?.1.to_owned()));
        let mut expected: Vec<String> = facts.collect();
        expected.sort();
        let mut found: Vec<String> = rows(&load([&file]).unwrap())
            .iter()
            .map(|row| as_fact(row))
            .collect();
        found.sort();
        assert_eq!(found, expected, "{}", file.display());
        count += expected.len();
    }
    assert!(count > 60, "{count} facts");
}
