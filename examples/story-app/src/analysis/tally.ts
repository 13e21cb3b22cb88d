/** What many random readers saw, in numbers that add up in any order. */

import { minutes } from '../story/words';

export type Outcome = 'ended' | 'ran-out' | 'cut-off' | 'failed';

/** One reader's way through the story. */
export interface ReaderRun {
  outcome: Outcome;
  /** Passage in which it stopped, -1 where unknown. */
  at: number;
  /** The story's own message where it failed. */
  message?: string;
  words: number;
  turns: number;
  /** How often each passage was entered. */
  visits: Map<number, number>;
}

/** Totals. All are integers and are merged by addition alone, so chunks may come from any worker in any order. */
export interface Tally {
  readers: number;
  outcomes: Record<Outcome, number>;
  /** Entries of each passage, by all readers together. */
  visits: number[];
  /** Readers that entered each passage at least once. */
  readersAt: number[];
  /** `outcome:passage` to readers. */
  stops: Record<string, number>;
  /** Words read to readers, exact. */
  words: Record<number, number>;
  turns: Record<number, number>;
  /** Messages of stories that failed, with their number. */
  messages: Record<string, number>;
}

export function emptyTally(passages: number): Tally {
  return {
    readers: 0,
    outcomes: { ended: 0, 'ran-out': 0, 'cut-off': 0, failed: 0 },
    visits: new Array<number>(passages).fill(0),
    readersAt: new Array<number>(passages).fill(0),
    stops: {},
    words: {},
    turns: {},
    messages: {},
  };
}

export function addRun(tally: Tally, run: ReaderRun): void {
  tally.readers += 1;
  tally.outcomes[run.outcome] += 1;
  bump(tally.stops, `${run.outcome}:${run.at}`, 1);
  bump(tally.words, String(run.words), 1);
  bump(tally.turns, String(run.turns), 1);
  for (const [passage, count] of run.visits) {
    tally.visits[passage] = (tally.visits[passage] ?? 0) + count;
    tally.readersAt[passage] = (tally.readersAt[passage] ?? 0) + 1;
  }
  if (run.message !== undefined) bump(tally.messages, run.message, 1);
}

/** Adds `from` to `into`. */
export function mergeTally(into: Tally, from: Tally): void {
  into.readers += from.readers;
  for (const outcome of Object.keys(from.outcomes) as Outcome[]) into.outcomes[outcome] += from.outcomes[outcome];
  from.visits.forEach((count, passage) => (into.visits[passage] = (into.visits[passage] ?? 0) + count));
  from.readersAt.forEach((count, passage) => (into.readersAt[passage] = (into.readersAt[passage] ?? 0) + count));
  for (const key of ['stops', 'words', 'turns'] as const) {
    for (const [value, count] of Object.entries(from[key])) bump(into[key], value, count);
  }
  for (const [message, count] of Object.entries(from.messages)) bump(into.messages, message, count);
}

export interface Distribution {
  min: number;
  p10: number;
  median: number;
  p90: number;
  max: number;
  mean: number;
}

/** Quantiles of an exact histogram (nearest rank), or `undefined` where nothing was counted. */
export function distribution(histogram: Record<number, number>): Distribution | undefined {
  const pairs = Object.entries(histogram)
    .map(([value, count]) => [Number(value), count] as const)
    .sort((a, b) => a[0] - b[0]);
  const total = pairs.reduce((sum, [, count]) => sum + count, 0);
  const first = pairs[0];
  const last = pairs[pairs.length - 1];
  if (!first || !last || total === 0) return undefined;
  const rank = (share: number): number => {
    const wanted = Math.max(1, Math.ceil(share * total));
    let seen = 0;
    for (const [value, count] of pairs) {
      seen += count;
      if (seen >= wanted) return value;
    }
    return last[0];
  };
  return { min: first[0], p10: rank(0.1), median: rank(0.5), p90: rank(0.9), max: last[0], mean: pairs.reduce((sum, [value, count]) => sum + value * count, 0) / total };
}

export function inMinutes(words: Distribution): Distribution {
  return { min: minutes(words.min), p10: minutes(words.p10), median: minutes(words.median), p90: minutes(words.p90), max: minutes(words.max), mean: minutes(words.mean) };
}

function bump(record: Record<string, number>, key: string, by: number): void {
  record[key] = (record[key] ?? 0) + by;
}
