// Parts of telemetry against fakes of what a browser tells, and at their bounds.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from './cases/check.mjs';
import { source } from './source.mjs';
import { page } from './wire-samples.mjs';

const { BatchQueue } = await source('telemetry/batch-queue');
const { Cost } = await source('telemetry/cost');
const { ErrorMeter } = await source('telemetry/error-meter');
const { FetchLink } = await source('telemetry/fetch-link');
const { FrameMeter } = await source('telemetry/fps');
const { GarbageMeter } = await source('telemetry/garbage');
const { gpuTimer } = await source('telemetry/gpu-timer');
const { LongFrameMeter } = await source('telemetry/long-frames');
const { LongTaskMeter } = await source('telemetry/longtask');
const { MetricBook } = await source('telemetry/metric-book');
const { PageMeters } = await source('telemetry/page-meters');
const { Poster } = await source('telemetry/post');
const { invokerName, plainText, plainUrl, scriptName } = await source('telemetry/redact');
const { Sketch } = await source('telemetry/sketch');
const { SpanBook } = await source('telemetry/span-book');
const { telemetrySettings } = await source('telemetry/options');
const { Uplink } = await source('telemetry/uplink');
const { UserAgentMemoryMeter } = await source('telemetry/user-agent-memory');

/** Puts globals in place for one test. */
function withGlobals(globals) {
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    undo.push(() => (before === undefined ? delete globalThis[name] : Object.defineProperty(globalThis, name, before)));
  }
}

const undo = [];
afterEach(() => {
  while (undo.length > 0) {
    undo.pop()();
  }
});

describe('long tasks where the browser tells of none', () => {
  /** A page of 60 frames a second on a clock of its own, whose thread is held up or whose frames are withheld as the test says. */
  function slowPage() {
    let [now, frame] = [0, undefined];
    const timers = [];
    const listeners = [];
    withGlobals({
      performance: { now: () => now },
      PerformanceObserver: Object.assign(class {}, { supportedEntryTypes: ['paint'] }),
      requestAnimationFrame: (then) => ((frame = then), 1),
      cancelAnimationFrame: () => (frame = undefined),
      document: { addEventListener: (_, listener) => listeners.push(listener), removeEventListener: () => listeners.splice(0) },
      setTimeout: (then, wait) => timers.push({ then, due: now + wait }),
      clearTimeout: (id) => id !== undefined && (timers[id - 1] = undefined),
    });
    const runTimers = () => {
      for (const [at, timer] of timers.entries()) {
        if (timer !== undefined && timer.due <= now) {
          timers[at] = undefined;
          timer.then();
        }
      }
    };
    const draw = () => {
      const then = frame;
      frame = undefined;
      then?.(now);
    };
    return {
      frames(count) {
        for (let n = 0; n < count; n += 1) {
          now += 1_000 / 60;
          runTimers();
          draw();
        }
      },
      /** The thread is busy right after a frame, and the next one comes when it is done. */
      block(ms) {
        now = (Math.ceil(((now + ms) * 60) / 1_000 - 1e-9) * 1_000) / 60;
        runTimers();
        draw();
      },
      /** The browser gives no frame, though the thread is free. */
      withhold(ms) {
        for (let passed = 0; passed < ms; passed += 1) {
          now += 1;
          runTimers();
        }
        draw();
      },
      hide: () => listeners.forEach((listener) => listener()),
    };
  }

  it('are estimated from frames that come late, and are said to be', () => {
    const screen = slowPage();
    const meter = new LongTaskMeter(new Cost());
    assert.equal(meter.take(), null);
    meter.start();
    screen.frames(60);
    assert.deepEqual(meter.take(), { count: 0, totalMillis: 0, maxMillis: 0, estimated: true });
    screen.block(200);
    screen.frames(10);
    screen.block(30);
    screen.block(80);
    const { count, totalMillis, maxMillis, estimated } = meter.take();
    assert.deepEqual([count, estimated], [2, true]);
    assert.ok(Math.abs(maxMillis - 200) < 17 && Math.abs(totalMillis - 280) < 34, `${maxMillis} and ${totalMillis}`);
    meter.stop();
    assert.equal(meter.take(), null);
  });

  it('are not seen in frames that the browser withholds, nor across a time in which the page was hidden', () => {
    const screen = slowPage();
    const meter = new LongTaskMeter(new Cost());
    meter.start();
    screen.frames(60);
    screen.withhold(5_000);
    screen.frames(10);
    screen.hide();
    screen.block(10_000);
    screen.frames(10);
    assert.equal(meter.take().count, 0);
    screen.block(100);
    assert.equal(meter.take().count, 1);
    meter.stop();
  });

  it('adapt to a display that draws less often', () => {
    const screen = slowPage();
    const meter = new LongTaskMeter(new Cost());
    meter.start();
    for (let n = 0; n < 100; n += 1) {
      screen.withhold(50);
    }
    assert.equal(meter.take().count, 0);
    meter.stop();
  });
});

