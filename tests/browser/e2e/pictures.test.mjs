// Both pages at work, dark and light, wide and narrow: they are readable, fit, and leave pictures.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Dashboard } from '../harness/dashboard.mjs';
import { assertFits } from '../harness/fits.mjs';
import { Host } from '../harness/host.mjs';
import { picture } from '../harness/picture.mjs';
import { Studio } from '../harness/studio.mjs';

const TEST_LIMIT = { timeout: 300_000 };
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 390, height: 844 };
/** Enough history for a chart to show a line. */
const SAMPLES = 12;

let host;
let browser;
let dashboard;
let studio;

before(async () => {
  host = await new Host().start();
  browser = await launchBrowser();
  dashboard = await Dashboard.open(browser, host, { viewport: WIDE });
  studio = await Studio.open(browser, host, { viewport: WIDE });
});

after(async () => {
  await browser?.close();
  await host?.dispose();
});

test('the story app before a story', TEST_LIMIT, async () => {
  await inEveryForm(studio.page, 'story-welcome');
});

test('the story app with what it refuses', TEST_LIMIT, async () => {
  await studio.openFile('broken.ink', 'Hello.\n\n* [Go on.] -> nowhere\n* Stay.\n-> END\n');
  await studio.until('error', { code: 'compile' });
  await inEveryForm(studio.page, 'story-refused');
});

test('the story app with a story', TEST_LIMIT, async () => {
  await studio.openSample();
  for (let turn = 0; turn < 3; turn += 1) await studio.choose();
  await studio.read(1000);
  await studio.readersAre('done');
  await studio.measure(256);
  await inEveryForm(studio.page, 'story');
  for (const part of ['montecarlo-results', 'device-max-error', 'similar-list']) {
    await studio.get(part).scrollIntoViewIfNeeded();
    await picture(studio.page, `story-${part}`);
  }
  await studio.get('diagnostics-toggle').click();
  await picture(studio.page, 'story-diagnostics');
  await studio.get('diagnostics-toggle').click();
  // Where the parts have no room beside each other, each has a tab.
  await studio.page.setViewportSize(NARROW);
  for (const part of ['map', 'play', 'analysis']) {
    await studio.get(`tab-${part}`).click();
    await inEveryForm(studio.page, `story-${part}`, { widths: { narrow: NARROW } });
  }
});

test('the dashboard with a page that works', TEST_LIMIT, async () => {
  const [source] = await dashboard.sources(1);
  await studio.read(5000);
  await dashboard.frameRate(source);
  for (let sample = 0; sample < SAMPLES; sample += 1) await dashboard.nextCpu();
  await inEveryForm(dashboard.page, 'dashboard-working', { fullPage: true });
});

test('both pages without a host', TEST_LIMIT, async () => {
  dashboard.watch.allowHostAway();
  studio.watch.allowHostAway();
  await host.stop();
  await dashboard.hostIs('lost');
  await studio.until('host-link', { status: 'away' });
  await studio.page.setViewportSize(WIDE);
  await picture(dashboard.page, 'dashboard-lost');
  await picture(studio.page, 'story-host-away');
});

test('nothing complained meanwhile', () => {
  dashboard.watch.assertQuiet();
  studio.watch.assertQuiet();
});

/** Pictures in both colour schemes and all widths, in each of which the page is readable and no wider than the window. */
async function inEveryForm(page, name, { fullPage = false, widths = { wide: WIDE, narrow: NARROW } } = {}) {
  const viewport = page.viewportSize();
  for (const [width, size] of Object.entries(widths)) {
    await page.setViewportSize(size);
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme });
      await picture(page, `${name}-${width}-${colorScheme}`, { fullPage });
      await assertFits(page, `${name}, ${width}`);
      const contrast = await page.evaluate(measure);
      assert.ok(contrast.ratio >= 4.5, `${name}, ${colorScheme}: ${JSON.stringify(contrast)}`);
    }
  }
  await page.setViewportSize(viewport);
}

/** In the page: the contrast of its body's text as WCAG 2 reckons it. */
function measure() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) =>
    channels(colour)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const background = [document.body, document.documentElement]
    .map((element) => getComputedStyle(element).backgroundColor)
    .find((colour) => channels(colour)[3] !== 0);
  const text = getComputedStyle(document.body).color;
  const [light, dark] = [luminance(background), luminance(text)].sort((a, b) => b - a);
  return { ratio: (light + 0.05) / (dark + 0.05), text, background };
}
