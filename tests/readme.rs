//! Every `console` block of the README, of `docs/` and of `docs/dialects/` is run, and prints what
//! it shows.
//!
//! A block starts in the root of the repository, or in an empty folder if it is marked `console
//! scratch`. A line that begins with `$ ` is a command: `netpal ...`, `cd DIR`, `echo $?`, joined
//! by `&&`. What follows it is everything the command writes, standard output before standard
//! error. `NETPAL_UPDATE_DOCS=1 cargo test --test readme` writes the blocks anew, for review.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    for folder in ["docs", "docs/dialects"] {
        let found = std::fs::read_dir(root().join(folder))
            .unwrap()
            .map(|e| e.unwrap().path());
        pages.extend(found.filter(|p| p.extension().is_some_and(|e| e == "md")));
    }
    pages.retain(|p| p.exists());
    pages.sort();
    pages
}

/// A shell as small as the blocks need.
struct Shell {
    folder: PathBuf,
    exit: i32,
}

impl Shell {
    fn run(&mut self, line: &str) -> String {
        let mut output = String::new();
        for command in line.split(" && ") {
            output.push_str(&self.command(command));
        }
        output
    }

    fn command(&mut self, command: &str) -> String {
        let words = words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["echo", "$?"] => format!("{}\n", self.exit),
            ["cd", folder] => {
                self.folder.push(folder);
                String::new()
            }
            ["netpal", arguments @ ..] => self.netpal(arguments),
            _ => panic!("a block may not run `{command}`"),
        }
    }

    fn netpal(&mut self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_netpal"));
        for unwanted in ["COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(unwanted);
        }
        let output = command
            .current_dir(&self.folder)
            .args(arguments)
            .output()
            .unwrap();
        self.exit = output.status.code().unwrap_or(-1);
        format!(
            "{}{}",
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap()
        )
    }
}

/// Splits a command at spaces outside quotes.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in command.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            (' ', None) => words.push(String::new()),
            (c, _) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// A page with every block replaced by what its commands print.
fn rerun(page: &str) -> String {
    let mut fresh = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        fresh.push('\n');
        if line == "```console" || line == "```console scratch" {
            let block: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            fresh.push_str(&rerun_block(&block, line.ends_with("scratch")));
            fresh.push_str("```\n");
        }
    }
    fresh
}

fn rerun_block(block: &[&str], scratch: bool) -> String {
    let empty = tempfile::tempdir().unwrap();
    let folder = if scratch {
        empty.path().to_path_buf()
    } else {
        root()
    };
    let mut shell = Shell { folder, exit: 0 };
    let mut fresh = String::new();
    for line in block.iter().filter_map(|l| l.strip_prefix("$ ")) {
        fresh += &format!("$ {line}\n{}", shell.run(line));
    }
    fresh
}

fn check(page: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(page).unwrap();
    let fresh = rerun(&text);
    let blocks = text.matches("\n```console").count();
    if fresh == text {
        return Ok(blocks);
    }
    if std::env::var_os("NETPAL_UPDATE_DOCS").is_some() {
        std::fs::write(page, &fresh).unwrap();
        return Ok(blocks);
    }
    let first = text
        .lines()
        .zip(fresh.lines())
        .position(|(a, b)| a != b)
        .unwrap_or(text.lines().count().min(fresh.lines().count()));
    let at = |t: &str| t.lines().nth(first).unwrap_or("(end of page)").to_owned();
    Err(format!(
        "{}:{}\n  shows   {}\n  prints  {}",
        page.display(),
        first + 1,
        at(&text),
        at(&fresh)
    ))
}

#[test]
fn every_console_block_prints_what_it_shows() {
    let checked: Vec<Result<usize, String>> = pages().iter().map(|p| check(p)).collect();
    let wrong: Vec<&String> = checked.iter().filter_map(|c| c.as_ref().err()).collect();
    assert!(
        wrong.is_empty(),
        "{wrong:#?}\nlook, then: NETPAL_UPDATE_DOCS=1 cargo test --test readme"
    );
    let blocks: usize = checked.iter().filter_map(|c| c.as_ref().ok()).sum();
    println!("{blocks} blocks in {} pages", checked.len());
    assert!(blocks > 4, "the blocks are there to be run");
}

#[test]
fn a_block_that_shows_something_else_is_found() {
    let page = "text\n```console\n$ netpal can a -f examples/demo\nyes\n$ echo $?\n0\n```\n";
    let fresh = rerun(page);
    assert!(
        fresh != page
            && fresh.contains("is not a question")
            && fresh.ends_with("$ echo $?\n2\n```\n"),
        "{fresh}"
    );
    let untouched =
        "```\n$ netpal nonsense\n```\n```console scratch\n$ netpal demo there && cd there\n```\n";
    assert!(rerun(untouched).starts_with(
        "```\n$ netpal nonsense\n```\n```console scratch\n$ netpal demo there && cd there\nWrote 7 files"
    ));
    assert_eq!(
        words("netpal can 'a b' \"c d\" e"),
        ["netpal", "can", "a b", "c d", "e"]
    );
}

