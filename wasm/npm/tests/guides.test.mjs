// The code of docs/guides, as it stands there: all of it type-checks, what is followed by its output runs in Node and prints that.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { transformSync } from 'esbuild';

const source = join(process.env.QUILLWORK_GUIDES, 'guides');
const folder = join(import.meta.dirname, 'guides');
const guides = readdirSync(source)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name: basename(name, '.md'), text: readFileSync(join(source, name), 'utf8') }))
  .map((guide) => ({ ...guide, snippets: snippetsOf(guide.text) }));

/** Code blocks of a language that runs. The first line names the file; a block of `text` right after it is what it prints. */
function snippetsOf(text) {
  return [...text.matchAll(/```(tsx?|jsx?)\n(?:\/\/ (\S+)\n)?([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```\n)?/g)].map(
    ([, language, name, code, prints]) => ({ language, name, code, prints }),
  );
}

before(() => {
  for (const { name: guide, snippets } of guides) {
    mkdirSync(join(folder, guide), { recursive: true });
    for (const { name, code } of snippets.filter(({ name }) => name !== undefined)) {
      writeFileSync(join(folder, guide, name), code);
      if (/\.tsx?$/.test(name)) {
        const { code: script } = transformSync(code, { loader: name.endsWith('x') ? 'tsx' : 'ts', jsx: 'automatic', target: 'es2022' });
        writeFileSync(join(folder, guide, name.replace(/\.tsx?$/, '.js')), script);
      }
    }
  }
});

describe('the guides', () => {
  it('name the file of each piece of code', () => {
    const unnamed = guides.flatMap(({ name, snippets }) => snippets.filter((snippet) => !snippet.name).map(({ code }) => `${name}: ${code}`));
    assert.deepEqual(unnamed, []);
  });

  it('type-check', { timeout: 120_000 }, () => {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: 'es2022',
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: ['es2022', 'esnext.disposable', 'dom', 'dom.iterable'],
      types: ['node'],
      jsx: 'react-jsx',
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts', '**/*.tsx'] }));
    try {
      execFileSync(process.execPath, [join(import.meta.dirname, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' });
    } catch (failure) {
      throw new Error(failure.stdout || String(failure));
    }
  });

  for (const { name: guide, snippets } of guides) {
    for (const { name, prints } of snippets.filter(({ prints }) => prints !== undefined)) {
      it(`${guide}: ${name} prints what stands there`, { timeout: 60_000 }, () => {
        const script = join(folder, guide, name.replace(/\.tsx?$/, '.js'));
        assert.equal(execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: 60_000 }), prints);
      });
    }
  }

  it('the tests in them pass in Node', { timeout: 60_000 }, () => {
    const tested = execFileSync(process.execPath, ['--test-reporter=tap', join(folder, 'testing/words.test.js')], {
      encoding: 'utf8',
      timeout: 60_000,
      // By itself, not as a part of this run.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    assert.match(tested, /^# pass 1$/m);
  });

  it('lead to pages that exist', () => {
    const links = guides.flatMap(({ name, text }) => [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, link]) => [name, link]));
    assert.deepEqual(links.filter(([, link]) => !existsSync(join(source, link))), []);
  });

  it('have the cause and the cure of every error code, and of no other', () => {
    const { text } = guides.find(({ name }) => name === 'troubleshooting');
    const described = [...text.matchAll(/^### (ERR_\w+)\n\n\*\*Cause:\*\* \S[\s\S]*?\n\*\*Cure:\*\* \S/gm)].map(([, code]) => code);
    const codes = [...readFileSync(join(process.env.QUILLWORK_SOURCE, 'errors.ts'), 'utf8').matchAll(/^ {2}\| '(ERR_\w+)'/gm)].map(([, code]) => code);
    assert.deepEqual(described.sort(), codes.sort());
  });
});
