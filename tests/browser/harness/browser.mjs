// Chromium, as the tests drive it.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

// It runs as root in containers, and must not talk to anyone while it is tested.
const QUIET = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

// A WebGPU adapter in software, so that the kernels run where there is no GPU.
const SOFTWARE_WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
const NO_WEBGPU = ['--disable-features=WebGPU,WebGPUService', '--disable-blink-features=WebGPU', '--disable-gpu'];

/** The browser named by QUILLWORK_CHROMIUM, or the one on PATH. */
export function browserPath() {
  const named = process.env.QUILLWORK_CHROMIUM;
  const candidates = named
    ? [named]
    : (process.env.PATH ?? '').split(delimiter).flatMap((dir) => NAMES.map((name) => join(dir, name)));
  const found = candidates.find(isExecutable);
  if (found === undefined) {
    throw new Error(
      named
        ? `QUILLWORK_CHROMIUM names ${named}, which can't be run`
        : 'Chromium is not on PATH: run `cargo xtask setup`, or name it in QUILLWORK_CHROMIUM',
    );
  }
  return found;
}

/** Starts a browser with a fresh profile. With `webgpu: false` pages find no GPU at all. */
export function launchBrowser({ webgpu = true } = {}) {
  return chromium.launch({
    executablePath: browserPath(),
    args: [...QUIET, ...(webgpu ? SOFTWARE_WEBGPU : NO_WEBGPU)],
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
