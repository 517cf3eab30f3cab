//! What the tests share: golden files under `snapshots/`, and the binary run as a user would.
#![allow(dead_code)] // every test file is a crate of its own and uses a part

use std::path::Path;
use std::process::{Command, Stdio};

/// Settings of golden files: one folder at the top, the test file's name in front.
pub fn golden() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// What a run of the binary gave.
pub struct Run {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit code.
    pub code: i32,
}

impl Run {
    /// Everything in one text, for a golden file.
    pub fn text(&self) -> String {
        let err = if self.stderr.is_empty() {
            String::new()
        } else {
            format!("--- stderr\n{}", self.stderr)
        };
        format!("{}{err}--- exit {}\n", self.stdout, self.code)
    }
}

/// Runs `netpal ARGUMENTS` in a folder below the repository's root.
pub fn netpal_in(folder: &str, arguments: &[&str]) -> Run {
    netpal_at(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        arguments,
        "",
    )
}

/// Runs `netpal ARGUMENTS` in any folder, with a standard input.
pub fn netpal_at(folder: &Path, arguments: &[&str], stdin: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netpal"));
    command
        .current_dir(folder)
        .args(arguments)
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("netpal starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), stdin.as_bytes()).ok();
    let output = child.wait_with_output().expect("netpal ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
    Run {
        stdout: text(output.stdout),
        stderr: text(output.stderr),
        code: output.status.code().unwrap_or(-1),
    }
}
