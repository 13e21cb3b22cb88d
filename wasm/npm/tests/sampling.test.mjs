// What a sample says at the edges of time: a host refuses what can't be right, and with it the batch.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { source } from './source.mjs';

const { Core } = await source('abi');
const { Clock } = await source('pool/clock');
const { newPool } = await source('pool/settings');
const { checkBinding } = await source('pool/binding');
const { poolSettings } = await source('runtime/options');
const { Sampler } = await source('telemetry/sampler');
const { FrameMeter } = await source('telemetry/fps');
const { PageMeters } = await source('telemetry/page-meters');
const { Cost } = await source('telemetry/cost');
const module = await WebAssembly.compile(readFileSync(fileURLToPath(import.meta.resolve('quillwork/runtime.wasm'))));

let time;

beforeEach(() => {
  time = 1_000;
  performance.now = () => time;
});

afterEach(() => {
  delete performance.now;
});

function sampler() {
  const core = new Core(module);
  const pool = newPool(core, 0, poolSettings({ worker: 'tasks.js', workers: 1 }, checkBinding('late')));
  const none = { hits: 0, misses: 0, evictions: 0, entries: 0 };
  return new Sampler(new PageMeters(new Cost(), false), { core, pool, clock: new Clock(), taskNames: () => [], cacheTotals: () => none });
}

describe('a sample', () => {
  it('that is taken within one tick of the clock has an interval all the same', () => {
    const taken = sampler();
    taken.start();
    assert.ok(taken.take().intervalMillis > 0);
  });

  it('of a page that slept for a day has an interval that a host takes', () => {
    const taken = sampler();
    taken.start();
    time += 86_400_000;
    assert.equal(taken.take().intervalMillis, 3_600_000);
    time += 1_000;
    assert.equal(taken.take().intervalMillis, 1_000);
  });
});

describe('frames', () => {
  it('are not observed in an interval too short for them', () => {
    let draw;
    Object.assign(globalThis, {
      requestAnimationFrame: (then) => ((draw = then), 1),
      cancelAnimationFrame: () => {},
      document: { visibilityState: 'visible', addEventListener() {}, removeEventListener() {} },
    });
    try {
      const meter = new FrameMeter(new Cost());
      meter.start();
      draw(16);
      assert.deepEqual(meter.take(0.05).framesPerSecond, null, 'one frame in 50 µs is no 20,000 a second');
      for (let at = 1; at <= 60; at += 1) {
        draw(16 + at * 16.67);
      }
      assert.equal(meter.take(1_000).framesPerSecond, 60);
      meter.stop();
    } finally {
      for (const name of ['requestAnimationFrame', 'cancelAnimationFrame', 'document']) {
        delete globalThis[name];
      }
    }
  });
});
