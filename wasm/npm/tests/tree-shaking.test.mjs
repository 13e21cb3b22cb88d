// What an app's bundler makes of an import: only what is asked for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';

/** What an app imports when it needs it is in files of its own: the telemetry of a page that has it on, say. */
const later = {
  name: 'later',
  setup(bundler) {
    bundler.onResolve({ filter: /.*/ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined));
  },
};

/** What a page loads at once for these. */
async function bundled(names) {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { ${names} } from 'quillwork'; globalThis.used = [${names}];`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
    plugins: [later],
  });
  return outputFiles[0].text;
}

const brotli = (text) => brotliCompressSync(text).length;
const runtimeWasm = () => brotli(readFileSync(join(import.meta.dirname, 'node_modules/quillwork/dist/runtime.wasm')));

describe('an app that imports', () => {
  it('debounce alone gets at most 2 KB (brotli), and no WebAssembly', async () => {
    const text = await bundled('debounce');
    assert.ok(brotli(text) <= 2 * 1024, `${brotli(text)} bytes`);
    assert.ok(!text.includes('WebAssembly'), 'no WebAssembly');
  });

  it('debounce, throttle and rateLimit gets no WebAssembly', async () => {
    const text = await bundled('debounce, throttle, debounceAsync, throttleAsync, rateLimit, keyedRateLimit');
    assert.ok(brotli(text) <= 5 * 1024, `${brotli(text)} bytes`);
    assert.ok(!text.includes('WebAssembly'), 'no WebAssembly');
  });

  it('the pool loads telemetry only once a runtime asks for it, and web-vitals after that', async () => {
    const { metafile } = await build({
      stdin: { contents: "export { createRuntime } from 'quillwork';", resolveDir: import.meta.dirname },
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      outdir: 'out',
      write: false,
      metafile: true,
      logLevel: 'error',
    });
    const outputs = Object.entries(metafile.outputs);
    const [entry] = outputs.find(([, { entryPoint }]) => entryPoint === '<stdin>');
    const eager = new Set();
    const visit = (name) => {
      if (!eager.has(name)) {
        eager.add(name);
        metafile.outputs[name].imports.filter(({ kind }) => kind === 'import-statement').forEach(({ path }) => visit(path));
      }
    };
    visit(entry);
    const holds = (text) => outputs.filter(([, { inputs }]) => Object.keys(inputs).some((input) => input.includes(text))).map(([name]) => name);
    for (const lazy of ['dist/pooled', 'dist/web-vitals']) {
      assert.equal(holds(lazy).length, 1, lazy);
      assert.ok(!eager.has(holds(lazy)[0]), `${lazy} is loaded later`);
    }
  });

  it('a circuit breaker gets at most 56 KB (brotli) with flow.wasm, and neither balancing nor pool nor telemetry', async () => {
    const text = await bundled('circuitBreaker');
    assert.ok(brotli(text) <= 56 * 1024, `${brotli(text)} bytes`);
    assert.ok(text.includes('flow.wasm'), 'flow.wasm');
    assert.ok(!text.includes('balance.wasm'), 'no balance.wasm');
    assert.ok(!text.includes('runtime.wasm') && !text.includes('WebSocket'), 'nothing else');
  });

  it('a balancer gets at most 73 KB (brotli) with balance.wasm, and neither flow control nor pool', async () => {
    const text = await bundled('LoadBalancer');
    assert.ok(brotli(text) <= 73 * 1024, `${brotli(text)} bytes`);
    assert.ok(text.includes('balance.wasm'), 'balance.wasm');
    assert.ok(!text.includes('flow.wasm') && !text.includes('runtime.wasm'), 'nothing else');
  });

  it('a configuration gets at most 24 KB (brotli) with hardware.wasm, and no other module', async () => {
    const text = await bundled('generateConfig, detectHardware');
    assert.ok(brotli(text) <= 24 * 1024, `${brotli(text)} bytes`);
    assert.ok(text.includes('hardware.wasm'), 'hardware.wasm');
    assert.ok(!text.includes('flow.wasm') && !text.includes('balance.wasm') && !text.includes('runtime.wasm'), 'nothing else');
  });

  it('the pool gets at most 18 KB (brotli) of JavaScript, and 80 KB with runtime.wasm beside it', async () => {
    const text = await bundled('createRuntime');
    assert.ok(brotli(text) <= 18 * 1024, `${brotli(text)} bytes`);
    assert.ok(brotli(text) + runtimeWasm() <= 80 * 1024, `${brotli(text)} and ${runtimeWasm()} bytes`);
    assert.ok(text.length < 100_000, 'no embedded module');
  });

  it('everything gets at most 196 KB (brotli), the WebAssembly modules counted', async () => {
    const text = await bundled('createRuntime, LoadBalancer, WorkerRegistry, policy, throttled, batch, debounce, rateLimit');
    const bytes = brotli(text) + runtimeWasm();
    assert.ok(bytes <= 196 * 1024, `${bytes} bytes`);
  });
});
