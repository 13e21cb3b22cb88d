// Whether a page fits its window.

import assert from 'node:assert/strict';

const LIMIT_MILLIS = 30_000;

/** Resolves once `page` is no wider than its window. After a change of size what is drawn follows a frame or two later. */
export async function assertFits(page, what) {
  const overflow = await page.evaluate(async (limitMillis) => {
    const frame = () => new Promise(requestAnimationFrame);
    const tooWide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const end = performance.now() + limitMillis;
    await frame();
    await frame();
    while (tooWide() > 0 && performance.now() < end) await frame();
    return tooWide();
  }, LIMIT_MILLIS);
  assert.ok(overflow <= 0, `${what}: ${overflow} pixels too wide`);
}
