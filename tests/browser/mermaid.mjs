// Parses and draws charts with Mermaid itself: node mermaid.mjs CHART.mmd...
// A chart that Mermaid refuses, draws with other texts than were written, or that brings markup of its own fails the run.
// Beside each chart stands CHART.json, the texts its nodes must show.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const library = createRequire(import.meta.url).resolve('mermaid/dist/mermaid.min.js');
let failures = 0;
const check = (what, good, seen) => {
  if (!good) failures += 1;
  console.log((good ? 'ok    ' : 'FAIL  ') + what + (good || seen === undefined ? '' : ': ' + JSON.stringify(seen)));
};
const browser = await chromium.launch({
  executablePath: process.env.NETPAL_CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
const dialogs = [];
page.on('dialog', (d) => { dialogs.push(d.message()); d.dismiss(); });
await page.setContent('<!doctype html><title>charts</title><div id="out"></div>');
await page.addScriptTag({ path: library });
await page.evaluate(() => globalThis.mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' }));
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, 'utf8');
  const name = file.split('/').pop();
  const drawn = await page.evaluate(async (chart) => {
    try {
      await globalThis.mermaid.parse(chart);
      const { svg } = await globalThis.mermaid.render('chart', chart);
      const out = document.getElementById('out');
      out.innerHTML = svg;
      const texts = [...out.querySelectorAll('.node .nodeLabel')].map((n) => n.textContent.trim());
      return { texts, markup: out.querySelectorAll('script, b, i, img, a, iframe').length, error: '' };
    } catch (e) { return { texts: [], markup: 0, error: String(e) }; }
  }, text);
  check(name + ' is drawn', drawn.error === '', drawn.error);
  check(name + ' brings no markup', drawn.markup === 0, drawn.markup);
  check(name + ' has nodes', drawn.texts.length > 0);
  check(name + ' shows plain texts', drawn.texts.every((t) => !/Unsupported markdown/.test(t)), drawn.texts);
  const wanted = JSON.parse(readFileSync(file.replace(/\.mmd$/, '.json'), 'utf8'));
  for (const label of wanted) check(name + ' shows ' + JSON.stringify(label), drawn.texts.some((t) => t.includes(label)), drawn.texts);
}
check('no dialog', dialogs.length === 0, dialogs);
await browser.close();
console.log(failures ? failures + ' failed' : 'all passed');
process.exit(failures ? 1 : 0);
