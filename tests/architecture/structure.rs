//! How the code is built: no circles between the files of a room, comments that fit the page,
//! closures that are short or functions, one meaning for a type's name, and words that are gone.
//!
//! As in the rest of these tests, each rule is a function over text and is shown a text that breaks
//! it.

use super::{assert_none, before_tests, branches, code, room, sources, texts};
use std::collections::{BTreeMap, BTreeSet};

const MAX_COMMENT_COLUMNS: usize = 100;
const MAX_CLOSURE_LINES: usize = 5;

/// Named closures that are longer than allowed: the file, and how many of them it may have. To be
/// emptied, never added to.
const LONG_CLOSURES: &[(&str, usize)] = &[
    ("src/check/parse.rs", 1),
    ("src/facade/relations.rs", 1),
    ("src/graph/own_node_exemption.rs", 1),
    ("src/graph/row.rs", 2),
    ("src/lint/near_miss.rs", 1),
    ("src/picture/collapse.rs", 1),
    ("src/query/reach/potential_pod.rs", 2),
    ("src/render/ci/diff_findings.rs", 1),
    ("src/render/image/matrix.rs", 1),
    ("src/render/image/svg/layered.rs", 1),
    ("src/render/text/frames.rs", 2),
    ("src/spec/evaluate.rs", 1),
    ("src/spec/matching.rs", 1),
];

/// Names that two types share, each with the reason why both keep it.
const SAME_NAME: &[(&str, &str)] = &[];

/// Words that the table of names replaced, each with the word of today.
const GONE: &[(&str, &str)] = &[
    (
        "is_v1alpha1",
        "what a policy says of it: `sees_own_service`",
    ),
    ("struct Possible", "`Truth`"),
    ("struct Match ", "`Bounds`"),
    ("fn sure(", "`must`"),
    ("NetworkTier", "`UnorderedTier`"),
    ("Tier::Network", "`Tier`, a row of the table of tiers"),
    ("Tier::Admin", "`Tier`, a row of the table of tiers"),
    ("Tier::Baseline", "`Tier`, a row of the table of tiers"),
];

/// The module a file is: `src/set/ip.rs` is `set::ip`, `src/set/mod.rs` is `set`.
fn module(path: &str) -> String {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    inside.trim_end_matches("/mod").replace('/', "::")
}

/// The paths after `crate::` in a text, use trees taken apart.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        add_branches("", &code[at + "crate::".len()..], &mut found);
    }
    found
}

fn add_branches(prefix: &str, text: &str, found: &mut Vec<String>) {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !plain(c)).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    match text[end..].strip_prefix('{') {
        Some(tree) => {
            for branch in branches(tree) {
                add_branches(&path, &branch, found);
            }
        }
        None => found.push(path),
    }
}

/// Where an item comes from that the front of a room hands on: `query::Answer` -> its file.
fn handed_on(files: &[(String, String)]) -> BTreeMap<String, String> {
    let fronts = files.iter().filter(|(path, _)| path.ends_with("/mod.rs"));
    let mut found = BTreeMap::new();
    for (path, text) in fronts {
        let here = module(path);
        let code = code(text);
        for statement in code.split(';').filter_map(|s| s.split_once("pub use ")) {
            let mut all = Vec::new();
            add_branches("", statement.1, &mut all);
            for from in all {
                let from = from.trim_start_matches("self::");
                let from = match from.strip_prefix("crate::") {
                    Some(from) => from.to_owned(),
                    None => format!("{here}::{from}"),
                };
                let name = from.rsplit("::").next().unwrap().to_owned();
                found.insert(format!("{here}::{name}"), from);
            }
        }
    }
    found
}

/// The module of a path: the longest part of it that is one.
fn module_of<'m>(path: &str, modules: &'m BTreeMap<String, String>) -> Option<&'m str> {
    let mut path = path.trim_end_matches(':');
    loop {
        if let Some((name, _)) = modules.get_key_value(path) {
            return Some(name);
        }
        path = path.rsplit_once("::")?.0;
    }
}