/// The lines of the README's library example, compiled and run here; the block must be these lines.
#[test]
fn the_library_example_is_this() -> Result<(), Box<dyn std::error::Error>> {
    std::env::set_current_dir(root())?;
    let input = netpal::load(["examples/demo"])?;
    let graph = netpal::AllowGraph::compile(&input, &netpal::CompileOptions::default())?;
    let question = "shop/frontend reach data/database:5432".parse()?;
    let answer = netpal::ask(&graph, &netpal::Context::default(), &question)?;
    assert_eq!(answer.verdict, netpal::Verdict::Yes);
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    let block = readme
        .split("```rust\n")
        .nth(1)
        .and_then(|b| b.split("```").next())
        .unwrap();
    let indented = block
        .lines()
        .map(|l| format!("    {l}\n"))
        .collect::<Vec<_>>()
        .concat();
    assert!(
        include_str!("readme.rs").contains(&indented),
        "the README's example has other lines than this test"
    );
    Ok(())
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_netpal"))
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that `netpal --help` lists.
fn commands() -> Vec<String> {
    let text = help(&["--help"]);
    let list = text.split("Commands:\n").nth(1).unwrap();
    let names = list.lines().take_while(|l| !l.is_empty()).filter_map(|l| {
        l.split_whitespace()
            .next()
            .filter(|_| !l.starts_with("    "))
    });
    names.map(str::to_owned).collect()
}

/// The pieces of code on a page: inline spans and lines of blocks.
fn code(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.push(line.trim_start_matches("$ ").to_owned());
        } else {
            found.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(|s| s.replace("\\|", "|")),
            );
        }
    }
    found
}

/// The commands and flags of netpal that a piece of code uses.
fn usage(code: &str) -> (Option<String>, Vec<String>) {
    let flag = |w: &str| {
        w.trim_end_matches([',', ';', '.', ')'])
            .split('=')
            .next()
            .unwrap()
            .to_owned()
    };
    let flags = |words: &mut dyn Iterator<Item = &str>| {
        words
            .filter(|w| w.starts_with("--") && !w.trim_start_matches('-').is_empty())
            .map(flag)
            .collect()
    };
    let call = code
        .split(" | ")
        .flat_map(|part| part.split(" && "))
        .find_map(|p| p.strip_prefix("netpal "));
    match call {
        Some(call) => {
            let command = call
                .split_whitespace()
                .next()
                .filter(|w| w.chars().all(|c| c.is_ascii_lowercase()));
            (
                command.map(str::to_owned),
                flags(&mut call.split_whitespace()),
            )
        }
        None if code.starts_with("--") => (None, flags(&mut code.split_whitespace())),
        None => (None, Vec::new()),
    }
}

#[test]
fn commands_and_flags_that_the_pages_name_exist() {
    let commands = commands();
    assert!(
        commands.len() > 4 && commands.contains(&"can".to_owned()),
        "{commands:?}"
    );
    let helps: String = commands.iter().map(|c| help(&["help", c])).collect();
    let has_flag = |flag: &str| {
        helps
            .split(|c: char| c.is_whitespace() || ",=[]".contains(c))
            .any(|w| w == flag)
    };
    let mut wrong = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for (command, flags) in code(&text).iter().map(|c| usage(c)) {
            wrong.extend(
                command
                    .filter(|c| !commands.contains(c))
                    .map(|c| format!("{}: netpal {c}", page.display())),
            );
            wrong.extend(
                flags
                    .into_iter()
                    .filter(|f| !has_flag(f))
                    .map(|f| format!("{}: {f}", page.display())),
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "named, but not there:\n{}",
        wrong.join("\n")
    );
    let guide = std::fs::read_to_string(root().join("docs/guide.md")).unwrap();
    let silent: Vec<&String> = commands
        .iter()
        .filter(|c| !guide.contains(&format!("`{c}`")) && !guide.contains(&format!("netpal {c}")))
        .collect();
    assert!(
        silent.is_empty(),
        "give each a row in the table of commands of docs/guide.md: {silent:?}"
    );
}

#[test]
fn usage_is_read_right() {
    let flags = |text: &str| usage(text).1;
    assert_eq!(
        usage("helm template . --debug | netpal lint --fix -f -"),
        (Some("lint".into()), vec!["--fix".into()])
    );
    assert_eq!(flags("--unknown=yes"), ["--unknown"]);
    assert_eq!(flags("cargo install --path ."), [""; 0]);
    assert_eq!(flags("---"), [""; 0], "documents of YAML");
    assert_eq!(code("a `b` c\n```\n$ d e\n```\n`f`"), ["b", "d e", "f"]);
}
