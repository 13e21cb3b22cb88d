// No-op tasks through two workers, beside npm workerpool, comlink and a hand-written loop in the same page: `npm run bench`.
// Prints JSON: for each peer, how many times as fast this package is (median of the rounds, and the spread).
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launch, open, serve } from '../tests/browser.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '../dist');
if (!existsSync(join(dist, 'index.js'))) {
  console.error('dist/ is not built: run `npm run build` first');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'quillwork-bench-'));
try {
  await build({
    absWorkingDir: here,
    entryPoints: ['page.mjs', 'workers/quillwork.mjs', 'workers/workerpool.mjs', 'workers/comlink.mjs', 'workers/loop.mjs', 'workers/bare.mjs'],
    outdir: folder,
    outbase: here,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    alias: { quillwork: join(dist, 'index.js'), 'quillwork-worker': join(dist, 'worker.js') },
    // workerpool asks for these in Node only.
    external: ['worker_threads', 'os', 'child_process'],
    logLevel: 'error',
  });
  cpSync(join(dist, 'runtime.wasm'), join(folder, 'runtime.wasm'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Bench</title><script type="module" src="./page.mjs"></script>');
  const site = await serve(folder);
  const browser = await launch();
  try {
    const { page } = await open(browser, `${site.origin}/index.html`);
    await page.waitForFunction(() => window.bench !== undefined);
    const rounds = await page.evaluate(() => window.bench());
    console.log(JSON.stringify(summary(rounds, browser.version()), null, 2));
  } finally {
    await browser.close();
    await site.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function summary({ throughput, roundTrip }, browser) {
  return {
    what: 'no-op tasks on two workers in one page; ratios are quillwork over the peer in the same round',
    browser: `Chromium ${browser}`,
    rounds: throughput.quillwork.length,
    throughputPerSecond: Object.fromEntries(Object.entries(throughput).map(([name, values]) => [name, spread(values)])),
    timesAsFast: ratios(throughput, (ours, theirs) => ours / theirs),
    roundTripMicros: Object.fromEntries(Object.entries(roundTrip).map(([name, values]) => [name, spread(values)])),
    roundTripRatio: ratios(roundTrip, (ours, theirs) => ours / theirs),
  };
}

function ratios({ quillwork, ...peers }, compare) {
  return Object.fromEntries(
    Object.entries(peers).map(([name, values]) => [name, spread(values.map((value, round) => compare(quillwork[round], value)))]),
  );
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const round = (value) => Number(value.toPrecision(4));
  return { median: round(sorted[Math.floor(sorted.length / 2)]), min: round(sorted[0]), max: round(sorted.at(-1)) };
}
