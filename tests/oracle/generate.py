"""Small random clusters with every corner in them: the same seed gives the same objects.

`python3 generate.py SEED` prints one as a JSON List that any Kubernetes tool reads.
"""

from __future__ import annotations

import ipaddress
import json
import random
import sys
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

NAMESPACES = ["app", "web", "ops", "bare"]
POD_LABELS = {"app": ["web", "api", "db"], "tier": ["", "front", "back"], "x": ["1"]}
NAMESPACE_LABELS = {"env": ["dev", "prod", ""], "team": ["a", "b"]}
NODE_LABELS = {"zone": ["a", "b"], "gpu": ["", "yes"]}
PORT_NAMES = ["http", "dns", "pg"]
NUMBERS = [53, 80, 81, 443, 5432, 8080, 8081]

# What is asked for every pair of ends.
PORTS: list[tuple[str, int]] = [
    ("TCP", 1), ("TCP", 53), ("TCP", 80), ("TCP", 81), ("TCP", 443), ("TCP", 5432), ("TCP", 8080),
    ("TCP", 65535), ("UDP", 53), ("UDP", 80), ("UDP", 8080), ("SCTP", 80), ("SCTP", 5432),
]  # fmt: skip

# Addresses that no pod has: public, documentation, private, link-local.
OUTSIDE = {
    4: ["203.0.113.7", "8.8.8.8", "10.0.0.200", "192.168.7.7", "169.254.169.254"],
    6: ["2001:db8::7", "2600::1", "fd00::c8", "fd77::7"],
}
BLOCKS = {
    4: ["0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/24", "192.168.0.0/16", "10.0.0.0/16", "8.0.0.0/7", "172.16.0.0/12",
        "128.0.0.0/1"],
    6: ["::/0", "fd00::/8", "fc00::/7", "2001:db8::/32", "fd00::/16", "fd77::/16", "8000::/1", "2000::/3"],
}  # fmt: skip


@dataclass
class Style:
    """What a cluster is like; chosen once per seed."""

    # v4, v6, dual, mixed: the families of pods that have addresses.
    families: str
    # How many pods are without addresses.
    silent: float
    hosts: float
    missing_namespaces: float
    cluster_policies: str
    names: float