/// Files of one room that need each other in a circle, as one line each. A front that only hands on
/// what its files make is no part of one.
fn circles(files: &[(String, String)]) -> Vec<String> {
    let modules: BTreeMap<String, String> = files
        .iter()
        .map(|(path, _)| (module(path), path.clone()))
        .collect();
    let handed_on = handed_on(files);
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, text) in files {
        let here = modules.get_key_value(&module(path)).unwrap().0.as_str();
        let own = code(text).replace("super::", &above(path));
        let kept: Vec<&str> = own.split(';').filter(|s| !s.contains("pub use ")).collect();
        for used in paths(&kept.join(";")) {
            let used = handed_on.get(&used).unwrap_or(&used);
            let there = module_of(used, &modules)
                .filter(|there| *there != here && room(&modules[*there]) == room(path));
            uses.entry(here).or_default().extend(there);
        }
    }
    let found = uses.keys().filter(|m| reaches(&uses, m, m));
    let mut found: Vec<&str> = found.map(|m| modules[*m].as_str()).collect();
    found.sort_unstable();
    if found.is_empty() {
        return Vec::new();
    }
    vec![format!("a circle goes through {}", found.join(", "))]
}

/// `crate::` and the module above the one that a file is.
fn above(path: &str) -> String {
    match module(path).rsplit_once("::") {
        Some((above, _)) => format!("crate::{above}::"),
        None => "crate::".to_owned(),
    }
}

fn reaches(uses: &BTreeMap<&str, BTreeSet<&str>>, from: &str, to: &str) -> bool {
    let (mut open, mut seen) = (vec![from], BTreeSet::new());
    while let Some(next) = open.pop() {
        for used in uses.get(next).into_iter().flatten() {
            if *used == to {
                return true;
            }
            if seen.insert(*used) {
                open.push(used);
            }
        }
    }
    false
}

/// Comments that are wider than the page. A link has no place to break.
fn wide_comments(path: &str, text: &str) -> Vec<String> {
    let wide = |line: &str| {
        line.trim_start().starts_with("//")
            && line.chars().count() > MAX_COMMENT_COLUMNS
            && !line.contains("://")
    };
    let found = text.lines().zip(1..).filter(|(line, _)| wide(line));
    found
        .map(|(_, at)| format!("{path}:{at}: a comment of more than {MAX_COMMENT_COLUMNS} columns"))
        .collect()
}

/// The lines of named closures that are too long to be read in passing.
fn long_closures(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = before_tests(text).lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some((_, value)) = line
            .split_once(" = ")
            .filter(|_| line.trim_start().starts_with("let "))
        else {
            continue;
        };
        let value = value.strip_prefix("move ").unwrap_or(value);
        if !value.starts_with('|') || !value.ends_with(['{', '(', '[']) {
            continue;
        }
        let end = lines[i + 1..]
            .iter()
            .position(|l| indent(l) <= indent(line) && !l.is_empty());
        if end.is_some_and(|length| length > MAX_CLOSURE_LINES) {
            found.push(i + 1);
        }
    }
    found
}

/// The types that a text declares at the top of a file.
fn types(text: &str) -> Vec<String> {
    let declared = before_tests(text).lines().filter_map(|line| {
        let line = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub(super) ");
        let line = line.trim_start_matches("pub ");
        let rest = ["struct ", "enum ", "trait ", "type "]
            .iter()
            .find_map(|w| line.strip_prefix(w))?;
        Some(
            rest.split(|c: char| !c.is_alphanumeric())
                .next()?
                .to_owned(),
        )
    });
    declared.collect()
}

/// The names that more than one file declares a type by.
fn same_names(files: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in files {
        for name in types(text) {
            found.entry(name).or_default().push(path.clone());
        }
    }
    found.retain(|_, paths| paths.len() > 1);
    found
}

/// Words of a text that the table of names replaced.
fn words_gone(path: &str, text: &str) -> Vec<String> {
    let found = GONE.iter().filter(|(word, _)| text.contains(word));
    found
        .map(|(word, today)| format!("{path}: `{}` is gone; write {today}", word.trim()))
        .collect()
}

