// The story app as a reader uses it: what can be clicked, and what it then shows.

import { untilFigure } from './figure.mjs';
import { atOnce } from './moment.mjs';
import { Watch } from './watch.mjs';

/** For what takes workers: a loaded machine with two slow cores gets it done in this. */
const WORK_LIMIT_MILLIS = 120_000;

/** One page with the story app. */
export class Studio {
  page;
  watch;
  /** The samples of itself that the page has sent over its socket. */
  sent = [];
  #url;

  constructor(page, host) {
    this.page = page;
    this.watch = new Watch(page);
    this.#url = `${host.url}/story/`;
    page.setDefaultTimeout(WORK_LIMIT_MILLIS);
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        const message = JSON.parse(payload);
        if (message.type === 'batch') this.sent.push(...message.samples);
      }),
    );
  }

  /** A fresh page with nothing open yet. `options` are those of a browser context. */
  static async open(browser, host, options) {
    const context = await browser.newContext(options);
    const studio = new Studio(await context.newPage(), host);
    await studio.load();
    return studio;
  }

  /** Loads or reloads the app, with a new runtime either way. */
  async load() {
    await this.page.goto(this.#url);
    await this.get('pool-stats').waitFor();
  }

  close() {
    return this.page.context().close();
  }

  /** The element that is `id` to a test, in one of the states of its data, where one is given. */
  get(id, data = {}) {
    const states = Object.entries(data).map(([name, value]) => `[data-${name}="${value}"]`);
    return this.page.locator(`[data-testid="${id}"]${states.join('')}`);
  }

  /** Resolves with the element once it is there and looks so. */
  async until(id, data) {
    const element = this.get(id, data);
    await element.first().waitFor({ state: 'attached' }).catch(async (cause) => {
      const there = await this.get(id).evaluateAll((all) => all.map((one) => one.cloneNode().outerHTML));
      throw new Error(`no ${id} is ${JSON.stringify(data)}, but there is: ${there.join() || 'none'}`, { cause });
    });
    return element;
  }

  /** A figure that the page carries in its data. */
  async figure(id, name = 'value') {
    return Number(await this.get(id).getAttribute(`data-${name}`));
  }

  /** Resolves with a figure once it is `'above'` or `'at least'` `than`. */
  untilFigure(id, name, relation, than) {
    return untilFigure(this.page, `[data-testid="${id}"]`, name, relation, than, WORK_LIMIT_MILLIS);
  }

  /** Resolves once the canvas of the map shows more than one colour: what is laid out is drawn in a frame to come. */
  painted() {
    return this.get('map').locator('canvas').evaluate(async (canvas, limitMillis) => {
      const paints = () => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const pixels = new Uint32Array(data.buffer);
        return pixels.some((pixel) => pixel !== pixels[0]);
      };
      for (const end = performance.now() + limitMillis; !paints(); ) {
        if (performance.now() > end) throw new Error(`the map is blank after ${limitMillis} ms`);
        await new Promise(requestAnimationFrame);
      }
    }, WORK_LIMIT_MILLIS);
  }

  /** Resolves as soon as `selector` finds what says `text`, and clicks what `click` finds in that very moment. */
  atOnce(selector, { text, click } = {}) {
    return atOnce(this.page, selector, { text, click, limitMillis: WORK_LIMIT_MILLIS });
  }

  /** Kills a worker as soon as `selector` finds what says `text`. */
  killAtOnce(selector, text) {
    return this.atOnce(selector, { text, click: '[data-testid="kill-worker"]' });
  }

  /** Opens the story that comes with the app, and resolves once its first lines are there, too. */
  async openSample() {
    await this.get('open-sample').click();
    await this.opened('The Tide Clock');
    await this.turned();
  }

  /** Chooses a file of this machine in the file picker. */
  async pickFile(path) {
    await this.get('open-file').setInputFiles(path);
  }

  /** Chooses a file of this name and content in the file picker. */
  async openFile(name, content, type = 'text/plain') {
    await this.get('open-file').setInputFiles({ name, mimeType: type, buffer: Buffer.from(content) });
  }

  /** Resolves once the story of this title is there with its map laid out and its shape analysed. */
  async opened(title) {
    await this.page.locator('h1', { hasText: title }).waitFor();
    await this.until('map', { ready: 'true' });
    for (const finding of ['analysis-reachable', 'analysis-loops', 'analysis-lengths']) {
      await this.untilFigure(finding, 'value', 'at least', 0);
    }
  }

  /** Resolves once no turn is under way. */
  async turned() {
    await this.page.locator('[data-testid="player"]:not([data-status="turning"])').waitFor({ state: 'attached' });
  }

  /** Starts the random readers. */
  async read(readers) {
    await this.get('montecarlo-count').selectOption(String(readers));
    await this.get('montecarlo-run').click();
  }

  /** Resolves once the run of readers has come to this; one that failed never will. */
  async readersAre(status) {
    const of = (word) => this.get('montecarlo-status').and(this.page.getByText(word, { exact: true }));
    await of(status).or(of('failed')).waitFor({ state: 'attached' });
    if ((await of(status).count()) === 0) {
      throw new Error(`the readers are not ${status}: ${await this.page.getByRole('region', { name: 'Random readers' }).innerText()}`);
    }
  }

  /** Measures the device up to this size and resolves once that is done. */
  async measure(size) {
    await this.get('device-size').selectOption(String(size));
    await this.get('device-run').click();
    await this.measured();
  }

  async measured() {
    await this.until('device', { status: 'done' });
  }

  /** Makes the `index`th choice and resolves once its turn is over. */
  async choose(index = 0) {
    const turns = await this.figure('player', 'turns');
    await this.get('choice').nth(index).click();
    await this.untilFigure('player', 'turns', 'above', turns);
    await this.turned();
  }
}