describe('what is left of texts', () => {
  it('addresses lose query, fragment and credentials', () => {
    assert.equal(plainUrl('https://jane:pw@host.test:8/a/b.js?token=x#me'), 'https://host.test:8/a/b.js');
    assert.equal(scriptName('https://host.test/assets/app.js?v=1'), 'app.js');
    assert.equal(scriptName('blob:https://host.test/11-22'), null);
    assert.equal(scriptName('data:text/javascript,secret()'), null);
    assert.equal(scriptName(undefined), null);
    assert.equal(plainText('at f (https://h.test/a.js?user=jane:3:9)\nnext', 100), 'at f (https://h.test/a.js:3:9)\nnext');
  });

  it('what made a script run names no element', () => {
    assert.equal(invokerName('BUTTON#jane-doe.onclick'), 'BUTTON.onclick');
    assert.equal(invokerName('IMG[src=https://h.test/p.png?user=jane].onload'), 'IMG.onload');
    assert.equal(invokerName('Window.onmessage'), 'Window.onmessage');
    assert.equal(invokerName('TimerHandler:setTimeout'), 'TimerHandler:setTimeout');
    assert.equal(invokerName('Response.json.then'), 'Response.json.then');
    assert.equal(invokerName('https://h.test/app.js?user=jane'), 'app.js');
  });
});

describe('a sketch', () => {
  it('has the buckets of the core: values within one per cent', () => {
    const sketch = new Sketch();
    for (const value of [0, 1e-12, 1, 10, 10, 1e6]) {
      sketch.record(value);
    }
    const read = sketch.read();
    assert.deepEqual([read.count, read.zeros, read.min, read.max, read.sum], [6, 2, 0, 1e6, 1_000_021 + 1e-12]);
    assert.deepEqual(read.buckets, [[0, 1], [116, 2], [691, 1]]);
  });

  it('folds its lowest buckets where there are too many, and loses no value', () => {
    const sketch = new Sketch();
    for (let exponent = -8; exponent < 12; exponent += 0.005) {
      sketch.record(10 ** exponent);
    }
    const { buckets, count, max } = sketch.read();
    assert.ok(buckets.length <= 256);
    assert.equal(buckets.reduce((sum, [, times]) => sum + times, 0), count);
    assert.ok((1.01 / 0.99) ** buckets.at(-1)[0] >= max, 'the largest stay where they are');
  });
});

