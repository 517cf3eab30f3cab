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
from typing import Any, Iterator

import generate
from evaluator import NO, UNKNOWN, YES, Cluster, Reading, parse_address

Object = dict[str, Any]
Flow = tuple[str, str, str, int]  # source, destination, protocol, port
Verdicts = dict[Flow, str]

# Other ways to read the text, tried in turn on what differs: the first that gives the program's
# answer names the kind. `wrong` marks those that the text excludes.
READINGS: list[tuple[str, str, dict[str, Any]]] = [
    ("S65 open: a literal presupposes the family of the other end", "S65", {"literal_presupposes": True}),
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
    ("S55 open: traffic to the own node", "S55", {"own_node_out": False}),
    ("imprecise: doubts that together could tell", "S131", {"independent": True}),
    ("S50 wrong: a name beside an ipBlock never matches", "S50", {"names_beside_blocks": False}),
    ("S65 wrong: families as in the older reading", "S65", {"families": "any"}),
    ("S65 wrong: families as in a still looser reading", "S65", {"families": "loose"}),
    ("S65 wrong: families as in the older reading, both", "S65", {"families": "any", "evidence": "both"}),
]


class Refused(Exception):
    """The program did not answer."""


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
                # An IPv6 block needs brackets there, an address does not.
                if target.count(":") > 1 and "/" in target:
                    target = f"[{target}]"
                file.write(f"{source},{target},{protocol},{port}\n")
        answers = self.json("can", "--questions", questions, "-f", path)["answers"]
        return {flow: answer["verdict"] for flow, answer in zip(flows, answers, strict=True)}


# What the program prints, as verdicts


def in_ports(ports: list[Object], protocol: str, port: int) -> bool:
    return any(one["protocol"] == protocol and one["from"] <= port <= one["to"] for one in ports)


def of_ports(sure: list[Object], unknown: list[Object], protocol: str, port: int) -> str:
    if in_ports(sure, protocol, port):
        return YES
    return UNKNOWN if in_ports(unknown or [], protocol, port) else NO


def workload(end: Object) -> str:
    return f"{end['namespace']}/{end['name']}" if end["type"] == "workload" else ""


def pairs_of(names: list[str]) -> Iterator[tuple[str, str]]:
    return ((one, other) for one in names for other in names if one != other)


def listed(program: Program, path: str, names: list[str]) -> Verdicts:
    answer = program.json("list", "--all", "-f", path)
    flows = {(workload(one["from"]), workload(one["to"])): one for one in answer["flows"]}
    verdicts: Verdicts = {}
    for pair in pairs_of(names):
        one = flows.get(pair, {"ports": [], "unknown": []})
        for protocol, port in generate.PORTS:
            verdicts[(*pair, protocol, port)] = of_ports(one["ports"], one.get("unknown", []), protocol, port)
    return verdicts


def listed_addresses(program: Program, path: str, cluster: Cluster, literals: list[str], names: list[str]) -> Verdicts:
    """Addresses that are nobody's, with pods, by the address lines of `list --all`."""
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
        for name in names:
            for outward in (True, False):
                found = [
                    one
                    for blocks, is_source, other, one in lines
                    if is_source is outward and other == name and any(address in block for block in blocks)
                ]
                for protocol, port in generate.PORTS:
                    all_of = {of_ports(one["ports"], one.get("unknown", []), protocol, port) for one in found}
                    verdict = YES if YES in all_of else UNKNOWN if UNKNOWN in all_of else NO
                    ends = (literal, name) if outward else (name, literal)
                    verdicts[(*ends, protocol, port)] = verdict
    return verdicts


def matrixed(program: Program, path: str, names: list[str]) -> Verdicts:
    answer = program.json("matrix", "--by", "workload", "-f", path)
    cells = {(answer["sides"][one["from"]], answer["sides"][one["to"]]): one for one in answer["cells"]}
    verdicts: Verdicts = {}
    for pair in pairs_of(names):
        one = cells.get(pair, {"ports": [], "unknown": []})
        for protocol, port in generate.PORTS:
            verdicts[(*pair, protocol, port)] = of_ports(one["ports"], one["unknown"], protocol, port)
    return verdicts


