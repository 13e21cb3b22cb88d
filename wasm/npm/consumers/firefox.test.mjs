// The packed package in Firefox, unbundled: the same cases as in Chromium and in Node.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import puppeteer from 'puppeteer-core';
import { firefoxPath, launchFirefox } from '../../../tests/browser/harness/firefox.mjs';
import { serve } from '../tests/browser.mjs';
import { names } from '../tests/cases/run.mjs';
import { writePlainWorkers } from '../tests/plain-workers.mjs';

const path = firefoxPath();
const skip = path === undefined && 'Firefox is not on PATH: install firefox-esr, or name it in QUILLWORK_FIREFOX';

describe('in Firefox', { skip }, () => {
  let browser;
  let folder;
  let page;
  let site;
  before(async () => {
    const root = import.meta.dirname;
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'quillwork-firefox-')));
    cpSync(join(root, '../tests'), folder, { recursive: true });
    cpSync(join(root, 'node_modules/quillwork'), join(folder, 'node_modules/quillwork'), { recursive: true });
    cpSync(join(root, '../node_modules/lodash'), join(folder, 'node_modules/lodash'), { recursive: true });
    writePlainWorkers(folder);
    site = await serve(folder);
    browser = await launchFirefox(puppeteer, path);
    page = await browser.newPage();
    await page.goto(`${site.origin}/pages/plain.html`);
    await page.waitForFunction(() => window.runCase !== undefined);
  });
  after(async () => {
    await browser?.close();
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [subject, cases] of Object.entries(names)) {
    for (const name of cases) {
      it(`${subject}: ${name}`, { timeout: 60_000 }, async () => {
        const failure = await page.evaluate(
          (subject, name) => window.runCase(subject, name).then(() => undefined, (error) => `${error}\n${error.stack}`),
          subject,
          name,
        );
        assert.equal(failure, undefined);
      });
    }
  }
});
