// Tests the packed package as an app would get it: installs the tarball into a fresh folder and runs tests/ there.
//   QUILLWORK_TARBALL   the tarball; without it dist/ is packed first
//   QUILLWORK_CHROMIUM  the browser, where it is not on PATH
//   QUILLWORK_REPLAY    the built example `replay` of quillwork-core; without it recordings are made and not replayed
// Arguments narrow the test files down by a part of their name.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'quillwork-npm-'));
// What unit tests read beside the package.
process.env.QUILLWORK_SOURCE = join(root, 'src');
process.env.QUILLWORK_FIXTURES = resolve(root, '../../protocol/fixtures');
process.env.QUILLWORK_GUIDES = resolve(root, '../../docs');
process.env.QUILLWORK_TWINS = resolve(root, '../flow/fixtures');
let failed = 1;
try {
  install();
  failed = await test();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

function install() {
  const tarball = process.env.QUILLWORK_TARBALL ?? pack();
  cpSync(join(root, 'tests'), folder, { recursive: true });
  cpSync(join(root, 'README.md'), join(folder, 'README.md'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--no-package-lock', resolve(tarball)], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // What the tests themselves need comes from the package's development dependencies.
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.') && !existsSync(join(folder, 'node_modules', name))) {
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    }
  }
}

function pack() {
  if (!existsSync(join(root, 'dist/index.js'))) {
    throw new Error('dist/ is not built: run `npm run build`, or name a tarball with QUILLWORK_TARBALL');
  }
  mkdirSync(join(folder, 'pack'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', join(folder, 'pack')], { cwd: root, stdio: 'ignore' });
  return join(folder, 'pack', readdirSync(join(folder, 'pack'))[0]);
}

/** Runs the test files one after the other; prints a line for each, and the failures. */
async function test() {
  const wanted = process.argv.slice(2);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
    .sort();
  const total = { passed: 0, failed: 0 };
  for (const file of files) {
    const startedAt = performance.now();
    const counts = { passed: 0, failed: 0 };
    const failures = [];
    const cancelled = [];
    await new Promise((done, broken) => {
      const stream = run({ files: [join(folder, file)], concurrency: 1 });
      stream.on('test:pass', ({ details }) => {
        counts.passed += details.type === 'suite' ? 0 : 1;
      });
      stream.on('test:fail', ({ name, details: { error, type } }) => {
        // A suite fails with its tests, which are counted themselves, or by a hook of its own.
        if (type === 'suite' && error?.failureType !== 'hookFailed') {
          return;
        }
        counts.failed += 1;
        (error?.failureType === 'cancelledByParent' ? cancelled : failures).push([name, error?.cause ?? error]);
      });
      stream.on('test:stderr', ({ message }) => process.stderr.write(message));
      // An error that belongs to no test is told so only.
      stream.on('test:diagnostic', ({ message }) => {
        if (message.startsWith('Error:')) {
          failures.push(['beside the tests', message]);
        }
      });
      stream.on('end', done);
      stream.on('error', broken);
      stream.resume();
    });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`${basename(file)}: ${counts.passed} passed, ${counts.failed} failed (${seconds} s)`);
    // What ends the others is named by itself, but for a test that waits for what nothing can bring any more.
    for (const [name, error] of failures.length > 0 ? failures : cancelled.slice(0, 1)) {
      console.log(`  FAILED ${name}\n    ${String(error?.stack ?? error).replaceAll('\n', '\n    ')}`);
    }
    total.passed += counts.passed;
    total.failed += counts.failed;
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  // Nothing found is nothing proved.
  return total.passed === 0 ? 1 : total.failed;
}
