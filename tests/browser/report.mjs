// Drives the report in a real browser: node report.mjs DEMO.html CHANGED.html HOSTILE.html LARGE.html FOLDER
// Every page is opened from a file; a console error, a failed step or any request beside the page itself fails the run.
import { createRequire } from 'node:module';
import { readFileSync, statSync } from 'node:fs';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const [demo, changed, hostile, large, folder] = process.argv.slice(2);
const url = (path) => 'file://' + path;
let failures = 0;
const check = (what, good, seen) => {
  if (!good) failures += 1;
  console.log((good ? 'ok    ' : 'FAIL  ') + what + (good || seen === undefined ? '' : ': ' + JSON.stringify(seen)));
};

const browser = await chromium.launch({
  executablePath: process.env.NETPAL_CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const open = async (path, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: false, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) wrong.push(m.text()); });
  page.on('pageerror', (e) => wrong.push(String(e)));
  page.on('request', (r) => { if (!r.url().startsWith('file://' + path.split('#')[0])) wrong.push('request ' + r.url()); });
  page.on('dialog', (d) => { wrong.push('dialog ' + d.message()); d.dismiss(); });
  const start = Date.now();
  await page.goto(url(path));
  return { page, wrong, took: Date.now() - start, close: async (what) => { check(what + ': no console error, no request', wrong.length === 0, wrong); await context.close(); } };
};
const shown = (page) => page.$$eval('section.shown', (s) => s.map((x) => x.id));
const said = (page) => page.textContent('#said');

// the panel follows the address, which changes a moment after the key; a text that never comes fails the check after it
const panelSays = (page, text) =>
  page.waitForFunction((t) => document.querySelector('#panel').textContent.includes(t), text, { timeout: 5000 }).catch(() => {});

// every view by click, and its deep link
{
  const { page, took, close } = await open(demo);
  console.log(`      opened in ${took} ms`); // told, not judged: no test looks at the clock
  for (const view of ['summary', 'map', 'matrix', 'ask', 'changes', 'findings', 'tests', 'inputs']) {
    await page.click(`nav a[data-view=${view}]`);
    await page.waitForFunction((v) => document.querySelector('section.shown')?.id === v, view, { timeout: 5000 }).catch(() => {});
    check(`view ${view} by click`, (await shown(page)).join() === view, await shown(page));
    check(`view ${view} has an address`, page.url().endsWith('#' + view));
  }
  await page.goto(url(demo) + '#ask?from=shop/frontend&to=data/database&port=5432');
  check('a link asks: yes', (await page.textContent('#answer')).startsWith('yes: shop/frontend to data/database:5432/TCP'), await page.textContent('#answer'));
  check('and says why', (await page.textContent('#answer')).includes('data/database-ingress ingress[0].from[0]'));
  check('the live region reads the verdict', (await said(page)).startsWith('yes:'));
  await page.fill('#from', 'dev/runner');
  await page.press('#to', 'Enter');
  check('asking by keyboard: no', (await page.textContent('#answer')).startsWith('no: dev/runner to data/database'), await page.textContent('#answer'));
  check('and names what isolates', (await page.textContent('#answer')).includes('isolated by data/default-deny'));
  await page.fill('#to', 'kube-system/node-agent');
  await page.click('#question button');
  check('hostNetwork is unknown, and says why', /^unknown:.*runs with hostNetwork/.test(await page.textContent('#answer')), await page.textContent('#answer'));
  const answered = async (from, to, port) => {
    await page.fill('#from', from);
    await page.fill('#to', to);
    await page.fill('#port', port);
    await page.click('#question button');
    return page.textContent('#answer');
  };
  for (const [from, to, port, wanted] of [
    ['internet', 'frontend', '8080', /^no: internet to frontend:8080/],
    ['ns/shop', 'data/database', '5432', /^partly: .*yes: shop\/frontend to data\/database.*no: shop\/cart/],
    ['frontend', 'svc/cart', '80', /^no: .*Service cart leads to shop\/cart on 7070\/TCP.*isolated by shop\/cart-ingress/],
    ['frontend', 'svc/cart', '81', /^Service cart has no such port/],
    ['frontend', 'svc/cart:http', '', /^no: .*leads to shop\/cart on 7070\/TCP/],
    ['shop?app=frontend', 'database:5432', '', /^yes: /],
    ['10.0.0.0/8', 'data/database', '5432', /^no: /],
    ['internet', '8.8.8.8', '443', /^unknown: .*no pod is involved/],
    ['frontend', 'database', '99999', /is not a port between 1 and 65535/],
    ['frontend', 'databse', '5432', /^no workload or Service is called `databse`/],
    ['frontend', 'any-pod', '443', /^not told here: .*netpal can 'frontend' reach 'any-pod' --port '443'/],
  ]) {
    const seen = await answered(from, to, port);
    check(`asking ${from} to ${to} ${port}`, wanted.test(seen), seen);
  }
  await page.selectOption('#protocol', '1');
  check('asking about UDP', (await answered('frontend', 'kube-system/coredns', '53')).startsWith('yes: frontend to kube-system/coredns:53/udp'), await page.textContent('#answer'));
  await page.selectOption('#protocol', '0');
  await page.goto(url(demo) + '#map');
  await page.click('#wn-data--StatefulSet--database');
  await panelSays(page, 'shop/checkout');
  check('click on a node: who may reach it', /shop\/checkout.*5432\/TCP/s.test(await page.textContent('#panel')), await page.textContent('#panel'));
  check('with policies and lines', (await page.textContent('#panel')).includes('data.yaml:'));
  await page.focus('#wn-shop--Deployment--cart');
  await page.keyboard.press('Enter');
  await panelSays(page, 'data/redis');
  check('a node by keyboard', (await page.textContent('#panel')).includes('data/redis'));
  await page.locator('.picture:not([hidden]) .np-edge').first().dispatchEvent('click');
  check('click on an edge: the sentence', (await page.textContent('#panel')).includes('may send'));
  await page.keyboard.press('Escape');
  check('Esc closes', await page.isHidden('#panel'));
  await page.keyboard.press('/');
  check('/ searches', await page.evaluate(() => document.activeElement?.id === 'search'));
  await page.keyboard.type('redis');
  const bright = await page.$$eval('.picture:not([hidden]) .np-node:not(.away)', (n) => n.map((x) => x.id));
  check('search leaves what it finds', bright.includes('wn-data--StatefulSet--redis') && !bright.includes('wn-dev--Deployment--runner'), bright);
  await page.keyboard.press('Escape');
  await page.selectOption('#filter', 'open');
  check('filter open', await page.$eval('#wn-data--StatefulSet--database', (n) => n.classList.contains('away')));
  await page.selectOption('#filter', '');
  await page.selectOption('#level', 'namespaces');
  check('level namespaces', await page.isVisible('[data-level=namespaces] svg'));
  await page.goto(url(demo) + '#matrix');
  await page.focus('table.matrix tbody td');
  await page.keyboard.press('ArrowRight');
  check('arrows move in the matrix', (await said(page)).length > 0, await said(page));
  const tabbed = new Set();
  for (let i = 0; i < 15; i += 1) { await page.keyboard.press('Tab'); tabbed.add(await page.evaluate(() => document.activeElement?.tagName + (document.activeElement?.id || ''))); }
  check('Tab goes on', tabbed.size > 1, [...tabbed]);
  await page.pdf({ path: folder + '/report.pdf', landscape: true, preferCSSPageSize: true });
  check('prints', statSync(folder + '/report.pdf').size > 20000);
  await close('demo');
}

