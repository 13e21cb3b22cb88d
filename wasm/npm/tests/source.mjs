// Modules that the package doesn't export, for unit tests of their own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** What the package's build writes; the packed package has it. */
const builtModule = {
  name: 'built-module',
  setup(bundler) {
    bundler.onResolve({ filter: /\/policy-wasm\.js$/ }, () => ({
      path: join(import.meta.dirname, 'node_modules/quillwork/dist/policy-wasm.js'),
    }));
  },
};

/** Imports a module of src/. */
export async function source(name) {
  const folder = mkdtempSync(join(tmpdir(), 'quillwork-source-'));
  const outfile = join(folder, 'module.mjs');
  await build({
    entryPoints: [join(process.env.QUILLWORK_SOURCE, `${name}.ts`)],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    logLevel: 'error',
    plugins: [builtModule],
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
