//! What the program is built from: the licences, sources and duplicates of `Cargo.lock` are those
//! that `.ci/deny.toml` allows, so that cargo-deny need not be installed to hold them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

const RULES: &str = include_str!("../.ci/deny.toml");

/// The packages that the lock file holds, as cargo tells them. Those of other platforms were not
/// needed to build this test, so that cargo may have to fetch them first.
fn packages() -> Vec<Value> {
    let mut cargo = Command::new(env!("CARGO"));
    let arguments = [
        "metadata",
        "--locked",
        "--all-features",
        "--format-version",
        "1",
    ];
    let output = cargo
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The texts in quotes of a list in the rules.
fn listed(list: &str) -> Vec<&'static str> {
    let (_, rest) = RULES.split_once(&format!("\n{list} = [")).expect(list);
    let (list, _) = rest.split_once(']').expect("the end of the list");
    list.split('"').skip(1).step_by(2).collect()
}

/// Whether a licence, as a package names it, leaves a choice that is allowed.
fn is_allowed(licence: &str, allowed: &[&str]) -> bool {
    let licence = licence.replace('/', " OR ");
    let all = licence.split(" AND ");
    let mut all = all.map(|part| part.trim_matches(|c| matches!(c, '(' | ')')).to_owned());
    all.all(|part| part.split(" OR ").any(|one| allowed.contains(&one.trim())))
}

#[test]
fn licences_are_allowed() {
    let allowed = listed("allow");
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(
            is_allowed(licence, &allowed),
            "{}: {licence}",
            package["name"]
        );
    }
    assert!(!is_allowed("GPL-3.0-only", &allowed));
    assert!(!is_allowed("MIT AND GPL-3.0-only", &allowed));
    assert!(is_allowed("GPL-3.0-only OR MIT", &allowed));
}

#[test]
fn packages_come_from_the_registry_with_a_checksum() {
    let registry = listed("allow-registry");
    for package in packages() {
        let Some(source) = package["source"].as_str() else {
            assert_eq!(
                package["name"],
                env!("CARGO_PKG_NAME"),
                "a path is no source"
            );
            continue;
        };
        let source = source.trim_start_matches("registry+");
        assert!(registry.contains(&source), "{}: {source}", package["name"]);
    }
    let lock = include_str!("../Cargo.lock");
    let locked = lock.split("[[package]]").skip(1);
    let without = locked.filter(|package| !package.contains("\nchecksum = "));
    assert_eq!(without.count(), 1, "all but netpal have a checksum");
}

#[test]
fn only_known_packages_are_there_twice() {
    let known = listed("skip");
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for package in packages() {
        *versions
            .entry(package["name"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    let twice = versions
        .iter()
        .filter(|(_, count)| **count > 1)
        .map(|(name, _)| name.as_str());
    assert_eq!(twice.collect::<Vec<_>>(), known);
}

/// The toolchain that the manifest promises is the one that `cargo` is asked for here, or older.
#[test]
fn the_oldest_toolchain_is_told() {
    let manifest = include_str!("../Cargo.toml");
    let told = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let number = |text: &str| -> Vec<u32> {
        let digits = text.trim_matches('"').split(['.', ' ']);
        digits.map_while(|n| n.parse().ok()).collect()
    };
    let version = Command::new(env!("CARGO"))
        .arg("--version")
        .output()
        .unwrap()
        .stdout;
    let version = String::from_utf8(version).unwrap();
    let used = number(version.trim_start_matches("cargo "));
    assert!(number(told.unwrap()) <= used, "{told:?} and {version}");
}