describe('metrics of the app', () => {
  it('tell what they were in the interval, and nothing where they had no value', () => {
    const book = new MetricBook();
    const orders = book.counter('orders');
    orders.add(2);
    book.counter('orders').add();
    book.gauge('cart', { tags: { b: 1, a: true } }).set(-3);
    assert.deepEqual(book.take(), [
      { name: 'orders', kind: 'counter', value: 3 },
      { name: 'cart', tags: { a: 'true', b: '1' }, kind: 'gauge', value: -3 },
    ]);
    assert.deepEqual(book.take(), []);
    orders.add();
    assert.deepEqual(book.take(), [{ name: 'orders', kind: 'counter', value: 1 }]);
  });

  it('are bounded in number: values of further ones are counted, and told once', () => {
    const book = new MetricBook();
    const warn = mock.method(console, 'warn', () => {});
    for (let n = 0; n < 130; n += 1) {
      book.gauge('user', { tags: { id: n } }).set(n);
    }
    assert.deepEqual([book.take().length, book.takeDropped(), book.takeDropped(), warn.mock.callCount()], [100, 30, 0, 1]);
    warn.mock.restore();
  });

  it('are refused where no host would take them', () => {
    const book = new MetricBook();
    const refused = (call) => assert.throws(call, { code: 'ERR_INVALID_OPTION' });
    refused(() => book.gauge('1st'));
    refused(() => book.gauge('a b'));
    refused(() => book.gauge('a'.repeat(81)));
    refused(() => book.gauge('a', { unit: 'kilobytes a second' }));
    refused(() => book.gauge('a', { tags: { 'a b': 1 } }));
    refused(() => book.gauge('a', { tags: Object.fromEntries('abcdefghi'.split('').map((name) => [name, 1])) }));
    refused(() => book.gauge('a').set(NaN));
    refused(() => book.counter('c').add(-1));
    refused(() => book.histogram('h').record(Infinity));
    refused(() => book.counter('a'));
    refused(() => new SpanBook().start('a b'));
    assert.deepEqual(book.take(), []);
  });

  it('leave room for one another: a sample stays small enough for a beacon', () => {
    const meters = new PageMeters(new Cost(), true);
    for (let n = 0; n < 100; n += 1) {
      const histogram = meters.metrics.histogram('h', { tags: { n } });
      for (let value = 1; value < 1_000; value *= 1.02) {
        histogram.record(value);
      }
      meters.spans.start('span', { tags: { text: 'x'.repeat(80) } }).end();
      meters.errors.report(new Error(`${n}`));
    }
    const buckets = Array.from({ length: 400 }, (_, index) => [index, 1]);
    const runs = { count: 400, sumMillis: 9, minMillis: 1, maxMillis: 9, relativeAccuracy: 0.01, zeros: 0, buckets };
    const taken = meters.take(1_000, Array.from({ length: 33 }, (_, n) => ({ taskType: `type ${n}`, runs })));
    assert.ok(JSON.stringify(taken).length < 50_000, `${JSON.stringify(taken).length} characters`);
    assert.equal(taken.errors.errors, 100);
    assert.equal(taken.errors.records.length, 1, 'errors of one place are one record, and come first');
    assert.ok(taken.taskTypes.length > 5, 'those at the front come along');
    assert.equal(taken.dropped.taskTypes, 33 - taken.taskTypes.length);
    assert.equal(taken.dropped.metrics, 100 - (taken.metrics?.length ?? 0));
    assert.equal(taken.dropped.spans, 100 - (taken.spans?.length ?? 0));
  });
});

describe('spans', () => {
  it('end once, with the function or its promise, and fail with it', async () => {
    const book = new SpanBook();
    const failed = new Error('failed');
    assert.throws(() => book.run('a', () => { throw failed; }), failed);
    await assert.rejects(book.run('b', () => Promise.reject(failed)), failed);
    assert.equal(await book.run('c', async (span) => (span.end(), span.end(false), 'result')), 'result');
    assert.deepEqual(book.take().map(({ name, ok }) => [name, ok]), [['a', false], ['b', false], ['c', true]]);
  });

  it('that are begun later are no parts of one that was left', async () => {
    const book = new SpanBook();
    await book.run('outer', async () => {
      book.run('inner', () => {});
      await Promise.resolve();
      book.run('later', () => {});
    });
    const spans = book.take();
    const parent = (name) => spans.find((span) => span.name === name).parent;
    const outer = spans.find(({ name }) => name === 'outer');
    assert.deepEqual([parent('inner'), parent('later'), outer.parent], [outer.id, null, null]);
  });
});

