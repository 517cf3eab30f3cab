// Asks the report the questions of a file, all in one go: node ask.mjs PAGE.html QUESTIONS.json [PAGE.html QUESTIONS.json ...]
// A question is {from, to, port, expected}, with the verdict of the command line or `error`. A different verdict fails the run; `tell`, with
// which the page leaves a question to the command line, is counted, and may be the answer to as many as the last argument says, in percent.
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const pages = process.argv.slice(2);
const most = Number(pages.pop());
let failures = 0;
const browser = await chromium.launch({
  executablePath: process.env.NETPAL_CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (let i = 0; i < pages.length; i += 2) {
  const questions = JSON.parse(readFileSync(pages[i + 1], 'utf8'));
  const page = await browser.newPage();
  const wrong = [];
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) wrong.push(m.text()); });
  page.on('pageerror', (e) => wrong.push(String(e)));
  await page.goto('file://' + pages[i]);
  const start = Date.now();
  const answers = await page.evaluate((list) => list.map((q) => {
    const { verdict, message } = globalThis.netpalAsk(q.from, q.to, q.port);
    return { verdict, message };
  }), questions);
  const took = Date.now() - start;
  const different = answers.map((a, n) => ({ ...questions[n], ...a })).filter((q) => q.verdict !== q.expected && q.verdict !== 'tell');
  const told = answers.map((a, n) => ({ ...questions[n], ...a })).filter((q) => q.verdict === 'tell');
  const counts = {};
  for (const q of questions) counts[q.expected] = (counts[q.expected] || 0) + 1;
  const why = {};
  for (const q of told) why[q.message] = (why[q.message] || 0) + 1;
  const name = pages[i].split('/').pop();
  console.log(`${name}: ${questions.length} questions ${JSON.stringify(counts)}, ${different.length} different, ${told.length} left to the command line, ${took} ms`);
  if (process.env.NETPAL_SHOW) console.log(why);
  for (const q of different.slice(0, Number(process.env.NETPAL_SHOW || 10))) console.log('  ' + JSON.stringify(q));
  if (wrong.length) console.log('  ' + wrong.join('\n  '));
  if (different.length || wrong.length || told.length * 100 > most * questions.length) failures += 1;
  await page.close();
}
await browser.close();
console.log(failures ? failures + ' failed' : 'all passed');
process.exit(failures ? 1 : 0);
