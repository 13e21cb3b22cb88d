// A browser, and a small static server for the folder that the tests run in.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Headers that make a page cross-origin isolated: its threads may share memory. */
export const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** Starts Chromium. Each call is a browser of its own with a fresh profile. */
export async function launch(settings = {}) {
  return chromium.launch({
    executablePath: executable(),
    ...settings,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-quic',
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
    ],
  });
}

/** The same with the back/forward cache, which who drives a browser does without as a rule. */
export async function launchWithPageCache() {
  return launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
}

/** Serves a folder. `routes` go first: a function by path that answers, or returns false to leave it. */
export async function serve(folder, { headers = {}, types = {}, handle = () => false } = {}) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (handle(request, response, url)) {
      return;
    }
    const path = join(folder, normalize(decodeURIComponent(url.pathname)));
    if (!path.startsWith(folder) || !existsSync(path) || !statSync(path).isFile()) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = types[extname(path)] ?? TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', ...headers }).end(readFileSync(path));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    origin: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Opens a page and collects what it complains about. */
export async function open(browser, address) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  await page.goto(address);
  return { page, complaints };
}

/** Waits until this holds in the page, which is given the argument. Where it never does, the error tells what `told` gives there instead. */
export async function untilInPage(page, holds, argument, told) {
  try {
    await page.waitForFunction(holds, argument);
  } catch ({ message }) {
    const instead = await page.evaluate(told, argument).catch(String);
    throw new Error(`waited in vain for ${JSON.stringify(argument)}, there is ${JSON.stringify(instead)} (${message.split('\n')[0]})`);
  }
}

function executable() {
  if (process.env.QUILLWORK_CHROMIUM) {
    return process.env.QUILLWORK_CHROMIUM;
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'chrome']) {
      if (existsSync(join(folder, name))) {
        return join(folder, name);
      }
    }
  }
  throw new Error('no Chromium on PATH: install it, or name it with QUILLWORK_CHROMIUM');
}
