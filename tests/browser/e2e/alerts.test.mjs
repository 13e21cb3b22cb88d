// Taking care of alerts on the dashboard: what fires says why, and can be acknowledged and silenced by whoever may.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Dashboard } from '../harness/dashboard.mjs';
import { Host } from '../harness/host.mjs';
import { atOnce } from '../harness/moment.mjs';
import { picture } from '../harness/picture.mjs';

const TEST_LIMIT = { timeout: 120_000 };
const WALL = 'wall-'.padEnd(40, '0');
const OPERATOR = 'operator-'.padEnd(40, '0');
/** Memory is always in use, so this fires once the first processes have been read, and goes on. */
const RULES = `
defaults = false

[[rule]]
name = "memory-in-use"
series = "host.memory.used"
unit = "ratio"
culprit = "process-by-memory"
look_first = "the process that uses most memory"
critical = { threshold = 0.01, clear = 0.005, for = "5s" }
`;

let folder;
let host;
let browser;
let dashboard;
let page;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quillwork-alerts-'));
  const file = async (name, text) => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const rules = await file('rules.toml', RULES);
  const config = await file(
    'quillwork.toml',
    `[auth.tokens.wall]\nfile = "${await file('wall', WALL)}"\nscopes = ["read"]\n` +
      `[auth.tokens.operator]\nfile = "${await file('operator', OPERATOR)}"\nscopes = ["admin"]\n`,
  );
  host = await new Host(['--config', config, '--set', `alerts.rules=${rules}`]).start();
  browser = await launchBrowser({ webgpu: false });
  dashboard = await Dashboard.open(browser, host, {}, `/#token=${WALL}`);
  ({ page } = dashboard);
});

after(async () => {
  await browser?.close();
  await host?.dispose();
  if (folder) await rm(folder, { recursive: true });
});

const alert = () => page.locator('[data-testid=alert][data-rule=memory-in-use][data-state=critical]');
/** A button once it takes anything: while the host is told of something, none does. */
const button = (id) => page.locator(`[data-testid=${id}]:enabled`);
const dialog = () => page.getByTestId('care');

test('an alert says what it is about, who is to blame, and where to look', TEST_LIMIT, async () => {
  await alert().waitFor();
  const text = (await alert().innerText()).replace(/\s+/g, ' ');
  assert.match(text, /critical at 1 %/);
  assert.match(text, /Culprit (process |\d+ processes of )\S/);
  assert.match(text, /Look first at the process that uses most memory/);
  assert.match(text, /since \d\d:\d\d:\d\d/);
});

test('a token that may only look is told so, and another may be entered', TEST_LIMIT, async () => {
  dashboard.watch.allowRefusals();
  await alert().locator(button('acknowledge')).press('Enter');
  await dialog().getByTestId('author').fill('Ann');
  await page.keyboard.press('Enter');
  await dialog().getByText("This tab's token may only look.").waitFor();
  await picture(page, 'dashboard-refused');
  await dialog().getByText('Enter another token').click();
  await page.getByTestId('token').fill(OPERATOR);
  await page.keyboard.press('Enter');
  await page.getByTestId('token').waitFor({ state: 'detached' });
  await dashboard.hostIs('live');
});

test('who takes care of it stands there, until they give it back', TEST_LIMIT, async () => {
  await alert().locator(button('acknowledge')).press('Enter');
  assert.equal(await dialog().getByTestId('author').inputValue(), 'Ann', 'the name is remembered');
  // What is said next takes its place.
  const said = atOnce(page, '[role=status][aria-live=polite]', { text: '^Acknowledged: memory-in-use\\.$' });
  await Promise.all([said, page.keyboard.press('Enter')]);
  await dialog().waitFor({ state: 'hidden' });
  await alert().getByText('Ann', { exact: true }).waitFor();
  await alert().locator(button('acknowledge')).press('Enter');
  await alert().getByText('Ann', { exact: true }).waitFor({ state: 'hidden' });
});

test('Escape leaves without doing anything', TEST_LIMIT, async () => {
  await alert().locator(button('silence')).press('Enter');
  await dialog().getByTestId('comment').fill('never sent');
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'hidden' });
  assert.ok(await alert().getByTestId('silence').evaluate((button) => button === document.activeElement));
});

test('a silence is made, listed and lifted', TEST_LIMIT, async () => {
  await alert().locator(button('silence')).press('Enter');
  await dialog().getByTestId('duration').selectOption('4 hours');
  await dialog().getByTestId('comment').fill('moving the data');
  await page.keyboard.press('Enter');
  await page.getByTestId('silences').locator('summary').click();
  const row = page.getByTestId('silence-row');
  await row.waitFor();
  assert.match((await row.innerText()).replace(/\s+/g, ' '), /memory-in-use until .*, for (3 h 59 min|4 h) more by Ann: moving the data/);
  await alert().getByText(/^silence \d+$/).waitFor();
  await picture(page, 'dashboard-silenced', { fullPage: true });
  await row.locator(button('lift')).press('Enter');
  await row.waitFor({ state: 'detached' });
  await alert().getByText(/^silence \d+$/).waitFor({ state: 'hidden' });
});

test('it leads to the past of what it watches', TEST_LIMIT, async () => {
  await alert().getByTestId('show-past').press('Enter');
  await page.getByTestId('past-chart').getByText('host.memory.used', { exact: true }).waitFor();
  await page.waitForURL(({ searchParams }) => searchParams.getAll('series').join() === 'host.memory.used');
  await page.goBack();
  await alert().waitFor();
});

test('nothing complained meanwhile', () => dashboard.watch.assertQuiet());
