// No-op tasks through two workers, beside npm workerpool, comlink and a hand-written loop in the same page: `npm run bench`.
// Prints a line of JSON for each comparison: the median ratio of the rounds, and their range.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launch, open, serve } from '../tests/browser.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '../dist');
const PEERS = {
  workerpool: `workerpool ${version('workerpool')}`,
  comlink: `comlink ${version('comlink')}`,
  bare: 'one postMessage per task',
  loop: 'hand-written coalesced loop',
};
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
  // Isolated pages have finer clocks.
  const site = await serve(folder, {
    headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
  });
  const browser = await launch();
  try {
    const { page } = await open(browser, `${site.origin}/index.html`);
    await page.waitForFunction(() => window.bench !== undefined);
    const rounds = await page.evaluate(() => window.bench());
    for (const result of results(rounds)) {
      console.log(`BENCH ${JSON.stringify(result)}`);
    }
  } finally {
    await browser.close();
    await site.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function version(name) {
  return JSON.parse(readFileSync(join(here, `../node_modules/${name}/package.json`), 'utf8')).version;
}

/** Lines as `cargo xtask bench` reads them: our time over the peer's, so that below 1 is faster. */
function results(rounds) {
  return Object.entries(rounds).flatMap(([name, { quillwork, ...peers }]) =>
    Object.entries(peers).map(([peer, theirs]) => {
      const ratios = sorted(quillwork.map((ours, round) => ours / theirs[round]));
      return {
        name,
        peer: PEERS[peer],
        ratio: median(ratios),
        low: ratios[0],
        high: ratios.at(-1),
        ours: median(sorted(quillwork)),
        theirs: median(sorted(theirs)),
        unit: 'µs a task',
      };
    }),
  );
}

function sorted(values) {
  return [...values].sort((a, b) => a - b);
}

function median(values) {
  return values[Math.floor(values.length / 2)];
}
