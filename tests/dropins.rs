//! The drop-ins for CI, as far as they can be tried without the services: the action's script end
//! to end, the rest as YAML whose commands exist.
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

fn git(folder: &Path, arguments: &[&str]) {
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
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
}

/// The demo in a repository, with an edit of `data.yaml` that is not committed, and a `gh` that
/// writes down its calls.
fn repository(edit: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::create_dir(at.join("policy-tests")).unwrap();
    for name in [
        "data.yaml",
        "dev.yaml",
        "platform.yaml",
        "shop.yaml",
        "netpal.yaml",
    ] {
        std::fs::copy(root().join("examples/demo").join(name), at.join(name)).unwrap();
    }
    std::fs::write(
        at.join("policy-tests/shop.yaml"),
        "tests: [{cannot: ns/dev -> ns/data}]\n",
    )
    .unwrap();
    git(at, &["init", "-q"]);
    git(at, &["add", "."]);
    git(at, &["commit", "-qm", "base"]);
    let data = std::fs::read_to_string(at.join("data.yaml")).unwrap();
    std::fs::write(at.join("data.yaml"), edit(&data)).unwrap();
    std::fs::create_dir(at.join("bin")).unwrap();
    let gh = "#!/bin/sh\necho \"$@\" >> gh.log\nif [ -f old-comment ] && [ \"$2\" = --paginate ]; then echo 42; fi\n";
    std::fs::write(at.join("bin/gh"), gh).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(
        at.join("bin/gh"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    folder
}

/// Runs the action's script: the exit code, what it printed, the summary, and the calls of `gh`.
fn action(folder: &Path, more: &[(&str, &str)]) -> (i32, String, String, String) {
    let path = format!(
        "{}:{}",
        folder.join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let mut command = Command::new("bash");
    command
        .arg(root().join("action/run.sh"))
        .current_dir(folder)
        .env("PATH", path);
    command
        .env("NETPAL_BIN", env!("CARGO_BIN_EXE_netpal"))
        .env("RUNNER_TEMP", folder);
    command
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .env("GITHUB_REPOSITORY", "o/r");
    command
        .env_remove("GITHUB_OUTPUT")
        .env_remove("NETPAL_PATH")
        .envs(more.iter().copied());
    let run = command.output().unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let text = String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
    (
        run.status.code().unwrap(),
        text,
        read("summary.md"),
        read("gh.log"),
    )
}

/// After a first run that called `gh` so, the comment is there, and the next run edits it.
fn one_comment_is_kept(folder: &Path, more: &[(&str, &str)], gh: &str) {
    assert!(
        gh.contains("api -X POST repos/o/r/issues/7/comments"),
        "{gh}"
    );
    std::fs::write(folder.join("old-comment"), "").unwrap();
    let (_, _, _, gh) = action(folder, more);
    assert!(
        gh.contains("api -X PATCH repos/o/r/issues/comments/42"),
        "the comment is found again: {gh}"
    );
}

fn opened(data: &str) -> String {
    let port = "    ports:\n    - protocol: TCP\n      port: 5432\n";
    let rule =
        "  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dev}}}]\n";
    assert!(data.contains(port));
    data.replace(port, &format!("{port}{rule}"))
}

#[test]
fn the_action_compares_tests_annotates_and_comments() {
    let folder = repository(opened);
    let all = [
        ("NETPAL_BASE", "HEAD"),
        ("NETPAL_COMMENT", "true"),
        ("NETPAL_PULL", "7"),
    ];
    let (code, out, summary, gh) = action(folder.path(), &all);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("+ dev/runner -> data/database"), "{out}");
    assert!(
        out.contains("::error title=NPTEST policy-test,file=data.yaml,line=36"),
        "{out}"
    );
    assert!(
        summary.contains("| opened (+) | `dev/runner` | `data/database` | ALL |"),
        "{summary}"
    );
    assert!(
        summary.contains("### netpal: 1 failed, 0 passed"),
        "{summary}"
    );
    assert_eq!(
        summary.matches("<!-- netpal:sticky -->").count(),
        1,
        "{summary}"
    );
    one_comment_is_kept(folder.path(), &all, &gh);
}

#[test]
fn the_action_is_quiet_about_what_does_not_open_anything() {
    let folder = repository(|data| data.replace("port: 9187", "port: 9188"));
    let (code, out, _, gh) = action(
        folder.path(),
        &[("NETPAL_BASE", "HEAD"), ("NETPAL_FAIL_ON", "none")],
    );
    assert_eq!((code, gh.as_str()), (0, ""), "{out}");
    let (code, _, _, _) = action(folder.path(), &[("NETPAL_BASE", "nowhere")]);
    assert_eq!(code, 2, "a base that is not there is an error");
    let (code, _, _, _) = action(folder.path(), &[("NETPAL_PATH", "$(touch hacked)")]);
    assert_eq!(code, 2);
    assert!(
        !folder.path().join("hacked").exists(),
        "inputs are never read by a shell"
    );
}

/// Manifests of which a pull request opens the database to everybody.
const MADE: &str = "
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: prod, labels: {app: db}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: prod, labels: {app: job}}
spec: {containers: [{name: c}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: prod}
spec: {podSelector: {matchLabels: {app: db}}, ingress: []}
";

/// A repository with a kustomize overlay and a chart of the same manifests, and with kubectl, helm
/// and gh as far as they are called here.
#[cfg(unix)]
fn made() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("base/app.yaml", MADE);
    write("base/kustomization.yaml", "resources: [app.yaml]\n");
    write(
        "overlays/prod/kustomization.yaml",
        "resources: [../../base]\n",
    );
    write("chart/templates/app.yaml", MADE);
    let tools = [
        (
            "kubectl",
            "test \"$1 $2\" = 'kustomize --' && cat \"$3\"/../../base/app.yaml",
        ),
        (
            "helm",
            "test \"$1\" = template && cat \"$2\"/templates/*.yaml",
        ),
        (
            "gh",
            "echo \"$@\" >> gh.log; test ! -f old-comment || echo 42",
        ),
    ];
    for (name, does) in tools {
        let path = format!("bin/{name}");
        write(&path, &format!("#!/bin/sh\n{does}\n"));
        let mode = PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path().join(path), mode).unwrap();
    }
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "base", "overlays", "chart"]);
    git(folder.path(), &["commit", "-qm", "base"]);
    for name in ["base/app.yaml", "chart/templates/app.yaml"] {
        write(name, &MADE.replace("ingress: []", "ingress: [{}]"));
    }
    folder
}

