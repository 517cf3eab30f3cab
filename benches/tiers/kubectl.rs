//! Writes a made cluster as `kubectl get -o json` would: one List per kind, four spaces, the fields
//! real objects have; or as the repository it came from would hold it: YAML, a document for every
//! object, among others that say nothing of traffic.

use super::generate::{Controller, Made, node_address, node_name, pod_address};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, BufWriter, Write};
use std::path::Path;

impl Made {
    /// Writes the Lists into a directory; tells how many bytes they have.
    pub fn write(&self, directory: &Path) -> io::Result<u64> {
        std::fs::create_dir_all(directory)?;
        let namespaces = self.namespaces.iter().map(|n| {
            let labels = n.labels.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect::<serde_json::Map<_, _>>();
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n.name, "labels": labels, "uid": "5b1c"},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
        });
        let nodes = (0..self.nodes).map(|i| {
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node_name(i), "labels": {}},
                "status": {"addresses": [{"type": "InternalIP", "address": node_address(i)}]}})
        });
        let pods = self
            .pods()
            .map(|(controller, i, n)| self.pod(controller, i, n));
        Ok(list(&directory.join("namespaces.json"), namespaces)?
            + list(&directory.join("nodes.json"), nodes)?
            + list(&directory.join("pods.json"), pods)?
            + list(
                &directory.join("policies.json"),
                self.policies.iter().cloned(),
            )?)
    }

    /// The pods as one List of JSON.
    pub fn pods_json(&self) -> String {
        let mut text = Vec::new();
        let pods = self
            .pods()
            .map(|(controller, i, n)| self.pod(controller, i, n));
        write_list(&mut text, pods).expect("memory takes everything");
        String::from_utf8(text).expect("text")
    }

    /// Namespaces, policies, Deployments, their pods, and for each Deployment what a chart brings
    /// along: a `ConfigMap`, a Secret; and a few `CustomResourceDefinition`s. The first so many
    /// bytes of it, to the end of a document.
    pub fn yaml(&self, bytes: usize) -> String {
        let mut text = String::new();
        for document in self.documents() {
            text += "---\n";
            text += &serde_yaml::to_string(&document).expect("JSON is YAML");
            if text.len() >= bytes {
                break;
            }
        }
        text
    }

    fn documents(&self) -> impl Iterator<Item = Value> + '_ {
        let namespaces = self.namespaces.iter().map(|n| {
            let labels = n.labels.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect::<serde_json::Map<_, _>>();
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n.name, "labels": labels}})
        });
        let lines = |n: usize| "setting = the value of a setting\n".repeat(n);
        let definitions = (0..self.namespaces.len() / 10).map(move |i| {
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": format!("things{i}.example.org")}, "spec": {"description": lines(400)}})
        });
        let mut left = self.pods().peekable();
        let apps = self.controllers.iter().flat_map(move |c| {
            let own = std::iter::from_fn(|| left.next_if(|(of, ..)| std::ptr::eq(*of, c)));
            let pods: Vec<Value> = own.map(|(c, i, n)| self.pod(c, i, n)).collect();
            let head = json!({"name": c.name, "namespace": self.namespaces[c.namespace].name});
            let labels = pods.first().map(|p| p["metadata"]["labels"].clone()).unwrap_or_default();
            let template = json!({"metadata": {"labels": labels}, "spec": spec(c, None)});
            let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": head,
                "spec": {"replicas": c.replicas, "selector": {"matchLabels": labels}, "template": template}});
            let settings =
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": head, "data": {"app.conf": lines(40)}});
            let secret =
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": head, "stringData": {"key": lines(4)}});
            [deployment, settings, secret].into_iter().chain(pods)
        });
        namespaces
            .chain(definitions)
            .chain(self.policies.iter().cloned())
            .chain(apps)
    }

    fn pod(&self, controller: &Controller, i: usize, n: usize) -> Value {
        let mut labels: serde_json::Map<String, Value> = controller
            .labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), json!(v)))
            .collect();
        if controller.unique {
            labels.insert("unique".into(), json!(n.to_string()));
        }
        let node = self.node_of(controller, i, n);
        let address = match node {
            Some(node) if controller.host_network => node_address(node),
            _ => pod_address(n),
        };
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z", "generateName": format!("{}-", controller.name), "labels": labels,
                "name": format!("{}-{i}", controller.name), "namespace": self.namespaces[controller.namespace].name,
                "ownerReferences": [{"apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true, "kind": "ReplicaSet",
                    "name": controller.name, "uid": "c3f1a7be-0000-4000-8000-000000000000"}],
                "resourceVersion": n.to_string(), "uid": format!("{n:032x}")},
            "spec": spec(controller, node),
            "status": {"conditions": conditions(), "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0,
                    "image": "registry.example/app:1.0", "imageID": "sha256:0f", "started": true, "state": {"running": {"startedAt": "2026-01-01T00:00:05Z"}}}],
                "hostIP": node.map(node_address), "phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "qosClass": "Burstable"}})
    }
}

