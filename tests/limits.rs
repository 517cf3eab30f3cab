//! Input that could bite: pipes, devices, links in circles and in crowds, bombs of aliases. Each is
//! refused or read, within a bound.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const POD: &str = "apiVersion: v1
kind: Pod
metadata: {name: till, labels: {app: till}}
spec: {containers: [{name: main, image: registry.example/till:1}]}
";

/// Runs the program and gives up after a while: what it printed, and its exit code.
fn netpal(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_netpal"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            panic!("no answer to {arguments:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        String::from_utf8_lossy(&text).into_owned(),
        output.status.code().unwrap(),
    )
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pod.yaml"), POD).unwrap();
    folder
}

#[test]
fn what_is_no_regular_file_is_refused_in_a_directory() {
    type Make = fn(&Path);
    let makers: [(&str, Make); 3] = [
        ("pipe", pipe),
        ("device", |at| symlink("/dev/zero", at).unwrap()),
        ("device", |at| symlink("/dev/random", at).unwrap()),
    ];
    for (word, make) in makers {
        let folder = folder();
        make(&folder.path().join("odd.yaml"));
        for input in [".", "*.yaml"] {
            let (text, code) = netpal(folder.path(), &["inputs", "-f", input]);
            assert_eq!(code, 2, "{text}");
            assert!(text.contains("odd.yaml") && text.contains(word), "{text}");
        }
    }
}

#[test]
fn what_is_no_regular_file_is_refused_as_any_other_file() {
    let folder = folder();
    pipe(&folder.path().join("pipe"));
    symlink("/dev/zero", folder.path().join("zero")).unwrap();
    for odd in ["pipe", "zero"] {
        for arguments in [
            vec!["inputs", "-f", "pod.yaml", "--config", odd],
            vec!["test", odd, "-f", "pod.yaml"],
            vec!["lint", "-f", "pod.yaml", "--baseline", odd],
            vec!["can", "--questions", odd, "-f", "pod.yaml"],
            vec!["snapshot", odd, "--check", "-f", "pod.yaml"],
        ] {
            let (text, code) = netpal(folder.path(), &arguments);
            assert_eq!(code, 2, "{arguments:?}: {text}");
        }
    }
}

#[test]
fn a_directory_is_visited_once_however_many_links_lead_to_it() {
    let folder = folder();
    // every level has two links to the next: 2^24 paths lead to the last one
    let mut level = folder.path().join("0");
    std::fs::create_dir(&level).unwrap();
    for i in 1..24 {
        let next = folder.path().join(i.to_string());
        std::fs::create_dir(&next).unwrap();
        symlink(&next, level.join("left")).unwrap();
        symlink(&next, level.join("right")).unwrap();
        level = next;
    }
    symlink(folder.path(), level.join("around")).unwrap();
    std::fs::write(level.join("last.yaml"), POD.replace("till", "safe")).unwrap();
    let (text, code) = netpal(folder.path(), &["inputs", "-f", "."]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("2 files, 2 objects: 2 Pods"), "{text}");
    // from outside: two links to one directory
    let outside = tempfile::tempdir().unwrap();
    symlink(folder.path().join("23"), outside.path().join("a")).unwrap();
    symlink(folder.path().join("23"), outside.path().join("b")).unwrap();
    let (text, _) = netpal(outside.path(), &["inputs", "-f", "."]);
    assert!(text.contains("2 files, 2 objects"), "{text}");
}

#[test]
fn bombs_of_aliases_are_refused_one_at_a_time() {
    let mut bomb = "apiVersion: v1\nkind: Pod\nmetadata: {name: till}\nspec:\n  a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let items = vec![format!("*a{}", i - 1); 8].join(", ");
        bomb += &format!("  a{i}: &a{i} [{items}]\n");
    }
    let folder = tempfile::tempdir().unwrap();
    for i in 0..24 {
        std::fs::write(folder.path().join(format!("{i}.yaml")), &bomb).unwrap();
    }
    let (text, code) = netpal(folder.path(), &["inputs", "-f", "."]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("aliases"), "{text}");
}

#[test]
fn git_neither_fetches_nor_runs_what_a_repository_brings() {
    let folder = folder();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let mut command = Command::new("git");
        command
            .args(identity)
            .args(arguments)
            .current_dir(folder.path());
        assert!(command.output().unwrap().status.success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "pod.yaml"]);
    git(&["commit", "-q", "-m", "one"]);
    let witness = folder.path().join("witness");
    let script = folder.path().join("script.sh");
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\n", witness.display())).unwrap();
    git(&["config", "core.fsmonitor", "sh script.sh"]);
    git(&["config", "remote.origin.url", "ext::sh script.sh"]);
    git(&["config", "remote.origin.promisor", "true"]);
    git(&["config", "extensions.partialClone", "origin"]);
    git(&["config", "core.repositoryformatversion", "1"]);
    let (text, code) = netpal(folder.path(), &["inputs", "-f", "git:HEAD:."]);
    assert_eq!(code, 0, "{text}");
    assert!(!witness.exists());
}
