/** What the runtime says of its workers and of the host, at a pace that eyes can follow. */

import type { PoolStats, WorkerLost } from 'quillwork';
import type { StoryRuntime } from './runtime';
import { Store } from './store';

export type LinkStatus = 'connecting' | 'connected' | 'away' | 'off';

export interface PoolState {
  stats: PoolStats;
  link: LinkStatus;
  /** Samples of this page that the host doesn't have yet. */
  queuedSamples: number;
  framesPerSecond: number | undefined;
  /** The last thing worth telling about the workers. */
  notice: string | undefined;
}

const PUBLISH_MILLIS = 250;

const NOTICES: Record<WorkerLost['reason'], string> = {
  failed: 'A worker was lost; a new one took its place',
  silent: 'A worker fell silent; a new one took its place',
  'boot-timeout': 'A worker did not start in time; another is being started',
  'ignored-abort': 'A worker was busy with what was cancelled; a new one took its place',
};

/** What became of a worker, and of its task where it had one to give to another. */
function lossText(reason: WorkerLost['reason'], isRedelivered: boolean): string {
  return `${NOTICES[reason]}${isRedelivered ? ', and its task was given to another' : ''}.`;
}

function measured(runtime: StoryRuntime): Omit<PoolState, 'notice'> {
  const { telemetry } = runtime;
  return {
    stats: runtime.stats(),
    link: telemetry?.status ?? 'off',
    queuedSamples: telemetry?.queuedSamples ?? 0,
    framesPerSecond: telemetry?.latest?.framesPerSecond ?? undefined,
  };
}

export class Pool {
  readonly store: Store<PoolState>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly runtime: StoryRuntime) {
    this.store = new Store<PoolState>({ ...measured(runtime), notice: undefined });
    runtime.on('stats', () => this.#soon());
    let redelivered = 0;
    runtime.on('workerlost', ({ reason }) => {
      const before = redelivered;
      redelivered = runtime.stats().redelivered;
      this.store.set({ notice: lossText(reason, redelivered > before) });
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
      this.store.set(measured(this.runtime));
    }, PUBLISH_MILLIS);
  }
}
