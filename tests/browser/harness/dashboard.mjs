// The dashboard as an operator looks at it.

import { EventEmitter, once } from 'node:events';

import { untilFigure } from './figure.mjs';
import { MIDDAY } from './midday.mjs';
import { busyRatio, cpuTicks } from './procstat.mjs';
import { Watch } from './watch.mjs';

const LIMIT_MILLIS = 60_000;
/** From tick to tick, where none was left out between them. */
const LONGEST_STEP_MILLIS = 1_100;

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
        const message = JSON.parse(payload);
        if (message.type === 'tick' && message.host !== null) this.#ticks.emit('tick', message);
      }),
    );
  }

  /** A fresh page at `path`, connected to `host`. `options` are those of a browser context. */
  static async open(browser, host, options, path = '/') {
    const context = await browser.newContext({ timezoneId: MIDDAY, ...options });
    const dashboard = new Dashboard(await context.newPage());
    await dashboard.page.goto(host.url + path);
    await dashboard.hostIs('live');
    return dashboard;
  }

  close() {
    return this.page.context().close();
  }

  async hostIs(state) {
    const status = this.page.getByTestId('host-status');
    await status.and(this.page.locator(`[data-state=${state}]`)).waitFor().catch(async (cause) => {
      throw new Error(`the host is not shown as ${state}, but: ${await status.allInnerTexts()}`, { cause });
    });
  }

  /** The cards of pages, of one source or of all, in one state or in any. */
  cards({ source, link } = {}) {
    const parts = ['[data-testid=page-card]'];
    if (source !== undefined) parts.push(`[data-source-id="${source}"]`);
    if (link !== undefined) parts.push(`[data-link=${link}]`);
    return this.page.locator(parts.join(''));
  }

  /** Resolves with the source ids of the live pages once there are so many of them, all seen in one look. */
  sources(count) {
    return this.page.evaluate(
      ([count, limitMillis]) =>
        new Promise((resolve, reject) => {
          let links = [];
          const look = () => {
            const cards = [...document.querySelectorAll('[data-testid=page-card]')];
            links = cards.map(({ dataset }) => dataset.link);
            const live = cards.filter(({ dataset }) => dataset.link === 'live');
            if (live.length < count) return;
            observer.disconnect();
            clearTimeout(timer);
            resolve(live.map(({ dataset }) => dataset.sourceId));
          };
          const observer = new MutationObserver(look);
          const timer = setTimeout(() => {
            observer.disconnect();
            reject(new Error(`no ${count} live pages after ${limitMillis} ms, but these: ${links.join()}`));
          }, limitMillis);
          observer.observe(document, { subtree: true, childList: true, attributes: true });
          look();
        }),
      [count, LIMIT_MILLIS],
    );
  }

  /** Resolves with the frame rate that the card of `source` shows, once it shows one. */
  frameRate(source) {
    return untilFigure(this.page, `[data-source-id="${source}"] [data-testid=page-fps]`, 'value', 'above', 0);
  }

  /** Resolves once the next tick of the host has come and been drawn, with the share of CPU that is then shown. */
  async nextCpu() {
    await this.#nextTick();
    return this.#shownCpu();
  }

  async #nextTick() {
    const [tick] = await once(this.#ticks, 'tick', { signal: AbortSignal.timeout(LIMIT_MILLIS) });
    return tick;
  }

  /** The share of CPU that is shown two frames from now. Where the page stood still for seconds there is none until the next tick. */
  async #shownCpu() {
    await this.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    return untilFigure(this.page, '[data-testid=cpu-total]', 'value', 'at least', 0, LIMIT_MILLIS);
  }

  /**
   * The shares of CPU that are shown at so many ticks, each beside what the kernel's account in two ticks of the host comes to.
   * That account is the kernel's own: it lies between two readings of it here, one before and one after.
   */
  async cpuBesideKernel(count) {
    const before = await cpuTicks();
    const seen = [];
    const compared = [];
    let last = accountOf(await this.#nextTick());
    const first = last;
    const take = (tick) => seen.push(tick);
    this.#ticks.on('tick', take);
    try {
      while (compared.length < count) {
        const since = seen.length;
        const account = accountOf(await this.#nextTick());
        const kernel = busyRatio(last, account);
        // A tick that is late speaks of the time since one that nobody heard of.
        const follows = account.at - last.at < LONGEST_STEP_MILLIS && account.shown !== null;
        last = account;
        if (!follows) continue;
        const shown = await this.#shownCpu();
        // While it was drawn another tick may have come.
        const newer = seen.slice(since).map((tick) => accountOf(tick).shown);
        if (newer.length > 1) continue;
        if (shown !== Math.fround(account.shown)) throw new Error(`the tick says ${account.shown}, and shown is ${shown}`);
        compared.push({ shown, kernel });
      }
    } finally {
      this.#ticks.off('tick', take);
    }
    const after = await cpuTicks();
    for (const [earlier, later] of [[before, first], [last, after]]) {
      // Both round to a hundredth of a second.
      if (earlier.busy > later.busy + 1) throw new Error(`the host's account is not the kernel's: ${JSON.stringify({ before, first, last, after })}`);
    }
    return compared;
  }
}

/** In ticks of the kernel, as `cpuTicks` has it. */
function accountOf({ host: { atUnixMillis, cpu } }) {
  const modes = Object.values(cpu.modeSecondsTotal).map((seconds) => Math.round(seconds * 100));
  const total = modes.reduce((sum, mode) => sum + mode, 0);
  const { idle, iowait } = cpu.modeSecondsTotal;
  return { at: atUnixMillis, shown: cpu.totalRatio, total, busy: total - Math.round(idle * 100) - Math.round(iowait * 100) };
}
