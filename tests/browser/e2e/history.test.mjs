// The past on the dashboard: any range, any series, zoom by mouse and keyboard, and an address that shows the same again.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Dashboard } from '../harness/dashboard.mjs';
import { assertFits } from '../harness/fits.mjs';
import { Host } from '../harness/host.mjs';
import { timeAtMidday } from '../harness/midday.mjs';
import { picture } from '../harness/picture.mjs';

const TEST_LIMIT = { timeout: 120_000 };
const LOAD = 'host.load.1m';

let host;
let browser;
let dashboard;
let page;

before(async () => {
  host = await new Host().start();
  const noted = await fetch(`${host.url}/api/v1/annotations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'deployed <b>7</b>', tags: ['deploy'] }),
  });
  assert.equal(noted.status, 201, await noted.text());
  browser = await launchBrowser({ webgpu: false });
  dashboard = await Dashboard.open(browser, host);
  ({ page } = dashboard);
  await dashboard.nextCpu();
  await page.getByRole('navigation', { name: 'Parts' }).getByText('History').click();
});

after(async () => {
  await browser?.close();
  await host?.dispose();
});

const charts = () => page.getByTestId('past-chart');
const plot = () => charts().first().locator('.plot');

/** Resolves once `test` holds of the address, with the range that it names. */
async function addressed(test) {
  const rangeOf = ({ searchParams }) => {
    const [from, to] = ['from', 'to'].map((name) => Number(searchParams.get(name)));
    return { from, to, length: to - from, params: searchParams };
  };
  await page.waitForURL((url) => test(rangeOf(url))).catch((error) => {
    throw new Error(`the address is ${page.url()}`, { cause: error });
  });
  return rangeOf(new URL(page.url()));
}

/** Resolves once the picture of this range is there. */
const isShown = ({ from, to }) => page.getByTestId('resolution').getByText(`${timeAtMidday(from)} to ${timeAtMidday(to)}:`).waitFor();

/** Resolves once what is shown is what was asked for last. */
const settled = () => page.locator('.past-charts[aria-busy=false]').waitFor();

test('it shows what the host keeps, and how finely', TEST_LIMIT, async () => {
  await charts().first().getByText('host.cpu.total', { exact: true }).waitFor();
  await charts().first().getByText(/%.* to .*%, mean/).first().waitFor();
  assert.match(await page.getByTestId('resolution').innerText(), /lowest and highest of every \d/);
  await addressed(({ params }) => params.get('view') === 'history');
});

test('a series is found, compared, and taken out again', TEST_LIMIT, async () => {
  await page.getByTestId('series-search').fill('load 1m');
  await page.getByLabel(LOAD, { exact: true }).check();
  await charts().nth(1).getByText(LOAD, { exact: true }).waitFor();
  await addressed(({ params }) => params.getAll('series').includes(LOAD));
  await page.getByLabel(`Take ${LOAD} out`).click();
  await charts().nth(1).waitFor({ state: 'detached' });
});

test('annotations are listed as text', TEST_LIMIT, async () => {
  await page.getByTestId('annotations').getByText('deployed <b>7</b>').waitFor();
});

test('a drag zooms in, and Escape leads back', TEST_LIMIT, async () => {
  const box = await plot().locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  const { length } = await addressed(({ params }) => params.has('from'));
  assert.ok(Math.abs(length - 1_800_000) < 60_000, `half an hour of an hour: ${length}`);
  await page.mouse.move(0, 0);
  await plot().focus();
  await page.keyboard.press('Escape');
  await addressed(({ params }) => !params.has('from'));
});

test('plus, minus and the page keys change the range', TEST_LIMIT, async () => {
  await plot().press('+');
  await addressed(({ length }) => length === 1_800_000);
  await settled();
  await plot().press('-');
  const { from: before } = await addressed(({ length }) => length === 3_600_000);
  await settled();
  await plot().press('PageUp');
  await isShown(await addressed(({ from, length }) => before - from === 1_800_000 && length === 3_600_000));
  assert.match(await charts().first().innerText(), /no data/, 'the host was not there yet');
  assert.ok(await plot().evaluate((element) => element === document.activeElement), 'the keys go on to the chart');
});

test('the arrows read it out, and the cursor stays on its instant as the range moves', TEST_LIMIT, async () => {
  const reading = page.locator('[aria-live=polite]:not([role])');
  await page.getByTestId('last-15m').click();
  await addressed(({ params }) => params.get('last') === '15m' && !params.has('from'));
  // Only so short a range is shown by the second.
  await page.locator('[data-testid=resolution][data-step="1000"]').waitFor();
  await plot().press('End');
  await reading.getByText(/^\d\d:\d\d:\d\d\. host/).waitFor({ state: 'attached' });
  const newest = await reading.textContent();
  assert.match(newest, /^\d\d:\d\d:\d\d\. host\.cpu\.total <?\d+\s%\. host\.memory\.used <?\d+\s%$/);
  const at = charts().first().getByText(`at ${newest.slice(0, 8)}`, { exact: true });
  await at.waitFor();
  await page.waitForResponse(/annotations/);
  await settled();
  assert.equal(await at.count(), 1, await charts().first().innerText());
  await plot().press('ArrowLeft');
  await reading.getByText(newest).waitFor({ state: 'detached' });
  assert.match(await reading.textContent(), /^\d\d:\d\d:\d\d\. host\.cpu\.total/);
});

test('an address shows the same to somebody else', TEST_LIMIT, async () => {
  await page.goto(`${host.url}/?view=history&last=24h&series=host.memory.used&series=host.${'nothing'.repeat(20)}`);
  await charts().first().getByText('host.memory.used', { exact: true }).waitFor();
  await page.getByTestId('resolution').getByText('Nothing kept of host.nothing').waitFor();
  await page.getByTestId('resolution').getByText(/^\w{3} \d\d? \w{3}, \d\d:\d\d to today, \d\d:\d\d: lowest/).waitFor();
  assert.equal(await page.getByTestId('last-24h').getAttribute('aria-pressed'), 'true');
  assert.doesNotMatch(await charts().first().innerText(), /no data/);
});

test('a series is saved as comma-separated values', TEST_LIMIT, async () => {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByLabel('Save host.memory.used as CSV').click(),
  ]);
  const lines = await new Response(await download.createReadStream().then((stream) => stream.toArray()).then((parts) => new Blob(parts))).text();
  assert.match(lines, /host\.memory\.used/);
});

test('it fits a narrow screen', TEST_LIMIT, async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await assertFits(page, 'a narrow screen');
  await picture(page, 'dashboard-history-narrow', { fullPage: true });
  await page.setViewportSize({ width: 1600, height: 1000 });
  await picture(page, 'dashboard-history', { fullPage: true });
});

test('the live part says what follows, or what is missing for that', TEST_LIMIT, async () => {
  await page.getByRole('navigation', { name: 'Parts' }).getByText('Live').click();
  const insights = page.getByTestId('insights');
  await insights.getByText('What could not be told yet').click();
  assert.match(await insights.innerText(), /a trend takes an hour/);
});

test('nothing complained meanwhile', () => dashboard.watch.assertQuiet());
