// @ts-check
// Verdicts, as in src/query/ask/answer.rs: every source with every destination, on every port that is asked about. Pods of one class
// are judged once. Whatever the page does not know ends in `tell`: the command line is to be asked.

/** @typedef {{verdict: Verdict | 'error' | 'tell', message?: string, service?: Service, pairs: PairAnswer[]}} Answer */
/** @typedef {{from: End, to: End, verdict: Verdict | 'tell', asked: Ranges, sure: Ranges, unknown: Ranges, doubt?: string}} PairAnswer */
/** Endpoints of an end that fare alike. @typedef {{place: number, pods: number[] | undefined, single: boolean, first: number | bigint | undefined, asked: Ranges, key: string}} Group */

/** @param {{ask: AskData, namespaces: string[], workloads: [number, string, string, number][]}} data @param {(from: number, to: number) => Ranges[] | undefined} byFlows what passes between two workloads, where rows are too many */
const askVerdicts = (data, byFlows) => {
  'use strict';
  const { Wrong, Untold } = askSets;
  const { ask } = data;
  const rows = ask.rows;
  const grammar = askGrammar(ask.kinds);
  const names = askNames(ask, data.namespaces, data.workloads);
  const MOST = 200000;
  /** @param {string} message @returns {never} */
  const untold = (message) => { throw new Untold(message); };

  // ---- places: classes of pods, then atoms
  const classes = rows ? rows.classes.length : 0;
  const starts = /** @type {[number[], bigint[]]} */ (rows ? [rows.atoms[0], rows.atoms[1].map(BigInt)] : [[], []]);
  const governed = new Set(rows ? rows.governed : []);
  /** @param {number} place */
  const familyOf = (place) => (place - classes < starts[0].length ? 1 : 2);
  /** @param {number} place */
  const isOutside = (place) => place >= classes && !governed.has(place - classes);
  /** @type {number[][]} */
  const spread = [];
  /** A row, one number for each place. @param {number} at */
  const rowAt = (at) => {
    const runs = rows ? rows.distinct[at] : [];
    spread[at] = spread[at] || runs.flatMap((cell, i) => (i % 2 ? [] : Array(runs[i + 1]).fill(cell)));
    return spread[at];
  };
  /** The atoms that a set has addresses of, with the first of these. @param {Addresses} set @returns {Map<number, number | bigint>} */
  const atomsOf = (set) => {
    const found = new Map();
    [0, 1].forEach((family) => {
      const [first, ranges] = [/** @type {any[]} */ (starts[family]), /** @type {any[]} */ (set[family])];
      const offset = classes + family * starts[0].length;
      for (let i = 0; i < ranges.length; i += 2) {
        let [low, high] = [0, first.length - 1];
        while (low < high) {
          const middle = (low + high + 1) >> 1;
          if (first[middle] <= ranges[i]) low = middle; else high = middle - 1;
        }
        for (let at = low; at < first.length && first[at] <= ranges[i + 1]; at += 1) {
          if (!found.has(offset + at)) found.set(offset + at, first[at] > ranges[i] ? first[at] : ranges[i]);
        }
      }
    });
    return found;
  };
  const classOf = (/** @type {number} */ pod) => ask.pods.looks[names.looks[pod]][0];
  const isSingle = (/** @type {number} */ pod) => ask.pods.looks[names.looks[pod]][1] === 1;
  /** @param {number} cell @returns {Ranges[]} */
  const traffic = (cell) => (cell === 0 ? untold('it depends on the nodes that pods run on') : ask.traffic[cell - 1]);
  /** @param {number} from @param {number} to @param {number} [families] */
  const passing = (from, to, families = 3) => {
    const into = rows && (families === 3 || rows.by_family[families - 1] === null ? rows.into : rows.by_family[families - 1]);
    if (!into) return untold('what names the ends has no family in common');
    const near = into[1][to] || [];
    for (let i = 0; i < near.length; i += 2) if (near[i] === from) return traffic(near[i + 1]);
    return traffic(rowAt(into[0][to])[from]);
  };

  // ---- what an end is asked as
  /** @param {End} end */
  const podsOf = (end) => ('parts' in end ? end.parts.flatMap((part) => part.pods) : []);
  /** The addresses that a word stands for, with some pods at the other end. @param {Addresses} set @param {End} other @param {boolean} out @returns {Addresses} */
  const meant = (set, other, out) => {
    const kept = [1, 2].filter((family) => [...new Set(podsOf(other).map(classOf))].some((at) => {
      const told = rows ? rows.classes[at][0] : 0;
      if (told) return (told & family) > 0;
      if (family === 1) return true;
      const families = 'parts' in other ? other.families : 3;
      return [...atomsOf([[], set[1]]).keys()].some((atom) => (out ? passing(at, atom, families) : passing(atom, at, families))[1].length > 0);
    }));
    /** @type {Addresses} */
    const some = [kept.includes(1) ? set[0] : [], kept.includes(2) ? set[1] : []];
    return askSets.isEmpty(some) ? set : some;
  };
  /** The groups of pods are the same whatever the other end is. @type {Map<End, Group[]>[]} */
  const grouped = [new Map(), new Map()];
  /** @param {End} end @param {End} other @param {boolean} out whether the other end sends @param {(pod: number | undefined, ports: number[] | undefined) => Ranges} asked @returns {Group[]} */
  const groups = (end, other, out, asked) => {
    if (!('parts' in end)) {
      const set = end.word && 'parts' in other ? meant(end.set, other, out) : end.set;
      const of = asked(undefined, end.ports);
      return [...atomsOf(set)].map(([place, first]) => ({ place, pods: undefined, single: false, first, asked: of, key: of.join() }));
    }
    const before = grouped[Number(out)].get(end);
    if (before) return before;
    /** @type {Map<string, Group>} */
    const by = new Map();
    for (const part of end.parts) {
      for (const pod of part.pods) {
        const of = asked(pod, part.ports);
        const key = of.join();
        const full = classOf(pod) + ' ' + isSingle(pod) + ' ' + key;
        const here = by.get(full);
        if (here && here.pods) here.pods.push(pod);
        else by.set(full, { place: classOf(pod), pods: [pod], single: isSingle(pod), first: undefined, asked: of, key });
      }
    }
    grouped[Number(out)].set(end, [...by.values()]);
    return [...by.values()];
  };
  /** What is asked of a destination. @param {Spec} spec @param {Resolved} to @returns {(pod: number | undefined, ports: number[] | undefined) => Ranges} */
  const askedOf = ({ target, ports }, to) => {
    /** @type {Map<string, Ranges>} */
    const known = new Map();
    /** @type {(pod: number | undefined, leads: number[] | undefined) => Ranges} */
    const of = (pod, leads) => {
      if (to.service) return names.behindPorts(to.service, ports, leads || []);
      if (ports) return askSets.union(ports.map((one) => names.direct(one, pod)));
      if (target.is === 'keyword' && target.name === 'dns') {
        const own = ask.words.dns[0].find(([runs]) => pod !== undefined && names.each(runs).includes(pod));
        return own ? own[1] : ask.words.dns[1];
      }
      return to.traffic || askSets.everything;
    };
    const isDns = target.is === 'keyword' && target.name === 'dns';
    return (pod, leads) => {
      const key = isDns ? String(pod) : (leads || []).join() + ' ' + (pod === undefined ? '' : ask.pods.looks[names.looks[pod]][2]);
      const found = known.get(key) || of(pod, leads);
      known.set(key, found);
      return found;
    };
  };

  // ---- one pair of ends
  /** What passes from a group to another, a pod and itself apart. @param {Group} from @param {Group} to @param {Service | undefined} service @param {number} families @returns {Ranges[]} */
  const between = (from, to, service, families) => {
    if (!service) return passing(from.place, to.place, families);
    if (from.pods === undefined) {
      if (!service.at_nodes || to.pods === undefined) return passing(from.place, to.place, families);
      if (families !== 3) checkFamilies(families, from, to);
      const at = ask.services.through_nodes[to.place];
      return at === undefined ? untold('nodes may put their address in the place of the caller') : traffic(rowAt(at)[from.place]);
    }
    if (service.special) return untold('it depends on how Service ' + service.name + ' is called');
    const at = to.pods && !service.own_node ? (service.rows || {})[to.place] : undefined;
    if (at !== undefined && families !== 3) checkFamilies(families, from, to);
    if (at !== undefined) return traffic(rowAt(at)[from.place]);
    const found = passing(from.place, to.place, families);
    return service.own_node && to.pods ? [[], found[1]] : found;
  };
  /** What passes between a pod and itself. @param {Group} group @param {Service | undefined} service @param {number} families @returns {Ranges[]} */
  const toItself = (group, service, families) => {
    if (families !== 3 && (service || !group.single)) checkFamilies(families, group, group);
    const [, itself, led] = rows ? rows.classes[group.place] : [0, 0, 0];
    if (group.single) return service ? traffic(led) : ask.traffic[1];
    if (!service) return traffic(itself);
    if (service.special || (service.rows || {})[group.place] !== undefined) return untold('it depends on how Service ' + service.name + ' is called');
    return service.own_node ? [[], traffic(itself)[1]] : traffic(itself);
  };
  /** The families of a pair are those of an address that names a pod: told of both ends, or not known here. @param {number} families @param {Group} from @param {Group} to */
  const checkFamilies = (families, from, to) => {
    for (const { place } of [from, to]) {
      const told = place < classes ? (rows ? rows.classes[place][0] : 0) : familyOf(place);
      if (!told || (told & ~families & 3)) untold('an address or a Service of one family names an end');
    }
  };
  /** A pair of workloads, as the flows have it. @param {End} from @param {End} to @param {Resolved} at @param {ReturnType<typeof askedOf>} asked */
  const listed = (from, to, at, asked) => {
    const isWhole = (/** @type {End} */ end) => 'parts' in end && end.families === 3 && podsOf(end).length === ask.pods.of[end.workload].reduce((n, m, i) => n + (i % 2 ? m : 0), 0);
    if (!('parts' in from) || !('parts' in to) || !isWhole(from) || !isWhole(to) || at.service || from.workload === to.workload) return untold('what passes is more than the page holds');
    const all = [...new Set(podsOf(to).map((pod) => asked(pod, undefined).join()))];
    const found = all.length === 1 ? byFlows(from.workload, to.workload) : undefined;
    if (!found) return untold('what passes is more than the page holds');
    const of = asked(podsOf(to)[0], undefined);
    return { from, to, verdict: askSets.judge(of, found), asked: of, sure: askSets.and(of, found[0]), unknown: askSets.and(of, askSets.minus(found[1], found[0])) };
  };
  /** @param {End} from @param {End} to @param {Resolved} at @param {boolean} oneOf @param {ReturnType<typeof askedOf>} asked @param {boolean} [everyFamily] whether words stand for addresses of families that the other end lacks
   * @returns {PairAnswer | undefined} */
  const pair = (from, to, at, oneOf, asked, everyFamily = false) => {
    if (!rows) return listed(from, to, at, asked);
    const families = ('parts' in from ? from.families : 3) & ('parts' in to ? to.families : 3);
    const byWord = ('word' in from && from.word) || ('word' in to && to.word);
    const several = [from, to].every((end) => podsOf(end).length > 1);
    const isShared = 'parts' in from && 'parts' in to && from.workload === to.workload;
    /** @type {Set<Verdict>} */
    const seen = new Set();
    const all = /** @type {Ranges[]} */ ([]);
    const sure = /** @type {Ranges[]} */ ([]);
    const unknown = /** @type {Ranges[]} */ ([]);
    /** @type {string | undefined} */
    let doubt;
    /** What was judged already. @type {Map<string, Set<Ranges[]>>} */
    const judged = new Map();
    const judge = (/** @type {Group} */ d, /** @type {() => Ranges[]} */ passes) => {
      try {
        const [found, before] = [passes(), judged.get(d.key) || new Set()];
        if (before.has(found)) return;
        judged.set(d.key, before.add(found));
        seen.add(askSets.judge(d.asked, found));
        all.push(d.asked);
        sure.push(askSets.and(d.asked, found[0]));
        unknown.push(askSets.and(d.asked, askSets.minus(found[1], found[0])));
      } catch (error) {
        if (!(error instanceof Untold)) throw error;
        doubt = error.message;
      }
    };
    const sources = groups(from, to, false, () => []);
    for (const d of groups(to, from, true, asked)) {
      for (const s of sources) {
        if (isOutside(s.place) && isOutside(d.place)) continue;
        if (byWord && !everyFamily && !meets(s.place, d.place)) continue;
        if (s.first !== undefined && s.first === d.first && familyOf(s.place) === familyOf(d.place)) continue;
        const same = s.pods && d.pods && isShared && s.place === d.place ? s.pods.filter((pod) => /** @type {number[]} */ (d.pods).includes(pod)).length : 0;
        const apart = (s.pods ? s.pods.length : 1) * (d.pods ? d.pods.length : 1) > same;
        if (apart) judge(d, () => between(s, d, at.service, families));
        if (same && !(several && d.single)) judge(d, () => toItself(d, at.service, families));
      }
    }
    if (!seen.size && doubt === undefined) return byWord && !everyFamily ? pair(from, to, at, oneOf, asked, true) : undefined;
    const isOne = oneOf || [from, to].some((end) => 'parts' in end && ask.pods.alternatives.includes(end.workload));
    const known = isOne && seen.size > 1 ? 'unknown' : askSets.ofAll(seen) || 'unknown';
    // what is not known of some does not matter where the others differ already
    const isSure = doubt === undefined || (known === 'partly' && !isOne);
    return { from, to, verdict: isSure ? known : /** @type {const} */ ('tell'), doubt, asked: askSets.union(all), sure: askSets.union(sure), unknown: askSets.union(unknown) };
  };
  /** Whether the ends may have a family in common. @param {number} a @param {number} b */
  const meets = (a, b) => {
    const of = (/** @type {number} */ place) => (place >= classes ? familyOf(place) : rows ? rows.classes[place][0] || 3 : 3);
    return (of(a) & of(b) & 3) > 0;
  };

  // ---- questions
  /** Whether nothing leaves the sources on what is asked about, wherever an outside name leads. @param {Spec} spec @param {Resolved} from */
  const isClosed = (spec, from) => {
    const sources = from.ends.flatMap(podsOf);
    if (from.ends.some((end) => !('parts' in end)) || !sources.length || sources.length > 100) return false;
    if (spec.ports && spec.ports.some((one) => 'name' in one)) return false;
    const { leaving, first } = ask.services;
    if (!leaving) return untold('an outside name may lead anywhere');
    const asked = spec.ports ? askSets.union(spec.ports.map(names.numbers)) : askSets.everything;
    return sources.every((pod) => !askSets.and(asked, leaving[classOf(pod)][first[classOf(pod)] === pod ? 0 : 1]).length);
  };
  /** @param {Spec} source @param {Spec} destination @returns {Answer} */
  const decide = (source, destination) => {
    // pods that stand in for what one end names may be what the other one names
    const attempt = (/** @type {Spec} */ spec) => {
      try {
        return names.resolve(spec);
      } catch (error) {
        return error;
      }
    };
    const found = [attempt(source), attempt(destination)];
    for (const kind of [Untold, Wrong, Error]) {
      const wrong = found.find((one) => one instanceof kind);
      if (wrong) throw wrong;
    }
    const from = /** @type {Resolved} */ (found[0]);
    let to = /** @type {Resolved} */ (found[1]);
    if (names.holdsServices(destination)) return untold('Services are called at addresses inside the block');
    if (ask.networks && to.service) return untold('networks decide about calls to Services');
    if (to.anywhere !== undefined && isClosed(destination, from)) {
      to = { ends: [{ name: to.anywhere, set: askSets.without(askSets.full, names.ofNodes), word: true, ports: undefined }] };
    }
    if (from.ends.length * to.ends.length > MOST) throw new Wrong('that is ' + from.ends.length * to.ends.length + ' pairs of ends, more than one question may be about');
    if (from.node && to.ends.some((end) => 'parts' in end)) untold('it depends on the node that a pod runs on');
    const oneOf = Boolean(from.oneOf || to.oneOf);
    const asked = askedOf(destination, to);
    grouped.forEach((known) => known.clear());
    const pairs = /** @type {PairAnswer[]} */ ([]);
    for (const one of from.ends) {
      for (const other of to.ends) {
        const found = pair(one, other, to, oneOf, asked);
        if (found) pairs.push(found);
      }
    }
    const nothingThere = to.noBackend && from.ends.length > 0;
    const known = askSets.ofAll(new Set(pairs.flatMap((p) => (p.verdict === 'tell' ? [] : [p.verdict]))));
    const doubt = pairs.find((p) => p.verdict === 'tell');
    if (doubt && known !== 'partly') return untold(doubt.doubt || '');
    const verdict = known || (nothingThere ? 'no' : 'unknown');
    const outside = from.ends.length && to.ends.length && !pairs.length ? 'no pod is involved: policies govern pods, not traffic between outside addresses' : undefined;
    return { verdict, message: from.missing || to.missing || outside, service: to.service, pairs };
  };
  /** What `netpal can FROM reach TO --port PORT` says. @param {string} from @param {string} to @param {string} port @returns {Answer} */
  const answer = (from, to, port) => {
    try {
      const [source, destination] = [grammar.parse(from), grammar.parse(to)];
      if (port !== '' && destination.ports) throw new Wrong('`' + to + '` names ports already');
      if (port !== '') destination.ports = grammar.ports(port);
      return decide(source, destination);
    } catch (error) {
      if (error instanceof Wrong) return { verdict: 'error', message: error.message, pairs: [] };
      if (error instanceof Untold) return { verdict: 'tell', message: error.message, pairs: [] };
      throw error;
    }
  };
  return { answer };
};
