//! The role of a workload, guessed from names, labels and ports: whether it is a data store, and
//! whether it serves the cluster's API. Used to rank what a reader should see first.

use crate::model::{Cluster, WorkloadId};

/// Words in the names of data stores, and the ports that such a store listens on.
const STORES: [(&str, &[u16]); 16] = [
    ("postgres", &[5432]),
    ("mysql", &[3306]),
    ("mariadb", &[3306]),
    ("mssql", &[1433]),
    ("oracle", &[1521]),
    ("redis", &[6379]),
    ("valkey", &[6379]),
    ("memcached", &[11211]),
    ("mongo", &[27017]),
    ("cassandra", &[9042]),
    ("elasticsearch", &[9200]),
    ("opensearch", &[9200]),
    ("etcd", &[2379]),
    ("clickhouse", &[8123]),
    ("minio", &[]),
    ("database", &[]),
];

/// Whether a workload looks like a data store: by its name, or by a port one of its containers
/// declares. O(its pods).
pub fn is_store(cluster: &Cluster, workload: WorkloadId) -> bool {
    let found = cluster.workload(workload);
    let is_stores = |port: u16| STORES.iter().any(|(_, ports)| ports.contains(&port));
    STORES.iter().any(|(word, _)| found.name.contains(word))
        || found
            .pods
            .iter()
            .any(|p| cluster.pod(*p).ports.iter().any(|c| is_stores(c.port)))
}

/// Whether a workload looks like the API server: by the label that `kubeadm` sets. O(its pods).
pub fn is_api_server(cluster: &Cluster, workload: WorkloadId) -> bool {
    let pods = &cluster.workload(workload).pods;
    pods.iter()
        .any(|p| cluster.pod_labels(*p).get("component") == Some("kube-apiserver"))
}
