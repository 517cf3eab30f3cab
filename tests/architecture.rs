//! What a reviewer would say twice: who may import whom, how long things may be, where files are
//! read, which sentences of the rulebook are cited, and that the documentation names nothing that
//! is not there.
//!
//! Every rule is a function over text, and each is also shown a text that breaks it: a rule that
//! cannot fail is none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "architecture/structure.rs"]
mod structure;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Every room of `src/` with the rooms it may import. A room that is not listed here fails the
/// test: list it, and say in `docs/architecture.md` what it is for.
const ROOMS: &[(&str, &[&str])] = &[
    // what everything is made of
    ("set", &[]),
    ("source", &[]),
    ("diagnostic", &["source"]),
    ("finding", &["source", "diagnostic"]),
    ("tree", &["source"]),
    ("config", &["source", "diagnostic", "tree"]),
    ("model", &["set", "source"]),
    ("words", &["set"]),
    ("policy", &["model", "set", "source", "tree"]),
    ("input", &["policy", "model", "source", "diagnostic"]),
    (
        "load",
        &[
            "input",
            "policy",
            "model",
            "set",
            "source",
            "diagnostic",
            "tree",
        ],
    ),
    // what is allowed
    ("spec", &["input", "policy", "model", "set"]),
    ("compile", &["spec", "policy", "model", "set"]),
    (
        "graph",
        &["compile", "spec", "input", "policy", "model", "set"],
    ),
    // what is asked of it
    ("potential", &["input", "policy", "model", "set", "source"]),
    (
        "doors",
        &[
            "potential",
            "graph",
            "compile",
            "spec",
            "input",
            "policy",
            "model",
            "set",
            "source",
        ],
    ),
    (
        "query",
        &[
            "potential",
            "doors",
            "graph",
            "compile",
            "spec",
            "input",
            "policy",
            "model",
            "set",
            "source",
            "tree",
        ],
    ),
    (
        "diff",
        &[
            "potential",
            "doors",
            "graph",
            "compile",
            "spec",
            "input",
            "policy",
            "model",
            "set",
            "query",
            "source",
            "tree",
        ],
    ),
    (
        "check",
        &[
            "potential",
            "doors",
            "graph",
            "compile",
            "spec",
            "input",
            "policy",
            "model",
            "set",
            "query",
            "diff",
            "source",
            "diagnostic",
            "tree",
            "config",
        ],
    ),
    (
        "audit",
        &[
            "check",
            "config",
            "potential",
            "doors",
            "graph",
            "compile",
            "spec",
            "input",
            "policy",
            "model",
            "set",
            "query",
            "diagnostic",
            "source",
            "words",
        ],
    ),
    (
        "snapshot",
        &[
            "query",
            "graph",
            "compile",
            "spec",
            "input",
            "policy",
            "potential",
            "model",
            "set",
            "words",
        ],
    ),
    (
        "lint",
        &[
            "doors",
            "graph",
            "compile",
            "spec",
            "input",
            "policy",
            "model",
            "set",
            "source",
            "diagnostic",
            "finding",
            "tree",
        ],
    ),
    (
        "picture",
        &[
            "query", "doors", "graph", "spec", "policy", "model", "set", "words",
        ],
    ),
    // how it is said
    ("render", EVERYTHING),
    ("facade", EVERYTHING),
    ("lib", EVERYTHING),
    // the binary: the compiler holds it to the public API, `netpal::`
    ("cli", &[]),
    ("main", &["cli"]),
];

/// Rooms at the door: they say what the others found.
const EVERYTHING: &[&str] = &[
    "set",
    "source",
    "diagnostic",
    "finding",
    "tree",
    "config",
    "model",
    "words",
    "policy",
    "input",
    "load",
    "spec",
    "compile",
    "graph",
    "query",
    "diff",
    "check",
    "audit",
    "snapshot",
    "lint",
    "picture",
    "potential",
    "doors",
    "render",
    "facade",
];

/// Rooms that may read files, look at the environment or start a process.
const TOUCH_THE_WORLD: [&str; 3] = ["load", "cli", "main"];

/// What touching the world looks like. The clock is on the list for everybody: output is a function
/// of the input.
const WORLD: [&str; 7] = [
    "std::fs",
    "File::open",
    "process::Command",
    "std::env",
    "io::stdin",
    "TcpStream",
    "UdpSocket",
];
const CLOCK: [&str; 2] = ["SystemTime::now", "Instant::now"];

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 80;
const SHORT_FUNCTION_LINES: usize = 35;

