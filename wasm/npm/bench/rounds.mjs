// Comparisons in rounds: in each every peer has its turn, and another one begins, so that none always runs first or on a machine that is
// warm. A measure gives numbers by what they mean; a peer that can't do something has no such measure.

/** Rounds that don't count: what engines compile while they run is compiled by then, for everybody. */
const WARM_UP = 10;

/** Runs so many rounds and gives each name's numbers by peer, a number a round. */
export async function inRounds(rounds, measures, tell) {
  const all = Object.entries(measures);
  const results = {};
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const first = (round + WARM_UP * all.length) % all.length;
    for (const [peer, measure] of [...all.slice(first), ...all.slice(0, first)]) {
      const numbers = await measure();
      for (const [name, number] of round < 0 ? [] : Object.entries(numbers)) {
        ((results[name] ??= {})[peer] ??= []).push(number);
      }
    }
    tell(round < 0 ? 0 : round + 1, rounds);
  }
  return results;
}

/** Microseconds that it took. */
export async function micros(run) {
  const startedAt = performance.now();
  await run();
  return (performance.now() - startedAt) * 1_000;
}

/** The value below which this share of them lies. */
export function quantile(values, share) {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
}
