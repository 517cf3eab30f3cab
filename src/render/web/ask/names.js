// @ts-check
// What names stand for, as in src/query/ask/resolve.rs and the files beside it: workloads, pods, Services and addresses of the data.

/** @typedef {[number, number[], number] | [string, [number[], string[]], boolean]} EndData */
/** @typedef {{ends: EndData[], missing?: string, one_of?: boolean, node?: boolean, traffic?: Ranges}} ResolvedData */
/** @typedef {{namespace: number, name: string, headless?: boolean, ports: [string, number, number, number][], addresses?: string[], alias?: number, anywhere?: string, missing?: [string, boolean], ends: [EndData, number[]][], hosts?: Record<string, number[]>, at_nodes?: boolean, own_node?: boolean, special?: boolean, rows?: Record<string, number>, targets: (number | string)[], selects?: number}} Service */
/** @typedef {{labels: string[], label_sets: number[][], changed: string[], ports: [string, number, number][][], looks: [number, number, number, number][], of: number[][], names: Record<string, string[]> | null, addresses: Record<string, string[]> | null, untold: boolean, made: Record<string, string[]>, assumed: number[], alternatives: number[]}} Pods */
/** @typedef {{classes: [number, number, number][], atoms: [number[], string[]], governed: number[], into: [number[], Record<string, number[]>], by_family: ([number[], Record<string, number[]>] | null)[], distinct: number[][]}} Rows */
/** @typedef {{namespace: string | null, named: string[], partial: boolean, networks: boolean, kinds: [string, string[]][], cidrs: ([number[], string[]] | null)[], pods: Pods, rows: Rows | null, services: {list: Service[], behind: Ranges[], through_nodes: Record<string, number>, leaving: [Ranges, Ranges][] | null, first: Record<string, number>}, words: {keywords: Record<string, ResolvedData>, nodes: Record<string, ResolvedData> | null, at_nodes: string[], named: [string, string | null, string, ResolvedData][], dns: [[number[], Ranges][], Ranges]}, traffic: [Ranges, Ranges][]}} AskData */
/** Pods of a workload, those with the same ports behind a Service together. @typedef {{workload: number, parts: {pods: number[], ports: number[] | undefined}[], families: number}} PodEnd */
/** @typedef {{name: string, set: Addresses, word: boolean, ports: number[] | undefined}} AddressEnd */
/** @typedef {PodEnd | AddressEnd} End */
/** @typedef {{ends: End[], missing?: string, noBackend?: boolean, oneOf?: boolean, node?: boolean, traffic?: Ranges, service?: Service, anywhere?: string, notes?: string[]}} Resolved */