/// Files that are longer than allowed, with the length they must not exceed any more. To be
/// emptied, never added to.
const OVERLONG: &[(&str, usize)] = &[];

/// Sentences of the rulebook that no code and no test can stand behind, each with the reason.
const NOTHING_TO_IMPLEMENT: &[(u32, &str)] = &[
    (
        60,
        "a verdict is about who may open a connection; replies follow",
    ),
    (61, "manifests have no established connections"),
    (
        62,
        "a verdict is about the state after enforcement has caught up",
    ),
    (64, "no manifest says whether the plugin enforces policies"),
    (66, "what the API cannot express cannot be read"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder with one of these endings: path from the root and text, by path.
fn texts(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let mut open = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|e| endings.contains(&&*e.to_string_lossy()))
            {
                let name = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    let found = texts("src", &["rs"]);
    assert!(found.len() > 40, "the sources are there to be looked at");
    found
}

/// The room a source file belongs to: `src/set/ip.rs` and `src/set.rs` are in `set`.
fn room(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap();
    inside.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The code before the tests, without comments.
fn code(text: &str) -> String {
    let lines = before_tests(text)
        .lines()
        .map(|l| l.split_once("//").map_or(l, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

fn before_tests(text: &str) -> &str {
    text.find("#[cfg(test)]").map_or(text, |at| &text[..at])
}

/// The rooms that a text imports: the first word after `crate::`, and after each branch of
/// `crate::{...}`.
fn imports(code: &str) -> BTreeSet<String> {
    let word = |s: &str| {
        s.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let after = &code[at + "crate::".len()..];
        match after.strip_prefix('{') {
            None => _ = found.insert(word(after)),
            Some(tree) => found.extend(branches(tree).iter().map(|b| word(b))),
        }
    }
    found
}

/// The branches at the top of a use tree, up to its closing brace.
fn branches(tree: &str) -> Vec<String> {
    let (mut depth, mut branches) = (0_u32, vec![String::new()]);
    for c in tree.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => branches.push(String::new()),
            c if c.is_whitespace() => {}
            c => branches.last_mut().unwrap().push(c),
        }
    }
    branches.retain(|b| !b.is_empty());
    branches
}

/// What is wrong with the imports of one file.
fn wrong_imports(path: &str, text: &str) -> Vec<String> {
    let here = room(path);
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == here) else {
        return vec![format!(
            "{path}: room `{here}` is not in the table of tests/architecture.rs"
        )];
    };
    let code = code(text);
    let mut wrong: Vec<String> = imports(&code)
        .into_iter()
        .filter(|to| to != here && !allowed.contains(&to.as_str()))
        .map(|to| format!("{path}: `{here}` may not import `{to}`"))
        .collect();
    if escapes(path, &code) {
        wrong.push(format!(
            "{path}: leaves its room by `super`; write `crate::`"
        ));
    }
    wrong
}

/// Whether `super::` climbs out of the room, where [`imports`] would not see it.
fn escapes(path: &str, code: &str) -> bool {
    let inside = path.strip_prefix("src/").unwrap();
    let depth = inside.split('/').count() - 1 + usize::from(!inside.ends_with("/mod.rs"));
    code.contains(&"super::".repeat(depth.max(1)))
}

/// Ways in which a file reaches outside the program although its room may not.
fn touches(path: &str, text: &str) -> Vec<String> {
    let (here, code) = (room(path), code(text));
    let world = if TOUCH_THE_WORLD.contains(&here) {
        &[][..]
    } else {
        &WORLD[..]
    };
    let found = world
        .iter()
        .chain(&CLOCK)
        .filter(|what| code.contains(**what));
    found
        .map(|what| {
            format!("{path}: `{what}`; only load and cli touch the world, and nobody the clock")
        })
        .collect()
}

/// Prints that are not made by the output module of the command line.
fn prints(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let found = ["println!(", "print!(", "dbg!("]
        .into_iter()
        .filter(|what| code.contains(what));
    found
        .map(|what| format!("{path}: `{what}`; bytes leave through src/cli/output.rs"))
        .collect()
}

/// Ways around the facade: the binary may use what every caller of the library has.
fn around_the_facade(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let around = ["cli", "main"].contains(&room(path)) && code.contains("internals");
    let wrong = format!("{path}: `internals`; the binary is built on the facade alone");
    around.then_some(wrong).into_iter().collect()
}

/// Every function of a formatted text before its tests: name, first line, length.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = before_tests(text).lines().collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let [brace, bracket] = ["}", ")"].map(|end| format!("{}{end}", " ".repeat(indent)));
        let closes = |l: &str| l == brace || (l.starts_with(&bracket) && l.ends_with(';'));
        let whole = line.ends_with('}') || line.ends_with(';');
        let last = if whole {
            0
        } else {
            lines[i..].iter().position(|l| closes(l)).unwrap_or(0)
        };
        found.push((name, i + 1, last + 1));
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    for word in ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    Some(
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect(),
    )
}

/// The sentences a text cites: `S14`, `S20-S25`, a test named `s38_...`. A range longer than six is
/// a chapter, no citation.
fn citations(text: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices(['S', 's']) {
        let before = |n: usize| at.checked_sub(n).map_or(b' ', |i| bytes[i]);
        let end_of_range = before(1) == b'-' && before(2).is_ascii_digit();
        let inside_word = before(1).is_ascii_alphanumeric() || before(1) == b'_' || end_of_range;
        let Some((first, rest)) = number(&text[at + 1..]).filter(|_| !inside_word) else {
            continue;
        };
        let cited_by_name = rest.starts_with('_') || rest.starts_with('-');
        if bytes[at] == b's' && !cited_by_name {
            continue;
        }
        let last = rest
            .strip_prefix('-')
            .and_then(|r| number(r.strip_prefix('S')?))
            .map_or(first, |(n, _)| n);
        if (first..first + 6).contains(&last) {
            found.extend(first..=last);
        }
    }
    found
}

fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let next = text[digits..].chars().next();
    if next.is_some_and(char::is_alphabetic) {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// The paths of this repository that a page names: in backticks from a known folder, and in links
/// that are no address.
fn named_paths(page: &str, text: &str) -> Vec<String> {
    let folders = [
        "src/",
        "tests/",
        "docs/",
        "examples/",
        "snapshots/",
        ".ci/",
        "benches/",
        "fuzz/",
    ];
    let plain = |p: &&str| !p.contains(['<', '*', '{', ' ', '…']) && !p.is_empty();
    let ticked = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|t| folders.iter().any(|f| t.starts_with(f)));
    let mut found: Vec<String> = ticked.filter(plain).map(str::to_owned).collect();
    let base = Path::new(page).parent().unwrap();
    let links = text.split("](").skip(1).filter_map(|t| t.split(')').next());
    let links =
        links.filter(|l| !l.contains("://") && !l.starts_with('#') && !l.starts_with("..."));
    let links = links.map(|l| l.split('#').next().unwrap()).filter(plain);
    found.extend(links.map(|l| base.join(l).to_string_lossy().into_owned()));
    found
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_import_only_inward() {
    let sources = sources();
    assert_none(
        &sources
            .iter()
            .flat_map(|(path, text)| wrong_imports(path, text))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_forbidden_import_and_an_unlisted_room_are_found() {
    let wrong = |path: &str, text: &str| wrong_imports(path, text).len();
    assert_eq!(wrong("src/compile/graph.rs", "use crate::load::Source;"), 1);
    assert_eq!(
        wrong(
            "src/compile/graph.rs",
            "use crate::{model::Pod, render::{text, json}, lint};"
        ),
        2
    );
    assert_eq!(wrong("src/set/ip.rs", "fn f() -> crate::model::Pod {}"), 1);
    assert_eq!(wrong("src/parlour/tea.rs", ""), 1);
    assert_eq!(
        wrong("src/lint/np004.rs", "use super::super::diff::Diff;"),
        1
    );
    assert_eq!(wrong("src/diff.rs", "use super::lint;"), 1);
    assert_eq!(wrong("src/diff/mod.rs", "use super::lint;"), 1);
    assert_eq!(
        wrong(
            "src/compile/graph.rs",
            "use super::atoms; // not crate::load\nuse crate::{set::IpSet, model};"
        ),
        0
    );
    assert_eq!(
        wrong(
            "src/set/ip.rs",
            "#[cfg(test)]\nmod tests { use super::super::ip; }"
        ),
        0
    );
}

#[test]
fn only_load_and_the_command_line_touch_the_world() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| touches(path, text))
        .collect();
    assert_none(&found);
    assert_eq!(
        touches("src/render/text.rs", "std::fs::write(p, b)").len(),
        1
    );
    assert_eq!(touches("src/load/read.rs", "Instant::now()").len(), 1);
    assert_eq!(touches("src/load/read.rs", "std::fs::read(p)").len(), 0);
}

#[test]
fn nothing_is_printed_past_the_output_module() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| prints(path, text))
        .collect();
    assert_none(&found);
    assert_eq!(
        prints("src/cli/can.rs", "eprintln!(\"\"); print!(\"\")").len(),
        2
    );
}

#[test]
fn the_binary_is_built_on_the_facade() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| around_the_facade(path, text))
        .collect();
    assert_none(&found);
    let around = "use netpal::internals::graph::Row;";
    assert_eq!(around_the_facade("src/cli/can.rs", around).len(), 1);
    assert_eq!(around_the_facade("src/lib.rs", around).len(), 0);
    assert_eq!(
        around_the_facade("src/cli/can.rs", "use netpal::Row;").len(),
        0
    );
}

