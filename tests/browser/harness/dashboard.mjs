// The dashboard as an operator looks at it.

import { EventEmitter, once } from 'node:events';

import { untilFigure } from './figure.mjs';
import { busyRatio, cpuTicks } from './procstat.mjs';
import { Watch } from './watch.mjs';

const LIMIT_MILLIS = 60_000;

/** One page with the dashboard. */
export class Dashboard {
  page;
  watch;
  #ticks = new EventEmitter();

  constructor(page) {
    this.page = page;
    this.watch = new Watch(page);
    page.setDefaultTimeout(LIMIT_MILLIS);
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        if (JSON.parse(payload).type === 'tick') this.#ticks.emit('tick');
      }),
    );
  }

  /** A fresh page, connected to `host`. `options` are those of a browser context. */
  static async open(browser, host, options) {
    const context = await browser.newContext(options);
    const dashboard = new Dashboard(await context.newPage());
    await dashboard.page.goto(`${host.url}/`);
    await dashboard.hostIs('live');
    return dashboard;
  }

  close() {
    return this.page.context().close();
  }

  hostIs(state, limitMillis = LIMIT_MILLIS) {
    return this.page.locator(`[data-testid=host-status][data-state=${state}]`).waitFor({ timeout: limitMillis });
  }

  /** The cards of pages, of one source or of all, in one state or in any. */
  cards({ source, link } = {}) {
    const parts = ['[data-testid=page-card]'];
    if (source !== undefined) parts.push(`[data-source-id="${source}"]`);
    if (link !== undefined) parts.push(`[data-link=${link}]`);
    return this.page.locator(parts.join(''));
  }

  /** Resolves with the source ids of the live pages once there are so many of them. */
  async sources(count) {
    await this.cards({ link: 'live' }).nth(count - 1).waitFor();
    return this.cards({ link: 'live' }).evaluateAll((cards) => cards.map((card) => card.dataset.sourceId));
  }

  /** Resolves with the frame rate that the card of `source` shows, once it shows one. */
  frameRate(source) {
    return untilFigure(this.page, `[data-source-id="${source}"] [data-testid=page-fps]`, 'value', 'above', 0);
  }

  /** Resolves once the next tick of the host has come and been drawn, with the share of CPU that is then shown. */
  async nextCpu() {
    return (await this.#nextTick()).shown;
  }

  /** The same, with the kernel's account as it was when the tick came: drawing it takes time. */
  async #nextTick() {
    await once(this.#ticks, 'tick', { signal: AbortSignal.timeout(LIMIT_MILLIS) });
    const account = await cpuTicks();
    const shown = await this.page.evaluate(
      () =>
        new Promise((resolve) => {
          const read = () => resolve(document.querySelector('[data-testid=cpu-total]')?.dataset.value);
          requestAnimationFrame(() => requestAnimationFrame(read));
        }),
    );
    if (shown === undefined) throw new Error('the dashboard shows no CPU after a tick');
    return { shown: Number(shown), account };
  }

  /** The mean share of CPU that is shown over some seconds, and the kernel's own account of the same seconds. */
  async cpuBesideKernel(seconds) {
    // The host measures from tick to tick; from the first on, both sides look at the same time.
    const { account: start } = await this.#nextTick();
    let sum = 0;
    let end = start;
    for (let second = 0; second < seconds; second += 1) {
      const { shown, account } = await this.#nextTick();
      sum += shown;
      end = account;
    }
    return { shown: sum / seconds, kernel: busyRatio(start, end) };
  }
}
