//! The configuration file and `git:REV:PATH`, through the program: found, merged, refused where
//! they should be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\nspec: {containers: [{name: c}]}\n";
const DENY: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {}}\n";

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn netpal(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_netpal"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    told(&output)
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
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
    let output = Command::new("git")
        .args(fixed)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Two manifests that ask about `internet -> shop/web` once with and once without the policy.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "k8s/pod.yaml", POD);
    write(folder.path(), "k8s/deny.yaml", DENY);
    folder
}

#[test]
fn the_nearest_configuration_names_the_inputs_relative_to_itself() {
    let folder = folder();
    write(
        folder.path(),
        "netpal.yaml",
        "version: 1\ninputs: [{path: k8s}]\n",
    );
    write(folder.path(), "deep/er/readme", "");
    let (code, out, _) = netpal(
        &folder.path().join("deep/er"),
        &["can", "internet", "web:80"],
    );
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("isolated by shop/deny"), "{out}");
    let (code, _, _) = netpal(
        folder.path(),
        &["can", "internet", "web:80", "-f", "k8s/pod.yaml"],
    );
    assert_eq!(code, 0, "a flag outweighs the file");
}

#[test]
fn a_mistake_in_the_configuration_has_its_line_and_ends_with_2() {
    let folder = folder();
    write(
        folder.path(),
        "netpal.yaml",
        "version: 1\ninput: [{path: k8s}]\n",
    );
    let (code, _, err) = netpal(folder.path(), &["can", "internet", "web:80"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("netpal.yaml:2:1: error: unknown field `input` here"),
        "{err}"
    );
    assert!(err.contains("did you mean `inputs`?"), "{err}");
}

#[test]
fn a_command_runs_only_when_it_was_allowed() {
    let folder = folder();
    write(
        folder.path(),
        "conf/netpal.yaml",
        "inputs: [{exec: \"touch ran && cat ../k8s/pod.yaml\"}]\n",
    );
    let ask = ["can", "internet", "web:80", "--config", "conf/netpal.yaml"];
    let (code, _, err) = netpal(folder.path(), &ask);
    assert_eq!(code, 2);
    assert!(err.contains("--allow-exec"), "{err}");
    assert!(!folder.path().join("conf/ran").exists(), "it did not run");
    let (code, _, err) = netpal(folder.path(), &[&ask[..], &["--allow-exec"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(
        folder.path().join("conf/ran").exists(),
        "it ran beside the file"
    );
}

#[test]
fn a_command_renders_the_files_of_each_revision() {
    let folder = folder();
    let at = folder.path();
    git(at, &["init", "-q"]);
    git(at, &["add", "."]);
    git(at, &["commit", "-qm", "one"]);
    git(at, &["rm", "-q", "k8s/deny.yaml"]);
    git(at, &["commit", "-qm", "two"]);
    let ask = [
        "diff",
        "HEAD~1..HEAD",
        "--render",
        "for f in k8s/*.yaml; do cat $f; echo ---; done",
    ];
    let (code, _, err) = netpal(at, &ask);
    assert!(code == 2 && err.contains("--allow-exec"), "{err}");
    let (code, out, err) = netpal(at, &[&ask[..], &["--allow-exec"]].concat());
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("shop/web"), "{out}");
    // the folder that the command ran in is that of the current one in the repository
    let inner = at.join("k8s");
    let inside = [
        "diff",
        "HEAD~1..HEAD",
        "--render",
        "for f in *.yaml; do cat $f; echo ---; done",
        "--allow-exec",
    ];
    assert_eq!(netpal(&inner, &inside).0, 1);
    let unknown = ["diff", "nowhere..HEAD", "--render", "true", "--allow-exec"];
    let (code, _, err) = netpal(at, &unknown);
    assert!(code == 2 && err.contains("nowhere"), "{err}");
    let two = ["diff", "a", "b", "--render", "true", "--allow-exec"];
    let (code, _, err) = netpal(at, &two);
    assert!(code == 2 && err.contains("REV1..REV2"), "{err}");
}

#[test]
fn a_configuration_stays_in_its_own_folder() {
    let folder = folder();
    let ask = ["can", "internet", "web:80", "--config", "conf/netpal.yaml"];
    let outside = |inputs: &str| {
        write(folder.path(), "conf/netpal.yaml", inputs);
        let (code, _, err) = netpal(folder.path(), &ask);
        assert_eq!(code, 2, "{inputs}: {err}");
        assert!(err.contains("--allow-outside"), "{inputs}: {err}");
        netpal(folder.path(), &[&ask[..], &["--allow-outside"]].concat()).0
    };
    assert_eq!(outside("inputs: [{path: ../k8s}]\n"), 1);
    let absolute = folder.path().join("k8s/*.yaml");
    let absolute = format!("inputs: [{{path: \"{}\"}}]\n", absolute.display());
    assert_eq!(outside(&absolute), 1);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../k8s", folder.path().join("conf/link")).expect("a link");
        assert_eq!(outside("inputs: [{path: link}]\n"), 1);
    }
    let snapshot = "inputs: [{path: own}]\nsnapshot: {path: ../net.snap}\n";
    write(folder.path(), "conf/own/pod.yaml", POD);
    write(folder.path(), "conf/netpal.yaml", snapshot);
    let update = ["snapshot", "--update", "--config", "conf/netpal.yaml"];
    let (code, _, err) = netpal(folder.path(), &update);
    assert_eq!(code, 2, "{err}");
    assert!(!folder.path().join("net.snap").exists(), "{err}");
    let (code, ..) = netpal(folder.path(), &[&update[..], &["--allow-outside"]].concat());
    assert_eq!(code, 0);
    assert!(folder.path().join("net.snap").exists());
    let tests = "inputs: [{path: own}]\ntests: [../tests/*.yaml]\n";
    write(folder.path(), "conf/netpal.yaml", tests);
    let (code, _, err) = netpal(folder.path(), &["test", "--config", "conf/netpal.yaml"]);
    assert!(code == 2 && err.contains("`../tests/*.yaml`"), "{err}");
}

#[test]
fn a_configured_kustomization_fetches_nothing_by_itself() {
    let folder = folder();
    write(
        folder.path(),
        "over/kustomization.yaml",
        "resources: [\"https://example.com/base?ref=v1\", ../k8s]\n",
    );
    write(
        folder.path(),
        "netpal.yaml",
        "inputs: [{kustomize: over}]\n",
    );
    let (code, _, err) = netpal(folder.path(), &["inputs"]);
    assert_eq!(code, 2, "{err}");
    let told = "`https://example.com/base?ref=v1`, which is not here and would be fetched";
    assert!(err.contains(told) && err.contains("--allow-exec"), "{err}");
    write(
        folder.path(),
        "conf/over/kustomization.yaml",
        "resources: [../../k8s]\n",
    );
    write(
        folder.path(),
        "conf/netpal.yaml",
        "inputs: [{kustomize: over}]\n",
    );
    let (code, _, err) = netpal(folder.path(), &["inputs", "--config", "conf/netpal.yaml"]);
    assert!(code == 2 && err.contains("--allow-outside"), "{err}");
}

#[test]
fn the_cluster_section_counts_as_the_flags_do() {
    let folder = folder();
    let block = DENY.replace(
        "{podSelector: {}}",
        "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16}}]}]}",
    );
    write(folder.path(), "k8s/deny.yaml", &block);
    write(
        folder.path(),
        "k8s/peer.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: peer, namespace: other}\nspec: {containers: [{name: c}]}\n",
    );
    let ask = ["can", "peer", "web:80", "-f", "k8s"];
    let with = |text: &str| {
        write(folder.path(), "netpal.yaml", text);
        netpal(folder.path(), &ask).0
    };
    assert_eq!(
        with("version: 1\n"),
        3,
        "the pod's address may or may not be in the block"
    );
    assert_eq!(with("cluster: {pod-cidrs: [10.1.4.0/24]}\n"), 0);
    assert_eq!(with("cluster: {pod-cidrs: [10.2.0.0/16]}\n"), 1);
    assert_eq!(with("cluster: {cni: cilium}\n"), 1);
}

#[test]
fn unsupported_policies_count_as_the_configuration_says() {
    let folder = folder();
    let other = "apiVersion: security.lynx.smartx.com/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: c, namespace: shop}\nspec: {}\n";
    write(folder.path(), "k8s/deny.yaml", other);
    let with = |text: &str| {
        write(folder.path(), "netpal.yaml", text);
        netpal(folder.path(), &["can", "internet", "web:80", "-f", "k8s"]).0
    };
    assert_eq!(with("unsupported: warn\n"), 3);
    assert_eq!(with("unsupported: fail\n"), 2);
    assert_eq!(with("unsupported: ignore\n"), 0);
}

#[test]
fn a_revision_is_read_as_it_was_committed() {
    let folder = folder();
    let at = folder.path();
    git(at, &["init", "-q"]);
    git(at, &["add", "."]);
    git(at, &["commit", "-qm", "one"]);
    std::fs::remove_file(at.join("k8s/deny.yaml")).unwrap();
    let ask = |from: &Path, path: &str| netpal(from, &["can", "internet", "web:80", "-f", path]);
    assert_eq!(
        ask(at, "k8s").0,
        0,
        "the working tree has no policy any more"
    );
    for path in [
        "git:HEAD:k8s",
        "git:HEAD:.",
        "git:HEAD:",
        "git:HEAD:k8s/*.yaml",
    ] {
        let (code, out, err) = ask(at, path);
        assert_eq!(code, 1, "{path}: {err}");
        assert!(out.contains("isolated by shop/deny"), "{out}");
    }
    assert_eq!(
        ask(&at.join("k8s"), "git:HEAD:.").0,
        1,
        "paths are relative to the current directory"
    );
    assert_eq!(ask(at, "git:HEAD:k8s/pod.yaml").0, 0, "one file of it");
    for bad in [
        "git:nowhere:k8s",
        "git:HEAD:absent",
        "git:-x:k8s",
        "git:HEAD:k8s/*.json",
    ] {
        let (code, _, err) = ask(at, bad);
        assert_eq!(code, 2, "{bad}: {err}");
        assert!(err.contains("git:"), "{err}");
    }
}

#[test]
fn a_link_in_a_revision_is_told_not_skipped() {
    let folder = folder();
    let at = folder.path();
    std::os::unix::fs::symlink("deny.yaml", at.join("k8s/link.yaml")).unwrap();
    git(at, &["init", "-q"]);
    git(at, &["add", "."]);
    git(at, &["commit", "-qm", "one"]);
    let (code, _, err) = netpal(at, &["can", "internet", "web:80", "-f", "git:HEAD:k8s"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("git:HEAD:k8s/link.yaml") && err.contains("symbolic link"),
        "{err}"
    );
}

#[test]
fn pods_to_assume_are_proposed_and_the_proposal_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {}
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}
      podSelector: {matchLabels: {app.kubernetes.io/name: gateway}}
    - namespaceSelector: {matchLabels: {purpose: monitoring}}
    - podSelector: {matchLabels: {app: typo}}
    - namespaceSelector: {}
      podSelector: {matchLabels: {app: anywhere}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: example/web}]}
