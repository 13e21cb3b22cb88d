// Pictures of what the tests saw, for people to look at.

import { join } from 'node:path';

/** Takes a picture of `page` under `name`, where QUILLWORK_SCREENSHOTS names a folder for it. */
export async function picture(page, name, { fullPage = false } = {}) {
  const folder = process.env.QUILLWORK_SCREENSHOTS;
  if (!folder) return;
  // Two frames: what was just set is then drawn.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  // Animations at their end: a picture in the middle of one shows what nobody reads.
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage, animations: 'disabled' });
}
