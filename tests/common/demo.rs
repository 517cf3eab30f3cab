//! A scratch copy of the demo, in git where wanted.
#![allow(dead_code)] // every test file is a crate of its own and uses a part

use super::{Run, netpal_at};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The line of the demo whose dash makes two peers of one.
pub const DASH: &str = "    - podSelector: {matchLabels: {app: checkout}}";

/// Every file of the demo.
const FILES: [&str; 6] = [
    "data.yaml",
    "dev.yaml",
    "platform.yaml",
    "shop.yaml",
    "netpal.yaml",
    "policy-tests/shop.yaml",
];

/// A scratch copy of the demo.
pub struct Demo(tempfile::TempDir);

impl Demo {
    /// A copy, not in git.
    pub fn copy() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policy-tests")).unwrap();
        for name in FILES {
            let from = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("examples/demo")
                .join(name);
            std::fs::copy(from, folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    /// A copy that is the one commit of a repository.
    pub fn committed() -> Self {
        let demo = Self::copy();
        for arguments in [
            &["init", "-q"][..],
            &["add", "."],
            &["commit", "-qm", "as it was"],
        ] {
            let fixed = [
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "-c",
                "init.defaultBranch=main",
            ];
            let run = Command::new("git")
                .args(fixed)
                .args(arguments)
                .current_dir(demo.path())
                .output()
                .unwrap();
            assert!(run.status.success(), "{run:?}");
        }
        demo
    }

    /// Where it lies.
    pub fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// Writes a file of it.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// Changes a file of it; an edit that changes nothing is a mistake of the test.
    pub fn edit(&self, name: &str, edit: impl Fn(&str) -> String) {
        let old = std::fs::read_to_string(self.path().join(name)).unwrap();
        let new = edit(&old);
        assert_ne!(new, old, "the edit of {name} finds what it edits");
        self.write(name, &new);
    }

    /// Runs netpal in it.
    pub fn run(&self, arguments: &[&str]) -> Run {
        netpal_at(&self.path(), arguments, "")
    }
}
