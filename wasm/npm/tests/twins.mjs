// The same generated calls for what exists twice, here and in core: wasm/flow/tests/twins.rs makes them too, and both are held to
// wasm/flow/fixtures/. One digest of all answers for each seed.
import { Digest, Random } from './cases/random.mjs';
import { withFakeTime } from './cases/fake-time.mjs';
import { source } from './source.mjs';

const { debounce } = await source('flow/debounce');
const { throttle } = await source('flow/throttle');
const { Gcra, SlidingLog } = await source('flow/limiter');

const SEEDS = 1_000;

/** The lines of each file of wasm/flow/fixtures. */
export async function twins() {
  const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
  return {
    debounce: await inTurn(seeds, (seed) => calls(seed, false)),
    throttle: await inTurn(seeds, (seed) => calls(seed, true)),
    gcra: seeds.map((seed) => turns(seed, (limit, period, burst) => new Gcra(limit, period, burst))),
    'sliding-log': seeds.map((seed) => turns(seed, (limit, period) => new SlidingLog(limit, period))),
  };
}

/** One after the other: there is one clock. */
async function inTurn(seeds, digest) {
  const digests = [];
  for (const seed of seeds) {
    digests.push(await digest(seed));
  }
  return digests;
}

function calls(seed, throttles) {
  return withFakeTime((time) => {
    const random = new Random(seed);
    const digest = new Digest();
    const startedAt = time.now;
    const invoked = () => digest.add(time.now - startedAt);
    const wait = random.one([0, 1, 10, 50, 100]);
    const leading = random.below(2) === 1;
    const trailing = random.below(2) === 1;
    const maxWait = random.one([undefined, 0, 20, 100, 250]);
    const limited = throttles ? throttle(invoked, wait, { leading, trailing }) : debounce(invoked, wait, { leading, trailing, maxWait });
    for (let step = 0; step < 60; step += 1) {
      const dice = random.below(10);
      if (dice === 0) {
        limited.cancel();
      } else if (dice === 1) {
        limited.flush();
      } else if (dice < 8) {
        limited();
      }
      digest.add(limited.pending() ? 1 : 0);
      time.advanceSync([0, 1, random.below(20), random.below(250)][random.below(4)]);
    }
    return String(digest);
  });
}

function turns(seed, make) {
  const random = new Random(seed);
  const digest = new Digest();
  const add = (nanos) => {
    digest.add(nanos % 2 ** 32);
    digest.add(Math.floor(nanos / 2 ** 32));
  };
  const limit = 1 + random.below(12);
  const period = (1 + random.below(1_000)) * 1_000;
  const burst = 1 + random.below(12);
  const limiter = make(limit, period, burst);
  const reserved = [];
  let now = 0;
  for (let step = 0; step < 100; step += 1) {
    now += [0, 1, random.below(period), random.below(period * 3)][random.below(4)];
    const weight = random.below(6);
    const earliest = limiter.earliest(now, weight);
    add(earliest === Infinity ? 2 ** 40 : earliest);
    const dice = random.below(4);
    if (dice === 0 && reserved.length > 0) {
      limiter.cancel(now, reserved.splice(random.below(reserved.length), 1)[0]);
    } else if (dice === 1 && earliest !== Infinity) {
      reserved.push(limiter.admit(now, earliest, weight));
    } else if (earliest <= now) {
      limiter.admit(now, now, weight);
    }
    add(limiter.idleFrom);
  }
  return String(digest);
}
