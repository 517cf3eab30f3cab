"""Compares a program with the evaluator on random clusters.

    python3 compare.py BINARY --seeds 1..100 [--findings FOLDER] [--only can,list,...]

For every seed the program is asked for every pair of ends and a dozen ports (`can --questions`),
for its `list --all`, `matrix`, `snapshot` and `reach`, and for the `diff` to the same cluster
under another seed's policies. What differs is grouped by kind; the first case of each kind is
shrunk and, with --findings, written down as a manifest, the question and the answers.
"""

from __future__ import annotations

import argparse
import collections
import copy
import dataclasses
import ipaddress
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any, Callable, Iterator

import generate
from evaluator import NO, PARTLY, UNKNOWN, YES, Address, Cluster, Reading, parse_address, summed

Object = dict[str, Any]
Flow = tuple[str, str, str, int]  # source, destination, protocol, port
Verdicts = dict[Flow, str]
Units = dict[str, list[str]]  # workloads and their pods

SOME = "some"  # of the pods of a workload
NOT_TOLD = "no or unknown"

# Other ways to read the text, tried in turn on what differs: the first that gives the program's
# answer names the kind. `wrong` marks those that the text excludes.
READINGS: list[tuple[str, str, dict[str, Any]]] = [
    ("S65 wrong: a literal presupposes nothing", "S65", {"literal_presupposes": False}),
    ("S65 open: what addresses of other pods tell (taken together)", "S65", {"evidence": "together"}),
    ("S65 open: what addresses of other pods tell (nothing)", "S65", {"evidence": "none"}),
    ("S65 open: what addresses of other pods tell (both)", "S65", {"evidence": "both"}),
    ("S65 open: host-network and finished pods as evidence", "S65", {"evidence_of_hosts": True}),
    ("S65 open: families differ from pod to pod", "S65", {"families_per_pod": True}),
    ("S56 open: under (b) a host-network pod is its node as well", "S55", {"host_pod_is_node": True}),
    ("S56 open: a literal of a host-network pod means the pod", "S56", {"literal_is_host_pod": True}),
    ("S40 open: the untold address of a host-network pod is private", "S40", {"host_addresses_private": True}),
    ("S82 open: a domain name does not stand for pods", "S82", {"domains_of_pods": False}),
    ("S73 open: one order for all sides", "S73", {"one_order": True}),
    ("S81 open: an address that no Node has is no node's", "S81", {"untold_nodes": False}),
    ("S55 open: an unknown address may be the own node's", "S55", {"strangers_are_nodes": True}),
    ("S55 open: a hostIP tells nothing about other pods", "S55", {"host_ips": "own"}),
    ("S55 wrong: a hostIP is not the own node's address", "S55", {"host_ips": "none"}),
    ("S55 open: traffic to the own node", "S55", {"own_node_out": False}),
    ("imprecise: doubts that together could tell", "S131", {"independent": True}),
    ("S50 wrong: a name beside an ipBlock never matches", "S50", {"names_beside_blocks": False}),
    ("S65 wrong: families as in the older reading", "S65", {"families": "any"}),
    ("S65 wrong: families as in a still looser reading", "S65", {"families": "loose"}),
    ("S65 wrong: families as in the older reading, both", "S65", {"families": "any", "evidence": "both"}),
]


class Refused(Exception):
    """The program did not answer."""


def bracketed(end: str) -> str:
    """An IPv6 block needs brackets in a questions file, an address does not."""
    return f"[{end}]" if end.count(":") > 1 and "/" in end else end