fn spec(controller: &Controller, node: Option<usize>) -> Value {
    let ports: Vec<Value> = controller
        .ports
        .iter()
        .map(|(name, port)| json!({"containerPort": port, "name": name, "protocol": "TCP"}))
        .collect();
    let probe = json!({"failureThreshold": 3, "httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10,
        "successThreshold": 1, "timeoutSeconds": 1});
    let env: Vec<Value> = (0..6)
        .map(|i| json!({"name": format!("SETTING_{i}"), "value": format!("value of setting {i}")}))
        .collect();
    let mut spec = json!({
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm":
            {"labelSelector": {"matchLabels": {"app.kubernetes.io/name": controller.name}}, "topologyKey": "kubernetes.io/hostname"}, "weight": 100}]}},
        "containers": [{"env": env, "image": "registry.example/app:1.0", "imagePullPolicy": "IfNotPresent", "livenessProbe": probe, "name": "main",
            "ports": ports, "readinessProbe": probe, "resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "token", "readOnly": true}]}],
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority", "priority": 0, "restartPolicy": "Always",
        "schedulerName": "default-scheduler", "securityContext": {}, "serviceAccount": "default", "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [{"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300},
            {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300}],
        "volumes": [{"name": "token", "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
            {"downwardAPI": {"items": [{"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}]}}]}}]});
    if controller.host_network {
        spec["hostNetwork"] = json!(true);
    }
    if let Some(node) = node {
        spec["nodeName"] = json!(node_name(node));
    }
    spec
}

fn conditions() -> Vec<Value> {
    let kinds = [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ];
    let one = |kind: &&str| json!({"lastProbeTime": null, "lastTransitionTime": "2026-01-01T00:00:05Z", "status": "True", "type": kind});
    kinds.iter().map(one).collect()
}

fn list(path: &Path, items: impl Iterator<Item = Value>) -> io::Result<u64> {
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    write_list(&mut out, items)?;
    out.flush()?;
    Ok(std::fs::metadata(path)?.len())
}

fn write_list(out: &mut impl Write, items: impl Iterator<Item = Value>) -> io::Result<()> {
    write!(out, "{{\n    \"apiVersion\": \"v1\",\n    \"items\": [")?;
    for (i, item) in items.enumerate() {
        let mut text = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        item.serialize(&mut serde_json::Serializer::with_formatter(
            &mut text, format,
        ))?;
        write!(out, "{}\n        ", if i > 0 { "," } else { "" })?;
        out.write_all(
            String::from_utf8_lossy(&text)
                .replace('\n', "\n        ")
                .as_bytes(),
        )?;
    }
    write!(
        out,
        "\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {{\n        \"resourceVersion\": \"\"\n    }}\n}}\n"
    )
}
