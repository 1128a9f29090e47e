// Reads the page of customers' security with a real browser, as somebody would who has only a keyboard, and tells what it saw. The
// task is one line of JSON on standard input: { chromium, path, scheme, width, search, picture }; scheme is light or dark, picture
// where to put what was on the screen, if anywhere. The answer is one line of JSON on standard output.
import { pathToFileURL } from 'node:url';
import { launch, readTask, violations } from './look.mjs';

const task = readTask();
const browser = await launch(task.chromium);
try {
  const context = await browser.newContext({ colorScheme: task.scheme, viewport: { width: task.width, height: 900 } });
  const page = await context.newPage();
  const requests = [];
  const complaints = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog says ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(pathToFileURL(task.path).href);
  if (task.picture) {
    await page.screenshot({ path: task.picture, fullPage: false });
  }

  const column = (name) => page.evaluate((wanted) => {
    const cells = [...document.querySelector('table').tHead.rows[0].cells];
    return cells.findIndex((cell) => cell.textContent === wanted);
  }, name);
  const values = async (name) => page.evaluate(
    (at) => [...document.querySelector('table').tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[at].dataset.value),
    await column(name));
  const sorted = () => page.evaluate(() => [...document.querySelectorAll('th[aria-sort]')].map((cell) => `${cell.textContent} ${cell.getAttribute('aria-sort')}`));

  const first = { sort: await sorted(), names: await values('Customer'), violations: await violations(page) };
  // By the keyboard alone: the header's button has the focus, Enter sorts, Enter again turns it round.
  await page.getByRole('columnheader', { name: 'Score' }).getByRole('button').focus();
  await page.keyboard.press('Enter');
  const down = { sort: await sorted(), scores: await values('Score') };
  await page.keyboard.press('Enter');
  const up = { sort: await sorted(), scores: await values('Score') };
  await page.getByLabel('Search customers').fill(task.search);
  const found = { said: await page.getByRole('status').innerText(), names: await values('Customer'), violations: await violations(page) };

  console.log(JSON.stringify({
    requests,
    complaints,
    first,
    down,
    up,
    found,
    ground: await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
    overflow: await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    images: await page.evaluate(() => document.querySelectorAll('tbody img, tbody script, tbody b').length),
    shown: await page.evaluate(() => [...document.querySelectorAll('tbody .name')].map((name) => name.textContent)),
    charts: await page.getByRole('img').evaluateAll((charts) => charts.map((chart) => chart.querySelector('title').textContent)),
  }));
} finally {
  await browser.close();
}
