// Two copies of the package on one page, as where an app and a library bring one each: they know each other's errors.
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { launch, open, serve } from './browser.mjs';

const folder = import.meta.dirname;
const second = join(folder, 'library/node_modules/quillwork');

before(() => cpSync(join(folder, 'node_modules/quillwork'), second, { recursive: true }));
after(() => rmSync(join(folder, 'library'), { recursive: true }));

/** What `instanceof` says across two copies. Runs in a page, too. */
function across(own, other) {
  class Own extends own.QuillworkError {}
  class Other extends other.QuillworkError {}
  const caught = (call) => {
    try {
      return call();
    } catch (error) {
      return error;
    }
  };
  const ownError = caught(() => own.circuitBreaker({ minCalls: -1 }));
  const otherError = caught(() => other.circuitBreaker({ minCalls: -1 }));
  const [ownSub, otherSub] = [new Own('ERR_ABORTED', 'own'), new Other('ERR_ABORTED', 'other')];
  return {
    copies: own.QuillworkError !== other.QuillworkError,
    codes: [ownError.code, otherError.code],
    known: [ownError, otherError, ownSub, otherSub].map((error) => [error instanceof own.QuillworkError, error instanceof other.QuillworkError]),
    errors: [ownError, otherSub].map((error) => error instanceof Error),
    subclasses: [ownError, otherError, ownSub, otherSub].map((error) => [error instanceof Own, error instanceof Other]),
    strangers: [null, undefined, 1, 'ERR_ABORTED', {}, new Error('ERR_ABORTED'), { name: 'QuillworkError', code: 'ERR_ABORTED' }].map(
      (value) => value instanceof own.QuillworkError || value instanceof Own,
    ),
    fields: Object.keys(ownError).sort(),
    symbols: Object.getOwnPropertySymbols(ownError).length,
  };
}

const EXPECTED = {
  copies: true,
  codes: ['ERR_INVALID_OPTION', 'ERR_INVALID_OPTION'],
  known: Array(4).fill([true, true]),
  errors: [true, true],
  subclasses: [
    [false, false],
    [false, false],
    [true, false],
    [false, true],
  ],
  strangers: Array(7).fill(false),
  fields: ['code', 'retryAfterMs'],
  symbols: 0,
};

describe('errors of two copies of the package', () => {
  it('are known to each other in Node, and subclasses are told as ever', async () => {
    const [own, other] = [await import('quillwork'), await import(pathToFileURL(join(second, 'dist/index.js')))];
    assert.deepEqual(across(own, other), EXPECTED);
  });

  it('are in a page, too, and in a frame of it', { timeout: 60_000 }, async () => {
    const site = await serve(folder);
    const browser = await launch();
    try {
      const { page } = await open(browser, `${site.origin}/pages/plain.html`);
      const [copies, frames] = await page.evaluate(async (text) => {
        const compare = new Function(`return ${text}`)();
        const own = await import('/node_modules/quillwork/dist/index.js');
        const other = await import('/library/node_modules/quillwork/dist/index.js');
        const frame = document.body.appendChild(document.createElement('iframe'));
        await new Promise((loaded) => {
          frame.onload = loaded;
          frame.src = location.href;
        });
        const inFrame = await frame.contentWindow.eval(`import('/node_modules/quillwork/dist/index.js')`);
        const error = await inFrame.createRuntime(null).catch((thrown) => thrown);
        return [compare(own, other), [error instanceof Error, error instanceof own.QuillworkError, error.code]];
      }, across.toString());
      assert.deepEqual(copies, EXPECTED);
      assert.deepEqual(frames, [false, true, 'ERR_INVALID_OPTION']);
    } finally {
      await browser.close();
      await site.close();
    }
  });
});
