// @ts-check
// Sets as lists of ranges: first, last, first, last. Traffic lies on one line of numbers, as in src/set/traffic.rs; IPv4 addresses are
// numbers, IPv6 addresses are bigints.

/** @typedef {number[]} Ranges */
/** @typedef {[number[], bigint[]]} Addresses */
/** @typedef {'yes' | 'no' | 'partly' | 'unknown'} Verdict */

const askSets = (() => {
  'use strict';
  /** What is wrong with a question. */
  class Wrong extends Error {}
  /** What the page does not know, and the program does. No Error: it is thrown often, and nobody reads the stack. */
  class Untold {
    /** @param {string} message */
    constructor(message) { this.message = message; }
  }

  const after = (/** @type {any} */ n) => (typeof n === 'bigint' ? n + 1n : n + 1);
  const before = (/** @type {any} */ n) => (typeof n === 'bigint' ? n - 1n : n - 1);
  /** @template {number | bigint} T @param {T[]} a @param {T[]} b @returns {T[]} */
  const and = (a, b) => {
    const out = /** @type {T[]} */ ([]);
    for (let i = 0, j = 0; i < a.length && j < b.length;) {
      const first = a[i] > b[j] ? a[i] : b[j];
      const last = a[i + 1] < b[j + 1] ? a[i + 1] : b[j + 1];
      if (first <= last) out.push(first, last);
      if (a[i + 1] < b[j + 1]) i += 2; else j += 2;
    }
    return out;
  };
  /** @template {number | bigint} T @param {T[]} a @param {T[]} b @returns {T[]} */
  const minus = (a, b) => {
    const out = /** @type {any[]} */ ([]);
    let j = 0;
    for (let i = 0; i < a.length; i += 2) {
      let first = /** @type {any} */ (a[i]);
      while (j < b.length && b[j + 1] < first) j += 2;
      for (let k = j; k < b.length && b[k] <= a[i + 1]; k += 2) {
        if (b[k] > first) out.push(first, before(b[k]));
        if (b[k + 1] >= first) first = after(b[k + 1]);
      }
      if (first <= a[i + 1]) out.push(first, a[i + 1]);
    }
    return out;
  };
  /** @template {number | bigint} T @param {T[]} ranges @returns {T[]} */
  const sorted = (ranges) => {
    const pairs = /** @type {[T, T][]} */ ([]);
    for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i], ranges[i + 1]]);
    pairs.sort((x, y) => (x[0] < y[0] ? -1 : x[0] > y[0] ? 1 : 0));
    const out = /** @type {any[]} */ ([]);
    for (const [first, last] of pairs) {
      if (out.length && first <= after(out[out.length - 1])) {
        if (last > out[out.length - 1]) out[out.length - 1] = last;
      } else out.push(first, last);
    }
    return out;
  };

  // ---- traffic
  const OTHER = 3 * 65536 + 1;
  const LAST = OTHER + 2 * 65536 + 255;
  /** The first number of ICMP, ICMPv6 and protocols by number. */
  const BASES = { icmp: OTHER, icmpv6: OTHER + 65536, proto: OTHER + 2 * 65536 };
  const everything = [1, 65535, 65537, 131071, 131073, 196607, OTHER, LAST];
  /** Union of ports keeps protocols apart, as no range holds a port 0. @param {Ranges[]} all @returns {Ranges} */
  const union = (all) => sorted(all.flat());
  /** @param {Ranges} asked @param {Ranges[]} allowed what passes surely, and what may @returns {Verdict} */
  const judge = (asked, [must, may]) => {
    const yes = and(asked, must).length > 0;
    const no = minus(asked, may).length > 0;
    const unknown = and(asked, minus(may, must)).length > 0;
    if (yes && no) return 'partly';
    if (yes && !unknown) return 'yes';
    return no && !unknown ? 'no' : 'unknown';
  };
  /** The verdict over all of some parts. @param {Set<Verdict>} seen @returns {Verdict | undefined} */
  const ofAll = (seen) => {
    if (seen.has('partly') || (seen.has('yes') && seen.has('no'))) return 'partly';
    if (seen.has('unknown')) return 'unknown';
    return [...seen][0];
  };
  /** @param {Ranges} ranges */
  const words = (ranges) => {
    const parts = [];
    for (let i = 0; i < ranges.length; i += 2) {
      const [first, last] = [ranges[i], ranges[i + 1]];
      if (first >= OTHER) { parts.push('other protocols'); continue; }
      const protocol = ['TCP', 'UDP', 'SCTP'][first >> 16];
      const [a, b] = [first & 65535, last & 65535];
      parts.push((a === 1 && b === 65535 ? 'all' : a === b ? String(a) : a + '-' + b) + '/' + protocol);
    }
    return [...new Set(parts)].join(' ');
  };

  // ---- addresses
  /** @param {string} text @returns {number | undefined} */
  const v4 = (text) => {
    const parts = text.split('.');
    const good = parts.length === 4 && parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256);
    return good ? parts.reduce((n, p) => n * 256 + Number(p), 0) : undefined;
  };
  /** @param {string} text @returns {bigint | undefined} */
  const v6 = (text) => {
    const halves = text.split('::');
    if (halves.length > 2 || !text.includes(':')) return undefined;
    /** @param {string} half @param {boolean} last @returns {number[] | undefined} */
    const groups = (half, last) => {
      if (half === '') return [];
      const out = [];
      const parts = half.split(':');
      for (const [i, part] of parts.entries()) {
        if (part.includes('.')) {
          const four = last && i === parts.length - 1 ? v4(part) : undefined;
          if (four === undefined) return undefined;
          out.push(Math.floor(four / 65536), four % 65536);
        } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(parseInt(part, 16));
        else return undefined;
      }
      return out;
    };
    const head = groups(halves[0], halves.length === 1);
    const tail = halves.length === 2 ? groups(halves[1], true) : [];
    if (!head || !tail) return undefined;
    const gap = 8 - head.length - tail.length;
    if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
    return [...head, ...Array(Math.max(0, gap)).fill(0), ...tail].reduce((n, g) => n * 65536n + BigInt(g), 0n);
  };
  /** One address. @param {string} text @returns {Addresses | undefined} */
  const address = (text) => {
    const four = v4(text);
    if (four !== undefined) return [[four, four], []];
    const six = v6(text);
    return six === undefined ? undefined : [[], [six, six]];
  };
  /** A block. @param {string} text @returns {Addresses | undefined} */
  const block = (text) => {
    const [head, length, more] = text.split('/');
    if (more !== undefined || !/^\d{1,3}$/.test(length || '')) return undefined;
    const [four, six, n] = [v4(head), v6(head), Number(length)];
    if (four !== undefined && n <= 32) {
      const size = 2 ** (32 - n);
      const first = Math.floor(four / size) * size;
      return [[first, first + size - 1], []];
    }
    if (six !== undefined && n <= 128) {
      const size = 1n << BigInt(128 - n);
      const first = (six / size) * size;
      return [[], [first, first + size - 1n]];
    }
    return undefined;
  };
  /** A set as the data has it. @param {[number[], string[]]} written @returns {Addresses} */
  const read = ([four, six]) => [four, six.map(BigInt)];
  /** @param {Addresses} set */
  const isEmpty = (set) => !set[0].length && !set[1].length;
  /** @param {Addresses} a @param {Addresses} b @returns {Addresses} */
  const without = (a, b) => [minus(a[0], b[0]), minus(a[1], b[1])];
  /** @param {Addresses} a @param {Addresses} b */
  const meet = (a, b) => and(a[0], b[0]).length > 0 || and(a[1], b[1]).length > 0;
  /** @param {Addresses[]} all @returns {Addresses} */
  const joined = (all) => [sorted(all.flatMap((a) => a[0])), sorted(all.flatMap((a) => a[1]))];
  /** @type {Addresses} */
  const full = [[0, 4294967295], [0n, (1n << 128n) - 1n]];
  return { Wrong, Untold, and, minus, union, judge, ofAll, words, everything, BASES, address, block, read, isEmpty, without, meet, joined, full };
})();
