// Firefox, as the tests drive it: over WebDriver BiDi.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['firefox-esr', 'firefox'];

/** The browser named by QUILLWORK_FIREFOX, or the one on PATH; `undefined` where there is none. */
export function firefoxPath() {
  const named = process.env.QUILLWORK_FIREFOX;
  if (named) return named;
  const candidates = (process.env.PATH ?? '').split(delimiter).flatMap((dir) => NAMES.map((name) => join(dir, name)));
  return candidates.find(isExecutable);
}

/** Starts Firefox with a fresh profile, a wide window and no GPU for pages. `puppeteer` is the caller's own: folders install by themselves. */
export function launchFirefox(puppeteer, executablePath) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    // The window's own size: of a viewport older versions do not know all that is asked for.
    args: ['--width=1280', '--height=900'],
    defaultViewport: null,
    extraPrefsFirefox: { 'dom.webgpu.enabled': false },
  });
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