#[test]
#[cfg(unix)]
fn the_action_compares_what_tools_make_of_both_revisions() {
    for way in [
        ("NETPAL_KUSTOMIZE", "overlays/prod"),
        ("NETPAL_RENDER", "helm template chart"),
    ] {
        let folder = made();
        let all = [
            way,
            ("NETPAL_BASE", "HEAD"),
            ("NETPAL_LINT", "true"),
            ("NETPAL_TESTS", "false"),
            ("NETPAL_SNAPSHOT", "true"),
            ("NETPAL_COMMENT", "true"),
            ("NETPAL_PULL", "7"),
        ];
        let (code, out, summary, gh) = action(folder.path(), &all);
        // there is no snapshot yet, which is a mistake of the workflow
        assert_eq!(code, 2, "{out}");
        let opens = "+ 2 pairs: prod/job, any outside address -> prod/db";
        assert!(out.contains(opens), "{out}");
        assert!(out.contains("::warning title=NP"), "{out}");
        let opened = summary.contains("opened (+)") && summary.contains("`prod/db` | ALL |");
        assert!(opened, "{summary}");
        assert!(summary.contains("### netpal: 0 errors"), "{summary}");
        let marked = summary.trim_end().ends_with("<!-- netpal:sticky -->");
        assert!(
            marked && summary.matches("sticky").count() == 1,
            "{summary}"
        );
        one_comment_is_kept(folder.path(), &all, &gh);
        let without = [way, ("NETPAL_BASE", "HEAD"), ("NETPAL_TESTS", "false")];
        let (code, out, ..) = action(folder.path(), &without);
        assert_eq!(code, 1, "the path that opens fails the job: {out}");
    }
    let folder = made();
    let failing = [
        ("NETPAL_RENDER", "helm lint chart"),
        ("NETPAL_BASE", "HEAD"),
    ];
    let (code, out, ..) = action(folder.path(), &failing);
    assert!(code == 2 && out.contains("::error::"), "{out}");
}

#[test]
fn the_templates_are_yaml_and_their_commands_exist() {
    let commands = ["diff", "test", "snapshot", "lint", "help"];
    for name in [
        "action/action.yml",
        "docs/ci/gitlab.yml",
        ".pre-commit-hooks.yaml",
        "docs/ci/argo-cd-presync.yaml",
    ] {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        for chunk in netpal::internals::tree::split(&text) {
            let parsed = netpal::internals::tree::parse(&text, &chunk);
            assert!(
                parsed.root.is_some() && parsed.problems.is_empty(),
                "{name}: {:?}",
                parsed.problems
            );
        }
        for line in text.lines().filter(|l| !l.trim_start().starts_with('#')) {
            for (at, _) in line.match_indices("netpal ") {
                let next = line[at + 7..].split(' ').next().unwrap();
                let known = commands.contains(&next)
                    || !next.chars().all(char::is_alphabetic)
                    || line.contains("name:")
                    || line.contains("description:")
                    || line.contains("author:");
                assert!(known, "{name}: {line}");
            }
        }
    }
}

#[test]
fn the_diff_driver_takes_what_git_gives() {
    let folder = repository(opened);
    let driver = format!(
        "sh -c '{} diff \"$2\" \"$5\" --exit-zero' --",
        env!("CARGO_BIN_EXE_netpal")
    );
    std::fs::write(
        folder.path().join(".git/info/attributes"),
        "*.yaml diff=netpal\n",
    )
    .unwrap();
    git(folder.path(), &["config", "diff.netpal.command", &driver]);
    let run = Command::new("git")
        .args(["diff", "data.yaml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.contains("Connectivity changes:"), "{text}");
}
