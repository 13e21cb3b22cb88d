// The dashboard over the release binary: what it shows of this machine, and what it says when the host is gone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Dashboard } from '../harness/dashboard.mjs';
import { untilFigure } from '../harness/figure.mjs';
import { assertFits } from '../harness/fits.mjs';
import { Host } from '../harness/host.mjs';
import { picture } from '../harness/picture.mjs';

/** How far the CPU shown at a tick may be from the kernel's own account of the time since the tick before. */
const CPU_TOLERANCE = 0.1;
const CPU_SAMPLES = 8;

/** A second that a host measures at in a test. */
const BEGINNING = 1_800_000_000;

/** What a visitor may have to load before there is something to see, compressed. */
const MOST_BYTES = 300_000;

let host;
let browser;
let dashboard;
let page;

before(async () => {
  host = await new Host().start();
  browser = await launchBrowser({ webgpu: false });
  dashboard = await Dashboard.open(browser, host);
  ({ page } = dashboard);
});

after(async () => {
  await browser?.close();
  await host?.dispose();
});

test('all that it loads is 300 KB at most', async () => {
  const loaded = await page.evaluate(() =>
    performance.getEntries()
      .filter((entry) => entry.encodedBodySize !== undefined && !new URL(entry.name).pathname.startsWith('/api/'))
      .map((entry) => [new URL(entry.name).pathname, entry.encodedBodySize]),
  );
  const sizes = new Map(loaded);
  const shown = [...sizes].map(([path, bytes]) => `${bytes} ${path}`).join('\n');
  for (const kind of [/^\/$/, /\.wasm$/, /\.js$/, /\.css$/]) {
    assert.ok([...sizes].some(([path, bytes]) => kind.test(path) && bytes > 0), `nothing like ${kind} was loaded:\n${shown}`);
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes:\n${shown}`);
});

test('it shows the CPU that the kernel accounts for', { timeout: 120_000 }, async () => {
  for (const { shown, kernel } of await dashboard.cpuBesideKernel(CPU_SAMPLES)) {
    assert.ok(Math.abs(shown - kernel) <= CPU_TOLERANCE, `shown ${shown.toFixed(3)}, /proc/stat ${kernel.toFixed(3)}`);
  }
});

test('it shows every tick, though the host measures on the turn of a second', { timeout: 120_000 }, async () => {
  const context = await browser.newContext();
  const turned = new Dashboard(await context.newPage());
  const sent = new Set();
  await turned.page.routeWebSocket(/\/ws$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((text) => {
      const message = JSON.parse(text);
      if (message.type === 'tick' && message.host !== null) {
        const { sequence } = message;
        sent.add(sequence);
        // Now just before a second begins, now just after.
        message.host.atUnixMillis = (BEGINNING + sequence) * 1000 + (sequence % 2 === 0 ? -4 : 4);
        message.host.cpu.totalRatio = sequence / 4096;
      }
      socket.send(JSON.stringify(message));
    });
  });
  await turned.page.goto(`${host.url}/`);
  const shown = await turned.page.evaluate(
    (count) =>
      new Promise((resolve) => {
        const values = [];
        const look = () => {
          const value = document.querySelector('[data-testid=cpu-total]')?.dataset.value;
          if (value !== undefined && value !== values.at(-1)) values.push(value);
          if (values.length === count) resolve(values.map(Number));
        };
        new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
      }),
    6,
  );
  const sequences = shown.map((ratio) => ratio * 4096);
  const began = [...sent].indexOf(sequences[0]);
  assert.deepEqual(sequences, [...sent].slice(began, began + sequences.length));
  turned.watch.assertQuiet();
  await context.close();
});

test('it shows the memory in use', async () => {
  const used = await untilFigure(page, '[data-testid=memory-used]', 'value', 'above', 0);
  assert.ok(used < 1, `memory in use: ${used}`);
});

test('it is readable in the dark and in the light', async () => {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    const background = await page.evaluate(() => {
      const colours = [document.body, document.documentElement].map((element) => getComputedStyle(element).backgroundColor);
      return colours.find((colour) => colour !== 'rgba(0, 0, 0, 0)');
    });
    const luminance = Math.max(...background.match(/[\d.]+/g).slice(0, 3).map(Number));
    assert.equal(luminance > 128, colorScheme === 'light', `${colorScheme}: ${background}`);
    await picture(page, `dashboard-${colorScheme}`, { fullPage: true });
  }
});

test('it fits a narrow screen', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await assertFits(page, 'a narrow screen');
  await picture(page, 'dashboard-narrow', { fullPage: true });
  await page.setViewportSize({ width: 1280, height: 720 });
});

test('it says that the host is lost, and catches up when it is back', { timeout: 120_000 }, async () => {
  dashboard.watch.allowHostAway();
  await host.stop('SIGKILL');
  await dashboard.hostIs('lost');
  await host.start();
  await dashboard.hostIs('live');
  await dashboard.nextCpu();
});

test('nothing complained meanwhile', () => dashboard.watch.assertQuiet());
