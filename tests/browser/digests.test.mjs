// Core decides the same, bit for bit, in the browser and natively: every scenario of the crate `quillwork-tests` is run
// from the same seeds on both sides.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { launchBrowser } from './harness/browser.mjs';

const native = execFileSync(required('QUILLWORK_TESTS_NATIVE'), { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((line) => line.split('\t'))
  .map(([scenario, name, seed, digest]) => ({ scenario: Number(scenario), name, seed, digest }));
const module = readFileSync(required('QUILLWORK_TESTS_WASM')).toString('base64');

let browser;
let page;

before(async () => {
  browser = await launchBrowser({ webgpu: false });
  page = await browser.newPage();
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const { instance } = await WebAssembly.instantiate(bytes);
    globalThis.decisions = instance.exports;
  }, module);
});

after(() => browser?.close());

test('the browser has the same scenarios', async () => {
  const scenarios = await page.evaluate(() => globalThis.decisions.scenarios());
  assert.ok(scenarios > 0);
  assert.equal(scenarios, new Set(native.map(({ name }) => name)).size);
});

for (const name of new Set(native.map((run) => run.name))) {
  test(`${name}: the same decisions in Chromium`, { timeout: 120_000 }, async () => {
    const runs = native.filter((run) => run.name === name);
    const digests = await page.evaluate(
      (all) =>
        all.map(({ scenario, seed }) => {
          const digest = globalThis.decisions.digest(scenario, BigInt(seed));
          return BigInt.asUintN(64, digest).toString(16).padStart(16, '0');
        }),
      runs,
    );
    assert.deepEqual(
      digests.map((digest, index) => ({ seed: runs[index].seed, digest })),
      runs.map(({ seed, digest }) => ({ seed, digest })),
    );
  });
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests by \`cargo xtask test --only "wasm in chromium"\``);
  return value;
}
