// The dashboard over the release binary: what it shows of this machine, and what it says when the host is gone.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Host } from '../harness/host.mjs';
import { busyRatio, cpuTicks } from '../harness/procstat.mjs';

/** How far the shown CPU may be from the kernel's own account of the same seconds. */
const CPU_TOLERANCE = 0.1;
const CPU_SAMPLES = 8;

let host;
let browser;
let page;
const errors = [];
const ticks = new EventEmitter();

before(async () => {
  host = await new Host().start();
  browser = await launchBrowser({ webgpu: false });
  page = await browser.newPage();
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      if (JSON.parse(payload).type === 'tick') ticks.emit('tick');
    }),
  );
  await page.goto(`${host.url}/`);
  await hostIs('live');
});

after(async () => {
  await browser?.close();
  await host?.dispose();
});

test('it shows the CPU that the kernel accounts for', { timeout: 60_000 }, async () => {
  // The host measures from tick to tick; from the first on, both sides look at the same seconds.
  await nextSample();
  const start = await cpuTicks();
  const shown = [];
  for (let sample = 0; sample < CPU_SAMPLES; sample += 1) shown.push(await nextSample());
  const kernel = busyRatio(start, await cpuTicks());
  const mean = shown.reduce((sum, value) => sum + value, 0) / shown.length;
  assert.ok(Math.abs(mean - kernel) <= CPU_TOLERANCE, `shown ${mean.toFixed(3)}, /proc/stat ${kernel.toFixed(3)}`);
});

test('it shows the memory in use', async () => {
  const used = await page.locator('[data-testid=memory-used]').getAttribute('data-value');
  assert.ok(Number(used) > 0 && Number(used) < 1, `memory in use: ${used}`);
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
    await screenshot(`dashboard-${colorScheme}`);
  }
});

test('it fits a narrow screen', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await screenshot('dashboard-narrow');
  await page.setViewportSize({ width: 1280, height: 720 });
  assert.ok(overflow <= 0, `it is ${overflow} pixels too wide`);
});

test('it says that the host is lost, and catches up when it is back', { timeout: 60_000 }, async () => {
  await host.stop('SIGKILL');
  await hostIs('lost');
  await host.start();
  await hostIs('live');
  await nextSample();
});

test('nothing was thrown meanwhile', () => {
  assert.deepEqual(errors, []);
});

function hostIs(state) {
  return page.locator(`[data-testid=host-status][data-state=${state}]`).waitFor({ timeout: 30_000 });
}

/** Resolves once the next tick of the host has come and been drawn, with the share of CPU that is then shown. */
async function nextSample() {
  await once(ticks, 'tick', { signal: AbortSignal.timeout(30_000) });
  const shown = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const read = () => resolve(document.querySelector('[data-testid=cpu-total]')?.dataset.value);
        requestAnimationFrame(() => requestAnimationFrame(read));
      }),
  );
  assert.ok(shown !== undefined, 'the dashboard shows no CPU after a tick');
  return Number(shown);
}

async function screenshot(name) {
  const directory = process.env.QUILLWORK_SCREENSHOTS;
  if (directory) await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}
