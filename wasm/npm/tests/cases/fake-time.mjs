// A clock and timers that stand still until they are moved, in a page as well as in Node.

const NAMES = ['setTimeout', 'clearTimeout'];

/** Runs `act` under fake time, which starts at `startAt` and moves only by `advance`. */
export async function withFakeTime(act, startAt = 1_000_000) {
  const real = { now: Date.now, ...Object.fromEntries(NAMES.map((name) => [name, globalThis[name]])) };
  const time = new FakeTime(startAt);
  Date.now = () => time.now + time.skew;
  globalThis.setTimeout = (then, wait = 0) => time.set(then, wait);
  globalThis.clearTimeout = (timer) => time.clear(timer);
  try {
    return await act(time);
  } finally {
    Date.now = real.now;
    for (const name of NAMES) {
      globalThis[name] = real[name];
    }
  }
}

/** A promise that resolves after a time of the fake clock. */
export const after = (ms, value) => new Promise((resolve) => setTimeout(() => resolve(value), ms));

/** What a promise came to so far. */
export function watch(promise) {
  const watched = { state: 'pending' };
  promise.then(
    (value) => Object.assign(watched, { state: 'resolved', value }),
    (error) => Object.assign(watched, { state: 'rejected', error }),
  );
  return watched;
}

class FakeTime {
  #timers = [];
  /** By how much the wall clock was set wrong, in milliseconds. */
  skew = 0;

  constructor(now) {
    this.now = now;
  }

  set(then, wait) {
    const timer = { then, due: this.now + Math.max(0, Math.floor(wait)), ref() {}, unref() {} };
    this.#timers.push(timer);
    return timer;
  }

  clear(timer) {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  /** How many timers are set. */
  get pending() {
    return this.#timers.length;
  }

  /** Moves the clock on; timers fire at their time, in the order of their setting, and promises settle in between. */
  async advance(ms) {
    const until = this.now + ms;
    await this.settle();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.now = Math.max(this.now, next.due);
      this.clear(next);
      next.then();
      await this.settle();
    }
    this.now = until;
  }

  /** As `advance`, without promises: only what happens at once. */
  advanceSync(ms) {
    const until = this.now + ms;
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.now = Math.max(this.now, next.due);
      this.clear(next);
      next.then();
    }
    this.now = until;
  }

  /** Lets all promises settle that can. */
  async settle() {
    for (let turn = 0; turn < 20; turn += 1) {
      await undefined;
    }
  }

  #next(until) {
    let next;
    for (const timer of this.#timers) {
      if (timer.due <= until && (next === undefined || timer.due < next.due)) {
        next = timer;
      }
    }
    return next;
  }
}
