// The package beside its peers, in one isolated page, in one that is not, and in one Node process:
// `npm run bench [-- page|plain|node] [-- --rounds=15]`.
// Prints a line of JSON for each comparison: the median of the rounds' ratios, and their range.
import { fork } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { isolation, launch, open, serve } from '../tests/browser.mjs';
import { quantile } from './rounds.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '../dist');
const PEERS = {
  workerpool: packaged('workerpool'),
  piscina: packaged('piscina'),
  poolifier: packaged('poolifier-web-worker'),
  comlink: packaged('comlink'),
  lodash: packaged('lodash'),
  toolkit: packaged('es-toolkit'),
  queue: packaged('p-queue'),
  opossum: packaged('opossum'),
  cockatiel: packaged('cockatiel'),
  bare: 'one postMessage per task',
  loop: 'coalesced loop by hand',
  wake: 'shared memory and waitAsync',
};
const STALLED_MS = 120_000;
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const rounds = Number(process.argv.find((argument) => argument.startsWith('--rounds='))?.slice('--rounds='.length) ?? 15);
if (!existsSync(join(dist, 'index.js'))) {
  console.error('dist/ is not built: run `npm run build` first');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'quillwork-bench-'));
try {
  const runs = { page: (steps) => inPage(steps, isolation), plain: (steps) => inPage(steps, {}), node: inNode };
  for (const [where, run] of Object.entries(runs)) {
    if (wanted.length === 0 || wanted.includes(where)) {
      await bundle(where === 'node' ? 'node' : 'page');
      report(where, await inSteps(where, run));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function bundle(where) {
  const workers = { page: ['quillwork', 'workerpool', 'poolifier', 'comlink', 'answer', 'wake'], node: ['quillwork', 'workerpool', 'piscina'] };
  await build({
    absWorkingDir: here,
    entryPoints: [`${where}.mjs`, ...workers[where].map((name) => `workers/${name}.mjs`)],
    outdir: join(folder, where),
    outbase: here,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: where === 'page',
    alias: { quillwork: join(dist, 'index.js'), 'quillwork-worker': join(dist, 'worker.js') },
    // In a page workerpool and poolifier-web-worker leave these alone.
    external: where === 'page' ? ['worker_threads', 'os', 'child_process', 'process'] : ['workerpool', 'piscina', 'opossum', 'lodash', 'p-queue'],
    platform: where === 'page' ? 'browser' : 'node',
    logLevel: 'error',
  });
  for (const file of ['runtime.wasm', 'runtime-full.wasm']) {
    cpSync(join(dist, file), join(folder, where, file));
  }
}

/** Prints the steps. A peer that never answers would hold up all others: `stalled` rejects some time after the last step. */
async function inSteps(where, run) {
  let fail;
  let timer;
  const stalled = new Promise((_, reject) => (fail = reject));
  const tell = (step) => {
    console.log(`> ${where}: ${step}`);
    clearTimeout(timer);
    timer = setTimeout(() => fail(new Error(`nothing came for ${STALLED_MS / 1_000} s after "${where}: ${step}"`)), STALLED_MS);
  };
  try {
    return await run({ tell, stalled });
  } finally {
    clearTimeout(timer);
  }
}

async function inPage({ tell, stalled }, headers) {
  writeFileSync(join(folder, 'page/index.html'), '<!doctype html><title>Bench</title><script type="module" src="./page.mjs"></script>');
  const site = await serve(join(folder, 'page'), { headers });
  const browser = await launch();
  try {
    const { page } = await open(browser, 'about:blank');
    await page.exposeFunction('tell', tell);
    await page.goto(`${site.origin}/index.html`);
    await page.waitForFunction(() => window.bench !== undefined);
    return await Promise.race([page.evaluate((count) => window.bench(count), rounds), stalled]);
  } finally {
    await browser.close();
    await site.close();
  }
}

async function inNode({ tell, stalled }) {
  symlinkSync(join(here, '../node_modules'), join(folder, 'node_modules'));
  const child = fork(join(folder, 'node/node.mjs'), [String(rounds)]);
  const ended = new Promise((resolve, reject) => {
    child.on('message', ({ step, results }) => (results === undefined ? tell(step) : resolve(results)));
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the Node process ended with code ${code}`)));
  });
  try {
    return await Promise.race([ended, stalled]);
  } finally {
    child.kill();
  }
}

function packaged(name) {
  return `${name} ${JSON.parse(readFileSync(join(here, `../node_modules/${name}/package.json`), 'utf8')).version}`;
}

/** Lines as `cargo xtask bench` reads them: our time over the peer's, so that below 1 is faster. */
function report(where, results) {
  for (const [name, { quillwork, ...peers }] of Object.entries(results)) {
    for (const [peer, theirs] of Object.entries(peers)) {
      const ratios = quillwork.map((ours, round) => ours / theirs[round]);
      const [ratio, low, high] = [0.5, 0, 1].map((share) => quantile(ratios, share));
      const [ours, others] = [quillwork, theirs].map((values) => quantile(values, 0.5));
      console.log(`BENCH ${JSON.stringify({ name: `${where}: ${name}`, peer: PEERS[peer], ratio, low, high, ours, theirs: others, unit: 'µs' })}`);
    }
  }
}
