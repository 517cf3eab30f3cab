// @ts-check
// The grammar of endpoints, as in src/query/ask/grammar.rs: what is written becomes a target and ports, without a look at the names
// that there are. URLs, commands and lines of logs are left to the program.

/** @typedef {{first: number, last: number, protocol: number}} Numbers */
/** @typedef {{name: string, protocol: number | undefined}} PortName */
/** @typedef {{messages: Ranges}} Messages */
/** @typedef {Numbers | PortName | Messages} PortAsk */
/** @typedef {{is: string, key: string, values: string[]}} Condition */
/** @typedef {{is: 'name', namespace: string | undefined, kind: string | undefined, name: string} | {is: 'namespace' | 'everywhere' | 'keyword' | 'node' | 'assumed', name: string} | {is: 'selected', namespace: string | undefined, conditions: Condition[]} | {is: 'addresses', set: Addresses, single: boolean, text: string} | {is: 'named', word: string, namespace: string | undefined, name: string}} Target */
/** @typedef {{target: Target, ports: PortAsk[] | undefined, text: string}} Spec */

/** @param {[string, string[]][]} kinds */
const askGrammar = (kinds) => {
  'use strict';
  const { Wrong, Untold, BASES } = askSets;
  const KEYWORDS = ['internet', 'internet4', 'internet6', 'private', 'any', 'any-pod', 'imds', 'dns', 'apiserver', 'nodes'];
  const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
  /** @param {string} message @returns {never} */
  const wrong = (message) => { throw new Wrong(message); };
  /** Before and after the first place of a mark. @param {string} text @param {string} mark @returns {[string, string] | undefined} */
  const split = (text, mark) => {
    const at = text.indexOf(mark);
    return at < 0 ? undefined : [text.slice(0, at), text.slice(at + mark.length)];
  };
  /** Before and after the last place. @param {string} text @param {string} mark @returns {[string, string] | undefined} */
  const splitLast = (text, mark) => {
    const at = text.lastIndexOf(mark);
    return at < 0 ? undefined : [text.slice(0, at), text.slice(at + mark.length)];
  };

  // ---- ports
  /** @param {string} text @returns {PortAsk | undefined} */
  const messages = (text) => {
    const [head, ...rest] = text.split('/');
    const word = head.toLowerCase();
    if (!Object.hasOwn(BASES, word)) return undefined;
    if (word === 'proto' && !rest.length) return undefined;
    const numbers = rest.map((r) => (/^\+?\d+$/.test(r) && Number(r) < 256 ? Number(r) : NaN));
    if (numbers.some(Number.isNaN) || numbers.length > (word === 'proto' ? 1 : 2)) return wrong('`' + text + '`: types, codes and numbers of protocols end at 255');
    if (word === 'proto') {
      const ports = { 6: 0, 17: 1, 132: 2 }[numbers[0]];
      if (ports !== undefined) return { first: 1, last: 65535, protocol: ports };
      const icmp = { 1: BASES.icmp, 58: BASES.icmpv6 }[numbers[0]];
      if (icmp !== undefined) return { messages: [icmp, icmp + 65535] };
      return { messages: [BASES.proto + numbers[0], BASES.proto + numbers[0]] };
    }
    const base = word === 'icmp' ? BASES.icmp : BASES.icmpv6;
    const [kind, code] = numbers;
    if (kind === undefined) return { messages: [base, base + 65535] };
    const first = base + kind * 256 + (code ?? 0);
    return { messages: [first, code === undefined ? first + 255 : first] };
  };
  /** @param {string} text @returns {PortAsk} */
  const port = (text) => {
    const found = messages(text);
    if (found) return found;
    const [head, word] = split(text, '/') || [text, undefined];
    const protocol = word === undefined ? undefined : PROTOCOLS.indexOf(word.toUpperCase());
    if (protocol === -1) return wrong('`' + word + '` is not a protocol; if it is a path, leave it out');
    const digits = (/** @type {string} */ s) => /^[0-9]+$/.test(s);
    const number = (/** @type {string} */ s) => (Number(s) > 0 && Number(s) < 65536 ? Number(s) : undefined);
    const range = split(head, '-');
    if (range && digits(range[0]) && digits(range[1])) {
      const [first, last] = range.map(number);
      if (first === undefined || last === undefined || first > last) return wrong('`' + head + '` is not a range of ports between 1 and 65535');
      return { first, last, protocol: protocol ?? 0 };
    }
    if (digits(head)) {
      const first = number(head);
      return first === undefined ? wrong('`' + head + '` is not a port between 1 and 65535') : { first, last: first, protocol: protocol ?? 0 };
    }
    return /^[a-zA-Z0-9._-]+$/.test(head) ? { name: head, protocol } : wrong('`' + text + '` is not a port');
  };
  /** @param {string} text @returns {PortAsk[] | undefined} */
  const ports = (text) => (text === '*' ? undefined : text.split(',').map(port));

  // ---- selectors
  /** @param {string} text */
  const labelKey = (text) => {
    const key = text.trim();
    return /^[a-zA-Z0-9._/-]+$/.test(key) ? key : wrong('`' + key + '` is not a label key');
  };
  /** @param {string} text @returns {Condition} */
  const condition = (text) => {
    const not = split(text, '!=');
    if (not) return { is: 'notin', key: labelKey(not[0]), values: [not[1].trim()] };
    const equal = split(text, '==') || split(text, '=');
    if (equal) return { is: 'in', key: labelKey(equal[0]), values: [equal[1].trim()] };
    if (text.startsWith('!')) return { is: 'absent', key: labelKey(text.slice(1)), values: [] };
    const listed = split(text, '(');
    if (listed && listed[1].trim().endsWith(')')) {
      const head = /^([\s\S]*)\s(in|notin)$/.exec(listed[0].trim());
      if (head) return { is: head[2], key: labelKey(head[1]), values: listed[1].trim().slice(0, -1).split(',').map((v) => v.trim()) };
    }
    return { is: 'present', key: labelKey(text), values: [] };
  };
  /** @param {string} text @returns {Condition[]} */
  const selector = (text) => {
    const parts = [];
    let [part, depth] = ['', 0];
    for (const c of text) {
      if (c === '(') depth += 1;
      if (c === ')') depth -= 1;
      if (c === ',' && depth === 0) { parts.push(part); part = ''; } else part += c;
    }
    return [...parts, part].map((p) => p.trim()).filter(Boolean).map(condition);
  };

  // ---- targets
  /** @param {string} word @returns {string | undefined} */
  const kindOf = (word) => {
    const lower = word.toLowerCase();
    if (['svc', 'service', 'services'].includes(lower)) return 'Service';
    return (kinds.find(([, words]) => words.includes(lower)) || [])[0];
  };
  /** @param {string} text @param {string[]} parts @returns {Target} */
  const nameOf = (text, parts) => {
    const [a, b, c, d] = parts;
    /** @param {string | undefined} namespace @param {string | undefined} kind @param {string} name @returns {Target} */
    const named = (namespace, kind, name) => ({ is: 'name', namespace, kind, name });
    if (text === '*' || text === '*/*') return { is: 'keyword', name: 'any' };
    if (parts.length === 1) return named(undefined, undefined, a);
    if (parts.length === 2) {
      if (a === '*') return { is: 'everywhere', name: b };
      if (a === 'node') return { is: 'node', name: b };
      if (a === 'hep' || a === 'netset') return { is: 'named', word: a, namespace: undefined, name: b };
      if (a === 'assumed') return { is: 'assumed', name: b };
      if (a === 'ns' || a === 'namespace') return { is: 'namespace', name: b };
      if (b === '*') return { is: 'namespace', name: a };
      const kind = kindOf(a);
      return kind ? named(undefined, kind, b) : named(a, undefined, b);
    }
    if (parts.length === 3) {
      if (a === 'netset') return { is: 'named', word: a, namespace: b, name: c };
      const kind = kindOf(b);
      if (c !== '*' && kind) return named(a, kind, c);
      if (c !== '*' && a !== '*' && b !== '*') return named(a, undefined, b + '/' + c);
      if (c !== '*') return wrong('`' + b + '` in `' + text + '` is not a kind');
    }
    if (parts.length === 4 && !parts.includes('*')) return named(a, undefined, b + '/' + c + '/' + d);
    return wrong('`' + text + '` is not an endpoint');
  };
  /** The address in the DNS name of a pod. @param {string} text @returns {Addresses | undefined} */
  const podRecord = (text) => {
    const [head, rest] = split(text, '.') || [];
    const kind = rest === undefined ? undefined : (split(rest, '.') || [])[1];
    if (head === undefined || kind === undefined || !(kind === 'pod' || kind.startsWith('pod.'))) return undefined;
    return askSets.address(head.replaceAll('-', '.')) || askSets.address(head.replaceAll('-', ':'));
  };
  /** @param {string} text @returns {Target} */
  const target = (text) => {
    const single = askSets.address(text);
    if (single) return { is: 'addresses', set: single, single: true, text };
    const block = askSets.block(text);
    if (block) return { is: 'addresses', set: block, single: /\/(32|128)$/.test(text) && (text.includes(':') ? text.endsWith('/128') : true), text };
    if (KEYWORDS.includes(text)) return { is: 'keyword', name: text };
    const selected = split(text, '?');
    if (selected) return { is: 'selected', namespace: selected[0] === '' ? undefined : selected[0].replace(/\/+$/, ''), conditions: selector(selected[1]) };
    const record = podRecord(text);
    if (record) return { is: 'addresses', set: record, single: true, text };
    const name = text.replace(/\.$/, '');
    const parts = name.split('/');
    if (!parts.every((p) => p === '*' || /^[a-zA-Z0-9_.${}-]+$/.test(p))) return wrong('`' + name + '` is not an endpoint');
    return nameOf(name, parts);
  };
  /** What is pasted, as far as it is plain. @param {string} given */
  const plain = (given) => {
    const text = given.trim();
    if (text.includes('?') && !text.includes('://')) return text;
    if (/\s/.test(text) || text.includes('://')) throw new Untold('the command line reads what is pasted, such as URLs and commands');
    const bare = text.replace(/^["'`<>]+|["'`<>]+$/g, '');
    const user = splitLast(bare, '@');
    const host = user && user[0].includes(':') && user[1].includes(':') ? user[1] : bare;
    const record = host.startsWith('_') ? split(host.slice(1), '.') : undefined;
    const rest = record && record[1].startsWith('_') ? split(record[1].slice(1), '.') : undefined;
    return record && rest ? rest[1].split(':')[0] + ':' + record[0] + '/' + rest[0] : host;
  };
  /** @param {string} text @returns {[string, string | undefined]} */
  const splitPorts = (text) => {
    if (text.startsWith('[')) {
      const found = split(text.slice(1), ']') || wrong('`' + text + '`: the bracket is never closed');
      return [found[0], found[1].startsWith(':') ? found[1].slice(1) : undefined];
    }
    if (askSets.address(text) || askSets.block(text)) return [text, undefined];
    if (text.split(':').length > 2 && !text.includes('?')) return wrong('`' + text + '`: an IPv6 address with a port needs brackets');
    return splitLast(text, ':') || [text, undefined];
  };
  /** @param {string} given @returns {Spec} */
  const parse = (given) => {
    const text = plain(given);
    const [head, asked] = splitPorts(text);
    if (head === '') return wrong('`' + text + '` names nothing');
    const list = asked === undefined ? undefined : ports(asked);
    return { target: target(head), ports: list, text };
  };
  return { parse, ports };
};