";
    std::fs::write(folder.path().join("shop.yaml"), policy).unwrap();
    let proposed = common::netpal_at(folder.path(), &["init", "assume", "-f", "."], "");
    let expected = "\
assume:
# named by shop/web
- name: \"gateway\"
  namespace:
    name: \"edge\"
  pods: {\"app.kubernetes.io/name\": \"gateway\"}
# named by shop/web
- name: \"monitoring\"
  namespace:
    name: \"monitoring\"
    labels: {\"purpose\": \"monitoring\"}
";
    assert!(proposed.stdout.ends_with(expected), "{}", proposed.text());
    std::fs::write(folder.path().join("netpal.yaml"), &proposed.stdout).unwrap();
    for source in ["edge/gateway", "monitoring/monitoring"] {
        let question = ["can", source, "reach", "shop/web:80", "-f", "shop.yaml"];
        let run = common::netpal_at(folder.path(), &question, "");
        assert_eq!(run.code, 0, "{}", run.text());
    }
    let again = common::netpal_at(folder.path(), &["init", "assume", "-f", "shop.yaml"], "");
    assert!(
        again.stdout.contains("# no policy names"),
        "{}",
        again.text()
    );
}

/// What only a revision holds is judged in that revision; a link is followed out of the folder of
/// the configuration nowhere.
#[test]
#[cfg(unix)]
fn a_configuration_leads_nowhere_by_a_revision_or_a_link_further_down() {
    let folder = folder();
    let at = folder.path();
    let fetching = "resources: [\"https://example.com/base?ref=v1\"]\n";
    write(at, "over/kustomization.yaml", fetching);
    write(at, "netpal.yaml", "inputs: [{kustomize: over}]\n");
    git(at, &["init", "-q"]);
    git(at, &["add", "."]);
    git(at, &["commit", "-qm", "it fetches"]);
    write(at, "over/kustomization.yaml", "resources: [../k8s]\n");
    let (code, _, err) = netpal(at, &["diff", "HEAD..HEAD"]);
    assert!(code == 2 && err.contains("would be fetched"), "{err}");

    write(at, "secret/deny.yaml", DENY);
    write(at, "conf/own/pod.yaml", POD);
    std::os::unix::fs::symlink("../../secret", at.join("conf/own/more")).unwrap();
    write(
        at,
        "conf/netpal.yaml",
        "inputs: [{path: own}]\ntests: [own/*/*.yaml]\n",
    );
    let asked = ["inputs", "--config", "conf/netpal.yaml"];
    let (code, _, err) = netpal(at, &asked);
    assert!(
        code == 2 && err.contains("conf/own/more/deny.yaml`, which lies outside"),
        "{err}"
    );
    let (code, _, err) = netpal(at, &[&asked[..], &["--allow-outside"]].concat());
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = netpal(at, &["test", "--config", "conf/netpal.yaml", "-f", "k8s"]);
    assert!(
        code == 2 && err.contains("conf/own/more/deny.yaml`, which lies outside"),
        "{err}"
    );
}

#[test]
fn a_diff_reads_each_revision_with_its_own_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "apps/pod.yaml", POD);
    write(at, "policies/deny.yaml", DENY);
    let both = "version: 1\ninputs: [{path: apps}, {path: policies}]\n";
    write(at, "netpal.yaml", both);
    git(at, &["init", "-q"]);
    let commit = |message| {
        git(at, &["add", "."]);
        git(at, &["commit", "-q", "-m", message]);
    };
    commit("one");
    git(at, &["tag", "one"]);
    write(at, "netpal.yaml", "version: 1\ninputs: [{path: apps}]\n");
    commit("two");
    let (code, out, err) = netpal(at, &["diff", "one..HEAD"]);
    assert_eq!(code, 1, "the policies are no longer an input: {out}{err}");
    assert!(out.contains("shop/deny removed"), "{out}");
    assert!(
        err.contains("netpal.yaml is another one on each side"),
        "{err}"
    );
    let (code, out, _) = netpal(at, &["diff", "one..one"]);
    assert_eq!(code, 0, "{out}");
    // one file for both sides
    write(at, "pinned.yaml", both);
    let (code, out, err) = netpal(at, &["diff", "one..HEAD", "--config", "pinned.yaml"]);
    assert!(
        code == 0 && !err.contains("another one"),
        "{code} {out}{err}"
    );
    // what was unknown does not become certain by the change that brings it
    write(at, "netpal.yaml", &format!("{both}unsupported: ignore\n"));
    let unknown = "apiVersion: policy.example.org/v1\nkind: NetworkPolicy\nmetadata: {name: x, namespace: shop}\nspec: {}\n";
    write(at, "policies/unknown.yaml", unknown);
    commit("three");
    let (code, out, _) = netpal(at, &["diff", "one..HEAD"]);
    assert!(code != 0 && out.contains("undecided"), "{code} {out}");
}