def snapshot_ports(words: list[str]) -> list[Object]:
    """`TCP 80,443,8000-8010 UDP 53`, or `ALL`, or nothing: everything."""
    if not words or words == ["ALL"]:
        return [{"protocol": name, "from": 1, "to": 65535} for name in ("TCP", "UDP", "SCTP")]
    ports: list[Object] = []
    protocol = ""
    for word in words:
        if word in ("TCP", "UDP", "SCTP", "other", "OTHER"):
            protocol = word
            ports.append({"protocol": protocol, "from": 1, "to": 65535, "whole": True})
            continue
        if ports and ports[-1].get("whole"):
            ports.pop()
        if word in ("ALL", "all", "*"):
            ports.append({"protocol": protocol, "from": 1, "to": 65535})
            continue
        for part in word.split(","):
            first, _, last = part.partition("-")
            ports.append({"protocol": protocol, "from": int(first), "to": int(last or first)})
    return ports


def snapshotted(program: Program, path: str, names: list[str]) -> Verdicts:
    text = program.run("snapshot", "-f", path)
    sure: dict[tuple[str, str], list[Object]] = collections.defaultdict(list)
    unknown: dict[tuple[str, str], list[Object]] = collections.defaultdict(list)
    open_in: dict[str, list[Object]] = {}
    open_out: dict[str, list[Object]] = {}
    untold: set[str] = set()
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] == "#" or line.endswith("(potential)"):
            continue
        into = sure
        if words[0] == "unknown" and words[-1] == "hostNetwork":
            untold.add(words[1])
            continue
        if words[0] == "unknown":
            into, words = unknown, words[1:]
        if words[0] in ("open-in", "open-in-cluster"):
            open_in[words[1]] = snapshot_ports(words[2:])
        elif words[0] == "open-out":
            open_out[words[1]] = snapshot_ports(words[2:])
        elif "->" in words:
            at = words.index("->")
            into[" ".join(words[:at]), words[at + 1]] += snapshot_ports(words[at + 2 :])
    verdicts: Verdicts = {}
    for pair in pairs_of(names):
        if untold.intersection(pair):
            continue
        for protocol, port in generate.PORTS:
            both_open = in_ports(open_out.get(pair[0], []), protocol, port) and in_ports(
                open_in.get(pair[1], []), protocol, port
            )
            verdict = of_ports(sure[pair], unknown[pair], protocol, port)
            if verdict == NO and both_open:
                verdict = YES
            verdicts[(*pair, protocol, port)] = verdict
    return verdicts


def reached(program: Program, path: str, name: str, names: list[str]) -> Verdicts:
    """`reach` over one hop. Ports that are merely unknown are not told, only whose."""
    answer = program.json("reach", name, "--hops", "1", "-f", path)
    ports: dict[str, list[Object]] = collections.defaultdict(list)

    def walk(stops: list[Object]) -> None:
        for stop in stops:
            for who in stop["who"]:
                ports[workload(who)] += stop["ports"]

    walk(answer["tree"])
    unknown = {workload(end) for end in answer["unknown"]}
    verdicts: Verdicts = {}
    for other in names:
        if other == name:
            continue
        for protocol, port in generate.PORTS:
            verdict = YES if in_ports(ports[other], protocol, port) else NO
            if verdict == NO and (other in unknown or other in ports):
                verdict = "no or unknown"
            verdicts[name, other, protocol, port] = verdict
    return verdicts


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
        if each["kind"] == "Node":
            own += [entry["address"] for entry in status.get("addresses", []) if entry["type"] != "Hostname"]
    own = sorted(set(own))
    pairs = [(one, other) for one in names for other in names]
    for literal in literals + own:
        pairs += [(literal, name) for name in names] + [(name, literal) for name in names]
    flows = [(source, target, protocol, port) for source, target in pairs for protocol, port in generate.PORTS]
    return names, literals, flows