#[test]
fn files_are_short() {
    let length = |text: &str| before_tests(text).lines().count();
    let limit = |path: &str| {
        OVERLONG
            .iter()
            .find(|(p, _)| *p == path)
            .map_or(MAX_FILE_LINES, |(_, n)| *n)
    };
    let found = sources();
    let long = found
        .iter()
        .filter(|(path, text)| length(text) > limit(path));
    assert_none(
        &long
            .map(|(path, text)| format!("{path}: {} lines before its tests", length(text)))
            .collect::<Vec<_>>(),
    );
    let healed = OVERLONG.iter().filter(|(p, _)| {
        !found
            .iter()
            .any(|(path, t)| path == p && length(t) > MAX_FILE_LINES)
    });
    assert_none(
        &healed
            .map(|(p, _)| format!("{p} is short now: take it off OVERLONG"))
            .collect::<Vec<_>>(),
    );
    let mut lengths: Vec<usize> = found.iter().map(|(_, text)| length(text)).collect();
    lengths.sort_unstable();
    println!(
        "{} files, median {} lines, longest {}",
        lengths.len(),
        lengths[lengths.len() / 2],
        lengths.last().unwrap()
    );
}

#[test]
fn functions_are_short() {
    let mut all = Vec::new();
    for (path, text) in sources() {
        all.extend(
            functions(&text)
                .into_iter()
                .map(|(name, line, length)| (length, format!("{path}:{line} {name}"))),
        );
    }
    all.sort();
    let long = all
        .iter()
        .filter(|(length, _)| *length > MAX_FUNCTION_LINES);
    assert_none(
        &long
            .map(|(length, name)| format!("{name}: {length} lines"))
            .collect::<Vec<_>>(),
    );
    let short = all
        .iter()
        .filter(|(length, _)| *length <= SHORT_FUNCTION_LINES)
        .count();
    let (median, longest) = (all[all.len() / 2].0, all.last().unwrap());
    println!(
        "{} functions, median {median} lines, longest {} ({})",
        all.len(),
        longest.0,
        longest.1
    );
    assert!(
        short * 10 >= all.len() * 9,
        "{short} of {} functions have at most {SHORT_FUNCTION_LINES} lines",
        all.len()
    );
}

