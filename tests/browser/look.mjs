// What every test in the browser does: starts it, and looks at a page for what somebody cannot use.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The task: one line of JSON on standard input. */
export const readTask = () => JSON.parse(readFileSync(0, 'utf8'));

export const launch = (executablePath) => chromium.launch({
  executablePath,
  // The browser's own sandbox does not start for root, which is who runs tests in a container.
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});

/** What the accessibility check has against the page as it is now. */
export async function violations(page) {
  // Evaluated instead of loaded: the pages' own policy lets no script in.
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run());
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.slice(0, 5).map((node) => node.html).join(' ')})`);
}