// accessibility, light and dark, every view
for (const colorScheme of ['light', 'dark']) {
  const { page, close } = await open(demo, { colorScheme });
  const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  check(`${colorScheme} page`, back === (colorScheme === 'dark' ? 'rgb(15, 20, 25)' : 'rgb(255, 255, 255)'), back);
  for (const view of ['summary', 'map', 'matrix', 'ask', 'findings', 'inputs']) {
    await page.goto(url(demo) + '#' + view);
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await globalThis.axe.run()).violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')));
    check(`axe, ${view}, ${colorScheme}`, found.length === 0, found);
  }
  await page.goto(url(demo) + '#map');
  await page.screenshot({ path: `${folder}/map-${colorScheme}.png` });
  await page.goto(url(demo) + '#summary');
  await page.screenshot({ path: `${folder}/summary-${colorScheme}.png`, fullPage: true });
  await page.click('#theme');
  const other = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  check(`the button leaves ${colorScheme}`, other !== back, other);
  await close(colorScheme);
}

// controls: folded and not lost, and no wider than a phone
{
  const { page, close } = await open(demo, { viewport: { width: 390, height: 844 } });
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  check('the head and the controls fit a phone', !(await wide()));
  const fold = page.locator('.controls details').first();
  const rest = fold.locator('li').first();
  check('long reasons are folded', (await fold.count()) === 1 && !(await rest.isVisible()));
  await fold.locator('summary').focus();
  await page.keyboard.press('Enter');
  check('and unfold by keyboard', await rest.isVisible());
  check('the unfolded ones fit a phone', !(await wide()));
  await close('controls');
}

