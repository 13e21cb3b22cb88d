// The story app in Firefox, from an opened story to the readers' findings, everything on the CPU.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import puppeteer from 'puppeteer-core';

import { untilFigure } from '../harness/figure.mjs';
import { firefoxPath, launchFirefox } from '../harness/firefox.mjs';
import { Host } from '../harness/host.mjs';
import { atOnce } from '../harness/moment.mjs';
import { Watch } from '../harness/watch.mjs';

const path = firefoxPath();
const TEST_LIMIT = {
  timeout: 600_000,
  skip: path === undefined && 'Firefox is not on PATH: install firefox-esr, or name it in QUILLWORK_FIREFOX',
};

let host;
let browser;

before(async () => {
  if (path !== undefined) {
    host = await new Host().start();
    browser = await launchFirefox(puppeteer, path);
  }
});

after(async () => {
  await browser?.close();
  await host?.dispose();
});

test('a story is opened, mapped, searched, played, read at random with a worker killed, and measured', TEST_LIMIT, async () => {
  const page = await browser.newPage();
  const watch = new Watch(page);
  page.setDefaultTimeout(120_000);
  const of = (id, data = '') => `[data-testid="${id}"]${data}`;
  const figure = (id, name = 'value') => page.$eval(of(id), (element, name) => Number(element.getAttribute(`data-${name}`)), name);
  const above = (id, name, than) => untilFigure(page, of(id), name, 'above', than);
  const there = (selector) => page.waitForSelector(selector);
  // `page.waitForFunction` makes a function of text, which the app's policy forbids.
  const says = (id, text) => atOnce(page, of(id), { text: `^${text}$`, limitMillis: 170_000 });
  // `page.click` by itself waits neither for an element nor until it stands still.
  const click = async (id) => {
    await there(of(id));
    await page.$eval(of(id), async (element) => {
      const place = () => Object.values(element.getBoundingClientRect().toJSON()).join();
      for (let still = 0, before = place(); still < 3; before = place()) {
        await new Promise(requestAnimationFrame);
        still = place() === before ? still + 1 : 0;
      }
    });
    await page.click(of(id));
  };

  await page.goto(`${host.url}/story/`);
  await there(of('pool-stats'));
  assert.equal(await page.evaluate(() => 'gpu' in navigator), false, 'this is the path without WebGPU');
  await click('open-sample');
  await there(of('map', '[data-ready="true"]'));
  for (const finding of ['analysis-reachable', 'analysis-loops', 'analysis-lengths']) {
    await above(finding, 'value', 0);
  }
  assert.equal(await figure('analysis-reachable'), await figure('map', 'nodes'));

  await page.type(of('search'), 'quay');
  await there(`${of('search-results')} [role="option"]`);
  await page.keyboard.press('Enter');
  await there(of('passage', '[data-path="quay"]'));
  await there(of('similar-list', '[data-ran-on="cpu"]'));

  for (let turn = 0; turn < 3; turn += 1) {
    await click('choice');
    await above('player', 'turns', turn);
    await there(of('player', ':not([data-status="turning"])'));
  }

  await page.select(of('montecarlo-count'), '1000');
  await click('montecarlo-run');
  await above('montecarlo-progress', 'value', 0);
  await click('kill-worker');
  await above('pool-stats', 'lost', 0);
  await says('montecarlo-status', 'done');
  assert.equal(await figure('montecarlo-readers'), 1000, 'every reader is counted once');

  await page.select(of('device-size'), '256');
  await click('device-run');
  await there(of('device', '[data-status="done"]'));
  await there(of('device-cpu', '[data-ran-on="cpu"]'));
  assert.match(await page.$eval(of('device-fallback'), (element) => element.textContent), /GPU/);
  watch.assertQuiet();
});
