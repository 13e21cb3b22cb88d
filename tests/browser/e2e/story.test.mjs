// The story app over the release binary, as somebody uses it who has written a story.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Host } from '../harness/host.mjs';
import { Studio } from '../harness/studio.mjs';

const TEST_LIMIT = { timeout: 300_000 };

let host;
let browser;
let studio;

before(async () => {
  host = await new Host().start();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await host?.dispose();
});

beforeEach(async () => {
  studio = await Studio.open(browser, host);
  await studio.openSample();
});

afterEach(async () => {
  const { watch } = studio;
  await studio.close();
  watch.assertQuiet();
});

test('the story is a map, and its shape is analysed', TEST_LIMIT, async () => {
  const nodes = await studio.figure('map', 'nodes');
  assert.ok(nodes > 10, `${nodes} passages`);
  assert.ok((await studio.figure('map', 'edges')) >= nodes, 'a story with choices has more ways than passages');
  await studio.painted();
  assert.equal(await studio.figure('analysis-reachable'), nodes, 'all of our own story can be reached');
  assert.ok((await studio.figure('analysis-endings')) > 0);
  assert.ok((await studio.figure('analysis-loops')) > 0);
  assert.ok((await studio.figure('analysis-lengths')) > 1000, 'words');
  assert.equal(await studio.figure('analysis-dead-ends'), 0);
});

test('a search finds a passage and shows what is like it', TEST_LIMIT, async () => {
  await studio.get('search').fill('quay');
  await studio.get('search-results').getByRole('option').first().waitFor();
  await studio.get('search').press('Enter');
  await studio.until('map', { selected: 'quay' });
  await studio.until('passage', { path: 'quay' });
  // The comparison of all passages takes its time beside the rest.
  await studio.get('similar-list').waitFor();
  const likeness = await studio.get('similar-list').getByRole('listitem').locator('meter').evaluateAll((meters) => meters.map((meter) => meter.value));
  assert.ok(likeness.length > 0, 'some passage shares words with this one');
  assert.deepEqual(likeness, likeness.toSorted((a, b) => b - a), 'the most alike come first');
  assert.ok(likeness.every((value) => value > 0 && value <= 1.001), `${likeness}`);
});

test('Enter goes by what stands in the search, though the list is behind', TEST_LIMIT, async () => {
  await studio.get('search').evaluate((input) => {
    const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
    input.focus();
    set.call(input, 'quay');
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
  });
  await studio.until('map', { selected: 'quay' });
});

test('three choices lead through the map, and can be taken back', TEST_LIMIT, async () => {
  const seen = [await studio.get('map').getAttribute('data-current')];
  for (let turn = 0; turn < 3; turn += 1) {
    await studio.choose();
    seen.push(await studio.get('map').getAttribute('data-current'));
  }
  assert.equal(await studio.figure('player', 'turns'), 3);
  assert.ok(new Set(seen).size > 1, `the reading moved on the map: ${seen}`);
  assert.equal(await studio.get('map').getAttribute('data-selected'), seen.at(-1), 'the selection follows the reading');
  for (let turn = 3; turn > 0; turn -= 1) await studio.get('undo').click();
  await studio.until('player', { turns: 0 });
  await studio.until('map', { current: seen[0] });
});

test('a run of readers is cancelled, and the page is alive for another', TEST_LIMIT, async () => {
  await Promise.all([
    studio.atOnce('[data-testid="montecarlo-progress"]:not([data-value="0.000"])', { click: '[data-testid="montecarlo-cancel"]' }),
    studio.read(20_000),
  ]);
  await studio.readersAre('cancelled');
  assert.ok((await studio.figure('montecarlo-progress')) < 1, 'it was cancelled before its end');
  await studio.choose();
  await studio.read(200);
  await studio.readersAre('done');
  assert.equal(await studio.figure('montecarlo-readers'), 200);
});

test('a worker killed in the middle of a run costs nothing of the result', TEST_LIMIT, async () => {
  await studio.read(1000);
  await studio.readersAre('done');
  const undisturbed = await studio.get('montecarlo-results').innerText();
  await studio.load();
  await studio.openSample();
  await Promise.all([studio.killAtOnce('[data-testid="montecarlo-progress"]:not([data-value="0.000"])'), studio.read(1000)]);
  await studio.untilFigure('pool-stats', 'lost', 'at least', 1);
  await studio.readersAre('done');
  assert.equal(await studio.figure('montecarlo-readers'), 1000);
  assert.equal(await studio.get('montecarlo-results').innerText(), undisturbed, 'every reader is counted once');
  await studio.get('diagnostics-toggle').click();
  const diagnostics = studio.page.getByRole('region', { name: 'Diagnostics' });
  await diagnostics.getByText(/started \d+ times/).first().waitFor();
  // The worker had a task that went to another.
  const again = diagnostics.locator('div', { has: studio.page.getByText('Delivered again') }).locator('dd');
  await again.and(studio.page.getByText(/^[1-9]/)).waitFor();
});

test('the keyboard alone moves, searches and plays', TEST_LIMIT, async () => {
  const { keyboard } = studio.page;
  await studio.page.getByRole('application').focus();
  const from = await studio.get('map').getAttribute('data-selected');
  await keyboard.press('ArrowDown');
  await studio.page.locator(`[data-testid=map]:not([data-selected="${from}"])`).waitFor();
  await keyboard.press('/');
  await keyboard.type('tower');
  await studio.get('search-results').getByRole('option').first().waitFor();
  await keyboard.press('Enter');
  await studio.page.locator('[data-testid=map][data-selected*=tower]').waitFor();
  await keyboard.press('1');
  await studio.until('player', { turns: 1, status: 'waiting' });
  await keyboard.press('Backspace');
  await studio.until('player', { turns: 0 });
});

test('a slash searches from wherever the focus is, and is a letter where somebody types', TEST_LIMIT, async () => {
  const { keyboard } = studio.page;
  await studio.get('restart').focus();
  await keyboard.type('/tower/');
  assert.equal(await studio.get('search').inputValue(), 'tower/');
  await keyboard.press('Backspace');
  await studio.get('search-results').getByRole('option').first().waitFor();
  await keyboard.press('Enter');
  await studio.page.locator('[data-testid=map][data-selected*=tower]').waitFor();
  await studio.page.setViewportSize({ width: 390, height: 844 });
  await studio.get('tab-play').click();
  await keyboard.type('/quay');
  assert.equal(await studio.get('search').inputValue(), 'quay', 'the map is shown, and its search takes what is typed');
});

test('what was read does not fade in again when the reading is shown again', TEST_LIMIT, async () => {
  await studio.page.setViewportSize({ width: 390, height: 844 });
  await studio.get('tab-play').click();
  await studio.choose();
  const transcript = studio.get('transcript');
  await transcript.evaluate(async (element) => {
    await Promise.all(element.getAnimations({ subtree: true }).map(({ finished }) => finished));
  });
  await studio.get('tab-analysis').click();
  await transcript.waitFor({ state: 'hidden' });
  const fading = await transcript.evaluate(async (element) => {
    document.querySelector('[data-testid="tab-play"]').click();
    // In the first frame that shows the lines, an animation of theirs has just begun.
    while (!element.checkVisibility()) await new Promise(requestAnimationFrame);
    return element.getAnimations({ subtree: true }).length;
  });
  assert.equal(fading, 0);
});