// without scripts
{
  const { page, close } = await open(demo, { javaScriptEnabled: false });
  for (const id of ['summary', 'map', 'matrix', 'findings', 'inputs']) check(`without scripts: ${id}`, await page.isVisible('#' + id));
  check('without scripts: the map is drawn', await page.isVisible('#map svg'));
  check('without scripts: asking says what to do', (await page.textContent('noscript')).includes('netpal can'));
  check('without scripts: no dead controls', await page.isHidden('#search'));
  await page.screenshot({ path: `${folder}/noscript.png` });
  await close('without scripts');
}

// two states
{
  const { page, close } = await open(changed + '#changes'.slice(0, 0));
  await page.click('nav a[data-view=changes]');
  check('changes are told', (await page.textContent('#changes')).includes('narrowed'), await page.textContent('#changes'));
  await page.goto(url(changed) + '#map');
  await page.selectOption('#filter', 'changed');
  check('changes are drawn', (await page.$$('.picture:not([hidden]) .np-edge:not(.away)')).length > 0);
  await page.click('nav a[data-view=changes]');
  const seen = () => page.$$eval('#changed-map .np-edge', (edges) => edges.filter((e) => getComputedStyle(e).display !== 'none').length);
  const both = await seen();
  const [fresh, gone] = [(await page.$$('#changed-map .np-new')).length, (await page.$$('#changed-map .np-gone')).length];
  await page.selectOption('#states', 'before');
  check('the picture of before', fresh + gone > 0 && (await seen()) === both - fresh, [both, fresh, await seen()]);
  await page.selectOption('#states', 'after');
  check('the picture of after', (await seen()) === both - gone, [both, gone, await seen()]);
  await close('two states');
}

// many workloads: part of a table at a time
{
  const { page, took, close } = await open(large);
  console.log(`      500 workloads opened in ${took} ms`); // told, not judged
  const rows = (id) => page.$$eval(`#${id} tbody tr`, (list) => list.map((r) => r.textContent));
  const first = await rows('flows');
  check('flows come in pages', first.length === 100, first.length);
  check('and say how many there are', /1 to 100 of/.test(await page.textContent('#pager-flows')), await page.textContent('#pager-flows'));
  await page.click('#pager-flows button:has-text("Next")');
  const second = await rows('flows');
  check('the next page is another', second.length > 0 && second[0] !== first[0]);
  await page.fill('#search', 'team-117/store');
  const found = await rows('flows');
  check('search looks at all pages', found.length > 0 && found.every((r) => r.includes('team-117/store')), found.slice(0, 3));
  await page.fill('#search', '');
  await page.click('nav a[data-view=matrix]');
  const heads = () => page.$$eval('table.matrix tbody th', (list) => list.map((h) => h.textContent));
  check('a part of the matrix', (await heads()).length === 40, (await heads()).length);
  await page.click('#window button:has-text("Down")');
  check('the matrix moves', (await heads())[0] === 'team-040', (await heads())[0]);
  await page.fill('#row', 'team-100');
  await page.press('#row', 'Enter');
  check('the matrix goes to a name', (await heads())[0] === 'team-100', (await heads())[0]);
  await page.goto(url(large) + '#ask?from=team-000/web&to=team-000/api&port=8001');
  check('asking among many: yes', (await page.textContent('#answer')).startsWith('yes:'), await page.textContent('#answer'));
  await page.goto(url(large) + '#ask?from=team-000/web&to=team-000/api&port=22');
  check('asking among many: no', (await page.textContent('#answer')).startsWith('no:'), await page.textContent('#answer'));
  check('and names who governs', (await page.textContent('#answer')).includes('team-000/api-in'), await page.textContent('#answer'));
  await page.goto(url(large) + '#map');
  await page.fill('#find', 'team-003/store');
  await page.press('#find', 'Enter');
  await panelSays(page, 'team-003/web');
  check('a workload by name', (await page.textContent('#panel')).includes('team-003/web'), await page.textContent('#panel'));
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => (await globalThis.axe.run()).violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')));
  check('axe, many workloads', violations.length === 0, violations);
  await close('many workloads');
}

// names that want to be markup
{
  const { page, close } = await open(hostile);
  check('no script of a name runs', await page.evaluate(() => document.querySelectorAll('script').length) === 2);
  check('names show as text', (await page.textContent('body')).includes('</script><script>alert(1)</script>'));
  check('no bidirectional control is left', !/[\u202a-\u202e\u2066-\u2069]/.test(await page.content()));
  for (const view of ['map', 'matrix', 'ask', 'summary']) await page.goto(url(hostile) + '#' + view);
  await page.fill('#search', '<b>');
  await page.evaluate(() => { for (const n of document.querySelectorAll('.np-node')) n.dispatchEvent(new MouseEvent('click')); });
  check('no markup of a name is made', await page.evaluate(() => document.querySelectorAll('main b').length) === 0);
  await close('hostile names');
}

await browser.close();
console.log(failures ? failures + ' failed' : 'all passed');
process.exit(failures ? 1 : 0);
