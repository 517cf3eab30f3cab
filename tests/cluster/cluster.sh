# An API server with etcd and nothing else, on loopback, in a folder of its own. To be sourced.
#
#   cluster_build FOLDER    builds kube-apiserver, once
#   cluster_start FOLDER    starts both and writes FOLDER/kubeconfig; cluster_stop ends them
#
# Nobody schedules, runs or replaces pods here: what a controller would write, the caller writes.
# The users are in FOLDER/tokens; all but `admin` may do what RBAC says, which is nothing at first.

cluster_port=${CLUSTER_PORT:-16443}
etcd_port=${ETCD_PORT:-12379}
cluster_users="admin reader namespaced nopolicies nonamespaces"

cluster_build() {
    test -x "$1/kube-apiserver" && return
    echo "building kube-apiserver; with two cores this takes some ten minutes" >&2
    local version=k8s.io/component-base/version
    (cd "$here/../api-validation" && nice -n 15 go build -o "$1/kube-apiserver" \
        -ldflags "-s -w -X $version.gitVersion=v1.36.3 -X $version.gitMajor=1 -X $version.gitMinor=36" \
        k8s.io/kubernetes/cmd/kube-apiserver)
}

cluster_start() {
    local folder=$1 user
    rm -rf "$folder/etcd" "$folder/certs"
    mkdir -p "$folder/certs"
    openssl genrsa -out "$folder/certs/accounts.key" 2048 2>/dev/null
    for user in $cluster_users; do
        if test "$user" = admin; then
            echo "token-of-$user,$user,$user,system:masters"
        else
            echo "token-of-$user,$user,$user"
        fi
    done >"$folder/tokens"

    etcd --data-dir "$folder/etcd" --unsafe-no-fsync \
        --listen-client-urls "http://127.0.0.1:$etcd_port" \
        --advertise-client-urls "http://127.0.0.1:$etcd_port" \
        --listen-peer-urls "http://127.0.0.1:$((etcd_port + 1))" >"$folder/etcd.log" 2>&1 &
    etcd_pid=$!
    "$folder/kube-apiserver" \
        --bind-address 127.0.0.1 --secure-port "$cluster_port" --cert-dir "$folder/certs" \
        --etcd-servers "http://127.0.0.1:$etcd_port" \
        --service-cluster-ip-range 10.96.0.0/16 \
        --service-account-issuer https://cluster.invalid \
        --service-account-key-file "$folder/certs/accounts.key" \
        --service-account-signing-key-file "$folder/certs/accounts.key" \
        --token-auth-file "$folder/tokens" --authorization-mode RBAC \
        --disable-admission-plugins ServiceAccount \
        >"$folder/apiserver.log" 2>&1 &
    apiserver_pid=$!
    trap cluster_stop EXIT
    cluster_kubeconfig "$folder" >"$folder/kubeconfig"
    for _ in $(seq 120); do
        if kubectl --kubeconfig "$folder/kubeconfig" get --raw /readyz >/dev/null 2>&1; then
            return
        fi
        kill -0 "$apiserver_pid" 2>/dev/null || break
        sleep 1
    done
    tail -5 "$folder/apiserver.log" >&2
    return 1
}

cluster_stop() {
    # the server first: without etcd it takes minutes to give up
    kill "$apiserver_pid" 2>/dev/null || true
    wait "$apiserver_pid" 2>/dev/null || true
    kill "$etcd_pid" 2>/dev/null || true
    wait "$etcd_pid" 2>/dev/null || true
}

# A context for each user, named after it; the current one is admin's.
cluster_kubeconfig() {
    local user
    echo "apiVersion: v1"
    echo "kind: Config"
    echo "current-context: admin"
    echo "clusters:"
    echo "- name: local"
    echo "  cluster: {server: 'https://127.0.0.1:$cluster_port', insecure-skip-tls-verify: true}"
    echo "users:"
    for user in $cluster_users; do
        echo "- {name: $user, user: {token: token-of-$user}}"
    done
    echo "contexts:"
    for user in $cluster_users; do
        echo "- {name: $user, context: {cluster: local, user: $user}}"
    done
}