class Comparison:
    def __init__(self, program: Program, only: set[str]) -> None:
        self.program = program
        self.only = only
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
                self.readings[name] = Cluster(objects, Reading(**options))
            if self.readings[name].can(*flow) == got:
                return name, ", ".join(sorted(touched)), sentence
        for first, first_sentence, first_options in READINGS:
            for name, sentence, options in READINGS:
                if name <= first or first_options.keys() & options.keys():
                    continue
                key = f"{first} + {name}"
                if key not in self.readings:
                    self.readings[key] = Cluster(objects, Reading(**{**first_options, **options}))
                if self.readings[key].can(*flow) == got:
                    return key, ", ".join(sorted(touched)), f"{first_sentence}, {sentence}"
        return "unexplained", ", ".join(sorted(touched)), "S130"

    def seed(self, seed: int) -> None:
        objects = generate.cluster(seed)
        self.cluster = cluster = Cluster(objects)
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
        others: list[tuple[str, Verdicts]] = []
        if self.wants("list"):
            others.append(("list", listed(self.program, path, names)))
            owned = set(cluster.by_address) | {at for node in cluster.nodes.values() for at in node.addresses}
            free = [literal for literal in literals if parse_address(literal) not in owned]
            others.append(("list of addresses", listed_addresses(self.program, path, cluster, free, names)))
        if self.wants("matrix"):
            others.append(("matrix", matrixed(self.program, path, names)))
        if self.wants("snapshot"):
            others.append(("snapshot", snapshotted(self.program, path, names)))
        if self.wants("reach"):
            for name in names[:3]:
                others.append(("reach", reached(self.program, path, name, names)))
        for command, verdicts in others:
            tally.compared[command] += len(verdicts)
            for flow, got in verdicts.items():
                can, expected = asked[flow], cluster.can(*flow)
                if got == can or (got == "no or unknown" and can != YES):
                    continue
                right = "command right" if got == expected else "can right" if can == expected else "both wrong"
                kind = f"{command}: says {got}, can says {can}; {right}"
                tally.add(Case(kind, seed, objects, flow, expected, got, command))
        if self.wants("diff"):
            self.diff(seed, objects, names, flows, asked, path)

    def sets(self, seed: int, objects: list[Object], names: list[str], path: str) -> None:
        """Blocks (S40) and Services (S59) in questions."""
        cluster = self.cluster
        expected: Verdicts = {}
        if all(pod.addresses for pod in cluster.pods):
            for pair in generate.set_pairs(seed, names):
                for protocol, port in generate.PORTS[2:7:2]:
                    expected[(*pair, protocol, port)] = cluster.can_block(*pair, protocol, port)
        for each in objects:
            if each["kind"] == "Service":
                service = f"{each['metadata']['namespace']}/svc/{each['metadata']['name']}"
                for name in names:
                    verdict = cluster.can_service(name, each, "TCP", 80)
                    if verdict is not None:
                        expected[name, service, "TCP", 80] = verdict
        if not expected:
            return
        got = self.program.can(path, list(expected))
        for flow, verdict in expected.items():
            what = "Services" if "/svc/" in flow[1] else "blocks"
            self.tally.compared[what] += 1
            if verdict == got[flow]:
                continue
            kind = f"{what}: {verdict}, program {got[flow]}"
            if what == "blocks":
                without = Cluster(objects, Reading(block_holds_self=False))
                if without.can_block(*flow) == got[flow]:
                    kind += " (so without the pod itself)"
            self.tally.add(Case(kind, seed, objects, flow, verdict, got[flow], what, "", "S40" if what == "blocks" else "S59"))

    def diff(self, seed: int, objects: list[Object], names: list[str], flows: list[Flow], asked: Verdicts, path: str) -> None:
        after_objects = generate.cluster(seed, seed + 1_000_000)
        after = Cluster(after_objects)
        after_path = self.program.write("after.json", after_objects)
        mine = [flow for flow in flows if flow[0] in self.cluster.by_name and flow[1] in self.cluster.by_name]
        mine = [flow for flow in mine if flow[0] != flow[1]]
        asked_after = self.program.can(after_path, mine)
        changes = differed(self.program, path, after_path)
        self.tally.compared["diff"] += len(mine)
        for flow in mine:
            was, now = asked[flow], asked_after[flow]
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
            expected = (self.cluster.can(*flow), after.can(*flow))
            right = "can right" if expected == (was, now) else "can wrong"
            kind = f"diff: {was} to {now} is told as {sorted(got)}; {right}"
            self.tally.add(Case(kind, seed, objects, flow, "/".join(expected), f"{was}/{now}: {sorted(got)}", "diff"))


