/** The one runtime of the app and the caches of what it computed. */

import { createRuntime, type Runtime } from 'quillwork';
import type { Reachability } from '../analysis/structure';
import type { WayLengths } from '../analysis/lengths';
import type { Tally } from '../analysis/tally';
import type { Layout } from '../layout/geometry';
import type { SimilarityResult } from '../tasks/similarity';
import type { Tasks } from '../tasks/tasks';

export type StoryRuntime = Runtime<Tasks>;

/** Two at least, so that a turn of the story never waits for an analysis; one thread is left to the page. */
export function workerCount(threads: number): number {
  return Math.min(8, Math.max(2, threads - 1));
}

export function startRuntime(): Promise<StoryRuntime> {
  return createRuntime<Tasks>({
    worker: () => new Worker(new URL('../tasks/tasks.ts', import.meta.url), { type: 'module' }),
    workers: workerCount(navigator.hardwareConcurrency ?? 2),
    telemetry: { name: 'Quillwork story app' },
  });
}

/** Results by content hash: opening a story again costs nothing, and the dashboard sees the hits. */
export function createCaches(runtime: StoryRuntime) {
  const entries = { maxEntries: 12 };
  return {
    layout: runtime.cache<string, Layout>('layout', entries),
    reachability: runtime.cache<string, Reachability>('reachability', entries),
    loops: runtime.cache<string, number[][]>('loops', entries),
    lengths: runtime.cache<string, WayLengths>('lengths', entries),
    similarity: runtime.cache<string, SimilarityResult>('similarity', { maxEntries: 4 }),
    tallies: runtime.cache<string, Tally>('tallies', { maxEntries: 24 }),
  };
}

export type Caches = ReturnType<typeof createCaches>;

/** What a failed task says to a person. */
export function explain(error: unknown): string {
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    if (code === 'ERR_WORKER_LOST') return 'The workers that ran this were lost again and again. The story may be too large for this device’s memory.';
    if (code === 'ERR_TIMEOUT') return 'This took too long and was stopped.';
    return error.message;
  }
  return String(error);
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'ERR_ABORTED'));
}
