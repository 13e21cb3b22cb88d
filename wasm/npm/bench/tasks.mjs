// Comparisons of what runs tasks on workers.
import { inRounds, micros, quantile } from './rounds.mjs';

const PIPELINED = 5_000;
const ONE_BY_ONE = 300;
const COLD = 64;
const SIZES = { '1 KB': [1_000, 100], '100 KB': [100_000, 40], '1 MB': [1_000_000, 15] };

/** Everything about these peers. `tell` hears how far it is. */
export async function compareTasks(peers, rounds, tell) {
  const results = {};
  const compare = comparing(results, rounds, tell);
  const warm = await warmed(peers, tell);
  const able = (what) => Object.fromEntries(Object.entries(warm).filter(([, peer]) => peer[what] !== undefined));
  await compare('short tasks', warm, shortTasks);
  await compare('bytes', able('send'), bytes);
  await compare('cancelling', able('cancel'), cancelling);
  await Promise.all(Object.values(warm).map((peer) => peer.close()));

  await compare('from nothing', peers, fromNothing);
  const crashing = {};
  for (const [name, make] of Object.entries(peers)) {
    crashing[name] = await make(1);
  }
  const mortal = Object.fromEntries(Object.entries(crashing).filter(([, peer]) => peer.crash !== undefined));
  if (Object.keys(mortal).length > 0) {
    await compare('crashes', mortal, crashes);
  }
  await Promise.all(Object.values(crashing).map((peer) => peer.close()));
  return results;
}

/** What short tasks cost, alone: for a page whose clock has steps of 100 µs. */
export async function compareShortTasks(peers, rounds, tell) {
  const results = {};
  const warm = await warmed(peers, tell);
  await comparing(results, rounds, tell)('short tasks', warm, shortTasks);
  await Promise.all(Object.values(warm).map((peer) => peer.close()));
  return results;
}

function comparing(results, rounds, tell) {
  return async (what, of, measure) => {
    const named = Object.fromEntries(Object.entries(of).map(([name, peer]) => [name, () => measure(peer)]));
    Object.assign(results, await inRounds(rounds, named, (done, all) => tell(`${what}: round ${done} of ${all}`)));
  };
}

async function warmed(peers, tell) {
  const warm = {};
  for (const [name, make] of Object.entries(peers)) {
    tell(`${name} starts`);
    warm[name] = await make(2);
    await warm[name].run();
  }
  return warm;
}

/** Trips one by one are timed several at a time, or the steps of a page's clock would be all that is seen. */
async function shortTasks({ run }) {
  const pipelined = (await micros(() => Promise.all(Array.from({ length: PIPELINED }, run)))) / PIPELINED;
  const trips = [];
  const together = globalThis.crossOriginIsolated === false ? 30 : 5;
  for (let n = 0; n < ONE_BY_ONE; n += together) {
    const some = await micros(async () => {
      for (let trip = 0; trip < together; trip += 1) {
        await run();
      }
    });
    trips.push(some / together);
  }
  return {
    [`no-op, ${PIPELINED.toLocaleString('en')} at once, each`]: pipelined,
    'no-op round trip, p50': quantile(trips, 0.5),
  };
}

async function bytes({ send }) {
  const numbers = {};
  for (const [size, [length, times]] of Object.entries(SIZES)) {
    for (const move of [false, true]) {
      const trips = [];
      for (let n = 0; n < times; n += 1) {
        const sent = new Uint8Array(length);
        trips.push(await micros(() => send(sent, move)));
      }
      numbers[`${size} ${move ? 'moved' : 'copied'}, p50`] = quantile(trips, 0.5);
    }
  }
  return numbers;
}

/** From asking for the end of a task that runs to its rejection. */
async function cancelling({ cancel, run }) {
  const { task, end } = cancel();
  const settled = task.then(() => undefined, () => undefined);
  // The other worker answers after the first has its task.
  await run();
  const took = await micros(() => {
    end();
    return settled;
  });
  await run();
  return { 'cancel to settled': took };
}

/** A pool that is made, runs a burst and ends. */
async function fromNothing(make) {
  let pool;
  const took = await micros(async () => {
    pool = await make(2);
    await Promise.all(Array.from({ length: COLD }, pool.run));
  });
  await pool.close();
  return { [`new pool to ${COLD} results`]: took };
}

/** From sending what ends the only worker to the result of the next task. */
async function crashes({ crash, run }) {
  await run();
  const took = await micros(async () => {
    await crash().then(() => undefined, () => undefined);
    await run();
  });
  return { 'crash to next result': took };
}