/** @param {AskData} ask @param {string[]} namespaces @param {[number, string, string, number][]} workloads */
const askNames = (ask, namespaces, workloads) => {
  'use strict';
  const { Wrong, Untold } = askSets;
  const pods = ask.pods;
  const services = ask.services.list;
  /** @param {string} message @returns {never} */
  const wrong = (message) => { throw new Wrong(message); };
  /** @param {string} message @returns {never} */
  const untold = (message) => { throw new Untold(message); };

  // ---- pods
  /** @type {number[]} */
  const looks = [];
  /** @type {number[]} */
  const workloadOf = [];
  const spans = pods.of.map((runs, workload) => {
    const first = looks.length;
    for (let i = 0; i < runs.length; i += 2) {
      for (let n = runs[i + 1]; n > 0; n -= 1) { looks.push(runs[i]); workloadOf.push(workload); }
    }
    return [first, looks.length - first];
  });
  /** @param {number[]} runs @returns {number[]} */
  const each = (runs) => runs.flatMap((first, i) => (i % 2 ? [] : Array.from({ length: runs[i + 1] }, (_, k) => first + k)));
  /** @param {number} workload @returns {PodEnd} */
  const whole = (workload) => ({ workload, parts: [{ pods: each(spans[workload]), ports: undefined }], families: 3 });
  /** Pods by workload. @param {number[]} list @returns {PodEnd[]} */
  const grouped = (list) => {
    /** @type {Map<number, number[]>} */
    const by = new Map();
    for (const pod of list) {
      const here = by.get(workloadOf[pod]);
      if (here) here.push(pod); else by.set(workloadOf[pod], [pod]);
    }
    return [...by].map(([workload, of]) => ({ ...whole(workload), parts: [{ pods: of, ports: undefined }] }));
  };
  /** @param {number} pod */
  const podName = (pod) => {
    const workload = workloadOf[pod];
    if (!pods.names) return untold('the names of pods are more than the page holds');
    const own = pods.names[workload];
    return own ? own[pod - spans[workload][0]] : workloads[workload][1];
  };
  /** @type {Map<string, number[]>} */
  const called = new Map();
  workloads.forEach(([, name], i) => {
    const here = called.get(name);
    if (here) here.push(i); else called.set(name, [i]);
  });
  /** The kind by which a workload is asked for; one that is made has its kind beside. @param {number} workload */
  const kindOf = (workload) => (pods.made[workload] ? pods.made[workload][0] : workloads[workload][2]);
  /** @param {number} workload @param {number | undefined} within */
  const isHere = (workload, within) => within === undefined || workloads[workload][0] === within;

  /** @param {string} name */
  const namespace = (name) => {
    const at = namespaces.indexOf(name);
    return at < 0 ? wrong('no namespace is called `' + name + '`') : at;
  };
  /** A namespace of which pods that are not loaded may be asked about. @param {string} name */
  const openNamespace = (name) => {
    if (ask.partial) untold('not all pods could be listed');
    if (ask.named.includes(name)) untold('namespace ' + name + ' is not loaded, and policies name it');
    return namespace(name);
  };
  /** @param {number[]} found @param {string} what @returns {Resolved} */
  const all = (found, what) => (found.length ? { ends: found.map(whole) } : wrong(what + ' has no workload in this input'));

  // ---- names as the DNS has them
  /** @param {string} name */
  const dnsName = (name) => {
    const far = name.indexOf('.svc.');
    const before = name.endsWith('.svc') ? name.slice(0, -4) : far >= 0 && name.slice(far + 5).includes('.') ? name.slice(0, far) : undefined;
    return { stem: before ?? name.replace(/\.cluster\.local$/, ''), isService: before !== undefined };
  };
  /** @param {string} name @returns {[string, string, string | undefined] | undefined} */
  const podOf = (name) => {
    const { stem, isService } = dnsName(name);
    const parts = stem.split('.');
    if (parts.length === 3) return [parts[0], parts[1], parts[2]];
    return parts.length === 2 && !isService ? [parts[0], parts[1], undefined] : undefined;
  };
  /** @param {number | undefined} within @param {string} name */
  const setWithout = (within, name) => {
    const at = name.lastIndexOf('-');
    const ordinal = name.slice(at + 1);
    if (at < 0 || !/^\+?\d+$/.test(ordinal) || Number(ordinal) > 4294967295) return false;
    const stem = name.slice(0, at);
    const sets = (called.get(stem) || []).filter((w) => kindOf(w) === 'StatefulSet' && isHere(w, within));
    if (sets.length !== 1) return false;
    const names = each(spans[sets[0]]).map(podName);
    return names.length > 0 && !names.includes(stem) && !names.includes(name);
  };
  /** @param {string} kind @param {string} rest what follows the name of the workload */
  const looksGenerated = (kind, rest) => {
    const parts = rest.split('-');
    const number = (/** @type {string} */ p) => /^[0-9]+$/.test(p);
    const suffix = (/** @type {string} */ p) => /^[a-z0-9]{5}$/.test(p);
    const hash = (/** @type {string} */ p) => /^[a-z0-9]{4,10}$/.test(p);
    const [a, b] = parts;
    if (kind === 'Pod' || parts.length > 2) return false;
    if (kind === 'StatefulSet') return parts.length === 1 && number(a);
    if (kind === 'Deployment') return parts.length === 2 && hash(a) && suffix(b);
    if (['CronJob', 'Job', 'DeploymentConfig'].includes(kind) && parts.length === 2) return number(a) && suffix(b);
    if (kind === '') return parts.length === 2 ? /^[a-z0-9]+$/.test(a) && suffix(b) : number(a) || suffix(a);
    return parts.length === 1 && suffix(a);
  };
  /** How closely a pod's name is one of a pattern's. @param {string} pattern @param {string} name @returns {number | undefined} */
  const calls = (pattern, name) => {
    /** @param {number} p @param {number} n @returns {boolean} */
    const go = (p, n) => {
      if (p >= pattern.length || n >= name.length) return p >= pattern.length && n >= name.length;
      if (pattern[p] === '#') {
        if (name[n] === 'x') return p + 1 >= pattern.length;
        let end = n;
        while (end < name.length && /[0-9]/.test(name[end])) end += 1;
        return end > n && go(p + 1, end);
      }
      if (pattern[p] === '*') return go(p + 1, n + 1) || go(p, n + 1);
      return pattern[p] === name[n] && go(p + 1, n + 1);
    };
    return go(0, 0) ? pattern.replace(/[#*]/g, '').length : undefined;
  };
  /** @param {number | undefined} within @param {string} name @returns {Resolved | undefined} */
  const byPodName = (within, name) => {
    const exact = looks.map((_, pod) => pod).filter((pod) => isHere(workloadOf[pod], within) && podName(pod) === name);
    if (exact.length === 1) return { ends: grouped(exact) };
    const close = Object.keys(pods.made).map(Number).filter((w) => isHere(w, within)).map((w) => ({ w, at: calls(pods.made[w][3], name) })).filter((c) => c.at !== undefined);
    if (close.length) {
      const most = Math.max(...close.map((c) => Number(c.at)));
      const best = close.filter((c) => c.at === most);
      if (best.length === 1) return { ends: [whole(best[0].w)] };
    }
    const owners = workloads.map((_, w) => w).filter((w) => isHere(w, within) && name.startsWith(workloads[w][1] + '-') && looksGenerated(kindOf(w), name.slice(workloads[w][1].length + 1)));
    return owners.length === 1 ? { ends: [whole(owners[0])] } : undefined;
  };
  /** A pod by its name below a headless Service. @param {number | undefined} within @param {string} name @returns {Resolved | undefined} */
  const podOfService = (within, name) => {
    const found = podOf(name);
    if (!found) return undefined;
    const [pod, service, space] = found;
    let at = within;
    if (space !== undefined) {
      at = namespaces.indexOf(space);
      if (at < 0) return undefined;
    } else if (namespaces.includes(service)) return undefined;
    const named = services.filter((s) => s.name === service && (at === undefined || s.namespace === at));
    if (named.length !== 1) return at === undefined ? undefined : byPodName(at, pod);
    const only = named[0];
    if (setWithout(only.namespace, pod)) return wrong('no pod is called `' + pod + '` (NO_NAME)');
    if (!only.headless) return wrong('Service ' + service + ' has an address of its own, so that its pods have no names under it (NO_NAME)');
    const hosts = only.hosts || {};
    if (!Object.hasOwn(hosts, pod) && made(only.namespace, (m) => calls(m[3], pod) !== undefined).length) untold('an operator makes this pod');
    if (!Object.hasOwn(hosts, pod)) return wrong('no pod is called `' + pod + '` under Service ' + service + ' (NO_NAME)');
    return { ends: grouped(each(hosts[pod])) };
  };

  // ---- pods made from other objects
  /** @param {number | undefined} within @param {(made: string[]) => boolean} wanted */
  const made = (within, wanted) => Object.keys(pods.made).map(Number).filter((w) => isHere(w, within) && wanted(pods.made[w]));
  /** @param {number} w */
  const madeKind = (w) => workloads[w][2];
  /** @param {number | undefined} within @param {string} name @returns {Resolved} */
  const madeByName = (within, name) => {
    const [a, b, c, more] = name.split('/');
    const isOf = (/** @type {number} */ w, /** @type {string} */ kind, /** @type {string} */ object) => madeKind(w).toLowerCase() === kind.toLowerCase() && pods.made[w][1] === object;
    const hasRole = (/** @type {number} */ w, /** @type {string} */ role) => pods.made[w][2] === role || pods.made[w][2].startsWith(role + '-');
    const found = made(within, () => true).filter((w) => {
      if (more !== undefined) return false;
      if (c !== undefined) return isOf(w, a, b) && hasRole(w, c);
      return isOf(w, a, b) || (pods.made[w][1] === a && hasRole(w, b));
    });
    return found.length ? { ends: found.map(whole) } : wrong('no pods are made for `' + name + '`');
  };
  /** @param {number | undefined} within @param {string} name @returns {Resolved | undefined} */
  const madeOfObject = (within, name) => {
    const found = made(within, (m) => m[1] === name);
    const objects = new Set(found.map((w) => workloads[w][0] + ' ' + madeKind(w)));
    if (objects.size > 1) return wrong('`' + name + '` is ambiguous');
    return found.length ? { ends: found.map(whole) } : undefined;
  };

  // ---- Services
  /** @param {PortAsk} asked @param {[string, number, number, number]} port */
  const isAsked = (asked, [name, protocol, number]) => {
    if ('messages' in asked) return false;
    if ('name' in asked) return asked.name === name && (asked.protocol === undefined || asked.protocol === protocol);
    return asked.first <= number && number <= asked.last && asked.protocol === protocol;
  };
  /** @param {PortAsk} asked @param {[string, number, number, number]} port */
  const isAskedAtNodes = (asked, [, protocol, , node]) => 'first' in asked && node > 0 && asked.first <= node && node <= asked.last && asked.protocol === protocol;
  /** @param {PortAsk} asked @returns {Ranges} */
  const numbers = (asked) => {
    if ('messages' in asked) return asked.messages;
    return 'first' in asked ? [asked.protocol * 65536 + asked.first, asked.protocol * 65536 + asked.last] : [];
  };
  /** The traffic that a port leads to at a pod. @param {PortAsk} asked @param {number | undefined} pod @returns {Ranges} */
  const direct = (asked, pod) => {
    if (!('name' in asked)) return numbers(asked);
    const own = pod === undefined ? [] : pods.ports[pods.looks[looks[pod]][2]];
    const named = own.filter(([name, protocol]) => name === asked.name && (asked.protocol === undefined || asked.protocol === protocol));
    return askSets.union(named.map(([, protocol, number]) => [protocol * 65536 + number, protocol * 65536 + number]));
  };
  /** The traffic behind a Service, where the ports of an end lead. @param {Service} service @param {PortAsk[] | undefined} asked @param {number[]} leads @returns {Ranges} */
  const behindPorts = (service, asked, leads) => {
    const behind = (/** @type {number} */ i) => ask.services.behind[leads[i]];
    if (!asked) return service.headless && !service.ports.length ? askSets.everything : askSets.union(leads.map((_, i) => behind(i)));
    return askSets.union(asked.flatMap((one) => {
      if (service.headless && 'first' in one) return [numbers(one)];
      const found = service.ports.map((port, i) => (isAsked(one, port) ? behind(i) : undefined)).filter((r) => r !== undefined);
      return found.length ? found : wrong('Service ' + service.name + ' has no such port (NO_PORT): it has ' + service.ports.map((p) => p[2]).join(', '));
    }));
  };
  /** @param {Service} service @param {PortAsk[] | undefined} asked @param {number[]} leads */
  const takes = (service, asked, leads) => {
    try {
      return behindPorts(service, asked, leads).length > 0;
    } catch (error) {
      if (error instanceof Wrong) return true;
      throw error;
    }
  };
  /** @param {EndData} data @param {number[] | undefined} ports @returns {End} */
  const endOf = (data, ports) => {
    if (typeof data[0] === 'number') return { workload: data[0], parts: [{ pods: each(/** @type {number[]} */ (data[1])), ports }], families: Number(data[2]) };
    const set = askSets.read(/** @type {[number[], string[]]} */ (data[1]));
    return { name: data[0], set, word: Boolean(data[2]), ports };
  };
  /** @param {Service} service @param {PortAsk[] | undefined} asked @returns {Resolved} */
  const behind = (service, asked) => {
    if (service.alias !== undefined) return behind(services[service.alias], asked);
    if (service.anywhere !== undefined) return { ends: [], missing: 'Service ' + service.name + ' stands for the outside name ' + service.anywhere + ', which may lead anywhere', anywhere: service.anywhere };
    const has = (/** @type {PortAsk} */ one, /** @type {typeof isAsked} */ is) => service.ports.some((port) => is(one, port));
    if (!service.headless && asked && asked.length && asked.every((one) => !has(one, isAsked) && has(one, isAskedAtNodes))) untold('that is a port of Service ' + service.name + ' at the nodes');
    if (service.missing) return { ends: [], service, missing: service.missing[0], noBackend: service.missing[1] };
    /** @type {End[]} */
    const ends = [];
    for (const [data, leads] of service.ends.filter((end) => takes(service, asked, end[1]))) {
      const end = endOf(data, leads);
      const last = ends[ends.length - 1];
      if ('parts' in end && last && 'parts' in last && last.workload === end.workload) last.parts.push(...end.parts);
      else ends.push(end);
    }
    const missing = ends.length ? undefined : 'nothing behind Service ' + service.name + ' has the port that it leads to';
    return { ends, service, missing, noBackend: !ends.length };
  };
  /** @param {number | undefined} within @param {string} name @param {string | undefined} kind @param {PortAsk[] | undefined} asked @returns {Resolved | undefined} */
  const service = (within, name, kind, asked) => {
    const { stem, isService } = dnsName(name);
    const dot = stem.indexOf('.');
    const space = dot < 0 ? -1 : namespaces.indexOf(stem.slice(dot + 1));
    const found = services.filter((s) => (space >= 0 && s.name === stem.slice(0, dot) && s.namespace === space) || (!isService && s.name === name && (within === undefined || s.namespace === within)));
    if (found.length > 1 && found.every((s) => s.name === found[0].name && s.namespace === found[0].namespace)) untold('several Services have this name');
    if (found.length > 1) return wrong('`' + name + '` is ambiguous: ' + found.map((s) => namespaces[s.namespace] + '/svc/' + s.name).join(', '));
    if (found.length) return behind(found[0], asked);
    return isService || kind === 'Service' ? wrong('no Service is called `' + name + '` (NO_SERVICE)') : undefined;
  };
  /** The Service that is meant by the name of a workload. @param {number} workload @param {PortAsk[] | undefined} asked @returns {Service | undefined} */
  const meant = (workload, asked) => {
    const [space, name] = workloads[workload];
    const same = asked && services.find((s) => s.name === name && s.namespace === space);
    if (!asked || !same || same.headless) return undefined;
    const own = each(spans[workload]);
    const is = asked.map((one) => {
      const mapped = same.ports.map((port, i) => ({ port, i })).filter(({ port }) => isAsked(one, port));
      if (!mapped.length || ('first' in one && one.first !== one.last)) return 'pods';
      // of a Service that selects other pods, or leads elsewhere, each pod's own ports decide
      const leads = (/** @type {number} */ pod) => {
        const target = same.targets;
        return askSets.union(mapped.map(({ port, i }) => direct(typeof target[i] === 'number' ? { first: Number(target[i]), last: Number(target[i]), protocol: port[1] } : { name: String(target[i]), protocol: port[1] }, pod)));
      };
      const equal = (/** @type {Ranges} */ a, /** @type {Ranges} */ b) => a.join() === b.join();
      if (same.selects === workload && own.every((pod) => equal(leads(pod), direct(one, pod)))) return 'same';
      const declares = own.some((pod) => pods.ports[pods.looks[looks[pod]][2]].some(([portName, protocol, number]) => isAsked(one, [portName, protocol, number, 0])));
      return declares ? wrong('`' + name + '` may be the Service or the pods, and they are not the same: ask svc/' + name + ' or ' + kindOf(workload).toLowerCase() + '/' + name) : 'service';
    });
    if (is.includes('service') && is.includes('pods')) return wrong('some of these are ports of Service ' + name + ', and some of the pods');
    return is.includes('service') ? same : undefined;
  };

  /** @param {string | undefined} space @param {string | undefined} kind @param {string} name @param {PortAsk[] | undefined} asked @returns {Resolved} */
  const named = (space, kind, name, asked) => {
    const chosen = space ?? ask.namespace ?? undefined;
    const within = chosen === undefined ? undefined : namespace(chosen);
    if (name.includes('/')) return madeByName(within, name);
    if (kind !== 'Service') {
      const found = (called.get(name) || []).filter((w) => isHere(w, within) && (kind === undefined || kindOf(w) === kind));
      if (found.length > 1) return wrong('`' + name + '` is ambiguous: ' + found.map((w) => namespaces[workloads[w][0]] + '/' + workloads[w][2] + '/' + name).join(', '));
      if (found.length) {
        const instead = kind === undefined ? meant(found[0], asked) : undefined;
        return instead ? behind(instead, asked) : { ends: [whole(found[0])] };
      }
    }
    const ofService = kind === undefined ? podOfService(within, name) : undefined;
    if (ofService) return ofService;
    const found = kind === undefined || kind === 'Service' ? service(within, name, kind, asked) : undefined;
    if (found) return found;
    if (setWithout(within, name)) return wrong('no pod is called `' + name + '`');
    const pod = kind === undefined || kind === 'Pod' ? byPodName(within, name) : undefined;
    if (pod) return pod;
    return (kind === undefined ? madeOfObject(within, name) : undefined) || wrong('no ' + (kind || 'workload or Service') + ' is called `' + name + '`' + (chosen === undefined ? '' : ' in namespace ' + chosen));
  };

  // ---- labels
  const labelMaps = pods.label_sets.map((set) => new Map(set.map((i) => {
    const at = pods.labels[i].indexOf('=');
    return [pods.labels[i].slice(0, at), pods.labels[i].slice(at + 1)];
  })));
  /** @param {Condition[]} conditions @param {Map<string, string>} labels */
  const selects = (conditions, labels) => conditions.every(({ is, key, values }) => {
    const value = labels.get(key);
    if (value !== undefined && /^<(at run time|perhaps)/.test(value)) untold('label ' + key + ' is known only at run time');
    if (is === 'in') return value !== undefined && values.includes(value);
    if (is === 'notin') return value === undefined || !values.includes(value);
    return is === 'present' ? value !== undefined : value === undefined;
  });
  /** @param {string | undefined} space @param {Condition[]} conditions @returns {Resolved} */
  const selected = (space, conditions) => {
    const chosen = space ?? ask.namespace ?? undefined;
    const within = chosen === undefined ? undefined : openNamespace(chosen);
    if (within !== undefined && conditions.some((c) => pods.changed.includes(c.key))) untold('the network plugin gives pods other labels than the input');
    const found = looks.map((_, pod) => pod).filter((pod) => isHere(workloadOf[pod], within) && selects(conditions, labelMaps[pods.looks[looks[pod]][3]]));
    if (!found.length && within !== undefined) untold('no such pod is loaded, and there may be some');
    return found.length ? { ends: grouped(found) } : wrong('no pod has these labels');
  };

  // ---- addresses
  /** @param {string[]} list */
  const together = (list) => askSets.joined(list.map(askSets.address).filter((one) => one !== undefined));
  /** @type {[number, Addresses][]} */
  const own = Object.entries(pods.addresses || {}).flatMap(([workload, list]) => list.map((of, i) => /** @type {[number, Addresses]} */ ([spans[Number(workload)][0] + i, together(of.split(' '))])));
  const ofServices = together(services.flatMap((s) => s.addresses || []));
  const ofNodes = together(ask.words.at_nodes);
  /** @param {Addresses} block @returns {[PodEnd[], Addresses]} */
  const podsInside = (block) => {
    if (!pods.addresses) untold('the addresses of pods are more than the page holds');
    /** @type {Map<string, PodEnd>} */
    const ends = new Map();
    const taken = [];
    for (const [pod, of] of own) {
      /** @type {Addresses} */
      const here = [askSets.and(of[0], block[0]), askSets.and(of[1], block[1])];
      if (askSets.isEmpty(here)) continue;
      taken.push(here);
      const families = (here[0].length ? 1 : 0) + (here[1].length ? 2 : 0);
      const key = workloadOf[pod] + ' ' + families;
      const end = ends.get(key) || { workload: workloadOf[pod], parts: [{ pods: /** @type {number[]} */ ([]), ports: undefined }], families };
      end.parts[0].pods.push(pod);
      ends.set(key, end);
    }
    return [[...ends.values()], askSets.joined(taken)];
  };
  /** @param {Addresses} set @param {boolean} single @param {string} text @param {PortAsk[] | undefined} asked @returns {Resolved} */
  const addresses = (set, single, text, asked) => {
    const [four, six] = [set[0][0], set[1][0]];
    if ((four !== undefined && Math.floor(Number(four) / 2 ** 24) === 127) || (six !== undefined && BigInt(six) === 1n)) return wrong(text + ' is the pod itself, and nothing outside it');
    const [inside, taken] = podsInside(set);
    if (single) {
      if (inside.length) return { ends: [{ ...inside[0], parts: [{ pods: inside[0].parts[0].pods.slice(0, 1), ports: undefined }] }] };
      if (ask.networks) untold('an address may be that of a pod on a network of its own');
      if (askSets.meet(set, ofServices)) untold('that is the address of a Service');
      if (askSets.meet(set, ofNodes) && isAtNodes(asked)) untold('that is a port of a Service at the nodes');
      const [ofService, ofPod] = ask.cidrs.map((told) => Boolean(told && askSets.meet(set, askSets.read(told))));
      if (ofService) return { ends: [], missing: text + ' lies where Services have their addresses, and which has it is not in the input' };
      if (ofPod && pods.untold) return { ends: [], missing: text + ' lies where pods have their addresses, and not all of these are told' };
    }
    const rest = askSets.without(set, taken);
    return { ends: askSets.isEmpty(rest) ? inside : [...inside, { name: text, set: rest, word: false, ports: undefined }] };
  };

  /** Whether a block holds an address at which a Service may be called on what is asked about. @param {Spec} spec */
  const holdsServices = ({ target, ports }) => {
    if (target.is !== 'addresses' || target.single) return false;
    const atNodes = (ports || []).some((one) => services.some((s) => s.ports.some((port) => isAskedAtNodes(one, port))));
    return askSets.meet(target.set, ofServices) || atNodes && askSets.meet(target.set, ofNodes);
  };
  /** @param {ResolvedData | undefined} data @param {string} why @returns {Resolved} */
  const listed = (data, why) => {
    if (!data) return untold(why);
    const ends = data.ends.map((end) => endOf(end, undefined));
    return { ends, missing: data.missing, oneOf: data.one_of, node: data.node, traffic: data.traffic };
  };
  /** Whether some Service takes calls at nodes on all that is asked about. @param {PortAsk[] | undefined} asked */
  const isAtNodes = (asked) => Boolean(asked && asked.length && services.some((s) => asked.every((one) => s.ports.some((port) => isAskedAtNodes(one, port)))));
  /** @param {string} word @param {PortAsk[] | undefined} asked @returns {Resolved} */
  const keyword = (word, asked) => {
    if (word === 'nodes' && isAtNodes(asked)) return untold('that is a port of a Service at the nodes');
    if (word === 'any-pod') return untold('the answer is about pods that are not loaded, too');
    if (word !== 'any') return listed(ask.words.keywords[word], 'the pods of the DNS are not loaded');
    if (ask.partial) untold('not all pods could be listed');
    return all(workloads.map((_, w) => w).filter((w) => !pods.assumed.includes(w)), 'this input');
  };
  /** @param {string} word @param {string | undefined} space @param {string} name @returns {Resolved} */
  const group = (word, space, name) => {
    const ofName = ask.words.named.filter((row) => row[0] === word && row[2] === name);
    const exact = ofName.find((row) => (row[1] ?? undefined) === space) || (space === undefined && ofName.length === 1 ? ofName[0] : undefined);
    return exact ? listed(exact[3], '') : wrong('no such ' + word + ' is called `' + name + '`, or several are');
  };
  /** @param {Spec} spec @returns {Resolved} */
  const resolve = ({ target, ports }) => {
    switch (target.is) {
      case 'name': return named(target.namespace, target.kind, target.name, ports);
      case 'namespace': {
        const space = openNamespace(target.name);
        const found = workloads.map((_, w) => w).filter((w) => workloads[w][0] === space);
        return found.length ? { ends: found.map(whole) } : untold('no pod of namespace ' + target.name + ' is loaded');
      }
      case 'everywhere': return all(called.get(target.name) || [], '`*/' + target.name + '`');
      case 'selected': return selected(target.namespace, target.conditions);
      case 'addresses': return addresses(target.set, target.single, target.text, ports);
      case 'keyword': return keyword(target.name, ports);
      case 'node': {
        if (!ask.words.nodes) return untold('the nodes are more than the page holds');
        if (isAtNodes(ports)) return untold('that is a port of a Service at the nodes');
        return Object.hasOwn(ask.words.nodes, target.name) ? listed(ask.words.nodes[target.name], '') : wrong('no node is called `' + target.name + '`');
      }
      case 'named': return group(target.word, target.namespace, target.name);
      default: return untold('the pods of that controller are not loaded');
    }
  };
  return { resolve, holdsServices, direct, numbers, behindPorts, looks, each, ofNodes };
};
