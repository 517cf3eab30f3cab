"""Decides one flow by the rulebook: may this end open a connection to that one?

Written from the numbered sentences of docs/semantics.md alone (S7 and the like), to be slow,
plain and independent of the program. What the manifests do not tell is explored: whenever a
sentence asks for something unknown (an address, a label, a node, how host-network pods behave),
the evaluator takes every possibility in turn, each with all its consequences, and the verdict
is `yes` or `no` only where all of them agree.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Callable, Hashable, Iterable, Sequence

Object = dict[str, Any]

YES, NO, UNKNOWN, PARTLY = "yes", "no", "unknown", "partly"

NAME_LABEL = "kubernetes.io/metadata.name"

# S40: where the address of a pod lies that has none in its manifest.
PRIVATE = {
    4: ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"],
    6: ["fc00::/7"],
}
EVERYWHERE = {4: ["0.0.0.0/0"], 6: ["::/0"]}


@dataclass(frozen=True)
class Reading:
    """Where the text can be read in more than one way. The defaults are the primary reading."""

    # S65: "one" family that both ends have. Older readings: "any": a block matches through any
    # address of a pod, and ends without a common family still connect; "loose": some family, be
    # it that an end has no address of it, which then matches no block.
    families: str = "one"
    # S65: what the addresses of other pods leave possible for one without: every "subset" of the
    # families seen, the families seen taken "together", no evidence at all ("none"), or every
    # such pod has "both".
    evidence: str = "subset"
    # S65: whether host-network pods and finished pods are evidence.
    evidence_of_hosts: bool = False
    # S65: whether the question for an address literal presupposes that the other end, whose
    # addresses are not told, has its family.
    literal_presupposes: bool = True
    # S50: names are resolved on a pod that an ipBlock covers; else never beside an ipBlock.
    names_beside_blocks: bool = True
    # S55 under S56 (b): whether a host-network pod that is treated like a pod is also its node.
    host_pod_is_node: bool = False
    # S40: whether the address of a host-network pod, unless told, is private.
    host_addresses_private: bool = False
    # S56: whether an address literal that a host-network pod shares with its node means the pod.
    literal_is_host_pod: bool = False
    # S82: whether a domain name can stand for the address of a pod.
    domains_of_pods: bool = True
    # S73: whether policies of one priority are ordered once for all, or anew for every side.
    one_order: bool = False
    # S55: whether an address that no Node is known to have may be that of a node without any.
    strangers_are_nodes: bool = False
    # S55: whether traffic to the own node is always allowed as well.
    own_node_out: bool = True
    # S65: whether pods without addresses may differ from each other in families.
    families_per_pod: bool = False
    # S81 with S131: an address that no Node has may be that of a node whose addresses are not
    # told, or of any node where none is loaded.
    untold_nodes: bool = True
    # S55: whose node status.hostIP, or the address of a host-network pod, tells the address of:
    # that of "all" pods there, of the "own" pod, or of nobody's ("none").
    host_ips: str = "all"
    # No reading but a lack of precision: every time that a selector or block meets something
    # unknown is a doubt of its own, though together they could tell (label = a and label != a).
    independent: bool = False
    # S40: whether a block in a question holds the asking pod's own address.
    block_holds_self: bool = True


@dataclass(frozen=True)
class Block:
    """A CIDR; host bits are ignored (S38)."""

    family: int
    first: int
    last: int

    @staticmethod
    def parse(text: str) -> Block:
        net = ipaddress.ip_network(text, strict=False)
        return Block(net.version, int(net.network_address), int(net.broadcast_address))

    def holds(self, address: int) -> bool:
        return self.first <= address <= self.last


def parse_address(text: str) -> tuple[int, int]:
    """Family and number of an address."""
    address = ipaddress.ip_address(text)
    return address.version, int(address)


@dataclass(eq=False)
class Pod:
    namespace: str
    name: str
    labels: dict[str, str]
    host_network: bool
    node: str | None
    host_ip: tuple[int, int] | None
    # Address by family; none where the manifest does not tell.
    addresses: dict[int, int] | None
    # Name of a container port -> its protocols and numbers.
    ports: dict[str, list[tuple[str, int]]]
    # The workload that it is a replica of, or its own name.
    owner: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(eq=False)
class Address:
    """An address that is no pod on the pod network."""

    family: int
    number: int

    def __str__(self) -> str:
        kind = ipaddress.IPv4Address if self.family == 4 else ipaddress.IPv6Address
        return str(kind(self.number))


End = Pod | Address


@dataclass(eq=False)
class Node:
    name: str
    labels: dict[str, str] | None
    # All of status.addresses that are addresses (S113).
    listed: set[tuple[int, int]] = field(default_factory=set)
    # And those that pods on it betray.
    addresses: set[tuple[int, int]] = field(default_factory=set)


class World:
    """One way things may be. Choices are made when they are first asked for and then stand."""

    def __init__(self, prefix: Sequence[int]) -> None:
        self.prefix = prefix
        self.trace: list[tuple[int, int]] = []
        self.made: dict[Hashable, Any] = {}

    def choose(self, key: Hashable, options: Sequence[Any]) -> Any:
        if key in self.made:
            return self.made[key]
        at = len(self.trace)
        pick = self.prefix[at] if at < len(self.prefix) else 0
        self.trace.append((pick, len(options)))
        self.made[key] = options[pick]
        return options[pick]


def explore(decide: Callable[[World], bool], touched: set[str] | None = None) -> str:
    """The verdict over all worlds (S131)."""
    seen: set[bool] = set()
    pending: list[list[int]] = [[]]
    while pending:
        prefix = pending.pop()
        world = World(prefix)
        seen.add(decide(world))
        if touched is not None:
            touched.update(str(key[0]) if isinstance(key, tuple) else str(key) for key in world.made)
        if len(seen) == 2:
            return UNKNOWN
        picks = [pick for pick, _ in world.trace]
        for at in range(len(prefix), len(picks)):
            for other in range(1, world.trace[at][1]):
                pending.append(picks[:at] + [other])
    return YES if True in seen else NO


@dataclass(eq=False)
class PortMatch:
    """One entry of `ports` or `protocols`."""

    protocol: str | None
    first: int
    last: int
    name: str | None


@dataclass(eq=False)
class Peer:
    """One entry of `from` or `to`."""

    # The namespace whose pods alone are meant, where there is no namespace selector (S29).
    own_namespace: str | None = None
    namespaces: Object | None = None
    pods: Object | None = None
    selects_pods: bool = False
    block: Block | None = None
    excepts: list[Block] = field(default_factory=list)
    networks: list[Block] = field(default_factory=list)
    nodes: Object | None = None
    domains: list[str] = field(default_factory=list)
    # A NetworkPolicy peer, for which host-network pods are open (S56).
    classic: bool = False


@dataclass(eq=False)
class Rule:
    action: str
    # None: every peer (S15), every port (S16).
    peers: list[Peer] | None
    ports: list[PortMatch] | None


@dataclass(eq=False)
class Policy:
    name: str
    priority: int
    namespace: str | None
    subject: Peer
    ingress: list[Rule]
    egress: list[Rule]
    isolates_ingress: bool = False
    isolates_egress: bool = False


def matches_labels(selector: Object | None, look: Callable[[str], str | None]) -> bool:
    """A label selector over labels that `look` tells: None is an absent key."""
    selector = selector or {}
    # S20, S25
    for key, value in (selector.get("matchLabels") or {}).items():
        if look(key) != value:
            return False
    for requirement in selector.get("matchExpressions") or []:
        have = look(requirement["key"])
        operator = requirement["operator"]
        values = requirement.get("values") or []
        if operator == "In":  # S21
            good = have is not None and have in values
        elif operator == "NotIn":  # S22
            good = have is None or have not in values
        elif operator == "Exists":  # S23
            good = have is not None
        else:  # S24
            good = have is None
        if not good:
            return False
    return True


class Cluster:
    """The objects, understood."""

    def __init__(self, objects: Iterable[Object], reading: Reading = Reading()) -> None:
        self.reading = reading
        self.objects = list(objects)
        self.namespaces: dict[str, dict[str, str]] = {}
        self.nodes: dict[str, Node] = {}
        self.pods: list[Pod] = []
        self.network_policies: list[Policy] = []
        self.admin: list[Policy] = []
        self.baseline: list[Policy] = []
        self.service_families: set[int] = set()
        self.evidence: set[int] = set()
        self.label_values: dict[str, set[str]] = {}
        self.blocks: dict[int, list[Block]] = {4: [], 6: []}
        self.cells: dict[tuple[int, bool], list[int]] = {}
        self.cache: dict[tuple[int, int], bool] = {}
        for each in self.objects:
            if each["kind"] == "Namespace":
                self.read_namespace(each)
            elif each["kind"] == "Node":
                self.read_node(each)
        for each in self.objects:
            if each["kind"] == "Pod":
                self.read_pod(each)
        for each in self.objects:
            self.read_other(each)
        self.by_name = {str(pod): pod for pod in self.pods}
        self.by_address: dict[tuple[int, int], Pod] = {}
        for pod in self.pods:
            if pod.host_network and not reading.literal_is_host_pod:
                continue
            for address in (pod.addresses or {}).items():
                self.by_address.setdefault(address, pod)
        self.admin.sort(key=lambda policy: policy.priority)  # S71, S101, S125
        self.baseline.sort(key=lambda policy: policy.priority)
        self.isolating: dict[tuple[int, bool], list[Policy]] = {}
        for pod in self.pods:
            for egress in (False, True):
                self.isolating[id(pod), egress] = [
                    policy
                    for policy in self.network_policies
                    # S1, S11
                    if policy.namespace == pod.namespace
                    and (policy.isolates_egress if egress else policy.isolates_ingress)
                    and self.labels_match(policy.subject.pods, pod)
                ]

    # Reading

    def read_namespace(self, each: Object) -> None:
        name = each["metadata"]["name"]
        labels = dict(each["metadata"].get("labels") or {})
        labels[NAME_LABEL] = name  # S27
        self.namespaces[name] = labels

    def read_node(self, each: Object) -> None:
        node = Node(each["metadata"]["name"], dict(each["metadata"].get("labels") or {}))
        for entry in (each.get("status") or {}).get("addresses") or []:
            if entry["type"] in ("InternalIP", "ExternalIP"):
                node.listed.add(parse_address(entry["address"]))
        node.addresses |= node.listed
        self.nodes[node.name] = node

    def read_pod(self, each: Object) -> None:
        spec, status = each.get("spec") or {}, each.get("status") or {}
        told = [entry["ip"] for entry in status.get("podIPs") or []]
        if not told and status.get("podIP"):
            told = [status["podIP"]]
        addresses = dict(parse_address(text) for text in told) or None
        host_network = bool(spec.get("hostNetwork"))
        if not host_network or self.reading.evidence_of_hosts:
            self.evidence |= set(addresses or {})
        if status.get("phase") in ("Succeeded", "Failed"):  # S57
            return
        ports: dict[str, list[tuple[str, int]]] = {}
        containers = list(spec.get("containers") or [])
        # S48: sidecars are init containers that keep running.
        containers += [
            one for one in spec.get("initContainers") or [] if one.get("restartPolicy") == "Always"
        ]
        for container in containers:
            for port in container.get("ports") or []:
                if port.get("name"):
                    entry = (port.get("protocol") or "TCP", port["containerPort"])
                    ports.setdefault(port["name"], []).append(entry)
        pod = Pod(
            namespace=each["metadata"].get("namespace") or "default",  # S1
            name=each["metadata"]["name"],
            labels=dict(each["metadata"].get("labels") or {}),
            host_network=host_network,
            node=spec.get("nodeName"),
            host_ip=parse_address(status["hostIP"]) if status.get("hostIP") else None,
            addresses=addresses,
            ports=ports,
            owner=next(iter(each["metadata"].get("ownerReferences") or []), each["metadata"])["name"],
        )
        if pod.node is not None:
            node = self.nodes.setdefault(pod.node, Node(pod.node, None))
            if status.get("hostIP") and self.reading.host_ips == "all":
                node.addresses.add(parse_address(status["hostIP"]))
            if host_network and self.reading.host_ips == "all":
                node.addresses |= set((addresses or {}).items())
        self.pods.append(pod)

    def read_other(self, each: Object) -> None:
        kind = each["kind"]
        if kind == "Service":
            for family in each["spec"].get("ipFamilies") or []:
                self.service_families.add(4 if family == "IPv4" else 6)
        elif kind == "NetworkPolicy":
            self.network_policies.append(self.read_network_policy(each))
        elif kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy"):
            policy = self.read_cluster_policy(each, "ports")
            (self.admin if kind == "AdminNetworkPolicy" else self.baseline).append(policy)
        elif kind == "ClusterNetworkPolicy":
            policy = self.read_cluster_policy(each, "protocols")
            (self.admin if each["spec"]["tier"] == "Admin" else self.baseline).append(policy)

    def read_network_policy(self, each: Object) -> Policy:
        namespace = each["metadata"].get("namespace") or "default"  # S1
        spec = each.get("spec") or {}
        ingress, egress = spec.get("ingress") or [], spec.get("egress") or []
        types = spec.get("policyTypes") or ["Ingress"] + (["Egress"] if egress else [])  # S4
        return Policy(
            name=each["metadata"]["name"],
            priority=0,
            namespace=namespace,
            subject=Peer(pods=self.selector(spec.get("podSelector"))),  # S3
            ingress=[self.read_rule(rule, "from", namespace) for rule in ingress],
            egress=[self.read_rule(rule, "to", namespace) for rule in egress],
            isolates_ingress="Ingress" in types,  # S6, S11
            isolates_egress="Egress" in types,
        )

    def read_rule(self, rule: Object | None, side: str, namespace: str) -> Rule:
        rule = rule or {}
        peers = [self.read_peer(peer, namespace) for peer in rule.get(side) or []]
        ports = [read_port(port or {}) for port in rule.get("ports") or []]
        return Rule("allow", peers or None, ports or None)  # S15, S16, S17

    def read_peer(self, peer: Object, namespace: str) -> Peer:
        block = peer.get("ipBlock")
        if block is not None:
            excepts = [self.block(text) for text in block.get("except") or []]
            return Peer(block=self.block(block["cidr"]), excepts=excepts, classic=True)
        spaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")  # S2, S26
        return Peer(
            own_namespace=namespace if spaces is None else None,  # S29, S30, S31
            namespaces=self.selector(spaces),
            pods=self.selector(pods),
            selects_pods=True,
            classic=True,
        )

    def read_cluster_policy(self, each: Object, ports: str) -> Policy:
        spec = each["spec"]
        return Policy(
            name=each["metadata"]["name"],
            priority=spec.get("priority", 0),
            namespace=None,
            subject=self.read_cluster_peer(spec["subject"]),  # S77, S108
            ingress=[self.read_cluster_rule(rule, "from", ports) for rule in spec.get("ingress") or []],
            egress=[self.read_cluster_rule(rule, "to", ports) for rule in spec.get("egress") or []],
        )

    def read_cluster_rule(self, rule: Object, side: str, ports: str) -> Rule:
        action = {"Allow": "allow", "Accept": "allow", "Deny": "deny", "Pass": "pass"}[rule["action"]]
        peers = [self.read_cluster_peer(peer) for peer in rule[side]]
        entries = rule.get(ports)
        read = read_admin_port if ports == "ports" else read_protocol
        return Rule(action, peers, [read(entry) for entry in entries] if entries else None)  # S84, S116

    def read_cluster_peer(self, peer: Object) -> Peer:
        if "namespaces" in peer:
            return Peer(namespaces=self.selector(peer["namespaces"]), selects_pods=True)
        if "pods" in peer:
            inner = peer["pods"]
            return Peer(
                namespaces=self.selector(inner.get("namespaceSelector")),  # S111
                pods=self.selector(inner.get("podSelector")),
                selects_pods=True,
            )
        if "networks" in peer:
            return Peer(networks=[self.block(text) for text in peer["networks"]])
        if "nodes" in peer:
            return Peer(nodes=self.selector(peer["nodes"]))
        return Peer(domains=list(peer["domainNames"]))

    def selector(self, selector: Object | None) -> Object:
        """Remembers which values the selectors ask for: labels that are not told may be these."""
        selector = selector or {}
        for key, value in (selector.get("matchLabels") or {}).items():
            self.label_values.setdefault(key, set()).add(value)
        for requirement in selector.get("matchExpressions") or []:
            values = self.label_values.setdefault(requirement["key"], set())
            values.update(requirement.get("values") or [])
        return selector

    def block(self, text: str) -> Block:
        block = Block.parse(text)
        self.blocks[block.family].append(block)
        return block

    # Matching

    def labels_match(self, selector: Object | None, pod: Pod) -> bool:
        key = (id(selector), id(pod))
        if key not in self.cache:
            self.cache[key] = matches_labels(selector, pod.labels.get)
        return self.cache[key]

    def namespace_matches(self, world: World, selector: Object | None, name: str) -> bool:
        labels = self.namespaces.get(name)
        if labels is not None:
            return matches_labels(selector, labels.get)

        def look(key: str) -> str | None:
            if key == NAME_LABEL:  # S27
                return name
            # A namespace without an object: its labels are not told.
            values = sorted(self.label_values.get(key, set()))
            own = (len(world.made),) if self.reading.independent else ()
            return world.choose(("namespace label", name, key, *own), [None, *values, "\0another"])

        return matches_labels(selector, look)

    def behaves_as_pod(self, world: World) -> bool:
        """S56: one plugin, one behaviour."""
        return world.choose("host network", [False, True])

    def node_of(self, world: World, pod: Pod) -> str:
        if pod.node is not None:
            return pod.node
        if pod.host_network and pod.addresses:
            for node in self.nodes.values():
                if node.addresses & set(pod.addresses.items()):
                    return node.name
        return world.choose(("node", str(pod)), ["\0another", *sorted(self.nodes)])

    def host_addresses(self, world: World, pod: Pod) -> dict[int, list[int]] | None:
        """A host-network pod without addresses has those of its node, where they are told (S56)."""
        if not pod.host_network:
            return None
        node = self.nodes.get(self.node_of(world, pod))
        if node is None or not node.addresses:
            return None
        found: dict[int, list[int]] = {}
        for family, number in sorted(node.addresses):
            found.setdefault(family, []).append(number)
        return found

    def families(self, world: World, end: End) -> list[int]:
        """S65"""
        if isinstance(end, Address):
            return [end.family]
        if end.addresses is not None:
            return sorted(end.addresses)
        host = self.host_addresses(world, end)
        if host is not None:
            return sorted(host)
        seen = sorted(self.evidence | self.service_families)
        if not seen or self.reading.evidence == "none":
            seen = [4, 6]
        options = [[4], [6], [4, 6]]
        if self.reading.evidence == "both":
            return [4, 6]
        if self.reading.evidence == "together" and (self.evidence or self.service_families):
            options = [seen]
        else:
            options = [option for option in options if set(option) <= set(seen)]
        if len(options) == 1:
            return options[0]
        key = ("families", str(end) if self.reading.families_per_pod else "")
        return world.choose(key, options)

    def addresses(self, world: World, end: End, family: int) -> list[int]:
        """The addresses of a family that a block is compared with; any of them may match (S65)."""
        if isinstance(end, Address):
            return [end.number] if end.family == family else []
        if end.addresses is not None:
            return [end.addresses[family]] if family in end.addresses else []
        host = self.host_addresses(world, end)
        if host is not None:
            return host.get(family, [])
        anywhere = end.host_network and not self.reading.host_addresses_private
        return [world.choose(("address", str(end), family), self.possible(family, anywhere))]

    def possible(self, family: int, anywhere: bool) -> list[int]:
        """One address for each way the blocks of all policies can fall out (S40, S58)."""
        key = (family, anywhere)
        if key not in self.cells:
            ranges = [Block.parse(text) for text in (EVERYWHERE if anywhere else PRIVATE)[family]]
            blocks = self.blocks[family]
            edges = {edge for one in ranges + blocks for edge in (one.first, one.last + 1)}
            ways: dict[tuple[bool, ...], int] = {}
            for edge in sorted(edges):
                if any(one.holds(edge) for one in ranges):
                    ways.setdefault(tuple(one.holds(edge) for one in blocks), edge)
            self.cells[key] = list(ways.values())
        return self.cells[key]

    def in_block(self, world: World, end: End, block: Block, excepts: list[Block], family: int) -> bool:
        """S35, S36, S39"""
        if self.reading.families != "any" and block.family != family:
            return False
        def inside(number: int) -> bool:
            return block.holds(number) and not any(one.holds(number) for one in excepts)

        untold = isinstance(end, Pod) and end.addresses is None and self.host_addresses(world, end) is None
        if self.reading.independent and untold:
            ways = {inside(number) for number in self.possible(block.family, False)}
            return world.choose(("address", str(end), len(world.made)), sorted(ways))
        if self.reading.families == "any" and block.family not in self.families(world, end):
            return False
        return any(inside(number) for number in self.addresses(world, end, block.family))

    def peer_matches(self, world: World, peer: Peer, end: End, family: int) -> bool:
        if peer.selects_pods:
            if not isinstance(end, Pod):  # S34
                return False
            if end.host_network and not peer.classic:  # S78, S109
                return False
            if not self.labels_match(peer.pods, end):
                return False
            if peer.own_namespace is not None:  # S29
                if end.namespace != peer.own_namespace:
                    return False
            elif not self.namespace_matches(world, peer.namespaces, end.namespace):
                return False
            return not end.host_network or self.behaves_as_pod(world)  # S56
        if peer.block is not None:  # S35, S40
            return self.in_block(world, end, peer.block, peer.excepts, family)
        if peer.networks:  # S80, S112
            return any(self.in_block(world, end, block, [], family) for block in peer.networks)
        if peer.nodes is not None:  # S81, S113
            return self.on_nodes(world, peer.nodes, end)
        # S82, S114: what a domain name stands for is not told.
        if isinstance(end, Pod) and not self.reading.domains_of_pods:
            return False
        return any(world.choose(("domain", name, str(end)), [False, True]) for name in peer.domains)

    def on_nodes(self, world: World, selector: Object, end: End) -> bool:
        if isinstance(end, Address):
            at = (end.family, end.number)
            owners = [node for node in self.nodes.values() if at in node.addresses]
            if owners or not self.reading.untold_nodes:
                return any(self.node_matches(world, selector, node.name) for node in owners)
            if not self.nodes:
                return world.choose(("node address", at), [False, True])
            untold = [node.name for node in self.nodes.values() if not node.addresses]
            owner = world.choose(("node address", at), [None, *untold])
            return owner is not None and self.node_matches(world, selector, owner)
        if not end.host_network:
            return False
        if self.reading.independent and end.node is None:
            return world.choose(("node", str(end), len(world.made)), [False, True])
        return self.node_matches(world, selector, self.node_of(world, end))

    def node_matches(self, world: World, selector: Object, name: str) -> bool:
        node = self.nodes.get(name)
        if node is not None and node.labels is not None:
            labels = node.labels
            return matches_labels(selector, labels.get)

        def look(key: str) -> str | None:
            values = sorted(self.label_values.get(key, set()))
            return world.choose(("node label", name, key), [None, *values, "\0another"])

        return matches_labels(selector, look)

    def port_matches(
        self, world: World, ports: list[PortMatch] | None, dst: End, protocol: str, port: int
    ) -> bool:
        if ports is None:  # S16, S84, S116
            return True
        for each in ports:
            if each.name is None:
                # S43, S44, S45, S47
                if each.protocol == protocol and each.first <= port <= each.last:
                    return True
                continue
            if not isinstance(dst, Pod):  # S50
                continue
            numbers = dst.ports.get(each.name, [])
            # S48, S49; S87, S119: the name gives the protocol too
            if each.protocol in (None, protocol) and (protocol, port) in numbers:
                # S56: under (a) the destination is an address of its node, and no pod (S50)
                if not dst.host_network or self.behaves_as_pod(world):
                    return True
        return False

    def rule_matches(
        self, world: World, rule: Rule, end: End, dst: End, protocol: str, port: int, family: int
    ) -> bool:
        # S14: ports and peers of one rule
        if not self.port_matches(world, rule.ports, dst, protocol, port):
            return False
        if rule.peers is None:  # S15
            return True
        for peer in rule.peers:
            if peer.block is not None and not self.reading.names_beside_blocks:
                plain = [one for one in rule.ports or [] if one.name is None]
                if rule.ports and not self.port_matches(world, plain, dst, protocol, port):
                    continue
            if self.peer_matches(world, peer, end, family):
                return True
        return False

    def own_node(self, world: World, pod: Pod, end: End) -> bool:
        """S55: whether the other end is the node where the pod runs."""
        if isinstance(end, Address):
            at = (end.family, end.number)
            if at == pod.host_ip and self.reading.host_ips != "none":
                return True
            if pod.host_network and self.reading.host_ips == "own" and at in (pod.addresses or {}).items():
                return True
            owners = [node.name for node in self.nodes.values() if at in node.addresses]
            if owners:
                return self.node_of(world, pod) in owners
            if not self.reading.strangers_are_nodes:
                return False
            node = self.nodes.get(self.node_of(world, pod))
            if node is not None and node.addresses:
                return False
            return world.choose(("node address", self.node_of(world, pod), at), [False, True])
        if not end.host_network:
            return False
        if self.node_of(world, pod) != self.node_of(world, end):
            return False
        if "\0another" == self.node_of(world, pod):
            # Both on nodes that are not told: the same, perhaps.
            if not world.choose(("node", "together", str(pod), str(end)), [False, True]):
                return False
        # S56: under (b) it is told apart from its node
        return self.reading.host_pod_is_node or not self.behaves_as_pod(world)

    # Deciding

    def tier(
        self,
        world: World,
        which: str,
        pod: Pod,
        end: End,
        dst: End,
        protocol: str,
        port: int,
        family: int,
        egress: bool,
    ) -> str | None:
        """What an ordered tier says: allow, deny, pass, or nothing."""
        policies = self.admin if which == "Admin" else self.baseline
        at = 0
        while at < len(policies):
            priority = policies[at].priority
            actions: list[tuple[str, str]] = []
            while at < len(policies) and policies[at].priority == priority:
                policy = policies[at]
                at += 1
                if not self.peer_matches(world, policy.subject, pod, family):
                    continue
                for rule in policy.egress if egress else policy.ingress:  # S72, S102
                    if self.rule_matches(world, rule, end, dst, protocol, port, family):
                        actions.append((rule.action, policy.name))
                        break
            kinds = sorted({action for action, _ in actions})
            if len(kinds) == 1:
                return kinds[0]
            if kinds:  # S73, S103
                if self.reading.one_order:
                    names = [policy.name for policy in policies if policy.priority == priority]
                    for name in world.choose(("priority", which, priority), permutations(names)):
                        for action, policy_name in actions:
                            if policy_name == name:
                                return action
                return world.choose(("priority", which, priority, egress, family), kinds)
        return None

    def side(
        self, world: World, pod: End, end: End, dst: End, protocol: str, port: int, family: int, egress: bool
    ) -> bool:
        """S130: whether one side lets the flow pass."""
        if not isinstance(pod, Pod):
            return True
        where = (pod, end, dst, protocol, port, family, egress)
        if not pod.host_network:  # S78, S109
            verdict = self.tier(world, "Admin", *where)
            if verdict in ("allow", "deny"):  # S74
                return verdict == "allow"
        isolating = self.isolating[id(pod), egress]
        if isolating and (not pod.host_network or self.behaves_as_pod(world)):  # S10, S11, S56
            if (not egress or self.reading.own_node_out) and self.own_node(world, pod, end):  # S55
                return True
            return any(  # S13
                self.rule_matches(world, rule, end, dst, protocol, port, family)
                for policy in isolating
                for rule in (policy.egress if egress else policy.ingress)
            )
        if not pod.host_network:  # S90, S123
            return self.tier(world, "Baseline", *where) != "deny"  # S76, S106, S107
        return True

    def end(self, text: str) -> tuple[End, int | None]:
        """What a question names, and the family that an address literal keeps (S65)."""
        if text in self.by_name:
            return self.by_name[text], None
        family, number = parse_address(text)
        pod = self.by_address.get((family, number))
        return (pod, family) if pod is not None else (Address(family, number), family)

    def flow(self, world: World, src: str, dst: str, protocol: str, port: int) -> bool:
        source, source_family = self.end(src)
        target, target_family = self.end(dst)
        if source is target:  # S53, S122, S130
            return True
        if self.reading.families == "any":
            return self.both(world, source, target, protocol, port, 0)
        families = [4, 6]
        if self.reading.families == "loose":
            families = [end.family for end in (source, target) if isinstance(end, Address)] or families
            return any(self.both(world, source, target, protocol, port, family) for family in families)
        for end, literal, other in ((source, source_family, target), (target, target_family, source)):
            have = [literal] if literal is not None else self.families_at(world, end, other)
            families = [family for family in families if family in have]
        return any(self.both(world, source, target, protocol, port, family) for family in families)

    def families_at(self, world: World, end: End, other: End) -> list[int]:
        if self.reading.literal_presupposes and isinstance(other, Address):
            if isinstance(end, Pod) and end.addresses is None and self.host_addresses(world, end) is None:
                return [other.family]
        return self.families(world, end)

    def both(self, world: World, source: End, target: End, protocol: str, port: int, family: int) -> bool:
        """S18"""
        return self.side(world, source, target, target, protocol, port, family, True) and self.side(
            world, target, source, target, protocol, port, family, False
        )

    def units(self) -> dict[str, list[str]]:
        """Workloads, with their pods."""
        found: dict[str, list[str]] = {}
        for pod in self.pods:
            found.setdefault(f"{pod.namespace}/{pod.owner}", []).append(str(pod))
        return found

    def edges(self, block: Block) -> list[int]:
        """One address of every part of a block that something tells apart."""
        found = {block.first}
        others = list(self.blocks[block.family])
        told = [at for pod in self.pods for at in (pod.addresses or {}).items()]
        told += [at for node in self.nodes.values() for at in node.addresses]
        others += [Block(family, number, number) for family, number in told if family == block.family]
        for other in others:
            found |= {edge for edge in (other.first, other.last + 1) if block.holds(edge)}
        return sorted(found)

    def can_block(self, src: str, dst: str, protocol: str, port: int) -> str:
        """S40: a block in a question is all of its addresses."""
        block = Block.parse(dst if "/" in dst and dst not in self.by_name else src)
        seen = set()
        for number in self.edges(block):
            literal = str(Address(block.family, number))
            ends = (src, literal) if src in self.by_name else (literal, dst)
            if not self.reading.block_holds_self and self.end(ends[0])[0] is self.end(ends[1])[0]:
                continue
            seen.add(self.can(*ends, protocol, port))
        return summed(seen)

    def can_service(self, src: str, service: Object, protocol: str, port: int) -> str | None:
        """S59: the pods behind a Service, each on its target port; none where there are none."""
        spec, space = service["spec"], service["metadata"].get("namespace") or "default"
        if not spec["selector"]:
            return None
        seen = set()
        for pod in self.pods:
            if pod.namespace != space or any(pod.labels.get(key) != value for key, value in spec["selector"].items()):
                continue
            for each in spec["ports"]:
                if each["port"] != port or (each.get("protocol") or "TCP") != protocol:
                    continue
                target = each.get("targetPort") or port
                # A pod without the name is no endpoint of this port.
                numbers = [target] if isinstance(target, int) else [
                    number for own, number in pod.ports.get(target, []) if own == protocol
                ]
                seen |= {self.can(src, str(pod), protocol, number) for number in numbers[:1]}
                if str(pod) == src:  # S54
                    return None
        return summed(seen) if seen else None

    def can(self, src: str, dst: str, protocol: str, port: int, touched: set[str] | None = None) -> str:
        return explore(lambda world: self.flow(world, src, dst, protocol, port), touched)


def summed(verdicts: set[str]) -> str:
    """The verdict for all of a set."""
    if {YES, NO} <= verdicts:
        return PARTLY
    return UNKNOWN if UNKNOWN in verdicts else verdicts.pop()


def permutations(names: list[str]) -> list[list[str]]:
    if len(names) < 2:
        return [names]
    return [
        [name, *rest] for name in names for rest in permutations([other for other in names if other != name])
    ]


def read_port(port: Object) -> PortMatch:
    protocol = port.get("protocol") or "TCP"  # S5
    number = port.get("port")
    if number is None:  # S45, S46
        return PortMatch(protocol, 1, 65535, None)
    if isinstance(number, str):  # S48
        return PortMatch(protocol, 0, 0, number)
    return PortMatch(protocol, number, port.get("endPort") or number, None)  # S44, S47


def read_admin_port(port: Object) -> PortMatch:
    if "portNumber" in port:  # S85
        inner = port["portNumber"]
        return PortMatch(inner.get("protocol") or "TCP", inner["port"], inner["port"], None)
    if "portRange" in port:  # S86
        inner = port["portRange"]
        return PortMatch(inner.get("protocol") or "TCP", inner["start"], inner["end"], None)
    return PortMatch(None, 0, 0, port["namedPort"])  # S87


def read_protocol(entry: Object) -> PortMatch:
    if "destinationNamedPort" in entry:  # S119
        return PortMatch(None, 0, 0, entry["destinationNamedPort"])
    (name, inner), = entry.items()  # S117
    target = (inner or {}).get("destinationPort")
    if target is None:  # S120
        return PortMatch(name.upper(), 1, 65535, None)
    if "number" in target:
        return PortMatch(name.upper(), target["number"], target["number"], None)
    return PortMatch(name.upper(), target["range"]["start"], target["range"]["end"], None)  # S118
