// Builds dist/ from src/ and the WebAssembly modules, with the guides:
//   QUILLWORK_FLOW_WASM     the built wasm/flow (quillwork_flow.wasm), which is embedded
//   QUILLWORK_BALANCE_WASM  the built wasm/balance (quillwork_balance.wasm), which is embedded
//   QUILLWORK_HARDWARE_WASM  the built wasm/hardware (quillwork_hardware.wasm), which is embedded
//   QUILLWORK_RUNTIME_WASM  the built wasm/runtime (quillwork_runtime.wasm), without its default features
//   QUILLWORK_RUNTIME_FULL_WASM  the same with them
//   QUILLWORK_COMPUTE_DIR   output of `wasm-bindgen --target web` for wasm/compute
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { copyDocs } from './docs.mjs';
import { stripCustomSections } from './strip-wasm.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const WASM_OPT = join(root, 'node_modules/binaryen/bin/wasm-opt');

/** The modules that are part of the JavaScript. */
const embedded = ['flow', 'balance', 'hardware'].map((name) => [
  name,
  fromEnvironment(
    `QUILLWORK_${name.toUpperCase()}_WASM`,
    `cargo build --profile wasm -p quillwork-${name} --target wasm32-unknown-unknown`,
  ),
]);
const runtimeWasm = fromEnvironment(
  'QUILLWORK_RUNTIME_WASM',
  'cargo build --profile wasm -p quillwork-runtime --no-default-features --target wasm32-unknown-unknown, and copied',
);
const runtimeFullWasm = fromEnvironment(
  'QUILLWORK_RUNTIME_FULL_WASM',
  'cargo build --profile wasm -p quillwork-runtime --target wasm32-unknown-unknown',
);
const computeDir = fromEnvironment('QUILLWORK_COMPUTE_DIR', 'wasm-bindgen --target web on the built quillwork-compute-wasm');

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const [name, file] of embedded) {
  const text = asText(smaller(file));
  writeFileSync(join(dist, `${name}-wasm.js`), `export const ${name.toUpperCase()}_WASM = "${text}";\n`);
}
writeFileSync(join(dist, 'runtime.wasm'), smaller(runtimeWasm));
writeFileSync(join(dist, 'runtime-full.wasm'), smaller(runtimeFullWasm));
writeFileSync(
  join(dist, 'compute.wasm'),
  stripCustomSections(readFileSync(join(computeDir, 'quillwork_compute_wasm_bg.wasm'))),
);

execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});

const result = await build({
  absWorkingDir: root,
  entryPoints: {
    index: 'src/index.ts',
    // In files of its own: bundlers leave whole files out of an app that uses flow control, balancing or a configuration alone.
    runtime: 'src/runtime/runtime.ts',
    flow: 'src/flow/index.ts',
    balance: 'src/balance/index.ts',
    hardware: 'src/hardware/index.ts',
    telemetry: 'src/telemetry/create.ts',
    'web-vitals': 'src/telemetry/web-vitals.ts',
    worker: 'src/worker/index.ts',
    react: 'src/react/index.ts',
    testing: 'src/testing/index.ts',
    process: 'src/process/index.ts',
    compute: 'src/compute/index.ts',
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  // Readable in a debugger and in a stack trace; the app's own bundler makes it small.
  minifySyntax: true,
  sourcemap: true,
  sourcesContent: true,
  legalComments: 'none',
  // An embedded module stays a file of its own: who imports nothing that needs it loads nothing of it.
  external: ['react', './flow-wasm.js', './balance-wasm.js', './hardware-wasm.js'],
  metafile: true,
  plugins: [computeGlue(computeDir)],
});

for (const file of ['flow-wasm.js', 'balance-wasm.js', 'hardware-wasm.js', 'runtime.wasm', 'runtime-full.wasm', 'compute.wasm', ...Object.keys(result.metafile.outputs).filter((name) => name.endsWith('.js'))]) {
  const bytes = readFileSync(file.startsWith('dist/') ? join(root, file) : join(dist, file));
  console.log(`${file.replace(/^dist\//, '').padEnd(24)} ${String(bytes.length).padStart(9)} bytes, ${brotliCompressSync(bytes).length} brotli`);
}
// Its file is a part of the package.
copyDocs(join(root, '../../docs'), join(dist, 'docs'));
cpSync(join(root, 'node_modules/web-vitals/LICENSE'), join(dist, 'web-vitals.LICENSE.txt'));
for (const license of ['LICENSE-MIT', 'LICENSE-APACHE']) {
  cpSync(join(root, '../..', license), join(root, license));
}

/** The glue that wasm-bindgen wrote. Its own idea of where the module is would make bundlers look for a file that isn't there. */
function computeGlue(folder) {
  const glue = join(folder, 'quillwork_compute_wasm.js');
  return {
    name: 'compute-glue',
    setup(bundler) {
      bundler.onResolve({ filter: /quillwork_compute_wasm\.js$/ }, () => ({ path: glue }));
      bundler.onLoad({ filter: /quillwork_compute_wasm\.js$/ }, () => ({
        contents: readFileSync(glue, 'utf8').replace(
          /new URL\('quillwork_compute_wasm_bg\.wasm', import\.meta\.url\)/g,
          'undefined',
        ),
      }));
    },
  };
}

/**
 * Bytes as a string literal of characters 0 to 255: a quarter smaller than base64 once it is compressed. The bits that are turned over,
 * which src/embedded.ts turns back, make those bytes need an escape that are rare: 0 is the commonest of all.
 */
function asText(bytes) {
  const escapes = new Map([[0, '\\x00'], [10, '\\n'], [13, '\\r'], [34, '\\"'], [92, '\\\\']]);
  return Array.from(bytes, (byte) => escapes.get(byte ^ 0x7a) ?? String.fromCharCode(byte ^ 0x7a)).join('');
}

/** What Binaryen makes of a module: a twentieth smaller, and no slower. */
function smaller(file) {
  const bytes = execFileSync(process.execPath, [WASM_OPT, '-O3', file, '-o', '-'], { maxBuffer: 1 << 26 });
  return stripCustomSections(bytes);
}

function fromEnvironment(name, how) {
  const path = process.env[name];
  if (path === undefined || !existsSync(path)) {
    console.error(`${name} must name what was built by: ${how}. \`cargo xtask package\` does all of it.`);
    process.exit(1);
  }
  return path;
}
