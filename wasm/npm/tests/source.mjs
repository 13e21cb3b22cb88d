// Modules that the package doesn't export, for unit tests of their own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** What the package's build writes; the packed package has it. */
const builtModules = {
  name: 'built-modules',
  setup(bundler) {
    bundler.onResolve({ filter: /\/(flow|balance)-wasm\.js$/ }, ({ path }) => ({
      path: join(import.meta.dirname, 'node_modules/quillwork/dist', path),
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
    plugins: [builtModules],
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
