// What telemetry costs the main thread of a busy page: `npm run build && node bench/telemetry.mjs [--rounds=7]`.
// A page animates, computes 6 ms of each frame, and has ten spans, ten counters and a long frame a second. Loads of it with and without
// telemetry take turns. Prints a line of JSON: medians over the rounds of the main thread's time (the browser's own count of it) and of what
// telemetry told of itself.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { launch, open, serve } from '../tests/browser.mjs';
import { quantile } from './rounds.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const rounds = Number(process.argv.find((argument) => argument.startsWith('--rounds='))?.slice('--rounds='.length) ?? 7);
const SECONDS = 20;

const PAGE = `<!doctype html><title>Busy</title><h1>Busy</h1><script type="module">
  window.run = async (seconds, measured) => {
    let telemetry;
    if (measured) {
      const { createTelemetry } = await import('/dist/index.js');
      telemetry = createTelemetry();
    }
    const block = (millis) => { for (const end = performance.now() + millis; performance.now() < end; ); };
    const ratios = [];
    telemetry?.subscribe(() => ratios.push(telemetry.latest?.telemetryCostRatio ?? 0));
    const end = performance.now() + seconds * 1_000;
    let frames = 0;
    await new Promise((done) => {
      const frame = (now) => {
        frames += 1;
        block(frames % 60 === 0 ? 80 : 6);
        if (frames % 6 === 0) {
          telemetry?.counter('frames.of.six').add();
          telemetry?.span('step', () => undefined);
        }
        document.querySelector('h1').style.marginLeft = (frames % 50) + 'px';
        return now < end ? requestAnimationFrame(frame) : done();
      };
      requestAnimationFrame(frame);
    });
    return { frames, ratio: ratios.slice(2).reduce((sum, ratio) => sum + ratio, 0) / Math.max(1, ratios.length - 2) };
  };
</script>`;

const site = await serve(root, {
  // Isolated pages have finer clocks.
  headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
  handle: (_request, response, { pathname }) => {
    if (pathname !== '/') {
      return false;
    }
    response.writeHead(200, {
      'content-type': 'text/html',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(PAGE);
    return true;
  },
});
const sockets = new WebSocketServer({ server: site.server, path: '/ws' });
sockets.on('connection', (socket) =>
  socket.on('message', (data) => {
    const { type, batchId } = JSON.parse(data.toString());
    socket.send(JSON.stringify(type === 'hello' ? { type: 'welcome', version: 1 } : { type: 'ack', batchId }));
  }),
);
const browser = await launch();

/** Main-thread time and telemetry's own account of it, as shares of the time. */
async function load(measured) {
  const { page } = await open(browser, `${site.origin}/`);
  await page.waitForFunction(() => window.run !== undefined);
  const client = await page.context().newCDPSession(page);
  await client.send('Performance.enable');
  const busy = async () => {
    const { metrics } = await client.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value])).TaskDuration;
  };
  const before = await busy();
  const startedAt = performance.now();
  const { frames, ratio } = await page.evaluate(([seconds, with_]) => window.run(seconds, with_), [SECONDS, measured]);
  const seconds = (performance.now() - startedAt) / 1_000;
  const share = ((await busy()) - before) / seconds;
  await page.close();
  return { frames, share, ratio };
}

const taken = { without: [], with: [] };
for (let round = 0; round < rounds; round += 1) {
  for (const measured of round % 2 === 0 ? [false, true] : [true, false]) {
    taken[measured ? 'with' : 'without'].push(await load(measured));
  }
}
const median = (loads, of) => quantile(loads.map(of), 0.5);
const share = (loads) => median(loads, (one) => one.share);
console.log(
  JSON.stringify({
    rounds,
    seconds: SECONDS,
    mainThreadWithout: share(taken.without),
    mainThreadWith: share(taken.with),
    differences: taken.with.map((one, round) => one.share - taken.without[round].share),
    framesWithout: median(taken.without, (one) => one.frames),
    framesWith: median(taken.with, (one) => one.frames),
    telemetryCostRatio: median(taken.with, (one) => one.ratio),
    telemetryCostRatios: taken.with.map((one) => one.ratio),
  }),
);
await browser.close();
sockets.close();
await site.close();
