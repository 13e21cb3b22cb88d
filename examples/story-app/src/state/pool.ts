/** What the runtime says of its workers and of the host, at a pace that eyes can follow. */

import type { PoolStats } from 'quillwork';
import type { StoryRuntime } from './runtime';
import { Store } from './store';

export type LinkStatus = 'connecting' | 'connected' | 'away' | 'off';

export interface PoolState {
  stats: PoolStats;
  link: LinkStatus;
  framesPerSecond: number | undefined;
  /** The last thing worth telling about the workers. */
  notice: string | undefined;
}

const PUBLISH_MILLIS = 250;

export class Pool {
  readonly store: Store<PoolState>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly runtime: StoryRuntime) {
    this.store = new Store<PoolState>({ stats: runtime.stats(), link: runtime.telemetry?.status ?? 'off', framesPerSecond: undefined, notice: undefined });
    runtime.on('stats', () => this.#soon());
    runtime.on('workerlost', () => {
      this.store.set({ notice: 'A worker was lost; a new one took its place and its task was given to another.' });
      this.#soon();
    });
    runtime.telemetry?.subscribe(() => this.#soon());
  }

  /** Ends a worker as a crash would: the busiest, so that there is something to see. */
  killOne(): void {
    const workers = this.runtime.stats().workers;
    const victim = workers.find((worker) => worker.running) ?? workers[workers.length - 1];
    if (victim) this.runtime.killWorker(victim.id);
    this.#soon();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.store.set({ stats: this.runtime.stats(), link: this.runtime.telemetry?.status ?? 'off', framesPerSecond: this.runtime.telemetry?.latest?.framesPerSecond ?? undefined });
    }, PUBLISH_MILLIS);
  }
}