fn file(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

#[test]
fn files_of_a_room_do_not_need_each_other_in_a_circle() {
    assert_none(&circles(&sources()));
}

#[test]
fn a_circle_is_found_through_a_front_and_through_super() {
    let plain = [
        file("src/set/a.rs", "use crate::set::b::{self, B};"),
        file("src/set/b.rs", "fn f() -> crate::set::a::A {}"),
    ];
    assert_eq!(
        circles(&plain),
        ["a circle goes through src/set/a.rs, src/set/b.rs"]
    );
    let through_the_front = [
        file("src/set/mod.rs", "pub mod a;\npub use crate::set::b::B;"),
        file("src/set/a.rs", "use crate::set::B;"),
        file("src/set/b.rs", "use super::a::A;"),
    ];
    assert_eq!(circles(&through_the_front).len(), 1);
    let straight = [
        file(
            "src/set/mod.rs",
            "pub use crate::set::a::A;\npub use crate::set::b::B;",
        ),
        file(
            "src/set/a.rs",
            "use crate::set::B;\n#[cfg(test)]\nmod tests {}",
        ),
        file(
            "src/set/b.rs",
            "// use crate::set::A;\n#[cfg(test)]\nuse crate::set::A;",
        ),
    ];
    assert_eq!(circles(&straight), Vec::<String>::new());
}

#[test]
fn comments_fit_the_page() {
    let files = sources().into_iter().chain(texts("tests", &["rs"]));
    let found: Vec<String> = files
        .flat_map(|(path, text)| wide_comments(&path, &text))
        .collect();
    assert_none(&found);
    let wide = format!("//! {}\n", "word ".repeat(20));
    assert_eq!(wide_comments("src/a.rs", &wide).len(), 1);
    assert_eq!(
        wide_comments("src/a.rs", &format!("// https://{wide}")).len(),
        0
    );
}

#[test]
fn named_closures_are_short() {
    let found = sources()
        .into_iter()
        .map(|(path, text)| (path, long_closures(&text)));
    let allowed = |path: &str| {
        LONG_CLOSURES
            .iter()
            .find(|(p, _)| *p == path)
            .map_or(0, |(_, n)| *n)
    };
    let wrong = found.filter(|(path, lines)| lines.len() != allowed(path)).map(|(path, lines)| {
        format!(
            "{path}: closures of more than {MAX_CLOSURE_LINES} lines at {lines:?}, {} in LONG_CLOSURES",
            allowed(&path)
        )
    });
    assert_none(&wrong.collect::<Vec<_>>());
    let long = format!(
        "    let f = |a| {{\n{}    }};\n",
        "        b();\n".repeat(6)
    );
    assert_eq!(long_closures(&long), [1]);
    assert_eq!(
        long_closures("    let f = |a| {\n        b()\n    };\n"),
        [0; 0]
    );
}

#[test]
fn a_name_of_a_type_has_one_meaning() {
    let found = same_names(&sources());
    let excepted = |name: &str| SAME_NAME.iter().any(|(n, _)| *n == name);
    let wrong = found.iter().filter(|(name, _)| !excepted(name));
    let mut wrong: Vec<String> = wrong
        .map(|(name, paths)| format!("`{name}` is a type in {}", paths.join(" and ")))
        .collect();
    let stale = SAME_NAME
        .iter()
        .filter(|(name, _)| !found.contains_key(*name));
    wrong.extend(stale.map(|(name, _)| format!("`{name}` has one meaning: take it off SAME_NAME")));
    assert_none(&wrong);
    let twice = [
        file("src/a.rs", "pub struct Way;\nstruct Own;"),
        file(
            "src/b.rs",
            "pub(crate) enum Way {}\n#[cfg(test)]\nstruct Own;",
        ),
    ];
    assert_eq!(same_names(&twice).into_keys().collect::<Vec<_>>(), ["Way"]);
}

#[test]
fn words_that_were_replaced_stay_gone() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| words_gone(path, text))
        .collect();
    assert_none(&found);
    assert_eq!(words_gone("src/a.rs", "if shape.is_v1alpha1() {}").len(), 1);
}
