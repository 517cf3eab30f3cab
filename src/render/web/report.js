// @ts-check
// The page works without this file; with it, one view is shown at a time, the map answers clicks, and questions can be asked.
// Checked with `tsc --noEmit --checkJs --strict --target es2022 --lib es2022,dom,dom.iterable src/render/web/report.js`.
// Every text reaches the page through textContent, never as markup.
(() => {
  'use strict';
  /** @typedef {[string, number[][], number[][]]} Traffic */
  /** @typedef {{namespaces: string[], workloads: [number, string, string, number, string][], groups: [boolean, boolean, boolean, number[]][], outside: string[], traffic: Traffic[], flows: number[][], pairs: number[][], policies: [string, string][], texts: string[]}} Data */

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
  /** @param {number} end */
  const endName = (end) => {
    if (end >= data.groups.length) return data.outside[end - data.groups.length];
    const names = fullName.filter((_, i) => data.workloads[i][3] === end);
    return names.length > 4 ? names.slice(0, 3).join(', ') + ' and ' + (names.length - 3) + ' more' : names.join(', ');
  };

  // ---- views
  const views = [...document.querySelectorAll('section')].map((s) => s.id);
  const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll('nav a')]);
  const show = () => {
    const [name, rest] = decodeURIComponent(location.hash.slice(1)).split('?');
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

  // ---- questions
  /** @param {number[][]} ranges @param {number} protocol @param {number} port */
  const has = (ranges, protocol, port) => ranges.some(([p, a, b]) => p === protocol && a <= port && port <= b);
  const everything = /** @type {number[][]} */ ([[0, 1, 65535], [1, 1, 65535], [2, 1, 65535], [3, 0, 0]]);
  /** @type {Map<string, number[]>} */
  const flows = new Map(data.flows.map((f) => [f[0] + ' ' + f[1], f]));
  /** @type {Map<string, number[]>} */
  const pairs = new Map(data.pairs.map((p) => [p[0] + ' ' + p[1], p]));
  for (const name of [...fullName, ...data.outside]) {
    const option = document.createElement('option');
    option.value = name;
    $('ends').append(option);
  }
  /** @param {string} text @returns {number | undefined} */
  const end = (text) => {
    const workload = byName.get(text) ?? byKey.get(text);
    if (workload !== undefined) return data.workloads[workload][3];
    const outside = data.outside.indexOf(text);
    if (outside >= 0) return data.groups.length + outside;
    const alike = fullName.filter((n) => n.endsWith('/' + text));
    return alike.length === 1 ? data.workloads[/** @type {number} */ (byName.get(alike[0]))][3] : undefined;
  };
  /** @param {number} from @param {number} to @returns {{sure: number[][], unknown: number[][], yes: string[], no: string[]}} */
  const passing = (from, to) => {
    const pair = pairs.get(from + ' ' + to);
    if (pair) {
      const [, sure, unknown] = data.traffic[pair[2]];
      const text = (/** @type {number} */ i) => data.texts[pair[i]];
      return { sure, unknown, yes: ['out: ' + text(3), 'in: ' + text(4)], no: ['out: ' + text(5), 'in: ' + text(6)] };
    }
    const flow = flows.get(from + ' ' + to);
    if (flow) {
      const [, sure, unknown] = data.traffic[flow[2]];
      return { sure, unknown, yes: [data.texts[flow[3]]], no: ['no rule allows it; netpal why names the side'] };
    }
    const inside = data.groups.length;
    const open = (from >= inside || data.groups[from][1]) && (to >= inside || data.groups[to][0]);
    const why = open ? 'both ends are open: no policy selects them' : 'no flow is allowed between the two; netpal why names the side';
    return { sure: open ? everything : [], unknown: [], yes: [why], no: [why] };
  };
  const answer = () => {
    const box = $('answer');
    box.textContent = '';
    const [from, to] = [end($('from').value), end($('to').value)];
    if (from === undefined || to === undefined) {
      const unknown = from === undefined ? $('from').value : $('to').value;
      add('p', 'nothing here is called ' + unknown, box);
      say('nothing here is called ' + unknown);
      return;
    }
    const found = passing(from, to);
    const port = Number($('port').value);
    const protocol = Number($('protocol').value);
    const all = (/** @type {number[][]} */ r) => r.length === 4 && r.every(([, a, b]) => b - a >= 65534 || a === 0);
    let verdict = 'no';
    if (port) {
      if (has(found.sure, protocol, port)) verdict = 'yes';
      else if (has(found.unknown, protocol, port)) verdict = 'unknown';
    } else if (all(found.sure)) verdict = 'yes';
    else if (found.sure.length) verdict = 'partly';
    else if (found.unknown.length) verdict = 'unknown';
    const what = port ? ':' + port + '/' + ['TCP', 'UDP', 'SCTP'][protocol] : '';
    const sentence = verdict + ': ' + $('from').value + ' to ' + $('to').value + what;
    const card = add('div', '', box);
    card.className = 'verdict';
    add('strong', sentence, card);
    const list = add('ul', '', card);
    for (const line of verdict === 'no' || verdict === 'unknown' ? found.no : found.yes) add('li', line, list);
    if (!port && verdict === 'partly') add('p', 'ports: ' + ports(found.sure), card);
    say(sentence);
  };
  /** @param {number[][]} ranges */
  const ports = (ranges) => ranges.map(([p, a, b]) => (p === 3 ? 'other protocols' : (a === b ? a : a + '-' + b) + '/' + ['TCP', 'UDP', 'SCTP'][p])).join(', ');
  $('question').addEventListener('submit', (/** @type {Event} */ event) => {
    event.preventDefault();
    const given = new URLSearchParams({ from: $('from').value, to: $('to').value, port: $('port').value });
    history.replaceState(null, '', '#ask?' + given);
    answer();
  });

  // ---- map
  const pictures = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.picture')]);
  for (const picture of pictures) {
    const option = add('option', picture.dataset.level || '', $('level'));
    option.setAttribute('value', picture.dataset.level || '');
  }
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
    if (!node) return;
    const first = title(node).split(/, | and \d+ more|\. /)[0];
    const workload = byKey.get(first);
    if (workload === undefined) { detail(title(node), []); return; }
    const group = data.workloads[workload][3];
    const [openIn, openOut, host, policies] = data.groups[group];
    const line = (/** @type {number} */ other, /** @type {number[]} */ f) => endName(other) + '   ' + data.traffic[f[2]][0] + (data.texts[f[3]] ? '   ' + data.texts[f[3]] : '');
    const into = data.flows.filter((f) => f[1] === group).map((f) => line(f[0], f));
    const out = data.flows.filter((f) => f[0] === group).map((f) => line(f[1], f));
    if (openIn) into.unshift('anyone: no policy selects it for ingress');
    if (openOut) out.unshift('anywhere that is open: no policy selects it for egress');
    if (host) into.unshift('unknown: hostNetwork, policies may or may not apply');
    detail(title(node), [['Who may reach it', into], ['What it may reach', out], ['Policies', policies.map((p) => data.policies[p].join('   '))]]);
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
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#flows tbody tr, .rows tbody tr, .names li')]);
  const labels = new Map(data.workloads.map((w, i) => [data.namespaces[w[0]] + '/' + w[2] + '/' + w[1], (fullName[i] + ' ' + w[4] + ' ' + data.groups[w[3]][3].map((p) => data.policies[p][0]).join(' ')).toLowerCase()]));
  $('search').addEventListener('input', () => {
    const wanted = $('search').value.trim().toLowerCase();
    let hits = 0;
    for (const node of nodes) {
      const members = title(node).split(/, |\. /);
      const hit = !wanted || title(node).toLowerCase().includes(wanted) || members.some((m) => (labels.get(m) || '').includes(wanted));
      node.classList.toggle('away', !hit);
      if (hit) hits += 1;
    }
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
  if (table) {
    const cells = [...table.tBodies[0].rows].map((r) => [...r.cells].slice(1));
    cells.flat().forEach((cell) => { cell.tabIndex = -1; });
    if (cells[0] && cells[0][0]) cells[0][0].tabIndex = 0;
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
      const cell = e.target instanceof HTMLElement ? e.target.closest('td') : null;
      if (cell) say(cell.title || (cell.className === 'same' ? 'the same' : 'nothing passes'));
    };
    table.addEventListener('focusin', tell);
    table.addEventListener('click', tell);
  }
  show();
})();
