// @ts-check
// The page works without this file; with it, one view is shown at a time, the map answers clicks, and questions can be asked.
// Stands behind the files of `ask`, in one script. Checked with `tsc --noEmit --checkJs --strict --target es2022 --lib es2022,dom,dom.iterable`
// and ask/sets.js ask/grammar.js ask/names.js ask/verdicts.js report.js.
// Every text reaches the page through textContent, never as markup.
(() => {
  'use strict';
  /** @typedef {[string, Ranges, Ranges, boolean]} Traffic */
  /** @typedef {{sides: string[], cells: [string, string][], rows: number[][]}} Matrix */
  /** @typedef {{namespaces: string[], workloads: [number, string, string, number][], ask: AskData, groups: [boolean, boolean, boolean, [number[], number[]]][], outside: string[], traffic: Traffic[], sets: number[][], flows: number[][], pairs: number[][], sides: [number, number, number[]][], policies: [string, string][], texts: string[], matrix: Matrix | null, rest: Record<string, string[][]>}} Data */

  /** @param {string} id @returns {any} */
  const $ = (id) => document.getElementById(id);
  /** @type {Data} */
  const data = JSON.parse($('data').textContent || '{}');
  const root = document.documentElement;
  root.classList.add('scripts');

  /** @param {string} tag @param {string} text @param {Element} [into] */
  const add = (tag, text, into) => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (into) into.append(element);
    return element;
  };
  /** @param {string} text */
  const say = (text) => { $('said').textContent = text; };

  // ---- names
  /** @type {Map<string, number>} */
  const byName = new Map();
  /** @type {Map<string, number>} */
  const byKey = new Map();
  const fullName = data.workloads.map(([ns, name, kind], i) => {
    const short = data.namespaces[ns] + '/' + name;
    const key = data.namespaces[ns] + '/' + kind + '/' + name;
    byKey.set(key, i);
    const shown = byName.has(short) ? key : short;
    byName.set(shown, i);
    return shown;
  });
  /** @type {string[][]} */
  const members = data.groups.map(() => []);
  data.workloads.forEach((w, i) => members[w[3]].push(fullName[i]));
  /** @param {number} end */
  const endName = (end) => {
    if (end >= data.groups.length) return data.outside[end - data.groups.length];
    const names = members[end];
    return names.length > 4 ? names.slice(0, 3).join(', ') + ' and ' + (names.length - 3) + ' more' : names.join(', ');
  };

  // ---- views
  const views = [...document.querySelectorAll('section')].map((s) => s.id);
  const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll('nav a')]);
  const show = () => {
    const [name, rest] = location.hash.slice(1).split('?');
    const view = views.includes(name) ? name : 'summary';
    for (const section of document.querySelectorAll('section')) section.classList.toggle('shown', section.id === view);
    for (const link of links) {
      if (link.dataset.view === view) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    const given = new URLSearchParams(rest || '');
    if (view === 'ask' && given.get('from')) {
      for (const field of ['from', 'to', 'port']) $(field).value = given.get(field) || '';
      answer();
    }
    if (view === 'map' && given.get('node')) choose(given.get('node') || '');
  };
  addEventListener('hashchange', show);

  // ---- theme
  $('theme').addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    theme(dark ? 'light' : 'dark');
  });
  /** The pictures' dark rules stand in a media query; choosing a theme turns that query on or off. @param {string} name */
  const theme = (name) => {
    root.dataset.theme = name;
    for (const sheet of document.styleSheets) {
      for (const rule of sheet.cssRules) {
        if (rule instanceof CSSMediaRule && /prefers-color-scheme|^all$|^not all$/.test(rule.media.mediaText)) {
          rule.media.mediaText = name === 'dark' ? 'all' : 'not all';
        }
      }
    }
  };
  // paper is light
  let chosen = '';
  addEventListener('beforeprint', () => { chosen = root.dataset.theme || ''; if (chosen) theme('light'); });
  addEventListener('afterprint', () => { if (chosen) theme(chosen); });

  // ---- questions
  /** The flows into each end: to, traffic, because, sources. @type {Map<number, number[][]>} */
  const into = new Map();
  for (const flow of data.flows) {
    const list = into.get(flow[0]);
    if (list) list.push(flow);
    else into.set(flow[0], [flow]);
  }
  /** @param {number} set @param {number} end */
  const holds = (set, end) => data.sets[set].some((first, i, runs) => i % 2 === 0 && first <= end && end < first + runs[i + 1]);
  /** @param {number} set @returns {number[]} */
  const ends = (set) => data.sets[set].flatMap((first, i, runs) => (i % 2 ? [] : Array.from({ length: runs[i + 1] }, (_, k) => first + k)));
  /** @type {Map<string, number[]>} */
  const pairs = new Map(data.pairs.map((p) => [p[0] + ' ' + p[1], p]));
  const offered = [...fullName, ...data.outside, ...Object.keys(data.ask.words.keywords), 'any', ...data.namespaces.map((n) => 'ns/' + n), ...data.ask.services.list.map((s) => data.namespaces[s.namespace] + '/svc/' + s.name)];
  for (const name of offered.slice(0, 12000)) {
    const option = document.createElement('option');
    option.value = name;
    $('ends').append(option);
  }
  /** One side of a pair: the reason for what is asked, or for whatever it does not let through.
   * @param {string} way @param {number} side @param {Ranges} asked @returns {string} */
  const reason = (way, side, asked) => {
    const [traffic, no, yes] = data.sides[side];
    const ranges = data.traffic[traffic][1];
    let at = askSets.minus(asked, ranges).length ? -1 : 0;
    while (at >= 0 && at < yes.length && !askSets.and(asked, ranges.slice(2 * at, 2 * at + 2)).length) at += 1;
    return way + ': ' + (at < 0 ? data.texts[no] : data.texts[yes[at]] || 'allowed');
  };
  /** Which policies govern an end. @param {number} group @param {number} direction */
  const governed = (group, direction) => {
    const [openIn, openOut, , policies] = data.groups[group];
    if (direction ? openOut : openIn) return 'default allow: no policy selects it';
    return 'governed by ' + (policies[direction].map((p) => data.policies[p][0]).join(', ') || 'what could not be modelled');
  };
  const groupOf = (/** @type {number} */ workload) => data.workloads[workload][3];
  const flowOf = (/** @type {number} */ from, /** @type {number} */ to) => (into.get(to) || []).find((f) => holds(f[3], from));
  /** What passes between two workloads as the flows have it, if they tell. @param {number} a @param {number} b @returns {Ranges[] | undefined} */
  const byFlows = (a, b) => {
    const [from, to] = [groupOf(a), groupOf(b)];
    const flow = flowOf(from, to);
    if (data.groups[from][2] || data.groups[to][2]) return undefined; // on the network of a node
    if (!flow) return data.groups[from][1] && data.groups[to][0] ? [askSets.everything, askSets.everything] : [[], []];
    const [, sure, unknown, some] = data.traffic[flow[1]];
    return some ? undefined : [sure, askSets.union([sure, unknown])];
  };
  const asking = askVerdicts(data, byFlows);
  Object.assign(window, { netpalAsk: asking.answer });
  /** Why traffic passes between two workloads, or does not. @param {number} a @param {number} b @param {Ranges} asked @returns {string[]} */
  const why = (a, b, asked) => {
    const [from, to] = [groupOf(a), groupOf(b)];
    const pair = pairs.get(from + ' ' + to);
    if (pair && a !== b) return [reason('out', pair[3], asked), reason('in', pair[4], asked)];
    const flow = flowOf(from, to);
    const because = flow && data.texts[flow[2]] ? ['allowed ' + data.traffic[flow[1]][0] + ' by ' + data.texts[flow[2]]] : [];
    return ['out: ' + governed(from, 1), 'in: ' + governed(to, 0), ...because];
  };
  /** @param {End} end */
  const nameOf = (end) => ('parts' in end ? fullName[end.workload] : end.name);
  /** The lines below a verdict. @param {Answer} found @returns {string[]} */
  const lines = (found) => {
    const [first, ...more] = found.pairs;
    if (!first) return [];
    if (!more.length) {
      const { from, to, asked, sure, verdict } = first;
      const hosts = verdict === 'unknown' ? [from, to].filter((end) => 'parts' in end && data.groups[groupOf(end.workload)][2]) : [];
      const remarks = hosts.map((end) => nameOf(end) + ' runs with hostNetwork: policies may or may not apply, which depends on the network plugin');
      if (found.service) remarks.push('Service ' + found.service.name + ' leads to ' + nameOf(to) + ' on ' + askSets.words(asked));
      const told = 'parts' in from && 'parts' in to ? why(from.workload, to.workload, asked)
        : ['parts' in from ? 'out: ' + governed(groupOf(from.workload), 1) : '', 'parts' in to ? 'in: ' + governed(groupOf(to.workload), 0) : ''];
      return [...remarks, ...told.filter(Boolean), ...(verdict === 'partly' ? ['of this passes: ' + (askSets.words(sure) || 'some, for some of the pods or addresses')] : [])];
    }
    return ['yes', 'partly', 'unknown', 'no', 'tell'].flatMap((verdict) => {
      const some = found.pairs.filter((p) => p.verdict === verdict);
      const word = verdict === 'tell' ? 'not told here' : verdict;
      const shown = some.slice(0, 20).map((p) => word + ': ' + nameOf(p.from) + ' to ' + nameOf(p.to));
      return some.length > 20 ? [...shown, word + ': ' + (some.length - 20) + ' more'] : shown;
    });
  };
  const quoted = (/** @type {string} */ text) => "'" + text.replaceAll("'", "'\\''") + "'";
  const answer = () => {
    const box = $('answer');
    box.textContent = '';
    const [from, to, given] = [$('from').value.trim(), $('to').value.trim(), $('port').value.trim()];
    const protocol = ['', '/udp', '/sctp'][Number($('protocol').value)];
    const port = /^[0-9-]+$/.test(given) ? given + protocol : given;
    const found = asking.answer(from, to, port);
    const what = port ? ':' + port + (/^[0-9-]+$/.test(port) ? '/TCP' : '') : '';
    const words = { error: found.message || '', tell: 'not told here: ' + from + ' to ' + to + what };
    const sentence = found.verdict === 'error' || found.verdict === 'tell' ? words[found.verdict] : found.verdict + ': ' + from + ' to ' + to + what;
    const card = add('div', '', box);
    card.className = 'verdict';
    add('strong', sentence, card);
    if (found.verdict !== 'error') {
      const list = add('ul', '', card);
      for (const line of [...(found.message ? [found.message] : []), ...lines(found)]) add('li', line, list);
      if (found.verdict === 'tell') add('li', 'the command line knows: netpal can ' + quoted(from) + ' reach ' + quoted(to) + (port ? ' --port ' + quoted(port) : ''), list);
    }
    say(sentence);
  };
  $('question').addEventListener('submit', (/** @type {Event} */ event) => {
    event.preventDefault();
    const given = new URLSearchParams({ from: $('from').value, to: $('to').value, port: $('port').value });
    history.replaceState(null, '', '#ask?' + given);
    answer();
  });

  // ---- map
  const pictures = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#map .picture')]);
  for (const picture of pictures) {
    const option = add('option', picture.dataset.level || '', $('level'));
    option.setAttribute('value', picture.dataset.level || '');
  }
  if ($('states')) $('states').addEventListener('change', () => { $('changed-map').dataset.state = $('states').value; });
  $('find').addEventListener('change', () => { location.hash = 'map?node=' + encodeURIComponent($('find').value); });
  $('level').addEventListener('change', () => {
    for (const picture of pictures) picture.hidden = picture.dataset.level !== $('level').value;
  });
  let scale = 1;
  /** @param {number} to */
  const zoom = (to) => {
    scale = Math.min(4, Math.max(0.1, to));
    for (const svg of /** @type {NodeListOf<SVGSVGElement>} */ (document.querySelectorAll('.picture svg'))) {
      const box = svg.viewBox.baseVal;
      svg.setAttribute('width', String(box.width * scale));
      svg.setAttribute('height', String(box.height * scale));
    }
  };
  $('closer').addEventListener('click', () => zoom(scale * 1.25));
  $('farther').addEventListener('click', () => zoom(scale / 1.25));
  $('whole').addEventListener('click', () => {
    const picture = pictures.find((p) => !p.hidden);
    const svg = picture && picture.querySelector('svg');
    if (picture && svg) zoom(Math.min(1, picture.clientWidth / svg.viewBox.baseVal.width));
  });
  /** @type {{x: number, y: number, left: number, top: number, box: HTMLElement} | null} */
  let drag = null;
  for (const picture of pictures) {
    picture.addEventListener('pointerdown', (e) => { drag = { x: e.clientX, y: e.clientY, left: picture.scrollLeft, top: picture.scrollTop, box: picture }; });
    picture.addEventListener('wheel', (e) => { if (e.ctrlKey) { e.preventDefault(); zoom(scale * (e.deltaY < 0 ? 1.1 : 0.9)); } }, { passive: false });
  }
  addEventListener('pointermove', (e) => {
    if (drag) drag.box.scrollTo(drag.left + drag.x - e.clientX, drag.top + drag.y - e.clientY);
  });
  addEventListener('pointerup', () => { drag = null; });

  const nodes = /** @type {SVGGElement[]} */ ([...document.querySelectorAll('.np-node')]);
  // with controls inside, a picture is a group; without scripts it is an image with a description
  for (const svg of document.querySelectorAll('.picture svg')) svg.setAttribute('role', 'group');
  const edges = /** @type {SVGGElement[]} */ ([...document.querySelectorAll('.np-edge')]);
  /** @param {Element} element */
  const title = (element) => (element.querySelector('title') || element).textContent || '';
  for (const element of [...nodes, ...edges]) {
    element.setAttribute('tabindex', '0');
    element.setAttribute('role', 'button');
    const visible = [...element.querySelectorAll('text')].map((t) => t.textContent).join(' ');
    element.setAttribute('aria-label', (visible + ': ' + title(element)).slice(0, 400));
    const open = () => { if (element.classList.contains('np-node')) location.hash = 'map?node=' + encodeURIComponent(element.id); else detail(title(element), []); };
    element.addEventListener('click', open);
    element.addEventListener('dblclick', () => near(element.id));
    element.addEventListener('keydown', (e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); open(); } });
  }
  /** @param {string} heading @param {[string, string[]][]} lists */
  const detail = (heading, lists) => {
    const panel = $('panel');
    panel.hidden = false;
    panel.textContent = '';
    add('strong', heading, panel);
    for (const [name, lines] of lists) {
      add('h3', name, panel);
      const list = add('ul', '', panel);
      for (const line of lines.slice(0, 100)) add('li', line, list);
      if (lines.length > 100) add('li', 'and ' + (lines.length - 100) + ' more', list);
      if (!lines.length) add('li', 'nothing', list);
    }
    say(heading);
  };
  /** @param {string} id */
  const choose = (id) => {
    for (const node of nodes) node.classList.toggle('chosen', node.id === id);
    const node = nodes.find((n) => n.id === id);
    const heading = node ? title(node) : id;
    const first = heading.split(/, | and \d+ more|\. /)[0];
    const workload = byKey.get(first) ?? byName.get(first);
    if (workload === undefined) { detail(node ? heading : 'nothing here is called ' + id, []); return; }
    const group = data.workloads[workload][3];
    const [openIn, openOut, host, policies] = data.groups[group];
    const line = (/** @type {string} */ other, /** @type {number[]} */ f) => other + '   ' + data.traffic[f[1]][0] + (data.texts[f[2]] ? '   ' + data.texts[f[2]] : '');
    const who = (into.get(group) || []).flatMap((f) => ends(f[3]).map((e) => line(endName(e), f)));
    const reach = data.flows.filter((f) => holds(f[3], group)).map((f) => line(endName(f[0]), f));
    if (openIn) who.unshift('anyone: no policy selects it for ingress');
    if (openOut) reach.unshift('anywhere that is open: no policy selects it for egress');
    if (host) who.unshift('unknown: hostNetwork, policies may or may not apply');
    const selecting = [...new Set(policies.flat())].map((p) => data.policies[p].join('   '));
    detail(heading, [['Who may reach it', who], ['What it may reach', reach], ['Policies', selecting]]);
  };
  /** Dims everything but a node and its neighbours. @param {string} id */
  const near = (id) => {
    const kept = new Set([id]);
    for (const edge of edges) {
      const [a, b] = [edge.dataset.from || '', edge.dataset.to || ''];
      if (a === id || b === id) { kept.add(a); kept.add(b); }
      edge.classList.toggle('away', a !== id && b !== id);
    }
    for (const node of nodes) node.classList.toggle('away', !kept.has(node.id));
  };
  const filter = () => {
    const [what, port] = [$('filter').value, $('port-filter').value];
    const kept = new Set();
    for (const edge of edges) {
      const ends = [edge.dataset.from || '', edge.dataset.to || ''];
      const outside = ends.some((e) => /^.n-(internet|private)/.test(e));
      const wanted = (!port || new RegExp('(^|\\D)' + port.replace(/\D/g, '') + '(\\D|$)').test(title(edge)))
        && (what !== 'internet' || outside) && (what !== 'changed' || /np-(widened|narrowed|moved)/.test(edge.getAttribute('class') || '')) && what !== 'open';
      edge.classList.toggle('away', !wanted);
      if (wanted) ends.forEach((e) => kept.add(e));
    }
    for (const node of nodes) {
      const open = node.classList.contains('np-open-in') || node.classList.contains('np-open-out');
      node.classList.toggle('away', what === 'open' ? !open : Boolean(what || port) && !kept.has(node.id));
    }
  };
  $('filter').addEventListener('change', filter);
  $('port-filter').addEventListener('input', filter);

  // ---- search
  const labels = new Map(data.workloads.map((w, i) => {
    const selecting = data.groups[w[3]][3].flat().map((p) => data.policies[p][0]);
    const pods = data.ask.pods;
    const own = pods.of[i].length ? pods.label_sets[pods.looks[pods.of[i][0]][3]] : [];
    return [data.namespaces[w[0]] + '/' + w[2] + '/' + w[1], [fullName[i], ...own.map((l) => pods.labels[l]), ...selecting].join(' ').toLowerCase()];
  }));

  // ---- tables of more lines than the page holds
  const PAGE = 100;
  const MOST = 5000;
  /** @type {((wanted: string) => void)[]} */
  const searches = [];
  /** @param {string} id @param {HTMLTableElement | null} table @param {() => Iterable<string[]>} lines */
  const paged = (id, table, lines) => {
    const box = $('pager-' + id);
    if (!box || !table) return;
    /** @type {string[][]} */
    let found = [];
    let at = 0;
    let more = false;
    const draw = () => {
      const body = table.tBodies[0];
      body.textContent = '';
      for (const line of found.slice(at, at + PAGE)) {
        const row = body.insertRow();
        for (const cell of line) add('td', cell, row);
      }
      status.textContent = found.length ? (at + 1) + ' to ' + Math.min(at + PAGE, found.length) + ' of ' + (more ? 'more than ' : '') + found.length : 'nothing found';
      before.disabled = at === 0;
      next.disabled = at + PAGE >= found.length;
    };
    const button = (/** @type {string} */ name, /** @type {number} */ by) => {
      const element = /** @type {HTMLButtonElement} */ (add('button', name, box));
      element.type = 'button';
      element.addEventListener('click', () => { at += by; draw(); say(status.textContent || ''); });
      return element;
    };
    const before = button('Previous', -PAGE);
    const next = button('Next', PAGE);
    const status = add('span', '', box);
    const search = (/** @type {string} */ wanted) => {
      [found, at, more] = [[], 0, false];
      for (const line of lines()) {
        if (wanted && !line.join(' ').toLowerCase().includes(wanted)) continue;
        if (found.length === MOST) { more = true; break; }
        found.push(line);
      }
      draw();
    };
    for (const hint of (table.closest('section') || document).querySelectorAll('.more')) hint.classList.add('replaced');
    search('');
    searches.push(search);
  };
  const cellsOf = (/** @type {HTMLTableElement} */ table) => [...table.tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent || ''));
  for (const id of Object.keys(data.rest)) {
    const table = /** @type {HTMLTableElement | null} */ ($('table-' + id));
    const whole = table ? [...cellsOf(table), ...data.rest[id]] : [];
    paged(id, table, () => whole);
  }
  paged('flows', $('flows'), function* () {
    for (const [to, traffic, because, set] of data.flows) {
      for (const from of ends(set)) yield [endName(from), endName(to), data.traffic[traffic][0], data.texts[because]];
    }
  });
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.rows tbody tr, .names li, #changed span')]).filter((r) => !searches.length || !r.closest('table') || !$((r.closest('table') || r).id.replace('table-', 'pager-')).hasChildNodes());
  $('search').addEventListener('input', () => {
    const wanted = $('search').value.trim().toLowerCase();
    let hits = 0;
    for (const node of nodes) {
      const members = title(node).split(/, |\. /);
      const hit = !wanted || title(node).toLowerCase().includes(wanted) || members.some((m) => (labels.get(m) || '').includes(wanted));
      node.classList.toggle('away', !hit);
      if (hit) hits += 1;
    }
    searches.forEach((search) => search(wanted));
    for (const row of rows) row.hidden = Boolean(wanted) && !(row.textContent || '').toLowerCase().includes(wanted);
    say(wanted ? hits + ' on the map, ' + rows.filter((r) => !r.hidden).length + ' lines' : '');
  });

  // ---- keyboard
  addEventListener('keydown', (e) => {
    const typing = e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement;
    if (e.key === '/' && !typing) { e.preventDefault(); $('search').focus(); }
    if (e.key === 'Escape') {
      $('panel').hidden = true;
      $('search').value = '';
      $('search').dispatchEvent(new Event('input'));
      for (const element of [...nodes, ...edges]) element.classList.remove('away', 'chosen');
    }
  });
  const table = /** @type {HTMLTableElement | null} */ (document.querySelector('table.matrix'));
  const big = data.matrix;
  const WINDOW = 40;
  const corner = { row: 0, column: 0 };
  /** @param {Matrix} matrix @param {number} row @returns {number[]} */
  const cellsIn = (matrix, row) => matrix.rows[row].flatMap((cell, i, runs) => (i % 2 ? [] : Array(runs[i + 1]).fill(cell)));
  /** @param {Matrix} matrix @param {HTMLTableElement} into */
  const window_ = (matrix, into) => {
    const columns = matrix.sides.slice(corner.column, corner.column + WINDOW);
    into.textContent = '';
    const head = into.createTHead().insertRow();
    const body = into.createTBody();
    const header = (/** @type {string} */ scope, /** @type {string} */ text, /** @type {Element} */ row) => {
      const th = add('th', '', row);
      th.setAttribute('scope', scope);
      add('span', text, th);
    };
    header('col', 'from \\ to', head);
    columns.forEach((c) => header('col', c, head));
    for (let i = corner.row; i < Math.min(corner.row + WINDOW, matrix.sides.length); i += 1) {
      const row = body.insertRow();
      header('row', matrix.sides[i], row);
      for (const cell of cellsIn(matrix, i).slice(corner.column, corner.column + WINDOW)) {
        const [sign, words] = matrix.cells[cell];
        const td = add('td', sign, row);
        td.className = { '=': 'same', '.': 'none', '*': 'all', '?': 'unknown' }[sign] || 'some';
        if (words) td.title = words;
      }
    }
    $('row').value = matrix.sides[corner.row];
    $('column').value = matrix.sides[corner.column];
    say('rows from ' + matrix.sides[corner.row] + ', columns from ' + matrix.sides[corner.column]);
  };
  if (big && table) {
    const move = (/** @type {number} */ row, /** @type {number} */ column) => {
      const last = big.sides.length - 1;
      corner.row = Math.max(0, Math.min(last, row));
      corner.column = Math.max(0, Math.min(last, column));
      window_(big, table);
      arrows();
    };
    for (const side of big.sides) add('option', '', $('sides')).setAttribute('value', side);
    $('window').addEventListener('submit', (/** @type {Event} */ e) => {
      e.preventDefault();
      move(Math.max(0, big.sides.indexOf($('row').value)), Math.max(0, big.sides.indexOf($('column').value)));
    });
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('#window [data-by]'))) {
      const [down, right] = (button.dataset.by || '0 0').split(' ').map(Number);
      button.addEventListener('click', () => move(corner.row + down * WINDOW, corner.column + right * WINDOW));
    }
    window_(big, table);
  }
  /** @type {HTMLTableCellElement[][]} */
  let cells = [];
  /** One cell can be reached by Tab, the others from there by arrow keys. */
  function arrows() {
    cells = table ? [...table.tBodies[0].rows].map((r) => [...r.cells].slice(1)) : [];
    cells.flat().forEach((cell) => { cell.tabIndex = -1; });
    if (cells[0] && cells[0][0]) cells[0][0].tabIndex = 0;
  }
  if (table) {
    arrows();
    table.addEventListener('keydown', (e) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
      const at = cells.findIndex((row) => row.includes(/** @type {HTMLTableCellElement} */ (e.target)));
      if (!step || at < 0) return;
      e.preventDefault();
      const column = cells[at].indexOf(/** @type {HTMLTableCellElement} */ (e.target));
      const next = cells[at + step[0]] && cells[at + step[0]][column + step[1]];
      if (next) { next.tabIndex = 0; next.focus(); }
    });
    const tell = (/** @type {Event} */ e) => {
      const cell = e.target instanceof HTMLElement ? /** @type {HTMLTableCellElement | null} */ (e.target.closest('td')) : null;
      if (!cell) return;
      const row = /** @type {HTMLTableRowElement} */ (cell.parentElement);
      const [from, to] = [row.cells[0].textContent, table.tHead && table.tHead.rows[0].cells[cell.cellIndex].textContent];
      say(from + ' to ' + to + ': ' + (cell.className === 'same' ? 'the same' : cell.title || 'nothing passes'));
    };
    table.addEventListener('focusin', tell);
    table.addEventListener('click', tell);
  }
  show();
})();
