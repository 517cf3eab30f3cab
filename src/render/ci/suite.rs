//! Test files and probes, written: what `init tests` proposes, and what `test --export` gives to
//! other tools.

use crate::check::export::{Probe, ProbeTarget};
use crate::check::{Claim, Suite};
use crate::model::Cluster;
use crate::model::WorkloadId;
use crate::render::data::yaml;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct SuiteFile {
    version: u32,
    tests: Vec<WrittenTest>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "kebab-case")]
struct WrittenTest {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    world: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    can: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cannot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    only_from: Option<OnlyFromClaim>,
}

#[derive(Serialize)]
struct OnlyFromClaim {
    to: String,
    from: Vec<String>,
}

/// A proposed test file.
///
/// # Errors
/// When the writer fails.
pub fn tests(suite: &Suite, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "# Proposed from what is allowed now: keep what must stay true, delete the rest. Run: netpal test"
    )?;
    let file = SuiteFile {
        version: 1,
        tests: suite.tests.iter().filter_map(written).collect(),
    };
    yaml::write(&file, out)
}

/// A test as it is written; `None` for claims that are never proposed.
fn written(test: &crate::check::PolicyTest) -> Option<WrittenTest> {
    let mut written = WrittenTest {
        name: test.name.clone(),
        world: test.closed.then_some("closed"),
        ..WrittenTest::default()
    };
    match &test.claim {
        Claim::Can(texts, _) => written.can = texts.first().cloned(),
        Claim::Cannot(texts) => written.cannot = texts.first().cloned(),
        Claim::OnlyFrom(spec) => {
            written.only_from = Some(OnlyFromClaim {
                to: spec.to.clone(),
                from: spec.from.texts().to_vec(),
            });
        }
        _ => return None,
    }
    Some(written)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NetassertProbe {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    protocol: String,
    target_port: u16,
    timeout_seconds: u32,
    attempts: u32,
    exit_code: u32,
    src: BTreeMap<&'static str, Resource>,
    dst: BTreeMap<&'static str, Resource>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Resource {
    Workload {
        kind: String,
        name: String,
        namespace: String,
    },
    Host {
        name: String,
    },
}

/// Probes in the form of netassert: it runs each from the source's pods in a live cluster.
///
/// # Errors
/// When the writer fails.
pub fn netassert(cluster: &Cluster, probes: &[Probe], out: &mut dyn Write) -> io::Result<()> {
    let mut seen: BTreeMap<&String, usize> = BTreeMap::new();
    let mut list = Vec::with_capacity(probes.len());
    for probe in probes {
        let count = seen.entry(&probe.name).or_default();
        *count += 1;
        list.push(netassert_probe(cluster, probe, *count));
    }
    yaml::write(&list, out)
}

fn netassert_probe(cluster: &Cluster, probe: &Probe, count: usize) -> NetassertProbe {
    let dst = match &probe.destination {
        ProbeTarget::Workload(id) => ("k8sResource", resource(cluster, *id)),
        ProbeTarget::Host(address) => (
            "host",
            Resource::Host {
                name: address.to_string(),
            },
        ),
    };
    NetassertProbe {
        name: format!("{} ({count})", probe.name),
        kind: "k8s",
        protocol: probe.traffic.protocol.name().to_lowercase(),
        target_port: probe.traffic.port,
        timeout_seconds: 15,
        attempts: 3,
        exit_code: u32::from(!probe.allowed),
        src: BTreeMap::from([("k8sResource", resource(cluster, probe.source))]),
        dst: BTreeMap::from([dst]),
    }
}

fn resource(cluster: &Cluster, id: WorkloadId) -> Resource {
    let workload = cluster.workload(id);
    let namespace = cluster.namespace(workload.namespace).name.to_string();
    Resource::Workload {
        kind: workload.kind_name().to_lowercase(),
        name: workload.name.to_string(),
        namespace,
    }
}
