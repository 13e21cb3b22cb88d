// The packed package in strict TypeScript projects, its declarations checked too (no skipLibCheck).
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const folder = join(import.meta.dirname, 'types');
const strict = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'es2022',
};

const PROJECTS = {
  'an app for browsers, resolved as bundlers do': {
    compilerOptions: { ...strict, module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'], types: [], jsx: 'react-jsx' },
    files: ['page.ts', 'balance.ts', 'flow.ts', 'tasks.ts', 'browser.ts', 'react.tsx', 'process.ts', 'testing.ts'],
  },
  'a Node program, resolved as Node does, without the types of browsers': {
    compilerOptions: { ...strict, module: 'node16', moduleResolution: 'node16', lib: ['es2022'], types: ['node'] },
    files: ['page.ts', 'balance.ts', 'flow.ts', 'tasks.ts', 'node.ts', 'process.ts', 'testing.ts'],
  },
};

describe('types', () => {
  for (const [what, project] of Object.entries(PROJECTS)) {
    it(`of ${what}`, { timeout: 120_000 }, () => {
      const file = join(folder, `tsconfig.${project.compilerOptions.moduleResolution}.json`);
      writeFileSync(file, JSON.stringify(project));
      try {
        execFileSync(process.execPath, [join(import.meta.dirname, 'node_modules/typescript/bin/tsc'), '-p', file], { cwd: folder, encoding: 'utf8' });
      } catch (failure) {
        throw new Error(failure.stdout || String(failure));
      }
    });
  }
});
