import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Workers for pages without a bundler: import maps don't reach workers, so theirs name the file. */
export function writePlainWorkers(folder) {
  const target = join(folder, 'workers/plain');
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(join(folder, 'workers'))) {
    if (name.endsWith('.mjs')) {
      const source = readFileSync(join(folder, 'workers', name), 'utf8');
      writeFileSync(join(target, name), source.replace(/'quillwork\/(\w+)'/g, "'/node_modules/quillwork/dist/$1.js'"));
    }
  }
}