# Shrinking


def smaller(objects: list[Object]) -> Iterator[list[Object]]:
    """Everything that is one part less, larger parts first."""

    def paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        keys = range(len(value) - 1, -1, -1) if isinstance(value, list) else list(value) if isinstance(value, dict) else []
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
    def __init__(self, program: Program, budget: int = 1500) -> None:
        self.program = program
        self.budget = budget

    def answers(self, case: Case, objects: list[Object]) -> tuple[str, str] | None:
        try:
            cluster = Cluster(objects)
            names = [str(pod) for pod in cluster.pods]
            path = self.program.write("smaller.json", objects)
            if case.command == "blocks":
                return cluster.can_block(*case.flow), self.program.can(path, [case.flow])[case.flow]
            if case.command == "Services":
                service = next(each for each in objects if each["kind"] == "Service")
                verdict = cluster.can_service(case.flow[0], service, *case.flow[2:])
                return verdict or "", self.program.can(path, [case.flow])[case.flow]
            expected = cluster.can(*case.flow)
            if case.command == "can":
                return expected, self.program.can(path, [case.flow])[case.flow]
            if case.flow[0] not in names + generate.OUTSIDE[4] + generate.OUTSIDE[6]:
                return None
            if case.command == "list":
                got = listed(self.program, path, names)
            elif case.command == "list of addresses":
                literals = [end for end in case.flow[:2] if "/" not in end]
                got = listed_addresses(self.program, path, cluster, literals, names)
            elif case.command == "matrix":
                got = matrixed(self.program, path, names)
            elif case.command == "snapshot":
                got = snapshotted(self.program, path, names)
            elif case.command == "reach":
                got = reached(self.program, path, case.flow[0], names)
            else:
                return None
            can = self.program.can(path, [case.flow])[case.flow]
            return f"{expected}, can {can}", got[case.flow]
        except (Refused, KeyError, StopIteration, ValueError, TypeError, IndexError, AttributeError):
            return None

    def kind(self, case: Case, objects: list[Object]) -> str:
        if case.command != "can":
            return ""
        comparison = Comparison(self.program, set())
        comparison.cluster = Cluster(objects)
        expected, got = self.answers(case, objects) or ("", "")
        return comparison.explain(objects, case.flow, expected, got)[0]

    def shrink(self, case: Case) -> Case:
        wanted = self.answers(case, case.objects)
        if wanted is None:
            return case
        kind = self.kind(case, case.objects)
        objects, progress = case.objects, True
        while progress and self.budget > 0:
            progress = False
            for candidate in smaller(objects):
                self.budget -= 1
                if self.budget <= 0:
                    break
                if self.answers(case, candidate) == wanted and self.kind(case, candidate) == kind:
                    objects, progress = candidate, True
                    break
        return dataclasses.replace(case, objects=objects)


def describe(case: Case) -> str:
    lines = [f"{case.kind}  (seed {case.seed})"]
    source, target, protocol, port = case.flow
    lines.append(f"  {case.command} {source} reach {target}:{port}/{protocol}: program {case.got}, evaluator {case.expected}")
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
        expected = f",{case.expected}" if case.expected in (YES, NO, UNKNOWN) else ""
        file.write(",".join(str(part) for part in case.flow) + expected + "\n")
    with open(os.path.join(place, "kind.txt"), "w", encoding="utf-8") as file:
        file.write(describe(case) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seeds", default="1..20", help="A..B, both included")
    parser.add_argument("--only", default="", help="commands beside `can`: list,matrix,snapshot,reach,diff or none")
    parser.add_argument("--findings", help="folder for the shrunk cases")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--seconds", type=float, default=500, help="stop after about so long")
    arguments = parser.parse_args()
    first, _, last = arguments.seeds.partition("..")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(os.path.abspath(arguments.binary), folder)
        comparison = Comparison(program, set(filter(None, arguments.only.split(","))))
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
                small = Shrinker(program).shrink(case)
                print(describe(small))
                print(flush=True)
                if arguments.findings:
                    write_finding(arguments.findings, number, small)
    return 1 if tally.kinds else 0


if __name__ == "__main__":
    sys.exit(main())