class Program:
    def __init__(self, binary: str, folder: str) -> None:
        self.binary = binary
        self.folder = folder
        self.runs = 0

    def write(self, name: str, objects: list[Object]) -> str:
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(generate.as_list(objects), file)
        return path

    def run(self, *arguments: str) -> str:
        self.runs += 1
        done = subprocess.run(
            [self.binary, *arguments], capture_output=True, text=True, cwd=self.folder, timeout=120, check=False
        )
        if done.returncode not in (0, 1, 3):
            raise Refused(f"{' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()[:300]}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "-o", "json"))

    def can(self, path: str, flows: list[Flow]) -> Verdicts:
        questions = os.path.join(self.folder, "questions.csv")
        with open(questions, "w", encoding="utf-8") as file:
            for source, target, protocol, port in flows:
                file.write(f"{source},{bracketed(target)},{protocol},{port}\n")
        answers = self.json("can", "--questions", questions, "-f", path)["answers"]
        return {flow: answer["verdict"] for flow, answer in zip(flows, answers, strict=True)}


# What the program prints, as verdicts


def in_ports(ports: list[Object], protocol: str, port: int) -> bool:
    return any(one["protocol"] == protocol and one["from"] <= port <= one["to"] for one in ports)


def of_ports(sure: list[Object], unknown: list[Object], protocol: str, port: int, some: bool = False) -> str:
    if in_ports(sure, protocol, port):
        return SOME if some else YES
    return UNKNOWN if in_ports(unknown or [], protocol, port) else NO


def workload(end: Object) -> str:
    return f"{end['namespace']}/{end['name']}" if end["type"] == "workload" else ""


def pairs_of(units: Units) -> Iterator[tuple[str, str]]:
    return ((one, other) for one in units for other in units if one != other)


def fits(got: str, pods: set[str]) -> bool:
    """Whether what is told of two workloads can be so, given the verdicts between their pods."""
    if got == YES:
        return pods == {YES}
    if got == SOME:
        return YES in pods
    if got == UNKNOWN:
        return UNKNOWN in pods
    if got == NOT_TOLD:
        return YES not in pods
    return pods == {NO}


def listed(program: Program, path: str, units: Units) -> Verdicts:
    answer = program.json("list", "--all", "-f", path)
    flows = {(workload(one["from"]), workload(one["to"])): one for one in answer["flows"]}
    verdicts: Verdicts = {}
    for pair in pairs_of(units):
        one = flows.get(pair, {"ports": [], "unknown": [], "some_pods": False})
        for protocol, port in generate.PORTS:
            unknown = one.get("unknown", [])
            verdicts[(*pair, protocol, port)] = of_ports(one["ports"], unknown, protocol, port, one["some_pods"])
    return verdicts


def listed_addresses(program: Program, path: str, units: Units, literals: list[str]) -> Verdicts:
    """Addresses that are nobody's, with workloads, by the address lines of `list --all`."""
    answer = program.json("list", "--all", "-f", path)
    lines = []
    for one in answer["flows"]:
        for here, there in (("from", "to"), ("to", "from")):
            if one[here]["type"] == "addresses":
                blocks = [ipaddress.ip_network(text) for text in one[here]["cidrs"]]
                lines.append((blocks, here == "from", workload(one[there]), one))
    verdicts: Verdicts = {}
    for literal in literals:
        address = ipaddress.ip_address(literal)
        for name in units:
            for outward in (True, False):
                found = [
                    one
                    for blocks, is_source, other, one in lines
                    if is_source is outward and other == name and any(address in block for block in blocks)
                ]
                for protocol, port in generate.PORTS:
                    told = {
                        of_ports(one["ports"], one.get("unknown", []), protocol, port, one["some_pods"])
                        for one in found
                    }
                    verdict = next((one for one in (YES, SOME, UNKNOWN) if one in told), NO)
                    ends = (literal, name) if outward else (name, literal)
                    verdicts[(*ends, protocol, port)] = verdict
    return verdicts


def matrixed(program: Program, path: str, units: Units) -> Verdicts:
    answer = program.json("matrix", "--by", "workload", "-f", path)
    cells = {(answer["sides"][one["from"]], answer["sides"][one["to"]]): one for one in answer["cells"]}
    verdicts: Verdicts = {}
    for pair in pairs_of(units):
        one = cells.get(pair, {"ports": [], "unknown": []})
        several = max(len(units[end]) for end in pair) > 1
        for protocol, port in generate.PORTS:
            verdicts[(*pair, protocol, port)] = of_ports(one["ports"], one["unknown"], protocol, port, several)
    return verdicts


def snapshot_ports(words: list[str]) -> list[Object]:
    """`TCP 80,443,8000-8010 UDP all other`, or `ALL`, or nothing: everything."""
    if not words or words == ["ALL"]:
        return [{"protocol": name, "from": 1, "to": 65535} for name in ("TCP", "UDP", "SCTP")]
    ports: list[Object] = []
    protocol = ""
    for word in words:
        if word in ("TCP", "UDP", "SCTP", "other"):
            protocol = word
        elif word == "all":
            ports.append({"protocol": protocol, "from": 1, "to": 65535})
        else:
            for part in word.split(","):
                first, _, last = part.partition("-")
                ports.append({"protocol": protocol, "from": int(first), "to": int(last or first)})
    return ports


def snapshotted(program: Program, path: str, units: Units) -> Verdicts:
    text = program.run("snapshot", "-f", path)
    lines: dict[str, dict[Any, list[Object]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    untold: set[str] = set()
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] == "#" or line.endswith("(potential)"):
            continue
        if words[0] == "unknown" and words[-1] == "hostNetwork":
            untold.add(words[1])
            continue
        into = YES
        if words[0] in (UNKNOWN, SOME):
            into, words = words[0], words[1:]
        if words[0] in ("open-in", "open-in-cluster", "open-out"):
            lines[into + " " + words[0].removesuffix("-cluster")][words[1]] += snapshot_ports(words[2:])
        elif "->" in words:
            at = words.index("->")
            lines[into][" ".join(words[:at]), words[at + 1]] += snapshot_ports(words[at + 2 :])
    verdicts: Verdicts = {}
    for pair in pairs_of(units):
        if untold.intersection(pair):
            continue
        for flow in generate.PORTS:
            verdict = next((into for into in (YES, SOME, UNKNOWN) if in_ports(lines[into][pair], *flow)), NO)
            if in_ports(lines["yes open-out"][pair[0]], *flow) and in_ports(lines["yes open-in"][pair[1]], *flow):
                verdict = YES
            verdicts[(*pair, *flow)] = verdict
    return verdicts


def reached(program: Program, path: str, units: Units, name: str) -> Verdicts:
    """`reach` over one hop. Ports that are merely unknown are not told, only whose."""
    answer = program.json("reach", name, "--hops", "1", "-f", path)
    ports: dict[str, list[Object]] = collections.defaultdict(list)
    for stop in answer["tree"]:
        for who in stop["who"]:
            ports[workload(who)] += stop["ports"]
    unknown = {workload(end) for end in answer["unknown"]}
    verdicts: Verdicts = {}
    for other in units:
        if other == name:
            continue
        several = len(units[other]) + len(units[name]) > 2
        for flow in generate.PORTS:
            verdict = of_ports(ports[other], [], *flow, several)
            if verdict == NO and (other in unknown or other in ports):
                verdict = NOT_TOLD
            verdicts[(name, other, *flow)] = verdict
    return verdicts


def commands(
    program: Program, path: str, cluster: Cluster, wants: Callable[[str], bool]
) -> Iterator[tuple[str, Verdicts]]:
    units = cluster.units()
    if wants("list"):
        yield "list", listed(program, path, units)
        nodes = sorted({at for node in cluster.nodes.values() for at in node.addresses})
        literals = [text for texts in generate.OUTSIDE.values() for text in texts]
        literals += [str(Address(*at)) for at in nodes if str(Address(*at)) not in literals]
        yield "list of addresses", listed_addresses(program, path, units, literals)
    if wants("matrix"):
        yield "matrix", matrixed(program, path, units)
    if wants("snapshot"):
        yield "snapshot", snapshotted(program, path, units)
    if wants("reach"):
        for name in list(units)[:3]:
            yield "reach", reached(program, path, units, name)


def differed(program: Program, before: str, after: str) -> dict[Flow, set[str]]:
    answer = program.json("diff", before, after)
    found: dict[Flow, set[str]] = collections.defaultdict(set)
    for change in answer["changes"]:
        for block in change["blocks"]:
            for source in block["from"]:
                for target in block["to"]:
                    for protocol, port in generate.PORTS:
                        if in_ports(change["ports"], protocol, port):
                            found[workload(source), workload(target), protocol, port].add(change["kind"])
    return found


# Comparing


@dataclass
class Case:
    kind: str
    seed: int
    objects: list[Object]
    flow: Flow
    expected: str
    got: str
    command: str
    touched: str = ""
    sentence: str = ""


@dataclass
class Tally:
    flows: int = 0
    compared: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    verdicts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    kinds: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    seeds: dict[str, list[int]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    first: dict[str, Case] = dataclasses.field(default_factory=dict)

    def add(self, case: Case) -> None:
        self.kinds[case.kind] += 1
        if case.seed not in self.seeds[case.kind]:
            self.seeds[case.kind].append(case.seed)
        best = self.first.get(case.kind)
        if best is None or len(json.dumps(case.objects)) < len(json.dumps(best.objects)):
            self.first[case.kind] = case


def questions(objects: list[Object], cluster: Cluster) -> tuple[list[str], list[str], list[Flow]]:
    names = [str(pod) for pod in cluster.pods]
    literals = [address for addresses in generate.OUTSIDE.values() for address in addresses]
    own = []
    for each in objects:
        status = each.get("status") or {}
        own += [entry["ip"] for entry in status.get("podIPs") or []]
        own += [status[field] for field in ("podIP", "hostIP") if field in status]
        if each["kind"] == "Node":
            own += [entry["address"] for entry in status.get("addresses", []) if entry["type"] != "Hostname"]
    own = sorted(set(own))
    pairs = [(one, other) for one in names for other in names]
    for literal in literals + own:
        pairs += [(literal, name) for name in names] + [(name, literal) for name in names]
    flows = [(source, target, protocol, port) for source, target in pairs for protocol, port in generate.PORTS]
    return names, literals, flows


def pod_flows(units: Units, flow: Flow) -> list[Flow]:
    source, target, protocol, port = flow
    return [
        (one, other, protocol, port) for one in units.get(source, [source]) for other in units.get(target, [target])
    ]


class Comparison:
    def __init__(self, program: Program, only: set[str], primary: Reading = Reading()) -> None:
        self.program = program
        self.only = only
        self.primary = primary
        self.tally = Tally()
        self.readings: dict[str, Cluster] = {}

    def wants(self, what: str) -> bool:
        return not self.only or what in self.only

    def explain(self, objects: list[Object], flow: Flow, expected: str, got: str) -> tuple[str, str, str]:
        """The kind of a difference in `can`: the reading that gives the program's answer."""
        touched: set[str] = set()
        self.cluster.can(*flow, touched)
        for name, sentence, options in READINGS:
            if name not in self.readings:
                self.readings[name] = Cluster(objects, dataclasses.replace(self.primary, **options))
            if self.readings[name].can(*flow) == got:
                return name, ", ".join(sorted(touched)), sentence
        for first, first_sentence, first_options in READINGS:
            for name, sentence, options in READINGS:
                if name <= first or first_options.keys() & options.keys():
                    continue
                key = f"{first} + {name}"
                if key not in self.readings:
                    self.readings[key] = Cluster(objects, dataclasses.replace(self.primary, **first_options, **options))
                if self.readings[key].can(*flow) == got:
                    return key, ", ".join(sorted(touched)), f"{first_sentence}, {sentence}"
        return "unexplained", ", ".join(sorted(touched)), "S130"

    def seed(self, seed: int) -> None:
        objects = generate.cluster(seed)
        self.cluster = cluster = Cluster(objects, self.primary)
        self.readings = {}
        names, literals, flows = questions(objects, cluster)
        path = self.program.write("cluster.json", objects)
        asked = self.program.can(path, flows)
        tally = self.tally
        tally.flows += len(flows)
        tally.compared["can"] += len(flows)
        for flow, got in asked.items():
            expected = cluster.can(*flow)
            tally.verdicts[f"{expected} ({got})" if expected != got else expected] += 1
            if expected == got:
                continue
            why, touched, sentence = self.explain(objects, flow, expected, got)
            ends = "".join("p" if "/" in end else "a" for end in flow[:2])
            kind = f"can: {why}: {expected}, program {got}"
            if why == "unexplained":
                kind += f" [{ends}; {touched}]"
            tally.add(Case(kind, seed, objects, flow, expected, got, "can", touched, sentence))
        self.sets(seed, objects, names, path)
        units = cluster.units()
        for command, verdicts in commands(self.program, path, cluster, self.wants):
            tally.compared[command] += len(verdicts)
            for flow, got in verdicts.items():
                flows_of = pod_flows(units, flow)
                can = {asked[each] for each in flows_of}
                if fits(got, can):
                    continue
                expected = {cluster.can(*each) for each in flows_of}
                right = "command right" if fits(got, expected) else "can right" if can == expected else "both wrong"
                kind = f"{command}: says {got}, can says {'/'.join(sorted(can))}; {right}"
                tally.add(Case(kind, seed, objects, flow, "/".join(sorted(expected)), got, command))
        if self.wants("diff"):
            self.diff(seed, objects, asked, path)

    def sets(self, seed: int, objects: list[Object], names: list[str], path: str) -> None:
        """Blocks (S40) and Services (S59) in questions."""
        cluster = self.cluster
        expected: Verdicts = {}
        if all(pod.addresses for pod in cluster.pods):
            for pair in generate.set_pairs(seed, names):
                for protocol, port in generate.PORTS[2:7:2]:
                    expected[(*pair, protocol, port)] = cluster.can_block(*pair, protocol, port)
        units = cluster.units()
        for flow in [(*pair, *flow) for pair in pairs_of(units) for flow in generate.PORTS]:
            of = pod_flows(units, flow)
            if len(of) > 1:
                expected[flow] = summed({cluster.can(*each) for each in of})
        for each in objects:
            # Of which family a Service with pods of several is, the text leaves open.
            alike = len({tuple(sorted(pod.addresses or ())) for pod in cluster.pods}) == 1
            if each["kind"] == "Service" and alike:
                service = f"{each['metadata']['namespace']}/svc/{each['metadata']['name']}"
                for name in names:
                    verdict = cluster.can_service(name, each, "TCP", 80)
                    if verdict is not None:
                        expected[name, service, "TCP", 80] = verdict
        if not expected:
            return
        got = self.program.can(path, list(expected))
        for flow, verdict in expected.items():
            blocks = any("/" in end and end not in units for end in flow[:2])
            what = "Services" if "/svc/" in flow[1] else "blocks" if blocks else "workloads"
            self.tally.compared[what] += 1
            if verdict == got[flow]:
                continue
            kind = f"{what}: {verdict}, program {got[flow]}"
            if what == "workloads":
                pods = self.program.can(path, pod_flows(units, flow))
                if summed(set(pods.values())) == got[flow]:
                    continue  # the pods are wrong, and that is told elsewhere
            if what == "blocks":
                without = Cluster(objects, dataclasses.replace(self.primary, block_holds_self=False))
                if without.can_block(*flow) == got[flow]:
                    kind += " (so without the pod itself)"
            sentence = {"blocks": "S40", "Services": "S59"}.get(what, "S130")
            self.tally.add(Case(kind, seed, objects, flow, verdict, got[flow], what, "", sentence))

    def diff(self, seed: int, objects: list[Object], asked: Verdicts, path: str) -> None:
        after_objects = generate.cluster(seed, seed + 1_000_000)
        after = Cluster(after_objects, self.primary)
        after_path = self.program.write("after.json", after_objects)
        units = self.cluster.units()
        mine = [(*pair, *flow) for pair in pairs_of(units) for flow in generate.PORTS]
        pods = [each for flow in mine for each in pod_flows(units, flow)]
        asked_after = self.program.can(after_path, pods)
        changes = differed(self.program, path, after_path)
        self.tally.compared["diff"] += len(mine)
        for flow in mine:
            of = pod_flows(units, flow)
            before_all, after_all = {asked[each] for each in of}, {asked_after[each] for each in of}
            if len(before_all) + len(after_all) > 2:
                continue
            (was,), (now,) = before_all, after_all
            got = changes.get(flow, set())
            if was == now:
                good = got <= ({"undecided"} if was == UNKNOWN else set())
            elif (was, now) == (NO, YES):
                good = got == {"widened"}
            elif (was, now) == (YES, NO):
                good = got == {"narrowed"}
            else:
                good = got in ({"may-widen"}, {"may-narrow"}, {"undecided"})
            if good:
                continue
            expected = (self.cluster.can(*of[0]), after.can(*of[0]))
            right = "can right" if expected == (was, now) else "can wrong"
            kind = f"diff: {was} to {now} is told as {sorted(got)}; {right}"
            self.tally.add(Case(kind, seed, objects, flow, "/".join(expected), f"{was}/{now}: {sorted(got)}", "diff"))


# Shrinking


def smaller(objects: list[Object]) -> Iterator[list[Object]]:
    """Everything that is one part less, larger parts first."""

    def paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        keys: Any = list(value) if isinstance(value, dict) else []
        if isinstance(value, list):
            keys = range(len(value) - 1, -1, -1)
        for key in keys:
            yield (*path, key)
        for key in keys:
            yield from paths(value[key], (*path, key))

    for path in paths(objects, ()):
        candidate: Any = copy.deepcopy(objects)
        inner = candidate
        for key in path[:-1]:
            inner = inner[key]
        if path[-1] in ("kind", "apiVersion", "metadata", "name", "namespace", "tier", "priority", "action"):
            if len(path) < 4 or path[-1] in ("tier", "priority", "action"):
                continue
        del inner[path[-1]]
        yield candidate


class Shrinker:
    def __init__(self, program: Program, budget: int = 1500, primary: Reading = Reading()) -> None:
        self.program = program
        self.budget = budget
        self.primary = primary

    def answers(self, case: Case, objects: list[Object]) -> tuple[str, str] | None:
        try:
            cluster = Cluster(objects, self.primary)
            path = self.program.write("smaller.json", objects)
            if case.command == "blocks":
                return cluster.can_block(*case.flow), self.program.can(path, [case.flow])[case.flow]
            if case.command == "Services":
                service = next(each for each in objects if each["kind"] == "Service")
                verdict = cluster.can_service(case.flow[0], service, *case.flow[2:])
                return verdict or "", self.program.can(path, [case.flow])[case.flow]
            if case.command == "can":
                return cluster.can(*case.flow), self.program.can(path, [case.flow])[case.flow]
            units = cluster.units()
            flows = pod_flows(units, case.flow)
            said = self.program.can(path, flows)
            can = "/".join(sorted({said[each] for each in flows}))
            truth = "/".join(sorted({cluster.can(*each) for each in flows}))
            if case.command == "workloads":
                return truth, f"{self.program.can(path, [case.flow])[case.flow]}, of its pods {can}"
            if case.command == "reach":
                return f"{truth}, can {can}", reached(self.program, path, units, case.flow[0])[case.flow]
            for command, verdicts in commands(self.program, path, cluster, case.command.split()[0].__eq__):
                if command == case.command:
                    return f"{truth}, can {can}", verdicts[case.flow]
            return None
        except (Refused, KeyError, StopIteration, ValueError, TypeError, IndexError, AttributeError):
            return None

    def kind(self, case: Case, objects: list[Object], answers: tuple[str, str]) -> str:
        if case.command != "can":
            return ""
        comparison = Comparison(self.program, set(), self.primary)
        comparison.cluster = Cluster(objects, self.primary)
        expected, got = answers
        return comparison.explain(objects, case.flow, expected, got)[0]

    def shrink(self, case: Case) -> Case:
        wanted = self.answers(case, case.objects)
        if wanted is None:
            return case
        kind = self.kind(case, case.objects, wanted)
        objects, progress = case.objects, True
        while progress and self.budget > 0:
            progress = False
            for candidate in smaller(objects):
                self.budget -= 1
                if self.budget <= 0:
                    break
                if self.answers(case, candidate) == wanted and self.kind(case, candidate, wanted) == kind:
                    objects, progress = candidate, True
                    break
        return dataclasses.replace(case, objects=objects)


def describe(case: Case) -> str:
    lines = [f"{case.kind}  (seed {case.seed})"]
    source, target, protocol, port = case.flow
    question = f"{source} reach {target}:{port}/{protocol}"
    lines.append(f"  {case.command} {question}: program {case.got}, evaluator {case.expected}")
    if case.sentence:
        lines.append(f"  rests on {case.sentence}; not told: {case.touched or 'nothing'}")
    for each in case.objects:
        lines.append("  " + json.dumps({key: value for key, value in each.items() if key != "apiVersion"}))
    return "\n".join(lines)


def write_finding(folder: str, number: int, case: Case) -> None:
    place = os.path.join(folder, f"{number:02}")
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, "cluster.json"), "w", encoding="utf-8") as file:
        json.dump(generate.as_list(case.objects), file, indent=1)
    with open(os.path.join(place, "questions.csv"), "w", encoding="utf-8") as file:
        expected = f",{case.expected}" if case.expected in (YES, NO, UNKNOWN, PARTLY) else ""
        source, target, protocol, port = case.flow
        file.write(f"{source},{bracketed(target)},{protocol},{port}{expected}\n")
    with open(os.path.join(place, "kind.txt"), "w", encoding="utf-8") as file:
        file.write(describe(case) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seeds", default="1..20", help="A..B, both included")
    parser.add_argument("--only", default="", help="commands beside `can`: list,matrix,snapshot,reach,diff or none")
    parser.add_argument("--findings", help="folder for the shrunk cases")
    parser.add_argument(
        "--reading", action="append", default=[], metavar="KEY=VALUE", help="such as evidence=both"
    )
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--budget", type=int, default=600, help="runs of the program to shrink one case")
    parser.add_argument("--seconds", type=float, default=500, help="stop after about so long")
    arguments = parser.parse_args()
    primary = Reading()
    for setting in arguments.reading:
        key, _, value = setting.partition("=")
        primary = dataclasses.replace(primary, **{key: {"true": True, "false": False}.get(value, value)})
    first, _, last = arguments.seeds.partition("..")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(os.path.abspath(arguments.binary), folder)
        comparison = Comparison(program, set(filter(None, arguments.only.split(","))), primary)
        tally = comparison.tally
        done = 0
        for seed in range(int(first), int(last or first) + 1):
            if time.monotonic() - started > arguments.seconds:
                print(f"stopped before seed {seed}")
                break
            try:
                comparison.seed(seed)
                done += 1
            except Refused as error:
                kind = f"refused: {str(error).split(':')[-1].strip()[:100]}"
                tally.kinds[kind] += 1
                tally.seeds[kind].append(seed)
                print(f"seed {seed}: {error}", file=sys.stderr)
        print(f"{done} seeds, {tally.flows} flows, {program.runs} runs, {time.monotonic() - started:.0f} s")
        print("compared:", dict(tally.compared))
        print("verdicts:", dict(sorted(tally.verdicts.items())))
        print()
        for kind, count in tally.kinds.most_common():
            print(f"{count:8}  {kind}  (seeds {', '.join(map(str, tally.seeds[kind][:5]))})")
        print()
        if not arguments.no_shrink:
            for number, (kind, case) in enumerate(sorted(tally.first.items()), 1):
                small = Shrinker(program, arguments.budget, primary).shrink(case)
                print(describe(small))
                print(flush=True)
                if arguments.findings:
                    write_finding(arguments.findings, number, small)
    return 1 if tally.kinds else 0


if __name__ == "__main__":
    sys.exit(main())