#[test]
fn functions_are_measured_right() {
    let text = "fn one() {}\n\npub const fn three(a: u8) -> u8 {\n    a\n}\n\nimpl A {\n    fn five(\n        &self,\n    ) -> B {\n        b\n    }\n    fn required(&self);\n}\n";
    let lengths: Vec<(String, usize)> = functions(text)
        .into_iter()
        .map(|(name, _, length)| (name, length))
        .collect();
    let want = [("one", 1), ("three", 3), ("five", 5), ("required", 1)];
    assert_eq!(
        lengths,
        want.map(|(name, length)| (name.to_owned(), length))
    );
    let long = format!("fn long() {{\n{}}}\n", "    call();\n".repeat(90));
    assert_eq!(functions(&long)[0].2, 92);
}

/// The sentences of the rulebook: the number at the start of a list item of `docs/semantics.md`,
/// and the mark at its end.
fn marked_rulebook() -> Vec<(u32, String)> {
    let text = std::fs::read_to_string(root().join("docs/semantics.md")).unwrap();
    let sentence = |line: &str| {
        let (n, _) = number(line.strip_prefix("- **S")?)?;
        let mark = line.rsplit_once('[').map_or("", |(_, mark)| mark);
        Some((n, mark.trim_end_matches(']').to_owned()))
    };
    text.lines().filter_map(sentence).collect()
}

