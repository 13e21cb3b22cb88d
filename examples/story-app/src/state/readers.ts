/** Thousands of random readers, in chunks over all workers. */

import { MAX_TURNS } from '../reading/limits';
import { emptyTally, mergeTally, type Tally } from '../analysis/tally';
import type { OpenedStory } from '../story/open';
import { playable } from './library';
import { explain, isAbort, type Caches, type StoryRuntime } from './runtime';
import { Store } from './store';

export interface ReadersState {
  status: 'idle' | 'running' | 'done' | 'cancelled' | 'failed';
  wanted: number;
  done: number;
  seed: number;
  tally: Tally | undefined;
  error: string | undefined;
  /** Wall time of the run, and whether it came from the cache. */
  millis: number;
  cached: boolean;
}

export interface ReadersPlan {
  readers: number;
  seed: number;
}

/** Chunks for each worker: enough that a slow chunk does not hold up the end, few enough that the story is not sent too often. */
const CHUNKS_PER_WORKER = 8;
const SMALLEST_CHUNK = 4;
/** A chunk that takes longer hangs: a damaged story can loop inside the runtime, where no bound of ours reaches. */
const CHUNK_TIMEOUT_MILLIS = 180_000;
const PUBLISH_MILLIS = 120;

const BLANK: ReadersState = { status: 'idle', wanted: 0, done: 0, seed: 1, tally: undefined, error: undefined, millis: 0, cached: false };

export class Readers {
  readonly store = new Store<ReadersState>(BLANK);
  #run: AbortController | undefined;

  constructor(
    private readonly runtime: StoryRuntime,
    private readonly caches: Caches,
  ) {}

  reset(): void {
    this.#run?.abort();
    this.#run = undefined;
    this.store.set(BLANK);
  }

  cancel(): void {
    if (this.store.get().status !== 'running') return;
    this.#run?.abort();
    this.store.set({ status: 'cancelled' });
  }

  async run(story: OpenedStory, plan: ReadersPlan): Promise<void> {
    this.#run?.abort();
    const run = new AbortController();
    this.#run = run;
    const key = `${story.hash}:${plan.seed}:${plan.readers}`;
    const known = this.caches.tallies.get(key);
    if (known) {
      this.store.set({ ...BLANK, status: 'done', wanted: plan.readers, done: plan.readers, seed: plan.seed, tally: known, cached: true });
      return;
    }
    const began = performance.now();
    const tally = emptyTally(story.graph.passages.length);
    const underWay = new Map<number, number>();
    const done = (): number => [...underWay.values()].reduce((sum, count) => sum + count, tally.readers);
    let published = 0;
    const publish = (): void => {
      const now = performance.now();
      if (now - published < PUBLISH_MILLIS || this.#run !== run || run.signal.aborted) return;
      published = now;
      this.store.set({ done: done(), tally: { ...tally }, millis: now - began });
    };
    this.store.set({ ...BLANK, status: 'running', wanted: plan.readers, seed: plan.seed });

    const chunks = chunked(plan.readers, this.runtime.stats().workers.length);
    const target = playable(story);
    try {
      await Promise.all(
        chunks.map(async ({ first, count }) => {
          const part = await this.runtime.run(
            'readers',
            { story: target, seed: plan.seed, first, count, maxTurns: MAX_TURNS },
            {
              priority: 3,
              signal: run.signal,
              timeoutMs: CHUNK_TIMEOUT_MILLIS,
              onProgress: (readers) => {
                underWay.set(first, readers);
                publish();
              },
            },
          );
          underWay.delete(first);
          mergeTally(tally, part);
          publish();
        }),
      );
      if (this.#run !== run) return;
      this.caches.tallies.set(key, tally);
      this.store.set({ status: 'done', done: tally.readers, tally, millis: performance.now() - began });
    } catch (error) {
      if (this.#run !== run) return;
      run.abort();
      this.store.set(isAbort(error) || this.store.get().status === 'cancelled' ? { status: 'cancelled', done: tally.readers, tally } : { status: 'failed', error: explain(error) });
    }
  }
}

/** Equal chunks that cover `0..readers`. */
export function chunked(readers: number, workers: number): Array<{ first: number; count: number }> {
  const size = Math.max(SMALLEST_CHUNK, Math.ceil(readers / (Math.max(1, workers) * CHUNKS_PER_WORKER)));
  const chunks: Array<{ first: number; count: number }> = [];
  for (let first = 0; first < readers; first += size) chunks.push({ first, count: Math.min(size, readers - first) });
  return chunks;
}
