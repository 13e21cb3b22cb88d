// The story app and the dashboard beside each other: what one sees of the other, and what both say when the host is gone.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { pageSnapshot, seriesBetween } from '../harness/api.mjs';
import { launchBrowser } from '../harness/browser.mjs';
import { Dashboard } from '../harness/dashboard.mjs';
import { Host } from '../harness/host.mjs';
import { Studio } from '../harness/studio.mjs';

const TEST_LIMIT = { timeout: 300_000 };
/** How far the CPU shown at a tick may be from the kernel's own account of the time since the tick before. */
const CPU_TOLERANCE = 0.1;
const SECONDS_COMPARED = 6;
/** A frame at either end of an interval may count on the other side of it. */
const FRAMES_TOLERANCE = 2;

let host;
let browser;
let dashboard;
let studio;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

// Each test has a host of its own, so that none counts another's pages.
beforeEach(async () => {
  host = await new Host().start();
  dashboard = await Dashboard.open(browser, host);
  studio = await Studio.open(browser, host);
  await studio.openSample();
});

afterEach(async () => {
  await dashboard.close();
  await studio.close();
  await host.dispose();
  dashboard.watch.assertQuiet();
  studio.watch.assertQuiet();
});

test('the dashboard shows the frame rate of the page and the CPU of the host', TEST_LIMIT, async () => {
  const [source] = await dashboard.sources(1);
  const shown = await dashboard.frameRate(source);
  assert.ok(shown > 0 && shown < 250, `${shown} frames a second`);

  const counting = await countFrames(studio.page);
  for (const cpu of await dashboard.cpuBesideKernel(SECONDS_COMPARED)) {
    assert.ok(Math.abs(cpu.shown - cpu.kernel) <= CPU_TOLERANCE, `shown ${cpu.shown.toFixed(3)}, /proc/stat ${cpu.kernel.toFixed(3)}`);
  }
  const { from, to, frames } = await counting.stop();

  const whole = studio.sent.filter(({ atUnixMillis: at, intervalMillis }) => at - intervalMillis > from && at < to);
  assert.ok(whole.length >= 2, `${whole.length} samples of the page in ${to - from} ms`);
  for (const { atUnixMillis: at, intervalMillis, framesPerSecond } of whole) {
    const counted = frames.filter((frame) => frame > at - intervalMillis && frame <= at).length;
    const reported = (framesPerSecond * intervalMillis) / 1000;
    assert.ok(Math.abs(reported - counted) <= FRAMES_TOLERANCE, `reported ${reported.toFixed(1)} frames in ${intervalMillis} ms, counted ${counted}`);
  }
  // Two samples may fall into one second of the host's, which is then kept as one value between them.
  const rates = studio.sent.map(({ framesPerSecond }) => framesPerSecond).filter((rate) => rate !== null);
  const kept = (await seriesBetween(host, `page.fps{source="${source}"}`, from, to)).map(({ value }) => value);
  assert.ok(kept.length >= 2, `${kept.length} values of the page's frame rate in ${to - from} ms`);
  const areReported = Math.min(...kept) >= 0.99 * Math.min(...rates) && Math.max(...kept) <= 1.01 * Math.max(...rates);
  assert.ok(areReported, `kept ${kept.join()}, reported ${rates.join()}`);
});

test('a second page has a card of its own, and a page closed in mid-task says goodbye', TEST_LIMIT, async () => {
  const [first] = await dashboard.sources(1);
  const second = await Studio.open(browser, host);
  await second.openSample();
  const other = (await dashboard.sources(2)).find((source) => source !== first);
  assert.ok(other !== undefined, 'two pages have two sources');
  await dashboard.frameRate(other);

  await second.read(20_000);
  await second.untilFigure('montecarlo-progress', 'value', 'above', 0);
  await second.page.close({ runBeforeUnload: true });
  await dashboard.cards({ source: other, link: 'closed' }).waitFor();
  assert.equal((await pageSnapshot(host, other)).link, 'closed');
  await dashboard.cards({ source: first, link: 'live' }).waitFor();
  second.watch.assertQuiet();
  await second.close();
  assert.doesNotMatch(host.output, /\bERROR\b|panicked|could not be/);
});

test('the host is stopped and started again: both pages say so, recover, and lose no sample', TEST_LIMIT, async (t) => {
  const [source] = await dashboard.sources(1);
  await dashboard.frameRate(source);
  dashboard.watch.allowHostAway();
  studio.watch.allowHostAway();

  const stopping = Date.now();
  assert.equal(await host.stop(), 0);
  await dashboard.hostIs('lost');
  t.diagnostic(`shown as lost ${Date.now() - stopping} ms after the host was asked to stop`);
  await studio.until('host-link', { status: 'away' });
  await dashboard.cards({ source, link: 'lost' }).waitFor();
  // The page works without a host, and long enough for some samples to wait.
  await studio.choose();
  await studio.read(200);
  await studio.readersAre('done');
  await dashboard.page.getByText(/Host lost for (?:(?:[5-9]|\d\d)\s*s|\d+\s*min)/).waitFor();
  const queued = await studio.untilFigure('host-link', 'queued', 'at least', 5);

  const starting = Date.now();
  await host.start();
  await dashboard.hostIs('live');
  await studio.until('host-link', { status: 'connected', queued: 0 });
  await dashboard.cards({ source, link: 'live' }).waitFor();
  await dashboard.frameRate(source);
  const waited = new Set(studio.sent.map(({ atUnixMillis: at }) => at).filter((at) => at > stopping && at < starting));
  // Every sample says how many workers there are, whatever else it knows.
  const kept = await seriesBetween(host, `page.pool_workers{source="${source}"}`, stopping - 1000, Date.now());
  const seen = `${queued} samples waited, of the ${starting - stopping} ms without a host ${waited.size} were sent, and since then ${kept.length} are kept`;
  t.diagnostic(seen);
  assert.ok(waited.size >= queued - 1, seen);
  assert.ok(kept.length >= waited.size, seen);
  assert.equal((await pageSnapshot(host, source)).droppedSamples, 0);
});

test('a host that hangs is shown as lost too', TEST_LIMIT, async () => {
  dashboard.watch.allowHostAway();
  studio.watch.allowHostAway();
  process.kill(host.pid, 'SIGSTOP');
  try {
    await dashboard.hostIs('lost');
  } finally {
    process.kill(host.pid, 'SIGCONT');
  }
  await dashboard.hostIs('live');
  await dashboard.nextCpu();
});

/** Notes when a page draws frames, by the page's own clock, from now until it is told to stop. */
async function countFrames(page) {
  await page.evaluate(() => {
    const from = Date.now();
    const frames = [];
    const frame = () => {
      frames.push(Date.now());
      handle = requestAnimationFrame(frame);
    };
    let handle = requestAnimationFrame(frame);
    globalThis.framesCounted = () => {
      cancelAnimationFrame(handle);
      return { from, to: Date.now(), frames };
    };
  });
  return { stop: () => page.evaluate(() => globalThis.framesCounted()) };
}