fn rulebook() -> Vec<u32> {
    marked_rulebook().into_iter().map(|(n, _)| n).collect()
}

#[test]
fn the_rulebook_states_every_sentence_once_and_in_order() {
    let wanted: Vec<u32> = (1..=68)
        .chain(70..=94)
        .chain(100..=127)
        .chain(130..=131)
        .chain(140..=148)
        .collect();
    assert_eq!(rulebook(), wanted);
    let legend = std::fs::read_to_string(root().join("docs/semantics.md")).unwrap();
    let unknown = marked_rulebook()
        .into_iter()
        .filter(|(_, mark)| !legend.contains(&format!("| [{mark}] |")));
    assert_none(
        &unknown
            .map(|(n, mark)| format!("S{n}: no place is marked [{mark}]"))
            .collect::<Vec<_>>(),
    );
    let unimplemented = marked_rulebook()
        .into_iter()
        .filter(|(_, mark)| mark == "none")
        .map(|(n, _)| n);
    let excepted = NOTHING_TO_IMPLEMENT.iter().map(|(n, _)| *n);
    assert_eq!(
        unimplemented.collect::<Vec<_>>(),
        excepted.collect::<Vec<_>>()
    );
}

#[test]
fn every_sentence_is_cited_by_code_or_a_test() {
    let mut cited: BTreeMap<u32, String> = BTreeMap::new();
    for (path, text) in texts("src", &["rs"])
        .into_iter()
        .chain(texts("tests", &["rs", "yaml", "md"]))
    {
        if path != "tests/architecture.rs" {
            citations(&text)
                .into_iter()
                .for_each(|n| _ = cited.entry(n).or_insert_with(|| path.clone()));
        }
    }
    let excepted = |n: u32| NOTHING_TO_IMPLEMENT.iter().any(|(e, _)| *e == n);
    let missing = rulebook()
        .into_iter()
        .filter(|n| !cited.contains_key(n) && !excepted(*n));
    assert_none(
        &missing
            .map(|n| format!("S{n} is cited by no code and no test"))
            .collect::<Vec<_>>(),
    );
    let excepted = NOTHING_TO_IMPLEMENT.iter().map(|(n, _)| n);
    let stale = excepted.filter_map(|n| Some((n, cited.get(n)?)));
    assert_none(
        &stale
            .map(|(n, path)| format!("S{n} is excepted, yet {path} cites it"))
            .collect::<Vec<_>>(),
    );
    let known: BTreeSet<u32> = rulebook().into_iter().collect();
    let unknown = cited.iter().filter(|(n, _)| !known.contains(n));
    assert_none(
        &unknown
            .map(|(n, path)| format!("{path} cites S{n}, which the rulebook does not have"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn citations_are_read_right() {
    let cited = |text: &str| citations(text).into_iter().collect::<Vec<_>>();
    assert_eq!(cited("(S14, S20-S22) // S55"), [14, 20, 21, 22, 55]);
    assert_eq!(cited("fn s38_cidrs_are_read() and s7-ports.yaml"), [7, 38]);
    assert_eq!(
        cited("TLS12 S3rd IPS4 the s3 bucket S70-S127 AWS_S3"),
        [0; 0]
    );
}

/// Fields beside the serialized ones: what a view is made from, and a field that is written by
/// another name (`lines` as `answers`).
const NOT_WRITTEN: [&str; 7] = [
    "rule",
    "content",
    "base",
    "end_column",
    "findings",
    "lines",
    "locator",
];

/// The names of serialized fields: `pub name:` inside a module of frozen structs.
fn fields(text: &str) -> BTreeSet<&str> {
    let public = before_tests(text)
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub "));
    public
        .filter_map(|rest| rest.split_once(": "))
        .map(|(name, _)| name)
        .filter(|n| !n.contains(' '))
        .collect()
}

#[test]
fn every_field_and_reason_of_the_machine_formats_is_documented() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let page = read("docs/json.md");
    let below = |folder: &str, part: &str| -> String {
        texts(folder, &["rs"])
            .into_iter()
            .filter(|(path, _)| path.contains(part))
            .map(|(_, text)| before_tests(&text).to_owned())
            .collect()
    };
    let (structs, reasons) = (
        below("src/render/data", ""),
        below("src/query", "") + before_tests(&read("src/policy/tier.rs")),
    );
    let codes = reasons
        .lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2));
    let codes: BTreeSet<&str> = codes
        .filter(|c| c.contains('_') && c.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    let names: BTreeSet<&str> = fields(&structs)
        .into_iter()
        .filter(|n| !NOT_WRITTEN.contains(n))
        .collect();
    assert!(
        codes.len() > 20 && names.len() > 40,
        "{} codes, {} fields",
        codes.len(),
        names.len()
    );
    let silent = codes
        .into_iter()
        .chain(names)
        .filter(|n| !page.contains(&format!("`{n}`")));
    assert_none(
        &silent
            .map(|n| format!("docs/json.md does not say what `{n}` is"))
            .collect::<Vec<_>>(),
    );
    assert_eq!(
        fields("pub struct A {\n    pub at: Option<At>,\n}\npub fn f(a: u8) -> u8 {}"),
        BTreeSet::from(["at"])
    );
}

#[test]
fn every_policy_api_has_a_page() {
    let pages: String = texts("docs/dialects", &["md"])
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let modelled = netpal::internals::policy::dialects::DIALECTS
        .iter()
        .map(|d| (d.kind, d.api_version));
    let known = netpal::internals::policy::dialects::UNMODELLED
        .iter()
        .map(|u| (u.kind, u.group));
    let all: Vec<(&str, &str)> = modelled.chain(known).collect();
    assert!(all.len() > 20);
    let silent = all
        .into_iter()
        .filter(|(kind, api)| !(pages.contains(kind) && pages.contains(&format!("`{api}`"))));
    assert_none(
        &silent
            .map(|(kind, api)| format!("docs/dialects/ does not speak of {kind} ({api})"))
            .collect::<Vec<_>>(),
    );
}

/// The crates a manifest depends on: the keys of its dependency tables.
fn dependencies(manifest: &str) -> BTreeSet<&str> {
    let tables = manifest
        .split("\n[")
        .filter(|t| t.starts_with("dependencies]") || t.starts_with("dev-dependencies]"));
    tables
        .flat_map(|t| t.lines().skip(1))
        .filter_map(|l| Some(l.split_once(" = ")?.0))
        .collect()
}

#[test]
fn every_dependency_has_its_reason() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let (manifest, page) = (
        read("Cargo.toml"),
        read("docs/decisions/0002-dependencies.md"),
    );
    let crates = dependencies(&manifest);
    assert!(
        crates.len() > 15 && crates.contains("serde_yaml") && crates.contains("insta"),
        "{crates:?}"
    );
    let silent = crates
        .into_iter()
        .filter(|c| !page.contains(&format!("`{c}`")));
    assert_none(
        &silent
            .map(|c| format!("docs/decisions/0002-dependencies.md does not say why `{c}`"))
            .collect::<Vec<_>>(),
    );
    assert_eq!(
        dependencies("[package]\nname = \"a\"\n\n[dependencies]\nleft-pad = \"1\"\n"),
        BTreeSet::from(["left-pad"])
    );
}

#[test]
fn everything_the_documentation_names_is_there() {
    let mut pages = texts("docs", &["md"]);
    pages.extend(texts("examples", &["md"]));
    let readme = root().join("README.md");
    pages.extend(
        std::fs::read_to_string(readme)
            .ok()
            .map(|text| ("README.md".to_owned(), text)),
    );
    assert!(
        pages.len() > 8,
        "the documentation is there to be looked at"
    );
    let missing = |page: &String, text: &String| {
        let gone = named_paths(page, text)
            .into_iter()
            .filter(|p| !root().join(p).exists());
        gone.map(|p| format!("{page} names {p}, which does not exist"))
            .collect::<Vec<_>>()
    };
    assert_none(
        &pages
            .iter()
            .flat_map(|(page, text)| missing(page, text))
            .collect::<Vec<_>>(),
    );
    assert_eq!(
        named_paths(
            "docs/a.md",
            "`src/gone.rs` [b](b.md#top) `src/<name>.rs` [c](https://c)"
        ),
        ["src/gone.rs", "docs/b.md"]
    );
}
