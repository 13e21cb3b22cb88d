// An app of Next's app router: the pool in a client component, flow control and balancing in a server component.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { launch, open } from '../tests/browser.mjs';
import { RESULT } from './result.mjs';

const app = join(import.meta.dirname, 'apps/next');
const next = join(import.meta.dirname, 'node_modules/next/dist/bin/next');
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };

describe('an app of Next', () => {
  let browser;
  let server;
  let origin;
  before(async () => {
    execFileSync(process.execPath, [next, 'build'], { cwd: app, env, stdio: ['ignore', 'ignore', 'inherit'] });
    server = spawn(process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', '0'], { cwd: app, env });
    origin = await new Promise((resolve, reject) => {
      let said = '';
      const hear = (data) => {
        said += data;
        const [address] = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said) ?? [];
        if (address !== undefined && said.includes('Ready')) {
          resolve(address);
        }
      };
      server.stdout.on('data', hear);
      server.stderr.on('data', hear);
      server.on('exit', (code) => reject(new Error(`next start ended with ${code}: ${said}`)));
    });
    browser = await launch();
  }, { timeout: 600_000 });
  after(async () => {
    await browser?.close();
    if (server?.exitCode === null) {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    }
  });

  it('runs tasks on the page, and calls under protection on the server', { timeout: 60_000 }, async () => {
    const { page, complaints } = await open(browser, `${origin}/below/here`);
    assert.deepEqual(JSON.parse(await page.textContent('#server')), {
      failures: ['down', 'ERR_CIRCUIT_OPEN'],
      admitted: true,
      chosen: 'one',
    });
    await page.waitForFunction(() => document.body.dataset.result !== undefined);
    assert.deepEqual(JSON.parse(await page.evaluate(() => document.body.dataset.result)), RESULT);
    await page.click('button');
    await page.getByText('4 words').waitFor();
    assert.deepEqual(complaints, []);
  });
});