class Generator:
    def __init__(self, seed: int, policy_seed: int | None = None) -> None:
        self.random = random.Random(seed)
        self.policy_seed = seed if policy_seed is None else policy_seed
        self.style = Style(
            families=self.random.choice(["v4", "v4", "v6", "dual", "mixed", "mixed"]),
            silent=self.random.choice([0, 0, 0.3, 0.6, 1]),
            hosts=self.random.choice([0, 0, 0.2, 0.4]),
            missing_namespaces=self.random.choice([0, 0, 0.3]),
            cluster_policies=self.random.choice(["none", "anp", "cnp", "both", "anp", "cnp"]),
            names=self.random.choice([0.1, 0.4]),
        )
        self.known: dict[int, list[str]] = {4: [], 6: []}

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Things

    def labels(self, pool: dict[str, list[str]], density: float = 0.6) -> dict[str, str]:
        return {key: self.random.choice(values) for key, values in pool.items() if self.chance(density)}

    def pick_families(self) -> list[int]:
        families = {"v4": [4], "v6": [6], "dual": [4, 6]}.get(self.style.families)
        return families or self.random.choice([[4], [6], [4, 6]])

    def cluster(self) -> list[Object]:
        things = self.things()
        self.random = random.Random(f"policies {self.policy_seed}")
        return things + self.policies()

    def things(self) -> list[Object]:
        objects: list[Object] = []
        self.spaces = NAMESPACES[: self.random.randint(2, 4)]
        for name in self.spaces:
            if self.chance(self.style.missing_namespaces):
                continue
            labels = self.labels(NAMESPACE_LABELS)
            if self.chance(0.05):
                labels["kubernetes.io/metadata.name"] = "app"  # S27
            objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        nodes: list[tuple[str, dict[int, str]]] = []
        for number in range(self.random.randint(0, 3)):
            name = f"n{number}"
            addresses: dict[int, str] = {}
            entries = []
            if self.chance(0.85):
                for family in self.pick_families():
                    addresses[family] = f"172.18.0.{number + 1}" if family == 4 else f"fd99::{number + 1}"
                    entries.append({"type": "InternalIP", "address": addresses[family]})
                    self.known[family].append(addresses[family])
                if self.chance(0.3) and 4 in addresses:
                    entries.append({"type": "ExternalIP", "address": f"198.51.100.{number + 1}"})
                    self.known[4].append(f"198.51.100.{number + 1}")
                entries.append({"type": "Hostname", "address": name})
            nodes.append((name, addresses))
            objects.append(
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": name, "labels": self.labels(NODE_LABELS)},
                    "status": {"addresses": entries},
                }
            )
        for number in range(self.random.randint(3, 7)):
            objects.append(self.pod(number, nodes))
        if self.chance(0.35):
            # Replicas that need not be alike.
            replicas = [each for each in objects if each["kind"] == "Pod"][:2]
            for number, replica in enumerate(replicas):
                replica["metadata"]["name"] = f"w-{number}"
                replica["metadata"]["namespace"] = replicas[0]["metadata"]["namespace"]
                replica["metadata"]["ownerReferences"] = [
                    {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "w", "uid": "1", "controller": True}
                ]
                if replica["spec"].pop("hostNetwork", None):
                    replica.pop("status", None)
        if self.chance(0.3):
            objects.append(self.service([each for each in objects if each["kind"] == "Pod"]))
        return objects

    def container(self, name: str) -> Object:
        ports: list[Object] = []
        for port_name in PORT_NAMES:
            if self.chance(0.4):
                port: Object = {"name": port_name, "containerPort": self.random.choice(NUMBERS)}
                if self.chance(0.5):
                    port["protocol"] = self.random.choice(["TCP", "UDP", "SCTP"])
                ports.append(port)
        if self.chance(0.2):
            ports.append({"containerPort": self.random.choice(NUMBERS)})
        return {"name": name, "image": "example.com/image:1", "ports": ports}

    def pod(self, number: int, nodes: list[tuple[str, dict[int, str]]]) -> Object:
        space = self.random.choice(self.spaces)
        spec: Object = {"containers": [self.container("main")]}
        if self.chance(0.15):
            sidecar = self.container("sidecar")
            if self.chance(0.7):  # else the same names twice (S48)
                for port in sidecar["ports"]:
                    if "name" in port:
                        port["name"] = "side-" + port["name"]
            spec["containers"].append(sidecar)
        if self.chance(0.15):
            early = self.container("early")
            early["ports"] = [port for port in early["ports"] if "name" in port]
            if self.chance(0.5):
                early["restartPolicy"] = "Always"
            spec["initContainers"] = [early]
        status: Object = {}
        host = self.chance(self.style.hosts)
        node = self.random.choice(nodes) if nodes and self.chance(0.7) else None
        if node is None and self.chance(0.1):
            node = ("n9", {4: "172.18.0.9"} if self.style.families != "v6" else {6: "fd99::9"})  # no such Node
        if node:
            spec["nodeName"] = node[0]
        dead = self.chance(0.1)
        if host:
            spec["hostNetwork"] = True
            if node and node[1] and not self.chance(self.style.silent):
                status["podIPs"] = [{"ip": address} for address in node[1].values()]
        elif not self.chance(self.style.silent):
            entries = []
            for family in self.pick_families():
                # A finished pod may have an address that is another's now.
                low = number if not dead else self.random.randint(0, 6)
                index = NAMESPACES.index(space)
                address = f"10.0.{index}.{low + 1}" if family == 4 else f"fd00:{index}::{low + 1}"
                entries.append({"ip": address})
                self.known[family].append(address)
            status["podIPs"] = entries
        if status:
            status["podIP"] = status["podIPs"][0]["ip"]
            if len(status["podIPs"]) == 1 and self.chance(0.3):
                del status["podIPs"]
            elif self.chance(0.2):
                del status["podIP"]
            status["phase"] = self.random.choice(["Running", "Running", "Pending", "Unknown"])
            if node and node[1] and self.chance(0.5):
                status["hostIP"] = next(iter(node[1].values()))
        if dead:
            status["phase"] = self.random.choice(["Succeeded", "Failed"])
        pod: Object = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "namespace": space, "labels": self.labels(POD_LABELS)},
            "spec": spec,
        }
        if status:
            pod["status"] = status
        if self.chance(0.05):
            pod["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"  # still an endpoint (S57)
        return pod

    def service(self, pods: list[Object]) -> Object:
        families = {"v4": ["IPv4"], "v6": ["IPv6"], "dual": ["IPv4", "IPv6"]}.get(self.style.families)
        meta = self.random.choice(pods)["metadata"]
        labels = list(meta["labels"].items()) or [("app", "web")]
        spec: Object = {"selector": dict(self.random.sample(labels, 1))}
        spec["ports"] = [{"port": 80, "targetPort": self.random.choice([8080, "http"])}]
        if families and self.chance(0.5):
            spec["ipFamilies"] = families
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "svc", "namespace": meta["namespace"]},
            "spec": spec,
        }

    # Policies

    def selector(self, pool: dict[str, list[str]], empty: float = 0.3) -> Object:
        if self.chance(empty):
            return self.random.choice([{}, {"matchLabels": {}}, {"matchExpressions": []}])
        selector: Object = {}
        if self.chance(0.6):
            key = self.random.choice(list(pool))
            selector["matchLabels"] = {key: self.random.choice(pool[key])}
        if not selector or self.chance(0.3):
            requirements = []
            for _ in range(self.random.choice([1, 1, 2])):
                key = self.random.choice(list(pool))
                operator = self.random.choice(["In", "NotIn", "Exists", "DoesNotExist"])
                requirement: Object = {"key": key, "operator": operator}
                if operator in ("In", "NotIn"):
                    count = self.random.randint(1, len(pool[key]))
                    requirement["values"] = self.random.sample(pool[key], count)
                requirements.append(requirement)
            selector["matchExpressions"] = requirements
        return selector

    def namespace_selector(self) -> Object:
        if self.chance(0.3):
            names = {"kubernetes.io/metadata.name": self.spaces}
            return self.selector(names, 0)
        return self.selector(NAMESPACE_LABELS)

    def cidr(self) -> str:
        family = self.random.choice([4, 4, 6] if self.style.families == "v4" else [4, 6])
        if self.known[family] and self.chance(0.5):
            address = self.random.choice(self.known[family])
            lengths = [32, 32, 31, 24, 16, 8, 1] if family == 4 else [128, 128, 127, 64, 32, 16, 8]
            text = f"{address}/{self.random.choice(lengths)}"
            # Host bits mean nothing (S38), and the API refuses them since 1.36.
            return str(ipaddress.ip_network(text, strict=False))
        return self.random.choice(BLOCKS[family])

    def block(self) -> Object:
        cidr = self.cidr()
        block: Object = {"cidr": cidr}
        outer = ipaddress.ip_network(cidr, strict=False)
        excepts: list[str] = []
        if self.chance(0.4):
            inner = [ipaddress.ip_network(self.cidr(), strict=False) for _ in range(12)]
            for each in inner:
                if each.version == outer.version and each.prefixlen > outer.prefixlen:
                    if each.network_address in outer and str(each) not in excepts:
                        excepts.append(str(each))
        if excepts or self.chance(0.1):
            block["except"] = excepts[: self.random.randint(1, 3)]
        return block

    def peer(self) -> Object:
        kind = self.random.randrange(10)
        if kind < 4:
            return {"ipBlock": self.block()}
        if kind < 6:
            peer: Object = {"podSelector": self.selector(POD_LABELS)}
            return peer | ({"namespaceSelector": None} if self.chance(0.1) else {})  # S2, S26
        if kind < 8:
            peer = {"namespaceSelector": self.namespace_selector()}
            return peer | ({"podSelector": None, "ipBlock": None} if self.chance(0.1) else {})
        return {"namespaceSelector": self.namespace_selector(), "podSelector": self.selector(POD_LABELS)}

    def port(self) -> Object:
        port: Object = {}
        if self.chance(0.5):
            port["protocol"] = self.random.choice(["TCP", "UDP", "SCTP"])
        elif self.chance(0.1):
            port["protocol"] = None
        if self.chance(0.9):
            if self.chance(self.style.names):
                port["port"] = self.random.choice([*PORT_NAMES, "side-http"])
            else:
                port["port"] = self.random.choice(NUMBERS)
                if self.chance(0.25):
                    port["endPort"] = self.random.choice([port["port"], 8080, 65535])
                    port["endPort"] = max(port["endPort"], port["port"])
        return port

    def rule(self, side: str) -> Object:
        if self.chance(0.15) and (self.known[4] or self.known[6]):
            # A port by its name, beside a block that covers pods (S50).
            family = 4 if self.known[4] and (not self.known[6] or self.chance(0.5)) else 6
            block = self.random.choice(self.known[family]) + self.random.choice(["/8", "/16", "/32", "/0"])
            block = str(ipaddress.ip_network(block, strict=False))
            return {side: [{"ipBlock": {"cidr": block}}], "ports": [{"port": self.random.choice(PORT_NAMES)}]}
        rule: Object = {}
        if self.chance(0.85):
            rule[side] = [self.peer() for _ in range(self.random.choice([0, 1, 1, 1, 2, 3]))]
        if self.chance(0.65):
            rule["ports"] = [self.port() for _ in range(self.random.choice([0, 1, 1, 2, 3]))]
        return rule

    def network_policy(self, number: int) -> Object:
        spec: Object = {}
        if self.chance(0.9):
            spec["podSelector"] = self.selector(POD_LABELS, 0.4) if self.chance(0.9) else None
        types = self.random.choice([None, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Egress", "Egress"]])
        if types is not None:
            spec["policyTypes"] = types
        for field, side in (("ingress", "from"), ("egress", "to")):
            if self.chance(0.7):
                count = self.random.choice([0, 1, 1, 2, 3])
                spec[field] = [self.rule(side) for _ in range(count)] if self.chance(0.95) else None
        policy: Object = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"np{number}", "namespace": self.random.choice(self.spaces)},
        }
        return policy | ({} if self.chance(0.02) else {"spec": spec})  # S3

    def pods_peer(self, cnp: bool) -> Object:
        if self.chance(0.5):
            return {"namespaces": self.namespace_selector()}
        pods: Object = {"podSelector": self.selector(POD_LABELS)}
        if not cnp or self.chance(0.8):
            pods["namespaceSelector"] = self.namespace_selector()
        return {"pods": pods}

    def cluster_port(self, cnp: bool, names: bool) -> Object:
        protocol = self.random.choice(["TCP", "UDP", "SCTP"])
        if names and self.chance(self.style.names):
            return {"destinationNamedPort" if cnp else "namedPort": self.random.choice(PORT_NAMES)}
        first = self.random.choice(NUMBERS)
        if self.chance(0.3):
            last = self.random.choice([8081, 9000, 65535])
            if cnp:
                ports = {"start": first, "end": last + (first == last)}
                return {protocol.lower(): {"destinationPort": {"range": ports}}}
            return {"portRange": {"protocol": protocol, "start": first, "end": last}}
        if cnp:
            return {protocol.lower(): {"destinationPort": {"number": first}}}
        port: Object = {"port": first}
        if self.chance(0.7):
            port["protocol"] = protocol
        return {"portNumber": port}

    def cluster_rule(self, egress: bool, cnp: bool, actions: list[str], baseline: bool) -> Object:
        action = self.random.choice(actions)
        peers = []
        pods_only = True
        for _ in range(self.random.choice([1, 1, 2])):
            kind = self.random.random()
            if egress and kind < 0.35:
                peers.append({"networks": list({self.cidr() for _ in range(self.random.choice([1, 1, 2]))})})
                peers[-1]["networks"].sort()
                pods_only = False
            elif egress and kind < 0.45:
                peers.append({"nodes": self.selector(NODE_LABELS)})
                pods_only = False
            elif egress and kind < 0.49 and action in ("Allow", "Accept") and (cnp or not baseline):
                peers.append({"domainNames": [self.random.choice(["example.com", "*.example.org"])]})
                pods_only = False
            else:
                peers.append(self.pods_peer(cnp))
        rule: Object = {"action": action, "to" if egress else "from": peers}
        if self.chance(0.5):
            ports = [self.cluster_port(cnp, pods_only) for _ in range(self.random.choice([1, 1, 2]))]
            rule["protocols" if cnp else "ports"] = ports
        return rule

    def cluster_policy(self, kind: str, name: str) -> Object:
        cnp = kind == "ClusterNetworkPolicy"
        baseline = kind.startswith("Baseline") or (cnp and self.chance(0.4))
        actions = ["Accept" if cnp else "Allow", "Deny"]
        if cnp or not baseline:
            actions.append("Pass")
        spec: Object = {"subject": self.pods_peer(cnp)}
        if cnp:
            spec["tier"] = "Baseline" if baseline else "Admin"
        if not kind.startswith("Baseline"):
            spec["priority"] = self.random.choice([1, 1, 2, 5, 1000])
        for field, egress in (("ingress", False), ("egress", True)):
            if self.chance(0.7):
                count = self.random.choice([1, 1, 2, 3])
                spec[field] = [self.cluster_rule(egress, cnp, actions, baseline) for _ in range(count)]
        return {
            "apiVersion": "policy.networking.k8s.io/" + ("v1alpha2" if cnp else "v1alpha1"),
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
        }

    def policies(self) -> list[Object]:
        objects = [self.network_policy(number) for number in range(self.random.choice([0, 1, 2, 2, 3, 4]))]
        style = self.style.cluster_policies
        if style in ("anp", "both"):
            for number in range(self.random.choice([0, 1, 2, 3])):
                objects.append(self.cluster_policy("AdminNetworkPolicy", f"anp{number}"))
            if self.chance(0.6) and style == "anp":
                objects.append(self.cluster_policy("BaselineAdminNetworkPolicy", "default"))
        if style in ("cnp", "both"):
            for number in range(self.random.choice([1, 1, 2, 3])):
                objects.append(self.cluster_policy("ClusterNetworkPolicy", f"cnp{number}"))
        return objects


def cluster(seed: int, policy_seed: int | None = None) -> list[Object]:
    """The objects of a seed; with `policy_seed`, the same cluster under other policies."""
    return Generator(seed, policy_seed).cluster()


def set_pairs(seed: int, names: list[str]) -> list[tuple[str, str]]:
    """Some questions with a block at one end."""
    rng = random.Random(f"sets {seed}")
    pairs = []
    for _ in range(4):
        block = rng.choice(BLOCKS[4] + BLOCKS[6] + ["10.0.0.0/30", "10.0.1.0/24", "fd00:1::/64"])
        pod = rng.choice(names)
        pairs.append((pod, block) if rng.random() < 0.5 else (block, pod))
    return pairs


def as_list(objects: list[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "items": objects}


if __name__ == "__main__":
    print(json.dumps(as_list(cluster(int(sys.argv[1]))), indent=1))