describe('errors', () => {
  it('are counted whatever was thrown, one record for each place', () => {
    const meter = new ErrorMeter(new Cost(), false);
    const hostile = new Proxy(new Error('x'), { get: () => { throw new Error('no'); } });
    const named = Object.assign(new Error('x'), { name: 'Jane Doe <jane@example.org>' });
    for (const thrown of [hostile, 'text', undefined, named, named]) {
      meter.report(thrown);
    }
    const { errors, records } = meter.take();
    assert.equal(errors, 5);
    assert.deepEqual(records.map(({ name, count }) => [name, count]), [['unknown', 1], ['string', 1], ['undefined', 1], ['Error', 2]]);
    assert.equal(meter.take(), null);
  });

  it('are bounded in number and length', () => {
    const meter = new ErrorMeter(new Cost(), true);
    for (let n = 0; n < 25; n += 1) {
      const error = new Error('long '.repeat(1_000));
      error.stack = `Error\n    at f (https://h.test/a.js:${n + 1}:1)\n${'x'.repeat(100_000)}`;
      meter.report(error);
    }
    const { errors, records } = meter.take();
    assert.deepEqual([errors, records.length, meter.takeDropped()], [25, 10, 15]);
    assert.ok(records.every(({ message, stack }) => message.length <= 500 && stack.length <= 2_000));
    assert.deepEqual(records.map(({ line }) => line), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('lose what they say where the consent is taken back', () => {
    const meter = new ErrorMeter(new Cost(), true);
    meter.report(new Error('jane'));
    meter.consent(false);
    const [record] = meter.take().records;
    assert.deepEqual([record.message, record.stack], [null, null]);
  });
});

describe('meters', () => {
  it('the 1 % low is the rate of the slowest hundredth of frames', () => {
    let draw;
    withGlobals({
      requestAnimationFrame: (then) => ((draw = then), 1),
      cancelAnimationFrame: () => {},
      document: { visibilityState: 'visible', addEventListener() {}, removeEventListener() {} },
    });
    const meter = new FrameMeter(new Cost());
    meter.start();
    let at = 0;
    for (let frame = 0; frame <= 300; frame += 1) {
      at += frame % 100 === 99 ? 50 : 10;
      draw(at);
    }
    const { lowFramesPerSecond, displayHertz } = meter.take(1_000);
    assert.deepEqual([lowFramesPerSecond, displayHertz], [20, 100]);
    meter.stop();
  });

  it('long frames add up by script, the longest first', () => {
    let see;
    class Observer {
      static supportedEntryTypes = ['long-animation-frame'];
      constructor(callback) {
        see = (entries) => callback({ getEntries: () => entries });
      }
      observe() {}
      disconnect() {}
      takeRecords() {
        return [];
      }
    }
    withGlobals({ PerformanceObserver: Observer });
    const meter = new LongFrameMeter(new Cost());
    assert.equal(meter.take(), null);
    meter.start();
    const script = (n, duration) => ({
      duration,
      sourceURL: `https://h.test/${n}.js?user=jane`,
      sourceFunctionName: 'go',
      sourceCharPosition: -1,
      invoker: 'BUTTON#jane.onclick',
      forcedStyleAndLayoutDuration: 1,
    });
    see([
      { duration: 60, blockingDuration: 10, scripts: [script(0, 20), script(0, 30)] },
      { duration: 90, blockingDuration: 40, scripts: [1, 2, 3, 4, 5, 6].map((n) => script(n, n)) },
    ]);
    const { count, totalMillis, blockingMillis, maxMillis, scripts } = meter.take();
    assert.deepEqual([count, totalMillis, blockingMillis, maxMillis], [2, 150, 50, 90]);
    assert.deepEqual(scripts.map(({ durationMillis }) => durationMillis), [50, 6, 5, 4, 3]);
    assert.deepEqual(
      [scripts[0].source, scripts[0].invoker, scripts[0].position, scripts[0].layoutMillis],
      ['https://h.test/0.js', 'BUTTON.onclick', null, 2],
    );
    assert.deepEqual(meter.take().scripts, []);
  });

  it('memory of the whole page is asked for at random times, where the page is isolated', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    undo.push(() => mock.timers.reset());
    let asked = 0;
    performance.measureUserAgentSpecificMemory = () => Promise.resolve({ bytes: 1_000 * ++asked });
    undo.push(() => delete performance.measureUserAgentSpecificMemory);
    mock.method(Math, 'random', () => 1 - 1 / Math.E);
    undo.push(() => Math.random.mock.restore());
    const meter = new UserAgentMemoryMeter();
    meter.start();
    mock.timers.tick(120_000);
    assert.deepEqual([asked, meter.read()], [0, null], 'another page could be measured with it');

    withGlobals({ crossOriginIsolated: true });
    meter.start();
    mock.timers.tick(59_000);
    assert.equal(asked, 0);
    mock.timers.tick(2_000);
    await Promise.resolve();
    assert.deepEqual([asked, meter.read()], [1, 1_000]);
    meter.stop();
    mock.timers.tick(600_000);
    assert.equal(asked, 1);
  });

  it('collections of garbage are noticed', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    const meter = new GarbageMeter();
    assert.equal(meter.take(), null);
    meter.start();
    let seen = 0;
    await until(() => {
      collect();
      seen += meter.take();
      return seen >= 3;
    }, 'three collections');
    meter.stop();
    assert.equal(meter.take(), null);
  });

  it('a pass on the GPU is read without waiting for it, and a clock that was set back is not', async () => {
    const stamps = new BigUint64Array([1_000_000n, 3_500_000n, 9n, 5n]);
    const buffer = { mapAsync: async () => {}, getMappedRange: (_from, bytes) => stamps.buffer.slice(0, bytes), unmap() {} };
    const device = { features: new Set(['timestamp-query']), createQuerySet: () => 'queries', createBuffer: () => buffer };
    assert.equal(gpuTimer({ ...device, features: new Set() }, () => {}), undefined);
    const times = [];
    const timer = gpuTimer(device, (millis) => times.push(millis));
    const first = timer.next().timestampWrites;
    const second = timer.next().timestampWrites;
    assert.deepEqual([first.beginningOfPassWriteIndex, first.endOfPassWriteIndex, second.beginningOfPassWriteIndex], [0, 1, 2]);
    timer.resolve({ resolveQuerySet() {}, copyBufferToBuffer() {} });
    assert.deepEqual(timer.next(), {}, 'not while they are read');
    timer.read();
    await until(() => timer.next().timestampWrites !== undefined, 'they are read');
    assert.deepEqual(times, [2.5]);
  });

  it('telemetry counts its own time once, however it is nested', () => {
    let now = 0;
    mock.method(performance, 'now', () => now);
    undo.push(() => performance.now.mock.restore());
    const cost = new Cost();
    cost.measure(() => {
      now += 2;
      cost.measure(() => (now += 3));
    });
    assert.throws(() => cost.measure(() => { now += 5; throw new Error('x'); }), /x/);
    assert.deepEqual([cost.take(1_000), cost.take(1_000)], [0.01, 0]);
  });
});

describe('by WebSocket', () => {
  it('a host that lets a connection hang is away, and is tried again', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    undo.push(() => mock.timers.reset());
    const sockets = [];
    class HangingSocket {
      readyState = 0;
      closed = false;
      constructor() {
        sockets.push(this);
      }
      close() {
        this.closed = true;
      }
    }
    withGlobals({ WebSocket: HangingSocket });
    const said = [];
    const uplink = new Uplink({ url: 'wss://host.test/ws', token: undefined, source: page }, new BatchQueue(), (status) => said.push(status));
    uplink.start();
    mock.timers.tick(9_999);
    assert.deepEqual(said, ['connecting']);
    mock.timers.tick(1);
    assert.deepEqual(said, ['connecting', 'away']);
    assert.equal(sockets[0].closed, true);
    mock.timers.tick(2_500);
    assert.equal(sockets.length, 2);
    uplink.stop();
    mock.timers.tick(60_000);
    assert.equal(sockets.length, 2);
    assert.equal(said.at(-1), 'off');
  });
});

