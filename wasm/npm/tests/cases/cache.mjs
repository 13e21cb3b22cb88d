import { equal, ok, refused } from './check.mjs';

export default {
  async 'keeps values up to its bound, and counts'(t) {
    const cache = (await t.runtime()).cache('bounded', { maxEntries: 100 });
    for (let n = 0; n < 1_000; n += 1) {
      cache.set(`key ${n}`, { n });
    }
    const { entries, evictions, insertions } = cache.stats();
    equal([entries, insertions, evictions], [100, 1_000, 900]);
    let found = 0;
    for (let n = 0; n < 1_000; n += 1) {
      const value = cache.get(`key ${n}`);
      if (value !== undefined) {
        equal(value.n, n);
        found += 1;
      }
    }
    equal(found, 100);
    const { hits, misses } = cache.stats();
    equal([hits, misses], [100, 900]);
  },

  async 'what is read again outlives a scan over everything'(t) {
    const cache = (await t.runtime()).cache('scan', { maxEntries: 100 });
    for (let n = 0; n < 50; n += 1) {
      cache.set(`hot ${n}`, n);
    }
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 50; n += 1) {
        cache.get(`hot ${n}`);
      }
    }
    for (let n = 0; n < 5_000; n += 1) {
      cache.set(`cold ${n}`, n);
    }
    let kept = 0;
    for (let n = 0; n < 50; n += 1) {
      kept += cache.has(`hot ${n}`) ? 1 : 0;
    }
    equal(kept, 50);
  },

  async 'overwrites, deletes and clears'(t) {
    const cache = (await t.runtime()).cache('small', { maxEntries: 3 });
    cache.set('a', 1);
    cache.set('a', 2);
    equal([cache.get('a'), cache.stats().entries], [2, 1]);
    equal([cache.delete('a'), cache.delete('a'), cache.has('a'), cache.get('a')], [true, false, false, undefined]);
    cache.set('b', 3);
    cache.set('undefined', undefined);
    equal([cache.has('undefined'), cache.get('undefined')], [true, undefined]);
    cache.clear();
    equal([cache.has('b'), cache.stats().entries], [false, 0]);
  },

  async 'forgets values when their time is over'(t) {
    const runtime = await t.runtime();
    const clocks = { wall: Date.now, steady: performance.now };
    const [wall, steady] = [Date.now(), performance.now()];
    let ahead = 0;
    try {
      Date.now = () => wall + ahead;
      performance.now = () => steady + ahead;
      const cache = runtime.cache('brief', { maxEntries: 10, ttlMs: 60_000 });
      cache.set('a', 1);
      ahead += 59_000;
      equal(cache.get('a'), 1);
      ahead += 2_000;
      equal([cache.has('a'), cache.get('a')], [false, undefined]);
      equal(cache.stats().expirations, 1);
      equal(cache.stats().entries, 0);
    } finally {
      Date.now = clocks.wall;
      delete performance.now;
    }
  },

  async 'is the same for the same name, and refuses nonsense'(t) {
    const runtime = await t.runtime();
    const cache = runtime.cache('shared', { maxEntries: 2 });
    cache.set('a', 1);
    equal(runtime.cache('shared', { maxEntries: 2 }).get('a'), 1);
    equal(runtime.cache('other', { maxEntries: 2 }).get('a'), undefined);
    for (const options of [{ maxEntries: 0 }, { maxEntries: 1.5 }, { maxEntries: 1, ttlMs: 0 }]) {
      await refused(
        (async () => runtime.cache(`bad ${JSON.stringify(options)}`, options))(),
        'ERR_INVALID_OPTION',
      );
    }
  },

  async 'a large cache that is emptied at once lets go of everything'(t) {
    const runtime = await t.runtime();
    const clocks = { wall: Date.now, steady: performance.now };
    const [wall, steady] = [Date.now(), performance.now()];
    let ahead = 0;
    try {
      Date.now = () => wall + ahead;
      performance.now = () => steady + ahead;
      const cache = runtime.cache('large', { maxEntries: 20_000, ttlMs: 1_000 });
      for (let n = 0; n < 10_000; n += 1) {
        cache.set(`${n}`, n);
      }
      ahead += 2_000;
      equal(cache.stats().entries, 0);
      for (let n = 0; n < 10_000; n += 1) {
        ok(!cache.has(`${n}`), `entry ${n} to be gone`);
      }
    } finally {
      Date.now = clocks.wall;
      delete performance.now;
    }
  },
};
