// What the story app says of what can't be opened or read, and that it stays alive meanwhile.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Host } from '../harness/host.mjs';
import { largeStory, shipped } from '../harness/stories.mjs';
import { Studio } from '../harness/studio.mjs';
import { watchThreads } from '../harness/threads.mjs';

const TEST_LIMIT = { timeout: 300_000 };
const FIVE_MEGABYTES = 5_000_000;
/** Of the CPU time until a story is open; with reading, compiling and mapping in the page's own thread it would be nearly all. */
const MOST_IN_PAGE_RATIO = 1 / 3;

let host;
let browser;
let studio;

before(async () => {
  host = await new Host().start();
  browser = await launchBrowser({ webgpu: false });
});

after(async () => {
  await browser?.close();
  await host?.dispose();
});

beforeEach(async () => {
  studio = await Studio.open(browser, host);
});

afterEach(async () => {
  const { watch } = studio;
  await studio.close();
  watch.assertQuiet();
});

test('a story that does not compile is refused with the line, and the one before stays open', TEST_LIMIT, async () => {
  await studio.openFile('ferry.ink', await shipped('ferry.ink'));
  await studio.opened('The Ferry');
  await studio.openFile('broken.ink', 'Hello.\n\n-> nowhere\n');
  const error = await studio.until('error', { code: 'compile' });
  await error.getByText('line 3', { exact: true }).waitFor();
  assert.match(await error.innerText(), /nowhere/);
  assert.match(await error.locator('.excerpt [data-marked=true]').innerText(), /-> nowhere/, 'the line is shown in its place');
  await studio.page.locator('h1', { hasText: 'The Ferry' }).waitFor();
  await studio.openFile('corrected.ink', '# title: Corrected\nHello.\n* [Go.] -> END\n');
  await studio.opened('Corrected');
  assert.equal(await studio.get('error').count(), 0, 'the message goes when a story opens');
});

const REFUSED = [
  { what: 'an empty file', name: 'empty.ink', content: '', code: 'empty', says: /empty/ },
  { what: 'a file of comments', name: 'notes.ink', content: '// Nothing yet.\n', code: 'empty', says: /nothing to read/ },
  { what: 'JSON that is no story', name: 'package.json', content: '{"name":"x","version":"1.0.0"}', code: 'not-ink-json', says: /no Ink story/ },
  { what: 'JSON that was cut off', name: 'cut.ink.json', content: '{"inkVersion":21,"root":[["^Hel', code: 'invalid-json', says: /not valid JSON/ },
  { what: 'a picture', name: 'map.ink', content: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13), code: 'binary', says: /not a text file/ },
  { what: 'a story in parts', name: 'parts.ink', content: 'INCLUDE other.ink\n-> start\n', code: 'includes', says: /other\.ink/ },
];

for (const { what, name, content, code, says } of REFUSED) {
  test(`${what} is refused with a sentence that says what to do`, TEST_LIMIT, async () => {
    await studio.openFile(name, content, 'application/octet-stream');
    const error = await studio.until('error', { code });
    assert.match(await error.innerText(), says);
    assert.ok((await error.locator('p').first().innerText()).length > 20, 'there is advice');
    await studio.openSample();
  });
}

test('compiled Ink JSON opens as the story it was compiled from', TEST_LIMIT, async () => {
  const shapes = [];
  for (const name of ['ferry.ink', 'ferry.ink.json']) {
    await studio.openFile(name, await shipped(name));
    await studio.opened('The Ferry');
    shapes.push(
      Object.fromEntries(
        await Promise.all(
          [['map', 'nodes'], ['map', 'edges'], ['analysis-endings', 'value'], ['analysis-lengths', 'value']].map(async ([id, figure]) => [
            `${id} ${figure}`,
            await studio.figure(id, figure),
          ]),
        ),
      ),
    );
    await studio.load();
  }
  assert.equal(shapes[0]['map nodes'], 4);
  assert.equal(shapes[0]['analysis-endings value'], 2);
  assert.deepEqual(shapes[1], shapes[0]);
});

test('text is pasted and opens', TEST_LIMIT, async () => {
  await studio.get('paste-area').fill((await shipped('ferry.ink')).toString());
  await studio.get('paste-open').click();
  await studio.opened('The Ferry');
  await studio.get('open-paste').click();
  await studio.get('paste-area').fill('-> missing');
  await studio.get('paste-open').click();
  await studio.until('error', { code: 'compile' });
});

test('a file is dropped and opens', TEST_LIMIT, async () => {
  const transfer = await studio.page.evaluateHandle((text) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([text], 'ferry.ink', { type: 'text/plain' }));
    return dropped;
  }, (await shipped('ferry.ink')).toString());
  for (const type of ['dragover', 'drop']) await studio.page.locator('.app').dispatchEvent(type, { dataTransfer: transfer });
  await studio.opened('The Ferry');
});

test('a story of 5 MB opens, and the page is free to draw all the while', TEST_LIMIT, async (t) => {
  const { source, knots } = largeStory(FIVE_MEGABYTES);
  assert.ok(source.length >= FIVE_MEGABYTES);
  // From a disk: passing the bytes through the page would cost it time that is not the app's.
  const folder = await mkdtemp(join(tmpdir(), 'quillwork-story-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'large.ink');
  await writeFile(path, source);
  const spent = await watchThreads(studio.page);
  await Promise.all([studio.atOnce('[data-testid="opening"]'), studio.pickFile(path)]);
  await studio.opened('A Large Story');
  const { own, all } = await spent();
  const seen = `${own.toFixed(2)} of ${all.toFixed(2)} CPU seconds in the page's own thread`;
  t.diagnostic(seen);
  assert.ok(own < all * MOST_IN_PAGE_RATIO, seen);
  assert.equal(await studio.figure('map', 'nodes'), knots);
  assert.equal(await studio.figure('analysis-reachable'), knots);
  await studio.choose();
});

test('the opening of a large story is cancelled', TEST_LIMIT, async () => {
  const cancel = '[data-testid="opening"] button';
  await Promise.all([
    studio.atOnce('[data-testid="opening"]', { text: 'step \\d of', click: cancel }),
    studio.openFile('large.ink', largeStory(FIVE_MEGABYTES).source),
  ]);
  await studio.get('opening').waitFor({ state: 'detached' });
  await studio.openSample();
});

test('a story that goes round for ever ends its turn with a reason', TEST_LIMIT, async () => {
  await studio.openFile('round.ink', '# title: Round\n* [Go round.] -> round\n=== round ===\nRound.\n-> round\n');
  await studio.opened('Round');
  await studio.get('choice').click();
  await studio.until('player', { status: 'failed' });
  assert.ok((await studio.get('reading-end').innerText()).length > 20);
  await studio.get('undo').click();
  await studio.until('player', { status: 'waiting', turns: 0 });
  await studio.openSample();
});
