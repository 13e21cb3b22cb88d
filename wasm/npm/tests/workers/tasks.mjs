// The tasks of the tests; the entries beside this file expose them.

class CustomError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'CustomError';
    this.status = 404;
    this.detail = { path: ['a', 1] };
    this.callback = () => 1;
  }
}

const remembered = [];
let rang = false;

/** A small value, or one with bytes or a long text, or one that is no plain data, with its number. */
export function mixed(n) {
  switch (n % 5) {
    case 0:
      return { n, bytes: new Uint8Array(10_000) };
    case 1:
      return { n, text: 'x'.repeat(3_000) };
    case 2:
      return { n, at: new Date(n) };
    case 3:
      return { n };
    default:
      return n;
  }
}

export const tasks = {
  square: (n) => n * n,
  echo: (value) => value,
  noop() {},
  context: (_, ctx) => ({ task: ctx.task, attempt: ctx.attempt, aborted: ctx.signal.aborted }),
  takenApart(size, { signal, progress, transfer, onCleanup }) {
    onCleanup(() => progress('cleaned up'));
    const bytes = new Uint8Array(size);
    progress(signal.aborted);
    return transfer(bytes, [bytes.buffer]);
  },
  siblings() {
    return Object.keys(this).includes('square');
  },

  progress(count, ctx) {
    for (let done = 1; done <= count; done += 1) {
      ctx.progress(done);
    }
    return count;
  },

  /** Reports small and large values in turn. */
  mixedReports(count, ctx) {
    for (let n = 0; n < count; n += 1) {
      ctx.progress(mixed(n));
    }
    return count;
  },

  /** Yields small and large values in turn. */
  async *mixedItems(count) {
    for (let n = 0; n < count; n += 1) {
      yield mixed(n);
    }
  },

  /** Remembers the order in which it was called, and gives it when asked for nothing. */
  remember(value) {
    if (value === undefined) {
      return remembered.splice(0);
    }
    remembered.push(value.n ?? value);
    return value;
  },

  /** Has a timer ring later, beside all tasks. */
  setTimer(ms) {
    rang = false;
    setTimeout(() => (rang = true), ms);
  },
  timerRang: () => rang,

  reverse(buffer, ctx) {
    const bytes = new Uint8Array(buffer).reverse();
    return ctx.transfer(bytes, [bytes.buffer]);
  },

  /** Says that it runs, then waits until its gate is opened or it is aborted. */
  hold(gate, ctx) {
    return new Promise((resolve, reject) => {
      const channel = new BroadcastChannel(gate);
      const end = (settle, value) => {
        channel.close();
        settle(value);
      };
      channel.onmessage = () => end(resolve, 'through');
      ctx.signal.addEventListener('abort', () => end(reject, ctx.signal.reason));
      ctx.progress('holding');
    });
  },

  /** Of one name, and mostly short. */
  mayHold(gate, ctx) {
    if (gate !== undefined) {
      return tasks.hold(gate, ctx);
    }
    ctx.progress('runs');
    return 'at once';
  },
  mayHang(hangs) {
    while (hangs);
    return 'ended';
  },

  /** Ends when aborted, and tells why. */
  async reason(_, ctx) {
    ctx.progress('started');
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    const channel = new BroadcastChannel('reasons');
    const { reason } = ctx.signal;
    channel.postMessage(reason instanceof Error ? { name: reason.name, message: reason.message, code: reason.code } : reason);
    channel.close();
    throw reason;
  },

  /** Keeps the worker's event loop busy for a while. */
  busy(millis) {
    const end = performance.now() + millis;
    while (performance.now() < end);
    return millis;
  },

  /** The same, but with signs of life. */
  busyAndAlive({ millis, every }, ctx) {
    const end = performance.now() + millis;
    for (let next = performance.now() + every; performance.now() < end; ) {
      if (performance.now() >= next) {
        ctx.progress(0);
        next += every;
      }
    }
    return 'alive';
  },

  /** A result in a turn of the event loop to come. */
  async later(value, ctx) {
    ctx.progress('runs');
    await new Promise((resolve) => setTimeout(resolve));
    return value;
  },
  /** Goes on until it is aborted, with or without letting its worker hear of it. */
  async untilAborted(hears, ctx) {
    ctx.progress('started');
    while (!ctx.aborted) {
      if (hears) {
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    return 'stopped';
  },

  /** Uses up the memory of a thread; of a page one buffer that is too large, or all its tabs would suffer. */
  exhaust() {
    if (globalThis.process === undefined) {
      return new ArrayBuffer(2 ** 52);
    }
    const held = [];
    for (;;) {
      held.push(new Array(100_000).fill(held.length));
    }
  },

  hang(_, ctx) {
    ctx.progress('hanging');
    for (;;);
  },

  ignoreAbort(_, ctx) {
    ctx.progress('started');
    return new Promise(() => {});
  },

  /** Warms its worker up, unless told to fail. */
  warm(fail) {
    if (fail) {
      throw new Error('too cold');
    }
    globalThis.isWarm = true;
  },
  isWarm: () => globalThis.isWarm === true,

  /** Yields so many numbers, and tells how far it is ahead. */
  async *count(to, ctx) {
    try {
      for (let n = 1; n <= to; n += 1) {
        ctx.progress(n);
        yield n;
      }
      return 'counted';
    } finally {
      ctx.progress('left');
    }
  },
  *parts(bytes, ctx) {
    for (const byte of bytes) {
      const part = new Uint8Array([byte]);
      yield ctx.transfer(part, [part.buffer]);
    }
  },
  async *breaks() {
    yield 1;
    throw new RangeError('broken');
  },
  async *uncloneableItem(_, ctx) {
    try {
      yield 1;
      yield () => 1;
    } finally {
      ctx.progress('left');
    }
  },
  async *yieldsThenHangs(_, ctx) {
    yield 'first';
    ctx.progress('waits');
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    ctx.progress('aborted');
  },

  /** Never ends by itself, but lets go when it is aborted. */
  letsGo(fail, ctx) {
    ctx.onAbort(async (reason) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      ctx.progress(`let go: ${reason}`);
      if (fail) {
        throw new Error('could not let go');
      }
    });
    ctx.progress('started');
    return new Promise(() => {});
  },

  /** Fails until its attempt of this number. */
  flaky(attempt, ctx) {
    ctx.progress(ctx.attempt);
    if (ctx.attempt < attempt) {
      throw new RangeError(`attempt ${ctx.attempt}`);
    }
    return ctx.attempt;
  },

  cleanup(fail, ctx) {
    const order = [];
    ctx.onCleanup(() => {
      order.push('first added');
      ctx.progress(order);
      if (fail) {
        throw new Error('cleanup failed');
      }
    });
    ctx.onCleanup(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      order.push('last added');
    });
    return 'result';
  },

  throwCustom() {
    throw new CustomError('custom', { cause: new RangeError('inner') });
  },
  async rejectType() {
    throw new TypeError('typed');
  },
  throwValue(value) {
    throw value;
  },
  throwAggregate() {
    throw new AggregateError([new TypeError('one'), 'two'], 'both');
  },
  throwDom() {
    throw new DOMException('no such file', 'NotFoundError');
  },
  throwRing() {
    const error = new Error('ring');
    error.cause = error;
    throw error;
  },
  throwTrap() {
    const error = new Error('trap');
    Object.defineProperty(error, 'trap', {
      enumerable: true,
      get() {
        throw new Error('sprung');
      },
    });
    throw error;
  },

  throwInTimer: () =>
    new Promise(() => {
      setTimeout(() => {
        throw new TypeError('in a timer');
      });
    }),
  rejectUnhandled: () =>
    new Promise(() => {
      void Promise.reject(new RangeError('nobody listens'));
    }),

  /** Results that throw when they are looked at or sent. */
  trap(kind) {
    const sprung = { toString: () => { throw new Error('sprung'); } };
    return {
      then: { get then() { throw new Error('sprung'); } },
      proxy: new Proxy({}, { get() { throw new Error('sprung'); } }),
      getter: { get value() { throw sprung; } },
      symbol: Symbol('symbol'),
    }[kind];
  },

  throwNamed(name) {
    const error = new Error(`named ${name}`);
    error.name = name;
    throw error;
  },
  /** Errors that refer to each other in ways beyond counting. */
  throwTangle() {
    const errors = Array.from({ length: 12 }, (_, n) => new Error(`tangle ${n}`));
    for (const error of errors) {
      error.others = errors.length;
      errors.forEach((other, n) => (error[`other${n}`] = other));
    }
    throw errors[0];
  },
  throwUnreadable() {
    const error = new Error('unreadable');
    Object.defineProperty(error, 'message', { get() { throw new Error('sprung'); } });
    throw error;
  },
  /** Can be cloned the first time only. */
  throwFickle() {
    let reads = 0;
    throw { get value() { reads += 1; return reads === 1 ? 'first' : () => reads; } };
  },
  /** Uses the worker's own messages. */
  talk() {
    globalThis.onmessage = () => {};
    globalThis.postMessage?.('of the app');
    globalThis.postMessage?.([1, 2, 3]);
    return 'talked';
  },

  uncloneableResult: () => () => 1,
  uncloneableProgress(_, ctx) {
    ctx.progress(() => 1);
  },
};
