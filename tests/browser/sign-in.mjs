// Signs in with a real browser and tells what it saw. The task is one line of JSON on standard input:
// { chromium, url, user, password, action }, the answer one line of JSON on standard output: for each of the two pages its
// title, text, address, referrer and accessibility violations, and of the last one the browser's history too. Where they
// show the code that the identity service issued, the mark in `codeMark` stands for it; `hasCode` says that there was one.
import { launch, readTask, violations } from './look.mjs';

const task = readTask();

async function look(page) {
  return {
    violations: await violations(page),
    title: await page.title(),
    text: await page.evaluate(() => document.documentElement.outerHTML),
    address: page.url(),
    referrer: await page.evaluate(() => document.referrer),
  };
}

const browser = await launch(task.chromium);
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const posted = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().startsWith('http://localhost')) {
      posted.push(new URLSearchParams(request.postData() ?? ''));
    }
  });
  await page.goto(task.url);
  const signIn = await look(page);
  if (task.action !== 'cancel') {
    await page.getByLabel('User name').fill(task.user);
    await page.getByLabel('Password').fill(task.password);
  }
  await page.getByRole('button', { name: task.action === 'cancel' ? 'Cancel' : 'Sign in' }).click();
  await page.waitForURL('http://localhost:*/signed-in');
  const last = await look(page);
  const session = await context.newCDPSession(page);
  const { entries } = await session.send('Page.getNavigationHistory');
  // As the request carried it to the listener. It is not handed on: the answer is only to say where it was seen.
  const code = posted.map((form) => form.get('code')).find((given) => given?.length > 20);
  const codeMark = '(the issued code)';
  const pages = JSON.stringify({
    hasCode: code !== undefined,
    codeMark,
    signIn,
    last: {
      ...last,
      history: entries.map(({ url, title }) => `${url} ${title}`),
      heading: await page.getByRole('heading', { level: 1 }).innerText(),
    },
  });
  console.log(code === undefined ? pages : pages.replaceAll(code, codeMark).replaceAll(encodeURIComponent(code), codeMark));
} finally {
  await browser.close();
}