describe('by fetch', () => {
  let answers;
  let asked;

  beforeEach(() => {
    asked = [];
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_760_000_000_000 });
    undo.push(() => mock.timers.reset());
    withGlobals({
      fetch: async (url, request) => {
        asked.push({ url, ...request });
        const answer = answers.shift() ?? [204];
        if (answer === 'no network') {
          throw new TypeError('Failed to fetch');
        }
        return new Response(null, { status: answer[0], headers: answer[1] ?? {} });
      },
    });
  });

  const ticks = async () => {
    for (let n = 0; n < 20; n += 1) {
      await Promise.resolve();
    }
  };

  function link() {
    const queue = new BatchQueue();
    const made = new FetchLink({ url: 'wss://host.test/ws', token: undefined, source: page }, queue, () => {});
    queue.push({ atUnixMillis: 1 });
    return { queue, made };
  }

  it('waits longer after each failure, or as long as the host says, and sends the same batch again', async () => {
    answers = ['no network', [503], [429, { 'retry-after': '40' }], [503, { 'retry-after': 'Thu, 09 Oct 2025 08:54:40 GMT' }], [204]];
    const { queue, made } = link();
    made.start();
    await ticks();
    assert.deepEqual([made.status, asked.length, asked[0].url], ['away', 1, 'https://host.test/api/v1/ingest']);
    mock.timers.tick(250);
    await ticks();
    assert.equal(asked.length, 2);
    mock.timers.tick(500);
    await ticks();
    assert.equal(asked.length, 3);
    mock.timers.tick(39_900);
    made.flush();
    await ticks();
    assert.equal(asked.length, 3, 'not before the host said');
    mock.timers.tick(100);
    await ticks();
    assert.equal(asked.length, 4);
    const wait = Date.parse('Thu, 09 Oct 2025 08:54:40 GMT') - Date.now();
    mock.timers.tick(wait - 1);
    await ticks();
    assert.equal(asked.length, 4);
    mock.timers.tick(1);
    await ticks();
    assert.deepEqual([made.status, queue.size], ['connected', 0]);
    assert.equal(new Set(asked.map(({ body }) => JSON.parse(body).batchId)).size, 1);
  });

  it('drops the one batch that the host can not take, tells it with the next, and warns once', async () => {
    const warn = mock.method(console, 'warn', () => {});
    undo.push(() => warn.mock.restore());
    answers = [[422], [422], [204]];
    const { queue, made } = link();
    made.start();
    await ticks();
    for (const atUnixMillis of [2, 3]) {
      queue.push({ atUnixMillis });
      made.flush();
      await ticks();
    }
    assert.equal(JSON.parse(asked[2].body).droppedSamples, 2);
    assert.deepEqual([made.status, warn.mock.callCount()], ['connected', 1]);
  });

  it('sends it as it is to a host that takes no compressed bodies', async () => {
    answers = [[415], [204], [204]];
    mock.timers.reset();
    const poster = new Poster('https://host.test/api/v1/ingest', undefined);
    const body = JSON.stringify({ text: 'x'.repeat(2_000) });
    assert.equal((await poster.post(body)).outcome, 'taken');
    assert.equal((await poster.post(body)).outcome, 'taken');
    assert.deepEqual(asked.map(({ headers }) => headers['content-encoding']), ['gzip', undefined, undefined]);
    assert.equal(asked[1].body, body);
  });
});

describe('options', () => {
  it('that can not be are refused by name', () => {
    for (const [name, options] of Object.entries({
      sampleRate: { sampleRate: 1.1 },
      transport: { transport: 'pigeon' },
      beforeSend: { beforeSend: 'yes' },
      reporting: { consent: { reporting: 'yes' } },
      errors: { consent: { errors: 'all' } },
      maxBytes: { offlineQueue: { maxBytes: 1 } },
      intervalMs: { intervalMs: 10 },
      url: { url: 'ftp://host' },
    })) {
      assert.throws(() => telemetrySettings(options), (error) => error.code === 'ERR_INVALID_OPTION' && error.message.includes(name));
    }
    assert.deepEqual(telemetrySettings({}).consent, { reporting: true, errors: 'basic' });
    assert.equal(telemetrySettings({ offlineQueue: true }).offlineBytes, 1_000_000);
  });
});
