// Installs the packed package here and runs every test beside this file; arguments narrow them down by a part of their name.
//   QUILLWORK_TARBALL   the tarball; without it dist/ is packed first
//   QUILLWORK_CHROMIUM  the browser, where it is not on PATH
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), 'quillwork-consumers-'));
try {
  const tarball = process.env.QUILLWORK_TARBALL ? resolve(process.env.QUILLWORK_TARBALL) : pack();
  const installed = join(root, 'node_modules/quillwork');
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed);
  // The package depends on nothing: unpacking it is all that installing does.
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  const wanted = process.argv.slice(2);
  const files = readdirSync(root).filter(
    (name) => name.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part))),
  );
  const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, QUILLWORK_TARBALL: tarball },
  });
  process.exitCode = files.length === 0 ? 1 : (status ?? 1);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: join(root, '..'), stdio: 'ignore' });
  return join(folder, readdirSync(folder)[0]);
}
