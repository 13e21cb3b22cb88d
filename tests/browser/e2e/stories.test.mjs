// Stories that nobody here wrote: each opens with a map and an analysis, is read and played.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Host } from '../harness/host.mjs';
import { furtherStories } from '../harness/stories.mjs';
import { Studio } from '../harness/studio.mjs';

const TEST_LIMIT = { timeout: 300_000 };

const stories = await furtherStories();

if (stories === undefined) {
  test('stories that nobody here wrote', { skip: 'QUILLWORK_STORIES names no folder with stories' }, () => {});
} else {
  test('the folder has stories', () => assert.ok(stories.length > 0, 'QUILLWORK_STORIES names a folder without .ink files'));

  let host;
  let browser;

  before(async () => {
    host = await new Host().start();
    browser = await launchBrowser({ webgpu: false });
  });

  after(async () => {
    await browser?.close();
    await host?.dispose();
  });

  for (const { name, content } of stories) {
    test(name, TEST_LIMIT, async () => {
      const studio = await Studio.open(browser, host);
      await studio.openFile(name, content);
      await studio.opened(/./);
      assert.ok((await studio.figure('map', 'nodes')) > 1, 'passages');
      assert.ok((await studio.figure('map', 'edges')) > 0, 'ways');
      await studio.painted();
      assert.ok((await studio.figure('analysis-reachable')) > 1, 'passages that can be reached');
      await studio.until('player', { status: 'waiting' });
      await studio.choose();
      await studio.get('similar-list').waitFor();
      await studio.read(200);
      await studio.readersAre('done');
      assert.equal(await studio.figure('montecarlo-readers'), 200);
      await studio.close();
      studio.watch.assertQuiet();
    });
  }
}
